"""The weights of a mapping: steps of Gauss and Newton on the losses of all basins together.

A basin gives the gradient of its loss by its own parameters, and their curvature. By the chain
rule both belong to the weights, of which there are a few hundred: some fifteen evaluations of all
basins are enough, where a quasi-Newton method takes ten times as many.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pymc_hydro.calibration.basins.losses import BasinLosses
from pymc_hydro.calibration.space import SearchSpace
from pymc_hydro.regionalization.attributes import Scale
from pymc_hydro.regionalization.mapping import AbstractMapping

__all__ = ["COMBINATIONS", "Fit", "search_weights"]

MOST = 40  # evaluations of all basins
CLOSE = 3e-4  # relative change of the total at which a search ends
DAMPING, EASED, RAISED, LARGEST = 1e-2, 4.0, 5.0, 1e6
FLOOR = 1e-3  # of the mean diagonal of the curvature: a weight without effect is damped too
BLOCK = 64  # basins whose slopes are in memory at a time

# From the loss x of a basin, zero if it is perfect: its part of the total, and the slope of it. The
# second is one minus NSE / (2 - NSE) of Mathevet et al. (2006), if x is one minus NSE.
COMBINATIONS = {
    "mean": (lambda x: x, np.ones_like),
    "bounded": (lambda x: 2 * x / (1 + x), lambda x: 2 / (1 + x) ** 2),
}


@dataclass(frozen=True, eq=False)
class Fit:
    """A mapping with its weights.

    Attributes
    ----------
    scale : Scale
    mapping : AbstractMapping
    space : SearchSpace
        Unconstrained.
    weights : array, shape (n_weight,)
    total : float
        What was minimised.
    evaluations : int
        Of all basins.
    """

    scale: Scale
    mapping: AbstractMapping
    space: SearchSpace
    weights: np.ndarray
    total: float = np.nan
    evaluations: int = 0

    def parameters(self, table: pd.DataFrame) -> np.ndarray:
        """Return parameters (n_basin, n_parameter) of the basins of a table of attributes."""
        return self.space.parameters(
            self.mapping(self.scale(table), self.mapping.named(self.weights))
        )[0]


class _Total:
    """The total of all basins and its derivatives by the weights."""

    def __init__(self, losses, x, mapping, space, penalty, combine):
        self.losses, self.x, self.mapping, self.space = losses, x, mapping, space
        self.part, self.slope = COMBINATIONS[combine]
        self.penalty = np.full(mapping.size, penalty)
        self.penalty[: mapping.n_free] = 0.0  # of the intercept
        self.perfect = 1.0 if losses.sign < 0 else 0.0
        self.worst = np.full(len(x), -np.inf)  # loss of a basin up to now

    def __call__(self, weights):
        """Return the total, and by basin gradient and curvature by the coordinates.

        A basin that fails has the worst loss that it had before, and moves nothing.
        """
        free = self.space.free
        z = self.mapping(self.x, self.mapping.named(weights))
        theta, change = self.space.parameters(z)
        losses, gradients, curvatures = self.losses.evaluate(theta)
        failed = ~np.isfinite(losses)
        lost = [
            n for n, f in zip(self.losses.names, failed & np.isinf(self.worst), strict=True) if f
        ]
        if lost:
            raise ValueError(
                f"regionalize: the integration or the loss failed at the start in {len(lost)} "
                f"basins, {lost[0]!r} among them; leave them out, or narrow the bounds"
            )
        loss = np.where(failed, self.worst, losses + self.perfect)
        self.worst = np.fmax(self.worst, loss)
        slope = np.where(failed, 0.0, self.slope(loss)) / len(loss)
        gradients = np.where(failed[:, None], 0.0, gradients)[:, free]
        curvatures = np.where(failed[:, None, None], 0.0, curvatures)[:, free][:, :, free]
        by_z = slope[:, None] * gradients * change
        curved = slope[:, None, None] * curvatures * change[:, :, None] * change[:, None, :]
        return self.part(loss).mean() + self.penalty @ weights**2, by_z, curved

    def derivatives(self, weights, by_z, curved):
        """Return gradient and curvature of the total by the weights."""
        gradient = 2 * self.penalty * weights
        curvature = np.diag(2 * self.penalty)
        for begin in range(0, len(self.x), BLOCK):
            some = slice(begin, begin + BLOCK)
            slopes = self.mapping.jacobian(self.x[some], weights)
            gradient += np.einsum("nj,njw->w", by_z[some], slopes)
            turned = curved[some] @ slopes
            curvature += np.tensordot(slopes, turned, axes=([0, 1], [0, 1]))
        return gradient, curvature


def search_weights(
    losses: BasinLosses,
    table: pd.DataFrame,
    mapping: AbstractMapping,
    scale: Scale,
    space: SearchSpace,
    start: np.ndarray,
    *,
    penalty: float,
    combine: str,
) -> Fit:
    """Minimise the mean over basins of a function of their losses, plus a ridge penalty.

    Parameters
    ----------
    losses : BasinLosses
    table : DataFrame
        Attributes of the same basins.
    mapping, scale, space : AbstractMapping, Scale, SearchSpace
    start : array, shape (n_weight,)
    penalty : float
        Times the sum of squares of all weights but the intercept.
    combine : {"bounded", "mean"}

    Raises
    ------
    ValueError
        If a basin fails at the start.

    References
    ----------
    Marquardt, D. W. (1963). J. Soc. Ind. Appl. Math. 11, 431-441. doi:10.1137/0111030

    Mathevet, T., et al. (2006). IAHS Publ. 307, 211-219 (the bounded form of a score).
    """
    total = _Total(losses, scale(table), mapping, space, penalty, combine)
    weights, damping, evaluations = start, DAMPING, 1
    value, *parts = total(weights)
    while evaluations < MOST and damping < LARGEST:
        gradient, curvature = total.derivatives(weights, *parts)
        diagonal = np.diag(curvature)
        diagonal = np.diag(np.maximum(diagonal, FLOOR * diagonal.mean()))
        before = value
        while evaluations < MOST and damping < LARGEST:
            step = np.linalg.solve(curvature + damping * diagonal, -gradient)
            if -gradient @ step < CLOSE * abs(value) / 10:  # twice what the step can gain
                return Fit(scale, mapping, space, weights, float(value), evaluations)
            found, *others = total(weights + step)
            evaluations += 1
            if found < value:
                weights, value, parts, damping = weights + step, found, others, damping / EASED
                break
            damping *= RAISED
        if before - value < CLOSE * abs(before):
            break
    return Fit(scale, mapping, space, weights, float(value), evaluations)
