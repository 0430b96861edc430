"""JAX implementation of the Ops: a callback to the compiled kernel, with its own derivative."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from pytensor.link.jax.dispatch import jax_funcify

from pymc_hydro.ops.simulation import (
    NO_FORCING_GRADIENT,
    NO_SECOND_DERIVATIVE,
    SimulatedJacobian,
    SimulatedValues,
)


def _call(problem, initial, sensitivities, parameters, forcing, initial_state):
    """Run the kernel from inside JAX; returns values, or values and Jacobian."""
    n_time, n_output = forcing.shape[-2], len(problem.outputs)
    shapes = [(n_time, n_output)]
    if sensitivities:
        shapes.append((n_time, n_output, problem.n_columns(initial)))

    def run(*arguments):
        arrays = [np.asarray(a, dtype=np.float64) for a in arguments]
        result = problem.run(*arrays, sensitivities=sensitivities, initial=initial)
        return (result.values, result.jacobian)[: len(shapes)]

    specification = tuple(jax.ShapeDtypeStruct(s, jnp.float64) for s in shapes)
    arguments = [jnp.asarray(a, dtype=jnp.float64) for a in (parameters, forcing, initial_state)]
    return jax.pure_callback(run, specification, *arguments, vmap_method="sequential")


@jax_funcify.register(SimulatedValues)
def funcify_values(op, node=None, **kwargs):
    """Return a JAX function of an Op, differentiable by parameters and initial state."""
    problem = op.problem

    @jax.custom_jvp
    def simulated_values(parameters, forcing, initial_state):
        return _call(problem, False, False, parameters, forcing, initial_state)[0]

    def rule(primals, tangents):
        by_parameters, by_forcing, by_state = tangents
        if not isinstance(by_forcing, SymbolicZero):
            raise NotImplementedError(NO_FORCING_GRADIENT)
        initial = not isinstance(by_state, SymbolicZero)
        values, jacobian = _call(problem, initial, True, *primals)
        if not isinstance(by_parameters, SymbolicZero):
            by_parameters = by_parameters[jnp.array(problem.columns)]
        parts = [t for t in (by_parameters, by_state) if not isinstance(t, SymbolicZero)]
        n = len(problem.columns)
        columns = jacobian if len(parts) == 2 else jacobian[..., n:] if initial else jacobian
        return values, columns @ jnp.concatenate(parts)

    simulated_values.defjvp(rule, symbolic_zeros=True)
    return simulated_values


@jax_funcify.register(SimulatedJacobian)
def funcify_jacobian(op, node=None, **kwargs):
    """Return a JAX function of an Op; it is a derivative already and has none itself."""
    problem, initial = op.problem, op.initial

    @jax.custom_jvp
    def simulated_jacobian(parameters, forcing, initial_state):
        return _call(problem, initial, True, parameters, forcing, initial_state)

    def rule(primals, tangents):
        raise NotImplementedError(NO_SECOND_DERIVATIVE)

    simulated_jacobian.defjvp(rule)
    return simulated_jacobian
