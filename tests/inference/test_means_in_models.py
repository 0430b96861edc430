"""Likelihoods of means over longer intervals of a simulation, in PyMC models."""

import cloudpickle
import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from scipy import stats

import pymc_hydro as ph
from tests.tiny import IN_MODELS

MODEL = ph.Hymod(snow=False)
LEAF = ph.load_basin("leaf_river")
WARMUP = 40
FIRST, SECOND = LEAF.isel(time=slice(0, 300)), LEAF.isel(time=slice(505, 700))
S0, S1 = 0.3, 0.2


def resampled(series, offset):
    """Return the means over complete intervals, by pandas."""
    table = series.to_series().resample(offset).agg(["mean", "count"])
    days = (table.index + pd.tseries.frequencies.to_offset(offset) - table.index).days
    return table["mean"][table["count"] == days]


def scored(record):
    return record.isel(time=slice(WARMUP, None))


def placed(record, offset, likelihood=ph.likelihoods.Normal, solver=None, **options):
    observed = ph.means(resampled(scored(record)["discharge"], offset), offset)
    with pm.Model() as model:
        theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
        theta["S_umax"] = pm.Uniform("S_umax", 100, 900)
        q = ph.discharge(MODEL, theta, record, WARMUP, **(solver or {}))
        likelihood("flow", q, observed=observed, **options)
    return model


def logp(model, value, **others):
    """Return the log-likelihood of each mean at a capacity of the soil."""
    rv = model["flow"]
    graph = pm.logp(rv, model.rvs_to_values[rv])
    inputs = [model[k] for k in ("S_umax", *others)]
    return model.compile_fn(graph, inputs=inputs, point_fn=False)(value, *others.values())


def flow_of(value, record):
    theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True)) | {"S_umax": value}
    return ph.simulate(MODEL, theta, record, **IN_MODELS)["discharge"]


def direct(record, value, offset):
    """Return the same without a graph, and the simulated means."""
    q = resampled(scored(flow_of(value, record)), offset)
    y = resampled(scored(record)["discharge"], offset)
    return stats.norm.logpdf(y, q, S0 + S1 * q), q


@pytest.mark.parametrize("offset", ["7D", "MS"])
def test_logp_is_that_of_resampled_flow_for_any_record(offset):
    model = placed(FIRST, offset, s0=S0, s1=S1)
    first = direct(FIRST, 300.0, offset)[0]
    assert first.size >= 5
    np.testing.assert_allclose(logp(model, 300.0), first, rtol=1e-7)
    new = resampled(scored(SECOND)["discharge"], offset)
    ph.set_basin(SECOND, model, {"flow": ph.means(new, offset)})
    second = direct(SECOND, 300.0, offset)[0]
    assert second.size != first.size
    np.testing.assert_allclose(logp(model, 300.0), second, rtol=1e-7)
    again = ph.means(resampled(scored(FIRST)["discharge"], offset), offset)
    ph.set_basin(FIRST, model, {"flow": again})
    np.testing.assert_allclose(logp(model, 300.0), first, rtol=1e-7)


def test_gradient_is_that_of_differences():
    model = placed(FIRST, "MS", solver={"rtol": 1e-10, "atol": 1e-10}, s0=S0, s1=S1, ar=1)
    point = model.initial_point()
    value, slope = model.compile_logp(), model.compile_dlogp()

    def central(name, h):
        up, down = ({**point, name: point[name] + s} for s in (h, -h))
        return (value(up) - value(down)) / (2 * h)

    names = [v.name for v in model.continuous_value_vars]
    for name, found in zip(names, slope(point), strict=True):
        richardson = (4 * central(name, 1e-3) - central(name, 2e-3)) / 3
        np.testing.assert_allclose(found, richardson, rtol=1e-6)


def test_errors_are_remembered_from_mean_to_mean():
    model = placed(FIRST, "7D", s0=S0, s1=S1, ar=1, r1=0.6)
    _, q = direct(FIRST, 300.0, "7D")
    y = resampled(scored(FIRST)["discharge"], "7D")
    sd = S0 + S1 * q.values
    error = (y.values - q.values) / sd
    expected = stats.norm.logpdf(error[1:], 0.6 * error[:-1], 0.8) - np.log(sd[1:])
    np.testing.assert_allclose(logp(model, 300.0)[1:], expected, rtol=1e-7)


def test_predictions_have_the_dates_of_the_means():
    model = placed(FIRST, "7D", s0=S0, s1=S1, ar=1, r1=0.6)
    model = cloudpickle.loads(cloudpickle.dumps(model))
    draws = xr.Dataset({"S_umax": (("chain", "draw"), np.full((1, 3), 300.0))})
    draws = draws.assign_coords(chain=[0], draw=np.arange(3))
    q = direct(FIRST, 300.0, "7D")[1]
    for free_running in (True, False):
        drawn = ph.predict(draws, model, free_running=free_running, random_seed=1)
        assert list(drawn["time"].values) == list(q.index.values)
        np.testing.assert_allclose(drawn["simulated"][0, 0], q, rtol=1e-7)
    assert ph.residuals(draws, model)["time"].size == q.size
    future = SECOND.drop_vars("discharge")
    ph.set_basin(future, model)  # the weeks go on from those before
    drawn = ph.predict(draws, model, random_seed=1)
    days = (drawn["time"].values - q.index.values[0]) / np.timedelta64(1, "D")
    assert (days % 7 == 0).all() and (np.diff(days) == 7).all()
    run = flow_of(300.0, future).to_series()
    for start, value in zip(drawn["time"].values, drawn["simulated"][0, 0].values, strict=True):
        week = run[start : start + np.timedelta64(6, "D")]
        np.testing.assert_allclose(value, week.mean(), rtol=1e-7)
    assert week.index[-1] > pd.Timestamp(future["time"].values[-8])
    assert drawn["time"].values[0] >= scored(future)["time"].values[0]


@pytest.mark.parametrize("name", ["student", "sep", "gl", "sgt", "skew_student", "laplace"])
def test_each_likelihood_takes_means(name):
    model = placed(FIRST, "7D", ph.likelihoods.find_likelihood(name), ar=1)
    point = model.initial_point()
    assert np.isfinite(model.compile_logp()(point))
    assert all(np.isfinite(g).all() for g in model.compile_dlogp()(point))
    assert model["flow"].eval().shape == (len(direct(FIRST, 300.0, "7D")[1]),)


def test_a_likelihood_of_the_user_takes_means():
    observed = ph.means(resampled(scored(FIRST)["discharge"], "MS"), "MS")
    with pm.Model() as model:
        theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
        q = ph.discharge(MODEL, theta, FIRST, WARMUP)
        seen = ph.likelihoods.observe("flow", q, observed)
        pm.Normal("flow", seen.at, S0, observed=seen.data, dims=seen.dim)
    expected = direct(FIRST, theta["S_umax"], "MS")[1]
    np.testing.assert_allclose(seen.at.eval(), expected, rtol=1e-7)
    assert list(model.coords["flow_time"]) == list(expected.index.values)


def test_standard_deviations_of_means_have_their_dates():
    q = direct(FIRST, 300.0, "MS")[1]
    sd = pd.Series(np.linspace(0.1, 0.5, q.size), q.index)
    model = placed(FIRST, "MS", scale=sd)
    y = resampled(scored(FIRST)["discharge"], "MS")
    np.testing.assert_allclose(logp(model, 300.0), stats.norm.logpdf(y, q, sd), rtol=1e-7)
    new = {"flow": ph.means(resampled(scored(SECOND)["discharge"], "MS"), "MS")}
    with pytest.raises(ValueError, match="'flow_scale' is tied to the dates"):
        ph.set_basin(SECOND, model, new)
    np.testing.assert_allclose(logp(model, 300.0), stats.norm.logpdf(y, q, sd), rtol=1e-7)
    y, q = new["flow"].series, direct(SECOND, 300.0, "MS")[1]
    sd = pd.Series(np.linspace(0.2, 0.3, q.size), q.index)
    ph.set_basin(SECOND, model, new, data={"flow_scale": sd})
    np.testing.assert_allclose(logp(model, 300.0), stats.norm.logpdf(y, q, sd), rtol=1e-7)


def test_observations_of_another_interval_are_refused():
    model = placed(FIRST, "7D", s0=S0, s1=S1)
    weeks = resampled(scored(SECOND)["discharge"], "7D")
    cases = {
        "no ph.means": weeks,
        "ph.means of 'MS'": ph.means(resampled(SECOND["discharge"], "MS"), "MS"),
    }
    for message, observed in cases.items():
        with pytest.raises(ValueError, match=message):
            ph.set_basin(SECOND, model, {"flow": observed})
    theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
    with pm.Model() as daily:
        q = ph.discharge(MODEL, theta, FIRST, WARMUP)
        ph.likelihoods.Normal("flow", q, observed=scored(FIRST)["discharge"])
    with pytest.raises(ValueError, match=r"flow: .*it was placed without ph.means"):
        ph.set_basin(SECOND, daily, {"flow": ph.means(weeks, "7D")})


def test_several_basins_are_refused():
    basins = {"a": FIRST, "b": FIRST}
    weeks = ph.means(resampled(scored(FIRST)["discharge"], "7D"), "7D")
    theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
    for observed in (weeks, {"a": weeks, "b": weeks}):
        with pm.Model(), pytest.raises(ValueError, match="several basins"):
            q = ph.discharge(MODEL, theta, basins, WARMUP)
            ph.likelihoods.Normal("flow", q, observed=observed)


def test_fit_laplace_of_means():
    model = placed(FIRST, "7D", s0=S0, s1=S1)
    fit = ph.fit_laplace(model, random_seed=1)
    values = fit.mode["S_umax"] + np.array([-20.0, 0.0, 20.0])
    jacobian = np.log((values - 100) * (900 - values))  # the mode is that of the transformed prior
    total = [logp(model, value).sum() for value in values] + jacobian
    assert fit.converged and total[1] == max(total)
