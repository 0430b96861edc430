"""Glue for PyMC: priors, simulation, predictions, approximations, comparison."""

from pymc_hydro.inference.approximation.laplace import LaplaceApproximation, fit_laplace, laplace
from pymc_hydro.inference.build import build_model, discharge, outputs
from pymc_hydro.inference.compare import Comparison, compare, compute_log_likelihood
from pymc_hydro.inference.new_record import set_basin
from pymc_hydro.inference.priors import priors
from pymc_hydro.inference.sampling.sample import sample

__all__ = [
    "Comparison",
    "LaplaceApproximation",
    "build_model",
    "compare",
    "compute_log_likelihood",
    "discharge",
    "fit_laplace",
    "laplace",
    "outputs",
    "priors",
    "sample",
    "set_basin",
]
