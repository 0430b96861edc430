"""The third-order method of Bogacki and Shampine; its last stage is the next step's first.

The embedded second-order solution is not that of the authors. For a store with the rate constant k
and a step h, their estimate of the error is ``(1 - h k) (h k)^3 / 48`` of the content. It vanishes
where a daily step meets a store that drains in a day. Here it is ``(1 + 7/3 h k) (h k)^3 / 48``.

The estimate must see kinks of the equations as well. A kink in the first half of a step shows in
the weight of the first stage alone. This weight of the estimate is as large as the authors', 5/72,
with the other sign: at least 0.31 of the error that a kink anywhere in the step makes is estimated.
"""

from pymc_hydro.integrators.base import RungeKutta

__all__ = ["BOGACKI_SHAMPINE"]

BOGACKI_SHAMPINE = RungeKutta(
    name="bogacki_shampine",
    c=(0.0, 1 / 2, 3 / 4, 1.0),
    a=((0.0,), (1 / 2, 0.0), (0.0, 3 / 4, 0.0), (2 / 9, 1 / 3, 4 / 9, 0.0)),
    b=(2 / 9, 1 / 3, 4 / 9, 0.0),
    b_embedded=(11 / 72, 1 / 4, 8 / 9, -7 / 24),
    order=3,
    error_order=3,
    stability_limit=2.51,
    reference="Bogacki & Shampine (1989), Appl. Math. Lett. 2, 321-325, "
    "doi:10.1016/0893-9659(89)90079-7",
)
