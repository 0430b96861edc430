"""Searches for the modes of a log-probability, and the table of the modes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pymc_hydro.inference.approximation.curvature import invert

__all__ = ["CONVERGED", "Mode", "as_table", "best_of", "climb", "find_modes"]

MAX_STEPS, SMALLEST = 30, 1e-6  # of the last search, and the smallest share of a step
# Newton decrements, in units of log-probability: where the search ends, and the most of a mode,
# a hundredth of a standard deviation from it. Above the last one the log-probability still rises.
FOUND, CONVERGED, RISING = 1e-6, 1e-4, 0.01
# A step so short that gains so little, and less than promised, ends at a kink of the density, such
# as Laplace's, over which no curvature leads.
KINKED, LITTLE = 1 / 8, 1e-3
SAME = 1.0  # Two ends are one mode: a difference in log-probability, a squared distance


@dataclass
class Mode:
    """Where a search ended.

    Attributes
    ----------
    z, begun : array, shape (n,)
        Unconstrained, and where the search began.
    logp : float
    curvature, covariance : array, shape (n, n)
        Minus that of the log-probability, and its inverse.
    decrement : float
        Twice the gain in log-probability that a Newton step would make.
    flat : array, shape (n,), or None
        A direction in which the curvature is not positive.
    tolerance : float
        Of the integration. At a tolerance of 1e-3 the log-probability has jumps of up to 7e-3, over
        which no search gets, and its mode is up to 0.06 standard deviations from the mode at 1e-6
        (``benchmarks/tolerance.py``). A mode is found within about this distance, the root of the
        tolerance: `CONVERGED` is the tolerance where that is larger, and `RISING` follows.
    searches : int
        How many ended here.
    """

    z: np.ndarray
    begun: np.ndarray
    logp: float
    curvature: np.ndarray
    covariance: np.ndarray
    decrement: float
    flat: np.ndarray | None
    tolerance: float = 0.0
    searches: int = 1

    @property
    def converged(self) -> bool:
        """Whether this is a mode."""
        return self.decrement < max(CONVERGED, self.tolerance) and self.flat is None

    @property
    def rising(self) -> bool:
        """Whether the log-probability still rises here."""
        return not self.decrement < max(RISING, 2 * self.tolerance)

    def near(self, z: np.ndarray, logp: float) -> bool:
        """Whether a point belongs to this mode."""
        away = z - self.z
        return abs(logp - self.logp) < SAME and abs(away @ self.curvature @ away) < SAME


def find_modes(
    objective: Callable, curvature: Callable, points: Iterable, tolerance: float = 0.0
) -> list[Mode]:
    """Search from each point: quasi-Newton steps first, Newton steps with the curvature last.

    Parameters
    ----------
    objective : callable
        From z, shape (n,), to the log-probability and its gradient.
    curvature : callable
        From z to minus the log-probability's curvature.
    points : iterable of array, shape (n,)
    tolerance : float
        Relative tolerance of the integration that the log-probability depends on.

    Returns
    -------
    list of Mode
        By log-probability, the highest first.
    """
    ends = [(*climb(objective, begun), begun) for begun in points]
    modes: list[Mode] = []
    for logp, z, begun in sorted(ends, key=lambda end: -end[0]):
        if not np.isfinite(logp):
            continue
        found = next((m for m in modes if not m.rising and m.near(z, logp)), None)
        if found is None:
            mode = _finish(objective, curvature, z, begun, tolerance)
            found = next((m for m in modes if not m.rising and m.near(mode.z, mode.logp)), None)
            if found is None:
                modes.append(mode)
                continue
        found.searches += 1
    return sorted(modes, key=lambda mode: -mode.logp)


def best_of(modes: list[Mode]) -> Mode:
    """Return the highest mode; where no search ended at one, the highest end."""
    return next((mode for mode in modes if not mode.rising), modes[0])


def as_table(modes: list[Mode], entries: Callable) -> pd.DataFrame:
    """Return a table of modes, the best first.

    Parameters
    ----------
    modes : list of Mode
    entries : callable
        From z to natural values by name.
    """
    best = best_of(modes)
    others = [mode for mode in modes if mode is not best]
    rows = [
        {
            "log_posterior": mode.logp,
            "gap": best.logp - mode.logp,
            "converged": mode.converged,
            "searches": mode.searches,
            **entries(mode.z),
        }
        for mode in (best, *others)
    ]
    return pd.DataFrame(rows).rename_axis("mode")


def climb(
    objective: Callable, begun: np.ndarray, factor: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Return the log-probability and the place where quasi-Newton steps end.

    With a factor L of a covariance ``L L'`` the steps are in units of standard deviations.
    """
    from scipy.optimize import minimize  # here: half a second that an import need not take

    def place(u: np.ndarray) -> np.ndarray:
        return u if factor is None else begun + factor @ u

    def negative(u):
        value, gradient = objective(place(u))
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return np.inf, np.zeros_like(u)
        return -value, -gradient if factor is None else -gradient @ factor

    first = begun if factor is None else np.zeros_like(begun)
    with np.errstate(invalid="ignore", over="ignore"):  # steps out of where it is finite
        end = minimize(negative, first, jac=True, method="BFGS", options={"maxiter": 200})
    return -end.fun, place(end.x)


def _finish(
    objective: Callable, curvature: Callable, z: np.ndarray, begun: np.ndarray, tolerance: float
) -> Mode:
    """Return the end of Newton steps, each of which raises the log-probability."""
    for _ in range(MAX_STEPS + 1):
        value, gradient = objective(z)
        bend = curvature(z)
        if not np.isfinite(bend).all():
            raise ValueError(
                "fit_laplace: the gradient is not finite near where a search ended; give start=, "
                "or priors that keep the parameters where the simulation succeeds"
            )
        covariance, flat = invert(bend)
        step = covariance @ gradient
        decrement = abs(gradient @ step)
        if decrement < FOUND:
            break
        share = 1.0
        while not (higher := objective(z + share * step)[0]) > value and share > SMALLEST:
            share /= 2
        kink = decrement > CONVERGED and share <= KINKED and higher - value < LITTLE
        if share <= SMALLEST or kink:
            break
        z = z + share * step
    return Mode(z, begun, float(value), bend, covariance, float(decrement), flat, tolerance)
