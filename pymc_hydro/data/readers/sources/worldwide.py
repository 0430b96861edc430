"""CAMELS-BR, -CL and -AUS, one file a variable, CAMELS-IND, Caravan and ERA5.

References
----------
Mangukiya, N. K., et al. (2025). Earth Syst. Sci. Data 17, 461-491. doi:10.5194/essd-17-461-2025
"""

from pathlib import Path

import xarray as xr

from pymc_hydro.data.readers.machinery.declaration import Attributes, Column, Source, Table
from pymc_hydro.data.readers.machinery.read import read_source
from pymc_hydro.data.readers.sources.documented import documented

__all__ = [
    "CAMELS_AUS",
    "CAMELS_BR",
    "CAMELS_CL",
    "CAMELS_IND",
    "CARAVAN",
    "ERA5",
    "read_camels_aus",
    "read_camels_br",
    "read_camels_cl",
    "read_caravan",
]

YEAR_MONTH_DAY = ("year", "month", "day")


def _camels_br(name: str, stem: str, unit: str = "mm/d", needed: bool = True) -> Table:
    """Return the file of a variable, which is the fourth column."""
    return Table(
        f"{{gauge}}_{stem}.txt",
        {name: (3, unit)},
        time=YEAR_MONTH_DAY,
        separator=r"\s+",
        needed=needed,
    )


CAMELS_BR = Source(
    "CAMELS-BR, {rain}",
    tables=(
        _camels_br("discharge", "streamflow_mm"),
        _camels_br("precipitation", "precipitation_{rain}"),
        _camels_br("potential_evaporation", "potential_evapotransp_gleam", needed=False),
        _camels_br("temperature", "temperature_mean_cpc", "degC", needed=False),
    ),
    gauge=r"\d{8}",
    attributes=(
        Attributes("camels_br_location.txt", {"latitude": "gauge_lat"}),
        Attributes("camels_br_topography.txt", {"area_km2": "area"}),
    ),
    options={"rain": "chirps"},
    reader="read_camels_br",
)


def _camels_cl(
    name: str, *stems: str, unit: str = "mm/d", needed: bool = False
) -> tuple[Table, Table]:
    """Return the file of a variable in the release of 2022, and in that of 2018."""
    columns = {name: ("{gauge}", unit)}
    new = tuple(f"{stem}_day.csv" for stem in stems)
    old = tuple(f"*CAMELScl_{stem}.txt" for stem in stems)
    return (
        Table(new, columns, separator=",", needed=needed),
        Table(old, columns, separator="\t", needed=needed, time="gauge_id"),
    )


CAMELS_CL = Source(
    "CAMELS-CL, {rain}",
    tables=(
        _camels_cl("discharge", "q_mm", "streamflow_mm", needed=True),
        _camels_cl("precipitation", "precip_{rain}", needed=True),
        _camels_cl("potential_evaporation", "pet_hargreaves", "pet"),
        _camels_cl("temperature", "tmean_cr2met", "tmean", unit="degC"),
        _camels_cl("temperature_min", "tmin_cr2met", "tmin", unit="degC"),
        _camels_cl("temperature_max", "tmax_cr2met", "tmax", unit="degC"),
    ),
    gauge=r"\d+",
    attributes=(
        Attributes(
            "*CAMELScl_attributes.txt",
            {"area_km2": "area", "latitude": "gauge_lat", "elevation": "elev_mean"},
            transposed=True,
            separator="\t",
        ),
    ),
    options={"rain": "cr2met"},
    reader="read_camels_cl",
)


def _camels_aus(name: str, *files: str, unit: str = "mm/d", needed: bool = False) -> Table:
    return Table(
        files,
        {name: ("{gauge}", unit)},
        time=YEAR_MONTH_DAY,
        separator=",",
        na=(-99.99,),
        needed=needed,
    )


CAMELS_AUS = Source(
    "CAMELS-AUS",
    tables=(
        _camels_aus("discharge", "streamflow_mmd.csv", needed=True),
        _camels_aus(
            "precipitation", "precipitation_AWAP.csv", "precipitation_AGCD.csv", needed=True
        ),
        _camels_aus("potential_evaporation", "et_morton_wet_SILO.csv"),
        _camels_aus("temperature_min", "tmin_AWAP.csv", "tmin_AGCD.csv", unit="degC"),
        _camels_aus("temperature_max", "tmax_AWAP.csv", "tmax_AGCD.csv", unit="degC"),
    ),
    gauge=r"\w+",
    attributes=(
        Attributes(
            "CAMELS_AUS_Attributes*.csv",
            {"area_km2": "catchment_area", "latitude": "lat_outlet", "elevation": "elev_mean"},
            key="station_id",
        ),
    ),
    reader="read_camels_aus",
)


CAMELS_IND = Source(
    "CAMELS-IND",
    tables=(
        Table(
            ("catchment_mean_forcings/**/{gauge}.csv", "CAMELS_IND_{gauge}.csv"),
            {
                "precipitation": ("prcp(mm/day)", "mm/d"),
                "potential_evaporation": ("pet(mm/day)", "mm/d"),
                "temperature": ("tavg(C)", "degC"),
                "temperature_min": ("tmin(C)", "degC"),
                "temperature_max": ("tmax(C)", "degC"),
            },
            time=YEAR_MONTH_DAY,
        ),
        Table(
            "streamflow_observed.csv",
            {"discharge": (("{gauge}", "m3/s"), ("{number}", "m3/s"))},
            time=YEAR_MONTH_DAY,
            needed=False,
        ),
    ),
    gauge=r"0*(?P<number>\d+)",  # some files write ids without their leading zeros
    attributes=(
        Attributes("camels_ind_topo.csv", {"area_km2": "cwc_area"}),
        Attributes("camels_ind_topo.csv", {"area_km2": "cwc_area"}, id="{number}"),
    ),
    reader="CAMELS-IND",
)


def _era5_land(name: str) -> Column:
    note = "potential evaporation of ERA5-Land is several times too high"
    return Column(name, "mm/d", note=note, when=("pet", "era5_land"))


_CARAVAN: dict[str, tuple | Column] = {
    "precipitation": ("total_precipitation_sum", "mm/d"),
    "potential_evaporation": (
        Column("potential_evaporation_sum_FAO_PENMAN_MONTEITH", "mm/d"),
        _era5_land("potential_evaporation_sum_ERA5_LAND"),
        _era5_land("potential_evaporation_sum"),
    ),
    "temperature": ("temperature_2m_mean", "degC"),
    "temperature_min": Column("temperature_2m_min", "degC", needed=False),
    "temperature_max": Column("temperature_2m_max", "degC", needed=False),
    "discharge": ("streamflow", "mm/d"),
}
CARAVAN = Source(
    "Caravan",
    tables=(
        (
            *(
                Table(
                    f"{{gauge}}.{suffix}",
                    _CARAVAN,
                    listed=f"timeseries/{kind}/*/{{gauge}}.{suffix}",
                    detail=kind,
                )
                for kind, suffix in (("netcdf", "nc"), ("csv", "csv"))
            ),
            Table("{gauge}.csv", _CARAVAN, by_header=True),  # out of its folder
        ),
    ),
    gauge=r"(?P<subset>\w+)_[^_/]+",
    attributes=(
        Attributes("attributes_other_{subset}.csv", {"area_km2": "area", "latitude": "gauge_lat"}),
    ),
    pet="oudin",
    pet_note="potential evaporation was computed after Oudin: that of ERA5-Land is several times "
    "too high, and FAO Penman-Monteith is in Caravan from version 1.6 on",
    reader="read_caravan",
)


def _era5(rain: str, evaporation: str, temperature: str, needed: bool) -> dict[str, Column | tuple]:
    """Return the columns of a naming; two that are needed are not met with by chance."""
    return {
        "precipitation": Column(rain, "m", since_midnight=True),
        "potential_evaporation": Column(
            evaporation, "m", factor=-1.0, needed=False, since_midnight=True
        ),
        "temperature": Column(temperature, "degC or K", needed=needed),
    }


_ERA5 = (
    _era5("tp", "pev", "t2m", needed=False),
    _era5("total_precipitation", "potential_evaporation", "2m_temperature", needed=True),
    _era5("total_precipitation", "potential_evaporation", "temperature_2m", needed=True),
    _era5(
        "total_precipitation_hourly", "potential_evaporation_hourly", "temperature_2m", needed=True
    ),
)
# Of one place, or averaged over a basin. The sums of hours are labelled by their ends, the sums of
# days by their starts.
ERA5 = Source(
    "ERA5",
    tables=(
        tuple(
            Table(f"{{gauge}}.{suffix}", columns, time=time, ending=True, by_header=True)
            for columns in _ERA5
            for time in ("time", "valid_time", "date", "datetime")
            for suffix in ("csv", "nc")
        ),
    ),
    reader="ERA5",
)


@documented(CAMELS_BR)
def read_camels_br(
    root: str | Path,
    gauge: str,
    rain: str = "chirps",
    *,
    pet: str | None = None,
    max_gap: int = 0,
) -> xr.Dataset:
    """Read a basin of CAMELS-BR, with the precipitation of chirps, mswep or cpc.

    Potential evaporation is GLEAM's.

    References
    ----------
    Chagas, V. B. P., et al. (2020). Earth Syst. Sci. Data 12, 2075-2096.
    doi:10.5194/essd-12-2075-2020
    """
    return read_source(CAMELS_BR, root, gauge, pet=pet, max_gap=max_gap, rain=rain)


@documented(CAMELS_CL)
def read_camels_cl(
    root: str | Path,
    gauge: str,
    rain: str = "cr2met",
    *,
    pet: str | None = None,
    max_gap: int = 0,
) -> xr.Dataset:
    """Read a basin of CAMELS-CL, release of 2018 (``.txt``) or of 2022 (``_day.csv``).

    Precipitation is that of cr2met, chirps, mswep, tmpa, ...

    References
    ----------
    Alvarez-Garreton, C., et al. (2018). Hydrol. Earth Syst. Sci. 22, 5817-5846.
    doi:10.5194/hess-22-5817-2018
    """
    return read_source(CAMELS_CL, root, gauge, pet=pet, max_gap=max_gap, rain=rain)


@documented(CAMELS_AUS)
def read_camels_aus(
    root: str | Path, gauge: str, *, pet: str | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-AUS, such as "912101A", version 1 (AWAP) or 2 (AGCD).

    Potential evaporation is Morton's wet-environment evapotranspiration (SILO), temperature the
    mean of the daily extremes.

    References
    ----------
    Fowler, K. J. A., et al. (2021). Earth Syst. Sci. Data 13, 3847-3867.
    doi:10.5194/essd-13-3847-2021
    """
    return read_source(CAMELS_AUS, root, gauge, pet=pet, max_gap=max_gap)


@documented(CARAVAN)
def read_caravan(
    root: str | Path, gauge: str, *, pet: str | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of Caravan, such as "camels_01022500", on local days.

    Potential evaporation is that of FAO Penman-Monteith (Caravan 1.6 and later); where the file
    lacks it, Oudin's is computed, with a warning. With ``pet="era5_land"`` it is that of ERA5-Land,
    which is several times too high.

    References
    ----------
    Kratzert, F., et al. (2023). Sci. Data 10, 61. doi:10.1038/s41597-023-01975-w
    """
    return read_source(CARAVAN, root, gauge, pet=pet, max_gap=max_gap)
