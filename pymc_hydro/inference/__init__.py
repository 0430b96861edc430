"""Glue for PyMC, and calibration."""

from pymc_hydro.inference.build import build_model, discharge, outputs, set_basin
from pymc_hydro.inference.calibrate import Calibration, calibrate
from pymc_hydro.inference.priors import priors

__all__ = [
    "Calibration",
    "build_model",
    "calibrate",
    "discharge",
    "outputs",
    "priors",
    "set_basin",
]
