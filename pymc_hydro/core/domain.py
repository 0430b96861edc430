"""The domain of a run: parameters and contents for which the equations mean anything."""

import math

import numpy as np

from pymc_hydro.core.model import AbstractModel

__all__ = ["OUTSIDE", "check_domain", "domain_of", "is_outside"]

OUTSIDE = -1  # the status of a run that was not made


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
