"""Several searches at once, in threads, with a progress bar."""

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event

import numpy as np

from pymc_hydro.inference.calibration.objective import Goal
from pymc_hydro.inference.calibration.search import Search

__all__ = ["progress_bar", "run_searches"]

REFRESH = 0.2  # seconds between looks at the searches


def run_searches(searches: list[Search], stop: Event, cores: int | None, show: Callable) -> None:
    """Run all searches; the kernels release Python's lock while they integrate.

    Parameters
    ----------
    searches : list of Search
    stop : Event
        Shared by the searches; set if the user interrupts, so that the threads end.
    cores : int or None
        Threads at a time; None is as many as the machine has.
    show : callable
        Is called several times a second with the searches that have ended.
    """
    pool = ThreadPoolExecutor(min(cores or os.cpu_count() or 1, len(searches)))
    try:
        waiting = {pool.submit(search.run) for search in searches}
        done = 0
        while waiting:
            finished, waiting = wait(waiting, REFRESH, FIRST_COMPLETED)
            for future in finished:
                future.result()
            done += len(finished)
            show(done)
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def progress_bar(goal: Goal, wanted: bool):
    """Yield a function of (number of searches that ended, all searches) that shows them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("calibrating: searches"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    shown = wanted and (console.is_terminal or console.is_jupyter)
    with Progress(*columns, console=console, disable=not shown) as progress:
        task = progress.add_task("", total=None)

        def show(done: int, searches: list[Search]):
            best = goal.sign * min(search.best[0] for search in searches)
            text = f"{sum(len(search.trace) for search in searches)} integrations"
            if np.isfinite(best):
                text += f", best {goal.name} {best:.4f}"
            progress.update(task, completed=done, total=len(searches), description=text)

        yield show
