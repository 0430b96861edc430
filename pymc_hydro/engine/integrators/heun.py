"""Heun's method with Euler's inside: the pair of the reference implementation."""

from pymc_hydro.engine.integrators.base import ExplicitPair

__all__ = ["HEUN"]

HEUN = ExplicitPair(
    name="heun",
    a=((), (1.0,)),
    b=(1 / 2, 1 / 2),
    b_embedded=(1.0, 0.0),
    error_order=2,
    first_same_as_last=False,
    stability_limit=2.0,
    reference="Clark & Kavetski (2010), Water Resour. Res. 46, W10510; Vrugt et al. (2026)",
)
