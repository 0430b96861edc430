"""Forecasts: states at the origin, errors given the last observations, ensembles of weather."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from scipy import optimize

import pymc_hydro as ph
from pymc_hydro.core.blocks import UnitHydrograph
from pymc_hydro.models.hbv import BASE, base, triangle
from tests.engine.test_parts import Delayed
from tests.inference.test_workflow import FIRST, THETA, WARMUP
from tests.tiny import Tiny

FORCING = ["precipitation", "potential_evaporation"]
TIME = pd.DatetimeIndex(FIRST["time"].values)
ERRORS = {"flow_s0": 0.2, "flow_s1": 0.1, "flow_r1": 0.8}
N = 2000


def repeated(values, n=N):
    """A posterior whose draws are all the same."""
    return xr.Dataset({k: (("chain", "draw"), np.full((1, n), v)) for k, v in values.items()})


def placed(record=FIRST, *, ar=1, steps=4, likelihood="normal", **options):
    return ph.build_model(
        Tiny(), record, likelihood, warmup=WARMUP, ar=ar, steps=steps, **options
    )  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return placed()


def simulated(record=FIRST, **options):
    return ph.simulate(Tiny(), THETA, record, steps=4, **options)


def test_a_run_goes_on_from_its_state_with_the_same_bits(model):
    whole = simulated()["discharge"].values
    found = ph.forecast(repeated(THETA | ERRORS, 2), model, origin=TIME[100], horizon=30)
    assert found["simulated"].dims == ("chain", "draw", "time")
    assert (found["simulated"].values == whole[100:130]).all()
    assert found["lead"].values.tolist() == list(range(1, 31))
    np.testing.assert_array_equal(found["time"], TIME[100:130])
    np.testing.assert_array_equal(found["observed"], FIRST["discharge"].values[100:130])


def test_errors_are_those_of_an_autoregression_given_the_last_observation(model):
    """Leads 1 and 3 after an observation, and after a gap of two days (50 and 51)."""
    whole = simulated()["discharge"].values
    sigma = 0.2 + 0.1 * whole
    idata = repeated(THETA | ERRORS)
    for origin, last in ((100, 99), (52, 49)):
        found = ph.forecast(
            idata, model, origin=TIME[origin], horizon=3, draws=N, random_seed=1
        )  # fmt: skip
        e = (FIRST["discharge"].values[last] - whole[last]) / sigma[last]
        for lead in (0, 2):
            at = origin + lead
            rho = 0.8 ** (at - last)
            drawn = (found["discharge"].values[0, :, lead] - whole[at]) / sigma[at]
            sd = np.sqrt(1 - rho**2)
            assert abs(drawn.mean() - rho * e) < 4 * sd / np.sqrt(N)
            assert drawn.std() == pytest.approx(sd, rel=4 / np.sqrt(2 * N))


def test_the_second_order_needs_two_observations():
    """One step ahead the mean and the scale are those that the likelihood itself has."""
    model = placed(ar=2)
    values = THETA | ERRORS | {"flow_r2": -0.5}
    found = ph.forecast(
        repeated(values), model, origin=TIME[100], horizon=1, draws=N, random_seed=2
    )
    with model:
        ahead = ph.predict(repeated(values), free_running=False, draws=N, random_seed=3)
    expected = ahead["discharge"].sel(time=TIME[100]).values.ravel()
    drawn = found["discharge"].values.ravel()
    sd = expected.std()
    assert drawn.mean() == pytest.approx(expected.mean(), abs=6 * sd / np.sqrt(N))
    assert drawn.std() == pytest.approx(sd, rel=0.1)
    assert sd < 0.6 * (0.2 + 0.1 * float(found["simulated"][0, 0, 0]))  # of free errors: 1


@pytest.mark.parametrize("likelihood", ["gl", "censored", "clock"])
def test_other_error_models_agree_with_predictions_one_step_ahead(likelihood):
    options = {"likelihood": likelihood}
    values = THETA | ERRORS
    if likelihood == "censored":

        def options_of(name, q, **arguments):
            transform = ph.likelihoods.BoxCox(0.2, 0.01)
            return ph.likelihoods.Laplace(name, q, transform=transform, censored=True, **arguments)

        options = {"likelihood": options_of, "scale": "constant"}
        values = {k: v for k, v in values.items() if k != "flow_s1"}
    elif likelihood == "clock":
        options = {"ar": None, "memory": "flow"}
        values |= {"flow_k0": 0.1, "flow_ku": 1.0, "flow_kd": 0.3}
    else:
        values |= {"flow_beta": 0.3, "flow_xi": 1.2, "flow_phi1": 0.8}
    record = FIRST.assign(discharge=FIRST["discharge"].clip(0))
    record["discharge"][99] = 0.0 if likelihood == "censored" else record["discharge"][99]
    model = placed(record, **options)
    missing = {rv.name for rv in model.free_RVs} - set(values)
    assert not missing, missing
    idata = repeated(values)
    found = ph.forecast(idata, model, origin=TIME[100], horizon=1, draws=N, random_seed=2)
    with model:
        ahead = ph.predict(idata, free_running=False, draws=N, random_seed=3)
    expected = ahead["discharge"].sel(time=TIME[100]).values.ravel()
    quantiles = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(
        np.quantile(found["discharge"], quantiles),
        np.quantile(expected, quantiles),
        atol=0.15 * expected.std(),
    )


def test_an_ensemble_in_one_call_is_its_members_one_by_one(model):
    """A member whose weather is that of the record has the record's flow; units are checked."""
    rng = np.random.default_rng(1)
    window = FIRST[FORCING].isel(time=slice(100, 110))
    others = [window.assign(precipitation=("time", rng.gamma(0.3, 15, 10))) for _ in range(2)]
    forcing = xr.concat([window, *others], pd.Index([3, 5, 8], name="member"))
    idata = repeated(THETA | ERRORS, 3)
    found = ph.forecast(idata, model, origin=TIME[100], horizon=10, forcing=forcing)
    assert found["discharge"].dims == ("chain", "draw", "member", "time")
    assert found["member"].values.tolist() == [3, 5, 8]
    assert (
        found["simulated"].sel(member=3).values == simulated()["discharge"][100:110].values
    ).all()
    record = xr.concat([FIRST[FORCING].isel(time=slice(0, 100)), others[1]], "time")
    expected = simulated(record)["discharge"].values[100:]
    assert (found["simulated"].sel(member=8).values == expected).all()
    assert np.ptp(found["discharge"].sel(time=TIME[100]).values) > 0
    with pytest.raises(ValueError, match="no interval that starts at 2001-04-21"):
        ph.forecast(idata, model, origin=TIME[100], horizon=11, forcing=forcing)
    wrong = forcing.assign(precipitation=forcing["precipitation"].assign_attrs(units="m"))
    with pytest.raises(ValueError, match="m"):
        ph.forecast(idata, model, origin=TIME[100], horizon=10, forcing=wrong)


def test_a_future_beyond_the_record():
    """The record ends the day before; the forcing of the future is given as a table."""
    idata = repeated(THETA | ERRORS, 2)
    model = placed(FIRST.isel(time=slice(0, 100)))
    future = FIRST[FORCING].isel(time=slice(100, 105)).to_dataframe()
    found = ph.forecast(idata, model, origin=TIME[100], horizon=5, forcing=future)
    assert (found["simulated"].values == simulated()["discharge"][100:105].values).all()
    assert "observed" not in found
    with pytest.raises(ValueError, match="give forcing= of them"):
        ph.forecast(idata, model, origin=TIME[100], horizon=5)
    with pytest.raises(ValueError, match="is no interval of the record"):
        ph.forecast(idata, model, origin=TIME[101], horizon=5)


def test_hindcasts_are_single_forecasts(model):
    """Origins with one day, two days and three days since the last observation."""
    origins = TIME[[52, 53, 62, 100]]
    idata = repeated(THETA | ERRORS, 2)
    found = ph.forecast(idata, model, origin=origins, horizon=4)
    assert found["discharge"].dims == ("origin", "chain", "draw", "lead")
    np.testing.assert_array_equal(found["time"].sel(origin=origins[1]), TIME[53:57])
    whole = simulated()["discharge"].values
    for origin, i in zip(origins, (52, 53, 62, 100), strict=True):
        assert (found["simulated"].sel(origin=origin).values == whole[i : i + 4]).all()
    issued = FIRST[FORCING].isel(time=slice(100, 104)).rename(time="lead").drop_vars("lead")
    issued = issued.expand_dims(origin=[TIME[100]])
    again = ph.forecast(idata, model, origin=TIME[[100]], horizon=4, forcing=issued)
    assert (again["simulated"].values == found["simulated"].sel(origin=[TIME[100]]).values).all()


def test_weather_of_other_years():
    n = 3 * 365
    time = pd.date_range("2001-01-01", periods=n)
    rain = np.arange(n) / 256  # tells the day
    variables = {"precipitation": ("time", rain), "potential_evaporation": ("time", np.ones(n))}
    record = xr.Dataset(variables, {"time": time}).assign(discharge=("time", np.ones(n)))
    model = placed(record)
    found = ph.forecast(
        repeated(THETA | ERRORS, 1), model, origin=time[365 + 31], horizon=3, forcing="resampled"
    )
    assert found.sizes["member"] == 2
    from pymc_hydro.inference.forecasting.weather import weather_of

    own = (time, rain[:, None])
    weather, members = weather_of("resampled", [], own, time[[396, 40]], 3, 1)
    assert (256 * weather[0, :, 0, 0]).tolist() == [31, 31 + 730] and len(members) == 2
    assert (256 * weather[1, :, 0, 0]).tolist() == [40 + 365, 40 + 730]
    with pytest.raises(ValueError, match="no other year with the days of"):
        weather_of("resampled", [], (time[:400], rain[:400, None]), time[[200]], 3, 1)


def test_refusals(model):
    idata = repeated(THETA | ERRORS, 1)
    at = {"origin": TIME[100], "horizon": 2}
    with pytest.raises(ValueError, match="expected records, 'resampled', or None"):
        ph.forecast(idata, model, forcing="climate", **at)
    with pytest.raises(ValueError, match="horizon must be one interval or more, found 0"):
        ph.forecast(idata, model, origin=TIME[100], horizon=0)
    with pytest.raises(ValueError, match="2001-01-01 00:00:00 is no interval of the record"):
        ph.forecast(idata, model, origin=TIME[[100, 0]], horizon=2)
    nobody = FIRST[FORCING].expand_dims(member=0)
    with pytest.raises(ValueError, match="no entry on its dimension 'member'"):
        ph.forecast(idata, model, forcing=nobody, **at)
    with pm.Model() as monthly:
        q = ph.discharge(Tiny(), THETA, FIRST, WARMUP)
        means = ph.means(FIRST["discharge"].resample(time="MS").mean(), "MS")
        ph.likelihoods.Normal("flow", q, observed=means)
    with pytest.raises(ValueError, match="compares means over longer intervals"):
        ph.forecast(idata, monthly, **at)
    scale = np.ones(FIRST.sizes["time"] - WARMUP)
    values = {k: v for k, v in (THETA | ERRORS).items() if k not in ("flow_s0", "flow_s1")}
    with pytest.raises(ValueError, match="errors depend on flow_scale"):
        ph.forecast(repeated(values, 1), placed(scale=scale), origin=TIME[100], horizon=2)
    both = ph.build_model(Tiny(), {"a": FIRST, "b": FIRST}, warmup=WARMUP)
    with pytest.raises(ValueError, match="one simulation of one basin, found BatchValues"):
        ph.forecast(idata, both, origin=TIME[100], horizon=2)
    with pm.Model() as plain:
        q = ph.discharge(Tiny(), THETA, FIRST, WARMUP)
        pm.Normal("flow", q.mean(), 1.0, observed=1.0)
    with pytest.raises(KeyError, match="no likelihood of this model with an error model"):
        ph.forecast(idata, plain, origin=TIME[100], horizon=2)


@pytest.mark.parametrize("ar", [0, 1])
def test_stores_are_corrected_by_least_squares(ar):
    """Against SciPy's search with a dense covariance; a gap of two days before the origin."""
    model = placed(ar=ar)
    errors = {k: v for k, v in ERRORS.items() if ar or k != "flow_r1"}
    origins, sd = TIME[[55, 100]], 0.3
    idata = repeated(THETA | errors, 2)
    found = ph.forecast(idata, model, origin=origins, horizon=5, correct=sd)
    whole = simulated(outputs=("discharge", "S", "R"))
    for i, place in enumerate((55, 100)):
        window, until = slice(place - 10, place), slice(place - 10, place + 5)
        start = np.array([float(whole[name][place - 11]) for name in ("S", "R")])
        observed = FIRST["discharge"].values[window]
        there = np.isfinite(observed)
        scale = 0.2 + 0.1 * whole["discharge"].values[window]
        apart = np.abs(np.subtract.outer(np.arange(10), np.arange(10)))
        dense = np.outer(scale, scale) * (0.8**apart if ar else np.eye(10))
        factor = np.linalg.cholesky(dense[np.ix_(there, there)])

        def run(d, start=start, until=until):
            stores = dict(zip("SR", start * np.exp(d), strict=True))
            part = FIRST.isel(time=until)
            return simulated(part, initial_state=stores)["discharge"].values

        def cost(d, run=run, observed=observed, there=there, factor=factor):
            return np.append(np.linalg.solve(factor, (observed - run(d)[:10])[there]), d / sd)

        end = optimize.least_squares(cost, [0, 0], xtol=1e-12, ftol=1e-12, gtol=1e-12)
        assert np.abs(end.x).max() > 0.01
        np.testing.assert_allclose(found["simulated"].values[i, 0, 1], run(end.x)[10:], rtol=1e-6)
    unmoved = ph.forecast(idata, model, origin=origins, horizon=5, correct=1e-6)["simulated"]
    plain = ph.forecast(idata, model, origin=origins, horizon=5)["simulated"]
    np.testing.assert_allclose(unmoved, plain, rtol=1e-8)


def test_a_correction_finds_the_stores_that_a_flood_left(model):
    """Flow is that of other stores ten days before the origin, without any error."""
    run = simulated(FIRST.isel(time=slice(0, 90)), outputs=("S", "R"))
    stores = {k: 1.4 * float(run[k][-1]) for k in "SR"}
    after = simulated(FIRST.isel(time=slice(90, 110)), initial_state=stores)["discharge"].values
    record = FIRST.isel(time=slice(0, 110))
    record = record.assign(discharge=record["discharge"].copy())
    record["discharge"][90:] = after
    idata = repeated(THETA | {"flow_s0": 0.05, "flow_s1": 0.05}, 400)
    pymc_model = placed(record, ar=0)
    options = {"origin": TIME[100], "horizon": 5, "random_seed": 1}
    plain = ph.forecast(idata, pymc_model, **options)
    corrected = ph.forecast(idata, pymc_model, correct=0.5, **options)
    miss = [float(abs(f["simulated"] - f["observed"]).mean()) for f in (plain, corrected)]
    assert miss[1] < 0.1 * miss[0]
    few = repeated({k: v.values[0, 0] for k, v in idata.items()}, 2)
    early = ph.forecast(few, pymc_model, correct=0.5, origin=TIME[10], horizon=1)
    assert np.isfinite(early["simulated"]).all()  # ten intervals before it are enough
    for correct, origin, message in (
        (0, 100, "correct must be a positive standard deviation"),
        (0.2, 9, "a correction needs 10 intervals before the origin, found 9 before 2001-01-10"),
    ):
        with pytest.raises(ValueError, match=message):
            ph.forecast(idata, pymc_model, correct=correct, origin=TIME[origin], horizon=2)


def test_random_forcing_is_refused():
    with pm.Model() as model:
        factor = pm.LogNormal("factor", 0, 0.5)
        rain = {"precipitation": lambda rain: rain * factor}
        q = ph.discharge(Tiny(), THETA, FIRST, WARMUP, forcing=rain)
        ph.likelihoods.Normal("flow", q, observed=FIRST["discharge"])
    with pytest.raises(ValueError, match="forcing of the simulation depends on factor"):
        ph.forecast(repeated({"factor": 2.0}, 1), model, origin=TIME[100], horizon=2)


@pytest.mark.kernels
def test_a_store_is_forecast_as_well():
    with pm.Model() as model:
        k = pm.LogNormal("k", np.log(THETA["k"]), 0.5)
        theta = THETA | {"k": k}
        level = ph.outputs(Tiny(), theta, FIRST, ["R"], warmup=WARMUP, steps=4)["R"]
        observed = FIRST["discharge"] / THETA["k"]
        ph.likelihoods.Normal("flow", level, observed=observed, scale="constant", s0=0.2)
    whole = simulated(outputs=("R",))["R"].values
    idata = repeated({"k": THETA["k"]}, 2)
    found = ph.forecast(idata, model, origin=TIME[100], horizon=3, correct=1e-6)
    np.testing.assert_allclose(found["simulated"][0, 0], whole[100:103], rtol=1e-5)


@pytest.mark.kernels
def test_a_known_change_of_a_parameter_goes_on_in_the_forecast():
    """Its values after the origin are those that the model has."""
    changing = THETA["k"] * np.exp(np.linspace(-0.5, 0.5, FIRST.sizes["time"]))
    with pm.Model() as model:
        a = pm.LogNormal("a", np.log(THETA["a"]), 0.5)
        q = ph.discharge(Tiny(), {"a": a, "k": changing}, FIRST, WARMUP, steps=4)
        ph.likelihoods.Normal("flow", q, observed=FIRST["discharge"], s0=0.2, s1=0.1, ar=1, r1=0.8)
    varied = Tiny().vary("k")
    whole = ph.simulate(varied, {"a": THETA["a"]}, FIRST.assign(k=("time", changing)), steps=4)
    found = ph.forecast(repeated({"a": THETA["a"]}, 2), model, origin=TIME[100], horizon=3)
    assert (found["simulated"].values == whole["discharge"].values[100:103]).all()
    assert np.isfinite(found["discharge"]).all()


class Routed(Tiny):
    """Its discharge is routed by a triangle."""

    def __init__(self, **options):
        self.routing = UnitHydrograph("discharge", triangle, base, (BASE,))
        super().__init__(**options)


@pytest.mark.kernels
@pytest.mark.parametrize("kind", [Routed, Delayed])
def test_water_in_a_unit_hydrograph_arrives_in_the_forecast(kind):
    """It is in no store: the run begins as much earlier as it takes."""
    model = kind()
    values = dict(zip(model.parameter_names, model.default, strict=True))
    whole = ph.simulate(model, model.default, FIRST, steps=4)["discharge"].values
    pymc_model = ph.build_model(model, FIRST, warmup=WARMUP, ar=1, steps=4)
    idata = repeated(values | ERRORS, 2)
    found = ph.forecast(idata, pymc_model, origin=TIME[[40, 100]], horizon=12)
    for i, place in enumerate((40, 100)):
        assert (found["simulated"].values[i] == whole[place : place + 12]).all()
    if kind is Routed:
        unmoved = ph.forecast(idata, pymc_model, origin=TIME[[40]], horizon=12, correct=1e-6)
        np.testing.assert_allclose(unmoved["simulated"][0, 0, 0], whole[40:52], rtol=1e-6)
    else:
        with pytest.raises(ValueError, match="has unit hydrographs between its stores"):
            ph.forecast(idata, pymc_model, origin=TIME[40], horizon=12, correct=0.2)
    run = ph.simulate(model, model.default, FIRST[{"time": slice(0, 40)}], model.store_names)
    with pytest.raises(ValueError, match="has a unit hydrograph, and water on its way there"):
        ph.simulate(model, model.default, FIRST[{"time": slice(40, None)}], initial_state=run)
