"""The loss of each of many basins at parameters of its own, and its gradient: one run a basin.

A run's Jacobian is contracted with the slope of the loss where it was integrated, and let go. So
memory beyond the records does not grow with their number.
"""

import copy
import inspect
import os
import threading
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt
import xarray as xr

from pymc_hydro.calibration.objective import Goal, compile_slope, define_goal
from pymc_hydro.calibration.periods import Period, Scored, observations, select_window
from pymc_hydro.core.base.dims import TIME
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import as_basins
from pymc_hydro.data.schema import Warmup, check_warmup, interval_length
from pymc_hydro.engine.problem import Problem, define_problem
from pymc_hydro.engine.simulate import forcing_array, initial_array
from pymc_hydro.losses import find_loss
from pymc_hydro.ops.stepwise import stepwise

__all__ = ["BasinLosses", "ScoredRecord", "define_losses"]

# Number of basins from which on a common loss is compiled, which takes 0.6 s in each process: step
# by step a loss and its slope take 0.3 ms, a tenth of a run of ten years.
MANY = 100


@dataclass(frozen=True)
class ScoredRecord:
    """The record of a basin and what of it is compared with the simulation.

    Attributes
    ----------
    forcing : array, shape (n_time, n_forcing)
    warmup : int
        Simulated intervals that are not scored.
    scored : mapping of output to Scored
    goal : Goal
    """

    forcing: np.ndarray
    warmup: int
    scored: Mapping[str, Scored]
    goal: Goal


class _Functions:
    """Compiled functions, of which each thread takes one: a function has one place for arguments.

    Parameters
    ----------
    build : callable
        Returns a compiled function.
    """

    def __init__(self, build):
        self.build, self.idle, self.lock = build, [], threading.Lock()

    def __call__(self, *arguments):
        try:
            function = self.idle.pop()
        except IndexError:
            with self.lock:
                function = self.build()
        try:
            return function(*arguments)
        finally:
            self.idle.append(function)


class BasinLosses:
    """The losses of basins, to be minimised, and their gradients.

    Parameters
    ----------
    names : sequence of hashable
        Of the basins.
    problem : Problem
    records : sequence of ScoredRecord
    initial_state : array, shape (n_state,)
    common : bool
        Whether one graph of (observed, simulated) serves all basins.
    threads : int, optional
        As many as the machine has cores if not given.
    """

    def __init__(
        self,
        names: Sequence[Hashable],
        problem: Problem,
        records: Sequence[ScoredRecord],
        initial_state: np.ndarray,
        common: bool,
        threads: int | None = None,
    ) -> None:
        self.names, self.problem, self.records = list(names), problem, list(records)
        self.initial_state, self.common, self.threads = initial_state, common, threads
        self.many = len(self.records) >= MANY  # of parts too: one way to compute, the same bits
        self._prepare()

    def _prepare(self):
        self._common = _common_function(self.records[0].goal, self.many) if self.common else None
        self._own: dict[int, _Functions] = {}

    def __getstate__(self) -> dict:
        return {k: v for k, v in self.__dict__.items() if k not in ("_common", "_own")}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._prepare()

    @property
    def sign(self) -> float:
        """-1 if the values are those of a score, with the other sign."""
        return self.records[0].goal.sign

    def select(self, positions: Sequence[int] | np.ndarray) -> "BasinLosses":
        """Return the losses of some of the basins."""
        chosen = copy.copy(self)
        chosen.names = [self.names[i] for i in positions]
        chosen.records = [self.records[i] for i in positions]
        chosen._own = {}
        return chosen

    def __call__(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Integrate every basin once.

        Parameters
        ----------
        theta : array, shape (n_basin, n_parameter)

        Returns
        -------
        losses : array, shape (n_basin,)
            NaN where the integration failed.
        gradients : array, shape (n_basin, n_parameter)
            Of each loss by the basin's own parameters; zero for those that are not free, NaN where
            the integration failed.

        Raises
        ------
        ValueError
            If `theta` has another shape.
        """
        return self.evaluate(theta, curved=False)[:2]

    def evaluate(
        self, theta: np.ndarray, curved: bool = True
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Integrate every basin once; returns losses, gradients and curvatures.

        Parameters
        ----------
        theta : array, shape (n_basin, n_parameter)
        curved : bool
            Whether curvatures are wanted; they are NaN otherwise.

        Returns
        -------
        losses, gradients : array
            As of a call.
        curvatures : array, shape (n_basin, n_parameter, n_parameter)
            ``2 J'J / sum((y - mean(y))^2)`` with the Jacobian J of the scored values of the first
            output: the curvature of one minus NSE in the approximation of Gauss and Newton, and
            a positive semi-definite metric of the parameters for every other loss.

        Raises
        ------
        ValueError
            If `theta` has another shape.
        """
        n, theta = len(self.records), np.asarray(theta, dtype=float)
        shape = (n, len(self.problem.model.parameters))
        if theta.shape != shape:
            raise ValueError(
                f"theta has shape {theta.shape}, expected {shape}: a row for each basin, in the "
                "order of the parameters"
            )
        losses, gradients = np.full(n, np.nan), np.full(shape, np.nan)
        curvatures = np.full((*shape, shape[1]), np.nan)
        self.problem.kernel()  # found once, and not by each thread
        longest = sorted(range(n), key=lambda i: -len(self.records[i].forcing))
        waiting = iter(longest)  # each thread takes the next one

        n_column = self.problem.n_columns(False)

        def work():
            held = self.problem.new_outputs(0, n_column)
            for i in waiting:
                n_time = len(self.records[i].forcing)
                if len(held[0]) != n_time:  # new memory would be cold in each run
                    held = self.problem.new_outputs(n_time, n_column)
                losses[i], gradients[i], curvatures[i] = self._one(i, theta[i], curved, held)

        n_thread = min(self.threads or os.cpu_count() or 1, n)
        if n_thread == 1:
            work()
        else:
            with ThreadPoolExecutor(n_thread) as pool:
                for future in [pool.submit(work) for _ in range(n_thread)]:
                    future.result()
        return losses, gradients, curvatures

    def _one(self, i, theta, curved, held):
        """Return loss, gradient and curvature of a basin; `held` is memory for the run."""
        record = self.records[i]
        run = self.problem.run(
            theta, record.forcing, self.initial_state, sensitivities=True, outputs_into=held
        )
        if run.status:
            return np.nan, np.nan, np.nan
        values, jacobian = run.values[record.warmup :], run.jacobian[record.warmup :]
        part, columns = record.scored[self.problem.outputs[0]], list(self.problem.columns)
        there = np.flatnonzero(np.isfinite(part.values))
        observed = part.values[there]
        if self._common is None:
            loss, slope = self._functions(i)(values)
        else:
            slope = np.zeros(values.shape)
            loss, slope[there, 0] = self._common(observed, values[there, 0])
        gradient = np.zeros(theta.size)
        # Sums and no products of matrices, whose last bits depend on where in memory they are.
        gradient[columns] = np.einsum("to,top->p", slope, jacobian)
        if not curved:
            return float(loss), gradient, np.nan
        curvature, changes = np.zeros((theta.size, theta.size)), jacobian[there, 0]
        products = np.einsum("ti,tj->ij", changes, changes)
        variation = ((observed - observed.mean()) ** 2).sum()
        curvature[np.ix_(columns, columns)] = 2 * products / variation
        return float(loss), gradient, curvature

    def _functions(self, i):
        """Return the functions of a basin whose loss has a graph of its own."""
        record, outputs = self.records[i], self.problem.outputs

        def build():
            shape = (len(record.forcing) - record.warmup, len(outputs))
            values = pt.tensor("values", dtype="float64", shape=shape)
            scored = record.scored
            observed = {name: part.values for name, part in scored.items()}
            simulated = {n: scored[n].simulated(values[:, o]) for o, n in enumerate(outputs)}
            loss = record.goal.function(observed, simulated)
            return compile_slope([values], values, record.goal, loss)

        return self._own.setdefault(i, _Functions(stepwise(build)))


def _common_function(goal: Goal, many: bool) -> _Functions | None:
    """Return functions of (observed, simulated), or None if the loss needs observed numbers."""
    observed, simulated = pt.dvector("observed"), pt.dvector("simulated")

    def build():
        loss = goal.function({"discharge": observed}, {"discharge": simulated})
        return compile_slope([observed, simulated], simulated, goal, loss)

    functions = _Functions(build if many else stepwise(build))
    try:
        functions.idle.append(functions.build())
    except TypeError:
        return None
    return functions


def define_losses(
    model: AbstractModel,
    basins: Mapping[Hashable, Any],
    loss: Any = "nse",
    *,
    warmup: Warmup = 365,
    period: Period | None = None,
    loss_options: Mapping | None = None,
    initial_state: Any = None,
    free: Sequence[str] | None = None,
    threads: int | None = None,
    **solver_settings: Any,
) -> BasinLosses:
    """Return the losses of basins after checking their records.

    Parameters
    ----------
    model : AbstractModel
    basins : mapping of name to record, or to a function that returns it, or Dataset on ``basin``
    loss, warmup, period, loss_options, initial_state, **solver_settings
        As in ``ph.calibrate``.
    free : sequence of str, optional
        Parameters whose gradient is wanted; all if not given.
    threads : int, optional

    Raises
    ------
    KeyError, TypeError, ValueError
        If an argument or a record does not fit; the message names the basin.
    """
    outputs = tuple(loss) if isinstance(loss, Mapping) else ("discharge",)
    if not isinstance(basins, xr.Dataset):
        basins = {k: record() if callable(record) else record for k, record in basins.items()}
    checked = as_basins(basins, model.forcing_names)
    dt = interval_length(next(iter(checked.values())))
    problem = define_problem(model, outputs, dt, free=free, **solver_settings)
    common = not isinstance(loss, Mapping)
    common = common and "time" not in inspect.signature(find_loss(loss)[0]).parameters
    records = []
    for name, basin in checked.items():
        try:
            records.append(
                _scored_record(problem, basin, loss, dict(loss_options or {}), warmup, period)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise type(error)(f"{name!r}: {error.args[0]}") from error
    x0 = initial_array(model, initial_state)
    return BasinLosses(list(checked), problem, records, x0, common, threads)


def _scored_record(problem, basin, loss, options, warmup, period) -> ScoredRecord:
    time = basin[TIME].values
    window = select_window(time, period, check_warmup(warmup, time))
    scored = observations(basin, None, problem.outputs, {"period": window})["period"]
    goal = define_goal(loss, options, {name: part.time for name, part in scored.items()})
    if isinstance(loss, str):  # refuses what it cannot score, such as constant observations
        (part,) = scored.values()
        find_loss(loss)[0](part.values, part.values, **options)
    forcing = forcing_array(problem.model, basin)[window.record]
    return ScoredRecord(forcing, window.warmup, scored, goal)
