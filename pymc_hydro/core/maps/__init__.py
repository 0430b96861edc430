"""Models in discrete time: a law that updates the stores once an interval, and its snow."""

from pymc_hydro.core.maps.cemaneige import CemaNeige
from pymc_hydro.core.maps.update import AbstractMap

__all__ = ["AbstractMap", "CemaNeige"]
