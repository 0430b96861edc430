"""From several starts to one optimum: explore, hop from the best, make the last digits good."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event

import numpy as np

from pymc_hydro.calibration.objective import Objective
from pymc_hydro.calibration.search.parallel import progress_bar, run_searches
from pymc_hydro.calibration.search.rounds import Search
from pymc_hydro.calibration.space import SearchSpace

__all__ = ["Outcome", "search_all"]

REDRAWN = (1, 2, 3)  # parameters that the hops of a round, in turn, draw anew
FIRST = 6  # integrations of every search of a round before they are compared
AT_ONCE = 2  # searches of a round that then go on, the best ones first
REACH = 3  # a later one is left if so many times what FIRST integrations gained is not enough
CLOSE = 1e-4  # of the loss: what is nearer is no other optimum
# So many starts must have ended in the best optimum, one for this many parameters, before another
# one is unlikely; but two at least.
PARAMETERS_A_START = 4


@dataclass(frozen=True)
class Outcome:
    """All searches of a calibration.

    Attributes
    ----------
    starts, hops, final : list of Search
        From the starts; from the best point so far, changed a little; from the best of all.
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
        return min(self.searches, key=_loss)

    @property
    def agree(self) -> bool:
        """Whether several starts have led to the best optimum, each by itself."""
        least = self.best.best[0]
        near = [s.best[0] <= least + CLOSE * abs(least) for s in self.starts if s.converged]
        return sum(near) >= max(2, math.ceil(self.best.unit.size / PARAMETERS_A_START))


def search_all(
    objective: Objective,
    space: SearchSpace,
    optimizer: str,
    options: Mapping,
    units: np.ndarray,
    *,
    hops: int,
    seed: int | None,
    cores: int | None,
    progressbar: bool,
) -> Outcome:
    """Search from all starts, then from the best point changed a little and from new starts.

    The searches of a round make their first steps, all of them; then the most promising go on, two
    at a time, and the others are left: of the starts to their ends, until enough have ended in the
    best optimum, or half of them have ended; of later rounds the first two, as long as they may
    reach the best point so far. Unless enough starts have ended in the best optimum, there are as
    many hops in a round as there are starts, until `hops` rounds one after another have brought
    nothing (basin hopping that only accepts improvements). As optima of these models differ in few
    parameters, a hop begins at the best point so far with one to three of them drawn anew; after a
    round in vain all are, once. A last search from the best point has a tight tolerance. With one
    start, or with SciPy's own basin hopping, there is one search from each start and nothing else.
    The result does not depend on the number of threads.

    Parameters
    ----------
    objective, space, optimizer, options
        As in :class:`Search`.
    units : array, shape (n_start, n_free)
        Positions of the starts.
    hops : int
        Rounds in vain after which the search ends.
    seed : int or None
    cores, progressbar
        As in :func:`run_searches` and :func:`progress_bar`.
    """
    stop = Event()
    seeds = np.random.SeedSequence(seed)
    random = np.random.default_rng(seeds.spawn(1)[0])
    several = len(units) > 1 and optimizer != "basinhopping"
    outcome = Outcome([], [], [])

    def searches_from(points, exploring):
        children = seeds.spawn(len(points))
        pairs = zip(points, children, strict=True)
        return [
            Search(objective, space, optimizer, options, u, c, stop, exploring) for u, c in pairs
        ]

    def leave(searches):
        for search in searches:
            search.leave()

    with progress_bar(objective.goal, progressbar) as show:

        def advance(searches, most=np.inf):
            run_searches(searches, most, stop, cores, lambda: show(outcome.searches))

        def explore(starts):
            advance(starts, FIRST)
            starts = sorted(starts, key=_loss)
            for i in range(0, (len(starts) + 1) // 2, AT_ONCE):
                advance(starts[i : i + AT_ONCE])
                if outcome.agree:
                    break
            leave(starts)

        def pursue(later):
            advance(later, FIRST)
            going, integrations = sorted(later, key=_loss)[:AT_ONCE], FIRST
            while going:
                integrations += FIRST
                advance(going, integrations)
                least = outcome.best.best[0]
                going = [s for s in going if not s.ended and _may_reach(s, least)]
            leave(later)

        try:
            outcome.starts.extend(searches_from(units, several))
            if several:
                explore(outcome.starts)
            else:
                advance(outcome.starts)
            in_vain = 0
            while several and in_vain < hops and not outcome.agree:
                loss, theta, _ = outcome.best.best
                if theta is None:
                    break
                if in_vain % 2:
                    points = random.uniform(size=units.shape)
                else:
                    points = _hop(space.positions(theta), len(units), random)
                later = searches_from(points, True)
                outcome.hops.extend(later)
                pursue(later)
                gained = loss - outcome.best.best[0] > CLOSE * abs(loss)
                in_vain = 0 if gained else in_vain + 1
            if several and outcome.best.best[1] is not None:
                outcome.final.extend(searches_from([space.positions(outcome.best.best[1])], False))
                advance(outcome.final)
        finally:
            leave(outcome.searches)
    return outcome


def _loss(search):
    return search.best[0]


def _may_reach(search, least):
    """Whether a few times what its last integrations gained would bring it to the least loss."""
    before = np.nanmin([np.inf, *search.trace[:-FIRST]])
    return search.best[0] - least <= REACH * (before - search.best[0])


def _hop(best, n, random):
    """Return where a round of searches begins: at the best point but for the parameters redrawn."""
    drawn = random.uniform(size=(n, best.size))
    order = random.permuted(np.tile(np.arange(best.size), (n, 1)), axis=1)
    return np.where(order < np.resize(REDRAWN, n)[:, None], drawn, best)
