"""The distribution of flow whose transformation has errors of a family, censored at zero or not.

Its class stands in this file, with its parts as attributes: PyMC's ``CustomDist`` would
lose its density on the way into another process.
"""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.distribution import SymbolicRandomVariable, _support_point
from pymc.distributions.shape_utils import implicit_size_from_params, rv_size_is_none
from pymc.logprob.abstract import _logprob
from pymc.pytensorf import normalize_rng_param
from pytensor.graph.replace import _vectorize_node
from pytensor.tensor.random.utils import normalize_size_param

from pymc_hydro.likelihoods.distributions.vectorized import with_leading_axes

__all__ = ["TransformedRV", "transformed_flow_variable"]


class TransformedRV(SymbolicRandomVariable):
    """Random variable of transformed errors: (rng, size, center, sd, shapes, parameters of T).

    Attributes
    ----------
    family : Family
    transform : AbstractTransform
        T; the parameters of T that are inputs have numbers in their places.
    variables : tuple of str
        The parameters of T that are inputs.
    censored : bool
    """

    name = "transformed_errors"
    _print_name = ("TransformedErrors", "\\operatorname{TransformedErrors}")

    def rebuilt(self, rest) -> tuple[list, object]:
        """Return the shapes of the family, and the transformation with its inputs."""
        n_shape = len(self.family.shapes)
        values = dict(zip(self.variables, rest[n_shape:], strict=True))
        return list(rest[:n_shape]), replace(self.transform, **values)


def transformed_flow_variable(
    family, transform, variables, censored, parameters, rng=None, size=None
):
    """Return an unnamed random variable of flow.

    Parameters
    ----------
    family, transform, variables, censored
        As of :class:`TransformedRV`.
    parameters : sequence of variable
        Center and standard deviation of the transformed flow, shapes, parameters of T.
    rng, size : optional
        As of PyMC's distributions.
    """
    parameters = [pt.cast(pt.as_tensor_variable(p), "float64") for p in parameters]
    rng, size = normalize_rng_param(rng), normalize_size_param(size)
    if rv_size_is_none(size):
        size = implicit_size_from_params(*parameters, ndims_params=[0] * len(parameters))
    n_shape = len(family.shapes)
    center, sd, *rest = parameters
    drawn = family.dist(center, sd, *rest[:n_shape], rng=rng, size=size)
    of_transform = dict(zip(variables, rest[n_shape:], strict=True))
    flow = replace(transform, **of_transform).inverse(drawn)
    flow = pt.maximum(flow, 0.0) if censored else flow
    inputs = [rng, size, *parameters]
    scalars = ",".join(["()"] * len(parameters))
    op = TransformedRV(
        inputs=inputs,
        outputs=[drawn.owner.outputs[0], flow],
        extended_signature=f"[rng],[size],{scalars}->[rng],()",
    )
    op.family, op.transform = family, transform
    op.variables, op.censored = tuple(variables), bool(censored)
    return op(*inputs)


@_logprob.register(TransformedRV)
def transformed_logp(op, values, rng, size, center, sd, *rest, **kwargs):
    """Return the log-density of each flow; of zero flow, where it is censored, the probability."""
    (value,) = values
    shapes, transform = op.rebuilt(rest)
    errors = op.family.dist(center, sd, *shapes)
    there = value > 0 if op.censored else pt.ones_like(value, dtype="bool")
    flow = pt.switch(there, value, 1.0)
    density = pm.logp(errors, transform.forward(flow)) + transform.log_derivative(flow)
    if not op.censored:
        return density
    # Evaluated at the centre where there is flow, so that its gradient is finite there too.
    dry = pm.logcdf(errors, pt.switch(there, center, transform.at_zero()))
    return pt.switch(there, density, pt.switch(value < 0, -np.inf, dry))


@_vectorize_node.register(TransformedRV)
def vectorize_transformed(op, node, rng, size, *parameters):
    """Return the random variable of parameters with leading axes."""
    size, parameters = with_leading_axes(node, size, parameters)
    settings = op.family, op.transform, op.variables, op.censored
    return transformed_flow_variable(*settings, parameters, rng, size).owner


@_support_point.register(TransformedRV)
def transformed_support_point(op, rv, rng, size, center, sd, *rest):
    """Return the flow at the center of the errors."""
    return pt.full(rv.shape, op.rebuilt(rest)[1].inverse(center))
