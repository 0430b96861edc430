"""A series with dates, on the time axis of a record."""

import numpy as np
import pandas as pd
import xarray as xr

__all__ = ["LABELLED", "match_dates", "numbers"]

LABELLED = (pd.Series, xr.DataArray)


def numbers(series) -> np.ndarray:
    """Return a series as floats, NaN where a masked array is masked."""
    if isinstance(series, np.ma.MaskedArray):
        return np.ma.filled(series.astype(float), np.nan)
    return np.asarray(series, dtype=float)


def match_dates(what: str, series: pd.Series | xr.DataArray, time, axis: str) -> np.ndarray:
    """Return the values of a series at the moments of a time axis, NaN where it has none.

    Parameters
    ----------
    what : str
        What the series is called in messages.
    series : Series or DataArray
        Its index, or its only coordinate, holds dates.
    time : array_like of datetime64, shape (n_time,)
    axis : str
        What the time axis is called in messages.

    Raises
    ------
    ValueError
        If a date occurs twice, or none is in common.
    """
    if isinstance(series, xr.DataArray):
        series = series.to_series()
    index = pd.DatetimeIndex(np.asarray(time))
    if not series.index.is_unique:
        twice = series.index[series.index.duplicated()][0]
        raise ValueError(f"{what} have {twice} twice; drop duplicates")
    if not index.isin(series.index).any():
        span = f"{series.index[0]} to {series.index[-1]}" if len(series) else "none"
        raise ValueError(
            f"{what} ({span}) and the {axis} ({index[0]} to {index[-1]}) do not overlap: they have "
            "no date and time of day in common"
        )
    return series.reindex(index).to_numpy(dtype=float)
