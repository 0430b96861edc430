"""Whitened twins of models, and the verdict on chains."""

import re
from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy.special import logit

import pymc_hydro as ph
from pymc_hydro.inference.sampling import verdict
from pymc_hydro.inference.sampling.verdict import _at_bounds, judge
from pymc_hydro.inference.sampling.whiten import WIDEST, factor_of, whiten
from tests.inference.test_sampling import require_sampler
from tests.inference.test_workflow import FIRST
from tests.tiny import Tiny

OBSERVED = np.array([2.0, 2.5, 3.0, 1.0, 2.2])


@pytest.fixture(scope="module")
def model():
    with pm.Model(name="mine", coords={"gauge": ["a", "b"]}) as model:
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
        point = {"mine::x": x[:2], "mine::s_log__": x[2], "mine::u_interval__": x[3]}
        assert ours({"whitened": z}) == pytest.approx(float(theirs(point)), rel=1e-12)
        expected = factor.T @ gradient(point)
        np.testing.assert_allclose(slope({"whitened": z}), expected, rtol=1e-9, atol=1e-9)
        found = dict(zip(names, values({"whitened": z}), strict=True))
        np.testing.assert_allclose(found["mine::x"], x[:2])
        np.testing.assert_allclose(found["mine::twice"], 2 * x[:2])
        assert found["mine::s"] == pytest.approx(np.exp(x[2]))
    assert twin.named_vars_to_dims["mine::twice"] == ("gauge",)


def test_a_flat_direction_has_a_bounded_width():
    """Of a parameter without a prior and without data the covariance means nothing."""
    with pm.Model() as model:
        pm.Normal("x", 0, 1)
        pm.Flat("y")
    with pytest.warns(UserWarning, match="flat or bent upwards along y"):
        found = ph.fit_laplace(model, starts=1)
    width = np.linalg.svd(factor_of(found), compute_uv=False)
    assert width == pytest.approx([WIDEST, 0.995], abs=0.01)


@pytest.mark.filterwarnings("ignore")  # few draws
@pytest.mark.parametrize(
    "sampler",
    [
        "pymc",
        *(pytest.param(s, marks=pytest.mark.kernels) for s in ("nutpie", "numpyro", "blackjax")),
    ],
)
def test_samplers_return_the_variables_of_the_model(model, approximation, sampler, request):
    require_sampler(sampler)
    if sampler == "nutpie":
        request.getfixturevalue("compiled")
    with model, pytest.warns(UserWarning, match="effective draws only"):
        idata = ph.sample(
            draws=20, tune=20, chains=2, random_seed=1, approximation=approximation,
            nuts_sampler=sampler, cores=1, progressbar=False,
        )  # fmt: skip
    assert set(idata.posterior.data_vars) == {"mine::x", "mine::s", "mine::u", "mine::twice"}
    assert set(idata.posterior.coords) == {"chain", "draw", "gauge"}
    assert idata.posterior["mine::twice"].dims == ("chain", "draw", "gauge")
    assert idata.observed_data["mine::y"].values.tolist() == OBSERVED.tolist()
    assert idata.constant_data["mine::known"]["gauge"].values.tolist() == ["a", "b"]
    assert idata.modes["gap"].values[0] == 0
    assert float(idata.modes["parameters"].sel(mode=0, parameter="mine::x[b]")) == pytest.approx(
        approximation.mode["mine::x"][1]
    )
    assert len(idata.posterior.attrs["gaps"]) == 2
    assert -0.01 < min(idata.posterior.attrs["gaps"]) < max(idata.posterior.attrs["gaps"]) < 15


@pytest.mark.filterwarnings("ignore")  # few draws
def test_a_hydrologic_model_and_its_record(tmp_path):
    """Log-likelihood, tuning draws, some variables only, files, and predictions."""
    idata = ph.sample(
        Tiny(), FIRST, draws=8, tune=8, chains=2, cores=1, random_seed=1, progressbar=False,
        nuts_sampler="pymc", idata_kwargs={"log_likelihood": True}, discard_tuned_samples=False,
        var_names=["a"],
    )  # fmt: skip
    assert set(idata.posterior.data_vars) == {"a"}
    assert "whitened" not in idata.warmup_posterior
    n = int(np.isfinite(FIRST["discharge"].values[365:]).sum())
    pointwise = idata.log_likelihood["flow"]
    assert pointwise.dims == ("chain", "draw", "flow_time") and pointwise.shape == (2, 8, n)
    file = tmp_path / "posterior.nc"
    idata.to_netcdf(str(file))
    with xr.open_dataset(file, group="modes", engine="h5netcdf") as stored:
        assert stored["parameters"]["parameter"].values.tolist()[:2] == ["a", "k"]


def judged(posterior, z, approximation, divergences=0):
    diverging = np.arange(z[..., 0].size).reshape(z.shape[:2]) < divergences
    stats = xr.Dataset({"diverging": (("chain", "draw"), diverging)})
    whitened = xr.DataArray(z, dims=("chain", "draw", "whitened_dim_0"))
    problems, attributes = judge(posterior, whitened, stats, approximation)
    assert all(problem in attributes["verdict"] for problem in problems)
    return problems, attributes


def test_verdicts(rng, monkeypatch):
    """Four normal parameters: the mean log-probability is 2 below the mode's."""
    with pm.Model() as model:
        pm.Normal("x", shape=2)
        pm.Normal("s")
        pm.Uniform("u", -1, 1)
    approximation = ph.fit_laplace(model, starts=1)

    def posterior(z):
        x = approximation.mean + z @ factor_of(approximation).T
        draws = {"x": x[..., :2], "s": x[..., 2], "u": np.tanh(x[..., 3] / 2)}
        axes = ("chain", "draw")
        return xr.Dataset({k: (axes + ("i",) * (v.ndim - 2), v) for k, v in draws.items()})

    z = rng.normal(size=(2, 500, 4))
    z[..., 3] *= 0.3
    problems, attributes = judged(posterior(z), z, approximation)
    assert problems == [] and attributes["verdict"].endswith("Nothing wrong is seen.")
    assert attributes["gaps"] == pytest.approx([1.6, 1.6], abs=0.4)
    [problem], attributes = judged(posterior(z), z, approximation, divergences=3)
    assert "3 divergences in 1000" in problem and attributes["divergences"] == 3
    corner = z.copy()
    corner[0, :9, 3] = -2.5
    [problem], _ = judged(posterior(corner), corner, approximation, divergences=9)
    assert "9 divergences in 1000 transitions, where u is small: target_accept" in problem
    one, attributes = judged(posterior(z[:1]), z[:1], approximation)
    assert one == [] and attributes["verdict"].startswith("R-hat is not known, at least ")

    away = z + np.array([0.0, 20, 0, 0])  # both chains
    problems, attributes = judged(posterior(away), away, approximation)
    assert [p.partition(" below")[0][:7] for p in problems] == ["chain 0", "chain 1"]
    assert "no search found" in problems[0] and attributes["r_hat"] < 1.01
    assert attributes["gaps"] == pytest.approx([201.6, 201.6], abs=4)

    apart = z.copy()
    apart[1, :, 2] += 5
    apart[..., 0] = apart[..., 1] + 0.01 * z[..., 0]
    apart[..., 3] = -8.0 + 0.1 * z[..., 3]
    problems, _ = judged(posterior(apart), apart, approximation)
    text = "; ".join(problems)
    for words in ("R-hat of s is", "s has", "u lies at its lower bound", "x[0] and x[1]"):
        assert words in text

    two = z.copy()
    two[1, :, 2] += 2
    text = judged(posterior(two), two, approximation)[0][-1]
    assert re.match(r"chain 0 is apart: its unconstrained s is (1.9|2.0|2.1) .* below", text)

    between = z.copy()
    between[1, :, :2] += 30  # chains that are apart in both say nothing of a chain's correlation
    assert "told apart" not in "; ".join(judged(posterior(between), between, approximation)[0])

    frozen = z.copy()
    frozen[1] = frozen[1, :1]
    assert "chain 1 did not move" in judged(posterior(frozen), frozen, approximation)[0][0]
    frozen[0] = frozen[1]  # R-hat and effective draws of constants are no numbers, or perfect
    problems, _ = judged(posterior(frozen), frozen, approximation)
    assert [p.partition(":")[0] for p in problems[:2]] == [f"chain {c} did not move" for c in "01"]

    short = z.copy()
    short[1, :, 2] += 0.3
    monkeypatch.setattr(verdict, "FEWEST", 100)
    assert judged(posterior(short), short, approximation)[0][-1].startswith("no cause is seen")


def test_a_bound_is_near_on_the_axis_of_the_parameter():
    """K_f = 0.2 is not at its lower bound: the bounds 0.1 and 10 span decades; x has one bound."""
    with pm.Model() as model:
        pm.Uniform("K_f", 0.1, 10)
        pm.TruncatedNormal("x", 0, 1e5, lower=0)
        pm.Uniform("share", 1e-5, 1)

    def said(K_f, share):
        z = [
            logit((K_f - 0.1) / 9.9),
            np.log(100.0) + np.zeros(np.size(share)),
            logit(share - 1e-5),
        ]
        z = np.stack(np.broadcast_arrays(*z), axis=-1)
        return _at_bounds(z.reshape(1, -1, 3), SimpleNamespace(model=model))

    assert said(0.2, 0.9) == []
    assert said(0.105, 0.995) == ["K_f lies at its lower bound", "share lies at its upper bound"]
    even = np.linspace(0.001, 0.999, 500)
    assert said(5.0, even) == []  # as its prior
    assert said(5.0, even[even > 0.6]) == [
        "share presses against its upper bound: 4% of the draws within 2 % of it"
    ]


def test_verdicts_name_the_mode(rng):
    """Errors of a^3 - 3 a - 5 are smallest at its root, and have another minimum at -1."""
    with pm.Model() as model:
        a = pm.Normal("a", 0, 5)
        pm.Deterministic("twice", 2 * a)
        pm.Normal("y", (a**3 - 3 * a) * np.ones(20), 1.0, observed=np.full(20, 5.0))
    found = ph.fit_laplace(model, random_seed=0)
    a = -1 + 0.05 * rng.normal(size=(2, 500, 1))
    z = (a - found.mean) / factor_of(found)
    posterior = xr.Dataset({"a": (("chain", "draw"), a[..., 0])})
    problems, _ = judged(posterior, z, found)
    assert f"near mode 1 of the table, which is {found.modes['gap'][1]:.1f} lower" in problems[0]
    lower = ph.fit_laplace(model, start={"a": -1})
    a = found.mean + 0.01 * rng.normal(size=(2, 500, 1))
    z = (a - lower.mean) / factor_of(lower)
    posterior = xr.Dataset({n: (("chain", "draw"), a[..., 0]) for n in ("a", "twice")})
    problems, _ = judged(posterior, z, lower)
    assert "above the mode: fit_laplace has not found the highest one" in problems[0]
    chain, draw = map(int, re.search(r"isel\(chain=(\d+), draw=(\d+)\)", problems[0]).groups())
    from_draw = posterior.isel(chain=chain, draw=draw)
    assert ph.fit_laplace(model, start=from_draw).mode["a"] == pytest.approx(found.mode["a"])


def test_refusals(model):
    with pytest.raises(TypeError, match="initvals, step would have no meaning"):
        ph.sample(model, initvals={}, step=None)
    with pytest.raises(TypeError, match="basins are given beside Model"):
        ph.sample(model, FIRST)
    with pytest.raises(TypeError, match="Tiny needs a record of forcing and discharge"):
        ph.sample(Tiny())
    with pytest.raises(TypeError, match="model_options are for a hydrologic model"):
        ph.sample(model, model_options={})
    with pytest.raises(TypeError, match="executor and store are for several basins"):
        ph.sample(model, store="x")


def test_options_reach_pymc(model, approximation, monkeypatch):
    """But `log_likelihood`, which is of the user's model and comes afterwards."""
    asked = []

    def stop(**options):
        asked.append((pm.modelcontext(None), options))
        raise InterruptedError

    monkeypatch.setattr(pm, "sample", stop)
    given = {"draws": 7, "tune": 3, "chains": 3, "random_seed": 5, "cores": 2}
    for kwargs in ({}, {"dims": {"a": ["b"]}}):
        of_idata = {"log_likelihood": True, **kwargs}
        with pytest.raises(InterruptedError):
            ph.sample(model, **given, approximation=approximation, idata_kwargs=of_idata)
        sampled, options = asked.pop()
        assert sampled is not model and [v.name for v in sampled.free_RVs] == ["whitened"]
        expected = given | {"compute_convergence_checks": False}
        assert options == expected | ({"idata_kwargs": kwargs} if kwargs else {})
    assert of_idata == {"log_likelihood": True, "dims": {"a": ["b"]}}  # the user's own is kept


def test_first_searches_start_where_they_are_told():
    """From the start the lower mode, from the initial point the higher one."""
    with pm.Model() as model:
        a = pm.Normal("a", 0, 5, initval=2)
        pm.Normal("y", (a**3 - 3 * a) * np.ones(20), 1.0, observed=np.full(20, 5.0))
    assert ph.fit_laplace(model, start={"a": -1}).modes["a"].tolist() == pytest.approx(
        [-1], abs=0.1
    )
    both = ph.fit_laplace(model, start={"a": -1}, starts=2).modes
    assert both["a"].tolist() == pytest.approx([2.279, -1], abs=0.01)


def test_verdicts_name_the_modes_of_chains_that_differ(rng):
    """Two modes of equal height: no chain is lower, and each chain stays in its own."""
    with pm.Model() as model:
        a = pm.Normal("a", 0, 5)
        pm.Normal("y", a**2 * np.ones(20), 1.0, observed=np.full(20, 9.0))
    found = ph.fit_laplace(model, random_seed=0)
    a = found.modes["a"].to_numpy()[:2, None] + 0.04 * rng.normal(size=(2, 500))
    z = (a[..., None] - found.mean) / factor_of(found)
    problems, _ = judged(xr.Dataset({"a": (("chain", "draw"), a)}), z, found)
    said = "chains are in modes of the table that differ by 0.0: chain 0 near mode 0, chain 1 near"
    assert said in problems[-1]
