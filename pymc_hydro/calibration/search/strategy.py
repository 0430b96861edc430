"""From several starts to one optimum: explore, hop from the best point, refine the optimum."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

import numpy as np

from pymc_hydro.calibration.objective import Objective
from pymc_hydro.calibration.search.parallel import progress_bar, run_searches
from pymc_hydro.calibration.search.rounds import Search
from pymc_hydro.calibration.space import SearchSpace

__all__ = ["Outcome", "search_all"]

REDRAWN = (1, 2, 3)  # numbers of parameters that a hop draws anew; the hops of a round take turns
FIRST = 6  # integrations of every search of a round before the searches are compared
EARLY = 4  # the same in later rounds, after which the worse half of the searches is left
AT_ONCE = 2  # searches of a round that continue at a time, the best ones first
# A search of a later round continues if it would reach the best loss by gaining this many times as
# much as its last FIRST integrations have gained.
REACH = 3
CLOSE = 1e-4  # relative difference of two losses below which they count as one optimum
# Another optimum is unlikely if one search for this many parameters, and at least two, have
# found the best one from points that were drawn without knowing it.
PARAMETERS_A_SEARCH = 4


@dataclass(frozen=True)
class Outcome:
    """All searches of a calibration.

    Attributes
    ----------
    starts, hops, final : list of Search
        Searches from the starts; searches of the later rounds; the last search, which begins at the
        best point of all.
    elsewhere : list of Search
        Searches of the later rounds that began at random points.
    """

    starts: list
    hops: list
    final: list
    elsewhere: list

    @property
    def searches(self) -> list:
        """Searches of all rounds."""
        return [*self.starts, *self.hops, *self.final]

    @property
    def best(self) -> Search:
        """The last search; before it has a loss, the search that has seen the smallest one."""
        last = [search for search in self.final if np.isfinite(_loss(search))]
        return min(last or self.searches, key=_loss)

    @property
    def agreement(self) -> float:
        """Searches that have found the best optimum independently, by the number that is enough."""
        least = self.best.best[0]
        own = [s for s in self.starts if s.converged] + self.elsewhere
        near = sum(s.best[0] <= least + CLOSE * abs(least) for s in own)
        return near / max(2, math.ceil(self.best.unit.size / PARAMETERS_A_SEARCH))


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
    exploring: Objective | None = None,
) -> Outcome:
    """Search from all starts, then in rounds of hops from the best point, and refine the optimum.

    First round: a search from each start makes `FIRST` integrations. The more promising half of the
    searches then continue to their ends, two at a time. The round ends early if enough starts have
    ended in the best optimum; there are then no later rounds.

    Later rounds (basin hopping that accepts improvements only): a round has as many searches as
    there are starts. Optima of these models differ in few parameters. Each search therefore begins
    at the best point so far, with one to three parameters drawn anew. After a round without success
    the next round begins at random points. The worse half of the searches is left after `EARLY`
    integrations, and the best two continue as long as they may reach the best loss. The rounds end
    when `hops` rounds one after another have found nothing better, or fewer: a start or a random
    point from which a search has found the same optimum makes another one less likely.

    The last search begins at the best point and has a tight tolerance. With a single start, or with
    SciPy's own basin hopping, there is one such search from each start and no other search. The
    result does not depend on the number of threads.

    Parameters
    ----------
    objective, space, optimizer, options
        As in :class:`Search`.
    units : array, shape (n_start, n_free)
        Positions of the starts.
    hops : int
        Rounds without success after which the search ends at the latest.
    seed : int or None
    cores, progressbar
        As in :func:`run_searches` and :func:`progress_bar`.
    exploring : Objective, optional
        The objective, with looser tolerances of the integration, of all searches but the last.
    """
    stop = Event()
    seeds = np.random.SeedSequence(seed)
    random = np.random.default_rng(seeds.spawn(1)[0])
    several = len(units) > 1 and optimizer != "basinhopping"
    outcome = Outcome([], [], [], [])

    def searches_from(points, explores):
        goal = exploring if explores and exploring is not None else objective
        children = seeds.spawn(len(points))
        pairs = zip(points, children, strict=True)
        return [Search(goal, space, optimizer, options, u, c, stop, explores) for u, c in pairs]

    with progress_bar(objective.goal, progressbar) as show:

        def advance(searches, most=np.inf):
            run_searches(searches, most, stop, cores, lambda: show(outcome.searches))

        try:
            outcome.starts.extend(searches_from(units, several))
            if several:
                _first_round(outcome, advance)
            else:
                advance(outcome.starts)
            in_vain = 0
            while several and in_vain < hops * (1 - outcome.agreement):
                loss, theta, _ = outcome.best.best
                if theta is None:
                    break
                elsewhere = bool(in_vain % 2)
                if elsewhere:
                    points = random.uniform(size=units.shape)
                else:
                    points = _hop(space.positions(theta), len(units), random)
                later = searches_from(points, True)
                outcome.hops.extend(later)
                outcome.elsewhere.extend(later if elsewhere else ())
                _later_round(later, outcome, advance)
                gained = loss - outcome.best.best[0] > CLOSE * abs(loss)
                in_vain = 0 if gained else in_vain + 1
            if several and outcome.best.best[1] is not None:
                outcome.final.extend(searches_from([space.positions(outcome.best.best[1])], False))
                advance(outcome.final)
        finally:
            _leave(outcome.searches)
    return outcome


def _first_round(outcome: Outcome, advance: Callable) -> None:
    """Run the searches from the starts: half of the searches to their ends, until enough agree."""
    advance(outcome.starts, FIRST)
    starts = sorted(outcome.starts, key=_loss)
    for i in range(0, (len(starts) + 1) // 2, AT_ONCE):
        advance(starts[i : i + AT_ONCE])
        if outcome.agreement >= 1:
            break
    _leave(starts)


def _later_round(searches: list[Search], outcome: Outcome, advance: Callable) -> None:
    """Let the searches of a later round run, the best two as long as they may reach the best."""
    advance(searches, EARLY)
    better = sorted(searches, key=_loss)[: max(AT_ONCE, len(searches) // 2)]
    advance(better, FIRST)
    going, integrations = sorted(better, key=_loss)[:AT_ONCE], FIRST
    while going:
        integrations += FIRST
        advance(going, integrations)
        least = outcome.best.best[0]
        going = [s for s in going if not s.ended and _may_reach(s, least)]
    _leave(searches)


def _leave(searches: list[Search]) -> None:
    for search in searches:
        search.leave()


def _loss(search: Search) -> float:
    return search.best[0]


def _may_reach(search: Search, least: float) -> bool:
    """Whether a search reaches the least loss if it gains a few times its last gain."""
    before = np.nanmin([np.inf, *search.trace[:-FIRST]])
    return search.best[0] - least <= REACH * (before - search.best[0])


def _hop(best, n, random):
    """Return the starts of a round: the best point with a few parameters drawn anew."""
    drawn = random.uniform(size=(n, best.size))
    order = random.permuted(np.tile(np.arange(best.size), (n, 1)), axis=1)
    return np.where(order < np.resize(REDRAWN, n)[:, None], drawn, best)
