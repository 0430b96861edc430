"""CAMELS-AUS (Fowler et al. 2021)."""

from pathlib import Path

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import attributes
from pymc_hydro.data.readers.tidy import from_parts
from pymc_hydro.data.readers.wide import read_wide

__all__ = ["read_camels_aus"]

FILES = {
    "precipitation": ("precipitation_AWAP.csv", "precipitation_AGCD.csv"),
    "potential_evaporation": ("et_morton_wet_SILO.csv",),
    "temperature_min": ("tmin_AWAP.csv", "tmin_AGCD.csv"),
    "temperature_max": ("tmax_AWAP.csv", "tmax_AGCD.csv"),
    "discharge": ("streamflow_mmd.csv",),
}
MISSING = (-99.99,)
PLACES = "CAMELS_AUS_Attributes*.csv"
PLACE = {"area_km2": "catchment_area", "latitude": "lat_outlet", "elevation": "elev_mean"}
DATES = ("year", "month", "day")


def read_camels_aus(root, gauge: str, *, pet: str | None = None, max_gap: int = 0) -> xr.Dataset:
    """Read a basin of CAMELS-AUS, version 1 (AWAP) or 2 (AGCD).

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, one wide file a variable.
    gauge : str
        Such as "912101A".
    pet : str, optional
        Method by which to compute potential evaporation in place of Morton's wet-environment
        evapotranspiration (SILO).
    max_gap : int
        Gaps of the forcing up to this many days are interpolated, with a warning.

    Returns
    -------
    Dataset
        Temperature is the mean of the daily extremes.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError

    References
    ----------
    Fowler, K. J. A., et al. (2021). Earth Syst. Sci. Data 13, 3847-3867.
    doi:10.5194/essd-13-3847-2021
    """
    gauge, root, frames = str(gauge), Path(root), {}
    for name, files in FILES.items():
        path = next((p for f in files for p in sorted(root.rglob(f))), None)
        if path is None:
            if name in ("precipitation", "discharge"):
                raise FileNotFoundError(f"{root}: no {' or '.join(files)} in it or below")
            continue
        table = read_wide(path, gauge, DATES, ",")
        unit = "degC" if name.startswith("temperature") else "mm/d"
        dates = from_parts(path, table[list(DATES)], 2)
        frames[name] = series(path, table, dates, {name: (gauge, unit)}, missing=MISSING)
    if {"temperature_min", "temperature_max"} <= set(frames):
        low, high = (frames[f"temperature_{e}"][f"temperature_{e}"] for e in ("min", "max"))
        frames["temperature"] = ((low + high) / 2).to_frame("temperature")
    attrs = {"gauge": gauge, "source": "CAMELS-AUS"}
    attrs |= attributes(root, PLACES, gauge, PLACE, key="station_id")
    source = f"{root}, {gauge}"
    return assemble(source, list(frames.values()), attrs=attrs, pet=pet, max_gap=max_gap)
