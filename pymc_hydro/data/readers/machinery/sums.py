"""Sums since midnight, as reanalyses write them, and sums over the intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pymc_hydro.data.readers.text.files import parse_numbers, warn

__all__ = ["differences"]

ROUNDING = 1e-4  # of the largest value: packed files
DAYS = 2  # with a sum, from which on a series can be told


def differences(
    path, cells: pd.DataFrame, dates: pd.DatetimeIndex, columns: Sequence[str]
) -> pd.DataFrame:
    """Return a table in which sums since midnight are sums over the intervals, with a warning.

    Parameters
    ----------
    path : Path
    cells : DataFrame
    dates : DatetimeIndex, shape (n_time,)
        Starts of the intervals.
    columns : sequence of str
        Columns that may hold such sums; they do if all of them grow until midnight on all days.
    """
    values = {name: parse_numbers(path, cells, name).to_numpy() for name in columns}
    if not values or not all(_grows(v, dates) for v in values.values()):
        return cells
    named = ", ".join(values)
    warn(path, f"{named} are sums since midnight: differences are sums over the intervals")
    day = dates.floor("D").to_numpy()
    first = np.concatenate([[True], day[1:] != day[:-1]])
    result = cells.copy()
    for name, v in values.items():
        sign = np.sign(np.nansum(v)) or 1.0
        change = np.where(first, v, v - np.concatenate([[0.0], v[:-1]]))
        result[name] = sign * np.maximum(sign * change, 0.0)
    result.attrs = dict(cells.attrs)
    return result


def _grows(values: np.ndarray, dates: pd.DatetimeIndex) -> bool:
    """Return whether the amount of a series never falls within a day, and falls between days."""
    amount = np.abs(values)
    most = np.nanmax(amount, initial=0.0)
    day = dates.floor("D").to_numpy()
    same = day[1:] == day[:-1]
    change = np.diff(amount)
    falls = change < -ROUNDING * most
    return bool(not falls[same].any() and falls[~same].sum() >= DAYS)
