"""Hydrologic signatures: numbers that describe how a river behaves."""

from pymc_hydro.signatures.compare import compare, compute, peak_timing_error
from pymc_hydro.signatures.measures import SIGNATURES

__all__ = ["SIGNATURES", "compare", "compute", "peak_timing_error"]
