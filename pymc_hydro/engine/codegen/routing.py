"""The part of a kernel's text that routes an output by a unit hydrograph, after the last interval.

The routed series replaces the series of outputs. The loop goes from the last interval to the first:
an interval needs the unrouted values of itself and of earlier intervals only.
"""

from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.derivation.system import STAGE, System

__all__ = ["emit_routing", "routing_targets"]

MOST_ORDINATES = 1e6


def routing_targets(system: System) -> list[int]:
    """Return the nodes that routing needs."""
    if system.ordinate is None or system.base is None:
        return []
    return [system.ordinate, system.base, *system.ordinate_jacobian.values()]


def emit_routing(e: Layout) -> None:
    """Write the ordinates with their derivatives, and the convolution of values and columns."""
    system, text = e.system, e.text
    routing = system.model.routing
    if routing is None or system.ordinate is None or system.base is None:
        return
    o = [output.name for output in system.outputs].index(routing.output)
    slopes = system.ordinate_jacobian
    n = f"{routing.intervals}" if routing.intervals else f"int({e.ref(system.base)} / dt) + 1"
    with text.block(f"if not 0.0 <= {e.ref(system.base)} / dt < {MOST_ORDINATES!r}:"):
        text("status = 1")
        text("failed = 0")
    text("n_routed = n_time if status == 0 else failed")
    text(f"n_ordinate = {n} if n_routed > 0 else 0")
    text("ordinates = empty(n_ordinate)")
    text(f"slopes = empty(({len(slopes)}, n_ordinate))")
    text("total = 0.0")
    for i in range(len(slopes)):
        text(f"total_{i} = 0.0")
    with text.block("for j in range(n_ordinate):"):
        text("ordinate_start = j * dt")
        text("ordinate_end = (j + 1) * dt")
        e.compute(e.needed(routing_targets(system)), STAGE)
        text(f"ordinates[j] = {e.ref(system.ordinate)}")
        text("total += ordinates[j]")
        for i, number in enumerate(slopes.values()):
            text(f"slopes[{i}, j] = {e.ref(number)}")
            text(f"total_{i} += slopes[{i}, j]")
    if routing.normalized:
        with text.block("for j in range(n_ordinate):"):
            text("ordinates[j] = ordinates[j] / total")
            for i in range(len(slopes)):
                text(f"slopes[{i}, j] = (slopes[{i}, j] - ordinates[j] * total_{i}) / total")
    text(f"routed = empty({e.width})")
    with text.block("for k in range(n_routed - 1, -1, -1):"):
        text("n_past = min(n_ordinate, k + 1)")
        with text.block("if sensitive:"):
            with text.block(f"for j in range({e.width}):"):
                text("routed[j] = 0.0")
            with text.block("for i in range(n_past):"):
                with text.block("for j in range(n_column):"):
                    text(f"routed[j] += ordinates[i] * jacobian[k - i, {o}, j]")
                for i, name in enumerate(slopes):
                    column = f"place[{e.parameters.index(name)}]"
                    text(f"routed[{column}] += slopes[{i}, i] * values[k - i, {o}]")
            with text.block("for j in range(n_column):"):
                text(f"jacobian[k, {o}, j] = routed[j]")
        text("total = 0.0")
        with text.block("for i in range(n_past):"):
            text(f"total += ordinates[i] * values[k - i, {o}]")
        text(f"values[k, {o}] = total")
