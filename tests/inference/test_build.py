import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.traversal import ancestors
from scipy import stats

import pymc_hydro as ph
from pymc_hydro.ops import SimulatedJacobian, SimulatedValues
from tests.conftest import COMPILED
from tests.tiny import IN_MODELS

OPS = (SimulatedJacobian, SimulatedValues)
MODEL = ph.Hymod(snow=False)
WARMUP = 60


@pytest.fixture(scope="module")
def basin():
    return ph.load_basin("leaf_river").isel(time=slice(0, 400))


@pytest.fixture(scope="module")
def gaps(basin):
    observed = basin["discharge"].values.copy()
    observed[100:120] = np.nan
    observed[::11] = np.nan
    return basin.assign(discharge=("time", observed))


@pytest.fixture(scope="module")
def pymc_model(gaps):
    return ph.build_model(MODEL, gaps, warmup=WARMUP)


def evaluate(model, point=None):
    """Return the log-probability and its gradient at a point of the unconstrained space."""
    f = model.logp_dlogp_function(ravel_inputs=True)
    f.set_extra_values({})
    start = np.concatenate([np.ravel(v) for v in model.initial_point().values()])
    return f, f(start if point is None else point), start


def test_log_likelihood_leaves_gaps_out(pymc_model, gaps):
    theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
    q = ph.simulate(MODEL, theta, gaps, **IN_MODELS)["discharge"].values[WARMUP:]
    y = gaps["discharge"].values[WARMUP:]
    there = np.isfinite(y)
    s0, s1 = 0.3, 0.2
    expected = stats.norm.logpdf(y[there], q[there], s0 + s1 * q[there])
    flow = pymc_model["flow"]
    replaced = {pymc_model[k]: v for k, v in (theta | {"flow_s0": s0, "flow_s1": s1}).items()}
    found = pymc_model.compile_fn(
        pm.logp(flow, pymc_model.rvs_to_values[flow]), inputs=list(replaced), point_fn=False
    )(*replaced.values())
    assert found.shape == (there.sum(),)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)  # value-only steps differ


def test_gradient_of_the_log_probability_against_richardson(gaps, rng):
    model = ph.build_model(MODEL, gaps, warmup=WARMUP, rtol=1e-9, atol=1e-9)
    f, _, start = evaluate(model)
    for point in (start, start + rng.normal(0, 0.3, start.size)):
        _, gradient = f(point)
        for i in range(point.size):

            def central(h, i=i, point=point):
                step = h * np.eye(point.size)[i]
                return (f(point + step)[0] - f(point - step)[0]) / (2 * h)

            richardson = (4 * central(5e-4) - central(1e-3)) / 3
            assert gradient[i] == pytest.approx(richardson, rel=1e-5, abs=1e-3)


def test_one_integration_in_the_log_probability(pymc_model):
    with pytensor.config.change_flags(mode=COMPILED["mode"]):  # rewritten, and not run
        f = pymc_model.logp_dlogp_function(ravel_inputs=True)
    nodes = f._pytensor_function.maker.fgraph.toposort()
    found = [n.op for n in nodes if isinstance(n.op, (SimulatedValues, SimulatedJacobian))]
    assert len(found) == 1 and isinstance(found[0], SimulatedJacobian)


def test_priors_are_uniform_on_the_bounds_and_ordered(rng):
    with pm.Model():
        theta = ph.priors(MODEL)
        draws = pm.draw([theta[n] for n in MODEL.parameter_names], 500, random_seed=1)
    for p, values in zip(MODEL.parameters, draws, strict=True):
        assert (values >= p.lower).all() and (values <= p.upper).all()
        if p.name not in ("K_s",):
            assert stats.kstest(values, "uniform", (p.lower, p.upper - p.lower)).pvalue > 1e-3
    assert (draws[3] <= draws[4]).all()


def test_priors_can_be_replaced_one_by_one():
    with pm.Model() as model:
        theta = ph.priors(MODEL, beta=pm.LogNormal("beta", 0, 1), alpha=0.4)
        assert list(theta) == list(MODEL.parameter_names)
        assert {v.name for v in model.free_RVs} == {"S_umax", "beta", "K_s", "K_f"}
        with pytest.raises(KeyError, match="no parameter 'b'"):
            ph.priors(MODEL, b=1)
        with pytest.raises(ValueError, match="outside its bounds"):
            ph.priors(MODEL, alpha=3)
        with pytest.raises(TypeError, match="must be a random variable"):
            ph.priors(MODEL, alpha="x")


def test_a_validation_period_of_another_length(pymc_model, gaps):
    record = ph.load_basin("leaf_river").isel(time=slice(500, 800))
    theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
    with pymc_model:
        before = pymc_model.point_logps()["flow"]
        ph.set_basin(record)
        try:
            flow = pymc_model["flow"]
            assert flow.shape[0].eval() == 300 - WARMUP
            times = np.asarray(pymc_model.coords["flow_time"], dtype="datetime64[D]")
            assert times[0] == record.time.values[WARMUP].astype("datetime64[D]")
            mean = flow.owner.op.dist_params(flow.owner)[0]
            inputs = [pymc_model[k] for k in theta]
            q = pymc_model.compile_fn(mean, inputs=inputs, point_fn=False)(*theta.values())
            expected = ph.simulate(MODEL, theta, record, **IN_MODELS)["discharge"]
            np.testing.assert_allclose(q, expected[WARMUP:], rtol=1e-10)
        finally:
            ph.set_basin(gaps)
        assert pymc_model.point_logps()["flow"] == before
    with pytest.raises(ValueError, match="holds no basin"), pm.Model():
        ph.set_basin(record)


def test_each_likelihood_gets_its_own_new_observations(basin):
    record = ph.load_basin("leaf_river").isel(time=slice(500, 800))
    first, second = (
        b.assign(wetness=("time", 0.1 * b["discharge"].values)) for b in (basin, record)
    )
    with pm.Model() as model:
        series = ph.outputs(
            MODEL, MODEL.default, first, ("discharge", "soil_moisture"), warmup=WARMUP
        )
        for name, variable, output in (
            ("flow", "discharge", "discharge"),
            ("moisture", "wetness", "soil_moisture"),
        ):
            ph.likelihoods.Normal(name, series[output], observed=first[variable], scale="constant")
        before = {v.name: v.get_value() for v in model.data_vars}
        with pytest.raises(ValueError, match="'moisture': the record has no 'wetness'"):
            ph.set_basin(record)
        for name, value in before.items():  # nothing of it was taken
            np.testing.assert_array_equal(model[name].get_value(), value)
        assert len(model.coords["time"]) == 400 - WARMUP
        with pytest.raises(KeyError, match="names 'Flow', which this model does not have"):
            ph.set_basin(second, observed={"Flow": second["discharge"]})
        ph.set_basin(second)
        for name, variable in (("flow", "discharge"), ("moisture", "wetness")):
            expected = second[variable].values[WARMUP:]
            np.testing.assert_array_equal(model[f"{name}_observed"].get_value(), expected)
        ph.set_basin(record, observed={"moisture": np.ones(300 - WARMUP)})
        assert (model["moisture_observed"].get_value() == 1).all()


def test_forcing_can_be_swapped_by_set_data(basin):
    with pm.Model() as model:
        q = ph.discharge(MODEL, MODEL.default, basin, warmup=WARMUP)
        full = q.eval()
        half = model["forcing"].get_value() * 0.5
        pm.set_data({"forcing": half})
        assert q.eval().sum() < 0.6 * full.sum()


def test_a_model_has_the_tolerances_of_inference_unless_one_is_given(basin):
    for given, expected in (({}, (1e-3, 1e-3)), ({"rtol": 1e-6}, (1e-6, 1e-4))):
        with pm.Model():
            q = ph.discharge(MODEL, MODEL.default, basin, warmup=WARMUP, **given)
        (problem,) = (
            v.owner.op.problem
            for v in ancestors([q])
            if v.owner and isinstance(v.owner.op, SimulatedValues)
        )
        assert (problem.rtol, problem.atol) == expected


def test_another_length_by_set_data(basin):
    """What set_basin does, by hand."""
    record = ph.load_basin("leaf_river").isel(time=slice(500, 800))
    with pm.Model() as model:
        q = ph.discharge(MODEL, MODEL.default, basin, warmup=WARMUP)
        pm.Deterministic("q", q, dims="time")
        forcing = record[list(MODEL.forcing_names)].to_dataarray().values.T
        time = record["time"].values
        pm.set_data({"forcing": forcing}, coords={"forcing_time": time})
        expected = ph.simulate(MODEL, MODEL.default, record, **IN_MODELS)["discharge"][WARMUP:]
        np.testing.assert_allclose(q.eval(), expected, rtol=1e-10)
        pm.set_data({"kept_intervals": np.arange(WARMUP, 300)}, coords={"time": time[WARMUP:]})
        assert len(model.coords["time"]) == expected.size


def test_several_outputs_and_deterministics(basin):
    with pm.Model() as model:
        series = ph.outputs(
            MODEL, ph.priors(MODEL), basin, ("discharge", "soil_moisture"), warmup=WARMUP
        )
        pm.Deterministic("q", series["discharge"], dims="time")
        assert model.named_vars_to_dims["q"] == ("time",)
        drawn = pm.draw([series["discharge"], series["soil_moisture"]], random_seed=1)
    assert [d.shape for d in drawn] == [(400 - WARMUP,)] * 2


def test_gradient_with_respect_to_an_estimated_initial_state(basin):
    with pm.Model() as model:
        x0 = pm.HalfNormal("x0", 50, shape=len(MODEL.stores))
        q = ph.discharge(MODEL, MODEL.default, basin, warmup=0, initial_state=x0)
        ph.likelihoods.Normal("flow", q, observed=basin["discharge"], scale="constant")
    _, (_, gradient), _ = evaluate(model)
    assert np.isfinite(gradient).all() and (gradient != 0).all()


def test_given_scale_and_plain_arrays(basin):
    observed = basin["discharge"].values[WARMUP:]
    with pm.Model() as model:
        q = ph.discharge(MODEL, ph.priors(MODEL), basin, warmup=WARMUP)
        ph.likelihoods.Normal("flow", q, observed=observed, scale=np.full(observed.size, 0.5))
        assert {"flow_s0", "flow_s1"}.isdisjoint(model.named_vars)
        for bad, message in (
            (basin["discharge"].values, "leave the warm-up out"),
            (np.full(observed.size, np.nan), "all observations are missing"),
            (basin["discharge"].isel(time=slice(0, 10)), "do not overlap"),
        ):
            with pytest.raises(ValueError, match=message):
                ph.likelihoods.Normal("other", q, observed=bad)
        with pytest.raises(ValueError, match="scale must be one of constant, linear"):
            ph.likelihoods.Normal("third", q, observed=observed, scale="square")


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"likelihood": "cauchy"}, KeyError, "known are Normal"),
        ({"ar": 3}, ValueError, "ar must be 0, 1 or 2"),
        ({"priors": {"flow_nu": 5}}, TypeError, "unknown arguments nu"),
        ({"warmup": 400}, ValueError, "the warm-up takes 400"),
    ],
)
def test_build_model_errors(basin, kwargs, error, message):
    with pytest.raises(error, match=message):
        ph.build_model(MODEL, basin, **kwargs)


def test_a_warmup_as_a_duration(basin):
    """It stays one for another record, and is the same as so many intervals."""
    with pm.Model() as pymc_model:
        q = ph.discharge(MODEL, MODEL.default, basin, warmup="60D")
        again = ph.discharge(MODEL, MODEL.default, basin, warmup=60)
        np.testing.assert_array_equal(q.eval(), again.eval())
        assert pymc_model.coords["time"][0] == basin["time"].values[60]
        ph.set_basin(basin.isel(time=slice(100, None)))
    assert pymc_model.coords["time"][0] == basin["time"].values[160]


def test_another_forcing_in_the_same_model_is_refused(basin):
    with pm.Model():
        ph.discharge(MODEL, MODEL.default, basin, warmup=WARMUP)
        ph.discharge(MODEL, MODEL.default, basin, warmup=WARMUP)  # the same one is shared
        with pytest.raises(ValueError, match="dimension 'forcing_time' holds 400 values"):
            ph.discharge(MODEL, MODEL.default, basin.isel(time=slice(0, 300)), warmup=WARMUP)
    with pytest.raises(KeyError, match="unknown \\['x'\\]"), pm.Model():
        ph.discharge(MODEL, {"x": pt.dscalar()}, basin)


def test_fixed_parameters_have_no_columns_and_change_no_gradient(basin):
    """K_f and alpha held by numbers, or by variables whose gradient is not asked for."""
    held, at = {"K_f": 0.7, "alpha": 0.5}, {"S_umax": 250.0, "beta": 1.3, "K_s": 0.05}
    found = []
    for as_numbers in (True, False):
        variables = {name: pt.dscalar(name) for name in at}
        others = {k: v if as_numbers else pt.dscalar(k) for k, v in held.items()}
        with pm.Model():
            q = ph.discharge(MODEL, variables | others, basin, WARMUP, solver="tr_bdf2")
        gradient = pt.stack(pt.grad(q.sum(), list(variables.values())))
        given = at if as_numbers else at | held
        inputs = [v for v in (*variables.values(), *others.values()) if not isinstance(v, float)]
        f = pytensor.function(inputs, gradient, on_unused_input="ignore")
        found.append(f(*given.values()))
        free = {a.op.problem.free for a in f.maker.fgraph.apply_nodes if a.op.__class__ in OPS}
        assert free == ({("S_umax", "beta", "K_s")} if as_numbers else {None})
    np.testing.assert_allclose(*found, rtol=1e-12)
