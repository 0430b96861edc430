"""Times of several calls, taken in turns, so that a change of the machine's speed meets all."""

import time
from collections.abc import Callable

import numpy as np

__all__ = ["in_turns"]


def in_turns(calls: dict, repeats: int, clock: Callable[[], float] = time.perf_counter) -> dict:
    """Return the shortest time of each call in seconds; each is called once before."""
    best = dict.fromkeys(calls, np.inf)
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            start = clock()
            call()
            best[name] = min(best[name], clock() - start)
    return best
