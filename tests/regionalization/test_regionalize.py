"""Attributes to parameters: mappings, derivatives, cross-validation, files and intervals."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.calibration.basins.losses import define_losses
from pymc_hydro.calibration.space import define_space
from pymc_hydro.regionalization.attributes import Scale, attribute_table
from pymc_hydro.regionalization.factors import ErrorFactors
from pymc_hydro.regionalization.fit import COMBINATIONS, _Total
from pymc_hydro.regionalization.mapping import MAPPINGS, define_mapping
from pymc_hydro.regionalization.regionalize import _labels
from tests.conftest import FORCINGS
from tests.tiny import Tiny

MODEL = Tiny()
NAMES = [f"b{i}" for i in range(12)]
FOLDS = np.repeat([0, 1, 2], 4)
# The ends of the ranges are in every fold: what is held out is not beyond them.
CLAY = [0.0, 1.0, 0.3, 0.6, 1.0, 0.0, 0.5, 0.2, 0.0, 1.0, 0.1, 0.9]
SLOPE = [0.0, 5.0, 9.0, 4.0, 9.0, 3.0, 0.0, 6.0, 2.0, 9.0, 0.0, 7.0]
TABLE = pd.DataFrame({"clay": CLAY, "slope": SLOPE, "same": 1.0}, index=NAMES)
SPACE = define_space(MODEL, {}, {}, "unconstrained")
FAST = {"warmup": 10, "progressbar": False, "random_seed": 1}


def truth():
    """Coordinates that are linear in the attributes."""
    x = Scale.of(TABLE)(TABLE)
    z = np.array([-0.5, 0.2]) + x @ np.array([[0.6, 0.0], [-0.3, 0.5], [0.0, 0.0]])
    return SPACE.parameters(z)[0]


@pytest.fixture(scope="module")
def basins():
    forcing, found = FORCINGS["storm"], {}
    for name, theta in zip(NAMES, truth(), strict=True):
        flow = ph.simulate(MODEL, theta, forcing)["discharge"]
        found[name] = forcing.assign(discharge=flow)
    return found


@pytest.fixture(scope="module")
def fit(basins):
    return ph.regionalize(MODEL, basins, TABLE, penalty=(0.1, 1e-8), folds=FOLDS, **FAST)


@pytest.mark.parametrize("kind", [*MAPPINGS, lambda x: x**2])
def test_slopes_of_mappings(kind):
    """Against complex steps."""
    x = Scale.of(TABLE)(TABLE)
    mapping = define_mapping(kind, x, 2)
    weights = np.random.default_rng(5).standard_normal(mapping.size)
    found = mapping.jacobian(x, weights)
    assert found.shape == (12, 2, mapping.size)
    for w in range(mapping.size):
        stepped = weights.astype(complex)
        stepped[w] += 1e-30j
        by_step = mapping(x, mapping.named(stepped)).imag / 1e-30
        np.testing.assert_allclose(found[:, :, w], by_step, rtol=1e-12, atol=1e-14)


def test_a_gaussian_process_has_its_covariance():
    x = Scale.of(TABLE)(TABLE)
    mapping = define_mapping("gp", x, 1)
    features = mapping.of_attributes(x)
    squares = ((x[:, None] - x[None]) ** 2).sum(axis=-1)
    kernel = 4 * np.exp(-squares / (2 * mapping.features.length**2))
    np.testing.assert_allclose(features @ features.T, x @ x.T + kernel, atol=1e-4)


@pytest.mark.parametrize("combine", ["bounded", "mean"])
def test_gradient_of_the_total(basins, combine):
    """Against Richardson differences; the curvature is that of Gauss and Newton."""
    exact = {"warmup": 10, "rtol": 1e-11, "atol": 1e-11}
    losses = define_losses(MODEL, {k: basins[k] for k in NAMES[:3]}, "nse", **exact)
    x = Scale.of(TABLE)(TABLE)[:3]
    mapping = define_mapping("mlp", x, 2)
    total = _Total(losses, x, mapping, SPACE, 1e-2, combine)
    weights = 0.3 * np.random.default_rng(6).standard_normal(mapping.size)
    gradient, curvature = total.derivatives(weights, *total(weights)[1:])
    direction = np.random.default_rng(7).standard_normal(mapping.size)
    slopes = []
    for h in (2e-3, 1e-3):
        ends = [total(weights + s * h * direction)[0] for s in (1, -1)]
        slopes.append((ends[0] - ends[1]) / (2 * h))
    assert gradient @ direction == pytest.approx((4 * slopes[1] - slopes[0]) / 3, rel=1e-5)
    plain = _Total(losses, x, mapping, SPACE, 0.0, combine)  # the intercept is not drawn to zero
    added = 1e-2 * (weights[2:] ** 2).sum()
    assert total(weights)[0] - plain(weights)[0] == pytest.approx(added, rel=1e-8)
    np.testing.assert_allclose(curvature, curvature.T, atol=1e-12)
    assert np.linalg.eigvalsh(curvature).min() > -1e-10


def test_bounded_losses_are_those_of_nse_as_published():
    """NSE / (2 - NSE) is bounded by -1: one minus it, from zero to two."""
    part, slope = COMBINATIONS["bounded"]
    x = 1 - np.array([1.0, 0.5, 0.0, -2.0])  # of these NSE
    np.testing.assert_allclose(part(x), 1 - (1 - x) / (1 + x))
    np.testing.assert_allclose(slope(x), (part(x + 1e-6) - part(x - 1e-6)) / 2e-6, rtol=1e-6)


def test_a_basin_that_fails_counts_with_its_worst_loss(basins):
    losses = define_losses(MODEL, {k: basins[k] for k in NAMES[:3]}, "nse", warmup=10)
    x = Scale.of(TABLE)(TABLE)[:3]
    mapping = define_mapping("linear", x, 2)
    total = _Total(losses, x, mapping, SPACE, 0.0, "mean")
    weights = np.zeros(mapping.size)
    before = total(weights)[0]
    inside = losses.evaluate

    def failing(theta):
        found = inside(theta)
        for array in found:
            array[1] = np.nan
        return found

    losses.evaluate = failing
    value, by_z, curved = total(weights)
    assert value == before
    assert (by_z[1] == 0).all() and (curved[1] == 0).all() and (by_z[0] != 0).any()
    fresh = _Total(losses, x, mapping, SPACE, 0.0, "mean")
    with pytest.raises(ValueError, match="failed at the start in 1 basins, 'b1'"):
        fresh(weights)


def test_the_truth_is_found_and_the_penalty_chosen(fit):
    assert fit.settings["penalty"] == 1e-8
    median = fit.penalties["median_score"]
    assert median.sel(penalty=1e-8) > 0.9999 > 0.999 > median.sel(penalty=0.1)
    assert (fit.table["held_out_score"] > 0.9999).all()
    assert fit.penalties["evaluations"].sum() + fit.settings["evaluations"] < 60
    theta = fit.parameters(TABLE)
    np.testing.assert_allclose(theta["a"], truth()[:, 0], rtol=1e-3)
    np.testing.assert_array_equal(fit.table["parameters"].sel(parameter="k"), theta["k"])


@pytest.mark.kernels
def test_what_is_held_out_has_no_part_in_its_parameters(basins):
    """The first fold's parameters are those of a fit to the other basins, shrunk as they are."""
    time = FORCINGS["storm"]["time"].values
    periods = {"period": (time[10], time[29]), "validation": (time[30], time[-1])}
    options = {"loss": "ssr", "penalty": 0.1, **FAST}
    fit = ph.regionalize(MODEL, basins, TABLE, folds=FOLDS, **options, **periods)
    others = {name: basins[name] for name in NAMES[4:]}
    del options["loss"]
    alone = ph.regionalize(
        MODEL, others, TABLE, "ssr", folds=None, period=periods["period"], **options
    )
    expected = alone.parameters(TABLE.iloc[:4])
    held_out = fit.table["held_out_parameters"][:4]
    np.testing.assert_allclose(held_out.sel(parameter="a"), expected["a"], rtol=1e-6)
    assert (abs(held_out / truth()[:4] - 1) > 1e-3).any()
    for i, name in enumerate(NAMES[:2]):
        for column, first, end in (("score", 10, 30), ("validation_score", 30, None)):
            part = basins[name].isel(time=slice(first - 10, end))
            run = ph.simulate(MODEL, held_out[i].values, part)["discharge"]
            score = ph.losses.ssr(part["discharge"][10:], run[10:])
            assert float(fit.table[f"held_out_{column}"][i]) == pytest.approx(score, rel=1e-3)
    scores = fit.table["held_out_score"]
    assert float(fit.penalties["median_score"][0]) == pytest.approx(float(scores.median()))
    assert float(fit.penalties["mean_score"][0]) == pytest.approx(float(scores.mean()))


def test_folds_are_of_equal_size_and_follow_their_seed():
    one, again, other = (_labels(3, NAMES, seed) for seed in (1, 1, 2))
    assert np.bincount(one).tolist() == [4, 4, 4]
    assert (one == again).all() and (one != other).any()


@pytest.mark.kernels
def test_folds_of_an_executor_are_the_same(fit, basins):
    """What workers get can be sent to another process."""

    class Sending(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            return super().submit(*pickle.loads(pickle.dumps((function, *arguments))))

    with Sending(2) as executor:
        options = {"penalty": (0.1, 1e-8), "folds": FOLDS, "executor": executor, **FAST}
        again = ph.regionalize(MODEL, basins, TABLE, **options)
    xr.testing.assert_identical(again.table, fit.table)


def test_beyond_the_range_is_at_its_end(fit):
    far = TABLE.iloc[:1].assign(clay=1e3)
    ends = TABLE.iloc[:1].assign(clay=TABLE["clay"].max())
    one, two = fit.parameters(far), fit.parameters(ends)
    assert one["attributes_outside"].values == [1] and two["attributes_outside"].values == [0]
    assert float(one["a"][0]) == float(two["a"][0])
    low = fit.parameters(TABLE.iloc[:1].assign(clay=-1e3))
    first = fit.parameters(TABLE.iloc[:1].assign(clay=TABLE["clay"].min()))
    assert low["attributes_outside"].values == [1] and first["attributes_outside"].values == [0]
    assert float(low["a"][0]) == float(first["a"][0])


def test_predictions_have_intervals(fit, basins):
    found = fit.predict(basins, TABLE, warmup=10)
    assert found["discharge"].dims == ("basin", "time")
    after = found.isel(time=slice(10, None))
    assert (after["lower"] <= after["upper"]).all()
    assert found["discharge"][:, :10].isnull().all()
    observed = basins["b0"]["discharge"].values
    np.testing.assert_allclose(after["discharge"].sel(basin="b0"), observed[10:], rtol=1e-2)


def test_factors_cover_as_often_as_they_say(rng):
    flow = rng.gamma(1.0, 2.0, (30, 500))
    observed = flow * rng.lognormal(0.1, 0.5, flow.shape)
    observed[0, :100] = np.nan
    factors = ErrorFactors.of(observed[:20], flow[:20])
    for coverage in (0.5, 0.9):
        ends = [factors.between(q, coverage) for q in flow[20:]]
        inside = [(lo <= y) & (y <= up) for y, (lo, up) in zip(observed[20:], ends, strict=True)]
        assert np.mean(inside) == pytest.approx(coverage, abs=0.015)
    with pytest.raises(ValueError, match=r"coverage must be from 0 to 0\.99"):
        factors.between(flow[0], 1.0)


def test_a_file_holds_all(fit, tmp_path):
    path = tmp_path / "region.json"
    fit.save(path)
    again = ph.Regionalization.load(path, MODEL)
    xr.testing.assert_identical(again.parameters(TABLE), fit.parameters(TABLE))
    xr.testing.assert_equal(again.table, fit.table)
    # The formula in the file, by hand.
    content = json.loads(path.read_text())
    assert set(content["versions"]) == {"pymc_hydro", "numpy", "python"}
    x = [
        (min(max(TABLE[a["name"]].iloc[2], a["lowest"]), a["highest"]) - a["mean"]) / a["spread"]
        for a in content["attributes"]
    ]
    z = np.array(content["weights"]["intercept"]) + x @ np.array(content["weights"]["weights"])
    p, u = content["parameters"][0], 1 / (1 + np.exp(-z[0]))
    assert p["logarithmic"] and p["name"] == "a"
    by_hand = p["lower"] * (p["upper"] / p["lower"]) ** u
    assert by_hand == pytest.approx(float(fit.parameters(TABLE)["a"][2]), rel=1e-12)
    path.write_text(path.read_text().replace('"combine": "bounded"', '"combine": "mean"'))
    with pytest.raises(ValueError, match="was changed after it was written"):
        ph.Regionalization.load(path, MODEL)
    with pytest.raises(ValueError, match="has the parameters a, k, but GR4J"):
        fit.save(path)
        ph.Regionalization.load(path, ph.GR4J())


@pytest.mark.parametrize("kind", ["mlp", "gp"])
def test_a_file_holds_every_mapping(fit, kind, tmp_path):
    x = Scale.of(TABLE)(TABLE)
    mapping = define_mapping(kind, x, 2)
    weights = np.random.default_rng(8).standard_normal(mapping.size)
    one = replace(fit, fit=replace(fit.fit, mapping=mapping, weights=weights))
    one.save(tmp_path / "region.json")
    again = ph.Regionalization.load(tmp_path / "region.json", MODEL)
    xr.testing.assert_allclose(again.parameters(TABLE), one.parameters(TABLE), rtol=1e-9)


def test_a_file_holds_no_function(fit, tmp_path):
    mapping = define_mapping(np.square, Scale.of(TABLE)(TABLE), 2)
    with pytest.raises(ValueError, match="the mapping is a function, which no file can hold"):
        replace(fit, fit=replace(fit.fit, mapping=mapping)).save(tmp_path / "region.json")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"mapping": "deep"}, KeyError, "unknown mapping 'deep'"),
        ({"mapping": lambda x: x[:2]}, ValueError, "the function must return finite features"),
        ({"folds": 1}, ValueError, "folds must be from 2"),
        ({"folds": [0] * 12}, ValueError, "folds have one label"),
        ({"folds": pd.Series(0, NAMES[1:])}, KeyError, "folds lack 1 basins, 'b0'"),
        ({"folds": None}, ValueError, "without folds one penalty is needed, found 2"),
        ({"penalty": -1.0}, ValueError, "penalty must be positive"),
        ({"combine": "sum"}, KeyError, "unknown combine 'sum'"),
        ({"attributes": TABLE.iloc[1:]}, KeyError, "lacks the basins"),
        ({"attributes": TABLE.assign(clay=np.nan)}, ValueError, "'clay' of basin 'b0' is nan"),
    ],
)
def test_arguments_that_make_no_sense(basins, changed, error, message):
    given = {"attributes": TABLE, "penalty": (1e-2, 1e-3), **FAST} | changed
    with pytest.raises(error, match=message):
        ph.regionalize(MODEL, basins, given.pop("attributes"), **given)


def test_tables_of_attributes():
    found = attribute_table(
        xr.Dataset({"x": ("basin", [1, 2]), "name": ("basin", ["u", "v"])}, {"basin": ["a", "b"]})
    )
    assert found.columns.tolist() == ["x"] and found.loc["b", "x"] == 2.0
    with pytest.raises(TypeError, match="expected a DataFrame"):
        attribute_table({"x": [1, 2]})
