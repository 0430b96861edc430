"""Conceptual rainfall-runoff models as PyTensor Ops with exact analytic sensitivities."""

from importlib.metadata import version

from pymc_hydro import likelihoods, losses
from pymc_hydro.data import load_basin
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.inference import (
    Calibration,
    build_model,
    calibrate,
    discharge,
    outputs,
    priors,
    set_basin,
)
from pymc_hydro.models import MODELS, Hymod

__version__ = version("pymc-hydro")

__all__ = [
    "MODELS",
    "Calibration",
    "Hymod",
    "IntegrationError",
    "build_model",
    "calibrate",
    "discharge",
    "likelihoods",
    "load_basin",
    "losses",
    "outputs",
    "priors",
    "set_basin",
    "simulate",
]
