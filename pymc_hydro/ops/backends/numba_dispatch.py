"""Numba implementation of the Ops.

PyTensor's cache key of a graph hashes an Op's class and props. The props hold the hash of the
kernel's text, so that the key changes with the kernel.
"""

import numba
import numpy as np
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from pymc_hydro.core.domain import OUTSIDE, domain_of, is_outside
from pymc_hydro.engine.codegen import COUNTS
from pymc_hydro.ops.backends.numba_call import ascends, fits, kernel_call
from pymc_hydro.ops.backends.numba_threads import add_to_entries, start_threads
from pymc_hydro.ops.batch import BatchJacobian, BatchValues
from pymc_hydro.ops.fit import sizes_of
from pymc_hydro.ops.simulation import SimulatedJacobian, SimulatedValues

VERSION = 9  # raise when the functions below change
N_COUNTS = len(COUNTS)


@register_funcify_default_op_cache_key(SimulatedValues)
def funcify_values(op, node, **kwargs):
    """Return a compiled function of an Op."""
    integrate = _integrate(op.problem, initial=False, n_column=0)

    @numba.njit(fastmath=False)
    def simulated_values(parameters, forcing, initial_state):
        return integrate(parameters, forcing, initial_state)[0]

    return simulated_values, VERSION


@register_funcify_default_op_cache_key(SimulatedJacobian)
def funcify_jacobian(op, node, **kwargs):
    """Return a compiled function of an Op."""
    problem, initial = op.problem, op.initial
    return _integrate(problem, initial, problem.n_columns(initial)), VERSION


@register_funcify_default_op_cache_key(BatchValues)
def funcify_batch_values(op, node, **kwargs):
    """Return a compiled function of an Op."""
    integrate = _integrate_batch(op, initial=False, n_column=0)

    @numba.njit(fastmath=False)
    def batch_values(parameters, forcing, initial_state, record):
        return integrate(parameters, forcing, initial_state, record)[0]

    return batch_values, VERSION


@register_funcify_default_op_cache_key(BatchJacobian)
def funcify_batch_jacobian(op, node, **kwargs):
    """Return a compiled function of an Op."""
    return _integrate_batch(op, op.initial, op.problem.n_columns(op.initial)), VERSION


def _integrator(problem, initial):
    """Return the compiled counterpart of :meth:`Problem.integrator`."""
    kernel = kernel_call(problem.kernel(initial))
    place, method, *rest = problem.settings(initial)
    numbers, domain = tuple(rest), domain_of(problem.model)
    outside = numba.njit(is_outside)

    @numba.njit(fastmath=False)
    def integrate(theta, forcing, x0, values, jacobian, counts):
        if outside(theta, x0, domain):
            values[:], jacobian[:], counts[:] = np.nan, np.nan, 0
            return OUTSIDE
        # Copies: constants are read-only, another type than the kernel's.
        settings = place.copy(), method.copy(), *numbers
        return kernel(theta, forcing, x0, *settings, values, jacobian, counts)

    return integrate


def _integrate(problem, initial, n_column):
    """Return a compiled function from an Op's inputs to values and Jacobian."""
    run, n_output = _integrator(problem, initial), len(problem.outputs)
    sizes = sizes_of(problem.model)

    @numba.njit(fastmath=False)
    def integrate(parameters, forcing, initial_state):
        values = np.empty((forcing.shape[0], n_output))
        jacobian = np.empty((forcing.shape[0], n_output, n_column))
        if not fits(sizes, parameters, forcing, initial_state):
            values[:], jacobian[:] = np.nan, np.nan
            return values, jacobian
        counts = np.empty(N_COUNTS, dtype=np.int64)
        # Copies, for the same reason.
        theta = np.ascontiguousarray(parameters.copy())
        u = np.ascontiguousarray(forcing.copy())
        x0 = np.ascontiguousarray(initial_state.copy())
        run(theta, u, x0, values, jacobian, counts)
        return values, jacobian

    return integrate


def _integrate_batch(op, initial, n_column):
    """Return a compiled function from the inputs of an Op of a batch to values and Jacobian."""
    run, n_output = _integrator(op.problem, initial), len(op.problem.outputs)
    sizes = sizes_of(op.problem.model)

    @numba.njit(fastmath=False)
    def run_one(i, bounds, theta, u, x0, values, jacobian, counts):
        v, r = i // theta.shape[1], i % theta.shape[1]
        part = slice(bounds[r], bounds[r + 1])
        run(theta[v, r], u[part], x0[v, r], values[v, part], jacobian[v, part], counts[i])

    run_all = _run_at_once(run_one) if op.parallel else _run_in_turn(run_one)

    @numba.njit(fastmath=False)
    def integrate(parameters, forcing, initial_state, record):
        n_vector, n_record = parameters.shape[:2]
        n_time = forcing.shape[0]
        values = np.full((n_vector, n_time, n_output), np.nan)
        jacobian = np.full((n_vector, n_time, n_output, n_column), np.nan)
        if not fits(sizes, parameters, forcing, initial_state):
            return values, jacobian
        if not ascends(record, n_time, n_record):
            return values, jacobian
        counts = np.empty((n_vector * n_record, N_COUNTS), dtype=np.int64)
        theta = np.ascontiguousarray(parameters.copy())
        u = np.ascontiguousarray(forcing.copy())
        x0 = np.ascontiguousarray(initial_state.copy())
        bounds = np.searchsorted(record, np.arange(n_record + 1))
        run_all(bounds, theta, u, x0, values, jacobian, counts)
        return values, jacobian

    return integrate


def _run_in_turn(run):
    @numba.njit(fastmath=False)
    def run_all(bounds, theta, u, x0, values, jacobian, counts):
        for i in range(len(counts)):
            run(i, bounds, theta, u, x0, values, jacobian, counts)

    return run_all


def _run_at_once(run):
    start_threads()

    @numba.njit(fastmath=False, parallel=True)
    def enter(bounds, theta, u, x0, values, jacobian, counts):
        for i in numba.prange(len(counts)):
            run(i, bounds, theta, u, x0, values, jacobian, counts)

    alone = _run_in_turn(run)

    @numba.njit(fastmath=False)
    def run_all(bounds, theta, u, x0, values, jacobian, counts):
        if add_to_entries(-1) > 0:
            enter(bounds, theta, u, x0, values, jacobian, counts)
        else:
            alone(bounds, theta, u, x0, values, jacobian, counts)
        add_to_entries(1)

    return run_all
