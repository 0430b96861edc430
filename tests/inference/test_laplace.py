"""Modes of posteriors, and curvature of any model against differences of its log-probability."""

import warnings

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
import scipy.optimize as optimize

import pymc_hydro as ph
from pymc_hydro.inference.approximation.coordinates import as_dataset
from pymc_hydro.inference.approximation.laplace import _tolerance
from pymc_hydro.inference.approximation.modes import find_modes
from pymc_hydro.inference.approximation.scales import scales_of
from tests.inference.test_workflow import FIRST, THETA, WARMUP, record
from tests.tiny import Tiny

BASINS = {"wet": record(300, 5), "dry": record(260, 6)}
EXACT = {"rtol": 1e-7, "atol": 1e-9}  # of the integration: differences of its results are taken
HIGHEST = 1660.00  # log-posterior of the highest mode known, four years of the Leaf River


@pytest.fixture(scope="module")
def leaf_river_model(leaf_river):
    basin = leaf_river.sel(time=slice("1952-10", "1956-09"))
    return ph.build_model(ph.Hymod(snow=False), basin, "skew_student", ar=1)


@pytest.mark.usefixtures("compiled")
@pytest.mark.kernels
def test_the_highest_mode_is_found(leaf_river_model):
    found = ph.fit_laplace(leaf_river_model, random_seed=1, starts=3)
    assert found.converged
    assert found.modes["log_posterior"][0] == pytest.approx(HIGHEST, abs=1)
    assert found.modes["gap"][0] == 0 and (found.modes["gap"] >= 0).all()
    assert found.mode["S_umax"] == pytest.approx(185.2, abs=0.5)


@pytest.mark.kernels
@pytest.mark.filterwarnings("ignore")  # few draws
@pytest.mark.usefixtures("compiled")
def test_default_chains_reach_the_highest_mode(leaf_river_model):
    """From priors without these starts every chain is far below in log-probability."""
    with leaf_river_model as model:
        idata = pm.sample(
            draws=10, tune=80, chains=2, cores=1, random_seed=1, progressbar=False,
            compute_convergence_checks=False,
        )  # fmt: skip
        posterior = idata.posterior
        names = [rv.name for rv in model.free_RVs]
        logp = model.compile_logp(sum=True)
        to_point = model.compile_fn(  # from natural units to the sampler's
            [model.rvs_to_transforms[rv].forward(rv, *rv.owner.inputs) for rv in model.free_RVs],
            inputs=model.free_RVs,
            point_fn=False,
        )
    for chain in range(2):
        values = []
        for draw in range(10):
            natural = [posterior[n].values[chain, draw] for n in names]
            point = dict(zip([v.name for v in model.value_vars], to_point(*natural), strict=True))
            values.append(float(logp(point)))
        assert np.mean(values) > HIGHEST - 30


def hessian(model, z):
    """Return minus the second derivatives of the log-probability, by differences of its values."""
    values = model.value_vars
    point = model.initial_point()
    shapes = [np.shape(point[v.name]) for v in values]
    splits = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]
    function = model.compile_fn(model.logp(), inputs=values, point_fn=False)

    def logp(x):
        parts = np.split(x, splits)
        return float(function(*(p.reshape(s) for p, s in zip(parts, shapes, strict=True))))

    def differences(h):
        steps = h * np.eye(z.size)
        return -np.array(
            [
                [
                    logp(z + a + b) - logp(z + a - b) - logp(z - a + b) + logp(z - a - b)
                    for b in steps
                ]
                for a in steps
            ]
        ) / (4 * h * h)

    return (4 * differences(5e-3) - differences(1e-2)) / 3


def hierarchical(settings=None, **likelihood):
    """A rate of the quick store by basin, not centred."""
    with pm.Model(coords={"basin": list(BASINS)}) as model:
        mean, sd = pm.Normal("mean", -0.7, 0.5), pm.HalfNormal("sd", 0.3)
        offset = pm.Normal("offset", dims="basin")
        k = pm.Deterministic("k", pt.exp(mean + sd * offset), dims="basin")
        theta = {"a": pm.Uniform("a", 1e-3, 1e-1), "k": k}
        q = ph.discharge(Tiny(), theta, BASINS, WARMUP, **(settings or {}))
        observed = {name: basin["discharge"] for name, basin in BASINS.items()}
        ph.likelihoods.Normal("flow", q, observed=observed, **likelihood)
    return model


def test_hierarchical_models():
    """Gauss-Newton is not the Hessian; with errors this small the two agree."""
    model = hierarchical(EXACT, ar=1)
    found = ph.fit_laplace(model, start={"a": 0.02})
    assert found.converged
    labels = ["mean", "sd", "offset[wet]", "offset[dry]", "a", "flow_s0", "flow_s1", "flow_r1"]
    assert found.covariance["parameter"].values.tolist() == labels
    assert found.mode["offset"].shape == (2,)
    assert {"offset[wet]", "a", "searches"} <= set(found.modes.columns)
    # Given the standard deviation: its own curvature is that of the marginal density.
    precision, known = hessian(model, found.mean), np.linalg.inv(found.covariance)
    ours, expected = (
        np.linalg.inv(np.delete(np.delete(p, 1, 0), 1, 1)) for p in (known, precision)
    )
    np.testing.assert_allclose(np.sqrt(np.diag(ours)), np.sqrt(np.diag(expected)), rtol=0.15)
    draws = found.sample(400, random_seed=1)
    assert draws["k"].dims == ("chain", "draw", "basin")
    assert draws["offset"]["basin"].values.tolist() == ["wet", "dry"]
    assert abs(float(draws["k"].mean()) - THETA["k"]) < 0.1


def test_standard_deviations_are_those_of_the_marginal_density(rng):
    """Of a linear model it is known: observations are normal, of rows, columns and noise."""
    n_row, n_column, noise = 8, 6, 0.3
    row, column = (i.ravel() for i in np.indices((n_row, n_column)))
    y = rng.normal(0, 0.7, n_row)[row] + rng.normal(0, 0.4, n_column)[column]
    y = y + rng.normal(0, noise, y.size)
    with pm.Model() as model:
        a, b = pm.HalfNormal("a", 1.0), pm.Exponential("b", 1.0)
        rows = pm.Deterministic("rows", a * pm.Normal("z", shape=n_row))
        columns = b * pm.Normal("u", shape=n_column).cumsum()
        pm.Normal("y", rows[row] + columns[column], noise, observed=y)
    found = ph.fit_laplace(model, starts=2, random_seed=1)
    assert found.converged and found.modes["searches"][0] == 2
    walk = np.minimum.outer(np.arange(n_column), np.arange(n_column)) + 1

    def minus_log_density(log_sd):
        a, b = np.exp(log_sd)
        covariance = noise**2 * np.eye(y.size) + a**2 * np.equal.outer(row, row)
        covariance = covariance + b**2 * walk[np.ix_(column, column)]
        of_y = y @ np.linalg.solve(covariance, y) / 2 + np.linalg.slogdet(covariance)[1] / 2
        return of_y + a**2 / 2 + b - log_sd.sum()  # half-normal, exponential; logarithmic axes

    end = optimize.minimize(minus_log_density, np.zeros(2), tol=1e-8)
    scales = [0, 1]
    np.testing.assert_allclose(found.mean[scales], end.x, atol=2e-3)
    h = 1e-3 * np.eye(2)
    f = minus_log_density
    curvature = [
        [
            (f(end.x + s + t) - f(end.x + s - t) - f(end.x - s + t) + f(end.x - s - t)) / 4e-6
            for t in h
        ]
        for s in h
    ]
    ours = np.linalg.inv(found.covariance.values[np.ix_(scales, scales)])
    np.testing.assert_allclose(ours, curvature, rtol=2e-3, atol=2e-3)


def test_scales_are_found_in_the_graph():
    with pm.Model() as model:
        sd, other = pm.HalfNormal("sd"), pm.Normal("other")
        z, wide, centred = (
            pm.Normal("z", shape=2),
            pm.Normal("wide", 0, 2, shape=2),
            pm.Gamma("g", 2, 1),
        )
        walk = pt.exp(pt.cumsum(z) * sd)  # a product of a function
        pm.Potential("p", (walk + wide * sd + z[0] * other).sum() + centred)
    [scale] = scales_of(model)
    assert scale.entry == 0 and scale.scaled.tolist() == [2, 3]


def test_potentials_and_likelihoods_of_others():
    """No part is Gauss-Newton's: the curvature is the Hessian."""
    with pm.Model() as model:
        theta = {"a": pm.Uniform("a", 1e-3, 1e-1), "k": pm.LogNormal("k", -0.7, 0.5)}
        q = ph.discharge(Tiny(), theta, FIRST, WARMUP, **EXACT)
        s = pm.HalfNormal("s", 1.0)
        observed = FIRST["discharge"].values[WARMUP:]
        there = np.flatnonzero(np.isfinite(observed))
        pm.Normal("flow", q[there], s, observed=observed[there])
        pm.Potential("water", -200 * (q.mean() - np.nanmean(observed)) ** 2)
    found = ph.fit_laplace(model, starts=2, random_seed=1)
    assert found.converged and len(found.modes) == 1 and found.modes["searches"][0] == 2
    expected = np.linalg.inv(hessian(model, found.mean))
    sd = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(found.covariance, expected, atol=1e-3 * np.outer(sd, sd).max())
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), sd, rtol=1e-3)


@pytest.mark.parametrize("case", ["whittle", "random transformation", "mixed"])
def test_parts_by_differences(case):
    basin = FIRST.interpolate_na("time")
    with pm.Model() as model:
        theta = {"a": pm.Uniform("a", 1e-3, 1e-1), "k": 0.5}
        q = ph.discharge(Tiny(), theta, basin, WARMUP, **EXACT)
        observed = basin["discharge"]
        if case == "whittle":
            ph.likelihoods.Whittle("flow", q, observed=observed, spectrum="error")
        elif case == "random transformation":
            power = pm.Uniform("power", 0.1, 1)
            transform = ph.likelihoods.BoxCox(power, 1.0)
            ph.likelihoods.Normal("flow", q, observed=observed.clip(0), transform=transform)
        else:
            ph.likelihoods.Normal("flow", q, observed=observed, scale=0.5)
            pm.Normal("water", q.mean(), 0.01, observed=float(observed.mean()))
    found = ph.fit_laplace(model, starts=1)
    assert found.converged
    expected = np.sqrt(np.diag(np.linalg.inv(hessian(model, found.mean))))
    tolerance = 0.1 if case == "mixed" else 2e-3
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), expected, rtol=tolerance)


@pytest.mark.filterwarnings("ignore")  # few draws
def test_nuts_with_vectors():
    model = hierarchical(scale=0.5)
    with model:
        nuts = ph.fit_laplace(start={"a": 0.02}).nuts(chains=2, random_seed=1)
        nuts["step"].max_treedepth = nuts["step"].early_max_treedepth = 3
        idata = pm.sample(
            draws=6, tune=6, cores=1, random_seed=1, progressbar=False,
            compute_convergence_checks=False, **nuts,
        )  # fmt: skip
    offset = idata.posterior["offset"]
    assert offset.dims == ("chain", "draw", "basin") and np.ptp(offset.values, axis=1).min() > 0


def test_two_modes_are_a_table():
    """Errors of a^3 - 3 a - 5 are smallest at its root, and have another minimum at -1."""
    with pm.Model() as model:
        a = pm.Normal("a", 0, 5)
        flow = (a**3 - 3 * a) * np.ones(20)
        ph.likelihoods.Normal("flow", flow, observed=np.full(20, 5.0), scale=np.float64(1))
    found = ph.fit_laplace(model, random_seed=0)
    assert found.modes["a"].tolist() == pytest.approx([2.279, -1], abs=0.01)
    assert found.modes["converged"].all() and found.modes["searches"].sum() == 8
    logp = model.compile_logp()
    for _, row in found.modes.iterrows():
        assert row["log_posterior"] == pytest.approx(float(logp({"a": row["a"]})), rel=1e-6)
        assert row["gap"] == pytest.approx(found.modes["log_posterior"][0] - row["log_posterior"])


def test_a_mode_is_as_near_as_the_tolerance_of_the_integration_lets_it_be():
    """The log-probability has jumps, and a slope that is wrong by 0.02 standard deviations."""

    def objective(z):
        return float(np.floor(-5e3 * (z @ z)) / 1e4), 0.02 - z

    for tolerance, converged in ((1e-4, False), (1e-3, True)):
        (mode,) = find_modes(objective, lambda z: np.eye(1), [np.zeros(1)], tolerance)
        assert mode.decrement == pytest.approx(4e-4)
        assert mode.converged is converged and not mode.rising


def test_the_tolerance_is_that_of_the_simulation(tiny):
    for settings, expected in (({"rtol": 1e-4}, 1e-4), ({}, 1e-3), ({"steps": 1}, 0.0)):
        model = ph.build_model(tiny, record(30, 1), warmup=0, **settings)
        assert _tolerance(model) == expected


def test_a_density_without_a_mode_says_so(compiled):
    """Three means, centred, of one observation each: their standard deviation goes to zero."""
    with pm.Model() as model:
        sd = pm.HalfNormal("sd", 1.0)
        mean = pm.Normal("mean", 0, sd, shape=3)
        pm.Normal("y", mean, 1.0, observed=[0.1, -0.2, 0.3])
    with pytest.warns(UserWarning, match="did not end at a mode .*sd from .*hierarchical"):
        found = ph.fit_laplace(model, starts=1)
    assert not found.converged and not found.modes["converged"].any()


def test_errors_of_your_own_priors_start_where_the_others_do():
    with pm.Model() as model:
        a = pm.Normal("a", 1, 1)
        q = a * np.linspace(1, 3, 60)
        s1 = pm.Uniform("flow_s1", 0, 0.2)  # 0.3 is outside
        r1 = pm.Uniform("flow_r1", -1, 1)
        observed = np.linspace(1.1, 3.2, 60) + 0.1 * np.cos(np.arange(60))
        ph.likelihoods.Normal("flow", q, observed=observed, ar=1, s1=s1, r1=r1)
    from pymc_hydro.inference.approximation.error_starts import error_start

    z = np.array([1.5, -1.0, -1.0, -3.0])  # a, s1, r1, s0
    moved, of_errors = error_start(model, z)
    assert of_errors.tolist() == [False, True, True, True]
    assert moved[:2].tolist() == [1.5, -1.0]
    assert np.tanh(moved[2] / 2) == pytest.approx(np.exp(-0.02))
    assert np.exp(moved[3]) == pytest.approx(0.1 * observed.std())


def test_names_of_arguments_and_refusals():
    with pm.Model() as model:
        x = pm.Normal("x")
    with pytest.warns(FutureWarning, match="pymc_model is now called model"):
        ph.laplace(pymc_model=model)
    with pytest.warns(FutureWarning, match="seed is now called random_seed"):
        found = ph.laplace(model, seed=1)
    with pytest.warns(FutureWarning, match="seed is now called random_seed"):
        old = found.sample(3, seed=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(old["x"], found.sample(3, random_seed=2)["x"])
    with pytest.raises(TypeError, match="unexpected keyword argument 'sed'"):
        ph.fit_laplace(model, sed=1)
    with pytest.raises(KeyError, match=r"unknown \['y'\] in start; known are x"):
        ph.fit_laplace(model, start={"y": 1})
    with model:
        pm.Poisson("n", pt.exp(x))
    with pytest.raises(ValueError, match="n is discrete"):
        ph.fit_laplace(model)


def test_parameters_that_are_hardly_known_are_named():
    with pm.Model() as model:
        a, b, c = (pm.Normal(name, 0, 1) for name in "abc")
        k, s = pm.LogNormal("k", 1, 1), pm.LogNormal("s", 0, 1)
        u, v, w = (pm.LogNormal(name, 0, 1) for name in "uvw")
        pm.Normal("sum", a + b, 0.1, observed=0.5)
        pm.Normal("c_alone", c, 0.1, observed=0.5)
        pm.Normal("ratio", pt.log(k) - 3 * pt.log(s), 0.01, observed=0.5)
        pm.Normal("product", pt.log(u * v * w), 0.1, observed=0.5)
        pm.Uniform("idle", 0, 5)
    found = ph.fit_laplace(model, starts=1)
    expected = -100 / 101  # precision 1 + 100 of each, 100 between them
    assert found.unidentified == [
        f"a and b are hardly told apart (correlation {expected:.2f}): a falls where b rises, and "
        "only a + b is known",
        "k and s are hardly told apart (correlation 1.00): k rises with s, and only k / s^3 is "
        "known",
        "the observations say nothing about idle: the prior alone does",
        "the prior alone informs 2 directions among u, v, w",
    ]


def test_a_simplex_has_no_names_of_its_own_directions():
    with pm.Model() as model:
        pm.Dirichlet("p", np.ones(3))
        a, b = pm.Normal("a"), pm.Normal("b")
        pm.Normal("sum", a + b, 0.1, observed=0.5)
    found = ph.fit_laplace(model, starts=1)
    assert found.unidentified[0] == "a and b are hardly told apart (correlation -0.99)"


def test_arrays_have_the_dims_and_coordinates_of_their_variables():
    """A dimension without labels, one with them, and a variable without dims."""
    with pm.Model(coords={"place": ["low", "high"], "other": [1, 2, 3]}) as model:
        model.add_coord("layer", length=3)
        pm.Normal("x", dims=("place", "layer")), pm.Normal("y", shape=(2, 2))
    arrays = {"x": np.zeros((4, 2, 3)), "y": np.ones((4, 2, 2))}
    found = as_dataset(model, arrays, lead=("draw",))
    assert found["x"].dims == ("draw", "place", "layer")
    assert found["y"].dims == ("draw", "y_dim_0", "y_dim_1")
    assert list(found.coords) == ["place"] and list(found["place"].values) == ["low", "high"]


def test_a_search_ends_at_a_kink(rng):
    """Of absolute errors: where the slope jumps no step of Newton leads on, and few are tried."""
    from pymc_hydro.inference.approximation.curvature import by_differences
    from pymc_hydro.inference.approximation.modes import find_modes

    lines, level = rng.normal(size=(40, 3)), rng.normal(size=40)
    points = []

    def objective(z):
        points.append(z)
        away = lines @ z - level
        return -np.abs(away).sum() - z @ z, -lines.T @ np.sign(away) - 2 * z

    def curvature(z):
        return by_differences(lambda x: objective(x)[1], z, np.zeros((3, 3)))

    (mode,) = find_modes(objective, curvature, [np.ones(3)])
    best = optimize.minimize(lambda z: -objective(z)[0], mode.z, method="Nelder-Mead", tol=1e-9)
    assert mode.logp == pytest.approx(-best.fun, abs=0.01)
    n = len(points) - best.nfev
    assert n < 350
