"""Flow-duration curve: how much of the time a flow is exceeded."""

from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.plots.series import COLORS, axis_label, check_run, series_at
from pymc_hydro.verification.matching import flat_draws

__all__ = ["plot_flow_duration"]

SMALLEST = 1e-3  # mm/d, where a logarithmic axis shows a dry river


def plot_flow_duration(
    data: xr.Dataset, *, basin: xr.Dataset | None = None, ax: Any = None, prob: float = 0.9
) -> Any:
    """Plot the share of time that discharge is exceeded, observed and simulated.

    Parameters
    ----------
    data : Dataset
        Variable ``discharge`` in mm/d on ``time``, and on ``draw`` for a band: the curve of each
        draw, then median and quantiles over draws.
    basin : Dataset, optional
        Observed ``discharge``; the times of `data` that have an observation make both curves.
    ax : matplotlib Axes, optional
    prob : float
        Probability of the band.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError, KeyError
        If `data` or `basin` is no Dataset, or a variable is missing.
    """
    import matplotlib.pyplot as plt

    check_run("plot_flow_duration", data, "discharge", basin=basin)
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 4.5), layout="constrained")
    simulated = data["discharge"]
    observed = None
    if basin is not None and "discharge" in basin:
        observed = series_at("plot_flow_duration", basin, "discharge", data["time"])
        there = np.flatnonzero(np.isfinite(observed.values))
        if there.size == 0:
            raise ValueError("plot_flow_duration: nothing was observed at the times of the data")
        observed, simulated = observed.isel(time=there), simulated.isel(time=there)
    draws = flat_draws(simulated).transpose(..., "time").values
    n = draws.shape[-1]
    exceeded = 100 * (np.arange(n) + 0.5) / n
    curves = np.maximum(np.sort(np.atleast_2d(draws), axis=-1)[:, ::-1], SMALLEST)
    if draws.ndim > 1:
        low, high = np.quantile(curves, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
        label = f"{100 * prob:.0f} % predictive band"
        ax.fill_between(exceeded, low, high, color=COLORS["band"], alpha=0.6, lw=0, label=label)
    name = "simulated" if draws.ndim == 1 else "predictive median"
    ax.plot(exceeded, np.median(curves, axis=0), color=COLORS["simulated"], label=name)
    if observed is not None:
        curve = np.maximum(np.sort(observed.values)[::-1], SMALLEST)
        ax.plot(exceeded, curve, "--", color=COLORS["observed"], label="observed")
    ax.set_yscale("log")
    ax.set_xlim(0, 100)
    ax.set_xlabel("time exceeded (%)")
    ax.set_ylabel(axis_label(data["discharge"], "discharge"))
    ax.legend(frameon=False)
    return ax
