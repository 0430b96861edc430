"""Simulations as PyTensor Ops, for graphs of your own.

Importing this package registers the Ops with Numba and JAX, and the rewrite that leaves one
integration for value and gradient.
"""

from pymc_hydro.ops import rewrites  # noqa: F401  (registers the rewrite)
from pymc_hydro.ops.backends.register import register_after
from pymc_hydro.ops.batch import BatchJacobian, BatchValues
from pymc_hydro.ops.losses import LossesOfBasins
from pymc_hydro.ops.reverse import Sweep, TapedValues
from pymc_hydro.ops.simulate import simulate
from pymc_hydro.ops.simulation import Pullback, SecondOrder, SimulatedJacobian, SimulatedValues

__all__ = [
    "BatchJacobian",
    "BatchValues",
    "LossesOfBasins",
    "Pullback",
    "SecondOrder",
    "SimulatedJacobian",
    "SimulatedValues",
    "Sweep",
    "TapedValues",
    "simulate",
]

for module in ("numba_dispatch", "numba_reverse", "numba_python"):
    register_after("pytensor.link.numba.dispatch", f"pymc_hydro.ops.backends.{module}")
register_after("pytensor.link.jax.dispatch", "pymc_hydro.ops.backends.jax_dispatch")
