"""Scores of predictive draws, on xarray.

Each takes observations on ``time``, NaN where missing, and draws on (chain, draw, time) or
(draw, time), as of ``ph.predict(...)["discharge"]``. Times are matched by label; only times with an
observation and draws count.

References
----------
Gneiting, T., Raftery, A. E. (2007). J. Am. Stat. Assoc. 102, 359-378.
doi:10.1198/016214506000001437
Gneiting, T., et al. (2007). J. R. Stat. Soc. B 69, 243-268. doi:10.1111/j.1467-9868.2007.00587.x
"""

from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.core.base.warning import renamed_arguments
from pymc_hydro.verification.matching import central_interval, flat_draws, label, matched

__all__ = [
    "coverage",
    "crps",
    "interval_score",
    "log_predictive_density",
    "log_score",
    "pit",
    "reliability",
    "reliability_index",
    "sharpness",
]

LEVELS = np.linspace(0.05, 0.95, 19)


def coverage(observed: xr.DataArray, draws: xr.DataArray, prob: Any = 0.95) -> Any:
    """Return the share of observations inside the central predictive interval; ideal is `prob`.

    An observation at an end of the interval is inside: in a river that is often dry, zeros that
    are predicted as such make it larger. :func:`pit` is right there, too.

    Parameters
    ----------
    observed : DataArray, shape (n_time,)
    draws : DataArray, shape (n_chain, n_draw, n_time) or (n_draw, n_time)
        With the dimension ``member``, too, its members are draws like others.
    prob : float or sequence of float
        Probability of the interval.

    Returns
    -------
    float, or DataArray, shape (n_prob,)
        Of several probabilities on the coordinate ``prob``.
    """
    observed, draws = matched("coverage", observed, draws)
    shares = []
    for each in np.atleast_1d(prob):
        low, high = central_interval("coverage", draws, each)
        shares.append(float(((observed >= low) & (observed <= high)).mean()))
    if np.ndim(prob) == 0:
        return shares[0]
    found = xr.DataArray(shares, {"prob": np.asarray(prob)}, ("prob",))
    return label(found, "coverage", "share of observations inside", "1")


def sharpness(observed: xr.DataArray, draws: xr.DataArray, prob: float = 0.95) -> float:
    """Return the mean width of the central predictive interval, in mm/d; narrow is good.

    Parameters
    ----------
    observed, draws, prob
        As in :func:`coverage`; observations only say which times count.

    Returns
    -------
    float
    """
    _, draws = matched("sharpness", observed, draws)
    low, high = central_interval("sharpness", draws, prob)
    return float((high - low).mean())


def interval_score(observed: xr.DataArray, draws: xr.DataArray, prob: float = 0.95) -> xr.DataArray:
    """Return the interval score (Winkler) of each observation, in mm/d; smaller is better.

    Width of the interval plus ``2 / (1 - prob)`` times the distance of an observation outside.

    Parameters
    ----------
    observed, draws, prob
        As in :func:`coverage`.

    Returns
    -------
    DataArray, shape (n_observation,)
    """
    observed, draws = matched("interval_score", observed, draws)
    low, high = central_interval("interval_score", draws, prob)
    outside = np.maximum(low - observed, 0) + np.maximum(observed - high, 0)
    score = high - low + 2 / (1 - prob) * outside
    return label(score, "interval_score", "interval score", "mm/d")


def crps(observed: xr.DataArray, draws: xr.DataArray) -> xr.DataArray:
    """Return the continuous ranked probability score of each observation, in mm/d.

    ``E|Y - y| - E|Y - Y'| / 2`` over the draws, with the pairs of different draws (the unbiased
    estimate of a small sample); smaller is better. Of one certain draw it is the absolute error.

    Parameters
    ----------
    observed, draws
        As in :func:`coverage`; two draws or more.

    Returns
    -------
    DataArray, shape (n_observation,)
    """
    observed, draws = matched("crps", observed, draws)
    n = draws.sizes["draw"]
    if n < 2:
        raise ValueError(f"crps: expected two draws or more, found {n}")
    rank = xr.DataArray(np.arange(1, n + 1), dims="draw")
    values = np.sort(draws.values, axis=draws.get_axis_num("draw"))
    spread = (draws.copy(data=values) * (2 * rank - n - 1)).sum("draw") * 2 / (n * (n - 1))
    distance = abs(draws - observed).mean("draw")
    name = "continuous ranked probability score"
    return label(distance - spread / 2, "crps", name, "mm/d")


@renamed_arguments(seed="random_seed")
def pit(observed: xr.DataArray, draws: xr.DataArray, random_seed: int = 0) -> xr.DataArray:
    """Return the probability integral transform of each observation, uniform if all is well.

    The rank of the observation among the draws; where it equals draws (zero flow), and between
    its neighbours, at random.

    Parameters
    ----------
    observed, draws
        As in :func:`coverage`.
    random_seed : int
        Of the random part, at most ``1 / (n_draw + 1)`` where no draw equals the observation.

    Returns
    -------
    DataArray, shape (n_observation,), between 0 and 1
    """
    observed, draws = matched("pit", observed, draws)
    below = (draws < observed).sum("draw")
    equal = (draws == observed).sum("draw")
    u = np.random.default_rng(random_seed).random(observed.size)
    result = (below + u * (equal + 1)) / (draws.sizes["draw"] + 1)
    return label(result, "pit", "probability integral transform", "1")


def reliability(observed: xr.DataArray, draws: xr.DataArray, levels: Any = LEVELS) -> xr.DataArray:
    """Return how often observations lie below predictive quantiles, or at them (zero flow).

    Parameters
    ----------
    observed, draws
        As in :func:`coverage`.
    levels : array_like, shape (n_level,)
        Probabilities of the quantiles.

    Returns
    -------
    DataArray, shape (n_level,)
        On the coordinate ``level``, to which it is equal if all is well and no flow is zero.
    """
    observed, draws = matched("reliability", observed, draws)
    quantiles = draws.quantile(np.asarray(levels), "draw").rename(quantile="level")
    below = (observed <= quantiles).mean("time")
    return label(below, "reliability", "share of observations below", "1")


def reliability_index(observed: xr.DataArray, draws: xr.DataArray, random_seed: int = 0) -> float:
    """Return the index alpha: one if the transforms of :func:`pit` are uniform, zero at worst.

    One minus twice the mean distance between the sorted transforms and ``i / (n + 1)``.

    Parameters
    ----------
    observed, draws, random_seed
        As in :func:`pit`.

    Returns
    -------
    float

    References
    ----------
    Renard, B., et al. (2010). Water Resour. Res. 46, W05521. doi:10.1029/2009WR008328
    """
    transforms = np.sort(pit(observed, draws, random_seed=random_seed).values)
    n = transforms.size
    return float(1 - 2 * np.abs(transforms - np.arange(1, n + 1) / (n + 1)).mean())


def log_score(observed: xr.DataArray, draws: xr.DataArray) -> xr.DataArray:
    """Return the logarithm of the predictive density at each observation; larger is better.

    The density is estimated by a normal kernel around each draw, as wide as Silverman's rule says:
    far outside the draws it is much too small. One step ahead
    :func:`log_predictive_density` is exact.

    Parameters
    ----------
    observed, draws
        As in :func:`coverage`; two draws or more that differ.

    Returns
    -------
    DataArray, shape (n_observation,)
        In ln(d/mm), NaN where all draws are equal: zero flow has no density.

    References
    ----------
    Krueger, F., et al. (2021). Int. Stat. Rev. 89, 274-301. doi:10.1111/insr.12405
    """
    from scipy.special import logsumexp  # here: an import need not load it

    observed, draws = matched("log_score", observed, draws)
    axis, n = draws.get_axis_num("draw"), draws.sizes["draw"]
    low, high = np.quantile(draws, [0.25, 0.75], axis=axis)
    sd = draws.values.std(axis=axis, ddof=1)
    width = 0.9 * np.where(high > low, np.minimum(sd, (high - low) / 1.34), sd) * n**-0.2
    width = np.where(width > 0, width, np.nan)
    z = (observed.values - np.moveaxis(draws.values, axis, 0)) / width
    density = logsumexp(-(z**2) / 2, axis=0) - np.log(n * width * np.sqrt(2 * np.pi))
    return label(observed.copy(data=density), "log_score", "log predictive density", "ln(d/mm)")


def log_predictive_density(log_likelihood: xr.DataArray) -> xr.DataArray:
    """Return the logarithm of the mean density of each observation over the posterior.

    Parameters
    ----------
    log_likelihood : DataArray, shape (n_chain, n_draw, n_observation)
        Such as ``idata.log_likelihood["flow"]`` after ``pm.compute_log_likelihood(idata)``; with
        ``ph.set_basin`` before it of another period. Of errors with memory it is the density one
        step ahead.

    Returns
    -------
    DataArray, shape (n_observation,)
        Larger is better.
    """
    from scipy.special import logsumexp  # here: an import need not load it

    flat = flat_draws(log_likelihood)
    axis = flat.get_axis_num("draw")
    density = logsumexp(flat.values, axis=axis) - np.log(flat.sizes["draw"])
    result = flat.isel(draw=0, drop=True).copy(data=density)
    return label(result, "log_predictive_density", "log predictive density", "ln(d/mm)")
