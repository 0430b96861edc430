import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.core.declaration import Store
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from tests.conftest import FORCINGS
from tests.tiny import Tiny

pytestmark = pytest.mark.kernels

BASIN = FORCINGS["rain"].isel(time=slice(0, 20))
SETTINGS = {"rtol": 1e-9, "atol": 1e-9}


class Filled(Tiny):
    """Its first store starts with a content that depends on a parameter."""

    stores = (Store("S", "mm", "first", initial=lambda p: 30 / p.k), Store("R", "mm", "second"))


@pytest.mark.parametrize(
    "model",
    [
        Filled(),
        ph.Hmodel(snow=False, initial={"S_u": 0.4}),
        ph.SacSma(snow=False, initial={"L_t": "estimate", "U_t": 0.5}),
        ph.Xinanjiang(snow=False, initial={"S": 0.5}),
    ],
    ids=lambda m: type(m).__name__,
)
def test_parametric_starts_and_their_sensitivities(model):
    theta = model.default
    run = ph.simulate(model, theta, BASIN, sensitivities=True, **SETTINGS)
    start = [
        float(v) for v in model.start(dict(zip(model.parameter_names, theta, strict=True))).values()
    ]
    same = ph.simulate(model, theta, BASIN, initial_state=start, **SETTINGS)
    np.testing.assert_allclose(run["discharge"], same["discharge"], rtol=1e-6, atol=1e-7)
    for j, p in enumerate(model.parameters):
        h = 1e-3 * (p.scale or abs(theta[j]))
        ends = []
        for sign in (1, -1):
            moved = theta.copy()
            moved[j] += sign * h
            ends.append(ph.simulate(model, moved, BASIN, **SETTINGS)["discharge"].values)
        expected = (ends[0] - ends[1]) / (2 * h)
        found = run["ddischarge_dparameter"].values[:, j]
        np.testing.assert_allclose(found * h, expected * h, rtol=1e-3, atol=2e-6)


def test_the_derivative_by_an_initial_state_that_is_not_used_is_zero():
    model = Filled()
    problem = define_problem(model, ("discharge",), 1.0)
    forcing = forcing_array(model, BASIN)
    for x0, used in ((model.initial_state, False), (np.array([5.0, 1.0]), True)):
        run = problem.run(model.default, forcing, x0, sensitivities=True, initial=True)
        assert (np.abs(run.jacobian[:, 0, 2]).max() > 0) == used
        assert (np.abs(run.jacobian[:, 0, 1]).max() > 0) and np.isfinite(run.jacobian).all()


def test_an_estimated_start_is_a_parameter():
    model = ph.Hmodel(snow=False, initial={"S_u": "estimate"})
    assert model.parameter_names[-1] == "S_u_0"
    assert np.isnan(model.initial_state[model.store_names.index("S_u")])
    assert pickle.loads(pickle.dumps(model)) == model != ph.Hmodel(snow=False)
    assert "S_u_0" in repr(model)
    given = ph.simulate(model, model.default, BASIN, initial_state={"S_u": 250 * 0.5})
    own = ph.simulate(model, model.default, BASIN)
    np.testing.assert_allclose(own["discharge"], given["discharge"], rtol=1e-9)


def test_starts_that_make_no_sense():
    with pytest.raises(KeyError, match="not a store with a capacity; those are S_i, S_u"):
        ph.Hmodel(initial={"S_f": 0.5})
    with pytest.raises(ValueError, match="share from 0 to 1 or 'estimate'"):
        ph.Hmodel(initial={"S_u": 2})


def test_starts_of_parameters_that_change_in_time():
    """The content is that of the default value, as far as it depends on such a parameter."""
    assert Filled().vary("k").initial_state.tolist() == [30 / 0.5, 1e-5]
    model = ph.Xinanjiang(snow=False, initial={"W": 0.5}).vary("S_tot")
    p = dict(zip(model.parameter_names, model.default, strict=True)) | {"f_wm": 0.3}
    assert model.start(p)["W"] == pytest.approx(0.5 * 0.3 * 250)
    assert [s.capacity for s in model.stores[:2]] == [None, None]
    same = ph.Xinanjiang(snow=False).vary("b")
    assert [float(s.full(SimpleNamespace(**p, S_tot=100.0))) for s in same.stores[:2]] == [30, 70]


def test_a_run_goes_on_from_an_earlier_one(leaf_river):
    """With fixed steps the same bits, else within the tolerance; each draw from its own stores."""
    model, basin = ph.Hymod(snow=False), leaf_river.isel(time=slice(0, 60))
    first, second = basin.isel(time=slice(0, 40)), basin.isel(time=slice(40, None))
    theta = np.stack([model.default, 1.1 * model.default])
    outputs = ("discharge", *model.store_names)
    for settings, tolerance in (({"steps": 4}, 0.0), ({}, 1e-3)):
        whole = ph.simulate(model, theta, basin, outputs=outputs, **settings)
        for run in (whole, ph.simulate(model, theta, first, outputs=outputs, **settings)):
            rest = ph.simulate(model, theta, second, outputs, initial_state=run, **settings)
            expected = whole.isel(time=slice(40, None))
            for name in outputs:
                difference = abs(rest[name].values - expected[name].values)
                assert (difference <= tolerance).all(), name
    end = whole.isel(time=39, draw=0, drop=True)
    rest = ph.simulate(model, theta[0], second, initial_state=end)
    np.testing.assert_allclose(rest["discharge"], whole["discharge"][0, 40:], atol=1e-3)
    both = ph.simulate(model, theta[0], {"a": first, "b": first}, outputs=model.store_names)
    rest = ph.simulate(model, theta[0], {"b": second, "a": second}, initial_state=both)
    np.testing.assert_allclose(rest["discharge"][1], whole["discharge"][0, 40:], atol=1e-3)
    with pytest.raises(KeyError, match="initial_state has no S"):
        ph.simulate(model, theta[0], second, initial_state=whole[["discharge"]])
    with pytest.raises(ValueError, match="no interval that ends where the record begins"):
        ph.simulate(model, theta, first, initial_state=whole)
    with pytest.raises(ValueError, match=r"dimensions {'draw': 2}, but the parameters have none"):
        ph.simulate(model, theta[0], second, initial_state=whole)
