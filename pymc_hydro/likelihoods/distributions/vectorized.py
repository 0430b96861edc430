"""Random variables of parameters with leading axes, such as the draws of a posterior."""

from typing import Any

import pytensor.tensor as pt
from pymc.distributions.shape_utils import implicit_size_from_params
from pytensor.graph.basic import Apply, equal_computations

__all__ = ["with_leading_axes"]


def with_leading_axes(node: Apply, size: Any, parameters: tuple) -> tuple[Any, list]:
    """Return size and parameters of a random variable whose parameters have leading axes.

    PyTensor vectorises its own random variables, and no symbolic ones of PyMC.

    Parameters
    ----------
    node : Apply
        The variable before: (rng, size, parameters ...) of scalar core.
    size, parameters
        New inputs. A parameter that depends on no axis has none.
    """
    before = node.inputs[2:]
    core = max(p.type.ndim for p in before)
    new = []
    for old, parameter in zip(before, parameters, strict=True):
        n_lead = parameter.type.ndim - old.type.ndim
        between = range(n_lead, n_lead + core - old.type.ndim) if n_lead else ()
        new.append(pt.expand_dims(parameter, tuple(between)) if between else parameter)
    if not equal_computations([node.inputs[1]], [size]):  # it was that of the parameters
        return implicit_size_from_params(*new, ndims_params=[0] * len(new)), new
    n_lead = max(p.type.ndim for p in new) - core
    if n_lead > 0:
        lead = pt.broadcast_shape(*(p for p in new if p.type.ndim > core))[:n_lead]
        size = pt.concatenate([pt.stack(lead), size])
    return size, new
