"""Heun's method with the embedded method of Euler: the pair of the reference implementation."""

from pymc_hydro.integrators.base import RungeKutta

__all__ = ["HEUN"]

HEUN = RungeKutta(
    name="heun",
    c=(0.0, 1.0),
    a=((0.0,), (1.0, 0.0)),
    b=(1 / 2, 1 / 2),
    b_embedded=(1.0, 0.0),
    order=2,
    error_order=2,
    stability_limit=2.0,
    reference="Clark & Kavetski (2010), Water Resour. Res. 46, W10510; Vrugt et al. (2026)",
)
