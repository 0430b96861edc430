"""Caravan (Kratzert et al. 2023)."""

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import attributes, find_file, open_netcdf, read_table, warn

__all__ = ["read_caravan"]

PENMAN = "potential_evaporation_sum_FAO_PENMAN_MONTEITH"
ERA5_LAND = ("potential_evaporation_sum_ERA5_LAND", "potential_evaporation_sum")
COLUMNS = {
    "precipitation": ("total_precipitation_sum", "mm/d"),
    "temperature": ("temperature_2m_mean", "degC"),
    "temperature_min": ("temperature_2m_min", "degC"),
    "temperature_max": ("temperature_2m_max", "degC"),
    "discharge": ("streamflow", "mm/d"),
}
PLACE = {"area_km2": "area", "latitude": "gauge_lat"}


def read_caravan(root, gauge: str, *, pet: str | None = None, max_gap: int = 0) -> xr.Dataset:
    """Read a basin of Caravan, from its netCDF file or else its CSV file.

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, ``<gauge>.nc`` or ``<gauge>.csv`` and the attributes.
    gauge : str
        With the name of the subset before it, such as "camels_01022500".
    pet : str, optional
        "era5_land", or a method by which to compute potential evaporation. Where not given, that
        of FAO Penman-Monteith (Caravan 1.6 and later) is taken; where the file lacks it, Oudin's is
        computed, with a warning: that of ERA5-Land is several times too high.
    max_gap : int
        Gaps of the forcing up to this many days are interpolated, with a warning.

    Returns
    -------
    Dataset
        On local days.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError

    References
    ----------
    Kratzert, F., et al. (2023). Sci. Data 10, 61. doi:10.1038/s41597-023-01975-w
    """
    gauge = str(gauge)
    try:
        path = find_file(root, f"{gauge}.nc", gauge)
    except FileNotFoundError:
        path = find_file(root, f"{gauge}.csv", gauge)
        table = read_table(path)
    else:
        with open_netcdf(path) as data:
            table = data.to_dataframe().reset_index()
    columns = dict(COLUMNS)
    if pet is None and PENMAN in table:
        columns["potential_evaporation"] = (PENMAN, "mm/d")
    elif pet is None:
        pet = "oudin"
        warn(
            path,
            "potential evaporation was computed after Oudin: that of ERA5-Land is several times "
            "too high, and FAO Penman-Monteith is in Caravan from version 1.6 on",
        )
    elif pet == "era5_land":
        found = next((c for c in ERA5_LAND if c in table), ERA5_LAND[0])
        columns["potential_evaporation"] = (found, "mm/d")
        pet = None
        warn(path, "potential evaporation of ERA5-Land is several times too high")
    frame = series(path, table, "date", columns)
    subset = gauge.rpartition("_")[0]
    place = attributes(root, f"attributes_other_{subset}.csv", gauge, PLACE)
    attrs = {"gauge": gauge, "source": "Caravan", **place}
    return assemble(path, [frame], attrs=attrs, pet=pet, max_gap=max_gap)
