"""Delimited text with one column a variable."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from pymc_hydro.data.readers.assemble import EXTRAS, assemble, series
from pymc_hydro.data.readers.dates import check_year, index_of, parse_dates
from pymc_hydro.data.readers.files import read_table
from pymc_hydro.data.schema import VARIABLES

__all__ = ["read_csv"]

# Columns that are recognised without being named, in lower case: variable and unit.
KNOWN = {
    "precip_mm": ("precipitation", "mm"),
    "pet_mm": ("potential_evaporation", "mm"),
    "temp_c": ("temperature", "degC"),
    "tmean_c": ("temperature", "degC"),
    "tmin_c": ("temperature_min", "degC"),
    "tmax_c": ("temperature_max", "degC"),
    "flow_mm": ("discharge", "mm"),
    "flow_m3s": ("discharge", "m3/s"),
    **{name: (name, units[0]) for name, (units, _) in VARIABLES.items()},
    **{name: (name, unit) for name, unit in EXTRAS.items()},
}
DATES = ("time", "date", "datetime", "timestamp")


def read_csv(
    path,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    *,
    time: str | Sequence[str] | None = None,
    date_format: str | None = None,
    area: float | None = None,
    latitude: float | None = None,
    elevation: float | None = None,
    pet: str | None = None,
    missing: Sequence[float] = (),
    separator: str | None = None,
    decimal: str = ".",
    max_gap: int = 0,
) -> xr.Dataset:
    """Read a delimited text file with a header, any regular interval.

    Parameters
    ----------
    path : str or Path
    columns : mapping of schema name to column, optional
        Such as ``{"precipitation": "rain", "discharge": "Q"}``. Where not given, the schema's own
        names and ``precip_mm, pet_mm, temp_c, flow_mm, flow_m3s`` are recognised.
    units : mapping of schema name to unit, optional
        mm/d, mm/h, mm (sum over the interval), cm/d, m/d, in, in/d, kg/m2/s; m3/s, L/s, cfs for
        discharge; degC, K, degF. Where not given: mm/d and degC, or as the known name says.
    time : str or sequence of str, optional
        Column with dates (the start of each interval), or the columns of year, month, day (and
        hour, minute). Where not given: time, date, datetime or timestamp.
    date_format : str, optional
        As in ``datetime.strptime``, where dates could mean two things.
    area : float, in km2, optional
        Needed where discharge is a volume.
    latitude, elevation : float, in degrees north and in m, optional
        For potential evaporation.
    pet : {"oudin", "hamon", "hargreaves", "priestley_taylor", "penman_monteith"}, optional
        Compute potential evaporation from daily temperature (and more), see
        ``pymc_hydro.data.potential_evaporation``.
    missing : sequence of float
        Codes of missing values, such as ``(-999,)``.
    separator, decimal : str
        Guessed from the header, and ".".
    max_gap : int
        Gaps of the forcing up to this many intervals are filled by linear interpolation.

    Returns
    -------
    Dataset
        Of the schema, on ``time``; missing discharge is NaN.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError
        What is wrong, where, and the usual fix. What can be repaired is, with a warning.
    """
    path = Path(path)
    table = read_table(path, separator=separator, decimal=decimal)
    dates = _dates(path, table, time, date_format)
    chosen = _columns(path, table, columns, units or {})
    frame = series(path, table, dates, chosen, area=area, missing=missing)
    attrs = {"area_km2": area, "latitude": latitude, "elevation": elevation, "source": path.name}
    return assemble(path, [frame], attrs=attrs, pet=pet, max_gap=max_gap)


def _columns(path, table, columns, units):
    if columns is None:
        lower = {c.lower(): c for c in table.columns}
        chosen = {}
        for known, (name, unit) in KNOWN.items():
            if known in lower and name not in chosen:
                chosen[name] = (lower[known], unit)
        if not chosen:
            raise KeyError(
                f"{path}: no column is recognised among {', '.join(map(repr, table.columns))}; say "
                "which is which, such as columns={'precipitation': 'rain', 'discharge': 'Q'}"
            )
    else:
        known = {**{n: u[0] for n, (u, _) in VARIABLES.items()}, **EXTRAS}
        strange = [n for n in columns if n not in known]
        if strange:
            raise KeyError(
                f"{path}: columns= names {', '.join(map(repr, strange))}; known are "
                f"{', '.join(known)} (schema name first, then the file's column)"
            )
        chosen = {n: (c, known[n]) for n, c in columns.items()}
    strange = [n for n in units if n not in chosen]
    if strange:
        raise KeyError(f"{path}: units= names {strange}, which is not read")
    return {n: (c, units.get(n, unit)) for n, (c, unit) in chosen.items()}


def _dates(path, table, time, date_format):
    first_line = table.attrs["first_line"]
    if time is not None and not isinstance(time, str):
        absent = [c for c in time if c not in table]
        if absent:
            raise KeyError(f"{path}: no columns {absent}; found {', '.join(table.columns)}")
        return from_parts(path, table[list(time)], first_line)
    if time is None:
        lower = {c.lower(): c for c in table.columns}
        time = next((lower[d] for d in DATES if d in lower), None)
    if time not in table:
        raise KeyError(
            f"{path}: no column with dates ({', '.join(DATES)}) among "
            f"{', '.join(map(repr, table.columns))}; give time="
        )
    return parse_dates(path, table[time], date_format, first_line)


def from_parts(path, parts: pd.DataFrame, first_line: int = 1) -> pd.DatetimeIndex:
    """Return dates from the columns year, month, day, hour, minute, in this order."""
    names = ("year", "month", "day", "hour", "minute")[: parts.shape[1]]
    parts = parts.set_axis(names, axis=1)
    numbers = parts.apply(pd.to_numeric, errors="coerce")
    whole = pd.to_datetime(numbers, errors="coerce")
    if whole.isna().any():
        at = int(whole.isna().to_numpy().argmax())
        check_year(path, at + first_line, numbers["year"].iloc[at], list(parts.iloc[at]))
        raise ValueError(
            f"{path}: line {at + first_line}: {list(parts.iloc[at])} is not a date "
            f"({', '.join(names)}); {int(whole.isna().sum())} such lines"
        )
    return index_of(path, whole, first_line)
