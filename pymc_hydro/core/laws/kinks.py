"""Minima, maxima and thresholds: exact, or smooth over a width."""

from dataclasses import dataclass
from typing import Any

from pymc_hydro.core.functions import law, logistic, piecewise
from pymc_hydro.core.laws.powers import guarded_power
from pymc_hydro.core.smoothing import OVERFLOW_WIDTH, lesser, maximum, minimum, overflow, pos

__all__ = ["TAU", "Kinks"]

TAU = 1.0  # d, in which a store that limits a flux would empty
OF_SHARES = 0.1  # widths: a share that falls short of one loses this part of all rain
POWER_WIDTH = 1e-6  # of the base of a power, below which the power is linear
WIDEST = 0.1  # of the content that counts as empty: a wider step would not be one at zero
SHARP = 0.3  # of the tolerances, where kinks are exact
VANISHING = 1e-6  # mm, of a capacity: below it an exact overflow is a switch of this width


def _positive_part(x: Any) -> Any:
    """Return ``max(x, 0)``, with an exact kink."""
    return piecewise(x, x, 0.0, continuity=0)


@dataclass(frozen=True)
class Kinks:
    """Kinks that are all exact, or all smooth.

    Parameters
    ----------
    width : float
        In mm/d of rates, mm of contents and degC; of shares a tenth of it. Zero for exact kinks.
    """

    width: float = 0.0

    @property
    def tolerance_factor(self) -> float:
        """Share of a solver's tolerances to which steps across these kinks are held."""
        return 1.0 if self.width else SHARP

    @law
    def positive(self, x: Any) -> Any:
        """Return ``max(x, 0)``."""
        return pos(x, self.width) if self.width else _positive_part(x)

    @law
    def content(self, S: Any) -> Any:
        """Return ``max(S, 0)`` of the content of a store that is not negative, mm.

        The kink is exact: only errors of an integration take a store there, and a smooth one would
        let water flow out of an empty store.
        """
        return _positive_part(S)

    @law
    def least(self, first: Any, *others: Any) -> Any:
        """Return the smallest of several values; of values that are not negative, never above one.

        Below zero, where an integration takes the content of an empty store, it is exact.
        """
        for other in others:
            exact = piecewise(other - first, first, other, continuity=0)
            if self.width:
                a, b = _positive_part(first), _positive_part(other)
                below = piecewise(exact, 0.0, exact, continuity=0)
                first = lesser(a, b, self.width * self.width) + below
            else:
                first = exact
        return first

    @law
    def greatest(self, first: Any, *others: Any) -> Any:
        """Return the largest of several values."""
        for other in others:
            if self.width:
                first = maximum(first, other, self.width)
            else:
                first = piecewise(first - other, first, other, continuity=0)
        return first

    @law
    def share(self, z: Any) -> Any:
        """Return `z`, restricted to the range from 0 to 1."""
        if self.width:
            width = OF_SHARES * self.width
            return minimum(pos(z, width), 1.0, width)
        return piecewise(1.0 - z, _positive_part(z), 1.0, continuity=0)

    def at_most(self, flux: Any, content: Any) -> Any:
        """Return a flux that takes no more than the content of a store in one day."""
        return self.least(flux, content / TAU)

    def power(self, x: Any, exponent: Any) -> Any:
        """Return a power of a base that is not negative; linear below 1e-6, with a finite slope."""
        return guarded_power(x, exponent, POWER_WIDTH)

    def full(self, content: Any, capacity: Any) -> Any:
        """Return the share of its inflow that a store sheds, :func:`pymc_hydro.core.overflow`."""
        return overflow(content, capacity)

    def room(self, content: Any, capacity: Any) -> Any:
        """Return the share of its inflow that a store takes: ``1 - full``."""
        return 1.0 - self.full(content, capacity)

    def empty(self, content: Any, small: float) -> Any:
        """Return 1 where a store is empty and 0 from a `small` content on, mm: a logistic step.

        It is a half at 95 % of `small`. Its scale is 1 % of `small` with exact kinks; with smooth
        ones a tenth of the width, within 1 and 10 % of `small`.
        """
        scale = OVERFLOW_WIDTH * small
        if self.width:
            scale = min(max(OF_SHARES * self.width, scale), WIDEST * small)
        return logistic(((1 - 5 * OVERFLOW_WIDTH) * small - content) / scale)

    @law
    def full_to(self, content: Any, capacity: Any, smallest: float) -> Any:
        """Return :meth:`full` for a capacity that may vanish.

        The width of the transition is that of a capacity of `smallest`, mm, where the capacity is
        smaller; with exact kinks of 1e-6 mm.
        """
        least = smallest if self.width else VANISHING
        width = OVERFLOW_WIDTH * piecewise(capacity - least, capacity, least, continuity=0)
        some = piecewise(capacity, capacity, 0.0, continuity=0)
        return logistic((content - (1 - 5 * OVERFLOW_WIDTH) * some) / width)
