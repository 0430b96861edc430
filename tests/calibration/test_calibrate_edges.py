"""Calibrations at the edge: few observations, failing runs, dates of all kinds."""

import datetime

import numpy as np
import pandas as pd
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from tests.tiny import Tiny

MODEL = ph.Hymod(snow=False)
BASIN = ph.load_basin("leaf_river").isel(time=slice(0, 500))
AFTER = f"{BASIN.indexes['time'][-1] + pd.Timedelta(1, 'D'):%Y-%m-%d}"
START = [250, 0.6, 0.7, 0.02, 0.9]


@pytest.fixture(scope="module")
def fragile():
    """A model whose single fixed step fails for most rates within the bounds."""
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 600))
    run = ph.simulate(Tiny(), [0.004, 0.4], basin, steps=1)
    return basin.assign(discharge=run["discharge"])


def test_fewer_observations_than_parameters_say_so():
    observed = np.where(np.arange(500) >= 497, BASIN["discharge"], np.nan)
    fit = ph.calibrate(MODEL, BASIN, "ssr", starts=START, observed=observed, hops=0)
    inner = fit.theta.map(lambda p: p.attrs["at_bound"]).to_array().values == 0
    assert np.isnan(fit.standard_errors.values[inner]).all()
    values, vectors = fit.identifiability["singular_value"], fit.identifiability["direction"]
    assert values.size == inner.sum() > 3 and (values.values[3:] < 1e-10 * values.values[0]).all()
    # The weakest one is a direction, along which the residuals do not change.
    np.testing.assert_allclose(np.linalg.norm(vectors.values, axis=1), 1, rtol=1e-12)
    assert "Weakest direction: " in repr(fit)


def test_an_interval_of_weight_zero_is_no_observation():
    weights = np.zeros(135)
    weights[50:] = 1
    missing = BASIN["discharge"].values.copy()
    missing[:415] = np.nan
    options = {"starts": START, "hops": 0}
    fit = ph.calibrate(MODEL, BASIN, "ssr", loss_options={"weights": weights}, **options)
    same = ph.calibrate(MODEL, BASIN, "ssr", observed=missing, **options)
    np.testing.assert_allclose(fit.loss, same.loss, rtol=1e-12)
    np.testing.assert_allclose(fit.standard_errors, same.standard_errors, rtol=1e-9)
    with pytest.raises(ValueError, match="all observations are zero"):
        ph.calibrate(MODEL, BASIN, "ssr", loss_options={"weights": 0 * weights}, **options)


@pytest.mark.parametrize(
    ("method", "space"),
    [
        ("trf", "unit cube"),
        ("lm", "unconstrained"),
        ("SLSQP", "unit cube"),
        ("L-BFGS-B", "unconstrained"),
        ("trust-constr", "unit cube"),
    ],
)
def test_a_start_that_fails_moves_to_the_middle(method, space, fragile):
    fit = ph.calibrate(
        Tiny(),
        fragile,
        starts=[[0.9, 0.4]],
        warmup=20,
        steps=1,
        method=method,
        search_space=space,
        bounds={"a": (1e-3, 1)},
    )
    assert int(fit.history["failed"][0]) > 0 and "nearer to the middle" in fit.message
    np.testing.assert_allclose(Tiny().parameter_vector(fit.theta), [0.004, 0.4], rtol=1e-3)
    assert "failed" in repr(fit)


@pytest.mark.filterwarnings("ignore:basin. precipitation is .* on average:UserWarning")
def test_a_failing_validation_does_not_lose_the_calibration(fragile):
    rain = fragile["precipitation"].values.copy()
    rain[450:455] = 3000
    with pytest.warns(UserWarning, match="no validation, the run of its period failed"):
        fit = ph.calibrate(
            Tiny(),
            fragile.assign(precipitation=("time", rain)),
            starts=[[0.003, 0.3]],
            warmup=20,
            steps=1,
            period=("1952-09-01", "1953-06-30"),
            validation=("1953-08-01", "1954-02-01"),
        )
    assert fit.validation is None and fit.validation_scores is None
    assert fit.scores["nse"] > 0.9999


def test_a_loss_that_is_no_number_is_no_failed_integration():
    def picky(observed, simulated):
        there = np.flatnonzero(np.isfinite(observed))
        residual = observed[there] - simulated[there]
        return (residual**2).mean() + 0 * pt.log(0.5 + residual.mean())

    starts = [START, [50, 1.5, 0.2, 0.3, 0.2]]
    fit = ph.calibrate(MODEL, BASIN, picky, starts=starts, hops=1, random_seed=1)
    undefined = int(sum(fit.history[p + "undefined"].sum() for p in ("", "hop_", "final_")))
    assert int(fit.history["failed"].sum()) == 0 and undefined > 0
    assert f"0 failed, and {undefined} had a loss that is no number" in repr(fit)


def test_a_loss_must_depend_on_the_simulation():
    def constant(observed, simulated):
        return pt.as_tensor(np.nansum(observed))

    with pytest.raises(TypeError, match="does not depend on the simulated series"):
        ph.calibrate(MODEL, BASIN, constant)


def test_a_date_without_time_is_all_of_its_day():
    hours = pd.date_range("2001-01-01", periods=240, freq="6h")
    rng = np.random.default_rng(3)
    basin = ph.Hymod(snow=False)
    data = pd.DataFrame(
        {
            "precipitation": rng.gamma(0.5, 8, 240),
            "potential_evaporation": np.full(240, 2.0),
            "discharge": rng.gamma(2, 1, 240),
        },
        index=hours.rename("time"),
    )
    fits = [
        ph.calibrate(basin, data, starts=START, hops=0, warmup="5D", period=period)
        for period in (
            ("2001-01-11", "2001-02-20"),
            (datetime.date(2001, 1, 11), datetime.date(2001, 2, 20)),
            (np.datetime64("2001-01-11"), np.datetime64("2001-02-20")),
        )
    ]
    assert [f.simulation["time"].values[-1] for f in fits] == [np.datetime64("2001-02-20T18")] * 3
    assert fits[0].settings["calibration"] == "2001-01-11 00:00 to 2001-02-20 18:00"
    assert fits[0].simulation.attrs["warmup"] == 20


def test_starts_by_name():
    starts = [dict(zip(MODEL.parameter_names, START, strict=True))] * 2
    starts[1] = {**starts[1], "S_umax": 100.0}
    options = {"hops": 0, "random_seed": 1}
    listed = ph.calibrate(MODEL, BASIN, starts=starts, **options)
    frame = pd.DataFrame(starts)[list(MODEL.parameter_names[::-1])]
    framed = ph.calibrate(MODEL, BASIN, starts=frame, **options)
    np.testing.assert_allclose(listed.history["first"][:, 0], [250, 100], rtol=1e-12)
    np.testing.assert_array_equal(listed.history["first"], framed.history["first"])


@pytest.mark.parametrize("method", ["trf", "L-BFGS-B", "SLSQP", "trust-constr"])
def test_a_start_in_a_corner_can_leave_it(method):
    options = {"starts": [300, 1, 1.0, 0.01, 100.0], "bounds": {"K_f": (0.1, 100)}}
    fit = ph.calibrate(MODEL, BASIN, method=method, search_space="unconstrained", **options)
    assert fit.gradient_norm < 1e-3 and fit.scores["nse"] > 0.85


def test_masked_observations_are_missing():
    values = BASIN["discharge"].values.copy()
    values[400:420] = -99
    masked = np.ma.masked_less(values, 0)
    options = {"starts": START, "hops": 0}
    fit = ph.calibrate(MODEL, BASIN, observed=masked, **options)
    same = ph.calibrate(MODEL, BASIN, observed=masked.filled(np.nan), **options)
    assert fit.loss == same.loss


def test_files_of_others(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no calibration")
    with pytest.raises(ValueError, match="no calibration that was saved"):
        ph.Calibration.load(path)
    with pytest.raises(FileNotFoundError):
        ph.Calibration.load(tmp_path / "nothing.nc")


TWICE = pd.Series(np.ones(4), pd.DatetimeIndex(["1953-01-01"] * 2 + ["1953-01-02"] * 2))


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"model": ph.Hymod}, TypeError, "call the class first"),
        ({"period": ("a", "b")}, ValueError, "a pair of dates"),
        ({"period": ("1953-10-01", "1953-02-30")}, ValueError, "a pair of dates"),
        ({"period": ("1953-10-01", "2000-01-01")}, ValueError, "period ends at 2000-01-01, but"),
        (
            {"period": ("1953-10-01", AFTER)},  # the first day that the record does not have
            ValueError,
            f"period ends at {AFTER}, but",
        ),
        ({"period": 1953}, ValueError, "a pair of dates"),
        ({"bounds": {"K_f": 5}}, ValueError, "bounds of K_f must be two numbers"),
        ({"bounds": {"K_f": ("a", "b")}}, ValueError, "bounds of K_f must be two numbers"),
        ({"bounds": {"K_f": (0, np.inf)}}, ValueError, "bounds of K_f must be finite"),
        (
            {"bounds": {"K_f": (-1, 2)}},
            ValueError,
            r"lower bound of K_f, -1, is outside its domain \[0, inf\]",
        ),
        (
            {"bounds": {"alpha": (0.2, 1.5)}},
            ValueError,
            r"upper bound of alpha, 1.5, is outside its domain \[0, 1\]",
        ),
        ({"fixed": {"alpha": "a"}}, ValueError, "fixed alpha must be a number"),
        ({"fixed": {"alpha": None}}, ValueError, "fixed alpha must be a number"),
        ({"warmup": None}, ValueError, "whole number of intervals"),
        ({"warmup": np.nan}, ValueError, "whole number of intervals"),
        (
            {"observed": np.full(500, -999.0)},
            ValueError,
            "'discharge': observations have 500 values of -999",
        ),
        ({"fixed": ["alpha"]}, TypeError, "fixed must map names to values"),
        ({"starts": {"alpha": 0.5}, "fixed": {"alpha": 0.6}}, KeyError, "lacks S_umax"),
        (
            {"starts": dict(zip(MODEL.parameter_names, START, strict=True)), "fixed": {"alpha": 1}},
            ValueError,
            "alpha = 0.7, which is fixed at 1",
        ),
        ({"observed": TWICE}, ValueError, "1953-01-01 00:00:00 twice"),
        ({"observed": TWICE[:0]}, ValueError, "do not overlap"),
        ({"starts": 2.0}, ValueError, "starts must be a whole number"),
        ({"starts": None}, ValueError, "starts must be a whole number"),
        ({"starts": np.empty((0, 5))}, ValueError, "must have shape"),
        ({"random_seed": np.random.default_rng(1)}, ValueError, "seed must be a whole number"),
        ({"cores": -1}, ValueError, "cores must be a whole number of at least 1"),
        ({"hops": None}, ValueError, "hops must be a whole number"),
        ({"perod": ("1953", "1954")}, TypeError, "unknown argument 'perod'; did you mean 'period'"),
        ({"free": ["alpha"]}, TypeError, "unknown argument 'free'"),
    ],
)
def test_arguments_that_make_no_sense(kwargs, error, message):
    with pytest.raises(error, match=message):
        ph.calibrate(**{"model": MODEL, "basin": BASIN, **kwargs})


def test_the_former_name_of_the_seed_works_and_warns():
    options = {"starts": 2, "hops": 0}
    with pytest.warns(FutureWarning, match="calibrate: seed is now called random_seed"):
        former = ph.calibrate(MODEL, BASIN, seed=4, **options)
    fit = ph.calibrate(MODEL, BASIN, random_seed=4, **options)
    np.testing.assert_array_equal(fit.history["first"], former.history["first"])
    with pytest.raises(TypeError, match="seed is the former name of random_seed"):
        ph.calibrate(MODEL, BASIN, seed=4, random_seed=4, **options)


def test_snow_parameters_of_a_place_without_snow_have_no_effect():
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 700))
    season = np.cos(2 * np.pi * (basin["time"].dt.dayofyear - 15) / 365)
    basin = basin.assign(temperature=20 - 5 * season)
    model = ph.Hymod()
    fit = ph.calibrate(model, basin, starts=model.default, hops=0, progressbar=False)
    for name in model.parameter_names:
        found = fit.theta[name].attrs
        assert found["no_effect"] == (name in ("T_tr", "f_dd")), name
        assert np.isnan(found["standard_error"]) == (name in ("T_tr", "f_dd"))
    assert str(fit).count("no effect") == 2
