"""Dates in files: one format for all lines."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime

import numpy as np
import pandas as pd

from pymc_hydro.data.readers.text.files import warn
from pymc_hydro.data.readers.text.formats import (
    DECIMAL_YEAR,
    SERIAL,
    ZONE,
    century_of_past,
    formats_of,
    month_called,
    numbered_months,
    numbered_zones,
    zone_offset,
)

__all__ = ["dates_of", "in_one_zone", "is_day_of_year", "parse_dates"]

RESOLUTION = "datetime64[ns]"
YEARS = (1678, 2261)  # whole years that nanoseconds since 1970 can count
SPREADSHEET = pd.Timestamp("1899-12-30")  # day 0 of spreadsheets, from March 1900 on
MIDNIGHT = r"(?:(?<=[T ])24(?=:00(?::00(?:\.0+)?)?$|$)|(?<=^\d{8})24(?=(?:00)?$))"
MIDNIGHT_READ = (
    "24:00 is read as the midnight that ends the day; if dates name the ends of intervals, take "
    "one interval off: here they name the starts"
)
PARTS = ("year", "month", "day", "hour", "minute")
DAYS_OF_SPREADSHEET = (10_000, 60_000)  # 1927 to 2064
# What numbers of programs count, how many in a day, the Julian date of the first, its name.
COUNTS = (
    ("seconds since 1970, as Unix does", 86400, 2440587.5, "seconds since 1970-01-01"),
    ("milliseconds since 1970", 86400e3, 2440587.5, "milliseconds since 1970-01-01"),
    ("days since the year 0, as MATLAB does", 1, 1721058.5, "days since -0001-12-31"),
    ("days of the Julian date", 1, 0, "days since -4713-11-24T12:00"),
)
DAY = pd.Timedelta(days=1)
PER_DAY = {"D": 1, "h": 24, "min": 1440}
ROUNDED = 0.3  # of a day, an hour or a minute: years with three decimals are known to 0.2 d
FROM_1904 = "days since 1904-01-01"
COUNT = re.compile(
    r"(?P<unit>days|hours|minutes|seconds|milliseconds) since (?P<origin>\S+( \S+)?)"
)
MILLISECONDS = {"days": 86400e3, "hours": 3600e3, "minutes": 60e3, "seconds": 1e3}
# Digits of a date that has digits alone; spreadsheets drop a leading zero.
DIGITS = {"%Y": 4, "%y": 2, "%m": 2, "%d": 2, "%j": 3, "%H": 2, "%M": 2, "%S": 2}
MIDDLE, CENTURY = 2451544.5, 36525  # the year 2000
DAYS_OF_YEAR = ("doy", "jday", "yday", "dayofyear", "julianday", "jd", "tagdesjahres")


def parse_dates(
    source, cells: pd.Series | Sequence, date_format: str | None = None, first_line: int = 1
) -> pd.DatetimeIndex:
    """Return dates, all written in one format, without time zone (UTC where the file gives one).

    Whether 03/04/2001 means April or March is decided by which reading gives evenly spaced dates.
    Names of months are English, German, French, Spanish, Italian, Portuguese or Dutch. Years of two
    digits are never in the future; 24:00 is the midnight that ends the day; numbers such as 38353
    are days as spreadsheets count them, and 1990.0027 is a year with a fraction. CET, EDT and the
    like are time zones.

    Parameters
    ----------
    source : str or Path
        The source, as messages name it.
    cells : Series of str or int
    date_format : str, optional
        As in ``datetime.strptime``, where the format cannot be guessed; or what numbers count, such
        as "days since 1904-01-01".
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
    if pd.api.types.is_float_dtype(cells) and (cells % 1 == 0).all():
        cells = cells.astype(int)
    cells = cells.astype(str).str.strip().str.removesuffix(" --:--")
    if count := COUNT.fullmatch(date_format or ""):
        return _from_count(source, cells, count, first_line)
    if date_format and not re.sub("|".join(DIGITS), "", date_format):
        cells = cells.str.zfill(sum(DIGITS[part] for part in re.findall("%.", date_format)))
    cells = numbered_zones(cells)
    if date_format is None and DECIMAL_YEAR.fullmatch(cells.iloc[0]):
        return _from_years(source, cells, first_line)
    if date_format is None and SERIAL.fullmatch(cells.iloc[0]):
        return _from_serial(source, cells, first_line)
    named = date_format is None and not formats_of(cells.iloc[0])[0]
    cells = numbered_months(cells) if named else cells
    found = _readings(source, cells, date_format, first_line)
    if not any(r.notna().all() for r in found.values()):
        repaired, late = _with_clock(cells)
        again = _readings(source, repaired, date_format, first_line)
        if any(r.notna().all() for r in again.values()):
            if late.any():
                warn(source, MIDNIGHT_READ)
            found = {f: r + pd.to_timedelta(late.astype(int), unit="D") for f, r in again.items()}
    whole = {f: reading for f, reading in found.items() if reading.notna().all()}
    if not whole:
        _refuse(source, cells, found, first_line)
    if len(whole) > 1:
        whole = {f: r for f, r in whole.items() if r.diff().iloc[1:].nunique() == 1}
        if len(whole) != 1:
            possible = " or ".join(f"{f!r}" for f in found)
            raise ValueError(
                f"{source}: {cells.iloc[0]!r} may be day/month or month/day; give "
                f"date_format={possible}"
            )
    return index_of(source, next(iter(whole.values())), first_line)


def _readings(source, cells, date_format, first_line) -> dict[str, pd.Series]:
    """Return dates as each format reads them, NaT where it does not."""
    formats, zoned = [date_format], "%z" in (date_format or "")
    if date_format is None:
        formats, zoned = formats_of(cells.iloc[0])
    if not formats:
        raise ValueError(
            f"{source}: line {first_line}: {cells.iloc[0][:40]!r} is not a date that is "
            f"understood{_counted(cells.iloc[0])}; write dates as YYYY-MM-DD, or give "
            "date_format= (as in datetime.strptime)"
        )
    found = {f: pd.to_datetime(cells, format=f, errors="coerce", utc=zoned) for f in formats}
    if "%j" in formats[0]:  # pandas reads the 366th day of 365
        found = {f: r.where(r.dt.strftime("%Y") == cells.str[:4]) for f, r in found.items()}
    if zoned:
        found = {f: _without_zone(cells, f, r) for f, r in found.items()}
    if date_format is None and "%y" in formats[0]:
        found = {f: century_of_past(r) for f, r in found.items()}
    return found


def _counted(cell: str) -> str:
    """Return what a number may count, if it may be a date."""
    if re.fullmatch(r"\d{4}[-/.]\d{1,2}|\d{1,2}[-/.]\d{4}", cell):
        return " (is it a month? simulations need daily or shorter intervals)"
    if re.fullmatch(r"\d{7,8}", cell):
        return " (is it day, month and year? then give date_format='%d%m%Y')"
    with suppress(ValueError):
        number = float(cell)
        far = [abs(number / per_day + first - MIDDLE) for _, per_day, first, _ in COUNTS]
        if min(far) < CENTURY:
            what, _, _, said = COUNTS[far.index(min(far))]
            return f" (does it count {what}?{f' then give date_format={said!r}' if said else ''})"
    return ""


def _from_count(source, cells, count, first_line) -> pd.DatetimeIndex:
    """Return dates that are numbers of days, hours or the like since a moment."""
    numbers = pd.to_numeric(cells.str.replace(",", ".", regex=False), errors="coerce")
    if numbers.isna().any():
        at = int(numbers.isna().to_numpy().argmax())
        raise ValueError(
            f"{source}: line {at + first_line}: {cells.iloc[at][:40]!r} is not a number of "
            f"{count['unit']}"
        )
    try:
        origin = np.datetime64(count["origin"].replace(" ", "T"), "ms")
    except ValueError:
        raise ValueError(
            f"{source}: date_format: {count['origin']!r} is no date such as 1904-01-01"
        ) from None
    passed = (numbers.to_numpy(dtype=float) * MILLISECONDS.get(count["unit"], 1.0)).round()
    found = origin + passed.astype("timedelta64[ms]")
    if MILLISECONDS.get(count["unit"], 1.0) >= 60e3:  # fractions of a day are rounded
        found = (found + np.timedelta64(500, "ms")).astype("datetime64[s]")
    return index_of(source, pd.Series(found), first_line)


def _from_years(source, cells, first_line) -> pd.DatetimeIndex:
    """Return dates that are years with a decimal fraction: 1990.0027 is 2 January 1990."""
    numbers = pd.to_numeric(cells.str.replace(",", ".", regex=False), errors="coerce")
    years = np.floor(numbers)
    bad = ~years.between(*YEARS)
    if bad.any():
        at = int(bad.to_numpy().argmax())
        raise ValueError(
            f"{source}: line {at + first_line}: {cells.iloc[at][:40]!r} is not a year with a "
            f"decimal fraction, as {cells.iloc[0]!r} is"
        )
    start = pd.to_datetime(years.astype(int).astype(str), format="%Y")
    days = (start - pd.Timestamp(0)) / DAY + (numbers - years) * (365 + start.dt.is_leap_year)
    usual = float(days.diff().abs().median())
    unit, per_day = next(((u, n) for u, n in PER_DAY.items() if usual * n > 0.9), ("min", 1440))
    counts = days * per_day
    whole, half = counts.round(), np.floor(counts)
    if not ((counts - whole).abs() < ROUNDED).all():
        if not ((counts - half - 0.5).abs() < ROUNDED).all():
            raise ValueError(
                f"{source}: its dates are years with a decimal fraction, such as "
                f"{cells.iloc[0]!r}, which begin no {unit} of the calendar; write more decimals, "
                "or YYYY-MM-DD"
            )
        whole = half  # the middles of intervals
    found = pd.Timestamp(0) + pd.to_timedelta(whole, unit=unit)
    warn(
        source,
        f"its dates are years with a decimal fraction: {cells.iloc[0]} was read as "
        f"{found.iloc[0]}, {cells.iloc[-1]} as {found.iloc[-1]}",
    )
    return index_of(source, found, first_line)


def _without_zone(cells, date_format, dates) -> pd.Series:
    """Return dates in UTC; days that begin at midnight of a time zone keep their date."""
    plain = dates.dt.tz_localize(None)
    if date_format.endswith("%z") and (plain.dt.normalize() != plain).any():
        bare = cells.str.replace(ZONE, "", regex=True)
        local = pd.to_datetime(bare, format=date_format[:-2].strip(), errors="coerce")
        if (local.dt.normalize() == local).all():
            return local
    return plain


def _with_clock(cells) -> tuple[pd.Series, pd.Series]:
    """Return dates that all have a clock of 0 to 23 hours, and the mask of dates a day later.

    Some programs leave out the clock of midnight; others call it the 24th hour of a day.
    """
    late = cells.str.contains(MIDNIGHT)
    cells = cells.where(~late, cells.str.replace(MIDNIGHT, "00", regex=True))
    bare = ~cells.str.contains(":", regex=False)
    if bare.any() and not bare.all():
        seconds = cells[~bare].iloc[0].count(":") == 2
        cells = cells.where(~bare, cells + " 00:00" + ":00" * seconds)
    return cells, late


def _from_serial(source, cells, first_line) -> pd.DatetimeIndex:
    """Return dates that a spreadsheet wrote as the number of their day."""
    days = pd.to_numeric(cells.str.replace(",", ".", regex=False), errors="coerce")
    bad = days.isna() | ~days.between(*DAYS_OF_SPREADSHEET)
    if bad.any():
        at = int(bad.to_numpy().argmax())
        raise ValueError(
            f"{source}: line {at + first_line}: {cells.iloc[at][:40]!r} is not the number of a "
            f"day, as {cells.iloc[0]!r} is; write all dates in one format, best YYYY-MM-DD"
        )
    seconds = (days * 86400).round()  # floats carry a clock to a few microseconds
    found = SPREADSHEET + pd.to_timedelta(seconds, unit="s")
    warn(
        source,
        f"its dates are numbers, read as days of a spreadsheet: {cells.iloc[0]} is "
        f"{found.iloc[0]}; if it counts from 1904, give date_format={FROM_1904!r}",
    )
    return index_of(source, found, first_line)


def _refuse(source, cells, readings, first_line):
    """Raise ValueError with the first date that has not the format of the others."""
    used, best = min(readings.items(), key=lambda r: r[1].isna().sum())
    at, year = int(best.isna().to_numpy().argmax()), None
    with suppress(ValueError):
        year = datetime.strptime(cells.iloc[at], used).year
    check_year(source, at + first_line, year, cells.iloc[at])
    if at == 0:
        raise ValueError(
            f"{source}: line {first_line}: {cells.iloc[0][:40]!r} is no day of the calendar; are "
            "they months? a record has intervals of one length"
        )
    raise ValueError(
        f"{source}: line {at + first_line}: {cells.iloc[at][:40]!r} is not a date of the format of "
        f"the first one, {cells.iloc[0]!r}; {int(best.isna().sum())} lines differ: write all dates "
        "in one format, best YYYY-MM-DD"
    )


def dates_of(
    source, table: pd.DataFrame, time: str | Sequence[str], date_format: str | None = None
) -> pd.DatetimeIndex:
    """Return the dates of a table, from one column or from columns of year, month, day, ...

    Parameters
    ----------
    source : str or Path
    table : DataFrame
    time : str or sequence of str
        A column; or those of year, month, day (and hour, minute), of year and day of the year (and
        hour, minute), or of a date and a clock.
    date_format : str, optional

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
    if len(names) == 1:
        if table.attrs.get("from_1904") and pd.api.types.is_numeric_dtype(table[names[0]]):
            date_format = date_format or FROM_1904
        return parse_dates(source, table[names[0]], date_format, first_line)
    first = pd.to_numeric(table[names[0]], errors="coerce")
    if not first.between(*YEARS).all() and (first.isna() | (first > 10**6)).all():
        return _from_date_and_clock(source, table[names], date_format, first_line)
    return _from_parts(source, table[names], first_line)


def _from_date_and_clock(source, parts, date_format, first_line) -> pd.DatetimeIndex:
    """Return dates out of a column of days and one of hours, or of times such as 13:00."""
    days, clock = parts.iloc[:, 0], parts.iloc[:, 1]
    hours = pd.to_numeric(clock, errors="coerce")
    if hours.notna().all():
        if hours.isin([24, 2400]).any():
            warn(source, MIDNIGHT_READ)
        start = parse_dates(source, days, date_format, first_line)
        minutes = hours * 60 if hours.max() <= 24 else hours // 100 * 60 + hours % 100
        return start + pd.to_timedelta(minutes.to_numpy(), unit="min")
    days = days.astype(str).str.strip().str.replace(r"[ T]0?0:00(:00)?$", "", regex=True)
    text = days + " " + clock.astype(str).str.strip()
    return parse_dates(source, text, date_format, first_line)


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


def _from_parts(source, parts, first_line):
    """Return dates from the columns year, month, day, hour, minute, in this order.

    Or from year, day of the year, hour, minute. Hours are 0 to 24.
    """
    numbers = parts.apply(pd.to_numeric, errors="coerce")
    if numbers.iloc[:, 1].isna().all():
        named = parts.iloc[:, 1].astype(str).str.strip().map(month_called)
        numbers = numbers.assign(**{str(parts.columns[1]): pd.to_numeric(named)})
    if numbers.iloc[:, 0].between(0, 99).all():
        years = numbers.iloc[:, 0] + 2000
        past = years.where(years <= date.today().year, years - 100)
        numbers = numbers.assign(**{str(parts.columns[0]): past})
    by_day = is_day_of_year(parts.columns[1]) or (numbers.iloc[:, 1] > 12).any()
    names = ("year", "day_of_year", "hour", "minute") if by_day else PARTS
    if parts.shape[1] > len(names):
        raise ValueError(f"{source}: dates in {parts.shape[1]} columns, expected {names}")
    numbers = numbers.set_axis(names[: parts.shape[1]], axis=1)
    day = {"month": 1, "day": 1} if by_day else {"day": 1}
    whole = pd.to_datetime(
        pd.DataFrame({**day, **numbers.get([n for n in PARTS[:3] if n in numbers])}),
        errors="coerce",
    )
    if by_day:
        length = 365 + whole.dt.is_leap_year.astype(int)
        there = numbers["day_of_year"].between(1, length)
        whole = (whole + pd.to_timedelta(numbers["day_of_year"] - 1, unit="D")).where(there)
    for name, most in (("hour", 24), ("minute", 59)):
        if name in numbers:
            there = numbers[name].between(0, most)
            whole = (whole + pd.to_timedelta(numbers[name], unit=name)).where(there)
    if whole.isna().any():
        at = int(whole.isna().to_numpy().argmax())
        check_year(source, at + first_line, numbers["year"].iloc[at], list(parts.iloc[at]))
        raise ValueError(
            f"{source}: line {at + first_line}: {list(parts.iloc[at])} is not a date "
            f"({', '.join(numbers)}); {int(whole.isna().sum())} such lines"
        )
    if "hour" in numbers and (numbers["hour"] == 24).any():
        warn(source, MIDNIGHT_READ)
    return index_of(source, whole, first_line)


def in_one_zone(source, dates: pd.DatetimeIndex, zones: pd.Series) -> pd.DatetimeIndex:
    """Return dates in standard time where a column says that some are in summer time.

    Raises
    ------
    ValueError
        If the name of a zone is not known.
    """
    names = zones.astype(str).str.strip()
    if names.nunique() < 2:
        return dates
    hours = names.map({name: zone_offset(name) for name in names.unique()})
    if hours.isna().any():
        raise ValueError(
            f"{source}: {names[hours.isna()].iloc[0]!r} is not a time zone that is known; write "
            "all times in one zone"
        )
    standard = names[hours == hours.min()].iloc[0]
    warn(source, f"its times are in {' and '.join(names.unique())}; all were written in {standard}")
    return dates - pd.to_timedelta((hours - hours.min()).to_numpy(dtype=float), unit="h")


def is_day_of_year(name: str) -> bool:
    """Return whether a column is called like the day of the year."""
    return re.sub(r"[\W_]", "", str(name)).lower() in DAYS_OF_YEAR
