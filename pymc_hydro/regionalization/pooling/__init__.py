"""Partial pooling: basins in one PyMC model, or posteriors of basins one by one afterwards."""

from pymc_hydro.regionalization.pooling.posteriors import PooledPosteriors, pool_posteriors
from pymc_hydro.regionalization.pooling.regional import regional

__all__ = ["PooledPosteriors", "pool_posteriors", "regional"]
