from functools import partial

import numpy as np
import pandas as pd
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from tests.tiny import IN_MODELS, Tiny

MODEL = ph.Hymod(snow=False)
BASIN = ph.load_basin("leaf_river").isel(time=slice(0, 900))
TRUE = np.array([250, 0.6, 0.7, 0.02, 0.9])
START = TRUE * 1.1
FIRST, SECOND = ("1953-08-01", "1953-12-31"), ("1954-02-01", "1954-12-31")


@pytest.fixture(scope="module")
def synthetic():
    simulated = ph.simulate(MODEL, TRUE, BASIN)["discharge"]
    observed = simulated.values.copy()
    observed[400:430] = np.nan
    return BASIN.assign(discharge=("time", observed))


@pytest.fixture(scope="module")
def noisy(synthetic):
    factor = np.random.default_rng(5).lognormal(0, 0.2, 900)
    return synthetic.assign(discharge=("time", synthetic["discharge"].values * factor))


@pytest.fixture(scope="module")
def best_known(noisy):
    """The best NSE by a method without gradients, on the model's own runs."""
    from scipy.optimize import minimize

    observed = noisy["discharge"].values[365:]

    def loss(factor):
        run = ph.simulate(MODEL, TRUE * factor, noisy)["discharge"].values[365:]
        return -ph.losses.nse(observed, run)

    options = {"xatol": 1e-4, "fatol": 1e-8, "maxfev": 600}
    return -minimize(loss, np.ones(5), method="Nelder-Mead", options=options).fun


@pytest.fixture(scope="module")
def fit(synthetic):
    return ph.calibrate(MODEL, synthetic, starts=4, random_seed=1)


@pytest.fixture(scope="module")
def split(noisy):
    return ph.calibrate(
        MODEL, noisy, starts=3, random_seed=1, period=FIRST, validation=SECOND, warmup=300
    )


@pytest.mark.parametrize("given", [{}, {"rtol": 1e-2}])
def test_searches_explore_at_a_loose_tolerance_unless_one_is_given(synthetic, given):
    """The last search, and the result, have the tolerances of a simulation."""
    basin, model = synthetic.isel(time=slice(0, 430)), Tiny()
    found = ph.calibrate(model, basin, starts=2, hops=0, cores=1, random_seed=1, **given)

    def loss(theta, **settings):
        run = ph.simulate(model, theta, basin, sensitivities=True, **settings)["discharge"]
        return -ph.losses.nse(basin["discharge"].values[365:], run.values[365:])

    history = found.history
    (start,) = np.flatnonzero(history["loss"] == history["loss"].min())
    explored = loss(history["last"].values[start], **(given or IN_MODELS))
    assert history["loss"].values[start] == pytest.approx(explored, abs=1e-13)
    assert found.loss == pytest.approx(loss(found.theta, **given), abs=1e-13)
    # Both tell the tolerances apart.
    other = {"rtol": 1e-5}
    assert abs(loss(found.theta, **other) - loss(found.theta, **IN_MODELS)) > 1e-9


def test_known_parameters_are_found(fit):
    found = MODEL.parameter_vector(fit.theta)
    assert fit.scores["nse"] > 0.999999
    np.testing.assert_allclose(found, TRUE, rtol=1e-3)
    assert fit.loss == pytest.approx(-fit.scores["nse"], abs=1e-4)


def test_result_has_what_it_says(fit):
    assert fit.theta["K_f"].attrs["units"] == "1/d"
    assert fit.simulation["discharge"].sizes["time"] == 900
    assert fit.jacobian.dims == ("time", "parameter")
    assert fit.covariance.shape == (5, 5)
    assert (np.linalg.eigvalsh(fit.covariance) >= 0).all()
    assert fit.history.sizes["start"] == 4
    assert "S_umax" in repr(fit) and "nse" in repr(fit)
    assert set(ph.losses.SCORES) <= set(fit.scores)


def test_real_record():
    fit = ph.calibrate(MODEL, ph.load_basin("leaf_river"), starts=2, random_seed=1)
    assert fit.scores["nse"] > 0.8


def test_fixed_parameters_and_bounds(synthetic):
    fit = ph.calibrate(MODEL, synthetic, starts=1, fixed={"alpha": 0.5}, bounds={"K_f": (0.5, 0.6)})
    assert float(fit.theta["alpha"]) == 0.5 and fit.theta["alpha"].attrs["fixed"] == 1
    assert 0.5 <= float(fit.theta["K_f"]) <= 0.6
    assert fit.theta["K_f"].attrs["at_bound"] == 1 and fit.theta["S_umax"].attrs["at_bound"] == 0
    i, j = (MODEL.parameter_names.index(name) for name in ("alpha", "K_f"))
    for k in (i, j):
        assert (fit.covariance.values[k] == 0).all()
    assert np.isnan(fit.correlation.values[i]).all()
    assert fit.gradient.values[i] == 0 and abs(fit.gradient.values[j]) > 1e-4
    assert fit.gradient_norm < 1e-3  # what pushes against a bound does not count
    assert "at its bound" in repr(fit) and "fixed" in repr(fit)


def test_kge_and_given_starts(synthetic):
    fit = ph.calibrate(MODEL, synthetic, loss="kge", starts=TRUE * 1.05)
    assert fit.scores["kge"] > 0.99 and fit.history.sizes["start"] == 1
    assert fit.settings["method"] == "L-BFGS-B"


@pytest.mark.parametrize(
    ("method", "space"),
    [
        ("trf", "unit cube"),
        ("trf", "unconstrained"),
        ("dogbox", "unit cube"),
        ("lm", "unconstrained"),
        ("L-BFGS-B", "unconstrained"),
        ("SLSQP", "unit cube"),
        ("trust-constr", "unit cube"),
        ("basinhopping", "unit cube"),
    ],
)
def test_every_method_goes_to_the_same_optimum(method, space, noisy, best_known):
    options = {"niter": 1} if method == "basinhopping" else None
    fit = ph.calibrate(
        MODEL,
        noisy,
        starts=dict(zip(MODEL.parameter_names, START, strict=True)),
        method=method,
        search_space=space,
        method_options=options,
        random_seed=3,
    )
    assert fit.settings["method"] == method
    assert fit.scores["nse"] == pytest.approx(best_known, abs=1e-5)
    assert fit.gradient_norm < 1e-2


def test_gradient_is_that_of_the_loss(noisy):
    """Far from the optimum: one iteration, then differences of the loss of runs."""
    settings = {"steps": 24}
    fit = ph.calibrate(MODEL, noisy, "kge", starts=START, method_options={"maxiter": 1}, **settings)
    observed = noisy["discharge"].values[365:]

    def loss(theta):
        run = ph.simulate(MODEL, theta, noisy, **settings)["discharge"].values[365:]
        return -ph.losses.kge(observed, run)

    theta, gradient = MODEL.parameter_vector(fit.theta), []
    for i in range(5):

        def central(h, i=i):
            up, down = theta.copy(), theta.copy()
            up[i] *= 1 + h
            down[i] *= 1 - h
            return (loss(up) - loss(down)) / (2 * h * theta[i])

        gradient.append((4 * central(5e-4) - central(1e-3)) / 3)
    np.testing.assert_allclose(fit.gradient, gradient, rtol=1e-6)
    assert fit.gradient_norm > 0.01


def test_covariance_is_that_of_linear_regression(split):
    """Independent of the search: from the saved Jacobian and residuals alone."""
    scored = slice(split.simulation.attrs["warmup"], None)
    run = split.simulation.isel(time=scored)
    residual = (run["observed_discharge"] - run["discharge"]).values
    there = np.isfinite(residual)
    J = split.jacobian.values[scored][there]
    s2 = residual[there] @ residual[there] / (there.sum() - 5)
    expected = s2 * np.linalg.inv(J.T @ J)
    np.testing.assert_allclose(split.covariance, expected, rtol=1e-5)
    np.testing.assert_allclose(split.standard_errors, np.sqrt(np.diag(expected)), rtol=1e-5)
    np.testing.assert_allclose(np.diag(split.correlation), 1)
    assert "mean" in split.covariance.attrs["note"] or "uncertainty" in split.covariance.note
    for name, error in zip(MODEL.parameter_names, split.standard_errors.values, strict=True):
        assert split.theta[name].attrs["standard_error"] == pytest.approx(error)


def test_weakest_direction_changes_least(split):
    """A step along the weakest direction changes the residuals by its singular value."""
    values = split.identifiability["singular_value"].values
    assert (np.diff(values) <= 0).all() and len(values) == 5
    weak = split.weakest_direction()
    assert sum(v * v for v in weak.values()) == pytest.approx(1)
    assert abs(next(iter(weak.values()))) == max(map(abs, weak.values()))
    scored = slice(split.simulation.attrs["warmup"], None)
    run = split.simulation.isel(time=scored)
    observed = run["observed_discharge"].values
    there = np.isfinite(observed)
    spread = np.sqrt(((observed[there] - observed[there].mean()) ** 2).sum())
    theta = MODEL.parameter_vector(split.theta)
    log = MODEL.upper >= 100 * MODEL.lower
    slopes = np.where(log, theta * np.log(MODEL.upper / MODEL.lower), MODEL.upper - MODEL.lower)
    step = np.array([weak[name] for name in MODEL.parameter_names]) * slopes
    change = split.jacobian.values[scored][there] @ step / spread
    assert np.linalg.norm(change) == pytest.approx(values[-1], rel=1e-6)


def test_split_sample(split, noisy):
    assert split.settings["calibration"] == "1953-08-01 to 1953-12-31"
    assert split.settings["validation"] == "1954-02-01 to 1954-12-31"
    for scores, run, period in (
        (split.scores, split.simulation, FIRST),
        (split.validation_scores, split.validation, SECOND),
    ):
        assert run.attrs["warmup"] == 300
        scored = slice(*period)
        observed = noisy["discharge"].sel(time=scored).values
        expected = ph.losses.nse(observed, run["discharge"].sel(time=scored).values)
        assert scores["nse"] == pytest.approx(expected, rel=1e-12)
        assert run["discharge"].sizes["time"] == 300 + observed.size
    assert "validation" in repr(split)
    assert "<td>S_umax</td>" in split._repr_html_() and "kge_2012" in split._repr_html_()


def test_saved_and_loaded(split, fit, tmp_path):
    for result in (split, fit):
        path = tmp_path / "fit.nc"
        result.save(path)
        assert [p.name for p in tmp_path.iterdir()] == ["fit.nc"]
        loaded = ph.Calibration.load(path)
        assert repr(loaded) == repr(result) and loaded._repr_html_() == result._repr_html_()
        for name in ("theta", "simulation", "jacobian", "covariance", "gradient", "history"):
            assert getattr(loaded, name).identical(getattr(result, name)), name
        assert loaded.identifiability.identical(result.identifiability)
        if result.validation is None:
            assert loaded.validation is None
        else:
            assert loaded.validation.identical(result.validation)
        run = ph.simulate(MODEL, loaded.theta, BASIN)
        assert np.isfinite(run["discharge"]).all()
    BASIN.to_netcdf(tmp_path / "basin.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match="no calibration"):
        ph.Calibration.load(tmp_path / "basin.nc")


def test_result_does_not_depend_on_threads(noisy):
    fits = [ph.calibrate(MODEL, noisy, starts=3, random_seed=2, cores=n, hops=1) for n in (1, 3)]
    assert fits[0].loss == fits[1].loss
    np.testing.assert_array_equal(fits[0].history["trace"], fits[1].history["trace"])
    other = ph.calibrate(MODEL, noisy, starts=3, random_seed=2, sampler="sobol", hops=0)
    assert not np.array_equal(other.history["first"][1], fits[0].history["first"][1])


def test_history_tells_of_every_integration(noisy):
    fit = ph.calibrate(MODEL, noisy, starts=3, random_seed=2, hops=2)
    counts = [fit.history[name] for name in ("evaluations", "hop_evaluations", "final_evaluations")]
    assert fit.integrations == sum(int(c.sum()) for c in counts)
    for prefix in ("", "hop_", "final_"):
        trace = fit.history[f"{prefix}trace"].values
        assert (np.isfinite(trace).sum(1) == fit.history[f"{prefix}evaluations"]).all()
        np.testing.assert_allclose(np.nanmin(trace, axis=1), fit.history[f"{prefix}loss"])
    assert fit.loss == min(np.nanmin(fit.history[f"{p}trace"]) for p in ("", "final_"))
    assert (fit.history["seconds"] > 0).all()
    ends = np.concatenate([fit.history[f"{p}loss"] for p in ("", "hop_", "final_")])
    near = (ends - fit.loss <= 1e-3 * abs(fit.loss)).sum()
    assert f"within 0.1 % of the best loss: {near} of {ends.size}" in repr(fit) and near > 1


def test_poor_starts_are_left(noisy):
    """Two searches that end in one optimum are enough; the others have made six steps."""
    fit = ph.calibrate(MODEL, noisy, starts=6, random_seed=2)
    left = np.array([message.startswith("left") for message in fit.history["message"].values])
    losses, counts = fit.history["loss"].values, fit.history["evaluations"].values
    assert 1 <= left.sum() <= 4 and (counts[left] == 6).all()
    assert not fit.history["converged"].values[left].any()
    ended = np.sort(losses[~left])
    assert ended[1] - ended[0] < 1e-3 and fit.history.sizes["hop"] == 0
    every = [ph.calibrate(MODEL, noisy, starts=[s], cores=1) for s in fit.history["first"].values]
    assert fit.loss == pytest.approx(min(f.loss for f in every), abs=1e-6)


# ---- losses -------------------------------------------------------------------------------------


def own_loss(observed, simulated):
    there = np.flatnonzero(np.isfinite(observed))
    return ((observed[there] - simulated[there]) ** 2).sum()


def test_loss_of_ones_own(noisy):
    own = ph.calibrate(MODEL, noisy, own_loss, starts=START)
    named = ph.calibrate(MODEL, noisy, "ssr", starts=START, method="L-BFGS-B")
    assert own.loss == pytest.approx(named.loss, rel=1e-6)
    assert own.settings["loss"] == "own_loss"


def test_score_given_as_a_function_is_maximised(noisy):
    loss = partial(ph.losses.nse, transform="sqrt")
    fit = ph.calibrate(MODEL, noisy, loss, starts=START)
    named = ph.calibrate(MODEL, noisy, "nse", starts=START, loss_options={"transform": "sqrt"})
    assert fit.settings["method"] == "trf"
    assert fit.loss == named.loss == pytest.approx(-fit.scores["nse_sqrt"], abs=1e-4)
    assert fit.scores["nse_sqrt"] > 0.9


def test_loss_is_given_the_dates(noisy):
    months = []

    def winter(observed, simulated, time):
        months.append(pd.DatetimeIndex(time)[0])
        there = np.flatnonzero(np.isfinite(observed) & (pd.DatetimeIndex(time).month < 5))
        return pt.abs(observed[there] - simulated[there]).mean()

    ph.calibrate(MODEL, noisy, winter, starts=START, method_options={"maxiter": 2})
    assert months[0] == pd.Timestamp(noisy["time"].values[365])
    options = {"benchmark": "climatology", "bias": "relative"}
    fit = ph.calibrate(
        MODEL, noisy, "jkge", starts=START, loss_options=options, method_options={"maxiter": 2}
    )
    assert np.isfinite(fit.loss)


def test_several_outputs():
    """The second store's content is observed as well; the first one's rate is found from both."""
    model, basin = Tiny(), BASIN.isel(time=slice(0, 400))
    run = ph.simulate(model, [0.02, 0.4], basin, ("discharge", "R"))
    basin = basin.assign(discharge=run["discharge"])
    store = run["R"].to_series().iloc[100:300]  # other dates than the forcing's
    for normalisation in ("auto", "initial"):
        fit = ph.calibrate(
            model,
            basin,
            {"discharge": "nse", "R": ph.losses.huber},
            starts=[0.012, 0.6],
            observed={"R": store},
            warmup=50,
            loss_options={"weights": {"discharge": 2, "R": 1}, "normalisation": normalisation},
        )
        np.testing.assert_allclose(model.parameter_vector(fit.theta), [0.02, 0.4], rtol=1e-2)
        assert fit.loss < 1e-3 and fit.settings["loss"] == "discharge: nse, R: huber"
        assert {"R", "observed_R", "observed_discharge"} <= set(fit.simulation)


# ---- failures -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fragile():
    """A model whose single fixed step fails for most rates within the bounds."""
    model, basin = Tiny(), BASIN.isel(time=slice(0, 300))
    run = ph.simulate(model, [0.004, 0.4], basin, steps=1)
    return model, basin.assign(discharge=run["discharge"])


@pytest.mark.parametrize(
    ("method", "space"),
    [
        ("trf", "unit cube"),
        ("dogbox", "unit cube"),
        ("lm", "unconstrained"),
        ("L-BFGS-B", "unit cube"),
        ("SLSQP", "unit cube"),
    ],
)
def test_a_search_returns_from_where_the_integration_fails(method, space, fragile):
    model, basin = fragile
    fit = ph.calibrate(
        model,
        basin,
        starts=8,
        random_seed=1,
        warmup=20,
        steps=1,
        method=method,
        search_space=space,
        bounds={"a": (1e-3, 1)},
    )
    assert int(fit.history["failed"].sum()) > 0
    assert fit.scores["nse"] > 0.999
    np.testing.assert_allclose(model.parameter_vector(fit.theta), [0.004, 0.4], rtol=0.05)


def test_failure_everywhere_is_an_error(fragile):
    model, basin = fragile
    with pytest.raises(ValueError, match="failed at all 12 points"):
        ph.calibrate(
            model, basin, starts=2, warmup=20, steps=1, bounds={"a": (0.9, 1)}, method="trf"
        )


def test_an_interrupt_ends_the_threads(noisy, monkeypatch):
    import threading

    from pymc_hydro.calibration.search import strategy

    def interrupt(searches, most, stop, cores, show):
        raise KeyboardInterrupt

    before = threading.active_count()
    monkeypatch.setattr(strategy, "run_searches", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ph.calibrate(MODEL, noisy, starts=2)
    monkeypatch.undo()

    def show(searches):
        raise KeyboardInterrupt

    class Bar:
        def __init__(self, *arguments):
            pass

        def __enter__(self):
            return show

        def __exit__(self, *arguments):
            return False

    monkeypatch.setattr(strategy, "progress_bar", Bar)
    with pytest.raises(KeyboardInterrupt):
        ph.calibrate(MODEL, noisy, starts=8, random_seed=1)
    assert threading.active_count() == before


def tail(n):
    index = pd.date_range("2005-01-01", periods=n)
    return pd.Series(np.ones(n), index)


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"loss": "rsme"}, KeyError, "known are nse"),
        ({"loss": 7}, TypeError, "expected a name or a function"),
        ({"method": "SCE"}, KeyError, "known are trf, dogbox, lm, L-BFGS-B"),
        ({"method": "trf", "loss": "kge"}, ValueError, "a sum of squares"),
        ({"method": "lm"}, ValueError, "knows no bounds"),
        ({"search_space": "sphere"}, KeyError, "known are unit cube"),
        ({"sampler": "random"}, KeyError, "known are latin hypercube"),
        ({"fixed": {"x": 1}}, KeyError, "no parameter 'x'"),
        ({"bounds": {"x": (0, 1)}}, KeyError, "known are S_umax"),
        ({"fixed": {"alpha": 2}}, ValueError, "outside its bounds"),
        (
            {"fixed": dict(zip(MODEL.parameter_names, TRUE, strict=True))},
            ValueError,
            "all parameters",
        ),
        ({"bounds": {"alpha": (1, 0)}}, ValueError, "must rise"),
        ({"starts": 0}, ValueError, "at least 1"),
        ({"starts": TRUE * 1e4}, ValueError, "outside the bounds: S_umax = 2.5e"),
        ({"starts": {"alpha": 0.5}}, KeyError, "the start lacks S_umax"),
        ({"starts": {"alpha": 0.5, "x": 1}}, KeyError, "which are no parameters"),
        ({"starts": [1.0, 2.0]}, ValueError, "must have shape"),
        ({"warmup": 900}, ValueError, "nothing is left"),
        ({"warmup": 5000}, ValueError, "nothing is left"),
        ({"warmup": -1}, ValueError, "whole number of intervals"),
        ({"period": ("1953-01-01", "1954-01-01")}, ValueError, "needs a warm-up of 365"),
        ({"period": ("2003", "2004")}, ValueError, "is empty; the record covers 1952-07-28"),
        ({"period": "1953"}, ValueError, "a pair of dates"),
        ({"validation": SECOND}, ValueError, "overlap"),
        ({"period": SECOND, "validation": ("1953-01", "1953-06")}, ValueError, "validation starts"),
        ({"observed": tail(900)}, ValueError, "do not overlap"),
        ({"observed": np.ones(800)}, ValueError, "expected .900,."),
        ({"observed": np.full(900, np.inf)}, ValueError, "infinite"),
        ({"observed": np.full(900, np.nan)}, ValueError, "all observations are missing"),
        ({"observed": np.ones(900)}, ValueError, "constant"),
        ({"observed": {"swe": np.ones(900)}}, KeyError, "which have no loss"),
        ({"loss": {"discharge": "nse", "S_u": "nse"}}, KeyError, "no observations of 'S_u'"),
        ({"loss_options": {"power": 2}}, TypeError, "no argument power; known are transform"),
        ({"loss": lambda y, q: np.ones(3)}, TypeError, "must return one number"),
        ({"loss": lambda y, q: y - q}, TypeError, "must return one number"),
        ({"loss": lambda y, q: ((y - q) ** 2).sum()}, ValueError, "observations are missing: a"),
        ({"rtol": 3}, ValueError, "rtol"),
    ],
)
def test_arguments_that_make_no_sense(synthetic, kwargs, error, message):
    with pytest.raises(error, match=message):
        ph.calibrate(MODEL, synthetic, **kwargs)


def test_observations_that_make_no_sense(synthetic):
    empty = synthetic.assign(discharge=("time", np.full(900, np.nan)))
    with pytest.raises(ValueError, match="all observations are missing"):
        ph.calibrate(MODEL, empty)
    later = synthetic["discharge"].where(synthetic["time"] < np.datetime64("1954-02-01"))
    with pytest.raises(ValueError, match=r"all observations are missing .* validation period"):
        ph.calibrate(
            MODEL,
            synthetic.assign(discharge=later),
            period=FIRST,
            validation=SECOND,
            warmup=300,
        )
    dry = synthetic.assign(discharge=synthetic["discharge"] * 0 + np.arange(900) % 2)
    log = ph.losses.Transform("log", offset=0)
    with pytest.raises(ValueError, match=r"flow 0 at position 1 .* no log transform"):
        ph.calibrate(MODEL, dry, loss_options={"transform": log})
    with pytest.raises(KeyError, match="'discharge'"):
        ph.calibrate(MODEL, synthetic.drop_vars("discharge"))
