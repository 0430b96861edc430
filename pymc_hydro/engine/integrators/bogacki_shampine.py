"""The third-order pair of Bogacki and Shampine; its last stage is the next step's first."""

from pymc_hydro.engine.integrators.base import RungeKutta

__all__ = ["BOGACKI_SHAMPINE"]

BOGACKI_SHAMPINE = RungeKutta(
    name="bogacki_shampine",
    a=((0.0,), (1 / 2, 0.0), (0.0, 3 / 4, 0.0), (2 / 9, 1 / 3, 4 / 9, 0.0)),
    b=(2 / 9, 1 / 3, 4 / 9, 0.0),
    b_embedded=(7 / 24, 1 / 4, 1 / 3, 1 / 8),
    error_order=3,
    stability_limit=2.51,
    reference="Bogacki & Shampine (1989), Appl. Math. Lett. 2, 321-325, "
    "doi:10.1016/0893-9659(89)90079-7",
)
