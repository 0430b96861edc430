"""Labels of a time axis: dates without a time zone, each once, at the start of its interval."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

__all__ = ["as_dates", "as_labels", "check_axis", "date_text", "interval_text"]

SHORTEST = np.timedelta64(1, "s")  # shorter intervals are numbers that were taken for dates
UNITS = {"D": 86400 * 10**9, "h": 3600 * 10**9, "min": 60 * 10**9, "s": 10**9, "ns": 1}
TO_DATETIME = "convert it with pandas.to_datetime"


def date_text(moment) -> str:
    """Return a moment as messages show it."""
    return str(pd.Timestamp(moment))


def interval_text(interval) -> str:
    """Return a length of time as messages show it, and as Pandas reads it: ``1D``, ``12h``."""
    nanoseconds = pd.Timedelta(interval).value
    unit, size = next((u, n) for u, n in UNITS.items() if nanoseconds % n == 0)
    return f"{nanoseconds // size}{unit}"


def as_labels(what: str, values) -> np.ndarray:
    """Return a coordinate of a PyMC model: datetime64 where it holds dates of any kind."""
    # PyMC 5 keeps a coordinate that is a DataArray as a tuple of DataArrays.
    labels = pd.Index([v.values[()] if isinstance(v, xr.DataArray) else v for v in values])
    if labels.dtype == object and len(labels) and type(labels[0]) is date:
        labels = pd.DatetimeIndex(labels)
    try:
        return as_dates(what, labels).to_numpy()
    except (TypeError, ValueError):  # labels of another kind, such as names
        return np.asarray(labels)


def as_dates(what: str, labels) -> pd.DatetimeIndex:
    """Return the labels of a time axis as dates; periods become the moments they start at.

    Parameters
    ----------
    what : str
        Name of the labels in messages, singular.
    labels : Index or array_like, shape (n_time,)

    Raises
    ------
    TypeError
        If they are no dates, or have a time zone or a calendar of their own: how to convert them.
    ValueError
        If one is missing or out of the range of nanoseconds.
    """
    index = labels if isinstance(labels, pd.Index) else pd.Index(np.asarray(labels))
    if index.dtype == object and index.nlevels == 1:
        index = index.infer_objects()
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp(how="start")
    if not isinstance(index, pd.DatetimeIndex):
        raise TypeError(f"{what} {_kind(index)}")
    if index.tz is not None:
        raise TypeError(
            f"{what} has the time zone {index.tz}, expected datetime64 without one; convert it to "
            "the zone in which the forcing's days begin, then drop it: "
            "tz_convert(zone).tz_localize(None)"
        )
    if index.hasnans:
        raise ValueError(f"{what} has no date at position {int(index.isna().argmax())}")
    try:
        return index.as_unit("ns")
    except pd.errors.OutOfBoundsDatetime:
        raise ValueError(
            f"{what} runs from {index.min()} to {index.max()}, expected years from 1678 to 2261; "
            "look at how the years were read"
        ) from None


def _kind(index) -> str:
    """Return a description of labels that are no dates, and the usual fix."""
    first: Any = index[0] if len(index) else None
    if type(first).__module__.partition(".")[0] == "cftime":
        return (
            f"has cftime dates of the calendar {first.calendar!r}, expected datetime64; use "
            "xarray's convert_calendar('standard', use_cftime=False, missing=float('nan')), which "
            "inserts days that the calendar lacks"
        )
    if isinstance(first, tuple):
        return f"has several levels, such as {first}, expected datetime64; select one series first"
    if isinstance(first, str):
        return f"has text such as {first!r}, expected datetime64; {TO_DATETIME}"
    if isinstance(first, pd.Timestamp):
        return (
            "has dates of several time zones, expected datetime64 without one; use "
            "pandas.to_datetime(..., utc=True), then tz_convert(zone).tz_localize(None)"
        )
    if isinstance(first, int | float | np.number):
        return (
            f"has type {index.dtype} (such as {first}), expected datetime64; name the dates, "
            "such as pandas.date_range('2000-10-01', periods=n), or leave the labels out"
        )
    return f"has type {index.dtype} (such as {first!r}), expected datetime64; {TO_DATETIME}"


def check_axis(what: str, time: np.ndarray) -> None:
    """Raise ValueError if dates are no sorted and even time axis of at least two intervals.

    Parameters
    ----------
    what : str
        Name of the axis in messages, such as "basin: 'time'".
    time : array of datetime64, shape (n_time,)
    """
    if time.ndim != 1 or time.size < 2:
        raise ValueError(f"{what} needs at least two entries, found {time.size}")
    step = np.diff(time)
    zero = step == np.timedelta64(0, "ns")
    if zero.any():
        raise ValueError(f"{what} has {date_text(time[zero.argmax()])} twice; drop duplicates")
    back = step < np.timedelta64(0, "ns")
    if back.any():
        raise ValueError(
            f"{what} is not sorted at {date_text(time[back.argmax() + 1])}; look whether day and "
            "month were mixed up when the dates were read, then use sortby('time')"
        )
    check_length(what, time)
    usual = np.median(step.astype("timedelta64[ns]").astype(np.int64))
    irregular = step.astype("timedelta64[ns]").astype(np.int64) != usual
    if irregular.any():
        at = irregular.argmax()
        raise ValueError(
            f"{what} is irregular: {date_text(time[at])} is followed by "
            f"{date_text(time[at + 1])}, the usual interval is {pd.Timedelta(int(usual))}; insert "
            "the missing rows (missing discharge as NaN, forcing filled by you)"
        )


def check_length(what: str, time: np.ndarray) -> None:
    """Raise ValueError if sorted dates are closer than a second: numbers taken for nanoseconds."""
    if time.size < 2:
        return
    usual = np.median(np.diff(time).astype("timedelta64[ns]").astype(np.int64))
    if 0 < usual < SHORTEST.astype("timedelta64[ns]").astype(np.int64):
        raise ValueError(
            f"{what} has intervals of {int(usual)} ns from {date_text(time[0])} on: numbers were "
            "taken for nanoseconds since 1970; give pandas.to_datetime their unit (unit='D') and "
            "origin, or a format such as '%Y%m%d'"
        )
