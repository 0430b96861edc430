"""Likelihoods of failed runs, of odd observations, and as users compile them."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from pymc_hydro import likelihoods as lk
from tests.tiny import Tiny

N = 70
STEPS = {"steps": 1, "solver": "heun"}
DAYS = pd.date_range("2001-01-01", periods=N)
SLOPES = ("dry", "whittle")


@pytest.fixture
def flows(rng):
    simulated = rng.gamma(1.0, 2.0, N) + 0.05
    observed = simulated * rng.uniform(0.6, 1.5, N)
    observed[5] = np.nan
    return observed, pt.as_tensor(simulated)


def place(observed, q):
    """Place one likelihood of each kind, with all their options between them."""
    dry = np.where(np.arange(N) % 9 == 0, 0.0, observed)
    lk.Normal("normal", q, observed=observed, scale="linear", s0=0.3, s1=0.2, ar=2, r1=0.5, r2=0.1)
    lk.Laplace("given", q, observed=observed, scale=np.linspace(0.1, 1, N))
    lk.Student("log", q, observed=observed, scale="constant", s0=0.4, nu=5.0, transform="log")
    lk.SkewStudentT(
        "dry", q, observed=dry, scale="linear", s0=0.3, s1=0.2, nu=5.0, xi=1.5, censored=True
    )
    lk.SkewExponentialPower(
        "box_cox", q, observed=observed, scale="constant", s0=0.4, beta=0.5, xi=1.2, ar=1, r1=0.4,
        transform=lk.BoxCox(0.3, 0.1),
    )  # fmt: skip
    lk.GeneralizedLikelihood(
        "gl", q, observed=observed, scale="linear", s0=0.3, s1=0.2, ar=1, r=[0.3], beta=0.3, xi=1.1
    )
    lk.Whittle("whittle", q, observed=np.nan_to_num(observed, nan=1.0), s0=0.5, r1=0.3)
    lk.PseudoLikelihood(
        "pseudo", q, observed=observed, loss=lambda y, q: -ph.losses.kge(y, q), temperature=0.1
    )
    lk.LimitsOfAcceptability(
        "limits", q, observed=observed, tolerance=lambda y: np.maximum(0.1, 0.2 * y), width=0.1
    )


@pytest.mark.kernels
def test_compiled_likelihoods_and_those_of_failed_runs(compiled, flows):
    observed, simulated = flows[0], flows[1].eval()
    with pm.Model() as model:
        q = pm.Data("q", simulated)
        place(observed, q)
    terms = [model.logp(vars=[v], sum=True) for v in (*model.observed_RVs, *model.potentials)]
    names = [v.name for v in (*model.observed_RVs, *model.potentials)]
    assert len(terms) == 9
    value = pt.dvector("value")
    terms = pytensor.graph.replace.clone_replace(terms, {model["q"]: value})
    # Gradients take long to compile: of the densities that differ most.
    slopes = {n: pytensor.grad(t, value) for n, t in zip(names, terms, strict=True) if n in SLOPES}
    names += slopes
    results = [*terms, *slopes.values()]
    users, ours = (pm.compile([value], results, mode=m) for m in (None, "FAST_COMPILE"))
    for name, found, expected in zip(names, users(simulated), ours(simulated), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=name)
        assert np.isfinite(expected).all()
    for failed in (np.full(N, np.nan), np.where(np.arange(N) < 60, simulated, np.nan)):
        for name, found in zip(names[: len(terms)], users(failed), strict=False):
            assert not found > -np.inf, name


def test_a_failure_after_the_last_observation_is_a_failure():
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 200))
    observed = basin["discharge"].where(np.arange(200) < 40)
    rain = np.where(np.arange(200) < 100, 0.0, 3000.0)
    record = basin.assign(precipitation=("time", rain))
    with pytest.raises(ph.IntegrationError):
        ph.simulate(Tiny(), Tiny().default, record, **STEPS)
    with pm.Model() as model:
        a = pm.Uniform("a", 1e-3, 0.1)
        theta = {"a": a, "k": 0.5}
        q = ph.discharge(Tiny(), theta, record, warmup=20, **STEPS)
        lk.Normal("flow", q, observed=observed.isel(time=slice(20, None)), scale=1.0)
    assert not model.compile_logp()({"a_interval__": 0.0}) > -np.inf


def test_masked_values_and_codes(flows):
    observed, simulated = flows
    coded = np.where(np.isnan(observed), -999.0, observed)
    with pm.Model() as model:
        lk.Normal("flow", simulated, observed=np.ma.masked_less(coded, 0), scale=1.0)
        there = observed[np.isfinite(observed)]
        np.testing.assert_array_equal(model["flow_observed"].get_value(), there)
    with pm.Model(), pytest.raises(ValueError, match="1 values of -999, a usual code"):
        lk.Normal("flow", simulated, observed=coded, scale=1.0)
    twice = pd.Series(observed, DAYS.where(np.arange(N) > 0, DAYS[1]))
    with pm.Model(coords={"time": DAYS}), pytest.raises(ValueError, match=r"2001-01-02 .* twice"):
        lk.Normal("flow", simulated, observed=twice, scale=1.0)
    with pm.Model(), pytest.raises(ValueError, match=r"shape \(5,\), expected \(70,\)"):
        lk.Normal("flow", simulated, observed=observed[:5], scale=1.0)


def test_a_scale_with_dates_is_matched_by_them(flows):
    observed, simulated = flows
    sd = pd.Series(np.linspace(0.1, 1, N), DAYS)
    logps = []
    for scale in (sd.values, sd, sd[::-1], sd.to_xarray().rename(index="time")):
        with pm.Model(coords={"time": DAYS}) as model:
            lk.Normal("flow", simulated, observed=observed, scale=scale)
        logps.append(float(model.compile_logp()({})))
    np.testing.assert_allclose(logps, logps[0], rtol=1e-14)
    for scale, error, message in (
        (np.zeros(N), ValueError, "positive standard deviations at every observation"),
        (np.nan, ValueError, "positive standard deviations"),
        (None, ValueError, "scale must be .* found None"),
        (["a"], TypeError, "found ..a.."),
    ):
        with pm.Model(), pytest.raises(error, match=message):
            lk.Normal("flow", simulated, observed=observed, scale=scale)


@pytest.mark.parametrize(
    "options",
    [{"r1": 0.9}, {"ar": 1, "r2": 0.1}, {"scale": "constant", "s1": 0.1}, {"scale": 1.0, "s0": 1}],
)
def test_parameters_without_effect_are_refused(options, flows):
    observed, simulated = flows
    with pm.Model(), pytest.raises(TypeError, match="would have no effect"):
        lk.Normal("flow", simulated, observed=observed, **options)
    if "ar" not in options and "r1" not in options:
        with pm.Model(), pytest.raises(TypeError, match="would have no effect"):
            lk.GeneralizedLikelihood("flow", simulated, observed=observed, **options)


def test_priors_do_not_depend_on_a_draw(flows):
    """The prior scale of s0 is that of transformed flow, at the initial power."""
    observed, simulated = flows
    scales = []
    for _ in range(2):
        with pm.Model() as model:
            power = pm.Uniform("power", 0.05, 1)
            lk.Normal("flow", simulated, observed=observed, transform=lk.BoxCox(power, 0.1))
        scales.append(float(model["flow_s0"].owner.inputs[-1].eval()))
    assert scales[0] == scales[1]


def test_zero_flow_can_be_derived_by_the_power(flows):
    observed, simulated = flows
    dry = np.where(np.arange(N) % 9 == 0, 0.0, observed)
    with pm.Model() as model:
        power = pm.Uniform("power", 0.05, 1, default_transform=None)
        options = {"scale": 0.5, "censored": True, "transform": lk.BoxCox(power, 0.0)}
        lk.Normal("flow", simulated, observed=dry, **options)
    logp, slope = model.compile_logp(), model.compile_dlogp()
    up, down = (float(logp({"power": 0.3 + h})) for h in (1e-5, -1e-5))
    assert slope({"power": 0.3})[0] == pytest.approx((up - down) / 2e-5, rel=1e-6)


def test_innovations_of_censored_flow_are_not_known(flows):
    observed, simulated = flows
    dry = np.where(np.arange(N) % 9 == 0, 0.0, observed)
    with pm.Model(coords={"time": DAYS}) as model:
        s0 = pm.HalfNormal("s0")
        lk.Normal("flow", simulated, observed=dry, scale="constant", s0=s0, censored=True)
        idata = pm.sample_prior_predictive(3, random_seed=1).prior
    found = ph.residuals(idata, model)["innovation"]
    flow = dry[np.isfinite(dry)]
    np.testing.assert_array_equal(np.isnan(found), flow == 0)


def test_laplace_hears_every_likelihood():
    x_is = {"flow": 1.0, "et": 0.1}
    with pm.Model() as model:
        x = pm.Normal("x", 0, 100)
        for name, scale in x_is.items():
            lk.Normal(name, x * np.ones(50), observed=np.full(50, 1.5), scale=scale)
    found = ph.fit_laplace(model, starts=1)
    expected = 1 / (sum(50 / s**2 for s in x_is.values()) + 1e-4)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-5)
    with model:
        pm.Potential("also", -1000 * x**2)
    found = ph.fit_laplace(model, starts=1)
    np.testing.assert_allclose(found.covariance, 1 / (1 / expected + 2000), rtol=1e-5)


def test_a_family_whose_shape_has_no_prior():
    family = ph.likelihoods.Family(
        pm.AsymmetricLaplace, ("kappa",), lambda mean, sd, kappa: {"mu": mean, "b": sd}
    )
    with pm.Model(), pytest.raises(TypeError, match=r"flow: .* without a prior, kappa"):
        ph.likelihoods.place_residuals(family, "flow", pt.ones(5), observed=np.ones(5))
