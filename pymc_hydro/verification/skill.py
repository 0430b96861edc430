"""References that a forecast has to beat, and the skill against them."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.checks.dates import as_dates
from pymc_hydro.data.observations import as_floats, check_observations

__all__ = ["climatology", "persistence", "skill"]

YEAR = 365.25  # days


def climatology(record: xr.DataArray, time: Any, window: int = 7, draws: int = 99) -> xr.DataArray:
    """Return the observations of other years around the same days of the year.

    Parameters
    ----------
    record : DataArray, shape (n_time,)
        Observations, NaN where missing.
    time : array_like of datetime64, shape (n,)
        For which times; observations less than half a year from them are left out.
    window : int
        Days before and after the day of the year.
    draws : int
        Quantiles of the observations, equally spaced in probability.

    Returns
    -------
    DataArray, shape (n_draw, n)
        On (draw, time), for the scores of this module; NaN where nothing else was observed.
    """
    known = _known("climatology", record)
    dates, time = known.index, pd.DatetimeIndex(np.asarray(time))
    day, probability = dates.day_of_year.to_numpy(), (np.arange(draws) + 0.5) / draws
    values = np.full((draws, time.size), np.nan)
    for i, t in enumerate(time):
        apart = np.abs(day - t.day_of_year)
        near = np.minimum(apart, YEAR - apart) <= window
        other = np.abs((dates - t) / pd.Timedelta(days=1)) > YEAR / 2
        if (near & other).any():
            values[:, i] = np.quantile(known.to_numpy()[near & other], probability)
    return xr.DataArray(values, {"time": time}, ("draw", "time"), attrs={"units": "mm/d"})


def persistence(record: xr.DataArray, origin: Any, time: Any) -> xr.DataArray:
    """Return the last observation before each origin.

    Parameters
    ----------
    record : DataArray, shape (n_time,)
        Observations, NaN where missing.
    origin, time : array_like of datetime64, shape (n,)
        When forecasts began, and for which times they are.

    Returns
    -------
    DataArray, shape (2, n)
        On (draw, time); both draws are the same, so that its CRPS is the absolute error. NaN where
        nothing was observed before.
    """
    known = _known("persistence", record)
    before = known.index.searchsorted(pd.DatetimeIndex(np.asarray(origin))) - 1
    last = np.where(before >= 0, known.to_numpy()[np.maximum(before, 0)], np.nan)
    coords = {"time": pd.DatetimeIndex(np.asarray(time))}
    return xr.DataArray(np.stack([last, last]), coords, ("draw", "time"), attrs={"units": "mm/d"})


def _known(what: str, record: xr.DataArray) -> pd.Series:
    """Return checked observations on their dates."""
    if not isinstance(record, xr.DataArray) or record.dims != ("time",):
        raise TypeError(
            f"{what}: the record must be a DataArray on 'time', found {type(record).__name__}; "
            "series.rename_axis('time').to_xarray() makes one of a Series"
        )
    dates = as_dates(f"{what}: 'time' of the record", record.get_index("time"))
    values = as_floats(record, what)
    check_observations(what, values, dates.to_numpy())
    return pd.Series(values, dates).dropna().sort_index()


def skill(score: xr.DataArray, reference: xr.DataArray) -> float:
    """Return one minus the ratio of two mean scores, at the times that both have.

    Parameters
    ----------
    score, reference : DataArray, shape (n_observation,)
        Of the forecast and of its benchmark, such as their :func:`crps`. Smaller is better,
        and zero is perfect.

    Returns
    -------
    float
        One is perfect, zero is as good as the reference.
    """
    score, reference = xr.align(score, reference, join="inner")
    if score.size == 0:
        raise ValueError("skill: the score and the reference have no time in common")
    return float(1 - score.mean() / reference.mean())
