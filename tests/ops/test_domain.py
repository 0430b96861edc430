"""Outside the domain of a parameter a graph is NaN, and a run an error."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from pymc_hydro.core.declaration import Parameter
from pymc_hydro.core.domain import OUTSIDE, check_domain, domain_of, is_outside
from pymc_hydro.engine.codegen.step import REASONS
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.ops import BatchValues
from tests.ops.test_ops import FORCING, MODEL, PROBLEM

FORCED = np.ascontiguousarray(FORCING[:20])
CASES = {"beta": -0.5, "K_s": -0.01, "alpha": 1 + 1e-9, "S_umax": -1e-9, "K_f": np.inf}


def changed(**values):
    theta = MODEL.default
    for name, value in values.items():
        theta[MODEL.parameter_names.index(name)] = value
    return theta


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "NUMBA", "JAX"])
def test_graphs_are_nan_outside_and_right_inside(mode):
    if mode == "JAX":
        pytest.importorskip("jax")
    theta, x0 = pt.dvector("theta"), pt.dvector("x0")
    q = ph.ops.simulate(MODEL, theta, FORCED, x0)
    f = pytensor.function([theta, x0], [q, pytensor.grad(q.sum(), theta)], mode=mode)
    start = MODEL.initial_state
    cases = [(changed(**{name: value}), start) for name, value in CASES.items()]
    for bad in (-1e-9, np.inf, np.nan):
        state = start.copy()
        state[1] = bad
        cases.append((MODEL.default, state))
    for arguments in cases:
        assert all(np.isnan(array).all() for array in f(*arguments))
    inside = changed(S_umax=9000.0)  # beyond the bounds of calibration
    run = PROBLEM.run(inside, FORCED, start, sensitivities=True)
    values, gradient = f(inside, start)
    np.testing.assert_array_equal(values, run.values)
    np.testing.assert_allclose(gradient, run.jacobian.sum((0, 1)), rtol=1e-10)


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "NUMBA"])
def test_a_record_outside_is_nan_and_no_other(mode):
    theta = pt.dtensor3("theta")
    x0 = np.tile(MODEL.initial_state, (1, 2, 1))
    record = np.repeat([0, 1], 10)
    f = pytensor.function([theta], BatchValues(PROBLEM)(theta, FORCED, x0, record), mode=mode)
    values = f(np.stack([changed(beta=-0.5), MODEL.default])[None])[0]
    assert np.isnan(values[:10]).all() and np.isfinite(values[10:]).all()


@pytest.mark.parametrize("kind", ph.MODELS)
def test_bounds_are_inside_and_beyond_the_domain_is_outside(kind):
    model = kind()
    domain, start = domain_of(model), model.initial_state
    for theta in (model.lower, model.default, model.upper):
        assert not is_outside(theta, start, domain)
        check_domain(model, theta)
    for i, p in enumerate(model.parameters):
        for end, beyond in zip(p.limits, (-np.inf, np.inf), strict=True):
            theta = model.default
            theta[i] = np.nextafter(end, beyond) if np.isfinite(end) else end
            assert is_outside(theta, start, domain), p.name
            if np.isfinite(end):
                with pytest.raises(ValueError, match=f"{p.name} = .* is outside its domain"):
                    check_domain(model, theta)


def test_an_error_outside_of_graphs():
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 30))
    model = ph.Hymod(snow=False)
    theta = dict(zip(model.parameter_names, model.default, strict=True))
    with pytest.raises(ValueError, match=r"Hymod: beta = -0.5 is outside its domain \[0, inf\]"):
        ph.simulate(model, theta | {"beta": -0.5}, basin)
    with pytest.raises(ValueError, match="negative contents, S_u = -1 mm"):
        ph.simulate(model, theta, basin, initial_state={"S_u": -1.0})
    run = define_problem(MODEL, ("discharge",), 1.0).run(
        changed(beta=-0.5), FORCED, MODEL.initial_state, sensitivities=True
    )
    assert run.status == OUTSIDE and np.isnan(run.values).all() and np.isnan(run.jacobian).all()
    assert not run.counts.any() and OUTSIDE not in range(len(REASONS))


def test_domains_are_derived_from_bounds_or_given():
    assert Parameter("k", 0.1, 9, "1/d", "rate").limits == (0, np.inf)
    assert Parameter("s", 0.1, 0.9, "1", "share").limits == (0, 1)
    assert Parameter("t", -3, 3, "degC", "threshold").limits == (-np.inf, np.inf)
    assert Parameter("e", 0.5, 1, "1", "exponent", domain=(0, np.inf)).limits == (0, np.inf)
    with pytest.raises(ValueError, match=r"the domain \[0.0, 0.5\] must hold the bounds"):
        Parameter("e", 0.5, 1, "1", "exponent", domain=(0, 0.5))
