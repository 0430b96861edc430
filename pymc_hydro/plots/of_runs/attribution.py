"""Attribution: the hydrograph, and below it the effect of each interval's forcing on one number."""

from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.plots.series import COLORS, axis_label, check_run, date_axis

__all__ = ["plot_attribution"]

NEGLIGIBLE = 1e-3  # of the largest derivative: where the horizontal axis begins
FORCING_COLORS = {
    "precipitation": COLORS["rain"],
    "potential_evaporation": COLORS["evaporation"],
    "temperature": COLORS["simulated"],
}


def plot_attribution(data: xr.Dataset, *, basin: xr.Dataset | None = None) -> Any:
    """Plot the result of :func:`pymc_hydro.attribute`.

    The first panel is the output with the period that was differentiated; one panel for each
    forcing has the derivatives. The time axis begins where they begin to count.

    Parameters
    ----------
    data : Dataset
        From ``ph.attribute``.
    basin : Dataset, optional
        Its precipitation is drawn from above in the first panel.

    Returns
    -------
    array of matplotlib Axes

    Raises
    ------
    TypeError, KeyError
        If `data` or `basin` is no Dataset, or a variable is missing.
    """
    import matplotlib.pyplot as plt

    check_run("plot_attribution", data, "by_precipitation", source="ph.attribute", basin=basin)
    names = [str(name) for name in data.data_vars if str(name).startswith("by_")]
    (output,) = (str(name) for name in data.data_vars if not str(name).startswith("by_"))
    sizes = [np.abs(data[name].values) for name in names]
    first, last = np.datetime64(data.attrs["first"]), np.datetime64(data.attrs["last"])
    counts = np.any([size > NEGLIGIBLE * size.max() for size in sizes], axis=0)
    begin = int(np.argmax(counts)) if counts.any() else 0
    data = data.isel(time=slice(begin, None))
    inside = data.sel(time=slice(None, last + (last - data["time"].values[0]) / 5))
    time = inside["time"].values
    step = np.diff(data["time"].values[:2])[0]

    _, axes = plt.subplots(
        1 + len(names),
        1,
        sharex=True,
        figsize=(9, 2.6 + 1.4 * len(names)),
        layout="constrained",
        height_ratios=[2] + [1] * len(names),
    )
    axes[0].plot(time, inside[output], lw=1, color=COLORS["observed"])
    axes[0].axvspan(first, last + step, color=COLORS["band"], alpha=0.4, lw=0)
    axes[0].set_ylabel(axis_label(inside[output], output))
    axes[0].set_ylim(0, 1.6 * float(inside[output].max()))
    axes[0].set_title(f"{data.attrs['of']}: {data.attrs['value']:.3g}", fontsize="medium")
    if basin is not None:
        rain = basin["precipitation"].sel(time=inside["time"])
        above = axes[0].twinx()
        above.bar(time, rain, width=step, align="edge", color=COLORS["rain"], lw=0)
        above.set_ylim(4 * float(rain.max()) or 1.0, 0)
        above.set_ylabel(axis_label(rain, "rain"), loc="top")
    for ax, name in zip(axes[1:], names, strict=True):
        forcing = name.removeprefix("by_")
        color = FORCING_COLORS.get(forcing, COLORS["storage"])
        ax.bar(time, inside[name], width=step, align="edge", color=color, lw=0)
        ax.axhline(0, lw=0.5, color="0.4")
        ax.set_ylabel(f"by {forcing.replace('_', ' ')}", rotation=0, ha="right", va="center")
    date_axis(axes[-1], time)
    return axes
