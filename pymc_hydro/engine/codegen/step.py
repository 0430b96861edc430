"""From a system to the text of its kernel.

A kernel integrates one run. Its text is one function whose statements are the author's equations
(in the author's order), each at the place where it must be evaluated: once a run, once an interval
or at every stage. It is compiled for its methods; the tolerances, and which parameters have columns
of sensitivities, are data: one function serves all of them, and values with and without
sensitivities are the same operations.

The step lengths are the interval divided by powers of two (or by a fixed number): a step always
ends where the interval does, and the exact propagator of the linear part is needed for a few
lengths only.
"""

from pymc_hydro.engine.codegen.columns import emit_column_error, emit_columns, emit_damped
from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.linear import emit_tail, emit_tail_constants
from pymc_hydro.engine.codegen.routing import emit_routing, routing_targets
from pymc_hydro.engine.codegen.stages import emit_factors, emit_stages, load_slopes
from pymc_hydro.engine.codegen.text import clean
from pymc_hydro.engine.derivation.system import INTERVAL, RUN, System, amount, is_flux
from pymc_hydro.integrators import RungeKutta

__all__ = ["ARGUMENTS", "N_COUNTS", "REASONS", "SIGNATURE", "emit_kernel"]

MAX_LEVEL = 24  # the shortest step is 2**-24 of the interval, 5 ms of a day
MAX_STEPS = 50_000  # in one interval; beyond, the run has failed
LARGEST = 1e12  # mm; a state beyond has left the model's range
COLUMN_RTOL = 0.25  # times the square root of the relative tolerance: that of sensitivities
COLUMN_ATOL = 10.0  # times the absolute tolerance: that of a parameter times its sensitivity
# A step may take a store that far below zero, at tighter tolerances too: smoothed laws drain an
# empty store by up to their width.
DIP = 1e-4  # mm
SAFETY = 0.8  # of the tolerance, aimed at by a step that is doubled

ARGUMENTS = "theta, forcing, x0, place, method, dt, rtol, atol, n_fixed, values, jacobian, counts"
SIGNATURE = (
    "i8(f8[::1], f8[:,::1], f8[::1], i8[::1], f8[:,:,::1], f8, f8, f8, i8,"
    " f8[:,::1], f8[:,:,::1], i8[::1])"
)
# Steps taken, of these implicit, rejected, forced; stages without solution; interval of a failure.
N_COUNTS = 6

# Why a run failed, by the kernel's status; entry 0 is success.
REASONS = (
    "",
    "a state, an output or a sensitivity is no longer finite",
    "the fixed step is longer than the explicit method's stability limit; use more steps per "
    "interval, or leave out `solver` for the implicit one",
    f"more than {MAX_STEPS} steps in one interval",
    "a stage's equations could not be solved, even for the shortest step",
)


def emit_kernel(system: System, name: str, n_column: int, methods: tuple[RungeKutta, ...]) -> str:
    """Return the text of a kernel.

    Parameters
    ----------
    system : System
    name : str
        Name of the function.
    n_column : int
        Number of columns of sensitivities that it has room for: a multiple of four.
    methods : tuple of RungeKutta
    """
    e = Layout(system, n_column, methods)
    run_targets = [*e.matrix.values(), *system.start.values(), *routing_targets(system)]
    run_targets += [*system.matrix_jacobian.values(), *system.start_jacobian.values()]
    run_targets += system.capacity.values()
    everything = e.needed([*run_targets, *e.values, *e.slope_nodes, *e.effect_nodes])
    text = e.text
    with text.block(f"def {name}({ARGUMENTS}):"):
        _run_constants(e, everything)
        with text.block("for k in range(n_time if status == 0 else 0):"):
            _interval(e, everything)
        emit_routing(e)
        with text.block("if status != 0:"):
            text(f"counts[{N_COUNTS - 1}] = failed")
            # All of it: what was observed before the failure would say nothing of it.
            with text.block("for k in range(n_time):"):
                with text.block(f"for o in range({len(system.outputs)}):"):
                    text("values[k, o] = nan")
                    with text.block("for j in range(n_column):"):
                        text("jacobian[k, o, j] = nan")
        text("return status")
    return "\n".join(text.lines).replace("WORK_SIZE", str(e.work_size)) + "\n"


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
    # An L-stable method alone controls the states only: its values do not depend on columns.
    text("controlled = n_fixed == 0 and method[0, n_most + 2, 1] < inf")
    text(f"column_rtol = {COLUMN_RTOL!r} * sqrt(rtol)")
    text("error_order = method[0, n_most + 2, 0]")
    text("status = failed = 0")
    with text.block(f"for q in range({N_COUNTS}):"):
        text("counts[q] = 0")
    text(f"counts[{N_COUNTS - 1}] = -1")
    text("total = 0.0")
    with text.block(f"for q in range({len(e.parameters)}):"):
        text("total += abs(theta[q])")
    with text.block("if not total < inf:"):
        text("status = 1")
    text(f"max_level = 0 if n_fixed > 0 else {MAX_LEVEL}")
    text("n_unit = max(n_fixed, 1) << max_level")
    text("longest = dt / max(n_fixed, 1)")
    emit_tail_constants(e)
    for kind, names in (("x", e.head), ("l", e.linear)):
        for state in names:
            store = _store_index(e, state)
            text(f"{kind}_{state} = " + ("0.0" if store is None else f"x0[{store}]"))
    text(f"rate = zeros((n_most, {n_row}))")
    text(f"slope = zeros((n_most, {len(e.slopes)}))")
    text("work = zeros(WORK_SIZE if sensitive else 0)  # rows of sensitivities")
    with text.block("if sensitive:"):
        tolerance = e.at("tolerance")
        _fill(e, tolerance, "inf")
        for i, p in enumerate(e.system.model.parameters):
            # so that parameter times sensitivity is in mm
            scale = repr(p.scale) if p.scale else f"abs(p_{p.name})"
            text(f"work[{tolerance} + place[{i}]] = {COLUMN_ATOL!r} * atol / {scale}")
        for i, store in enumerate(e.system.model.store_names, len(e.parameters)):
            with text.block(f"if place[{i}] >= 0:"):
                text(f"work[{tolerance} + place[{i}]] = {COLUMN_ATOL!r} * atol")
                text(f"work[{e.at(e.named(store))} + place[{i}]] = 1.0")
        # The last column is where those go that are not wanted, if any are not.
        with text.block(f"if n_column < {e.width}:"):
            text(f"work[{tolerance + e.width - 1}] = inf")
    _parametric_starts(e)
    text("level = 0")
    text("radius = 0.0")


def _fill(e, row, value):
    # In loops throughout: slices that are assigned take seconds to compile.
    with e.text.block(f"for j in range({e.width}):"):
        e.text(f"work[{row} + j] = {value}")


def _store_index(e, state):
    names = e.system.model.store_names
    return names.index(state) if state in names else None


def _parametric_starts(e):
    """Set what the parameters say where the initial state is NaN."""
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


def _interval(e, everything):
    text = e.text
    e.load_forcing("forcing[k, {}]")
    e.compute(everything, INTERVAL)
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
        _step(e)
    with text.block("if status == 0:"):
        _outputs(e)
    with text.block("if status != 0:"):
        text("failed = k")
        text("break")


def _step(e):
    text = e.text
    text("h = longest * 0.5**level")
    # The first method that is stable; one that is explicit and alone is only refused where its
    # steps are given.
    with text.block("for m in range(n_method):"):
        text("n_stage = int(method[m, n_most + 2, 2])")
        text("limit = inf")
        with text.block("if n_fixed > 0 or m < n_method - 1:"):
            text("limit = method[m, n_most + 2, 1]")
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
    with text.block("if error <= 1.0 or forced:"):
        _accept(e)
    with text.block("else:"):
        _reject(e)
    with text.block(f"if taken >= {MAX_STEPS}:"):
        text("status = 3")
        text("break")


def _error(e):
    """Write the squared error in units of the tolerance."""
    text = e.text
    text("gh = h * method[m, n_stage - 1, n_stage - 1]")
    load_slopes(e, "n_stage - 1", e.slopes)
    for block in e.blocks:
        emit_factors(e, block)
    emit_damped(e, "e")
    for row in e.rows:
        new = f"n_{row}" if row in e.head else f"h * gm_{row}"
        text(f"e = e_{row} / ({_absolute(e, row)} + rtol * abs({new}))")
        text("error += e * e")
        if row in e.head:
            text(f"e = min(n_{row} - min(x_{row}, 0.0), 0.0) / max({_absolute(e, row)}, {DIP!r})")
            text("error += e * e")


def _absolute(e, row):
    """Return the absolute tolerance of a store: of one below 1 mm, as share of its capacity."""
    number = e.system.capacity.get(row) if row in e.head else None
    return "atol" if number is None else f"atol * min({e.ref(number)}, 1.0)"


def _accept(e):
    text = e.text
    with text.block("if forced:"):
        text("counts[3] += 1")
    text("counts[0] += 1")
    with text.block("if method[m, n_most + 2, 1] == inf:"):
        text("counts[1] += 1")
    text("position += 1 << (max_level - level)")
    for state in (*e.head, *e.linear):
        text(f"{e.named(state)} = n_{state}")
    reuse = all(method.ends_at_solution for method in e.methods)
    text(f"first = known = {int(reuse)}")
    if reuse:
        for i in range(len(e.rows)):
            text(f"rate[0, {i}] = rate[n_stage - 1, {i}]")
        for i, key in enumerate(e.slopes):
            if key in e.slopes_within:
                text(f"slope[0, {i}] = slope[n_stage - 1, {i}]")
    with text.block("if sensitive:"):
        copies = [("x", "n", e.head), ("l", "n", e.linear)]
        for to, of, names in [*copies, ("start", "end", e.rows)] if reuse else copies:
            if names:
                old, new = e.rows_at(to, names), e.rows_at(of, names)
                with text.block(f"for j in range({e.span(names)}):"):
                    text(f"work[{old} + j] = work[{new} + j]")
    # A step of twice the length, which must start where one of that length may.
    text(f"grows = level > 0 and error * 4.0**error_order < {SAFETY**2!r}")
    with text.block("if grows and position % (1 << (max_level - level + 1)) == 0:"):
        text("level -= 1")


def _reject(e):
    text = e.text
    with text.block("if bad == 1:"):
        text("counts[4] += 1")
    text("counts[2] += 1")
    with text.block("if not error <= 1e300:"):
        text("level += 3")
    with text.block("while error > 1.0:"):
        text("level += 1")
        text("error *= 0.25**error_order")
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
        rows = [f"work[{e.at(n)} + j]" for n in names]
        with text.block("for j in range(n_column):"):
            text(f"jacobian[k, {o}, j] = ({' + '.join(rows)}){scale}")
            text(f"total += abs(jacobian[k, {o}, j])")
    for state in (*e.head, *e.linear):
        with text.block(f"if not abs({e.named(state)}) < {LARGEST!r}:"):
            text("status = 1")
    with text.block("if not total < inf:"):
        text("status = 1")
