"""Basins: the Dataset schema, its checks, and the two embedded records."""

from pymc_hydro.data.embedded import BASINS, load_basin
from pymc_hydro.data.evaporation import oudin
from pymc_hydro.data.schema import as_basin, split_record

__all__ = ["BASINS", "as_basin", "load_basin", "oudin", "split_record"]
