"""Loss, gradient and residuals at given parameters, all from one integration."""

import inspect
import threading
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedInputError
from pytensor.graph.basic import Variable
from pytensor.graph.replace import vectorize_graph

from pymc_hydro.calibration.periods import Scored
from pymc_hydro.engine.problem import Problem
from pymc_hydro.losses import find_loss, find_residuals, multi_output
from pymc_hydro.ops.stepwise import stepwise

__all__ = ["Evaluation", "Goal", "Objective", "compile_slope", "define_goal"]


@dataclass(frozen=True)
class Goal:
    """The goal of a calibration: to minimise `sign` times a function of all series.

    Attributes
    ----------
    name : str
    sign : float
        -1 for a score, which is maximised.
    function : callable
        A function of two mappings of output to series: observed, simulated.
    residuals : callable or None
        A function of the same mappings that returns residuals. Their squares add up to the loss,
        or to one minus the score.
    """

    name: str
    sign: float
    function: Callable
    residuals: Callable | None


def define_goal(
    loss: str | Callable | Mapping, options: Mapping, time: np.ndarray | Mapping
) -> Goal:
    """Return the goal of a calibration.

    Parameters
    ----------
    loss : str, callable, or mapping of output to loss
        A function with an argument ``time`` is given the dates of the scored intervals.
    options : mapping
        Further arguments of the loss, or of ``multi_output``.
    time : array of datetime64, shape (n_scored,), or mapping of output to such an array

    Raises
    ------
    KeyError, TypeError
        If the loss is unknown, or an option is no argument of it.
    """
    if isinstance(loss, Mapping):
        times = time if isinstance(time, Mapping) else dict.fromkeys(loss, time)
        parts = {k: _with_time(find_loss(part), {}, times[k]) for k, part in loss.items()}
        losses = {k: function for k, (function, _) in parts.items()}
        combined = partial(multi_output, losses=losses, **options)
        name = ", ".join(f"{k}: {_name(part)}" for k, part in loss.items())
        return Goal(name, 1.0, combined, None)
    if isinstance(time, Mapping):
        (time,) = time.values()
    function, sign = _with_time(find_loss(loss), options, time)
    residuals = find_residuals(function)
    of_residuals = None if residuals is None else _Single(residuals)
    return Goal(_name(loss), sign, _Single(function), of_residuals)


@dataclass(frozen=True)
class _Single:
    """A function of mappings of a single output; a class, as workers need to pickle it."""

    function: Callable

    def __call__(self, observed: Mapping[str, Any], simulated: Mapping[str, Any]) -> Any:
        ((output, series),) = observed.items()
        return self.function(series, simulated[output])


def _with_time(found, options, time):
    function, sign = found
    known = inspect.signature(function).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in known.values())
    unknown = [k for k in options if k not in known and not takes_all]
    if unknown:
        raise TypeError(
            f"calibrate: the loss {_name(function)!r} has no argument {', '.join(unknown)}; known "
            f"are {', '.join(list(known)[2:]) or 'none'}"
        )
    if (
        "time" in known
        and "time" not in options
        and known["time"].default in (None, known["time"].empty)
    ):
        options = {**options, "time": time}
    return (partial(function, **options) if options else function), sign


def _name(loss):
    if isinstance(loss, str):
        return loss
    if isinstance(loss, partial):
        return _name(loss.func)
    return getattr(loss, "__name__", type(loss).__name__)


@dataclass(frozen=True)
class Evaluation:
    """The result of one integration.

    Attributes
    ----------
    loss : float
        To be minimised; NaN if the integration failed.
    gradient : array, shape (n_parameter,)
        Of the loss.
    residuals : array, shape (n_residual,), or None
        If the loss is a sum of squares.
    residual_jacobian : array, shape (n_residual, n_parameter), or None
    integrated : bool
        Whether the integration came to its end.
    """

    loss: float
    gradient: np.ndarray
    residuals: np.ndarray | None = None
    residual_jacobian: np.ndarray | None = None
    integrated: bool = True

    @property
    def failed(self) -> bool:
        """Whether there is no finite loss or gradient."""
        return not (np.isfinite(self.loss) and np.isfinite(self.gradient).all())


class Objective:
    """A goal for one model and record; may be called from several threads.

    Parameters
    ----------
    problem : Problem
    forcing : array, shape (n_time, n_forcing)
    initial_state : array, shape (n_state,)
    warmup : int
        Simulated intervals that are not scored.
    scored : mapping of output to Scored
    goal : Goal
    """

    @stepwise
    def __init__(
        self,
        problem: Problem,
        forcing: np.ndarray,
        initial_state: np.ndarray,
        warmup: int,
        scored: Mapping[str, Scored],
        goal: Goal,
    ) -> None:
        self.problem, self.forcing, self.initial_state = problem, forcing, initial_state
        self.warmup, self.scored, self.goal = warmup, scored, goal
        # A compiled function keeps its arguments in one place, so that threads take turns: it is
        # quick beside the integration.
        self._lock = threading.Lock()
        shape = (forcing.shape[0] - warmup, len(problem.outputs))
        values = pt.tensor("values", dtype="float64", shape=shape)
        observed = {name: part.values for name, part in scored.items()}
        simulated = {
            name: scored[name].simulated(values[:, i]) for i, name in enumerate(problem.outputs)
        }
        if goal.residuals is None:
            self._parts = _loss_of(goal, values, goal.function(observed, simulated))
        else:
            self._parts = _squares_of(goal, values, goal.residuals(observed, simulated))

    def with_tolerances(self, **tolerances: Any) -> "Objective":
        """Return the same objective of an integration with other tolerances."""
        other = copy(self)
        other.problem = self.problem.with_tolerances(**tolerances)
        return other

    def __call__(self, theta: np.ndarray) -> Evaluation:
        """Integrate once; theta has the shape (n_parameter,)."""
        run = self.problem.run(theta, self.forcing, self.initial_state, sensitivities=True)
        if run.status:
            return Evaluation(np.nan, np.full(theta.size, np.nan), integrated=False)
        return self._evaluate(run)

    def _evaluate(self, run) -> Evaluation:
        with self._lock:
            parts = self._parts(run.values[self.warmup :], run.jacobian[self.warmup :])
        loss, gradient, residuals, slopes = parts
        squares = () if residuals is None else (residuals, self._by_all(slopes))
        return Evaluation(float(loss), self._by_all(gradient), *squares)

    def _by_all(self, slopes):
        """Return derivatives by all parameters, zero for fixed ones, from `slopes` of free ones."""
        found = np.zeros((*slopes.shape[:-1], len(self.problem.model.parameters)))
        found[..., list(self.problem.columns)] = slopes
        return found

    def check(self, theta: np.ndarray) -> None:
        """Raise ValueError if the loss of a run that did not fail is no number."""
        # With sensitivities, so that the kernel is compiled before several threads call it.
        run = self.problem.run(theta, self.forcing, self.initial_state, sensitivities=True)
        if run.status:
            return
        found = self._evaluate(run)
        if found.failed:
            missing = sum(int(np.isnan(part.values).sum()) for part in self.scored.values())
            raise ValueError(
                f"calibrate: the loss {self.goal.name!r} is {found.loss} at the first start "
                f"although the simulation is finite ({missing} observations are missing: a loss of "
                "yours must leave them out, such as by np.flatnonzero(np.isfinite(observed)))"
            )


def compile_slope(inputs: list[Variable], values: Variable, goal: Goal, loss: Any) -> Callable:
    """Return a compiled function of `inputs`: the loss to minimise, and its slope by `values`.

    Raises
    ------
    TypeError
        If the loss is no number, or does not depend on the values.
    """
    loss = goal.sign * _scalar(loss, goal.name)
    try:
        delta: Any = pytensor.grad(loss, values)
    except DisconnectedInputError as error:
        raise TypeError(
            f"calibrate: the loss {goal.name!r} does not depend on the simulated series, its "
            "second argument"
        ) from error
    return pytensor.function(inputs, [loss, delta])


def _loss_of(goal, values, loss):
    """Return a function of values and their Jacobian: loss and gradient, and no residuals."""
    compiled = compile_slope([values], values, goal, loss)

    def parts(q, jacobian):
        loss, delta = compiled(q)
        return loss, np.tensordot(delta, jacobian, axes=2), None, None

    return parts


def _squares_of(goal, values, residuals):
    """Return a function of values and their Jacobian: loss, gradient, residuals, their Jacobian.

    The derivative of the residuals r along a direction needs forward mode. Two reverse derivatives
    give it: ``(d r / d q)' u`` is linear in u, so that the derivative by u of its product with the
    direction is ``(d r / d q)`` times the direction.
    """
    u = pt.zeros_like(residuals)
    direction = values.type("direction")
    backward: Any = pytensor.grad((residuals * u).sum(), values)
    forward: Any = pytensor.grad((backward * direction).sum(), u)
    directions = pt.tensor("directions", dtype="float64", shape=(None, *values.type.shape))
    changes = vectorize_graph(forward, {direction: directions})
    compiled = pytensor.function([values, directions], [residuals, changes])
    score = goal.sign < 0  # one minus the sum of squares

    def parts(q, jacobian):
        r, changes = compiled(q, np.moveaxis(jacobian, -1, 0))
        return r @ r - score, 2 * changes @ r, r, changes.T

    return parts


def _scalar(loss, name):
    if not isinstance(loss, Variable) or loss.type.ndim != 0:
        found = f"shape of {loss.type.ndim} dimensions" if isinstance(loss, Variable) else loss
        raise TypeError(
            f"calibrate: the loss {name!r} must return one number that PyTensor can differentiate; "
            f"found {found!r}. Write it with arithmetic, methods such as .sum(), and functions of "
            "pytensor.tensor"
        )
    return loss
