"""Five kinds of weather to check a model in."""

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data import load_basin
from pymc_hydro.data.schema import checked_basin

__all__ = ["make_basin", "weathers"]


def make_basin(precipitation, potential_evaporation, temperature, freq="D") -> xr.Dataset:
    """Return forcing on an equidistant time axis; numbers are repeated."""
    n = len(precipitation)
    columns = {
        "precipitation": precipitation,
        "potential_evaporation": potential_evaporation,
        "temperature": temperature,
    }
    time = pd.date_range("2000-10-01", periods=n, freq=freq)
    variables = {k: ("time", np.broadcast_to(v, n).astype(float)) for k, v in columns.items()}
    return xr.Dataset(variables, coords={"time": time})


def weathers(n: int = 60) -> dict[str, xr.Dataset]:
    """Return `n` intervals each of rain-fed and snow-fed record, hours, drought and storms.

    "rain" is Leaf River with a sine of temperature, "cold" the Fulda in winter; "storm" has
    300 mm/d every ninth day.
    """
    rng = np.random.default_rng(5)
    leaf = load_basin("leaf_river").isel(time=slice(150, 150 + n))
    fulda = load_basin("fulda").isel(time=slice(20, 20 + n))
    count = np.arange(n)
    sun = np.maximum(np.sin(2 * np.pi * count / 24), 0)
    found = {
        "rain": leaf.assign(temperature=("time", 12 + 8 * np.sin(count / 9))),
        "cold": fulda,
        "hourly": make_basin(24 * rng.gamma(0.1, 3, n), 12 * sun, 1 + 6 * sun, freq="h"),
        "dry": make_basin(np.zeros(n), 7.0, 25.0),
        "storm": make_basin(np.where(count % 9 == 4, 300.0, 0.0), 3.0, 8.0),
    }
    return {name: checked_basin(basin, ("day_of_year",)) for name, basin in found.items()}
