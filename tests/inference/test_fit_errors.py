"""Error parameters at given hydrologic ones, against models with fixed hydrologic parameters."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import pymc_hydro as ph
from tests.inference.test_workflow import FIRST, SECOND, THETA, WARMUP
from tests.tiny import IN_MODELS, Tiny

OTHER = {"a": 0.03, "k": 0.4}
POSTERIOR = xr.Dataset(
    {k: (("chain", "draw"), [[THETA[k], OTHER[k]]]) for k in THETA}
    | {"flow_s0": (("chain", "draw"), [[9.0, 9.0]])}  # of the first stage: of no importance
)


@pytest.fixture(scope="module")
def first_stage():
    return ph.build_model(Tiny(), FIRST, transform="box_cox", scale="constant", warmup=WARMUP)


@pytest.fixture(scope="module")
def fitted(first_stage):
    return ph.fit_errors(POSTERIOR, first_stage, likelihood="normal", random_seed=1)


def test_the_mode_is_that_of_a_model_with_fixed_parameters(fitted):
    center = {k: (THETA[k] + OTHER[k]) / 2 for k in THETA}
    fixed = ph.build_model(Tiny(), FIRST, memory="flow", warmup=WARMUP, priors=center)
    expected = ph.fit_laplace(fixed, starts=1)
    assert set(fitted.center) == {f"flow_{k}" for k in ("s0", "s1", "k0", "ku", "kd")}
    for name, value in expected.mode.items():
        assert fitted.center[name] == pytest.approx(value, rel=1e-3), name
    highest = expected.modes["log_posterior"][0]
    assert fitted.log_posterior == pytest.approx(highest, abs=1e-3)
    assert "center" in repr(fitted) and "2 draws" in repr(fitted)


def test_draws_keep_their_hydrologic_parameters(fitted, first_stage):
    for name in THETA:
        np.testing.assert_array_equal(fitted.posterior[name][0], POSTERIOR[name][0])
    assert set(first_stage.named_vars) >= {"flow_s0", "flow_observed"}  # it is not changed
    assert "flow_k0" not in first_stage.named_vars
    assert [rv.name for rv in fitted.model.observed_RVs] == ["flow"]
    assert list(fitted.model.coords["flow_time"]) == list(first_stage.coords["flow_time"])


def test_predictions_take_it_also_of_another_record(fitted, first_stage):
    with first_stage:  # the model of the second stage goes before the model in context
        drawn = ph.predict(fitted, random_seed=1)
    runs = [ph.simulate(Tiny(), theta, FIRST, **IN_MODELS) for theta in (THETA, OTHER)]
    q = [run["discharge"].values[WARMUP:] for run in runs]
    np.testing.assert_allclose(drawn["simulated"].values[0], q, rtol=1e-10)
    assert np.isfinite(ph.residuals(fitted)["innovation"]).all()
    ph.set_basin(SECOND, fitted.model)
    ahead = ph.predict(fitted, free_running=False, random_seed=1)
    there = SECOND["discharge"][WARMUP:].dropna("time")
    np.testing.assert_array_equal(ahead["time"], there["time"])
    ph.set_basin(FIRST, fitted.model)


def test_of_a_calibration_and_of_the_mean(first_stage):
    """One hydrologic vector has as many error parameters as are asked for."""
    found = ph.calibrate(Tiny(), FIRST, "nse", starts=1, random_seed=1, warmup=WARMUP)
    theta = {k: float(v) for k, v in found.theta.items()}
    options = {"likelihood": "normal", "draws": 300, "random_seed": 1, "memory": None}
    of_fit = ph.fit_errors(found, first_stage, **options)
    of_numbers = ph.fit_errors(theta, first_stage, **options)
    xr.testing.assert_allclose(of_fit.posterior, of_numbers.posterior)
    draws = of_fit.posterior
    assert draws.sizes == {"chain": 1, "draw": 300} and (draws["a"] == theta["a"]).all()
    # With s1 fixed the curvature of log s0 has a closed form: 2 n at the mode of its likelihood.
    of_s0 = ph.fit_errors(POSTERIOR, first_stage, at="mean", scale="constant", **options)
    n = first_stage["flow_observed"].get_value().size
    spread = np.log(of_s0.posterior["flow_s0"]).std()
    assert float(spread) == pytest.approx(1 / np.sqrt(2 * n), rel=0.15)


def test_several_basins_and_a_named_model():
    records = {"wet": FIRST.isel(time=slice(0, 120)), "dry": SECOND.isel(time=slice(0, 90))}
    with pm.Model(name="two") as model:
        q = ph.discharge(Tiny(), ph.priors(Tiny()), records, WARMUP)
        observed = {name: basin["discharge"].clip(0.01) for name, basin in records.items()}
        ph.likelihoods.Normal("flow", q, observed=observed)
    theta = {f"two::{k}": v for k, v in THETA.items()}
    fitted = ph.fit_errors(theta, model, likelihood="recommended", draws=3, random_seed=1)
    assert "two::flow_k0" in fitted.posterior and "two::flow_s1" not in fitted.posterior
    drawn = ph.predict(fitted, random_seed=1)
    assert list(dict.fromkeys(drawn["basin"].values)) == ["wet", "dry"]


def test_what_does_not_fit_is_refused(first_stage):
    with pytest.raises(ValueError, match="at must be 'draws' or 'mean', found 'median'"):
        ph.fit_errors(POSTERIOR, first_stage, at="median")
    with pytest.raises(KeyError, match="the posterior has no k"):
        ph.fit_errors({"a": 0.01}, first_stage)
    with pm.Model() as plain:
        q = ph.discharge(Tiny(), ph.priors(Tiny()), FIRST, WARMUP)
        pm.Normal("flow", q, 1, observed=np.ones(FIRST.sizes["time"] - WARMUP))
    with pytest.raises(KeyError, match="'flow' has no observations that are known from the graph"):
        ph.fit_errors(POSTERIOR, plain)
