"""CAMELS-CH (Höge et al. 2023)."""

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import attributes, find_file, read_table

__all__ = ["read_camels_ch"]

PLACES = "CAMELS_CH_topographic_attributes.csv"
PLACE = {"area_km2": "area", "latitude": "gauge_lat", "elevation": "elev_mean"}


def read_camels_ch(root, gauge: str, *, pet: str | None = None, max_gap: int = 0) -> xr.Dataset:
    """Read a basin of CAMELS-CH: observation-based series, and simulation-based evaporation.

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, ``CAMELS_CH_obs_based_<gauge>.csv``, for potential
        evaporation ``CAMELS_CH_sim_based_<gauge>.csv``, and the topographic attributes.
    gauge : str
    pet : str, optional
        Method by which to compute potential evaporation in place of ``pet_sim``.
    max_gap : int
        Gaps of the forcing up to this many days are interpolated, with a warning.

    Returns
    -------
    Dataset

    Raises
    ------
    FileNotFoundError, KeyError, ValueError

    References
    ----------
    Höge, M., et al. (2023). Earth Syst. Sci. Data 15, 5755-5784. doi:10.5194/essd-15-5755-2023
    """
    gauge = str(gauge)
    path = find_file(root, f"CAMELS_CH_obs_based_{gauge}.csv", gauge)
    columns = {
        "precipitation": ("precipitation", "mm/d"),
        "temperature": ("temperature_mean", "degC"),
        "temperature_min": ("temperature_min", "degC"),
        "temperature_max": ("temperature_max", "degC"),
        "discharge": ("discharge_spec", "mm/d"),
    }
    frames = [series(path, _without_units(read_table(path)), "date", columns)]
    if pet is None:
        other = find_file(root, f"CAMELS_CH_sim_based_{gauge}.csv", gauge)
        columns = {"potential_evaporation": ("pet_sim", "mm/d")}
        evaporation = series(other, _without_units(read_table(other)), "date", columns)
        frames.append(evaporation.reindex(frames[0].index))
    attrs = {"gauge": gauge, "source": "CAMELS-CH", **attributes(root, PLACES, gauge, PLACE)}
    return assemble(path, frames, attrs=attrs, pet=pet, max_gap=max_gap)


def _without_units(table):
    """Strip units from column names: releases write the degree sign in different ways."""
    return table.rename(columns=lambda name: name.partition("(")[0].strip())
