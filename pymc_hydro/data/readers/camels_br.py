"""CAMELS-BR (Chagas et al. 2020)."""

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import attributes, find_file, numbers, read_table
from pymc_hydro.data.readers.tidy import from_parts

__all__ = ["read_camels_br"]

FILES = {
    "precipitation": "precipitation_{rain}",
    "potential_evaporation": "potential_evapotransp_gleam",
    "temperature": "temperature_mean_cpc",
    "discharge": "streamflow_mm",
}
OPTIONAL = ("temperature", "potential_evaporation")
PLACE = {"area_km2": "area", "latitude": "gauge_lat"}


def read_camels_br(
    root, gauge: str, rain: str = "chirps", *, pet: str | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-BR.

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, ``<gauge>_<variable>.txt`` for each variable.
    gauge : str
    rain : {"chirps", "mswep", "cpc"}
        Product of precipitation.
    pet : str, optional
        Method by which to compute potential evaporation in place of GLEAM's.
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
    Chagas, V. B. P., et al. (2020). Earth Syst. Sci. Data 12, 2075-2096.
    doi:10.5194/essd-12-2075-2020
    """
    gauge, frames = str(gauge), []
    for name, stem in FILES.items():
        pattern = f"{gauge}_{stem.format(rain=rain)}.txt"
        try:
            path = find_file(root, pattern, gauge)
        except FileNotFoundError:
            if name in OPTIONAL:
                continue
            raise
        table = read_table(path, separator=r"\s+")
        if list(table.columns[:3]) != ["year", "month", "day"] or table.shape[1] < 4:
            raise ValueError(
                f"{path}: expected the columns year month day <value>, found {list(table.columns)}"
            )
        value = table.columns[3]
        dates = from_parts(path, table[["year", "month", "day"]], table.attrs["first_line"])
        table[value] = numbers(path, table, value)
        unit = "degC" if name == "temperature" else "mm/d"
        frames.append(series(path, table, dates, {name: (value, unit)}))
    attrs = {"gauge": gauge, "source": f"CAMELS-BR, {rain}"}
    attrs |= _place(root, gauge)
    return assemble(f"{root}, {gauge}", frames, attrs=attrs, pet=pet, max_gap=max_gap)


def _place(root, gauge):
    """Area and latitude stand in tables of their own."""
    found = {}
    for table in ("location", "topography"):
        found |= attributes(root, f"camels_br_{table}.txt", gauge, PLACE)
    return found
