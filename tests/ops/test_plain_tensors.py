"""The simulation as a function of plain tensors."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.testing.checks import draw_parameters
from tests.ops.test_ops import FORCING, MODEL, PROBLEM

N = 60
FORCED = np.ascontiguousarray(FORCING[:N])
X0 = np.arange(1.0, 1 + len(MODEL.stores))
MODES = ["FAST_COMPILE", "NUMBA", "CVM", "JAX"]
pytestmark = pytest.mark.usefixtures("compiled")


def simulated(theta, x0, **options):
    return ph.ops.simulate(MODEL, theta, FORCED, x0, **options)


@pytest.mark.parametrize("mode", MODES)
def test_values_and_gradients(mode):
    if mode == "JAX":
        pytest.importorskip("jax")
    theta, x0 = pt.dvector("theta"), pt.dvector("x0")
    q = simulated(theta, x0)
    assert q.type.shape == (N, 1) and q.name == "discharge"
    f = pytensor.function([theta, x0], [q, *pytensor.grad((q**2).sum(), [theta, x0])], mode=mode)
    values, *gradients = f(MODEL.default, X0)
    run = PROBLEM.run(MODEL.default, FORCED, X0, sensitivities=True, initial=True)
    np.testing.assert_array_equal(values, run.values)
    expected = np.einsum("to,top->p", 2 * run.values, run.jacobian)
    np.testing.assert_allclose(np.concatenate(gradients), expected, rtol=1e-10)


def test_many_vectors_and_mappings(rng):
    draws = draw_parameters(MODEL, rng, 3)
    runs = [PROBLEM.run(row, FORCED, X0).values for row in draws]
    theta = pt.dmatrix("theta")
    f = pytensor.function([theta], simulated(theta, X0))
    np.testing.assert_array_equal(f(draws), runs)
    by_name = dict(zip(MODEL.parameter_names, draws.T, strict=True))
    np.testing.assert_array_equal(simulated(by_name, X0).eval(), runs)
    one = simulated(draws[0], np.stack([X0, X0]))
    np.testing.assert_array_equal(one.eval(), [runs[0]] * 2)
    own = dict(zip(MODEL.parameter_names, draws[0], strict=True))
    K_s = pt.dscalar("K_s")
    q = simulated(own | {"K_s": K_s}, {"S_u": X0[0]})
    assert q.owner.op.problem.free == ("K_s",)
    state = MODEL.initial_state
    state[MODEL.store_names.index("S_u")] = X0[0]
    problem = define_problem(MODEL, ("discharge",), 1.0, free=("K_s",))
    run = problem.run(draws[0], FORCED, state, sensitivities=True)
    found, slope = pytensor.function([K_s], [q, pytensor.grad(q.sum(), K_s)])(own["K_s"])
    np.testing.assert_array_equal(found, run.values)
    assert slope == pytest.approx(run.jacobian.sum(), rel=1e-12)


def test_intervals_of_another_length_and_settings():
    q = ph.ops.simulate(MODEL, MODEL.default, FORCED, dt=0.25, solver="tr_bdf2", steps=2)
    problem = define_problem(MODEL, ("discharge",), 0.25, solver="tr_bdf2", steps=2)
    assert q.owner.op.problem == problem and q.name == "discharge"
    expected = problem.run(MODEL.default, FORCED, MODEL.initial_state).values
    np.testing.assert_array_equal(q.eval(), expected)


def test_refusals():
    theta = pt.dvector("theta")
    with pytest.raises(TypeError, match="unknown argument 'rtoll'; did you mean 'rtol'"):
        ph.ops.simulate(MODEL, theta, FORCED, rtoll=1e-3)
    with pytest.raises(TypeError, match="call the class first"):
        ph.ops.simulate(ph.Hymod, theta, FORCED)
    with pytest.raises(TypeError, match="forcing must have 3 forcing entries"):
        ph.ops.simulate(MODEL, theta, FORCED[:, :1])
    record = ph.load_basin("leaf_river").isel(time=slice(0, 9))
    for labelled in (record, record.to_dataframe()):
        with pytest.raises(TypeError, match="with the columns precipitation, potential_evap"):
            ph.ops.simulate(ph.Hymod(snow=False), theta, labelled)
    with pytest.raises(TypeError, match="found 3 dimensions"):
        ph.ops.simulate(MODEL, pt.dtensor3(), FORCED)
    with pytest.raises(KeyError, match="missing"):
        ph.ops.simulate(MODEL, {"K_s": 0.1}, FORCED)
    with pytest.raises(TypeError, match="'S_q'; did you mean"):
        ph.ops.simulate(MODEL, theta, FORCED, {"S_q": 1.0})
    for dt in (0, np.nan, -1.0, np.ones(2)):
        with pytest.raises(ValueError, match="dt must be a positive number"):
            ph.ops.simulate(MODEL, theta, FORCED, dt=dt)
    with pytest.raises(KeyError, match="unknown output"):
        ph.ops.simulate(MODEL, theta, FORCED, outputs="flow")
