"""One search from one start, by a method of SciPy."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from pymc_hydro.calibration.objective import Objective
from pymc_hydro.calibration.search.pausing import Pausing
from pymc_hydro.calibration.space import SearchSpace

__all__ = ["LEAST_SQUARES", "OPTIMIZERS", "Search", "Stopped", "choose_optimizer", "reduce_rows"]

MINIMIZERS = ("L-BFGS-B", "trust-constr", "SLSQP", "basinhopping")
LEAST_SQUARES = ("trf", "dogbox", "lm")
OPTIMIZERS = (*LEAST_SQUARES, *MINIMIZERS)
# Largest number of iterations, and the relative change of the loss at which a search ends: for a
# search that explores, and for the last search.
EXPLORING = (60, 1e-5)
FINAL = (200, 1e-8)
BASIN_HOPS = 10  # of SciPy's basinhopping
BASIN_HOP = 0.2  # standard deviation of a hop: of an axis, or in units of the logit
FAILED = 1e6  # value of each residual for MINPACK if the integration fails
LEFT = "left, since other searches were better"
FAILED_START = "the integration or the loss failed at the start"
MOVED = "; it began nearer to the middle of the axes, since the integration failed at the start"
MOVES = 5  # times that a failing start is moved half way to the middle of the axes
# An interior-point method ("trf") hardly moves along an axis from its bound: while it explores, it
# starts at least this part of an axis away from the bounds.
INNER = 1e-3


class Stopped(Exception):
    """The search was stopped, or the user has interrupted the calibration."""


def choose_optimizer(method: str | None, has_residuals: bool, kind: str) -> str:
    """Return the optimiser to use, after checking that it suits the loss and the space.

    Raises
    ------
    KeyError, ValueError
        If the optimiser is unknown, or does not suit.
    """
    if method is None:
        return "trf" if has_residuals else "L-BFGS-B"
    if method not in OPTIMIZERS:
        raise KeyError(f"calibrate: unknown method {method!r}; known are {', '.join(OPTIMIZERS)}")
    if method in LEAST_SQUARES and not has_residuals:
        raise ValueError(
            f"calibrate: the method {method!r} needs a loss that is a sum of squares (nse and its "
            f"transforms, ssr, gls, ...); use one of {', '.join(MINIMIZERS)}"
        )
    if method == "lm" and kind != "unconstrained":
        raise ValueError(
            "calibrate: the method 'lm' knows no bounds; use search_space='unconstrained'"
        )
    return method


@dataclass
class Search:
    """A search and its trace.

    Attributes
    ----------
    objective, space, optimizer, options, stop
        The objective, the space, the optimiser with its options, and an event that stops all
        searches.
    unit : array, shape (n_free,)
        Position of the start on the axes, from 0 to 1.
    seed : numpy SeedSequence
        For methods that draw.
    exploring : bool
        Whether the search has the loose tolerance.
    trace : list of float
        Loss of each integration, NaN where it or the loss failed.
    failures : int
        Number of integrations that failed.
    best : tuple of loss, parameters and gradient
        At the smallest loss so far.
    """

    objective: Objective
    space: SearchSpace
    optimizer: str
    options: Mapping
    unit: np.ndarray
    seed: np.random.SeedSequence
    stop: Event
    exploring: bool = False
    trace: list = field(default_factory=list)
    failures: int = 0
    best: tuple = (np.inf, None, None)
    message: str = ""
    converged: bool = False
    seconds: float = 0.0
    _seen: tuple = (None, None)
    _rows: tuple = (None, None)
    _anchor: np.ndarray | None = None
    _worst: float = -np.inf
    _allowance: float = 0
    _left: bool = False

    def __post_init__(self):
        self._course = Pausing(self._run)

    def advance(self, most: float) -> None:
        """Continue until the search has made `most` integrations or ends."""
        begin = time.perf_counter()
        self._allowance = most
        self._course.resume()
        self.seconds += time.perf_counter() - begin

    def leave(self) -> None:
        """Stop the search, if it has begun."""
        self._left = True
        if self._course.waiting:
            with contextlib.suppress(Stopped):
                self._course.resume()
            self.message = LEFT

    @property
    def ended(self) -> bool:
        """Whether the search has ended."""
        return self._course.ended

    def _run(self):
        margin = INNER if self.exploring and self.optimizer == "trf" else 0.0
        for i in range(MOVES + 1):
            z = self.space.coordinates(0.5 + (self.unit - 0.5) / 2**i, margin)
            found, _ = self._evaluate(z)
            if not found.failed:
                break
        else:
            self.message = FAILED_START
            return
        self._anchor, self._worst = z, found.loss
        search = self._least_squares if self.optimizer in LEAST_SQUARES else self._minimize
        result = search(z)
        self.message, self.converged = _text(result.message), bool(result.success)
        if i:
            self.message += MOVED

    @property
    def undefined(self) -> int:
        """Number of integrations without failure whose loss or gradient is not finite."""
        return int(np.isnan(self.trace).sum()) - self.failures

    def _evaluate(self, z):
        """Return the evaluation at z and the slopes of the parameters; the same z is kept."""
        key = z.tobytes()
        if self._seen[0] != key:
            if len(self.trace) >= self._allowance:
                self._course.pause()
            if self._left or self.stop.is_set():
                raise Stopped
            theta, slope = self.space.parameters(z)
            found = self.objective(theta)
            self.trace.append(np.nan if found.failed else found.loss)
            self.failures += not found.integrated
            if not found.failed and found.loss < self.best[0]:
                self.best = (found.loss, theta, found.gradient)
            self._seen = (key, (found, slope))
        return self._seen[1]

    # ---- minimisation of a number -----------------------------------------------------------

    def _minimize(self, z):
        from scipy import optimize

        unconstrained = self.space.kind == "unconstrained"
        bounds = None if unconstrained else optimize.Bounds(0, 1, keep_feasible=True)
        if self.optimizer == "basinhopping":
            random = np.random.default_rng(self.seed)

            def hop(z):
                moved = z + random.normal(0, BASIN_HOP, z.size)
                return moved if unconstrained else np.clip(moved, 0, 1)

            settings = {"niter": BASIN_HOPS, "T": 0.01, "seed": random, **self.options}
            inner = {"method": "L-BFGS-B", "jac": True, "bounds": bounds}
            result = optimize.basinhopping(
                self._number, z, minimizer_kwargs=inner, take_step=hop, **settings
            )
            return result.lowest_optimization_result
        iterations, tolerance = EXPLORING if self.exploring else FINAL
        known = {"L-BFGS-B": "ftol", "SLSQP": "ftol", "trust-constr": "gtol"}
        options = {"maxiter": iterations, known[self.optimizer]: tolerance, **self.options}
        return optimize.minimize(
            self._number, z, jac=True, method=self.optimizer, bounds=bounds, options=options
        )

    def _number(self, z):
        """Return loss and gradient; if the integration fails, of a quadratic penalty.

        The penalty has its minimum at the last success, where it equals the largest loss so far: a
        line search then turns back on a smooth slope.
        """
        found, slope = self._evaluate(np.asarray(z, dtype=float))
        if found.failed:
            steepness, away = max(1.0, abs(self._worst)), z - self._anchor
            return self._worst + steepness * (away**2).sum(), 2 * steepness * away
        self._worst = max(self._worst, found.loss)
        self._anchor = np.array(z)
        return found.loss, found.gradient[self.space.free] * slope

    # ---- least squares ----------------------------------------------------------------------

    def _least_squares(self, z):
        from scipy import optimize

        bounds = (-np.inf, np.inf) if self.space.kind == "unconstrained" else (0.0, 1.0)
        iterations, tolerance = EXPLORING if self.exploring else FINAL
        tolerances = dict.fromkeys(("ftol", "xtol", "gtol"), tolerance)
        return optimize.least_squares(
            lambda z: self._reduced(z)[0],
            z,
            jac=lambda z: self._reduced(z)[1],
            method=self.optimizer,
            bounds=bounds,
            **{"max_nfev": iterations, **tolerances, **self.options},
        )

    def _reduced(self, z):
        """Return residuals and Jacobian with as many rows as there are parameters plus one.

        If the integration fails, the rows are NaN, at which a trust region shrinks; MINPACK ("lm")
        needs large numbers instead.
        """
        found, slope = self._evaluate(np.asarray(z, dtype=float))
        if self._rows[0] is not found:
            n = slope.size
            if found.failed:
                large = np.nan if self.optimizer != "lm" else FAILED
                rows = np.full(n + 1, large), np.zeros((n + 1, n))
            else:
                jacobian = found.residual_jacobian[:, self.space.free] * slope
                rows = reduce_rows(found.residuals, jacobian)
            self._rows = (found, rows)
        return self._rows[1]


def reduce_rows(residuals: np.ndarray, jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return fewer residuals and Jacobian rows with the same scalar products: the fit is the same.

    Least squares depends on the scalar products of residuals and Jacobian columns only. The matrix
    of these products has a square root with as many rows as columns. The square root takes one
    product of matrices; a decomposition of all rows would wait many times for other threads of
    BLAS. The columns are scaled to length one first. Directions that change the residuals by less
    than 1e-8 of that length are lost.
    """
    columns = np.column_stack([jacobian, residuals])
    lengths = np.sqrt((columns * columns).sum(axis=0))
    lengths[lengths == 0] = 1.0
    columns /= lengths
    values, vectors = np.linalg.eigh(columns.T @ columns)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T * lengths
    return root[:, -1], root[:, :-1]


def _text(message) -> str:
    if isinstance(message, (list, tuple)):
        message = " ".join(map(str, message))
    return (message.decode() if isinstance(message, bytes) else str(message)).strip()
