"""Dates in files: one format for all lines, and a regular axis."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import numpy as np
import pandas as pd

from pymc_hydro.data.readers.text.files import warn

__all__ = ["dates_of", "looks_like_date", "parse_dates", "regular"]

_CLOCK = r"(?:[T ](?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.0+)?)?))?"
# What a date looks like, and the formats of pandas that may be meant.
_SHAPES = (
    (r"\d{4}-\d{1,2}-\d{1,2}" + _CLOCK, ("%Y-%m-%d",)),
    (r"\d{4}/\d{1,2}/\d{1,2}" + _CLOCK, ("%Y/%m/%d",)),
    (r"\d{1,2}/\d{1,2}/\d{4}" + _CLOCK, ("%d/%m/%Y", "%m/%d/%Y")),
    (r"\d{1,2}-\d{1,2}-\d{4}" + _CLOCK, ("%d-%m-%Y", "%m-%d-%Y")),
    (r"\d{1,2}\.\d{1,2}\.\d{4}" + _CLOCK, ("%d.%m.%Y",)),
    (r"(?:1[789]|20)\d{2}[01]\d[0-3]\d" + _CLOCK, ("%Y%m%d",)),
)
_ZONE = r"\s*(?:Z|[+-]\d{2}:?\d{2})$"
RESOLUTION = "datetime64[ns]"
YEARS = (1678, 2261)  # whole years that nanoseconds since 1970 can count


def parse_dates(
    source, cells: pd.Series | Sequence, date_format: str | None = None, first_line: int = 1
) -> pd.DatetimeIndex:
    """Return dates, all written in one format, without time zone (UTC where the file gives one).

    Whether 03/04/2001 means April or March is decided by which reading gives evenly spaced dates.

    Parameters
    ----------
    source : str or Path
        What messages name.
    cells : Series of str or int
    date_format : str, optional
        As in ``datetime.strptime``, where the format cannot be guessed.
    first_line : int
        Number of the line that the first date stands in, for messages.

    Raises
    ------
    ValueError
        If a date is missing, of another format than the first one, or could mean two things.
    """
    if not isinstance(cells, pd.Series):
        cells = pd.Series(cells)
    if pd.api.types.is_datetime64_any_dtype(cells):
        return index_of(source, cells, first_line)
    if cells.isna().any():
        at = int(cells.isna().to_numpy().argmax())
        raise ValueError(f"{source}: line {at + first_line} has no date")
    cells = cells.astype(str).str.strip()
    if date_format is None:
        formats, zoned = _formats(source, cells.iloc[0])
    else:
        formats, zoned = [date_format], "%z" in date_format
    readings = [pd.to_datetime(cells, format=f, errors="coerce", utc=zoned) for f in formats]
    whole = [r for r in readings if not r.isna().any()]
    if not whole:
        best, used = min(zip(readings, formats, strict=True), key=lambda r: r[0].isna().sum())
        at = int(best.isna().to_numpy().argmax())
        year = None
        with suppress(ValueError):
            year = datetime.strptime(cells.iloc[at], used).year
        check_year(source, at + first_line, year, cells.iloc[at])
        raise ValueError(
            f"{source}: line {at + first_line}: {cells.iloc[at][:40]!r} is not a date of the "
            f"format of the first one, {cells.iloc[0]!r}; {int(best.isna().sum())} lines differ: "
            "write all dates in one format, best YYYY-MM-DD"
        )
    if len(whole) > 1:
        even = [r for r in whole if r.diff().iloc[1:].nunique() == 1]
        if len(even) != 1:
            raise ValueError(
                f"{source}: {cells.iloc[0]!r} may be day/month or month/day; give "
                f"date_format={formats[0]!r} or {formats[1]!r}"
            )
        whole = even
    found = whole[0].dt.tz_localize(None) if zoned else whole[0]
    return index_of(source, found, first_line)


def dates_of(
    source, table: pd.DataFrame, time: str | Sequence[str], date_format: str | None = None
) -> pd.DatetimeIndex:
    """Return the dates of a table, from one column or from those of year, month, day, ...

    Raises
    ------
    KeyError, ValueError
        If there is no such column, or a date cannot be read.
    """
    first_line = table.attrs.get("first_line", 1)
    names = [time] if isinstance(time, str) else list(time)
    if absent := [name for name in names if name not in table]:
        raise KeyError(
            f"{source}: no columns of dates {absent}; found {', '.join(map(str, table.columns))}"
        )
    if isinstance(time, str):
        return parse_dates(source, table[time], date_format, first_line)
    return _from_parts(source, table[names], first_line)


def looks_like_date(cell: str) -> bool:
    """Return whether a cell is written like a date."""
    return any(re.match(shape, cell) for shape, _ in _SHAPES)


def index_of(source, dates: pd.Series, first_line: int = 1) -> pd.DatetimeIndex:
    """Return dates in the resolution of all records.

    Raises
    ------
    ValueError
        If a date is too early or too late for it, where NumPy may count round to other years.
    """
    outside = ~dates.dt.year.between(*YEARS)
    if outside.any():
        at = int(outside.to_numpy().argmax())
        check_year(source, at + first_line, dates.dt.year.iloc[at], dates.iloc[at])
    return pd.DatetimeIndex(dates.to_numpy().astype(RESOLUTION))


def check_year(source, line: int, year: float | None, date) -> None:
    """Raise ValueError if the year (None or NaN: not known) is too early or too late for records.

    pandas before version 3 reads no such date, so this is asked of unreadable ones as well.
    """
    if year is not None and (year < YEARS[0] or year > YEARS[1]):
        raise ValueError(
            f"{source}: line {line}: the date {date} is not in the years {YEARS[0]} to {YEARS[1]}; "
            "correct it, or shift the record by whole centuries"
        )


def _formats(source, first):
    zone = re.search(_ZONE, first) if ":" in first else None
    bare = first[: zone.start()] if zone else first
    for shape, formats in _SHAPES:
        match = re.fullmatch(shape, bare)
        if match:
            clock = match["clock"]
            tail = ""
            if clock:
                tail = ("T" if "T" in bare else " ") + "%H:%M" + ":%S" * (clock.count(":") == 2)
                tail += ".%f" * ("." in clock)
            spaced = " " * bool(zone and zone[0].startswith(" "))
            return [f + tail + (spaced + "%z") * bool(zone) for f in formats], bool(zone)
    raise ValueError(
        f"{source}: {first[:40]!r} is not a date that is understood; write dates as YYYY-MM-DD, "
        "or give date_format= (as in datetime.strptime, with a year of four digits)"
    )


def _from_parts(source, parts, first_line):
    """Return dates from the columns year, month, day, hour, minute, in this order."""
    names = ("year", "month", "day", "hour", "minute")[: parts.shape[1]]
    parts = parts.set_axis(names, axis=1)
    numbers = parts.apply(pd.to_numeric, errors="coerce")
    whole = pd.to_datetime(numbers, errors="coerce")
    if whole.isna().any():
        at = int(whole.isna().to_numpy().argmax())
        check_year(source, at + first_line, numbers["year"].iloc[at], list(parts.iloc[at]))
        raise ValueError(
            f"{source}: line {at + first_line}: {list(parts.iloc[at])} is not a date "
            f"({', '.join(names)}); {int(whole.isna().sum())} such lines"
        )
    return index_of(source, whole, first_line)


def regular(source, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table on an even, rising time axis.

    Lines in falling order are turned round, lines that repeat another one exactly are dropped,
    and missing lines are inserted with NaN; each with a warning.

    Parameters
    ----------
    source : str or Path
    frame : DataFrame
        Indexed by dates.

    Raises
    ------
    ValueError
        If two lines of one date differ, or the dates are uneven in another way.
    """
    if len(frame) < 2:
        raise ValueError(f"{source}: needs at least two dates, found {len(frame)}")
    if not frame.index.is_monotonic_increasing:
        what = "falling" if frame.index.is_monotonic_decreasing else "mixed"
        warn(source, f"its dates are in {what} order and were sorted")
        frame = frame.sort_index(kind="stable")
    twice = frame.index.duplicated(keep=False)
    if twice.any():
        rows = frame[twice]
        same = rows.groupby(level=0).nunique(dropna=False).le(1).all(axis=1)
        if not same.all():
            first = same.index[~same.to_numpy()][0]
            raise ValueError(
                f"{source}: {first} is there twice with different values ({int((~same).sum())} "
                "such dates); delete the wrong lines (or, if the clock was set back in autumn, "
                "write the times in UTC or standard time)"
            )
        kept = ~frame.index.duplicated()
        warn(source, f"{int((~kept).sum())} lines repeat another one exactly and were dropped")
        frame = frame[kept]
        if len(frame) < 2:
            raise ValueError(f"{source}: needs at least two dates, found {len(frame)}")
    steps = np.diff(frame.index.to_numpy()).astype("timedelta64[ns]").astype(np.int64)
    usual = int(pd.Series(steps).mode()[0])
    odd = steps % usual != 0
    if odd.any():
        at = int(odd.argmax())
        raise ValueError(
            f"{source}: its dates are uneven: {frame.index[at]} is followed by "
            f"{frame.index[at + 1]}, the usual interval is {pd.Timedelta(usual)}; intervals must "
            "be of one length (aggregate or interpolate first)"
        )
    if (steps != usual).any():
        whole = pd.date_range(frame.index[0], frame.index[-1], freq=pd.Timedelta(usual))
        at = int((steps != usual).argmax())
        missing = len(whole) - len(frame)
        if missing > len(frame):
            raise ValueError(
                f"{source}: more dates are missing ({missing}) than there are ({len(frame)}), the "
                f"first gap after {frame.index[at]}; cut out a period without such gaps"
            )
        warn(source, f"{missing} dates are missing, first after {frame.index[at]}: set to NaN")
        frame = frame.reindex(whole)
    return frame
