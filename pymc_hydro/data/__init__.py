"""Basins: the Dataset schema, its checks, readers and sources, and the two embedded records."""

from pymc_hydro.data.embedded import BASINS, load_basin
from pymc_hydro.data.evaporation import oudin, potential_evaporation, to_hourly
from pymc_hydro.data.readers import (
    Attributes,
    Column,
    Source,
    SourceError,
    Table,
    read_basin,
    read_csv,
    scan,
)
from pymc_hydro.data.schema import as_basin, split_record

__all__ = [
    "BASINS",
    "Attributes",
    "Column",
    "Source",
    "SourceError",
    "Table",
    "as_basin",
    "load_basin",
    "oudin",
    "potential_evaporation",
    "read_basin",
    "read_csv",
    "scan",
    "split_record",
    "to_hourly",
]
