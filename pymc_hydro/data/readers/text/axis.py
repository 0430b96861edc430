"""A regular time axis out of the dates of a file."""

import numpy as np
import pandas as pd

from pymc_hydro.data.readers.text.files import warn

__all__ = ["regular"]

MOST_MISSING = 12  # a station of one season, closed for years, has gaps longer than its record
DAY = 86400 * 10**9  # ns

LAST_MINUTE = DAY - 60 * 10**9


def regular(source, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table on an even, rising time axis.

    Lines in falling order are turned round, lines that repeat another one exactly are dropped,
    and missing lines are inserted with NaN; each with a warning.

    Parameters
    ----------
    source : str or Path
    frame : DataFrame
        Indexed by dates.

    Raises
    ------
    ValueError
        If two lines of one date differ, or the dates are uneven in another way.
    """
    if len(frame) < 2:
        raise ValueError(f"{source}: needs at least two dates, found {len(frame)}")
    if not frame.index.is_monotonic_increasing:
        what = "falling" if frame.index.is_monotonic_decreasing else "mixed"
        warn(source, f"its dates are in {what} order and were sorted")
        frame = frame.sort_index(kind="stable")
    twice = frame.index.duplicated(keep=False)
    if twice.any():
        rows = frame[twice]
        same = rows.groupby(level=0).nunique(dropna=False).le(1).all(axis=1)
        kept = ~frame.index.duplicated()
        if kept.sum() < len(frame) / 2:
            raise ValueError(
                f"{source}: has {len(frame)} lines, but only {kept.sum()} dates, the first "
                f"{frame.index[0]}; does another column hold the hour, or the station? name the "
                "hour in time=, such as time=('Date', 'Hour'), or keep the lines of one station"
            )
        if not same.all():
            first = same.index[~same.to_numpy()][0]
            raise ValueError(
                f"{source}: {first} is there twice with different values ({int((~same).sum())} "
                "such dates); delete the wrong lines (or, if the clock was set back in autumn, "
                "write the times in UTC or standard time)"
            )
        warn(source, f"{int((~kept).sum())} lines repeat another one exactly and were dropped")
        frame = frame[kept]
        if len(frame) < 2:
            raise ValueError(f"{source}: needs at least two dates, found {len(frame)}")
    steps = np.diff(frame.index.to_numpy()).astype("timedelta64[ns]").astype(np.int64)
    usual = int(pd.Series(steps).mode()[0])
    if usual == DAY and (LAST_MINUTE <= _since_midnight(frame.index)).all():
        warn(source, "its days are labelled by their last minute; their dates were taken")
        frame = frame.set_axis(frame.index.normalize())
    odd = steps % usual != 0
    if odd.any():
        at = int(odd.argmax())
        if (frame.index.day == 1).all() and usual >= 28 * DAY:
            raise ValueError(
                f"{source}: its dates are months, and intervals must be of one length: simulations "
                "need daily or shorter forcing; they are compared with monthly discharge by "
                "ph.means(series, 'MS')"
            )
        if usual == DAY and (np.abs(steps % DAY - DAY / 2) >= 11 * DAY / 24).all():
            raise ValueError(
                f"{source}: its days are 23, 24 or 25 hours long, first after {frame.index[at]}; "
                "they seem to begin at midnight of a zone with summer time: convert the dates to "
                "that zone, then drop it: tz_convert(zone).tz_localize(None)"
            )
        raise ValueError(
            f"{source}: its dates are uneven: {frame.index[at]} is followed by "
            f"{frame.index[at + 1]}, the usual interval is {pd.Timedelta(usual)}; intervals must "
            "be of one length (aggregate or interpolate first)"
        )
    if (steps != usual).any():
        whole = pd.date_range(frame.index[0], frame.index[-1], freq=pd.Timedelta(usual))
        at = int((steps != usual).argmax())
        missing = len(whole) - len(frame)
        if missing > MOST_MISSING * len(frame):
            raise ValueError(
                f"{source}: {missing} dates are missing and {len(frame)} are there, the "
                f"first gap after {frame.index[at]}; cut out a period without such gaps"
            )
        warn(source, f"{missing} dates are missing, first after {frame.index[at]}: set to NaN")
        frame = frame.reindex(whole)
    return frame


def _since_midnight(dates: pd.DatetimeIndex) -> np.ndarray:
    """Return the time of day in ns."""
    return dates.to_numpy().astype("datetime64[ns]").astype(np.int64) % DAY
