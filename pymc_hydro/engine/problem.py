"""A model with the settings of its integration, and the one way to call its kernel."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np

from pymc_hydro.core.domain import OUTSIDE, domain_of, is_outside
from pymc_hydro.core.maps import AbstractMap
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.codegen import ARGUMENTS, COUNTS, OUTPUT, SETTING, SWEEP_ARGUMENTS
from pymc_hydro.engine.codegen.layout import width_for
from pymc_hydro.engine.compile import (
    Kernel,
    get_kernel,
    get_replay,
    get_sweep,
    get_taped_kernel,
    select_methods,
)
from pymc_hydro.integrators import RungeKutta, stack_coefficients

__all__ = [
    "DEFAULT_TOLERANCE",
    "INFERENCE_TOLERANCE",
    "SOLVER_SETTINGS",
    "Problem",
    "Run",
    "as_argument",
    "check_model_type",
    "define_problem",
    "inference_tolerance",
]

# For ten years of daily data and Hymod, the error of discharge is below 1e-3 mm/d and the error of
# every column of the Jacobian is below 1 % (benchmarks/integration.py).
DEFAULT_TOLERANCE = 1e-4
# In a PyMC model, and where a calibration explores. Of the models in continuous time whose
# posteriors were compared with those at 1e-6, modes move by at most 0.06 standard deviations
# (benchmarks/tolerance.py).
INFERENCE_TOLERANCE = 1e-3
# Of an input's size, by which differences of gradients move it at most: round-off is 1e-9 then, and
# hardly a threshold of the equations is crossed, where second derivatives jump.
MOVED = 1e-6
# Arguments of define_problem that every function which integrates passes on.
SOLVER_SETTINGS = ("solver", "rtol", "atol", "steps")


@dataclass(frozen=True)
class Run:
    """The result of one integration.

    Attributes
    ----------
    values : array, shape (n_time, n_output)
    jacobian : array, shape (n_time, n_output, n_column), or None
        By parameter, then by initial store content if that was asked for.
    counts : array, shape (6,)
        As in :data:`pymc_hydro.engine.codegen.COUNTS`: steps taken, implicit steps among the steps
        taken, steps rejected, steps forced; steps that were repeated with a shorter length because
        a stage had no solution; the interval of a failure, or -1.
    status : int
        0, an index of :data:`pymc_hydro.engine.codegen.step.REASONS`, or
        :data:`pymc_hydro.core.domain.OUTSIDE`.
    """

    values: np.ndarray
    jacobian: np.ndarray | None
    counts: np.ndarray
    status: int


@dataclass(frozen=True)
class Problem:
    """A model, its outputs, the interval of the data and the settings of the solver.

    Hashable and picklable. Equal problems run equal kernels. `free` names the parameters that have
    columns of sensitivities; None stands for all parameters. A parameter without a column costs
    nothing.
    """

    model: AbstractModel
    outputs: tuple[str, ...]
    dt: float
    methods: tuple[RungeKutta, ...]
    rtol: float
    atol: float
    steps: int
    free: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[int, ...]:
        """Which parameters have a column of the Jacobian, by their position in the model."""
        names = self.model.parameter_names
        return tuple(range(len(names)) if self.free is None else map(names.index, self.free))

    def kernel(self, initial: bool = False) -> Kernel:
        """Return the compiled kernel; it integrates with and without sensitivities.

        Raises
        ------
        ValueError
            If the model is a map for intervals of another length.
        """
        if isinstance(self.model, AbstractMap):
            self.model.check_interval(self.dt)
        # Where some parameters have no column, one more column takes the effects of all these
        # parameters.
        spare = len(self.columns) < len(self.model.parameters)
        n_column = self.n_columns(initial) + spare
        return get_kernel(self.model, self.outputs, n_column, self.methods)

    @property
    def content(self) -> str:
        """Hash of the kernels and of the methods' coefficients: equal hashes, equal computation."""
        kernels = (self.kernel().content, self.kernel(True).content)
        tables = self.coefficients().tolist(), domain_of(self.model).tolist()
        parts = (*kernels, repr(tables))
        return sha256("".join(parts).encode()).hexdigest()

    def n_columns(self, initial: bool) -> int:
        """Return the number of columns of the Jacobian."""
        return len(self.columns) + (len(self.model.stores) if initial else 0)

    def place(self, initial: bool) -> np.ndarray:
        """Return the column of each parameter, then of each store's initial content.

        A parameter that is not free has the spare column; a content without a column has -1.
        """
        n, n_store = len(self.model.parameters), len(self.model.stores)
        place = np.full(n + n_store, -1)
        spare = width_for(self.n_columns(initial) + 1) - 1
        place[:n] = spare
        place[list(self.columns)] = np.arange(len(self.columns))
        if initial:
            place[n:] = len(self.columns) + np.arange(n_store)
        return place

    def coefficients(self) -> np.ndarray:
        """Return the coefficients of the methods, shape (n_method, n + 3, n)."""
        return stack_coefficients(self.methods)

    def settings(self, initial: bool = False, arguments=ARGUMENTS) -> tuple:
        """Return the arguments of a kernel that the problem sets, in the order of the kernel."""
        known = {
            "place": self.place(initial),
            "method": self.coefficients(),
            "dt": self.dt,
            "rtol": self.rtol * self.model.tolerance_factor,
            "atol": self.atol * self.model.tolerance_factor,
            "n_fixed": self.steps,
        }
        return tuple(known[a.name] for a in arguments if a.role == SETTING)

    def with_tolerances(self, **tolerances: Any) -> "Problem":
        """Return the same problem with another `rtol` or `atol`."""
        return replace(self, **tolerances)

    def new_outputs(self, n_time: int, n_column: int) -> tuple[np.ndarray, ...]:
        """Return arrays for a kernel to write: values, Jacobian and counts."""
        sizes = {"n_time": n_time, "n_output": len(self.outputs), "n_column": n_column}
        sizes["n_count"] = len(COUNTS)
        return tuple(
            np.empty([sizes[axis] for axis in a.shape], a.dtype)
            for a in ARGUMENTS
            if a.role == OUTPUT
        )

    def integrator(self, initial: bool = False) -> Callable:
        """Return the kernel as ``integrate(theta, forcing, x0, values, jacobian, counts)``.

        The arrays are contiguous. The function writes the last three (see :meth:`new_outputs`) and
        returns the status. Several threads may call it at once: it does not hold Python's lock.
        """
        kernel, settings = self.kernel(initial).function, self.settings(initial)
        domain = domain_of(self.model)

        def integrate(theta, forcing, x0, values, jacobian, counts):
            if is_outside(theta, x0, domain):
                values[:], jacobian[:], counts[:] = np.nan, np.nan, 0
                return OUTSIDE
            return kernel(theta, forcing, x0, *settings, values, jacobian, counts)

        return integrate

    def run(
        self, theta, forcing, x0, *, sensitivities=False, initial=False, outputs_into=None
    ) -> Run:
        """Integrate once; inputs are float64 arrays that were checked before.

        ``outputs_into`` are arrays of :meth:`new_outputs` to write anew, which are the result.
        """
        n_column = self.n_columns(initial) if sensitivities else 0
        values, jacobian, counts = outputs_into or self.new_outputs(len(forcing), n_column)
        arrays = map(as_argument, (theta, forcing, x0))
        status = self.integrator(initial)(*arrays, values, jacobian, counts)
        return Run(values, jacobian if sensitivities else None, counts, int(status))

    # ---- back in time -----------------------------------------------------------------------

    def taped_kernel(self) -> Kernel:
        """Return the compiled kernel that keeps a tape; its steps are the same as without."""
        return get_taped_kernel(self.model, self.outputs, self.methods)

    def sweep_kernel(self) -> Kernel:
        """Return the compiled sweep."""
        return get_sweep(self.model, self.outputs, self.methods)

    def taped_run(self, theta, forcing, x0) -> tuple[Run, np.ndarray]:
        """Integrate once; returns the run of values, and its tape, which is empty if it failed."""
        values, jacobian, counts = self.new_outputs(len(forcing), 0)
        arrays = tuple(map(as_argument, (theta, forcing, x0)))
        kernel = self.taped_kernel().function
        if is_outside(arrays[0], arrays[2], domain_of(self.model)):
            values[:], counts[:] = np.nan, 0
            return Run(values, None, counts, OUTSIDE), np.empty((0, 1))
        status, tape = kernel(*arrays, *self.settings(), values, jacobian, counts)
        return Run(values, None, counts, int(status)), tape

    def sweep(self, theta, forcing, x0, tape, cotangent) -> tuple[np.ndarray, ...]:
        """Return the cotangents of parameters, forcing and initial state from that of the outputs.

        Parameters
        ----------
        theta, forcing, x0 : array
            Of the run that kept the tape.
        tape : array, shape (n_step, n_tape)
        cotangent : array, shape (n_time, n_output)

        Returns
        -------
        tuple of array, shapes (n_parameter,), (n_time, n_forcing) and (n_state,)
            The products of `cotangent` with the Jacobians of the run; NaN if the run failed.
        """
        arrays = tuple(map(as_argument, (theta, forcing, x0)))
        results = tuple(np.zeros(a.shape) for a in arrays)
        settings = self.settings(arguments=SWEEP_ARGUMENTS)
        given = map(as_argument, (tape, cotangent))
        self.sweep_kernel().function(*arrays, *settings, *given, *results)
        return results

    def replayed_run(self, theta, forcing, x0, tape) -> tuple[np.ndarray, np.ndarray]:
        """Return values and tape of a run that takes the steps of the run that kept `tape`.

        The domain is not looked at. NaN, and an empty tape, if a step has no solution.
        """
        if isinstance(self.model, AbstractMap):  # takes no steps
            run, tape = self.taped_run(theta, forcing, x0)
            return run.values, tape
        steps = np.zeros((len(tape) + 1, 2), dtype=np.int64)
        steps[1:] = tape[:, 1:3]
        values, jacobian, counts = self.new_outputs(len(forcing), 0)
        arrays = map(as_argument, (theta, forcing, x0))
        kernel = get_replay(self.model, self.outputs, self.methods).function
        settings = self.settings()
        return values, kernel(*arrays, *settings, values, jacobian, counts, steps)[1]

    def second_order(self, theta, forcing, x0, cotangent, *directions) -> tuple[np.ndarray, ...]:
        """Return how the cotangents that :meth:`sweep` gives change along a direction.

        By central differences of sweeps whose runs take the same steps: a difference of the exact
        gradient, which has no noise from the choice of steps.

        Parameters
        ----------
        theta, forcing, x0 : array
        cotangent : array, shape (n_time, n_output)
        *directions : array
            Of `theta`, `forcing` and `x0`, of their shapes.

        Returns
        -------
        tuple of array
            The Hessian of ``(cotangent * values).sum()`` times the direction, by parameters,
            forcing and initial state; and the Jacobian of the values times the direction, shape
            (n_time, n_output). NaN if a run failed.
        """
        at = tuple(np.array(a, dtype=float) for a in (theta, forcing, x0))
        run, tape = self.taped_run(*at)
        totals = [np.zeros(a.shape) for a in (*at, run.values)]
        # A content that is NaN is given by the parameters, and does not move.
        along = [np.where(np.isnan(a), 0.0, d) for a, d in zip(at, directions, strict=True)]
        largest = self._largest_share(at, along)
        if run.status or not np.isfinite(largest):
            return tuple(np.full(total.shape, np.nan) for total in totals)
        if largest == 0:
            return tuple(totals)
        for h in (MOVED / largest, -MOVED / largest):
            there = [a + h * d for a, d in zip(at, along, strict=True)]
            moved = there[0], there[1], there[2]
            values, own = self.replayed_run(*moved, tape)
            found = *self.sweep(*moved, own, cotangent), values
            for total, each in zip(totals, found, strict=True):
                total += each / (2 * h)
        return tuple(totals)

    def _largest_share(self, at, along) -> float:
        """Return by which share of its size, at most, a direction moves an input."""
        theta, forcing, x0 = at
        sizes = [p.scale or abs(t) for p, t in zip(self.model.parameters, theta, strict=True)]
        usual = np.sqrt((forcing**2).mean(axis=0, keepdims=True)) if len(forcing) else forcing
        scales = np.array(sizes), np.maximum(np.abs(forcing), usual), np.fmax(np.abs(x0), 1.0)
        shares = [
            np.abs(d[d != 0] / np.broadcast_to(s, d.shape)[d != 0])
            for d, s in zip(along, scales, strict=True)
        ]
        return float(np.max(np.concatenate(shares), initial=0.0))


def as_argument(array) -> np.ndarray:
    """Return an array as kernels take it: contiguous, float64 and writable.

    For a read-only array Numba would compile the kernel again.
    """
    return np.require(array, np.float64, ("C", "W"))


def define_problem(
    model: AbstractModel,
    outputs: tuple[str, ...],
    dt: float,
    *,
    solver: str | RungeKutta | None = None,
    rtol: float = DEFAULT_TOLERANCE,
    atol: float = DEFAULT_TOLERANCE,
    steps: int | None = None,
    free: Iterable[str] | None = None,
) -> Problem:
    """Return a problem after checking its settings.

    Parameters
    ----------
    model : AbstractModel
    outputs : tuple of str
        Any of ``model.output_names``.
    dt : float
        Interval of the data in days.
    solver : str or RungeKutta, optional
        A method or its name, see :func:`pymc_hydro.simulate`.
    rtol, atol : float
        Relative tolerance, and absolute tolerance in mm, of states and of the sensitivities
        scaled by their parameters.
    steps : int, optional
        This many equal steps an interval and no error control.
    free : iterable of str, optional
        Parameters that have columns of sensitivities, in this order; all if not given.

    Raises
    ------
    TypeError, KeyError, ValueError
        If a setting makes no sense.
    """
    check_model_type(model)
    names = tuple(output.name for output in model.select_outputs(outputs))
    if not names:
        raise ValueError(f"outputs: name at least one of {', '.join(model.output_names)}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not 1e-13 <= tolerance <= 1:
            raise ValueError(f"{name}: expected a tolerance from 1e-13 to 1, found {tolerance!r}")
    if steps is not None and not (isinstance(steps, (int, np.integer)) and 1 <= steps <= 10_000):
        raise ValueError(f"steps: expected a whole number from 1 to 10000, found {steps!r}")
    if isinstance(model, AbstractMap) and not (solver is None and steps is None):
        raise ValueError(
            f"{type(model).__name__}: leave out solver and steps; the model is in discrete time, "
            "and nothing is integrated"
        )
    columns = None if free is None else tuple(free)
    for name in columns or ():
        if name not in model.parameter_names:
            raise KeyError(
                f"{type(model).__name__}: unknown parameter {name!r}; known are "
                f"{', '.join(model.parameter_names)}"
            )
    settings = (select_methods(solver, steps), float(rtol), float(atol), int(steps or 0))
    return Problem(model, names, float(dt), *settings, columns)


def inference_tolerance(settings: Mapping[str, Any]) -> dict[str, float]:
    """Return the tolerances of inference; nothing if settings of the solver give a tolerance.

    Where one of the two is given, the other is the one of ``ph.simulate``.
    """
    given = settings.keys() & {"rtol", "atol"}
    return {} if given else {"rtol": INFERENCE_TOLERANCE, "atol": INFERENCE_TOLERANCE}


def check_model_type(model) -> None:
    """Raise TypeError if `model` is no model."""
    if not isinstance(model, AbstractModel):
        hint = "; call the class first" if isinstance(model, type) else ""
        raise TypeError(f"model: expected a model such as ph.Hymod(), found {model!r}{hint}")
