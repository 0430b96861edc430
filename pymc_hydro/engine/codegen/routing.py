"""The part of a kernel's text that routes outputs by unit hydrographs, after the last interval.

The routed series replaces the series of outputs. The loop goes from the last interval to the first:
an interval needs the unrouted values of itself and of earlier intervals only.
"""

from collections.abc import Sequence
from typing import Any

from pymc_hydro.engine.codegen import ARGUMENTS, COUNTS, HELD, OUTPUT, Argument
from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.text import Emitter, Text
from pymc_hydro.engine.derivation.parts import Part
from pymc_hydro.engine.derivation.system import STAGE, Route, System, inflow_name

__all__ = ["emit_assembly", "emit_ordinates", "emit_routing", "places_of", "routing_targets"]

MOST_ORDINATES = 1e6


def routing_targets(system: System) -> list[int]:
    """Return the nodes that routing needs."""
    return [node for route in system.routes for node in _nodes(route)]


def _nodes(route):
    return [route.ordinate, route.base, *route.slopes.values()]


def emit_routing(e: Layout) -> None:
    """Write the ordinates with their derivatives, and the convolution of values and columns."""
    for route in e.system.routes:
        _emit_route(e, route)


def _emit_route(e, route):
    text, o, slopes = e.text, route.output, route.slopes
    with text.block(f"if not 0.0 <= {e.ref(route.base)} / dt < {MOST_ORDINATES!r}:"):
        text("status = 1")
        text("failed = 0")
    text("n_routed = n_time if status == 0 else failed")
    emit_ordinates(e, route)
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


def emit_ordinates(e: Emitter, route: Route) -> None:
    """Write ``n_ordinate`` ordinates, and their derivatives by parameter."""
    text, routing, slopes = e.text, route.hydrograph, route.slopes
    n = f"{routing.intervals}" if routing.intervals else f"int({e.ref(route.base)} / dt) + 1"
    text(f"n_ordinate = {n} if n_routed > 0 else 0")
    text("ordinates = empty(n_ordinate)")
    text(f"slopes = empty(({len(slopes)}, n_ordinate))")
    text("total = 0.0")
    if routing.cut:
        text("largest = 0.0")
    for i in range(len(slopes)):
        text(f"total_{i} = 0.0")
    with text.block("for j in range(n_ordinate):"):
        text("ordinate_start = j * dt")
        text("ordinate_end = (j + 1) * dt")
        e.compute(e.needed(_nodes(route)), STAGE)
        text(f"ordinates[j] = {e.ref(route.ordinate)}")
        if routing.cut:
            text("largest = max(largest, ordinates[j])")
            with text.block(f"if ordinates[j] < {routing.cut!r} * largest:"):
                text("n_ordinate = j")
                text("break")
        text("total += ordinates[j]")
        for i, number in enumerate(slopes.values()):
            text(f"slopes[{i}, j] = {e.ref(number)}")
            text(f"total_{i} += slopes[{i}, j]")
    if routing.normalized:
        with text.block("for j in range(n_ordinate):"):
            text("ordinates[j] = ordinates[j] / total")
            for i in range(len(slopes)):
                text(f"slopes[{i}, j] = (slopes[{i}, j] - ordinates[j] * total_{i}) / total")


def emit_assembly(
    outputs: Sequence[str],
    order: Sequence[str],
    parts: Sequence[Part],
    name: str,
    assembly: Any = None,
    further: tuple[Argument, ...] = (),
) -> str:
    """Return the text of a kernel that calls the kernels of parts, ``name_0`` ..., and adds up.

    A flow that a part routes by a unit hydrograph arrives in the parts after it. The names of
    hydrographs are in the order of the model. With a tape, `assembly` writes the tape of the whole.
    The parts take `further` arguments as they are.
    """
    text, places = Text(), places_of(outputs, order)
    with text.block(f"def {name}({', '.join(a.name for a in (*ARGUMENTS, *further))}):"):
        text("n_time, n_column = forcing.shape[0], jacobian.shape[2]")
        text(f"held = zeros((n_time, {len(order)}))")
        text(f"held_jacobian = zeros((n_time, {len(order)}, n_column))")
        _fill_outputs(text, len(outputs), "0.0")
        with text.block(f"for q in range({len(COUNTS)}):"):
            text("counts[q] = 0")
        text("status = 0")
        for i, part in enumerate(parts):
            with text.block("if status == 0:"):
                n = len(part.outputs)
                text(f"part_values = empty((n_time, {n}))")
                text(f"part_jacobian = empty((n_time, {n}, n_column))")
                text("part_counts = counts.copy()")
                given = [f"part_{a.name}" if a.role == OUTPUT else a.name for a in ARGUMENTS]
                given += [a.name for a in (*further, *HELD)]
                found = assembly.emit_result(i) if assembly else "status"
                text(f"{found} = {name}_{i}({', '.join(given)})")
                with text.block(f"for q in range({len(COUNTS) - 1}):"):
                    text("counts[q] += part_counts[q]")
                text(f"counts[{len(COUNTS) - 1}] = part_counts[{len(COUNTS) - 1}]")
                with text.block("for k in range(n_time):"):
                    for o, output in enumerate(part.outputs):
                        kind, to = places[output.name]
                        values, jacobian = (
                            kind,
                            "jacobian" if kind == "values" else f"{kind}_jacobian",
                        )
                        text(f"{values}[k, {to}] += part_values[k, {o}]")
                        with text.block("for j in range(n_column):"):
                            text(f"{jacobian}[k, {to}, j] += part_jacobian[k, {o}, j]")
        with text.block("if status != 0:"):
            _fill_outputs(text, len(outputs), "nan")
        if assembly:
            assembly.emit_tape(text, len(parts))
        text("return status, tape" if assembly else "return status")
    return "\n".join(text.lines) + "\n"


def places_of(outputs: Sequence[str], order: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return where an output of a part belongs: the array's name, and the column."""
    places = {o: ("values", i) for i, o in enumerate(outputs)}
    return places | {inflow_name(n): ("held", i) for i, n in enumerate(order)}


def _fill_outputs(text, n, value):
    with text.block("for k in range(n_time):"), text.block(f"for o in range({n}):"):
        text(f"values[k, o] = {value}")
        with text.block("for j in range(n_column):"):
            text(f"jacobian[k, o, j] = {value}")
