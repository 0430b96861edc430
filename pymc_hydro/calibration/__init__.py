"""Calibration: find the parameters with the best score, with SciPy and exact gradients."""

from pymc_hydro.calibration.basins.graph import basin_losses
from pymc_hydro.calibration.calibrate import calibrate
from pymc_hydro.calibration.result import Calibration

__all__ = ["Calibration", "basin_losses", "calibrate"]
