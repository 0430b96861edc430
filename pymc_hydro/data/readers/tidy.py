"""Tables with one column a variable: delimited text, sheets of Excel, netCDF files of one place."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from pymc_hydro.core.base.warning import renamed_arguments
from pymc_hydro.data.checks.names import DATES, PARTS, look_alike, plain_name
from pymc_hydro.data.readers.machinery.assemble import assemble, series
from pymc_hydro.data.readers.machinery.declaration import EXTRAS
from pymc_hydro.data.readers.text.dates import dates_of
from pymc_hydro.data.readers.text.files import head_of, header_of, warn
from pymc_hydro.data.readers.text.formats import looks_like_date
from pymc_hydro.data.readers.text.header import LIQUID, dates_among, headings, variables_among
from pymc_hydro.data.readers.text.sheets import Sheet, open_sheet
from pymc_hydro.data.schema import VARIABLES

__all__ = ["is_record", "read_csv"]

UNITS = {name: unit for name, (unit, _) in VARIABLES.items()} | EXTRAS
SOLID = ("snow", "schnee", "neige", "nieve", "neve")
DAY = np.timedelta64(1, "D")


@renamed_arguments(missing="na")
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
    pet: str | Sequence[float] | None = None,
    na: float | str | Sequence[float | str] = (),
    flags: Mapping[str, float | str | Sequence[float | str]] | None = None,
    skip: int = 0,
    units_row: bool | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    sheet: str | int = 0,
    max_gap: int = 0,
) -> xr.Dataset:
    """Read a table with a header, any regular interval: text, Excel (``.xlsx``) or netCDF.

    Parameters
    ----------
    path : str or Path
    columns : mapping of schema name to column, optional
        Such as ``{"precipitation": "rain", "discharge": "Q"}``. Where not given, the schema's own
        names and the usual ones in English, German, French and Spanish are recognised, with their
        unit: ``Rain (mm)``, ``Abfluss [m3/s]``, ``flow_m3s``; a warning lists all other columns.
    units : mapping of schema name to unit, optional
        Such as mm/d, mm/h, mm (sum over the interval), m, in, mm/month, kg/m2/s; m3/s, L/s, cfs,
        ML/d, m3/d for discharge; degC, K, degF; in any of the usual spellings. Where not given: the
        unit in the header, or else mm/d and degC. Discharge that is called ``Q`` or the like needs
        one.
    time : str or sequence of str, optional
        Column with dates (the start of each interval); the columns of year, month, day (and hour,
        minute), of year and day of the year, or of date and clock. Recognised where not given.
    date_format : str, optional
        As in ``datetime.strptime``, where dates could mean two things.
    area : float, in km2, optional
        Needed where discharge is a volume.
    latitude, elevation : float, in degrees north and in m, optional
        For potential evaporation.
    pet : str or sequence of float, optional
        "oudin", "hamon", "hargreaves", "priestley_taylor" or "penman_monteith": compute
        potential evaporation from daily temperature (and more), see
        ``pymc_hydro.data.potential_evaporation``. Or a climatology in mm/d: a value for each month
        (12) or each day of a year (365 or 366).
    na : float or str, or a sequence of them
        Codes of missing values, such as ``(-999, "Ice")``.
    flags : mapping of column to code, or to a sequence of them
        Discharge is missing where a column has such a code, such as ``{"quality": ("B", "E")}``.
    skip : int
        Lines before the header.
    units_row : bool, optional
        Whether the line after the header holds units; found out where not given.
    separator, decimal : str, optional
        Found out where not given.
    sheet : str or int
        Of an Excel file.
    max_gap : int
        Gaps of the forcing up to this many intervals are filled by linear interpolation.

    Returns
    -------
    Dataset
        Of the schema, on ``time``; missing discharge is NaN.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError
        The fault, its place, and the usual fix. A fault that can be repaired is repaired, with a
        warning.
    """
    path = Path(path)
    found = open_sheet(path, skip, units_row, separator, decimal, sheet)
    used = _dates(path, found, time)
    dates = dates_of(path, found.table, used if len(used) > 1 else used[0], date_format)
    chosen = _columns(path, found, columns, units or {}, used, dates, flags or {})
    frame = series(path, found.table, dates, chosen, area=area, na=na, flags=flags or {})
    attrs = {"area_km2": area, "latitude": latitude, "elevation": elevation, "source": path.name}
    return assemble(path, [frame], attrs=attrs, pet=pet, max_gap=max_gap)


def is_record(path: Path) -> bool:
    """Return whether a text file has a header and dates, and so may be a record of a basin."""
    names, separator = header_of(path)
    if {plain_name(name) for name in names} & {*DATES, *PARTS["year"].split()}:
        return True
    line = next(iter(head_of(path, separator)[0][1:2]), [""])
    return looks_like_date(line[0].strip(' "'))


def _columns(path, found: Sheet, columns, units, used, dates, flags):
    """Return column and unit of each variable."""
    described = {h.column: h for h in headings(list(found.table.columns), found.units)}
    if columns is None:
        chosen = variables_among([h for h in described.values() if h.column not in used])
        if not chosen:
            raise KeyError(
                f"{path}: no column is recognised among "
                f"{', '.join(map(repr, found.table.columns))}; say which is which, such as "
                f"columns={{'precipitation': 'rain', 'discharge': 'Q'}}{found.hint}"
            )
        _list_others(path, found.table.columns, chosen, {*used, *flags})
    else:
        if strange := [n for n in columns if n not in UNITS]:
            raise KeyError(
                f"{path}: columns= names {', '.join(map(repr, strange))}; known are "
                f"{', '.join(UNITS)} (schema name first, then the file's column)"
            )
        unknown = [c for c in columns.values() if c not in described]
        if unknown:
            raise KeyError(
                f"{path}: no column {', '.join(map(repr, unknown))}; found "
                f"{', '.join(map(repr, found.table.columns))}{found.hint}"
            )
        chosen = {n: described[c] for n, c in columns.items()}
    if strange := [n for n in units if n not in chosen]:
        raise KeyError(f"{path}: units= names {strange}, which is not read")
    named = columns is not None
    return {
        name: (h.column, units.get(name) or h.unit or _usual_unit(path, name, h, dates, named))
        for name, h in chosen.items()
    }


def _usual_unit(path, name, heading, dates, named):
    """Return the unit of a column whose header has none."""
    if named or heading.column == name or name not in VARIABLES or name == "temperature":
        return UNITS[name]
    if name == "discharge":
        raise ValueError(
            f"{path}: the unit of {heading.column!r} is not known; give "
            "units={'discharge': 'mm/d'}, or 'm3/s' or another one with area= in km2"
        )
    if dates[1] - dates[0] != DAY:
        raise ValueError(
            f"{path}: the unit of {heading.column!r} is not known; give units={{{name!r}: 'mm'}} "
            "if it is a sum over the interval, or 'mm/h' or 'mm/d' if it is a rate"
        )
    return "mm"


def _list_others(path, columns, chosen, used):
    """Warn of columns that are not read, and say which may be a variable."""
    of_dates = {n for names in PARTS.values() for n in names.split()} | set(DATES)
    read = {h.column for h in chosen.values()} | used
    others = [c for c in columns if c not in read and plain_name(c) not in of_dates]
    others = [c for c in others if not c.startswith("Unnamed") and c]
    if not others:
        return
    rain = chosen.get("precipitation")
    snow = [c for c in others if plain_name(c).startswith(SOLID)]
    if snow and rain and plain_name(rain.column).startswith(LIQUID):
        warn(
            path,
            f"{rain.column!r} is read as the precipitation, and {snow[0]!r} beside it is not; if "
            "it is snowfall, write a column with the sum of both",
        )
    alike = {n: look_alike(n, others) for n in VARIABLES if n not in chosen}
    alike = {n: c for n, c in alike.items() if c}
    fix = f"; perhaps columns={{..., {str(alike)[1:-1]}}}" if alike else ""
    warn(path, f"columns that are not read: {', '.join(map(repr, others))}{fix}")


def _dates(path, found: Sheet, time) -> list[str]:
    """Return the columns of dates."""
    if time is not None and not isinstance(time, str):
        return list(time)
    if time is None:
        first = [str(found.table[c].iloc[0]) for c in found.table]
        dates = dates_among(list(found.table.columns), first)
    else:
        dates = [time] if time in found.table else []
    if not dates:
        raise KeyError(
            f"{path}: no column with dates among {', '.join(map(repr, found.table.columns))}; give "
            f"time= (a column, or those of year, month, day){found.hint}"
        )
    return dates
