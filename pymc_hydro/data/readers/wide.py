"""Tables with one column a gauge, one file a variable."""

from pathlib import Path

import pandas as pd

from pymc_hydro.data.readers.files import read_table

__all__ = ["read_wide"]


def read_wide(path: Path, gauge: str, dates: tuple[str, ...], separator: str) -> pd.DataFrame:
    """Return the columns of dates and of one gauge; the others are not parsed.

    Raises
    ------
    KeyError
        If the gauge or a column of dates is not in the file.
    """
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        names = [n.strip().strip('"') for n in stream.readline().split(separator)]
    absent = [n for n in (*dates, gauge) if n not in names]
    if absent:
        raise KeyError(
            f"{path}: no column {', '.join(map(repr, absent))}; it has {len(names)} columns, such "
            f"as {', '.join(names[:6])}"
        )
    at = [names.index(n) for n in (*dates, gauge)]
    return read_table(path, separator=separator, columns=at)
