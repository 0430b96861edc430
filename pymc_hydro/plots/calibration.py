"""The course of a calibration, and its result."""

from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.data.means import complete_intervals
from pymc_hydro.plots.of_runs.hydrograph import plot_hydrograph
from pymc_hydro.plots.series import COLORS, series_at

__all__ = ["plot_calibration"]

SMALLEST = 1e-6  # of the range of losses: where a logarithmic axis shows the best loss


def plot_calibration(data: Any, *, basin: Any = None, axes: Any = None) -> Any:
    """Plot the loss of each search over its integrations, and the hydrographs.

    Parameters
    ----------
    data : Calibration
        From ``ph.calibrate``, or loaded from a file. Only discharge is drawn of its outputs.
    basin : Dataset, optional
        Its ``precipitation`` is drawn from above.
    axes : sequence of matplotlib Axes, optional
        One for the history, one for the calibration period and, if there is one, one for the
        validation period.

    Returns
    -------
    array of matplotlib Axes
    """
    import matplotlib.pyplot as plt

    periods = {"calibration": data.simulation, "validation": data.validation}
    periods = {k: run for k, run in periods.items() if run is not None and "discharge" in run}
    if axes is None:
        n = 1 + len(periods)
        _, axes = plt.subplots(n, 1, figsize=(10, 3.5 * n), layout="constrained")
    axes = np.atleast_1d(axes)
    _plot_history(data, axes[0])
    scores = {"calibration": data.scores, "validation": data.validation_scores}
    for ax, (name, run) in zip(axes[1:], periods.items(), strict=False):
        scored = run.isel(time=slice(run.attrs["warmup"], None))
        record = xr.Dataset({"discharge": _on_time(scored)})
        if basin is not None:
            rain = series_at("plot_calibration", basin, "precipitation", scored["time"])
            record["precipitation"] = rain
        plot_hydrograph(scored[["discharge"]], basin=record, ax=ax)
        text = ", ".join(f"{score.upper()} {scores[name][score]:.3f}" for score in ("nse", "kge"))
        ax.set_title(f"{name}: {text}", loc="left", fontsize="medium")
    return axes


def _on_time(scored):
    """Return observed discharge on the time axis of a run; means are constant in their interval."""
    observed = scored["observed_discharge"]
    if "means" not in observed.attrs:
        return observed
    time, offset = scored["time"], observed.attrs["means"]
    start = observed[observed.dims[0]].values[0]
    _, positions = complete_intervals("plot_calibration", offset, start, time.values, "simulation")
    steps = xr.full_like(scored["discharge"], np.nan)
    for place, value in zip(positions, observed.values, strict=True):
        steps.values[place[place >= 0]] = value
    return steps


def _plot_history(data, ax):
    """Draw how far the best loss so far of each search is above the best of all."""
    kinds = (("trace", "start", "simulated"), ("hop_trace", "hop", "band"))
    kinds += (("final_trace", "last search", "observed"),)
    traces = {name: data.history[name].values for name, _, _ in kinds}
    every = np.concatenate(list(traces.values()))
    best, worst = np.nanmin(every), np.nanmax(every)
    floor = SMALLEST * max(worst - best, np.finfo(float).tiny)
    for name, label, color in kinds:
        for i, trace in enumerate(traces[name]):
            seen = trace[: np.flatnonzero(np.isfinite(trace)).max(initial=-1) + 1]
            above = np.fmin.accumulate(np.where(np.isnan(seen), np.inf, seen)) - best
            steps = np.arange(1, seen.size + 1)
            style = {"color": COLORS[color], "lw": 1, "label": label if i == 0 else None}
            ax.plot(steps, np.maximum(np.where(np.isinf(above), np.nan, above), floor), **style)
    ax.set_yscale("log")
    ax.set_xlabel("integrations of a search")
    ax.set_ylabel(f"{data.settings['loss']}: distance from the best")
    ax.legend(frameon=False)
