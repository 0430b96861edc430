"""The weather of a forecast: known, given as an ensemble, or resampled from other years."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.schema import checked_basin

__all__ = ["RESAMPLED", "weather_of"]

MEMBER, ORIGIN, LEAD, TIME = "member", "origin", "lead", "time"
RESAMPLED = "resampled"


def weather_of(
    forcing: Any,
    columns: Sequence[str],
    own: tuple[pd.DatetimeIndex, np.ndarray],
    dates: pd.DatetimeIndex,
    horizon: int,
    random_seed: int | None,
) -> tuple[np.ndarray, Any]:
    """Return the forcing after each origin, and the labels of the members.

    Parameters
    ----------
    forcing
        As of ``ph.forecast``.
    columns : sequence of str
        The forcing of the model.
    own : tuple of DatetimeIndex, shape (n_time,), and array, shape (n_time, n_forcing)
        The record of the model.
    dates : DatetimeIndex, shape (n_origin,)
    horizon : int
    random_seed : int, optional
        Of the choice of years, where origins have different numbers of them.

    Returns
    -------
    tuple of array, shape (n_origin, n_member, horizon, n_forcing), and of array or None
        None stands for a single member that is no ensemble.
    """
    time, matrix = own
    step = time[1] - time[0]
    if forcing is None:
        rows = [
            _rows(time, _window(date, horizon, step), "the record of the model") for date in dates
        ]
        return matrix[np.array(rows)][:, None], None
    if isinstance(forcing, str):
        if forcing != RESAMPLED:
            raise ValueError(
                f"forecast: forcing is {forcing!r}; expected records, {RESAMPLED!r}, or None for "
                "the record of the model"
            )
        return _resampled(time, matrix, dates, horizon, np.random.default_rng(random_seed))
    if isinstance(forcing, xr.Dataset) and ORIGIN in forcing.dims:
        parts = [_of_origin(forcing, date, horizon, step) for date in dates]
    else:
        parts = [forcing] * len(dates)
    found = []
    for date, part in zip(dates, parts, strict=True):
        window = _window(date, horizon, step)
        found.append([_columns(record, columns, window) for record in _members(part)])
    is_ensemble = isinstance(forcing, xr.Dataset) and MEMBER in forcing.dims
    if is_ensemble and not forcing.sizes[MEMBER]:
        raise ValueError(f"forecast: forcing has no entry on its dimension {MEMBER!r}")
    return np.array(found), np.asarray(forcing[MEMBER]) if is_ensemble else None


def _window(date: pd.Timestamp, horizon: int, step: pd.Timedelta) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([date + i * step for i in range(horizon)])


def _rows(time: pd.DatetimeIndex, window: pd.DatetimeIndex, what: str) -> np.ndarray:
    rows = time.get_indexer(window)
    if (rows < 0).any():
        missing = window[rows < 0]
        raise ValueError(
            f"forecast: {what} has no interval that starts at {missing[0]}; it runs from {time[0]} "
            f"to {time[-1]}, and {window.size} intervals from {window[0]} are needed: give forcing="
            " of them, or a shorter horizon="
        )
    return rows


def _members(forcing: Any) -> list:
    """Return the record of each member."""
    if not isinstance(forcing, xr.Dataset) or MEMBER not in forcing.dims:
        return [forcing]
    return [forcing.isel({MEMBER: i}, drop=True) for i in range(forcing.sizes[MEMBER])]


def _columns(record: Any, columns: Sequence[str], window: pd.DatetimeIndex) -> np.ndarray:
    """Return a checked record at the times of a forecast, shape (horizon, n_forcing)."""
    checked = checked_basin(record, columns)
    rows = _rows(pd.DatetimeIndex(checked[TIME].values), window, "forcing")
    return np.column_stack([checked[name].values[rows] for name in columns])


def _of_origin(forcing: xr.Dataset, date: pd.Timestamp, horizon: int, step: Any) -> xr.Dataset:
    """Return the forcing that was issued at an origin, on ``time``."""
    if date not in forcing.indexes[ORIGIN]:
        raise ValueError(f"forecast: forcing has no origin {date}")
    part = forcing.sel({ORIGIN: date}, drop=True)
    if LEAD not in part.dims or part.sizes[LEAD] < horizon:
        raise ValueError(
            f"forecast: forcing on {ORIGIN!r} needs the dimension {LEAD!r} of length {horizon} or "
            f"more, found {dict(part.sizes)}"
        )
    part = part.isel({LEAD: slice(horizon)}).drop_vars([TIME, LEAD], errors="ignore")
    return part.rename({LEAD: TIME}).assign_coords({TIME: _window(date, horizon, step)})


def _resampled(time, matrix, dates, horizon, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return the weather of the same days of other years, none of which is forecast itself.

    Each origin has the same number of years; where it has more of them, some at random.
    """
    found = []
    for date in dates:
        begins = [_in_year(date, year) for year in range(time[0].year, time[-1].year + 1)]
        rows = time.get_indexer(pd.DatetimeIndex(begins))
        at = time.get_indexer([date])[0] if date in time else -2 * horizon
        found.append([r for r in rows if 0 <= r <= time.size - horizon and abs(r - at) >= horizon])
    n = min(map(len, found))
    if n == 0:
        raise ValueError(
            "forecast: the record of the model has no other year with the days of "
            f"{dates[int(np.argmin([len(f) for f in found]))]}; give forcing= of an ensemble"
        )
    chosen = [sorted(rng.choice(f, n, replace=False)) if len(f) > n else f for f in found]
    rows = np.array(chosen)[..., None] + np.arange(horizon)
    return matrix[rows], np.arange(n)


def _in_year(date: pd.Timestamp, year: int) -> pd.Timestamp:
    day = min(date.day, 28) if date.month == 2 else date.day
    return date.replace(year=year, day=day)
