"""Smooth versions of piecewise functions; the width is always an argument.

Forms of Vrugt, Frame & Bollman (2026, arXiv:2602.06429), except :func:`lesser`. The error at the
kink is half of the width, which has the unit of the argument.
"""

from typing import Any

from pymc_hydro.core.functions import exp, law, log1p, logistic, sqrt

__all__ = ["clamp", "lesser", "maximum", "minimum", "overflow", "pos", "softplus", "step"]

OVERFLOW_WIDTH = 0.01  # of the capacity, rho


@law
def pos(a: Any, width: float) -> Any:
    """Positive part ``max(a, 0)``."""
    return (a + sqrt(a * a + width * width)) / 2


@law
def softplus(a: Any, width: float) -> Any:
    """Positive part whose tail vanishes: ``width log(1 + exp(a / width))``.

    Five widths below zero 0.7 % of the width is left, of :func:`pos` 5 %. For `a` up to 700 widths.
    """
    return width * log1p(exp(a / width))


@law
def minimum(a: Any, b: Any, width: float) -> Any:
    """Smaller of two values."""
    return (a + b - sqrt((a - b) * (a - b) + width * width)) / 2


@law
def maximum(a: Any, b: Any, width: float) -> Any:
    """Larger of two values."""
    return (a + b + sqrt((a - b) * (a - b) + width * width)) / 2


@law
def clamp(z: Any, width: float) -> Any:
    """Restrict `z` to the range from 0 to 1."""
    return z - pos(z - 1, width) + pos(-z, width)


@law
def lesser(a: Any, b: Any, width: float) -> Any:
    """Smaller of two positive amounts: never above either, and zero where one amount is zero.

    The root `m` of ``(a - m)(b - m) = width m``. A flux that it limits cannot overdraw its store;
    :func:`minimum` would be ``-width / 2`` where both arguments are zero. The error at ``a = b`` is
    about ``sqrt(width a)``.
    """
    root = sqrt((a - b) * (a - b) + width * (2 * (a + b) + width))
    return 2 * a * b / (a + b + width + root)


@law
def step(a: Any, width: float) -> Any:
    """Zero for negative `a` and one for positive; the transition takes about two widths."""
    return logistic(2 * a / width)


@law
def overflow(content: Any, capacity: Any) -> Any:
    """Share of the inflow that a store sheds: logistic, a half at 95 % of its capacity.

    Kavetski & Kuczera (2007), Water Resour. Res. 43, W03411; Clark et al. (2008), FUSE:
    ``1 / (1 + exp(-(S - 0.95 S_max) / (0.01 S_max)))``, 0.993 at capacity.
    """
    return logistic((content / capacity - (1 - 5 * OVERFLOW_WIDTH)) / OVERFLOW_WIDTH)
