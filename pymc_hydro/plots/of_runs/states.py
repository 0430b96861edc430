"""States and fluxes through time, one panel each."""

from collections.abc import Sequence
from typing import Any

import xarray as xr

from pymc_hydro.plots.series import COLORS, central_and_band, check_run, date_axis, math_name

__all__ = ["plot_states"]

SMALLEST = 1e-6  # mm or mm/d: a series that is nowhere larger is round-off, and is not drawn


def plot_states(
    data: xr.Dataset, *, variables: Sequence[str] | None = None, prob: float = 0.9
) -> Any:
    """Plot stores and fluxes of a run through time.

    Parameters
    ----------
    data : Dataset
        From ``ph.simulate(..., outputs=(...))``; with ``draw``, median and band.
    variables : sequence of str, optional
        Which, in this order; all series on ``time`` where not given.
    prob : float
        Probability of the band.

    Returns
    -------
    array of matplotlib Axes

    Raises
    ------
    TypeError, KeyError
        If `data` is no Dataset, or lacks a variable.
    """
    import matplotlib.pyplot as plt

    check_run("plot_states", data, *(variables or ()))
    names = variables
    if names is None:
        names = [str(n) for n in data.data_vars if set(data[n].dims) <= {"time", "chain", "draw"}]
    size = (9, 1.3 + 1.25 * len(names))
    figure, axes = plt.subplots(
        len(names), 1, sharex=True, figsize=size, layout="constrained", squeeze=False
    )
    time = data["time"].values
    for ax, name in zip(axes[:, 0], names, strict=True):
        variable = data[name]
        central, band = central_and_band(variable, prob)
        units = variable.attrs.get("units", "")
        is_flux = units == "mm/d"
        color = COLORS["simulated" if is_flux else "rain"]
        if band is not None:
            ax.fill_between(time, *band, color=COLORS["band"], alpha=0.6, lw=0)
        ax.plot(time, central, lw=1, color=color)
        if not is_flux and band is None:
            ax.fill_between(time, 0, central, color=COLORS["band"], alpha=0.4, lw=0)
        ax.set_ylabel(f"{math_name(name)}\n({units})", rotation=0, ha="right", va="center")
        ax.set_title(variable.attrs.get("long_name", ""), fontsize="small", loc="left", pad=2)
        ax.set_ylim(min(0.0, float(central.min())), max(ax.get_ylim()[1], SMALLEST))
    date_axis(axes[-1, 0], time)
    figure.align_ylabels()
    return axes[:, 0]
