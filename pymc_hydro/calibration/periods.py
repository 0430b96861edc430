"""The intervals that are simulated, the intervals that are scored, and their observations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.core.base.dims import TIME
from pymc_hydro.data.means import Means, interval_means
from pymc_hydro.data.observations import check_output_unit, observed_on
from pymc_hydro.data.schema import VARIABLES, date_text

__all__ = ["Period", "Scored", "Series", "Window", "check_apart", "observations", "select_window"]

Day: TypeAlias = str | date | np.datetime64 | None
Period: TypeAlias = slice | Sequence[Day]
Series: TypeAlias = xr.DataArray | pd.Series | np.ndarray | Sequence[float] | Means


@dataclass(frozen=True)
class Window:
    """Positions on the record's time axis.

    Attributes
    ----------
    begin : int
        Where the simulation begins, with its warm-up.
    first : int
        First scored interval.
    end : int
        One after the last scored interval.
    """

    begin: int
    first: int
    end: int

    @property
    def record(self) -> slice:
        """The simulated intervals."""
        return slice(self.begin, self.end)

    @property
    def scored(self) -> slice:
        """The scored intervals."""
        return slice(self.first, self.end)

    @property
    def warmup(self) -> int:
        """Number of simulated intervals that are not scored."""
        return self.first - self.begin


@dataclass(frozen=True)
class Scored:
    """Observations of one output in one window.

    Attributes
    ----------
    values : array, shape (n_scored,)
        NaN where missing.
    time : array of datetime64, shape (n_scored,)
    record : array, shape (n_simulated,), or None
        The same with the warm-up; None for means over longer intervals.
    positions : array, shape (n_scored, longest), or None
        The scored intervals whose mean each one is, for means over longer intervals.
    offset : str or None
        Length of the longer intervals.
    """

    values: np.ndarray
    time: np.ndarray
    record: np.ndarray | None = None
    positions: np.ndarray | None = None
    offset: str | None = None

    def simulated(self, series):
        """Return the counterpart of `values` in a simulated series of the scored window."""
        return series if self.positions is None else interval_means(series, self.positions)


def select_window(
    time: np.ndarray, period: Period | None, warmup: int, what: str = "period"
) -> Window:
    """Return the window of a scored period, with the warm-up before it.

    Parameters
    ----------
    time : array of datetime64, shape (n_time,)
    period : None, or pair of dates (both included)
        None is the whole record after its warm-up.
    warmup : int
        In intervals, from :func:`pymc_hydro.data.schema.check_warmup`.
    what : str
        Name of the period in messages.

    Raises
    ------
    ValueError
        If the period is not in the record, or has no room for the warm-up before it.
    """
    if period is None:
        return Window(0, warmup, time.size)
    index = pd.DatetimeIndex(time)
    pair = f"{what} must be a pair of dates, such as ('1955-10-01', '1960-09-30')"
    if isinstance(period, slice):
        period = (period.start, period.stop)
    if isinstance(period, str) or not hasattr(period, "__len__") or len(period) != 2:
        raise ValueError(f"calibrate: {pair}, found {period!r}")
    period = tuple(map(_whole_day, period))
    try:
        found = index.slice_indexer(*period)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"calibrate: {pair}, without a time zone; found {period[0]!r} and {period[1]!r} "
            f"({error})"
        ) from error
    first, end = found.start or 0, index.size if found.stop is None else found.stop
    covers = f"the record covers {date_text(time[0])} to {date_text(time[-1])}"
    if end <= first:
        raise ValueError(f"calibrate: {what} {period[0]} to {period[1]} is empty; {covers}")
    if period[1] is not None and pd.Timestamp(period[1]) >= index[-1] + (index[1] - index[0]):
        raise ValueError(f"calibrate: {what} ends at {period[1]}, but {covers}")
    if first < warmup:
        raise ValueError(
            f"calibrate: {what} starts at {date_text(time[first])} and needs a warm-up of {warmup} "
            f"intervals before it, but {covers}; start it later, or give a smaller warmup"
        )
    return Window(first - warmup, first, end)


def check_apart(time: np.ndarray, calibration: Window, validation: Window) -> None:
    """Raise ValueError if scored intervals of the two periods overlap."""
    if calibration.first < validation.end and validation.first < calibration.end:
        spans = [
            f"{date_text(time[w.first])} to {date_text(time[w.end - 1])}"
            for w in (calibration, validation)
        ]
        raise ValueError(
            f"calibrate: the calibration period {spans[0]} and the validation period {spans[1]} "
            "overlap; give period= and validation= that do not"
        )


def observations(
    basin: xr.Dataset,
    observed: Series | Mapping[str, Series] | None,
    names: tuple[str, ...],
    windows: Mapping[str, Window],
    units: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Scored]]:
    """Return the observations of each output in each window.

    Parameters
    ----------
    basin : Dataset
        Checked; holds ``discharge`` if `observed` does not.
    observed : None, series, or mapping of output to series
        A DataArray or Series is matched by its dates; an array has the basin's length. Means over
        longer intervals are from ``ph.means``.
    names : tuple of str
        The outputs; a single series belongs to the first.
    windows : mapping of name to Window
        Each window must hold an observation.
    units : mapping of output to unit, optional
        Of the simulation.

    Raises
    ------
    KeyError, ValueError
        If an output was not observed in a window, has another length, or does not overlap the
        forcing.
    """
    if observed is None:
        observed = {}
    elif not isinstance(observed, (Mapping, xr.Dataset)):
        observed = {names[0]: observed}
    unknown = [name for name in observed if name not in names]
    if unknown:
        raise KeyError(
            f"calibrate: observed names {unknown}, which have no loss; give loss={{output: loss}} "
            "for each of them"
        )
    time = basin[TIME].values
    result: dict[str, dict[str, Scored]] = {what: {} for what in windows}
    for name in names:
        given = observed.get(name)
        if name in observed and name not in VARIABLES:
            plain = given.series if isinstance(given, Means) else given
            check_output_unit(f"calibrate: {name!r}", plain, (units or {}).get(name))
        if isinstance(given, Means):
            for what, window in windows.items():
                result[what][name] = _means(name, what, given, time[window.scored])
            continue
        if name in observed:
            what = f"calibrate: {name!r}"
            series = observed_on(
                what, observed[name], time, "forcing", quantity=name, all_missing=True
            )
        elif name in basin:
            series = basin[name].values
        else:
            raise KeyError(
                f"calibrate: no observations of {name!r}: the basin has none; give "
                f"observed={{{name!r}: series}}"
            )
        for what, window in windows.items():
            part = series[window.scored]
            result[what][name] = Scored(part, time[window.scored], series[window.record])
            if not np.isfinite(part).any():
                first, last = (date_text(time[i]) for i in (window.first, window.end - 1))
                raise ValueError(
                    f"calibrate: all observations are missing of {name!r} in the {what} period, "
                    f"{first} to {last} after the warm-up"
                )
    return result


def _means(name, what, observed: Means, time) -> Scored:
    """Return means over the intervals that lie wholly in a scored period."""
    of, axis = f"calibrate: {name!r}", f"{what} period"
    series, starts, positions = observed.on(of, time, axis)
    values = observed_on(of, series, starts, axis, quantity=name)
    return Scored(values, starts, positions=positions, offset=observed.offset)


def _whole_day(moment):
    """Return a date without a time of day as text, which Pandas takes as all of its day."""
    day = isinstance(moment, date) and not isinstance(moment, datetime)
    if day or (isinstance(moment, np.datetime64) and moment.dtype == "datetime64[D]"):
        return str(moment)
    return moment
