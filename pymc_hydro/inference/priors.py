"""Prior distributions from the bounds of a model."""

from numbers import Real

import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from pymc_hydro.core.model import AbstractModel

__all__ = ["priors"]


def priors(model: AbstractModel, **overrides) -> dict:
    """Create a random variable for each parameter, uniform on its bounds.

    Call it inside ``with pm.Model():``.

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
    theta = {}
    for p in model.parameters:
        given = overrides.get(p.name)
        if given is None:
            theta[p.name] = pm.Uniform(p.name, p.lower, p.upper)
        elif isinstance(given, Variable):
            theta[p.name] = given
        elif isinstance(given, Real):
            if not p.lower <= given <= p.upper:
                raise ValueError(
                    f"priors: {p.name} = {given} is outside its bounds [{p.lower}, {p.upper}]"
                )
            theta[p.name] = pt.constant(float(given))
        else:
            raise TypeError(
                f"priors: {p.name} must be a random variable, such as pm.LogNormal({p.name!r}, "
                f"...), or a number, found {type(given).__name__}"
            )
    return theta
