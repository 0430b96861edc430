"""Plots, one a file; each returns the axes it drew on. Needs the extra ``plots``."""

from pymc_hydro.plots.calibration import plot_calibration
from pymc_hydro.plots.flow_duration import plot_flow_duration
from pymc_hydro.plots.hydrograph import plot_hydrograph
from pymc_hydro.plots.reliability import plot_reliability
from pymc_hydro.plots.residuals import plot_residuals

__all__ = [
    "plot_calibration",
    "plot_flow_duration",
    "plot_hydrograph",
    "plot_reliability",
    "plot_residuals",
]
