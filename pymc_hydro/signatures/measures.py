"""The formulas: each takes flow of shape (..., n_time), NaN where missing, and returns (...)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

__all__ = ["SIGNATURES", "Series", "Signature"]

DAYS_PER_YEAR = 365.25
FILTER = 0.925  # per day, of Lyne and Hollick's filter
PASSES, REFLECTED = 3, 30  # passes of the filter, and days put before and after the record
HIGH, LOW = 9.0, 0.2  # times the median, times the mean
STEEP = (0.33, 0.66)  # exceedance, between which the flow-duration curve is straight
RECESSION, AFTER_PEAK = 5.0, 1.0  # days: shortest falling limb, and its start that is left out
SHORT_GAP, LONG_GAP = 10.0, 30.0  # days: gaps that end no event, gaps that may hide a maximum
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Series:
    """Flow with the inputs of its signatures.

    Parameters
    ----------
    flow : array, shape (..., n_time), in mm/d
        NaN where missing.
    time : array of datetime64, shape (n_time,)
        Evenly spaced.
    rain : array, shape (n_time,), in mm/d, optional
    """

    flow: np.ndarray
    time: np.ndarray
    rain: np.ndarray | None = None

    @property
    def days(self) -> float:
        """Length of the interval, in days."""
        return float((self.time[1] - self.time[0]) / DAY)

    @cached_property
    def filled(self) -> np.ndarray:
        """Flow on straight lines over its gaps, and level before and after the record."""
        missing, at = np.isnan(self.flow), np.arange(self.flow.shape[-1])
        if not missing.any():
            return self.flow
        rows = np.array(self.flow).reshape(-1, at.size)
        for row in rows:
            there = np.isfinite(row)
            if there.any():
                row[~there] = np.interp(at[~there], at[there], row[there])
        return rows.reshape(self.flow.shape)

    @cached_property
    def bridged(self) -> np.ndarray:
        """Flow on straight lines over its gaps of at most ten days."""
        missing = np.isnan(self.flow)
        return np.where(_run_length(missing) * self.days <= SHORT_GAP, self.filled, np.nan)

    @cached_property
    def daily(self) -> "Series":
        """Means over days from midnight on, if intervals are parts of a day; else the series."""
        parts = round(1 / self.days) if self.days < 1 else 1
        if parts == 1 or parts * (self.time[1] - self.time[0]) != DAY:
            return self
        first = int(np.argmax(self.time == self.time.astype("datetime64[D]")))
        n_day = (self.time.size - first) // parts
        if n_day < 2:
            return self
        kept = slice(first, first + n_day * parts)
        days = self.bridged[..., kept].reshape(*self.flow.shape[:-1], n_day, parts)
        return Series(days.mean(axis=-1), self.time[kept][::parts])


def _ratio(part, whole):
    """Divide, with NaN where the whole is nothing."""
    return np.where(whole > 0, part, np.nan) / np.where(whole > 0, whole, 1.0)


def mean_flow(series: Series) -> np.ndarray:
    """Mean of the flow, in mm/d."""
    return np.nanmean(series.flow, axis=-1)


def runoff_ratio(series: Series) -> np.ndarray:
    """Flow by rain, over the intervals with both."""
    if series.rain is None:
        return np.full(series.flow.shape[:-1], np.nan)
    both = np.isfinite(series.flow) & np.isfinite(series.rain)
    sums = (np.where(both, x, 0.0).sum(axis=-1) for x in (series.flow, series.rain))
    return _ratio(*sums)


def baseflow_index(series: Series) -> np.ndarray:
    """Share of baseflow, by Lyne and Hollick's filter in three passes.

    The record is lengthened by its mirror image at both ends, and the filter parameter, 0.925 at
    daily steps, is taken to the power of the interval. The filter runs on straight lines over gaps,
    which then do not count: beginning anew after each would count the first flow as baseflow.

    References
    ----------
    Lyne, V., Hollick, M. (1979). Inst. Eng. Aust. Natl. Conf. Publ. 79/10, 89-93.
    Ladson, A. R., et al. (2013). Australas. J. Water Resour. 17, 25-34.
    doi:10.7158/13241583.2013.11465417
    """
    flow = series.filled
    n = min(round(REFLECTED / series.days), flow.shape[-1] - 1)
    base = np.concatenate([flow[..., n:0:-1], flow, flow[..., -2 : -n - 2 : -1]], axis=-1)
    for i in range(PASSES):
        base = _filtered(base if i % 2 == 0 else base[..., ::-1], FILTER**series.days)
        base = base if i % 2 == 0 else base[..., ::-1]
    known = np.isfinite(series.flow)
    base = np.where(known, base[..., n : n + flow.shape[-1]], 0.0)
    return _ratio(base.sum(axis=-1), np.where(known, flow, 0.0).sum(axis=-1))


def _filtered(flow, a):
    """Return flow without the quick part that the filter finds."""
    from scipy.signal import lfilter  # takes long to import

    steps = np.diff(flow, axis=-1, prepend=flow[..., :1])
    quick = lfilter([(1 + a) / 2], [1.0, -a], steps, axis=-1)
    return flow - np.maximum(quick, 0.0)


def fdc_slope(series: Series) -> np.ndarray:
    """Slope of the flow-duration curve between 33 and 66 % exceedance, in logarithms.

    NaN where the river is dry more than a third of the time.

    References
    ----------
    Sawicz, K., et al. (2011). Hydrol. Earth Syst. Sci. 15, 2895-2911.
    doi:10.5194/hess-15-2895-2011
    """
    high, low = np.nanquantile(series.flow, [1 - e for e in STEEP], axis=-1)
    wet = low > 0
    ratio = np.where(wet, high, np.nan) / np.where(wet, low, 1.0)
    return np.log(ratio) / (STEEP[1] - STEEP[0])


def flashiness(series: Series) -> np.ndarray:
    """Sum of changes from interval to interval by the sum of flow (Richards and Baker).

    References
    ----------
    Baker, D. B., et al. (2004). J. Am. Water Resour. Assoc. 40, 503-522.
    doi:10.1111/j.1752-1688.2004.tb01046.x
    """
    change = np.diff(series.flow, axis=-1)
    later = np.where(np.isnan(change), np.nan, series.flow[..., 1:])
    return _ratio(np.nansum(np.abs(change), axis=-1), np.nansum(later, axis=-1))


def high_flow_frequency(series: Series) -> np.ndarray:
    """Days a year above nine times the median; NaN of a river that is dry half of the time.

    References
    ----------
    Clausen, B., Biggs, B. J. F. (2000). J. Hydrol. 237, 184-197.
    doi:10.1016/S0022-1694(00)00306-1
    """
    return _frequency(series, _is_high)


def high_flow_duration(series: Series) -> np.ndarray:
    """Mean length of a time above nine times the median, in days; 0 if there is none.

    A gap of at most ten days does not end it; NaN of a river that is dry half of the time.
    """
    return _duration(series, _is_high)


def low_flow_frequency(series: Series) -> np.ndarray:
    """Days a year below a fifth of the mean.

    References
    ----------
    Olden, J. D., Poff, N. L. (2003). River Res. Appl. 19, 101-121. doi:10.1002/rra.700
    """
    return _frequency(series, _is_low)


def low_flow_duration(series: Series) -> np.ndarray:
    """Mean length of a time below a fifth of the mean, in days; 0 if there is none.

    A gap of at most ten days does not end it.
    """
    return _duration(series, _is_low)


def _is_high(series, flow):
    """Return where flow is high, and whether that is defined."""
    limit = HIGH * np.nanmedian(series.flow, axis=-1, keepdims=True)
    return flow > limit, limit[..., 0] > 0


def _is_low(series, flow):
    limit = LOW * np.nanmean(series.flow, axis=-1, keepdims=True)
    return flow < limit, limit[..., 0] > 0


def _frequency(series, find):
    event, defined = find(series, series.flow)
    known = np.isfinite(series.flow).sum(axis=-1)
    return np.where(defined, DAYS_PER_YEAR * event.sum(axis=-1) / known, np.nan)


def _duration(series, find):
    event, defined = find(series, series.bridged)
    before = np.concatenate([np.zeros((*event.shape[:-1], 1), bool), event[..., :-1]], axis=-1)
    runs = (event & ~before).sum(axis=-1)
    return np.where(defined, series.days * event.sum(axis=-1) / np.maximum(runs, 1), np.nan)


def recession_constant(series: Series) -> np.ndarray:
    """Time in which falling flow drops to 1/e of itself, in days.

    From the mean of ``-d ln q / dt`` on falling limbs of at least five days, without their first
    day, in daily means. Days of equal flow, as rounding makes them, do not end a limb that falls
    before and after them. NaN where there is none.

    References
    ----------
    Vogel, R. M., Kroll, C. N. (1996). Water Resour. Manage. 10, 303-320. doi:10.1007/BF00508898
    """
    daily = series.daily
    bridged = daily.bridged
    falls = np.diff(np.log(np.where(bridged > 0, bridged, np.nan)), axis=-1)
    least, skipped = (max(1, round(d / daily.days)) for d in (RECESSION, AFTER_PEAK))
    falling = (falls < 0) | _level_of_a_limb(falls, least)
    used = falling & (_run_length(falling) >= least) & (_run_position(falling) > skipped)
    rate = np.where(used, falls, 0.0).sum(axis=-1) / np.maximum(used.sum(axis=-1), 1)
    with np.errstate(divide="ignore"):
        return np.where(rate < 0, -daily.days / rate, np.nan)


def _level_of_a_limb(falls, most):
    """Return which steps without a change belong to a falling limb, `most` at its end."""
    level, at = falls == 0, np.arange(falls.shape[-1])
    since, until = _run_position(level), _run_position(level[..., ::-1])[..., ::-1]
    fall = np.zeros((*falls.shape[:-1], at.size + 2), dtype=bool)  # none beyond the ends
    fall[..., 1:-1] = falls < 0
    before, after = (np.take_along_axis(fall, 1 + i, -1) for i in (at - since, at + until))
    first_half = since <= np.minimum(np.ceil((since + until - 1) / 2), most)
    return level & before & (after | first_half)


def _run_position(event):
    """Return the place of each entry in its run of True, from 1; 0 where False."""
    at = np.arange(event.shape[-1])
    return at - np.maximum.accumulate(np.where(event, -1, at), axis=-1)


def _run_length(event):
    """Return the length of the run of True that each entry is in; 0 where False."""
    since, until = _run_position(event), _run_position(event[..., ::-1])[..., ::-1]
    return np.where(event, since + until - 1, 0)


def peak_day(series: Series) -> np.ndarray:
    """Mean day of the year of the annual maximum, on the circle of the year, 1 to 366.

    Years are whole ones from the first day of the record on, as half a year has no annual
    maximum; nor has a year without flow, or with a gap of more than 30 days. Of equal maxima it is
    the middle. NaN without such a year.

    References
    ----------
    Burn, D. H. (1997). J. Hydrol. 202, 212-230. doi:10.1016/S0022-1694(97)00068-1
    """
    time = pd.DatetimeIndex(series.time)
    ends = time.append(time[-1:] + (time[1] - time[0]))
    starts = [time[0] + pd.DateOffset(years=n) for n in range(time[-1].year - time[0].year + 2)]
    edges = ends.searchsorted([s for s in starts if s <= ends[-1]])
    hidden = _run_length(np.isnan(series.flow)) * series.days > LONG_GAP
    circle = np.exp(2j * np.pi * (time.day_of_year.to_numpy() - 1) / DAYS_PER_YEAR)
    total = np.zeros(series.flow.shape[:-1], dtype=complex)
    for first, last in pairwise(edges):
        flow = np.where(np.isnan(series.flow[..., first:last]), -1.0, series.flow[..., first:last])
        most = flow.max(axis=-1, keepdims=True)
        middle = np.where(flow == most, circle[first:last], 0).sum(axis=-1)
        counts = (most[..., 0] > 0) & ~hidden[..., first:last].any(axis=-1)
        total += np.where(counts, middle / np.maximum(np.abs(middle), 1e-12), 0)
    mean = np.angle(total) % (2 * np.pi)
    return np.where(np.abs(total) > 1e-9, 1 + mean * DAYS_PER_YEAR / (2 * np.pi), np.nan)


@dataclass(frozen=True)
class Signature:
    """A signature: its formula and its unit."""

    formula: Callable
    unit: str

    @property
    def description(self) -> str:
        """First sentence of the formula's description."""
        return (self.formula.__doc__ or "").partition(".\n")[0].partition("\n")[0].rstrip(".")


SIGNATURES = {
    "mean_flow": Signature(mean_flow, "mm/d"),
    "runoff_ratio": Signature(runoff_ratio, "1"),
    "baseflow_index": Signature(baseflow_index, "1"),
    "fdc_slope": Signature(fdc_slope, "1"),
    "flashiness": Signature(flashiness, "1"),
    "high_flow_frequency": Signature(high_flow_frequency, "d/yr"),
    "high_flow_duration": Signature(high_flow_duration, "d"),
    "low_flow_frequency": Signature(low_flow_frequency, "d/yr"),
    "low_flow_duration": Signature(low_flow_duration, "d"),
    "recession_constant": Signature(recession_constant, "d"),
    "peak_day": Signature(peak_day, "d"),
}
