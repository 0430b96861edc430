"""Losses that give extreme residuals less weight than least squares."""

import numpy as np
from numpy.typing import ArrayLike
from pytensor.graph.basic import Variable

from pymc_hydro.losses.mathematics import Series, Value, number
from pymc_hydro.losses.pairs import Pairs
from pymc_hydro.losses.transforms import Transformation

__all__ = ["cauchy", "huber", "log_cosh", "observed_scale", "pseudo_huber", "tukey"]

NORMAL = 1.4826  # standard deviations by median absolute deviations, of a normal distribution
SMALLEST = 1e-6  # scale in mm/d, and by mean absolute flow: below, it is no scale


def huber(
    observed: Series,
    simulated: Series,
    *,
    threshold: float = 1.345,
    scale: float | None = None,
    transform: Transformation = None,
) -> Value:
    """Return Huber's loss: zero is perfect, lower is better.

    ``sum(v (|u| - v / 2))`` with ``u = (y - q) / scale`` and ``v = min(|u|, threshold)``: squares
    of small residuals, absolute values of large ones. From zero to infinity, without unit. Constant
    and zero flow are allowed; :func:`observed_scale` says which scale they have.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; intervals without an observation do not count.
    simulated : array_like or TensorVariable, shape (n_time,)
    threshold : float
        In scales. The default of each robust loss has 95 % of the efficiency of least squares
        where errors are normal.
    scale : float, optional
        In mm/d, or in the unit of transformed flow; :func:`observed_scale` of the observations
        where not given. It does not depend on the simulation.
    transform : {"log", "sqrt", "box_cox", "inverse"} or Transform, optional

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        If shapes differ, all observations are missing, or a scale or threshold is not positive.

    References
    ----------
    Huber, P. J. (1964). Ann. Math. Stat. 35, 73-101. doi:10.1214/aoms/1177703732
    """
    u, xp = _scaled("huber", observed, simulated, threshold, scale, transform)
    v = xp.minimum(xp.abs(u), threshold)
    return number((v * (xp.abs(u) - v / 2)).sum())


def pseudo_huber(
    observed: Series,
    simulated: Series,
    *,
    threshold: float = 1.345,
    scale: float | None = None,
    transform: Transformation = None,
) -> Value:
    """Return the smooth form of Huber's loss: zero is perfect, lower is better.

    ``sum(c^2 (sqrt(1 + (u / c)^2) - 1))`` with the threshold c, from zero to infinity. Gaps,
    constant and zero flow as in :func:`huber`.

    Parameters
    ----------
    observed, simulated, threshold, scale, transform
        As in :func:`huber`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`huber`.

    References
    ----------
    Charbonnier, P., et al. (1997). IEEE Trans. Image Process. 6, 298-311. doi:10.1109/83.551699
    """
    u, xp = _scaled("pseudo_huber", observed, simulated, threshold, scale, transform)
    z = (u / threshold) ** 2
    # sqrt(1 + z) - 1 without cancellation.
    return number(threshold**2 * (z / (1 + xp.sqrt(1 + z))).sum())


def log_cosh(
    observed: Series,
    simulated: Series,
    *,
    threshold: float = 1.2047,
    scale: float | None = None,
    transform: Transformation = None,
) -> Value:
    """Return the sum of the logarithm of the hyperbolic cosine, a loss: zero is perfect.

    ``sum(c^2 ln(cosh(u / c)))`` with the threshold c, from zero to infinity. Gaps, constant and
    zero flow as in :func:`huber`.

    Parameters
    ----------
    observed, simulated, threshold, scale, transform
        As in :func:`huber`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`huber`.

    References
    ----------
    Green, P. J. (1990). IEEE Trans. Med. Imaging 9, 84-93. doi:10.1109/42.52985
    """
    u, xp = _scaled("log_cosh", observed, simulated, threshold, scale, transform)
    z = xp.abs(u) / threshold
    return number(threshold**2 * (z + xp.log1p(xp.exp(-2 * z)) - np.log(2)).sum())


def tukey(
    observed: Series,
    simulated: Series,
    *,
    threshold: float = 4.685,
    scale: float | None = None,
    transform: Transformation = None,
) -> Value:
    """Return Tukey's biweight loss: zero is perfect, lower is better.

    ``sum(c^2 / 6 (1 - (1 - (u / c)^2)^3))`` with the threshold c, and ``c^2 / 6`` for each
    residual beyond it. Such a residual has no gradient, so that a search must start near a good
    fit. From zero to ``n c^2 / 6``. Gaps, constant and zero flow as in :func:`huber`.

    Parameters
    ----------
    observed, simulated, threshold, scale, transform
        As in :func:`huber`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`huber`.

    References
    ----------
    Beaton, A. E., Tukey, J. W. (1974). Technometrics 16, 147-185.
    doi:10.1080/00401706.1974.10489171
    """
    u, xp = _scaled("tukey", observed, simulated, threshold, scale, transform)
    z = xp.minimum((u / threshold) ** 2, 1.0)
    return number(threshold**2 / 6 * (z * (3 - z * (3 - z))).sum())


def cauchy(
    observed: Series,
    simulated: Series,
    *,
    threshold: float = 2.3849,
    scale: float | None = None,
    transform: Transformation = None,
) -> Value:
    """Return the loss of Cauchy's distribution: zero is perfect, lower is better.

    ``sum(c^2 / 2 ln(1 + (u / c)^2))`` with the threshold c, from zero to infinity. Gaps, constant
    and zero flow as in :func:`huber`.

    Parameters
    ----------
    observed, simulated, threshold, scale, transform
        As in :func:`huber`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`huber`.

    References
    ----------
    Holland, P. W., Welsch, R. E. (1977). Commun. Stat. A 6, 813-827.
    doi:10.1080/03610927708827533
    """
    u, xp = _scaled("cauchy", observed, simulated, threshold, scale, transform)
    return number(threshold**2 / 2 * xp.log1p((u / threshold) ** 2).sum())


def observed_scale(observed: ArrayLike) -> float:
    """Return a robust scale of observations without gaps, in their unit.

    The median absolute deviation from the median, times 1.4826; if that is zero the median of the
    positive flows; never below 1e-6 and below 1e-6 of the mean absolute flow.

    Parameters
    ----------
    observed : array_like, shape (n_observation,)
    """
    y = np.asarray(observed, dtype=float)
    scale = NORMAL * np.median(np.abs(y - np.median(y)))
    if scale == 0 and (y > 0).any():
        scale = np.median(y[y > 0])
    return float(max(scale, SMALLEST, SMALLEST * np.abs(y).mean()))


def _scaled(name, observed, simulated, threshold, scale, transform):
    """Return residuals in scales, and the mathematics that applies to them."""
    for what, value in (("threshold", threshold), ("scale", scale)):
        if isinstance(value, Variable):
            raise TypeError(
                f"{name}: {what} must be a number, found a PyTensor variable; errors whose size is "
                "estimated belong to a likelihood, see ph.likelihoods"
            )
        if value is not None and not value > 0:
            raise ValueError(f"{name}: {what} must be positive, found {value!r}")
    pairs = Pairs.of(name, observed, simulated, transform=transform)
    if scale is None:
        if isinstance(pairs.observed, Variable):
            raise TypeError(
                f"{name}: give scale=..., it cannot be found from observations that are a variable"
            )
        scale = observed_scale(pairs.observed)
    return pairs.residual / scale, pairs.math
