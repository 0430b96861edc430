"""The one function that reads a basin of a declared source."""

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import xarray as xr

from pymc_hydro.data.readers.machinery.assemble import assemble, series, spread_over
from pymc_hydro.data.readers.machinery.attributes import attributes_in
from pymc_hydro.data.readers.machinery.declaration import Column, Source, Table
from pymc_hydro.data.readers.machinery.layouts import gauges_in, heading_of, load, unit_said
from pymc_hydro.data.readers.machinery.paths import (
    fields_of,
    filled,
    find_all,
    find_file,
    patterns_of,
    recognise,
    recognise_header,
)
from pymc_hydro.data.readers.machinery.sums import differences
from pymc_hydro.data.readers.text.dates import dates_of, in_one_zone
from pymc_hydro.data.readers.text.files import parse_numbers, warn
from pymc_hydro.data.units import parse_unit

__all__ = ["read_source"]

DAY = pd.Timedelta(days=1)
EVAPORATION, DISCHARGE = "potential_evaporation", "discharge"
SHOWN = 6  # gauges in a message
NO_EVAPORATION = (
    "has hours and no potential evaporation; give a climatology, pet=[12 values in mm/d], or "
    "compute it from daily means and spread it by ph.data.to_hourly"
)
EITHER, WARMEST = "degC or K", 100.0  # a temperature with a higher mean is in K


class _Request(NamedTuple):
    """Which basin is asked for, and how."""

    source: Source
    root: Path  # the folder in which files are looked for
    file: Path | None  # the first file, where the caller named it
    gauge: str
    settings: Mapping[str, Any]  # options, and pet
    method: str | Sequence[float] | None  # by which evaporation is computed, or a climatology

    @property
    def fields(self) -> dict[str, str]:
        """The values of the names in braces."""
        options = {name: str(self.settings[name]) for name in self.source.options}
        return fields_of(self.source, self.gauge, options)

    @property
    def can_compute(self) -> bool:
        """Whether evaporation that no file has is computed without being asked for."""
        return self.source.pet is not None and self.settings["pet"] is None

    def choices(self, table: Table, name: str) -> list[Column]:
        """Return the columns in which a variable is looked for."""
        columns = table.choices(name)
        asked = [c for c in columns if c.when and self.settings.get(c.when[0]) == c.when[1]]
        chosen = asked or [c for c in columns if c.when is None]
        fields = self.fields
        return [
            replace(c, name=filled(str(c.name), fields)) if _has_field(c) else c for c in chosen
        ]


def _has_field(column: Column) -> bool:
    return isinstance(column.name, str) and "{" in column.name


def read_source(
    source: Source,
    root: str | Path,
    gauge: str | None = None,
    *,
    pet: str | Sequence[float] | None = None,
    max_gap: int = 0,
    area: float | None = None,
    latitude: float | None = None,
    elevation: float | None = None,
    na: float | str | Sequence[float | str] = (),
    **options: str,
) -> xr.Dataset:
    """Read a basin of a declared source; for arguments and errors see ``ph.read_basin``.

    `root` is a folder or the file that the basin begins with, which then says the gauge; `options`
    are declared by the source.
    """
    asked = _request(source, Path(root), gauge, pet, source.choose(options))
    given = {"area_km2": area, "latitude": latitude, "elevation": elevation}
    place = _attributes(asked) | {name: value for name, value in given.items() if value is not None}
    known = set() if asked.method is None else {EVAPORATION}
    frames: list[pd.DataFrame] = []
    paths: list[Path] = []
    for kinds in source.entries:
        table, path = _find(asked, kinds, known, None if frames else asked.file)
        if table is not None:
            place = heading_of(table, path, asked.gauge) | place
            index = frames[0].index if frames else None
            frames.append(_read(asked, table, path, known, place.get("area_km2"), index, na))
            paths.append(path)
            known |= set(frames[-1])
    if not frames:
        raise FileNotFoundError(
            f"{asked.root}: no file of {source.name} for gauge {asked.gauge!r} in it or below"
        )
    method = asked.method
    if EVAPORATION not in known and asked.can_compute:
        if frames[0].index[1] - frames[0].index[0] >= DAY:
            method = source.pet
        note = source.pet_note if method else NO_EVAPORATION
        if note:
            warn(paths[0], note)
    attrs = {"gauge": asked.gauge, **place, "source": filled(source.name, asked.fields)}
    # Of files with one variable each, a message about the basin names none.
    alone = len(paths) == 1 or frames[0].shape[1] > 1
    where = paths[0] if alone else f"{asked.root}, {asked.gauge}"
    return assemble(where, frames, attrs=attrs, pet=method, max_gap=max_gap)


def _request(source, root, gauge, pet, options):
    if not root.exists():
        what = "no such folder; give the folder that the data set lies in"
        raise FileNotFoundError(f"{root}: {what}")
    folder, file = root, None
    if root.is_file():
        file, match = root, _recognise(source, source.entries[0], root)
        folder = Path(match.folder) if match else root.parent
        if gauge is None and match is not None and match.gauge is None:
            gauges = gauges_in(match.table, file)
            if len(gauges) != 1:
                some = ", ".join(gauges[:SHOWN]) + ", ..." * (len(gauges) > SHOWN)
                raise KeyError(
                    f"{root}: holds {len(gauges)} gauges ({some}); say which one is meant by gauge="
                )
            gauge = gauges[0]
        gauge = gauge or (match.gauge if match else root.stem)
    tables = [table for kinds in source.entries for table in kinds]
    columns = [c for table in tables for name in table.columns for c in table.choices(name)]
    is_column = isinstance(pet, str) and ("pet", pet) in [column.when for column in columns]
    method = None if is_column else pet
    return _Request(source, folder, file, str(gauge), {**options, "pet": pet}, method)


def _recognise(source, kinds, file):
    found = recognise(file.absolute().as_posix(), list(patterns_of(source, kinds)))
    return found or recognise_header(file, source, kinds)


def _attributes(asked):
    """Return the row of the first table that has the gauge, for each kind of table."""
    found = {}
    for declared in asked.source.attributes:
        for path in find_all(asked.root, declared.path, asked.fields):
            values = attributes_in(declared, path, filled(declared.id, asked.fields))
            if values:
                found = values | found
                break
    return found


def _find(asked, kinds, known, file):
    """Return the kind of file that is there and has something new, and its path."""
    kinds = [table for table in kinds if set(table.columns) - known]
    if file is not None:
        match = _recognise(asked.source, kinds, file)
        return (match.table if match else kinds[0]), file
    for table in kinds:
        path = find_file(asked.root, table.paths, asked.fields)
        fits = not table.by_header or (path and recognise_header(path, asked.source, (table,)))
        if path is not None and fits:
            return table, path
    if any(table.needed for table in kinds):
        patterns = dict.fromkeys(filled(p, asked.fields) for t in kinds for p in t.paths)
        above = "" if asked.file is None else "give the folder that holds all files of a basin; "
        options = [
            o for o in asked.source.options if any(f"{{{o}}}" in p for t in kinds for p in t.paths)
        ]
        other = "".join(f", or give {o}= of another product" for o in options)
        raise FileNotFoundError(
            f"{asked.root}: no file {' or '.join(patterns)} for gauge {asked.gauge!r} in it or "
            f"below; {above}ph.scan({str(asked.root)!r}) lists what is there (ids are strings and "
            f"keep their leading zeros){other}"
        )
    return None, None


def _read(asked, table, path, known, area, index, na) -> pd.DataFrame:
    """Return the variables of a file that are not known yet, in the units of the schema."""
    choices = {name: asked.choices(table, name) for name in table.columns if name not in known}
    choices = {name: columns for name, columns in choices.items() if columns}
    names = [n for columns in choices.values() for c in columns for n in (c.name, c.seconds) if n]
    cells = load(asked.source.name, table, path, asked.gauge, names)
    columns: dict[str, tuple[str, str]] = {}
    summed: list[str] = []
    for name, candidates in choices.items():
        candidates = [_by_name(path, cells, column) for column in candidates]
        there = [c for c in candidates if c.name in cells]
        column = next(
            (c for c in there if _has_values(cells[c.name], table.na)), *there[:1] or [None]
        )
        idle = not any(c.needed for c in candidates)
        if column is None and (idle or (name == EVAPORATION and asked.can_compute)):
            continue
        columns[name] = _prepare(path, cells, column or candidates[0])
        summed += [column.name] if column and column.since_midnight else []
    if not columns and choices:
        wanted = ", ".join(str(c.name) for candidates in choices.values() for c in candidates)
        raise KeyError(
            f"{path}: has none of the columns {wanted}; found {', '.join(map(str, cells.columns))}"
        )
    if said := unit_said(table, path, cells):
        columns |= {n: (c, said) for n, (c, _) in columns.items() if n == DISCHARGE}
    if table.time:
        dates = dates_of(path, cells, table.time, table.date_format)
        if table.zone in cells:
            dates = in_one_zone(path, dates, cells[table.zone])
        if table.ending and (dates[1:2] - dates[:1] < DAY).all():
            warn(path, "its dates name the ends of intervals: one interval was taken off")
            dates = dates - (dates[1] - dates[0])
            cells = differences(path, cells, dates, summed)
    else:
        cells = spread_over(path, cells, index)
        dates = index
        if index[1] - index[0] < DAY:
            units = ", ".join(unit for _, unit in columns.values())
            warn(path, f"its values are taken to be in {units}, at any interval of the record")
    codes = (*table.na, *([na] if isinstance(na, str | int | float) else na))
    return series(path, cells, dates, columns, area=area, na=codes, flags=table.flags)


def _has_values(cells, na):
    return bool((cells.notna() & ~cells.isin(na)).any())


def _by_name(path, cells, column):
    """Return a column by the whole name that it has in the file."""
    if isinstance(column.name, str):
        found = fnmatch.filter(cells.columns, column.name) if "*" in column.name else []
        if len(found) > 1:
            found = [c for c in found if cells[c].notna().any()] or found[:1]
        if len(found) > 1:
            ending = column.name.partition("*")[2]
            raise ValueError(
                f"{path}: has several series, {', '.join(map(repr, found))}; say which one is "
                f"meant by series={found[0].removesuffix(ending)!r}"
            )
        return replace(column, name=found[0]) if found else column
    if column.name >= cells.shape[1]:
        raise KeyError(
            f"{path}: no column {column.name + 1}; found {', '.join(map(repr, cells.columns))}"
        )
    return replace(column, name=cells.columns[column.name])


def _prepare(path, cells, column):
    """Return the name of a column and its unit; its values are converted to the unit."""
    unit = cells.attrs.get("units", {}).get(column.name) or column.unit
    own, declared = parse_unit(unit), parse_unit(column.unit)
    if column.unit == EITHER or own is None or declared is None:
        unit = column.unit
    elif (own.kind == "temperature") != (declared.kind == "temperature"):
        unit = column.unit
    if column.note:
        warn(path, column.note)
    if unit == EITHER:
        mean = parse_numbers(path, cells, column.name).mean()
        unit = "degC" if mean < WARMEST else "K"
    if column.factor != 1:
        cells[column.name] = parse_numbers(path, cells, column.name) * column.factor
    if column.seconds:
        values = parse_numbers(path, cells, column.name)
        cells[column.name] = values * parse_numbers(path, cells, column.seconds) / 86400
    return column.name, unit
