"""The models, one declaration a file."""

from pymc_hydro.models.cfe import CFE
from pymc_hydro.models.gr4j import GR4J
from pymc_hydro.models.hbv import HBV
from pymc_hydro.models.hmodel import Hmodel
from pymc_hydro.models.hymod import Hymod
from pymc_hydro.models.sacsma import SacSma
from pymc_hydro.models.xinanjiang import Xinanjiang

__all__ = ["CFE", "GR4J", "HBV", "MODELS", "Hmodel", "Hymod", "SacSma", "Xinanjiang"]

MODELS = (Hymod, Hmodel, SacSma, Xinanjiang, HBV, GR4J, CFE)
