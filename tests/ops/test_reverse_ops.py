"""Gradients by the forcing: a tape and a sweep in the place of a pullback."""

import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import NullTypeGradError
from pytensor.graph.replace import vectorize_graph

from pymc_hydro.engine.problem import define_problem
from pymc_hydro.ops import BatchValues, SimulatedJacobian, SimulatedValues, Sweep, TapedValues
from tests.ops.test_batch_ops import FORCING, RECORD, THETA, X0, single_runs
from tests.ops.test_batch_ops import MODEL as HYMOD
from tests.ops.test_ops import compiled

MODEL = HYMOD
PROBLEM = define_problem(MODEL, ("discharge",), 1.0)
SHORT = FORCING[:60]
ARRAYS = MODEL.default, SHORT, MODEL.initial_state
RUN, TAPE = PROBLEM.taped_run(*ARRAYS)
EXPECTED = PROBLEM.sweep(*ARRAYS, TAPE, 2 * RUN.values)
MODES = ["FAST_COMPILE", "NUMBA", "CVM"]
KINDS = (SimulatedValues, BatchValues, SimulatedJacobian, TapedValues, Sweep)

pytestmark = pytest.mark.usefixtures("compiled")


def ours(function):
    ops = [getattr(n.op, "core_op", n.op) for n in function.maker.fgraph.toposort()]
    return [type(op) for op in ops if isinstance(op, KINDS)]


def graph(op=None):
    inputs = pt.dvector("theta"), pt.dmatrix("forcing"), pt.dvector("x0")
    return inputs, SimulatedValues(PROBLEM)(*inputs)


@pytest.mark.parametrize("mode", MODES)
def test_value_and_gradients_share_one_integration(mode):
    inputs, q = graph()
    loss = (q**2).sum()
    f = compiled(list(inputs), [q, *pytensor.grad(loss, list(inputs))], mode)
    assert ours(f) == [TapedValues, Sweep]
    values, *gradients = f(*ARRAYS)
    np.testing.assert_array_equal(values, RUN.values)
    for found, expected in zip(gradients, EXPECTED, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_parameters_alone_take_the_columns():
    inputs, q = graph()
    f = compiled(list(inputs), [q, pytensor.grad((q**2).sum(), inputs[0])])
    assert ours(f) == [SimulatedJacobian]


def test_a_multiplier_of_the_rain_against_differences():
    """Through the graph of a user, with error control: smooth to its tolerance."""
    problem = define_problem(MODEL, ("discharge",), 1.0, rtol=1e-10, atol=1e-10)
    m = pt.dvector("m")
    storm = np.arange(60) // 12
    forcing = pt.stack([SHORT[:, 0] * m[storm], pt.constant(SHORT[:, 1])], axis=1)
    q = SimulatedValues(problem)(MODEL.default, forcing, MODEL.initial_state)
    loss = (q**2).sum()
    f = compiled([m], [loss, pytensor.grad(loss, m)], "FAST_COMPILE")
    at, h = np.linspace(0.7, 1.4, 5), 1e-4
    found = f(at)[1]

    def central(i, h):
        step = h * np.eye(5)[i]
        return (f(at + step)[0] - f(at - step)[0]) / (2 * h)

    expected = [(4 * central(i, h) - central(i, 2 * h)) / 3 for i in range(5)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("mode", "parallel"),
    [pytest.param("NUMBA", False, marks=pytest.mark.kernels), ("CVM", True)],
)
def test_batches(mode, parallel):
    theta, forcing, x0 = pt.dtensor3(), pt.dmatrix(), pt.dtensor3()
    q = BatchValues(PROBLEM, parallel)(theta, forcing, x0, RECORD)
    gradients = pytensor.grad((q**2).sum(), [theta, forcing, x0])
    f = compiled([theta, forcing, x0], [q, *gradients], mode)
    assert ours(f) == [TapedValues, Sweep]
    values, by_theta, by_forcing, by_x0 = f(THETA, FORCING, X0)
    total = np.zeros_like(FORCING)
    for v, r, part, run in single_runs(PROBLEM):
        np.testing.assert_array_equal(values[v, part], run.values)
        arrays = THETA[v, r], FORCING[part], X0[v, r]
        tape = PROBLEM.taped_run(*arrays)[1]
        expected = PROBLEM.sweep(*arrays, tape, 2 * run.values)
        np.testing.assert_allclose(by_theta[v, r], expected[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(by_x0[v, r], expected[2], rtol=1e-9, atol=1e-12)
        total[part] += expected[1]
    np.testing.assert_allclose(by_forcing, total, rtol=1e-9, atol=1e-12)


@pytest.mark.kernels
def test_vectorised_over_the_forcing():
    inputs, q = graph()
    gradient = pytensor.grad((q**2).sum(), inputs[1])
    many = pt.dtensor3("many")
    found = vectorize_graph(gradient, {inputs[1]: many})
    f = compiled([inputs[0], many, inputs[2]], [found], "NUMBA")
    result = f(ARRAYS[0], np.stack([SHORT, 1.1 * SHORT]), ARRAYS[2])[0]
    np.testing.assert_allclose(result[0], EXPECTED[1], rtol=1e-9, atol=1e-12)
    assert not np.allclose(result[1], result[0])


def test_a_failed_run_is_nan():
    inputs, q = graph()
    f = compiled(list(inputs), [q, pytensor.grad(q.sum(), inputs[1])], "NUMBA")
    theta = MODEL.default.copy()
    theta[0] = -1
    assert all(np.isnan(found).all() for found in f(theta, *ARRAYS[1:]))


def test_identity_and_pickle():
    for op in (TapedValues(SimulatedValues(PROBLEM)), Sweep(BatchValues(PROBLEM))):
        assert pickle.loads(pickle.dumps(op)) == op
        assert hash(pickle.loads(pickle.dumps(op))) == hash(op)
    assert str(op) == "Sweep(Hymod: discharge)"
    assert op.content != op.values.content


def test_second_derivatives():
    """By the cotangent, the product of the Jacobian with a vector; all others are refused."""
    inputs, q = graph()
    w, v = pt.dmatrix("w"), pt.dvector("v")
    by_theta, by_forcing = pytensor.grad(None, list(inputs[:2]), known_grads={q: w})
    product = pytensor.grad((by_theta * v).sum(), w)
    f = compiled([*inputs, w, v], [product], "CVM")
    direction = np.arange(1.0, 6)
    found = f(*ARRAYS, np.ones((60, 1)), direction)[0]
    run = PROBLEM.run(*ARRAYS, sensitivities=True)
    np.testing.assert_allclose(found, run.jacobian @ direction, rtol=1e-10)
    with pytest.raises(NullTypeGradError, match="by the forcing"):
        pytensor.grad((by_forcing * SHORT).sum(), w)
    with pytest.raises(NullTypeGradError, match="second derivatives"):
        pytensor.grad(by_forcing.sum(), inputs[0])
