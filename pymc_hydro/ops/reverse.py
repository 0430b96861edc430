"""The Ops of the sweep back in time: a run that keeps its tape, and the sweep through it.

:mod:`pymc_hydro.ops.rewrites` puts them in the place of a pullback whose gradient by the forcing is
wanted. The tape is an ordinary matrix of the graph, and values and gradient share one integration.
"""

import pytensor.tensor as pt
from pytensor.gradient import grad_not_implemented
from pytensor.graph.basic import Apply

from pymc_hydro.ops.simulation import NO_SECOND_DERIVATIVE, AbstractSimulation, AbstractValues

__all__ = ["Sweep", "TapedValues"]


def _content(problem) -> str:
    """Return the hash of both texts: equal props mean equal computation."""
    return problem.content + problem.taped_kernel().content + problem.sweep_kernel().content


class AbstractReverse(AbstractSimulation):
    """Common to both Ops."""

    __props__ = ("values", "content")

    def __init__(self, values: AbstractValues, content: str | None = None):
        self.values, self.problem = values, values.problem
        self.content = _content(self.problem) if content is None else content

    def pullback(self, inputs, outputs, cotangents):
        return [
            grad_not_implemented(self, i, x, NO_SECOND_DERIVATIVE) for i, x in enumerate(inputs)
        ]


class TapedValues(AbstractReverse):
    """Integrate and keep a tape: (inputs) -> values, tape.

    Parameters
    ----------
    values : SimulatedValues or BatchValues
        The Op that integrates without a tape; the values are the same bits.
    content : str, optional
        Hash of the kernels' text, found by itself.
    """

    __str__ = AbstractSimulation.__str__

    def make_node(self, *inputs):
        node = self.values.make_node(*inputs)
        return Apply(self, node.inputs, [node.outputs[0].type(), pt.dmatrix()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0], output_storage[1][0] = self.values.taped(*inputs)


class Sweep(AbstractReverse):
    """Go back through a tape: (inputs, tape, cotangent) -> cotangents of the first three inputs.

    Parameters
    ----------
    values : SimulatedValues or BatchValues
    content : str, optional
    """

    __str__ = AbstractSimulation.__str__

    def make_node(self, *arguments):
        *inputs, tape, cotangent = arguments
        inputs = self.values.make_node(*inputs).inputs
        outputs = [x.type() for x in inputs[:3]]
        return Apply(self, [*inputs, tape, cotangent], outputs)

    def perform(self, node, inputs, output_storage):
        for storage, found in zip(output_storage, self.values.swept(*inputs), strict=True):
            storage[0] = found

    def infer_shape(self, *arguments):
        return list(arguments[-1][:3])
