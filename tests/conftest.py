import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from tests.tiny import Tiny

START = "2000-10-01"


def make_basin(precipitation, potential_evaporation, temperature, freq="D"):
    n = len(precipitation)
    columns = {
        "precipitation": precipitation,
        "potential_evaporation": potential_evaporation,
        "temperature": temperature,
    }
    time = pd.date_range(START, periods=n, freq=freq)
    variables = {k: ("time", np.broadcast_to(v, n).astype(float)) for k, v in columns.items()}
    return xr.Dataset(variables, coords={"time": time})


def make_forcings(n=60):
    """Five kinds of weather: rain-fed and snow-fed records, hours, drought, storms."""
    rng = np.random.default_rng(5)
    leaf = ph.load_basin("leaf_river").isel(time=slice(150, 150 + n))
    fulda = ph.load_basin("fulda").isel(time=slice(20, 20 + n))
    hours = np.arange(n)
    sun = np.maximum(np.sin(2 * np.pi * hours / 24), 0)
    return {
        "rain": leaf.assign(temperature=("time", 12 + 8 * np.sin(np.arange(n) / 9))),
        "cold": fulda,
        "hourly": make_basin(24 * rng.gamma(0.1, 3, n), 12 * sun, 1 + 6 * sun, freq="h"),
        "dry": make_basin(np.zeros(n), 7.0, 25.0),
        "storm": make_basin(np.where(np.arange(n) % 9 == 4, 300.0, 0.0), 3.0, 8.0),
    }


FORCINGS = make_forcings()


@pytest.fixture(scope="session", params=list(FORCINGS))
def weather(request):
    return FORCINGS[request.param]


@pytest.fixture(scope="session")
def leaf_river():
    return ph.load_basin("leaf_river")


@pytest.fixture
def rng():
    return np.random.default_rng(20261122)


@pytest.fixture(scope="session")
def tiny():
    return Tiny()


def draw_parameters(model, rng, n):
    """Logistic-uniform draws within the bounds, as in the published verification."""
    unit = 1 / (1 + np.exp(-rng.uniform(-3, 3, (n, len(model.parameters)))))
    return model.lower + (model.upper - model.lower) * unit
