"""JAX implementation of the Ops: a callback to the compiled kernel, with its own derivative."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from pytensor.link.jax.dispatch import jax_funcify

from pymc_hydro.ops.batch import BatchJacobian, BatchValues
from pymc_hydro.ops.simulation import (
    NO_FORCING_GRADIENT,
    NO_SECOND_DERIVATIVE,
    SimulatedJacobian,
    SimulatedValues,
)


def _call(op, initial, sensitivities, parameters, forcing, initial_state, *record):
    """Run the kernel from inside JAX; returns values, or values and Jacobian."""
    problem = op.problem
    shape = (*parameters.shape[:-2], forcing.shape[-2], len(problem.outputs))
    shapes = [shape, (*shape, problem.n_columns(initial))][: 1 + sensitivities]

    def run(*arguments):
        arrays = [np.asarray(a) for a in arguments]
        result = op.run(*arrays, sensitivities=sensitivities, initial=initial)
        return (result.values, result.jacobian)[: len(shapes)]

    specification = tuple(jax.ShapeDtypeStruct(s, jnp.float64) for s in shapes)
    arguments = [jnp.asarray(a, dtype=jnp.float64) for a in (parameters, forcing, initial_state)]
    return jax.pure_callback(run, specification, *arguments, *record, vmap_method="sequential")


@jax_funcify.register(SimulatedValues)
@jax_funcify.register(BatchValues)
def funcify_values(op, node=None, **kwargs):
    """Return a JAX function of an Op, differentiable by parameters and initial state."""
    problem = op.problem

    @jax.custom_jvp
    def simulated_values(*arguments):
        return _call(op, False, False, *arguments)[0]

    def rule(primals, tangents):
        by_parameters, by_forcing, by_state = tangents[:3]
        if not isinstance(by_forcing, SymbolicZero):
            raise NotImplementedError(NO_FORCING_GRADIENT)
        initial = not isinstance(by_state, SymbolicZero)
        values, jacobian = _call(op, initial, True, *primals)
        if not isinstance(by_parameters, SymbolicZero):
            by_parameters = by_parameters[..., jnp.array(problem.columns)]
        parts = [t for t in (by_parameters, by_state) if not isinstance(t, SymbolicZero)]
        n = len(problem.columns)
        columns = jacobian if len(parts) == 2 else jacobian[..., n:] if initial else jacobian
        return values, _product(columns, jnp.concatenate(parts, axis=-1), *primals[3:])

    simulated_values.defjvp(rule, symbolic_zeros=True)
    return simulated_values


def _product(columns, tangent, record=None):
    """Return the product of Jacobian and tangent, which each record has its own of."""
    if record is None:
        return columns @ tangent
    return jnp.einsum("vtoc,vtc->vto", columns, tangent[:, record])


@jax_funcify.register(SimulatedJacobian)
@jax_funcify.register(BatchJacobian)
def funcify_jacobian(op, node=None, **kwargs):
    """Return a JAX function of an Op; it is a derivative already and has none itself."""

    @jax.custom_jvp
    def simulated_jacobian(*arguments):
        return _call(op, op.initial, True, *arguments)

    def rule(primals, tangents):
        raise NotImplementedError(NO_SECOND_DERIVATIVE)

    simulated_jacobian.defjvp(rule)
    return simulated_jacobian
