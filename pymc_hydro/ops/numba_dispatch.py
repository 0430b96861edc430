"""Numba implementation of the Ops.

PyTensor's cache key of a graph hashes an Op's class and props. The props hold the hash of the
kernel's text, so that the key changes with the kernel.
"""

import numba
import numpy as np
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from pymc_hydro.ops.simulation import SimulatedJacobian, SimulatedValues

VERSION = 1  # raise when the functions below change


@register_funcify_default_op_cache_key(SimulatedValues)
def funcify_values(op, node, **kwargs):
    """Return a compiled function of an Op."""
    kernel = op.problem.kernel().function
    dt, rtol, atol, steps = _settings(op)
    n_output = len(op.problem.outputs)

    @numba.njit(fastmath=False)
    def simulated_values(parameters, forcing, initial_state):
        values = np.empty((forcing.shape[0], n_output))
        jacobian = np.empty((0, 0, 0))
        counts = np.zeros(4, dtype=np.int64)
        # Copies: constants of a graph are read-only, a type for which Numba would compile again.
        theta = np.ascontiguousarray(parameters.copy())
        u = np.ascontiguousarray(forcing.copy())
        x0 = np.ascontiguousarray(initial_state.copy())
        kernel(theta, u, x0, dt, rtol, atol, steps, values, jacobian, counts)
        return values

    return simulated_values, VERSION


@register_funcify_default_op_cache_key(SimulatedJacobian)
def funcify_jacobian(op, node, **kwargs):
    """Return a compiled function of an Op."""
    kernel = op.problem.kernel(True, op.initial).function
    dt, rtol, atol, steps = _settings(op)
    n_output, n_column = len(op.problem.outputs), op.problem.n_columns(op.initial)

    @numba.njit(fastmath=False)
    def simulated_jacobian(parameters, forcing, initial_state):
        values = np.empty((forcing.shape[0], n_output))
        jacobian = np.empty((forcing.shape[0], n_output, n_column))
        counts = np.zeros(4, dtype=np.int64)
        # Copies: constants of a graph are read-only, a type for which Numba would compile again.
        theta = np.ascontiguousarray(parameters.copy())
        u = np.ascontiguousarray(forcing.copy())
        x0 = np.ascontiguousarray(initial_state.copy())
        kernel(theta, u, x0, dt, rtol, atol, steps, values, jacobian, counts)
        return values, jacobian

    return simulated_jacobian, VERSION


def _settings(op):
    p = op.problem
    # Not a Python integer: Numba would compile the kernel anew for its literal value.
    return p.dt, p.rtol, p.atol, np.int64(p.steps)
