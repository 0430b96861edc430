"""The data sets that are known, each a declaration and a function that reads it."""

from pymc_hydro.data.readers.machinery.declaration import Source
from pymc_hydro.data.readers.sources.discharge import (
    BAFU,
    EHYD,
    GRDC,
    HYDAT,
    LAMAH_GAUGES,
    NRFA,
    NRFA_RAIN,
    NWIS,
)
from pymc_hydro.data.readers.sources.europe import (
    CAMELS_CH,
    CAMELS_DE,
    CAMELS_DK,
    CAMELS_FR,
    CAMELS_GB,
    CAMELS_SE,
    LAMAH,
)
from pymc_hydro.data.readers.sources.programs import AIRGR, HBV_LIGHT, RAVEN
from pymc_hydro.data.readers.sources.united_states import CAMELS_US, CAMELS_US_HOURLY, HYSETS, MOPEX
from pymc_hydro.data.readers.sources.worldwide import (
    CAMELS_AUS,
    CAMELS_BR,
    CAMELS_CL,
    CAMELS_IND,
    CARAVAN,
    ERA5,
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
    CAMELS_SE,
    CAMELS_BR,
    CAMELS_CL,
    CAMELS_AUS,
    MOPEX,
    CAMELS_IND,
    LAMAH,
    HYSETS,
    CARAVAN,
    HBV_LIGHT,
    AIRGR,
    RAVEN,
    ERA5,
    LAMAH_GAUGES,
    NWIS,
    GRDC,
    NRFA,
    NRFA_RAIN,
    EHYD,
    BAFU,
    HYDAT,
)
