"""Patterns of paths: one declaration by which files are found, and are recognised."""

import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pymc_hydro.data.readers.machinery.declaration import Source, Table
from pymc_hydro.data.readers.text.files import head_of, head_text, header_of, open_netcdf, warn
from pymc_hydro.data.readers.text.months import unfolded_names
from pymc_hydro.data.readers.text.sheets import EXCEL, names_of_sheet

__all__ = [
    "Match",
    "Pattern",
    "fields_of",
    "filled",
    "find_all",
    "find_file",
    "patterns_of",
    "recognise",
]

TEXT, NETCDF = (".csv", ".txt"), ".nc"
_PARTS = re.compile(r"\{(?P<field>\w+)\}|(?P<deep>\*\*/)|(?P<some>\*)|(?P<one>\[[^\]]+\])")


class Match(NamedTuple):
    """The facts in the path of a file."""

    source: Source
    table: Table
    gauge: str | None  # None: a file of many gauges
    detail: str
    folder: str  # above the part that the pattern describes


class Pattern(NamedTuple):
    """A way in which the path of a file may end."""

    source: Source
    table: Table
    tail: str  # its last letters, which are quick to compare
    expression: re.Pattern


def fields_of(source: Source, gauge: str, options: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the names in braces."""
    match = re.fullmatch(source.gauge, gauge)
    groups = match.groupdict() if match else {}
    return {**options, **groups, "gauge": gauge}


def filled(pattern: str, fields: Mapping[str, str]) -> str:
    """Return a pattern with the names in braces replaced; an unknown one by ``*``."""
    return re.sub(r"\{(\w+)\}", lambda m: fields.get(m[1], "*"), pattern)


def find_all(root: Path, pattern: str, fields: Mapping[str, str]) -> list[Path]:
    """Return the files below a folder whose paths end like a pattern.

    The folder itself, and folders above it, may be the first parts of the pattern.
    """
    escaped = {name: glob.escape(value) for name, value in fields.items()}
    ending, here = filled(pattern, escaped), root.resolve()
    found = set(root.rglob(ending))
    for above in here.parents[: ending.count("/")]:
        found |= {root / p.relative_to(here) for p in above.glob(ending) if here in p.parents}
    return sorted(p for p in found if p.is_file())


def find_file(root: Path, patterns: Sequence[str], fields: Mapping[str, str]) -> Path | None:
    """Return a file whose path ends like the first of the patterns that fits any.

    Where several fit it, a warning says which one is taken.
    """
    for pattern in patterns:
        found = find_all(root, pattern, fields)
        if len(found) > 1:
            others = ", ".join(str(p.relative_to(root)) for p in found[1:])
            warn(found[0], f"was taken, but there is also {others}; give a smaller folder")
        if found:
            return found[0]
    return None


def patterns_of(source: Source, tables: Sequence[Table]) -> Iterator[Pattern]:
    """Yield each pattern by which a path is recognised."""
    for table in tables:
        for pattern in table.patterns:
            tail = re.split(r"[*}\]/]", pattern)[-1]
            yield Pattern(source, table, tail, _expression(source, pattern))


def recognise(path: str, patterns: Sequence[Pattern]) -> Match | None:
    """Return the facts from the first pattern that fits a path, with slashes."""
    for source, table, tail, expression in patterns:
        match = expression.search(path) if path.endswith(tail) else None
        if match:
            groups = match.groupdict()
            detail = table.detail or ", ".join(groups[o] for o in source.options if o in groups)
            folder = path[: match.start()] or "/"
            return Match(source, table, groups.get("gauge"), detail, folder)
    return None


def recognise_header(path: Path, source: Source, tables: Sequence[Table]) -> Match | None:
    """Return the facts from the first table whose columns a file has, if it may have any name."""
    for table in (t for t in tables if t.by_header):
        if _has_header(path, table):
            gauge = None if table.gauges else _gauge_of_name(path, source, table)
            return Match(source, table, gauge, table.detail, str(path.parent))
    return None


def _has_header(path: Path, table: Table) -> bool:
    """Return whether a file that may be called anything is of a kind."""
    if isinstance(table.by_header, str):
        return re.match(table.by_header, head_text(path).replace("\r", "")) is not None
    if path.suffix not in (*TEXT, NETCDF, *(Path(p).suffix for p in table.paths)):
        return False
    names = _names_in(path, table)
    return table.fits_header([*names, *map(table.rename, names)] if table.rename else names)


def _gauge_of_name(path: Path, source: Source, table: Table) -> str:
    """Return the gauge in the name of a file, the whole name where it says none."""
    matches = (_expression(source, p.rpartition("/")[2]).search(path.name) for p in table.paths)
    found = next((match for match in matches if match), None)
    return found["gauge"] if found and "gauge" in found.groupdict() else path.stem


def _names_in(path: Path, table: Table) -> list[str]:
    """Return the names of the columns, or of the variables, in a file."""
    if path.suffix == NETCDF:
        try:
            with open_netcdf(path) as data:
                return [str(name) for name in data.variables]
        except ValueError:
            return []  # the reader names the fault
    if path.suffix in EXCEL:
        return unfolded_names(names_of_sheet(path))
    if not table.start:
        return unfolded_names(header_of(path)[0])
    rows, _ = head_of(path, table.separator)
    header = re.compile(table.start)
    return next(([c.strip() for c in row] for row in rows if row and header.match(row[0])), [])


def _expression(source, pattern):
    text, at, seen = "", 0, set()
    for part in _PARTS.finditer(pattern):
        text += re.escape(pattern[at : part.start()])
        at, name = part.end(), part["field"]
        if name in seen:
            text += f"(?P={name})"
        elif name:
            seen.add(name)
            text += f"(?P<{name}>{_values(source, name)})"
        else:
            text += "(?:[^/]+/)*" if part["deep"] else part["one"] or "[^/]*"
    return re.compile(f"(?:^|/){text}{re.escape(pattern[at:])}$")


def _values(source, name):
    if name == "gauge":
        return source.gauge
    values = source.options.get(name, "")
    return "[^/]+" if isinstance(values, str) else "|".join(map(re.escape, values))
