"""Many basins, one by one: the table, executors, the store and what goes wrong."""

import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.calibration.basins.each import _validation_score
from tests.conftest import FORCINGS
from tests.tiny import Tiny

MODEL = Tiny()
OPTIONS = {"loss": "kge", "warmup": 10, "starts": 3, "hops": 0, "random_seed": 1}


def record(a, rng):
    basin = FORCINGS["storm"].assign_attrs(latitude=47.5, longitude="8 E")
    flow = ph.simulate(MODEL, {"a": a, "k": 0.4}, basin)["discharge"]
    return basin.assign(discharge=flow * rng.uniform(0.9, 1.1, flow.size))


@pytest.fixture
def basins(rng):
    return {f"b{i}": record(a, rng) for i, a in enumerate((0.005, 0.01, 0.02))}


def reader():
    return record(0.03, np.random.default_rng(4))


def test_rows_are_the_calibrations(basins):
    days = FORCINGS["storm"]["time"].values
    options = OPTIONS | {"period": (days[10], days[35]), "validation": (days[36], days[-1])}
    fits = ph.calibrate(MODEL, basins, **options)
    assert fits["parameters"].dims == ("basin", "parameter")
    assert (fits["status"] == 1).all() and (fits["seconds"] > 0).all()
    assert (fits["latitude"] == 47.5).all() and fits["longitude"].isnull().all()  # no number
    for name, basin in basins.items():
        one, row = ph.calibrate(MODEL, basin, **options, cores=1), fits.sel(basin=name)
        for parameter in MODEL.parameter_names:
            assert row["parameters"].sel(parameter=parameter) == one.theta[parameter]
            error = one.theta[parameter].attrs["standard_error"]
            assert row["standard_error"].sel(parameter=parameter) == error
        np.testing.assert_array_equal(row["covariance"], one.covariance)
        assert float(row["score"]) == pytest.approx(one.scores["kge"], rel=1e-12)
        assert float(row["validation_score"]) == pytest.approx(
            one.validation_scores["kge"], rel=1e-12
        )
        assert row["integrations"] == one.history["evaluations"].sum()


@pytest.mark.kernels
def test_threads_processes_and_datasets_give_the_same(basins):
    basins = {**basins, "read": reader}
    with ThreadPoolExecutor(2) as threads:
        one = ph.calibrate(MODEL, basins, **OPTIONS, executor=threads)
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        two = ph.calibrate(MODEL, basins, **OPTIONS, executor=processes)
    for name in ("parameters", "covariance", "score", "message"):
        np.testing.assert_array_equal(one[name], two[name])
    whole = xr.concat([basins[n] for n in ("b0", "b1")], xr.Variable("basin", ["b0", "b1"]))
    three = ph.calibrate(MODEL, whole, **OPTIONS)
    np.testing.assert_array_equal(three["parameters"], one["parameters"][:2])


def test_a_failure_is_a_row(basins):
    bad, torrent = (basins[name].copy(deep=True) for name in ("b1", "b2"))
    bad["precipitation"].values[3] = -999
    torrent["precipitation"].values[12:17] = 5000  # too much for a fixed step

    def broken():
        raise OSError("no such file")

    four = {"good": basins["b0"], "bad": bad, "none": broken, "torrent": torrent}
    fits = ph.calibrate(MODEL, four, **OPTIONS, steps=1)
    assert fits["status"].values.tolist() == [1, 2, 2, 2]
    assert "failed at all" in str(fits["message"].sel(basin="torrent").values)
    assert "precipitation" in str(fits["message"].sel(basin="bad").values)
    assert str(fits["message"].sel(basin="none").values) == "OSError: no such file"
    assert np.isnan(fits["parameters"][1:]).all()


def test_a_store_is_continued(basins, tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    store = tmp_path / "fits.zarr"
    first = ph.calibrate(MODEL, basins, **OPTIONS, store=store)
    kept = xr.open_zarr(store, consolidated=False)
    np.testing.assert_array_equal(kept["parameters"], first["parameters"])
    changed = basins | {"b2": basins["b2"].assign(discharge=basins["b2"]["discharge"] * 1.1)}
    again = ph.calibrate(MODEL, changed, **OPTIONS, store=store)
    # What was there was not calibrated again; what had changed was.
    assert (again["seconds"][:2] == first["seconds"][:2]).all()
    assert again["seconds"][2] != first["seconds"][2]
    assert (again["parameters"][2] != first["parameters"][2]).any()
    with pytest.raises(ValueError, match="with other settings"):
        ph.calibrate(MODEL, basins, **OPTIONS | {"loss": "nse"}, store=store)
    with pytest.raises(ValueError, match="is of 3 basins, and 1 are given"):
        ph.calibrate(MODEL, {"b0": basins["b0"]}, **OPTIONS, store=store)


KILLED = """
import sys, time
import numpy as np
from tests.calibration.test_many import MODEL, OPTIONS, record
import pymc_hydro as ph

def slow():
    time.sleep(600)

if __name__ == "__main__":
    rng = np.random.default_rng(1)
    basins = {"a": record(0.01, rng), "b": record(0.02, rng), "slow": slow}
    ph.calibrate(MODEL, basins, **OPTIONS, store=sys.argv[1])
"""


def test_scores_of_a_validation_period():
    """Without its warm-up; none without a period, of several losses, of means of several days."""
    observed, simulated = np.array([9.0, 1, 2, 4]), np.array([0.0, 1, 2, 3])
    flows = {"observed_discharge": ("time", observed), "discharge": ("time", simulated)}
    run = xr.Dataset(flows, attrs={"warmup": 1})
    score = ph.losses.nse(observed[1:], simulated[1:])
    assert _validation_score(SimpleNamespace(validation=run), "nse", None) == score
    means = run.copy()
    means["observed_discharge"].attrs["means"] = "7D"
    for validation, loss in ((None, "nse"), (run, {"nse": 1.0}), (means, "nse")):
        assert np.isnan(_validation_score(SimpleNamespace(validation=validation), loss, None))


@pytest.mark.kernels
def test_a_kill_loses_only_what_was_in_flight(tmp_path):
    pytest.importorskip("zarr")
    store = tmp_path / "fits.zarr"
    job = subprocess.Popen([sys.executable, "-c", KILLED, str(store)])
    try:
        limit = time.time() + 120
        while time.time() < limit and job.poll() is None:
            time.sleep(0.5)
            if all((store / "record" / row).exists() for row in "01"):
                break
        assert job.poll() is None
    finally:
        job.kill()
        job.wait()
    before = xr.open_zarr(store, consolidated=False).load()
    assert before["status"].values.tolist() == [1, 1, 0]
    rng = np.random.default_rng(1)
    basins = {"a": record(0.01, rng), "b": record(0.02, rng), "slow": reader}
    after = ph.calibrate(MODEL, basins, **OPTIONS, store=store)
    assert after["status"].values.tolist() == [1, 1, 1]
    np.testing.assert_array_equal(after["seconds"][:2], before["seconds"][:2])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"basin": {}}, "no basin is given"),
        ({"cores": 2}, "on one core"),
        ({"basin": FORCINGS["storm"], "store": "x.zarr"}, "are for several basins"),
    ],
)
def test_arguments_that_make_no_sense(basins, changed, message):
    arguments = {"basin": basins} | OPTIONS | changed
    with pytest.raises(ValueError, match=message):
        ph.calibrate(MODEL, **arguments)


def test_parameters_in_common(basins):
    """The mean score of single simulations has its optimum there, along every axis."""
    options = {"loss": "kge", "warmup": 10, "starts": 4, "random_seed": 1}
    fits = ph.calibrate(MODEL, basins, **options, shared=["k"])
    theta = fits["parameters"]
    assert np.ptp(theta.sel(parameter="k").values) == 0
    assert (np.diff(theta.sel(parameter="a").values) > 0).all()
    assert fits.attrs["shared"] == "k"

    def mean_score(logs):
        flows = [
            ph.simulate(MODEL, np.exp([a, logs[-1]]), b)["discharge"].values[10:]
            for a, b in zip(logs, basins.values(), strict=False)
        ]
        scores = [
            ph.losses.kge(b["discharge"].values[10:], q)
            for b, q in zip(basins.values(), flows, strict=True)
        ]
        return -np.mean(scores)

    best = np.log([*theta.sel(parameter="a").values, float(theta[0, 1])])
    assert mean_score(best) == pytest.approx(-float(fits["score"].mean()), abs=1e-12)
    middle = mean_score(best)
    for axis in 0.02 * np.eye(4):
        low, high = mean_score(best - axis), mean_score(best + axis)
        bend = low - 2 * middle + high
        assert bend > 0 and abs(high - low) / (2 * bend) < 0.05  # of a step to the vertex
    one = ph.calibrate(MODEL, basins, **options, shared=True)
    assert (one["parameters"] == one["parameters"][0]).all()
    assert one["score"].mean() < fits["score"].mean()
    with pytest.raises(ValueError, match="store have no meaning for parameters in common"):
        ph.calibrate(MODEL, basins, **options, shared=True, store="x.zarr")
    with pytest.raises(KeyError, match="shared: unknown"):
        ph.calibrate(MODEL, basins, **options, shared=["x"])
