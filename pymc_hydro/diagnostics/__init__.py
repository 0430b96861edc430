"""How good is a predictive distribution? Scores of draws against observations."""

from pymc_hydro.diagnostics.predictive import (
    coverage,
    crps,
    interval_score,
    pit,
    reliability,
    sharpness,
)

__all__ = ["coverage", "crps", "interval_score", "pit", "reliability", "sharpness"]
