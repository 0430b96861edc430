"""Hydrograph: observed and simulated discharge with rain from above."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.plots.series import (
    COLORS,
    axis_label,
    central_and_bands,
    check_run,
    date_axis,
    draw_bands,
    series_at,
)

__all__ = ["plot_hydrograph"]

SMALLEST = 1e-3  # mm/d, where a logarithmic axis shows a dry river


def plot_hydrograph(
    data: xr.Dataset,
    *,
    basin: xr.Dataset | None = None,
    ax: Any = None,
    prob: float | Sequence[float] = 0.9,
    scale: str = "linear",
) -> Any:
    """Plot discharge over time, with a predictive band where there are draws.

    Parameters
    ----------
    data : Dataset
        Variable ``discharge`` in mm/d on ``time``, and on ``draw`` for bands around the median;
        chains and the members of an ensemble are draws like others.
    basin : Dataset, optional
        Observed ``discharge`` and ``precipitation``; only the times of `data` are shown.
    ax : matplotlib Axes, optional
    prob : float or sequence of float
        Probability of the central predictive band; several, such as (0.5, 0.8, 0.95), are shaded
        from light to dark.
    scale : {"linear", "log"}
        Of discharge; the logarithm shows low flow.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError, KeyError
        If `data` or `basin` is no Dataset, or a variable is missing.
    """
    import matplotlib.pyplot as plt

    check_run("plot_hydrograph", data, "discharge", basin=basin)
    if scale not in ("linear", "log"):
        raise ValueError(f"plot_hydrograph: scale must be linear or log, found {scale!r}")
    if ax is None:
        _, ax = plt.subplots(figsize=(10, 4.5), layout="constrained")
    time = data["time"].values
    probs = np.atleast_1d(prob).tolist()
    if not all(0 < p < 1 for p in probs):
        raise ValueError(f"plot_hydrograph: prob must lie between 0 and 1, found {prob!r}")
    central, bands = central_and_bands(data["discharge"], probs)
    if bands:
        draw_bands(ax, time, bands, probs)
    lines = [central, *(end for band in bands for end in band)]
    top = max(line.max() for line in lines)
    if basin is not None and "discharge" in basin:
        observed = series_at("plot_hydrograph", basin, "discharge", data["time"]).values
        lines.append(observed[observed > 0])
        ax.plot(time, observed, ".", ms=3, color=COLORS["observed"], label="observed")
        top = float(np.fmax.reduce(observed, initial=top))
    name = "predictive median" if bands else "simulated"
    ax.plot(time, central, lw=1, color=COLORS["simulated"], label=name)
    ax.set_ylabel(axis_label(data["discharge"], "discharge"))
    with_rain = basin is not None and "precipitation" in basin
    if scale == "linear":
        ax.set_ylim(0, (1.6 if with_rain else 1.05) * top)
    else:
        bottom = max(SMALLEST, min(float(np.min(line, initial=top)) for line in lines))
        ax.set_yscale("log")
        ax.set_ylim(bottom, top * (top / bottom) ** (0.5 if with_rain else 0.05))
    date_axis(ax, time)
    if basin is not None and with_rain:
        rain = series_at("plot_hydrograph", basin, "precipitation", data["time"])
        above = ax.twinx()
        above.bar(time, rain, width=np.diff(time).min(), color=COLORS["rain"], lw=0)
        above.set_ylim(4 * float(rain.max()), 0)
        above.set_yticks([t for t in above.get_yticks() if 0 <= t <= float(rain.max())])
        above.set_ylabel(axis_label(rain, "precipitation"), loc="top")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=6, frameon=False)
    return ax
