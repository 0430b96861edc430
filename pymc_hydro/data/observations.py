"""The gate that every series of observations passes, wherever it enters.

The observations of a user (an array, a Series, a DataArray, a quantity of pint) become numbers on
the time axis of the comparison, NaN where missing; or an error names the fault.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.core.base.warning import warn_user
from pymc_hydro.data.checks.dates import as_dates, check_length, date_text, interval_text
from pymc_hydro.data.checks.limits import isolated_text
from pymc_hydro.data.checks.quantities import pint_quantity, with_magnitude
from pymc_hydro.data.checks.values import as_floats, check_codes, place_text
from pymc_hydro.data.schema import VARIABLES, check_units, unit_of
from pymc_hydro.data.units import are_same_unit

__all__ = [
    "LABELLED",
    "as_floats",
    "check_observations",
    "check_one_basin",
    "check_output_unit",
    "dates_of_series",
    "match_dates",
    "observed_on",
    "same_unit",
    "series_unit",
]

LABELLED = (pd.Series, xr.DataArray)
# Parts of an interval: labels that far from its start are rounded; intervals that differ by more
# are of another length.
ROUNDED, SAME = 1 / 500, 0.25


def observed_on(
    what: str,
    observed,
    time,
    axis: str,
    n_time: int | None = None,
    *,
    quantity: str | None = "discharge",
    all_missing: bool = False,
) -> np.ndarray:
    """Return observations on a time axis, NaN where missing, after checking them.

    Parameters
    ----------
    what : str
        Whose observations they are, in messages, such as a likelihood's name.
    observed : DataArray or Series with dates, or array_like or quantity of pint, shape (n_time,)
        NaN, or masked, where missing. Dates name the start of an interval; the others have a value
        for each interval of the axis.
    time : array_like of datetime64, shape (n_time,), or None
        Starts of the intervals; None if they are not known.
    axis : str
        What the time axis is called in messages.
    n_time : int, optional
        Number of intervals where `time` is None.
    quantity : str or None
        A variable of the schema, whose unit and sign are checked; neither is of any other one.
    all_missing : bool
        Whether there need not be any observation.

    Returns
    -------
    array, shape (n_time,)

    Raises
    ------
    TypeError
        If the observations are no series of numbers, or their labels no dates.
    ValueError
        If dates, interval, unit or values do not fit.
    """
    observed = _in_unit(what, observed, quantity)
    if getattr(getattr(observed, "dtype", None), "kind", "") == "b":
        raise TypeError(f"{what}: observations are True and False, expected numbers")
    if isinstance(observed, LABELLED) and time is not None and _has_labels(observed):
        values = match_dates(what, observed, time, axis)
    else:
        values = as_floats(observed, what)
        n_time = n_time if time is None else len(time)
        if values.ndim != 1 or (n_time is not None and values.size != n_time):
            raise ValueError(
                f"{what}: observed has shape {values.shape}, expected ({n_time or 'n_time'},), one "
                f"value for each interval of the {axis}; leave the warm-up out where it is left "
                "out there, or give a DataArray or Series with dates"
            )
    check_observations(what, values, time, quantity=quantity, all_missing=all_missing)
    return values


def check_observations(
    what: str,
    values: np.ndarray,
    time=None,
    *,
    quantity: str | None = "discharge",
    all_missing: bool = False,
) -> None:
    """Raise ValueError if observations have a code of missing ones, or a value that cannot be.

    Parameters
    ----------
    what, time, quantity, all_missing
        As in :func:`observed_on`.
    values : array, shape (..., n_time)

    Warns
    -----
    UserWarning
        If the largest value is 99, 999 or the like and may be such a code.
    """
    signed = quantity not in VARIABLES or quantity == "temperature"
    infinite = np.isinf(values)
    if infinite.any():
        raise ValueError(
            f"{what}: observed has {int(infinite.sum())} infinite values"
            f"{place_text(values, infinite, time)}; write missing ones as NaN"
        )
    if not all_missing and not np.isfinite(values).any():
        raise ValueError(f"{what}: all observations are missing")
    check_codes(f"{what}: observations", values, time, signed)
    negative = values < 0
    if not signed and negative.any():
        raise ValueError(
            f"{what}: observations of {quantity} are negative in {int(negative.sum())} intervals"
            f"{place_text(values, negative, time)}; write missing ones as NaN"
        )
    if not signed and (text := isolated_text(values, time)):
        warn_user(f"{what}: observations of {quantity} {text}", once=True)


def match_dates(what: str, series: pd.Series | xr.DataArray, time, axis: str) -> np.ndarray:
    """Return the values of a series in the intervals of a time axis, NaN where it has none.

    Parameters
    ----------
    what : str
        Whose observations they are, in messages.
    series : Series or DataArray
        Its index, or its only coordinate, holds the start of each interval.
    time : array_like of datetime64, shape (n_time,)
    axis : str
        What the time axis is called in messages.

    Raises
    ------
    TypeError
        If the labels are no dates.
    ValueError
        If dates are repeated or disordered, their intervals are not those of the axis, they are
        not the starts of intervals, or none is in common.
    """
    labels, values = _sorted(what, series)
    axis_time = pd.DatetimeIndex(np.asarray(time)).as_unit("ns").asi8
    result = np.full(axis_time.size, np.nan)
    span = f"{labels[0]} to {labels[-1]}" if len(labels) else "none"
    apart = ValueError(
        f"{what}: observations ({span}) and the {axis} ({date_text(time[0])} to "
        f"{date_text(time[-1])}) do not overlap: they have no interval in common"
    )
    if not len(labels):
        raise apart
    at = labels.asi8
    there = np.isfinite(values)
    step = int(np.median(np.diff(axis_time))) if axis_time.size > 1 else 0
    if step:
        _check_interval(what, at, there, step, axis)
    rounded = int(step * ROUNDED)
    position = np.searchsorted(axis_time, at + rounded, side="right") - 1
    shift = at - axis_time[np.maximum(position, 0)]
    inside = (position >= 0) & (shift < max(step - rounded, 1))
    starts = inside & (np.abs(shift) <= rounded)
    _check_shift(what, labels, shift, inside & there, starts & there, step, axis)
    if not starts.any():
        raise apart
    used = position[starts]
    if (np.diff(used) == 0).any():
        twice = labels[starts][1:][np.diff(used) == 0][0]
        raise ValueError(
            f"{what}: observations have two values for the interval at {twice}; keep one"
        )
    result[used] = values[starts]
    return result


def _sorted(what, series):
    """Return dates and values of a labelled series, in the order of time."""
    if series.ndim != 1:
        raise ValueError(
            f"{what}: observations have dimensions {series.dims}, expected one; select one series "
            "first"
        )
    where = f"{what}: the index of the observations"
    index = series.indexes[series.dims[0]] if isinstance(series, xr.DataArray) else series.index
    labels, values = as_dates(where, index), as_floats(series, f"{what}: observations")
    if not labels.is_unique:
        twice = labels[labels.duplicated()][0]
        raise ValueError(f"{what}: observations have {twice} twice; drop duplicates")
    if labels.is_monotonic_decreasing:
        labels, values = labels[::-1], values[::-1]
    if not labels.is_monotonic_increasing:
        at = int((np.diff(labels.asi8) < 0).argmax())
        raise ValueError(
            f"{where} is not sorted: {labels[at]} is followed by {labels[at + 1]}; look whether "
            "day and month were mixed up when the dates were read, then sort by time"
        )
    check_length(where, labels.to_numpy())
    return labels, values


def _check_interval(what, at, there, step, axis):
    """Raise ValueError if labels are the intervals of another length than `step`."""
    length, on = interval_text(step), f"the intervals of the {axis} are {interval_text(step)}"
    found = np.diff(at[there])
    if found.size and np.median(found) < (1 - SAME) * step:
        raise ValueError(
            f"{what}: observations are {interval_text(int(np.median(found)))} apart, {on}; the "
            f"value at the start of an interval is not its mean: average them first, "
            f"series.resample('{length}').mean() or .resample(time='{length}').mean()"
        )
    steps = np.diff(at)
    if not steps.size or steps.min() < (1 + SAME) * step:
        return
    part = steps / steps.min()
    months = (pd.DatetimeIndex(at).day == 1).all() and steps.min() >= 28 * 86400e9
    if steps.size < 2 and not months:
        return
    if months or np.abs(part - np.rint(part)).max() < ROUNDED:
        every = "a month" if months else interval_text(int(steps.min()))
        raise ValueError(
            f"{what}: observations are {every} apart, {on}; a mean over more than an interval is "
            "no observation of the first: use a record of that interval, or say by "
            "ph.means(series, offset) that they are means over longer ones. If they are values of "
            f"single intervals, say so by an index with all of them: series.asfreq('{length}') or "
            f".resample(time='{length}').asfreq()"
        )


def _check_shift(what, labels, shift, inside, starts, step, axis):
    """Raise ValueError if observations inside of intervals are not labelled by their start."""
    off = inside & ~starts
    start = "; the label of an interval is its start: "
    if off.any():
        shifts = pd.to_timedelta(np.unique(shift[off]))
        by = "" if len(shifts) == 1 else " (for example)"
        fix = f"subtract pandas.Timedelta('{shifts[0]}') from the dates"
        if len(shifts) > 1:
            fix = f"round the dates, index.floor('{interval_text(step)}')"
        raise ValueError(
            f"{what}: {int(off.sum())} observations are labelled {shifts[0]}{by} after the start "
            f"of an interval of the {axis}, first {labels[off][0]}{start}{fix}"
        )
    if starts.any() and (shift[starts] < 0).all():
        before = pd.Timedelta(int(-shift[starts].max()))
        raise ValueError(
            f"{what}: all observations are labelled {before} or more before the start of an "
            f"interval of the {axis}, first {labels[starts][0]}, as if by the end of the one "
            f"before{start}index.floor('{interval_text(step)}')"
        )


def _has_labels(series) -> bool:
    """Return whether a series has labels: a DataArray need not have any."""
    return isinstance(series, pd.Series) or series.ndim != 1 or series.dims[0] in series.indexes


def _in_unit(what, observed, quantity):
    """Return observations in the unit of their quantity, without a unit of pint."""
    known = VARIABLES[quantity][0] if quantity in VARIABLES else None
    data = pint_quantity(observed)
    if data is None:
        if known is not None:
            check_units(f"{what}: observations", quantity, _attributes(observed))
        return observed
    if known is None:
        raise ValueError(
            f"{what}: observations are in {data.units}, but the unit of the simulation is not "
            "known; convert them to it and give their magnitude"
        )
    return _magnitude(what, observed, data, known, quantity)


def same_unit(what: str, observed, simulated) -> tuple[np.ndarray, np.ndarray]:
    """Return observations and simulation as numbers of one unit.

    Raises
    ------
    ValueError
        If both have a unit, of pint or as the attribute ``units``, and the units differ.
    """
    ours, theirs = (pint_quantity(x) for x in (observed, simulated))
    if ours is not None and theirs is not None:
        observed = _magnitude(what, observed, ours, theirs.units)
        simulated = _magnitude(what, simulated, theirs, theirs.units)
    elif ours is not None or theirs is not None:
        unit = (theirs if ours is None else ours).units
        raise ValueError(
            f"{what}: only one of observed and simulated has a unit of pint ({unit}); give both, "
            "or convert it and give its magnitude"
        )
    units = [series_unit(x) for x in (observed, simulated)]
    if all(units) and not are_same_unit(*units):
        raise ValueError(
            f"{what}: observed is in {units[0]!r} and simulated in {units[1]!r}; convert one of "
            "them and set attrs['units']"
        )
    return as_floats(observed, what), as_floats(simulated, what)


def check_output_unit(what: str, observed, unit: str | None) -> None:
    """Raise ValueError if observations have a unit that is not the unit of the simulation."""
    found = series_unit(observed)
    if unit and found and not are_same_unit(found, unit):
        raise ValueError(
            f"{what}: observations are in {found!r}, but the simulation is in {unit!r}; convert "
            "them, or look whether they are observations of another variable"
        )


def check_one_basin(what: str, observed, simulated) -> None:
    """Raise ValueError if the coordinate ``basin`` of two series names two basins."""
    names = [getattr(x, "coords", {}).get("basin") for x in (observed, simulated)]
    if any(name is None for name in names):
        return
    ours, theirs = (np.asarray(name) for name in names)
    if ours.shape in ((), theirs.shape) and not (ours == theirs).all():
        raise ValueError(
            f"{what}: observed is of basin {ours.flat[0]!s}, simulated of basin "
            f"{theirs.flat[0]!s}; give both of one basin"
        )


def dates_of_series(what: str, series) -> np.ndarray | None:
    """Return the dates of a Series or DataArray, None if it has none or its labels are numbers.

    Raises
    ------
    TypeError, ValueError
        If the labels are neither: how to convert them.
    """
    if isinstance(series, xr.DataArray):
        index = series.indexes.get(series.dims[0]) if series.ndim == 1 else None
    else:
        index = series.index if isinstance(series, pd.Series) else None
    if index is None or index.dtype.kind in "iufb":
        return None
    return as_dates(what, index).to_numpy()


def series_unit(series) -> str:
    """Return the unit of a series, of pint or as the attribute ``units``; empty if it has none."""
    quantity = pint_quantity(series)
    return unit_of(_attributes(series) if quantity is None else {"units": quantity.units})


def _attributes(series) -> Mapping:
    attributes = getattr(series, "attrs", None)
    return attributes if isinstance(attributes, Mapping) else {}


def _magnitude(what, series, data, unit, quantity=None):
    """Return a series with the magnitude of its quantity of pint, in another unit."""
    try:
        return with_magnitude(series, data, unit)
    except ValueError as error:
        if quantity is not None:
            check_units(f"{what}: observations", quantity, {"units": str(data.units)})
        raise ValueError(f"{what}: observations: {error}") from error
