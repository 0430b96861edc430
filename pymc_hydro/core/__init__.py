"""The names that declare a model: the one import that a model author needs.

Parameters, stores, flows and outputs; blocks that several models share; the mathematics of flux
functions, with smooth versions of its kinks. Each name is also in its module: ``core.pos`` is
``core.smoothing.pos``.
"""

from pymc_hydro.core import blocks, functions, laws, maps, smoothing, snow
from pymc_hydro.core.blocks import FedChain, LinearReservoir, NashCascade, UnitHydrograph
from pymc_hydro.core.declaration import Flow, Output, Parameter, Store
from pymc_hydro.core.functions import (
    cos,
    exp,
    expm1,
    gammainc,
    log,
    log1p,
    logistic,
    ndtr,
    piecewise,
    power,
    sin,
    sqrt,
    tanh,
)
from pymc_hydro.core.laws import Laws, exponential_law, guarded_power
from pymc_hydro.core.maps import AbstractMap, CemaNeige
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.core.smoothing import clamp, lesser, maximum, minimum, overflow, pos, softplus, step
from pymc_hydro.core.snow import DegreeDaySnow, ElevationBands, NoSnow, RefreezingSnow, Water

__all__ = [
    "AbstractMap",
    "AbstractModel",
    "CemaNeige",
    "DegreeDaySnow",
    "ElevationBands",
    "FedChain",
    "Flow",
    "Laws",
    "LinearReservoir",
    "NashCascade",
    "NoSnow",
    "Output",
    "Parameter",
    "RefreezingSnow",
    "Store",
    "UnitHydrograph",
    "Water",
    "blocks",
    "clamp",
    "cos",
    "exp",
    "expm1",
    "exponential_law",
    "functions",
    "gammainc",
    "guarded_power",
    "laws",
    "lesser",
    "log",
    "log1p",
    "logistic",
    "maps",
    "maximum",
    "minimum",
    "ndtr",
    "overflow",
    "piecewise",
    "pos",
    "power",
    "sin",
    "smoothing",
    "snow",
    "softplus",
    "sqrt",
    "step",
    "tanh",
]
