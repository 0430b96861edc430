"""Independent Gaussian errors whose scale may grow with the simulated flow."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from pymc_hydro.likelihoods.observations import observe

__all__ = ["Normal", "error_scale"]

SCALES = ("constant", "linear")
RELATIVE_ERROR = 0.5  # prior scale of s1: an error of half the flow is already a poor gauge


def error_scale(name, simulated, scale, spread, s0=None, s1=None):
    """Return the standard deviation of the errors, shape (n_observation,), in mm/d.

    Parameters
    ----------
    name : str
        Put before the names of the new random variables.
    simulated : TensorVariable, shape (n_observation,)
    scale : {"constant", "linear"} or array_like
        ``s0``; ``s0 + s1 q``; or the standard deviations themselves.
    spread : float
        Standard deviation of the observations, the prior scale of `s0`.
    s0, s1 : random variable or float, optional
        In mm/d and 1; half-normal priors where not given.
    """
    if not isinstance(scale, str):
        return pt.as_tensor_variable(scale)
    if scale not in SCALES:
        raise ValueError(
            f"{name}: scale must be one of {', '.join(SCALES)} or an array of standard deviations, "
            f"found {scale!r}"
        )
    s0 = pm.HalfNormal(f"{name}_s0", sigma=spread) if s0 is None else s0
    if scale == "constant":
        return s0 * pt.ones_like(simulated)
    s1 = pm.HalfNormal(f"{name}_s1", sigma=RELATIVE_ERROR) if s1 is None else s1
    return s0 + s1 * simulated


def Normal(name, simulated, *, observed, scale="linear", s0=None, s1=None):
    r"""Place a Gaussian likelihood, :math:`y_t \sim N(q_t, \sigma_t)`, on simulated flow.

    Parameters
    ----------
    name : str
        Name of the observed variable; its dimension is ``<name>_time``.
    simulated : TensorVariable, shape (n_time,), in mm/d
        From ``ph.discharge``, after the warm-up.
    observed : DataArray or Series on time, or array_like, shape (n_time,), in mm/d
        NaN where missing: these intervals take no part. Labelled data may cover more or fewer
        intervals than the simulation.
    scale : {"linear", "constant"} or array_like, shape (n_observation,)
        ``s0 + s1 q`` with the simulated flow q; ``s0``; or given standard deviations in mm/d.
    s0, s1 : random variable or float, optional
        Replace ``<name>_s0 ~ HalfNormal(std(observed))`` in mm/d and
        ``<name>_s1 ~ HalfNormal(0.5)``.

    Returns
    -------
    TensorVariable
        The observed random variable; its log-likelihood is pointwise over time.

    Raises
    ------
    ValueError
        If shapes do not fit, nothing was observed, or `scale` is unknown.

    Notes
    -----
    Modelling recommendations: errors of daily flow are correlated from day to day, which this
    likelihood ignores; parameter uncertainty then comes out too small.

    References
    ----------
    Sorooshian, S., Dracup, J. A. (1980). Water Resour. Res. 16, 430-442.
    doi:10.1029/WR016i002p00430
    """
    at, data, dim = observe(name, simulated, observed)
    spread = float(np.std(data.get_value()))
    sigma = error_scale(name, at, scale, spread or 1.0, s0, s1)
    return pm.Normal(name, mu=at, sigma=sigma, observed=data, dims=dim)
