"""From the columns of one or several files to one checked Dataset of the schema."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.checks.limits import doubts
from pymc_hydro.data.checks.values import as_floats
from pymc_hydro.data.evaporation import potential_evaporation
from pymc_hydro.data.readers.machinery.declaration import EXTRAS
from pymc_hydro.data.readers.text.axis import regular
from pymc_hydro.data.readers.text.files import parse_numbers, warn
from pymc_hydro.data.schema import VARIABLES, checked_basin
from pymc_hydro.data.units import to_schema

__all__ = ["assemble", "series", "spread_over", "warn_of_doubts"]

PLACE = {"area_km2", "latitude", "elevation"}
FORCING = ("precipitation", "potential_evaporation", "temperature")
# Limits of nature, in mm/d, beyond which a value has a wrong unit or is a wrong number.
HEAVIEST_DAY, HEAVIEST_HOUR = 2000.0, 10000.0  # records: 1825 mm in a day, 401 mm in an hour
LARGEST_FLOW = 5000.0
LARGEST_MONTH = 25.0  # mm/d of potential evaporation, as the mean of a month or of a day of a year
WARMEST_MEAN = 36.0  # degC, the warmest place has 34
EXTREMES = ["temperature_min", "temperature_max"]  # of a day, whose mean stands for that of the day
EVAPORATION, FLAGGED = "potential_evaporation", "discharge"
LEAP_DAY = 60  # 29 February, counted from 1
SMALL_NEGATIVE = {"precipitation": 0.01, "potential_evaporation": 5.0}  # packing; dew and frost


def series(
    source,
    table: pd.DataFrame,
    dates: pd.DatetimeIndex,
    columns: Mapping,
    *,
    area: float | None = None,
    na: float | str | Sequence[float | str] = (),
    flags: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Return columns of a file in the units of the schema, on an even time axis.

    Parameters
    ----------
    source : str or Path
    table : DataFrame
        From ``read_table``.
    dates : DatetimeIndex
    columns : mapping of schema name to (column, unit)
    area : float, in km2, optional
    na : sequence of float or str
        Codes of missing values in the file.
    flags : mapping of column to code, or to a sequence of them
        Where a column has such a code, discharge is missing.
    """
    na = [na] if isinstance(na, str | int | float) else list(na)
    na += [float(code) for code in na if isinstance(code, str) and _is_number(code)]
    if texts := [code for code in na if isinstance(code, str)]:
        names = [c for c, _ in columns.values() if c in table]
        masked = {c: table[c].mask(table[c].astype(str).str.strip().isin(texts)) for c in names}
        table = _with_attrs(table.assign(**masked), table)
    found = {n: parse_numbers(source, table, c).to_numpy() for n, (c, _) in columns.items()}
    frame = pd.DataFrame(found, index=dates)
    if codes := [code for code in na if not isinstance(code, str)]:
        frame = frame.mask(frame.isin(codes))
    for flag, marks in (flags or {}).items():
        if flag not in table:
            raise KeyError(
                f"{source}: no column {flag!r} of flags; found "
                f"{', '.join(map(repr, table.columns))}"
            )
        marks = [marks] if isinstance(marks, str | Real) else list(marks)
        marked = _as_codes(table[flag]).isin(_as_codes(pd.Series(marks))).to_numpy()
        frame[FLAGGED] = frame[FLAGGED].mask(marked)
    frame = regular(source, frame)
    for name, (_, unit) in columns.items():
        if name in VARIABLES or name.startswith("temperature"):
            frame[name] = to_schema(source, name, frame[name], unit, frame.index, area)
        elif unit != EXTRAS[name]:
            raise ValueError(
                f"{source}: {name!r} is in {unit!r}, expected {EXTRAS[name]!r}; convert it first"
            )
    return frame


def _as_codes(cells: pd.Series) -> pd.Series:
    """Return codes as text; a column of whole numbers with gaps has them as floats."""
    return cells.astype(str).str.strip().str.removesuffix(".0")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _with_attrs(table, like):
    table.attrs = dict(like.attrs)
    return table


def spread_over(source, values: pd.DataFrame, index: pd.DatetimeIndex) -> pd.DataFrame:
    """Return values without dates on a time axis.

    Parameters
    ----------
    source : str or Path
    values : DataFrame
        With a line for each date, or a climatology: for each day of a year or each month.
    index : DatetimeIndex

    Raises
    ------
    ValueError
        If it has another number of lines.
    """
    n = len(values)
    # Days counted as in a leap year; of 365 days, the last one of February stands twice in it.
    day = pd.to_datetime({"year": 2000, "month": index.month, "day": index.day}).dt.day_of_year
    at = {
        12: index.month.to_numpy() - 1,
        365: (day - 1 - (day >= LEAP_DAY)).to_numpy(),
        366: (day - 1).to_numpy(),
        len(index): np.arange(len(index)),
    }
    if n not in at:
        raise ValueError(
            f"{source}: has {n} values without dates, expected {len(index)} (one for each interval "
            "of the record), 365 or 366 (for each day of a year) or 12 (for each month)"
        )
    return values.iloc[at[n]].set_index(index)


def assemble(
    source,
    frames: Sequence[pd.DataFrame],
    *,
    attrs: Mapping,
    pet: str | Sequence[float] | None = None,
    max_gap: int = 0,
) -> xr.Dataset:
    """Return one checked Dataset, on the intervals for which there is forcing.

    Discharge alone is a record too, for :func:`pymc_hydro.join`.

    Parameters
    ----------
    source : str or Path
    frames : sequence of DataFrame
        From :func:`series`; their columns together.
    attrs : mapping
        Attributes of the Dataset; ``latitude`` (degrees north) and ``elevation`` (m) are used to
        compute potential evaporation, None is left out.
    pet : str or sequence of float, optional
        Method by which to compute potential evaporation, or a climatology in mm/d (12, 365 or 366
        values), in place of the column of the files.
    max_gap : int
        Gaps of the forcing up to this many intervals are filled by linear interpolation, with a
        warning.

    Raises
    ------
    ValueError
        If forcing is missing in between, or a value cannot be.
    """
    attrs = {k: v for k, v in attrs.items() if v is not None}
    for name in PLACE & set(attrs):
        if not isinstance(attrs[name], Real) or not np.isfinite(attrs[name]):
            raise ValueError(
                f"{source}: {name} must be a number, found {attrs[name]!r}; areas are in km2, "
                "latitudes in degrees, positive in the north"
            )
    steps = {f.index[1] - f.index[0] for f in frames}
    if len(steps) > 1:
        raise ValueError(f"{source}: files of different intervals, {sorted(map(str, steps))}")
    frame = pd.concat(frames, axis=1, sort=True)
    frame = frame.asfreq(frames[0].index[1] - frames[0].index[0])
    there = {name for name in frame if frame[name].notna().any()}
    if "temperature" not in there and there.issuperset(EXTREMES):
        frame["temperature"] = frame[EXTREMES].mean(axis=1, skipna=False)
    if pet is not None:
        frame = frame.drop(columns=EVAPORATION, errors="ignore")
    if pet is not None and not isinstance(pet, str):
        frame, pet = frame.join(_climatology(f"{source}: pet", pet, frame.index)), None
    if "discharge" not in frame or set(FORCING) & set(frame):
        frame = _complete(source, frame, max_gap)
    if EVAPORATION in frame and frame[EVAPORATION].sum() < 0:
        raise ValueError(
            f"{source}: potential_evaporation is negative on average; is evaporation counted as a "
            "loss, as in ERA5? then multiply that column by -1"
        )
    for name, limit in SMALL_NEGATIVE.items():
        if name in frame:
            small = (frame[name] < 0) & (frame[name] > -limit)
            if small.any():
                least = frame.loc[small, name].min()
                n = int(small.sum())
                warn(source, f"{n} {name} values from {least:.3g} to 0 mm/d were set to zero")
                frame.loc[small, name] = 0.0
    _check_limits(source, frame)
    data = xr.Dataset.from_dataframe(frame.rename_axis(index="time"))
    for name in set(EXTRAS) & set(frame):
        data[name].attrs["units"] = EXTRAS[name]
    try:
        basin = checked_basin(data)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    extras = data[[n for n in EXTRAS if n in data]]
    basin = basin.merge(extras).assign_attrs(**attrs, time_label="start of the interval")
    if pet is not None:
        if "latitude" not in attrs:
            raise ValueError(
                f"{source}: to compute potential evaporation the latitude is needed; give "
                "latitude=, or keep the data set's table of attributes in the folder"
            )
        basin = potential_evaporation(basin, pet)
    warn_of_doubts(source, basin)
    return basin


def _climatology(what, pet, index) -> pd.DataFrame:
    """Return a climatology in mm/d on a time axis."""
    values = np.atleast_1d(as_floats(pet, what))
    if values.size and not np.nanmax(values) <= LARGEST_MONTH:
        raise ValueError(
            f"{what}: expected mm/d, found up to {np.nanmax(values):g}; divide sums of months by "
            "their days"
        )
    return spread_over(what, pd.DataFrame({EVAPORATION: values}), index)


def _complete(source, frame, max_gap):
    forcing = [n for n in FORCING if n in frame]
    for name in [n for n in forcing if frame[n].isna().all()]:
        warn(source, f"has no value of {name}, which was left out")
        frame, forcing = frame.drop(columns=name), [n for n in forcing if n != name]
    if "precipitation" not in forcing:
        raise ValueError(
            f"{source}: has no precipitation beside {', '.join(map(str, frame))}; say which column "
            "it is, such as columns={'precipitation': 'rain', ...}"
        )
    there = frame[forcing].notna()
    whole = np.flatnonzero(there.all(axis=1))
    if whole.size < 2:
        raise ValueError(
            f"{source}: no two intervals have all of {', '.join(forcing)}; look at the dates of "
            "the files"
        )
    inside = slice(whole[0], whole[-1] + 1)
    cut = there.any(axis=1).to_numpy().copy()
    cut[inside] = False
    if cut.any():
        first, last = frame.index[whole[[0, -1]]]
        text = f"cut to {first} .. {last}, where {', '.join(forcing)} begin and end together"
        warn(source, f"{text}; {int(cut.sum())} intervals have only some of them")
    frame = frame.iloc[inside].copy()
    for name in forcing:
        gap = frame[name].isna().to_numpy()
        if not gap.any():
            continue
        starts = np.flatnonzero(np.diff(gap.astype(int)) == 1) + 1
        ends = np.flatnonzero(np.diff(gap.astype(int)) == -1) + 1
        longest = int((ends - starts).max())
        if longest > max_gap:
            raise ValueError(
                f"{source}: {name} is missing in {int(gap.sum())} intervals, first at "
                f"{frame.index[starts[0]]}, the longest gap has {longest}; forcing must be "
                f"complete: fill it from another source, read a shorter period, or give "
                f"max_gap={longest} to interpolate"
            )
        warn(source, f"{int(gap.sum())} missing values of {name} were interpolated")
        frame[name] = frame[name].interpolate()
    return frame


def _check_limits(source, frame):
    daily = frame.index[1] - frame.index[0] >= pd.Timedelta(days=1)
    most = {
        "precipitation": HEAVIEST_DAY if daily else HEAVIEST_HOUR,
        "potential_evaporation": 100.0 if daily else 1000.0,
        "discharge": LARGEST_FLOW,
    }
    for name, limit in most.items():
        if name in frame and frame[name].max() > limit:
            raise ValueError(
                f"{source}: {name} reaches {frame[name].max():.4g} mm/d at {frame[name].idxmax()}, "
                f"more than can be ({limit:g} mm/d); look at its unit, at the area, or at that line"
            )
    if "temperature" in frame and WARMEST_MEAN < frame["temperature"].mean() < 150:
        mean = frame["temperature"].mean()
        raise ValueError(
            f"{source}: temperature is {mean:.1f} degC on average, warmer than any place; is it in "
            "degF?"
        )


def warn_of_doubts(source, basin: xr.Dataset) -> None:
    """Warn of doubtful values: a unit, an area, a zero that stands for a missing value."""
    if {"temperature_min", "temperature_max"} <= set(basin):
        equal = basin["temperature_min"] == basin["temperature_max"]
        if float(equal.mean()) > 0.9:
            warn(
                source,
                "Tmax equals Tmin, both are the daily mean: Hargreaves' method and others that "
                "need the daily range will not work",
            )
    record = {name: basin[name].values for name in VARIABLES if name in basin}
    for text in doubts(record, basin["time"].values, shortest=0):
        warn(source, text)
    if "discharge" not in basin:
        return
    if not np.isfinite(record["discharge"]).any():
        warn(source, "discharge is missing in all intervals; do its dates and the forcing's agree?")
        return
    zeros = _doubtful_zeros(record["discharge"])
    if zeros:
        warn(
            source,
            f"discharge is exactly zero in {zeros} intervals between flows above half its median; "
            "does zero stand for missing? then set them to NaN",
        )


def _doubtful_zeros(flow) -> int:
    """Return the number of zeros that lie between two considerable flows."""
    known = flow[np.isfinite(flow)]
    zero = known == 0
    if not zero.any() or zero.all():
        return 0
    considerable = 0.5 * np.median(known[~zero])
    others = np.flatnonzero(~zero)
    after = np.searchsorted(others, np.flatnonzero(zero))
    between = (after > 0) & (after < others.size)
    before, behind = known[others[after[between] - 1]], known[others[after[between]]]
    return int(((before > considerable) & (behind > considerable)).sum())
