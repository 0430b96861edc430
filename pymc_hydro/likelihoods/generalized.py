"""The generalised likelihood of 2010, for comparison with published work."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytensor.tensor as pt

from pymc_hydro.likelihoods.errors.autoregression import coefficients, exact_lags
from pymc_hydro.likelihoods.errors.families import SKEW_POWER, shape_variables
from pymc_hydro.likelihoods.errors.memory import (
    UnscaledAutoregression,
    partial_autocorrelations,
)
from pymc_hydro.likelihoods.errors.observations import observe, on_time
from pymc_hydro.likelihoods.errors.residuals import (
    Residuals,
    check_observed,
    error_scale,
    place,
    refuse_idle,
    scale_data,
    spread_of,
    transformed_flow,
    transformed_simulation,
    with_numbers,
)
from pymc_hydro.losses.axis import values_at
from pymc_hydro.losses.transforms import as_transform

__all__ = ["GeneralizedLikelihood"]

ORDERS = range(5)
LARGEST_FACTOR = 10.0  # of the bias, as published


def GeneralizedLikelihood(
    name: str,
    simulated: Any,
    *,
    observed: Any,
    scale: Any = "linear",
    ar: int = 0,
    s0: Any = None,
    s1: Any = None,
    r: Sequence[Any] = (),
    beta: Any = None,
    xi: Any = None,
    bias: Any = 0.0,
    transform: Any = None,
) -> Any:
    r"""Place the generalised likelihood of Schoups and Vrugt (2010), GL.

    .. math::

        \tilde q_t = q_t \min(10, e^{\mu_1 q_t}), \quad
        \eta_t = T(y_t) - T(\tilde q_t), \quad
        \eta_t = \sum_i \phi_i \eta_{t-i} + \sigma_t \varepsilon_t, \quad
        \sigma_t = s_0 + s_1 \tilde q_t

    with skewed exponential power innovations. Residuals are filtered **before** they are
    standardised: autocorrelation and heteroscedasticity then interact, and high flows are
    overcorrected. :func:`SkewExponentialPower` with ``ar`` does it the other way round and should
    be preferred.

    Parameters
    ----------
    name, simulated, observed, scale, s0, s1, transform
        As in :func:`pymc_hydro.likelihoods.Normal`; T is the Box-Cox transformation in the paper.
    ar : {0, 1, 2, 3, 4}
        Order of the autoregression. Residuals before the start and in gaps count as zero.
    r : sequence of random variable, float or None
        Partial autocorrelations, ``Uniform(-1, 1)`` where not given.
    beta, xi : random variable or float, optional
        As in :func:`pymc_hydro.likelihoods.SkewExponentialPower`.
    bias : random variable or float
        The bias parameter in d/mm; the paper has :math:`\mu_1` between 0 and 100.

    Returns
    -------
    TensorVariable
        The observed random variable; its log-likelihood is pointwise over time.

    Raises
    ------
    ValueError
        As :func:`pymc_hydro.likelihoods.Normal`.

    References
    ----------
    Schoups, G., Vrugt, J. A. (2010). Water Resour. Res. 46, W10531. doi:10.1029/2009WR008933
    Evin, G., et al. (2014). Water Resour. Res. 50, 2350-2375. doi:10.1002/2013WR014185
    """
    if ar not in ORDERS:
        raise ValueError(f"{name}: ar must be 0 to 4, found {ar!r}")
    if len(r) > ar:
        raise ValueError(f"{name}: {len(r)} partial autocorrelations are given for ar={ar}")
    memory = UnscaledAutoregression(ar)
    refuse_idle(name, scale, memory, {"s0": s0, "s1": s1}, {})
    transform = as_transform(name, transform)
    before = partial(_neighbours, order=ar) if ar else None
    check = partial(check_observed, name, transform=with_numbers(transform), censored=False)
    seen = observe(name, simulated, observed, check=check, previous=before)
    simulated = seen.simulated
    scale = on_time(f"{name}: scale", scale, simulated)
    scale = scale_data(name, simulated, scale, seen)

    corrected = simulated * pt.minimum(LARGEST_FACTOR, pt.exp(bias * simulated))
    flow = transformed_flow(transform, seen.data, False)
    mean = transformed_simulation(transform, corrected)
    sigma = error_scale(name, corrected, scale, spread_of(flow, seen.data, False), s0, s1)
    center, sd = values_at(mean, seen.position), values_at(sigma, seen.position)
    phi = coefficients(partial_autocorrelations(name, [*r, *[None] * (ar - len(r))]))
    if ar:
        error = flow - center
        there = seen.previous >= 0
        earlier = pt.switch(there, values_at(error, pt.maximum(seen.previous, 0)), 0.0)
        center = center + (earlier * pt.stack(phi)).sum(axis=1)
    shapes = shape_variables(name, SKEW_POWER, {"beta": beta, "xi": xi})
    placed = Residuals(
        simulated, mean, sigma, memory, phi, center, sd, flow, seen.position, seen.data,
        SKEW_POWER, shapes, transform, False,
    )  # fmt: skip
    return place(name, placed, seen)


def _neighbours(position, flow, order):
    return exact_lags(position, [True] * len(position), order)
