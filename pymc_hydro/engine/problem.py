"""A model with the settings of its integration: what a run needs besides its arrays."""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.integrators import ExplicitPair
from pymc_hydro.engine.kernels import Kernel, get_kernel, select_method

__all__ = ["DEFAULT_TOLERANCE", "Problem", "Run", "define_problem"]

# Hymod, ten years daily: the error of discharge is then below 1e-3 mm/d, that of every Jacobian
# column below 1 % (benchmarks/integration.py).
DEFAULT_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Run:
    """What one integration returned.

    Attributes
    ----------
    values : array, shape (n_time, n_output)
    jacobian : array, shape (n_time, n_output, n_column), or None
        By parameter, then by initial store content if that was asked for.
    counts : array, shape (4,)
        Steps taken, rejected and forced, and the interval of a failure or -1.
    status : int
        0, or an index of :data:`pymc_hydro.engine.kernel_text.REASONS`.
    """

    values: np.ndarray
    jacobian: np.ndarray | None
    counts: np.ndarray
    status: int


@dataclass(frozen=True)
class Problem:
    """A model, its outputs, the interval of the data and the settings of the solver.

    Hashable and picklable; equal problems run equal kernels.
    """

    model: AbstractModel
    outputs: tuple[str, ...]
    dt: float
    method: ExplicitPair
    rtol: float
    atol: float
    steps: int

    def kernel(self, sensitivities: bool = False, initial: bool = False) -> Kernel:
        """Return the compiled kernel."""
        return get_kernel(
            self.model, self.outputs, self.method, sensitivities=sensitivities, initial=initial
        )

    @property
    def content(self) -> str:
        """Hash of the text of both kernels: it changes when the computation does."""
        kernels = (self.kernel(), self.kernel(True), self.kernel(True, True))
        return sha256("".join(k.content for k in kernels).encode()).hexdigest()

    def n_columns(self, initial: bool) -> int:
        """Return the number of columns of the Jacobian."""
        return len(self.model.parameters) + (len(self.model.stores) if initial else 0)

    def run(self, theta, forcing, x0, *, sensitivities=False, initial=False) -> Run:
        """Integrate once; inputs are float64 arrays that were checked before."""
        n_time, n_output = forcing.shape[0], len(self.outputs)
        values = np.empty((n_time, n_output))
        shape = (n_time, n_output, self.n_columns(initial)) if sensitivities else (0, 0, 0)
        jacobian = np.empty(shape)
        counts = np.zeros(4, dtype=np.int64)
        status = self.kernel(sensitivities, initial).function(
            np.ascontiguousarray(theta),
            np.ascontiguousarray(forcing),
            np.ascontiguousarray(x0),
            self.dt,
            self.rtol,
            self.atol,
            self.steps,
            values,
            jacobian,
            counts,
        )
        return Run(values, jacobian if sensitivities else None, counts, int(status))


def define_problem(
    model: AbstractModel,
    outputs: tuple[str, ...],
    dt: float,
    *,
    solver: str | ExplicitPair | None = None,
    rtol: float = DEFAULT_TOLERANCE,
    atol: float = DEFAULT_TOLERANCE,
    steps: int | None = None,
) -> Problem:
    """Return a problem after checking its settings.

    Parameters
    ----------
    model : AbstractModel
    outputs : tuple of str
        Any of ``model.output_names``.
    dt : float
        Interval of the data in days.
    solver : str, optional
        ``"bogacki_shampine"`` (the default) or ``"heun"``.
    rtol, atol : float
        Relative tolerance, and absolute tolerance in mm, of states and of the sensitivities
        scaled by their parameters.
    steps : int, optional
        This many equal steps an interval and no error control.

    Raises
    ------
    TypeError, KeyError, ValueError
        If a setting makes no sense.
    """
    if not isinstance(model, AbstractModel):
        hint = "; call the class first" if isinstance(model, type) else ""
        raise TypeError(f"model: expected a model such as ph.Hymod(), found {model!r}{hint}")
    names = tuple(output.name for output in model.select_outputs(outputs))
    if not names:
        raise ValueError(f"outputs: name at least one of {', '.join(model.output_names)}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not 1e-13 <= tolerance <= 1:
            raise ValueError(f"{name}: expected a tolerance from 1e-13 to 1, found {tolerance!r}")
    if steps is not None and not (isinstance(steps, (int, np.integer)) and 1 <= steps <= 10_000):
        raise ValueError(f"steps: expected a whole number from 1 to 10000, found {steps!r}")
    method = select_method(solver)
    return Problem(model, names, float(dt), method, float(rtol), float(atol), int(steps or 0))
