"""Several searches at once, in threads, with a progress bar."""

import os
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event

import numpy as np

from pymc_hydro.inference.calibration.search import Search

__all__ = ["run_searches"]

REFRESH = 0.2  # seconds between looks at the searches


def run_searches(searches: list[Search], stop: Event, cores: int | None, progressbar: bool) -> None:
    """Run all searches; the kernels release Python's lock while they integrate.

    Parameters
    ----------
    searches : list of Search
    stop : Event
        Shared by the searches; set if the user interrupts, so that the threads end.
    cores : int or None
        Threads at a time; None is as many as the machine has.
    progressbar : bool
        Shown on a terminal or in a notebook only.
    """
    pool = ThreadPoolExecutor(min(cores or os.cpu_count() or 1, len(searches)))
    try:
        waiting = {pool.submit(search.run) for search in searches}
        done = 0
        with _bar(len(searches), searches[0].objective.goal, progressbar) as show:
            while waiting:
                finished, waiting = wait(waiting, REFRESH, FIRST_COMPLETED)
                for future in finished:
                    future.result()
                done += len(finished)
                show(done, searches)
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _bar(n, goal, wanted):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("calibrating: starts"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    shown = wanted and (console.is_terminal or console.is_jupyter)
    with Progress(*columns, console=console, disable=not shown) as progress:
        task = progress.add_task("", total=n)

        def show(done, searches):
            best = goal.sign * min(search.best[0] for search in searches)
            runs = sum(len(search.trace) for search in searches)
            text = f"{runs} integrations"
            if np.isfinite(best):
                text += f", best {goal.name} {best:.4f}"
            progress.update(task, completed=done, description=text)

        yield show
