"""Errors whose memory depends on flow: dense covariances, special cases, several basins."""

from itertools import pairwise

import cloudpickle
import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr
from pytensor.graph.replace import vectorize_graph
from scipy import stats

import pymc_hydro as ph
from pymc_hydro.likelihoods.errors.memory import Autoregression, FlowMemory
from pymc_hydro.likelihoods.errors.residuals import residuals_of
from tests.likelihoods.test_residuals import covariance, pointwise
from tests.tiny import Tiny

N = 60
RATES = {"k0": 0.2, "ku": 0.8, "kd": 0.3}
SCALE = {"s0": 0.3, "s1": 0.2}
FLOW = 2 + np.sin(np.arange(N) / 3) + np.random.default_rng(1).lognormal(-2, 0.5, N)
OBSERVED = FLOW * np.random.default_rng(2).lognormal(0, 0.2, N)
OBSERVED[[10, 11, 12, 25, 40, 41]] = np.nan
THERE = np.flatnonzero(np.isfinite(OBSERVED))


def build(likelihood, frequency="D", observed=OBSERVED, **options):
    time = pd.date_range("2001-01-01", periods=N, freq=frequency)
    with pm.Model(coords={"time": time}) as model:
        factor = pm.Normal("factor", 1, 0.1)
        likelihood("flow", factor * FLOW, observed=observed, **options)
    return model


def clock(flow, dt=1.0, k0=0.0, ku=0.0, kd=0.0):
    """The clock in a loop."""
    time = [0.0]
    for before, now in pairwise(flow):
        change = np.log((now + 1e-3) / (before + 1e-3))
        time.append(time[-1] + k0 * dt + ku * max(change, 0) + kd * max(-change, 0))
    return np.array(time)


@pytest.mark.parametrize("name", ["Normal", "SkewStudentT"])
def test_a_clock_of_the_calendar_is_the_first_order(name):
    likelihood = getattr(ph.likelihoods, name)
    shapes = {} if name == "Normal" else {"nu": 5.0, "xi": 1.3}
    still = RATES | {"ku": 0.0, "kd": 0.0}
    of_flow = pointwise(build(likelihood, memory="flow", **SCALE, **still, **shapes), factor=0.9)
    options = {"memory": "constant", "r1": np.exp(-RATES["k0"])}
    constant = pointwise(build(likelihood, **options, **SCALE, **shapes), factor=0.9)
    np.testing.assert_allclose(of_flow, constant, rtol=1e-13)


@pytest.mark.parametrize(("frequency", "dt"), [("D", 1.0), ("h", 1 / 24)])
@pytest.mark.parametrize("transform", [None, ph.likelihoods.BoxCox(0.2, 0.1)], ids=str)
def test_normal_is_exact_with_gaps(frequency, dt, transform):
    scale = SCALE if transform is None else {"scale": "constant", "s0": 0.3}
    options = {"memory": "flow", "transform": transform} | scale
    model = build(ph.likelihoods.Normal, frequency, **options, **RATES)
    flow, observed = 0.9 * FLOW, OBSERVED[THERE]
    found = pointwise(model, factor=0.9)
    sd, center, jacobian = 0.3 + 0.2 * flow, flow, 0.0
    if transform is not None:
        sd, center = np.full(N, 0.3), transform.forward(flow)
        jacobian = transform.log_derivative(observed).sum()
        observed = transform.forward(observed)
    passed = clock(flow, dt, **RATES)
    dense = np.outer(sd, sd) * np.exp(-np.abs(passed[:, None] - passed))
    dense = dense[np.ix_(THERE, THERE)]
    expected = stats.multivariate_normal.logpdf(observed, center[THERE], dense) + jacobian
    assert found.sum() == pytest.approx(expected, rel=1e-10)
    assert model.named_vars_to_dims["flow"] == ("flow_time",)


def test_zero_flow_counts_with_its_probability_given_the_last_flow():
    observed = OBSERVED.copy()
    observed[[7, 8]] = 0
    options = {"memory": "flow", "censored": True} | SCALE
    found = pointwise(build(ph.likelihoods.Normal, observed=observed, **options, **RATES), factor=1)
    sd, passed = 0.3 + 0.2 * FLOW, clock(FLOW, **RATES)
    e = (observed - FLOW) / sd
    for t in (7, 8):
        rho = np.exp(-(passed[t] - passed[6]))
        width = np.sqrt(1 - rho**2)
        expected = stats.norm.logcdf(-FLOW[t] / sd[t], rho * e[6], width)
        assert found[t] == pytest.approx(expected, rel=1e-8)  # PyMC's logcdf


@pytest.mark.parametrize("order", [0, 1, 2, "flow"])
def test_free_errors_have_the_stationary_covariance(order):
    """Errors are linear in innovations: unit innovations, one after the other, tell all."""
    if order == "flow":
        step = np.diff(clock(FLOW, **RATES), prepend=0.0) - RATES["k0"]
        values = [np.full(N, RATES["k0"]), np.broadcast_to(step, (N, N))]
        passed = clock(FLOW, **RATES)
        memory, expected = FlowMemory(1), np.exp(-np.abs(passed[:, None] - passed))
    else:
        phi = [(), (0.8,), (1.2, -0.5)][order]
        memory, values = Autoregression(order), [np.full(N, p) for p in phi]
        expected = covariance(phi, np.arange(N)) if order else np.eye(N)
    sigma = np.broadcast_to(0.3 + 0.2 * FLOW, (N, N))
    errors = memory.follow(np.eye(N), sigma, values)
    np.testing.assert_allclose(errors.T @ errors, expected * sigma * sigma.T, rtol=0, atol=1e-12)
    known = np.where(np.arange(N) <= 30, errors, np.nan)
    again = memory.follow(np.where(np.isfinite(known), 7.0, np.eye(N)), sigma, values, known)
    np.testing.assert_allclose(again, errors, rtol=0, atol=1e-12)  # whatever innovations say there


def test_innovations_of_free_running_draws_are_the_draws_of_the_density(rng):
    x = rng.normal(size=(1, N))
    model = build(ph.likelihoods.Normal, memory="flow", **SCALE, **RATES)
    placed = residuals_of(model, "flow")
    sigma, k0, moved = model.compile_fn(
        [placed.sigma, *placed.memory_values], inputs=[model["factor"]], point_fn=False
    )(1.0)
    values = [k0[None], moved[None]]
    y = FLOW + placed.memory.follow(x, sigma[None], values)[0]
    model = build(ph.likelihoods.Normal, observed=y, memory="flow", **SCALE, **RATES)
    placed = residuals_of(model, "flow")
    innovation = ((placed.flow - placed.center) / placed.sd).eval({model["factor"]: 1.0})
    np.testing.assert_allclose(innovation, x[0], rtol=1e-10, atol=1e-12)


def test_a_graph_over_many_draws():
    model = build(ph.likelihoods.Normal, memory="flow", **SCALE, **(RATES | {"ku": None}))
    flow = model["flow"]
    mean = flow.owner.op.dist_params(flow.owner)[0]
    inputs = [model["factor"], model["flow_ku"]]
    draws = [np.array([0.9, 1.1]), np.array([0.5, 1.5])]
    many = vectorize_graph(mean, dict(zip(inputs, map(pt.constant, draws), strict=True))).eval()
    for i, at in enumerate(zip(*draws, strict=True)):
        one = mean.eval(dict(zip(inputs, at, strict=True)))
        np.testing.assert_allclose(many[i], one, rtol=1e-12)


# ---- with a simulation -------------------------------------------------------------------------

WARMUP = 20


def record(n, seed):
    rng = np.random.default_rng(seed)
    time = (np.arange(n) + np.datetime64("2001-01-01", "D")).astype("datetime64[ns]")
    rain = rng.gamma(0.3, 15, n)
    forcing = {"precipitation": ("time", rain), "potential_evaporation": ("time", np.ones(n))}
    basin = xr.Dataset(forcing, coords={"time": time})
    flow = ph.simulate(Tiny(), Tiny().default, basin)["discharge"] * rng.lognormal(0, 0.3, n)
    flow[[n // 2, n // 2 + 1]] = np.nan
    return basin.assign(discharge=flow)


BASINS = {"wet": record(70, 1), "dry": record(90, 2)}


def log_likelihood(model):
    return model.compile_logp(vars=model.observed_RVs, sum=True)(model.initial_point())


def test_no_error_is_remembered_in_the_next_basin_and_rates_may_differ():
    rates = {"wet": {"k0": 0.1, "ku": 0.4, "kd": 0.0}, "dry": {"k0": 0.3, "ku": 1.2, "kd": 0.5}}
    total = 0.0
    for name, basin in BASINS.items():
        priors = {f"flow_{k}": v for k, v in rates[name].items()}
        priors |= {"flow_s0": 0.2, "flow_s1": 0.3}
        alone = ph.build_model(Tiny(), basin, memory="flow", warmup=WARMUP, priors=priors)
        total += log_likelihood(alone)
    of_all = {k: pt.constant([rates[b][k] for b in BASINS]) for k in ("k0", "ku", "kd")}
    options = {"memory": "flow", "s0": 0.2, "s1": 0.3}
    with pm.Model() as together:
        q = ph.discharge(Tiny(), ph.priors(Tiny()), BASINS, WARMUP)
        observed = {name: basin["discharge"] for name, basin in BASINS.items()}
        ph.likelihoods.Normal("flow", q, observed=observed, **options, **of_all)
        prior = pm.sample_prior_predictive(2, random_seed=1).prior
    assert log_likelihood(together) == pytest.approx(total, rel=1e-12)
    drawn = ph.predict(prior, together, random_seed=1)
    assert drawn.sizes["time"] == 120 and np.isfinite(drawn["discharge"]).all()
    with pm.Model():
        q = ph.discharge(Tiny(), ph.priors(Tiny()), BASINS, WARMUP)
        with pytest.raises(ValueError, match=r"k0 has shape \(3,\); .* which has 2"):
            ph.likelihoods.Normal("a", q, observed=observed, memory="flow", k0=[0.1, 0.2, 0.3])
        of_basins = pm.Uniform("r", -1, 1, dims="basin")
        for name, r1 in {"b": of_basins, "c": [0.1, 0.2]}.items():
            with pytest.raises(ValueError, match=f"{name}: r1 must be a scalar, found an array"):
                ph.likelihoods.Normal(name, q, observed=observed, ar=1, r1=r1)


def test_the_graph_is_the_only_memory():
    """Copies, models of another process, and other records."""
    priors = {"a": 0.01, "k": 0.5, "flow_s0": 0.2, "flow_s1": 0.3}
    first, second = BASINS.values()
    options = {"warmup": WARMUP, "priors": priors, "memory": "flow"}
    model = ph.build_model(Tiny(), first, **options)
    fresh = ph.build_model(Tiny(), second, **options)
    with model:
        prior = pm.sample_prior_predictive(2, random_seed=1).prior
    loaded = cloudpickle.loads(cloudpickle.dumps(model))
    for free_running in (True, False):
        how = {"random_seed": 1, "free_running": free_running}
        expected = ph.predict(prior, fresh, **how)
        for other in (loaded, pm.do(model, {"flow_kd": 0.2}), model.copy(), model):
            there = prior if "flow_kd" in [rv.name for rv in other.free_RVs] else None
            ph.set_basin(second, other)
            drawn = ph.predict(prior, other, **how)
            if there is None:
                assert np.isfinite(drawn["discharge"]).all()
            else:
                xr.testing.assert_allclose(drawn, expected)
    assert log_likelihood(model) == pytest.approx(log_likelihood(fresh), rel=1e-12)
    errors = ph.residuals(prior, model)
    assert np.isfinite(errors["innovation"]).all()
    with pytest.raises(ValueError, match="is of order 1, found ar=2"):
        ph.build_model(Tiny(), first, ar=2, **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"memory": "long"}, ValueError, "memory must be one of constant, flow, found 'long'"),
        ({"memory": "flow", "ar": 2}, ValueError, "'flow' is of order 1, found ar=2; leave ar out"),
        ({"memory": "constant", "ar": 0}, ValueError, "order 1 or 2, found ar=0; leave ar out, or"),
        ({"memory": "flow", "r1": 0.5}, TypeError, "r1 would have no effect .* by k0, ku, kd"),
        ({"ar": 1, "k0": 0.5}, TypeError, "k0 would have no effect .* by r1"),
        ({"memory": "flow", "k0": 0.0}, ValueError, "k0 must be greater than 0, found 0.0"),
        ({"memory": "flow", "ku": -1}, ValueError, "ku must be 0 or more, found -1"),
        ({"memory": "flow", "kd": [1.0, 2.0]}, ValueError, "kd has shape .* which has 1"),
        ({"ar": 2, "r2": [0.1, 0.2]}, ValueError, "r2 must be a scalar"),
    ],
)
def test_contradictions(options, error, message):
    with pytest.raises(error, match=message):
        build(ph.likelihoods.Normal, **options)
