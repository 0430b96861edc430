"""Laws of percolation, interflow and baseflow: the outflow at the bottom of a store."""

from typing import Any

from pymc_hydro.core.laws.kinks import TAU, Kinks

__all__ = ["ReleaseLaws"]


class ReleaseLaws(Kinks):
    """Outflow of a store of content S, mm, in mm/d; never more than its content in a day."""

    def above(self, S: Any, threshold: Any, k: Any) -> Any:
        """Return a linear outflow above a threshold, ``k (S - threshold)``."""
        return k * self.positive(S - threshold)

    def above_power(self, S: Any, threshold: Any, k: Any, b: Any) -> Any:
        """Return ``(k (S - threshold))^b`` above a threshold."""
        y = self.positive(S - threshold)
        return self.least(y / TAU, self.power(k * y, b))

    def scaled_power(self, S: Any, threshold: Any, a: Any, b: Any) -> Any:
        """Return ``((S - threshold)/a)^(1/b)`` above a threshold."""
        y = self.positive(S - threshold)
        return self.least(y / TAU, self.power(y / a, 1 / b))

    def power_law(self, S: Any, k: Any, b: Any) -> Any:
        """Return ``k S^b``."""
        y = self.content(S)
        return self.least(y / TAU, k * self.power(y, b))

    def relative_power(self, S: Any, C: Any, k: Any, b: Any) -> Any:
        """Return ``k (S/C)^b`` with k in mm/d."""
        return self.at_most(k * self.power(self.content(S) / C, b), S)

    def constant(self, S: Any, c: Any) -> Any:
        """Return a constant outflow c, mm/d, as long as there is water."""
        return self.at_most(c, S)
