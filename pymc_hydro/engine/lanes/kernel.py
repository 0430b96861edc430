"""The kernel of lanes: many runs at once, values only, explicit steps with error control.

Each lane is a run with a clock of its own: in one iteration every lane takes a step, from its own
time and of its own length. A lane whose run has ended takes the next run. So what a run computes
does not depend on the others. A run that an explicit method cannot do in reasonable time is left
to the kernel of single runs: its status is `ALONE`.

| name | meaning |
|---|---|
| `run`, `at` | arrays: of each lane the number of its run (-1: none), and its interval |
| `vector`, `record` | arrays: of each lane the vector and the record of its run |
| `first`, `n_time`, `row` | arrays: of each lane the span of its record |
| `X`, `P`, `U`, `M` | arrays: states, parameters, forcing, and entries of A and C |
| `Q` | array: entries of the propagators of the step |
| `y0_` ... | a head state, or a linear state that is read, at stage 0 ... |
| `row_` | places in these arrays |
"""

from pymc_hydro.engine.codegen import COUNTS, INPUT, OUTPUT, SETTING, Argument
from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.linear import KINDS, WEIGHTS, place_of, propagated
from pymc_hydro.engine.codegen.routing import MOST_ORDINATES, emit_ordinates
from pymc_hydro.engine.codegen.step import LARGEST, SAFETY, emit_norm
from pymc_hydro.engine.codegen.text import Emitter, clean
from pymc_hydro.engine.derivation.system import INTERVAL, RUN, STAGE, System, amount, is_flux
from pymc_hydro.integrators import RungeKutta

__all__ = ["ALONE", "LANES", "LANE_ARGUMENTS", "ROUTE_ARGUMENTS", "emit_lanes", "emit_routes"]

LANES = 8  # two registers of 256 bits, or one of 512
ALONE = 1  # status of a run that is left to the kernel of single runs
DEEPEST = 14  # the shortest step is 2**-14 of the interval
MOST_STEPS = 40  # in the mean of the intervals done, and FIRST_STEPS more
FIRST_STEPS = 1000

BATCH = "n_vector", "n_record"
LANE_ARGUMENTS = (
    Argument("theta", INPUT, "f8", (*BATCH, "n_parameter"), "parameters"),
    Argument("forcing", INPUT, "f8", ("n_time", "n_forcing"), "of all records"),
    Argument("x0", INPUT, "f8", (*BATCH, "n_state"), "contents at the start"),
    Argument("runs", INPUT, "i8", ("n_run", "2"), "vector and record of each run, in turn"),
    Argument(
        "spans",
        INPUT,
        "i8",
        ("n_record", "3"),
        "of each record the first row of `forcing`, the number of intervals, and the first row of "
        "`values`",
    ),
    Argument("dt", SETTING, "f8", (), "length of an interval in days"),
    Argument("rtol", SETTING, "f8", (), "relative tolerance"),
    Argument("atol", SETTING, "f8", (), "absolute tolerance in mm"),
    Argument("values", OUTPUT, "f8", ("n_vector", "n_row", "n_output"), "outputs"),
    Argument("counts", OUTPUT, "i8", (*BATCH, "n_count"), "how often things happened: COUNTS"),
    Argument("status", OUTPUT, "i8", BATCH, "of each run 0, or ALONE"),
)
ROUTE_ARGUMENTS = (
    Argument("theta", INPUT, "f8", ("n_parameter",), "parameters of a run"),
    Argument("dt", SETTING, "f8", (), "length of an interval in days"),
    Argument("values", OUTPUT, "f8", ("n_time", "n_output"), "outputs of the run"),
)


class LaneEmitter(Layout):
    """The operations of a program in every lane."""

    def choice(self, condition: str, positive: str, other: str) -> str:
        """Return the text of a value that depends on whether the condition is positive."""
        return f"where({condition}, {positive}, {other})"


def emit_lanes(system: System, name: str, method: RungeKutta) -> str:
    """Return the text of the kernel of lanes."""
    e = LaneEmitter(system, 0, (method,))
    text = e.text
    with text.block(f"def {name}({', '.join(a.name for a in LANE_ARGUMENTS)}):"):
        _arrays(e, method)
        with text.block("while True:"):
            _fill(e)
            with text.block("if live == 0:"):
                text("break")
            _run_constants(e)
            text("ended_runs = 0")
            with text.block("while ended_runs == 0:"):
                _propagators(e)
                _step(e, method)
                _control(e)
                _advance(e)
            for i, state in enumerate((*e.head, *e.linear)):
                text(f"store(X, {i}, {e.named(state)})")
        text("return 0")
    return "\n".join(text.lines) + "\n"


def _entries(e, segment):
    """Return (stage, kind, state, state) of the entries of a section's propagators.

    Where later sections read the linear states, there is a propagator for each stage but the first;
    the last one is that of the step. Otherwise the stage is an empty text.
    """
    last = e.methods[0].n_stages - 1
    stages = [f"{s}" for s in range(1, last + 1)] if segment.suffix else [""]
    found = []
    for stage in stages:
        states = segment.linear if stage == stages[-1] else segment.read
        found += [
            (stage, kind, i, k)
            for kinds, columns, there in (
                (("E",), segment.linear, e.reach),
                (WEIGHTS, segment.driven, e.fed),
            )
            for i in states
            for k in columns
            if (i, k) in there
            for kind in kinds
        ]
    return found


def _coefficients(e, segment):
    """Return (array, place, text) of the entries of A and C of a section."""
    x, states = segment.suffix, segment.linear
    found = [
        (f"A{x}", place_of(segment, i, k), e.ref(n))
        for (i, k), n in e.matrix.items()
        if i in states
    ]
    for g in segment.driven if segment.shared else ():
        shares = {i: e.ref(n) for (i, k), n in e.shares.items() if k == g} or {g: "1.0"}
        places = ((place_of(segment, i, g, weight=True), share) for i, share in shares.items())
        found += [(f"C{x}", place, share) for place, share in places]
    return found


def _size(segment):
    return len(segment.linear) + len(segment.read)


def _arrays(e, method):
    text, model = e.text, e.system.model
    text("n_run = runs.shape[0]")
    text(f"halved = {0.25**method.error_order!r}")
    sizes = {
        "X": len(e.head) + len(e.linear),
        "P": len(e.parameters),
        "U": len(model.forcing_names),
        "start": len(e.system.start),
        "out": len(e.system.outputs),
        "length": 1,
        "errors": 1,
        "accepted": 1,
        "ended": 1,
        "check": 1,
    }
    for segment in e.segments:
        sizes[f"M{segment.suffix}"] = len(_coefficients(e, segment))
        sizes[f"Q{segment.suffix}"] = len(_entries(e, segment))
    for array, size in sizes.items():
        text(f"{array} = zeros(({max(size, 1)}, {LANES}))")
    of_run = ("run", "vector", "record", "first", "n_time", "row")
    for array in (*of_run, "at", "level", "loaded", "position", "taken"):
        text(f"{array} = np.zeros({LANES}, np.int64)")
    text(f"ready = np.zeros(({LANES}, {DEEPEST + 1}), np.int64)")
    if len(e.segments) > 1:
        text(f"method = zeros(({method.n_stages + 1}, {method.n_stages}))")
        for s, row in enumerate((*method.a, method.b)):
            for q, a in enumerate(row):
                text(f"method[{s}, {q}] = {a!r}")
    for segment in e.segments:
        _propagator_arrays(e, segment, method.n_stages)
    text("coming = 0")
    with text.block(f"for i in range({LANES}):"):
        text("run[i] = -1")


def _propagator_arrays(e, segment, n_stage):
    text, x, n = e.text, segment.suffix, _size(segment)
    slots = f"{n_stage}, " if x else ""
    text(f"table{x} = empty(({LANES}, {DEEPEST + 1}, {slots}1, 4, {n}, {n}))")
    text(f"flat{x} = table{x}.reshape(table{x}.size)")
    text(f"A{x} = zeros(({n}, {n}))")
    for i in range(len(segment.read)):
        text(f"A{x}[{len(segment.linear) + i}, {i}] = 1.0")
    text(f"dA{x} = zeros((0, {n}, {n}))")
    if segment.shared:
        text(f"C{x} = zeros(({n}, {len(segment.driven)}))")
        text(f"dC{x} = zeros((0, {n}, {len(segment.driven)}))")
    entries = _entries(e, segment)
    text(f"place{x} = np.zeros({max(len(entries), 1)}, np.int64)")
    for q, (stage, kind, i, k) in enumerate(entries):
        row, column = map(int, place_of(segment, i, k, kind != "E").split(","))
        slot = 4 * int(stage or 0) + KINDS.index(kind)
        text(f"place{x}[{q}] = {(slot * n + row) * n + column}")


def _fill(e):
    """Write that lanes without a run take the next one."""
    text, names = e.text, e.system.model.store_names
    text("live = 0")
    with text.block(f"for i in range({LANES}):"):
        with text.block("if run[i] < 0 and coming < n_run:"):
            text("run[i] = coming")
            text("vector[i] = v = runs[coming, 0]")
            text("record[i] = r = runs[coming, 1]")
            for q, array in enumerate(("first", "n_time", "row")):
                text(f"{array}[i] = spans[r, {q}]")
            text("coming += 1")
            text("at[i] = level[i] = position[i] = taken[i] = 0")
            text("loaded[i] = -1")
            with text.block(f"for q in range({DEEPEST + 1}):"):
                text("ready[i, q] = 0")
            with text.block("for q in range(theta.shape[2]):"):
                text("P[q, i] = theta[v, r, q]")
            with text.block("for q in range(forcing.shape[1]):"):
                text("U[q, i] = forcing[first[i], q]")
            for j, state in enumerate((*e.head, *e.linear)):
                content = f"x0[v, r, {names.index(state)}]" if state in names else "0.0"
                text(f"X[{j}, i] = {content}")
            with text.block("for q in range(counts.shape[2]):"):
                text("counts[v, r, q] = 0")
            text(f"counts[v, r, {COUNTS.index('failed_interval')}] = -1")
        with text.block("if run[i] >= 0:"):
            text("live += 1")


def _run_constants(e):
    text, system = e.text, e.system
    for i, p in enumerate(e.parameters):
        text(f"p_{p} = load(P, {i})")
    targets = [*e.matrix.values(), *system.start.values(), *system.shares.values()]
    everything = e.needed([*targets, *system.capacity.values(), *e.rates.values()])
    e.compute(everything, RUN)
    for segment in e.segments:
        for i, (_, _, value) in enumerate(_coefficients(e, segment)):
            text(f"store(M{segment.suffix}, {i}, {value})")
    for g in e.driven:
        shares = [f"abs({e.ref(n)})" for (_, k), n in e.shares.items() if k == g]
        if shares:
            largest = shares[0]
            for share in shares[1:]:
                largest = f"max({largest}, {share})"
            text(f"share_{g} = {largest}")
    states = (*e.head, *e.linear)
    for j, (store, content) in enumerate(system.start.items()):
        text(f"store(start, {j}, {e.ref(content)})")
        place = states.index(clean(store))
        with text.block(f"for i in range({LANES}):"):
            with text.block(f"if X[{place}, i] != X[{place}, i]:"):
                text(f"X[{place}, i] = start[{j}, i]")
    for j, state in enumerate(states):
        text(f"{e.named(state)} = load(X, {j})")


def _propagators(e):
    """Write the length of each lane's step, and the propagators of this length."""
    text = e.text
    with text.block(f"for i in range({LANES}):"):
        with text.block("if loaded[i] != level[i]:"):
            text("loaded[i] = level[i]")
            text("length[0, i] = dt * 0.5 ** level[i]")
            with text.block("if ready[i, level[i]] == 0:"):
                text("ready[i, level[i]] = 1")
                for segment in e.segments:
                    if segment.linear:
                        _propagator(e, segment)
            for segment in e.segments:
                x, n = segment.suffix, _size(segment)
                slots = e.methods[0].n_stages if x else 1
                text(f"q0 = (i * {DEEPEST + 1} + level[i]) * {slots * 4 * n * n}")
                with text.block(f"for q in range({len(_entries(e, segment))}):"):
                    text(f"Q{x}[q, i] = flat{x}[q0 + place{x}[q]]")


def _propagator(e, segment):
    text, x = e.text, segment.suffix
    for j, (array, place, _) in enumerate(_coefficients(e, segment)):
        text(f"{array}[{place}] = M{x}[{j}, i]")
    n_stage, given = e.methods[0].n_stages, f"A{x}, dA{x}, length[0, i]"
    if not x:
        text(f"propagator({given}, table[i], level[i])")
        if segment.shared:
            text("couple(C, dC, 0, table[i], level[i])")
        return
    table = f"table{x}[i, level[i]]"
    text(f"at_nodes({given}, method, {n_stage}, {table}, {len(segment.read)})")
    if segment.shared:
        with text.block(f"for s in range(1, {n_stage}):"):
            text(f"couple(C{x}, dC{x}, 0, {table}, s)")


def _step(e, method):
    """Write a step of all lanes: contents at its end, and the squared error."""
    text, known = e.text, []
    text("h = load(length, 0)")
    e.load_forcing("load(U, {})")
    e.compute(e.needed(e.rates.values()), INTERVAL)
    for segment in e.segments:
        known += segment.head
        for s in range(method.n_stages):
            _stage(e, segment, method, s, known)
        for row in segment.driven:
            text(f"gm_{row} = {_weighted(row, method.b) or '0.0'}")
        _linear(e, segment, method.n_stages - 1)
        known += segment.read
    for state in e.head:
        text(f"n_{state} = x_{state} + h * ({_weighted(state, method.b) or '0.0'})")
    for row in e.rows:
        text(f"e_{row} = h * ({_weighted(row, method.error_weights) or '0.0'})")
    text("error = h * 0.0")
    emit_norm(e)
    text("store(errors, 0, error)")


def _stage(e, segment, method, s, known):
    """Write the rates of a section at a stage; `known` has the states that they may depend on."""
    text = e.text
    for state in segment.head:
        slope = _weighted(state, method.a[s])
        text(f"y{s}_{state} = x_{state}" + (f" + h * ({slope})" if slope else ""))
    for state in known:
        text(f"y_{state} = y{s}_{state}")
    e.compute(e.needed([e.rates[row] for row in segment.rows]), STAGE)
    for row in segment.rows:
        text(f"k{s}_{row} = {e.ref(e.rates[row])}")


def _linear(e, segment, last):
    """Write the linear states of a section: at the stages where they are read, and at the end."""
    text, x = e.text, segment.suffix
    for q, (stage, kind, i, k) in enumerate(_entries(e, segment)):
        text(f"{kind}{stage}_{i}_{k} = load(Q{x}, {q})")
    inflows = ("k0_{}", f"k{last}_{{}}", "gm_{}")
    for i in segment.read:
        text(f"y0_{i} = l_{i}")
        for s in range(1, last):
            text(f"y{s}_{i} = {propagated(e, segment, i, f'{s}', 'l_{}', inflows)}")
    for i in segment.linear:
        stage = f"{last}" if x else ""
        text(f"n_{i} = {propagated(e, segment, i, stage, 'l_{}', inflows)}")
    for i in segment.read:
        text(f"y{last}_{i} = n_{i}")


def _weighted(row, weights):
    terms = (f"{w!r} * k{q}_{row}" for q, w in enumerate(weights) if w)
    return " + ".join(terms)


def _control(e):
    """Write what each lane does after its step: whether it is taken, and how long the next is."""
    text = e.text
    text("ended_intervals = 0")
    with text.block(f"for i in range({LANES}):"):
        text("accepted[0, i] = ended[0, i] = 0.0")
        with text.block("if run[i] >= 0:"):
            text("error_ = errors[0, i]")
            text("taken[i] += 1")
            with text.block("if error_ <= 1.0:"):
                text(f"counts[vector[i], record[i], {COUNTS.index('steps')}] += 1")
                text("accepted[0, i] = 1.0")
                text(f"position[i] += 1 << ({DEEPEST} - level[i])")
                with text.block(f"if position[i] == {1 << DEEPEST}:"):
                    text("ended[0, i] = 1.0")
                    text("ended_intervals += 1")
                with text.block(f"if level[i] > 0 and error_ < {SAFETY**2!r} * halved:"):
                    with text.block(f"if position[i] % (1 << ({DEEPEST} - level[i] + 1)) == 0:"):
                        text("level[i] -= 1")
            with text.block("else:"):
                text(f"counts[vector[i], record[i], {COUNTS.index('rejected_steps')}] += 1")
                with text.block("if not error_ <= 1e300:"):
                    text("level[i] += 3")
                    text("error_ = inf")
                with text.block("while error_ > 1.0:"):
                    text("level[i] += 1")
                    text("error_ *= halved")
                    with text.block(f"if level[i] >= {DEEPEST} or error_ > 1e300:"):
                        text("break")
                many = f"taken[i] > {FIRST_STEPS} + {MOST_STEPS} * at[i]"
                with text.block(f"if level[i] > {DEEPEST} or {many}:"):
                    _leave_alone(e)


def _leave_alone(e):
    e.text(f"status[vector[i], record[i]] = {ALONE}")
    e.text("run[i] = -1")
    e.text("level[i] = 0")
    e.text("ended_runs += 1")


def _advance(e):
    """Write the states after the step, and the outputs of intervals that have ended."""
    text, model, states = e.text, e.system.model, (*e.head, *e.linear)
    text("taken_step = load(accepted, 0)")
    for state in states:
        named = e.named(state)
        text(f"{named} = where(taken_step, n_{state}, {named})")
    with text.block("if ended_intervals > 0:"):
        for o, output in enumerate(e.system.outputs):
            terms = [clean(amount(output))] if is_flux(model, output) else map(clean, output.terms)
            scale = " / dt" if is_flux(model, output) else ""
            text(f"store(out, {o}, ({' + '.join(map(e.named, terms))}){scale})")
        text(f"store(check, 0, {' + '.join(f'abs({e.named(s)})' for s in states)})")
        text("ends = load(ended, 0)")
        for output in e.system.outputs:
            if is_flux(model, output):
                named = e.named(clean(amount(output)))
                text(f"{named} = where(ends, 0.0, {named})")
        with text.block(f"for i in range({LANES}):"):
            with text.block("if ended[0, i] > 0.0 and run[i] >= 0:"):
                for o in range(len(e.system.outputs)):
                    text(f"values[vector[i], row[i] + at[i], {o}] = out[{o}, i]")
                text("at[i] += 1")
                text("position[i] = 0")
                with text.block(f"if not check[0, i] < {LARGEST!r}:"):
                    _leave_alone(e)
                with text.block("elif at[i] == n_time[i]:"):
                    text("status[vector[i], record[i]] = 0")
                    text("run[i] = -1")
                    text("ended_runs += 1")
                with text.block("else:"):
                    with text.block("for q in range(forcing.shape[1]):"):
                        text("U[q, i] = forcing[first[i] + at[i], q]")


def emit_routes(system: System, name: str) -> str:
    """Return the text of a function that distributes a run's outputs by its unit hydrographs.

    It returns `ALONE` where a hydrograph's base makes no sense.
    """
    e = Emitter(system)
    text = e.text
    with text.block(f"def {name}({', '.join(a.name for a in ROUTE_ARGUMENTS)}):"):
        e.load_parameters()
        nodes = [n for route in system.routes for n in (route.ordinate, route.base)]
        e.compute(e.needed([*nodes, *(n for r in system.routes for n in r.slopes.values())]), RUN)
        text("n_routed = values.shape[0]")
        for route in system.routes:
            o = route.output
            with text.block(f"if not 0.0 <= {e.ref(route.base)} / dt < {MOST_ORDINATES!r}:"):
                text(f"return {ALONE}")
            emit_ordinates(e, route)
            with text.block("for k in range(n_routed - 1, -1, -1):"):
                text("total = 0.0")
                with text.block("for i in range(min(n_ordinate, k + 1)):"):
                    text(f"total += ordinates[i] * values[k - i, {o}]")
                text(f"values[k, {o}] = total")
        text("return 0")
    return "\n".join(text.lines) + "\n"
