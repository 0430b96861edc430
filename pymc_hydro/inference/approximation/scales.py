"""Standard deviations of many deviations: their mode is that of the marginal density.

The joint density of a standard deviation and the deviations has a mode that says nothing: where
each deviation is as large as the errors of the observations let it be, or where all are zero. The
marginal density, in which the deviations are integrated out, is that of a sampler.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pymc as pm
from pymc.distributions.transforms import log
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.random.basic import NormalRV

from pymc_hydro.inference.approximation.coordinates import entry_slices
from pymc_hydro.inference.approximation.curvature import invert
from pymc_hydro.inference.approximation.modes import CONVERGED, Mode, climb

__all__ = ["DeviationScale", "find_marginal_mode", "scales_of"]

ROUNDS = 8  # of searches, each with the precision of the last one's end


@dataclass(frozen=True)
class DeviationScale:
    """Entries of the unconstrained vector.

    Attributes
    ----------
    entry : int
        The logarithm of a standard deviation.
    scaled : array of int
        The standard normal variables that it multiplies.
    """

    entry: int
    scaled: np.ndarray


def scales_of(model: pm.Model) -> list[DeviationScale]:
    """Return the standard deviations that multiply vectors of standard normal variables.

    A product ``sd * z`` or ``sd * f(z)`` anywhere in the graph, where sd is a positive scalar with
    a prior, on a logarithmic axis, and z has independent standard normal priors.
    """
    entries = {rv: np.arange(at.start, at.stop) for rv, at in entry_slices(model).items()}
    found: dict = {}
    for variable in ancestors([*model.observed_RVs, *model.potentials, *model.deterministics]):
        if not (variable.owner and isinstance(variable.owner.op, Elemwise)):
            continue
        if variable.owner.op.scalar_op.__class__.__name__ != "Mul":
            continue
        factors = [_plain(x) for x in variable.owner.inputs]
        scales = [x for x in factors if x in entries and _is_scale(model, x)]
        others = [x for x in factors if x not in scales]
        inside = [x for x in ancestors(others) if x in entries]
        if len(scales) == len(inside) == 1 and _is_standard(inside[0]):
            found.setdefault(inside[0], scales[0])
    by_scale: dict = {}
    for z, scale in found.items():
        by_scale.setdefault(scale, []).append(entries[z])
    return [DeviationScale(int(entries[s][0]), np.concatenate(z)) for s, z in by_scale.items()]


def _plain(variable):
    """Return what is broadcast."""
    while variable.owner and isinstance(variable.owner.op, DimShuffle):
        (variable,) = variable.owner.inputs
    return variable


def _is_scale(model: pm.Model, rv) -> bool:
    return rv.ndim == 0 and model.rvs_to_transforms[rv] is log


def _is_standard(rv) -> bool:
    if rv.ndim == 0 or not isinstance(rv.owner.op, NormalRV):
        return False
    mean, sd = (_plain(x) for x in rv.owner.op.dist_params(rv.owner))
    known = isinstance(mean, Constant) and isinstance(sd, Constant)
    return known and not np.any(mean.data) and bool(np.all(sd.data == 1))


class Marginal:
    """The density with deviations integrated out, as a density of all variables.

    To the log-probability comes ``-log|A|/2``, the volume of the others given the standard
    deviations: ``A = P + D M D`` with the prior precision P of the deviations, and all other
    precision M, which is taken from one place; D has the standard deviations, relative to theirs
    at this place. Its slope by a logarithm is minus the effective number of its deviations.

    Parameters
    ----------
    scales : sequence of DeviationScale
    place : array, shape (n,)
        Unconstrained.
    curvature : array, shape (n, n)
        Minus that of the log-probability there.

    References
    ----------
    Rue, H., Martino, S., Chopin, N. (2009). J. R. Stat. Soc. B 71, 319-392.
    doi:10.1111/j.1467-9868.2008.00700.x
    """

    def __init__(self, scales: Sequence[DeviationScale], place: np.ndarray, curvature: np.ndarray):
        self.entries = np.array([scale.entry for scale in scales])
        self.place = place[self.entries]
        others = np.setdiff1d(np.arange(place.size), self.entries)
        self.member = np.array([np.isin(others, scale.scaled) for scale in scales], dtype=float)
        self.prior = np.diag(self.member.sum(axis=0))
        self.rest = curvature[np.ix_(others, others)] - self.prior

    def _covariance(self, z: np.ndarray) -> tuple[np.ndarray, float]:
        relative = np.exp((z[self.entries] - self.place) @ self.member)
        precision = self.prior + self.rest * np.outer(relative, relative)
        return np.linalg.inv(precision), float(np.linalg.slogdet(precision)[1])

    def value(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Return what comes to the log-probability, and its gradient."""
        covariance, log_determinant = self._covariance(z)
        gradient = np.zeros_like(z)
        gradient[self.entries] = self.member @ (np.diag(covariance) - 1)
        return -log_determinant / 2, gradient

    def curvature(self, z: np.ndarray) -> np.ndarray:
        """Return minus the curvature of what comes to the log-probability."""
        covariance, _ = self._covariance(z)
        found = np.zeros((z.size, z.size))
        found[np.ix_(self.entries, self.entries)] = 2 * (
            np.diag(self.member @ np.diag(covariance)) - self.member @ covariance**2 @ self.member.T
        )
        return found


def find_marginal_mode(
    objective: Callable,
    curvature: Callable,
    scales: Sequence[DeviationScale],
    points: Sequence[np.ndarray],
    tolerance: float = 0.0,
) -> Mode:
    """Search for the mode of the marginal density of standard deviations.

    The searches from the points leave the standard deviations where they are. The highest end goes
    on, with all variables.

    Parameters
    ----------
    objective, curvature, points, tolerance
        As of :func:`pymc_hydro.inference.approximation.modes.find_modes`.
    scales : sequence of DeviationScale

    Returns
    -------
    Mode
        Its log-probability is that of all variables; its curvature that of the marginal density by
        the standard deviations.
    """
    fixed = [scale.entry for scale in scales]

    def held(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(z)
        return value, np.where(np.isin(np.arange(z.size), fixed), 0.0, gradient)

    ends = [(*climb(held, begun), begun) for begun in points]
    _, z, begun = max(ends, key=lambda end: end[0] if np.isfinite(end[0]) else -np.inf)
    for remaining in reversed(range(ROUNDS)):
        bend = curvature(z)
        marginal = Marginal(scales, z, bend)
        bend = bend + marginal.curvature(z)
        covariance, flat = invert(bend)
        value, gradient = objective(z)
        gradient = gradient + marginal.value(z)[1]
        decrement = abs(gradient @ covariance @ gradient)
        if not (remaining and decrement > max(CONVERGED, tolerance)):
            break
        z = climb(_sum(objective, marginal.value), z, np.linalg.cholesky(covariance))[1]
    n = len(points)
    return Mode(z, begun, float(value), bend, covariance, float(decrement), flat, tolerance, n)


def _sum(first: Callable, second: Callable) -> Callable:
    """Return a function whose values and gradients are sums."""

    def both(z: np.ndarray) -> tuple[float, np.ndarray]:
        (a, slope_a), (b, slope_b) = first(z), second(z)
        return a + b, slope_a + slope_b

    return both
