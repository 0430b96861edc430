"""The second stage: posteriors of single basins, pooled; against normal theory in closed form."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from scipy.special import expit
from scipy.stats import halfnorm, multivariate_normal, norm

import pymc_hydro as ph
from pymc_hydro.regionalization.attributes import Scale
from pymc_hydro.regionalization.pooling.estimates import prior_slopes
from pymc_hydro.regionalization.pooling.link import define_link
from tests.regionalization.test_regional import SPACE, START
from tests.regionalization.test_regionalize import MODEL, TABLE

NAMES, TOLD = ["u", "v", "w"], TABLE.iloc[[0, 1, 2]].set_axis(["u", "v", "w"])
PAIR = [[0.09, 0.04], [0.04, 0.25]]
PARAMETERS = list(MODEL.parameter_names)


def calibrations(z, covariance, status=1):
    """A table of `ph.calibrate` of which this is the normal theory in logits."""
    theta, slopes = SPACE.parameters(np.asarray(z))  # of natural values by logits
    natural = slopes[:, :, None] * np.asarray(covariance) * slopes[:, None, :]
    dims = ("basin", "parameter")
    return xr.Dataset(
        {
            "parameters": (dims, theta),
            "covariance": ((*dims, "parameter_"), natural),
            "status": ("basin", np.broadcast_to(status, len(z))),
        },
        {"basin": NAMES[: len(z)], "parameter": PARAMETERS},
    )


Z = np.array([[0.3, -0.2], [-0.8, 0.4], [1.1, 0.9]])
COVARIANCES = np.array([1.0, 0.5, 2.0])[:, None, None] * np.array(PAIR)


@pytest.fixture(scope="module")
def pooled():
    return ph.pool_posteriors(MODEL, calibrations(Z, COVARIANCES), TOLD[["clay", "slope"]])


def logits(dataset):
    theta = np.stack([dataset[name].values for name in PARAMETERS], axis=-1)
    return SPACE.coordinates(SPACE.positions(theta))


def test_calibrations_become_normal_in_logits(pooled):
    np.testing.assert_allclose(pooled.estimates["mean"], Z, rtol=1e-3)
    np.testing.assert_allclose(pooled.estimates["covariance"], COVARIANCES, rtol=1e-3)


def test_the_density_with_basins_integrated_out(pooled, rng):
    point = {
        k: v + 0.2 * rng.standard_normal(v.shape) for k, v in pooled.model.initial_point().items()
    }
    mu, weights = point["regional_intercept"], point["regional_weights"]
    tau = np.exp(point["regional_tau_log__"])
    x = Scale.of(TOLD[["clay", "slope"]])(TOLD)
    size = np.sqrt((x**2).sum(axis=1).mean())
    density = norm.logpdf(mu, START, 1.5).sum() + norm.logpdf(weights, 0, 1 / size).sum()
    density += (halfnorm.logpdf(tau) + np.log(tau)).sum()
    means, covariances = (pooled.estimates[n].values for n in ("mean", "covariance"))
    for i in range(3):
        total = covariances[i] + np.diag(tau**2)
        density += multivariate_normal.logpdf(means[i], mu + x[i] @ weights, total)
    assert pooled.model.compile_logp()(point) == pytest.approx(density, rel=1e-8)


def test_basins_and_other_basins_given_the_hyper_parameters(pooled):
    """Means and covariances of many draws against the product of two normal densities."""
    lead, n = ("chain", "draw"), (2, 600)
    mu, tau = np.array([0.1, -0.3]), np.array([0.4, 0.9])
    weights = np.array([[0.5, 0.0], [-0.2, 0.3]])

    def held(value):
        return (*lead, *(f"x{i}" for i in range(value.ndim))), np.broadcast_to(
            value, n + value.shape
        )

    values = {"intercept": mu, "weights": weights, "tau": tau}
    posterior = xr.Dataset(
        {f"regional_{k}": held(v) for k, v in values.items()},
        {d: range(m) for d, m in zip(lead, n, strict=True)},
    )
    x = Scale.of(TOLD[["clay", "slope"]])
    z = logits(pooled.parameters(posterior, random_seed=1)).reshape(-1, 3, 2)
    means, covariances = (pooled.estimates[n].values for n in ("mean", "covariance"))
    center = mu + x(TOLD) @ weights
    for i in range(3):
        own = np.linalg.inv(covariances[i])
        expected = np.linalg.inv(own + np.diag(tau**-2.0))
        middle = expected @ (own @ means[i] + center[i] / tau**2)
        np.testing.assert_allclose(z[:, i].mean(axis=0), middle, atol=0.06)
        np.testing.assert_allclose(np.cov(z[:, i], rowvar=False), expected, atol=0.06)
    there = TOLD.iloc[:1].assign(clay=0.4).set_axis(["new"])
    found = pooled.parameters({"posterior": posterior}, there, random_seed=1)
    assert found["a"].dims == ("chain", "draw", "basin") and found["basin"].values == ["new"]
    z = logits(found).reshape(-1, 2)
    np.testing.assert_allclose(z.mean(axis=0), (mu + x(there) @ weights)[0], atol=0.08)
    np.testing.assert_allclose(np.cov(z, rowvar=False), np.diag(tau**2), atol=0.08)


WIDE = {"a": (0.0, 1.0), "k": (0.0, 1.0)}  # the position is the parameter itself


def own_prior(i, mean, sd):
    return lambda: pm.LogitNormal(PARAMETERS[i], mean[i], sd[i])


def test_the_prior_is_divided_out_of_posteriors(rng):
    """A normal posterior by a normal prior is this likelihood; the prior itself says nothing."""
    mean, sd = np.array([0.3, -0.4]), np.array([0.7, 0.9])  # of the prior
    likely, own = np.array([1.0, 0.2]), np.linalg.inv(np.array(PAIR))
    precision = own + np.diag(sd**-2.0)
    middle = np.linalg.solve(precision, own @ likely + mean / sd**2)
    raw = rng.standard_normal((2, 100, 2))
    flat = raw.reshape(-1, 2) - raw.reshape(-1, 2).mean(axis=0)
    flat = flat @ np.linalg.inv(np.linalg.cholesky(np.cov(flat, rowvar=False))).T  # exactly white
    of_posterior = middle + flat @ np.linalg.cholesky(np.linalg.inv(precision)).T
    table = calibrations(Z[:2], COVARIANCES[:2]).assign(
        draws=(("basin", "draw", "parameter"), expit([of_posterior, mean + flat * sd]))
    )
    table = table.assign_attrs(preset="uniform", priors="a, k")
    given = {name: own_prior(i, mean, sd) for i, name in enumerate(PARAMETERS)}
    estimates = ph.pool_posteriors(MODEL, table, bounds=WIDE, priors=given).estimates
    told, nothing = estimates.isel(basin=0), estimates.isel(basin=1)
    np.testing.assert_allclose(told["mean"], likely, rtol=1e-3)
    np.testing.assert_allclose(told["covariance"], PAIR, rtol=1e-3)
    np.testing.assert_allclose(nothing["covariance"], np.diag([1e4, 1e4]), atol=1)
    np.testing.assert_allclose(nothing["mean"], mean, atol=1e-2)


def test_a_posterior_that_lies_at_a_bound():
    """Pooled as the exact likelihood pools it: one that is flat below some logit, and then falls.

    The prior is uniform, of which no draw reaches the posterior: a normal distribution of such
    draws would stand for another prior there.
    """
    z = np.linspace(-20, 5, 20001)
    likelihood, low, high = expit((-4 - z) / 0.3), 1e-3, 1e-1
    value = low * (high / low) ** expit(z)
    posterior = likelihood * np.gradient(value, z)  # by the uniform prior of a
    share = np.cumsum(posterior) / posterior.sum()
    draws = np.interp((np.arange(400) + 0.5) / 400, share, value)
    fits = {n: xr.Dataset({"a": (("chain", "draw"), draws[None])}) for n in NAMES[:2]}
    with pytest.warns(UserWarning, match=r"of a in basin 'u' \(skewness .* at the bound 0.001"):
        pooled = ph.pool_posteriors(MODEL, fits, fixed={"k": 0.4})
    estimate = pooled.estimates.isel(basin=0)
    mean, variance = estimate["mean"].item(), estimate["covariance"].item()
    for center, tau in ((-1.5, 2.0), (-0.5, 1.0), (-3.0, 1.5)):
        exact = likelihood * norm.pdf(z, center, tau)
        middle = (z * exact).sum() / exact.sum()
        sd = np.sqrt(((z - middle) ** 2 * exact).sum() / exact.sum())
        found = (mean / variance + center / tau**2) / (1 / variance + 1 / tau**2)
        assert abs(found - middle) < 0.6 * sd, (center, tau)


def test_slopes_of_priors(rng):
    """Against differences of the density of logits: uniform, the larger rate bounding the other."""
    model = ph.HBV(snow=False)
    link, names = define_link(model), list(model.parameter_names)
    z, h = rng.standard_normal((4, len(names))), 1e-4
    axes = np.eye(len(names))
    lower, upper = (np.array([link.bounds(n)[i] for n in names]) for i in (0, 1))

    def theta(z):
        found = link.parameters(dict(zip(names, z.T, strict=True)), {})
        return np.stack([found[n] for n in names], axis=1)

    def density(z):
        found = theta(z)
        most = np.where(axes[names.index("k_2")], found[:, [names.index("k_1")]], upper)
        own = [theta(z + 1e-30j * axis).imag @ axis / 1e-30 for axis in axes]
        return np.log(np.stack(own, axis=1) / (most - lower)).sum(axis=1)

    expected = [(density(z + h * axis) - density(z - h * axis)) / (2 * h) for axis in axes]
    slopes = prior_slopes(model, link, names, {}, "uniform", {})(z)
    np.testing.assert_allclose(slopes, np.stack(expected, axis=1), atol=1e-6)


def test_draws_by_basin_and_a_parameter_that_was_fixed(rng):
    fits = {
        name: xr.Dataset({"a": (("chain", "draw"), rng.uniform(0.010, 0.011, (2, 50)))})
        for name in NAMES
    }
    pooled = ph.pool_posteriors(MODEL, fits, fixed={"k": 0.4})
    posterior = xr.Dataset(
        {
            "regional_intercept": (("chain", "draw", "parameter"), np.zeros((1, 3, 1))),
            "regional_tau": (("chain", "draw", "parameter"), np.full((1, 3, 1), 0.1)),
        },
        {"chain": [0], "draw": range(3)},
    )
    found = pooled.parameters(posterior, pd.DataFrame(index=["new"]), random_seed=1)
    assert (found["k"] == 0.4).all() and found["k"].shape == (1, 3, 1)
    z = SPACE.coordinates(SPACE.positions(np.column_stack([found["a"].values.ravel(), [0.4] * 3])))
    assert (abs(z[:, 0]) < 0.5).all()
    # Narrow posteriors stay where they are.
    own = pooled.parameters(posterior, random_seed=1)["a"]
    assert ((own > 0.0095) & (own < 0.0115)).all()


def test_calibrated_parameters_at_a_bound_say_nothing():
    table = calibrations(Z, COVARIANCES)
    table["covariance"][0, 0] = table["covariance"][0, :, 0] = 0.0
    table["parameters"][0, 0] = 1e-3
    estimate = ph.pool_posteriors(MODEL, table).estimates.isel(basin=0)
    variance = np.diag(estimate["covariance"])
    assert variance[0] == pytest.approx(1e4) and variance[1] == pytest.approx(0.25, rel=1e-3)


def test_logits_and_positions_of_parameters_in_order(rng):
    model = ph.HBV(snow=False)
    link, names = define_link(model), model.parameter_names
    z = rng.standard_normal((5, len(names)))
    theta = link.parameters(dict(zip(names, z.T, strict=True)), {})
    ((small, large),) = model.ordered[:1]
    assert (theta[small] <= theta[large]).all()
    np.testing.assert_allclose(link.coordinates(theta, names), z, rtol=1e-8)
    theta[small], theta[large] = theta[large], theta[small]
    fits = {"u": xr.Dataset({n: (("chain", "draw"), v[None]) for n, v in theta.items()})}
    with pytest.raises(ValueError, match="k_2 of basin 'u' is above k_1, which bounds it"):
        ph.pool_posteriors(model, fits)


def hierarchical():
    return pm.LogNormal("k", pm.Normal("center"), 1)


SAMPLED = calibrations(Z, COVARIANCES).assign_attrs(preset="uniform", priors="k")
COPIES = SAMPLED["parameters"].expand_dims(draw=9, axis=1)
SAMPLED = SAMPLED.assign(draws=COPIES * xr.DataArray(np.linspace(1, 1.1, 9), dims="draw"))


def without(table, name):
    return table.drop_vars(name)


@pytest.mark.parametrize(
    ("fits", "arguments", "error", "message"),
    [
        (calibrations(Z, COVARIANCES, [1, 2, 2]), {}, ValueError, "at least two basins .* 1 are"),
        (without(calibrations(Z, COVARIANCES), "status"), {}, KeyError, "the table lacks status"),
        (calibrations(Z, np.full((3, 2, 2), np.nan)), {}, ValueError, "basin 'u' is not finite"),
        ([1.0], {}, TypeError, "found list"),
        (
            calibrations(Z, COVARIANCES).assign_coords(parameter=["a", "b"]),
            {},
            ValueError,
            "the parameters a, b, but Tiny has a, k",
        ),
        (calibrations(Z, COVARIANCES), {"fixed": {"b": 1.0}}, KeyError, r"fixed names \['b'\]"),
        (calibrations(Z, COVARIANCES), {"fixed": {"a": 1, "k": 1}}, ValueError, "all parameters"),
        (calibrations(Z, COVARIANCES), {"fixed": {"k": 0.4}}, ValueError, "k is fixed at 0.4, but"),
        (
            calibrations(Z * [1, 0], COVARIANCES * [[1, 0], [0, 0]]),
            {},
            ValueError,
            r"k is 0.316\d* in all basins, without an error: it was fixed; give fixed={'k': 0.316",
        ),
        (
            calibrations(Z, COVARIANCES),
            {"preset": "weak"},
            ValueError,
            "calibrations hold no prior",
        ),
        (
            calibrations(Z, COVARIANCES),
            {"bounds": {"k": (1.0, 10.0)}},
            ValueError,
            r"k of basin 'u' reaches from 0.224\d* to 0.224\d*, beyond \[1, 10\]; give the bounds",
        ),
        (SAMPLED, {"preset": "weak"}, ValueError, "have the preset 'uniform', found preset='weak'"),
        (SAMPLED, {}, ValueError, "priors of their own for k, found priors for none"),
        (
            SAMPLED,
            {"priors": {"k": hierarchical}},
            ValueError,
            r"no density of the parameters alone \(it depends on center\)",
        ),
        (
            SAMPLED.assign(draws=COPIES),
            {"priors": {"k": hierarchical}},
            ValueError,
            r"all draws of a in basin 'u' are 0.014\d*; give chains that moved",
        ),
        (SAMPLED, {"fixed": {"k": 0.4}}, ValueError, "k is fixed, but basin 'u' has draws of it"),
        (
            {"u": xr.Dataset({"a": (("chain", "draw"), np.full((2, 9), 0.01))})},
            {},
            ValueError,
            r"no draws of k; a parameter that was fixed is given by fixed={'k'",
        ),
        (
            {"u": xr.Dataset({"a": (("chain", "draw"), np.full((1, 2), 0.01))})},
            {"fixed": {"k": 0.4}},
            ValueError,
            "has 2 draws, more than 2 are needed",
        ),
    ],
)
def test_arguments_that_make_no_sense(fits, arguments, error, message):
    with pytest.raises(error, match=message):
        ph.pool_posteriors(MODEL, fits, **arguments)
