"""TR-BDF2: the trapezoidal rule, then the second-order backward difference; L-stable."""

from math import sqrt

from pymc_hydro.integrators.base import RungeKutta

__all__ = ["TR_BDF2"]

GAMMA = 1 - 1 / sqrt(2)
WEIGHT = sqrt(2) / 4

TR_BDF2 = RungeKutta(
    name="tr_bdf2",
    c=(0.0, 2 * GAMMA, 1.0),
    a=((0.0,), (GAMMA, GAMMA), (WEIGHT, WEIGHT, GAMMA)),
    b=(WEIGHT, WEIGHT, GAMMA),
    b_embedded=((1 - WEIGHT) / 3, WEIGHT + 1 / 3, GAMMA / 3),
    order=2,
    error_order=3,
    reference="Hosea & Shampine (1996), Appl. Numer. Math. 20, 21-37, "
    "doi:10.1016/0168-9274(95)00115-8",
)
