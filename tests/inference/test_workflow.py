"""From an error model to predictions, approximations and comparisons, on the tiny model."""

import functools

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy import stats

import pymc_hydro as ph
from pymc_hydro.likelihoods import LIKELIHOODS
from pymc_hydro.likelihoods.errors.autoregression import coefficients
from tests.tiny import Tiny

WARMUP = 30
THETA = {"a": 0.02, "k": 0.5}


def record(n, seed, gaps=()):
    """Rain, and flow of the tiny model with autocorrelated errors."""
    rng = np.random.default_rng(seed)
    time = np.arange(n) + np.datetime64("2001-01-01", "D")
    rain = rng.gamma(0.3, 15, n)
    forcing = {"precipitation": ("time", rain), "potential_evaporation": ("time", np.ones(n))}
    basin = xr.Dataset(forcing, coords={"time": time.astype("datetime64[ns]")})
    q = ph.simulate(Tiny(), THETA, basin)["discharge"].values
    e = np.zeros(n)
    for t in range(1, n):
        e[t] = 0.7 * e[t - 1] + np.sqrt(1 - 0.49) * rng.normal()
    flow = q + (0.2 + 0.1 * q) * e
    flow[:WARMUP] = q[:WARMUP]  # not compared
    flow[list(gaps)] = np.nan
    return basin.assign(discharge=("time", flow))


FIRST, SECOND = record(400, 1, [50, 51, 60, 200]), record(300, 2, [40, 100, 101])


def one_draw(pymc_model, **values):
    """A posterior of one draw, from the prior or at given values."""
    with pymc_model:
        prior = pm.sample_prior_predictive(1, random_seed=1).prior
    drawn = {rv.name: prior[rv.name].values for rv in pymc_model.free_RVs}
    drawn |= {k: np.array([[v]]) for k, v in values.items()}
    return xr.Dataset({k: (("chain", "draw"), v) for k, v in drawn.items()})


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_every_likelihood_follows_another_record(name):
    """With gaps, of another length; finite there, gradient included; and back again."""
    options = {} if name == "whittle" else {"ar": 1 if name in ("normal", "skew_student") else 2}
    records = (FIRST, SECOND)
    if name == "whittle":
        records = tuple(r.interpolate_na("time") for r in records)
    model = ph.build_model(Tiny(), records[0], name, warmup=WARMUP, **options)
    f = model.logp_dlogp_function(ravel_inputs=True)
    f.set_extra_values({})
    point = np.hstack([np.ravel(v) for v in model.initial_point().values()])
    before = f(point)
    with model:
        ph.set_basin(records[1])
        after = f(point)
        n = int(np.isfinite(records[1]["discharge"].values[WARMUP:]).sum())
        if name != "whittle":
            assert model["flow"].shape[0].eval() == n == len(model.coords["flow_time"])
        ph.set_basin(records[0])
    assert np.isfinite([after[0], *after[1]]).all() and after[0] != before[0]
    assert f(point)[0] == before[0]
    if name == "skew_student":
        fresh = ph.build_model(Tiny(), records[1], name, warmup=WARMUP, **options)
        start = fresh.initial_point()
        expected = fresh.compile_logp(vars=[fresh["flow"]])(start)
        assert _log_likelihood(model, records[1], start) == pytest.approx(expected, rel=1e-12)


def _log_likelihood(model, basin, point):
    with model:
        ph.set_basin(basin)
        return model.compile_logp(vars=[model["flow"]])(point)


@pytest.fixture(scope="module")
def second_order():
    priors = {"a": THETA["a"], "k": THETA["k"], "flow_s1": 0.1}
    return ph.build_model(Tiny(), FIRST, "normal", ar=2, warmup=WARMUP, priors=priors)


def test_free_running_errors_have_the_stated_memory(second_order):
    s0, r1, r2 = 0.5, 0.8, -0.3
    values = one_draw(second_order, flow_s0=s0, flow_r1=r1, flow_r2=r2)
    n = 3000
    repeated = xr.concat([values] * n, "draw")
    with second_order:
        predicted = ph.predict(repeated, draws=n, random_seed=1)
        again = ph.predict(repeated.isel(draw=slice(0, 3)), random_seed=1)
        ph.set_basin(SECOND)
        new = ph.predict(values, random_seed=1)
        ph.set_basin(FIRST)
    assert predicted["discharge"].dims == ("chain", "draw", "time")
    np.testing.assert_array_equal(predicted["time"], FIRST["time"][WARMUP:])
    np.testing.assert_array_equal(new["time"], SECOND["time"][WARMUP:])
    np.testing.assert_allclose(again["discharge"], predicted["discharge"][:, :3])
    error = predicted["discharge"] - predicted["simulated"]
    e = (error / (s0 + 0.1 * predicted["simulated"])).values[0]
    phi1, phi2 = coefficients((r1, r2))
    rho = [1, phi1 / (1 - phi2)]
    rho.append(phi1 * rho[1] + phi2)
    rho.append(phi1 * rho[2] + phi2 * rho[1])
    for start in (0, 1, 200):  # stationary from the first interval on
        for lag, expected in enumerate(rho):
            found = (e[:, start] * e[:, start + lag]).mean()
            assert found == pytest.approx(expected, abs=5 / np.sqrt(n))


def test_one_step_ahead_is_the_observed_variable(second_order):
    values = one_draw(second_order, flow_s0=0.5, flow_r1=0.8, flow_r2=0.1)
    repeated = xr.concat([values] * 2000, "draw")
    with second_order:
        predicted = ph.predict(repeated, draws=2000, random_seed=1, free_running=False)
    flow = second_order["flow"]
    center, sd = flow.owner.op.dist_params(flow.owner)
    inputs = [second_order[k] for k in values]
    parameters = second_order.compile_fn([center, sd], inputs=inputs, point_fn=False)
    center, sd = parameters(*(float(v.squeeze()) for v in values.values()))
    z = (predicted["discharge"].values - center) / sd
    assert stats.kstest(z.ravel()[::7], "norm").pvalue > 0.01
    there = np.isfinite(FIRST["discharge"][WARMUP:])
    np.testing.assert_array_equal(predicted["time"], FIRST["time"][WARMUP:][there.values])


def test_residuals_are_white_at_the_truth():
    priors = THETA | {"flow_s0": 0.2, "flow_s1": 0.1}
    model = ph.build_model(Tiny(), FIRST, "normal", ar=1, warmup=WARMUP, priors=priors)
    found = ph.residuals(one_draw(model, flow_r1=0.7), model)
    x = found["innovation"].values
    assert x.std() == pytest.approx(1, abs=0.12)
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 0.12
    np.testing.assert_allclose(found["residual"], found["observed"] - found["simulated"])


@pytest.mark.parametrize("likelihood", ["skew_student", "gl"])
def test_predictions_with_transformation_and_zero_flow(likelihood):
    options = {"transform": ph.likelihoods.BoxCox(0.0, 0.1), "scale": "constant", "ar": 1}
    if likelihood == "skew_student":
        options["censored"] = True
    place = functools.partial(LIKELIHOODS[likelihood], **options)
    basin = FIRST.assign(discharge=FIRST["discharge"].clip(0.01))
    model = ph.build_model(Tiny(), basin, place, warmup=WARMUP)
    with model:
        prior = pm.sample_prior_predictive(20, random_seed=1)
        for free in (True, False):
            predicted = ph.predict(prior.prior, random_seed=1, free_running=free)["discharge"]
            assert np.isfinite(predicted).all() and predicted.sizes["draw"] == 20
            assert predicted.min() >= (0 if likelihood == "skew_student" else -0.1)


def test_predict_needs_a_likelihood_and_its_variables(second_order):
    with pytest.raises(KeyError, match="'other' is no likelihood"):
        ph.predict(xr.Dataset(), second_order, name="other")
    with pytest.raises(KeyError, match="the posterior has no flow_s0, flow_r1, flow_r2"):
        ph.predict(xr.Dataset(), second_order)


def test_a_likelihood_of_the_whole_record_is_not_compared():
    with pytest.raises(ValueError, match="Whittle's likelihood is one term"):
        ph.compare([Tiny(), ph.Hymod()], record(100, 1), likelihood="whittle")


def test_gauss_newton_is_the_curvature_where_the_model_holds():
    """Without measurement noise J'WJ and the Hessian agree but for the error parameters."""
    basin = record(2000, 3)
    priors = {"flow_r1": 0.7}
    model = ph.build_model(Tiny(), basin, "normal", ar=1, warmup=WARMUP, priors=priors)
    found = ph.fit_laplace(model, start=THETA)
    assert found.converged
    f = model.logp_dlogp_function(ravel_inputs=True)
    f.set_extra_values({})
    hessian = [
        (f(found.mean + 1e-4 * e)[1] - f(found.mean - 1e-4 * e)[1]) / 2e-4
        for e in np.eye(found.mean.size)
    ]
    sd = np.sqrt(np.diag(np.linalg.inv(-np.array(hessian))))
    assert np.abs(f(found.mean)[1] * sd).max() < 1e-2  # the mode is within a hundredth of sd
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), sd, rtol=0.1)
    for name, value in (THETA | {"flow_s0": 0.2, "flow_s1": 0.1}).items():
        draws = found.sample(2000, random_seed=1)[name]
        assert abs(float(draws.mean()) - value) < 4 * float(draws.std())
    with pytest.raises(KeyError, match=r"unknown \['b'\] in start"):
        ph.fit_laplace(model, start={"b": 1})


def test_laplace_takes_the_higher_of_two_modes():
    """Errors of a^3 - 3 a - 5 are smallest at its root, and have another minimum at -1."""
    with pm.Model() as model:
        a = pm.Normal("a", 0, 5, initval=0)
        flow = (a**3 - 3 * a) * np.ones(20)
        ph.likelihoods.Normal("flow", flow, observed=np.full(20, 5.0), scale=np.float64(1))
    assert ph.fit_laplace(model, starts=1).mode["a"] == pytest.approx(-1, abs=0.01)
    assert ph.fit_laplace(model, random_seed=0).mode["a"] == pytest.approx(2.279, abs=0.001)


def test_a_parameter_at_its_bound_is_not_free():
    """Observations below the bound: the density falls off as exp(-n |mean| x), x above the bound.

    Of z = log(x) it is exp(z - k exp(z)), whose curvature at the mode is 1 whatever k is.
    """
    observed, n = -0.5, 400
    with pm.Model() as model:
        x = pm.Uniform("x", 0, 1)
        ph.likelihoods.Normal("flow", x * np.ones(n), observed=np.full(n, observed), scale=1.0)
    found = ph.fit_laplace(model, start={"x": 0.1})
    assert found.converged and found.mode["x"] == pytest.approx(1 / (n * -observed), rel=0.05)
    assert float(found.covariance[0, 0]) == pytest.approx(1, rel=0.05)


@pytest.mark.filterwarnings("ignore")  # short chains
@pytest.mark.usefixtures("compiled")
def test_nuts_starts_from_the_approximation():
    model = ph.build_model(Tiny(), FIRST, "normal", ar=1, warmup=WARMUP)
    with model:
        approximation = ph.fit_laplace(start=THETA)
        idata = pm.sample(
            draws=100, tune=60, random_seed=1, progressbar=False, cores=1,
            **approximation.nuts(chains=2, random_seed=1),
        )  # fmt: skip
    expected = approximation.sample(1000, random_seed=2)
    for name in approximation.mode:
        found, sd = idata.posterior[name].values, float(expected[name].std())
        assert abs(found.mean() - float(expected[name].mean())) < sd
        assert 0.5 < found.std() / sd < 2
    assert float(idata.sample_stats["diverging"].mean()) < 0.05


@pytest.mark.filterwarnings("ignore")  # few steps
def test_variational_inference_comes_nearer():
    with ph.build_model(Tiny(), FIRST, "normal", ar=1, warmup=WARMUP) as model:
        approximation = pm.fit(
            200, method="advi", random_seed=1, progressbar=False,
            obj_optimizer=pm.adam(learning_rate=0.1),
        )  # fmt: skip
        idata = approximation.sample(50, random_seed=1)
    first, last = np.median(approximation.hist[:30]), np.median(approximation.hist[-30:])
    assert last < first - 50  # in units of the log-probability
    predicted = ph.predict(idata, model, random_seed=1)
    observed = FIRST["discharge"].sel(time=predicted["time"])
    median = predicted["discharge"].median(("chain", "draw"))
    assert ph.losses.nse(observed, median) > 0.5


@pytest.mark.slow  # its batch of log-probabilities compiles for half a minute
@pytest.mark.filterwarnings("ignore")  # few paths
def test_pathfinder_runs():
    extras = pytest.importorskip("pymc_extras")
    with ph.build_model(Tiny(), FIRST, "normal", ar=1, warmup=WARMUP) as model:
        idata = extras.fit(
            method="pathfinder", num_paths=2, num_draws=100, num_draws_per_path=100,
            random_seed=1, progressbar=False, compile_kwargs={"mode": "FAST_COMPILE"},
        )  # fmt: skip
        expected = ph.fit_laplace(start=THETA).sample(1000, random_seed=1)
    for name in expected:
        near = abs(float(idata.posterior[name].mean() - expected[name].mean()))
        assert near < float(expected[name].std())
    predicted = ph.predict(idata, model, random_seed=1)
    assert np.isfinite(predicted["discharge"]).all()


@pytest.mark.filterwarnings("ignore")  # short chains
@pytest.mark.usefixtures("compiled")
def test_structures_are_compared_by_stacking():
    models = {"right": Tiny(), "wrong": ph.Hymod(snow=False)}
    sample = {"draws": 40, "tune": 40, "chains": 2, "random_seed": 1, "progressbar": False}
    basin = FIRST.isel(time=slice(0, 200))
    found = ph.compare(models, basin, sample=sample, warmup=WARMUP, scale="constant")
    assert found.table.index[0] == "right"
    assert found.table["weight"].sum() == pytest.approx(1, abs=0.02)
    pointwise = found.idata["right"].log_likelihood["flow"]
    assert pointwise.dims == ("chain", "draw", "flow_time")
    with pytest.raises(ValueError, match="Tiny, Tiny are not unique"):
        ph.compare([Tiny(), Tiny()], basin)
    with pytest.raises(ValueError, match="two structures or more"):
        ph.compare([Tiny()], basin)


@pytest.mark.parametrize("preset", ["uniform", "log_uniform", "weak"])
def test_presets_keep_bounds_and_order(preset):
    model = ph.Hymod(snow=False)
    with pm.Model() as pymc_model:
        theta = ph.priors(model, preset, alpha=0.4)
        draws = dict(zip(theta, pm.draw(list(theta.values()), 500, random_seed=1), strict=True))
    assert (draws["K_s"] <= draws["K_f"]).all() and (draws["alpha"] == 0.4).all()
    for p in model.parameters:
        if p.name != "alpha":
            assert (draws[p.name] >= p.lower).all() and (draws[p.name] <= p.upper).all()
    start = pymc_model.initial_point()
    logp, gradient = pymc_model.compile_logp(), pymc_model.compile_dlogp()
    assert np.isfinite(logp(start)) and np.isfinite(gradient(start)).all()
    natural = pymc_model.compile_fn(pymc_model.unobserved_value_vars)(start)
    for v, value in zip(pymc_model.unobserved_value_vars, natural, strict=True):
        if not v.name.endswith("__"):
            default = dict(zip(model.parameter_names, model.default, strict=True))[v.name]
            assert value == pytest.approx(default)
    low, high = np.log(50), np.log(5000)
    if preset == "log_uniform":
        z = (np.log(draws["S_umax"]) - low) / (high - low)
        assert stats.kstest(z, "uniform").pvalue > 0.01
        expected = stats.loguniform(50, 5000).logpdf(300)
        with pymc_model:
            assert pm.logp(pymc_model["S_umax"], 300.0).eval() == pytest.approx(expected)
    if preset == "weak":
        share = (np.log(300) - low) / (high - low)
        beta = stats.beta(1 + 4 * share, 5 - 4 * share, low, high - low)
        assert stats.ks_1samp(np.log(draws["S_umax"]), beta.cdf).pvalue > 0.01
        with pymc_model:
            found = pm.logp(pymc_model["S_umax"], 500.0).eval()
        assert found == pytest.approx(beta.logpdf(np.log(500)) - np.log(500))
    with pytest.raises(KeyError, match="unknown preset 'flat'"), pm.Model():
        ph.priors(model, "flat")


@pytest.mark.filterwarnings("ignore:`find_MAP` will:FutureWarning")
def test_mode_agrees_with_calibration():
    """With uniform priors and a constant scale the mode maximises the efficiency."""
    fit = ph.calibrate(Tiny(), FIRST, warmup=WARMUP, starts=2, random_seed=1)
    priors = {"flow_s0": 0.5}
    with ph.build_model(Tiny(), FIRST, scale="constant", warmup=WARMUP, priors=priors):
        mode = pm.find_MAP(progressbar=False)
    for name, value in fit.theta.data_vars.items():
        assert mode[name] == pytest.approx(value.item(), rel=1e-3)
