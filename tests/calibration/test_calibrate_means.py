"""Calibration on means over longer intervals than those of the simulation."""

import numpy as np
import pandas as pd
import pytensor.tensor as pt
import pytest
from scipy.optimize import minimize

import pymc_hydro as ph
from pymc_hydro.calibration.objective import Objective, define_goal
from pymc_hydro.calibration.periods import observations, select_window
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array, initial_array
from tests.tiny import Tiny

WARMUP = 20
MODEL = Tiny()
BASIN = ph.load_basin("leaf_river").isel(time=slice(100, 500))


@pytest.fixture(scope="module")
def months():
    rng = np.random.default_rng(2)
    flow = ph.simulate(MODEL, [0.004, 0.05], BASIN)["discharge"].to_series()
    means = flow.resample("MS").mean()
    return means * rng.uniform(0.98, 1.02, means.size)


def complete(series):
    """Return the means of complete months after the warm-up, by pandas."""
    table = series.iloc[WARMUP:].resample("MS").agg(["mean", "count"])
    return table["mean"][table["count"] == table.index.days_in_month]


def direct(theta, months, **settings):
    q = complete(ph.simulate(MODEL, theta, BASIN, **settings)["discharge"].to_series())
    y = months[q.index]
    return ((y - q) ** 2).sum() / ((y - y.mean()) ** 2).sum() - 1


def smooth(observed, simulated):
    there = np.flatnonzero(np.isfinite(observed))
    return pt.log(1 + (observed[there] - simulated[there]) ** 2).sum()


@pytest.mark.parametrize("loss", ["nse", "rmse", smooth])
def test_jacobian_of_means_is_that_of_differences(loss, months):
    window = select_window(BASIN["time"].values, None, WARMUP)
    observed = ph.means(months, "MS")
    scored = observations(BASIN, observed, ("discharge",), {"x": window})["x"]
    tight = {"rtol": 1e-10, "atol": 1e-10}
    problem = define_problem(MODEL, ("discharge",), 1.0, **tight)
    goal = define_goal(loss, {}, scored["discharge"].time)
    forcing, x0 = forcing_array(MODEL, BASIN), initial_array(MODEL, None)
    objective = Objective(problem, forcing, x0, WARMUP, scored, goal)
    theta = np.array([0.01, 0.5])
    found = objective(theta)

    def central(i, what, h):
        up, down = (what(objective(theta + s * np.eye(2)[i])) for s in (h, -h))
        return (up - down) / (2 * h)

    for i, step in enumerate((1e-4, 1e-3)):
        for what, exact in (
            (lambda e: e.loss, found.gradient[i]),
            (lambda e: e.residuals, None if loss != "nse" else found.residual_jacobian[:, i]),
        ):
            if exact is not None:
                richardson = (4 * central(i, what, step) - central(i, what, 2 * step)) / 3
                np.testing.assert_allclose(exact, richardson, rtol=1e-5, atol=1e-8)
    if loss == "nse":
        np.testing.assert_allclose(found.loss, direct(theta, months, **tight), rtol=1e-9)
        assert found.residuals.shape == (len(complete(months.reindex(BASIN.time, method="ffill"))),)


@pytest.mark.parametrize("method", ["trf", "L-BFGS-B"])
def test_optimum_is_that_of_the_direct_loss(method, months):
    fit = ph.calibrate(
        MODEL,
        BASIN.drop_vars("discharge"),
        observed=ph.means(months, "MS"),
        warmup=WARMUP,
        method=method,
        starts=2,
        hops=0,
        random_seed=1,
        progressbar=False,
    )
    found = MODEL.parameter_vector(fit.theta)
    scale = np.array([0.004, 0.05])
    start = np.log([0.005, 0.08] / scale)
    best = minimize(
        lambda z: direct(scale * np.exp(z), months), start, method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-11},
    )  # fmt: skip
    np.testing.assert_allclose(found, scale * np.exp(best.x), rtol=2e-3)
    np.testing.assert_allclose(fit.loss, best.fun, rtol=1e-6)
    np.testing.assert_allclose(fit.scores["nse"], -fit.loss, rtol=1e-9)
    observed = fit.simulation["observed_discharge"]
    assert observed.attrs["means"] == "MS"
    np.testing.assert_array_equal(observed, months[observed["discharge_interval"].values])
    again = ph.losses.nse(ph.means(observed, "MS"), fit.simulation["discharge"][WARMUP:])
    np.testing.assert_allclose(again, fit.scores["nse"], rtol=1e-9)
    assert np.isfinite(fit.standard_errors).all()


def test_periods_are_scored_by_their_complete_months(months):
    fit = ph.calibrate(
        MODEL,
        BASIN,
        loss="kge",
        observed=ph.means(months, "MS"),
        warmup=WARMUP,
        starts=MODEL.default,
        progressbar=False,
        period=("1953-03-10", "1953-07-31"),
        validation=("1953-08-01", "1953-11-15"),
    )
    for run, first, last in (
        (fit.simulation, "1953-04-01", "1953-07-01"),
        (fit.validation, "1953-08-01", "1953-10-01"),
    ):
        expected = pd.date_range(first, last, freq="MS")
        assert list(run["discharge_interval"].values) == list(expected.values)
    run = fit.validation
    q = (
        run["discharge"]
        .to_series()[run.attrs["warmup"] :]
        .resample("MS")
        .mean()["1953-08":"1953-10"]
    )
    np.testing.assert_allclose(
        fit.validation_scores["kge"], ph.losses.kge(months[q.index].values, q.values), rtol=1e-9
    )
    axes = ph.plots.plot_calibration(fit)
    lines = [line for line in axes[1].lines if len(line.get_ydata()) == 144]
    assert len(lines) >= 2


def test_months_that_do_not_fit_are_refused(months):
    model = ph.Hymod(snow=False)
    with pytest.raises(ValueError, match="lies wholly on the calibration period"):
        ph.calibrate(
            model, BASIN, observed=ph.means(months, "MS"), warmup=WARMUP,
            period=("1953-03-10", "1953-04-20"), progressbar=False,
        )  # fmt: skip
    with pytest.raises(ValueError, match="do not overlap"):
        old = months.set_axis(months.index - pd.DateOffset(years=20))
        ph.calibrate(model, BASIN, observed=ph.means(old, "MS"), warmup=WARMUP, progressbar=False)
    with pytest.raises(ValueError, match=r"ph\.means"):
        ph.calibrate(model, BASIN, observed=months, warmup=WARMUP, progressbar=False)
