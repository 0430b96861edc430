"""Reliability diagram: how often observations lie below a quantile, against its probability."""

from typing import Any

import xarray as xr

from pymc_hydro.plots.series import COLORS
from pymc_hydro.verification import reliability

__all__ = ["plot_reliability"]


def plot_reliability(
    observed: xr.DataArray, draws: xr.DataArray, *, ax: Any = None, label: str | None = None
) -> Any:
    """Plot the share of observations below predictive quantiles against their probability.

    Above the diagonal at small and below it at large probabilities: too narrow. Above or below it
    everywhere: too high or too low.

    Parameters
    ----------
    observed : DataArray, shape (n_time,)
    draws : DataArray, shape (n_draw, n_time)
        From ``ph.predict(...)["discharge"]``.
    ax : matplotlib Axes, optional
        To add a line to a diagram.
    label : str, optional

    Returns
    -------
    matplotlib Axes
    """
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
        ax.plot([0, 1], [0, 1], color="0.5", lw=0.8)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        ax.set_aspect("equal")
        ax.set_xlabel("predictive probability (1)")
        ax.set_ylabel("share of observations below (1)")
    result = reliability(observed, draws)
    color = COLORS["simulated"] if len(ax.lines) <= 1 else None
    ax.plot(result["level"], result, marker="o", ms=3, color=color, label=label)
    if label is not None:
        ax.legend(frameon=False)
    return ax
