import pickle

import numpy as np
import pytest

import pymc_hydro as ph


@pytest.mark.parametrize("cls", ph.MODELS)
def test_names_bounds_and_defaults(cls):
    model = cls()
    n = len(model.parameter_names)
    assert model.lower.shape == model.upper.shape == model.default.shape == (n,)
    assert (model.lower <= model.default).all() and (model.default <= model.upper).all()
    assert "discharge" in model.output_names


def test_hymod_follows_the_published_table():
    model = ph.Hymod()
    assert model.parameter_names == ("S_umax", "beta", "alpha", "K_s", "K_f", "T_tr", "f_dd")
    np.testing.assert_array_equal(model.lower, [50, 0.1, 1e-5, 1e-5, 0.1, -3, 0.1])
    np.testing.assert_array_equal(model.upper, [5000, 10, 1, 1, 100, 3, 10])
    assert model.store_names == ("SWE", "S_u", "S_s", "S_f1", "S_f2", "S_f3")


def test_without_snow():
    model = ph.Hymod(snow=False)
    assert model.parameter_names == ("S_umax", "beta", "alpha", "K_s", "K_f")
    assert model.forcing_names == ("precipitation", "potential_evaporation")
    assert "swe" not in model.output_names


@pytest.mark.parametrize("cls", ph.MODELS)
def test_identity_pickle_and_display(cls):
    model = cls(snow=False)
    assert pickle.loads(pickle.dumps(model)) == model == cls(snow=False) != cls()
    assert hash(model) == hash(cls(snow=False))
    for name in (*model.parameter_names, *model.store_names):
        assert name in repr(model)
        assert name in model._repr_html_()


def test_unknown_options_and_outputs():
    with pytest.raises(ValueError, match="formulation must be one of default, reference"):
        ph.Hymod(formulation="paper")
    with pytest.raises(KeyError, match="unknown output 'runoff'; known are discharge"):
        ph.Hymod().select_outputs(["runoff"])
    with pytest.raises(ValueError, match="discharge stands twice among the outputs"):
        ph.Hymod().select_outputs(["discharge", "S_u", "discharge"])


@pytest.mark.parametrize(
    ("theta", "error", "message"),
    [
        ([1, 2], ValueError, r"n_parameter = 5 \(S_umax"),
        ({"S_umax": 1}, KeyError, "missing"),
        (dict.fromkeys(("S_umax", "beta", "alpha", "K_s", "K_f", "x"), 1), KeyError, "unknown"),
        ([np.nan] * 5, ValueError, "not finite"),
    ],
)
def test_parameter_vectors_that_do_not_fit(theta, error, message):
    with pytest.raises(error, match=message):
        ph.Hymod(snow=False).parameter_vector(theta)


@pytest.mark.kernels
@pytest.mark.filterwarnings("ignore:basin. precipitation is 30 mm/d on average")  # so it should be
def test_default_formulation_keeps_the_store_below_its_capacity():
    """The reference overfills the store at small beta; the default does not."""
    import pandas as pd
    import xarray as xr

    n = 400
    time = pd.date_range("2000", periods=n)
    forcing = {"precipitation": 30.0, "potential_evaporation": 2.0}
    basin = xr.Dataset({k: ("time", np.full(n, v)) for k, v in forcing.items()}, {"time": time})
    theta = [100, 0.1, 0.5, 0.1, 1]
    content = {
        f: ph.simulate(ph.Hymod(snow=False, formulation=f), theta, basin, ("S_u",))["S_u"].max()
        for f in ("default", "reference")
    }
    assert content["default"] <= 100 + 1e-3
    assert content["reference"] > 150
