"""Numbers of a basin that do not change in time, from tables that lie beside its series."""

import json
import re
from pathlib import Path

import pandas as pd

from pymc_hydro.data.readers.machinery.declaration import Attributes
from pymc_hydro.data.readers.text.files import parse_numbers, read_table

__all__ = ["attributes_in"]


def attributes_in(declared: Attributes, path: Path, gauge: str) -> dict[str, float]:
    """Return the numbers of a gauge that a file has, by name; none if it lacks the gauge."""
    if path.suffix == ".json":
        found = json.loads(path.read_text(encoding="utf-8"))
        values = {name: _number(found.get(key)) for name, key in declared.columns.items()}
    else:
        line = _line(declared, path, gauge).replace(re.escape(declared.decimal), ".", regex=True)
        known = {name: key for name, key in declared.columns.items() if key in line}
        values = {n: parse_numbers(path, line, key).iloc[0] for n, key in known.items()}
    return {name: float(value) for name, value in values.items() if pd.notna(value)}


def _line(declared, path, gauge):
    """Return the line of a gauge, or an empty table."""
    table = read_table(path, separator=declared.separator, text=True)
    if declared.transposed:
        names = table.columns[0]
        return table[[names, gauge]].set_index(names).T if gauge in table else pd.DataFrame()
    if declared.key not in table:
        return pd.DataFrame()
    line = table[table[declared.key].str.strip() == gauge].reset_index(drop=True)
    return line if len(line) else pd.DataFrame()


def _number(value):
    return sorted(value)[len(value) // 2] if isinstance(value, list) else value
