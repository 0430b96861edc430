"""The distribution of a bounded parameter: a beta distribution between its bounds."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.continuous import BoundedContinuous, bounded_cont_transform
from pymc.distributions.distribution import SymbolicRandomVariable
from pymc.distributions.shape_utils import implicit_size_from_params, rv_size_is_none
from pymc.distributions.transforms import _default_transform
from pymc.pytensorf import normalize_rng_param
from pytensor.graph.basic import Constant
from pytensor.tensor.random.utils import normalize_size_param

__all__ = ["Bounded", "LogBounded"]


class BoundedRV(SymbolicRandomVariable):
    """Random variable of :class:`Bounded`."""

    name = "bounded"
    extended_signature = "[rng],[size],(),(),(),(),()->[rng],()"
    _print_name = ("Bounded", "\\operatorname{Bounded}")
    forward: Any = staticmethod(lambda x: x)
    backward: Any = staticmethod(lambda x: x)

    @classmethod
    def rv_op(cls, *parameters, size=None, rng=None):
        parameters = [pt.cast(pt.as_tensor(p), "float64") for p in parameters]
        rng, size = normalize_rng_param(rng), normalize_size_param(size)
        if rv_size_is_none(size):
            size = implicit_size_from_params(*parameters, ndims_params=cls.ndims_params)
        lower, upper, first, second, _ = parameters
        next_rng, share = pm.Beta.dist(first, second, rng=rng, size=size).owner.outputs
        low, high = cls.forward(lower), cls.forward(upper)
        draws = cls.backward(low + (high - low) * share)
        inputs = [rng, size, *parameters]
        return cls(inputs=inputs, outputs=[next_rng, draws])(*inputs)


class Bounded(BoundedContinuous):
    r"""Beta distribution on an interval, whose chains start at a given value.

    .. math::
        \frac{x - \mathrm{lower}}{\mathrm{upper} - \mathrm{lower}} \sim
        \mathrm{Beta}(\mathrm{first}, \mathrm{second})

    PyMC rewrites a model (``pm.do``, ``pm.observe``, a copy) only if its variables carry their
    starts themselves: as the support point of a distribution, not as ``initval``.

    Parameters
    ----------
    lower, upper : tensor_like of float
        Bounds; they may be other random variables.
    first, second : tensor_like of float
        Shapes of the beta distribution; with 1 and 1 it is uniform.
    start : tensor_like of float
        Where chains start; the middle of the interval, should that lie outside.
    """

    rv_type = BoundedRV
    rv_op = BoundedRV.rv_op
    bound_args_indices = (2, 3)

    @classmethod
    def dist(cls, lower, upper, first, second, start, **kwargs):
        return super().dist([lower, upper, first, second, start], **kwargs)

    def support_point(rv, size, lower, upper, first, second, start):
        return _start(rv.owner.op, size, lower, upper, start)

    def logp(value, lower, upper, first, second, start):
        return _log_density(value, lower, upper, first, second)


class LogBoundedRV(BoundedRV):
    """Random variable of :class:`LogBounded`."""

    name = "log_bounded"
    _print_name = ("LogBounded", "\\operatorname{LogBounded}")
    forward = staticmethod(pt.log)
    backward = staticmethod(pt.exp)


class LogBounded(Bounded):
    r"""As :class:`Bounded`, with the logarithms of value and bounds.

    .. math::
        \frac{\log x - \log \mathrm{lower}}{\log \mathrm{upper} - \log \mathrm{lower}} \sim
        \mathrm{Beta}(\mathrm{first}, \mathrm{second})
    """

    rv_type = LogBoundedRV
    rv_op = LogBoundedRV.rv_op

    def support_point(rv, size, lower, upper, first, second, start):
        return _start(rv.owner.op, size, lower, upper, start)

    def logp(value, lower, upper, first, second, start):
        density = _log_density(pt.log(value), pt.log(lower), pt.log(upper), first, second)
        return density - pt.log(value)


@_default_transform.register(BoundedRV)
def _transform(op, rv):
    return bounded_cont_transform(op, rv, Bounded.bound_args_indices)


def _start(op, size, lower, upper, start):
    low, high = op.forward(lower), op.forward(upper)
    middle = op.backward((low + high) / 2)
    point = pt.switch(pt.and_(lower < start, start < upper), start, middle)
    return point if rv_size_is_none(size) else pt.full(size, point)


def _log_density(value, low, high, first, second):
    inside = pt.and_(low <= value, value <= high)
    if all(isinstance(shape, Constant) and (shape.data == 1).all() for shape in (first, second)):
        shape = pt.zeros_like(value)
    else:
        shape = pm.logp(pm.Beta.dist(first, second), (value - low) / (high - low))
    return pt.switch(inside, shape - pt.log(high - low), -np.inf)
