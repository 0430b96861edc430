"""One integration where values and Jacobian are wanted at equal inputs."""

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.tensor.blockwise import Blockwise

from pymc_hydro.ops.batch import BatchJacobian, BatchValues
from pymc_hydro.ops.simulation import SimulatedJacobian, SimulatedValues

VALUES = (SimulatedValues, BatchValues)
JACOBIANS = (SimulatedJacobian, BatchJacobian)


def _core(node):
    return node.op.core_op if isinstance(node.op, Blockwise) else node.op


def _is_simulation(op):
    return isinstance(op, (*VALUES, *JACOBIANS))


def _wider(fgraph, node):
    """Return the node on equal inputs that computes all that `node` does, and more."""
    core = _core(node)
    best, rank = None, _rank(core)
    for client, _ in fgraph.clients[node.inputs[0]]:
        if not hasattr(client, "inputs") or client.inputs != node.inputs:
            continue
        other = _core(client)
        if _is_simulation(other) and other.problem == core.problem and _rank(other) > rank:
            best, rank = client, _rank(other)
    return best


def _rank(op):
    return 0 if isinstance(op, VALUES) else 2 if op.initial else 1


@node_rewriter((*VALUES, *JACOBIANS, Blockwise))
def use_one_integration(fgraph, node):
    """Replace a simulation by the outputs of one that includes it."""
    if not _is_simulation(_core(node)):
        return None
    wider = _wider(fgraph, node)
    if wider is None:
        return None
    if isinstance(_core(node), VALUES):
        return [wider.outputs[0]]
    n_column = _core(node).problem.n_columns(_core(node).initial)
    return [wider.outputs[0], wider.outputs[1][..., :n_column]]


# After the graph is merged and canonical, in every mode (also those that skip specialisation).
optdb.register(
    "pymc_hydro_one_integration",
    in2out(use_one_integration, ignore_newtrees=True),
    "fast_run",
    "fast_compile",
    "pymc_hydro",
    position=1.9,
)
