"""Priors from which sampling starts at a value that says something about the problem."""

from typing import Any

import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.distribution import _support_point
from pymc.distributions.shape_utils import implicit_size_from_params, rv_size_is_none
from pytensor.tensor.random.basic import GammaRV, HalfNormalRV, LogNormalRV, UniformRV

__all__ = ["place_at"]


def _started(op_class: Any) -> type:
    """Return the Op of a random variable, with the support point as one of its properties."""

    class Started(op_class):
        __props__ = (*op_class.__props__, "start")

        def __init__(self, start: float, **properties):
            super().__init__(**properties)
            self.start = start

    # As if it were written at the top of this file: so pickle finds it in another process.
    Started.__name__ = Started.__qualname__ = f"Started{op_class.__name__}"
    _support_point.register(Started, _start)
    return Started


def _start(op, rv, rng, size, *parameters):
    if rv_size_is_none(size):
        size = implicit_size_from_params(*parameters, ndims_params=op.ndims_params)
    return pt.full(size, op.start)


StartedGammaRV = _started(GammaRV)
StartedHalfNormalRV = _started(HalfNormalRV)
StartedLogNormalRV = _started(LogNormalRV)
StartedUniformRV = _started(UniformRV)
STARTED = {
    GammaRV: StartedGammaRV,
    HalfNormalRV: StartedHalfNormalRV,
    LogNormalRV: StartedLogNormalRV,
    UniformRV: StartedUniformRV,
}


def place_at(start: float, name: str, distribution, **options):
    """Place a random variable in the model in context, with a support point of its own.

    The support point is where searches and chains start. An ``initval`` would be refused by
    PyMC's transformations of models (``pm.do``, ``pm.observe``, copies); this one is part of the
    graph. Density, transform and draws stay as the distribution has them.

    Parameters
    ----------
    start : float
        Of all entries.
    name : str
    distribution : TensorVariable
        Such as ``pm.HalfNormal.dist(2.0)``; also ``pm.Gamma``, ``pm.LogNormal`` and
        ``pm.Uniform``.
    **options
        As of ``pm.Model.register_rv``, such as ``dims``.

    Returns
    -------
    TensorVariable
    """
    node = distribution.owner
    op = STARTED[type(node.op)](start, **node.op._props_dict())
    rv = op.make_node(*node.inputs).outputs[1]
    if isinstance(options.get("dims"), str):  # of which PyMC would take the letters
        options["dims"] = (options["dims"],)
    return pm.modelcontext(None).register_rv(rv, name, **options)
