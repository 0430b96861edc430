"""Unit hydrographs: shares that have arrived after a time `t`, for a base `D`, both in days.

An ordinate is the difference of the share at the end and at the start of an interval.
"""

from collections.abc import Callable
from typing import Any

from pymc_hydro.core.blocks import UnitHydrograph
from pymc_hydro.core.functions import exp, gammainc, piecewise
from pymc_hydro.core.laws.powers import guarded_power

__all__ = [
    "delayed",
    "exponential_curve",
    "full_curve",
    "gamma_curve",
    "half_curve",
    "hydrograph",
    "rising_curve",
    "triangular_curve",
    "uniform_curve",
]

POWER_WIDTH = 1e-9  # of the base: where the curves of GR4J begin and end linear


def hydrograph(
    place: str,
    curve: Callable[[Any, Any], Any],
    base: Callable[[Any], Any],
    description: str,
    reach: float = 1.0,
) -> UnitHydrograph:
    """Return a unit hydrograph from its cumulative curve.

    Parameters
    ----------
    place : str
        As the output of :class:`pymc_hydro.core.UnitHydrograph`.
    curve : callable ``(t, D) -> share``
    base : callable ``p -> D``
    description : str
    reach : float
        In bases, after which all has arrived.
    """

    def ordinate(start, end, p):
        return curve(end, base(p)) - curve(start, base(p))

    def last(p):
        return reach * base(p)

    return UnitHydrograph(place, ordinate, last, description=description)


def _until(t, D, share):
    return piecewise(D - t, share, 1.0, continuity=0)


def rising_curve(t: Any, D: Any) -> Any:
    """Return ``(t/D)^2``: a triangle that only rises."""
    return _until(t, D, (t / D) * (t / D))


def triangular_curve(t: Any, D: Any) -> Any:
    """Return the share of a symmetric triangle."""
    z = t / D
    falling = 1 - 2 * (1 - z) * (1 - z)
    return _until(t, D, piecewise(t - D / 2, falling, 2 * z * z, continuity=1))


def uniform_curve(t: Any, D: Any) -> Any:
    """Return ``t/D``."""
    return _until(t, D, t / D)


def half_curve(t: Any, D: Any, exponent: float = 2.5) -> Any:
    """Return ``(t/D)^exponent``, of the routed branch of GR4J (Perrin et al., 2003)."""
    return _until(t, D, guarded_power(t / D, exponent, POWER_WIDTH))


def full_curve(t: Any, D: Any, exponent: float = 2.5) -> Any:
    """Return the share of the direct branch of GR4J, which ends at 2 D (Perrin et al., 2003)."""
    z = t / D
    falling = 1 - guarded_power(2 - z, exponent, POWER_WIDTH) / 2
    late = piecewise(2 * D - t, falling, 1.0, continuity=1)
    return piecewise(t - D, late, guarded_power(z, exponent, POWER_WIDTH) / 2, continuity=1)


def exponential_curve(t: Any, D: Any) -> Any:
    """Return ``1 - exp(-7 t/D)``; the rest, 0.1 %, arrives at D."""
    return piecewise(D - t, 1 - exp(-7 * t / D), 1.0, continuity=None)


def gamma_curve(t: Any, D: Any, shape: Any) -> Any:
    """Return the share of a gamma distribution of mean D: a Nash cascade of any real number."""
    return gammainc(shape, t * shape / D)


def delayed(place: str, delay: Callable[[Any], Any], description: str) -> UnitHydrograph:
    """Return a pure delay, divided linearly between the two intervals that it ends in."""

    def ordinate(start, end, p):
        z = (start - delay(p)) / (end - start)
        rising = piecewise(1 + z, 1 + z, 0.0, continuity=0)
        falling = piecewise(1 - z, 1 - z, 0.0, continuity=0)
        return piecewise(z, falling, rising, continuity=0)

    def last(p):
        return delay(p) + 1.0

    return UnitHydrograph(place, ordinate, last, description=description)
