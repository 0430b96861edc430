"""The loss of each of many basins: values, gradients, masks and memory."""

import pickle
import tracemalloc

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from pytensor.gradient import NullTypeGradError

import pymc_hydro as ph
from pymc_hydro.calibration.basins import losses as losses_module
from pymc_hydro.calibration.basins.losses import define_losses
from pymc_hydro.ops import LossesOfBasins
from tests.conftest import FORCINGS
from tests.tiny import Tiny

MODEL, EXACT = Tiny(), {"rtol": 1e-11, "atol": 1e-11}
OPTIONS = {"warmup": 10, **EXACT}


def record(a, rng):
    basin = FORCINGS["storm"]
    flow = ph.simulate(MODEL, {"a": a, "k": 0.4}, basin)["discharge"]
    flow = flow * rng.uniform(0.8, 1.2, flow.size)
    flow[20] = np.nan
    return basin.assign(discharge=flow)


@pytest.fixture
def basins(rng):
    found = {f"b{i}": record(a, rng) for i, a in enumerate((0.005, 0.01, 0.02))}
    found["b1"] = found["b1"].isel(time=slice(0, -7))  # of any lengths
    return found


THETA = np.array([[0.007, 0.3], [0.02, 0.6], [0.01, 0.5]])


def values_by_simulation(basins, theta, loss):
    function = ph.losses.find_loss(loss)[0]
    found = []
    for basin, row in zip(basins.values(), theta, strict=True):
        flow = ph.simulate(MODEL, row, basin, **EXACT)["discharge"].values
        found.append(function(basin["discharge"].values[10:], flow[10:]))
    return np.array(found)


# One graph for all basins; and those whose graph is made from the observed numbers.
@pytest.mark.parametrize("loss", ["nse_log", "kge", "fdc_quantile"])
def test_values_and_gradients(basins, loss):
    losses = define_losses(MODEL, basins, loss, **OPTIONS)
    values, gradients = losses(THETA)
    expected = values_by_simulation(basins, THETA, loss)
    np.testing.assert_allclose(losses.sign * values, expected, rtol=1e-9)
    for j in range(2):
        estimates = []
        for step in (2e-3, 1e-3):
            h = np.zeros_like(THETA)
            h[:, j] = step * THETA[:, j]
            rise = [values_by_simulation(basins, THETA + s * h, loss) for s in (1, -1)]
            estimates.append((rise[0] - rise[1]) / (2 * h[:, j]))
        richardson = (4 * estimates[1] - estimates[0]) / 3
        np.testing.assert_allclose(losses.sign * gradients[:, j], richardson, rtol=2e-5)


def test_the_loss_of_many_is_compiled(basins, monkeypatch, compiled):
    few = define_losses(MODEL, basins, "nse", **OPTIONS)
    monkeypatch.setattr(losses_module, "MANY", 3)
    many = define_losses(MODEL, basins, "nse", threads=1, **OPTIONS)
    found, expected = many(THETA), few(THETA)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    part = pickle.loads(pickle.dumps(many.select([2, 0])))
    numbers = [len(f._common.idle[0].maker.fgraph.apply_nodes) for f in (part, few)]
    assert numbers[0] < 20 < numbers[1]  # loops are fused
    np.testing.assert_array_equal(part(THETA[[2, 0]])[1], found[1][[2, 0]])


@pytest.mark.kernels
@pytest.mark.parametrize("loss", [{"discharge": "nse"}, "nse"], ids=["several", "one"])
def test_several_outputs_threads_and_some_basins(basins, loss):
    losses = define_losses(MODEL, basins, loss, threads=3, **OPTIONS)
    values, gradients = losses(THETA)
    one = define_losses(MODEL, basins, loss, threads=1, **OPTIONS)(THETA)
    assert (values == one[0]).all() and (gradients == one[1]).all()
    some = pickle.loads(pickle.dumps(losses)).select([2, 0])
    assert some.names == ["b2", "b0"]
    np.testing.assert_array_equal(some(THETA[[2, 0]])[1], gradients[[2, 0]])
    with pytest.raises(ValueError, match=r"has shape \(3, 2\), expected \(2, 2\)"):
        some(THETA)


@pytest.mark.kernels
def test_curvature_is_that_of_nse(basins):
    losses = define_losses(MODEL, basins, "kge", **OPTIONS)
    curvature = losses.evaluate(THETA)[2][1]
    run = ph.simulate(MODEL, THETA[1], basins["b1"], sensitivities=True, **EXACT)
    y = basins["b1"]["discharge"].values[10:]
    slopes = run["ddischarge_dparameter"].values[10:][np.isfinite(y)]
    expected = 2 * slopes.T @ slopes / (np.nanvar(y) * np.isfinite(y).sum())
    np.testing.assert_allclose(curvature, expected, rtol=1e-10)


def test_as_a_variable(basins):
    """The cotangents are by basin; common parameters add them up."""
    a, k = pt.dvector("a"), pt.dscalar("k")
    scores = ph.basin_losses(MODEL, {"a": a, "k": k}, basins, "nse", **OPTIONS)
    weights = np.array([1.0, 3.0, 0.5])
    slopes = pytensor.grad((scores * weights).sum(), [a, k])
    values, by_a, by_k = pytensor.function([a, k], [scores, *slopes])(THETA[:, 0], 0.4)
    theta = np.column_stack([THETA[:, 0], np.full(3, 0.4)])
    losses = define_losses(MODEL, basins, "nse", **OPTIONS)
    expected, gradients = losses(theta)
    np.testing.assert_allclose(values, -expected, rtol=1e-12)
    np.testing.assert_allclose(by_a, -weights * gradients[:, 0], rtol=1e-12)
    np.testing.assert_allclose(by_k, -(weights * gradients[:, 1]).sum(), rtol=1e-12)
    by_number = {"a": xr.DataArray(THETA[::-1, 0], {"basin": ["b2", "b1", "b0"]}), "k": 0.4}
    found = ph.basin_losses(MODEL, by_number, basins, "nse", **OPTIONS)
    np.testing.assert_array_equal(found, -expected)
    with pytest.raises(NullTypeGradError, match="second derivatives"):
        pytensor.grad(slopes[1], k)


@pytest.mark.kernels
def test_numba_calls_back_without_a_warning(basins, compiled):
    theta = pt.dmatrix("theta")
    scores = ph.basin_losses(MODEL, theta, basins, "nse", **OPTIONS)
    slope = pytensor.grad(scores.sum(), theta)
    values, gradients = pytensor.function([theta], [scores, slope], mode="NUMBA")(THETA)
    expected = define_losses(MODEL, basins, "nse", **OPTIONS)(THETA)
    np.testing.assert_allclose(values, -expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradients, -expected[1], rtol=1e-12)


@pytest.mark.kernels
def test_in_jax(basins):
    jax = pytest.importorskip("jax")
    from pytensor.link.jax.dispatch import jax_funcify

    losses = define_losses(MODEL, basins, "nse", **OPTIONS)
    values, gradients = losses(THETA)
    function = jax_funcify(LossesOfBasins(losses))
    weights = np.array([1.0, 3.0, 0.5])
    total = jax.jit(jax.value_and_grad(lambda t: (weights * function(t)[0]).sum()))
    found, slope = total(THETA)
    np.testing.assert_allclose(found, weights @ values, rtol=1e-12)
    np.testing.assert_allclose(slope, weights[:, None] * gradients, rtol=1e-12)


def test_a_failure_is_its_basin_only(basins):
    theta = THETA.copy()
    theta[1, 0] = -1.0  # outside of the domain
    losses = define_losses(MODEL, basins, "nse", **OPTIONS)
    values, gradients = losses(theta)
    assert np.isnan(values).tolist() == [False, True, False]
    assert np.isnan(gradients[1]).all() and np.isfinite(gradients[[0, 2]]).all()
    with pytest.raises(ph.IntegrationError, match="failed in 1 of 3 basins, 'b1'"):
        ph.basin_losses(MODEL, theta, basins, "nse", **OPTIONS)


@pytest.mark.kernels
def test_memory_does_not_grow_with_basins(basins):
    n_time = 2000
    time = np.datetime64("2000-01-01") + np.arange(n_time)
    rain = 0.1 * np.resize(basins["b0"]["precipitation"].values, n_time)
    long = xr.Dataset(
        {"precipitation": ("time", rain), "discharge": ("time", rain)}, {"time": time}
    )

    def peak(n):
        many = dict.fromkeys(map(str, range(n)), long)
        losses = define_losses(MODEL, many, "nse", threads=1, warmup=10)
        theta = np.tile(THETA[:1], (n, 1))
        losses(theta)
        tracemalloc.start()
        losses(theta)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    jacobian = n_time * 2 * 8
    assert jacobian < peak(2) < 20 * jacobian
    assert peak(22) - peak(2) < jacobian  # of the 20 that a stacked Jacobian would need


def test_a_bad_record_is_named(basins):
    bad = basins["b1"].assign(discharge=basins["b1"]["discharge"] * 0 + 1)
    with pytest.raises(ValueError, match="'b1': nse: the observations are constant"):
        define_losses(MODEL, basins | {"b1": bad}, "nse", **OPTIONS)
