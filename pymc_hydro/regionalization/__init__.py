"""Parameters of many basins from their attributes: mappings, cross-validation, pooling."""

from pymc_hydro.regionalization.pooling import PooledPosteriors, pool_posteriors, regional
from pymc_hydro.regionalization.regionalize import regionalize
from pymc_hydro.regionalization.result import Regionalization

__all__ = ["PooledPosteriors", "Regionalization", "pool_posteriors", "regional", "regionalize"]
