"""Hydrologic signatures: numbers that describe how a river behaves."""

from pymc_hydro.core.base.warning import renamed_names
from pymc_hydro.signatures.labelled import compare_signatures, compute, peak_timing_error
from pymc_hydro.signatures.measures import SIGNATURES

__all__ = ["SIGNATURES", "compare_signatures", "compute", "peak_timing_error"]

__getattr__ = renamed_names(__name__, {"compare": "compare_signatures"})
