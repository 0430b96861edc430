"""CAMELS-FR (Delaigue et al. 2025)."""

import json

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import attributes, find_file, read_table

__all__ = ["read_camels_fr"]

PLACES = "CAMELS_FR_*attributes.csv"
PLACE = {"area_km2": "sit_area_topo", "latitude": "sit_latitude"}
ORIGINAL = {
    "precipitation": ("tsd_prec", "mm/d"),
    "potential_evaporation": ("tsd_pet_ou", "mm/d"),
    "temperature": ("tsd_temp", "degC"),
    "discharge": ("tsd_q_mm", "mm/d"),
}
AIRGR = {
    "precipitation": ("Ptot", "mm/d"),
    "potential_evaporation": ("Evap", "mm/d"),
    "temperature": ("Temp", "degC"),
    "discharge": ("Qmmd", "mm/d"),
}


def read_camels_fr(root, gauge: str, *, pet: str | None = None, max_gap: int = 0) -> xr.Dataset:
    """Read a basin of CAMELS-FR, as distributed or as exported from the R package airGRdatasets.

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, ``CAMELS_FR_tsd_<gauge>.csv`` (separated by semicolons),
        or ``<gauge>.csv`` with ``Date,Ptot,Temp,Evap,Qls,Qmmd`` and ``<gauge>_meta.json``.
    gauge : str
        Ten characters, such as "X045401001".
    pet : str, optional
        Method by which to compute potential evaporation in place of the file's (Oudin's).
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
    Delaigue, O., et al. (2025). Earth Syst. Sci. Data 17, 1461-1479.
    doi:10.5194/essd-17-1461-2025
    """
    gauge = str(gauge)
    try:
        path = find_file(root, f"CAMELS_FR_tsd_{gauge}.csv", gauge)
    except FileNotFoundError:
        path = find_file(root, f"{gauge}.csv", gauge)
    table = read_table(path)
    if "tsd_date" in table:
        frame = series(path, table, "tsd_date", ORIGINAL)
        place = attributes(root, PLACES, gauge, PLACE, key="sta_code_h3")
    else:
        frame = series(path, table, "Date", AIRGR)
        place = _meta(path.with_name(f"{gauge}_meta.json"))
    attrs = {"gauge": gauge, "source": "CAMELS-FR", **place}
    return assemble(path, [frame], attrs=attrs, pet=pet, max_gap=max_gap)


def _meta(path):
    if not path.is_file():
        return {}
    meta = json.loads(path.read_text(encoding="utf-8"))
    heights = meta.get("hypsometry_m_quantiles_0_to_100")
    elevation = None if heights is None else float(sorted(heights)[len(heights) // 2])
    return {"area_km2": meta.get("area_km2"), "latitude": meta.get("lat"), "elevation": elevation}
