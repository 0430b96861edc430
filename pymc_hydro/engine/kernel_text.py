"""From a system to the text of its kernel.

A kernel integrates one run. Its text is one function whose statements are the author's equations
(in the author's order), each at the place where it must be evaluated: once a run, once an interval
or at every stage. The kernel with sensitivities is the same text with the derivatives added, so
that equal steps give bit-identical values.

The step lengths are the interval divided by powers of two (or by a fixed number): a step always
ends where the interval does, and the exact propagator of the linear part is needed for a few
lengths only.
"""

from pymc_hydro.engine.derive import INTERVAL, RUN, STAGE, System, amount, is_flux
from pymc_hydro.engine.emit import Emitter, clean
from pymc_hydro.engine.integrators import ExplicitPair
from pymc_hydro.engine.routing_text import emit_routing, routing_targets
from pymc_hydro.engine.structure import changed_by, reachable, spectral_rows

__all__ = ["REASONS", "emit_kernel"]

MAX_LEVEL = 16  # the shortest step is 2**-16 of the interval, 1.3 s of a day
MAX_STEPS = 50_000  # in one interval; beyond, the run has failed
LARGEST = 1e12  # mm; a state beyond has left the model's range
SAFETY = 0.8  # of the tolerance, aimed at by a step that is doubled
VECTOR = 4  # columns of sensitivities are padded to a multiple of this

# Why a run failed, by the kernel's status; entry 0 is success.
REASONS = (
    "",
    "a state, an output or a sensitivity is no longer finite",
    "the fixed step is longer than the explicit method's stability limit; use more steps per "
    "interval, or leave out `steps` for the adaptive solver",
    f"more than {MAX_STEPS} steps in one interval",
)


def emit_kernel(
    system: System, method: ExplicitPair, name: str, *, sensitivities: bool, initial: bool
) -> str:
    """Return the text of a kernel.

    Parameters
    ----------
    system : System
    method : ExplicitPair
    name : str
        Name of the function.
    sensitivities : bool
        Whether it also returns the Jacobian of the outputs.
    initial : bool
        Whether the Jacobian has columns for the initial state behind those of the parameters.
    """
    return _KernelEmitter(system, method, sensitivities, initial).emit(name)


class _KernelEmitter(Emitter):
    def __init__(self, system, method, sensitivities, initial):
        super().__init__(system)
        self.method, self.sensitivities = method, sensitivities
        self.head = [clean(n) for n in system.head]
        self.linear = [clean(n) for n in system.linear]
        self.driven = [clean(n) for n in system.driven]
        self.columns = [*self.parameters, *(system.model.store_names if initial else ())]
        self.width = -(-len(self.columns) // VECTOR) * VECTOR
        self.rows: dict[str, int] = {}
        self.rates = {clean(k): v for k, v in system.rates.items()}
        self.matrix = {(clean(i), clean(k)): n for (i, k), n in system.matrix.items()}
        states = set(system.head)
        self.inner, self.outer = {}, {}  # derivatives by head states, by parameters
        for (row, by), number in system.jacobian.items():
            (self.inner if by in states else self.outer)[clean(row), clean(by)] = number
        self.reach = reachable(self.linear, self.matrix)
        self.targets = [self.rates[n] for n in (*self.head, *self.driven)]
        if sensitivities:
            self.targets += [*self.inner.values(), *self.outer.values()]
        self.radius = spectral_rows(self.head, self.inner)
        self.guard_targets = [n for row in self.radius for n in row]
        run_targets = [*self.matrix.values(), *system.start.values()]
        run_targets += routing_targets(system, sensitivities)
        if sensitivities:
            run_targets += [*system.matrix_jacobian.values(), *system.start_jacobian.values()]
        self.numbers = self.needed([*self.targets, *self.guard_targets, *run_targets])

    def _direction(self, parameter):
        """Return the structural non-zeros of the derivative of exp(A) by a parameter."""
        slopes = self.system.matrix_jacobian
        changed = {(clean(i), clean(k)) for i, k, p in slopes if p == parameter}
        return changed_by(changed, self.linear, self.reach)

    def at(self, row: str) -> int:
        """Return the offset of a row of the work array."""
        return self.rows.setdefault(row, len(self.rows)) * self.width

    def combine(self, weights, pattern) -> str:
        """Return a weighted sum over stages, leaving out zero weights."""
        terms = [f"{w!r} * {pattern.format(s)}" for s, w in enumerate(weights, 1) if w]
        return " + ".join(terms)

    # ---- the text ---------------------------------------------------------------------------

    def emit(self, name: str) -> str:
        text = self.text
        arguments = "theta, forcing, x0, dt, rtol, atol, n_fixed, values, jacobian, counts"
        with text.block(f"def {name}({arguments}):"):
            self._run_constants()
            with text.block("for k in range(n_time):"):
                self._interval()
            emit_routing(self, self.sensitivities, len(self.columns))
            with text.block("if status != 0:"):
                text("counts[3] = failed")
                with text.block("for k in range(failed, n_time):"):
                    with text.block(f"for o in range({len(self.system.outputs)}):"):
                        text("values[k, o] = nan")
                        if self.sensitivities:
                            with text.block(f"for j in range({len(self.columns)}):"):
                                text("jacobian[k, o, j] = nan")
            text("return status")
        # The size of the work array is known once all rows are.
        size = len(self.rows) * self.width
        return "\n".join(text.lines).replace("WORK_SIZE", str(size)) + "\n"

    def _run_constants(self):
        text, system = self.text, self.system
        n = len(self.linear)
        self.load_parameters()
        self.compute(self.numbers, RUN)
        text("n_time = forcing.shape[0]")
        text("status = failed = 0")
        text("counts[0] = counts[1] = counts[2] = 0")
        text("counts[3] = -1")
        text(f"max_level = 0 if n_fixed > 0 else {MAX_LEVEL}")
        text("n_unit = max(n_fixed, 1) << max_level")
        text("longest = dt / max(n_fixed, 1)")
        directions = system.matrix_parameters if self.sensitivities else ()
        text(f"A = zeros(({n}, {n}))")
        text(f"dA = zeros(({len(directions)}, {n}, {n}))")
        for (i, k), number in self.matrix.items():
            text(f"A[{self.linear.index(i)}, {self.linear.index(k)}] = {self.ref(number)}")
        if directions:
            for (i, k, p), number in system.matrix_jacobian.items():
                row, column = system.linear.index(i), system.linear.index(k)
                text(f"dA[{directions.index(p)}, {row}, {column}] = {self.ref(number)}")
        text(f"table = empty((max_level + 1, {1 + len(directions)}, 4, {n}, {n}))")
        text("ready = zeros(max_level + 1)")
        for kind, names in (("x", self.head), ("l", self.linear)):
            for state in names:
                place = self._store_index(state)
                text(f"{kind}_{state} = " + ("0.0" if place is None else f"x0[{place}]"))
        if self.sensitivities:
            text("work = zeros(WORK_SIZE)  # rows of sensitivities, one column a parameter")
            offset = self.at("tolerance")
            for j in range(self.width):
                text(f"work[{offset + j}] = {self._column_tolerance(j)}")
            for j, column in enumerate(self.columns[len(self.parameters) :], len(self.parameters)):
                text(f"work[{self.at(self._named(column)) + j}] = 1.0")
        self._parametric_starts()
        text("level = 0")

    def _parametric_starts(self):
        """Set what the parameters say where the initial state is NaN."""
        text = self.text
        n = len(self.parameters)
        for store, content in self.system.start.items():
            named = self._named(clean(store))
            with text.block(f"if {named} != {named}:"):
                text(f"{named} = {self.ref(content)}")
                if not self.sensitivities:
                    continue
                row = self.at(named)
                if store in self.columns[n:]:
                    text(f"work[{row + n + self.columns[n:].index(store)}] = 0.0")
                for (of, by), slope in self.system.start_jacobian.items():
                    if of == store:
                        text(f"work[{row + self.parameters.index(by)}] = {self.ref(slope)}")

    def _named(self, state):
        """Return the variable that holds a state, which is also the name of its row."""
        return f"{'x' if state in self.head else 'l'}_{state}"

    def _store_index(self, state):
        names = self.system.model.store_names
        return names.index(state) if state in names else None

    def _column_tolerance(self, j):
        """Absolute tolerance of a column, so that parameter times sensitivity is in mm."""
        if j >= len(self.parameters):
            return "atol"
        p = self.system.model.parameters[j]
        return f"atol / {p.scale!r}" if p.scale else f"atol / abs(p_{p.name})"

    def _interval(self):
        text = self.text
        self.load_forcing("forcing[k, {}]")
        self.compute(self.numbers, INTERVAL)
        fluxes = [o for o in self.system.outputs if is_flux(self.system.model, o)]
        for output in fluxes:
            state = clean(amount(output))
            text(f"{self._named(state)} = 0.0")
            if self.sensitivities:
                with text.block(f"for j in range({self.width}):"):
                    text(f"work[{self.at(self._named(state))} + j] = 0.0")
        text("position = 0")
        text("taken = 0")
        text("fresh = True")
        with text.block("while position < n_unit:"):
            self._step()
        with text.block("if status == 0:"):
            self._outputs()
        with text.block("if status != 0:"):
            text("failed = k")
            text("break")

    def _step(self):
        text, m = self.text, self.method
        text("h = longest * 0.5**level")
        with text.block("if fresh:"):
            self._stage(1)
            text("fresh = False")
        if self.guard_targets:
            with text.block("if n_fixed > 0:"):
                known = self.needed(self.targets)
                self.compute(self.needed(self.guard_targets) - known, STAGE)
                rows = [" + ".join(f"abs({self.ref(n)})" for n in row) for row in self.radius]
                condition = " or ".join(f"h * ({row}) > {m.stability_limit!r}" for row in rows)
                with text.block(f"if {condition}:"):
                    text("status = 2")
                    text("break")
        with text.block("if ready[level] == 0.0:"):
            text("propagator(A, dA, h, table, level)")
            text("ready[level] = 1.0")
        for stage in range(2, m.n_stages + 1):
            self._stage(stage)
        self._advance_values()
        text("error = 0.0")
        with text.block("if n_fixed == 0:"):
            for state in self.head:
                text(f"e = h * ({self.combine(m.error_weights, f'k{{}}_{state}')})")
                text(f"e = e / (atol + rtol * abs(n_{state}))")
                text("error += e * e")
            for state in self.driven:
                text(f"e = h * ({self.combine(m.error_weights, f'g{{}}_{state}')})")
                text(f"e = e / (atol + rtol * abs(h * gm_{state}))")
                text("error += e * e")
        text("shortest = n_fixed == 0 and level == max_level")
        if self.sensitivities:
            with text.block("if error <= 1.0 or shortest:"):
                self._advance_sensitivities()
        text("taken += 1")
        text("forced = shortest and error > 1.0")
        with text.block("if error <= 1.0 or forced:"):
            self._accept()
        with text.block("else:"):
            self._reject()
        with text.block(f"if taken >= {MAX_STEPS}:"):
            text("status = 3")
            text("break")

    def _stage(self, stage):
        """Evaluate rates and derivatives at a stage; `y_` names the stage's head states."""
        text, m = self.text, self.method
        if stage == 1:
            for state in self.head:
                text(f"y_{state} = x_{state}")
        else:
            for state in self.head:
                step = self.combine(m.a[stage - 1], f"k{{}}_{state}")
                text(f"y_{state} = x_{state} + h * ({step})")
        self.compute(self.needed(self.targets), STAGE)
        for state in self.head:
            text(f"k{stage}_{state} = {self.ref(self.rates[state])}")
        for state in self.driven:
            text(f"g{stage}_{state} = {self.ref(self.rates[state])}")
        if not self.sensitivities:
            return
        for (row, by), number in self.inner.items():
            if self.system.levels[number] == STAGE:
                text(f"j{stage}_{row}_{by} = {self.ref(number)}")
        for (row, by), number in self.outer.items():
            place = self.at(f"b{stage}_{row}") + self.parameters.index(by)
            text(f"work[{place}] = {self.ref(number)}")

    def _slope(self, stage, row, by):
        number = self.inner[row, by]
        if self.system.levels[number] == STAGE:
            return f"j{stage}_{row}_{by}"
        return self.ref(number)

    def _advance_values(self):
        text, m = self.text, self.method
        last = m.n_stages
        for state in self.head:
            if m.first_same_as_last:
                text(f"n_{state} = y_{state}")
            else:
                step = self.combine(m.b, f"k{{}}_{state}")
                text(f"n_{state} = x_{state} + h * ({step})")
        for state in self.driven:
            text(f"gm_{state} = {self.combine(m.b, f'g{{}}_{state}')}")
        for i, k in self._pairs(self.reach):
            text(f"E_{i}_{k} = table[level, 0, 0, {self._ij(i, k)}]")
        for i, k in self._pairs(self.reach, self.driven):
            for number, weight in enumerate(("W0", "W1", "Wm"), 1):
                text(f"{weight}_{i}_{k} = table[level, 0, {number}, {self._ij(i, k)}]")
        for i in self.linear:
            text(f"n_{i} = {self._propagated(i, 'l', ('g1', f'g{last}', 'gm'))}")

    def _pairs(self, pattern, columns=None):
        columns = self.linear if columns is None else columns
        return [(i, k) for i in self.linear for k in columns if (i, k) in pattern]

    def _ij(self, i, k):
        return f"{self.linear.index(i)}, {self.linear.index(k)}"

    def _propagated(self, i, vector, inputs):
        """Return the sum that advances row `i` of the linear part: content, and driven inputs."""
        terms = [f"E_{i}_{k} * {vector}_{k}" for k in self.linear if (i, k) in self.reach]
        terms += [
            f"{weight}_{i}_{k} * {g}_{k}"
            for k in self.driven
            if (i, k) in self.reach
            for weight, g in zip(("W0", "W1", "Wm"), inputs, strict=True)
        ]
        return " + ".join(terms)

    def _advance_sensitivities(self):
        """Advance all columns at once: one loop over parameters, which the compiler vectorises."""
        text, m = self.text, self.method
        last = m.n_stages
        moved = set()
        for d, parameter in enumerate(self.system.matrix_parameters, 1):
            pattern = self._direction(parameter)
            column = self.parameters.index(parameter)
            for i in self.linear:
                if not any((i, k) in pattern for k in self.linear):
                    continue
                moved.add(i)
                terms = []
                for k in self.linear:
                    if (i, k) not in pattern:
                        continue
                    ij = self._ij(i, k)
                    terms.append(f"table[level, {d}, 0, {ij}] * l_{k}")
                    if k in self.driven:
                        inputs = ("g1", f"g{last}", "gm")
                        terms += [
                            f"table[level, {d}, {w}, {ij}] * {g}_{k}"
                            for w, g in enumerate(inputs, 1)
                        ]
                text(f"work[{self.at(f'f_{i}') + column}] = {' + '.join(terms)}")
        with text.block(f"for j in range({self.width}):"):
            for state in self.head:
                text(f"s_{state} = work[{self.at(f'x_{state}')} + j]")
            for state in self.linear:
                text(f"s_{state} = work[{self.at(f'l_{state}')} + j]")
            for stage in range(1, last + 1):
                for state in self.head:
                    step = self.combine(m.a[stage - 1], f"d{{}}_{state}")
                    text(f"z_{state} = s_{state}" + (f" + h * ({step})" if step else ""))
                for row in self.head:
                    text(f"d{stage}_{row} = {self._slope_sum(stage, row)}")
                for row in self.driven:
                    text(f"c{stage}_{row} = {self._slope_sum(stage, row)}")
            for state in self.head:
                step = self.combine(m.b, f"d{{}}_{state}")
                text(f"n = s_{state} + h * ({step})")
                text(f"work[{self.at(f'n_{state}')} + j] = n")
                text(f"e = h * ({self.combine(m.error_weights, f'd{{}}_{state}')})")
                self._column_error("n", first=state == self.head[0])
            for state in self.driven:
                text(f"cm_{state} = {self.combine(m.b, f'c{{}}_{state}')}")
                text(f"e = h * ({self.combine(m.error_weights, f'c{{}}_{state}')})")
                self._column_error(
                    f"(h * cm_{state})", first=not self.head and state == self.driven[0]
                )
            for i in self.linear:
                sum_of_terms = self._propagated(i, "s", ("c1", f"c{last}", "cm"))
                if i in moved:
                    sum_of_terms += f" + work[{self.at(f'f_{i}')} + j]"
                text(f"work[{self.at(f'n_{i}')} + j] = {sum_of_terms}")
            text(f"work[{self.at('error')} + j] = r")
        with text.block("if n_fixed == 0:"):
            text("total = 0.0")
            with text.block(f"for j in range({self.width}):"):
                text(f"r = work[{self.at('error')} + j]")
                text("total += r")
                with text.block("if r > error:"):
                    text("error = r")
            with text.block("if not total < inf:"):
                text("error = nan")

    def _column_error(self, size, first):
        text = self.text
        text(f"e = e / (work[{self.at('tolerance')} + j] + rtol * abs({size}))")
        text("r = e * e" if first else "r += e * e")

    def _slope_sum(self, stage, row):
        terms = [
            f"{self._slope(stage, row, by)} * z_{by}" for by in self.head if (row, by) in self.inner
        ]
        if any(r == row for r, _ in self.outer):
            terms.append(f"work[{self.at(f'b{stage}_{row}')} + j]")
        return " + ".join(terms) or "0.0"

    def _accept(self):
        text, m = self.text, self.method
        last = m.n_stages
        with text.block("if forced:"):
            text("counts[2] += 1")
        text("counts[0] += 1")
        text("position += 1 << (max_level - level)")
        for state in self.head:
            text(f"x_{state} = n_{state}")
        for state in self.linear:
            text(f"l_{state} = n_{state}")
        if m.first_same_as_last:
            for state in self.head:
                text(f"k1_{state} = k{last}_{state}")
            for state in self.driven:
                text(f"g1_{state} = g{last}_{state}")
        else:
            text("fresh = True")
        if self.sensitivities:
            with text.block(f"for j in range({self.width}):"):
                for kind, names in (("x", self.head), ("l", self.linear)):
                    for state in names:
                        source = self.at(f"n_{state}")
                        text(f"work[{self.at(f'{kind}_{state}')} + j] = work[{source} + j]")
            if m.first_same_as_last:
                for (row, by), number in self.inner.items():
                    if self.system.levels[number] == STAGE:
                        text(f"j1_{row}_{by} = j{last}_{row}_{by}")
                for row, by in self.outer:
                    j = self.parameters.index(by)
                    target, source = self.at(f"b1_{row}") + j, self.at(f"b{last}_{row}") + j
                    text(f"work[{target}] = work[{source}]")
        # A step of twice the length, which must start where one of that length may.
        growth = 4.0**m.error_order / SAFETY**2
        text(f"grows = level > 0 and error * {growth!r} < 1.0")
        with text.block("if grows and position % (1 << (max_level - level + 1)) == 0:"):
            text("level -= 1")

    def _reject(self):
        text = self.text
        text("counts[1] += 1")
        with text.block("if not error <= 1e300:"):
            text("level += 4")
        with text.block("while error > 1.0:"):
            text("level += 1")
            text(f"error *= {0.25**self.method.error_order!r}")
            with text.block("if level >= max_level or error > 1e300:"):
                text("break")
        with text.block("if level > max_level:"):
            with text.block("if level >= max_level + 4:"):
                text("status = 1")
                text("break")
            text("level = max_level")

    def _outputs(self):
        text = self.text
        text("total = 0.0")
        for o, output in enumerate(self.system.outputs):
            if is_flux(self.system.model, output):
                states, scale = [clean(amount(output))], " / dt"
            else:
                states, scale = [clean(t) for t in output.terms], ""
            names = [self._named(s) for s in states]
            text(f"values[k, {o}] = ({' + '.join(names)}){scale}")
            if self.sensitivities:
                rows = [f"work[{self.at(n)} + j]" for n in names]
                with text.block(f"for j in range({len(self.columns)}):"):
                    text(f"jacobian[k, {o}, j] = ({' + '.join(rows)}){scale}")
                    text(f"total += abs(jacobian[k, {o}, j])")
        for state in (*self.head, *self.linear):
            with text.block(f"if not abs({self._named(state)}) < {LARGEST!r}:"):
                text("status = 1")
        with text.block("if not total < inf:"):
            text("status = 1")
