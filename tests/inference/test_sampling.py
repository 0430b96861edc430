"""Samplers run on the real model, draws few: workers, predictive draws, files, JAX samplers."""

from importlib.metadata import version

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from packaging.version import Version

import pymc_hydro as ph
from benchmarks import sampling

MODEL = ph.Hymod(snow=False)
SAMPLERS = ["pymc", "nutpie", "numpyro", "blackjax"]


def require_sampler(name):
    """Skip without the sampler, or with a BlackJAX that PyMC cannot call (the extra has a cap)."""
    if name == "pymc":
        return
    pytest.importorskip(name)
    if name == "blackjax" and Version(version(name)) >= Version("1.6"):
        pytest.skip("PyMC calls BlackJAX 1.6 and newer with an argument that they lack")


@pytest.fixture
def pymc_model():
    """A model for one test alone: PyMC 5 lists observed variables twice after predictive draws."""
    basin = ph.load_basin("leaf_river").isel(time=slice(300, 600))
    return ph.build_model(MODEL, basin, warmup=100)


@pytest.mark.filterwarnings("ignore")  # short chains: everybody warns
@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.usefixtures("compiled")
def test_samplers_run_and_label_time(pymc_model, sampler, tmp_path):
    require_sampler(sampler)
    with pymc_model:
        idata = pm.sample(
            draws=20,
            tune=20,
            chains=2,
            cores=2,
            nuts_sampler=sampler,
            progressbar=False,
            random_seed=1,
        )
        predictive = pm.sample_posterior_predictive(idata, progressbar=False, random_seed=1)
    assert np.isfinite(idata.posterior["S_umax"].values).all()
    assert np.ptp(idata.posterior["S_umax"].values) > 0
    flow = predictive.posterior_predictive["flow"]
    assert flow.dims == ("chain", "draw", "flow_time")
    assert np.issubdtype(flow["flow_time"].dtype, np.datetime64)
    file = tmp_path / "posterior.nc"
    predictive.to_netcdf(str(file))
    with xr.open_dataset(file, group="posterior_predictive", engine="h5netcdf") as stored:
        assert stored.sizes["flow_time"] == 200


def test_blackjax_moves_along_the_gradient(pymc_model):
    """BlackJAX itself, on the log-probability that PyMC converts to JAX."""
    blackjax, jax = pytest.importorskip("blackjax"), pytest.importorskip("jax")
    from pymc.sampling.jax import get_jaxified_logp

    density = get_jaxified_logp(pymc_model)
    start = [np.asarray(v, dtype=float) for v in pymc_model.initial_point().values()]
    expected = pymc_model.compile_dlogp()(pymc_model.initial_point())
    np.testing.assert_allclose(np.hstack(jax.grad(density)(start)), expected, rtol=1e-6)
    mass = np.full(len(start), 1e-2)
    sampler = blackjax.nuts(density, step_size=0.02, inverse_mass_matrix=mass)
    state, step = sampler.init(start), jax.jit(sampler.step)
    first = float(state.logdensity)
    for key in jax.random.split(jax.random.key(1), 10):
        state, _ = step(key, state)
    assert np.isfinite(first) and float(state.logdensity) > first


def test_benchmark_samples_natural_units_from_the_same_posterior(pymc_model):
    """Without transformations a density has no Jacobian; out of order it is nothing."""
    start = pymc_model.initial_point()
    natural = pymc_model.compile_fn(
        pymc_model.replace_rvs_by_values([pymc_model[n] for n in sampling.NAMES])
    )
    expected = pymc_model.compile_logp(jacobian=False)(start)
    theta = [float(v) for v in natural(start)]
    logp = sampling.natural_logp(pymc_model)
    assert logp(theta) == pytest.approx(expected, rel=1e-12)
    values = dict(zip(sampling.NAMES, theta, strict=True))
    assert logp(list((values | {"K_s": 1.01 * values["K_f"]}).values())) == -np.inf


def test_pointwise_log_likelihood(pymc_model):
    with pymc_model:
        idata = pm.sample_prior_predictive(5, random_seed=1)
    assert np.isfinite(idata.prior["K_f"].values).all()
    pointwise = pymc_model.compile_logp(vars=[pymc_model["flow"]], sum=False)
    assert pointwise(pymc_model.initial_point())[0].shape == (200,)
