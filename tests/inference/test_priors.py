"""Priors against SciPy, their starts, and what PyMC does with them."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from pymc.model.transform.optimization import freeze_dims_and_data
from scipy import stats

import pymc_hydro as ph
from pymc_hydro.core import Parameter
from pymc_hydro.inference.approximation.laplace import inside_bounds
from pymc_hydro.inference.priors import CONCENTRATION, PRESETS
from tests.tiny import Tiny

MODELS = [ph.Hymod(), ph.GR4J(snow=False)]  # an ordered pair; bounds below zero
CASES = [(MODELS[0], None), (MODELS[0], "basin"), (MODELS[1], None)]
BASINS = ["a", "b", "c"]


def is_logarithmic(p, preset):
    return preset != "uniform" and p.lower > 0 and ("/d" in p.unit or "mm" in p.unit)


def reference(p, preset, upper):
    """Return SciPy's density and distribution function of a parameter, computed from its bounds."""
    log = is_logarithmic(p, preset)
    scale = np.log if log else np.float64
    shapes = (1, 1)
    if preset == "weak":
        share = (scale(p.default) - scale(p.lower)) / (scale(p.upper) - scale(p.lower))
        shapes = 1 + CONCENTRATION * share, 1 + CONCENTRATION * (1 - share)
    beta = stats.beta(*shapes, loc=scale(p.lower), scale=scale(upper) - scale(p.lower))

    def logpdf(x):
        return beta.logpdf(scale(x)) - (np.log(x) if log else 0)

    return logpdf, lambda x: beta.cdf(scale(x))


def upper_bounds(model, values):
    larger_of = dict(model.ordered)
    return {
        p.name: np.minimum(p.upper, values.get(larger_of.get(p.name), np.inf))
        for p in model.parameters
    }


def unconstrained(model, values, preset):
    """Return the log-density of the unconstrained values, as the sum over entries."""
    order, larger_of = model.parameters, dict(model.ordered)
    natural = {}
    total = 0.0
    for p in sorted(order, key=lambda p: p.name in larger_of):
        upper = upper_bounds(model, natural)[p.name]
        share = 1 / (1 + np.exp(-values[f"{p.name}_interval__"]))
        natural[p.name] = p.lower + (upper - p.lower) * share
        jacobian = np.log(upper - p.lower) + np.log(share) + np.log1p(-share)
        total += np.sum(reference(p, preset, upper)[0](natural[p.name]) + jacobian)
    return total


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("model, dims", CASES, ids=["Hymod", "basins", "GR4J"])
def test_density_gradient_and_start(model, preset, dims, rng):
    with pm.Model(coords={"basin": BASINS}) as pymc_model:
        ph.priors(model, preset, dims)
    start = pymc_model.initial_point()
    natural = pymc_model.compile_fn(pymc_model.unobserved_value_vars)(start)
    names = [v.name for v in pymc_model.unobserved_value_vars]
    for p in model.parameters:
        value = natural[names.index(p.name)]
        assert value.shape == (() if dims is None else (3,))
        np.testing.assert_allclose(value, p.default, rtol=1e-12, atol=1e-12)
    point = {k: v + rng.normal(0, 1.5, np.shape(v)) for k, v in start.items()}
    found = float(pymc_model.compile_logp()(point))
    assert found == pytest.approx(unconstrained(model, point, preset), rel=1e-11)
    direction = {k: rng.normal(size=np.shape(v)) for k, v in start.items()}

    def along(h):
        moved = {k: v + h * direction[k] for k, v in point.items()}
        return unconstrained(model, moved, preset)

    def central(h):
        return (along(h) - along(-h)) / (2 * h)

    gradient = pymc_model.compile_dlogp()(point)
    slopes = np.concatenate([np.ravel(direction[v.name]) for v in pymc_model.value_vars])
    richardson = (4 * central(5e-4) - central(1e-3)) / 3
    assert gradient @ slopes == pytest.approx(richardson, rel=1e-7)


def test_uniform_is_that_of_pymc(rng):
    model = ph.Hymod()
    with pm.Model() as ours:
        ph.priors(model)
    with pm.Model() as theirs:
        bounds = {p.name: (p.lower, p.upper) for p in model.parameters}
        K_f = pm.Uniform("K_f", *bounds["K_f"])
        for p in model.parameters:
            if p.name != "K_f":
                upper = pm.math.minimum(p.upper, K_f) if p.name == "K_s" else p.upper
                pm.Uniform(p.name, p.lower, upper)
    (logp, dlogp), (logp_, dlogp_) = [
        (m.compile_logp(), m.compile_dlogp([m[n] for n in bounds])) for m in (ours, theirs)
    ]
    for spread in (1, 5, 45):  # the last: where the interval ends, in floating point
        point = {f"{n}_interval__": rng.normal(0, spread) for n in bounds}
        assert float(logp(point)) == pytest.approx(float(logp_(point)), rel=1e-12)
        np.testing.assert_allclose(dlogp(point), dlogp_(point), rtol=1e-9)


@pytest.mark.parametrize("preset", PRESETS)
def test_draws_follow_the_density(preset):
    model = MODELS[0]
    with pm.Model():
        theta = ph.priors(model, preset)
        draws = pm.draw(list(theta.values()), 1500, random_seed=1)
    values = dict(zip(theta, draws, strict=True))
    uppers = upper_bounds(model, values)
    for p in model.parameters:
        share = reference(p, preset, uppers[p.name])[1](values[p.name])
        assert stats.kstest(share, "uniform").pvalue > 1e-3, p.name
        assert ((p.lower <= values[p.name]) & (values[p.name] <= uppers[p.name])).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_start_is_inside_where_the_larger_starts_below_the_default(preset):
    with pm.Model() as pymc_model:
        ph.priors(ph.Hymod(snow=False), preset, K_f=pm.Uniform("K_f", 0.01, 0.03))
    assert np.isfinite(pymc_model.compile_logp()(pymc_model.initial_point()))


@pytest.mark.filterwarnings("ignore")  # a handful of draws
@pytest.mark.parametrize("preset", PRESETS)
def test_transformations_of_models_run(preset):
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 60))
    pymc_model = ph.build_model(Tiny(), basin, warmup=10, preset=preset)
    start = pymc_model.initial_point()
    expected = float(pymc_model.compile_logp()(start))
    frozen = freeze_dims_and_data(pymc_model)
    for same in (pymc_model.copy(), frozen):
        assert {k: float(v) for k, v in same.initial_point().items()} == pytest.approx(
            {k: float(v) for k, v in start.items()}
        )
        assert float(same.compile_logp()(start)) == pytest.approx(expected, rel=1e-12)
    name = Tiny().parameter_names[0]
    done = pm.do(pymc_model, {name: 0.02})
    assert name not in [rv.name for rv in done.free_RVs]
    assert np.isfinite(done.compile_logp()(done.initial_point()))
    observed = pm.observe(pymc_model, {name: 0.02})
    assert np.isfinite(observed.compile_logp()(observed.initial_point()))
    with pymc_model:
        idata = pm.sample(
            draws=3, tune=3, chains=1, nuts_sampler="pymc", progressbar=False, random_seed=1
        )
        idata = pm.compute_log_likelihood(idata, progressbar=False)
        with pytest.warns(FutureWarning, match="pm.compute_log_likelihood"):
            del idata["log_likelihood"]
            ph.compute_log_likelihood(idata)
    assert np.isfinite(idata.log_likelihood["flow"]).all()


def test_prefix_keeps_two_models_apart():
    with pm.Model() as pymc_model:
        one = ph.priors(ph.Hymod(snow=False), prefix="one")
        two = ph.priors(ph.Hymod(snow=False), "weak", prefix="two", K_f=1.0)
    assert list(one) == list(two) == list(ph.Hymod(snow=False).parameter_names)
    assert one["K_s"].name == "one_K_s" and two["K_s"].name == "two_K_s"
    assert np.isfinite(pymc_model.compile_logp()(pymc_model.initial_point()))


def test_what_is_given_is_checked():
    model = ph.Hymod(snow=False)
    with pm.Model():
        foreign = pm.HalfNormal("K_s", 0.1)
    with pm.Model() as pymc_model:
        called = ph.priors(model, prefix="x", K_s=lambda: pm.HalfNormal("K_s", 0.1))
        assert called["K_s"] is pymc_model["K_s"]
        assert ph.priors(model, prefix="y", K_s=called["K_s"] / 2)["K_s"].owner is not None
        shared = pm.Data("known", 0.2)
        assert ph.priors(model, prefix="data", K_s=shared)["K_s"] is shared
        for i, number in enumerate((0.5, np.float32(0.5), np.array(0.5), xr.DataArray(0.5), 1)):
            fixed = ph.priors(model, prefix=f"z{i}", beta=number)["beta"]
            assert fixed.data == float(number)
        for given in (pm.HalfNormal.dist(0.1), 2 * pm.HalfNormal.dist(0.1), foreign, 2 * foreign):
            with pytest.raises(
                ValueError, match=r"K_s depends on the random variable.*does not have"
            ):
                ph.priors(model, prefix="bad", K_s=given)
        for given in (np.nan, np.array(np.nan), 2.0):
            with pytest.raises(ValueError, match="outside its bounds"):
                ph.priors(model, prefix="bad", K_s=given)
        for given in ("0.5", np.array([0.5]), [0.5], pm.Uniform):
            with pytest.raises(TypeError, match="random variable, such as"):
                ph.priors(model, prefix="bad", K_s=given)
        assert not [name for name in pymc_model.named_vars if name.startswith("bad")]


@pytest.mark.parametrize("preset", ["uniform", "log_uniform", "weak"])
def test_a_prior_has_bounds_of_its_own(preset):
    model = ph.HBV(snow=False)
    with pm.Model():
        theta = ph.priors(model, preset)
        fixed = ph.priors(model, F_c=10, prefix="fixed")["F_c"]
    for name, inside, outside in (
        ("u_zl", 99.0, 101.0),
        ("F_c", 6.0, 4.0),
        ("F_c", 1499.0, 1501.0),
    ):
        assert np.isfinite(pm.logp(theta[name], inside).eval())
        assert pm.logp(theta[name], outside).eval() == -np.inf
    assert float(fixed.eval()) == 10
    # A capacity whose prior begins at zero has no logarithm.
    from_zero = Parameter("c", 1, 9, "mm", "x", default=2, prior=(0, 5))
    with pm.Model():
        assert np.isfinite(pm.logp(PRESETS[preset](from_zero, 5, None, "c"), 0.5).eval())
    start = inside_bounds(model, dict(zip(model.parameter_names, model.upper, strict=True)))
    assert 98 < start["u_zl"] < 100
    with pytest.raises(
        ValueError, match=r"the bounds of its prior \[3, 5\] must hold the default 2"
    ):
        Parameter("a", 0, 9, "1", "x", default=2, prior=(3, 5))
