"""From a system to the text of its kernel.

A kernel integrates one run. Its text is one function. The statements are the equations of the
model, in the order of their author; each stands where it must be evaluated: once a run, once an
interval or at every stage. The text depends on the methods. The tolerances, and the choice of the
parameters that have columns of sensitivities, are arguments: one function serves every choice. A
run without sensitivities does the same operations on values as a run with sensitivities.

The length of a step is the interval divided by a power of two (or by a fixed number). So the last
step ends where the interval ends, and few lengths need a propagator of the linear states.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymc_hydro.engine.codegen import ARGUMENTS, COUNTS, HELD, STEPS, Argument
from pymc_hydro.engine.codegen.columns import emit_column_error, emit_columns, emit_damped
from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.linear import emit_linear_constants, emit_tail
from pymc_hydro.engine.codegen.routing import emit_routing, routing_targets
from pymc_hydro.engine.codegen.stages import emit_factors, emit_stages, load_slopes
from pymc_hydro.engine.codegen.text import clean
from pymc_hydro.engine.derivation.system import INTERVAL, RUN, System, amount, is_flux
from pymc_hydro.integrators import RungeKutta

__all__ = ["NO_HOOKS", "REASONS", "REPLAY", "Hooks", "emit_kernel"]

MAX_LEVEL = 24  # the shortest step is 2**-24 of the interval, 5 ms of a day
MAX_STEPS = 50_000  # in one interval; beyond, the run has failed
LARGEST = 1e12  # mm; the run has failed if a state holds more
# Tolerances of columns: 0.25 sqrt(rtol), and 10 atol for a parameter times its sensitivity.
COLUMN_RTOL, COLUMN_ATOL = 0.25, 10.0
# A step may take a store this far below zero, however tight the tolerance: smoothed laws drain an
# empty store by up to their width.
DIP = 1e-4  # mm
# A step is doubled if the error expected of the double step is below this share of the limit.
SAFETY = 0.8

# Why a run failed, by the kernel's status; entry 0 is success.
REASONS = (
    "",
    "a state, an output or a sensitivity is no longer finite",
    "the fixed step is longer than the explicit method's stability limit; use more steps per "
    "interval, or leave out `solver` for the implicit one",
    f"more than {MAX_STEPS} steps in one interval",
    "a stage's equations could not be solved, even for the shortest step",
)


@dataclass(frozen=True)
class Hooks:
    """Places in a step that may have other text; the defaults are the text of a kernel.

    Attributes
    ----------
    begin : str
        A statement before the length of the step is set from `level`; none by default.
    methods : str
        The methods that are tried in turn.
    limit : str
        The stability limit of a method that is not the last one.
    accepted : str
        Whether the step is taken.
    rejected : str
        Statements in the place of the choice of a shorter step; none by default.
    arguments : tuple of Argument
        Further arguments of the kernel, to which this text refers.
    """

    begin: str = ""
    methods: str = "range(n_method)"
    limit: str = "method[m, n_most + 2, 1]"
    accepted: str = "error <= 1.0 or forced"
    rejected: str = ""
    arguments: tuple[Argument, ...] = ()


NO_HOOKS = Hooks()
# A run takes the steps of another one; it fails where one of them has no solution.
REPLAY = Hooks(
    begin="steps[0, 0] += 1; level = steps[steps[0, 0], 0]; chosen = steps[steps[0, 0], 1]",
    methods="range(chosen, chosen + 1)",
    limit="inf",
    accepted="bad == 0",
    rejected="status = 4; break",
    arguments=(STEPS,),
)


def emit_kernel(
    system: System,
    name: str,
    n_column: int,
    methods: tuple[RungeKutta, ...],
    hooks: Hooks = NO_HOOKS,
    make_tape: Callable[[Layout], Any] | None = None,
) -> str:
    """Return the text of a kernel.

    Parameters
    ----------
    system : System
    name : str
        Name of the function.
    n_column : int
        Number of columns of sensitivities that the kernel has room for: a multiple of four.
    methods : tuple of RungeKutta
    hooks : Hooks
        Other text at a few places.
    make_tape : callable, optional
        Such as :class:`pymc_hydro.engine.codegen.reverse.tape.Tape`: the kernel keeps a tape of its
        steps, and returns status and tape.
    """
    e = Layout(system, n_column, methods)
    e.tape = make_tape(e) if make_tape else None
    run_targets = [*e.matrix.values(), *system.start.values(), *routing_targets(system)]
    run_targets += [*system.matrix_jacobian.values(), *system.start_jacobian.values()]
    run_targets += [*system.shares.values(), *system.share_jacobian.values()]
    run_targets += system.capacity.values()
    everything = e.needed([*run_targets, *e.values, *e.slope_nodes, *e.effect_nodes])
    text = e.text
    arguments = (*ARGUMENTS, *hooks.arguments, *(HELD if system.model.hydrographs else ()))
    with text.block(f"def {name}({', '.join(a.name for a in arguments)}):"):
        _run_constants(e, everything)
        with text.block("for k in range(n_time if status == 0 else 0):"):
            _interval(e, everything, hooks)
        emit_routing(e)
        with text.block("if status != 0:"):
            text(f"{_count('failed_interval')} = failed")
            e.emit_failed_run(len(system.outputs))
        if e.tape:
            with text.block("if status != 0:"):
                text("n_tape = 0")
        text("return status, tape[:n_tape]" if e.tape else "return status")
    return "\n".join(text.lines).replace("WORK_SIZE", str(e.work_size)) + "\n"


def _count(name):
    return f"counts[{COUNTS.index(name)}]"


def _run_constants(e, everything):
    text, n_row = e.text, len(e.rows)
    e.load_parameters()
    e.compute(everything, RUN)
    text("n_time = forcing.shape[0]")
    text("n_method, n_most = method.shape[0], method.shape[2]")
    text("n_column = jacobian.shape[2]")
    text("sensitive = n_column > 0")
    n_place = len(e.parameters) + len(e.system.model.stores)
    text(f"width = place.shape[0] + {e.width - n_place}")
    # A kernel with an L-stable method alone has no error control of columns: its steps, and so its
    # values, do not depend on whether sensitivities are computed.
    text("controlled = n_fixed == 0 and method[0, n_most + 2, 1] < inf")
    text(f"column_rtol = {COLUMN_RTOL!r} * sqrt(rtol)")
    # By this the squared error of a step falls if its length is halved.
    text("halved = 0.25 ** method[0, n_most + 2, 0]")
    text("status = failed = 0")
    with text.block(f"for q in range({len(COUNTS)}):"):
        text("counts[q] = 0")
    text(f"{_count('failed_interval')} = -1")
    text("total = 0.0")
    with text.block(f"for q in range({len(e.parameters)}):"):
        text("total += abs(theta[q])")
    with text.block("if not total < inf:"):
        text("status = 1")
    text(f"max_level = 0 if n_fixed > 0 else {MAX_LEVEL}")
    text("n_unit = max(n_fixed, 1) << max_level")
    text("longest = dt / max(n_fixed, 1)")
    emit_linear_constants(e)
    for kind, names in (("x", e.head), ("l", e.linear)):
        for state in names:
            store = _store_index(e, state)
            text(f"{kind}_{state} = " + ("0.0" if store is None else f"x0[{store}]"))
    text(f"rate = zeros((n_most, {n_row}))")
    text(f"slope = zeros((n_most, {len(e.slopes)}))")
    if len(e.segments) > 1:
        text(f"carried = zeros((n_most, {len(e.carried)}))")
        text(f"node = zeros((n_most, {len(e.read)}))")
    if e.tape:
        e.tape.emit_start(e)
    text("work = zeros(WORK_SIZE if sensitive else 0)  # rows of sensitivities")
    with text.block("if sensitive:"):
        tolerance = e.at("tolerance")
        _fill(e, tolerance, "inf")
        for i, p in enumerate(e.system.model.parameters):
            # parameter times sensitivity is in mm
            scale = repr(p.scale) if p.scale else f"abs(p_{p.name})"
            text(f"work[{tolerance} + place[{i}]] = {COLUMN_ATOL!r} * atol / {scale}")
        # The rows of head states follow each other, and so do the rows of linear states, in any
        # order of the declaration.
        for name in (*e.head, *e.linear):
            e.at(e.named(name))
        for i, store in enumerate(e.system.model.store_names, len(e.parameters)):
            if store not in e.system.stores:
                continue
            with text.block(f"if place[{i}] >= 0:"):
                text(f"work[{tolerance} + place[{i}]] = {COLUMN_ATOL!r} * atol")
                text(f"work[{e.at(e.named(store))} + place[{i}]] = 1.0")
        # The last column takes the effects of all parameters without a column, if there are any.
        with text.block(f"if n_column < {e.width}:"):
            text(f"work[{tolerance + e.width - 1}] = inf")
    _parametric_starts(e)
    text("level = 0")
    text("radius = 0.0")


def _fill(e, row, value):
    # A loop: the assignment of a slice takes Numba seconds to compile.
    with e.text.block(f"for j in range({e.width}):"):
        e.text(f"work[{row} + j] = {value}")


def _store_index(e, state):
    names = e.system.model.store_names
    return names.index(state) if state in names else None


def _parametric_starts(e):
    """Write the initial contents that the parameters give, for stores whose `x0` is NaN."""
    text = e.text
    for store, content in e.system.start.items():
        named = e.named(clean(store))
        with text.block(f"if {named} != {named}:"):
            text(f"{named} = {e.ref(content)}")
            with text.block("if sensitive:"):
                row = e.at(named)
                _fill(e, row, "0.0")
                for (of, by), slope in e.system.start_jacobian.items():
                    if of == store:
                        text(f"work[{row} + place[{e.parameters.index(by)}]] = {e.ref(slope)}")


def _interval(e, everything, hooks):
    text = e.text
    e.load_forcing("forcing[k, {}]")
    e.compute(everything, INTERVAL)
    _arrivals(e)
    fluxes = [clean(amount(o)) for o in e.system.outputs if is_flux(e.system.model, o)]
    for state in fluxes:
        text(f"{e.named(state)} = 0.0")
    with text.block("if sensitive:"):
        for state in fluxes:
            _fill(e, e.at(e.named(state)), "0.0")
        for (row, by), number in e.outer.items():
            if (row, by) not in e.effects:
                place = f"{e.at(f'b_{row}')} + place[{e.parameters.index(by)}]"
                text(f"work[{place}] = {e.ref(number)}")
    text("position = 0")
    text("taken = 0")
    text("first = known = 0  # stages of the next step that are there already: values, columns")
    with text.block("while position < n_unit:"):
        _step(e, hooks)
    with text.block("if status == 0:"):
        _outputs(e)
    with text.block("if status != 0:"):
        text("failed = k")
        text("break")


def _arrivals(e):
    """Write the water that arrives from unit hydrographs in an interval, and its sensitivities."""
    text = e.text
    order = [hydrograph.output for hydrograph in e.system.model.hydrographs]
    for name in e.system.held:
        text(f"{e.named(name)} = held[k, {order.index(name)}]")
        with text.block("if sensitive:"):
            with text.block("for j in range(n_column):"):
                text(f"work[{e.at(e.named(name))} + j] = held_jacobian[k, {order.index(name)}, j]")


def _step(e, hooks):
    text = e.text
    if hooks.begin:
        text(hooks.begin)
    text("h = longest * 0.5**level")
    # A step takes the first method that is stable. The last method has no limit, unless the steps
    # are fixed: with error control a step that is unstable is rejected for its error.
    with text.block(f"for m in {hooks.methods}:"):
        text("n_stage = int(method[m, n_most + 2, 2])")
        text("limit = inf")
        with text.block("if n_fixed > 0 or m < n_method - 1:"):
            text(f"limit = {hooks.limit}")
        emit_stages(e)
        with text.block("if bad != 2:"):
            text("break")
    with text.block("if bad == 2:"):
        text("status = 2")
        text("break")
    text("error = inf if bad == 1 else 0.0")
    with text.block("if bad == 0:"):
        emit_tail(e)
        for state in e.head:
            text(f"n_{state} = x_{state}")
        for row in e.rows:
            text(f"e_{row} = 0.0")
        with text.block("for q in range(n_stage):"):
            text("w = h * method[m, n_most, q]")
            text("v = h * method[m, n_most + 1, q]")
            for i, row in enumerate(e.rows):
                if row in e.head:
                    text(f"n_{row} += w * rate[q, {i}]")
                text(f"e_{row} += v * rate[q, {i}]")
        with text.block("if n_fixed == 0:"):
            _error(e)
    text("shortest = n_fixed == 0 and level == max_level")
    with text.block("if sensitive and bad == 0 and (error <= 1.0 or shortest):"):
        emit_columns(e)
        with text.block("if controlled:"):
            emit_column_error(e)
    text("taken += 1")
    text("forced = shortest and bad == 0 and error > 1.0")
    with text.block(f"if {hooks.accepted}:"):
        _accept(e)
    with text.block("else:"):
        text(hooks.rejected) if hooks.rejected else _reject(e)
    with text.block(f"if taken >= {MAX_STEPS}:"):
        text("status = 3")
        text("break")


def _error(e):
    """Write the squared error of the states in units of the tolerance."""
    text = e.text
    text("gh = h * method[m, n_stage - 1, n_stage - 1]")
    with text.block("if gh > 0.0:"):
        load_slopes(e, "n_stage - 1", e.slopes)
        for block in e.blocks:
            emit_factors(e, block)
        emit_damped(e, "e")
    emit_norm(e)


def emit_norm(e: Layout) -> None:
    """Add to `error` the square of each row's error, and of what a step takes below zero."""
    text = e.text
    unlimited = {clean(n) for n in (*e.system.held, *e.system.signed)}
    for row in e.rows:
        new = f"n_{row}" if row in e.head else f"h * gm_{row}"
        scale = e.scale(row)
        text(f"e = {scale}e_{row} / ({_absolute(e, row)} + rtol * abs({scale}{new}))")
        text("error += e * e")
        if row in e.head and row not in unlimited:
            text(f"e = min(n_{row} - min(x_{row}, 0.0), 0.0) / max({_absolute(e, row)}, {DIP!r})")
            text("error += e * e")


def _absolute(e, row):
    """Return the absolute tolerance of a row; it is lower for a store of less than 1 mm."""
    number = e.system.capacity.get(row) if row in e.head else None
    return "atol" if number is None else f"atol * min({e.ref(number)}, 1.0)"


def _accept(e):
    text = e.text
    with text.block("if forced:"):
        text(f"{_count('forced_steps')} += 1")
    text(f"{_count('steps')} += 1")
    with text.block("if method[m, n_most + 2, 1] == inf:"):
        text(f"{_count('implicit_steps')} += 1")
    text("position += 1 << (max_level - level)")
    if e.tape:
        e.tape.emit_row(e)
    for state in (*e.head, *e.linear):
        text(f"{e.named(state)} = n_{state}")
    text(f"first = known = {int(e.reuse)}")
    if e.reuse:
        for i in range(len(e.rows)):
            text(f"rate[0, {i}] = rate[n_stage - 1, {i}]")
        for i, key in enumerate(e.slopes):
            if key in e.slopes_within:
                text(f"slope[0, {i}] = slope[n_stage - 1, {i}]")
    with text.block("if sensitive:"):
        copies = [("x", "n", e.head), *(("l", "n", segment.linear) for segment in e.segments)]
        for to, of, names in [*copies, ("start", "end", e.rows)] if e.reuse else copies:
            if names:
                old, new = e.rows_at(to, names), e.rows_at(of, names)
                with text.block(f"for j in range({e.span(names)}):"):
                    text(f"work[{old} + j] = work[{new} + j]")
    # The length is doubled only where steps of the double length begin.
    text(f"grows = level > 0 and error < {SAFETY**2!r} * halved")
    with text.block("if grows and position % (1 << (max_level - level + 1)) == 0:"):
        text("level -= 1")


def _reject(e):
    text = e.text
    with text.block("if bad == 1:"):
        text(f"{_count('unsolved_stages')} += 1")
    text(f"{_count('rejected_steps')} += 1")
    with text.block("if not error <= 1e300:"):
        text("level += 3")
        text("error = inf")  # also where it is no number
    with text.block("while error > 1.0:"):
        text("level += 1")
        text("error *= halved")
        with text.block("if level >= max_level or error > 1e300:"):
            text("break")
    with text.block("if level > max_level:"):
        with text.block("if level >= max_level + 4:"):
            text("status = 4 if bad == 1 else 1")
            text("break")
        text("level = max_level")


def _outputs(e):
    text, model = e.text, e.system.model
    text("total = 0.0")
    for o, output in enumerate(e.system.outputs):
        if is_flux(model, output):
            states, scale = [clean(amount(output))], " / dt"
        else:
            states, scale = [clean(t) for t in output.terms], ""
        names = [e.named(s) for s in states]
        text(f"values[k, {o}] = ({' + '.join(names)}){scale}")
        if e.tape:
            e.tape.emit_unrouted(e, o)
        rows = [f"work[{e.at(n)} + j]" for n in names]
        with text.block("for j in range(n_column):"):
            text(f"jacobian[k, {o}, j] = ({' + '.join(rows)}){scale}")
            text(f"total += abs(jacobian[k, {o}, j])")
    for state in (*e.head, *e.linear):
        with text.block(f"if not abs({e.named(state)}) < {LARGEST!r}:"):
            text("status = 1")
    with text.block("if not total < inf:"):
        text("status = 1")
