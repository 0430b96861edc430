"""CAMELS-GB (Coxon et al. 2020)."""

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import attributes, find_file, read_table, warn

__all__ = ["read_camels_gb"]

PLACES = "CAMELS_GB_topographic_attributes.csv"
PLACE = {"area_km2": "area", "latitude": "gauge_lat", "elevation": "elev_mean"}


def read_camels_gb(root, gauge: str, *, pet: str | None = None, max_gap: int = 0) -> xr.Dataset:
    """Read a basin of CAMELS-GB.

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, ``CAMELS_GB_hydromet_timeseries_<gauge>*.csv``.
    gauge : str
    pet : str, optional
        Method by which to compute potential evaporation in place of the file's.
    max_gap : int
        Gaps of the forcing up to this many days are interpolated, with a warning.

    Returns
    -------
    Dataset
        Potential evaporation is ``pet`` or, where only that is there and with a warning, ``peti``
        (with a correction for interception, higher).

    Raises
    ------
    FileNotFoundError, KeyError, ValueError

    References
    ----------
    Coxon, G., et al. (2020). Earth Syst. Sci. Data 12, 2459-2483. doi:10.5194/essd-12-2459-2020
    """
    gauge = str(gauge)
    path = find_file(root, f"CAMELS_GB_hydromet_timeseries_{gauge}[_.]*csv", gauge)
    table = read_table(path)
    evaporation = "pet"
    if "pet" not in table and "peti" in table:
        evaporation = "peti"
        warn(path, "has no column pet; peti was used, which is higher (interception correction)")
    columns = {
        "precipitation": ("precipitation", "mm/d"),
        "potential_evaporation": (evaporation, "mm/d"),
        "temperature": ("temperature", "degC"),
        "discharge": ("discharge_spec", "mm/d"),
    }
    frame = series(path, table, "date", columns)
    attrs = {"gauge": gauge, "source": "CAMELS-GB", **attributes(root, PLACES, gauge, PLACE)}
    return assemble(path, [frame], attrs=attrs, pet=pet, max_gap=max_gap)
