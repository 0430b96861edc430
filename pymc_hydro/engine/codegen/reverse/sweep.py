"""From a transposed system to the text of its sweep.

The order of :func:`emit_sweep` is that of a kernel, backwards: routing, then intervals from the
last one to the first, steps from the last one to the first, the initial contents. Where a kernel
computes the values of a step from the model's equations, the sweep loads them from the tape.
"""

from pymc_hydro.engine.codegen import HELD_BACK, SWEEP_ARGUMENTS
from pymc_hydro.engine.codegen.layout import VECTOR, Layout
from pymc_hydro.engine.codegen.linear import emit_linear_constants
from pymc_hydro.engine.codegen.reverse.step import emit_sums_of_linear_part, emit_transposed_step
from pymc_hydro.engine.codegen.reverse.tape import Tape
from pymc_hydro.engine.codegen.routing import emit_ordinates, routing_targets
from pymc_hydro.engine.codegen.text import clean
from pymc_hydro.engine.derivation.system import INTERVAL, RUN, amount, is_flux
from pymc_hydro.engine.derivation.transpose import Transposed
from pymc_hydro.integrators import RungeKutta

__all__ = ["emit_sweep"]


def emit_sweep(
    transposed: Transposed, name: str, methods: tuple[RungeKutta, ...], max_level: int
) -> str:
    """Return the text of a sweep.

    Parameters
    ----------
    transposed : Transposed
    name : str
        Name of the function.
    methods : tuple of RungeKutta
        The methods of the run that wrote the tape.
    max_level : int
        The highest level of a step with error control.
    """
    system = transposed.system
    e = Layout(system, VECTOR, methods)
    e.tape = Tape(e)
    targets = [*e.matrix.values(), *system.matrix_jacobian.values(), *routing_targets(system)]
    targets += [*system.start_jacobian.values(), *e.inner.values()]
    targets += [*system.shares.values(), *system.share_jacobian.values()]
    targets += [n for products in transposed.products for n in products.values()]
    everything = e.needed(targets)
    text = e.text
    arguments = SWEEP_ARGUMENTS + HELD_BACK if system.model.hydrographs else SWEEP_ARGUMENTS
    with text.block(f"def {name}({', '.join(a.name for a in arguments)}):"):
        _constants(e, everything, max_level)
        for route in system.routes:
            _transpose_route(e, route)
        text("r = tape.shape[0] - 1")
        with text.block("for k in range(n_time - 1, -1, -1):"):
            e.load_forcing("forcing[k, {}]")
            e.compute(everything, INTERVAL)
            _transpose_outputs(e)
            for row in e.rows:
                text(f"c_{row} = 0.0")
            for u in system.model.forcing_names:
                text(f"i_{u} = 0.0")
            with text.block("while r >= 0 and tape[r, 0] == k:"):
                emit_transposed_step(e, transposed.products)
                text("r -= 1")
            _transpose_arrivals(e)
            for i, u in enumerate(system.model.forcing_names):
                text(f"by_forcing[k, {i}] = i_{u}")
        emit_sums_of_linear_part(e)
        _transpose_start(e)
        for i, p in enumerate(e.parameters):
            text(f"by_theta[{i}] = t_{p}")
        _refuse_empty_tape(e)
        text("return 0")
    return "\n".join(text.lines) + "\n"


def _constants(e, everything, max_level):
    text = e.text
    e.load_parameters()
    e.compute(everything, RUN)
    text("n_time, n_most = forcing.shape[0], method.shape[2]")
    if len(e.segments) > 1:
        text("n_method = method.shape[0]")
    text(f"max_level = 0 if n_fixed > 0 else {max_level}")
    text("longest = dt / max(n_fixed, 1)")
    text("sensitive = True")
    emit_linear_constants(e)
    for segment in e.segments:
        x, n = segment.suffix, len(segment.linear)
        lengths = "max_level + 1, n_method, n_most" if x else "max_level + 1"
        text(f"dyads{x} = zeros(({lengths}, 4, {n}, {n}))")
    if e.read:
        text(f"nodes = zeros((n_most, {len(e.read)}))")
    text(f"bar = zeros((n_most, {len(e.rows)}))")
    for state in (*e.head, *e.linear):
        text(f"{e.named(state)} = 0.0")
    for p in e.parameters:
        text(f"t_{p} = 0.0")


def _transpose_route(e, route):
    """Write the cotangents of a series that is routed, and of the ordinates' parameters."""
    o = route.output
    text, column, before = e.text, e.tape.columns[f"unrouted {o}"], f"before_{o}"
    text("n_routed = n_time")
    emit_ordinates(e, route)
    text(f"unrouted, {before} = zeros(n_time), zeros(n_time)")
    with text.block("for r in range(tape.shape[0]):"):
        text(f"unrouted[int(tape[r, 0])] = tape[r, {column}]")  # the last row of each interval
    with text.block("for k in range(n_time):"):
        with text.block("for i in range(min(n_ordinate, k + 1)):"):
            text(f"{before}[k - i] += ordinates[i] * cotangent[k, {o}]")
            for i, p in enumerate(route.slopes):
                text(f"t_{p} += slopes[{i}, i] * unrouted[k - i] * cotangent[k, {o}]")


def _transpose_outputs(e):
    """Add the cotangents of an interval's outputs to the cotangents of the states at its end.

    An amount starts at zero in each interval: its cotangent at the start of the next one is lost.
    So is the cotangent of water that arrives from a unit hydrograph: it belongs to another series.
    """
    model, routed = e.system.model, [route.output for route in e.system.routes]
    for name in e.system.held:
        e.text(f"{e.named(name)} = 0.0")
    for o, output in enumerate(e.system.outputs):
        given = f"before_{o}[k]" if o in routed else f"cotangent[k, {o}]"
        if is_flux(model, output):
            e.text(f"{e.named(clean(amount(output)))} = {given} / dt")
        else:
            for term in output.terms:
                e.text(f"{e.named(clean(term))} += {given}")


def _transpose_arrivals(e):
    """Write the cotangents of the water that arrived from unit hydrographs in the interval."""
    order = [hydrograph.output for hydrograph in e.system.model.hydrographs]
    for name in e.system.held:
        e.text(f"by_held[k, {order.index(name)}] = {e.named(name)}")


def _transpose_start(e):
    """Write the cotangents of the initial contents, or of the parameters that give them."""
    text, system = e.text, e.system
    for i, store in enumerate(system.model.store_names):
        if store not in system.stores:
            continue
        named = e.named(clean(store))
        text(f"by_x0[{i}] = {named}")
        if store in system.start:
            with text.block(f"if x0[{i}] != x0[{i}]:"):
                text(f"by_x0[{i}] = 0.0")
                for (of, by), slope in system.start_jacobian.items():
                    if of == store:
                        text(f"t_{by} += {e.ref(slope)} * {named}")


def _refuse_empty_tape(e):
    """Write NaN for all results where the run failed: it has no steps to go through."""
    text = e.text
    with text.block("if n_time > 0 and tape.shape[0] == 0:"):
        for n, array in (
            (len(e.parameters), "by_theta"),
            (len(e.system.model.store_names), "by_x0"),
        ):
            with text.block(f"for i in range({n}):"):
                text(f"{array}[i] = nan")
        with text.block("for k in range(n_time):"):
            with text.block(f"for i in range({len(e.system.model.forcing_names)}):"):
                text("by_forcing[k, i] = nan")
