"""The residual model that all likelihoods share: scale, memory, transformation, zero flow."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_fn
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from pymc_hydro.likelihoods.distributions.starts import place_at
from pymc_hydro.likelihoods.errors.autoregression import last_observations
from pymc_hydro.likelihoods.errors.families import Family, shape_variables
from pymc_hydro.likelihoods.errors.memory import AbstractMemory, find_memory
from pymc_hydro.likelihoods.errors.nodes import PlacedErrors, nodes_of
from pymc_hydro.likelihoods.errors.observations import observe, on_time
from pymc_hydro.likelihoods.errors.transformed import transformed_flow_variable
from pymc_hydro.losses.axis import UNCOMPILED, axis_of, length_of, value_of, values_at
from pymc_hydro.losses.curves import AbstractTransform, Identity
from pymc_hydro.losses.transforms import as_transform, variables_of

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
# Where searches and chains start: s0 as a share of the observations' standard deviation, and s1.
# Errors that are small and remembered: from large errors without memory the search ends where
# tails with infinite variance explain the storms, hundreds of units of log-probability lower.
START_S0, START_S1 = {"constant": 0.3, "linear": 0.1}, 0.5
RELATIVE_ERROR = 0.5  # prior scale of s1: an error of half the flow is already a poor gauge


@dataclass(frozen=True)
class Residuals:
    """An error model as it was placed, for predictions.

    Attributes
    ----------
    simulated, mean, sigma : TensorVariable, shape (n_time,)
        Flow in mm/d; the transformed flow around which errors scatter; their scale.
    memory : AbstractMemory
    memory_values : list of TensorVariable
        The variables of the memory.
    center, sd : TensorVariable, shape (n_observation,)
        Mean and standard deviation of each transformed observation, given the observations before
        it.
    flow : TensorVariable, shape (n_observation,)
        Transformed observations.
    position, observed : TensorVariable, shape (n_observation,)
    family, shapes, transform, censored
        As in the likelihood.
    """

    simulated: Any
    mean: Any
    sigma: Any
    memory: AbstractMemory
    memory_values: list
    center: Any
    sd: Any
    flow: Any
    position: Any
    observed: Any
    family: Family
    shapes: list
    transform: AbstractTransform
    censored: bool


def all_residuals(model: pm.Model) -> dict[str, Residuals]:
    """Return the error models of all likelihoods by name, found in the graph of the model."""
    return {node.op.name: _of_node(node) for node in nodes_of(model, PlacedErrors)}


def residuals_of(model: pm.Model, name: str) -> Residuals:
    """Return the error model of a likelihood.

    Raises
    ------
    KeyError
        If the model has no such likelihood.
    """
    placed = all_residuals(model)
    if name not in placed:
        known = ", ".join(placed) or "none"
        raise KeyError(
            f"{name!r} is no likelihood of this model with an error model; known are {known}"
        )
    return placed[name]


def _of_node(node) -> Residuals:
    """Return the error model that a node holds."""
    op = node.op
    center, sd, simulated, mean, sigma, flow, position, data, *rest = node.inputs
    memory_values, rest = rest[: op.n_memory], rest[op.n_memory :]
    shapes, variables = rest[: op.n_shape], rest[op.n_shape :]
    return Residuals(
        simulated=simulated,
        mean=mean,
        sigma=sigma,
        memory=op.memory,
        memory_values=memory_values,
        center=center,
        sd=sd,
        flow=flow,
        position=position,
        observed=data,
        family=op.family,
        shapes=shapes,
        transform=replace(op.transform, **dict(zip(op.variables, variables, strict=True))),
        censored=op.censored,
    )


def place_residuals(
    family: Family,
    name: str,
    simulated: Any,
    *,
    observed: Any,
    scale: Any = "linear",
    ar: int | None = None,
    memory: str | None = None,
    s0: Any = None,
    s1: Any = None,
    r1: Any = None,
    r2: Any = None,
    k0: Any = None,
    ku: Any = None,
    kd: Any = None,
    transform: Any = None,
    censored: bool = False,
    **shapes: Any,
) -> Any:
    """Place a likelihood whose innovations have the density of a family.

    Parameters
    ----------
    family : Family
        A density with zero mean and unit variance, with its shapes.
    name, simulated, observed, scale, ar, memory, s0, s1, r1, r2, k0, ku, kd, transform, censored
        As in :func:`pymc_hydro.likelihoods.Normal`.
    **shapes : random variable or float
        The shapes of the family, by name; a shape that is not given has the prior of the package.

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
    kind = find_memory(name, memory, ar)
    of_memory = {"r1": r1, "r2": r2, "k0": k0, "ku": ku, "kd": kd}
    refuse_idle(name, scale, kind, {"s0": s0, "s1": s1}, of_memory)
    transform, n = as_transform(name, transform), kind.order
    before = partial(_last, order=n, censored=censored) if n else None
    plain = with_numbers(transform)
    check = partial(check_observed, name, transform=plain, censored=censored)
    seen = observe(name, simulated, observed, check=check, previous=before)
    simulated = seen.simulated
    scale = on_time(f"{name}: scale", scale, simulated)
    scale = scale_data(name, simulated, scale, seen)

    flow = transformed_flow(transform, seen.data, censored)
    mean = transformed_simulation(transform, simulated)
    sigma = error_scale(name, simulated, scale, spread_of(flow, seen.data, censored), s0, s1)
    center, sd = values_at(mean, seen.position), values_at(sigma, seen.position)
    remembered = kind.place(name, simulated, of_memory)
    if n:
        error = (flow - center) / sd
        weights, narrower = kind.condition(remembered, seen.position, seen.previous[:, n:])
        center = center + sd * (weights * values_at(error, seen.previous[:, :n])).sum(axis=1)
        sd = sd * narrower
    values = shape_variables(name, family, shapes)
    placed = Residuals(
        simulated, mean, sigma, kind, remembered, center, sd, flow, seen.position, seen.data,
        family, values, transform, censored,
    )  # fmt: skip
    return place(name, placed, seen)


def place(name, placed: Residuals, seen):
    """Place the observed variable of an error model; a node of its graph holds the model."""
    family, transform, censored = placed.family, placed.transform, placed.censored
    variables, n_shape = variables_of(transform), len(placed.shapes)
    node = PlacedErrors(
        pm.modelcontext(None).name_for(name),
        family,
        placed.memory,
        with_numbers(transform),
        tuple(variables),
        len(placed.memory_values),
        n_shape,
        censored,
    )
    center, sd = node.make_node(
        placed.center, placed.sd, placed.simulated, placed.mean, placed.sigma, placed.flow,
        placed.position, placed.observed, *placed.memory_values, *placed.shapes,
        *variables.values(),
    ).outputs  # fmt: skip
    observed = {"observed": seen.data, "dims": (seen.dim,)}
    if isinstance(transform, Identity) and not censored:
        return family.place(name, center, sd, *placed.shapes, **observed)
    parameters = (center, sd, *placed.shapes, *variables.values())
    rv = transformed_flow_variable(
        family, with_numbers(transform), tuple(variables), censored, parameters
    )
    return pm.modelcontext(None).register_rv(rv, name, **observed)


def with_numbers(transform):
    """Return a transformation whose parameters are numbers, at their initial values.

    A check of observations, and the attributes of a node, must not depend on variables.
    """
    variables = variables_of(transform)
    if not variables:
        return transform
    values = _at_start(list(variables.values()))
    return replace(transform, **dict(zip(variables, map(float, values), strict=True)))


def _at_start(outputs):
    """Return the values of variables at the initial point of the model in context."""
    model, known = pm.modelcontext(None), set(ancestors(outputs))
    random = [rv for rv in model.free_RVs if rv in known]
    if random:
        first = make_initial_point_fn(model=model, return_transformed=False)(0)
        fixed = {rv: pt.constant(first[rv.name]) for rv in random}
        outputs = clone_replace(outputs, fixed)
    return [output.eval(mode=UNCOMPILED) for output in outputs]


def scale_data(name, simulated, scale, seen):
    """Return a scale; standard deviations that belong to intervals are data of the model.

    Raises
    ------
    TypeError, ValueError
        If the scale is neither a word nor positive at every observation.
    """
    if isinstance(scale, str | Variable):
        return scale
    model = pm.modelcontext(None)
    axis = axis_of(model, simulated)
    n_time = axis.dates.size if axis.dates is not None else length_of(simulated)
    sd = _positive_scale(name, scale, value_of(seen.position.owner.inputs[1]), n_time)
    if sd.ndim == 0 or axis.dim is None:
        return sd
    data = pm.Data(f"{name}_scale", np.ones_like(sd), dims=axis.dim)
    data.set_value(sd)  # where nothing is observed it may be NaN, which pm.Data would not take
    return data


def _positive_scale(name, scale, position, n_time) -> np.ndarray:
    try:
        sd = np.asarray(scale, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: scale must be 'constant', 'linear' or standard deviations, found {scale!r}"
        ) from error
    if sd.ndim and n_time is not None and sd.shape != (n_time,):
        raise ValueError(
            f"{name}: scale has shape {sd.shape}, expected ({n_time},), one standard "
            "deviation for each interval after the warm-up; a number serves every record"
        )
    if not ((sd[position] if sd.ndim else sd) > 0).all():
        raise ValueError(
            f"{name}: scale must be 'constant', 'linear', or positive standard deviations at every "
            f"observation; found {scale!r}"
        )
    return sd


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


def check_observed(name, series, *, transform, censored):
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
        defined = all(np.isfinite(v.eval(mode=UNCOMPILED)).all() for v in values)
    if not defined:
        raise ValueError(
            f"{name}: {transform} is not defined for a flow of {needed.min():g} mm/d; give it an "
            "offset"
        )


def refuse_idle(name, scale, memory, of_scale, of_memory):
    """Raise TypeError if a parameter is given that an error model does not have."""
    has = {"s0"} if isinstance(scale, str) else set()
    has |= {"s1"} if isinstance(scale, str) and scale != "constant" else set()
    has |= set(memory.names)
    given = of_scale | of_memory
    idle = [what for what, value in given.items() if value is not None and what not in has]
    if idle:
        raise TypeError(
            f"{name}: {', '.join(idle)} would have no effect with scale={scale!r} and memory by "
            f"{', '.join(memory.names) or 'nothing (ar=0)'}"
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
    (values,) = _at_start([flow])
    if censored:
        values = values[data.get_value() > 0]
    return float(np.std(values)) or 1.0
