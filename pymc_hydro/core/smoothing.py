"""Smooth versions of piecewise functions; the width is always an argument.

Forms of Vrugt, Frame & Bollman (2026, arXiv:2602.06429). The error of each at its kink is half
of the width, and it has the unit of the argument.
"""

from pymc_hydro.core.functions import sqrt

__all__ = ["clamp", "maximum", "minimum", "pos"]


def pos(a, width):
    """Positive part ``max(a, 0)``."""
    return (a + sqrt(a * a + width * width)) / 2


def minimum(a, b, width):
    """Smaller of two values."""
    return (a + b - sqrt((a - b) * (a - b) + width * width)) / 2


def maximum(a, b, width):
    """Larger of two values."""
    return (a + b + sqrt((a - b) * (a - b) + width * width)) / 2


def clamp(z, width):
    """Restrict `z` to the interval from 0 to 1."""
    return z - pos(z - 1, width) + pos(-z, width)
