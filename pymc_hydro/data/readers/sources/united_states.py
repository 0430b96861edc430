"""CAMELS-US, daily and hourly, MOPEX, and HYSETS of all North America.

References
----------
Arsenault, R., et al. (2020). Sci. Data 7, 243. doi:10.1038/s41597-020-00583-2
"""

from pathlib import Path

import xarray as xr

from pymc_hydro.data.readers.machinery.declaration import Attributes, Column, Source, Table
from pymc_hydro.data.readers.machinery.read import read_source
from pymc_hydro.data.readers.sources.documented import documented

__all__ = [
    "CAMELS_US",
    "CAMELS_US_HOURLY",
    "HYSETS",
    "MOPEX",
    "read_camels_us",
    "read_camels_us_hourly",
    "read_mopex",
]

CAMELS_US = Source(
    "CAMELS-US, forcing {forcing}",
    tables=(
        Table(
            "{forcing}/**/{gauge}_lump_*_forcing_leap.txt",
            {
                "precipitation": ("prcp(mm/day)", "mm/d"),
                "temperature_min": ("tmin(c)", "degC"),
                "temperature_max": ("tmax(c)", "degC"),
                "vapour_pressure": ("vp(pa)", "Pa"),
                "shortwave_radiation": Column(
                    "srad(w/m2)", "W/m2", when=("forcing", "daymet"), seconds="dayl(s)"
                ),
            },
            time=("year", "mnth", "day"),
            separator=r"\s+",
            heading=("latitude", "elevation", "area_m2"),
            rename=str.lower,
            complete=True,
        ),
        Table(
            "{gauge}_streamflow_qc.txt",
            {"discharge": ("flow", "cfs")},
            names=("gauge", "year", "month", "day", "flow", "flag"),
            time=("year", "month", "day"),
            separator=r"\s+",
            gauges="gauge",
            na=(-999.0,),
            flags={"flag": "M"},
            complete=True,
        ),
    ),
    gauge=r"\d{8}",
    options={"forcing": ("daymet", "maurer", "maurer_extended", "nldas", "nldas_extended")},
    pet="oudin",
    reader="read_camels_us",
)

_HOURLY = {
    "precipitation": ("total_precipitation", "mm/h"),
    "potential_evaporation": ("potential_evaporation", "mm/h"),
    "temperature": ("temperature", "degC or K"),
}
CAMELS_US_HOURLY = Source(
    "CAMELS-US hourly, NLDAS",
    tables=(
        (
            Table("{gauge}_hourly_nldas.csv", _HOURLY, detail="nldas"),
            Table(
                "usgs-streamflow-nldas_hourly.nc",
                {**_HOURLY, "discharge": ("qobs_mm_per_hour", "mm/h")},
                gauges="basin",
                detail="netcdf",
            ),
        ),
        Table(
            "{gauge}-usgs-hourly.csv",
            {"discharge": (("QObs(mm/h)", "mm/h"), ("QObs_CAMELS(mm/h)", "mm/h"))},
        ),
    ),
    gauge=r"\d{8}",
    reader="read_camels_us_hourly",
)

MOPEX = Source(
    "MOPEX",
    tables=(
        Table(
            "{gauge}.dly",
            {
                "precipitation": ("rain", "mm/d"),
                "potential_evaporation": ("evaporation", "mm/d"),
                "temperature_min": ("low", "degC"),
                "temperature_max": ("high", "degC"),
                "discharge": ("flow", "mm/d"),
            },
            names=("year", "month", "day", "rain", "evaporation", "flow", "high", "low"),
            widths=(4, 2, 2, 10, 10, 10, 10, 10),
            time=("year", "month", "day"),
            separator=r"\s+",  # of files with tabs
            na=(-99.0,),
            complete=True,
        ),
    ),
    gauge=r"\d{8}",
    reader="read_mopex",
)


# Names of the release of 2020, and of the update of 2023.
HYSETS = Source(
    "HYSETS, {forcing}",
    tables=(
        Table(
            "HYSETS_*_{forcing}.nc",
            {
                "precipitation": (("pr", "mm/d"), ("total_precipitation", "mm/d")),
                "temperature_min": (("tasmin", "degC"), ("2m_tasmin", "degC")),
                "temperature_max": (("tasmax", "degC"), ("2m_tasmax", "degC")),
                "discharge": ("discharge", "m3/s"),
            },
            time="time",
            gauges="watershedID",
            heading={
                "area_km2": "drainage_area",
                "latitude": "centroid_lat",
                "elevation": "elevation",
            },
        ),
    ),
    gauge=r"\d+",
    attributes=(
        Attributes(
            "HYSETS_watershed_properties.txt",
            {
                "area_km2": "Drainage_Area_km2",
                "latitude": "Centroid_Lat_deg_N",
                "elevation": "Elevation_m",
            },
            key="Watershed_ID",
            separator=";",
        ),
    ),
    options={"forcing": "QC_stations"},
    pet="oudin",
    pet_note="potential evaporation was computed after Oudin: the data set has none",
    reader="HYSETS",
)


@documented(CAMELS_US)
def read_camels_us(
    root: str | Path, gauge: str, forcing: str = "daymet", *, pet: str = "oudin", max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-US: forcing of a product, and discharge of the US Geological Survey.

    The record has the days of the forcing; discharge is NaN where it is missing (flag M). The data
    set has no potential evaporation. The area is that of the forcing file's third line.
    ``shortwave_radiation`` (daymet) is the mean over 24 hours, where the file has the mean over
    daylight.

    References
    ----------
    Newman, A. J., et al. (2015). Hydrol. Earth Syst. Sci. 19, 209-223.
    doi:10.5194/hess-19-209-2015
    """
    return read_source(CAMELS_US, root, gauge, pet=pet, max_gap=max_gap, forcing=forcing)


@documented(CAMELS_US_HOURLY)
def read_camels_us_hourly(
    root: str | Path, gauge: str, *, area: float | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of the hourly extension of CAMELS-US: NLDAS forcing, and discharge.

    Times are in UTC, as in the files; fluxes are rates in mm/d. Negative potential evaporation
    (dew, at night) is set to zero with a warning.

    References
    ----------
    Gauch, M., et al. (2021). Hydrol. Earth Syst. Sci. 25, 2045-2062.
    doi:10.5194/hess-25-2045-2021. Data: doi:10.5281/zenodo.4072701
    """
    return read_source(CAMELS_US_HOURLY, root, gauge, area=area, max_gap=max_gap)


@documented(MOPEX)
def read_mopex(
    path: str | Path,
    *,
    area: float | None = None,
    latitude: float | None = None,
    pet: str | None = None,
    max_gap: int = 0,
) -> xr.Dataset:
    """Read a basin of the 438 of MOPEX (US_438_Daily), of fixed width or separated by tabs.

    Temperature is the mean of the daily extremes. The file's potential evaporation is a
    climatology: the same in every year.

    References
    ----------
    Duan, Q., et al. (2006). J. Hydrol. 320, 3-17. doi:10.1016/j.jhydrol.2005.07.031
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return read_source(MOPEX, path, pet=pet, max_gap=max_gap, area=area, latitude=latitude)
