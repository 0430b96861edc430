"""Where parameters lie: in the domain of the equations, and between bounds, on an axis."""

import math
from typing import Any

import numpy as np

from pymc_hydro.core.model import AbstractModel

__all__ = [
    "OUTSIDE",
    "check_domain",
    "domain_of",
    "is_outside",
    "near_bound",
    "places",
    "spans_decades",
]

OUTSIDE = -1  # the status of a run that was not made
# A positive parameter whose upper bound is this many times the lower one has a logarithmic axis:
# on a linear one, half of the orders of magnitude would lie within a step of the lower bound.
LOGARITHMIC = 100.0
ROUNDING = 1e-9  # of bounds that were computed


def spans_decades(lower: Any, upper: Any) -> Any:
    """Return whether a parameter with these bounds has a logarithmic axis."""
    return (lower > 0) & (upper >= LOGARITHMIC * lower * (1 - ROUNDING))


def places(values: Any, lower: Any, upper: Any) -> np.ndarray:
    """Return where values lie on their axes: 0 is the lower bound, 1 the upper one."""
    log = spans_decades(lower, upper)
    safe = np.where(log, lower, 1.0)
    by_ratio = np.log(np.where(log, values / safe, 1.0)) / np.log(np.where(log, upper / safe, 2))
    return np.clip(np.where(log, by_ratio, (values - lower) / (upper - lower)), 0, 1)


def near_bound(value: float, lower: float, upper: float, share: float) -> bool:
    """Return whether a value is within a share of its range of a bound, on each axis it has.

    By the value itself, and where bounds span decades by its logarithm as well: 0.5 is far from
    0.1 and from 100, and 0.9 is far from 1 although the logarithm of 1e-5 is far away.
    """
    found = np.array([(value - lower) / (upper - lower), places(value, lower, upper)])
    return bool((np.minimum(found, 1 - found) < share).all())


def domain_of(model: AbstractModel) -> np.ndarray:
    """Return the ends of each parameter's domain, then of each store's, shape (n, 2).

    The third column says whether NaN stands for a content that the parameters give.
    """
    parameters = [(*p.limits, False) for p in model.parameters]
    lowest = {False: 0.0, True: -math.inf}
    stores = [(lowest[s.signed], math.inf, callable(s.initial)) for s in model.stores]
    return np.array([*parameters, *stores], dtype=float).reshape(-1, 3)


def is_outside(theta, x0, domain) -> bool:
    """Return whether a parameter or a store is outside; also compiled, as a part of graphs."""
    for i in range(len(domain)):
        value = theta[i] if i < len(theta) else x0[i - len(theta)]
        given = value == value or domain[i, 2] == 0
        if given and not (domain[i, 0] <= value <= domain[i, 1] and abs(value) < np.inf):
            return True
    return False


def check_domain(model: AbstractModel, theta: np.ndarray) -> None:
    """Raise ValueError if a parameter is outside its domain.

    Parameters
    ----------
    model : AbstractModel
    theta : array, shape (..., n_parameter)
    """
    for p, values in zip(model.parameters, np.moveaxis(theta, -1, 0), strict=True):
        low, high = p.limits
        bad = values[~((low <= values) & (values <= high))]
        if bad.size:
            raise ValueError(
                f"{type(model).__name__}: {p.name} = {bad.flat[0]:.6g} is outside its domain "
                f"[{low:g}, {high:g}], where the equations mean nothing; its calibration bounds "
                f"are [{p.lower:g}, {p.upper:g}]"
            )
