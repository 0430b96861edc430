"""Nash-Sutcliffe and Kling-Gupta efficiency."""

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

__all__ = ["kge", "nse"]


def nse(observed, simulated):
    """Return the Nash-Sutcliffe efficiency, a score: one is perfect, higher is better.

    ``1 - sum((y - q)^2) / sum((y - mean(y))^2)``; zero is as good as the mean of the observations.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing: these are left out of all sums.
    simulated : array_like or TensorVariable, shape (n_time,)

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
    observed, simulated = _paired("nse", observed, simulated)
    residual = observed - simulated
    spread = observed - observed.mean()
    return _number(1 - (residual * residual).sum() / (spread * spread).sum())


def kge(observed, simulated):
    """Return the Kling-Gupta efficiency of 2009, a score: one is perfect, higher is better.

    ``1 - sqrt((r - 1)^2 + (a - 1)^2 + (b - 1)^2)`` with the correlation r, the ratio of standard
    deviations a and the ratio of means b, simulated by observed.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing: these are left out.
    simulated : array_like or TensorVariable, shape (n_time,)

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    ValueError
        If the shapes differ, or the observations are all missing or constant.

    References
    ----------
    Gupta, H. V., et al. (2009). J. Hydrol. 377, 80-91. doi:10.1016/j.jhydrol.2009.08.003
    """
    observed, simulated = _paired("kge", observed, simulated)
    y, q = observed - observed.mean(), simulated - simulated.mean()
    spread_y, spread_q = ((y * y).mean()) ** 0.5, ((q * q).mean()) ** 0.5
    r = (y * q).mean() / (spread_y * spread_q)
    a, b = spread_q / spread_y, simulated.mean() / observed.mean()
    return _number(1 - ((r - 1) ** 2 + (a - 1) ** 2 + (b - 1) ** 2) ** 0.5)


def _paired(name, observed, simulated):
    """Return both series where there is an observation."""
    if isinstance(observed, Variable):
        return observed, pt.as_tensor_variable(simulated)
    observed = np.asarray(observed, dtype=float)
    if not isinstance(simulated, Variable):
        simulated = np.asarray(simulated, dtype=float)
        if simulated.shape != observed.shape:
            raise ValueError(
                f"{name}: observed has shape {observed.shape} and simulated {simulated.shape}; "
                "they must cover the same intervals"
            )
    there = np.flatnonzero(np.isfinite(observed))
    if there.size == 0:
        raise ValueError(f"{name}: all observations are missing")
    observed = observed[there]
    if np.ptp(observed) == 0:
        raise ValueError(f"{name}: the observations are constant, the score is not defined")
    return observed, simulated[there]


def _number(x):
    return x if isinstance(x, Variable) else float(x)
