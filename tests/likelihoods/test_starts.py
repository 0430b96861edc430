"""Where error parameters start, and that their priors are plain ones."""

import subprocess
import sys

import cloudpickle
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import stats

import pymc_hydro as ph
from pymc_hydro.likelihoods.distributions.classes import StableLaplace
from pymc_hydro.likelihoods.distributions.starts import place_at
from tests.conftest import step_by_step

FLOW = np.array([1.0, 2.0, 4.0, 3.0, 2.5, 1.5, 9.0, 5.0])
SPREAD = FLOW.std()


def placed(likelihood, **options):
    """Return a model whose only free parameters are those of the errors."""
    with pm.Model() as model:
        likelihood("flow", pt.constant(FLOW * 1.1), observed=FLOW, **options)
    return model


def start_of(model):
    values = {v.name: v for v in model.unobserved_value_vars}
    point = model.initial_point()
    names = [n for n in values if not n.endswith("__")]
    return dict(zip(names, model.compile_fn([values[n] for n in names])(point), strict=True))


STARTS = {
    "linear": (
        ph.likelihoods.SkewStudentT,
        {"ar": 1},
        {"flow_s0": 0.1 * SPREAD, "flow_s1": 0.5, "flow_r1": np.exp(-0.02), "flow_nu": 4.0},
    ),
    "constant": (
        ph.likelihoods.Student,
        {"scale": "constant", "ar": 2},
        {"flow_s0": 0.3 * SPREAD, "flow_r1": np.exp(-0.02), "flow_r2": 0.0, "flow_nu": 4.0},
    ),
    "generalized": (ph.likelihoods.SkewGeneralizedT, {}, {"flow_q": 4.0, "flow_s1": 0.5}),
    "flow": (
        ph.likelihoods.Normal,
        {"memory": "flow"},
        {"flow_s0": 0.1 * SPREAD, "flow_k0": 0.05, "flow_ku": 0.5, "flow_kd": 0.2},
    ),
    "2010": (ph.likelihoods.GeneralizedLikelihood, {"ar": 1}, {"flow_r1": np.exp(-0.02)}),
}


@pytest.mark.parametrize("case", STARTS)
def test_starts(case):
    likelihood, options, expected = STARTS[case]
    start = start_of(placed(likelihood, **options))
    for name, value in expected.items():
        assert start[name] == pytest.approx(value, rel=1e-9), name


def test_priors_are_those_of_pymc(rng):
    """Names, transforms and densities of a model whose priors are written out."""
    model = placed(ph.likelihoods.SkewStudentT, ar=2)
    with pm.Model() as plain:
        nu = 3 + pm.Gamma("flow_nu_minus_3", alpha=2, beta=0.1)
        ph.likelihoods.SkewStudentT(
            "flow",
            pt.constant(FLOW * 1.1),
            observed=FLOW,
            ar=2,
            s0=pm.HalfNormal("flow_s0", sigma=SPREAD),
            s1=pm.HalfNormal("flow_s1", sigma=0.5),
            r1=pm.Uniform("flow_r1", -1, 1),
            r2=pm.Uniform("flow_r2", -1, 1),
            nu=nu,
            xi=pm.LogNormal("flow_xi", 0, 0.5),
        )
    assert {v.name for v in model.value_vars} == {v.name for v in plain.value_vars}
    ours, theirs = model.compile_logp(), plain.compile_logp()
    for _ in range(5):
        point = {n: rng.normal(v) for n, v in plain.initial_point().items()}
        assert ours(point) == pytest.approx(theirs(point), rel=1e-13)


PRIORS = {
    "beta": pm.Uniform.dist(-1, 1),
    "lam": pm.Uniform.dist(-1, 1),
    "xi": pm.LogNormal.dist(0, 0.5),
    "p": pm.LogNormal.dist(np.log(2), 0.3),
    "q_minus_3": pm.Gamma.dist(2, 0.1),
    "nu_minus_3": pm.Gamma.dist(2, 0.1),
    "s0": pm.HalfNormal.dist(SPREAD),
    "s1": pm.HalfNormal.dist(0.5),
    "k0": pm.LogNormal.dist(np.log(0.02), 1.0),
    "ku": pm.LogNormal.dist(0, 0.5),
    "kd": pm.HalfNormal.dist(0.5),
    "r1": pm.Uniform.dist(-1, 1),
    "r2": pm.Uniform.dist(-1, 1),
}
PLACED = [
    (ph.likelihoods.SkewExponentialPower, {"memory": "flow"}, {"beta", "xi", "k0", "ku", "kd"}),
    (ph.likelihoods.SkewGeneralizedT, {}, {"lam", "p", "q_minus_3", "s0", "s1"}),
    (ph.likelihoods.Student, {"scale": "constant"}, {"nu_minus_3", "s0"}),
    (ph.likelihoods.GeneralizedLikelihood, {"ar": 2}, {"beta", "xi", "s0", "s1", "r1", "r2"}),
]


@pytest.mark.parametrize(("likelihood", "options", "names"), PLACED)
def test_priors_written_out(likelihood, options, names):
    """The density of every prior at two points, as the reference page has it."""
    model = placed(likelihood, **options)
    found = {rv.name.removeprefix("flow_"): rv for rv in model.free_RVs}
    assert names <= set(found) <= set(PRIORS)
    for name, rv in found.items():
        ours, expected = (pm.logp(v, np.array([0.3, 0.7])).eval() for v in (rv, PRIORS[name]))
        np.testing.assert_allclose(ours, expected, rtol=1e-12, err_msg=name)


def test_whittles_priors():
    flow = np.random.default_rng(1).gamma(2, 1, 70)
    with pm.Model() as model:
        ph.likelihoods.Whittle("flow", pt.constant(flow), observed=flow)
    for name, prior in {"s0": pm.HalfNormal.dist(flow.std()), "r1": PRIORS["r1"]}.items():
        found, expected = (pm.logp(v, 0.3).eval() for v in (model[f"flow_{name}"], prior))
        assert found == pytest.approx(expected, rel=1e-12)
    with pm.Model() as model:
        ph.likelihoods.Whittle("flow", pt.constant(flow), observed=np.ones(70))
    spread = pm.HalfNormal.dist(1.0)  # where observations are constant
    assert pm.logp(model["flow_s0"], 0.3).eval() == pm.logp(spread, 0.3).eval()


def test_start_of_vectors_draws_and_transformations_of_models():
    with pm.Model(coords={"gauge": ["a", "b", "c"]}) as model:
        s = place_at(0.3, "s", pm.HalfNormal.dist(2.0, shape=3), dims="gauge")
        r = place_at(0.5, "r", pm.Uniform.dist(-1.0, pt.constant([1.0, 2.0])))
        pm.Normal("y", s.sum() + r.sum(), 1, observed=1.0)
    assert start_of(model)["s"].tolist() == [0.3] * 3
    assert start_of(model)["r"] == pytest.approx([0.5, 0.5])
    draws = pm.draw(s, 400, random_seed=1)
    assert stats.kstest(draws.ravel(), stats.halfnorm(scale=2).cdf).pvalue > 0.01
    for other in (model.copy(), pm.do(model, {"r": [0.1, 0.2]})):
        assert start_of(other)["s"].tolist() == [0.3] * 3
        assert np.isfinite(other.compile_logp()(other.initial_point()))


def test_models_are_loaded_in_another_process(tmp_path):
    model = placed(ph.likelihoods.Student, ar=1)
    with (tmp_path / "model").open("wb") as file:
        cloudpickle.dump(model, file)
    code = (
        "import pickle; m = pickle.load(open('model', 'rb')); p = m.initial_point();"
        "print(m.compile_logp()(p))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    found = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True, env=step_by_step()
    )
    expected = model.compile_logp()(model.initial_point())
    assert float(found.stdout) == pytest.approx(expected, rel=1e-13)


def test_distribution_function_of_laplace_at_any_distance():
    x, b = pt.dvector("x"), 0.3
    at = np.array([-1e4, -500.0, -1.0, -1e-9, 1e-9, 2.0, 500.0, 1e4])
    logcdf = pm.logcdf(StableLaplace.dist(0.1, b), x)
    far = (at - 0.1) / b
    tail = 0.5 * np.exp(-np.abs(far))
    expected = np.where(far < 0, np.log(0.5) + far, np.log1p(-tail))
    inner = slice(2, -2)  # SciPy has -inf and 0 beyond
    np.testing.assert_allclose(expected[inner], stats.laplace.logcdf(at, 0.1, b)[inner])
    np.testing.assert_allclose(logcdf.eval({x: at}), expected, rtol=1e-12, atol=1e-300)
    slope = pt.grad(logcdf.sum(), x).eval({x: at})
    exact = np.where(far < 0, 1.0, tail / (1 - tail)) / b
    np.testing.assert_allclose(slope, exact, rtol=1e-9, atol=1e-300)
