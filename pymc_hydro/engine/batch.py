"""Many integrations in one call: records of any lengths, each with one or many vectors.

The records lie one after another in one array, without padding. Beside the results there is no
memory but the kernel's own, once a thread.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from pymc_hydro.engine.codegen import COUNTS
from pymc_hydro.engine.lanes.runs import LEAST, get_lanes, run_in_lanes, takes_lanes
from pymc_hydro.engine.problem import Problem, as_argument

__all__ = ["Batch", "record_bounds", "run_batch", "second_order_batch", "sweep_batch", "tape_batch"]


@dataclass(frozen=True)
class Batch:
    """The results of a batch of integrations.

    Attributes
    ----------
    values : array, shape (n_vector, n_row, n_output)
        NaN in rows that belong to no record.
    jacobian : array, shape (n_vector, n_row, n_output, n_column), or None
    counts : array, shape (n_vector, n_record, 6)
        As of :class:`pymc_hydro.engine.problem.Run`.
    status : array, shape (n_vector, n_record)
    """

    values: np.ndarray
    jacobian: np.ndarray | None
    counts: np.ndarray
    status: np.ndarray


def record_bounds(basin_index: np.ndarray, n_record: int) -> np.ndarray:
    """Return where each record begins, and where the last one ends.

    Parameters
    ----------
    basin_index : array of int, shape (n_time,)
        The record of each interval, ascending.
    n_record : int

    Returns
    -------
    array of int, shape (n_record + 1,)
    """
    return np.searchsorted(basin_index, np.arange(n_record + 1))


def run_batch(
    problem: Problem,
    theta: np.ndarray,
    forcing: np.ndarray,
    x0: np.ndarray,
    bounds: np.ndarray,
    *,
    rows: np.ndarray | None = None,
    n_row: int | None = None,
    sensitivities: bool = False,
    initial: bool = False,
    threads: int | None = None,
    lanes: bool = False,
) -> Batch:
    """Integrate every record with each of its vectors; the results are equal to single runs.

    In lanes the results are within the tolerance of single runs, and do not depend on which other
    runs there are.

    Parameters
    ----------
    problem : Problem
    theta : array, shape (n_vector, n_record, n_parameter)
    forcing : array, shape (n_time, n_forcing)
        Of all records, one after another.
    x0 : array, shape (n_vector, n_record, n_state)
    bounds : array of int, shape (n_record + 1,)
        Record i is ``forcing[bounds[i] : bounds[i + 1]]``.
    rows : array of int, shape (n_record,), optional
        The row of the results at which each record begins, ``bounds[:-1]`` if not given.
    n_row : int, optional
        ``n_time`` if not given.
    sensitivities, initial : bool
        As of :meth:`Problem.run`.
    threads : int, optional
        As many as the machine has cores if not given.
    lanes : bool
        Whether many runs may be integrated in lanes: values only, and where
        :func:`pymc_hydro.engine.lanes.runs.takes_lanes` says so.
    """
    theta, forcing, x0 = map(as_argument, (theta, forcing, x0))
    n_vector, n_record = theta.shape[:2]
    n_column = problem.n_columns(initial) if sensitivities else 0
    shape = (n_vector, len(forcing) if n_row is None else n_row, len(problem.outputs))
    values, jacobian = np.full(shape, np.nan), np.full((*shape, n_column), np.nan)
    counts = np.zeros((n_vector, n_record, len(COUNTS)), dtype=np.int64)
    status = np.zeros((n_vector, n_record), dtype=np.int64)
    integrate = problem.integrator(initial)
    first, length = bounds[:-1], np.diff(bounds)
    rows = first if rows is None else rows

    def work(members: Iterator):
        for v, r in members:
            source = slice(first[r], first[r] + length[r])
            target = v, slice(rows[r], rows[r] + length[r])
            status[v, r] = integrate(
                theta[v, r], forcing[source], x0[v, r],
                values[target], jacobian[target], counts[v, r],
            )  # fmt: skip

    longest = np.argsort(-length, kind="stable").tolist()
    n_thread = min(threads or os.cpu_count() or 1, status.size)
    pairs = [(v, r) for r in longest for v in range(n_vector)]
    if lanes and not sensitivities and len(pairs) >= LEAST and takes_lanes(problem):
        pairs = _in_lanes(
            problem, theta, forcing, x0, bounds, rows, pairs, values, counts, n_thread
        )
    # Each thread takes the next run, the longest first, so that all end at about the same time.
    members = iter(pairs)
    if n_thread == 1:
        work(members)
    else:
        with ThreadPoolExecutor(n_thread) as pool:
            for future in [pool.submit(work, members) for _ in range(n_thread)]:
                future.result()
    return Batch(values, jacobian if sensitivities else None, counts, status)


def _in_lanes(problem, theta, forcing, x0, bounds, rows, pairs, values, counts, n_thread):
    """Integrate in lanes; returns the runs (vector, record) that are left to single runs."""
    spans = np.column_stack([bounds[:-1], np.diff(bounds), rows]).astype(np.int64)
    runs = np.array(pairs, dtype=np.int64)
    n_part = max(min(n_thread, len(runs) // LEAST), 1)
    get_lanes(problem.model, problem.outputs, problem.methods[0])  # found once, not by each thread

    def one(i):
        part = np.ascontiguousarray(runs[i::n_part])
        return run_in_lanes(problem, theta, forcing, x0, part, spans, values, counts)

    return [run for left in _each(one, n_part, n_thread) for run in left]


def tape_batch(
    problem: Problem,
    theta: np.ndarray,
    forcing: np.ndarray,
    x0: np.ndarray,
    bounds: np.ndarray,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of all runs, and their tapes one after another.

    The arguments are the arguments of :func:`run_batch`. The last column of the tape is the number
    of the run, ``vector * n_record + record``.
    """
    n_vector, n_record = theta.shape[:2]
    values = np.full((n_vector, len(forcing), len(problem.outputs)), np.nan)
    problem.taped_kernel()  # found once, and not by each thread

    def one(i):
        v, r = divmod(i, n_record)
        part = slice(bounds[r], bounds[r + 1])
        run, tape = problem.taped_run(theta[v, r], forcing[part], x0[v, r])
        values[v, part] = run.values
        return np.column_stack([tape, np.full(len(tape), i)])

    tapes = [tape for tape in _each(one, n_vector * n_record, threads) if len(tape)]
    return values, np.concatenate(tapes) if tapes else np.empty((0, 1))


def sweep_batch(
    problem: Problem,
    theta: np.ndarray,
    forcing: np.ndarray,
    x0: np.ndarray,
    bounds: np.ndarray,
    tape: np.ndarray,
    cotangent: np.ndarray,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cotangents of parameters, forcing and initial states of all runs.

    Parameters
    ----------
    tape : array
        The tape that :func:`tape_batch` returned for the same arguments.
    cotangent : array, shape (n_vector, n_time, n_output)

    Returns
    -------
    tuple of array, of the shapes of `theta`, `forcing` and `x0`
        The cotangent of the forcing is the sum over vectors.
    """
    n_vector, n_record = theta.shape[:2]
    ends = np.searchsorted(tape[:, -1], np.arange(n_vector * n_record + 1))
    problem.sweep_kernel()

    def one(i):
        v, r = divmod(i, n_record)
        part = slice(bounds[r], bounds[r + 1])
        rows = np.ascontiguousarray(tape[ends[i] : ends[i + 1]])
        return problem.sweep(theta[v, r], forcing[part], x0[v, r], rows, cotangent[v, part])

    by_theta, by_forcing, by_x0 = np.empty(theta.shape), np.zeros(forcing.shape), np.empty(x0.shape)
    for i, found in enumerate(_each(one, n_vector * n_record, threads)):
        v, r = divmod(i, n_record)
        by_theta[v, r], by_x0[v, r] = found[0], found[2]
        by_forcing[bounds[r] : bounds[r + 1]] += found[1]
    return by_theta, by_forcing, by_x0


def second_order_batch(
    problem: Problem,
    theta: np.ndarray,
    forcing: np.ndarray,
    x0: np.ndarray,
    bounds: np.ndarray,
    cotangent: np.ndarray,
    directions: Sequence[np.ndarray],
    threads: int | None = None,
) -> tuple[np.ndarray, ...]:
    """Return the results of :meth:`Problem.second_order` for all runs.

    Parameters
    ----------
    cotangent : array, shape (n_vector, n_time, n_output)
    directions : sequence of array
        Of the shapes of `theta`, `forcing` and `x0`.

    Returns
    -------
    tuple of array, of the shapes of `theta`, `forcing`, `x0` and `cotangent`
        That of the forcing is the sum over vectors.
    """
    n_vector, n_record = theta.shape[:2]
    by_theta, by_forcing, by_x0 = np.empty(theta.shape), np.zeros(forcing.shape), np.empty(x0.shape)
    of_values = np.full(cotangent.shape, np.nan)

    def one(i):
        v, r = divmod(i, n_record)
        part = slice(bounds[r], bounds[r + 1])
        along = directions[0][v, r], directions[1][part], directions[2][v, r]
        return problem.second_order(
            theta[v, r], forcing[part], x0[v, r], cotangent[v, part], *along
        )

    for i, found in enumerate(_each(one, n_vector * n_record, threads)):
        v, r = divmod(i, n_record)
        part = slice(bounds[r], bounds[r + 1])
        by_theta[v, r], by_x0[v, r], of_values[v, part] = found[0], found[2], found[3]
        by_forcing[part] += found[1]
    return by_theta, by_forcing, by_x0, of_values


def _each(function, n: int, threads: int | None) -> list:
    """Return the results of ``function(0)`` to ``function(n - 1)``."""
    n_thread = min(threads or os.cpu_count() or 1, n)
    if n_thread <= 1:
        return [function(i) for i in range(n)]
    with ThreadPoolExecutor(n_thread) as pool:
        return list(pool.map(function, range(n)))
