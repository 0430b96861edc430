"""Hydrograph: observed and simulated discharge with rain from above."""

from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.plots.series import COLORS, axis_label, central_and_band, date_axis, series_at

__all__ = ["plot_hydrograph"]

SMALLEST = 1e-3  # mm/d, where a logarithmic axis shows a dry river


def plot_hydrograph(
    data: xr.Dataset,
    *,
    basin: xr.Dataset | None = None,
    ax: Any = None,
    prob: float = 0.9,
    scale: str = "linear",
) -> Any:
    """Plot discharge over time, with a predictive band where there are draws.

    Parameters
    ----------
    data : Dataset
        Variable ``discharge`` in mm/d on ``time``, and on ``draw`` for a band around the median.
    basin : Dataset, optional
        Observed ``discharge`` and ``precipitation``; only the times of `data` are shown.
    ax : matplotlib Axes, optional
    prob : float
        Probability of the band.
    scale : {"linear", "log"}
        Of discharge; the logarithm shows low flow.

    Returns
    -------
    matplotlib Axes
    """
    import matplotlib.pyplot as plt

    if scale not in ("linear", "log"):
        raise ValueError(f"plot_hydrograph: scale must be linear or log, found {scale!r}")
    if ax is None:
        _, ax = plt.subplots(figsize=(10, 4.5), layout="constrained")
    time = data["time"].values
    central, band = central_and_band(data["discharge"], prob)
    top = central.max()
    if band is not None:
        label = f"{100 * prob:.0f} % predictive band"
        ax.fill_between(time, *band, color=COLORS["band"], alpha=0.6, lw=0, label=label)
        top = max(top, band[1].max())
    lines = [central] if band is None else [central, *band]
    if basin is not None and "discharge" in basin:
        observed = series_at("plot_hydrograph", basin, "discharge", data["time"]).values
        lines.append(observed[observed > 0])
        ax.plot(time, observed, ".", ms=3, color=COLORS["observed"], label="observed")
        top = float(np.fmax.reduce(observed, initial=top))
    name = "simulated" if band is None else "predictive median"
    ax.plot(time, central, lw=1, color=COLORS["simulated"], label=name)
    ax.set_ylabel(axis_label(data["discharge"], "discharge"))
    if scale == "linear":
        ax.set_ylim(0, 1.6 * top)
    else:
        bottom = max(SMALLEST, min(float(np.min(line, initial=top)) for line in lines))
        ax.set_yscale("log")
        ax.set_ylim(bottom, top * (top / bottom) ** 0.5)
    date_axis(ax, time)
    if basin is not None and "precipitation" in basin:
        rain = series_at("plot_hydrograph", basin, "precipitation", data["time"])
        above = ax.twinx()
        above.bar(time, rain, width=np.diff(time).min(), color=COLORS["rain"], lw=0)
        above.set_ylim(4 * float(rain.max()), 0)
        above.set_yticks([t for t in above.get_yticks() if 0 <= t <= float(rain.max())])
        above.set_ylabel(axis_label(rain, "precipitation"), loc="top")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=3, frameon=False)
    return ax
