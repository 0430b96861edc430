"""Prior distributions from the bounds of a model."""

from numbers import Real

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import Interval
from pytensor.graph.basic import Variable

from pymc_hydro.core.declaration import Parameter
from pymc_hydro.core.model import AbstractModel

__all__ = ["PRESETS", "priors"]

CONCENTRATION = 4.0  # of a weak prior around its mode, as in the PERT distribution


def priors(
    model: AbstractModel, preset: str = "uniform", dims: str | None = None, **overrides
) -> dict:
    """Create a random variable for each parameter, within its bounds.

    Call it inside ``with pm.Model():``. Where a model declares an order of two parameters, the
    larger one is the upper bound of the smaller: otherwise the posterior has a second mode in
    which a slow and a quick reservoir have changed places. Sampling starts at the model's default
    values.

    Parameters
    ----------
    model : AbstractModel
    preset : {"uniform", "log_uniform", "weak"}
        Uniform on the bounds; the same, but uniform in the logarithm for rates and capacities
        (units with 1/d or mm, and a positive lower bound); or a beta distribution between the
        bounds with its mode at the default (PERT), in the logarithm for rates and capacities.
    dims : str, optional
        A dimension of the PyMC model, such as ``basin``: each of its entries then has parameters
        of its own. Not given: scalars, which several basins share.
    **overrides
        By parameter name: a random variable of yours, used in place of the preset; or a number,
        at which the parameter is then fixed.

    Returns
    -------
    dict of str to TensorVariable
        In the order of ``model.parameter_names``.

    Raises
    ------
    KeyError
        If an override names no parameter, or there is no such preset.
    ValueError, TypeError
        If a fixed value is outside the bounds, or an override is neither variable nor number.

    Examples
    --------
    Flow that the priors alone predict:

    >>> import pymc as pm, pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> with ph.build_model(model, basin, preset="log_uniform"):  # doctest: +SKIP
    ...     prior = ph.predict(pm.sample_prior_predictive(100).prior)
    """
    if preset not in PRESETS:
        raise KeyError(f"priors: unknown preset {preset!r}; known are {', '.join(PRESETS)}")
    name = type(model).__name__
    for key in overrides:
        if key not in model.parameter_names:
            raise KeyError(
                f"priors: {name} has no parameter {key!r}; known are "
                f"{', '.join(model.parameter_names)}"
            )
    theta: dict = {}
    for p in model.parameters:
        given = overrides.get(p.name)
        if isinstance(given, Variable):
            theta[p.name] = given
        elif isinstance(given, Real):
            if not p.lower <= given <= p.upper:
                raise ValueError(
                    f"priors: {p.name} = {given} is outside its bounds [{p.lower}, {p.upper}]"
                )
            theta[p.name] = pt.constant(float(given))
        elif given is not None:
            raise TypeError(
                f"priors: {p.name} must be a random variable, such as pm.LogNormal({p.name!r}, "
                f"...), or a number, found {type(given).__name__}"
            )
    larger_of = dict(model.ordered)
    # Each parameter after the one that bounds it.
    for p in sorted(model.parameters, key=lambda p: p.name in larger_of):
        if p.name in theta:
            continue
        upper, own = p.upper, dims
        if p.name in larger_of:
            larger = theta[larger_of[p.name]]
            upper = pt.minimum(upper, larger)
            if larger.ndim and dims is None:
                own = _dims_of(larger, p.name)
        theta[p.name] = PRESETS[preset](p, upper, own)
    return {name: theta[name] for name in model.parameter_names}


def _dims_of(larger, name):
    """Return the dimension that a bounded parameter shares with the one that bounds it."""
    dims = pm.modelcontext(None).named_vars_to_dims.get(larger.name)
    if dims is None:
        raise ValueError(
            f"priors: {larger.name} has no dims, and bounds {name}; give it dims, or give "
            f"{name} as well"
        )
    return dims[0]


def _initval(p: Parameter, dims):
    """Return the default, for each entry of the dimension."""
    return (
        p.default if dims is None else np.full(len(pm.modelcontext(None).coords[dims]), p.default)
    )


def _uniform(p: Parameter, upper, dims):
    return pm.Uniform(p.name, p.lower, upper, initval=_initval(p, dims), dims=dims)


def _log_uniform(p: Parameter, upper, dims):
    if _is_logarithmic(p):
        return _stretched(p, upper, 1.0, 1.0, dims)
    return _uniform(p, upper, dims)


def _weak(p: Parameter, upper, dims):
    scale = np.log if _is_logarithmic(p) else float
    share = (scale(p.default) - scale(p.lower)) / (scale(p.upper) - scale(p.lower))
    shapes = 1 + CONCENTRATION * share, 1 + CONCENTRATION * (1 - share)
    return _stretched(p, upper, *shapes, dims)


PRESETS = {"uniform": _uniform, "log_uniform": _log_uniform, "weak": _weak}


def _is_logarithmic(p: Parameter) -> bool:
    """Whether a parameter is a rate or a capacity, whose order of magnitude is unknown."""
    return p.lower > 0 and ("/d" in p.unit or "mm" in p.unit)


def _stretched(p: Parameter, upper, first, second, dims):
    """Place a beta distribution, stretched to the bounds or to their logarithms."""
    forward, backward = (pt.log, pt.exp) if _is_logarithmic(p) else (_same, _same)

    def dist(lower, upper, size):
        low, high = forward(lower), forward(upper)
        return backward(low + (high - low) * pm.Beta.dist(first, second, size=size))

    # PyMC would derive it, but would then show the transform other inputs than these bounds.
    def logp(value, lower, upper):
        low, high = forward(lower), forward(upper)
        share = (forward(value) - low) / (high - low)
        density = pm.logp(pm.Beta.dist(first, second), share) - pt.log(high - low)
        return density - pt.log(value) if _is_logarithmic(p) else density

    return pm.CustomDist(
        p.name,
        float(p.lower),
        pt.as_tensor_variable(upper, dtype="float64"),
        dist=dist,
        logp=logp,
        transform=Interval(bounds_fn=lambda size, lower, upper, *generators: (lower, upper)),
        class_name="StretchedBeta",
        initval=_initval(p, dims),
        dims=dims,
    )


def _same(x):
    return x
