"""Partial pooling and attributes inside a PyMC model."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy.special import expit
from scipy.stats import halfnorm, norm

import pymc_hydro as ph
from pymc_hydro.calibration.space import define_space
from pymc_hydro.regionalization.attributes import Scale
from pymc_hydro.regionalization.mapping import define_mapping
from tests.conftest import FORCINGS
from tests.regionalization.test_regionalize import MODEL, TABLE
from tests.tiny import IN_MODELS

SPACE = define_space(MODEL, {}, {}, "unconstrained")
START = SPACE.coordinates(SPACE.positions(MODEL.default))
FEW = TABLE.iloc[:3]
UNCOMPILED = Mode(linker="py", optimizer="fast_compile")


def point_of(pymc_model, rng):
    found = pymc_model.initial_point()
    return {k: v + 0.1 * rng.standard_normal(np.shape(v)) for k, v in found.items()}


def evaluated(pymc_model, variables, point):
    values = pymc_model.replace_rvs_by_values(variables)
    inputs = pymc_model.value_vars
    compiled = {"mode": UNCOMPILED, "on_unused_input": "ignore"}
    return pymc_model.compile_fn(values, inputs=inputs, **compiled)(point)


def test_partial_pooling_is_this_density(rng):
    with pm.Model(coords={"basin": ["u", "v"]}) as pymc_model:
        theta = ph.regional(MODEL)
    point = point_of(pymc_model, rng)
    mu, z = point["regional_intercept"], point["regional_z"]
    tau = np.exp(point["regional_tau_log__"])
    density = norm.logpdf(mu, START, 1.5).sum() + norm.logpdf(z, mu, tau).sum()
    density += (halfnorm.logpdf(tau) + np.log(tau)).sum()
    assert pymc_model.compile_logp()(point) == pytest.approx(density, rel=1e-8)
    values = evaluated(pymc_model, [theta["a"], theta["k"]], point)
    np.testing.assert_allclose(np.column_stack(values), SPACE.parameters(z)[0], rtol=1e-12)
    assert pymc_model.named_vars_to_dims["a"] == ("basin",)


def test_a_parameter_that_is_not_centered(rng):
    """Both forms are one model: the same z, another coordinate."""
    with pm.Model(coords={"basin": ["u", "v"]}) as pymc_model:
        theta = ph.regional(MODEL, centered=["a"])
    point = point_of(pymc_model, rng)
    tau, own = np.exp(point["regional_tau_log__"]), point["regional_z"]
    mu = point["regional_intercept"]
    z = np.column_stack([own[:, 0], mu[1] + tau[1] * own[:, 1]])
    values = evaluated(pymc_model, [theta["a"], theta["k"]], point)
    np.testing.assert_allclose(np.column_stack(values), SPACE.parameters(z)[0], rtol=1e-12)
    density = norm.logpdf(mu, START, 1.5).sum() + norm.logpdf(own[:, 1]).sum()
    density += norm.logpdf(own[:, 0], mu[0], tau[0]).sum()
    density += (halfnorm.logpdf(tau) + np.log(tau)).sum()
    assert pymc_model.compile_logp()(point) == pytest.approx(density, rel=1e-8)


@pytest.mark.parametrize("mapping", ["linear", "mlp", "gp"])
def test_attributes_without_a_residual(mapping, rng):
    """The parameters are those of the mapping with NumPy."""
    with pm.Model() as pymc_model:
        theta = ph.regional(MODEL, FEW, mapping, residual=False, k=0.4)
    assert float(theta["k"].eval()) == 0.4
    point = point_of(pymc_model, rng)
    (value,) = evaluated(pymc_model, [theta["a"]], point)
    x = Scale.of(FEW)(FEW)
    found = define_mapping(mapping, x, 1)
    weights = {name: point[f"regional_{name}"] for name in found.shapes}
    z = found(x, weights)
    low, high = 1e-3, 1e-1
    np.testing.assert_allclose(value, low * (high / low) ** expit(z[:, 0]), rtol=1e-9)


def test_the_larger_parameter_bounds_the_smaller():
    model = ph.HBV(snow=False)
    ((small, large),) = model.ordered[:1]
    with pm.Model(coords={"basin": ["u", "v"]}):
        theta = ph.regional(model)
        draws = pm.draw([theta[small], theta[large]], 20, random_seed=1)
    assert (draws[0] <= draws[1]).all()


def test_bounds_are_those_of_the_prior_or_given(rng):
    """A parameter that changes in time bounds no other one."""
    model = ph.HBV(snow=False).vary("k_1")
    with pm.Model(coords={"basin": ["u", "v"]}) as pymc_model:
        theta = ph.regional(model, bounds={"beta": (1, 2)}, p_max=None, l_p=0.5)
    assert float(theta["l_p"].eval()) == 0.5 and "k_1" not in theta
    point = point_of(pymc_model, rng)
    names = list(pymc_model.coords["regional_parameter"])
    values = evaluated(pymc_model, [theta[name] for name in names], point)
    found = dict(zip(names, values, strict=True))
    unit = dict(zip(names, expit(point["regional_z"]).T, strict=True))
    np.testing.assert_allclose(found["F_c"], 5 * 300 ** unit["F_c"], rtol=1e-9)
    np.testing.assert_allclose(found["u_zl"], 100 * unit["u_zl"], rtol=1e-9)
    np.testing.assert_allclose(found["beta"], 1 + unit["beta"], rtol=1e-9)
    np.testing.assert_allclose(found["k_2"], 1e-5 * 1e5 ** unit["k_2"], rtol=1e-9)
    np.testing.assert_allclose(found["p_max"], 15 * unit["p_max"], rtol=1e-9)


@pytest.mark.kernels
def test_losses_of_basins_in_a_model(rng):
    """Gradient of the whole, against Richardson differences."""
    basins = {n: FORCINGS["storm"].isel(time=slice(i, None)) for i, n in enumerate(FEW.index)}
    for n, basin in basins.items():
        basins[n] = basin.assign(discharge=("time", rng.uniform(1, 9, basin.sizes["time"])))
    with pm.Model() as pymc_model:
        theta = ph.regional(MODEL, FEW)
        scores = ph.basin_losses(MODEL, theta, basins, warmup=10, rtol=1e-10, atol=1e-10)
        pm.Potential("fit", 20 * scores.sum())
    point = point_of(pymc_model, rng)
    logp, dlogp = pymc_model.compile_logp(), pymc_model.compile_dlogp()
    names = [v.name for v in pymc_model.value_vars]
    direction = {n: rng.standard_normal(np.shape(point[n])) for n in names}
    slopes = []
    for h in (2e-3, 1e-3):
        ends = [logp({n: point[n] + s * h * direction[n] for n in names}) for s in (1, -1)]
        slopes.append((ends[0] - ends[1]) / (2 * h))
    slope = dlogp(point) @ np.concatenate([np.ravel(direction[n]) for n in names])
    assert slope == pytest.approx((4 * slopes[1] - slopes[0]) / 3, rel=1e-5)
    assert list(pymc_model.coords["basin"]) == FEW.index.tolist()


@pytest.mark.kernels
def test_predictions_in_other_basins(rng):
    """A model of other basins takes the posterior of the first ones; nothing of a basin is kept."""
    record = FORCINGS["storm"].assign(
        discharge=("time", rng.uniform(1, 9, FORCINGS["storm"].sizes["time"]))
    )
    posterior = xr.Dataset(
        {
            "regional_intercept": (("chain", "draw", "regional_parameter"), [[[-0.5, 0.3]] * 2]),
            "regional_weights": (
                ("chain", "draw", "regional_weights_0", "regional_parameter"),
                [[[[0.6, 0.1], [-0.3, 0.5]]] * 2],
            ),
            "regional_tau": (("chain", "draw", "regional_parameter"), np.full((1, 2, 2), 1e-9)),
            "regional_z": (
                ("chain", "draw", "basin", "regional_parameter"),
                np.full((1, 2, 3, 2), 9.0),
            ),
            "flow_s0": (("chain", "draw"), np.full((1, 2), 1e-9)),
            "flow_s1": (("chain", "draw"), np.full((1, 2), 1e-9)),
        },
        {"chain": [0], "draw": [0, 1], "basin": FEW.index.tolist()},
    )
    known, there = FEW[["clay", "slope"]], TABLE.loc[["b6", "b7"], ["slope", "clay"]]
    with pm.Model():
        theta = ph.regional(MODEL, there, trained_on=known)
        q = ph.discharge(MODEL, theta, dict.fromkeys(there.index, record), warmup=10)
        observed = dict.fromkeys(there.index, record["discharge"])
        ph.likelihoods.Normal("flow", q, observed=observed)
        flow = ph.predict(posterior, random_seed=1)["discharge"]
    z = np.array([-0.5, 0.3]) + Scale.of(known)(there) @ np.array([[0.6, 0.1], [-0.3, 0.5]])
    for name, row in zip(there.index, SPACE.parameters(z)[0], strict=True):
        expected = ph.simulate(MODEL, row, record, **IN_MODELS)["discharge"].values[10:]
        found = flow.values[0, 1, flow["basin"].values == name]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "has no dimension 'basin'"),
        ({"attributes": FEW, "centered": ["b"]}, KeyError, r"centered names \['b'\]"),
        ({"attributes": FEW, "x": 1.0}, KeyError, r"an override names \['x'\]"),
        ({"attributes": FEW, "bounds": {"b": (0, 1)}}, KeyError, r"bounds names \['b'\]"),
        (
            {"attributes": FEW, "bounds": {"a": (1, 0)}},
            ValueError,
            "regional: bounds of a must rise",
        ),
        (
            {"attributes": FEW, "a": 0.01, "bounds": {"a": (1e-3, 0.1)}},
            ValueError,
            r"bounds names \['a'\], which are overridden",
        ),
        (
            {"attributes": FEW, "a": 0.01, "centered": ["a"]},
            ValueError,
            r"centered names \['a'\], which are overridden",
        ),
        ({"attributes": FEW, "a": 0.01, "k": 1.0}, ValueError, "all parameters are overridden"),
    ],
)
def test_arguments_that_make_no_sense(arguments, error, message):
    with pm.Model(), pytest.raises(error, match=message):
        ph.regional(MODEL, **arguments)
