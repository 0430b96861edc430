"""Delimited text with one column a variable."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import xarray as xr

from pymc_hydro.data.readers.machinery.assemble import assemble, series
from pymc_hydro.data.readers.machinery.declaration import EXTRAS
from pymc_hydro.data.readers.text.dates import dates_of, looks_like_date
from pymc_hydro.data.readers.text.files import header_of, read_table
from pymc_hydro.data.schema import VARIABLES

__all__ = ["is_record", "read_csv"]

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
YEARS = ("year", "yr", "yyyy")


def read_csv(
    path: str | Path,
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


def is_record(path: Path) -> bool:
    """Return whether a text file has a header and dates, and so may be a record of a basin."""
    names, separator = header_of(path)
    if {name.lower() for name in names} & {*DATES, *YEARS}:
        return True
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        lines = (line for line in stream if not line.startswith("#"))
        line = next(islice(lines, 1, None), "")
    return looks_like_date(line.split(separator)[0].strip(' "'))


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
    if time is None:
        lower = {c.lower(): c for c in table.columns}
        time = next((lower[d] for d in DATES if d in lower), None)
    if time is None or (isinstance(time, str) and time not in table):
        raise KeyError(
            f"{path}: no column with dates ({', '.join(DATES)}) among "
            f"{', '.join(map(repr, table.columns))}; give time="
        )
    return dates_of(path, table, time, date_format)
