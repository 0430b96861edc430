"""The residual model that all likelihoods share: scale, memory, transformation, zero flow."""

from dataclasses import dataclass, replace
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_fn
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from pymc_hydro.likelihoods.distributions.starts import place_at
from pymc_hydro.likelihoods.errors.autoregression import coefficients, condition, last_observations
from pymc_hydro.likelihoods.errors.families import Family, shape_variables
from pymc_hydro.likelihoods.errors.observations import observe, on_time
from pymc_hydro.losses.transforms import (
    AbstractTransform,
    Identity,
    as_transform,
    variables_of,
)

__all__ = [
    "Residuals",
    "all_residuals",
    "check_observed",
    "error_scale",
    "place_residuals",
    "refuse_idle",
    "residuals_of",
]

SCALES = ("constant", "linear")
LOWEST = 1e-6  # mm/d
# Where searches and chains start: s0 as a share of the observations' standard deviation, s1, and
# r1. Errors that are small and remembered: from large errors without memory the search ends where
# tails with infinite variance explain the storms, hundreds of units of log-probability lower.
START_S0, START_S1, START_R1 = {"constant": 0.3, "linear": 0.1}, 0.3, float(np.exp(-0.05))
RELATIVE_ERROR = 0.5  # prior scale of s1: an error of half the flow is already a poor gauge


@dataclass(frozen=True)
class Residuals:
    """An error model as it was placed, for predictions.

    Attributes
    ----------
    simulated, mean, sigma : TensorVariable, shape (n_time,)
        Flow in mm/d; the transformed flow around which errors scatter; their scale.
    phi : list of TensorVariable
        Coefficients of the autoregression.
    standardized : bool
        Whether the autoregression is of errors in units of their scale (all but the form of 2010).
    center, sd : TensorVariable, shape (n_observation,)
        Mean and standard deviation of each transformed observation, given those before it.
    flow : TensorVariable, shape (n_observation,)
        Transformed observations.
    position, observed : TensorVariable, shape (n_observation,)
    family, shapes, transform, censored
        As in the likelihood.
    """

    simulated: object
    mean: object
    sigma: object
    phi: list
    standardized: bool
    center: object
    sd: object
    flow: object
    position: object
    observed: object
    family: Family
    shapes: list
    transform: AbstractTransform
    censored: bool


# By model and likelihood.
_PLACED: WeakKeyDictionary = WeakKeyDictionary()


def all_residuals(model: pm.Model) -> dict[str, Residuals]:
    """Return the error models of all likelihoods by name."""
    return dict(_PLACED.get(model, {}))


def residuals_of(model: pm.Model, name: str) -> Residuals:
    """Return the error model of a likelihood.

    Raises
    ------
    KeyError
        If the model has no such likelihood.
    """
    placed = _PLACED.get(model, {})
    if name not in placed:
        known = ", ".join(placed) or "none"
        raise KeyError(
            f"{name!r} is no likelihood of this model with an error model; known are {known}"
        )
    return placed[name]


def place_residuals(
    family: Family,
    name: str,
    simulated,
    *,
    observed,
    scale="linear",
    ar=0,
    s0=None,
    s1=None,
    r1=None,
    r2=None,
    transform=None,
    censored=False,
    **shapes,
):
    """Place a likelihood whose innovations have the density of a family.

    Parameters
    ----------
    family : Family
        A density with zero mean and unit variance, with its shapes.
    name, simulated, observed, scale, ar, s0, s1, r1, r2, transform, censored
        As in :func:`pymc_hydro.likelihoods.Normal`.
    **shapes : random variable or float
        The shapes of the family, by name; those not given have the priors of the package.

    Returns
    -------
    TensorVariable
        The observed random variable.

    Raises
    ------
    TypeError
        If an argument is no shape of the family, or would have no effect.
    ValueError
        As in :func:`pymc_hydro.likelihoods.Normal`.
    """
    unknown = sorted(set(shapes) - set(family.shapes))
    if unknown:
        raise TypeError(f"{name}: unknown arguments {', '.join(unknown)}")
    if ar not in (0, 1, 2):
        raise ValueError(f"{name}: ar must be 0, 1 or 2, found {ar!r}")
    refuse_idle(name, scale, ar, {"s0": s0, "s1": s1, "r1": r1, "r2": r2})
    transform, scale = as_transform(name, transform), on_time(f"{name}: scale", scale)
    before = partial(_last, order=ar, censored=censored) if ar else None
    check = partial(check_observed, name, transform=transform, censored=censored, scale=scale)
    seen = observe(name, simulated, observed, check=check, previous=before)

    flow = transformed_flow(transform, seen.data, censored)
    mean = transformed_simulation(transform, simulated)
    sigma = error_scale(name, simulated, scale, spread_of(flow, seen.data, censored), s0, s1)
    center, sd = mean[seen.position], sigma[seen.position]
    phi = coefficients(partial_autocorrelations(name, (r1, r2)[:ar]))
    if ar:
        error = (flow - center) / sd
        weights, narrower = condition(phi, seen.previous[:, ar:])
        center = center + sd * (weights * error[seen.previous[:, :ar]]).sum(axis=1)
        sd = sd * narrower
    values = shape_variables(name, family, shapes)
    placed = Residuals(
        simulated, mean, sigma, phi, True, center, sd, flow, seen.position, seen.data,
        family, values, transform, censored,
    )  # fmt: skip
    return place(name, placed, seen)


def place(name, placed: Residuals, seen):
    """Place the observed variable of an error model, and remember the model."""
    _PLACED.setdefault(pm.modelcontext(None), {})[name] = placed
    family, shapes, transform = placed.family, placed.shapes, placed.transform
    center, sd = placed.center, placed.sd
    observed = {"observed": seen.data, "dims": seen.dim}
    if isinstance(transform, Identity) and not placed.censored:
        return family.place(name, center, sd, *shapes, **observed)
    variables = variables_of(transform)

    def rebuilt(rest):
        of_transform = dict(zip(variables, rest[len(shapes) :], strict=True))
        return rest[: len(shapes)], replace(transform, **of_transform)

    def dist(center, sd, *rest):
        *rest, size = rest
        values, transform = rebuilt(rest)
        flow = transform.inverse(family.dist(center, sd, *values, size=size))
        return pt.maximum(flow, 0.0) if placed.censored else flow

    def logp(value, center, sd, *rest):
        values, transform = rebuilt(rest)
        errors = family.dist(center, sd, *values)
        there = value > 0 if placed.censored else pt.ones_like(value, dtype="bool")
        flow = pt.switch(there, value, 1.0)
        density = pm.logp(errors, transform.forward(flow)) + transform.log_derivative(flow)
        if not placed.censored:
            return density
        # Evaluated at the centre where there is flow, so that its gradient is finite there too.
        dry = pm.logcdf(errors, pt.switch(there, center, transform.at_zero()))
        return pt.switch(there, density, pt.switch(value < 0, -np.inf, dry))

    def support_point(rv, size, center, sd, *rest):
        return pt.full(rv.shape, rebuilt(rest)[1].inverse(center))

    parameters = (center, sd, *shapes, *variables.values())
    return pm.CustomDist(
        name, *parameters, dist=dist, logp=logp, support_point=support_point, **observed
    )


def error_scale(name, simulated, scale, spread, s0=None, s1=None):
    """Return the standard deviation of the errors, shape (n_time,), in mm/d.

    Parameters
    ----------
    name : str
        Put before the names of the new random variables.
    simulated : TensorVariable, shape (n_time,)
    scale : {"constant", "linear"} or array_like
        ``s0``; ``s0 + s1 q``; or the standard deviations themselves.
    spread : float
        Standard deviation of the observations, the prior scale of `s0`.
    s0, s1 : random variable or float, optional
        In mm/d and 1; half-normal priors where not given.
    """
    if not isinstance(scale, str):
        return pt.as_tensor_variable(scale) * pt.ones_like(simulated)
    if scale not in SCALES:
        raise ValueError(
            f"{name}: scale must be one of {', '.join(SCALES)} or an array of standard deviations, "
            f"found {scale!r}"
        )
    if s0 is None:
        start = START_S0[scale] * spread
        s0 = place_at(start, f"{name}_s0", pm.HalfNormal.dist(sigma=spread))
    if scale == "constant":
        return s0 * pt.ones_like(simulated)
    if s1 is None:
        s1 = place_at(START_S1, f"{name}_s1", pm.HalfNormal.dist(sigma=RELATIVE_ERROR))
    # A solver may leave a dry river at -1e-12; the scale stays positive.
    return s0 + s1 * pt.maximum(simulated, 0.0)


def check_observed(name, series, *, transform, censored, scale="constant"):
    """Check that a likelihood can have these observations, NaN where missing."""
    flow = series[np.isfinite(series)]
    if censored and not (flow > 0).any():
        raise ValueError(f"{name}: no observation is above zero")
    if censored and (flow < 0).any():
        raise ValueError(f"{name}: observed flow is negative, which censored=True cannot explain")
    needed = np.append(flow, 0.0) if censored else flow
    dense = flow[flow > 0] if censored else flow  # where there is a density
    with np.errstate(invalid="ignore", divide="ignore"):
        values = (
            transform.forward(pt.constant(needed)),
            transform.log_derivative(pt.constant(dense)),
        )
        defined = all(np.isfinite(v.eval()).all() for v in values)
    if not defined:
        raise ValueError(
            f"{name}: {transform} is not defined for a flow of {needed.min():g} mm/d; give it an "
            "offset"
        )
    if isinstance(scale, (str, Variable)):
        return
    try:
        sd = np.asarray(scale, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: scale must be 'constant', 'linear' or standard deviations, found {scale!r}"
        ) from error
    if sd.ndim and sd.shape != series.shape:
        raise ValueError(
            f"{name}: scale has shape {sd.shape}, expected {series.shape}, one standard "
            "deviation for each interval after the warm-up; a number serves every record"
        )
    if not (np.broadcast_to(sd, series.shape)[np.isfinite(series)] > 0).all():
        raise ValueError(
            f"{name}: scale must be 'constant', 'linear', or positive standard deviations at every "
            f"observation; found {scale!r}"
        )


def refuse_idle(name, scale, ar, given):
    """Raise TypeError if a parameter is given that an error model does not have."""
    has = {"s0": isinstance(scale, str), "s1": isinstance(scale, str) and scale != "constant"}
    has |= {"r1": ar > 0, "r2": ar > 1}
    idle = [what for what, value in given.items() if value is not None and not has[what]]
    if idle:
        raise TypeError(
            f"{name}: {', '.join(idle)} would have no effect with scale={scale!r} and ar={ar}"
        )


def transformed_flow(transform, data, censored):
    """Return transformed observations, and where flow is zero a stand-in that nothing looks at."""
    return transform.forward(pt.switch(data > 0, data, 1.0) if censored else data)


def transformed_simulation(transform, simulated):
    """Return transformed simulated flow, which counts as `LOWEST` at least: finite when dry."""
    if isinstance(transform, Identity):
        return simulated
    return transform.forward(pt.maximum(simulated, LOWEST))


def _last(position, flow, order, censored):
    usable = flow > 0 if censored else np.ones(flow.size, dtype=bool)
    return last_observations(position, usable, order)


def spread_of(flow, data, censored) -> float:
    """Return the standard deviation of transformed observations, 1 where they are constant.

    Random parameters of the transformation have their initial values.
    """
    model, known = pm.modelcontext(None), set(ancestors([flow]))
    random = [rv for rv in model.free_RVs if rv in known]
    if random:
        first = make_initial_point_fn(model=model, return_transformed=False)(0)
        flow = clone_replace(flow, {rv: pt.constant(first[rv.name]) for rv in random})
    values = flow.eval()
    if censored:
        values = values[data.get_value() > 0]
    return float(np.std(values)) or 1.0


def partial_autocorrelations(name, given) -> list:
    """Return partial autocorrelations, uniform between -1 and 1 where not given."""
    return [
        place_at(START_R1 if k == 1 else 0.0, f"{name}_r{k}", pm.Uniform.dist(-1, 1))
        if r is None
        else r
        for k, r in enumerate(given, 1)
    ]
