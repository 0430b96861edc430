"""The contents of a folder of data."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pymc_hydro.data.readers.machinery.declaration import Source
from pymc_hydro.data.readers.machinery.layouts import gauges_in
from pymc_hydro.data.readers.machinery.paths import patterns_of, recognise, recognise_header
from pymc_hydro.data.readers.sources import SOURCES
from pymc_hydro.data.readers.tidy import is_record

__all__ = ["TEXT_TABLE", "scan"]

TEXT_TABLE = "read_csv"  # reads a file that belongs to no source


def scan(root: str | Path, source: Source | None = None) -> pd.DataFrame:
    """List the basins that a folder holds, and which reader reads each.

    Parameters
    ----------
    root : str or Path
    source : Source, optional
        List its basins only.

    Returns
    -------
    DataFrame
        Columns ``reader`` (of a source without reader its name), ``gauge``, ``detail`` (forcing
        product, kind of file) and ``path`` (below `root`); one row for each file that a basin
        begins with. Other tables with dates are listed with ``read_csv`` and no gauge. Only files
        of many gauges, and the first lines of other tables, are opened.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder")
    sources: Sequence[Source] = SOURCES if source is None else (source,)
    first = [p for s in sources for p in patterns_of(s, s.entries[0])]
    others = [p for s in sources for kinds in s.entries[1:] for p in patterns_of(s, kinds)]
    found: list[tuple[Path, list[tuple]]] = []
    folders = set()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name = path.relative_to(root).as_posix()
        match = recognise(path.resolve().as_posix(), first)
        if match is not None:
            gauges = gauges_in(match.table, path) if match.gauge is None else [match.gauge]
            found.append((path, [_row(match, gauge) for gauge in gauges]))
            folders.add(path.parent)
        elif path.suffix == ".csv" and not recognise(name, others):
            found.append((path, []))
    rows = []
    for path, basins in found:
        # A table beside or below the files of a data set belongs to it.
        if not basins and folders.isdisjoint(path.parents):
            basins = _by_header(path, sources, anything=source is None)
        rows += [(*basin, path.relative_to(root).as_posix()) for basin in basins]
    return pd.DataFrame(rows, columns=["reader", "gauge", "detail", "path"])


def _row(match, gauge):
    return match.source.reader, gauge, match.detail


def _by_header(path, sources, anything):
    """Return the basin in a text table that may be called anything."""
    for source in sources:
        match = recognise_header(path, source, source.entries[0])
        if match is not None:
            gauges = gauges_in(match.table, path) if match.gauge is None else [match.gauge]
            return [_row(match, gauge) for gauge in gauges]
    return [(TEXT_TABLE, "", "")] if anything and is_record(path) else []
