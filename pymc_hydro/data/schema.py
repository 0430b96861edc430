"""The one Dataset schema for basins, and the checks that data must pass before they are used."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.core.base.warning import warn_user
from pymc_hydro.data.checks.dates import as_dates, check_axis, date_text
from pymc_hydro.data.checks.limits import doubts
from pymc_hydro.data.checks.names import look_alike
from pymc_hydro.data.checks.quantities import without_units
from pymc_hydro.data.checks.values import as_floats, check_codes
from pymc_hydro.data.units import are_same_unit, parse_unit

__all__ = [
    "VARIABLES",
    "Warmup",
    "as_basin",
    "check_units",
    "check_values",
    "check_warmup",
    "checked_basin",
    "date_text",
    "interval_length",
    "split_record",
    "unit_of",
    "warn_if_doubtful",
]

# Name: unit and description.
VARIABLES = {
    "precipitation": ("mm/d", "rain and snow"),
    "potential_evaporation": ("mm/d", "potential evaporation"),
    "temperature": ("degC", "mean air temperature"),
    "discharge": ("mm/d", "observed discharge"),
    "day_of_year": ("d", "day of the year, 1 at noon of 1 January"),
}
TEMPERATURE_RANGE = (-90.0, 65.0)  # degC, records of the Earth; beyond are other units
DAY, HOUR = np.timedelta64(1, "D"), np.timedelta64(1, "h")
SHORT_WARMUP = 30 * DAY
# A number of intervals, or a duration.
Warmup = int | str | timedelta | np.timedelta64


def as_basin(data: xr.Dataset | pd.DataFrame, needed: Sequence[str] = ()) -> xr.Dataset:
    """Return `data` as a Dataset of the schema, after checking it.

    Parameters
    ----------
    data : Dataset or DataFrame
        Coordinate (or index, or column) ``time``, sorted and regular, the start of each interval;
        variables ``precipitation``, ``potential_evaporation``, ``discharge`` in mm/d,
        ``temperature`` in degC. A missing ``units`` attribute is taken to be the right one.
    needed : sequence of str
        Variables that must be there.

    Returns
    -------
    Dataset
        The same values, float64, on ``time``.

    Raises
    ------
    TypeError, KeyError, ValueError
        The fault, its place, and the usual fix.

    Warns
    -----
    UserWarning
        Of possible but unlikely values: sums or ratios, a temperature that does not change, summers
        with the least evaporation, observations in the future, a 999 among small numbers.
    """
    basin = checked_basin(data, needed)
    warn_if_doubtful("basin", basin)
    return basin


def warn_if_doubtful(what: str, basin: xr.Dataset) -> None:
    """Warn of possible but unlikely values in a checked basin; `what` is its name in messages."""
    series = {str(name): variable.values for name, variable in basin.data_vars.items()}
    for text in doubts(series, basin["time"].values):
        warn_user(f"{what}: {text}", once=True)


def checked_basin(data: xr.Dataset | pd.DataFrame, needed: Sequence[str] = ()) -> xr.Dataset:
    """Return `data` as :func:`as_basin` does, without its warnings."""
    if isinstance(data, pd.DataFrame):
        frame = data.set_index("time") if "time" in data.columns else data
        data = frame.rename_axis(index="time")
    elif not isinstance(data, xr.Dataset):
        raise TypeError(
            f"basin: expected an xarray Dataset or a pandas DataFrame, found {type(data).__name__}"
        )
    data = without_units(data, {name: unit for name, (unit, _) in VARIABLES.items()})
    if "time" not in data.coords:
        raise KeyError("basin: no coordinate 'time'; rename the date column or index to 'time'")
    missing = [name for name in needed if name not in (*data, "day_of_year")]
    if missing:
        raise KeyError(_missing_text(missing, data))
    time = as_dates("basin: 'time'", data.indexes.get("time", data["time"].values)).to_numpy()
    check_axis("basin: 'time'", time)
    if "day_of_year" in needed and "day_of_year" not in data:
        data = data.assign(day_of_year=("time", _day_of_year(time)))
    variables = {}
    for name, (unit, description) in VARIABLES.items():
        if name not in data:
            continue
        variable = data[name]
        if variable.dims != ("time",):
            raise ValueError(
                f"basin: {name!r} has dimensions {variable.dims}, expected ('time',); select one "
                "basin first"
            )
        check_units(f"basin: {name!r}", name, variable.attrs)
        values = as_floats(variable, f"basin: {name!r}")
        check_values(name, values, time, gaps=name == "discharge")
        attributes = {"long_name": description, **variable.attrs, "units": unit}
        variables[name] = ("time", values, attributes)
    for name in (n for n in needed if n not in variables):  # a parameter that changes in time
        variables[name] = ("time", as_floats(data[name], f"basin: {name!r}"), {})
    return xr.Dataset(variables, coords={"time": time}, attrs=data.attrs)


def _day_of_year(time) -> np.ndarray:
    """Return the day of the year in the middle of each interval."""
    middle = time + (time[1] - time[0]) / 2
    year = middle.astype("datetime64[Y]").astype(time.dtype)
    return (middle - year) / DAY + 0.5


def _missing_text(missing, data) -> str:
    text = f"basin: missing {', '.join(map(repr, missing))}; found "
    text += ", ".join(map(str, data.data_vars)) or "none"
    others = [name for name in data.data_vars if name not in VARIABLES]
    names = {look_alike(name, others): name for name in missing}
    names.pop(None, None)
    if names:
        text += f"; perhaps rename({names})"
    if "precipitation" in missing and "discharge" in data:
        text += "; ph.join(forcing, discharge) puts discharge beside forcing from another file"
    elif "potential_evaporation" in missing and not names:
        text += (
            "; a reader computes it from temperature and latitude (pet='oudin', latitude=...) or "
            "from a climatology (pet=[12 values in mm/d])"
        )
    if "temperature" in missing:
        text += "; a model without snow (snow=False) needs no temperature"
    return text


def check_units(what: str, name: str, attributes: Mapping) -> None:
    """Raise ValueError if the attribute ``units`` is not that of the variable `name`.

    Parameters
    ----------
    what : str
        Owner of the unit in messages, singular or plural.
    name : str
        Of the schema; those of temperature may have more to their name. Others are not checked.
    attributes : mapping
    """
    name = "temperature" if name.startswith("temperature") else name
    expected = VARIABLES[name][0] if name in VARIABLES else None
    found = unit_of(attributes)
    if found and expected and found != expected:
        fix = _conversion(found)
        if found in {unit for unit, _ in VARIABLES.values()}:
            fix = f"the numbers are another quantity than {name}"
        raise ValueError(f"{what}: unit {found!r}, expected {expected!r}; {fix}")


def _conversion(text: str) -> str:
    """Return the instruction that converts numbers to the unit of the schema."""
    unit = parse_unit(text)
    if unit is None or unit.span:
        return "convert it"
    factor = f"multiply by {unit.factor:.6g}"
    if unit.kind == "temperature":
        if unit.factor == 1:
            return f"subtract {-unit.shift:g}"
        return f"subtract {-unit.shift / unit.factor:g} and multiply by {unit.factor:.6g}"
    if unit.kind in ("flow", "volume"):
        factor = f"multiply by {unit.factor / 1e3:.6g} and divide by the basin's area in km2"
    if unit.kind in ("sum", "volume"):
        factor += ", then divide the sums by the length of their interval in days"
    return factor.removeprefix("multiply by 1, then ")


def unit_of(attributes: Mapping) -> str:
    """Return the attribute ``units``, in the schema's spelling where it is a unit of the schema."""
    found = str(attributes.get("units", "")).strip()
    return next((unit for unit, _ in VARIABLES.values() if are_same_unit(unit, found)), found)


def interval_length(basin: xr.Dataset) -> float:
    """Return the length of the intervals of a checked basin, in days."""
    time = basin["time"].values
    return float((time[1] - time[0]) / DAY)


def check_warmup(warmup: Warmup, time: np.ndarray) -> int:
    """Return the number of intervals of a warm-up, after checking that some are left after it.

    Parameters
    ----------
    warmup : int, str or Timedelta
        A number of intervals, or a duration: ``"365D"``, ``pd.Timedelta(days=365)``.
    time : array of datetime64, shape (n_time,)
        The intervals of a record, sorted and regular.

    Raises
    ------
    ValueError
        If it is neither, negative, no whole number of intervals, or as long as the record.

    Warns
    -----
    UserWarning
        If a number of intervals, other than zero, is less than 30 days of sub-daily data: 365
        hours are often meant to be 365 days.
    """
    step = time[1] - time[0]
    if isinstance(warmup, (str, timedelta, np.timedelta64)):
        n_warmup = _whole_intervals(warmup, step)
    else:
        number = isinstance(warmup, (int, float, np.integer, np.floating)) and np.isfinite(warmup)
        if not number or int(warmup) != warmup or warmup < 0:
            raise ValueError(
                "warmup: expected a whole number of intervals >= 0 or a duration such as '365D', "
                f"found {warmup!r}"
            )
        n_warmup = int(warmup)
        if n_warmup and step < DAY and n_warmup * step < SHORT_WARMUP:
            warn_user(
                f"warmup: {n_warmup} intervals of {_length_text(step)} are "
                f"{_length_text(n_warmup * step)} only; say how long it is meant to be, such as "
                "warmup='365D'",
            )
    if n_warmup >= time.size:
        raise ValueError(
            f"basin: the record has {time.size} intervals and the warm-up takes {n_warmup}, "
            "nothing is left; give a longer record or a smaller warmup"
        )
    return n_warmup


def _whole_intervals(duration: str | timedelta | np.timedelta64, step: np.timedelta64) -> int:
    """Return how many intervals a duration has."""
    try:
        found = pd.Timedelta(duration)
    except ValueError:
        found = pd.NaT
    if (
        found is pd.NaT
        or found < pd.Timedelta(0)
        or (isinstance(duration, str) and _bare(duration))
    ):
        raise ValueError(
            f"warmup: expected a duration of a number and a unit, such as '365D' or '48h', found "
            f"{duration!r}"
        )
    n, rest = divmod(found, pd.Timedelta(step))
    if rest:
        raise ValueError(
            f"warmup: {duration!r} is no whole number of intervals, which are {_length_text(step)} "
            "long"
        )
    return int(n)


def _bare(duration: str) -> bool:
    """Return whether a text is a number without a unit, which pandas takes for nanoseconds."""
    return duration.strip().lstrip("+-").replace(".", "", 1).isdigit()


def _length_text(length: np.timedelta64) -> str:
    hours = float(length / HOUR)
    return f"{hours / 24:g} d" if hours >= 24 else f"{hours:g} h"


def split_record(basin: xr.Dataset, date: str, warmup: Warmup) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the record before `date`, and the one from `date` on with its warm-up before it.

    Parameters
    ----------
    basin : Dataset
        On ``time``.
    date : str
        First day of the second period, such as "1958-10-01".
    warmup : int, str or Timedelta
        Intervals before `date` that the second record begins with; or their duration, such as
        "365D".

    Raises
    ------
    ValueError
        If either period would be empty, or the record has no room for the warm-up.
    """
    position = int(np.searchsorted(basin["time"].values, np.datetime64(date)))
    n_time, warmup = basin.sizes["time"], check_warmup(warmup, basin["time"].values)
    if not warmup <= position < n_time or position == 0:
        first, last = (date_text(basin["time"].values[i]) for i in (0, -1))
        raise ValueError(
            f"split: {date} must lie in the record ({first} to {last}) with {warmup} intervals "
            "before it"
        )
    return basin.isel(time=slice(0, position)), basin.isel(time=slice(position - warmup, None))


def check_values(
    name: str, values: np.ndarray, time: np.ndarray, gaps: bool, where: str = "basin"
) -> None:
    """Raise ValueError if a variable has values that it cannot have, or none where it must."""
    bad = np.isinf(values) if gaps else ~np.isfinite(values)
    if bad.any():
        raise ValueError(
            f"{where}: {name!r} has {bad.sum()} values that are missing or infinite, first at "
            f"{date_text(time[bad.argmax()])}; "
            + ("write missing values as NaN" if gaps else "forcing must be complete: fill it first")
        )
    if name == "temperature":
        check_codes(f"{where}: values of {name!r}", values, time, signed=True)
        low, high = TEMPERATURE_RANGE
        out, what = (values < low) | (values > high), f"outside {low:g} to {high:g} degC"
        fix = "is it in K or degF?"
    else:
        out, what, fix = (
            values < 0,
            "negative",
            "replace codes such as -999 by NaN (na= of a reader)",
        )
        if name == "potential_evaporation" and values[np.isfinite(values)].sum() < 0:
            fix = "is evaporation counted as a loss, as in ERA5? then multiply it by -1"
    if out.any():
        at = out.argmax()
        raise ValueError(
            f"{where}: {name!r} is {what} in {out.sum()} intervals, first {values[at]:g} at "
            f"{date_text(time[at])}; {fix}"
        )
    check_codes(f"{where}: values of {name!r}", values, time, signed=name == "temperature")
