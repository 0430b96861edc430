"""Glue for PyMC, and calibration."""

from pymc_hydro.inference.build import build_model, discharge, outputs, set_basin
from pymc_hydro.inference.calibrate import Calibration, calibrate
from pymc_hydro.inference.compare import Comparison, compare, compute_log_likelihood
from pymc_hydro.inference.laplace import LaplaceApproximation, laplace
from pymc_hydro.inference.priors import priors

__all__ = [
    "Calibration",
    "Comparison",
    "LaplaceApproximation",
    "build_model",
    "calibrate",
    "compare",
    "compute_log_likelihood",
    "discharge",
    "laplace",
    "outputs",
    "priors",
    "set_basin",
]
