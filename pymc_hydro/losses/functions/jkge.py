"""Kling-Gupta efficiency of the departures from a benchmark."""

import numpy as np
from numpy.typing import ArrayLike

from pymc_hydro.losses.mathematics import Series, Value, number, root, squares
from pymc_hydro.losses.pairs import Pairs
from pymc_hydro.losses.transforms import Transformation

__all__ = ["BENCHMARKS", "jkge"]

BENCHMARKS = ("moving_average", "block", "mean", "climatology")
BIASES = ("variance", "relative")
# With bias="relative": observed benchmarks that are too small to be divided by, in mm/d and by
# mean absolute flow.
SMALLEST, SMALLEST_SHARE = 1e-8, 1e-6


def jkge(
    observed: Series,
    simulated: Series,
    *,
    benchmark: str = "moving_average",
    window: int = 31,
    time: ArrayLike | None = None,
    bias: str = "variance",
    transform: Transformation = None,
) -> Value:
    """Return the benchmark-based Kling-Gupta efficiency, a score: one is perfect, higher is better.

    Each series is split into a benchmark m, a local mean of itself, and departures a from it. With
    root mean squares s of the departures, ``1 - sqrt(M + (1 - s_q / s_y)^2 + (1 - r)^2)``; r is
    the mean product of the departures divided by ``s_y s_q``, M the bias of the benchmarks. From
    minus infinity to one.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; intervals without an observation do not count in either benchmark.
    simulated : array_like or TensorVariable, shape (n_time,)
        If it has no departures (constant or no flow), the result is NaN; single zero flows are
        allowed.
    benchmark : {"moving_average", "block", "mean", "climatology"}
        Centred moving average over `window` intervals, shorter at the ends; mean of each block of
        `window` intervals; mean of the record; mean of each calendar month over all years.
    window : int
        In intervals; odd for the moving average.
    time : array_like of datetime64, shape (n_time,), optional
        Needed by the climatology; ``ph.calibrate`` gives it by itself.
    bias : {"variance", "relative"}
        ``M = sum((m_q - m_y)^2) / sum((m_y - mean(y))^2)``, or ``M = mean((m_q / m_y - 1)^2)``
        where the observed benchmark is not zero.
    transform : {"log", "sqrt", "box_cox", "inverse"} or Transform, optional

    Returns
    -------
    float or TensorVariable
        The derivative of a perfect fit is taken as zero.

    Raises
    ------
    KeyError
        If there is no such benchmark or bias.
    ValueError
        If the shapes differ, all observations are missing or equal to their benchmark, or the
        observed benchmark is constant with ``bias="variance"`` (always so for the mean).

    References
    ----------
    Jawad, M., et al. (2026). arXiv 2604.03906.
    """
    for what, value, known in (("benchmark", benchmark, BENCHMARKS), ("bias", bias, BIASES)):
        if value not in known:
            raise KeyError(f"jkge: unknown {what} {value!r}; known are {', '.join(known)}")
    pairs = Pairs.of("jkge", observed, simulated, transform=transform, numbers_only=True)
    y, q, n, xp = pairs.observed, pairs.simulated, pairs.positions.size, pairs.math
    neighbours = _neighbours(benchmark, pairs.positions, pairs.n_time, window, time)
    m_y, m_q = _local_mean(np, y, *neighbours), _local_mean(xp, q, *neighbours)
    a_y, a_q = y - m_y, q - m_q
    s_y, s_q = (squares(a_y, y) / n) ** 0.5, (squares(a_q, q) / n) ** 0.5
    if np.isnan(s_y):
        raise ValueError(f"jkge: the observations are equal to their benchmark {benchmark!r}")
    r = (a_y * a_q).sum() / (n * s_y * s_q)
    if bias == "variance":
        spread = squares(m_y - y.mean(), y)
        if np.isnan(spread):
            raise ValueError(
                f"jkge: the observed benchmark {benchmark!r} is constant, so that bias='variance' "
                "is not defined; use bias='relative'"
            )
        m = ((m_q - m_y) ** 2).sum() / spread
    else:
        there = np.abs(m_y) > max(SMALLEST, SMALLEST_SHARE * np.abs(y).mean())
        m = ((m_q[there] / m_y[there] - 1) ** 2).sum() / there.sum()
    return number(1 - root(m + (1 - s_q / s_y) ** 2 + (1 - r) ** 2))


def _neighbours(benchmark, at, n_time, window, time):
    """Return an order of the observations, and for each the first and last + 1 of its neighbours.

    The benchmark of an observation is the mean over its neighbours, which lie side by side in that
    order.
    """
    if benchmark in ("moving_average", "block"):
        if int(window) != window or window < 1 or (benchmark != "block" and window % 2 == 0):
            raise ValueError(
                f"jkge: window must be a whole number of intervals, odd for the moving average, "
                f"found {window!r}"
            )
    if benchmark == "moving_average":
        half = int(window) // 2
        first = np.searchsorted(at, at - half, side="left")
        return np.arange(at.size), first, np.searchsorted(at, at + half, side="right")
    if benchmark == "climatology":
        if time is None:
            raise ValueError("jkge: the climatology needs time=, the dates of the intervals")
        time = np.asarray(time)
        if time.shape != (n_time,) or not np.issubdtype(time.dtype, np.datetime64):
            raise ValueError(
                f"jkge: time must be datetime64 of shape ({n_time},), found {time.dtype} of shape "
                f"{time.shape}"
            )
        group = time[at].astype("datetime64[M]").astype(int) % 12
    else:
        group = at // int(window) if benchmark == "block" else np.zeros(at.size, dtype=int)
    order = np.argsort(group, kind="stable")
    groups = group[order]
    return order, np.searchsorted(groups, group), np.searchsorted(groups, group, side="right")


def _local_mean(xp, x, order, first, end):
    sums = xp.concatenate([np.zeros(1), xp.cumsum(x[order])])
    return (sums[end] - sums[first]) / (end - first)
