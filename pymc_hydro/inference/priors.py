"""Prior distributions from the bounds of a model."""

from numbers import Real
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.distributions.distribution import SymbolicRandomVariable
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.op import RandomVariable

from pymc_hydro.core.declaration import Parameter
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.inference.bounded import Bounded, LogBounded
from pymc_hydro.models.listing import as_model

__all__ = ["PRESETS", "check_variable", "is_random", "priors"]

ARRAYS = (np.ndarray, xr.DataArray)
CONCENTRATION = 4.0  # of a weak prior around its mode, as in the PERT distribution


def priors(
    model: AbstractModel | str,
    preset: str = "uniform",
    dims: str | None = None,
    *,
    prefix: str = "",
    **overrides: Any,
) -> dict:
    """Create a random variable for each parameter, within its bounds.

    Call it inside ``with pm.Model():``. Where a model declares an order of two parameters, the
    larger one is the upper bound of the smaller: otherwise the posterior has a second mode in
    which a slow and a quick reservoir have changed places. Sampling starts at the model's default
    values.

    Parameters
    ----------
    model : AbstractModel or str
        A name stands for the model with default options.
    preset : {"uniform", "log_uniform", "weak"}
        Uniform on the bounds; the same, but uniform in the logarithm for rates and capacities
        (units with 1/d or mm, and a positive lower bound); or a beta distribution between the
        bounds with its mode at the default (PERT), in the logarithm for rates and capacities.
        Bounds are those of the prior, where a parameter declares them.
    dims : str, optional
        A dimension of the PyMC model, such as ``basin``: each of its entries then has parameters
        of its own. Not given: scalars, which several basins share.
    prefix : str
        Begins the names of the variables, as in ``<prefix>_K_s``: two models with a parameter of
        the same name then live together. The keys of the result stay the names of the parameters.
    **overrides
        By parameter name: a random variable of yours, or a variable computed from several, used in
        place of the preset; a callable such as ``lambda: pm.LogNormal("K_s", -3, 1)``, which is
        called inside the model; or a number, at which the parameter is then fixed.

    Returns
    -------
    dict of str to TensorVariable
        In the order of ``model.parameter_names``.

    Raises
    ------
    KeyError
        If an override names no parameter, or there is no such preset.
    ValueError, TypeError
        If a fixed value is outside the bounds, an override belongs to no model or to another one,
        or is neither variable nor number.

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
    model = as_model(model)
    name = type(model).__name__
    for key in overrides:
        if key not in model.parameter_names:
            raise KeyError(
                f"priors: {name} has no parameter {key!r}; known are "
                f"{', '.join(model.parameter_names)}"
            )
    theta = {
        p.name: _given(p, overrides[p.name])
        for p in model.parameters
        if overrides.get(p.name) is not None
    }
    names = model.parameter_names  # a parameter that changes in time is not among them
    larger_of = {small: large for small, large in model.ordered if {small, large} <= {*names}}
    # Each parameter after the one that bounds it.
    for p in sorted(model.parameters, key=lambda p: p.name in larger_of):
        if p.name in theta:
            continue
        upper, own = _bounds(p)[1], dims
        if p.name in larger_of:
            larger = theta[larger_of[p.name]]
            upper = pt.minimum(upper, larger)
            if larger.ndim and dims is None:
                own = _dims_of(larger, p.name)
        theta[p.name] = PRESETS[preset](p, upper, own, f"{prefix}_{p.name}" if prefix else p.name)
    return {name: theta[name] for name in names}


def _given(p: Parameter, given: Any):
    """Return the variable or the number that stands for a parameter, after checking it."""
    if callable(given) and not isinstance(given, type):
        given = given()
    if isinstance(given, Variable):
        fix = f"pm.LogNormal({p.name!r}, ...)"
        return check_variable(f"priors: {p.name}", given, fix)
    if isinstance(given, Real) or (isinstance(given, ARRAYS) and given.ndim == 0):
        value, (low, high) = float(given), _bounds(p)
        low, high = min(low, p.lower), max(high, p.upper)
        if not low <= value <= high:
            raise ValueError(f"priors: {p.name} = {value} is outside its bounds [{low}, {high}]")
        return pt.constant(value)
    raise TypeError(
        f"priors: {p.name} must be a random variable, such as pm.LogNormal({p.name!r}, ...), or a "
        f"number, found {given if isinstance(given, type) else type(given).__name__}"
    )


def is_random(variable: Variable) -> bool:
    """Return whether a variable of a graph is drawn from a distribution."""
    return variable.owner is not None and isinstance(
        variable.owner.op, RandomVariable | SymbolicRandomVariable
    )


def check_variable(what: str, variable: Variable, fix: str) -> Variable:
    """Return a variable of the model in context; raise ValueError for any other one.

    Parameters
    ----------
    what : str
        The argument, in the message.
    variable : TensorVariable
    fix : str
        How to make such a variable.
    """
    known = {*pm.modelcontext(None).root.named_vars.values()}
    for ancestor in ancestors([variable], blockers=known):
        if ancestor in known or ancestor.owner is None:
            continue
        if is_random(ancestor):
            named = f" {ancestor.name!r}" if ancestor.name else ""
            raise ValueError(
                f"{what} depends on the random variable{named}, which the PyMC model in "
                f"context does not have. Make it in this model with a name, such as "
                f"{fix}, not with .dist(...) and not in another model"
            )
    return variable


def _dims_of(larger, name):
    """Return the dimension that a bounded parameter shares with the one that bounds it."""
    dims = pm.modelcontext(None).named_vars_to_dims.get(larger.name)
    if dims is None:
        raise ValueError(
            f"priors: {larger.name or 'a variable'} has no dims, and bounds {name}; give it dims, "
            f"or give {name} as well; if it changes in time, ph.priors(model.vary(...)) makes the "
            "priors of all others"
        )
    return dims[0]


def _bounds(p: Parameter) -> tuple[float, float]:
    """Return the bounds of the priors of a parameter."""
    return p.prior or (p.lower, p.upper)


def _uniform(p: Parameter, upper, dims, name):
    return Bounded(name, _bounds(p)[0], upper, 1.0, 1.0, p.default, dims=dims)


def _log_uniform(p: Parameter, upper, dims, name):
    kind = LogBounded if _is_logarithmic(p) else Bounded
    return kind(name, _bounds(p)[0], upper, 1.0, 1.0, p.default, dims=dims)


def _weak(p: Parameter, upper, dims, name):
    assert p.default is not None  # filled in from the bounds when a parameter is declared
    scale, kind = (np.log, LogBounded) if _is_logarithmic(p) else (float, Bounded)
    low, high = map(scale, _bounds(p))
    share = (scale(p.default) - low) / (high - low)
    shapes = 1 + CONCENTRATION * share, 1 + CONCENTRATION * (1 - share)
    return kind(name, _bounds(p)[0], upper, *shapes, p.default, dims=dims)


PRESETS = {"uniform": _uniform, "log_uniform": _log_uniform, "weak": _weak}


def _is_logarithmic(p: Parameter) -> bool:
    """Whether a parameter is a rate or a capacity, whose order of magnitude is unknown."""
    return _bounds(p)[0] > 0 and ("/d" in p.unit or "mm" in p.unit)
