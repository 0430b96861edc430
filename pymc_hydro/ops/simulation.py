"""The Ops of a model: values, values with their Jacobian, and the pullback of the values.

The gradient of the first is a pullback: the cotangents of all inputs. A pullback does not know
which of them will be wanted. :mod:`pymc_hydro.ops.rewrites` knows, and puts in its place the
product of the cotangent with the Jacobian, or a sweep back in time; and where several nodes stand
on equal inputs it leaves one of them, so that value and gradient come from one integration.
"""

import re
from abc import abstractmethod

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import (
    DisconnectedType,
    disconnected_type,
    grad,
    grad_not_implemented,
    grad_undefined,
)
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from pymc_hydro.engine.problem import Problem
from pymc_hydro.ops.fit import check_inputs

__all__ = [
    "AbstractSimulation",
    "AbstractValues",
    "Pullback",
    "SecondOrder",
    "SimulatedJacobian",
    "SimulatedValues",
    "as_input",
    "spread",
]

AXES = re.compile(r"\([^)]*\)")  # of an argument in a signature
NO_RECORD_GRADIENT = "the record of an interval is a label"
NO_SECOND_DERIVATIVE = (
    "second derivatives are offered of the values of a simulation, as from ph.discharge or "
    "ph.ops.simulate, and not of this node; use these, or a method that needs first derivatives "
    "only (NUTS, ADVI, BFGS)"
)
NO_THIRD_DERIVATIVE = "third derivatives of a simulation are not offered"


def as_input(op, name, argument, axes, entries):
    """Return an argument of an Op as a real variable, after checking it.

    Parameters
    ----------
    op : Op
    name : str
    argument : tensor_like
    axes : str
        Names of the axes, such as "n_time, n_forcing".
    entries : sequence of str
        The quantities on the last axis.
    """
    variable = pt.as_tensor_variable(argument)
    if variable.type.ndim != len(axes.split(", ")):
        raise TypeError(
            f"{op}: {name} must have shape ({axes}), found {variable.type.ndim} dimensions"
        )
    if not variable.type.dtype.startswith(("float", "int", "uint")):
        raise TypeError(f"{op}: {name} must be real numbers, found {variable.type.dtype}")
    if variable.type.shape[-1] not in (None, len(entries)):
        raise TypeError(
            f"{op}: {name} must have {len(entries)} {axes.split('n_')[-1]} entries "
            f"({', '.join(entries)}), found {variable.type.shape[-1]}"
        )
    return pt.cast(variable, "float64")


def _inputs(op, parameters, forcing, initial_state):
    model = op.problem.model
    return [
        as_input(op, "parameters", parameters, "n_parameter", model.parameter_names),
        as_input(op, "forcing", forcing, "n_time, n_forcing", model.forcing_names),
        as_input(op, "initial_state", initial_state, "n_state", model.store_names),
    ]


def _contract(cotangent, jacobian):
    """Return the product of cotangent (n_time, n_output) and Jacobian, shape (n_column,).

    As a sum and not as a dot product: the arrays are small, installations by pip have no BLAS, and
    neither a reshape nor contiguous slices are needed.
    """
    return (cotangent[:, :, None] * jacobian).sum(axis=(0, 1))


def spread(problem, gradient):
    """Return a gradient by all parameters, shape (n_parameter, ...), from (n_column, ...).

    It is NaN for parameters that are not free.
    """
    columns, n = problem.columns, len(problem.model.parameters)
    if columns == tuple(range(n)):
        return gradient
    shape = (n, *(gradient.shape[i] for i in range(1, gradient.ndim)))
    return pt.full(shape, np.nan)[list(columns)].set(gradient)


class AbstractSimulation(Op):
    """Common to all Ops of a model: their name, and the older names of their gradient."""

    problem: Problem

    def __str__(self):
        name = type(self.problem.model).__name__
        return f"{type(self).__name__}({name}: {', '.join(self.problem.outputs)})"

    def L_op(self, inputs, outputs, output_gradients):
        return self.pullback(inputs, outputs, output_gradients)

    def grad(self, inputs, output_gradients):
        return self.pullback(inputs, None, output_gradients)


class AbstractValues(AbstractSimulation):
    """Common to the Ops that return values: parameters, forcing and initial state come first."""

    gufunc_signature: str

    @abstractmethod
    def columns(self, inputs, cotangent):
        """Return the cotangents of parameters and of the initial state, by way of the Jacobian."""

    @abstractmethod
    def taped(self, *arrays):
        """Integrate once; returns the values, and the tape."""

    @abstractmethod
    def swept(self, *arrays):
        """Return the cotangents of parameters, forcing and initial state.

        The arrays are the inputs, the tape, and the cotangent of the values.
        """

    @abstractmethod
    def swept_along(self, *arrays):
        """Return the changes of these cotangents along a direction, and of the values.

        The arrays are the inputs, the cotangent of the values, and the direction of each of
        parameters, forcing and initial state.
        """

    def pullback(self, inputs, outputs, cotangents):
        (cotangent,) = cotangents
        if isinstance(cotangent.type, DisconnectedType):
            return [disconnected_type() for _ in inputs]
        labels = [grad_undefined(self, 3, x, NO_RECORD_GRADIENT) for x in inputs[3:]]
        return [*Pullback(self)(*inputs, cotangent), *labels]


class Pullback(AbstractSimulation):
    """The cotangents of parameters, forcing and initial state: (inputs, cotangent) -> cotangents.

    :mod:`pymc_hydro.ops.rewrites` puts another node in its place when a graph is compiled.

    Parameters
    ----------
    values : SimulatedValues or BatchValues
        The Op that is differentiated.
    """

    __props__ = ("values",)
    __str__ = AbstractSimulation.__str__

    def __init__(self, values: AbstractValues):
        self.values, self.problem = values, values.problem
        before, after = values.gufunc_signature.split("->")
        self.gufunc_signature = f"{before},{after}->{','.join(AXES.findall(before)[:3])}"

    def make_node(self, *arguments):
        *inputs, cotangent = arguments
        inputs = self.values.make_node(*inputs).inputs
        cotangent = pt.cast(pt.as_tensor_variable(cotangent), "float64")
        return Apply(self, [*inputs, cotangent], [x.type() for x in inputs[:3]])

    def perform(self, node, inputs, output_storage):
        *arrays, cotangent = inputs
        tape = self.values.taped(*arrays)[1]
        for storage, found in zip(
            output_storage, self.values.swept(*arrays, tape, cotangent), strict=True
        ):
            storage[0] = found

    def infer_shape(self, *arguments):
        return list(arguments[-1][:3])

    def pullback(self, inputs, outputs, cotangents):
        """Return the second order, and by the cotangent the Jacobian times the direction.

        The latter is exact, by way of columns, unless the forcing moves.
        """
        moves = [not isinstance(c.type, DisconnectedType) for c in cotangents]
        if not any(moves):
            return [disconnected_type() for _ in inputs]
        directions = [
            c if moved else pt.zeros_like(x)
            for c, moved, x in zip(cotangents, moves, inputs[:3], strict=True)
        ]
        *found, of_values = SecondOrder(self.values)(*inputs, *directions)
        labels = [grad_undefined(self, 3, x, NO_RECORD_GRADIENT) for x in inputs[3:-1]]
        if not moves[1]:
            products = self.values.columns(inputs[:-1], inputs[-1])
            pairs = zip(products, (cotangents[0], cotangents[2]), moves[::2], strict=True)
            given = {product: tangent for product, tangent, moved in pairs if moved}
            of_values = grad(None, inputs[-1], known_grads=given)
        return [*found, *labels, of_values]


class SecondOrder(AbstractSimulation):
    """The second-order adjoint: (inputs, cotangent, directions) -> changes of the cotangents.

    The first three outputs are the Hessian of ``(cotangent * values).sum()`` by parameters, forcing
    and initial state, times the direction; the last is the Jacobian of the values times the
    direction. See :meth:`pymc_hydro.engine.problem.Problem.second_order`.

    Parameters
    ----------
    values : SimulatedValues or BatchValues
        The Op that is differentiated.

    References
    ----------
    Wang, Z., Navon, I. M., Le Dimet, F. X., Zou, X. (1992). Meteorol. Atmos. Phys. 50, 3-20.
    doi:10.1007/BF01025501
    """

    __props__ = ("values",)
    __str__ = AbstractSimulation.__str__

    def __init__(self, values: AbstractValues):
        self.values, self.problem = values, values.problem
        before, after = values.gufunc_signature.split("->")
        three = ",".join(AXES.findall(before)[:3])
        self.gufunc_signature = f"{before},{after},{three}->{three},{after}"

    def make_node(self, *arguments):
        *arguments, v, w, z = arguments
        inputs = Pullback(self.values).make_node(*arguments).inputs
        directions = [pt.cast(pt.as_tensor_variable(d), "float64") for d in (v, w, z)]
        outputs = [x.type() for x in (*inputs[:3], inputs[-1])]
        return Apply(self, [*inputs, *directions], outputs)

    def perform(self, node, inputs, output_storage):
        for storage, found in zip(output_storage, self.values.swept_along(*inputs), strict=True):
            storage[0] = found

    def infer_shape(self, *arguments):
        shapes = arguments[-1]
        return [*shapes[:3], shapes[-4]]

    def pullback(self, inputs, outputs, cotangents):
        """Return that of the direction, in which the result is linear, and symmetric."""
        refused = [
            grad_not_implemented(self, i, x, NO_THIRD_DERIVATIVE) for i, x in enumerate(inputs[:-3])
        ]
        *along, of_values = cotangents
        moves = [not isinstance(c.type, DisconnectedType) for c in along]
        found = [pt.zeros_like(d) for d in inputs[-3:]]
        if any(moves):
            directions = [
                c if moved else d for c, moved, d in zip(along, moves, found, strict=True)
            ]
            found = SecondOrder(self.values)(*inputs[:-3], *directions)[:3]
        if not isinstance(of_values.type, DisconnectedType):
            products = Pullback(self.values)(*inputs[:-4], of_values)
            found = [a + b for a, b in zip(found, products, strict=True)]
        return [*refused, *found]


class AbstractJacobian(AbstractSimulation):
    """Common to the Ops that return a Jacobian; `values` is the Op of their first output."""

    def perform(self, node, inputs, output_storage):
        run = self.run(*inputs, sensitivities=True, initial=self.initial)
        output_storage[0][0] = run.values
        output_storage[1][0] = run.jacobian

    def pullback(self, inputs, outputs, cotangents):
        of_values, of_jacobian = cotangents
        if not isinstance(of_jacobian.type, DisconnectedType):
            return [
                grad_not_implemented(self, i, x, NO_SECOND_DERIVATIVE) for i, x in enumerate(inputs)
            ]
        return self.values.pullback(inputs, outputs, [of_values])


class AbstractSingle(AbstractSimulation):
    """Common to both Ops of one run."""

    def run(self, *arrays, **options):
        check_inputs(self, *arrays)
        return self.problem.run(*arrays, **options)


class SimulatedValues(AbstractSingle, AbstractValues):
    """Integrate a model: (parameters, forcing, initial_state) -> outputs (n_time, n_output).

    Parameters
    ----------
    problem : Problem
        Model, outputs and solver settings.
    content : str, optional
        Hash of the kernels' text, found by itself; makes equal props mean equal computation.
    """

    __props__ = ("problem", "content")
    __str__ = AbstractSimulation.__str__  # PyTensor would print all props
    gufunc_signature = "(p),(t,f),(s)->(t,o)"

    def __init__(self, problem: Problem, content: str | None = None):
        self.problem = problem
        self.content = problem.content if content is None else content

    def make_node(self, *arguments):
        inputs = _inputs(self, *arguments)
        n_time = inputs[1].type.shape[0]
        output = pt.tensor(dtype="float64", shape=(n_time, len(self.problem.outputs)))
        return Apply(self, inputs, [output])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = self.run(*inputs).values

    def infer_shape(self, *arguments):
        shapes = arguments[-1]
        return [(shapes[1][0], pt.constant(len(self.problem.outputs), dtype="int64"))]

    def columns(self, inputs, cotangent):
        n = len(self.problem.columns)
        by_parameter = SimulatedJacobian(self.problem)(*inputs)[1]
        by_both = SimulatedJacobian(self.problem, initial=True)(*inputs)[1]
        by_parameter = spread(self.problem, _contract(cotangent, by_parameter))
        return by_parameter, _contract(cotangent, by_both)[n:]

    def taped(self, *arrays):
        check_inputs(self, *arrays)
        run, tape = self.problem.taped_run(*arrays)
        return run.values, tape

    def swept(self, *arrays):
        return self.problem.sweep(*arrays)

    def swept_along(self, *arrays):
        check_inputs(self, *arrays[:3])
        return self.problem.second_order(*arrays)


class SimulatedJacobian(AbstractJacobian, AbstractSingle):
    """Integrate a model and its sensitivities: values (n_time, n_output), and their Jacobian.

    The Jacobian has shape (n_time, n_output, n_column), a column for each free parameter and, with
    `initial`, for each store's initial content behind them.

    Parameters
    ----------
    problem : Problem
    initial : bool
        Whether derivatives with respect to the initial state are wanted.
    """

    __props__ = ("problem", "initial", "content")
    __str__ = AbstractSimulation.__str__
    gufunc_signature = "(p),(t,f),(s)->(t,o),(t,o,c)"

    def __init__(self, problem: Problem, initial: bool = False, content: str | None = None):
        self.problem, self.initial = problem, initial
        self.content = problem.content if content is None else content

    def make_node(self, *arguments):
        inputs = _inputs(self, *arguments)
        n_time, n_output = inputs[1].type.shape[0], len(self.problem.outputs)
        n_column = self.problem.n_columns(self.initial)
        shapes = ((n_time, n_output), (n_time, n_output, n_column))
        return Apply(self, inputs, [pt.tensor(dtype="float64", shape=s) for s in shapes])

    def infer_shape(self, *arguments):
        n_time = arguments[-1][1][0]
        n_output = pt.constant(len(self.problem.outputs), dtype="int64")
        n_column = pt.constant(self.problem.n_columns(self.initial), dtype="int64")
        return [(n_time, n_output), (n_time, n_output, n_column)]

    @property
    def values(self) -> SimulatedValues:
        return SimulatedValues(self.problem)
