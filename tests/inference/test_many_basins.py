import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from scipy import stats

import pymc_hydro as ph
from pymc_hydro.ops import BatchJacobian, BatchValues
from tests.inference.test_build import MODEL, evaluate
from tests.tiny import IN_MODELS

WARMUP = 40
LEAF = ph.load_basin("leaf_river")
BASINS = {
    "a": LEAF.isel(time=slice(100, 400)),
    "b": LEAF.isel(time=slice(300, 460)),
    "c": LEAF.isel(time=slice(800, 1000)),
}
OBSERVED = {name: basin["discharge"].copy() for name, basin in BASINS.items()}
OBSERVED["b"][60:75] = np.nan
SLOW = np.array([0.01, 0.03, 0.08])
KEPT = {name: basin["time"].values[WARMUP:] for name, basin in BASINS.items()}


def hierarchical(likelihood=ph.likelihoods.Normal, parallel=False, solver_settings=None, **kwargs):
    """A rate of the slow reservoir by basin, drawn from a common distribution."""
    with pm.Model(coords={"basin": list(BASINS)}) as model:
        mean = pm.Normal("mean", -3, 1)
        K_s = pm.LogNormal("K_s", mean, 0.5, dims="basin")
        theta = ph.priors(MODEL, K_s=K_s, alpha=0.6)
        settings = solver_settings or {}
        q = ph.discharge(MODEL, theta, BASINS, WARMUP, parallel=parallel, **settings)
        likelihood("flow", q, observed=OBSERVED, **kwargs)
    return model, q


def parameters_of(i):
    theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
    return theta | {"K_s": SLOW[i], "alpha": 0.6}


@pytest.fixture(scope="module")
def model():
    return hierarchical()[0]


def flows():
    """Return simulated and observed flow of each basin after the warm-up, by single runs."""
    for i, (name, basin) in enumerate(BASINS.items()):
        run = ph.simulate(MODEL, parameters_of(i), basin, **IN_MODELS)
        q = run["discharge"].values[WARMUP:]
        yield name, q, OBSERVED[name].values[WARMUP:]


def test_series_one_after_another_with_the_basin_of_each_interval():
    with pm.Model() as model:
        theta = {k: pt.constant(v) for k, v in parameters_of(0).items()} | {"K_s": SLOW}
        q = ph.discharge(MODEL, theta, BASINS, WARMUP)
        pm.Deterministic("q", q, dims="time")
        found = q.eval()
    simulated = np.concatenate([q for _, q, _ in flows()])
    np.testing.assert_array_equal(found, simulated)
    assert list(model.coords["basin"]) == list(BASINS)
    np.testing.assert_array_equal(
        model["basin_index"].get_value(), np.repeat([0, 1, 2], [len(k) for k in KEPT.values()])
    )
    assert (np.array(model.coords["time"]) == np.concatenate(list(KEPT.values()))).all()


def test_log_likelihood_is_that_of_each_basin(model):
    s0, s1 = 0.3, 0.2
    expected = []
    for _, q, y in flows():
        there = np.isfinite(y)
        expected.append(stats.norm.logpdf(y[there], q[there], s0 + s1 * q[there]))
    expected = np.concatenate(expected)
    values = {k: v for k, v in parameters_of(0).items() if k != "alpha"}
    values |= {"K_s": SLOW, "flow_s0": s0, "flow_s1": s1}
    flow = model["flow"]
    logp = pm.logp(flow, model.rvs_to_values[flow])
    f = model.compile_fn(logp, inputs=[model[k] for k in values], point_fn=False)
    np.testing.assert_allclose(f(*values.values()), expected, rtol=1e-12)


def test_one_integration_and_its_gradient_against_richardson():
    model, _ = hierarchical(solver_settings={"rtol": 1e-9, "atol": 1e-9})
    f, (_, gradient), start = evaluate(model)
    nodes = f._pytensor_function.maker.fgraph.toposort()
    found = [n.op for n in nodes if isinstance(n.op, (BatchValues, BatchJacobian))]
    assert len(found) == 1 and isinstance(found[0], BatchJacobian)
    assert found[0].problem.free == ("S_umax", "beta", "K_s", "K_f")
    assert start.size == 1 + 3 + 3 + 2

    for i in range(start.size):

        def central(h, i=i):
            step = h * np.eye(start.size)[i]
            return (f(start + step)[0] - f(start - step)[0]) / (2 * h)

        richardson = (4 * central(5e-4) - central(1e-3)) / 3
        assert gradient[i] == pytest.approx(richardson, rel=1e-5, abs=1e-3)


def test_memory_of_errors_ends_with_a_basin():
    """AR(1): the log-likelihood of all is the sum of those of each."""
    names = ("flow_s0", "flow_s1", "flow_r1")
    at = dict(zip(names, (0.3, 0.2, 0.7), strict=True))
    theta = {k: v for k, v in parameters_of(0).items()}
    total = 0.0
    for name, basin in BASINS.items():
        with pm.Model() as alone:
            q = ph.discharge(MODEL, theta, basin, WARMUP)
            ph.likelihoods.Normal("flow", q, observed=OBSERVED[name], ar=1)
        inputs = [alone[k] for k in names]
        logp = pm.logp(alone["flow"], alone.rvs_to_values[alone["flow"]]).sum()
        total += alone.compile_fn(logp, inputs=inputs, point_fn=False)(*at.values())
    with pm.Model() as together:
        q = ph.discharge(MODEL, theta, BASINS, WARMUP)
        ph.likelihoods.Normal("flow", q, observed=OBSERVED, ar=1)
    logp = pm.logp(together["flow"], together.rvs_to_values[together["flow"]]).sum()
    f = together.compile_fn(logp, inputs=[together[k] for k in names], point_fn=False)
    assert f(*at.values()) == pytest.approx(total, rel=1e-12)


def test_failure_of_a_basin_is_not_finite(model, compiled):
    """Values of one basin are NaN, and the log-probability of all is no number."""
    theta = pt.dmatrix()
    with pm.Model():
        q = ph.discharge(MODEL, theta, BASINS, WARMUP, steps=2, solver="heun")
    values = np.array([MODEL.default, [5, 10, 0.5, 0.1, 1.0], MODEL.default])
    found = pytensor.function([theta], q)(values)
    bad = np.isnan(found)
    index = np.repeat([0, 1, 2], [len(k) for k in KEPT.values()])
    assert bad[index == 1].any() and not bad[index != 1].any()
    with pm.Model() as failing:
        q = ph.discharge(MODEL, pt.constant(values), BASINS, WARMUP, steps=2, solver="heun")
        ph.likelihoods.Normal("flow", q, observed=OBSERVED)
    _, (logp, _), _ = evaluate(failing)
    assert not np.isfinite(logp)


def test_other_records_by_set_basin_and_predictions(model):
    model, _ = hierarchical(ar=1)
    new = {
        name: LEAF.isel(time=slice(1500, 1500 + n))
        for name, n in zip("abc", (90, 70, 110), strict=True)
    }
    posterior = xr.Dataset(
        {k: (("chain", "draw"), np.full((1, 3), v)) for k, v in parameters_of(0).items()}
        | {"K_s": (("chain", "draw", "basin"), np.broadcast_to(SLOW, (1, 3, 3)))}
        | {f"flow_{k}": (("chain", "draw"), np.full((1, 3), 0.1)) for k in ("s0", "s1", "r1")}
        | {"mean": (("chain", "draw"), np.full((1, 3), -3.0))}
    )
    with model:
        ph.set_basin(new)
        free = ph.predict(posterior, random_seed=1)
        ahead = ph.predict(posterior, random_seed=1, free_running=False)
        errors = ph.residuals(posterior)
    for i, (name, basin) in enumerate(new.items()):
        run = ph.simulate(MODEL, parameters_of(i), basin, **IN_MODELS)
        alone = run["discharge"].values[WARMUP:]
        for result in (free, ahead):
            part = result["simulated"].values[0, 0][result["basin"].values == name]
            np.testing.assert_allclose(part, alone, rtol=1e-12)
        assert (errors["basin"] == name).sum() == alone.size
    with model, pytest.raises(ValueError, match=r"built for basins .*, found one basin"):
        ph.set_basin(LEAF)
    with model, pytest.raises(ValueError, match=r"built for basins .*, found basins"):
        ph.set_basin({"a": LEAF})


def test_memory_of_free_running_errors_starts_anew():
    """With errors that never change, each basin has a level of its own."""
    with pm.Model():
        q = ph.discharge(MODEL, parameters_of(0), BASINS, WARMUP)
        s0 = pm.HalfNormal("s0")
        kwargs = {"scale": "constant", "ar": 1, "s0": s0, "r1": 1 - 1e-12}
        ph.likelihoods.Normal("flow", q, observed=OBSERVED, **kwargs)
        posterior = xr.Dataset({"s0": (("chain", "draw"), np.ones((1, 2)))})
        drawn = ph.predict(posterior, random_seed=1)
    error = (drawn["discharge"] - drawn["simulated"]).values[0, 0]
    levels = [error[drawn["basin"].values == name] for name in BASINS]
    assert all(np.ptp(level) < 1e-3 for level in levels)
    assert np.ptp([level.mean() for level in levels]) > 0.1


def test_build_model_and_priors_by_basin():
    together = ph.build_model(
        MODEL,
        BASINS,
        ar=1,
        warmup=WARMUP,
        priors={"K_s": lambda: pm.Beta("K_s", 2, 9, dims="basin")},
    )
    assert together.named_vars_to_dims["K_s"] == ("basin",)
    assert np.isfinite(evaluate(together)[1][0])
    for preset in ("uniform", "log_uniform", "weak"):
        with pm.Model(coords={"basin": list(BASINS)}) as model:
            theta = ph.priors(MODEL, preset, dims="basin", beta=1.0)
            ph.discharge(MODEL, theta, BASINS, WARMUP)
            drawn = pm.draw([theta["K_s"], theta["K_f"]], random_seed=1)
        assert drawn[0].shape == (3,) and (drawn[0] <= drawn[1]).all()
        assert model.initial_point()["K_s_interval__"].shape == (3,)
        assert np.isfinite(model.point_logps()["K_s"])
    with pm.Model(coords={"basin": list(BASINS)}) as model:
        ph.priors(MODEL, K_f=pm.Uniform("K_f", 0.1, 1, dims="basin"))  # bounds K_s
        assert model.named_vars_to_dims["K_s"] == ("basin",)
        assert np.isfinite(model.point_logps()["K_s"])
    with pm.Model(), pytest.raises(ValueError, match="K_f has no dims, and bounds K_s"):
        ph.priors(MODEL, K_f=pm.Uniform("K_f", 0.1, 1, shape=3))


def test_many_vectors():
    draws = np.array([MODEL.default, 1.1 * MODEL.default])
    theta = pt.dmatrix()
    with pm.Model():
        of_one = ph.discharge(MODEL, theta, BASINS["a"], WARMUP)
    found, gradient = pytensor.function([theta], [of_one, pt.grad(of_one.sum(), theta)])(draws)
    run = ph.simulate(MODEL, draws, BASINS["a"], sensitivities=True, **IN_MODELS)
    run = run.isel(time=slice(WARMUP, None))
    np.testing.assert_array_equal(found, run["discharge"])
    np.testing.assert_allclose(gradient, run["ddischarge_dparameter"].sum("time"), rtol=1e-10)
    theta = pt.dtensor3()
    with pm.Model():
        of_all = ph.discharge(MODEL, theta, BASINS, WARMUP)
    found = pytensor.function([theta], of_all)(draws[:, None, :].repeat(3, axis=1))
    expected = [
        ph.simulate(MODEL, draws, b, **IN_MODELS)["discharge"].values[:, WARMUP:]
        for b in BASINS.values()
    ]
    np.testing.assert_array_equal(found, np.concatenate(expected, axis=1))


def test_initial_state_of_each_basin_is_estimated():
    with pm.Model() as model:
        x0 = pm.HalfNormal("x0", 50, shape=(3, len(MODEL.stores)))
        q = ph.discharge(MODEL, MODEL.default, BASINS, 0, initial_state=x0)
        ph.likelihoods.Normal("flow", q, observed=OBSERVED, scale="constant")
    _, (_, gradient), start = evaluate(model)
    assert start.size == 3 * len(MODEL.stores) + 1
    assert np.isfinite(gradient).all() and (gradient != 0).all()


@pytest.mark.usefixtures("compiled")
@pytest.mark.kernels
def test_parallel_evaluation_is_the_same(rng):
    theta, found = pt.dmatrix("theta"), []
    values = MODEL.default * rng.uniform(0.9, 1.1, (3, 1))
    for parallel in (False, True):
        with pm.Model():
            q = ph.discharge(MODEL, theta, BASINS, WARMUP, parallel=parallel)
        results = [q, pytensor.grad((q * q).sum(), theta)]
        found.append(pytensor.function([theta], results)(values))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_errors():
    with pm.Model():
        with pytest.raises(TypeError, match=r"'K_s' has shape \(2,\), expected a scalar or \(3,\)"):
            ph.discharge(MODEL, parameters_of(0) | {"K_s": np.ones(2)}, BASINS, WARMUP)
        with pytest.raises(
            ValueError, match="'b': basin: the record has 160 intervals and the warm"
        ):
            ph.discharge(MODEL, parameters_of(0), BASINS, 200)
        for bad in (np.ones((2, 5)), np.ones(()), pt.dtensor4()):
            with pytest.raises(
                TypeError, match=r"expected \(n_basin = 3, n_parameter\) or \(n_vec"
            ):
                ph.discharge(MODEL, bad, BASINS, WARMUP)
        q = ph.discharge(MODEL, parameters_of(0), BASINS, WARMUP)
        with pytest.raises(ValueError, match=r"each of the basins a, b, c, found \['a'\]"):
            ph.likelihoods.Normal("x", q, observed={"a": OBSERVED["a"]})
        with pytest.raises(ValueError, match="each of the basins a, b, c, found one DataArray"):
            ph.likelihoods.Normal("y", q, observed=OBSERVED["a"])
        early = pd.Series([1.0], index=pd.DatetimeIndex(["1900-01-01"]))
        with pytest.raises(ValueError, match=r"z: basin 'b': observations .* do not overlap"):
            ph.likelihoods.Normal("z", q, observed=OBSERVED | {"b": early})
        with pytest.raises(ValueError, match="Whittle's likelihood is of one basin"):
            ph.likelihoods.Whittle("w", q, observed=OBSERVED)
        with pytest.raises(ValueError, match="this simulation needs"):
            ph.discharge(MODEL, parameters_of(0), BASINS, 0)
    with pm.Model():
        q = ph.discharge(MODEL, parameters_of(0), BASINS["a"], WARMUP)
        with pytest.raises(ValueError, match="a mapping, but the model has one basin"):
            ph.likelihoods.Normal("x", q, observed=OBSERVED)
    with pm.Model(coords={"basin": ["x", "y", "z"]}):
        with pytest.raises(
            ValueError, match="dimension 'basin' holds 3 values from 'x' to 'z', but this"
        ):
            ph.discharge(MODEL, parameters_of(0), BASINS, WARMUP)
    with pm.Model(coords={"gauge": ["a", "c", "b"]}):
        rate = pm.math.exp(pm.Normal("log_K_s", -3, 1, dims="gauge"))
        with pytest.raises(
            ValueError, match="'log_K_s' has the basins of the dimension 'gauge' in"
        ):
            ph.discharge(MODEL, parameters_of(0) | {"K_s": rate}, BASINS, WARMUP)
