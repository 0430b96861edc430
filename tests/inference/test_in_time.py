"""Uncertain forcing and parameters that change in time, inside PyMC models."""

import pickle

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from pymc_hydro.core import AbstractModel
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.inference.in_time import basis_like
from pymc_hydro.integrators import METHODS
from pymc_hydro.testing import backwards
from pymc_hydro.testing.checks import draw_parameters
from pymc_hydro.testing.frozen import swept, taped_run
from tests.conftest import FORCINGS
from tests.engine.test_reverse import Routed

RECORD = ph.load_basin("leaf_river").isel(time=slice(200, 290))
MODEL = ph.Hymod(snow=False)
THETA = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
N = RECORD.sizes["time"]


def logp_and_gradient(model):
    f = model.logp_dlogp_function(ravel_inputs=True)
    f.set_extra_values({})
    return f, pm.blocking.DictToArrayBijection.map(model.initial_point()).data


def against_differences(model, h=1e-4):
    f, start = logp_and_gradient(model)
    point = start + np.random.default_rng(0).normal(0, 0.1, start.size)
    gradient = f(point)[1]
    direction = np.random.default_rng(1).normal(size=start.size)

    def central(h):
        return (f(point + h * direction)[0] - f(point - h * direction)[0]) / (2 * h)

    richardson = (4 * central(h) - central(2 * h)) / 3
    assert gradient @ direction == pytest.approx(richardson, rel=1e-5)
    assert np.isfinite(gradient).all() and np.all(gradient != 0)


def test_storms():
    spell = ph.storms(RECORD, dry_days=2)
    rain = RECORD["precipitation"].values
    numbers = spell.values
    assert numbers[0] == 0 and set(np.diff(numbers)) <= {0, 1}
    for t in np.flatnonzero(np.diff(numbers)) + 1:
        assert rain[t] >= 1 and (rain[t - 2 : t] < 1).all()  # two dry days before each spell
    dry = np.convolve(rain < 1, [1, 1], "valid") == 2
    assert numbers[-1] >= 3 and dry.any()
    assert ph.storms(RECORD).max() > spell.max()
    with pytest.raises(ValueError, match="lower wet="):
        ph.storms(RECORD, wet=1e4)
    with pytest.raises(ValueError, match="must be positive"):
        ph.storms(RECORD, dry_days=0)


def test_a_multiplier_of_each_storm():
    spell = ph.storms(RECORD, dry_days=2).values
    with pm.Model() as model:
        z = pm.Normal("z", shape=int(spell.max()) + 1)
        bias = pm.Normal("bias", 0, 0.1)
        rain = RECORD["precipitation"].values * pm.math.exp(0.3 * z)[spell]
        pet = RECORD["potential_evaporation"].values * (1 + bias)
        forcing = {"precipitation": rain, "potential_evaporation": pet}
        theta = THETA | {"K_s": pm.LogNormal("K_s", -3, 0.1)}
        q = ph.discharge(MODEL, theta, RECORD, 10, forcing=forcing, steps=2)
        pm.Normal("flow", q, 1.0, observed=RECORD["discharge"].values[10:])
    against_differences(model)


def test_a_parameter_in_time():
    """A rate that is in the linear part where it is constant."""
    with pm.Model(coords={"forcing_time": RECORD["time"].values}) as model:
        walk = pm.Normal("walk", 0, 0.1, dims="forcing_time")
        K_f = pm.Deterministic("K_f", THETA["K_f"] * pm.math.exp(walk), dims="forcing_time")
        q = ph.discharge(MODEL, THETA | {"K_f": K_f}, RECORD, 10, steps=4)
        pm.Normal("flow", q, 1.0, observed=RECORD["discharge"].values[10:])
    against_differences(model)


def test_a_new_period():
    """Storms that were not seen are drawn from their prior, a bias from the posterior."""
    record = ph.load_basin("leaf_river").isel(time=slice(600, 660))
    spell = ph.storms(RECORD, dry_days=2)
    coords = {"storm": range(int(spell.max()) + 1), "forcing_time": RECORD["time"].values}
    with pm.Model(coords=coords) as model:
        index = pm.Data("spell", spell.values, dims="forcing_time")
        z = pm.Normal("z", 0, 0.3, dims="storm")
        bias = pm.Normal("bias", 0, 0.1)
        forcing = {
            "precipitation": lambda rain: rain * pm.math.exp(z)[index],
            "potential_evaporation": lambda e: e * (1 + bias),
        }
        q = ph.discharge(MODEL, THETA, RECORD, 10, forcing=forcing, steps=2)
        ph.likelihoods.Normal("flow", q, observed=RECORD["discharge"], scale="constant", s0=0.5)
        draws = pm.sample_prior_predictive(3, random_seed=1).prior
        before = ph.predict(draws, draws=3)["simulated"]
        assert before.equals(ph.predict(draws, draws=3)["simulated"])  # all from the posterior
        with pytest.raises(ValueError, match="'spell' is tied to the dates"):
            ph.set_basin(record)
        new = ph.storms(record, dry_days=2)
        n_new = int(new.max()) + 1
        model.set_dim("storm", n_new, range(100, 100 + n_new))
        ph.set_basin(record, data={"spell": new})
        after = [ph.predict(draws, draws=3, random_seed=i)["simulated"].values for i in (0, 0, 1)]
    assert after[0].shape[-1] == 50 and np.isfinite(after[0]).all()
    np.testing.assert_array_equal(after[0], after[1])
    assert np.abs(after[0] - after[2]).max() > 1e-3


def test_bases():
    later = RECORD.isel(time=slice(20, None))
    month = ph.blocks(RECORD, "MS")
    dates = RECORD["time"].to_index()
    assert (np.diff(month) == (np.diff(dates.month) != 0)).all() and month[0] == 0
    assert set(ph.blocks(RECORD, "season").values) == set(dates.month % 12 // 3)
    waves, smooth = ph.harmonics(RECORD, 2), ph.splines(RECORD, "MS")
    assert list(waves["coefficient"].values) == ["cos 1", "sin 1", "cos 2", "sin 2"]
    year = 2 * np.pi * ((dates - pd.Timestamp(2000, 1, 1)) / pd.Timedelta("365.25D")).to_numpy()
    np.testing.assert_allclose(waves[:, :2], np.column_stack([np.cos(year), np.sin(year)]))
    np.testing.assert_allclose(waves[:, 2], waves[:, 0] ** 2 - waves[:, 1] ** 2, atol=1e-12)
    np.testing.assert_allclose(smooth.sum("coefficient"), 1, rtol=1e-12)
    for whole in (waves, smooth):  # another record has the same basis where it has the same dates
        part = basis_like(whole.attrs, later)
        same = whole.sel(time=part["time"], coefficient=part["coefficient"])
        np.testing.assert_allclose(part, same, atol=1e-12)
    with pytest.raises(ValueError, match="by their starts"):
        ph.blocks(RECORD, "30D")
    with pytest.raises(ValueError, match="order must be"):
        ph.harmonics(RECORD, 0)
    with pm.Model(), pytest.raises(TypeError, match="needs a basis"):
        ph.deviations("a", month.values)
    with pm.Model(), pytest.raises(ValueError, match="independent or walk"):
        ph.deviations("a", month, "season")


@pytest.mark.parametrize("centered", [False, True])
def test_walks(centered):
    """Steps have the standard deviation that is asked for, from zero on."""
    year = ph.blocks(ph.load_basin("leaf_river"), "MS")
    with pm.Model():
        series = ph.deviations("a", year, "walk", sd=pt.constant(0.5), centered=centered)
        values = pm.draw(series, 200, random_seed=1)
    steps = np.diff(values[:, np.unique(year, return_index=True)[1]], axis=1, prepend=0.0)
    assert steps.std() == pytest.approx(0.5, rel=0.02)
    assert values.shape[1] == year.size


def test_deviations_in_another_record():
    """Blocks that the posterior knows keep their values; all others come from the prior."""
    first, longer = (ph.load_basin("leaf_river").isel(time=slice(200, n)) for n in (260, 290))
    with pm.Model() as model:
        rain = ph.deviations("rain", ph.storms(first, dry_days=2))
        rate = ph.deviations("rate", ph.blocks(first, "MS"), "walk", sd=0.5)
        smooth = ph.deviations("smooth", ph.splines(first, "MS"))
        season = ph.deviations("season", ph.harmonics(first), centered=True)
        others = ph.priors(MODEL.vary("K_f"), K_s=THETA["K_s"])
        theta = others | {"K_f": THETA["K_f"] * pm.math.exp(rate)}
        forcing = {
            "precipitation": lambda p: p * pm.math.exp(rain + smooth),
            "potential_evaporation": lambda e: e * pm.math.exp(season),
        }
        q = ph.discharge(MODEL, theta, first, 10, forcing=forcing, steps=2)
        ph.likelihoods.Normal("flow", q, observed=first["discharge"], scale="constant", s0=0.5)
        draws = pm.sample_prior_predictive(2, random_seed=1).prior
        before = ph.predict(draws)["simulated"].values
        ph.set_basin(longer)
        after = [ph.predict(draws, random_seed=i)["simulated"].values for i in (1, 2)]
        n_storm = int(ph.storms(longer, dry_days=2).max()) + 1
        assert model["rain_z"].shape.eval().tolist() == [n_storm]
    assert after[0].shape[-1] == 80
    for found in after:
        np.testing.assert_allclose(found[..., :50], before, rtol=1e-9)
    assert np.abs(after[0] - after[1])[..., 50:].max() > 1e-3


def test_a_constant_series_is_a_constant_parameter():
    model, basin = ph.GR4J(snow=False), FORCINGS["rain"].isel(time=slice(0, 15))
    varied = model.vary("x1")
    assert varied.forcing_names == (*model.forcing_names, "x1")
    assert varied == pickle.loads(pickle.dumps(varied)) != model
    assert hash(varied) == hash(model.vary("x1"))
    pytest.importorskip("sympy")
    assert list(ph.equations(varied).forcings) == list(varied.forcing_names)
    theta, rest = model.default, varied.default
    found = []
    for each, vector in ((model, theta), (varied, rest)):
        problem = define_problem(each, ("discharge",), 1.0, steps=2)
        forcing = forcing_array(each, basin.assign(x1=("time", np.full(15, theta[0]))))
        values, tape = taped_run(problem, vector, forcing, each.initial_state)
        weight = np.ones_like(values)
        found.append((values, *swept(problem, vector, forcing, each.initial_state, tape, weight)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[1][2][:, -1].sum() == pytest.approx(found[0][1][0], rel=1e-10)
    np.testing.assert_allclose(found[1][1], found[0][1][1:], rtol=1e-10, atol=1e-14)


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("model", "method"),
    [*zip((ph.Hymod(), ph.HBV(), ph.SacSma(), ph.GR4J()), METHODS, strict=True)],
    ids=lambda of: type(of).__name__ if isinstance(of, AbstractModel) else of.name,
)
def test_all_parameters_in_time_against_complex_step(model, method, rng):
    theta, basin = draw_parameters(model, rng, 1)[0], FORCINGS["cold"].isel(time=slice(0, 6))
    finding = backwards.parameters_in_time(model, theta, basin, method)
    assert finding.error <= 1, finding


def test_parameters_of_maps_in_time():
    """Contents at the start are those of the default; the rest by differences of the series."""
    model, basin = ph.gr.GR4J(), FORCINGS["rain"].isel(time=slice(0, 12))
    varied = model.vary("x1").vary("x3")
    assert varied.stores[0].initial == 0.3 * model.default[0]
    estimated = ph.gr.GR4J(initial={"S": "estimate"}).vary("x1")
    assert float(estimated.start({"x2": 0, "x3": 90, "x4": 1.7, "S_0": 0.2})["S"]) == 70

    theta, constant = model.default, np.full(12, model.default[2])
    problem = define_problem(varied, ("discharge",), 1.0)
    plain = forcing_array(model, basin)
    start = varied.initial_state, varied.default

    def run(x3):
        forcing = np.column_stack([plain, np.full(12, theta[0]), x3])
        return problem.run(start[1], forcing, start[0]).values[:, 0]

    of_numbers = ph.simulate(model, theta, basin)["discharge"].values
    np.testing.assert_array_equal(run(constant), of_numbers)
    forcing = np.column_stack([plain, np.full(12, theta[0]), constant])
    values, tape = taped_run(problem, start[1], forcing, start[0])
    found = swept(problem, start[1], forcing, start[0], tape, np.ones_like(values))[1][3, -1]
    step = 1e-3 * (np.arange(12) == 3)
    slope = (run(constant + step) - run(constant - step)).sum() / 2e-3
    assert found == pytest.approx(slope, rel=1e-6) and abs(slope) > 1e-5


def test_outside_of_its_domain_is_nan():
    with pm.Model():
        theta = THETA | {"K_f": np.where(np.arange(N) == 50, -1.0, 1.0)}
        assert np.isnan(ph.discharge(MODEL, theta, RECORD, 10, steps=4).eval()).all()
        series = np.linspace(0.3, 0.6, N)
        found = ph.discharge(MODEL, THETA | {"K_f": series}, RECORD, 10, steps=4).eval()
    model, record = MODEL.vary("K_f"), RECORD.assign(K_f=("time", series))
    expected = ph.simulate(model, model.default, record, steps=4)["discharge"]
    np.testing.assert_array_equal(found, expected[10:])
    with pytest.raises(KeyError, match="K_f"):
        ph.simulate(model, model.default, RECORD)


def test_refusals():
    rain = RECORD["precipitation"].values
    with pm.Model():
        with pytest.raises(KeyError, match="unknown column 'rain'"):
            ph.discharge(MODEL, THETA, RECORD, 10, forcing={"rain": rain})
        with pytest.raises(ValueError, match=f"has {N - 1} values, expected {N}"):
            ph.discharge(MODEL, THETA, RECORD, 10, forcing={"precipitation": rain[1:]})
        with pytest.raises(TypeError, match="one value for each interval"):
            ph.discharge(MODEL, THETA, RECORD, 10, forcing={"precipitation": rain[:, None]})
    with pytest.raises(ValueError, match="unit hydrograph of discharge depends on a parameter"):
        Routed().vary("b")
    with pytest.raises(ValueError, match="unit hydrograph of H_9 depends on a parameter"):
        ph.gr.GR4J().vary("x4")
    with pytest.raises(KeyError, match="unknown parameters"):
        MODEL.vary("x1")
