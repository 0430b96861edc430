"""How far flow at basins that were not trained on is from the simulation: factors by flow class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["ErrorFactors"]

CLASSES = 10
PROBABILITIES = np.array([0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.995])
SMALL = 0.01  # of the mean simulated flow: added to both flows, so that dry days have a factor


@dataclass(frozen=True, eq=False)
class ErrorFactors:
    """Quantiles of observed by simulated flow, at basins that were not trained on.

    They are empirical: at a new basin like these, observed flow lies between two of them as often
    as it did there (conformal prediction, pooled over basins).

    Attributes
    ----------
    quantiles : array, shape (10, 11)
        Logarithms, by class of simulated flow (tenths of a basin's intervals, the lowest first)
        and by probability.
    """

    quantiles: np.ndarray

    @classmethod
    def of(cls, observed: Sequence[np.ndarray], simulated: Sequence[np.ndarray]) -> "ErrorFactors":
        """Return the factors of pairs of series, a pair for each basin; NaN where missing."""
        logs: list[list[np.ndarray]] = [[] for _ in range(CLASSES)]
        for y, q in zip(observed, simulated, strict=True):
            small, group = SMALL * q.mean(), _classes(q)
            ratio = np.log((np.maximum(y, 0) + small) / (np.maximum(q, 0) + small))
            for k in range(CLASSES):
                found = ratio[group == k]
                logs[k].append(found[np.isfinite(found)])
        return cls(np.array([np.quantile(np.concatenate(g), PROBABILITIES) for g in logs]))

    def between(self, simulated: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the central interval with a coverage, in mm/d."""
        tails = (1 - coverage) / 2, (1 + coverage) / 2
        if not PROBABILITIES[0] <= tails[0] < tails[1] <= PROBABILITIES[-1]:
            raise ValueError(f"coverage must be from 0 to 0.99, found {coverage!r}")
        small, group = SMALL * simulated.mean(), _classes(simulated)
        ends = []
        for tail in tails:
            logs = np.array([np.interp(tail, PROBABILITIES, row) for row in self.quantiles])
            flow = (np.maximum(simulated, 0) + small) * np.exp(logs[group]) - small
            ends.append(np.maximum(flow, 0))
        return ends[0], ends[1]


def _classes(flow: np.ndarray) -> np.ndarray:
    """Return the class of each flow, by its rank in the series."""
    ranks = np.argsort(np.argsort(flow, kind="stable"), kind="stable")
    return np.minimum(CLASSES * ranks // flow.size, CLASSES - 1)
