"""CAMELS-GB, -CH, -DE, -DK, -FR and -SE, and LamaH-CE.

References
----------
Liu, J., et al. (2025). Earth Syst. Sci. Data 17, 1551-1572. doi:10.5194/essd-17-1551-2025
Teutschbein, C. (2024). Geosci. Data J. 11, 655-668. doi:10.1002/gdj3.239
Klingler, C., et al. (2021). Earth Syst. Sci. Data 13, 4529-4565. doi:10.5194/essd-13-4529-2021
"""

from pathlib import Path
from typing import Any

import xarray as xr

from pymc_hydro.data.readers.machinery.declaration import Attributes, Column, Source, Table
from pymc_hydro.data.readers.machinery.read import read_source
from pymc_hydro.data.readers.sources.documented import documented

__all__ = [
    "CAMELS_CH",
    "CAMELS_DE",
    "CAMELS_DK",
    "CAMELS_FR",
    "CAMELS_GB",
    "CAMELS_SE",
    "LAMAH",
    "read_camels_ch",
    "read_camels_de",
    "read_camels_fr",
    "read_camels_gb",
]

PLACE = {"area_km2": "area", "latitude": "gauge_lat", "elevation": "elev_mean"}
TEMPERATURES = {
    "temperature": ("temperature_mean", "degC"),
    "temperature_min": ("temperature_min", "degC"),
    "temperature_max": ("temperature_max", "degC"),
}


def _without_unit(name: str) -> str:
    """Releases write the degree sign in different ways."""
    return name.partition("(")[0].strip()


CAMELS_GB = Source(
    "CAMELS-GB",
    tables=(
        Table(
            "CAMELS_GB_hydromet_timeseries_{gauge}[_.]*csv",
            {
                "precipitation": ("precipitation", "mm/d"),
                "potential_evaporation": (
                    Column("pet", "mm/d"),
                    Column(
                        "peti",
                        "mm/d",
                        note="has no column pet; peti was used, which is higher (interception "
                        "correction)",
                    ),
                ),
                "temperature": ("temperature", "degC"),
                "discharge": ("discharge_spec", "mm/d"),
            },
        ),
    ),
    gauge=r"\d+",
    attributes=(Attributes("CAMELS_GB_topographic_attributes.csv", PLACE),),
    reader="read_camels_gb",
)

CAMELS_CH = Source(
    "CAMELS-CH",
    tables=(
        Table(
            "CAMELS_CH_obs_based_{gauge}.csv",
            {
                "precipitation": ("precipitation", "mm/d"),
                **TEMPERATURES,
                "discharge": ("discharge_spec", "mm/d"),
            },
            rename=_without_unit,
        ),
        Table(
            "CAMELS_CH_sim_based_{gauge}.csv",
            {"potential_evaporation": ("pet_sim", "mm/d")},
            rename=_without_unit,
        ),
    ),
    gauge=r"\d+",
    attributes=(Attributes("CAMELS_CH_topographic_attributes.csv", PLACE),),
    reader="read_camels_ch",
)

CAMELS_DE = Source(
    "CAMELS-DE",
    tables=(
        Table(
            "CAMELS_DE_hydromet_timeseries_{gauge}.csv",
            {
                "precipitation": ("precipitation_mean", "mm/d"),
                **TEMPERATURES,
                # Since version 1.0, and before.
                "discharge": (("discharge_spec_obs", "mm/d"), ("discharge_spec", "mm/d")),
            },
        ),
        Table(
            "CAMELS_DE_discharge_sim_{gauge}.csv",
            {"potential_evaporation": ("pet_hargreaves", "mm/d")},
            needed=False,
        ),
    ),
    gauge=r"\w+",
    attributes=(Attributes("CAMELS_DE_topographic_attributes.csv", PLACE),),
    pet="oudin",
    pet_note="there is no CAMELS_DE_discharge_sim_<gauge>.csv: evaporation computed after Oudin",
    reader="read_camels_de",
)

CAMELS_FR = Source(
    "CAMELS-FR",
    tables=(
        (
            Table(
                "CAMELS_FR_tsd_{gauge}.csv",
                {
                    "precipitation": ("tsd_prec", "mm/d"),
                    "potential_evaporation": ("tsd_pet_ou", "mm/d"),
                    "temperature": ("tsd_temp", "degC"),
                    "discharge": ("tsd_q_mm", "mm/d"),
                },
                time="tsd_date",
            ),
            Table(  # by the R package airGRdatasets
                "{gauge}.csv",
                {
                    "precipitation": ("Ptot", "mm/d"),
                    "potential_evaporation": ("Evap", "mm/d"),
                    "temperature": ("Temp", "degC"),
                    "discharge": ("Qmmd", "mm/d"),
                },
                time="Date",
            ),
        ),
    ),
    gauge=r"[A-Z]\d{9}",
    attributes=(
        Attributes(
            "CAMELS_FR_*attributes.csv",
            {"area_km2": "sit_area_topo", "latitude": "sit_latitude"},
            key="sta_code_h3",
        ),
        Attributes(
            "{gauge}_meta.json",
            {
                "area_km2": "area_km2",
                "latitude": "lat",
                "elevation": "hypsometry_m_quantiles_0_to_100",
            },
        ),
    ),
    reader="read_camels_fr",
)


# Programs that read it disagree about the unit of Qobs: the caller may say which it is.
CAMELS_DK = Source(
    "CAMELS-DK",
    tables=(
        Table(
            "CAMELS_DK_obs_based_{gauge}.csv",
            {
                "precipitation": ("precipitation", "mm/d"),
                "potential_evaporation": ("pet", "mm/d"),
                "temperature": ("temperature", "degC"),
                "discharge": tuple(
                    Column("Qobs", unit, needed=False, when=("flow", unit))
                    for unit in ("mm/d", "m3/s")
                ),
            },
            time="time",
        ),
    ),
    gauge=r"\d+",
    options={"flow": ("mm/d", "m3/s")},
    reader="CAMELS-DK",
)

CAMELS_SE = Source(
    "CAMELS-SE",
    tables=(
        Table(
            "catchment_id_{gauge}[_.]*csv",
            {
                "precipitation": ("Pobs_mm", "mm"),
                "temperature": ("Tobs_C", "degC"),
                "discharge": (("Qobs_mm", "mm"), ("Qobs_m3s", "m3/s")),
            },
            time=("Year", "Month", "Day"),
        ),
    ),
    gauge=r"\d+",
    attributes=(
        Attributes(
            "catchments_physical_properties.csv",
            {
                "area_km2": "Area_km2",
                "latitude": "Latitude_WGS84",
                "elevation": "Elevation_mabsl",
            },
            key="ID",
        ),
    ),
    pet="oudin",
    pet_note="potential evaporation was computed after Oudin: the data set has none",
    reader="CAMELS-SE",
)

_LAMAH: dict[str, tuple | Column] = {
    "precipitation": ("prec", "mm/d"),
    "temperature": ("2m_temp_mean", "degC"),
    "temperature_min": Column("2m_temp_min", "degC", needed=False),
    "temperature_max": Column("2m_temp_max", "degC", needed=False),
    "discharge": Column("qobs", "m3/s", needed=False),
}
_LAMAH_DATES = ("YYYY", "MM", "DD")
_LAMAH_HOURLY: dict[str, tuple | Column] = {
    "precipitation": ("prec", "mm"),
    "temperature": ("2m_temp", "degC"),
    "discharge": Column("qobs", "m3/s", needed=False),
}
_LAMAH_FILE: dict[str, Any] = {"separator": ";", "na": (-999.0,)}
# Its coordinates are projected: latitude= must be given.
LAMAH = Source(
    "LamaH-CE",
    tables=(
        (
            Table(
                "{basins}/2_timeseries/daily/ID_{gauge}.csv", _LAMAH, _LAMAH_DATES, **_LAMAH_FILE
            ),
            Table(  # with the discharge beside it
                "{gauge}.csv", _LAMAH, _LAMAH_DATES, by_header=True, **_LAMAH_FILE
            ),
            Table(  # hours, with the discharge beside them
                "{gauge}.csv",
                _LAMAH_HOURLY,
                (*_LAMAH_DATES, "hh", "mm"),
                by_header=True,
                **_LAMAH_FILE,
            ),
        ),
        Table(
            "D_gauges/2_timeseries/daily/ID_{gauge}.csv",
            {"discharge": ("qobs", "m3/s")},
            time=_LAMAH_DATES,
            separator=";",
            na=(-999.0,),
            needed=False,
        ),
    ),
    gauge=r"\d+",
    attributes=(
        Attributes("D_gauges/1_attributes/Gauge_attributes.csv", {"area_km2": "area_gov"}, "ID"),
        Attributes(
            "{basins}/1_attributes/Catchment_attributes.csv", {"elevation": "elev_mean"}, "ID"
        ),
    ),
    options={
        "basins": (
            "A_basins_total_upstrm",
            "B_basins_intermediate_all",
            "C_basins_intermediate_lowimp",
        )
    },
    pet="oudin",
    pet_note="potential evaporation was computed after Oudin: total_et is actual evaporation",
    reader="LamaH-CE",
)


@documented(CAMELS_GB)
def read_camels_gb(
    root: str | Path, gauge: str, *, pet: str | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-GB.

    Potential evaporation is ``pet`` or, where only that is there and with a warning, ``peti``
    (with a correction for interception, higher).

    References
    ----------
    Coxon, G., et al. (2020). Earth Syst. Sci. Data 12, 2459-2483. doi:10.5194/essd-12-2459-2020
    """
    return read_source(CAMELS_GB, root, gauge, pet=pet, max_gap=max_gap)


@documented(CAMELS_CH)
def read_camels_ch(
    root: str | Path, gauge: str, *, pet: str | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-CH: observation-based series, and simulation-based evaporation.

    References
    ----------
    Höge, M., et al. (2023). Earth Syst. Sci. Data 15, 5755-5784. doi:10.5194/essd-15-5755-2023
    """
    return read_source(CAMELS_CH, root, gauge, pet=pet, max_gap=max_gap)


@documented(CAMELS_DE)
def read_camels_de(
    root: str | Path, gauge: str, *, pet: str | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-DE, such as "DE110000".

    Potential evaporation is ``pet_hargreaves``; where there is no file with it, Oudin's is computed
    with a warning.

    References
    ----------
    Loritz, R., et al. (2024). Earth Syst. Sci. Data 16, 5625-5642. doi:10.5194/essd-16-5625-2024
    """
    return read_source(CAMELS_DE, root, gauge, pet=pet, max_gap=max_gap)


@documented(CAMELS_FR)
def read_camels_fr(
    root: str | Path, gauge: str, *, pet: str | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-FR, such as "X045401001".

    As distributed, or as exported from the R package airGRdatasets: ``<gauge>.csv`` with
    ``Date,Ptot,Temp,Evap,Qls,Qmmd`` and ``<gauge>_meta.json``. Potential evaporation is Oudin's.

    References
    ----------
    Delaigue, O., et al. (2025). Earth Syst. Sci. Data 17, 1461-1479.
    doi:10.5194/essd-17-1461-2025
    """
    return read_source(CAMELS_FR, root, gauge, pet=pet, max_gap=max_gap)
