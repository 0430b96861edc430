"""The two Ops of a batch: many records, each with one or many vectors, in one node of a graph.

The records lie one after another on the axis of time, so that they may have any lengths; the
leading axis is that of the vectors. Otherwise as :mod:`pymc_hydro.ops.simulation`.
"""

import pytensor.tensor as pt
from pytensor.graph.basic import Apply

from pymc_hydro.engine.batch import (
    record_bounds,
    run_batch,
    second_order_batch,
    sweep_batch,
    tape_batch,
)
from pymc_hydro.engine.problem import Problem
from pymc_hydro.ops.fit import check_inputs, check_record
from pymc_hydro.ops.simulation import (
    AbstractJacobian,
    AbstractSimulation,
    AbstractValues,
    as_input,
    spread,
)

__all__ = ["BatchJacobian", "BatchValues"]


def _inputs(op, parameters, forcing, initial_state, record):
    model = op.problem.model
    record = pt.as_tensor_variable(record)
    if record.type.ndim != 1 or not record.type.dtype.startswith(("int", "uint")):
        raise TypeError(f"{op}: record must be integers of shape (n_time,), found {record.type}")
    axes = "n_vector, n_record, "
    return [
        as_input(op, "parameters", parameters, axes + "n_parameter", model.parameter_names),
        as_input(op, "forcing", forcing, "n_time, n_forcing", model.forcing_names),
        as_input(op, "initial_state", initial_state, axes + "n_state", model.store_names),
        pt.cast(record, "int64"),
    ]


def _contract(cotangent, jacobian, record, n_record):
    """Return the product of cotangent and Jacobian by record, (n_column, n_vector, n_record)."""
    each = (cotangent[:, :, :, None] * jacobian).sum(axis=2).dimshuffle(1, 0, 2)
    empty = pt.zeros((n_record, each.shape[1], each.shape[2]))
    # A record outside has NaN for a Jacobian; its row must be inside all the same.
    inside = pt.clip(record, 0, pt.maximum(n_record - 1, 0))
    return empty[inside].inc(each).dimshuffle(2, 1, 0)


class AbstractBatch(AbstractSimulation):
    """Common to both Ops."""

    def run(self, parameters, forcing, initial_state, record, **options):
        check_inputs(self, parameters, forcing, initial_state)
        check_record(self, record, len(forcing), parameters.shape[1])
        bounds = record_bounds(record, parameters.shape[1])
        options["threads"] = None if self.parallel else 1
        return run_batch(self.problem, parameters, forcing, initial_state, bounds, **options)


class BatchValues(AbstractBatch, AbstractValues):
    """Integrate records: (parameters, forcing, initial_state, record) -> outputs.

    Shapes: parameters (n_vector, n_record, n_parameter), forcing (n_time, n_forcing), initial_state
    (n_vector, n_record, n_state), record (n_time,), outputs (n_vector, n_time, n_output). `record`
    says which record an interval belongs to: 0 for all of the first, then 1 ...

    Parameters
    ----------
    problem : Problem
        Model, outputs and solver settings.
    parallel : bool
        Whether runs share the machine's cores. Samplers use them already, as a rule.
    content : str, optional
        Hash of the kernels' text, found by itself; makes equal props mean equal computation.
    """

    __props__ = ("problem", "parallel", "content")
    __str__ = AbstractSimulation.__str__
    gufunc_signature = "(v,r,p),(t,f),(v,r,s),(t)->(v,t,o)"

    def __init__(self, problem: Problem, parallel: bool = False, content: str | None = None):
        self.problem, self.parallel = problem, bool(parallel)
        self.content = problem.content if content is None else content

    def make_node(self, *arguments):
        inputs = _inputs(self, *arguments)
        shape = inputs[0].type.shape[0], inputs[1].type.shape[0], len(self.problem.outputs)
        return Apply(self, inputs, [pt.tensor(dtype="float64", shape=shape)])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = self.run(*inputs).values

    def infer_shape(self, *arguments):
        shapes = arguments[-1]
        n_output = pt.constant(len(self.problem.outputs), dtype="int64")
        return [(shapes[0][0], shapes[1][0], n_output)]

    def columns(self, inputs, cotangent):
        n, settings = len(self.problem.columns), (self.problem, self.parallel)
        record, n_record = inputs[3], inputs[0].shape[1]
        by_parameter, by_both = (
            _contract(cotangent, BatchJacobian(*settings, initial)(*inputs)[1], record, n_record)
            for initial in (False, True)
        )
        by_parameter = spread(self.problem, by_parameter).dimshuffle(1, 2, 0)
        return by_parameter, by_both[n:].dimshuffle(1, 2, 0)

    def taped(self, parameters, forcing, initial_state, record):
        check_inputs(self, parameters, forcing, initial_state)
        check_record(self, record, len(forcing), parameters.shape[1])
        bounds = record_bounds(record, parameters.shape[1])
        threads = None if self.parallel else 1
        return tape_batch(self.problem, parameters, forcing, initial_state, bounds, threads)

    def swept(self, parameters, forcing, initial_state, record, tape, cotangent):
        bounds, threads = record_bounds(record, parameters.shape[1]), None if self.parallel else 1
        arrays = parameters, forcing, initial_state
        return sweep_batch(self.problem, *arrays, bounds, tape, cotangent, threads)

    def swept_along(self, parameters, forcing, initial_state, record, cotangent, *directions):
        check_inputs(self, parameters, forcing, initial_state)
        check_record(self, record, len(forcing), parameters.shape[1])
        bounds, threads = record_bounds(record, parameters.shape[1]), None if self.parallel else 1
        arrays = parameters, forcing, initial_state
        return second_order_batch(self.problem, *arrays, bounds, cotangent, directions, threads)


class BatchJacobian(AbstractJacobian, AbstractBatch):
    """Integrate records and sensitivities: outputs as of `BatchValues`, and their Jacobian.

    The Jacobian has shape (n_vector, n_time, n_output, n_column), with the columns of
    :class:`pymc_hydro.ops.simulation.SimulatedJacobian`, by the parameters of an interval's record.

    Parameters
    ----------
    problem : Problem
    parallel : bool
    initial : bool
        Whether derivatives with respect to the initial state are wanted.
    content : str, optional
    """

    __props__ = ("problem", "parallel", "initial", "content")
    __str__ = AbstractSimulation.__str__
    gufunc_signature = "(v,r,p),(t,f),(v,r,s),(t)->(v,t,o),(v,t,o,c)"

    def __init__(
        self,
        problem: Problem,
        parallel: bool = False,
        initial: bool = False,
        content: str | None = None,
    ):
        self.problem, self.parallel, self.initial = problem, bool(parallel), initial
        self.content = problem.content if content is None else content

    def make_node(self, *arguments):
        inputs = _inputs(self, *arguments)
        shape = inputs[0].type.shape[0], inputs[1].type.shape[0], len(self.problem.outputs)
        shapes = shape, (*shape, self.problem.n_columns(self.initial))
        return Apply(self, inputs, [pt.tensor(dtype="float64", shape=s) for s in shapes])

    def infer_shape(self, *arguments):
        shapes = arguments[-1]
        sizes = len(self.problem.outputs), self.problem.n_columns(self.initial)
        n_output, n_column = (pt.constant(n, dtype="int64") for n in sizes)
        shape = shapes[0][0], shapes[1][0], n_output
        return [shape, (*shape, n_column)]

    @property
    def values(self) -> BatchValues:
        return BatchValues(self.problem, self.parallel)
