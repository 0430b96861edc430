import numpy as np
import pytest

import pymc_hydro as ph

MODEL = ph.Hymod(snow=False)
BASIN = ph.load_basin("leaf_river").isel(time=slice(0, 900))
TRUE = np.array([250, 0.6, 0.7, 0.02, 0.9])


@pytest.fixture(scope="module")
def synthetic():
    simulated = ph.simulate(MODEL, TRUE, BASIN)["discharge"]
    observed = simulated.values.copy()
    observed[400:430] = np.nan
    return BASIN.assign(discharge=("time", observed))


@pytest.fixture(scope="module")
def fit(synthetic):
    return ph.calibrate(MODEL, synthetic, starts=4, seed=1)


def test_known_parameters_are_found(fit):
    found = MODEL.parameter_vector(fit.theta)
    assert fit.scores["nse"] > 0.9999
    np.testing.assert_allclose(found, TRUE, rtol=0.05)
    assert fit.loss == pytest.approx(-fit.scores["nse"], abs=1e-4)


def test_result_has_what_it_says(fit):
    assert fit.theta["K_f"].attrs["units"] == "1/d"
    assert fit.simulation["discharge"].sizes["time"] == 900
    assert fit.jacobian.dims == ("time", "parameter")
    assert fit.covariance.shape == (5, 5)
    assert (np.linalg.eigvalsh(fit.covariance) >= 0).all()
    assert fit.history.sizes["start"] == 4
    assert "S_umax" in repr(fit) and "nse" in repr(fit)


def test_real_record():
    fit = ph.calibrate(MODEL, ph.load_basin("leaf_river"), starts=2, seed=1)
    assert fit.scores["nse"] > 0.8


def test_fixed_parameters_and_bounds(synthetic):
    fit = ph.calibrate(MODEL, synthetic, starts=1, fixed={"alpha": 0.5}, bounds={"K_f": (0.5, 0.6)})
    assert float(fit.theta["alpha"]) == 0.5
    assert 0.5 <= float(fit.theta["K_f"]) <= 0.6
    i = MODEL.parameter_names.index("alpha")
    assert (fit.covariance.values[i] == 0).all()


def test_kge_and_given_starts(synthetic):
    fit = ph.calibrate(MODEL, synthetic, loss="kge", starts=TRUE * 1.05)
    assert fit.scores["kge"] > 0.99 and fit.history.sizes["start"] == 1


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"loss": "rsme"}, KeyError, "known are nse"),
        ({"method": "SCE"}, KeyError, "known are trf, dogbox, lm, L-BFGS-B"),
        ({"fixed": {"x": 1}}, KeyError, "no parameter 'x'"),
        ({"fixed": {"alpha": 2}}, ValueError, "outside its bounds"),
        (
            {"fixed": dict(zip(MODEL.parameter_names, TRUE, strict=True))},
            ValueError,
            "all parameters",
        ),
        ({"bounds": {"alpha": (1, 0)}}, ValueError, "must rise"),
        ({"starts": 0}, ValueError, "at least 1"),
        ({"starts": TRUE * 1e4}, ValueError, "outside the bounds"),
        ({"warmup": 900}, ValueError, "nothing is left"),
    ],
)
def test_arguments_that_make_no_sense(synthetic, kwargs, error, message):
    with pytest.raises(error, match=message):
        ph.calibrate(MODEL, synthetic, **kwargs)


def test_no_observations(synthetic):
    empty = synthetic.assign(discharge=("time", np.full(900, np.nan)))
    with pytest.raises(ValueError, match="all observations are missing"):
        ph.calibrate(MODEL, empty)
