"""How flow recedes between rains, on pairs of intervals that the observations choose."""

import numpy as np
from numpy.typing import ArrayLike

from pymc_hydro.losses.mathematics import Series, Value, mathematics, number, squares, take
from pymc_hydro.losses.pairs import Pairs, logarithm, small_flow

__all__ = ["recession", "recession_pairs", "recession_plot", "recession_residuals"]

RAIN = 0.1  # mm/d; less rain does not interrupt a recession


def recession(
    observed: Series,
    simulated: Series,
    *,
    precipitation: ArrayLike | None = None,
    largest_rain: float = RAIN,
) -> Value:
    """Return the squared difference of recession rates, a loss: zero is perfect, lower is better.

    ``sum((k_y - k_q)^2)`` over pairs of consecutive intervals in which the observed flow falls,
    with the rates ``k = ln((x_t + e) / (x_(t+1) + e))`` and e one hundredth of the median of the
    positive observations, so that zero flow is allowed. From zero to infinity, without unit.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing: no pair reaches over a gap.
    simulated : array_like or TensorVariable, shape (n_time,)
    precipitation : array_like, shape (n_time,), in mm/d, optional
        Of the same intervals; pairs with more than `largest_rain` in either are left out.
    largest_rain : float
        In mm/d.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        If the shapes differ, all observations are missing, or there is no such pair (constant or
        zero flow).
    """
    r = recession_residuals(
        observed, simulated, precipitation=precipitation, largest_rain=largest_rain
    )
    return number((r * r).sum())


def recession_residuals(
    observed: Series,
    simulated: Series,
    *,
    precipitation: ArrayLike | None = None,
    largest_rain: float = RAIN,
) -> Value:
    """Return the residuals whose squares :func:`recession` adds, shape (n_pair,)."""
    pairs = Pairs.of("recession", observed, simulated, numbers_only=True)
    t = recession_pairs("recession", pairs, precipitation, largest_rain)
    e = small_flow("recession", pairs.observed)
    y, q = np.log(pairs.observed + e), logarithm("recession", pairs.simulated, e)
    return (y[t] - y[t + 1]) - (take(q, t) - take(q, t + 1))


def recession_plot(
    observed: Series,
    simulated: Series,
    *,
    precipitation: ArrayLike | None = None,
    largest_rain: float = RAIN,
) -> Value:
    """Return the distance of two recession plots, a loss: zero is perfect, lower is better.

    A recession plot shows ``ln(x_t - x_(t+1))`` over ``ln((x_t + x_(t+1)) / 2)``. Straight lines
    are fitted to observed and simulated points by least squares; the loss is the squared
    difference of their slopes plus the squared difference of their heights at the mean observed
    abscissa, ``(b_q - b_y)^2 + (h_q - h_y)^2``. From zero to infinity, without unit. No pair
    reaches over a gap; zero flow is allowed; a constant simulation has no line, and NaN.

    Parameters
    ----------
    observed, simulated, precipitation, largest_rain
        As in :func:`recession`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`recession`, and if the pairs have less than two different flows.

    Notes
    -----
    The simulation may rise where the observations fall. The fall d is therefore replaced, in both,
    by ``(d + sqrt(d^2 + e^2)) / 2`` with the e of :func:`recession`, and e is added to flow.

    References
    ----------
    Brutsaert, W., Nieber, J. L. (1977). Water Resour. Res. 13, 637-643.
    doi:10.1029/WR013i003p00637
    """
    name = "recession_plot"
    pairs = Pairs.of(name, observed, simulated, numbers_only=True)
    t = recession_pairs(name, pairs, precipitation, largest_rain)
    e = small_flow(name, pairs.observed)
    x_y, z_y = _points(name, pairs.observed, t, e)
    if np.ptp(x_y) == 0:
        raise ValueError(f"{name}: a line needs recession pairs at two different flows")
    x_q, z_q = _points(name, pairs.simulated, t, e)
    center = x_y.mean()
    slope_y, height_y = _line(x_y - center, z_y)
    slope_q, height_q = _line(x_q - center, z_q)
    return number((slope_q - slope_y) ** 2 + (height_q - height_y) ** 2)


def recession_pairs(
    name: str, pairs: Pairs, precipitation: ArrayLike | None = None, largest_rain: float = RAIN
) -> np.ndarray:
    """Return the first of each pair of recession intervals, as a position among the observations.

    Raises
    ------
    ValueError
        If there is none, or precipitation has another shape.
    """
    y, at = pairs.observed, pairs.positions
    chosen = (np.diff(at) == 1) & (np.diff(y) < 0)
    if precipitation is not None:
        rain = np.asarray(precipitation, dtype=float)
        if rain.shape != (pairs.n_time,):
            raise ValueError(
                f"{name}: precipitation has shape {rain.shape}, expected ({pairs.n_time},)"
            )
        dry = rain[at] <= largest_rain
        chosen &= dry[:-1] & dry[1:]
    if not chosen.any():
        raise ValueError(
            f"{name}: the observed flow falls in no two consecutive intervals"
            + (f" with rain up to {largest_rain:g} mm/d" if precipitation is not None else "")
        )
    return np.flatnonzero(chosen)


def _points(name, flow, t, e):
    fall = take(flow, t) - take(flow, t + 1)
    height = np.log(e / 2) + mathematics(flow).arcsinh(fall / e)  # no cancellation in a steep rise
    return logarithm(name, (take(flow, t) + take(flow, t + 1)) / 2, e), height


def _line(x, z):
    """Return the slope of a least-squares line, NaN if all x are equal, and its height at zero."""
    deviation = x - x.mean()
    slope = (deviation * z).sum() / squares(deviation, x)
    return slope, z.mean() - slope * x.mean()
