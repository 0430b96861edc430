"""Numba implementation of the Ops that keep a tape and sweep back through it."""

import numba
import numpy as np
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from pymc_hydro.core.domain import domain_of, is_outside
from pymc_hydro.engine.codegen import COUNTS, SWEEP_ARGUMENTS
from pymc_hydro.ops.backends.numba_call import ascends, fits, kernel_call
from pymc_hydro.ops.batch import BatchValues
from pymc_hydro.ops.fit import sizes_of
from pymc_hydro.ops.reverse import Sweep, TapedValues
from pymc_hydro.ops.simulation import Pullback

VERSION = 2  # raise when the functions below change


@register_funcify_default_op_cache_key(TapedValues)
def funcify_taped_values(op, node, **kwargs):
    """Return a compiled function of an Op."""
    return _taped(op.values), VERSION


@register_funcify_default_op_cache_key(Sweep)
def funcify_sweep(op, node, **kwargs):
    """Return a compiled function of an Op."""
    return _swept(op.values), VERSION


@register_funcify_default_op_cache_key(Pullback)
def funcify_pullback(op, node, **kwargs):
    """Return a compiled function of an Op that no rewrite replaced."""
    taped, swept = _taped(op.values), _swept(op.values)
    if isinstance(op.values, BatchValues):

        @numba.njit(fastmath=False)
        def batch_pullback(parameters, forcing, initial_state, record, cotangent):
            tape = taped(parameters, forcing, initial_state, record)[1]
            return swept(parameters, forcing, initial_state, record, tape, cotangent)

        return batch_pullback, VERSION

    @numba.njit(fastmath=False)
    def pullback(parameters, forcing, initial_state, cotangent):
        tape = taped(parameters, forcing, initial_state)[1]
        return swept(parameters, forcing, initial_state, tape, cotangent)

    return pullback, VERSION


def _one_run(problem):
    """Return a compiled function that writes the values of a run and returns its tape."""
    kernel = kernel_call(problem.taped_kernel())
    place, method, *rest = problem.settings()
    numbers, domain, n_output = tuple(rest), domain_of(problem.model), len(problem.outputs)
    outside, n_count = numba.njit(is_outside), len(COUNTS)

    @numba.njit(fastmath=False)
    def run(theta, forcing, x0, values):
        counts = np.empty(n_count, dtype=np.int64)
        no_columns = np.empty((forcing.shape[0], n_output, 0))
        if outside(theta, x0, domain):
            values[:] = np.nan
            return np.empty((0, 1))
        settings = place.copy(), method.copy(), *numbers
        return kernel(theta, forcing, x0, *settings, values, no_columns, counts)[1]

    return run


def _one_sweep(problem):
    """Return a compiled function from a run and its tape to three cotangents."""
    kernel = kernel_call(problem.sweep_kernel())
    method, *rest = problem.settings(arguments=SWEEP_ARGUMENTS)
    numbers = tuple(rest)

    @numba.njit(fastmath=False)
    def sweep(theta, forcing, x0, tape, cotangent):
        by_theta, by_forcing = np.zeros(theta.shape), np.zeros(forcing.shape)
        by_x0 = np.zeros(x0.shape)
        results = by_theta, by_forcing, by_x0
        kernel(theta, forcing, x0, method.copy(), *numbers, tape, cotangent, *results)
        return results

    return sweep


def _taped(values):
    """Return a compiled function from an Op's inputs to values and tape."""
    problem = values.problem
    sizes, n_output, run = sizes_of(problem.model), len(problem.outputs), _one_run(problem)
    if isinstance(values, BatchValues):
        return _taped_batch(sizes, n_output, run)

    @numba.njit(fastmath=False)
    def taped(parameters, forcing, initial_state):
        found = np.full((forcing.shape[0], n_output), np.nan)
        if not fits(sizes, parameters, forcing, initial_state):
            return found, np.empty((0, 1))
        theta = np.ascontiguousarray(parameters.copy())
        u = np.ascontiguousarray(forcing.copy())
        x0 = np.ascontiguousarray(initial_state.copy())
        tape = run(theta, u, x0, found)
        return found, tape

    return taped


@numba.njit(fastmath=False)
def _nothing(parameters, forcing, initial_state):
    """Return the cotangents of inputs that do not fit: a run reads and writes beyond their ends."""
    return (
        np.full(parameters.shape, np.nan),
        np.full(forcing.shape, np.nan),
        np.full(initial_state.shape, np.nan),
    )


def _swept(values):
    """Return a compiled function from an Op's inputs, tape and cotangent to three cotangents."""
    sizes, sweep = sizes_of(values.problem.model), _one_sweep(values.problem)
    if isinstance(values, BatchValues):
        return _swept_batch(sizes, sweep)

    @numba.njit(fastmath=False)
    def swept(parameters, forcing, initial_state, tape, cotangent):
        if not fits(sizes, parameters, forcing, initial_state):
            return _nothing(parameters, forcing, initial_state)
        theta = np.ascontiguousarray(parameters.copy())
        u = np.ascontiguousarray(forcing.copy())
        x0 = np.ascontiguousarray(initial_state.copy())
        rows = np.ascontiguousarray(tape.copy())
        return sweep(theta, u, x0, rows, np.ascontiguousarray(cotangent.copy()))

    return swept


def _taped_batch(sizes, n_output, run):
    @numba.njit(fastmath=False)
    def taped(parameters, forcing, initial_state, record):
        n_vector, n_record = parameters.shape[:2]
        found = np.full((n_vector, forcing.shape[0], n_output), np.nan)
        good = fits(sizes, parameters, forcing, initial_state)
        if not (good and ascends(record, forcing.shape[0], n_record)):
            return found, np.empty((0, 1))
        theta = np.ascontiguousarray(parameters.copy())
        u = np.ascontiguousarray(forcing.copy())
        x0 = np.ascontiguousarray(initial_state.copy())
        bounds = np.searchsorted(record, np.arange(n_record + 1))
        tapes = [np.empty((0, 1)) for _ in range(n_vector * n_record)]
        n_row, n_wide = 0, 1
        for i in range(len(tapes)):
            v, r = i // n_record, i % n_record
            part = slice(bounds[r], bounds[r + 1])
            tapes[i] = run(theta[v, r], u[part], x0[v, r], found[v, part])
            n_row += tapes[i].shape[0]
            n_wide = max(n_wide, tapes[i].shape[1] + 1)
        tape, last = np.empty((n_row, n_wide)), 0
        for i in range(len(tapes)):
            n, wide = tapes[i].shape
            tape[last : last + n, :wide] = tapes[i]
            tape[last : last + n, n_wide - 1] = i
            last += n
        return found, tape

    return taped


def _swept_batch(sizes, sweep):
    @numba.njit(fastmath=False)
    def swept(parameters, forcing, initial_state, record, tape, cotangent):
        n_vector, n_record = parameters.shape[:2]
        good = fits(sizes, parameters, forcing, initial_state)
        if not (good and ascends(record, forcing.shape[0], n_record)):
            return _nothing(parameters, forcing, initial_state)
        theta = np.ascontiguousarray(parameters.copy())
        u = np.ascontiguousarray(forcing.copy())
        x0 = np.ascontiguousarray(initial_state.copy())
        rows = np.ascontiguousarray(tape.copy())
        weights = np.ascontiguousarray(cotangent.copy())
        bounds = np.searchsorted(record, np.arange(n_record + 1))
        ends = np.searchsorted(rows[:, -1], np.arange(n_vector * n_record + 1))
        by_theta, by_forcing = np.empty(theta.shape), np.zeros(u.shape)
        by_x0 = np.empty(x0.shape)
        for i in range(n_vector * n_record):
            v, r = i // n_record, i % n_record
            part = slice(bounds[r], bounds[r + 1])
            own = rows[ends[i] : ends[i + 1]]
            found = sweep(theta[v, r], u[part], x0[v, r], own, weights[v, part])
            by_theta[v, r], by_x0[v, r] = found[0], found[2]
            by_forcing[part] += found[1]
        return by_theta, by_forcing, by_x0

    return swept
