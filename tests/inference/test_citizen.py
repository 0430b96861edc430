"""A simulation is a part of a PyMC model like any other: whatever PyMC does with the model."""

import re
import subprocess
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from pymc.sampling.forward import vectorize_over_posterior

import pymc_hydro as ph
from tests.conftest import NEWER_STACK, step_by_step
from tests.tiny import IN_MODELS

MODEL = ph.Hymod(snow=False)
LEAF = ph.load_basin("leaf_river")
WARMUP = 40
FIRST, SECOND = LEAF.isel(time=slice(0, 300)), LEAF.isel(time=slice(500, 800))
KEPT = pd.DatetimeIndex(FIRST["time"].values[WARMUP:])
NAMES = ("flow_s0", "flow_s1")


def placed(record, warmup=WARMUP, likelihood=ph.likelihoods.Normal, fixed=True, **options):
    """Place discharge and a likelihood in the model in context."""
    theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
    if not fixed:
        theta = ph.priors(MODEL, **{n: theta[n] for n in MODEL.parameter_names if n != "S_umax"})
    q = ph.discharge(MODEL, theta, record, warmup)
    likelihood("flow", q, observed=record["discharge"], **options)
    return q


def alone(record, warmup=WARMUP, **options):
    with pm.Model() as model:
        placed(record, warmup, **options)
    return model


def logp(model, name="flow", **values):
    """Return the log-likelihood of each observation, at the error parameters' given values."""
    rv = model[name]
    graph = pm.logp(rv, model.rvs_to_values[rv])
    inputs = [model[k] for k in values]
    return model.compile_fn(graph, inputs=inputs, point_fn=False)(*values.values())


def at(prefix=""):
    return {prefix + name: value for name, value in zip(NAMES, (0.3, 0.2), strict=True)}


def few(model, n=3):
    """Return draws from the priors, in the shape of a posterior."""
    with model:
        return pm.sample_prior_predictive(n, random_seed=1).prior


# ---- dims and names ---------------------------------------------------------------------------


def test_two_gauges_as_sub_models_keep_their_dates():
    with pm.Model() as parent:
        for name, record in (("A", FIRST), ("B", SECOND)):
            with pm.Model(name=name):
                placed(record)
    for name, record in (("A", FIRST), ("B", SECOND)):
        assert (np.array(parent.coords[f"{name}::time"]) == record["time"].values[WARMUP:]).all()
        found = logp(parent, f"{name}::flow", **at(f"{name}::"))
        np.testing.assert_allclose(found, logp(alone(record), **at()), rtol=1e-12)
    dims = parent.named_vars_to_dims["A::flow"]
    assert tuple(dims) == ("A::flow_time",)


@pytest.mark.parametrize(
    "time",
    [
        FIRST["time"].values,
        SECOND["time"].values[WARMUP:],
        list(range(300 - WARMUP)),
        KEPT.tz_localize("UTC"),
        [str(date) for date in KEPT],
    ],
    ids=["whole record", "other dates", "no dates", "time zone", "text"],
)
def test_a_time_of_the_user_must_be_the_same(time):
    with pytest.raises(ValueError, match=r"dimension 'time' holds .* but this simulation needs"):
        with pm.Model(coords={"time": time}):
            placed(FIRST)


@pytest.mark.parametrize("time", [KEPT.values, KEPT.to_period("D")], ids=["dates", "periods"])
def test_the_same_time_of_the_user_is_shared(time):
    with pm.Model(coords={"time": time}) as model:
        placed(FIRST)
    np.testing.assert_array_equal(logp(model, **at()), logp(alone(FIRST), **at()))


@pytest.mark.parametrize("dim", ["flow_time", "flow_order"])
def test_dimensions_of_a_likelihood_are_compared_too(dim):
    with pytest.raises(ValueError, match=f"dimension '{dim}' holds 3 values from 7 to 9, but"):
        with pm.Model(coords={dim: [7, 8, 9]}):
            placed(FIRST, ar=1)


def test_observations_need_a_place_on_the_simulated_axis():
    with pm.Model():
        q = ph.discharge(MODEL, MODEL.default, FIRST, WARMUP)
        with pytest.raises(ValueError, match="has 100 values, but its time axis 'time' has 260"):
            ph.likelihoods.Normal("flow", q[:100], observed=FIRST["discharge"])


@pytest.mark.usefixtures("compiled")
def test_no_index_reaches_outside_its_array():
    """Forcing that is replaced alone: positions beyond its end are NaN, and nobody's memory."""
    model = alone(FIRST, fixed=False)
    f = model.compile_logp(sum=False)
    point = model.initial_point()
    before = np.concatenate([np.ravel(x) for x in f(point)])
    assert np.isfinite(before).all()
    with model:
        pm.set_data(
            {"forcing": model["forcing"].get_value()[:90]},
            coords={"forcing_time": FIRST["time"].values[:90]},
        )
    assert not np.isfinite(f(point)[-1].sum())


# ---- dates are the identity -------------------------------------------------------------------


def test_a_record_of_equal_length_moves_everything_that_has_dates():
    with pm.Model() as model:
        q = placed(FIRST)
        pm.Deterministic("q", q, dims="time")
    with model:
        ph.set_basin(SECOND)
    expected = alone(SECOND)
    np.testing.assert_allclose(logp(model, **at()), logp(expected, **at()), rtol=1e-12)
    for name, first in (("flow_time", WARMUP), ("time", WARMUP), ("forcing_time", 0)):
        dates = SECOND["time"].values[first:]
        np.testing.assert_array_equal(np.array(model.coords[name], dates.dtype), dates)


def test_a_dated_scale_does_not_stay_where_it_was():
    scale = xr.full_like(LEAF["discharge"], 0.5) + 0.1 * LEAF["discharge"]
    model = alone(FIRST, scale=scale)
    with pytest.raises(ValueError, match="'flow_scale' is tied to the dates of time"):
        ph.set_basin(SECOND, model)
    np.testing.assert_array_equal(logp(model), logp(alone(FIRST, scale=scale)))  # put back
    ph.set_basin(SECOND, model, data={"flow_scale": scale})
    np.testing.assert_allclose(logp(model), logp(alone(SECOND, scale=scale)), rtol=1e-12)


def test_data_of_the_user_on_time_must_be_given_anew():
    with pm.Model() as model:
        q = ph.discharge(MODEL, MODEL.default, FIRST, WARMUP)
        season = pm.Data("season", np.ones(260), dims="time")
        ph.likelihoods.Normal("flow", q * season, observed=FIRST["discharge"])
        with pytest.raises(ValueError, match="'season' is tied to the dates"):
            ph.set_basin(SECOND)
        new = pd.Series(2.0, index=LEAF["time"].values)
        ph.set_basin(SECOND, data={"season": new})
        assert (model["season"].get_value() == 2).all()
        ph.set_basin(SECOND)  # the same dates: nothing is asked for


# ---- the graph is the only memory -------------------------------------------------------------

CHANGES = {
    "copy": lambda model: model.copy(),
    "do": lambda model: pm.do(model, {"S_umax": 250.0}),
    "observe": lambda model: pm.observe(model, {"S_umax": 250.0}),
    "cloudpickle": lambda model: cloudpickle.loads(cloudpickle.dumps(model)),
}


@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.parametrize(
    "options", [{"ar": 1}, {"transform": "log", "scale": "constant"}], ids=["memory", "transform"]
)
def test_a_changed_model_predicts_and_takes_another_record(change, options):
    model = alone(FIRST, fixed=False, **options)
    changed = CHANGES[change](model)
    prior = few(model)
    values = prior.assign(S_umax=xr.full_like(prior["S_umax"], 250.0))
    for record in (FIRST, SECOND.isel(time=slice(0, 200))):
        for each in (model, changed):
            ph.set_basin(record, each)
        expected, found = (ph.predict(values, m, random_seed=1) for m in (model, changed))
        np.testing.assert_allclose(found["simulated"], expected["simulated"], rtol=1e-12)
        assert (found["time"].values == record["time"].values[WARMUP:]).all()
        assert np.isfinite(found["discharge"]).all()
        ahead = ph.residuals(values, changed)
        xr.testing.assert_allclose(ahead, ph.residuals(values, model))


def test_a_loss_in_the_model_compares_dates():
    observed, later = FIRST["discharge"], SECOND["discharge"]
    with pm.Model():
        q = placed(FIRST)
        by_date = ph.losses.nse(observed[WARMUP:], q)
        with pytest.raises(ValueError, match="observed and simulated have different dates"):
            ph.losses.nse(later[WARMUP:], q)
        with pytest.raises(ValueError, match=r"300 intervals from .* and simulated 260"):
            ph.losses.nse(observed, q)
        part = ph.losses.nse(observed[WARMUP + 9 :], q[9:])
    run = ph.simulate(MODEL, MODEL.default, FIRST, **IN_MODELS)["discharge"][WARMUP:]
    np.testing.assert_allclose(by_date.eval(), ph.losses.nse(observed[WARMUP:], run), rtol=1e-12)
    expected = ph.losses.nse(observed[WARMUP + 9 :], run[9:])
    np.testing.assert_allclose(part.eval(), expected, rtol=1e-12)


def test_a_frozen_model_predicts():
    from pymc.model.transform.optimization import freeze_dims_and_data

    model = alone(FIRST, fixed=False, ar=1)
    frozen = freeze_dims_and_data(model)
    prior = few(model)
    found = ph.predict(prior, frozen, random_seed=1)
    np.testing.assert_allclose(
        found["simulated"], ph.predict(prior, model, random_seed=1)["simulated"], rtol=1e-12
    )
    xr.testing.assert_allclose(ph.residuals(prior, frozen), ph.residuals(prior, model))
    with pytest.raises(ValueError, match="forcing is a constant, since the PyMC model was frozen"):
        ph.set_basin(SECOND, frozen)


def test_a_pruned_model_says_what_it_lost():
    from pymc.model.transform.basic import prune_vars_detached_from_observed

    model = alone(FIRST)
    pruned = prune_vars_detached_from_observed(model)
    point = pruned.initial_point()
    assert pruned.compile_logp()(point) == model.compile_logp()(point)
    with pytest.raises(ValueError, match="lost its 'kept_intervals'"):
        ph.set_basin(SECOND, pruned)


@pytest.mark.slow
def test_a_marginal_model_is_the_sum_over_the_discrete_variable():
    extras = pytest.importorskip("pymc_extras")
    with pm.Model() as model:
        q = placed(FIRST, fixed=False)
        steady = pm.Bernoulli("steady", 0.3)
        observed = FIRST["discharge"].values[WARMUP:]
        pm.Normal("other", q, pm.math.switch(steady, 0.5, 2.0), observed=observed)
    marginal = extras.marginalize(model, ["steady"])
    for record in (FIRST, SECOND):
        for changed in (model, marginal):
            ph.set_basin(record, changed)
        evaluate, start = model.compile_logp(), model.initial_point()
        parts = [evaluate(start | {"steady": np.array(k)}) for k in (0, 1)]
        found = marginal.compile_logp()(marginal.initial_point())
        np.testing.assert_allclose(found, np.logaddexp(*parts), rtol=1e-12)


SCRIPT = """
import sys, cloudpickle, numpy as np, pymc_hydro as ph
model, prior = cloudpickle.loads(open(sys.argv[1], "rb").read())
before = model.compile_logp()(model.initial_point())
record = ph.load_basin("leaf_river").isel(time=slice(500, 800))
ph.set_basin(record, model)
after = model.compile_logp()(model.initial_point())
drawn = ph.predict(prior, model, random_seed=1)["simulated"].values
np.savez(sys.argv[2], drawn=drawn, logp=[before, after])
"""


@pytest.mark.parametrize(
    "options", [{"ar": 1}, {"transform": "log", "scale": "constant"}], ids=["memory", "transform"]
)
def test_a_saved_model_predicts_in_another_process(options, tmp_path):
    model = alone(FIRST, fixed=False, **options)
    prior = few(model)
    file, result = tmp_path / "model.pkl", tmp_path / "result.npz"
    file.write_bytes(cloudpickle.dumps((model, prior)))
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, file, result]
    subprocess.run(command, check=True, env=step_by_step())
    found = np.load(result)
    logp = [model.compile_logp()(model.initial_point())]
    ph.set_basin(SECOND, model)
    logp.append(model.compile_logp()(model.initial_point()))
    np.testing.assert_allclose(found["logp"], logp, rtol=1e-10)
    expected = ph.predict(prior, model, random_seed=1)["simulated"]
    np.testing.assert_allclose(found["drawn"], expected, rtol=1e-12)


def test_named_models_and_their_parents_take_another_record():
    with pm.Model(name="leaf") as named:
        placed(FIRST)
        ph.set_basin(SECOND)
    np.testing.assert_allclose(
        logp(named, "leaf::flow", **at("leaf::")), logp(alone(SECOND), **at()), rtol=1e-12
    )
    with pm.Model() as parent:
        with pm.Model(name="leaf") as child:
            placed(FIRST)
    ph.set_basin(SECOND, parent)
    assert (np.array(parent.coords["leaf::time"]) == SECOND["time"].values[WARMUP:]).all()
    with parent, pm.Model(name="other"):
        placed(FIRST)
    with pytest.raises(ValueError, match="several records, with the prefixes 'leaf', 'other'"):
        ph.set_basin(SECOND, parent)
    ph.set_basin(FIRST, child, observed={"flow": FIRST["discharge"]})
    ph.set_basin(SECOND, parent, prefix="other")
    for name, record in (("leaf", FIRST), ("other", SECOND)):
        found = logp(parent, f"{name}::flow", **at(f"{name}::"))
        np.testing.assert_allclose(found, logp(alone(record), **at()), rtol=1e-12)


def test_models_two_deep_are_named_from_any_level():
    with pm.Model(name="top") as top, pm.Model(name="middle") as middle:
        for name in ("A", "B"):
            with pm.Model(name=name):
                ph.discharge(MODEL, MODEL.default, FIRST, WARMUP)
    ph.set_basin(SECOND, top, prefix="middle::A")
    ph.set_basin(SECOND.isel(time=slice(0, 90)), middle, prefix="B")
    starts = [len(top.coords[f"top::middle::{name}::time"]) for name in ("A", "B")]
    assert starts == [260, 50]
    with pytest.raises(
        ValueError, match="prefix 'C'; known are 'top::middle::A', 'top::middle::B'"
    ):
        ph.set_basin(SECOND, top, prefix="C")


# ---- several simulations in one model ---------------------------------------------------------


def test_two_structures_with_different_forcing_columns():
    record = ph.load_basin("fulda").isel(time=slice(0, 200))
    snow, rain = ph.Hymod(), ph.Hymod(snow=False)
    with pm.Model() as model:
        series = [ph.discharge(m, m.default, record, WARMUP) for m in (snow, rain)]
        weight = pm.Beta("weight", 1, 1)
        mixed = weight * series[0] + (1 - weight) * series[1]
        ph.likelihoods.Normal("flow", mixed, observed=record["discharge"])
        found = [q.eval() for q in series]
    for m, q in zip((snow, rain), found, strict=True):
        run = ph.simulate(m, m.default, record, **IN_MODELS)["discharge"].values[WARMUP:]
        np.testing.assert_allclose(q, run, rtol=1e-3, atol=1e-4)  # value-only steps differ
    assert tuple(model.coords["forcing_variable_2"]) == rain.forcing_names
    later = ph.load_basin("fulda").isel(time=slice(300, 420))
    ph.set_basin(later, model)
    run = ph.simulate(rain, rain.default, later, **IN_MODELS)["discharge"].values[WARMUP:]
    np.testing.assert_allclose(series[1].eval(), run, rtol=1e-3, atol=1e-4)


def test_two_warm_ups_need_a_prefix():
    expected = logp(alone(FIRST, 60), **at())
    with pm.Model() as model:
        ph.discharge(MODEL, MODEL.default, FIRST, WARMUP)
        with pytest.raises(ValueError, match=r"give ph\.discharge a prefix="):
            ph.discharge(MODEL, MODEL.default, FIRST, 60)
        q = ph.discharge(MODEL, MODEL.default, FIRST, 60, prefix="late")
        ph.likelihoods.Normal("flow", q, observed=FIRST["discharge"])
        assert q.name == "late_discharge" and len(model.coords["late_time"]) == 240
        np.testing.assert_allclose(logp(model, **at()), expected, rtol=1e-12)
        ph.set_basin(SECOND)  # the same record: both follow, each with its own warm-up
    assert (np.array(model.coords["late_time"]) == SECOND["time"].values[60:]).all()
    assert (np.array(model.coords["time"]) == SECOND["time"].values[WARMUP:]).all()


def test_forcing_of_the_user_keeps_its_name():
    with pm.Model() as model:
        pm.Data("forcing", np.ones(3))
        placed(FIRST)
    assert "forcing_2" in model.named_vars and model["forcing"].get_value().shape == (3,)
    np.testing.assert_array_equal(logp(model, **at()), logp(alone(FIRST), **at()))


def test_parts_of_the_initial_state_may_be_random():
    with pm.Model() as model:
        content = pm.HalfNormal("content", 100.0)
        q = ph.discharge(MODEL, MODEL.default, FIRST, 0, initial_state={"S_u": content})
        f = model.compile_fn([q, pt.grad(q[3], content)], inputs=[content], point_fn=False)
    run = ph.simulate(MODEL, MODEL.default, FIRST, initial_state={"S_u": 80.0}, **IN_MODELS)
    value, slope = f(80.0)
    np.testing.assert_allclose(value, run["discharge"], rtol=1e-2, atol=1e-3)
    assert slope != 0
    with pytest.raises(KeyError, match="unknown stores"), pm.Model():
        ph.discharge(MODEL, MODEL.default, FIRST, 0, initial_state={"S_x": pt.dscalar()})


# ---- likelihoods of plain PyMC, futures ---------------------------------------------------------


@pytest.mark.parametrize("as_data", [False, True])
def test_a_plain_likelihood_predicts_and_takes_another_record(as_data):
    observed = FIRST["discharge"].values[WARMUP:]
    with pm.Model() as model:
        q = ph.discharge(MODEL, MODEL.default, FIRST, WARMUP)
        spread = pm.HalfNormal("spread", 0.5)
        data = pm.Data("seen", observed, dims="time") if as_data else observed
        pm.Normal("flow", q, spread, observed=data, dims="time")
        prior = few(model)
        drawn = ph.predict(prior, random_seed=1)
        run = ph.simulate(MODEL, MODEL.default, FIRST, **IN_MODELS)["discharge"].values[WARMUP:]
        np.testing.assert_allclose(drawn["simulated"][0, 0], run, rtol=1e-3, atol=1e-4)
        before = logp(model, spread=0.4)
        ph.set_basin(SECOND)
        assert np.isnan(logp(model, spread=0.4)).all()  # and not compared with other dates
        drawn = ph.predict(prior, random_seed=1)
        assert drawn.sizes == {"chain": 1, "draw": 3, "time": 260}
        assert (drawn["time"].values == SECOND["time"].values[WARMUP:]).all()
        ph.set_basin(SECOND, observed={"flow": SECOND["discharge"]})
        assert np.isfinite(logp(model, spread=0.4)).all()
        ph.set_basin(FIRST, observed={"flow": observed})
        np.testing.assert_array_equal(logp(model, spread=0.4), before)


def test_a_dimension_of_the_user_with_the_same_dates_moves_too():
    seen = FIRST["discharge"].values[WARMUP:]
    with pm.Model(coords={"day": KEPT, "other": SECOND["time"].values[WARMUP:]}) as model:
        q = ph.discharge(MODEL, MODEL.default, FIRST, WARMUP)
        pm.Deterministic("q", q, dims="day")
        pm.Normal("flow", q, 0.3, observed=seen, dims="day")
        pm.Normal("misplaced", q, 0.3, observed=seen, dims="other")
    with pytest.raises(ValueError, match="give 'misplaced' the dims of the simulation, 'time'"):
        ph.predict(xr.Dataset(), model, name="misplaced")
    short = SECOND.isel(time=slice(0, 90))
    with pytest.raises(ValueError, match="give 'misplaced' the dims"):
        ph.set_basin(short, model)
    assert model.coords["day"] == tuple(KEPT)  # all or nothing
    model = pm.do(model, {"misplaced": seen})
    ph.set_basin(short, model)
    assert (np.array(model.coords["day"]) == short["time"].values[WARMUP:]).all()
    assert model.dim_lengths["day"].eval() == 50


def test_a_future_without_observations_is_predicted():
    model = alone(FIRST, fixed=False, ar=1)
    prior = few(model)
    future = SECOND.drop_vars("discharge").isel(time=slice(0, 150))
    ph.set_basin(future, model)
    drawn = ph.predict(prior, model, random_seed=1)
    assert np.isfinite(drawn["discharge"]).all() and drawn.sizes["time"] == 110
    assert model["flow_observed"].get_value().size == 0
    for function in (ph.residuals, lambda *a: ph.predict(*a, free_running=False)):
        with pytest.raises(ValueError, match="flow: the model has no observations in this period"):
            function(prior, model)
    ph.set_basin(FIRST, model)
    assert model["flow_observed"].get_value().size == 260


def test_numbers_for_each_interval_do_not_stay_where_they_were():
    """In a record of equal length they would be compared with other dates."""
    seen, spread = FIRST["discharge"].values[WARMUP:], np.linspace(0.1, 1, 300 - WARMUP)
    for place in (
        lambda q: pm.Potential("score", -pt.sum((q - seen) ** 2)),
        lambda q: pm.Normal("score", q, spread, observed=seen),
    ):
        with pm.Model() as model:
            place(ph.discharge(MODEL, MODEL.default, FIRST, WARMUP))
        ph.set_basin(FIRST, model)
        with pytest.raises(ValueError, match=r"'score' reads an array of shape \(260,\)"):
            ph.set_basin(SECOND, model)


def test_observations_in_another_unit_are_refused_everywhere():
    flow = SECOND["discharge"].assign_attrs(units="m3/s")
    with pm.Model():
        series = ph.outputs(MODEL, MODEL.default, FIRST, ("discharge", "S_u"), warmup=WARMUP)
        pm.Normal("flow", series["discharge"], 1, observed=np.zeros(300 - WARMUP))
        with pytest.raises(ValueError, match="water: observations are in 'mm/d', but the simulati"):
            ph.likelihoods.Normal("water", series["S_u"], observed=FIRST["discharge"])
        with pytest.raises(
            ValueError, match="flow: observations are in 'm3/s', but the simulation"
        ):
            ph.set_basin(SECOND, observed={"flow": flow})
    with pytest.raises(ValueError, match="'S_u': observations are in 'mm/d', but the simulation"):
        ph.calibrate(MODEL, FIRST, {"S_u": "nse"}, observed={"S_u": FIRST["discharge"]}, warmup=9)
    other = FIRST["discharge"].assign_coords(basin="other")
    with pytest.raises(ValueError, match="observed is of basin other, simulated of basin leaf"):
        ph.losses.nse(other, other.assign_coords(basin="leaf"))


def test_variables_of_no_model_or_of_another_dimension_are_refused():
    with pm.Model(coords={"b": [1, 2]}) as model:
        theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
        theta["S_umax"] = pm.Uniform.dist(100, 200)
        with pytest.raises(ValueError, match="theta depends on the random variable, which"):
            ph.discharge(MODEL, theta, FIRST, WARMUP)
        state = {"S_u": pm.Uniform.dist(1, 2)}
        with pytest.raises(ValueError, match="initial_state depends on the random variable"):
            ph.discharge(MODEL, MODEL.default, FIRST, WARMUP, initial_state=state)
        theta["S_umax"] = pm.Uniform("S_umax", 100, 200, dims="b")
        with pytest.raises(TypeError, match=r"'S_umax' has shape .* expected a scalar"):
            ph.discharge(MODEL, theta, FIRST, WARMUP)
        x = pm.Uniform("x", 100, 200)
        with pm.Model(name="sub"):  # a variable of the parent is one of this model
            assert ph.priors(MODEL, S_umax=x)["S_umax"] is x
    assert "sub::beta" in model.named_vars


def test_predictions_say_why_not():
    with pm.Model() as model:
        q = ph.discharge(MODEL, MODEL.default, FIRST, WARMUP)
        ph.likelihoods.Whittle("spectrum", q, observed=FIRST["discharge"])
    nothing = xr.Dataset()
    with pytest.raises(ValueError, match="'spectrum' is a potential"):
        ph.predict(nothing, model, name="spectrum")
    with pytest.raises(KeyError, match="'flow' is no likelihood of this model; known are none"):
        ph.predict(nothing, model)


# ---- what PyMC offers -------------------------------------------------------------------------


def test_predictive_sampling_deterministics_and_log_likelihood():
    with pm.Model() as model:
        q = placed(FIRST, fixed=False, ar=1)
        pm.Deterministic("q", q, dims="time")
        prior = few(model)
        result = pm.sample_posterior_predictive(prior, random_seed=1, progressbar=False)
        assert result.posterior_predictive["flow"].sizes["flow_time"] == 260
        series = pm.compute_deterministics(prior, var_names=["q"], progressbar=False)
        drawn = ph.predict(prior, random_seed=1)
        np.testing.assert_allclose(series["q"].values[0], drawn["simulated"].values[0], rtol=1e-10)
        ph.set_basin(SECOND.isel(time=slice(0, 100)))
        new = pm.sample_posterior_predictive(
            prior, var_names=["flow"], predictions=True, random_seed=1, progressbar=False
        )
        dates = new.predictions["flow_time"].values
        assert (dates == SECOND["time"].values[WARMUP:100]).all()


@pytest.mark.usefixtures("compiled")
def test_a_graph_over_many_draws():
    model = alone(FIRST, fixed=False, ar=1, likelihood=ph.likelihoods.SkewStudentT)
    prior, flow = few(model), model["flow"]
    with model:
        (many,) = vectorize_over_posterior(
            outputs=[flow], posterior=prior, input_rvs=model.free_RVs, allow_rvs_in_graph=True
        )
    of_one, of_many = (v.owner.op.dist_params(v.owner) for v in (flow, many))
    *found, shape = pytensor.function([], [*of_many, many.shape], mode="FAST_COMPILE")()
    assert tuple(shape) == (1, 3, 300 - WARMUP)
    one = pytensor.function(model.free_RVs, of_one, mode="FAST_COMPILE")
    for draw in range(3):
        expected = one(*(prior[v.name].values[0, draw] for v in model.free_RVs))
        for value, values in zip(expected, found, strict=True):
            values = np.broadcast_to(values, shape)[0, draw]
            np.testing.assert_allclose(values, np.broadcast_to(value, values.shape), rtol=1e-12)


@pytest.mark.filterwarnings("ignore")  # Zarr on its own format of text
def test_results_survive_files(tmp_path):
    """netCDF and Zarr keep what ph.predict needs, also of a named model."""
    with pm.Model(name="leaf") as model:
        placed(FIRST, fixed=False, ar=1)
        idata = pm.sample_prior_predictive(3, random_seed=1)
    expected = ph.predict(idata.prior, model, random_seed=1)
    idata.to_netcdf(str(tmp_path / "prior.nc"))
    prior = xr.open_dataset(tmp_path / "prior.nc", group="prior")
    xr.testing.assert_allclose(ph.predict(prior, model, random_seed=1), expected)
    pytest.importorskip("zarr")
    tree = idata if NEWER_STACK else idata.to_datatree()  # ArviZ below 1 knows old Zarr alone
    tree.to_zarr(str(tmp_path / "prior.zarr"), consolidated=False)
    prior = xr.open_zarr(tmp_path / "prior.zarr", group="prior", consolidated=False)
    xr.testing.assert_allclose(ph.predict(prior, model, random_seed=1), expected)


@pytest.mark.filterwarnings("ignore")  # few particles
def test_sequential_monte_carlo_runs():
    from tests.tiny import Tiny

    record = FIRST.isel(time=slice(0, 60))
    with ph.build_model(Tiny(), record, warmup=10) as model:
        idata = pm.sample_smc(
            20, chains=1, cores=1, random_seed=1, progressbar=False, threshold=0.1
        )
    assert np.isfinite(ph.predict(idata, model, random_seed=1)["discharge"]).all()


def test_a_model_without_dates_predicts_on_its_intervals():
    observed = np.arange(1.0, 21.0)
    with pm.Model() as model:
        factor = pm.Normal("factor", 1, 0.1)
        ph.likelihoods.Normal("flow", factor * pt.constant(observed), observed=observed)
    drawn = ph.predict(few(model), model, random_seed=1)
    np.testing.assert_array_equal(drawn["time"], np.arange(20))


def test_the_table_of_the_page_names_tests_that_exist():
    """docs/pymc.md, "What PyMC offers": each row names the test that shows it."""
    root = Path(__file__).parents[2]
    page = (root / "docs" / "pymc.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page)
    assert len(named) >= 18
    for file, test in named:
        assert f"def {test}(" in (root / file).read_text(encoding="utf-8"), (file, test)
