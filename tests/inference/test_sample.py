"""Whitened twins of models, and the verdict on chains."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.inference.sample import judge, whiten

OBSERVED = np.array([2.0, 2.5, 3.0, 1.0, 2.2])


@pytest.fixture(scope="module")
def model():
    with pm.Model(coords={"gauge": ["a", "b"]}) as model:
        x = pm.Normal("x", 1.0, 2.0, dims="gauge")
        s = pm.HalfNormal("s", 1.0)
        u = pm.Uniform("u", 0, s + 1)
        pm.Deterministic("twice", x * 2, dims="gauge")
        known = pm.Data("known", [1.0, 2.0], dims="gauge")
        pm.Normal("y", (x * known).sum() + u, s, observed=OBSERVED)
    return model


@pytest.fixture(scope="module")
def approximation(model):
    return ph.fit_laplace(model, random_seed=1, starts=2)


def test_twins_have_the_same_log_probability_and_variables(model, approximation, rng):
    twin = whiten(approximation)
    assert [rv.name for rv in twin.free_RVs] == ["whitened"]
    factor = np.linalg.cholesky(approximation.covariance.values)
    ours, theirs, slope = twin.compile_logp(), model.compile_logp(), twin.compile_dlogp()
    gradient = model.compile_dlogp()
    names = [d.name for d in twin.deterministics]
    values = twin.compile_fn(twin.replace_rvs_by_values([twin[n] for n in names]))
    for z in (np.zeros(4), rng.normal(size=4)):
        x = approximation.mean + factor @ z
        point = {"x": x[:2], "s_log__": x[2], "u_interval__": x[3]}
        assert ours({"whitened": z}) == pytest.approx(float(theirs(point)), rel=1e-12)
        expected = factor.T @ gradient(point)
        np.testing.assert_allclose(slope({"whitened": z}), expected, rtol=1e-9, atol=1e-9)
        found = dict(zip(names, values({"whitened": z}), strict=True))
        np.testing.assert_allclose(found["x"], x[:2])
        np.testing.assert_allclose(found["twice"], 2 * x[:2])
        assert found["s"] == pytest.approx(np.exp(x[2]))
    assert twin.named_vars_to_dims["twice"] == ("gauge",)


@pytest.mark.filterwarnings("ignore")  # few draws
@pytest.mark.parametrize("sampler", ["pymc", "nutpie"])
def test_samplers_return_the_variables_of_the_model(model, approximation, sampler, request):
    if sampler == "nutpie":
        pytest.importorskip(sampler)
        request.getfixturevalue("compiled")
    with pytest.warns(UserWarning, match="effective draws only"):
        idata = ph.sample(
            model, 20, tune=20, chains=2, random_seed=1, approximation=approximation,
            nuts_sampler=sampler, cores=1, progressbar=False,
        )  # fmt: skip
    assert set(idata.posterior.data_vars) == {"x", "s", "u", "twice"}
    assert idata.posterior["twice"].dims == ("chain", "draw", "gauge")
    assert idata.observed_data["y"].values.tolist() == OBSERVED.tolist()
    assert idata.constant_data["known"]["gauge"].values.tolist() == ["a", "b"]
    assert len(idata.posterior.attrs["gaps"]) == 2
    assert max(idata.posterior.attrs["gaps"]) < 15


def test_verdicts(approximation, rng):
    """Four parameters: the mean log-probability is 2 below the mode's in a normal posterior."""
    axes = ("chain", "draw")
    shape = (2, 500)
    draws = {"s": (axes, rng.normal(size=shape)), "u": (axes, rng.normal(size=shape))}
    draws["x"] = ((*axes, "gauge"), rng.normal(size=(*shape, 2)))
    posterior = xr.Dataset(draws)
    mode = approximation.modes["log_posterior"][0]

    def judged(posterior, gap, divergences=0):
        diverging = np.arange(1000).reshape(shape) < divergences
        stats = xr.Dataset(
            {"lp": (axes, np.full(shape, mode - gap)), "diverging": (axes, diverging)}
        )
        problems, attributes = judge(posterior, stats, approximation)
        assert all(problem in attributes["verdict"] for problem in problems)
        assert attributes["gaps"] == pytest.approx([gap, gap])
        return problems

    assert judged(posterior, 2.0) == []
    [problem] = judged(posterior, 135.0)
    assert "lower mode" in problem
    [problem] = judged(posterior, -3.0)
    assert "above the mode" in problem
    [problem] = judged(posterior, 2.0, divergences=3)
    assert "3 divergences" in problem
    apart = posterior.assign(s=posterior["s"] + xr.DataArray([0.0, 5.0], dims="chain"))
    problems = judged(apart, 2.0)
    assert "R-hat of s" in problems[0] and "s has" in problems[1]
