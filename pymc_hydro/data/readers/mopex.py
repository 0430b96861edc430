"""MOPEX, the 438 daily basins (US_438_Daily)."""

from pathlib import Path

import pandas as pd
import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.camels_us import whole_table
from pymc_hydro.data.readers.tidy import from_parts

__all__ = ["read_mopex"]

NAMES = ("year", "month", "day", "rain", "evaporation", "flow", "high", "low")
WIDTHS = (4, 2, 2, 10, 10, 10, 10, 10)
MISSING = (-99.0,)
COLUMNS = {
    "precipitation": ("rain", "mm/d"),
    "potential_evaporation": ("evaporation", "mm/d"),
    "temperature": ("mean", "degC"),
    "temperature_min": ("low", "degC"),
    "temperature_max": ("high", "degC"),
    "discharge": ("flow", "mm/d"),
}


def read_mopex(
    path,
    *,
    area: float | None = None,
    latitude: float | None = None,
    pet: str | None = None,
    max_gap: int = 0,
) -> xr.Dataset:
    """Read a basin of MOPEX, of fixed width as distributed, or separated by tabs.

    Parameters
    ----------
    path : str or Path
        ``<gauge>.dly``.
    area : float, in km2, optional
        Kept as attribute only; flow is in mm.
    latitude : float, in degrees north, optional
    pet : str, optional
        Method by which to compute potential evaporation in place of the file's, which is a
        climatology: the same in every year. Needs `latitude`.
    max_gap : int
        Gaps of the forcing up to this many days are interpolated, with a warning.

    Returns
    -------
    Dataset
        Temperature is the mean of the daily extremes.

    Raises
    ------
    FileNotFoundError, ValueError

    References
    ----------
    Duan, Q., et al. (2006). J. Hydrol. 320, 3-17. doi:10.1016/j.jhydrol.2005.07.031
    """
    path = Path(path)
    table = _table(path)
    dates = from_parts(path, table[["year", "month", "day"]])
    for column in NAMES[3:]:
        table[column] = table[column].mask(table[column].isin(MISSING))
    table["mean"] = (table["low"] + table["high"]) / 2
    frame = series(path, table, dates, COLUMNS)
    attrs = {"gauge": path.stem, "area_km2": area, "latitude": latitude, "source": "MOPEX"}
    return assemble(path, [frame], attrs=attrs, pet=pet, max_gap=max_gap)


def _table(path):
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with path.open("rb") as stream:
        first = stream.readline()
    if b"\t" in first:
        return whole_table(path, NAMES)
    lines = whole_lines(path)
    length = sum(WIDTHS)
    short = lines.str.len() != length
    if short.any():
        at = int(short.to_numpy().argmax())
        raise ValueError(
            f"{path}: line {at + 1} has {len(lines.iloc[at])} characters, expected {length}; is "
            "this a MOPEX .dly file, and whole?"
        )
    table, start = {}, 0
    for name, width in zip(NAMES, WIDTHS, strict=True):
        table[name] = pd.to_numeric(lines.str.slice(start, start + width), errors="coerce")
        start += width
    table = pd.DataFrame(table)
    bad = table.isna().any(axis=1)
    if bad.any():
        raise ValueError(f"{path}: line {int(bad.to_numpy().argmax()) + 1} is not of numbers")
    return table


def whole_lines(path) -> pd.Series:
    """Return the lines of a text file that are not blank."""
    text = path.read_bytes()
    if not text.strip():
        raise ValueError(f"{path}: is empty; download or export it again")
    if b"\0" in text:
        raise ValueError(f"{path}: is not a text file (binary, packed, or UTF-16)")
    lines = pd.Series(text.decode("latin-1").splitlines())
    return lines[lines.str.strip() != ""]
