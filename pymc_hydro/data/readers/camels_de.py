"""CAMELS-DE (Loritz et al. 2024)."""

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import attributes, find_file, read_table, warn

__all__ = ["read_camels_de"]

PLACES = "CAMELS_DE_topographic_attributes.csv"
PLACE = {"area_km2": "area", "latitude": "gauge_lat", "elevation": "elev_mean"}
FLOWS = ("discharge_spec_obs", "discharge_spec")  # since 1.0, and before


def read_camels_de(root, gauge: str, *, pet: str | None = None, max_gap: int = 0) -> xr.Dataset:
    """Read a basin of CAMELS-DE.

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, ``CAMELS_DE_hydromet_timeseries_<gauge>.csv`` and, for
        potential evaporation, ``CAMELS_DE_discharge_sim_<gauge>.csv``.
    gauge : str
        Such as "DE110000".
    pet : str, optional
        Method by which to compute potential evaporation in place of ``pet_hargreaves``. Where
        there is no file with it, Oudin's is used, with a warning.
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
    Loritz, R., et al. (2024). Earth Syst. Sci. Data 16, 5625-5642. doi:10.5194/essd-16-5625-2024
    """
    gauge = str(gauge)
    path = find_file(root, f"CAMELS_DE_hydromet_timeseries_{gauge}.csv", gauge)
    table = read_table(path)
    columns = {
        "precipitation": ("precipitation_mean", "mm/d"),
        "temperature": ("temperature_mean", "degC"),
        "temperature_min": ("temperature_min", "degC"),
        "temperature_max": ("temperature_max", "degC"),
        "discharge": (next((c for c in FLOWS if c in table), FLOWS[0]), "mm/d"),
    }
    frames = [series(path, table, "date", columns)]
    if pet is None:
        try:
            other = find_file(root, f"CAMELS_DE_discharge_sim_{gauge}.csv", gauge)
        except FileNotFoundError:
            pet = "oudin"
            warn(path, f"no CAMELS_DE_discharge_sim_{gauge}.csv: evaporation computed after Oudin")
        else:
            columns = {"potential_evaporation": ("pet_hargreaves", "mm/d")}
            evaporation = series(other, read_table(other), "date", columns)
            frames.append(evaporation.reindex(frames[0].index))
    attrs = {"gauge": gauge, "source": "CAMELS-DE", **attributes(root, PLACES, gauge, PLACE)}
    return assemble(path, frames, attrs=attrs, pet=pet, max_gap=max_gap)
