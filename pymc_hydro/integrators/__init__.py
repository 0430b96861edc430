"""Integration methods, one in each file, and the methods of a run without `solver`."""

from dataclasses import replace

from pymc_hydro.integrators.base import RungeKutta, stack_coefficients
from pymc_hydro.integrators.bogacki_shampine import BOGACKI_SHAMPINE
from pymc_hydro.integrators.esdirk3 import ESDIRK3
from pymc_hydro.integrators.heun import HEUN
from pymc_hydro.integrators.tr_bdf2 import TR_BDF2

__all__ = [
    "AUTOMATIC",
    "AUTOMATIC_FIXED",
    "BOGACKI_SHAMPINE",
    "ESDIRK3",
    "HEUN",
    "METHODS",
    "TR_BDF2",
    "RungeKutta",
    "stack_coefficients",
]

# Without a chosen solver a step is explicit up to this product of its length and the largest rate,
# and implicit beyond. The limit is lower without error control: above 1.1, the product for a daily
# step and a snow pack that melts in a day, an implicit step is more accurate.
EXPLICIT_LIMIT, FIXED_LIMIT = 2.0, 1.1
AUTOMATIC = (replace(BOGACKI_SHAMPINE, stability_limit=EXPLICIT_LIMIT), TR_BDF2)
AUTOMATIC_FIXED = (replace(BOGACKI_SHAMPINE, stability_limit=FIXED_LIMIT), TR_BDF2)
METHODS = (TR_BDF2, ESDIRK3, BOGACKI_SHAMPINE, HEUN)
