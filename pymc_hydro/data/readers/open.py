"""A basin from an embedded record, a file or a folder: its source is found."""

from pathlib import Path
from typing import Any

import xarray as xr

from pymc_hydro.data.embedded import BASINS, load_basin
from pymc_hydro.data.readers.machinery.declaration import Source
from pymc_hydro.data.readers.machinery.paths import patterns_of, recognise, recognise_header
from pymc_hydro.data.readers.machinery.read import read_source
from pymc_hydro.data.readers.scan import TEXT_TABLE, scan
from pymc_hydro.data.readers.sources import SOURCES
from pymc_hydro.data.readers.tidy import read_csv

__all__ = ["SourceError", "read_basin"]

SHOWN = 6  # gauges of a reader in a message


class SourceError(ValueError):
    """The basin that was asked for is not there, or it is not clear which one is meant."""


def read_basin(
    path: str | Path,
    gauge: str | None = None,
    *,
    reader: str | None = None,
    source: Source | None = None,
    **options: Any,
) -> xr.Dataset:
    """Return the basin that a name, a file or a folder stands for.

    Parameters
    ----------
    path : str or Path
        Name of an embedded basin; a file; or a folder of a data set, at any depth.
    gauge : str, optional
        Which basin of the folder; not needed where it holds one.
    reader : str, optional
        Such as "read_camels_us", where files of the folder fit several.
    source : Source, optional
        A declaration of your own.
    **options
        Passed on: ``pet``, ``max_gap``, ``area``, ``latitude``, ``elevation``, ``na`` and the
        source's own, such as ``forcing``; of :func:`read_csv` for a table of no source.

    Returns
    -------
    Dataset
        Of the schema, on ``time``; missing discharge is NaN.

    Raises
    ------
    SourceError
        If the arguments do not say which basin; a ValueError.
    FileNotFoundError, KeyError, ValueError
        If a file is wrong: the fault, its place, and the usual fix.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> dict(ph.read_basin("leaf_river").sizes)
    {'time': 3717}
    """
    if isinstance(path, str) and path in BASINS:
        if gauge or reader or source or options:
            raise SourceError(f"{path} is embedded: it has no gauge, reader or options")
        return load_basin(path)
    path = Path(path)
    if not path.exists():
        raise SourceError(
            f"{path}: no such file or folder, nor an embedded basin ({', '.join(BASINS)})"
        )
    source, gauge = _declared(reader, source), None if gauge is None else str(gauge)
    if path.is_dir() and (source is None or gauge is None):
        source, gauge, path = _only_one(path, gauge, reader, source)
    elif path.is_file() and source is None and reader is None:
        source = _source_of(path)
    try:
        if source is not None:
            return read_source(source, path, gauge, **options)
        if gauge is not None:
            raise SourceError(f"{path}: is a table of one basin; leave out gauge={gauge!r}")
        return read_csv(path, **options)
    except TypeError as error:
        raise SourceError(str(error)) from error


def _declared(reader, source):
    """Return the source that is asked for, None where it must be found."""
    known = {s.reader: s for s in SOURCES} | {TEXT_TABLE: None}
    if not isinstance(source, Source | None):
        raise SourceError(
            f"source: expected a ph.data.Source, found {source!r}; reader= takes the name of one"
        )
    if reader is None:
        return source
    if source is not None:
        raise SourceError(f"give reader={reader!r} or a source, not both")
    if reader not in known:
        raise SourceError(f"no reader {reader!r}; known are {', '.join(sorted(known))}")
    return known[reader]


def _only_one(path, gauge, reader, source):
    """Return the source and gauge of the only basin in a folder that fits, and where it lies."""
    found = scan(path, source)
    if reader is not None:
        found = found[found["reader"] == reader]
    if gauge is not None:
        found = found[found["gauge"] == gauge]
    basin = found["gauge"].where(found["gauge"] != "", found["path"])
    kinds = found.assign(basin=basin)[["reader", "basin"]].drop_duplicates()
    if len(kinds) != 1:
        asked = "".join(
            f" for {word} {value}"
            for word, value in (("gauge", gauge), ("reader", reader))
            if value is not None
        )
        raise SourceError(
            f"{path}: holds {_what(kinds)}{asked}; ph.scan({str(path)!r}) lists what is there, "
            "say which basin is meant by gauge= (and reader=)"
        )
    name, basin = kinds.iloc[0]
    if name == TEXT_TABLE:
        return None, None, path / basin
    return source or next(s for s in SOURCES if s.reader == name), basin, path


def _what(kinds):
    if not len(kinds):
        return "nothing that is recognised"
    groups = kinds.groupby("reader", sort=False)["basin"]
    listed = [
        f"{reader}: {', '.join(basins[:SHOWN])}{', ...' * (len(basins) > SHOWN)}"
        for reader, basins in groups
    ]
    return f"{len(kinds)} basins ({'; '.join(listed)})"


def _source_of(file):
    """Return the source that a file belongs to by its path or its header, or None."""
    patterns = [p for source in SOURCES for p in patterns_of(source, source.entries[0])]
    match = recognise(file.absolute().as_posix(), patterns)
    if match is not None:
        return match.source
    headers = (recognise_header(file, source, source.entries[0]) for source in SOURCES)
    found = next((match.source for match in headers if match), None)
    later = [(source, kinds) for source in SOURCES for kinds in source.entries[1:]]
    patterns = [p for source, kinds in later for p in patterns_of(source, kinds)]
    part = None if found else recognise(file.absolute().as_posix(), patterns)
    if part is not None:
        first = part.source.entries[0][0].paths[0].rpartition("/")[2]
        raise SourceError(
            f"{file}: is one of the files of a record of {part.source.name}, which begins with "
            f"{first}; give that file or the folder, and this one is read with it"
        )
    return found
