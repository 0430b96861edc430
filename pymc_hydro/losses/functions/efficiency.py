"""Nash-Sutcliffe and Kling-Gupta efficiencies, and the bias of the volume."""

import numpy as np

from pymc_hydro.losses.mathematics import Series, Value, number, ordered, root, squares
from pymc_hydro.losses.pairs import Pairs, logarithm, small_flow, variation
from pymc_hydro.losses.transforms import Transformation

__all__ = ["kge", "kge_2012", "kge_nonparametric", "nse", "nse_residuals", "volume_bias"]

# Differences of the logarithm of flow over which a rank changes in graphs: 10 %.
RANK_WIDTH = 0.1


def nse(observed: Series, simulated: Series, *, transform: Transformation = None) -> Value:
    """Return the Nash-Sutcliffe efficiency, a score: one is perfect, higher is better.

    ``1 - sum((y - q)^2) / sum((y - mean(y))^2)``, from minus infinity to one; zero is as good as
    the mean of the observations. Zero flow, and a constant simulation, are allowed.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; missing observations are left out of all sums.
    simulated : array_like or TensorVariable, shape (n_time,)
    transform : {"log", "sqrt", "box_cox", "inverse"} or Transform, optional
        Of both series: the logarithm weighs low flows, the square root stands in between.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        If the shapes differ, or the observations are all missing or constant.

    References
    ----------
    Nash, J. E., Sutcliffe, J. V. (1970). J. Hydrol. 10, 282-290.
    doi:10.1016/0022-1694(70)90255-6
    """
    r = nse_residuals(observed, simulated, transform=transform)
    return number(1 - (r * r).sum())


def nse_residuals(
    observed: Series, simulated: Series, *, transform: Transformation = None
) -> Value:
    """Return the residuals whose squares add up to one minus :func:`nse`."""
    pairs = Pairs.of("nse", observed, simulated, transform=transform)
    return pairs.residual / variation("nse", pairs.observed) ** 0.5


def kge(observed: Series, simulated: Series, *, transform: Transformation = None) -> Value:
    """Return the Kling-Gupta efficiency of 2009, a score: one is perfect, higher is better.

    ``1 - sqrt((r - 1)^2 + (a - 1)^2 + (b - 1)^2)`` with the correlation r, the ratio of standard
    deviations a and the ratio of means b, simulated by observed. From minus infinity to one; the
    mean of the observations has about -0.41.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; missing observations are left out.
    simulated : array_like or TensorVariable, shape (n_time,)
        If constant or zero, there is no correlation and the result is NaN; single zero flows are
        allowed.
    transform : {"log", "sqrt", "box_cox", "inverse"} or Transform, optional
        With the logarithm the result depends on the unit of flow, and is without meaning where
        the mean logarithm is near zero.

    Returns
    -------
    float or TensorVariable
        The derivative of a perfect fit is taken as zero.

    Raises
    ------
    ValueError
        If the shapes differ, or the observations are all missing or constant.

    References
    ----------
    Gupta, H. V., et al. (2009). J. Hydrol. 377, 80-91. doi:10.1016/j.jhydrol.2009.08.003
    """
    r, a, b = _components("kge", observed, simulated, transform)
    return number(1 - root((r - 1) ** 2 + (a - 1) ** 2 + (b - 1) ** 2))


def kge_2012(observed: Series, simulated: Series, *, transform: Transformation = None) -> Value:
    """Return the Kling-Gupta efficiency of 2012, a score: one is perfect, higher is better.

    ``1 - sqrt((r - 1)^2 + (c - 1)^2 + (b - 1)^2)``: as :func:`kge`, with the ratio c of the
    coefficients of variation in place of the ratio of standard deviations, so that variability and
    bias are not counted twice. From minus infinity to one. A simulation that is constant, or
    without flow, has NaN; observations that are constant are refused, and missing ones left out.

    Parameters
    ----------
    observed, simulated, transform
        As in :func:`kge`.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`kge`.

    References
    ----------
    Kling, H., Fuchs, M., Paulin, M. (2012). J. Hydrol. 424-425, 264-277.
    doi:10.1016/j.jhydrol.2012.01.011
    """
    r, a, b = _components("kge_2012", observed, simulated, transform)
    with np.errstate(all="ignore"):  # no flow: 0 / 0
        c = a / b
    return number(1 - root((r - 1) ** 2 + (c - 1) ** 2 + (b - 1) ** 2))


def kge_nonparametric(
    observed: Series,
    simulated: Series,
    *,
    rank_width: float | None = None,
    transform: Transformation = None,
) -> Value:
    """Return the non-parametric Kling-Gupta efficiency, a score: one is perfect, higher is better.

    As :func:`kge`, with Spearman's rank correlation, and for the variability
    ``1 - sum(|q_(i) / (n mean(q)) - y_(i) / (n mean(y))|) / 2``: the two flow-duration curves
    scaled by their means, that is without the volume. From minus infinity to one.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; missing observations are left out.
    simulated : array_like or TensorVariable, shape (n_time,)
        If constant or zero, there is no correlation and the result is NaN; single zero flows are
        allowed.
    rank_width : float, optional
        Ranks do not change with small changes of flow, so that their correlation has no useful
        derivative. With a width w, two flows change their order gradually, over differences of
        ln(q) from -w to w. Zero are exact ranks. Where not given, zero for arrays and 0.1 for
        graphs.
    transform : {"log", "sqrt", "box_cox", "inverse"} or Transform, optional
        Ranks do not change.

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        As in :func:`kge`, and if the width is negative.

    References
    ----------
    Pool, S., Vis, M., Seibert, J. (2018). Hydrol. Sci. J. 63, 1941-1953.
    doi:10.1080/02626667.2018.1552002
    """
    name = "kge_nonparametric"
    pairs = Pairs.of(name, observed, simulated, transform=transform, numbers_only=True)
    y, q, xp = pairs.observed, pairs.simulated, pairs.math
    variation(name, y)
    if rank_width is None:
        rank_width = 0.0 if xp is np else RANK_WIDTH
    if not rank_width >= 0:
        raise ValueError(f"{name}: rank_width must be >= 0, found {rank_width!r}")
    plain = Pairs.of(name, observed, simulated)  # ranks do not depend on the transformation
    rank_y, rank_q = (_rank(plain, x, rank_width) for x in (plain.observed, plain.simulated))
    with np.errstate(all="ignore"):  # no flow: 0 / 0
        shape_y, shape_q = ordered(y) / y.sum(), ordered(q) / q.sum()
    a = 1 - 0.5 * xp.abs(shape_q - shape_y).sum()
    r, b = _correlation(rank_y, rank_q), q.mean() / y.mean()
    return number(1 - root((r - 1) ** 2 + (a - 1) ** 2 + (b - 1) ** 2))


def volume_bias(observed: Series, simulated: Series) -> Value:
    """Return the squared relative bias of the volume, a loss: zero is perfect, lower is better.

    ``(mean(q) / mean(y) - 1)^2``, from zero to infinity; useful as an addition to another loss.
    Constant flow is allowed.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; missing observations are left out.
    simulated : array_like or TensorVariable, shape (n_time,)

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        If the shapes differ, or the observations are all missing or all zero.
    """
    pairs = Pairs.of("volume_bias", observed, simulated)
    if pairs.positions is not None and not pairs.observed.any():
        raise ValueError("volume_bias: all observed flows are zero; use ssr or sar")
    return number((pairs.simulated.mean() / pairs.observed.mean() - 1) ** 2)


def _components(name, observed, simulated, transform):
    pairs = Pairs.of(name, observed, simulated, transform=transform)
    y, q = pairs.observed, pairs.simulated
    spread_y = variation(name, y) ** 0.5
    deviation = q - q.mean()
    return (
        _correlation(y, q),
        root((deviation * deviation).sum()) / spread_y,
        q.mean() / y.mean(),
    )


def _correlation(y, q):
    a_y, a_q = y - y.mean(), q - q.mean()
    return (a_y * a_q).sum() / (squares(a_y, y) * squares(a_q, q)) ** 0.5


def _rank(pairs, flow, width):
    """Return ranks, up to a constant: how many flows are smaller, each counted gradually.

    A flow that is d smaller in its logarithm counts by ``1/2 + d / (2 w)``, between 0 and 1. With
    sorted logarithms and their partial sums, that takes two searches for each flow.
    """
    xp = pairs.math
    name, x = "kge_nonparametric", flow
    if width:
        x = logarithm(name, flow, small_flow(name, pairs.observed))
    rising = ordered(x)
    low = xp.searchsorted(rising, x - width, side="left")
    high = xp.searchsorted(rising, x + width, side="right")
    inside = high - low
    if not width:
        return low + 0.5 * inside
    sums = xp.concatenate([np.zeros(1), xp.cumsum(rising)])
    return low + 0.5 * inside + (inside * x - (sums[high] - sums[low])) / (2 * width)
