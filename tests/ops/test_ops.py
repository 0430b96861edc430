import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import NullTypeGradError
from pytensor.graph.replace import vectorize_graph

import pymc_hydro as ph
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.ops import SimulatedJacobian, SimulatedValues
from pymc_hydro.testing.checks import draw_parameters
from tests.conftest import FORCINGS

MODEL = ph.Hymod()
PROBLEM = define_problem(MODEL, ("discharge",), 1.0)
OP = SimulatedValues(PROBLEM)
FORCING = forcing_array(MODEL, FORCINGS["cold"])
RUN = PROBLEM.run(MODEL.default, FORCING, MODEL.initial_state, sensitivities=True)
MODES = ["FAST_COMPILE", "NUMBA", "CVM"]

pytestmark = pytest.mark.usefixtures("compiled")


def graph():
    theta, x0 = pt.dvector("theta"), pt.dvector("x0")
    return theta, x0, OP(theta, pt.constant(FORCING), x0)


def simulations(function):
    """Return the simulations in a compiled function, also those inside Blockwise."""
    ops = [getattr(n.op, "core_op", n.op) for n in function.maker.fgraph.toposort()]
    return [op for op in ops if isinstance(op, (SimulatedValues, SimulatedJacobian))]


def compiled(inputs, outputs, mode=None):
    return pytensor.function(inputs, outputs, mode=mode, on_unused_input="ignore")


@pytest.mark.parametrize("mode", MODES)
def test_value_and_gradient_come_from_one_integration(mode):
    theta, x0, q = graph()
    loss = (q**2).sum()
    f = compiled([theta, x0], [loss, pytensor.grad(loss, theta)], mode)
    assert simulations(f) == [SimulatedJacobian(PROBLEM)]
    value, gradient = f(MODEL.default, MODEL.initial_state)
    assert value == pytest.approx((RUN.values**2).sum(), rel=1e-13)
    expected = np.einsum("to,top->p", 2 * RUN.values, RUN.jacobian)
    np.testing.assert_allclose(gradient, expected, rtol=1e-11)


@pytest.mark.parametrize("mode", MODES)
def test_value_only_has_no_sensitivities(mode):
    theta, x0, q = graph()
    f = compiled([theta, x0], [q], mode)
    assert simulations(f) == [OP]
    expected = PROBLEM.run(MODEL.default, FORCING, MODEL.initial_state).values
    np.testing.assert_array_equal(f(MODEL.default, MODEL.initial_state)[0], expected)


@pytest.mark.parametrize("mode", MODES)
def test_gradient_with_respect_to_the_initial_state(mode):
    theta, x0, q = graph()
    loss = q.sum()
    f = compiled([theta, x0], [loss, *pytensor.grad(loss, [theta, x0])], mode)
    assert simulations(f) == [SimulatedJacobian(PROBLEM, initial=True)]
    start = MODEL.initial_state + 10
    run = PROBLEM.run(MODEL.default, FORCING, start, sensitivities=True, initial=True)
    _, by_theta, by_state = f(MODEL.default, start)
    np.testing.assert_allclose(np.append(by_theta, by_state), run.jacobian.sum((0, 1)), rtol=1e-11)


@pytest.mark.parametrize("op", [OP, SimulatedJacobian(PROBLEM)], ids=["values", "jacobian"])
@pytest.mark.parametrize("method", ["pullback", "L_op", "grad"])
def test_the_gradient_has_every_name(op, method):
    node = op.make_node(pt.dvector(), pt.constant(FORCING), pt.dvector())
    cotangent = pt.constant(np.ones_like(RUN.values))
    cotangents = [cotangent]
    if len(node.outputs) > 1:
        from pytensor.gradient import disconnected_type

        cotangents.append(disconnected_type())
    middle = () if method == "grad" else (node.outputs,)
    found = getattr(op, method)(node.inputs, *middle, cotangents)[0]
    value = found.eval({node.inputs[0]: MODEL.default, node.inputs[2]: MODEL.initial_state})
    np.testing.assert_allclose(value, RUN.jacobian.sum((0, 1)), rtol=1e-11)


def test_the_jacobian_has_no_derivative():
    theta, forcing, x0 = pt.dvector(), pt.dmatrix(), pt.dvector()
    jacobian = SimulatedJacobian(PROBLEM)(theta, forcing, x0)[1]
    with pytest.raises(NullTypeGradError, match="and not of this node"):
        pytensor.grad(jacobian.sum(), theta)


def test_two_outputs_share_one_integration():
    problem = define_problem(MODEL, ("discharge", "swe"), 1.0)
    theta = pt.dvector()
    values = SimulatedValues(problem)(theta, FORCING, MODEL.initial_state)
    loss = values[:, 0].sum() + (values[:, 1] ** 2).sum()
    f = compiled([theta], [loss, pytensor.grad(loss, theta)])
    assert len(simulations(f)) == 1
    run = problem.run(MODEL.default, FORCING, MODEL.initial_state, sensitivities=True)
    expected = run.jacobian[:, 0].sum(0) + (2 * run.values[:, 1]) @ run.jacobian[:, 1]
    np.testing.assert_allclose(f(MODEL.default)[1], expected, rtol=1e-10)


def test_vectorised_over_parameters(rng):
    theta, x0, q = graph()
    loss = (q**2).sum()
    gradient = pytensor.grad(loss, theta)
    many = pt.dmatrix("many")
    outputs = vectorize_graph([q, loss, gradient], replace={theta: many})
    f = compiled([many, x0], outputs)
    assert len(simulations(f)) == 1
    draws = draw_parameters(MODEL, rng, 3)
    values, losses, gradients = f(draws, MODEL.initial_state)
    for i, row in enumerate(draws):
        run = PROBLEM.run(row, FORCING, MODEL.initial_state, sensitivities=True)
        np.testing.assert_allclose(values[i], run.values, rtol=1e-12)
        np.testing.assert_allclose(losses[i], (run.values**2).sum(), rtol=1e-12)
        expected = np.einsum("to,top->p", 2 * run.values, run.jacobian)
        np.testing.assert_allclose(gradients[i], expected, rtol=1e-10)
    # The gradient of the vectorised graph, taken afterwards.
    f = compiled([many, x0], [pytensor.grad(outputs[1].sum(), many)])
    np.testing.assert_allclose(f(draws, MODEL.initial_state)[0], gradients, rtol=1e-10)


def test_identity_and_pickle():
    assert pickle.loads(pickle.dumps(OP)) == OP
    assert hash(pickle.loads(pickle.dumps(OP))) == hash(OP)
    assert define_problem(MODEL, ("discharge",), 1.0, rtol=1e-3) != PROBLEM
    assert SimulatedValues(define_problem(MODEL, ("discharge",), 1 / 24)) != OP
    assert str(OP) == "SimulatedValues(Hymod: discharge)"


def test_key_of_the_numba_cache_changes_with_the_kernel(monkeypatch):
    """PyTensor hashes props: another text of the same model must give other props."""
    from pymc_hydro.engine import compile as kernels
    from pymc_hydro.engine.codegen import step

    monkeypatch.setattr(step, "SAFETY", 0.7)
    kernels._text.cache_clear()
    changed = SimulatedValues(PROBLEM)
    monkeypatch.undo()
    kernels._text.cache_clear()
    assert changed != OP and changed.content != OP.content
    assert SimulatedValues(PROBLEM) == OP


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (pt.dmatrix(), pt.dmatrix(), pt.dvector()),
            r"parameters must have shape \(n_parameter\)",
        ),
        (
            (np.ones(3), pt.dmatrix(), pt.dvector()),
            r"parameters must have 7 parameter entries .*found 3",
        ),
        (
            (pt.dvector(), np.ones((9, 2)), pt.dvector()),
            "3 forcing entries .precipitation, potential_evap",
        ),
        ((pt.dvector(), pt.dmatrix(), pt.zvector()), "initial_state must be real"),
    ],
)
def test_inputs_that_do_not_fit(arguments, message):
    with pytest.raises(TypeError, match=message):
        OP(*arguments)


def test_shape_is_known_without_a_run():
    forcing = pt.dmatrix()
    f = compiled([forcing], [OP(MODEL.default, forcing, MODEL.initial_state).shape[0]])
    assert not simulations(f) and f(FORCING)[0] == len(FORCING)


def test_a_failed_run_is_nan_in_a_graph():
    problem = define_problem(MODEL, ("discharge",), 1.0, steps=1, solver="heun")
    theta = np.array([50, 1, 0.5, 0.1, 1, 0, 3.0])
    dry = forcing_array(MODEL, FORCINGS["dry"])
    for mode in ("NUMBA", "CVM"):
        x = pt.dvector()
        values = SimulatedValues(problem)(x, dry, MODEL.initial_state)
        gradient = pytensor.grad(values.sum(), x)
        values, gradient = compiled([x], [values, gradient], mode)(theta)
        # All of it, also before the failure: no part of a failed run is a simulation.
        assert np.isnan(values).all() and np.isnan(gradient).any()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_parameters_that_are_not_numbers_end_in_nan(value):
    """A sampler may try anything: the run must end, and must not return a number."""
    for i in range(len(MODEL.parameters)):
        theta = MODEL.default.copy()
        theta[i] = value
        run = PROBLEM.run(theta, FORCING, MODEL.initial_state, sensitivities=True)
        if run.status or not np.isfinite(value):
            assert run.status and np.isnan(run.values).all(), MODEL.parameter_names[i]


def test_numba_needs_no_object_mode(recwarn):
    theta, x0, q = graph()
    compiled([theta, x0], [q.sum(), pytensor.grad(q.sum(), theta)], "NUMBA")
    assert not [w for w in recwarn if "object mode" in str(w.message)]


def test_constants_of_a_graph_need_no_kernel_of_their_own():
    """Read-only arrays are another type for Numba, which would compile the kernel once more."""
    theta, forcing, x0 = pt.dvector(), pt.dmatrix(), pt.dvector()
    arguments = (MODEL.default, FORCING, MODEL.initial_state)
    compiled([theta], [OP(theta, FORCING, MODEL.initial_state)], "NUMBA")(MODEL.default)
    compiled([theta, forcing, x0], [OP(theta, forcing, x0)], "NUMBA")(*arguments)
    PROBLEM.run(*arguments)
    assert len(PROBLEM.kernel().function.signatures) == 1


@pytest.mark.parametrize("mode", ["NUMBA", "CVM"])
def test_fixed_parameters_have_no_columns(mode):
    free = ("K_s", "S_umax")
    problem = define_problem(MODEL, ("discharge",), 1.0, steps=4, free=free)
    theta = pt.dvector()
    total = SimulatedValues(problem)(theta, FORCING, MODEL.initial_state).sum()
    found = compiled([theta], [pytensor.grad(total, theta)], mode)(MODEL.default)[0]
    problem = define_problem(MODEL, ("discharge",), 1.0, steps=4)
    run = problem.run(MODEL.default, FORCING, MODEL.initial_state, sensitivities=True)
    places = [MODEL.parameter_names.index(name) for name in free]
    np.testing.assert_allclose(found[places], run.jacobian.sum((0, 1))[places], rtol=1e-12)
    assert np.isnan(np.delete(found, places)).all()  # refused, and not zero
