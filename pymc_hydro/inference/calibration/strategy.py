"""From several starts to one optimum: explore, hop from the best, make the last digits good."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event

import numpy as np

from pymc_hydro.inference.calibration.objective import Objective
from pymc_hydro.inference.calibration.parallel import progress_bar, run_searches
from pymc_hydro.inference.calibration.search import Search
from pymc_hydro.inference.calibration.space import SearchSpace

__all__ = ["Outcome", "search_all"]

HOP = 0.2  # of an axis: standard deviation of a hop in each coordinate
CLOSE = 1e-3  # of the loss: two searches have ended in one optimum
ENOUGH = 3  # starts that must have ended in the best optimum; another one is then unlikely


@dataclass(frozen=True)
class Outcome:
    """All searches of a calibration.

    Attributes
    ----------
    starts, hops, final : list of Search
        From the starts; from around the best point so far; from the best of all.
    """

    starts: list
    hops: list
    final: list

    @property
    def searches(self) -> list:
        """All of them."""
        return [*self.starts, *self.hops, *self.final]

    @property
    def best(self) -> Search:
        """The one that has seen the smallest loss."""
        return min(self.searches, key=lambda search: search.best[0])


def search_all(
    objective: Objective,
    space: SearchSpace,
    method: str,
    options: Mapping,
    units: np.ndarray,
    *,
    hops: int,
    seed: int | None,
    cores: int | None,
    progressbar: bool,
) -> Outcome:
    """Search from all starts and then from around the best point.

    The searches of a round run in parallel. After the starts, rounds of hops begin around the best
    point so far, as many in a round as there are starts: none if three starts have ended in the
    best optimum, else `hops` rounds (basin hopping that only accepts improvements). A last search
    from the best point has a tight tolerance. With one start, or with SciPy's own basin hopping,
    there is one search from each start and nothing else. The result does not depend on the number
    of threads.

    Parameters
    ----------
    objective, space, method, options
        As in :class:`Search`.
    units : array, shape (n_start, n_free)
        Positions of the starts.
    hops : int
        Largest number of rounds.
    seed : int or None
    cores, progressbar
        As in :func:`run_searches` and :func:`progress_bar`.
    """
    stop = Event()
    seeds = np.random.SeedSequence(seed)
    random = np.random.default_rng(seeds.spawn(1)[0])
    several = len(units) > 1 and method != "basinhopping"

    def searches_from(points, exploring):
        children = seeds.spawn(len(points))
        pairs = zip(points, children, strict=True)
        return [Search(objective, space, method, options, u, c, stop, exploring) for u, c in pairs]

    outcome = Outcome(searches_from(units, several), [], [])
    with progress_bar(objective.goal, progressbar) as show:

        def run(searches):
            before = len(outcome.searches) - len(searches)
            run_searches(searches, stop, cores, lambda n: show(before + n, outcome.searches))

        run(outcome.starts)
        for _ in range(hops if several else 0):
            loss, theta, _ = outcome.best.best
            if theta is None or _ended_at(outcome, loss) >= min(ENOUGH, len(units)):
                break
            steps = random.normal(0, HOP, units.shape)
            hopped = searches_from(np.clip(space.positions(theta) + steps, 0, 1), True)
            outcome.hops.extend(hopped)
            run(hopped)
        if several and outcome.best.best[1] is not None:
            outcome.final.extend(searches_from([space.positions(outcome.best.best[1])], False))
            run(outcome.final)
    return outcome


def _ended_at(outcome: Outcome, loss: float) -> int:
    losses = np.array([search.best[0] for search in outcome.starts])
    return int((losses <= loss + CLOSE * abs(loss)).sum())
