"""Times of several calls, taken in turns, so that a change of the machine's speed meets all."""

import time

import numpy as np

__all__ = ["in_turns"]


def in_turns(calls: dict, repeats: int) -> dict:
    """Return the shortest time of each call in seconds; each is called once before."""
    best = dict.fromkeys(calls, np.inf)
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best
