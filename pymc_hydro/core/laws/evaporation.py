"""Laws of evaporation, of potential evaporation `E` in mm/d and content `S` in mm."""

from typing import Any

from pymc_hydro.core.functions import exp
from pymc_hydro.core.laws.kinks import TAU, Kinks

__all__ = ["EvaporationLaws"]


class EvaporationLaws(Kinks):
    """Evaporation from a store, never more than its content in a day."""

    def evaporation(self, E: Any, S: Any) -> Any:
        """Return potential evaporation from a wet store, ``min(E, S/tau)``."""
        return self.at_most(E, S)

    def evaporation_relative(self, E: Any, S: Any, C: Any) -> Any:
        """Return evaporation in proportion to the relative content, ``min(E S/C, S/tau)``."""
        return self.at_most(E * S / C, S)

    def evaporation_wilting(self, E: Any, S: Any, W: Any) -> Any:
        """Return evaporation that is full above the content W, ``min(E S/W, E, S/tau)``."""
        return self.least(E * S / W, E, S / TAU)

    def evaporation_bare(self, E: Any, S: Any, C: Any, m: Any) -> Any:
        """Return evaporation from the share of the ground without forest, ``(1 - m) E S/C``."""
        return self.least((1 - m) * E * S / C, S / TAU)

    def evaporation_limited(self, E: Any, S: Any, W: Any, e: Any) -> Any:
        """Return evaporation limited by plants, ``min(e S/W, E, S/tau)`` with e in mm/d."""
        return self.least(e * S / W, E, S / TAU)

    def evaporation_power(self, E: Any, S: Any, C: Any, a: Any, b: Any) -> Any:
        """Return a power law of relative content, ``min(S/tau, E, a (S/C)^b E)``."""
        return self.least(S / TAU, E, a * self.power(self.content(S) / C, b) * E)

    def evaporation_ramp(self, E: Any, S: Any, low: Any, high: Any) -> Any:
        """Return evaporation that rises from nothing at `low` to all of E at `high`, mm."""
        return self.at_most(self.share((S - low) / (high - low)) * E, S)

    def evaporation_floor(self, E: Any, S: Any, W: Any, c: Any) -> Any:
        """Return ``min(S/tau, max(c, min(S/W, 1)) E)``: a share c of E from a dry soil.

        Zhao, R. (1992). J. Hydrol. 135, 371-381.
        """
        return self.at_most(self.greatest(c, self.least(S / W, 1.0)) * E, S)

    def evaporation_deficit(self, E: Any, D: Any, W: Any) -> Any:
        """Return evaporation that falls above the deficit W, ``min(1, exp(2 (1 - D/W))) E``.

        Croke, B. F. W., Jakeman, A. J. (2004). Environ. Model. Softw. 19, 1-5.
        """
        return self.least(1.0, exp(2 * (1 - D / W))) * E

    def evaporation_exponential(self, E: Any, D: Any, C: Any) -> Any:
        """Return ``1.9 exp(-0.6523 (D + C)/C) E`` of a deficit D below the capacity C.

        Crooks, S. M., Naden, P. S. (2007). Hydrol. Earth Syst. Sci. 11, 516-531.
        """
        return 1.9 * exp(-0.6523 * (D + C) / C) * E

    def evaporation_below(self, E: Any, above: Any, empty: float) -> Any:
        """Return evaporation that begins where the store above is empty, :meth:`empty`."""
        return E * self.empty(above, empty)
