"""Residual panel: residuals should look like independent draws of one density."""

from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.plots.series import COLORS, check_run, date_axis
from pymc_hydro.verification import pit

__all__ = ["plot_residuals"]

LAGS = 30


def plot_residuals(data: xr.Dataset, *, draws: Any = None, ax: Any = None) -> Any:
    """Plot standardised innovations over time, against flow, their memory, quantiles and PIT.

    Parameters
    ----------
    data : Dataset
        From ``ph.residuals``: ``innovation``, ``simulated`` and ``observed`` on ``time``, of one
        basin or of several.
    draws : DataArray, shape (n_draw, n_time), optional
        Predictions one step ahead, ``ph.predict(..., free_running=False)["discharge"]``, for the
        histogram of the probability integral transform.
    ax : array of six matplotlib Axes, shape (2, 3), optional

    Returns
    -------
    array of matplotlib Axes, shape (2, 3)
        Over time, against simulated flow, autocorrelation; normal quantiles, PIT, partial
        autocorrelation.

    Raises
    ------
    TypeError, KeyError
        If `data` is no Dataset, or lacks a variable.
    """
    import matplotlib.pyplot as plt
    from scipy import stats

    check_run("plot_residuals", data, "innovation", "simulated", "observed", source="ph.residuals")
    if ax is None:
        _, ax = plt.subplots(2, 3, figsize=(12, 6), layout="constrained")
    over_time, against_flow, acf, quantiles, transform, pacf = np.ravel(ax)
    data = data.isel(time=np.flatnonzero(data["innovation"].notnull()))  # no censored zero flow
    x = data["innovation"].values
    dots = {"marker": ".", "ms": 2, "ls": "", "color": COLORS["simulated"]}

    over_time.plot(data["time"].values, x, **dots)
    date_axis(over_time, data["time"].values)
    over_time.set_ylabel("innovation (1)")
    against_flow.plot(data["simulated"].values, x, **dots)
    against_flow.set_xscale("log")
    against_flow.set_xlabel("simulated discharge (mm/d)")
    against_flow.set_ylabel("innovation (1)")
    for axes in (over_time, against_flow):
        axes.axhline(0, color="0.5", lw=0.8)

    r = sample_autocorrelation(x, _steps(data["time"].values, data.coords.get("basin")), LAGS)
    limit = stats.norm.ppf(0.975) / np.sqrt(x.size)
    for axes, values, name in ((acf, r, "auto"), (pacf, partial(r), "partial auto")):
        axes.bar(np.arange(1, LAGS + 1), values, width=0.6, color=COLORS["rain"])
        axes.axhspan(-limit, limit, color=COLORS["band"], alpha=0.4, lw=0)
        axes.set_xlabel("lag (intervals)")
        axes.set_ylabel(f"{name}correlation (1)")

    normal = stats.norm.ppf((np.arange(x.size) + 0.5) / x.size)
    quantiles.plot(normal, normal, color="0.5", lw=0.8)
    quantiles.plot(normal, np.sort(x), **dots)
    quantiles.set_xlabel("normal quantile (1)")
    quantiles.set_ylabel("innovation (1)")

    if draws is None:
        transform.set_axis_off()
    else:
        values = pit(data["observed"], draws).values
        transform.hist(values, bins=20, range=(0, 1), density=True, color=COLORS["band"])
        transform.axhline(1, color="0.5", lw=0.8)
        transform.set_xlabel("probability integral transform (1)")
        transform.set_ylabel("density (1)")
    return np.reshape(np.asarray(ax), (2, 3))


def _steps(time, basin):
    """Return the number of the interval of each time; basins are further apart than all lags."""
    changes = np.diff(time)
    same = np.full(changes.size, True)
    if basin is not None and basin.ndim:
        same = basin.values[1:] == basin.values[:-1]
    step = np.rint(changes / changes[same].min()).astype(int)
    return np.append(0, np.cumsum(np.where(same, step, LAGS + 1)))


def sample_autocorrelation(x, steps, lags):
    """Return the autocorrelation at lags 1 to `lags`, from the pairs that gaps leave."""
    series = np.full(steps[-1] + 1, np.nan)
    series[steps] = x - x.mean()
    variance = np.nanmean(series**2)
    products = (series[k:] * series[:-k] for k in range(1, lags + 1))
    return np.array([np.nanmean(p) if np.isfinite(p).any() else 0 for p in products]) / variance


def partial(r):
    """Return partial autocorrelations from autocorrelations (Durbin and Levinson)."""
    phi, result = np.empty(0), []
    for k, value in enumerate(r):
        last = (value - phi @ r[:k][::-1]) / (1 - phi @ r[:k])
        phi = np.append(phi - last * phi[::-1], last)
        result.append(last)
    return np.array(result)
