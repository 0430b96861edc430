"""Rewrites: the Ops in the place of a pullback, and one integration for nodes on equal inputs."""

from pytensor.compile.mode import optdb
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.tensor.blockwise import Blockwise

from pymc_hydro.ops.batch import BatchJacobian, BatchValues
from pymc_hydro.ops.reverse import Sweep, TapedValues
from pymc_hydro.ops.simulation import Pullback, SimulatedJacobian, SimulatedValues

VALUES = (SimulatedValues, BatchValues)
JACOBIANS = (SimulatedJacobian, BatchJacobian)
SIMULATIONS = (*VALUES, *JACOBIANS, TapedValues)


def _core(node):
    return node.op.core_op if isinstance(node.op, Blockwise) else node.op


@node_rewriter([Pullback, Blockwise])
def lower_pullback(fgraph, node):
    """Replace a pullback by a sweep if the gradient by the forcing is wanted, else by columns.

    A sweep costs about the same however many gradients there are. Columns of a dozen parameters
    cost no more (docs/sensitivities.md), and their error is under control.
    """
    core = _core(node)
    if not isinstance(core, Pullback):
        return None
    wanted = [bool(fgraph.clients[output]) for output in node.outputs]
    *inputs, cotangent = node.inputs
    if wanted[1]:
        if isinstance(node.op, Blockwise):  # its tapes have different lengths: it stays as it is
            return None
        tape = TapedValues(core.values)(*inputs)[1]
        return Sweep(core.values)(*inputs, tape, cotangent)
    if isinstance(node.op, Blockwise):
        n_batch = node.op.batch_ndim(node)
        dummies = [x.type.clone(shape=x.type.shape[n_batch:])() for x in node.inputs]
        found = core.values.columns(dummies[:-1], dummies[-1])
        found = vectorize_graph(list(found), dict(zip(dummies, node.inputs, strict=True)))
    else:
        found = core.values.columns(inputs, cotangent)
    pairs = zip((0, 2), found, strict=True)
    return {node.outputs[i]: product for i, product in pairs if wanted[i]}


def _wider(fgraph, node):
    """Return the node on equal inputs that computes all that `node` does, and more."""
    core = _core(node)
    best, rank = None, _rank(core)
    for client, _ in fgraph.clients[node.inputs[0]]:
        if not hasattr(client, "inputs") or client.inputs != node.inputs:
            continue
        other = _core(client)
        if isinstance(other, SIMULATIONS) and other.problem == core.problem and _rank(other) > rank:
            best, rank = client, _rank(other)
    return best


def _rank(op):
    if isinstance(op, VALUES):
        return 0
    return (2 if op.initial else 1) if isinstance(op, JACOBIANS) else 3


@node_rewriter([*SIMULATIONS, Blockwise])
def use_one_integration(fgraph, node):
    """Replace a simulation by the outputs of one that includes it."""
    core = _core(node)
    if not isinstance(core, (*VALUES, *JACOBIANS)):
        return None
    wider = _wider(fgraph, node)
    if wider is None:
        return None
    if isinstance(core, VALUES):
        return [wider.outputs[0]]
    if isinstance(_core(wider), TapedValues):  # has no columns; the values are the other's too
        return {node.outputs[0]: wider.outputs[0]} if fgraph.clients[node.outputs[0]] else None
    n_column = core.problem.n_columns(core.initial)
    return [wider.outputs[0], wider.outputs[1][..., :n_column]]


NAMES = ("fast_run", "fast_compile", "pymc_hydro")  # also in modes that skip specialisation
# Before the graph becomes canonical, as if the gradient had been written so. And after nodes have
# left the inner graph of a scan, as in a Hessian.
for name, position in (("pymc_hydro_pullback", 0.7), ("pymc_hydro_pullback_of_scan", 1.8)):
    optdb.register(name, in2out(lower_pullback, ignore_newtrees=True), *NAMES, position=position)
# After the graph is merged and canonical.
optdb.register(
    "pymc_hydro_one_integration",
    in2out(use_one_integration, ignore_newtrees=True),
    *NAMES,
    position=1.9,
)
