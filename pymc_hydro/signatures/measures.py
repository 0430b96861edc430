"""The formulas: each takes flow of shape (..., n_time), NaN where missing, and returns (...)."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

__all__ = ["SIGNATURES", "Series", "Signature"]

DAYS_PER_YEAR = 365.25
FILTER = 0.925  # per day, of Lyne and Hollick's filter
PASSES, REFLECTED = 3, 30  # passes of the filter, and days put before and after the record
HIGH, LOW = 9.0, 0.2  # times the median, times the mean
STEEP = (0.33, 0.66)  # exceedance, between which the flow-duration curve is straight
RECESSION, AFTER_PEAK = 5.0, 1.0  # days: shortest falling limb, and what is left out of it


@dataclass(frozen=True)
class Series:
    """Flow with what its signatures need.

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
        return float((self.time[1] - self.time[0]) / np.timedelta64(1, "D"))


def _ratio(part, whole):
    """Divide, with NaN where the whole is nothing."""
    return np.where(whole > 0, part, np.nan) / np.where(whole > 0, whole, 1.0)


def mean_flow(series: Series):
    """Mean of the flow, in mm/d."""
    return np.nanmean(series.flow, axis=-1)


def runoff_ratio(series: Series):
    """Flow by rain, over the intervals with flow."""
    if series.rain is None:
        return np.full(series.flow.shape[:-1], np.nan)
    rain = np.where(np.isnan(series.flow), 0.0, series.rain)
    return _ratio(np.nansum(series.flow, axis=-1), rain.sum(axis=-1))


def baseflow_index(series: Series):
    """Share of baseflow, by Lyne and Hollick's filter in three passes.

    The record is lengthened by its mirror image at both ends, and the filter parameter, 0.925 at
    daily steps, is taken to the power of the interval. The filter begins anew after a gap.

    References
    ----------
    Lyne, V., Hollick, M. (1979). Inst. Eng. Aust. Natl. Conf. Publ. 79/10, 89-93.
    Ladson, A. R., et al. (2013). Australas. J. Water Resour. 17, 25-34.
    doi:10.7158/13241583.2013.11465417
    """
    flow = series.flow
    n = min(round(REFLECTED / series.days), flow.shape[-1] - 1)
    base = np.concatenate([flow[..., n:0:-1], flow, flow[..., -2 : -n - 2 : -1]], axis=-1)
    for i in range(PASSES):
        base = _filtered(base if i % 2 == 0 else base[..., ::-1], FILTER**series.days)
        base = base if i % 2 == 0 else base[..., ::-1]
    base = base[..., n : n + flow.shape[-1]]
    return _ratio(np.nansum(base, axis=-1), np.nansum(flow, axis=-1))


def _filtered(flow, a):
    """Return flow without the quick part that the filter finds."""
    base = np.array(flow)
    quick = np.zeros(flow.shape[:-1])
    for t in range(1, flow.shape[-1]):
        step = flow[..., t] - flow[..., t - 1]
        quick = np.where(np.isnan(step), 0.0, a * quick + (1 + a) / 2 * step)
        base[..., t] -= np.maximum(quick, 0.0)
    return base


def fdc_slope(series: Series):
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


def flashiness(series: Series):
    """Sum of changes from interval to interval by the sum of flow (Richards and Baker).

    References
    ----------
    Baker, D. B., et al. (2004). J. Am. Water Resour. Assoc. 40, 503-522.
    doi:10.1111/j.1752-1688.2004.tb01046.x
    """
    change = np.diff(series.flow, axis=-1)
    later = np.where(np.isnan(change), np.nan, series.flow[..., 1:])
    return _ratio(np.nansum(np.abs(change), axis=-1), np.nansum(later, axis=-1))


def high_flow_frequency(series: Series):
    """Days a year above nine times the median.

    References
    ----------
    Clausen, B., Biggs, B. J. F. (2000). J. Hydrol. 237, 184-197.
    doi:10.1016/S0022-1694(00)00306-1
    """
    return _frequency(series, _is_high(series))


def high_flow_duration(series: Series):
    """Mean length of a time above nine times the median, in days; 0 if there is none."""
    return _duration(series, _is_high(series))


def low_flow_frequency(series: Series):
    """Days a year below a fifth of the mean.

    References
    ----------
    Olden, J. D., Poff, N. L. (2003). River Res. Appl. 19, 101-121. doi:10.1002/rra.700
    """
    return _frequency(series, _is_low(series))


def low_flow_duration(series: Series):
    """Mean length of a time below a fifth of the mean, in days; 0 if there is none."""
    return _duration(series, _is_low(series))


def _is_high(series):
    return series.flow > HIGH * np.nanmedian(series.flow, axis=-1, keepdims=True)


def _is_low(series):
    return series.flow < LOW * np.nanmean(series.flow, axis=-1, keepdims=True)


def _frequency(series, event):
    known = np.isfinite(series.flow).sum(axis=-1)
    return DAYS_PER_YEAR * event.sum(axis=-1) / known


def _duration(series, event):
    before = np.concatenate([np.zeros((*event.shape[:-1], 1), bool), event[..., :-1]], axis=-1)
    runs = (event & ~before).sum(axis=-1)
    return series.days * event.sum(axis=-1) / np.maximum(runs, 1)


def recession_constant(series: Series):
    """Time in which falling flow drops to 1/e of itself, in days.

    From the mean of ``-d ln q / dt`` on falling limbs of at least five days, without their first
    day. NaN where there is none.

    References
    ----------
    Vogel, R. M., Kroll, C. N. (1996). Water Resour. Manage. 10, 303-320. doi:10.1007/BF00508898
    """
    flow = np.where(series.flow > 0, series.flow, np.nan)
    falls = np.diff(np.log(flow), axis=-1)
    falling = falls < 0
    least, skipped = (max(1, round(d / series.days)) for d in (RECESSION, AFTER_PEAK))
    since, until = _run_position(falling), _run_position(falling[..., ::-1])[..., ::-1]
    used = falling & (since + until - 1 >= least) & (since > skipped)
    rate = np.where(used, falls, 0.0).sum(axis=-1) / np.maximum(used.sum(axis=-1), 1)
    with np.errstate(divide="ignore"):
        return np.where(rate < 0, -series.days / rate, np.nan)


def _run_position(event):
    """Return the place of each entry in its run of True, from 1; 0 where False."""
    place = np.zeros(event.shape, dtype=int)
    for t in range(event.shape[-1]):
        before = place[..., t - 1] if t else 0
        place[..., t] = np.where(event[..., t], before + 1, 0)
    return place


def peak_day(series: Series):
    """Mean day of the year of the annual maximum, on the circle of the year, 1 to 366.

    Years are whole ones from the first day of the record on, as half a year has no annual
    maximum; NaN for a shorter record.

    References
    ----------
    Burn, D. H. (1997). J. Hydrol. 202, 212-230. doi:10.1016/S0022-1694(97)00068-1
    """
    time = pd.DatetimeIndex(series.time)
    ends = time.append(time[-1:] + (time[1] - time[0]))
    starts = [time[0] + pd.DateOffset(years=n) for n in range(time[-1].year - time[0].year + 2)]
    edges = ends.searchsorted([s for s in starts if s <= ends[-1]])
    angles = []
    for first, last in pairwise(edges):
        flow = series.flow[..., first:last]
        if np.isfinite(flow).any(axis=-1).all():
            day = time.day_of_year.to_numpy()[first + np.nanargmax(flow, axis=-1)]
            angles.append(2 * np.pi * (day - 1) / DAYS_PER_YEAR)
    if not angles:
        return np.full(series.flow.shape[:-1], np.nan)
    mean = np.angle(np.exp(1j * np.array(angles)).mean(axis=0)) % (2 * np.pi)
    return 1 + mean * DAYS_PER_YEAR / (2 * np.pi)


@dataclass(frozen=True)
class Signature:
    """A signature: its formula and its unit."""

    formula: Callable
    unit: str

    @property
    def description(self) -> str:
        """First sentence of the formula's description."""
        return self.formula.__doc__.partition(".\n")[0].partition("\n")[0].rstrip(".")


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
