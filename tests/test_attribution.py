"""Derivatives by the forcing against differences of runs with the same steps."""

import matplotlib
import numpy as np
import pytest

import pymc_hydro as ph
from tests.conftest import FORCINGS
from tests.tiny import Tiny

MODEL = Tiny()
BASIN = FORCINGS["rain"] + 0.5  # so that less of any day's forcing is possible
TIME = BASIN["time"].values
FIXED = {"steps": 8, "solver": "bogacki_shampine"}
NAMES = MODEL.forcing_names


def number(basin, of, at):
    return ph.attribute(MODEL, MODEL.default, basin, of, at, **FIXED).attrs["value"]


@pytest.fixture
def observed(rng):
    flow = ph.simulate(MODEL, MODEL.default, BASIN)["discharge"]
    return BASIN.assign(discharge=flow * rng.uniform(0.7, 1.4, flow.size))


@pytest.mark.parametrize(
    ("of", "at"),
    [
        ("discharge", "peak"),
        ("discharge", TIME[40]),
        ("S", slice(TIME[30], TIME[34])),
        ("nse", slice(TIME[20], None)),
        (ph.losses.rmse, "peak"),
    ],
)
def test_derivatives_are_those_of_differences(of, at, observed):
    found = ph.attribute(MODEL, MODEL.default, observed, of, at, **FIXED)
    last = np.flatnonzero(observed["time"].values == np.datetime64(found.attrs["last"]))[0]
    for name in NAMES:
        for k in (0, 12, 38, 45):
            ends = []
            for h in (1e-4, -1e-4):
                moved = observed.copy(deep=True)
                moved[name].values[k] += h
                ends.append(number(moved, of, at))
            slope = (ends[0] - ends[1]) / 2e-4
            derivative = found[f"by_{name}"].values[k]
            assert derivative == pytest.approx(slope, rel=1e-5, abs=1e-8), (name, k)
            assert k <= last or derivative == 0  # the future has no effect


def test_a_period_has_the_mean(observed):
    found = ph.attribute(MODEL, MODEL.default, observed, at=slice("1953-01-10", "1953-01-12"))
    flow = found["discharge"].sel(time=slice("1953-01-10", "1953-01-12"))
    assert found.attrs["value"] == pytest.approx(float(flow.mean()), rel=1e-12)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"of": "runoff"}, KeyError, "neither an output of Tiny"),
        ({"at": "1850-01-01"}, ValueError, "no interval in the record"),
        ({"at": "soon"}, ValueError, "must be 'peak', a date"),
        ({"of": "nse"}, KeyError, "no discharge for the score"),
        ({"theta": np.tile(MODEL.default, (2, 1))}, ValueError, "must be one vector"),
    ],
)
def test_arguments_that_make_no_sense(changed, error, message):
    arguments = {"theta": MODEL.default, "basin": BASIN.drop_vars("discharge", errors="ignore")}
    with pytest.raises(error, match=message):
        ph.attribute(MODEL, **arguments | changed)


def test_plot(observed):
    matplotlib.use("Agg")
    found = ph.attribute(MODEL, MODEL.default, observed, **FIXED)
    axes = ph.plots.plot_attribution(found, basin=observed)
    assert len(axes) == 1 + len(NAMES)
    assert axes[1].get_ylabel() == "by precipitation"
