"""Conceptual rainfall-runoff models as PyTensor Ops with exact analytic sensitivities."""

import warnings
from importlib import import_module
from importlib.metadata import version

from pymc_hydro import core, data, likelihoods, losses, ops, signatures, verification
from pymc_hydro.calibration import Calibration, calibrate
from pymc_hydro.core.snow import elevation_bands
from pymc_hydro.data import load_basin
from pymc_hydro.data.readers import (
    join,
    read_basin,
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
from pymc_hydro.engine.compile import source
from pymc_hydro.engine.derivation.equations import equations
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.inference import (
    build_model,
    compare,
    compute_log_likelihood,
    discharge,
    fit_laplace,
    laplace,
    outputs,
    priors,
    set_basin,
)
from pymc_hydro.inference.predict import predict, residuals
from pymc_hydro.integrators import RungeKutta
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
    "RungeKutta",
    "SacSma",
    "Xinanjiang",
    "build_model",
    "calibrate",
    "compare",
    "compute_log_likelihood",
    "core",
    "data",
    "discharge",
    "elevation_bands",
    "equations",
    "fit_laplace",
    "join",
    "laplace",
    "likelihoods",
    "load_basin",
    "losses",
    "ops",
    "outputs",
    "plots",
    "predict",
    "priors",
    "read_basin",
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
    "source",
    "testing",
    "verification",
]


# Modules that need what an import need not load: scipy.integrate, matplotlib.
LAZY = ("plots", "testing")
# Names of earlier versions; they work for this one.
RENAMED = {"diagnostics": "verification"}


def __getattr__(name):
    if name in LAZY:
        return import_module(f"pymc_hydro.{name}")
    if name in RENAMED:
        new = RENAMED[name]
        warnings.warn(f"ph.{name} is now called ph.{new}", FutureWarning, stacklevel=2)
        return globals()[new]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
