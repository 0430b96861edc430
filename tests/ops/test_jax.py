import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from pymc_hydro.ops import SimulatedJacobian
from pymc_hydro.testing.checks import draw_parameters
from tests.ops.test_ops import FORCING, MODEL, OP, PROBLEM, RUN

jax = pytest.importorskip("jax")


def jax_function(graph_output, *inputs):
    """Return the JAX function of a graph, as samplers that differentiate with JAX see it."""
    from pytensor.graph.fg import FunctionGraph
    from pytensor.link.jax.dispatch import jax_funcify

    return jax_funcify(FunctionGraph(list(inputs), [graph_output], clone=True))


def scalar():
    theta, x0 = pt.dvector("theta"), pt.dvector("x0")
    loss = (OP(theta, pt.constant(FORCING), x0) ** 2).sum()
    return loss, theta, x0


def test_compiled_value_and_gradient():
    loss, theta, x0 = scalar()
    f = pytensor.function([theta, x0], [loss, pytensor.grad(loss, theta)], mode="JAX")
    value, gradient = f(MODEL.default, MODEL.initial_state)
    assert float(value) == pytest.approx((RUN.values**2).sum(), rel=1e-12)
    expected = np.einsum("to,top->p", 2 * RUN.values, RUN.jacobian)
    np.testing.assert_allclose(gradient, expected, rtol=1e-10)


def test_jax_differentiates_in_both_modes_and_by_the_initial_state():
    f = jax_function(*scalar())
    run = PROBLEM.run(MODEL.default, FORCING, MODEL.initial_state, sensitivities=True, initial=True)
    expected = np.einsum("to,top->p", 2 * run.values, run.jacobian)
    n = len(MODEL.parameters)

    def value(theta, x0):
        return f(theta, x0)[0]

    for transform in (jax.grad, jax.jacfwd):
        by_theta, by_state = transform(value, argnums=(0, 1))(MODEL.default, MODEL.initial_state)
        np.testing.assert_allclose(by_theta, expected[:n], rtol=1e-8)
        np.testing.assert_allclose(by_state, expected[n:], rtol=1e-8)


def test_jit_and_vmap(rng):
    f = jax_function(*scalar())
    gradient = jax.jit(jax.vmap(jax.grad(lambda theta: f(theta, MODEL.initial_state)[0])))
    draws = draw_parameters(MODEL, rng, 3)
    for row, found in zip(draws, gradient(draws), strict=True):
        run = PROBLEM.run(row, FORCING, MODEL.initial_state, sensitivities=True)
        expected = np.einsum("to,top->p", 2 * run.values, run.jacobian)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_by_the_forcing_in_reverse_mode_alone():
    theta, forcing = pt.dvector("theta"), pt.tensor("forcing", shape=FORCING.shape, dtype="float64")
    loss = (OP(theta, forcing, MODEL.initial_state) ** 2).sum()
    f = jax_function(loss, theta, forcing)
    arrays = MODEL.default, FORCING, MODEL.initial_state
    run, tape = PROBLEM.taped_run(*arrays)
    expected = PROBLEM.sweep(*arrays, tape, 2 * run.values)
    gradient = jax.jit(jax.grad(lambda t, u: f(t, u)[0], argnums=(0, 1)))
    for found, wanted in zip(gradient(MODEL.default, FORCING), expected, strict=False):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)
    f = pytensor.function([theta, forcing], pytensor.grad(loss, forcing), mode="JAX")
    np.testing.assert_allclose(f(*arrays[:2]), expected[1], rtol=1e-9, atol=1e-12)
    g = jax_function(loss, theta, forcing)
    with pytest.raises(Exception, match="by the forcing"):
        jax.jvp(lambda u: g(MODEL.default, u)[0], (FORCING,), (FORCING,))[1].block_until_ready()


def test_refusals():
    theta, x0 = pt.dvector("theta"), pt.dvector("x0")
    jacobian = SimulatedJacobian(PROBLEM)(theta, pt.constant(FORCING), x0)[1]
    g = jax_function(jacobian.sum(), theta, x0)
    with pytest.raises(NotImplementedError, match="second derivatives"):
        jax.jacfwd(lambda t: g(t, MODEL.initial_state)[0])(MODEL.default)
