"""Sums over residuals: squares, absolute values, and generalised least squares."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pytensor.graph.basic import Variable

from pymc_hydro.losses.mathematics import Series, Value, number, root, take
from pymc_hydro.losses.pairs import Pairs
from pymc_hydro.losses.transforms import Transformation

__all__ = ["gls", "gls_residuals", "mae", "rmse", "sar", "ssr", "ssr_residuals"]


def ssr(
    observed: Series,
    simulated: Series,
    *,
    weights: ArrayLike | None = None,
    transform: Transformation = None,
) -> Value:
    """Return the sum of squared residuals, a loss: zero is perfect, lower is better.

    ``sum(w (y - q)^2)``, from zero to infinity, in (mm/d)^2.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; intervals without an observation do not count. Constant and zero flow
        are allowed.
    simulated : array_like or TensorVariable, shape (n_time,)
    weights : array_like, shape (n_time,), optional
        Not negative; zero leaves an interval out.
    transform : {"log", "sqrt", "box_cox", "inverse"} or Transform, optional

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        If the shapes differ, all observations are missing, or a weight is negative, or all are
        zero.
    """
    r = ssr_residuals(observed, simulated, weights=weights, transform=transform)
    return number((r * r).sum())


def ssr_residuals(
    observed: Series,
    simulated: Series,
    *,
    weights: ArrayLike | None = None,
    transform: Transformation = None,
) -> Value:
    """Return the residuals whose squares :func:`ssr` adds, shape (n_observation,)."""
    pairs = Pairs.of("ssr", observed, simulated, transform=transform)
    if weights is None:
        return pairs.residual
    factors = _weights("ssr", weights, pairs)
    counted = np.flatnonzero(factors)  # an interval that is left out is no residual
    return take(pairs.residual, counted) * np.sqrt(factors[counted])


def sar(
    observed: Series,
    simulated: Series,
    *,
    weights: ArrayLike | None = None,
    transform: Transformation = None,
) -> Value:
    """Return the sum of absolute residuals, a loss: zero is perfect, lower is better.

    ``sum(w |y - q|)``, from zero to infinity, in mm/d. Constant and zero flow are allowed. The
    derivative of a residual of zero is taken as zero.

    Parameters
    ----------
    observed, simulated, weights, transform
        As in :func:`ssr`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`ssr`.
    """
    pairs = Pairs.of("sar", observed, simulated, transform=transform)
    return number((pairs.math.abs(pairs.residual) * _weights("sar", weights, pairs)).sum())


def rmse(observed: Series, simulated: Series, *, transform: Transformation = None) -> Value:
    """Return the root of the mean squared residual, a loss: zero is perfect, lower is better.

    ``sqrt(mean((y - q)^2))``, from zero to infinity, in mm/d. Constant and zero flow are allowed.

    Parameters
    ----------
    observed, simulated, transform
        As in :func:`ssr`.

    Returns
    -------
    float or TensorVariable
        A perfect fit has a derivative of zero.
    """
    pairs = Pairs.of("rmse", observed, simulated, transform=transform)
    return number(root((pairs.residual**2).mean()))


def mae(observed: Series, simulated: Series, *, transform: Transformation = None) -> Value:
    """Return the mean absolute residual, a loss: zero is perfect, lower is better.

    ``mean(|y - q|)``, from zero to infinity, in mm/d. Constant and zero flow are allowed.

    Parameters
    ----------
    observed, simulated, transform
        As in :func:`ssr`.

    Returns
    -------
    float or TensorVariable
    """
    pairs = Pairs.of("mae", observed, simulated, transform=transform)
    return number(pairs.math.abs(pairs.residual).mean())


def gls(
    observed: Series,
    simulated: Series,
    *,
    covariance: ArrayLike = 1.0,
    transform: Transformation = None,
) -> Value:
    """Return the sum of squares of generalised least squares, a loss: zero is perfect.

    ``e' S^-1 e`` with the residuals e and their covariance S, from zero to infinity, without unit.
    Constant and zero flow are allowed. For Gaussian errors of known
    covariance, ``-gls / 2`` is the log-likelihood up to a constant (``pm.Potential``).

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; intervals without an observation leave the covariance, rows and columns.
    simulated : array_like or TensorVariable, shape (n_time,)
    covariance : float, array_like of shape (n_time,) or (n_time, n_time)
        One variance, a variance for each interval, or the full matrix, in (mm/d)^2; of transformed
        flow if there is a `transform`.
    transform : {"log", "sqrt", "box_cox", "inverse"} or Transform, optional

    Returns
    -------
    float or TensorVariable
        For the right model its expectation is the number of observations.

    Raises
    ------
    ValueError
        If shapes differ, all observations are missing, or the covariance is not positive definite.

    References
    ----------
    Aitken, A. C. (1936). Proc. R. Soc. Edinb. 55, 42-48. doi:10.1017/S0370164600014346
    """
    r = gls_residuals(observed, simulated, covariance=covariance, transform=transform)
    return number((r * r).sum())


def gls_residuals(
    observed: Series,
    simulated: Series,
    *,
    covariance: ArrayLike = 1.0,
    transform: Transformation = None,
) -> Value:
    """Return the whitened residuals whose squares :func:`gls` adds, shape (n_observation,)."""
    pairs = Pairs.of("gls", observed, simulated, transform=transform)
    matrix = _fixed("gls", "covariance", covariance)
    n_time, there = pairs.n_time, pairs.positions
    if matrix.ndim and n_time is not None:
        if matrix.shape not in ((n_time,), (n_time, n_time)):
            raise ValueError(
                f"gls: covariance has shape {matrix.shape}, expected one number, ({n_time},) "
                f"or ({n_time}, {n_time})"
            )
        matrix = matrix[there] if matrix.ndim == 1 else matrix[np.ix_(there, there)]
    if matrix.ndim < 2:
        if not (matrix > 0).all():
            raise ValueError("gls: every variance must be positive")
        return pairs.residual / np.sqrt(matrix)
    if not np.isfinite(matrix).all():
        raise ValueError("gls: the covariance has values that are missing or infinite")
    if not np.allclose(matrix, matrix.T, rtol=1e-10, atol=0):
        raise ValueError("gls: the covariance matrix is not symmetric")
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise ValueError("gls: the covariance matrix is not positive definite") from error
    # The inverse of the factor once, rather than a triangular solution at every evaluation.
    whitening = np.linalg.inv(factor)
    return pairs.math.dot(whitening, pairs.residual)


def _weights(name: str, weights: ArrayLike | None, pairs: Pairs) -> Any:
    if weights is None:
        return 1.0
    factors = _fixed(name, "weights", weights)
    if pairs.n_time is not None and factors.shape != (pairs.n_time,):
        raise ValueError(f"{name}: weights has shape {factors.shape}, expected ({pairs.n_time},)")
    if not (factors >= 0).all():
        raise ValueError(f"{name}: weights must be >= 0; leave an interval out with zero")
    factors = factors if pairs.positions is None else factors[pairs.positions]
    if not factors.any():
        raise ValueError(f"{name}: the weights of all observations are zero")
    return factors


def _fixed(name: str, what: str, value: Any) -> np.ndarray:
    if isinstance(value, Variable):
        raise TypeError(
            f"{name}: {what} must be numbers, found a PyTensor variable; errors whose size is "
            "estimated belong to a likelihood, see ph.likelihoods"
        )
    return np.asarray(value, dtype=float)
