"""Readers of files and data sets; each returns the Dataset schema. ``scan`` lists a folder."""

from pymc_hydro.data.readers.join import join
from pymc_hydro.data.readers.machinery.declaration import Attributes, Column, Source, Table
from pymc_hydro.data.readers.open import SourceError, read_basin
from pymc_hydro.data.readers.scan import scan
from pymc_hydro.data.readers.sources import SOURCES
from pymc_hydro.data.readers.sources.europe import (
    read_camels_ch,
    read_camels_de,
    read_camels_fr,
    read_camels_gb,
)
from pymc_hydro.data.readers.sources.united_states import (
    read_camels_us,
    read_camels_us_hourly,
    read_mopex,
)
from pymc_hydro.data.readers.sources.worldwide import (
    read_camels_aus,
    read_camels_br,
    read_camels_cl,
    read_caravan,
)
from pymc_hydro.data.readers.tidy import read_csv

__all__ = [
    "SOURCES",
    "Attributes",
    "Column",
    "Source",
    "SourceError",
    "Table",
    "join",
    "read_basin",
    "read_camels_aus",
    "read_camels_br",
    "read_camels_ch",
    "read_camels_cl",
    "read_camels_de",
    "read_camels_fr",
    "read_camels_gb",
    "read_camels_us",
    "read_camels_us_hourly",
    "read_caravan",
    "read_csv",
    "read_mopex",
    "scan",
]
