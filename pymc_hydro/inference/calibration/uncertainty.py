"""What the Jacobian at the optimum says of the parameters: covariance and identifiability."""

import numpy as np
import xarray as xr

from pymc_hydro.core.dims import PARAMETER
from pymc_hydro.inference.calibration.space import SearchSpace

__all__ = ["NOTE", "linear_covariance", "singular_directions"]

NOTE = (
    "s^2 (J'J)^-1 of the residuals at the optimum. It describes the uncertainty of the parameters "
    "where the model is right, the residuals are independent with one variance, and the optimum "
    "lies inside the bounds. Daily flow rarely obeys: its errors grow with flow and last for days, "
    "so that these standard errors are too small. Parameters that are fixed or at a bound have "
    "zero here, and the others are given those."
)
SMALLEST = np.finfo(float).eps  # of the largest singular value


def linear_covariance(space: SearchSpace, theta, residuals, jacobian) -> xr.DataArray:
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
        A direction that changes no residual has a very large variance, not an infinite one.
    """
    inner = _inner(space, theta)
    covariance = np.zeros((theta.size, theta.size))
    if inner.size:
        width = (space.upper - space.lower)[inner]  # for a scale that all share
        _, s, directions = np.linalg.svd(jacobian[:, inner] * width, full_matrices=False)
        s = np.maximum(s, SMALLEST * s[0]) if s[0] > 0 else np.full_like(s, SMALLEST)
        variance = residuals @ residuals / max(residuals.size - inner.size, 1)
        half = (directions.T / s) * width[:, None]
        covariance[np.ix_(inner, inner)] = variance * half @ half.T
    dims = (PARAMETER, f"{PARAMETER}_2")
    coords = {dim: list(space.names) for dim in dims}
    return xr.DataArray(covariance, coords, dims, name="covariance", attrs={"note": NOTE})


def singular_directions(space: SearchSpace, theta, jacobian) -> xr.Dataset:
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
        _, s, directions = np.linalg.svd(scaled, full_matrices=False)
        values[: s.size], vectors[: s.size, inner] = s, directions
    return xr.Dataset(
        {
            "singular_value": ("direction", values),
            "direction": (("direction", PARAMETER), vectors),
        },
        coords={PARAMETER: list(space.names)},
    )


def _inner(space, theta):
    return np.setdiff1d(space.free, np.flatnonzero(space.at_bound(theta)))
