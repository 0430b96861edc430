"""The data sets that are known, each a declaration and a function that reads it."""

from pymc_hydro.data.readers.machinery.declaration import Source
from pymc_hydro.data.readers.sources.discharge import GRDC, LAMAH_GAUGES, NRFA, NWIS
from pymc_hydro.data.readers.sources.europe import (
    CAMELS_CH,
    CAMELS_DE,
    CAMELS_DK,
    CAMELS_FR,
    CAMELS_GB,
    LAMAH,
)
from pymc_hydro.data.readers.sources.programs import AIRGR, HBV_LIGHT
from pymc_hydro.data.readers.sources.united_states import CAMELS_US, CAMELS_US_HOURLY, MOPEX
from pymc_hydro.data.readers.sources.worldwide import (
    CAMELS_AUS,
    CAMELS_BR,
    CAMELS_CL,
    CAMELS_IND,
    CARAVAN,
)

__all__ = ["SOURCES"]

# A file belongs to the first that recognises it.
SOURCES: tuple[Source, ...] = (
    CAMELS_US,
    CAMELS_US_HOURLY,
    CAMELS_GB,
    CAMELS_CH,
    CAMELS_DE,
    CAMELS_DK,
    CAMELS_FR,
    CAMELS_BR,
    CAMELS_CL,
    CAMELS_AUS,
    MOPEX,
    CAMELS_IND,
    LAMAH,
    CARAVAN,
    HBV_LIGHT,
    AIRGR,
    LAMAH_GAUGES,
    NWIS,
    GRDC,
    NRFA,
)
