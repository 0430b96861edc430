"""What a folder of data holds."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pymc_hydro.data.readers.machinery.declaration import Source
from pymc_hydro.data.readers.machinery.layouts import gauges_in
from pymc_hydro.data.readers.machinery.paths import patterns_of, recognise
from pymc_hydro.data.readers.sources import SOURCES
from pymc_hydro.data.readers.tidy import is_record

__all__ = ["TEXT_TABLE", "scan"]

TEXT_TABLE = "read_csv"  # reads what belongs to no source


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
    rows, folders = [], set()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name = path.relative_to(root).as_posix()
        match = recognise(name, first)
        if match is not None:
            gauges = gauges_in(match.table, path) if match.gauge is None else [match.gauge]
            reader = match.source.reader or match.source.name
            rows += [(reader, gauge, match.detail, name) for gauge in gauges]
            folders.add(path.parent)
        elif source is None and path.suffix == ".csv" and not recognise(name, others):
            rows.append((TEXT_TABLE, "", "", name))

    def is_listed(reader, path):
        # A table beside or below the files of a data set belongs to it.
        return reader != TEXT_TABLE or (folders.isdisjoint(path.parents) and is_record(path))

    rows = [row for row in rows if is_listed(row[0], root / row[3])]
    return pd.DataFrame(rows, columns=["reader", "gauge", "detail", "path"])
