"""Integration methods, one a file."""

from dataclasses import replace

from pymc_hydro.engine.integrators.base import RungeKutta, stack_coefficients
from pymc_hydro.engine.integrators.bogacki_shampine import BOGACKI_SHAMPINE
from pymc_hydro.engine.integrators.esdirk3 import ESDIRK3
from pymc_hydro.engine.integrators.heun import HEUN
from pymc_hydro.engine.integrators.tr_bdf2 import TR_BDF2

__all__ = [
    "AUTOMATIC",
    "BOGACKI_SHAMPINE",
    "ESDIRK3",
    "HEUN",
    "METHODS",
    "TR_BDF2",
    "RungeKutta",
    "stack_coefficients",
]

# Where no solver is chosen: explicit steps while they are stable, implicit ones elsewhere.
# The explicit pair's error estimate vanishes where step times rate is one, as it is for daily steps
# and a store that drains in a day; at a half it is of the size of the error.
EXPLICIT_LIMIT = 0.5
AUTOMATIC = (replace(BOGACKI_SHAMPINE, stability_limit=EXPLICIT_LIMIT), TR_BDF2)
METHODS = (TR_BDF2, ESDIRK3, BOGACKI_SHAMPINE, HEUN)
