"""Observations that are means over more than one interval of a simulation: weeks, months."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import BaseOffset, Day, MonthBegin, QuarterBegin, Tick, YearBegin

from pymc_hydro.data.checks.dates import as_dates, check_axis, date_text, interval_text
from pymc_hydro.data.observations import LABELLED, same_unit

__all__ = ["Means", "complete_intervals", "interval_means", "mean_pairs", "means"]

BEGINS = (MonthBegin, QuarterBegin, YearBegin)


@dataclass(frozen=True, eq=False)
class Means:
    """Observations that are means over longer intervals; see :func:`means`.

    Attributes
    ----------
    series : Series or DataArray
        On the starts of all intervals from the first to the last, NaN where missing.
    offset : str
        Length of the intervals, as pandas writes it.
    """

    series: pd.Series | xr.DataArray
    offset: str

    @property
    def labels(self) -> pd.DatetimeIndex:
        """Starts of the intervals."""
        return pd.DatetimeIndex(_index(self.series))

    @property
    def name(self) -> Any:
        """Name of the series."""
        return self.series.name

    def on(self, what: str, time: Any, axis: str) -> tuple[Any, np.ndarray, np.ndarray]:
        """Return the series in the intervals that lie wholly on a time axis.

        Parameters
        ----------
        what, time, axis
            As in :func:`complete_intervals`.

        Returns
        -------
        tuple
            Series or DataArray, shape (n_interval,), and the result of :func:`complete_intervals`.

        Raises
        ------
        ValueError
            As :func:`complete_intervals`, or if no observation is of such an interval.
        """
        labels = self.labels
        starts, positions = complete_intervals(what, self.offset, labels[0], time, axis)
        if not labels.isin(starts).any():
            raise ValueError(
                f"{what}: observations ({labels[0]} to {labels[-1]}) and the {axis} "
                f"({date_text(time[0])} to {date_text(time[-1])}) do not overlap: no interval of "
                f"{self.offset!r} is in both as a whole"
            )
        if isinstance(self.series, xr.DataArray):
            return self.series.reindex({self.series.dims[0]: starts}), starts, positions
        return self.series.reindex(starts), starts, positions


def means(series: pd.Series | xr.DataArray, offset: str | BaseOffset) -> Means:
    """Say that observations are means over intervals longer than the intervals of a simulation.

    Likelihoods, ``ph.calibrate`` and the functions of ``ph.losses`` take the result as `observed`.
    They average the simulation over each interval that lies wholly on its time axis after the
    warm-up, and compare the two by their dates.

    Parameters
    ----------
    series : Series or DataArray with dates
        Each value is the mean over ``[label, label + offset)``, NaN where missing. An interval
        need not be there.
    offset : str or offset of pandas
        Length of the intervals: a fixed one such as "7D" or "12h", counted from the first label,
        or months, quarters or years by their starts: "MS", "QS", "YS".

    Returns
    -------
    Means

    Raises
    ------
    TypeError
        If the series has no dates.
    ValueError
        If the offset is none of these, or labels are repeated or are not starts of its intervals.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> flow = ph.load_basin("leaf_river")["discharge"]
    >>> months = ph.means(flow.resample(time="MS").mean(), "MS")
    >>> ph.losses.nse(months, flow)
    1.0
    """
    if not isinstance(series, LABELLED):
        raise TypeError(
            f"means: expected a Series or DataArray with dates, found {type(series).__name__}"
        )
    if series.ndim != 1 or (isinstance(series, xr.DataArray) and not series.indexes):
        raise ValueError("means: expected one series on dates; select one series first")
    rule = _rule(offset)
    labels = as_dates("means: the index of the series", _index(series))
    if not len(labels):
        raise ValueError("means: the series is empty")
    if not labels.is_unique:
        raise ValueError(
            f"means: the series has {labels[labels.duplicated()][0]} twice; drop duplicates"
        )
    first, last = labels.min(), labels.max()
    grid = pd.date_range(first, last, freq=rule)
    wrong = labels[~labels.isin(grid)]
    if isinstance(rule, BEGINS) and not rule.is_on_offset(first):
        wrong = labels[labels == first]
    if len(wrong):
        raise ValueError(
            f"means: {wrong[0]} is not the start of an interval of {rule.freqstr!r} (the first "
            f"label is {first}); label each mean by the start of its interval, as "
            f".resample('{rule.freqstr}', label='left', closed='left') does"
        )
    if isinstance(series, xr.DataArray):
        series = series.assign_coords({series.dims[0]: labels})
        return Means(series.reindex({series.dims[0]: grid}), rule.freqstr)
    return Means(series.set_axis(labels).reindex(grid), rule.freqstr)


def complete_intervals(
    what: str, offset: str, start: Any, time: Any, axis: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the intervals of an offset that lie wholly on a time axis.

    Parameters
    ----------
    what : str
        Whose observations they are, in messages.
    offset : str
    start : datetime64
        Start of one of the intervals, on the axis or not.
    time : array of datetime64, shape (n_time,)
        Even, at least two.
    axis : str
        Name of the time axis in messages.

    Returns
    -------
    tuple of array
        Starts, shape (n_interval,), and positions on the axis, shape (n_interval, longest), -1
        after the last one of an interval.

    Raises
    ------
    ValueError
        If the intervals are shorter than the intervals of the axis, do not begin where those
        begin, or none is complete.
    """
    rule, time = to_offset(offset), pd.DatetimeIndex(np.asarray(time)).as_unit("ns")
    step = time[1] - time[0]
    borders = time.append(time[-1:] + step)
    starts = _starts(rule, pd.Timestamp(start), borders[0], borders[-1])
    if len(starts) > 1 and min(np.diff(starts.asi8)) < step.value:
        raise ValueError(
            f"{what}: observations are means over {offset!r}, but the intervals of the {axis} are "
            f"{interval_text(step)}; give the simulation shorter intervals"
        )
    places = borders.get_indexer(starts)
    if (places < 0).any():
        raise ValueError(
            f"{what}: {starts[(places < 0).argmax()]} is the start of an interval of {offset!r}, "
            f"but not of an interval of the {axis} (from {date_text(time[0])}, each "
            f"{interval_text(step)}); label the means by starts of intervals of the {axis}"
        )
    if len(starts) < 2:
        raise ValueError(
            f"{what}: no interval of {offset!r} lies wholly on the {axis} ({date_text(time[0])} "
            f"to {date_text(time[-1])}); give a longer record, or a shorter warm-up"
        )
    length = np.diff(places)
    member = np.arange(length.max())
    positions = np.where(member < length[:, None], places[:-1, None] + member, -1)
    return starts[:-1].to_numpy(), positions


def interval_means(values: Any, positions: np.ndarray) -> Any:
    """Return the means of a series over intervals, as an array or a graph.

    Parameters
    ----------
    values : array or TensorVariable, shape (n_time,)
    positions : array, shape (n_interval, longest)
        From :func:`complete_intervals`.
    """
    inside = positions >= 0
    # Beyond the end of an interval its first value stands in, so that a NaN stays in its interval.
    chosen = values[np.where(inside, positions, positions[:, :1])]
    return (chosen * inside).sum(axis=1) / inside.sum(axis=1)


def mean_pairs(name: str, observed: Means, simulated: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return observed means and the means of a simulated series over the same intervals.

    Raises
    ------
    TypeError
        If the simulation has no dates.
    ValueError
        If units or intervals do not fit, or none is in common.
    """
    if not isinstance(simulated, LABELLED) or simulated.ndim != 1:
        raise TypeError(
            f"{name}: observed are means over {observed.offset!r}, so that the simulation must be "
            f"a DataArray or Series with dates, found {type(simulated).__name__}; in a PyMC model "
            "place a likelihood"
        )
    axis = "simulation"
    time = as_dates(f"{name}: the index of the {axis}", _index(simulated))
    check_axis(f"{name}: the index of the {axis}", time.to_numpy())
    series, _, positions = observed.on(name, time, axis)
    y, q = same_unit(name, series, simulated)
    return y, interval_means(q, positions)


def _index(series):
    return series.indexes[series.dims[0]] if isinstance(series, xr.DataArray) else series.index


def _rule(offset) -> BaseOffset:
    """Return an offset whose intervals are labelled by their starts."""
    try:
        rule = to_offset(offset)
    except (TypeError, ValueError) as error:
        raise ValueError(f"means: {offset!r} is no offset of pandas: {error}") from error
    if not isinstance(rule, (Tick, Day, *BEGINS)) or rule.n < 1:
        raise ValueError(
            f"means: offset must be a fixed length ('7D', '12h') or count months, quarters or "
            f"years by their starts ('MS', 'QS', 'YS'), found {offset!r}; a week is '7D', labelled "
            "by its first day"
        )
    return rule


def _starts(rule, start, first, last) -> pd.DatetimeIndex:
    """Return the starts of intervals from `first` to `last`, both included, one being `start`."""
    if isinstance(rule, BEGINS):
        after = pd.date_range(start, max(start, last), freq=rule)
        before = pd.date_range(start, min(start, first), freq=-rule)
        starts = before.union(after)
    else:
        length = pd.Timedelta(rule.n, unit="D") if isinstance(rule, Day) else pd.Timedelta(rule)
        starts = pd.date_range(first + (start - first) % length, last, freq=length)
    return starts[(starts >= first) & (starts <= last)].as_unit("ns")
