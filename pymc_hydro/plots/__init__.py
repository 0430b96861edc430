"""Plots, one a file; each returns the axes that it drew on. Needs the extra ``plots``."""

from pymc_hydro.plots.calibration import plot_calibration
from pymc_hydro.plots.of_errors.flow_duration import plot_flow_duration
from pymc_hydro.plots.of_errors.reliability import plot_reliability
from pymc_hydro.plots.of_errors.residuals import plot_residuals
from pymc_hydro.plots.of_runs.attribution import plot_attribution
from pymc_hydro.plots.of_runs.hydrograph import plot_hydrograph
from pymc_hydro.plots.of_runs.sensitivity import plot_sensitivity
from pymc_hydro.plots.of_runs.states import plot_states
from pymc_hydro.plots.of_runs.water_balance import plot_water_balance
from pymc_hydro.plots.parameters import plot_parameters
from pymc_hydro.plots.structure import plot_structure

__all__ = [
    "plot_attribution",
    "plot_calibration",
    "plot_flow_duration",
    "plot_hydrograph",
    "plot_parameters",
    "plot_reliability",
    "plot_residuals",
    "plot_sensitivity",
    "plot_states",
    "plot_structure",
    "plot_water_balance",
]
