"""The kernel of lanes: many runs of one record, values only, explicit steps with error control.

Each lane is a run with a clock of its own: in one iteration every lane takes a step, from its own
time and of its own length. A lane whose run has ended takes the next run. So what a run computes
does not depend on the others. A run that an explicit method cannot do in reasonable time is left
to the kernel of single runs: its status is `ALONE`.

| name | meaning |
|---|---|
| `run`, `at` | arrays: of each lane the number of its run (-1: none), and its interval |
| `X`, `P`, `U`, `M` | arrays: states, parameters, forcing, and entries of A and C |
| `Q` | array: entries of the propagator of the step |
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

LANE_ARGUMENTS = (
    Argument("theta", INPUT, "f8", ("n_run", "n_parameter"), "parameters of each run"),
    Argument("forcing", INPUT, "f8", ("n_time", "n_forcing"), "of the record"),
    Argument("x0", INPUT, "f8", ("n_run", "n_state"), "contents at the start"),
    Argument("dt", SETTING, "f8", (), "length of an interval in days"),
    Argument("rtol", SETTING, "f8", (), "relative tolerance"),
    Argument("atol", SETTING, "f8", (), "absolute tolerance in mm"),
    Argument("row", SETTING, "i8", (), "of `values`, where the record begins"),
    Argument("values", OUTPUT, "f8", ("n_run", "n_row", "n_output"), "outputs"),
    Argument("counts", OUTPUT, "i8", ("n_run", "n_count"), "how often things happened: COUNTS"),
    Argument("status", OUTPUT, "i8", ("n_run",), "0, or ALONE"),
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
    """Return the text of the kernel of lanes, for a system of one section."""
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


def _entries(e):
    """Return (kind, state, state) of the propagator's entries that are not zero."""
    segment = e.segments[-1]
    of_states = [("E", i, k) for i in e.linear for k in e.linear if (i, k) in e.reach]
    fed = [(i, k) for i in e.linear for k in segment.driven if (i, k) in e.fed]
    return of_states + [(kind, i, k) for i, k in fed for kind in WEIGHTS]


def _coefficients(e):
    """Return (array, place, node) of the entries of A and C that depend on parameters."""
    segment = e.segments[-1]
    found = [("A", place_of(segment, i, k), e.ref(n)) for (i, k), n in e.matrix.items()]
    if segment.shared:
        for g in segment.driven:
            shares = {i: e.ref(n) for (i, k), n in e.shares.items() if k == g} or {g: "1.0"}
            found += [("C", place_of(segment, i, g, weight=True), s) for i, s in shares.items()]
    return found


def _arrays(e, method):
    text, model, n = e.text, e.system.model, len(e.linear)
    text("n_run, n_time = theta.shape[0], forcing.shape[0]")
    text(f"halved = {0.25**method.error_order!r}")
    sizes = {
        "X": len(e.head) + n,
        "P": len(e.parameters),
        "U": len(model.forcing_names),
        "M": len(_coefficients(e)),
        "Q": len(_entries(e)),
        "start": len(e.system.start),
        "out": len(e.system.outputs),
        "length": 1,
        "errors": 1,
        "accepted": 1,
        "ended": 1,
        "check": 1,
    }
    for array, size in sizes.items():
        text(f"{array} = zeros(({max(size, 1)}, {LANES}))")
    for array in ("run", "at", "level", "loaded", "position", "taken"):
        text(f"{array} = np.zeros({LANES}, np.int64)")
    text(f"table = empty(({LANES}, {DEEPEST + 1}, 1, 4, {n}, {n}))")
    text("flat = table.reshape(table.size)")
    text(f"ready = np.zeros(({LANES}, {DEEPEST + 1}), np.int64)")
    text(f"A = zeros(({n}, {n}))")
    text(f"dA = zeros((0, {n}, {n}))")
    if e.segments[-1].shared:
        n_driven = len(e.segments[-1].driven)
        text(f"C = zeros(({n}, {n_driven}))")
        text(f"dC = zeros((0, {n}, {n_driven}))")
    text(f"place = np.zeros({max(len(_entries(e)), 1)}, np.int64)")
    for q, (kind, i, k) in enumerate(_entries(e)):
        r, c = map(int, place_of(e.segments[-1], i, k, kind != "E").split(","))
        text(f"place[{q}] = {(KINDS.index(kind) * n + r) * n + c}")
    text("coming = 0")
    with text.block(f"for i in range({LANES}):"):
        text("run[i] = -1")


def _fill(e):
    """Write that lanes without a run take the next one."""
    text, names = e.text, e.system.model.store_names
    text("live = 0")
    with text.block(f"for i in range({LANES}):"):
        with text.block("if run[i] < 0 and coming < n_run:"):
            text("run[i] = coming")
            text("coming += 1")
            text("at[i] = level[i] = position[i] = taken[i] = 0")
            text("loaded[i] = -1")
            with text.block(f"for q in range({DEEPEST + 1}):"):
                text("ready[i, q] = 0")
            with text.block("for q in range(theta.shape[1]):"):
                text("P[q, i] = theta[run[i], q]")
            with text.block("for q in range(forcing.shape[1]):"):
                text("U[q, i] = forcing[0, q]")
            for j, state in enumerate((*e.head, *e.linear)):
                content = f"x0[run[i], {names.index(state)}]" if state in names else "0.0"
                text(f"X[{j}, i] = {content}")
            with text.block("for q in range(counts.shape[1]):"):
                text("counts[run[i], q] = 0")
            text(f"counts[run[i], {COUNTS.index('failed_interval')}] = -1")
        with text.block("if run[i] >= 0:"):
            text("live += 1")


def _run_constants(e):
    text, system = e.text, e.system
    for i, p in enumerate(e.parameters):
        text(f"p_{p} = load(P, {i})")
    targets = [*e.matrix.values(), *system.start.values(), *system.shares.values()]
    everything = e.needed([*targets, *system.capacity.values(), *e.rates.values()])
    e.compute(everything, RUN)
    for i, (_, _, value) in enumerate(_coefficients(e)):
        text(f"store(M, {i}, {value})")
    for g in e.segments[-1].driven:
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
    """Write the length of each lane's step, and the propagator of this length."""
    text, n = e.text, len(e.linear)
    shared = e.segments[-1].shared
    with text.block(f"for i in range({LANES}):"):
        with text.block("if loaded[i] != level[i]:"):
            text("loaded[i] = level[i]")
            text("length[0, i] = dt * 0.5 ** level[i]")
            if n:
                with text.block("if ready[i, level[i]] == 0:"):
                    text("ready[i, level[i]] = 1")
                    for j, (array, place, _) in enumerate(_coefficients(e)):
                        text(f"{array}[{place}] = M[{j}, i]")
                    text("propagator(A, dA, length[0, i], table[i], level[i])")
                    if shared:
                        text("couple(C, dC, 0, table[i], level[i])")
                text(f"q0 = (i * {DEEPEST + 1} + level[i]) * {4 * n * n}")
                with text.block(f"for q in range({len(_entries(e))}):"):
                    text("Q[q, i] = flat[q0 + place[q]]")


def _step(e, method):
    """Write a step of all lanes: contents at its end, and the squared error."""
    text, last = e.text, method.n_stages - 1
    everything = e.needed(e.rates.values())
    text("h = load(length, 0)")
    e.load_forcing("load(U, {})")
    e.compute(everything, INTERVAL)
    for s in range(method.n_stages):
        for state in e.head:
            slope = _weighted(state, method.a[s])
            text(f"y_{state} = x_{state}" + (f" + h * ({slope})" if slope else ""))
        e.compute(everything, STAGE)
        for row in e.rows:
            text(f"k{s}_{row} = {e.ref(e.rates[row])}")
    for state in e.head:
        text(f"n_{state} = x_{state} + h * ({_weighted(state, method.b) or '0.0'})")
    for row in e.rows:
        text(f"e_{row} = h * ({_weighted(row, method.error_weights) or '0.0'})")
    for row in e.driven:
        text(f"gm_{row} = {_weighted(row, method.b) or '0.0'}")
    for q, (kind, i, k) in enumerate(_entries(e)):
        text(f"{kind}_{i}_{k} = load(Q, {q})")
    inflows = ("k0_{}", f"k{last}_{{}}", "gm_{}")
    for i in e.linear:
        text(f"n_{i} = {propagated(e, e.segments[-1], i, '', 'l_{}', inflows)}")
    text("error = h * 0.0")
    emit_norm(e)
    text("store(errors, 0, error)")


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
                text(f"counts[run[i], {COUNTS.index('steps')}] += 1")
                text("accepted[0, i] = 1.0")
                text(f"position[i] += 1 << ({DEEPEST} - level[i])")
                with text.block(f"if position[i] == {1 << DEEPEST}:"):
                    text("ended[0, i] = 1.0")
                    text("ended_intervals += 1")
                with text.block(f"if level[i] > 0 and error_ < {SAFETY**2!r} * halved:"):
                    with text.block(f"if position[i] % (1 << ({DEEPEST} - level[i] + 1)) == 0:"):
                        text("level[i] -= 1")
            with text.block("else:"):
                text(f"counts[run[i], {COUNTS.index('rejected_steps')}] += 1")
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
    e.text(f"status[run[i]] = {ALONE}")
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
                    text(f"values[run[i], row + at[i], {o}] = out[{o}, i]")
                text("at[i] += 1")
                text("position[i] = 0")
                with text.block(f"if not check[0, i] < {LARGEST!r}:"):
                    _leave_alone(e)
                with text.block("elif at[i] == n_time:"):
                    text("status[run[i]] = 0")
                    text("run[i] = -1")
                    text("ended_runs += 1")
                with text.block("else:"):
                    with text.block("for q in range(forcing.shape[1]):"):
                        text("U[q, i] = forcing[at[i], q]")


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
