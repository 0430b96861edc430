"""The models, one declaration a file; called, the table of them: ``ph.models(snow=True)``."""

import sys
from types import ModuleType
from typing import Any

from pymc_hydro.models import gr, marrmot
from pymc_hydro.models.cfe import CFE
from pymc_hydro.models.gr4j import GR4J
from pymc_hydro.models.hbv import HBV
from pymc_hydro.models.hmodel import Hmodel
from pymc_hydro.models.hymod import Hymod
from pymc_hydro.models.listing import MODELS, as_model, find_model, table_of_models
from pymc_hydro.models.sacsma import SacSma
from pymc_hydro.models.xinanjiang import Xinanjiang

__all__ = [
    "CFE",
    "GR4J",
    "HBV",
    "MODELS",
    "Hmodel",
    "Hymod",
    "SacSma",
    "Xinanjiang",
    "as_model",
    "find_model",
    "gr",
    "marrmot",
    "table_of_models",
]


class _Models(ModuleType):
    """The module of the models, which may be called like the function `table_of_models`."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return table_of_models(*args, **options)


sys.modules[__name__].__class__ = _Models
