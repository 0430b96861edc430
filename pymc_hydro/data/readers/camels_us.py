"""CAMELS-US, daily (Newman et al. 2015; Addor et al. 2017)."""

from pathlib import Path

import pandas as pd
import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import find_file, numbers, read_table, warn
from pymc_hydro.data.readers.tidy import from_parts

__all__ = ["read_camels_us"]

PRODUCTS = ("daymet", "maurer", "maurer_extended", "nldas", "nldas_extended")
MISSING_FLOW = -999.0
FLOW_COLUMNS = ("gauge", "year", "month", "day", "flow", "flag")


def read_camels_us(
    root, gauge: str, forcing: str = "daymet", *, pet: str = "oudin", max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-US: forcing of a product, and discharge of the US Geological Survey.

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, ``basin_mean_forcing`` and ``usgs_streamflow``.
    gauge : str
        Eight characters, with leading zeros.
    forcing : {"daymet", "maurer", "maurer_extended", "nldas", "nldas_extended"}
    pet : str
        Method of potential evaporation, see ``pymc_hydro.data.potential_evaporation``: the data
        set has none.
    max_gap : int
        Gaps of the forcing up to this many days are interpolated, with a warning.

    Returns
    -------
    Dataset
        On the days of the forcing; discharge is NaN where it is missing (flag M). The area is that
        of the forcing file's third line. ``shortwave_radiation`` (daymet) is the mean over 24
        hours, where the file has that over daylight.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError

    References
    ----------
    Newman, A. J., et al. (2015). Hydrol. Earth Syst. Sci. 19, 209-223.
    doi:10.5194/hess-19-209-2015
    """
    gauge = str(gauge)
    if forcing not in PRODUCTS:
        raise KeyError(f"read_camels_us: no forcing {forcing!r}; there are {', '.join(PRODUCTS)}")
    path = find_file(root, f"{forcing}/**/{gauge}_lump_*_forcing_leap.txt", gauge)
    latitude, elevation, area = _heading(path)
    table = _body(path)
    dates = from_parts(path, table[["year", "mnth", "day"]], 5)
    low, high = table["tmin(c)"], table["tmax(c)"]
    if (low == high).mean() > 0.9:
        warn(
            path,
            "Tmax equals Tmin, both are the daily mean: Hargreaves' method and others that need "
            "the daily range will not work",
        )
    table["mean"] = (low + high) / 2
    columns = {
        "precipitation": ("prcp(mm/day)", "mm/d"),
        "temperature": ("mean", "degC"),
        "temperature_min": ("tmin(c)", "degC"),
        "temperature_max": ("tmax(c)", "degC"),
        "vapour_pressure": ("vp(pa)", "Pa"),
    }
    if forcing == "daymet":
        table["radiation"] = table["srad(w/m2)"] * table["dayl(s)"] / 86400
        columns["shortwave_radiation"] = ("radiation", "W/m2")
    weather = series(path, table, dates, columns)
    attrs = {
        "gauge": gauge,
        "area_km2": area,
        "latitude": latitude,
        "elevation": elevation,
        "source": f"CAMELS-US, forcing {forcing}",
    }
    flow = _flow(root, gauge, area).reindex(weather.index)
    return assemble(path, [weather, flow], attrs=attrs, pet=pet, max_gap=max_gap)


def _heading(path: Path):
    with path.open(encoding="latin-1") as stream:
        lines = [stream.readline().strip() for _ in range(3)]
    try:
        latitude, elevation, area = (float(line) for line in lines)
    except ValueError:
        raise ValueError(
            f"{path}: expected latitude, elevation and area in the first three lines, found {lines}"
        ) from None
    return latitude, elevation, area / 1e6


def _body(path) -> pd.DataFrame:
    """Read the data; blanks or tabs, and names in any case, according to the product."""
    with path.open(encoding="latin-1") as stream:
        names = [line for line, _ in zip(stream, range(4), strict=False)][-1].lower().split()
    needed = {"year", "mnth", "day", "prcp(mm/day)", "tmax(c)", "tmin(c)", "vp(pa)", "dayl(s)"}
    if not needed <= set(names):
        raise ValueError(f"{path}: line 4 lacks the columns {sorted(needed - set(names))}")
    return whole_table(path, names, skip=4)


def whole_table(path, names, skip: int = 0, text=()) -> pd.DataFrame:
    """Return a table separated by blanks in which every cell must be there, and be a number."""
    table = read_table(path, separator=r"\s+", names=names, skip=skip, text=text)
    short = table.isna().any(axis=1)
    if short.any():
        line = int(short.to_numpy().argmax()) + 1 + skip
        raise ValueError(
            f"{path}: line {line} has fewer than {len(names)} values; the file is broken off or "
            "garbled there: download it again"
        )
    for column in set(names) - set(text):
        table[column] = numbers(path, table, column)
    return table


def _flow(root, gauge, area) -> pd.DataFrame:
    path = find_file(root, f"{gauge}_streamflow_qc.txt", gauge)
    table = whole_table(path, FLOW_COLUMNS, text=("gauge", "flag"))
    if (table["gauge"] != gauge).any():
        raise ValueError(f"{path}: holds gauge {table['gauge'].iloc[0]}, not {gauge}")
    dates = from_parts(path, table[["year", "month", "day"]])
    table["flow"] = table["flow"].mask(table["flag"] == "M")
    columns = {"discharge": ("flow", "cfs")}
    return series(path, table, dates, columns, area=area, missing=(MISSING_FLOW,))
