"""Likelihoods of flow: functions that place an observed random variable.

All share one error model (:mod:`pymc_hydro.likelihoods.errors.residuals`) and differ in the
density of the innovations, which has zero mean and unit variance.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytensor.tensor as pt

from pymc_hydro.likelihoods.errors import families
from pymc_hydro.likelihoods.errors.residuals import place_residuals

__all__ = [
    "Laplace",
    "Normal",
    "SkewExponentialPower",
    "SkewGeneralizedT",
    "SkewStudentT",
    "Student",
]


Likelihood = TypeVar("Likelihood", bound=Callable)


def with_residual_model(likelihood: Likelihood) -> Likelihood:
    """Show the arguments of the residual model, with their defaults, in a likelihood's signature.

    They are written once, in :func:`pymc_hydro.likelihoods.place_residuals`.
    """
    shown: dict[str, inspect.Parameter] = {}
    for function in (likelihood, place_residuals):
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is not parameter.VAR_KEYWORD and parameter.name != "family":
                shown.setdefault(parameter.name, parameter)
    shown_signature = inspect.Signature(list(shown.values()), return_annotation=Any)
    likelihood.__signature__ = shown_signature  # type: ignore[attr-defined]
    return likelihood


@with_residual_model
def Normal(
    name: str, simulated: pt.TensorVariable, *, observed: Any, **residual_model: Any
) -> pt.TensorVariable:
    r"""Place a Gaussian likelihood on simulated flow.

    .. math::

        T(y_t) = T(q_t) + \sigma_t e_t, \quad
        e_t = \phi_1 e_{t-1} + \phi_2 e_{t-2} + \sigma_\varepsilon \varepsilon_t

    with :math:`\varepsilon_t` of unit variance, here normal, and the stationary
    :math:`\operatorname{var} e = 1`. Each observation is given its predecessors: the
    log-likelihood is pointwise over time, draws of the observed variable are predictions one step
    ahead. :func:`pymc_hydro.predict` draws series that run freely.

    Parameters
    ----------
    name : str
        Name of the observed variable; its dimension is ``<name>_time``.
    simulated : TensorVariable, shape (n_time,), in mm/d
        From ``ph.discharge``, after the warm-up.
    observed : DataArray or Series on time, or array_like, shape (n_time,), in mm/d
        NaN where missing: such an interval takes no part, and the memory of an error fades over the
        length of the gap (:mod:`pymc_hydro.likelihoods.errors.autoregression`). Labelled data may
        cover more or fewer intervals than the simulation. With several basins a mapping of basin
        to such a series; errors are not remembered from one basin to the next.
    scale : {"linear", "constant"} or array_like, shape (n_time,) or ()
        Standard deviation :math:`\sigma_t` of the errors: "linear" is ``s0 + s1 q`` with the
        simulated flow q, "constant" is ``s0``, an array gives it in mm/d. With a transformation it
        is in transformed units.
    ar : {0, 1, 2}, optional
        Order of the memory, 0 where neither `ar` nor `memory` is given: none.
    memory : {"constant", "flow"}, optional
        "constant" is the autoregression above, of order 1 where `ar` is not given. "flow" is of
        order 1 and fades the faster the more simulated flow changes, see Notes. Not given: what
        `ar` says.
    s0, s1 : random variable or float, optional
        Replace ``<name>_s0 ~ HalfNormal(std(observed))`` in mm/d and
        ``<name>_s1 ~ HalfNormal(0.5)``.
    r1, r2 : random variable or float, optional
        Partial autocorrelations, in place of ``<name>_r1, <name>_r2 ~ Uniform(-1, 1)``;
        ``phi2 = r2`` and ``phi1 = r1 (1 - r2)`` are then stationary for certain. Scalars.
    k0, ku, kd : random variable or float, optional
        Of ``memory="flow"``, in place of ``<name>_k0 ~ LogNormal(log 0.02, 1)`` in 1/d,
        ``<name>_ku ~ LogNormal(0, 0.5)`` and ``<name>_kd ~ HalfNormal(0.5)``. Scalars, or one
        value for each basin.
    transform : {"log", "sqrt", "box_cox", "log_sinh"}, BoxCox or LogSinh, optional
        T; its Jacobian is part of the log-likelihood. ``scale="constant"`` usually suffices then.
        Simulated flow counts as 1e-6 mm/d at least.
    censored : bool
        Whether an observation of zero means that :math:`T(y) \le T(0)`, and counts with that
        probability. It has no error that later observations could remember: their predecessor is
        the last flow above zero.

    Returns
    -------
    TensorVariable
        The observed random variable.

    Raises
    ------
    ValueError
        If shapes do not fit, nothing was observed, an option is unknown, or the transformation is
        not defined for the observations.

    Notes
    -----
    Modelling recommendations: errors of daily flow are correlated from day to day; with ``ar=0``
    parameter uncertainty comes out too small. Large errors are more frequent than normal; see
    :func:`SkewStudentT`.

    With ``memory="flow"`` an error is remembered with the weight :math:`\rho = \exp(-(K_t - K_s))`
    from the last observation s, and has the variance :math:`1 - \rho^2` given that one. K goes on
    by :math:`k_0` a day, by :math:`k_u` when the logarithm of simulated flow (+ 0.001 mm/d) rises
    by one and by :math:`k_d` when it falls by one. With ``ku = kd = 0`` it is ``ar=1`` with
    ``r1 = exp(-k0 dt)``. Errors on a rising limb say little about the recession before it:
    forecasts one step ahead are better with this memory than with a constant one.

    Implementation details: for memories of order 1 the likelihood is exact at the start and across
    gaps, for order 2 where each observation's last two predecessors are neighbours.

    References
    ----------
    Sorooshian, S., Dracup, J. A. (1980). Water Resour. Res. 16, 430-442.
    doi:10.1029/WR016i002p00430
    Ammann, L., Fenicia, F., Reichert, P. (2019). Hydrol. Earth Syst. Sci. 23, 2147-2172.
    doi:10.5194/hess-23-2147-2019
    Vrugt, J. A., et al. (2022). J. Hydrol. 615, 128542. doi:10.1016/j.jhydrol.2022.128542
    """
    return place_residuals(families.NORMAL, name, simulated, observed=observed, **residual_model)


@with_residual_model
def Laplace(
    name: str, simulated: pt.TensorVariable, *, observed: Any, **residual_model: Any
) -> pt.TensorVariable:
    r"""Place a likelihood of Laplace's errors: least absolute instead of least squares.

    Innovations have the density :math:`f(x) = \exp(-\sqrt{2} |x|) / \sqrt{2}`.

    Parameters
    ----------
    name, simulated, observed, scale, ar, memory, s0, s1, r1, r2, k0, ku, kd, transform, censored
        As in :func:`Normal`.

    Returns
    -------
    TensorVariable

    References
    ----------
    Vrugt, J. A., et al. (2022). J. Hydrol. 615, 128542. doi:10.1016/j.jhydrol.2022.128542
    """
    return place_residuals(families.LAPLACE, name, simulated, observed=observed, **residual_model)


@with_residual_model
def Student(
    name: str, simulated: pt.TensorVariable, *, observed: Any, nu: Any = None, **residual_model: Any
) -> pt.TensorVariable:
    """Place a likelihood of Student's t errors, scaled to unit variance.

    That of :func:`SkewStudentT` without skewness.

    Parameters
    ----------
    name, simulated, observed, scale, ar, memory, s0, s1, r1, r2, k0, ku, kd, transform, censored
        As in :func:`Normal`.
    nu : random variable or float, optional
        Degrees of freedom above 2, in place of ``3 + Gamma(2, 0.1)``.

    Returns
    -------
    TensorVariable
    """
    place = partial(place_residuals, families.STUDENT, name, simulated, observed=observed)
    return place(nu=nu, **residual_model)


@with_residual_model
def SkewStudentT(
    name: str,
    simulated: pt.TensorVariable,
    *,
    observed: Any,
    nu: Any = None,
    xi: Any = None,
    **residual_model: Any,
) -> pt.TensorVariable:
    """Place a likelihood of skewed Student's t errors (SST, SL): heavy tails and skewness.

    The density is that of :class:`pymc_hydro.likelihoods.distributions.SkewStudentT`.

    Parameters
    ----------
    name, simulated, observed, scale, ar, memory, s0, s1, r1, r2, k0, ku, kd, transform, censored
        As in :func:`Normal`.
    nu : random variable or float, optional
        Degrees of freedom above 2, in place of ``3 + Gamma(2, 0.1)``.
    xi : random variable or float, optional
        Skewness, 1 is symmetric, in place of ``LogNormal(0, 0.5)``.

    Returns
    -------
    TensorVariable

    Notes
    -----
    Modelling recommendations: with ``scale="linear"`` and ``ar=1`` a good first choice for daily
    flow. With autocorrelation and heavy tails together the posterior may have several modes: start
    from :func:`pymc_hydro.fit_laplace`. The prior of ``nu`` begins at 3: near 2 nothing but the
    tails decides the meaning of a variance of one.

    References
    ----------
    Scharnagl, B., et al. (2015). Hydrol. Earth Syst. Sci. Discuss. 12, 2155-2199.
    doi:10.5194/hessd-12-2155-2015
    """
    place = partial(place_residuals, families.SKEW_STUDENT, name, simulated, observed=observed)
    return place(nu=nu, xi=xi, **residual_model)


@with_residual_model
def SkewExponentialPower(
    name: str,
    simulated: pt.TensorVariable,
    *,
    observed: Any,
    beta: Any = None,
    xi: Any = None,
    **residual_model: Any,
) -> pt.TensorVariable:
    """Place a likelihood of skewed exponential power errors (SEP; with ``ar``: GL+).

    The density is that of :class:`pymc_hydro.likelihoods.distributions.SkewExponentialPower`.

    Parameters
    ----------
    name, simulated, observed, scale, ar, memory, s0, s1, r1, r2, k0, ku, kd, transform, censored
        As in :func:`Normal`.
    beta : random variable or float, optional
        Kurtosis: 0 normal, 1 Laplace, in place of ``Uniform(-1, 1)``.
    xi : random variable or float, optional
        Skewness, 1 is symmetric, in place of ``LogNormal(0, 0.5)``.

    Returns
    -------
    TensorVariable

    References
    ----------
    Vrugt, J. A., et al. (2022). J. Hydrol. 615, 128542. doi:10.1016/j.jhydrol.2022.128542
    """
    place = partial(place_residuals, families.SKEW_POWER, name, simulated, observed=observed)
    return place(beta=beta, xi=xi, **residual_model)


@with_residual_model
def SkewGeneralizedT(
    name: str,
    simulated: pt.TensorVariable,
    *,
    observed: Any,
    lam: Any = None,
    p: Any = None,
    q: Any = None,
    **residual_model: Any,
) -> pt.TensorVariable:
    """Place a likelihood of skewed generalised t errors (SGT, UL), which contain all others.

    The density is that of :class:`pymc_hydro.likelihoods.distributions.SkewGeneralizedT`.

    Parameters
    ----------
    name, simulated, observed, scale, ar, memory, s0, s1, r1, r2, k0, ku, kd, transform, censored
        As in :func:`Normal`.
    lam : random variable or float, optional
        Skewness, 0 is symmetric, in place of ``Uniform(-1, 1)``.
    p : random variable or float, optional
        Peakedness, 2 is Student's, in place of ``LogNormal(log 2, 0.3)``.
    q : random variable or float, optional
        Tail, above 2, in place of ``3 + Gamma(2, 0.1)``.

    Returns
    -------
    TensorVariable

    References
    ----------
    Vrugt, J. A., et al. (2022). J. Hydrol. 615, 128542. doi:10.1016/j.jhydrol.2022.128542
    """
    place = partial(place_residuals, families.SKEW_GENERALIZED, name, simulated, observed=observed)
    return place(lam=lam, p=p, q=q, **residual_model)
