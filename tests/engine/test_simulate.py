from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.integrators import METHODS
from pymc_hydro.testing.checks import draw_parameters
from pymc_hydro.testing.weather import make_basin
from tests.conftest import FORCINGS

MODEL = ph.Hymod()


def test_labels_units_and_attributes():
    run = simulate(MODEL, MODEL.default, FORCINGS["cold"], ("discharge", "swe"), sensitivities=True)
    assert run["discharge"].dims == ("time",)
    assert run["ddischarge_dparameter"].dims == ("time", "parameter")
    assert tuple(run["parameter"].values) == MODEL.parameter_names
    assert run["swe"].attrs["units"] == "mm"
    assert run.attrs["solver"] == "bogacki_shampine or tr_bdf2"
    counted = {"steps", "implicit_steps", "rejected_steps", "forced_steps", "unsolved_stages"}
    assert counted <= set(run.attrs)


def posterior(rng, n_chain=2, n_draw=3):
    """Return draws of all parameters on chain and draw, and one variable more."""
    draws = draw_parameters(MODEL, rng, n_chain * n_draw).reshape(n_chain, n_draw, -1)
    dims = ("chain", "draw")
    variables = {n: (dims, draws[..., i]) for i, n in enumerate(MODEL.parameter_names)}
    coords = {"chain": [0, 5], "draw": 10 * np.arange(n_draw)}
    return xr.Dataset(variables | {"flow_s0": (dims, np.ones((n_chain, n_draw)))}, coords), draws


def test_a_posterior_as_it_is(rng):
    dataset, draws = posterior(rng)
    flat = simulate(MODEL, draws.reshape(-1, draws.shape[-1]), FORCINGS["rain"])["discharge"]
    groups = [dataset, SimpleNamespace(posterior=dataset)]
    if hasattr(xr, "DataTree"):
        tree = xr.DataTree.from_dict({"posterior": dataset})
        groups += [tree, tree["posterior"], SimpleNamespace(posterior=tree["posterior"])]
    for theta in groups:
        found = simulate(MODEL, theta, FORCINGS["rain"], sensitivities=["K_f"])
        assert found["discharge"].dims == ("chain", "draw", "time")
        assert found["ddischarge_dparameter"].shape == (2, 3, flat.sizes["time"], 1)
        np.testing.assert_array_equal(found["chain"], [0, 5])
        np.testing.assert_array_equal(found["draw"], [0, 10, 20])
    plain = simulate(MODEL, dataset, FORCINGS["rain"])["discharge"]
    np.testing.assert_array_equal(plain.values.reshape(flat.shape), flat)
    stacked = simulate(MODEL, dataset.stack(sample=("chain", "draw")), FORCINGS["rain"])
    assert stacked["discharge"].dims == ("sample", "time")
    one = simulate(MODEL, dataset.isel(chain=1, draw=2), FORCINGS["rain"])["discharge"]
    np.testing.assert_array_equal(one, plain[1, 2])


def test_a_posterior_of_several_basins(rng):
    """Parameters that have the dimension basin are each basin's own."""
    dataset, _ = posterior(rng)
    basins = {"a": FORCINGS["rain"], "b": FORCINGS["rain"].isel(time=slice(0, 50))}
    own = xr.concat([dataset["K_f"], 1.1 * dataset["K_f"]], "basin").assign_coords(basin=["b", "a"])
    found = simulate(MODEL, dataset.assign(K_f=own), basins)["discharge"]
    assert found.dims == ("basin", "chain", "draw", "time")
    changed = dataset.assign(K_f=1.1 * dataset["K_f"])
    np.testing.assert_array_equal(
        found.sel(basin="a"), simulate(MODEL, changed, FORCINGS["rain"])["discharge"]
    )
    np.testing.assert_array_equal(
        found.sel(basin="b")[..., :50], simulate(MODEL, dataset, basins["b"])["discharge"]
    )
    with pytest.raises(ValueError, match="have the dimension basin; expected chain and draw"):
        simulate(MODEL, dataset.assign(K_f=own), FORCINGS["rain"])


def test_a_posterior_without_a_parameter(rng):
    dataset, _ = posterior(rng)
    with pytest.raises(KeyError, match=r"the posterior has no K_f; it has .*flow_s0"):
        simulate(MODEL, dataset.drop_vars("K_f"), FORCINGS["rain"])


def test_draws_run_in_threads_and_agree_with_single_runs(rng):
    draws = draw_parameters(MODEL, rng, 6)
    together = simulate(MODEL, draws, FORCINGS["rain"])["discharge"]
    assert together.dims == ("draw", "time")
    for row, theta in zip(together, draws, strict=True):
        np.testing.assert_array_equal(row, simulate(MODEL, theta, FORCINGS["rain"])["discharge"])


def test_mapping_frame_and_array_are_the_same():
    theta = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
    frame = FORCINGS["rain"].to_dataframe()
    a = simulate(MODEL, theta, frame)["discharge"].values
    b = simulate(MODEL, MODEL.default, FORCINGS["rain"])["discharge"].values
    np.testing.assert_array_equal(a, b)


def test_every_output_is_offered():
    names = ("discharge", "S_u", "M", "q_f", "o_1", "E_a", "soil_moisture")
    run = simulate(MODEL, MODEL.default, FORCINGS["cold"], names)
    assert set(names) == set(run.data_vars)
    np.testing.assert_array_equal(run["S_u"], run["soil_moisture"])


def test_hourly_and_daily_agree_for_constant_forcing():
    days, rain, pet, temperature = 6, 8.0, 3.0, 1.0
    daily = make_basin(np.full(days, rain), pet, temperature)
    hourly = make_basin(np.full(24 * days, rain), pet, temperature, freq="h")
    kwargs = {"rtol": 1e-9, "atol": 1e-9}
    of_days = simulate(MODEL, MODEL.default, daily, **kwargs)["discharge"].values
    of_hours = simulate(MODEL, MODEL.default, hourly, **kwargs)["discharge"].values
    np.testing.assert_allclose(of_hours.reshape(days, 24).mean(1), of_days, rtol=1e-6)


def test_a_purely_linear_model_is_exact():
    """One linear reservoir: the head is empty, and a single step is the analytic solution."""
    from tests.core.test_declaration import declare

    k, S = 0.7, 1e-5
    weather = FORCINGS["storm"]
    run = simulate(declare()(), [k], weather, ("discharge", "S"), sensitivities=True)
    assert run.attrs["steps"] == weather.sizes["time"]
    for rain, content in zip(weather["precipitation"].values, run["S"].values, strict=True):
        S = S * np.exp(-k) + rain * (1 - np.exp(-k)) / k
        assert content == pytest.approx(S, rel=1e-12)
    h = 1e-5
    ends = [simulate(declare()(), [k + d], weather)["discharge"].values for d in (h, -h)]
    np.testing.assert_allclose(
        run["ddischarge_dparameter"][:, 0], (ends[0] - ends[1]) / (2 * h), rtol=1e-6, atol=1e-8
    )


@pytest.mark.kernels
def test_error_shrinks_with_the_step_at_the_methods_order(tiny):
    weather, theta = FORCINGS["rain"], [0.05, 0.5]
    exact = simulate(tiny, theta, weather, rtol=1e-12, atol=1e-12)["discharge"].values
    orders = {"heun": 2, "bogacki_shampine": 3, "tr_bdf2": 2, "esdirk3": 3}
    assert set(orders) == {method.name for method in METHODS}
    for solver, order in orders.items():
        errors = []
        for steps in (8, 16, 32):
            run = simulate(tiny, theta, weather, steps=steps, solver=solver)
            errors.append(np.abs(run["discharge"].values - exact).max())
        slopes = np.log2(np.array(errors[:-1]) / errors[1:])
        assert slopes.min() > order - 0.4, (solver, errors)


@pytest.mark.kernels
def test_one_implicit_step_a_day_empties_a_store_whose_law_is_steep():
    """HMODEL's interception: from far below the empty store Newton's method would not arrive."""
    model, weather = ph.Hmodel(snow=False), ph.load_basin("leaf_river").isel(time=slice(0, 300))
    run = simulate(model, model.default, weather, ("discharge", "S_i"), steps=1)
    assert np.isfinite(run["discharge"]).all() and run.attrs["implicit_steps"] > 0
    assert run["S_i"].values.min() > -0.05  # mm


def test_unstable_fixed_step_names_date_reason_and_parameters():
    theta = np.array([50, 1, 0.5, 0.1, 1, 0, 3.0])
    with pytest.raises(ph.IntegrationError) as caught:
        simulate(MODEL, theta, FORCINGS["dry"], steps=1, solver="heun")
    message = str(caught.value)
    assert "starts at 2000-10-01 00:00:00:" in message and "stability limit" in message
    assert "S_umax = 50" in message
    run = simulate(MODEL, theta, FORCINGS["dry"], steps=1)
    assert np.isfinite(run["discharge"]).all() and run.attrs["implicit_steps"] > 0


def test_routing_rate_costs_nothing():
    """A quick reservoir at its upper bound needs no more steps than one in the middle."""
    counts = []
    for rate in (1.0, 100.0):
        theta = MODEL.default.copy()
        theta[MODEL.parameter_names.index("K_f")] = rate
        counts.append(simulate(MODEL, theta, FORCINGS["rain"]).attrs["steps"])
    assert counts[1] <= 1.2 * counts[0]


def test_initial_state_by_name_and_its_errors():
    weather = FORCINGS["dry"]
    full = simulate(MODEL, MODEL.default, weather, ("S_u",), initial_state={"S_u": 200.0})
    assert float(full["S_u"][0]) > 180
    with pytest.raises(KeyError, match="unknown stores"):
        simulate(MODEL, MODEL.default, weather, initial_state={"soil": 1})
    with pytest.raises(ValueError, match="must have 6 finite values"):
        simulate(MODEL, MODEL.default, weather, initial_state=[1.0])


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"solver": "euler"}, KeyError, "unknown solver 'euler'; known are tr_bdf2, esdirk3"),
        ({"rtol": 0}, ValueError, "rtol: expected a tolerance"),
        ({"steps": 0}, ValueError, "steps: expected a whole number"),
        ({"outputs": ("runoff",)}, KeyError, "unknown output 'runoff'"),
    ],
)
def test_settings_that_make_no_sense(kwargs, error, message):
    with pytest.raises(error, match=message):
        simulate(MODEL, MODEL.default, FORCINGS["rain"], **kwargs)


def test_the_class_in_place_of_the_model():
    with pytest.raises(TypeError, match="call the class first"):
        simulate(ph.Hymod, MODEL.default, FORCINGS["rain"])


def test_temperature_is_asked_for_only_with_snow():
    basin = FORCINGS["rain"].drop_vars("temperature")
    with pytest.raises(KeyError, match=r"missing 'temperature'.*snow=False"):
        simulate(MODEL, MODEL.default, basin)
    assert isinstance(simulate(ph.Hymod(snow=False), MODEL.default[:5], basin), xr.Dataset)


def test_dry_frozen_and_extreme_forcing_give_finite_results(rng):
    weather = make_basin(
        rng.choice([0, 0, 5, 300.0], 100), rng.uniform(0, 10, 100), rng.uniform(-40, 40, 100)
    )
    draws = [*draw_parameters(MODEL, rng, 20), MODEL.lower, MODEL.upper]
    run = simulate(MODEL, np.array(draws), weather, sensitivities=True)
    assert np.isfinite(run["ddischarge_dparameter"]).all()
    assert (run["discharge"] > -1e-4).all()
    assert isinstance(pd.Timestamp(run["time"].values[0]), pd.Timestamp)


@pytest.mark.kernels
def test_only_the_sensitivities_that_are_wanted():
    weather, names = FORCINGS["cold"], ("f_dd", "alpha")
    kwargs = {"solver": "tr_bdf2"}  # the same steps, whatever the columns
    some = simulate(MODEL, MODEL.default, weather, sensitivities=names, **kwargs)
    every = simulate(MODEL, MODEL.default, weather, sensitivities=True, **kwargs)
    assert tuple(some["parameter"].values) == names
    np.testing.assert_array_equal(
        some["ddischarge_dparameter"], every["ddischarge_dparameter"].sel(parameter=list(names))
    )
    with pytest.raises(KeyError, match="unknown parameter 'gamma'; known are S_umax"):
        simulate(MODEL, MODEL.default, weather, sensitivities=("gamma",))
