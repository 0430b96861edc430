"""Powers and exponentials with a finite slope at zero."""

from typing import Any

from pymc_hydro.core.functions import expm1, law, piecewise, power

__all__ = ["exponential_law", "guarded_power"]

SERIES_RANGE = 1e-3  # of the curvature: below, the series is exact to 1e-15


@law
def guarded_power(x: Any, exponent: Any, width: float) -> Any:
    """`x` to a positive power, odd and linear within `width` of zero, exactly one at one.

    ``x ((x^2 + w^2) / (1 + w^2))^((exponent - 1) / 2)`` with the width w. The slope at zero is
    finite for exponents below one too, so that the power needs no floor.
    """
    w = width * width
    return x * power((x * x + w) / (1 + w), (exponent - 1) / 2)


@law
def exponential_law(z: Any, curvature: Any) -> Any:
    """Exponential flux law ``(1 - exp(-a z)) / (1 - exp(-a))``, with its limit z at a = 0.

    Schoups & Vrugt (2010), Water Resour. Res. 46, W10531. Concave for positive curvature, convex
    for negative; exact (expm1), and by its series where the curvature is below 1e-3.
    """
    a = curvature
    large = a * a - SERIES_RANGE * SERIES_RANGE
    safe = piecewise(large, a, 1.0, continuity=None)
    law = expm1(-safe * z) / expm1(-safe)
    rest = z * (1 - z)
    series = z + a * rest * (1 / 2 + a * ((1 - 2 * z) / 12 - a * rest / 24))
    return piecewise(large, law, series, continuity=1)
