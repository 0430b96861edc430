"""Readers of files and data sets; each returns the Dataset schema. ``scan`` lists a folder."""

from pymc_hydro.data.readers.camels_aus import read_camels_aus
from pymc_hydro.data.readers.camels_br import read_camels_br
from pymc_hydro.data.readers.camels_ch import read_camels_ch
from pymc_hydro.data.readers.camels_cl import read_camels_cl
from pymc_hydro.data.readers.camels_de import read_camels_de
from pymc_hydro.data.readers.camels_fr import read_camels_fr
from pymc_hydro.data.readers.camels_gb import read_camels_gb
from pymc_hydro.data.readers.camels_us import read_camels_us
from pymc_hydro.data.readers.camels_us_hourly import read_camels_us_hourly
from pymc_hydro.data.readers.caravan import read_caravan
from pymc_hydro.data.readers.mopex import read_mopex
from pymc_hydro.data.readers.scan import scan
from pymc_hydro.data.readers.tidy import read_csv

__all__ = [
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
