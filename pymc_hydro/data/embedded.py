"""The two basins that the package carries."""

from importlib import resources
from typing import Any

import pandas as pd
import xarray as xr

from pymc_hydro.data.evaporation import oudin
from pymc_hydro.data.schema import as_basin

__all__ = ["BASINS", "load_basin"]

_COLUMNS = {
    "date": "time",
    "precip_mm": "precipitation",
    "pet_mm": "potential_evaporation",
    "tmean_c": "temperature",
    "flow_mm": "discharge",
}

BASINS: dict[str, dict[str, Any]] = {
    "leaf_river": {
        "title": "Leaf River near Collins, Mississippi, USA (USGS 02472000)",
        "area_km2": 1944.0,
        "latitude": 31.7,
        "source": "US National Weather Service and Geological Survey, public domain; the classic "
        "HYMOD benchmark record",
    },
    "fulda": {
        "title": "Fulda, Germany",
        "area_km2": 2976.41,
        "latitude": 50.6,
        "source": "example data of SPOTPY (MIT licence); potential evaporation after Oudin et al. "
        "(2005) from mean temperature",
    },
}


def load_basin(name: str) -> xr.Dataset:
    """Return an embedded basin.

    Parameters
    ----------
    name : {"leaf_river", "fulda"}
        Leaf River: rain-fed, daily, 1952-07-28 to 1962-09-30, no temperature. Fulda: rain and
        winter snow, daily, 1979 to 1988, potential evaporation computed from temperature.

    Returns
    -------
    Dataset
        On ``time``: precipitation, potential_evaporation, discharge in mm/d, and temperature in
        degC where it was measured. Without gaps.

    Raises
    ------
    KeyError
        If there is no such basin.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> dict(ph.load_basin("leaf_river").sizes)
    {'time': 3717}
    """
    if name not in BASINS:
        raise KeyError(f"unknown basin {name!r}; embedded are {', '.join(BASINS)}")
    file = resources.files("pymc_hydro.data") / "basins" / f"{name}.csv"
    with file.open(encoding="utf-8") as stream:
        frame = pd.read_csv(stream, parse_dates=["date"]).rename(columns=_COLUMNS)
    frame = frame[[c for c in _COLUMNS.values() if c in frame]].set_index("time")
    frame.index = frame.index.to_numpy().astype("datetime64[ns]")
    attributes = BASINS[name]
    if "potential_evaporation" not in frame:
        temperature, latitude = frame["temperature"].to_numpy(), attributes["latitude"]
        frame["potential_evaporation"] = oudin(temperature, frame.index, latitude)
    basin = as_basin(frame)
    return basin.assign_attrs(**attributes, time_label="start of the interval")
