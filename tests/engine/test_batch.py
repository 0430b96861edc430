from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.data.records import as_basins, common_time
from pymc_hydro.engine.batch import record_bounds, run_batch
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array, simulate
from pymc_hydro.testing.checks import draw_parameters

MODEL = ph.Hymod(snow=False)
LEAF = ph.load_basin("leaf_river")
# One within the other, one apart from both, of three lengths.
BASINS = {
    "long": LEAF.isel(time=slice(100, 500)),
    "short": LEAF.isel(time=slice(300, 345)),
    "later": LEAF.isel(time=slice(900, 1020)),
}
UNSTABLE = np.array([5, 10, 0.5, 0.1, 1.0])  # for explicit steps of half a day


def single(theta, basin, **kwargs):
    return simulate(MODEL, theta, basin, **kwargs)


@pytest.mark.parametrize("sensitivities", [False, True])
def test_several_basins_are_single_runs_bit_for_bit(rng, sensitivities):
    draws = draw_parameters(MODEL, rng, 3)
    run = simulate(MODEL, draws, BASINS, ("discharge", "S_u"), sensitivities)
    assert run["S_u"].dims == ("basin", "draw", "time")
    assert list(run["basin"].values) == list(BASINS)
    assert run.sizes["time"] == 520  # of all basins, without what lies between them
    for name, basin in BASINS.items():
        for i, theta in enumerate(draws):
            alone = single(theta, basin, outputs=("discharge", "S_u"), sensitivities=sensitivities)
            found = run.sel(basin=name, draw=i)
            xr.testing.assert_equal(found.sel(time=basin["time"]).drop_vars("basin"), alone)
            assert found["discharge"].notnull().sum() == basin.sizes["time"]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_do_not_depend_on_threads(rng, threads):
    problem = define_problem(MODEL, ("discharge",), 1.0)
    forcing = forcing_array(MODEL, LEAF)[:600]
    record = np.repeat([0, 1, 3], [100, 450, 50])  # the third has no interval
    bounds = record_bounds(record, 4)
    assert bounds.tolist() == [0, 100, 550, 550, 600]
    theta = draw_parameters(MODEL, rng, 8).reshape(2, 4, -1)
    x0 = rng.uniform(0, 5, (2, 4, len(MODEL.stores)))
    kwargs = {"sensitivities": True, "initial": True}
    batch = run_batch(problem, theta, forcing, x0, bounds, threads=threads, **kwargs)
    for v in range(2):
        for r in range(4):
            part = slice(*bounds[r : r + 2])
            run = problem.run(theta[v, r], forcing[part], x0[v, r], **kwargs)
            np.testing.assert_array_equal(batch.values[v, part], run.values)
            np.testing.assert_array_equal(batch.jacobian[v, part], run.jacobian)
            np.testing.assert_array_equal(batch.counts[v, r], run.counts)


def test_parameters_of_each_basin(rng):
    vectors = dict(zip(BASINS, draw_parameters(MODEL, rng, 3), strict=True))
    array = xr.DataArray(
        list(vectors.values()),
        {"basin": list(BASINS), "parameter": list(MODEL.parameter_names)},
        ("basin", "parameter"),
    )
    by_name = {k: dict(zip(MODEL.parameter_names, v, strict=True)) for k, v in vectors.items()}
    # The rate of the slow store by basin, the others for all: as a hierarchical posterior has them.
    mixed = array.sel(basin="long").to_series().to_dict()
    mixed |= {"K_s": array.sel(parameter="K_s")}
    for theta in (vectors, array, by_name, mixed):
        run = simulate(MODEL, theta, BASINS)["discharge"]
        for name, basin in BASINS.items():
            expected = dict(by_name["long"] if theta is mixed else by_name[name])
            expected["K_s"] = by_name[name]["K_s"]
            alone = single(expected, basin)["discharge"]
            np.testing.assert_array_equal(run.sel(basin=name, time=basin["time"]), alone)


def test_dataset_with_padded_ends_is_ragged():
    names = list(BASINS)
    padded = xr.concat(
        [b.reindex(time=LEAF["time"]) for b in BASINS.values()], pd.Index(names, name="basin")
    )
    gap = padded["discharge"].sel(basin="long", time=LEAF["time"][200])
    assert gap.notnull()
    first = simulate(MODEL, MODEL.default, padded)["discharge"]
    xr.testing.assert_equal(first, simulate(MODEL, MODEL.default, BASINS)["discharge"])
    # In the middle nothing may be missing, nor may everything.
    holed = padded.copy(deep=True)
    holed["precipitation"][0, 200] = np.nan
    with pytest.raises(ValueError, match="'long': basin: 'precipitation' has 1 values"):
        simulate(MODEL, MODEL.default, holed)
    with pytest.raises(ValueError, match="'long': basin: no interval has all of precipitation"):
        simulate(MODEL, MODEL.default, padded.isel(time=slice(600, 700)))


def test_failure_names_basin_draw_and_date():
    draws = np.array([MODEL.default, UNSTABLE])
    thetas = {"long": MODEL.default[None].repeat(2, 0), "short": draws, "later": draws}
    with pytest.raises(ph.IntegrationError) as caught:
        simulate(MODEL, thetas, BASINS, steps=2, solver="heun")
    message = str(caught.value)
    assert "basin 'short', draw 1, the integration failed in the interval that starts at" in message
    assert "S_umax = 5," in message


def test_time_of_all_basins():
    basins = [BASINS[k] for k in ("later", "long", "short")]
    time, first = common_time(basins)
    assert (np.diff(time) > np.timedelta64(0, "ns")).all() and first.tolist() == [400, 0, 200]
    for basin, at in zip(basins, first, strict=True):
        expected = basin["time"].values.astype(time.dtype)
        np.testing.assert_array_equal(time[at : at + expected.size], expected)


def test_dates_that_nanoseconds_cannot_hold():
    """Of a long reconstruction, say: they stay what they are."""
    early = np.datetime64("1500-01-01", "s") + np.arange(45) * np.timedelta64(1, "D")
    basins = [BASINS["short"].assign_coords(time=early + np.timedelta64(n, "D")) for n in (0, 3)]
    time, first = common_time(basins)
    assert first.tolist() == [0, 3] and str(time[[0, -1]].astype("datetime64[D]")) == (
        "['1500-01-01' '1500-02-17']"
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda b: b.assign_coords(time=b["time"] + np.timedelta64(1, "h")),
            ValueError,
            "same moments, found 1952-11-05 00:00:00 and 1953-05-24 01",
        ),
        (lambda b: b.isel(time=slice(None, None, 2)), ValueError, "one length, found 'long' 1 d"),
        (lambda b: b.drop_vars("precipitation"), KeyError, "'short': basin: missing 'precipit"),
        (lambda b: b["precipitation"], TypeError, "'short': basin: expected an xarray Dataset"),
    ],
)
def test_basins_that_do_not_fit(change, error, message):
    with pytest.raises(error, match=message):
        simulate(MODEL, MODEL.default, BASINS | {"short": change(BASINS["short"])})


def test_parameters_that_do_not_fit():
    draws = MODEL.default[None].repeat(2, 0)
    one = dict.fromkeys(BASINS, MODEL.default)
    with pytest.raises(ValueError, match="as many draws in each basin, found 'long' one"):
        simulate(MODEL, one | {"short": draws}, BASINS)
    with pytest.raises(KeyError, match=r"theta by basin: missing \['later'\]"):
        simulate(MODEL, {k: one[k] for k in ("long", "short")}, BASINS)
    with pytest.raises(ValueError, match="basins: none are given"):
        as_basins({})


def test_basins_of_one_dataset_are_those_of_a_mapping():
    alone = {k: BASINS["long"].isel(time=slice(n, None)) for k, n in (("a", 0), ("b", 7))}
    together = xr.concat(alone.values(), "basin", join="outer").assign_coords(basin=list(alone))
    found = as_basins(together, list(alone["a"].data_vars))
    for name, basin in as_basins(alone).items():
        xr.testing.assert_equal(found[name], basin)


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_as_asked_for(threads, rng, monkeypatch):
    pools = []

    class Noted(ThreadPoolExecutor):
        def __init__(self, n):
            pools.append(n)
            super().__init__(n)

    monkeypatch.setattr("pymc_hydro.engine.batch.ThreadPoolExecutor", Noted)
    problem = define_problem(MODEL, ("discharge",), 1.0)
    theta = draw_parameters(MODEL, rng, 4)[:, None]
    forcing = forcing_array(MODEL, BASINS["short"])
    x0 = np.zeros((4, 1, len(MODEL.stores)))
    run_batch(problem, theta, forcing, x0, np.array([0, len(forcing)]), threads=threads)
    assert pools == ([] if threads == 1 else [threads])
