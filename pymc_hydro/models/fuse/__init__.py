"""FUSE: one model for every combination of decisions of Clark et al. (2008)."""

from pymc_hydro.models.fuse.decisions import DECISIONS, PARENTS, combinations
from pymc_hydro.models.fuse.declaration import FUSE

__all__ = ["DECISIONS", "FUSE", "PARENTS", "combinations"]
