"""Distances between flow-duration curves: how often a flow occurs, not when."""

from collections.abc import Callable, Sequence

import numpy as np

from pymc_hydro.losses.mathematics import Series, Value, number, ordered
from pymc_hydro.losses.pairs import Pairs, logarithm, small_flow, variation
from pymc_hydro.losses.transforms import Transformation

__all__ = [
    "SEGMENTS",
    "fdc_energy",
    "fdc_log_quantile",
    "fdc_log_quantile_residuals",
    "fdc_quantile",
    "fdc_quantile_residuals",
    "fdc_segments",
    "fdc_skill",
    "segment_bias",
]

# Share of time exceeded, from and to, after Yilmaz et al. (2008).
SEGMENTS = {"high": (0.0, 0.02), "middle": (0.2, 0.7), "low": (0.7, 1.0)}


def fdc_energy(observed: Series, simulated: Series, *, transform: Transformation = None) -> Value:
    """Return the energy distance of the two distributions of flow, a loss: zero is perfect.

    ``mean(|q_i - y_j|) - (mean(|q_i - q_j|) + mean(|y_i - y_j|)) / 2`` over all i and j, which is
    the integral of the squared difference of the distribution functions, in the unit of flow; from
    zero to infinity, lower is better. Time does not matter. A derivative at equal flows is one of
    many.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; intervals without an observation leave both curves. Constant and zero
        flow are allowed.
    simulated : array_like or TensorVariable, shape (n_time,)
    transform : {"log", "sqrt", "box_cox", "inverse"} or Transform, optional

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        If the shapes differ or all observations are missing.

    References
    ----------
    Szekely, G. J., Rizzo, M. L. (2013). J. Stat. Plan. Inference 143, 1249-1272.
    doi:10.1016/j.jspi.2013.03.018
    """
    pairs = Pairs.of("fdc_energy", observed, simulated, transform=transform)
    y, q, n, xp = pairs.observed, pairs.simulated, pairs.n, pairs.math
    within = _pairwise(xp, y) + _pairwise(xp, q)
    # The pooled sample's sum holds both sums within and, twice, the sum across.
    across = (_pairwise(xp, xp.concatenate([y, q])) - within) / 2
    return number(xp.maximum((across - within / 2) / n**2, 0.0))


def fdc_quantile(observed: Series, simulated: Series, *, transform: Transformation = None) -> Value:
    """Return the mean squared difference of sorted flows, a loss: zero is perfect.

    ``mean((q_(i) - y_(i))^2)``, the squared Wasserstein distance of order 2, in (mm/d)^2; from
    zero to infinity, lower is better. Missing observations leave both curves; constant and zero
    flow are allowed.

    Parameters
    ----------
    observed, simulated, transform
        As in :func:`fdc_energy`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`fdc_energy`.
    """
    r = fdc_quantile_residuals(observed, simulated, transform=transform)
    return number((r * r).sum())


def fdc_quantile_residuals(
    observed: Series, simulated: Series, *, transform: Transformation = None
) -> Value:
    """Return the residuals whose squares :func:`fdc_quantile` adds."""
    pairs = Pairs.of("fdc_quantile", observed, simulated, transform=transform)
    return (ordered(pairs.simulated) - ordered(pairs.observed)) / pairs.n**0.5


def fdc_log_quantile(observed: Series, simulated: Series) -> Value:
    """Return the mean squared difference of the logarithms of sorted flows, a loss.

    ``mean((ln(q_(i) + e) - ln(y_(i) + e))^2)`` with e one hundredth of the median of the positive
    observations, so that zero flow is allowed, as is constant flow. From zero (perfect) to
    infinity, without unit; lower is better.

    Parameters
    ----------
    observed, simulated
        As in :func:`fdc_energy`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`fdc_energy`, if all observations are zero, or flow is negative.
    """
    r = fdc_log_quantile_residuals(observed, simulated)
    return number((r * r).sum())


def fdc_log_quantile_residuals(observed: Series, simulated: Series) -> Value:
    """Return the residuals whose squares :func:`fdc_log_quantile` adds."""
    pairs = Pairs.of("fdc_log_quantile", observed, simulated, numbers_only=True)
    e = small_flow("fdc_log_quantile", pairs.observed)
    q, y = ordered(pairs.simulated), ordered(pairs.observed)
    return (logarithm("fdc_log_quantile", q, e) - np.log(y + e)) / pairs.n**0.5


def fdc_segments(
    observed: Series, simulated: Series, *, segments: Sequence[str] = ("high", "middle", "low")
) -> Value:
    """Return the mean squared relative bias of parts of the flow-duration curve, a loss.

    The mean over `segments` of ``(segment_bias / 100)^2``; from zero (perfect) to infinity, lower
    is better. Gaps, constant and zero flow: see that function, for each segment.

    Parameters
    ----------
    observed, simulated
        As in :func:`segment_bias`.
    segments : sequence of {"high", "middle", "low"}

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError, KeyError
        As in :func:`segment_bias`.
    """
    if isinstance(segments, str) or not len(segments):
        raise ValueError(
            f"fdc_segments: segments must be a sequence of {', '.join(SEGMENTS)}, such as "
            f"('high', 'low'); found {segments!r}"
        )
    biases = [segment_bias(observed, simulated, segment=segment) / 100 for segment in segments]
    return number(sum(b * b for b in biases) / len(biases))


def segment_bias(observed: Series, simulated: Series, *, segment: str = "high") -> Value:
    """Return the bias of a part of the flow-duration curve in percent; zero is perfect.

    ``100 (B_q - B_y) / B_y``, from minus to plus infinity. High: B is the volume of the flows
    exceeded up to 2 % of the time (FHV), positive where the simulation has more. Middle: the slope
    of the logarithm of flow between 20 and 70 % (FMS), positive where the simulated curve is
    steeper. Low: ``sum(ln q - ln q_min)`` from 70 % on, with the opposite sign (FLV), positive
    where the simulated low flow is flatter: where it has more base flow.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; intervals without an observation leave both curves.
    simulated : array_like or TensorVariable, shape (n_time,)
        Constant and zero flow are allowed.
    segment : {"high", "middle", "low"}

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    KeyError
        If there is no such segment.
    ValueError
        If the shapes differ, all observations are missing, flow is negative, or the observed curve
        has neither volume nor slope there (constant or zero flow).

    Notes
    -----
    One hundredth of the median of the positive observations is added before taking logarithms, so
    that zero flow is allowed.

    References
    ----------
    Yilmaz, K. K., Gupta, H. V., Wagener, T. (2008). Water Resour. Res. 44, W09417.
    doi:10.1029/2007WR006716
    """
    if segment not in SEGMENTS:
        raise KeyError(f"segment_bias: no {segment!r}; known are {', '.join(SEGMENTS)}")
    pairs = Pairs.of("segment_bias", observed, simulated, numbers_only=True)
    n = pairs.positions.size
    first, last = (round(share * n) for share in SEGMENTS[segment])
    last = min(max(last, first + 1), n)
    # From the lowest flow on: the i-th highest is at n - 1 - i.
    y, q, sign = ordered(pairs.observed), ordered(pairs.simulated), 1
    if segment == "high":
        of_y, of_q = y[n - last : n - first].sum(), q[n - last : n - first].sum()
    else:
        e = small_flow("segment_bias", pairs.observed)
        y, q = np.log(y + e), logarithm("segment_bias", q, e)
        if segment == "middle":
            high, low = n - 1 - first, n - 1 - min(last, n - 1)
            of_y, of_q = y[high] - y[low], q[high] - q[low]
        else:
            of_y, of_q = (y[: n - first] - y[0]).sum(), (q[: n - first] - q[0]).sum()
            sign = -1
    if of_y == 0:
        raise ValueError(
            f"segment_bias: the observed curve is flat or zero in the segment {segment!r}, so that "
            "a relative bias is not defined"
        )
    return number(sign * 100 * (of_q - of_y) / of_y)


def fdc_skill(observed: Series, simulated: Series, *, divergence: Callable = fdc_energy) -> Value:
    """Return how much closer the curve is than a constant series at the observed median, a score.

    ``1 - D / D0`` with D0 the divergence of a constant series at the observed median: one is
    perfect, zero is as good as the median; from minus infinity to one. Missing observations leave
    both curves; zero flow is allowed.

    Parameters
    ----------
    observed, simulated
        As in :func:`fdc_energy`.
    divergence : callable
        :func:`fdc_energy`, :func:`fdc_quantile` or :func:`fdc_log_quantile`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in `divergence`, and if the observations are constant.
    """
    pairs = Pairs.of("fdc_skill", observed, simulated, numbers_only=True)
    if not callable(divergence):
        raise TypeError(
            "fdc_skill: divergence must be a function such as ph.losses.fdc_quantile, found "
            f"{divergence!r}"
        )
    y = pairs.observed
    variation("fdc_skill", y)
    reference = divergence(y, np.full(y.size, np.median(y)))
    return number(1 - divergence(y, pairs.simulated) / reference)


def _pairwise(xp, x):
    """Return the sum of |x_i - x_j| over all i and j."""
    n = x.shape[0]
    return 2 * ((2 * xp.arange(n) - n + 1) * ordered(x)).sum()
