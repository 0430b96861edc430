"""Several searches at once, in threads, with a progress bar."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event

import numpy as np

from pymc_hydro.calibration.objective import Goal
from pymc_hydro.calibration.search.rounds import Search
from pymc_hydro.core.base.display import shows_motion

__all__ = ["counting_bar", "progress_bar", "run_searches"]

REFRESH = 0.2  # seconds between looks at the searches


def run_searches(
    searches: list[Search], most: float, stop: Event, cores: int | None, show: Callable
) -> None:
    """Continue all searches in threads; the kernels release Python's lock while they integrate.

    Parameters
    ----------
    searches : list of Search
    most : int or inf
        Number of integrations at which a search pauses, unless it ends before.
    stop : Event
        Shared by the searches. It is set if the user interrupts, so that the threads end.
    cores : int or None
        Number of searches at a time; None is the number of processors.
    show : callable
        Called several times a second.
    """
    pool = ThreadPoolExecutor(min(cores or os.cpu_count() or 1, len(searches)))
    try:
        waiting = {pool.submit(search.advance, most) for search in searches}
        while waiting:
            finished, waiting = wait(waiting, REFRESH, FIRST_COMPLETED)
            for future in finished:
                future.result()
            show()
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def counting_bar(what: str, wanted: bool) -> Iterator[Callable[[int, int, str], None]]:
    """Yield a function of two numbers, ended and all, and of a text beside the bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn(f"calibrating: {what}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    shown = wanted and shows_motion(console)
    with Progress(*columns, console=console, disable=not shown) as progress:
        task = progress.add_task("", total=None)

        def show(done: int, total: int, text: str) -> None:
            progress.update(task, completed=done, total=total, description=text)

        yield show


@contextmanager
def progress_bar(goal: Goal, wanted: bool) -> Iterator[Callable[[list[Search]], None]]:
    """Yield a function of all searches that shows how many have ended, and the best so far."""
    with counting_bar("searches", wanted) as show_count:

        def show(searches: list[Search]):
            done = sum(search.ended for search in searches)
            best = goal.sign * min(search.best[0] for search in searches)
            text = f"{sum(len(search.trace) for search in searches)} integrations"
            if np.isfinite(best):
                text += f", best {goal.name} {best:.4f}"
            show_count(done, len(searches), text)

        yield show
