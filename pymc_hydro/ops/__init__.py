"""PyTensor Ops; importing this package registers their backends and the rewrite."""

from importlib.util import find_spec

from pymc_hydro.ops import numba_dispatch, rewrites  # noqa: F401  (registrations)
from pymc_hydro.ops.simulation import SimulatedJacobian, SimulatedValues

__all__ = ["SimulatedJacobian", "SimulatedValues"]

if find_spec("jax") is not None:
    from pymc_hydro.ops import jax_dispatch  # noqa: F401  (registrations)
