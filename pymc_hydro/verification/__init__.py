"""How well predictive draws agree with observations: scores, skill, events, tables by class."""

from pymc_hydro.verification.events import brier, roc, threshold_weighted_crps
from pymc_hydro.verification.matching import flat_draws
from pymc_hydro.verification.predictive import (
    coverage,
    crps,
    interval_score,
    log_predictive_density,
    log_score,
    pit,
    reliability,
    reliability_index,
    sharpness,
)
from pymc_hydro.verification.skill import climatology, persistence, skill
from pymc_hydro.verification.tables import table_by_class, table_by_lead

__all__ = [
    "brier",
    "climatology",
    "coverage",
    "crps",
    "flat_draws",
    "interval_score",
    "log_predictive_density",
    "log_score",
    "persistence",
    "pit",
    "reliability",
    "reliability_index",
    "roc",
    "sharpness",
    "skill",
    "table_by_class",
    "table_by_lead",
    "threshold_weighted_crps",
]
