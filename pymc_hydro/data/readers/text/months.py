"""Tables with a column a day and a row a month, or a column a month and a row a day."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from pymc_hydro.data.checks.names import PARTS, plain_name
from pymc_hydro.data.readers.text.formats import month_called

__all__ = ["unfolded", "unfolded_names"]

DATE, VALUE = "Date", "VALUE"  # columns of an unfolded table; VALUE where days have numbers alone
_NUMBERED = re.compile(r"(.*?)_?0?([1-9]|[12]\d|3[01])")
DAYS = set(range(1, 29))  # that every month has


class _Folds(NamedTuple):
    year: str
    other: str  # the column of months, or of days
    values: Mapping[str, Mapping[int, str]]  # name: the columns of the days, or of the months
    by_month: bool  # whether a row is a month


def unfolded_names(names: Sequence[str]) -> list[str]:
    """Return the header that a table has with a row a day."""
    folds = _folds(names)
    return [*_others(names, folds), *folds.values, DATE] if folds else list(names)


def unfolded(source, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a row a day, and dates; one that has them is returned as it is.

    Parameters
    ----------
    source : str or Path
    table : DataFrame
        With columns of year and month, and columns ``1`` to ``31`` or ``FLOW1`` to ``FLOW31``, as
        HYDAT has them; or with columns of year and day, and a column a month, as yearbooks do. The
        values come into a column ``FLOW``, or ``VALUE``.

    Raises
    ------
    ValueError
        If a day that is not in the calendar has a value.
    """
    names = list(map(str, table.columns))
    folds = _folds(names)
    if not folds:
        return table
    numbers = next(iter(folds.values.values()))
    kept = [n for n in _others(names, folds) if n not in (folds.year, folds.other)]
    parts = []
    for number in numbers:
        part = table[kept].assign(**{n: table[of[number]] for n, of in folds.values.items()})
        parts.append(part.assign(**{DATE: _dates(table, folds, number)}))
    long = pd.concat(parts)
    cells = long[list(folds.values)].apply(pd.to_numeric, errors="coerce")
    filled = cells.notna().any(axis=1)
    first_line = table.attrs.get("first_line", 1)
    wrong = (filled & long[DATE].isna()).to_numpy()
    if wrong.any():
        at = int(long.index[int(wrong.argmax())])
        raise ValueError(
            f"{source}: line {at + first_line}, year {table[folds.year].iloc[at]}, "
            f"{folds.other} {table[folds.other].iloc[at]}: has a value for a day that is not in "
            "the calendar; are the columns shifted, or is the year wrong?"
        )
    long = long[long[DATE].notna()].sort_values(DATE, kind="stable")
    long = long.reset_index(drop=True)
    long.attrs = {**table.attrs, "dates": DATE}  # lines are counted no more
    return long


def _folds(names: Sequence[str]) -> _Folds | None:
    """Return how a table is folded, None if it is not."""
    plain = {plain_name(n): n for n in reversed(names)}
    column = {p: next((plain[c] for c in PARTS[p].split() if c in plain), None) for p in PARTS}
    year, month, day = column["year"], column["month"], column["day"]
    if year and month and not day:
        found: dict[str, dict[int, str]] = {}
        for name in names:
            if match := _NUMBERED.fullmatch(name):
                found.setdefault(match[1].strip(" _-") or VALUE, {})[int(match[2])] = name
        values = {name: days for name, days in found.items() if set(days) >= DAYS}
        return _Folds(year, month, values, True) if values else None
    if year and day and not month:
        called = {n: month_called(n) for n in names if n not in (year, day)}
        months = {number: name for name, number in called.items() if number}
        twelve = len(months) == 12 == sum(number is not None for number in called.values())
        return _Folds(year, day, {VALUE: months}, False) if twelve else None
    return None


def _others(names: Sequence[str], folds: _Folds) -> list[str]:
    folded = {c for columns in folds.values.values() for c in columns.values()}
    return [n for n in names if n not in folded]


def _dates(table: pd.DataFrame, folds: _Folds, number: int) -> pd.Series:
    """Return the dates of one column, NaT where its day is not in the calendar."""
    other = pd.to_numeric(table[folds.other], errors="coerce")
    if folds.by_month and other.isna().all():
        named = table[folds.other].astype(str).str.strip().map(month_called)
        other = pd.to_numeric(named)
    month, day = (other, number) if folds.by_month else (number, other)
    year = pd.to_numeric(table[folds.year], errors="coerce")
    parts = pd.DataFrame({"year": year, "month": month, "day": day})
    return pd.to_datetime(parts, errors="coerce").astype("datetime64[ns]")
