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

from pymc_hydro.core.base.renamed import renamed_arguments
from pymc_hydro.data.observations import as_floats, check_observations, observed_on
from pymc_hydro.data.schema import check_units

__all__ = ["coverage", "crps", "interval_score", "pit", "reliability", "sharpness"]

LEVELS = np.linspace(0.05, 0.95, 19)


def coverage(observed: xr.DataArray, draws: xr.DataArray, prob: float = 0.95) -> float:
    """Return the share of observations inside the central predictive interval; ideal is `prob`.

    An observation at an end of the interval is inside: in a river that is often dry, zeros that
    are predicted as such make it larger. :func:`pit` is right there, too.

    Parameters
    ----------
    observed : DataArray, shape (n_time,)
    draws : DataArray, shape (n_chain, n_draw, n_time) or (n_draw, n_time)
    prob : float
        Probability of the interval.

    Returns
    -------
    float
    """
    observed, draws = _matched("coverage", observed, draws)
    low, high = _interval("coverage", draws, prob)
    return float(((observed >= low) & (observed <= high)).mean())


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
    _, draws = _matched("sharpness", observed, draws)
    low, high = _interval("sharpness", draws, prob)
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
    observed, draws = _matched("interval_score", observed, draws)
    low, high = _interval("interval_score", draws, prob)
    outside = np.maximum(low - observed, 0) + np.maximum(observed - high, 0)
    score = high - low + 2 / (1 - prob) * outside
    return _score(score, "interval_score", "interval score", "mm/d")


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
    observed, draws = _matched("crps", observed, draws)
    n = draws.sizes["draw"]
    if n < 2:
        raise ValueError(f"crps: expected two draws or more, found {n}")
    rank = xr.DataArray(np.arange(1, n + 1), dims="draw")
    values = np.sort(draws.values, axis=draws.get_axis_num("draw"))
    spread = (draws.copy(data=values) * (2 * rank - n - 1)).sum("draw") * 2 / (n * (n - 1))
    distance = abs(draws - observed).mean("draw")
    name = "continuous ranked probability score"
    return _score(distance - spread / 2, "crps", name, "mm/d")


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
    observed, draws = _matched("pit", observed, draws)
    below = (draws < observed).sum("draw")
    equal = (draws == observed).sum("draw")
    u = np.random.default_rng(random_seed).random(observed.size)
    result = (below + u * (equal + 1)) / (draws.sizes["draw"] + 1)
    return _score(result, "pit", "probability integral transform", "1")


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
    observed, draws = _matched("reliability", observed, draws)
    quantiles = draws.quantile(np.asarray(levels), "draw").rename(quantile="level")
    below = (observed <= quantiles).mean("time")
    return _score(below, "reliability", "share of observations below", "1")


def _score(values: xr.DataArray, name: str, long_name: str, units: str) -> xr.DataArray:
    """Return a score with labels of its own, none of the series that it was computed from."""
    result = values.rename(name)
    result.attrs = {"long_name": long_name, "units": units}
    return result


def _matched(name, observed, draws):
    """Return observations and draws at the times that have both."""
    draws = flat_draws(draws)
    for what, array, dims in (("observed", observed, {"time"}), ("draws", draws, {"draw", "time"})):
        if not isinstance(array, xr.DataArray) or set(array.dims) != dims:
            found = getattr(array, "dims", type(array).__name__)
            raise ValueError(f"{name}: {what} must be a DataArray on {sorted(dims)}, found {found}")
    time = draws.get_index("time")
    same = time.equals(observed.get_index("time"))
    if not same and not (time.is_unique and observed.get_index("time").is_unique):
        raise ValueError(
            f"{name}: times repeat (several basins?), so that observations and draws cannot be "
            "matched by them; give both on the same times, or one basin"
        )
    # Draws of something else than flow have negative ones among them.
    quantity = None if (draws.values < 0).any() else "discharge"
    if same:  # also the times of several basins, one after another
        check_units(f"{name}: observations", quantity or "", observed.attrs)
        values = as_floats(observed, name)
        check_observations(name, values, time, quantity=quantity)
    else:
        values = observed_on(name, observed, time, "draws", quantity=quantity)
    there = np.flatnonzero(np.isfinite(values))
    draws = draws.isel(time=there)
    observed = xr.DataArray(values[there], {"time": draws["time"]}, ("time",))
    if not np.isfinite(draws.values).all():
        raise ValueError(f"{name}: draws have values that are not finite")
    return observed, draws


def _interval(name, draws, prob):
    if not 0 < prob < 1:
        raise ValueError(f"{name}: prob must lie between 0 and 1, found {prob}")
    quantiles = draws.quantile([(1 - prob) / 2, (1 + prob) / 2], "draw")
    return quantiles.isel(quantile=0, drop=True), quantiles.isel(quantile=1, drop=True)


def flat_draws(array):
    """Return an array whose draws of all chains are one dimension ``draw``; others as they are."""
    if not isinstance(array, xr.DataArray) or not {"chain", "draw"} <= set(array.dims):
        return array
    array = array.transpose("chain", "draw", ...)
    rest = array.dims[2:]
    values = array.values.reshape(-1, *array.shape[2:])
    coords = {name: c for name, c in array.coords.items() if set(c.dims) <= set(rest)}
    return xr.DataArray(values, coords, ("draw", *rest), array.name, array.attrs)
