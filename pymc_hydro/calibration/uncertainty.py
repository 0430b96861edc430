"""Covariance and identifiability of the parameters from the Jacobian at the optimum."""

import numpy as np
import xarray as xr

from pymc_hydro.calibration.space import SearchSpace
from pymc_hydro.core.base.dims import PARAMETER

__all__ = ["NOTE", "linear_covariance", "singular_directions", "without_effect"]

NOTE = (
    "s^2 (J'J)^-1 of the residuals at the optimum. The residuals are those of the loss if it is a "
    "sum of squares, otherwise observed minus simulated values of the first output. The covariance "
    "describes the uncertainty of the parameters if the model is right, the residuals are "
    "independent with one variance, and the optimum lies inside the bounds. Errors of daily "
    "discharge grow with discharge and last for days, so that the standard errors are too small. "
    "A parameter that is fixed or at a bound has variance zero, and the covariance of the other "
    "parameters is conditional on its value."
)
NO_EFFECT = 1e-6  # of the largest change of the residuals by a parameter, over the whole ranges
SMALLEST = np.finfo(float).eps  # of the largest singular value


def linear_covariance(
    space: SearchSpace, theta: np.ndarray, residuals: np.ndarray, jacobian: np.ndarray
) -> xr.DataArray:
    """Return the covariance of the parameters by linear theory.

    Parameters
    ----------
    space : SearchSpace
    theta : array, shape (n_parameter,)
    residuals : array, shape (n_residual,)
    jacobian : array, shape (n_residual, n_parameter)
        Of the residuals; its sign does not matter.

    Returns
    -------
    DataArray, shape (n_parameter, n_parameter)
        The variance of a direction that changes no residual is very large, but finite. NaN if there
        are no more residuals than parameters: the variance of the residuals is then unknown.
    """
    inner = _inner(space, theta)
    covariance = np.zeros((theta.size, theta.size))
    if inner.size:
        width = (space.upper - space.lower)[inner]  # for a scale that all share
        s, directions = _singular(jacobian[:, inner] * width)
        s = np.maximum(s, SMALLEST * s[0]) if s[0] > 0 else np.full_like(s, SMALLEST)
        freedom = residuals.size - inner.size
        variance = residuals @ residuals / freedom if freedom > 0 else np.nan
        half = (directions.T / s) * width[:, None]
        covariance[np.ix_(inner, inner)] = variance * half @ half.T
    dims = (PARAMETER, f"{PARAMETER}_2")
    coords = {dim: list(space.names) for dim in dims}
    return xr.DataArray(covariance, coords, dims, name="covariance", attrs={"note": NOTE})


def singular_directions(space: SearchSpace, theta: np.ndarray, jacobian: np.ndarray) -> xr.Dataset:
    """Return how much the residuals change along each direction of the parameters.

    Parameters
    ----------
    space, theta, jacobian
        As in :func:`linear_covariance`.

    Returns
    -------
    Dataset
        ``singular_value`` (direction,), from the largest to the smallest: the norm of the change
        of all residuals for a step over the whole range of the search along that direction;
        ``direction`` (direction, parameter), unit vectors on the axes of the search.
    """
    inner = _inner(space, theta)
    vectors = np.zeros((inner.size, theta.size))
    values = np.zeros(inner.size)
    if inner.size:
        scaled = jacobian[:, inner] * space.axis_slopes(theta)[inner]
        values, vectors[:, inner] = _singular(scaled)
    return xr.Dataset(
        {
            "singular_value": ("direction", values),
            "direction": (("direction", PARAMETER), vectors),
        },
        coords={PARAMETER: list(space.names)},
    )


def without_effect(space: SearchSpace, jacobian: np.ndarray) -> np.ndarray:
    """Return which free parameters change no residual, shape (n_parameter,).

    The final value of such a parameter says nothing: the search moves it by rounding, or by the
    tail of a smoothed threshold.

    Parameters
    ----------
    space, jacobian
        As in :func:`linear_covariance`.
    """
    size = np.linalg.norm(jacobian, axis=0) * (space.upper - space.lower)
    result = np.zeros(size.size, dtype=bool)
    result[space.free] = size[space.free] <= NO_EFFECT * size[space.free].max(initial=0.0)
    return result


def _singular(jacobian):
    """Return a singular value and a direction for every column, also for columns of zeros."""
    rows = np.zeros((max(0, jacobian.shape[1] - jacobian.shape[0]), jacobian.shape[1]))
    return np.linalg.svd(np.vstack([jacobian, rows]), full_matrices=False)[1:]


def _inner(space, theta):
    return np.setdiff1d(space.free, np.flatnonzero(space.at_bound(theta)))
