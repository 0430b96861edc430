"""The pictures of a report, each as text that stands in the page."""

import base64
import io
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from pymc_hydro import plots
from pymc_hydro.command.report.results import INTERVAL, PERIODS, Results
from pymc_hydro.plots.series import COLORS, math_name

__all__ = ["Picture", "balance", "chains", "errors", "flows", "hydrographs", "inside", "pairs"]

WINDOW = 730  # intervals in the hydrographs of a window, and half of it in the pictures of states
SHADE = "#f1ead8"  # of the validation
MOST_PAIRS = 8


class Picture(NamedTuple):
    """A picture of the page."""

    source: str  # a data URI
    caption: str
    width: int  # pixels
    height: int


def picture(drawn: Any, caption: str) -> Picture:
    """Return a drawing, axes or an array of axes, as a picture, and close its figure."""
    figure = np.ravel(drawn)[0].figure
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    width, height = (int(110 * side) for side in figure.get_size_inches())
    plt.close(figure)
    code = base64.b64encode(stream.getvalue()).decode()
    return Picture(f"data:image/png;base64,{code}", caption, width, height)


def hydrographs(results: Results) -> Iterator[Picture]:
    """Yield the whole record, and a window of it with its residuals and logarithms."""
    yield picture(_record(results), "The whole record after the warm-up; the validation is shaded.")
    window = results.shown.isel(time=slice(-WINDOW, None))
    n = window.sizes["time"]
    _, (above, below) = plt.subplots(
        2, 1, sharex=True, figsize=(10, 5.6), layout="constrained", height_ratios=[3, 1]
    )
    plots.plot_hydrograph(window, basin=results.basin, prob=INTERVAL, ax=above)
    residuals = (results.observed - results.median).isel(time=slice(-WINDOW, None))
    below.axhline(0, color="0.5", lw=0.8)
    below.plot(residuals["time"].values, residuals.values, lw=0.7, color=COLORS["observed"])
    below.set_ylabel("observed\n- simulated (mm/d)")
    yield picture(above, f"The last {n} intervals, and their residuals.")
    drawn = plots.plot_hydrograph(window, basin=results.basin, prob=INTERVAL, scale="log")
    yield picture(drawn, f"The last {n} intervals, logarithmic, for low flow.")


def _record(results):
    _, ax = plt.subplots(figsize=(10, 3.2), layout="constrained")
    time = results.median["time"].values
    ax.axvspan(max(np.datetime64(results.split), time[0]), time[-1], color=SHADE, lw=0)
    style = {"lw": 0.6, "rasterized": True}
    ax.plot(time, results.observed.values, color=COLORS["observed"], label="observed", **style)
    ax.plot(time, results.median.values, color=COLORS["simulated"], label=results.name, **style)
    ax.set_xlim(time[0], time[-1])
    ax.set_ylim(0)
    ax.set_ylabel("discharge (mm/d)")
    for at, word in ((0.01, PERIODS[0]), (0.99, PERIODS[1])):
        place = {"ha": "left" if at < 0.5 else "right", "va": "top", "color": "0.35"}
        ax.text(at, 0.97, word, transform=ax.transAxes, **place)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.15), ncols=2, frameon=False)
    return ax


def flows(results: Results) -> Iterator[Picture]:
    """Yield flow duration, regime and scatter."""
    drawn = plots.plot_flow_duration(results.shown, basin=results.basin, prob=INTERVAL)
    yield picture(drawn, "Share of time that a discharge is exceeded.")
    yield picture(_regime(results), "Mean discharge of each month, over the years of each period.")
    yield picture(_scatter(results), "Observed against simulated discharge, each interval.")


def _regime(results):
    _, axes = plt.subplots(1, 2, sharey=True, figsize=(7, 3.6), layout="constrained")
    for ax, period in zip(axes, PERIODS, strict=True):
        series = {
            "observed": results.in_period(results.observed, period),
            "simulated": results.in_period(results.median, period),
        }
        known = np.isfinite(series["observed"].values)
        for name, values in series.items():
            month = pd.DatetimeIndex(values["time"].values[known]).month
            mean = pd.Series(values.values[known]).groupby(month).mean().reindex(range(1, 13))
            ax.plot(mean.index, mean.to_numpy(), "o-", ms=4, color=COLORS[name], label=name)
        ax.set_title(period, fontsize=10)
        ax.set_xticks(range(1, 13), list("JFMAMJJASOND"))
    axes[0].set_ylabel("discharge (mm/d)")
    axes[0].set_ylim(0)
    axes[0].legend(frameon=False)
    return axes


def _scatter(results):
    _, ax = plt.subplots(figsize=(4.6, 4.4), layout="constrained")
    most = 0.0
    for period, color in zip(PERIODS, (COLORS["rain"], COLORS["simulated"]), strict=True):
        x = results.in_period(results.observed, period).values
        y = results.in_period(results.median, period).values
        ax.plot(x, y, ".", ms=2, alpha=0.5, color=color, label=period, rasterized=True)
        most = max(most, np.nanmax(x, initial=0.0), np.nanmax(y, initial=0.0))
    ax.plot([0, most], [0, most], color="0.4", lw=0.8)
    ax.set(xlim=(0, most), ylim=(0, most), xlabel="observed (mm/d)", ylabel="simulated (mm/d)")
    ax.legend(frameon=False, markerscale=4)
    return ax


def errors(results: Results) -> Iterator[Picture]:
    """Yield the reliability of predictions; nothing without them."""
    if results.predicted is None:
        return
    drawn = None
    for period in PERIODS:
        observed = results.in_period(results.observed, period)
        draws = results.in_period(results.predicted["discharge"].transpose("time", ...), period)
        if np.isfinite(observed).any():
            drawn = plots.plot_reliability(observed, draws, ax=drawn, label=period)
    if drawn is not None:
        drawn.legend(frameon=False)
        caption = "Share of observations below quantiles of the prediction; ideal is the diagonal."
        yield picture(drawn, caption)


def chains(results: Results) -> Iterator[Picture]:
    """Yield traces of the chains and their ranks; nothing without a posterior."""
    if results.posterior is None:
        return
    draws = results.posterior["posterior"]
    names = [str(n) for n in draws.data_vars if set(draws[n].dims) == {"chain", "draw"}]
    size = (9, 0.6 + 1.1 * len(names))
    _, axes = plt.subplots(
        len(names), 2, squeeze=False, figsize=size, layout="constrained", width_ratios=[3, 1]
    )
    for name, (trace, ranks) in zip(names, axes, strict=True):
        values = draws[name].transpose("chain", "draw").values
        order = values.ravel().argsort().argsort().reshape(values.shape)
        for chain, rank in zip(values, order, strict=True):
            trace.plot(chain, lw=0.5)
            ranks.hist(rank, bins=12, range=(0, values.size), histtype="step", lw=0.9)
        trace.set_ylabel(math_name(name))
        trace.set_xlim(0, values.shape[1])
        ranks.set_yticks([])
        for ax in (trace, ranks):
            ax.tick_params(labelbottom=ax.get_subplotspec().is_last_row())
    axes[0, 0].set_title("draws of each chain", fontsize=10)
    axes[0, 1].set_title("ranks", fontsize=10)
    yield picture(axes, "Draws of each chain, and how often each has which rank among all.")


def pairs(results: Results) -> Iterator[Picture]:
    """Yield the posterior of pairs of parameters; nothing without one."""
    if results.posterior is None:
        return
    units = {p.name: p.unit for p in results.model.parameters}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plots.plot_parameters(results.posterior, var_names=list(units)[:MOST_PAIRS], units=units)
    yield picture(plt.gcf().axes[0], "Posterior of pairs of parameters.")


def balance(results: Results) -> Iterator[Picture]:
    """Yield the water balance of whole years.

    Raises
    ------
    ValueError
        If there is no whole year.
    """
    drawn = plots.plot_water_balance(results.judged, basin=results.basin)
    yield picture(drawn, "Simulated water balance of whole hydrological years.")


def inside(results: Results) -> Iterator[Picture]:
    """Yield sensitivities, states and the structure of the model."""
    scale = {
        p.name: results.theta[p.name] if p.lower >= 0 else p.upper - p.lower
        for p in results.model.parameters
    }
    window = results.run.isel(time=slice(-WINDOW // 2, None))
    yield picture(
        plots.plot_sensitivity(window, scale=scale),
        "Change of discharge for each parameter larger by a tenth of its value, or of the width of "
        "its bounds where it may be negative.",
    )
    series = window[[n for n in window.data_vars if window[n].dims == ("time",)]]
    yield picture(plots.plot_states(series), "Discharge, evaporation and stores.")
    yield picture(plots.plot_structure(results.model), "Stores, and the flows between them.")
