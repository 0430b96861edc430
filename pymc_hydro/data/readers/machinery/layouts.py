"""The columns of one file, whichever way it is laid out."""

import fnmatch
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from pymc_hydro.data.readers.machinery.declaration import GAUGE, Table
from pymc_hydro.data.readers.text.files import (
    head_of,
    head_text,
    header_of,
    open_netcdf,
    read_table,
)
from pymc_hydro.data.readers.text.months import unfolded
from pymc_hydro.data.readers.text.raven import read_raven
from pymc_hydro.data.readers.text.sheets import EXCEL, open_sheet

__all__ = ["gauges_in", "heading_of", "load", "unit_said"]

DATABASES = (".sqlite3", ".sqlite")


def load(
    what: str, table: Table, path: Path, gauge: str, columns: Sequence[str | int]
) -> pd.DataFrame:
    """Return a file as a table with one column a variable, and cells as they are written.

    Parameters
    ----------
    what : str
        The source's name, for messages.
    table : Table
    path : Path
    gauge : str
    columns : sequence of str or int
        Variables to look for, beside the dates.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError
        If the file is not whole, or the gauge is not in it.
    """
    if path.suffix == ".nc":
        return _netcdf(table, path, gauge, columns)
    if path.suffix == ".rvt":
        return read_raven(path)
    if path.suffix in DATABASES:
        return unfolded(path, _relation(path, table.relations[0], table.gauges, gauge))
    if table.widths and b"\t" not in _first_line(path):
        return _fixed_width(what, table, path)
    if table.wide:
        return _wide(table, path, columns)
    text = [name for name in (table.gauges, table.zone, *table.flags, *table.where) if name]
    frame = _delimited(table, path, text, columns)
    if table.complete:
        _check_complete(path, frame, table)
    for column, wanted in table.where.items():
        frame = _matching(path, frame, column, wanted)
    return _lines_of(table, path, frame, gauge) if table.gauges else frame


def heading_of(table: Table, path: Path, gauge: str = "") -> dict[str, float]:
    """Return the numbers in the lines before the header, or in the variables of a netCDF file."""
    if not table.heading:
        return {}
    if path.suffix == ".nc":
        return _attributes_of_netcdf(table, path, gauge)
    if path.suffix in DATABASES:
        return _attributes_of_relation(table, path, gauge)
    if isinstance(table.heading, Mapping):
        return _found_in_heading(table, path)
    with path.open(encoding="latin-1") as stream:
        lines = [stream.readline().strip() for _ in table.heading]
    try:
        found = dict(zip(table.heading, map(float, lines), strict=True))
    except ValueError:
        number = {2: "two", 3: "three"}.get(len(lines), len(lines))
        raise ValueError(
            f"{path}: expected {', '.join(table.heading)} in the first {number} lines, one number "
            f"each, found {lines}"
        ) from None
    if "area_m2" in found:
        found["area_km2"] = found.pop("area_m2") / 1e6
    return found


def gauges_in(table: Table, path: Path) -> list[str]:
    """Return the ids of the gauges in a file of many."""
    if path.suffix == ".nc":
        with open_netcdf(path) as data:
            return _ids(data[table.gauges]).tolist()
    if path.suffix in DATABASES:
        query = f'select distinct "{table.gauges}" from "{table.relations[0]}"'
        return sorted(_query(path, query)[table.gauges])
    if table.gauges:
        frame = _delimited(table, path, [table.gauges, *table.where], ())
        for column, text in table.where.items():
            frame = _matching(path, frame, column, text)
        return sorted(frame[table.gauges].str.strip().unique())
    return [name for name in header_of(path, table.separator)[0] if name not in table.dates]


def _relation(path, name, key, gauge):
    """Return the lines of a gauge in a relation of an SQLite file."""
    found = _query(path, f'select * from "{name}" where "{key}" = ?', gauge)
    if not len(found):
        raise KeyError(f"{path}: no gauge {gauge!r} in {name}; is the id right, with its zeros?")
    return found


def _attributes_of_relation(table, path, gauge):
    place = _relation(path, table.relations[1], table.gauges, gauge).iloc[0]
    found = {n: float(place[c]) for n, c in table.heading.items() if pd.notna(place.get(c))}
    return {n: v for n, v in found.items() if not (n == "area_km2" and v <= 0)}


def _query(path, text, *values):
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
            return pd.read_sql_query(text, base, params=values)
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        raise ValueError(f"{path}: {error}; is it the whole file, unpacked?") from None


def _delimited(table, path, text, columns):
    skip = table.skip
    if isinstance(table.heading, tuple):
        skip += len(table.heading)
    if table.start:
        head = head_text(path).splitlines()
        skip = next((i for i, line in enumerate(head) if re.match(table.start, line)), -1)
        if skip < 0:
            raise ValueError(
                f"{path}: no line begins like {table.start!r}; is it a file of another kind, or "
                "broken off?"
            )
    if table.names and not table.time and _is_number(_line(path, skip - 1)):
        skip -= 1  # the title is not there
    if table.rename:
        raw = head_of(path, table.separator, skip, lines=1)[0][0]
        text = [name for name in raw if table.rename(name) in text]
    if path.suffix in EXCEL:
        found = open_sheet(path).table
        return found.assign(**{n: found[n].astype(str) for n in text if n in found})
    frame = read_table(
        path,
        separator=table.separator,
        names=table.names or None,
        decimal=table.decimal,
        skip=skip,
        units_row=table.units_row,
        encoding=table.encoding,
        text=text,
        unique={*table.dates, *map(str, columns), *text},
    )
    return unfolded(path, frame if table.rename is None else frame.rename(columns=table.rename))


def _found_in_heading(table, path):
    """Return the numbers that the regular expressions of the heading find."""
    text = head_text(path)
    matches = {name: re.search(pattern, text) for name, pattern in table.heading.items()}
    found = {name: _plain_number(match[1]) for name, match in matches.items() if match}
    return {n: v for n, v in found.items() if not (n == "area_km2" and v <= 0)}


def _plain_number(text):
    grouped = re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", text)
    return float(text.replace(",", "" if grouped else "."))


def _line(path, number):
    with path.open("rb") as stream:
        return next(islice(stream, max(number, 0), None), b"").decode("latin-1")


def _is_number(text):
    return re.fullmatch(r"\s*-?\d*[.,]?\d+\s*", text) is not None


def unit_said(table: Table, path: Path, frame: pd.DataFrame) -> str | None:
    """Return the unit of discharge that a file says, None if it says none."""
    if not table.unit:
        return None
    if table.unit in frame:
        found = frame[table.unit].astype(str).str.strip().unique()
        if len(found) > 1:
            raise ValueError(f"{path}: has units {', '.join(found)}; keep the lines of one")
        return str(found[0])
    match = re.search(table.unit, head_text(path))
    return match[1].strip() if match and match.groups() else None


def _wide(table, path, columns):
    """Return the columns of dates and of one gauge; the others are not parsed."""
    names, separator = header_of(path, table.separator)
    absent = [name for name in table.dates if name not in names]
    found = [name for name in columns if name in names]
    if absent or not found:
        raise KeyError(
            f"{path}: no column {', '.join(map(repr, absent or columns))}; it has {len(names)} "
            f"columns, such as {', '.join(names[:6])}"
        )
    at = [names.index(name) for name in (*table.dates, *found)]
    return read_table(path, separator=separator, columns=at, decimal=table.decimal)


def _netcdf(table, path, gauge, columns):
    with open_netcdf(path) as data:
        if table.gauges:
            data = _of_gauge(table, path, data, gauge).drop_vars(table.gauges, errors="ignore")
        data = data.squeeze(drop=True)
        names = [name for name in columns if name in data.data_vars]
        others = {d for name in names for d in data[name].dims} - set(table.dates)
        if others:
            raise ValueError(
                f"{path}: {', '.join(names)} have the dimensions {', '.join(map(str, others))} "
                "beside the dates; select one place, or average over the basin, first"
            )
        frame = data[names].to_dataframe().reset_index()
        frame.attrs["units"] = {name: str(data[name].attrs.get("units", "")) for name in names}
        return frame


def _of_gauge(table, path, data, gauge):
    """Return the part of a netCDF file that belongs to a gauge."""
    if table.gauges not in data.variables:
        raise KeyError(f"{path}: no variable {table.gauges!r}; found {', '.join(data.variables)}")
    ids = data[table.gauges]
    known = _ids(ids)
    if gauge not in known:
        raise KeyError(f"{path}: no gauge {gauge!r}; there are {len(known)}")
    return data.isel({ids.dims[0]: int((known == gauge).argmax())})


def _ids(gauges):
    """Return the ids of gauges as text; some files keep whole numbers as floats, or as bytes."""
    values = gauges.values
    if values.dtype.kind == "f" and (values % 1 == 0).all():
        values = values.astype(int)
    return np.array([x.decode() if isinstance(x, bytes) else str(x).strip() for x in values])


def _attributes_of_netcdf(table, path, gauge):
    with open_netcdf(path) as data:
        if table.gauges:
            data = _of_gauge(table, path, data, gauge)
        known = {n: v for n, v in dict(table.heading).items() if v in data.variables}
        found = {n: float(data[v]) for n, v in known.items() if data[v].size == 1}
    return {n: v for n, v in found.items() if v == v and not (n == "area_km2" and v <= 0)}


def _matching(path, frame, column, text):
    """Return the lines of a table in which a column has a text."""
    if column not in frame:
        raise KeyError(f"{path}: no column {column!r}; found {', '.join(frame.columns)}")
    texts = [text] if isinstance(text, str) else list(text)
    cells = frame[column].str.strip()
    names = [n for n in cells.dropna().unique() if any(fnmatch.fnmatch(n, t) for t in texts)]
    there = cells.isin(names).to_numpy()
    if not there.any():
        found = ", ".join(map(str, frame[column].unique()[:6]))
        wanted = " or ".join(map(repr, texts))
        raise ValueError(f"{path}: no line has {wanted} in {column!r}, which holds {found}")
    if len(names) > 1:
        raise ValueError(
            f"{path}: has {', '.join(map(repr, names))} in {column!r}; keep the lines of one"
        )
    attrs = dict(frame.attrs)
    frame = frame[there].reset_index(drop=True)
    frame.attrs = {**attrs, "first_line": attrs["first_line"] + int(there.argmax())}
    return frame


def _lines_of(table, path, frame, gauge):
    ids = frame[table.gauges].str.strip()
    mine = (ids == gauge).to_numpy()
    if mine.all():
        return frame
    if not mine.any():
        kind = ValueError if GAUGE in "".join(table.paths) else KeyError
        raise kind(f"{path}: holds gauge {', '.join(ids.unique()[:6])}, not {gauge}")
    first_line = frame.attrs["first_line"] + int(mine.argmax())
    frame = frame[mine].reset_index(drop=True)
    frame.attrs["first_line"] = first_line
    return frame


def _check_complete(path, frame, table):
    first_line = frame.attrs["first_line"]
    if absent := [name for name in table.must_have if name not in frame]:
        raise ValueError(f"{path}: line {first_line - 1} lacks the columns {absent}")
    short = frame.isna().any(axis=1)
    if short.any():
        raise ValueError(
            f"{path}: line {int(short.to_numpy().argmax()) + first_line} has fewer than "
            f"{frame.shape[1]} values; the file is broken off or garbled there: download it again"
        )


def _fixed_width(what, table, path):
    text = path.read_bytes()
    if not text.strip():
        raise ValueError(f"{path}: is empty; download or export it again")
    if b"\0" in text:
        raise ValueError(f"{path}: is not a text file (binary, packed, or UTF-16)")
    lines = pd.Series(text.decode("latin-1").splitlines())
    lines = lines[lines.str.strip() != ""]
    length = sum(table.widths)
    short = lines.str.len() != length
    if short.any():
        at = int(short.to_numpy().argmax())
        raise ValueError(
            f"{path}: line {at + 1} has {len(lines.iloc[at])} characters, expected {length}; is "
            f"it a file of {what}, and whole?"
        )
    found, start = {}, 0
    for name, width in zip(table.names, table.widths, strict=True):
        found[name] = pd.to_numeric(lines.str.slice(start, start + width), errors="coerce")
        start += width
    frame = pd.DataFrame(found)
    bad = frame.isna().any(axis=1)
    if bad.any():
        raise ValueError(f"{path}: line {int(bad.to_numpy().argmax()) + 1} is not of numbers")
    return frame


def _first_line(path):
    with path.open("rb") as stream:
        return stream.readline()
