"""CAMELS-CL (Alvarez-Garreton et al. 2018)."""

from pathlib import Path

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import numbers, read_table
from pymc_hydro.data.readers.wide import read_wide

__all__ = ["read_camels_cl"]

# Variable: how its file is called in the releases, the first that is there is taken.
FILES = {
    "precipitation": ("precip_{rain}",),
    "potential_evaporation": ("pet_hargreaves", "pet_8d_modis", "pet"),
    "temperature": ("tmean_cr2met", "tmean"),
    "temperature_min": ("tmin_cr2met", "tmin"),
    "temperature_max": ("tmax_cr2met", "tmax"),
    "discharge": ("streamflow_mm", "q_mm"),
}
UNUSABLE = "modis"  # sums of eight days


def read_camels_cl(
    root, gauge: str, rain: str = "cr2met", *, pet: str | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of CAMELS-CL, release of 2018 (``.txt``) or of 2022 (``_day.csv``).

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, one file a variable.
    gauge : str
    rain : str
        Product of precipitation: "cr2met", "chirps", "mswep", "tmpa", ...
    pet : str, optional
        Method by which to compute potential evaporation in place of the file's.
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
    Alvarez-Garreton, C., et al. (2018). Hydrol. Earth Syst. Sci. 22, 5817-5846.
    doi:10.5194/hess-22-5817-2018
    """
    gauge, root = str(gauge), Path(root)
    frames = []
    for name, stems in FILES.items():
        path = _file(root, [s.format(rain=rain) for s in stems if UNUSABLE not in s])
        if path is None:
            if name in ("precipitation", "discharge"):
                raise FileNotFoundError(f"{root}: no file of {name} ({stems[0].format(rain=rain)})")
            continue
        wide = path.suffix == ".csv"
        dates, separator = ("date", ",") if wide else ("gauge_id", "\t")
        table = read_wide(path, gauge, (dates,), separator)
        unit = "degC" if name.startswith("temperature") else "mm/d"
        frames.append(series(path, table, dates, {name: (gauge, unit)}))
    attrs = {"gauge": gauge, "source": f"CAMELS-CL, {rain}", **_place(root, gauge)}
    return assemble(f"{root}, {gauge}", frames, attrs=attrs, pet=pet, max_gap=max_gap)


def _file(root, stems):
    for stem in stems:
        for pattern in (f"{stem}_day.csv", f"*CAMELScl_{stem}.txt"):
            found = sorted(root.rglob(pattern))
            if found:
                return found[0]
    return None


def _place(root, gauge):
    """Read area, latitude and elevation from the attributes, whose gauges are columns."""
    for path in sorted(root.rglob("*CAMELScl_attributes.txt")):
        table = read_table(path, separator="\t", text=True)
        if gauge in table:
            table = table[[table.columns[0], gauge]].set_index(table.columns[0]).T
            names = {"area_km2": "area", "latitude": "gauge_lat", "elevation": "elev_mean"}
            return {k: float(numbers(path, table, c).iloc[0]) for k, c in names.items()}
    return {}
