"""Prior distributions from the bounds of a model."""

from numbers import Real

import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from pymc_hydro.core.model import AbstractModel

__all__ = ["priors"]


def priors(model: AbstractModel, **overrides) -> dict:
    """Create a random variable for each parameter, uniform on its bounds.

    Call it inside ``with pm.Model():``. Where a model declares an order of two parameters, the
    smaller is uniform between its lower bound and the larger one: otherwise the posterior has a
    second mode in which a slow and a quick reservoir have changed places. Sampling starts at the
    model's default values.

    Parameters
    ----------
    model : AbstractModel
    **overrides
        By parameter name: a random variable of yours, used in place of the default; or a number,
        at which the parameter is then fixed.

    Returns
    -------
    dict of str to TensorVariable
        In the order of ``model.parameter_names``.

    Raises
    ------
    KeyError
        If an override names no parameter.
    ValueError, TypeError
        If a fixed value is outside the bounds, or an override is neither variable nor number.
    """
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
        upper = p.upper
        if p.name in larger_of:
            upper = pt.minimum(upper, theta[larger_of[p.name]])
        theta[p.name] = pm.Uniform(p.name, p.lower, upper, initval=p.default)
    return {name: theta[name] for name in model.parameter_names}
