"""Posteriors of many basins, one by one."""

import numpy as np
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.inference.sampling.many import sample_each
from tests.conftest import FORCINGS
from tests.tiny import Tiny

MODEL = Tiny()
OPTIONS = {"draws": 8, "tune": 5, "chains": 2, "random_seed": 1}
FOUND = {"r_hat": 1.0, "effective_draws": 16.0, "divergences": 0, "verdict": "good"}


def record(a):
    basin, rng = FORCINGS["storm"], np.random.default_rng(1)
    flow = ph.simulate(MODEL, {"a": a, "k": 0.4}, basin)["discharge"]
    return basin.assign(discharge=flow * rng.uniform(0.9, 1.1, flow.size))


def draw(pymc_model, *, cores, progressbar, draws, tune, chains, random_seed):
    """Draws of the prior in the place of `ph.sample`."""
    assert cores == 1 and not progressbar and "flow" in pymc_model.named_vars
    rng = np.random.default_rng(random_seed)
    names = [rv.name for rv in pymc_model.free_RVs if rv.name in MODEL.parameter_names]
    values = {n: (("chain", "draw"), rng.uniform(0.01, 0.02, (chains, draws))) for n in names}
    return {"posterior": xr.Dataset(values, attrs=FOUND)}


def test_posteriors_are_rows_of_a_store(tmp_path):
    pytest.importorskip("zarr")
    basins = {"good": record(0.01), "bad": record(0.02).drop_vars("discharge")}

    def sampled(**changed):
        model_options = {"warmup": 10, "priors": {"k": 0.4}} | changed
        where = {"executor": None, "store": tmp_path / "p.zarr", "progressbar": False}
        return sample_each(draw, MODEL, basins, OPTIONS, model_options, **where)

    found = sampled()
    assert found["status"].values.tolist() == [1, 2]
    assert "discharge" in str(found["message"].sel(basin="bad").values)
    good = found.sel(basin="good")
    draws = good["draws"].values[:, 0]  # all sixteen
    assert found.attrs["priors"] == "k" and found.attrs["preset"] == "uniform"
    assert draws.shape == (16,) and np.isnan(good["draws"].values[:, 1]).all()
    a = good.sel(parameter="a", parameter_="a")
    assert float(a["parameters"]) == pytest.approx(draws.mean())
    assert float(a["covariance"]) == pytest.approx(float(a["standard_deviation"]) ** 2)
    assert str(good["message"].values) == "good" and np.isnan(good["log_posterior"])
    # Rows are kept, also that of the failure; other settings are refused.
    xr.testing.assert_identical(sampled(), found)
    with pytest.raises(ValueError, match="with other settings"):
        sampled(warmup=11)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cores": 2}, "cores cannot be given for several basins"),
        ({"approximation": 1}, "has an approximation of its own"),
    ],
)
def test_arguments_that_make_no_sense(options, message):
    with pytest.raises(TypeError, match=message):
        ph.sample(MODEL, {"a": record(0.01)}, **options)
    with pytest.raises(TypeError, match="executor and store are for several basins"):
        ph.sample(MODEL, record(0.01), store="x.zarr")
