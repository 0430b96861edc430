"""Nodes that remember, inside the graph, the arguments that a likelihood was placed with.

They compute nothing that their inputs do not hold already, and are rewritten away before a graph
is compiled. ``ph.set_basin``, ``ph.predict`` and ``ph.fit_laplace`` read these nodes. So their
information survives every transformation of a model by PyMC: copies, ``pm.do``, ``pm.observe``,
pickling.
"""

from collections.abc import Iterator

import pymc as pm
import pytensor.tensor as pt
from pytensor.compile.mode import optdb
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.graph.traversal import ancestors

from pymc_hydro.losses.axis import UNCOMPILED, values_at

__all__ = ["AbstractNote", "IntervalMeans", "ObservedValues", "PlacedErrors", "nodes_of"]


class AbstractNote(Op):
    """Common to all nodes: outputs that stand in their inputs, in plain operations.

    Attributes
    ----------
    differentiable : tuple of int
        Outputs that depend on the input at the same place, and on no other one.
    """

    differentiable: tuple[int, ...] = ()

    def plain(self, inputs: list) -> list:
        """Return the outputs in plain operations of the inputs."""
        raise NotImplementedError

    def make_node(self, *inputs):
        inputs = [pt.as_tensor_variable(x) for x in inputs]
        return Apply(self, inputs, [x.type() for x in self.plain(inputs)])

    def perform(self, node, inputs, output_storage):
        values = [pt.constant(x) for x in inputs]
        for storage, value in zip(output_storage, self.plain(values), strict=True):
            storage[0] = value.eval(mode=UNCOMPILED)

    def pullback(self, inputs, outputs, cotangents):
        """Return the gradients of the plain operations."""
        results = [disconnected_type() for _ in inputs]
        for i, (value, cotangent) in enumerate(zip(self.plain(inputs), cotangents, strict=True)):
            if i in self.differentiable and not isinstance(cotangent.type, DisconnectedType):
                cost = (value * cotangent).sum()
                results[i] = pt.grad(cost, inputs[i], consider_constant=[cotangent])
        return results

    def connection_pattern(self, node):
        """Return which input each output depends on, as far as derivatives go."""
        n_output = len(node.outputs)
        return [
            [i == o and i in self.differentiable for o in range(n_output)]
            for i in range(len(node.inputs))
        ]

    def L_op(self, inputs, outputs, output_gradients):
        return self.pullback(inputs, outputs, output_gradients)


class IntervalMeans(AbstractNote):
    """Means of a simulated series over longer intervals: (simulated, positions) -> (means,).

    Positions have the shape (n_interval, longest), -1 after the last one of an interval.

    Parameters
    ----------
    offset : str
        Length of the intervals, as pandas writes it.
    """

    __props__ = ("offset",)
    differentiable = (0,)

    def __init__(self, offset):
        self.offset = offset

    def plain(self, inputs):
        simulated, positions = inputs
        inside = positions >= 0
        # Beyond the end of an interval its first value stands in: a NaN stays in its interval.
        values = values_at(simulated, pt.switch(inside, positions, positions[:, 0][:, None]))
        return [(values * inside).sum(axis=-1) / inside.sum(axis=-1)]


class ObservedValues(AbstractNote):
    """Simulated values at the observations: (simulated, position, data) -> (values, position).

    Parameters
    ----------
    name : str
        Of the likelihood, with the prefix of its model.
    series : str or None
        The name of the series that was observed first, such as ``discharge``.
    quantity : str or None
        The variable of the schema that is simulated, if it is known.
    check : callable or None
        Is given new series, NaN where missing; raises if the likelihood cannot have them.
    previous : callable or None
        From positions and observations to the likelihood's own data of each observation.
    """

    __props__ = ("name", "series", "quantity", "check", "previous")
    differentiable = (0,)

    def __init__(self, name, series, quantity, check, previous):
        self.name, self.series, self.quantity = name, series, quantity
        self.check, self.previous = check, previous

    def plain(self, inputs):
        simulated, position, _ = inputs
        return [values_at(simulated, position), position]


class PlacedErrors(AbstractNote):
    """An error model: (center, sd, its parts ...) -> (center, sd).

    Inputs: center, sd, simulated, mean, sigma, flow, position, data, the variables of the memory
    from, the shapes of the density, the parameters of the transformation that are
    variables; see :class:`pymc_hydro.likelihoods.errors.residuals.Residuals`.

    Parameters
    ----------
    name : str
        Of the likelihood, with the prefix of its model.
    family : Family
    memory : AbstractMemory
    transform : AbstractTransform
        Its parameters that are variables are inputs; here they have numbers in their places.
    variables : tuple of str
        Names of the parameters of the transformation that are inputs.
    n_memory, n_shape : int
        How many inputs belong to the memory and to the density.
    censored : bool
    """

    __props__ = (
        "name",
        "family",
        "memory",
        "transform",
        "variables",
        "n_memory",
        "n_shape",
        "censored",
    )
    differentiable = (0, 1)

    def __init__(self, name, family, memory, transform, variables, n_memory, n_shape, censored):
        self.name, self.family, self.memory, self.transform = name, family, memory, transform
        self.variables, self.n_memory, self.n_shape = variables, n_memory, n_shape
        self.censored = censored

    def plain(self, inputs):
        return inputs[:2]


@_vectorize_node.register(AbstractNote)
def vectorize_note(op, node, *inputs):
    """Return the node on inputs with leading axes: the outputs have them as well."""
    return op.make_node(*inputs)


@node_rewriter([AbstractNote])
def write_out(fgraph, node):
    """Replace a node by its plain operations."""
    return node.op.plain(node.inputs)


# Before all else: the operations written out are then merged. And after nodes have left the inner
# graph of a scan, as in a Hessian.
for name, position in (("pymc_hydro_notes", 0.05), ("pymc_hydro_notes_of_scan", 1.7)):
    optdb.register(
        name,
        in2out(write_out, ignore_newtrees=True),
        "fast_run",
        "fast_compile",
        "pymc_hydro",
        position=position,
    )


def nodes_of(model: pm.Model, kind: type) -> Iterator[Apply]:
    """Yield the nodes of a kind that the observed variables and potentials depend on."""
    roots = [*model.observed_RVs, *model.potentials, *model.deterministics, *model.free_RVs]
    seen = set()
    for variable in ancestors(roots):
        node = variable.owner
        if node is not None and isinstance(node.op, kind) and node not in seen:
            seen.add(node)
            yield node
