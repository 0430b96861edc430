"""Gradients by the forcing: a tape and a sweep in the place of a pullback."""

import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import NullTypeGradError, hessian, hessian_vector_product
from pytensor.graph.replace import vectorize_graph

from pymc_hydro.engine.problem import define_problem
from pymc_hydro.ops import (
    BatchJacobian,
    BatchValues,
    SimulatedJacobian,
    SimulatedValues,
    Sweep,
    TapedValues,
)
from pymc_hydro.ops.simulation import Pullback, SecondOrder
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
    if mode == "NUMBA":  # elsewhere an error
        for misfit in ((ARRAYS[0][:-1], *ARRAYS[1:]), (*ARRAYS[:2], ARRAYS[2][:-1])):
            assert all(np.isnan(found).all() for found in f(*misfit))


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
    record = pt.lvector()
    q = BatchValues(PROBLEM, parallel)(theta, forcing, x0, record)
    gradients = pytensor.grad((q**2).sum(), [theta, forcing, x0])
    f = compiled([theta, forcing, x0, record], [q, *gradients], mode)
    assert ours(f) == [TapedValues, Sweep]
    values, by_theta, by_forcing, by_x0 = f(THETA, FORCING, X0, RECORD)
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
    if mode == "NUMBA":  # elsewhere an error
        for misfit in ((RECORD + 1, X0), (RECORD[::-1].copy(), X0), (RECORD, X0[:1])):
            found = f(THETA, FORCING, misfit[1], misfit[0])
            assert all(np.isnan(array).all() for array in found)


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


SINGLE = SimulatedValues(PROBLEM), (pt.dvector(), pt.dmatrix(), pt.dvector())
BATCH = BatchValues(PROBLEM), (pt.dtensor3(), pt.dmatrix(), pt.dtensor3(), pt.lvector())


@pytest.mark.parametrize(("op", "inputs"), [SINGLE, BATCH], ids=["single", "batch"])
def test_shapes_of_all_outputs_are_known_without_a_run(op, inputs):
    cotangent = op(*inputs).type()
    sizes = [(2, 3, 5), (60, 2), (2, 3, 5), (60,)] if len(inputs) == 4 else [(5,), (60, 2), (5,)]
    values = (2, 60, 1) if len(inputs) == 4 else (60, 1)
    jacobian = BatchJacobian if len(inputs) == 4 else SimulatedJacobian
    cases = {
        op: (inputs, [values]),
        jacobian(PROBLEM, initial=True): (inputs, [values, (*values, 10)]),
        Pullback(op): ((*inputs, cotangent), sizes[:3]),
        SecondOrder(op): ((*inputs, cotangent, *inputs[:3]), [*sizes[:3], values]),
        Sweep(op): ((*inputs, pt.dmatrix(), cotangent), sizes[:3]),
    }
    for each, (arguments, expected) in cases.items():
        more = {Sweep: [(9, 9), values]}.get(type(each), [values, *sizes[:3]])
        shapes = [*sizes, *more][: len(arguments)]
        found = each.infer_shape(None, each.make_node(*arguments), shapes)
        assert [tuple(int(getattr(n, "data", n)) for n in s) for s in found] == expected, each


def test_axes_of_the_gradients():
    op = SINGLE[0]
    assert Pullback(op).gufunc_signature == "(p),(t,f),(s),(t,o)->(p),(t,f),(s)"
    signature = "(p),(t,f),(s),(t,o),(p),(t,f),(s)->(p),(t,f),(s),(t,o)"
    assert SecondOrder(op).gufunc_signature == signature


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


FIXED = define_problem(MODEL, ("discharge",), 1.0, steps=2)
STORM = np.arange(60) // 20
OBSERVED = RUN.values * 1.2
V = np.arange(1.0, 6)


def likelihood(theta, factors):
    """Return the log-likelihood of Gaussian errors, the rain of each storm times a factor."""
    rain = SHORT[:, 0] * factors[STORM]
    forcing = pt.stack([rain, pt.constant(SHORT[:, 1])], axis=1)
    q = SimulatedValues(FIXED)(theta, forcing, MODEL.initial_state)
    return -0.5 * (((q - OBSERVED) / (0.1 + 0.2 * q)) ** 2).sum() - pt.log(0.1 + 0.2 * q).sum()


def richardson(gradient, at, sizes):
    def central(i, h):
        step = h * sizes * (np.arange(at.size) == i)
        return (gradient(at + step) - gradient(at - step)) / (2 * h * sizes[i])

    return np.array([(4 * central(i, 1e-5) - central(i, 2e-5)) / 3 for i in range(at.size)])


@pytest.mark.parametrize("mode", ["FAST_COMPILE", pytest.param("NUMBA", marks=pytest.mark.kernels)])
def test_hessian_of_a_gaussian_likelihood(mode):
    x, v = pt.dvector("x"), pt.dvector("v")
    logp = likelihood(x[:5], x[5:])
    product = hessian_vector_product(logp, x, v)
    f = compiled([x, v], [pytensor.grad(logp, x), product], mode)
    at = np.concatenate([MODEL.default, [0.9, 1.1, 1.0]])
    sizes = np.abs(at)
    found = np.array([f(at, e)[1] for e in np.eye(8)])
    expected = richardson(lambda x: f(x, np.zeros(8))[0], at, sizes)
    size = np.sqrt(np.abs(np.diag(expected)))
    error = np.abs(found - expected) / np.outer(size, size)
    assert error.max() < 1e-5
    np.testing.assert_allclose(found, found.T, rtol=1e-6, atol=1e-7 * np.abs(found).min())


@pytest.mark.kernels
def test_hessian_by_a_scan_and_forward_mode():
    x, v = pt.dvector("x"), pt.dvector("v")
    logp = likelihood(x, np.ones(3))
    gradient = pytensor.grad(logp, x)
    along = grad_of_products(gradient, x, v)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):  # also of the scan's inner graph
        matrix, product = compiled([x, v], [hessian(logp, x), along])(MODEL.default, V)
    np.testing.assert_allclose(product, matrix @ V, rtol=1e-7)


def grad_of_products(gradient, x, v):
    """Return the product of the gradient's Jacobian with v, as PyTensor makes forward mode."""
    u = pt.zeros_like(gradient)
    backward = pytensor.grad((gradient * u).sum(), x)
    return pytensor.grad((backward * v).sum(), u)


def test_second_order_of_a_batch():
    theta, direction, w = pt.dtensor3(), pt.dtensor3(), pt.dtensor3()
    q = BatchValues(PROBLEM)(theta, FORCING, X0, RECORD)
    gradient = pytensor.grad(None, theta, known_grads={q: w})
    product = pytensor.grad((gradient * direction).sum(), theta)
    values = np.ones((2, 120, 1))
    f = compiled([theta, direction, w], [product], "FAST_COMPILE")
    found = f(THETA, 0.1 * THETA, values)[0]
    for v, r, part, _ in single_runs(PROBLEM):
        arrays = THETA[v, r], FORCING[part], X0[v, r]
        along = 0.1 * THETA[v, r], 0 * FORCING[part], 0 * X0[v, r]
        expected = PROBLEM.second_order(*arrays, values[v, part], *along)
        np.testing.assert_allclose(found[v, r], expected[0], rtol=1e-12)


def test_products_with_a_vector():
    """By the cotangent, exactly by columns, or along the forcing."""
    inputs, q = graph()
    w, v = pt.dmatrix("w"), pt.dvector("v")
    by_theta, by_forcing = pytensor.grad(None, list(inputs[:2]), known_grads={q: w})
    products = [
        pytensor.grad((by_theta * v).sum(), w),
        pytensor.grad((by_forcing * SHORT).sum(), w),
    ]
    f = compiled([*inputs, w, v], products, "FAST_COMPILE")
    found, along = f(*ARRAYS, np.ones((60, 1)), V)
    run = PROBLEM.run(*ARRAYS, sensitivities=True)
    np.testing.assert_allclose(found, run.jacobian @ V, rtol=1e-10)
    expected = PROBLEM.sweep(*ARRAYS, TAPE, np.ones((60, 1)))[1]
    assert along.sum() == pytest.approx((expected * SHORT).sum(), rel=1e-7)
    still = PROBLEM.second_order(*ARRAYS, np.ones((60, 1)), *(0 * a for a in ARRAYS))
    assert not any(change.any() for change in still)  # along no direction, and not NaN


def test_failures_and_third_derivatives():
    inputs, q = graph()
    gradient = pytensor.grad((q**2).sum(), inputs[0])
    second = pytensor.grad(gradient.sum(), inputs[0])
    theta = MODEL.default.copy()
    theta[0] = -1
    f = compiled(list(inputs), [second], "FAST_COMPILE")
    assert np.isnan(f(theta, *ARRAYS[1:])[0]).all()
    with pytest.raises(NullTypeGradError, match="third derivatives"):
        pytensor.grad(second.sum(), inputs[0])
