"""JAX implementation of the Ops: a callback to the compiled kernel, with its own derivative.

A callback returns arrays of a size that is known before it runs, and no tape has one. So the sweep
integrates again inside its callback.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero, linear_call
from pytensor.link.jax.dispatch import jax_funcify

from pymc_hydro.ops.batch import BatchJacobian, BatchValues
from pymc_hydro.ops.losses import LossesOfBasins
from pymc_hydro.ops.reverse import Sweep, TapedValues
from pymc_hydro.ops.simulation import (
    NO_SECOND_DERIVATIVE,
    Pullback,
    SecondOrder,
    SimulatedJacobian,
    SimulatedValues,
)

NO_FORCING_TANGENT = (
    "the product of the Jacobian by the forcing with a vector (forward mode) is not offered in "
    "JAX; use reverse mode, or another linker of PyTensor"
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
    """Return a JAX function of an Op: by the forcing it is differentiable in reverse mode alone."""
    problem = op.problem

    @jax.custom_jvp
    def simulated_values(*arguments):
        return _call(op, False, False, *arguments)[0]

    def rule(primals, tangents):
        by_parameters, by_forcing, by_state = tangents[:3]
        if not isinstance(by_forcing, SymbolicZero):
            values = _call(op, False, False, *primals)[0]
            return values, _transposable(op, values, primals, tangents[:3])
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


def _transposable(op, values, primals, tangents):
    """Return the product of Jacobian and tangents, for which only the transpose is known."""
    places = [i for i, t in enumerate(tangents) if not isinstance(t, SymbolicZero)]

    def refused(*arguments):
        raise NotImplementedError(NO_FORCING_TANGENT)

    def forward(primals, tangents):
        specification = jax.ShapeDtypeStruct(values.shape, jnp.float64)
        return jax.pure_callback(refused, specification, *tangents, vmap_method="sequential")

    def back(primals, cotangent):
        found = _pull_back(op, *primals, cotangent)
        return tuple(found[i] for i in places)

    return linear_call(forward, back, tuple(primals), tuple(tangents[i] for i in places))


def _pull_back(values, *arguments):
    """Integrate and sweep back from inside JAX; returns the cotangents of the first three."""
    arguments = [
        jnp.asarray(a, dtype=None if i == 3 and len(arguments) == 5 else jnp.float64)
        for i, a in enumerate(arguments)
    ]

    def run(*arrays):
        *inputs, cotangent = map(np.asarray, arrays)
        return values.swept(*inputs, values.taped(*inputs)[1], cotangent)

    specification = tuple(jax.ShapeDtypeStruct(a.shape, jnp.float64) for a in arguments[:3])
    return jax.pure_callback(run, specification, *arguments, vmap_method="sequential")


@jax_funcify.register(Pullback)
def funcify_pullback(op, node=None, **kwargs):
    """Return a JAX function of an Op."""
    return lambda *arguments: _pull_back(op.values, *arguments)


@jax_funcify.register(SecondOrder)
def funcify_second_order(op, node=None, **kwargs):
    """Return a JAX function of an Op."""
    labelled = isinstance(op.values, BatchValues)

    def second_order(*arguments):
        arguments = [
            jnp.asarray(a, dtype=None if labelled and i == 3 else jnp.float64)
            for i, a in enumerate(arguments)
        ]
        specification = tuple(
            jax.ShapeDtypeStruct(a.shape, jnp.float64) for a in (*arguments[:3], arguments[-4])
        )
        return jax.pure_callback(
            lambda *arrays: op.values.swept_along(*map(np.asarray, arrays)),
            specification,
            *arguments,
            vmap_method="sequential",
        )

    return second_order


@jax_funcify.register(TapedValues)
def funcify_taped_values(op, node=None, **kwargs):
    """Return a JAX function of an Op; the tape is empty."""

    def taped_values(*arguments):
        return _call(op.values, False, False, *arguments)[0], jnp.zeros((0, 1))

    return taped_values


@jax_funcify.register(Sweep)
def funcify_sweep(op, node=None, **kwargs):
    """Return a JAX function of an Op, which makes its own tape."""

    def sweep(*arguments):
        *inputs, _, cotangent = arguments
        return _pull_back(op.values, *inputs, cotangent)

    return sweep


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


@jax_funcify.register(LossesOfBasins)
def funcify_losses(op, node=None, **kwargs):
    """Return a JAX function of an Op, once differentiable."""
    n, n_parameter = len(op.losses.names), len(op.problem.model.parameters)
    shapes = (n,), (n, n_parameter)
    specification = tuple(jax.ShapeDtypeStruct(shape, jnp.float64) for shape in shapes)

    def call(theta):
        argument = jnp.asarray(theta, dtype=jnp.float64)
        return jax.pure_callback(
            lambda t: op.losses(np.asarray(t)), specification, argument, vmap_method="sequential"
        )

    losses_of_basins = jax.custom_jvp(call)

    @losses_of_basins.defjvp
    def rule(primals, tangents):
        losses, gradients = call(*primals)
        change = (gradients * tangents[0]).sum(axis=-1)
        # Second derivatives are not offered: NaN where they are used.
        return (losses, gradients), (change, jnp.nan * tangents[0])

    return losses_of_basins
