import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import NullTypeGradError
from pytensor.graph.replace import vectorize_graph

import pymc_hydro as ph
from pymc_hydro.engine.batch import record_bounds
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.ops import BatchJacobian, BatchValues, batch
from pymc_hydro.testing.checks import draw_parameters
from tests.ops.test_ops import compiled

MODEL = ph.Hymod(snow=False)
PROBLEM = define_problem(MODEL, ("discharge",), 1.0)
OP = BatchValues(PROBLEM)
FORCING = forcing_array(MODEL, ph.load_basin("leaf_river"))[150:270]
RECORD = np.repeat([0, 1, 2], [50, 12, 58])
BOUNDS = record_bounds(RECORD, 3)
N_STATE = len(MODEL.stores)
WEIGHT = np.random.default_rng(1).uniform(1, 2, (2, 120, 1))
THETA = draw_parameters(MODEL, np.random.default_rng(2), 6).reshape(2, 3, -1)
X0 = np.random.default_rng(3).uniform(0, 9, (2, 3, N_STATE))
MODES = ["FAST_COMPILE", "NUMBA", "CVM"]

pytestmark = pytest.mark.usefixtures("compiled")


def single_runs(problem=PROBLEM, theta=THETA, **options):
    """Return each record's run, and where its results belong."""
    for v in range(2):
        for r in range(3):
            part = slice(*BOUNDS[r : r + 2])
            yield v, r, part, problem.run(theta[v, r], FORCING[part], X0[v, r], **options)


def expected_gradient(initial):
    found = np.empty((2, 3, PROBLEM.n_columns(initial)))
    for v, r, part, run in single_runs(sensitivities=True, initial=initial):
        found[v, r] = np.einsum("to,top->p", 2 * WEIGHT[v, part] * run.values, run.jacobian)
    return found


def graph(op=OP):
    theta, x0 = pt.dtensor3("theta"), pt.dtensor3("x0")
    return theta, x0, op(theta, pt.constant(FORCING), x0, RECORD)


def batches(function):
    ops = [getattr(n.op, "core_op", n.op) for n in function.maker.fgraph.toposort()]
    return [op for op in ops if isinstance(op, (BatchValues, BatchJacobian))]


@pytest.mark.parametrize("mode", MODES)
def test_values_are_those_of_single_runs_bit_for_bit(mode):
    theta, x0, q = graph()
    f = compiled([theta, x0], [q], mode)
    assert batches(f) == [OP]
    values = f(THETA, X0)[0]
    for v, _, part, run in single_runs():
        np.testing.assert_array_equal(values[v, part], run.values)


@pytest.mark.parametrize("mode", MODES)
def test_value_and_gradients_come_from_one_integration(mode):
    theta, x0, q = graph()
    loss = (WEIGHT * q**2).sum()
    f = compiled([theta, x0], [q, pytensor.grad(loss, theta)], mode)
    assert batches(f) == [BatchJacobian(PROBLEM)]
    values, gradient = f(THETA, X0)
    for v, _, part, run in single_runs(sensitivities=True):
        np.testing.assert_array_equal(values[v, part], run.values)
    np.testing.assert_allclose(gradient, expected_gradient(False), rtol=1e-11)
    f = compiled([theta, x0], [loss, *pytensor.grad(loss, [theta, x0])], mode)
    assert batches(f) == [BatchJacobian(PROBLEM, initial=True)]
    by_both = np.concatenate(f(THETA, X0)[1:], axis=-1)
    np.testing.assert_allclose(by_both, expected_gradient(True), rtol=1e-11)


def test_gradient_against_richardson_differences():
    """By a direction in which every parameter of every record moves by its own share."""
    problem = define_problem(MODEL, ("discharge",), 1.0, rtol=1e-10, atol=1e-10)
    theta, x0, q = graph(BatchValues(problem))
    loss = (WEIGHT * q**2).sum()
    f = compiled([theta, x0], [loss, *pytensor.grad(loss, [theta, x0])])
    rng = np.random.default_rng(4)
    of_theta = THETA * rng.uniform(-1, 1, THETA.shape)
    of_x0 = rng.uniform(-1, 1, X0.shape)
    _, by_theta, by_x0 = f(THETA, X0)

    def central(h):
        ends = [f(THETA + s * h * of_theta, X0 + s * h * of_x0)[0] for s in (1, -1)]
        return (ends[0] - ends[1]) / (2 * h)

    richardson = (4 * central(5e-4) - central(1e-3)) / 3
    assert (by_theta * of_theta).sum() + (by_x0 * of_x0).sum() == pytest.approx(
        richardson, rel=1e-6
    )


def test_numba_in_parallel_is_the_same():
    found = []
    for parallel in (False, True):
        theta, x0, q = graph(BatchValues(PROBLEM, parallel))
        gradient = pytensor.grad((WEIGHT * q**2).sum(), theta)
        for mode in ("NUMBA", "CVM"):
            found.append(compiled([theta, x0], [q, gradient], mode)(THETA, X0))
    for values, gradient in found[1:]:
        np.testing.assert_array_equal(values, found[0][0])
        np.testing.assert_allclose(gradient, found[0][1], rtol=1e-13)


def test_a_failed_record_is_nan_and_no_other():
    problem = define_problem(MODEL, ("discharge",), 1.0, steps=2, solver="heun")
    draws = np.broadcast_to(MODEL.default, THETA.shape).copy()
    draws[1, 0] = [5, 10, 0.5, 0.1, 1.0]
    failed = np.zeros((2, 3), bool)
    failed[1, 0] = True
    for mode in ("NUMBA", "CVM"):
        theta, x0, q = graph(BatchValues(problem))
        gradient = pytensor.grad(q.sum(), theta)
        values, gradient = compiled([theta, x0], [q, gradient], mode)(draws, X0)
        for v, r, part, run in single_runs(problem, draws, sensitivities=True):
            assert (run.status != 0) == failed[v, r]
            np.testing.assert_array_equal(values[v, part], run.values)
            assert np.isnan(gradient[v, r]).any() == failed[v, r]


def test_fixed_parameters_have_no_columns():
    problem = define_problem(MODEL, ("discharge",), 1.0, solver="tr_bdf2", free=("K_s", "beta"))
    theta, x0, q = graph(BatchValues(problem))
    gradient = compiled([theta, x0], [pytensor.grad(q.sum(), theta)])(THETA, X0)[0]
    for v, r, _, run in single_runs(problem, sensitivities=True):
        np.testing.assert_allclose(gradient[v, r, [3, 1]], run.jacobian.sum((0, 1)), rtol=1e-12)
    assert np.isnan(gradient[..., [0, 2, 4]]).all()


def test_vectorised_over_another_axis():
    theta, x0, q = graph()
    many = pt.dtensor4()
    f = compiled([many, x0], vectorize_graph([q], replace={theta: many}))
    values = f(np.stack([THETA, THETA[::-1]]), np.zeros_like(X0))[0]
    assert values.shape == (2, 2, 120, 1)
    np.testing.assert_array_equal(values[0], values[1, ::-1])


def test_identity_pickle_and_shape():
    assert pickle.loads(pickle.dumps(OP)) == OP and str(OP) == "BatchValues(Hymod: discharge)"
    assert BatchValues(PROBLEM, True) != OP
    theta, x0, q = graph()
    f = compiled([theta, x0], [q.shape])
    assert not batches(f) and f(THETA, X0)[0].tolist() == [2, 120, 1]


def test_refusals():
    theta, forcing, x0 = pt.dtensor3(), pt.dmatrix(), pt.dtensor3()
    jacobian = BatchJacobian(PROBLEM)(theta, forcing, x0, RECORD)[1]
    with pytest.raises(NullTypeGradError, match="and not of this node"):
        pytensor.grad(jacobian.sum(), theta)
    with pytest.raises(TypeError, match="record must be integers"):
        OP(theta, forcing, x0, np.ones(3))
    with pytest.raises(TypeError, match=r"shape \(n_vector, n_record, n_parameter\), found 2"):
        OP(THETA[0], forcing, x0, RECORD)


def test_jax():
    jax = pytest.importorskip("jax")
    from tests.ops.test_jax import jax_function

    theta, x0, q = graph()
    loss = (WEIGHT * q**2).sum()
    f = pytensor.function([theta, x0], [q, *pytensor.grad(loss, [theta, x0])], mode="JAX")
    values, *gradients = f(THETA, X0)
    for v, _, part, run in single_runs(sensitivities=True, initial=True):
        np.testing.assert_array_equal(np.asarray(values)[v, part], run.values)
    expected = expected_gradient(True)
    np.testing.assert_allclose(np.concatenate(gradients, axis=-1), expected, rtol=1e-10)
    g = jax_function(loss, theta, x0)
    for transform in (jax.grad, jax.jacfwd):
        found = transform(lambda t, x: g(t, x)[0], argnums=(0, 1))(THETA, X0)
        np.testing.assert_allclose(np.concatenate(found, axis=-1), expected, rtol=1e-8)
    # JAX's arrays are read-only, a type for which Numba would compile the kernel once more.
    assert len(PROBLEM.kernel(True).function.signatures) == 1


@pytest.mark.parametrize("parallel", [False, True])
def test_only_a_parallel_node_asks_for_more_than_one_thread(parallel, monkeypatch):
    asked, run = [], batch.run_batch

    def noted(*arguments, threads, **options):
        asked.append(threads)
        return run(*arguments, threads=threads, **options)

    monkeypatch.setattr(batch, "run_batch", noted)
    theta, x0, q = graph(BatchValues(PROBLEM, parallel))
    gradient = pytensor.grad(q.sum(), theta)
    pytensor.function([theta, x0], [q, gradient], mode="FAST_COMPILE")(THETA, X0)
    assert set(asked) == {None if parallel else 1}
