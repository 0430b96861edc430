"""Series of the Raven framework: blocks of a ``.rvt`` file."""

import re
from pathlib import Path

import pandas as pd

from pymc_hydro.data.units import are_same_unit, parse_unit

__all__ = ["read_raven"]

START = re.compile(r":(?P<kind>MultiData|Data|ObservationData)\b\s*(?P<rest>.*)")
# Beginning of a series' name, and the unit of Raven.
UNITS = {
    **dict.fromkeys(("PRECIP", "RAINFALL", "SNOWFALL", "PET"), "mm/d"),
    "TEMP_": "degC",
    "HYDROGRAPH": "m3/s",
}
FIRST = re.compile(r"\d{4}-\d{1,2}-\d{1,2} [\d:.]+ [\d:.]+ \d+")


def read_raven(path: Path) -> pd.DataFrame:
    """Return the series of a file as a table with the column ``time``, NaN where one has no value.

    Parameters
    ----------
    path : Path
        With blocks ``:MultiData``, whose columns are named after ``:Parameters``; ``:Data`` and
        ``:ObservationData`` are of one series, whose name stands behind.

    Raises
    ------
    ValueError
        If a block is not whole, or there is none with values.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    lines = [(n, line.partition("#")[0].strip()) for n, line in enumerate(text.splitlines(), 1)]
    lines = [(n, line) for n, line in lines if line]
    blocks, at = [], 0
    while at < len(lines):
        match = START.match(lines[at][1])
        at += 1
        if match is None:
            continue
        last = next((i for i in range(at, len(lines)) if lines[i][1].startswith(":End")), None)
        if last is None:
            raise ValueError(
                f"{path}: the block in line {lines[at - 1][0]} has no end (:End{match['kind']}); "
                "the file is broken off"
            )
        blocks.append(_block(path, match, lines[at:last]))
        at = last + 1
    if not blocks and any(line.startswith(":IrregularObservations") for _, line in lines):
        raise ValueError(
            f"{path}: :IrregularObservations are single values, no means of intervals, and are not "
            "read; write :ObservationData of one interval"
        )
    if not blocks:
        raise ValueError(
            f"{path}: has no block :MultiData, :Data or :ObservationData with values; does it only "
            "name other files (:RedirectToFile)? then give that one"
        )
    frame = pd.concat(blocks, axis=1, sort=True)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"{path}: has {twice} twice; split it into a file for each gauge")
    if {"RAINFALL", "SNOWFALL"} <= set(frame) and "PRECIP" not in frame:
        frame["PRECIP"] = frame["RAINFALL"] + frame["SNOWFALL"]
    table = frame.rename_axis("time").reset_index()
    table.attrs["first_line"] = lines[0][0]
    return table


def _check_units(path, names, units):
    """Raise ValueError if a series is in another unit than Raven takes it to be."""
    for name, unit in zip(names, units, strict=False):
        kinds = (expected for start, expected in UNITS.items() if name.startswith(start))
        expected = next(kinds, None)
        if expected and parse_unit(unit) and not are_same_unit(unit, expected):
            raise ValueError(
                f"{path}: {name} is in {unit}, but Raven takes it to be in {expected} and converts "
                "nothing; convert the series"
            )


def _block(path, match, lines) -> pd.DataFrame:
    """Return the series of one block, on its dates."""
    names, units = match["rest"].split()[:1], match["rest"].split()[-1:]
    rows: list[list[str]] = []
    start = None
    for number, line in lines:
        words = re.split(r"[\s,]+", line)
        if line.startswith(":"):
            if words[0] == ":Parameters":
                names = [w for w in words[1:] if w]
            elif words[0] == ":Units":
                units = [w for w in words[1:] if w]
        elif start is None:
            start = number, words
        else:
            rows.append(words)
    if start is None or not FIRST.fullmatch(" ".join(start[1])):
        raise ValueError(
            f"{path}: line {start[0] if start else lines[0][0]} should hold the first date, its "
            "time, the interval and the number of values"
        )
    _check_units(path, names, units)
    day, clock, interval, n = start[1]
    values = pd.DataFrame(rows).apply(pd.to_numeric, errors="coerce")
    if values.shape != (int(n), len(names)):
        raise ValueError(
            f"{path}: from line {start[0]} on there are {values.shape} values, expected {n} of "
            f"{', '.join(names)}; the file is broken off or garbled there"
        )
    length = pd.Timedelta(interval if ":" in interval else f"{float(interval)} D")
    index = pd.date_range(f"{day} {clock}", periods=len(values), freq=length)
    return values.set_axis(names, axis=1).set_index(index)
