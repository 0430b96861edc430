"""Conceptual rainfall-runoff models as PyTensor Ops with exact analytic sensitivities."""

from importlib import import_module
from importlib.metadata import version

from pymc_hydro import diagnostics, likelihoods, losses, signatures
from pymc_hydro.core.snow import elevation_bands
from pymc_hydro.data import load_basin
from pymc_hydro.data.readers import (
    read_camels_aus,
    read_camels_br,
    read_camels_ch,
    read_camels_cl,
    read_camels_de,
    read_camels_fr,
    read_camels_gb,
    read_camels_us,
    read_camels_us_hourly,
    read_caravan,
    read_csv,
    read_mopex,
    scan,
)
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.inference import (
    Calibration,
    build_model,
    calibrate,
    compare,
    compute_log_likelihood,
    discharge,
    laplace,
    outputs,
    priors,
    set_basin,
)
from pymc_hydro.likelihoods.predict import predict, residuals
from pymc_hydro.models import CFE, GR4J, HBV, MODELS, Hmodel, Hymod, SacSma, Xinanjiang

__version__ = version("pymc-hydro")

__all__ = [
    "CFE",
    "GR4J",
    "HBV",
    "MODELS",
    "Calibration",
    "Hmodel",
    "Hymod",
    "IntegrationError",
    "SacSma",
    "Xinanjiang",
    "build_model",
    "calibrate",
    "compare",
    "compute_log_likelihood",
    "diagnostics",
    "discharge",
    "elevation_bands",
    "laplace",
    "likelihoods",
    "load_basin",
    "losses",
    "outputs",
    "predict",
    "priors",
    "read_camels_aus",
    "read_camels_br",
    "read_camels_ch",
    "read_camels_cl",
    "read_camels_de",
    "read_camels_fr",
    "read_camels_gb",
    "read_camels_us",
    "read_camels_us_hourly",
    "read_caravan",
    "read_csv",
    "read_mopex",
    "residuals",
    "scan",
    "set_basin",
    "signatures",
    "simulate",
    "testing",
]


def __getattr__(name):
    if name == "testing":  # needs scipy.integrate, which an import need not load
        return import_module("pymc_hydro.testing")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
