"""CAMELS-US, hourly (Gauch et al. 2020)."""

import xarray as xr

from pymc_hydro.data.readers.assemble import assemble, series
from pymc_hydro.data.readers.files import find_file, numbers, open_netcdf, read_table

__all__ = ["read_camels_us_hourly"]

WARMEST = 100.0  # a higher mean temperature is in K
FLOWS = ("QObs(mm/h)", "QObs_CAMELS(mm/h)")


def read_camels_us_hourly(
    root, gauge: str, *, area: float | None = None, max_gap: int = 0
) -> xr.Dataset:
    """Read a basin of the hourly extension of CAMELS-US: NLDAS forcing, and discharge.

    Parameters
    ----------
    root : str or Path
        Folder that holds, at any depth, ``<gauge>_hourly_nldas.csv`` and
        ``<gauge>-usgs-hourly.csv``, or ``usgs-streamflow-nldas_hourly.nc`` with everything.
    gauge : str
        Eight characters, with leading zeros.
    area : float, in km2, optional
        Kept as attribute only.
    max_gap : int
        Gaps of the forcing up to this many hours are interpolated, with a warning.

    Returns
    -------
    Dataset
        Times in UTC, as in the files; fluxes as rates in mm/d. Negative potential evaporation
        (dew, at night) is set to zero with a warning.

    Raises
    ------
    FileNotFoundError, KeyError, ValueError

    References
    ----------
    Gauch, M., et al. (2021). Hydrol. Earth Syst. Sci. 25, 2045-2062.
    doi:10.5194/hess-25-2045-2021. Data: doi:10.5281/zenodo.4072701
    """
    gauge = str(gauge)
    attrs = {"gauge": gauge, "area_km2": area, "source": "CAMELS-US hourly, NLDAS"}
    try:
        path = find_file(root, f"{gauge}_hourly_nldas.csv", gauge)
    except FileNotFoundError:
        path = find_file(root, "usgs-streamflow-nldas_hourly.nc", gauge)
        table, flow, column = *(_from_netcdf(path, gauge),) * 2, "qobs_mm_per_hour"
        source = path
    else:
        table = read_table(path)
        source = find_file(root, f"{gauge}-usgs-hourly.csv", gauge)
        flow = read_table(source)
        column = next((c for c in FLOWS if c in flow), FLOWS[0])
    warm = numbers(path, table, "temperature").mean() < WARMEST
    columns = {
        "precipitation": ("total_precipitation", "mm/h"),
        "potential_evaporation": ("potential_evaporation", "mm/h"),
        "temperature": ("temperature", "degC" if warm else "K"),
    }
    weather = series(path, table, "date", columns)
    observed = series(source, flow, "date", {"discharge": (column, "mm/h")})
    frames = [weather, observed.reindex(weather.index)]
    return assemble(path, frames, attrs=attrs, max_gap=max_gap)


def _from_netcdf(path, gauge):
    with open_netcdf(path) as data:
        known = data["basin"].values.astype(str)
        if gauge not in known:
            raise KeyError(f"{path}: no basin {gauge!r}; there are {len(known)}")
        at = int((known == gauge).argmax())
        names = ["total_precipitation", "potential_evaporation", "temperature", "qobs_mm_per_hour"]
        table = data[names].isel(basin=at).drop_vars("basin").to_dataframe().reset_index()
    return table
