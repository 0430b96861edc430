"""Sensitivity of the hydrograph to each parameter through time, from one run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.plots.series import COLORS, axis_label, date_axis, math_name

__all__ = ["plot_sensitivity"]

SMALLEST = 1e-6  # of the largest output: a change below it is drawn as none


def plot_sensitivity(
    data: xr.Dataset,
    *,
    scale: Mapping[str, float] | xr.Dataset,
    output: str = "discharge",
    parameters: Sequence[str] | None = None,
    share: float = 0.1,
) -> Any:
    """Plot how an output would change, day by day, if a parameter were a little larger.

    Each panel shows ``share * scale * d output / d parameter``: with the parameter's value as
    scale, the change for 10 % more of it; with the width of its bounds, for a tenth of them. All
    to first order, and exact as such. Panels have axes of their own; the number on the right is
    the largest change. Changes that are nothing but round-off are drawn as nothing.

    Parameters
    ----------
    data : Dataset
        From ``ph.simulate(..., sensitivities=True)``, on ``time``.
    scale : mapping of name to float, or Dataset
        In the parameters' units, such as ``fit.theta``.
    output : str
    parameters : sequence of str, optional
        Which, in this order; all where not given.
    share : float
        Of the scale, by which parameters change.

    Returns
    -------
    array of matplotlib Axes
        The output itself first, then one for each parameter.

    Raises
    ------
    KeyError
        If the run has no such sensitivities, or a scale is missing.
    """
    import matplotlib.pyplot as plt

    name = f"d{output}_dparameter"
    if name not in data:
        raise KeyError(f"plot_sensitivity: no {name!r}; simulate with sensitivities=True")
    chosen = [str(p) for p in data["parameter"].values] if parameters is None else list(parameters)
    lacking = [p for p in chosen if p not in scale]
    if lacking:
        raise KeyError(f"plot_sensitivity: no scale for {', '.join(lacking)}")
    size = (9, 2.2 + 0.85 * len(chosen))
    figure, axes = plt.subplots(
        len(chosen) + 1,
        1,
        sharex=True,
        figsize=size,
        layout="constrained",
        height_ratios=[2] + [1] * len(chosen),
    )
    time = data["time"].values
    axes[0].plot(time, data[output].values, lw=1, color=COLORS["observed"])
    axes[0].set_ylabel(axis_label(data[output], output))
    axes[0].set_ylim(bottom=0)
    units = data[output].attrs.get("units", "mm/d")
    axes[0].set_title(
        f"{output}, and its change in {units} for parameters larger by {100 * share:g} % of their "
        f"scale",
        fontsize="medium",
    )
    for ax, parameter in zip(axes[1:], chosen, strict=True):
        change = data[name].sel(parameter=parameter).values * share * float(scale[parameter])
        more, less = COLORS["rain"], COLORS["simulated"]
        ax.fill_between(time, 0, np.maximum(change, 0), color=more, lw=0)
        ax.fill_between(time, np.minimum(change, 0), 0, color=less, lw=0)
        ax.axhline(0, lw=0.5, color="0.4")
        largest = float(np.abs(change).max())
        least = SMALLEST * float(np.abs(data[output]).max())
        limit = 1.15 * max(largest, least) or 1.0
        ax.set_ylim(-limit, limit)
        ax.set_ylabel(math_name(parameter), rotation=0, ha="right", va="center")
        ax.yaxis.set_major_locator(plt.MaxNLocator(3, symmetric=True))
        ax.annotate(
            f"{largest if largest > least else 0:.2g} {units}",
            (1.005, 0.5),
            xycoords="axes fraction",
            va="center",
            size=8,
        )
    date_axis(axes[-1], time)
    figure.align_ylabels()
    return axes
