"""Water balance by year: where the rain went."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.plots.series import COLORS, check_run, series_at
from pymc_hydro.verification.matching import flat_draws

__all__ = ["plot_water_balance"]

KNOWN_SHARE = 0.95  # of a year, that must be observed for its observed total to be shown


def plot_water_balance(
    data: xr.Dataset, *, basin: xr.Dataset, ax: Any = None, first_month: int = 10, prob: float = 0.9
) -> Any:
    """Plot yearly sums of precipitation, discharge, evaporation and storage.

    Only whole hydrological years are shown. Observed totals are of years of which at least 95 % is
    observed, the rest at their mean.

    Parameters
    ----------
    data : Dataset
        Simulated ``discharge`` and ``evaporation`` in mm/d on ``time``, and on ``draw`` for a bar
        from quantile to quantile of the yearly discharge.
    basin : Dataset
        ``precipitation`` in mm/d, and observed ``discharge`` where there is one.
    ax : matplotlib Axes, optional
    first_month : int
        First month of the hydrological year, which is named after the calendar year it ends in.
    prob : float
        Probability of the bars of uncertainty.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError, KeyError
        If `data` or `basin` is no Dataset, or a variable is missing.
    ValueError
        If there is no whole year.
    """
    import matplotlib.pyplot as plt

    check_run("plot_water_balance", data, "discharge", basin=basin)
    if not 1 <= first_month <= 12:
        raise ValueError(f"plot_water_balance: first_month must be 1 to 12, found {first_month}")
    year = _years(data["time"].values, first_month)
    names = np.unique(year.values[year.values > 0])
    if names.size == 0:
        raise ValueError("plot_water_balance: the series holds no whole hydrological year")
    if ax is None:
        size = (np.clip(0.9 * names.size + 2, 6, 12), 4.5)
        _, ax = plt.subplots(figsize=size, layout="constrained")
    shrink = min(1.0, 12 / names.size)  # of marks, as the bars are narrower then
    step = float((data["time"].values[1] - data["time"].values[0]) / np.timedelta64(1, "D"))

    def sums(series):
        return (series * step).groupby(year).sum("time", skipna=False).sel(year=names)

    flow = sums(flat_draws(data["discharge"]))
    middle = flow.median("draw") if "draw" in flow.dims else flow
    rain = sums(series_at("plot_water_balance", basin, "precipitation", data["time"]))
    place, width = np.arange(names.size), 0.38
    ax.bar(place - width / 2, rain, width, color=COLORS["rain"], label="precipitation")
    ax.bar(place + width / 2, middle, width, color=COLORS["simulated"], label="discharge")
    if "draw" in flow.dims:
        low, high = flow.quantile([(1 - prob) / 2, (1 + prob) / 2], "draw").values
        error = [middle.values - low, high - middle.values]
        ax.errorbar(place + width / 2, middle, error, fmt="none", ecolor="0.2", capsize=3)
    if "evaporation" in data:
        lost = sums(flat_draws(data["evaporation"]))
        lost = lost.median("draw") if "draw" in lost.dims else lost
        bars = {"bottom": middle.values, "color": COLORS["evaporation"], "label": "evaporation"}
        ax.bar(place + width / 2, lost, width, **bars)
        out = middle + lost
        kept = (rain - out).values
        marks = {
            "mec": COLORS["storage"],
            "mfc": "white",
            "label": "stored (precipitation less both)",
        }
        ax.plot(place + width / 2, kept, "D", ms=6 * shrink**0.5, zorder=3, **marks)
    if "discharge" in basin:
        seen = _observed(basin, data, year, names, step)
        marks = {"color": COLORS["observed"], "label": "discharge, observed"}
        ax.plot(place + width / 2, seen, "_", ms=22 * shrink, mew=3, **marks)
    ax.axhline(0, color="0.3", lw=0.8)
    ax.set_xticks(place, [str(n) for n in names], rotation=0 if names.size < 12 else 60)
    month = pd.Timestamp(2001, first_month, 1).strftime("%B")
    ax.set_xlabel(f"year, from 1 {month}" + (" of the year before" if first_month > 1 else ""))
    ax.set_ylabel("yearly sum (mm)")
    ax.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def _years(time, first_month) -> xr.DataArray:
    """Return the hydrological year of each interval, 0 where it is not whole."""
    index = pd.DatetimeIndex(time)
    year = index.year + (index.month >= first_month if first_month > 1 else 0)
    year = np.asarray(year, dtype=int)
    step = index[1] - index[0]
    first = pd.Timestamp(year[0] - (first_month > 1), first_month, 1)
    if index[0] > first:
        year = np.where(year == year[0], 0, year)
    after = pd.Timestamp(year[-1] + (first_month == 1), first_month, 1)
    if index[-1] + step < after:
        year = np.where(year == year[-1], 0, year)
    return xr.DataArray(year, {"time": time}, ("time",), "year")


def _observed(basin, data, year, names, step):
    flow = series_at("plot_water_balance", basin, "discharge", data["time"])
    known = flow.notnull().groupby(year).mean("time").sel(year=names)
    mean = flow.groupby(year).mean("time").sel(year=names)
    length = xr.ones_like(flow).groupby(year).sum("time").sel(year=names) * step
    return (mean * length).where(known >= KNOWN_SHARE)
