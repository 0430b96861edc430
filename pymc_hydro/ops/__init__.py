"""PyTensor Ops; importing this package registers their backends and the rewrite."""

from pymc_hydro.ops import rewrites  # noqa: F401  (registers the rewrite)
from pymc_hydro.ops.backends.register import register_after
from pymc_hydro.ops.batch import BatchJacobian, BatchValues
from pymc_hydro.ops.simulation import SimulatedJacobian, SimulatedValues

__all__ = ["BatchJacobian", "BatchValues", "SimulatedJacobian", "SimulatedValues"]

register_after("pytensor.link.numba.dispatch", "pymc_hydro.ops.backends.numba_dispatch")
register_after("pytensor.link.jax.dispatch", "pymc_hydro.ops.backends.jax_dispatch")
