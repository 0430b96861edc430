"""One mathematics for NumPy arrays and PyTensor variables.

A loss is written once, in operations that NumPy and PyTensor call by the same name;
:func:`mathematics` returns the module that has them.
"""

from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import pytensor.tensor as pt
from numpy.typing import ArrayLike
from pytensor.graph.basic import Variable

__all__ = ["Series", "Value", "mathematics", "number", "ordered", "root", "squares", "take"]

Series: TypeAlias = ArrayLike | Variable
Value: TypeAlias = Any  # a float or an array for arrays, a variable for variables
ZERO = 1e-28  # sum of squares
ROUNDING = 1e-24  # partial sums of a constant series leave this much of its squares


def mathematics(*values: Any) -> ModuleType:
    """Return the module whose functions apply to `values`: PyTensor's if one is a variable."""
    return pt if any(isinstance(x, Variable) for x in values) else np


def number(x: Any) -> Any:
    """Return a variable as it is, anything else as a float."""
    return x if isinstance(x, Variable) else float(x)


def ordered(x: Any) -> Any:
    """Return the values of a series from the smallest to the largest."""
    return x[x.argsort()] if mathematics(x) is pt else np.sort(x)  # ten times as fast


def root(x: Any) -> Any:
    """Return the square root; its derivative at zero is taken as zero, not as infinite.

    A value that rounding leaves of zero counts as zero.
    """
    xp = mathematics(x)
    zero = x <= ZERO  # false of NaN, which stays
    return xp.where(zero, 0.0, xp.sqrt(xp.where(zero, 1.0, x)))


def squares(departures: Any, series: Any) -> Any:
    """Return the sum of squared departures of `series` from a mean; NaN if they are rounding only.

    A quotient by it is then undefined (NaN), as it should be, and not a ratio of rounding errors.
    """
    xp = mathematics(series)
    total = (departures * departures).sum()
    return xp.where(total > ROUNDING * (series * series).sum(), total, np.nan)


def take(series: Any, positions: np.ndarray) -> Any:
    """Return the values at some positions."""
    # PyTensor looks at each number of an index that is no variable.
    return series[pt.constant(positions) if isinstance(series, Variable) else positions]
