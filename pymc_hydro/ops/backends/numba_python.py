"""Ops that call Python in graphs that Numba compiles; the kernels below are compiled."""

import warnings

from pytensor.link.numba.dispatch.basic import generate_fallback_impl, numba_funcify

from pymc_hydro.ops.losses import LossesOfBasins
from pymc_hydro.ops.simulation import SecondOrder


@numba_funcify.register(LossesOfBasins)
@numba_funcify.register(SecondOrder)
def funcify_in_python(op, node=None, **kwargs):
    """Return a compiled function of an Op, without the warning that it calls Python."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Numba will use object mode", UserWarning)
        return generate_fallback_impl(op, node, **kwargs)
