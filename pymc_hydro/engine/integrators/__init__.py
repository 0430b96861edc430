"""Integration methods, one a file."""

from pymc_hydro.engine.integrators.base import ExplicitPair
from pymc_hydro.engine.integrators.bogacki_shampine import BOGACKI_SHAMPINE
from pymc_hydro.engine.integrators.heun import HEUN

__all__ = ["BOGACKI_SHAMPINE", "HEUN", "METHODS", "ExplicitPair"]

METHODS = (BOGACKI_SHAMPINE, HEUN)
