"""The kernel of a map: one loop over intervals, values and sensitivities."""

from collections.abc import Iterable
from typing import Any, cast

from pymc_hydro.engine.codegen import ARGUMENTS, COUNTS
from pymc_hydro.engine.codegen.routing import MOST_ORDINATES, emit_ordinates
from pymc_hydro.engine.codegen.text import Emitter
from pymc_hydro.engine.derivation.system import INTERVAL, RUN, STAGE, inflow_name
from pymc_hydro.engine.derivation.update import Update, output_name

__all__ = ["MapEmitter", "emit_map"]

LARGEST = 1e12  # mm; the run has failed if a store holds more


class MapEmitter(Emitter):
    """What the kernel and the sweep of a map share.

    Attributes
    ----------
    reach : dict of str to set of str
        By store, inflow and arrival: the parameters that it depends on.
    tape : dict of str to int
        The columns of a tape: contents at the start of the interval, arrivals, and inflows.
    """

    def __init__(self, update: Update):
        super().__init__(cast(Any, update))  # has what an emitter reads of a system
        self.update, self.names = update, update.model.store_names
        self.inflows = {h: inflow_name(h) for h in update.held}
        kept = (*self.names, *update.held, *self.inflows.values())
        self.tape = {name: i for i, name in enumerate(kept)}
        self.reach = self._reach()

    def _reach(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {name: set() for name in self.tape}
        for name, by in (*self.update.jacobian, *self.update.start_jacobian):
            if name in found and by in self.parameters:
                found[name].add(by)
        for h, route in self.update.routes.items():
            found[h] |= set(route.slopes)
        while True:
            before = sum(map(len, found.values()))
            for name, by in self.update.jacobian:
                if name in found and by in found:
                    found[name] |= found[by]
            for h, inflow in self.inflows.items():
                found[h] |= found[inflow]
            if before == sum(map(len, found.values())):
                return found

    def node(self, name: str) -> str:
        """Return the text of a result."""
        return self.ref(self.update.results[name])

    def emit_hydrographs(self) -> None:
        """Write the ordinates of all hydrographs; a base that makes no sense ends the run."""
        text = self.text
        text("n_routed = n_time")
        for h, route in self.update.routes.items():
            with text.block(f"if not 0.0 <= {self.ref(route.base)} / dt < {MOST_ORDINATES!r}:"):
                text("n_routed = 0")
            emit_ordinates(self, route)
            text(f"n_{h}, w_{h} = n_ordinate, ordinates")
            for i, by in enumerate(route.slopes):
                text(f"s_{h}_{by} = slopes[{i}]")

    def total(self, result: str, terms: Iterable[tuple[str, str]]) -> str:
        """Return the sum of derivatives of a result times given texts, by symbol."""
        jacobian = self.update.jacobian
        found = []
        for by, factor in terms:
            if (result, by) in jacobian:
                entry = self.ref(jacobian[result, by])
                found.append(
                    factor if entry == "1.0" else f"{entry} * {factor}" if factor else entry
                )
        return " + ".join(found) or "0.0"


def emit_map(update: Update, name: str, taped: bool = False) -> str:
    """Return the text of the kernel of a map.

    Parameters
    ----------
    update : Update
        With its Jacobian.
    name : str
        Name of the function.
    taped : bool
        Whether it keeps a tape, a row an interval, and returns status and tape.
    """
    e = MapEmitter(update)
    text = e.text
    with text.block(f"def {name}({', '.join(a.name for a in ARGUMENTS)}):"):
        _run_constants(e, taped)
        with text.block("for k in range(n_time if status == 0 else 0):"):
            _interval(e, taped)
        with text.block("if status != 0:"):
            text(f"counts[{COUNTS.index('failed_interval')}] = failed")
            e.emit_failed_run(len(update.outputs))
        text("return status, tape[: n_time if status == 0 else 0]" if taped else "return status")
    return "\n".join(text.lines) + "\n"


def _targets(e):
    """Return the nodes that are evaluated before the first interval."""
    update = e.update
    nodes = [*update.start.values(), *update.start_jacobian.values()]
    for route in update.routes.values():
        nodes += [route.ordinate, route.base, *route.slopes.values()]
    return nodes


def _run_constants(e, taped):
    text, update = e.text, e.update
    e.load_parameters()
    e.compute(e.needed([*_targets(e), *update.results.values(), *update.jacobian.values()]), RUN)
    text("n_time, n_column = forcing.shape[0], jacobian.shape[2]")
    text("sensitive = n_column > 0")
    text("status = failed = 0")
    with text.block(f"for q in range({len(COUNTS)}):"):
        text("counts[q] = 0")
    text(f"counts[{COUNTS.index('failed_interval')}] = -1")
    e.emit_hydrographs()
    with text.block("if n_routed < n_time:"):
        text("status = 1")
    for h in update.held:
        text(f"i_{h} = empty(n_time)")
    for i, store in enumerate(e.names):
        text(f"x_{store} = x0[{i}]")
    _columns_at_start(e)
    for store, node in update.start.items():
        with text.block(f"if x_{store} != x_{store}:"):
            text(f"x_{store} = {e.ref(node)}")
            for (of, by), slope in update.start_jacobian.items():
                if of == store:
                    text(f"d_{store}_{by} = {e.ref(slope)}")
            with text.block("if initial:"):
                text(f"start[{e.names.index(store)}, {e.names.index(store)}] = 0.0")
    if taped:
        text(f"tape = empty((n_time, {len(e.tape)}))")


def _columns_at_start(e):
    text, n = e.text, len(e.names)
    for i, p in enumerate(e.parameters):
        text(f"c_{p} = place[{i}] if place[{i}] < n_column else -1")
    for store in e.names:
        for p in e.parameters:
            if p in e.reach[store]:
                text(f"d_{store}_{p} = 0.0")
    for h, inflow in e.inflows.items():
        for p in e.parameters:
            if p in e.reach[inflow]:
                text(f"di_{h}_{p} = empty(n_time if c_{p} >= 0 else 0)")
    text("initial = False")
    with text.block(f"for q in range({n}):"):
        with text.block(f"if sensitive and place[{len(e.parameters)} + q] >= 0:"):
            text("initial = True")
    text(f"start = zeros(({n}, {n if n else 1}))")
    with text.block(f"for q in range({n}):"):
        text("start[q, q] = 1.0")
    for h in e.update.held:
        text(f"start_{h} = empty((n_time if initial else 0, {n}))")


def _interval(e, taped):
    text, update = e.text, e.update
    e.load_forcing("forcing[k, {}]")
    wanted = e.needed([*update.results.values(), *update.jacobian.values()])
    e.compute(wanted, INTERVAL)
    for store in e.names:
        text(f"y_{store} = x_{store}")
    values = e.needed(update.results.values())
    done: set[int] = set()
    for h, inflow in e.inflows.items():
        here = e.needed([update.results[inflow]]) - done
        e.compute(here, STAGE)
        done |= here
        text(f"i_{h}[k] = {e.node(inflow)}")
        text(f"y_{h} = 0.0")
        with text.block(f"for j in range(min(n_{h}, k + 1)):"):
            text(f"y_{h} += w_{h}[j] * i_{h}[k - j]")
    e.compute(values - done, STAGE)
    text("check = 0.0")
    for store in e.names:
        text(f"n_{store} = {e.node(store)}")
        text(f"check += abs(n_{store})")
    for o in range(len(update.outputs)):
        text(f"values[k, {o}] = {e.node(output_name(o))}")
        text(f"check += abs(values[k, {o}])")
    with text.block(f"if not check < {LARGEST!r}:"):
        text("status, failed = 1, k")
        text("break")
    with text.block("if sensitive:"):
        e.compute(wanted - values, STAGE)
        text("check = 0.0")
        for p in e.parameters:
            with text.block(f"if c_{p} >= 0:"):
                _column(e, p)
        with text.block("if initial:"):
            _initial_columns(e)
        with text.block("if not check < inf:"):
            text("status, failed = 1, k")
            text("break")
    if taped:
        for name, column in e.tape.items():
            inflow = next((f"i_{h}[k]" for h, i in e.inflows.items() if i == name), None)
            text(f"tape[k, {column}] = {inflow or f'y_{name}'}")
    for store in e.names:
        text(f"x_{store} = n_{store}")
    text(f"counts[{COUNTS.index('steps')}] += 1")


def _column(e, p):
    """Write the sensitivities to a parameter over one interval."""
    text, update = e.text, e.update
    terms = [(p, "")] + [(s, f"d_{s}_{p}") for s in e.names if p in e.reach[s]]
    for h, inflow in e.inflows.items():
        if p not in e.reach[h]:
            continue
        flows, slopes = p in e.reach[inflow], p in update.routes[h].slopes
        if flows:
            text(f"di_{h}_{p}[k] = {e.total(inflow, terms)}")
        text(f"a_{h} = 0.0")
        with text.block(f"for j in range(min(n_{h}, k + 1)):"):
            each = [f"w_{h}[j] * di_{h}_{p}[k - j]"] if flows else []
            each += [f"s_{h}_{p}[j] * i_{h}[k - j]"] if slopes else []
            text(f"a_{h} += {' + '.join(each)}")
        terms.append((h, f"a_{h}"))
    moved = [s for s in e.names if p in e.reach[s]]
    for store in moved:
        text(f"t_{store} = {e.total(store, terms)}")
        text(f"check += abs(t_{store})")
    for o in range(len(update.outputs)):
        text(f"t = {e.total(output_name(o), terms)}")
        text("check += abs(t)")
        text(f"jacobian[k, {o}, c_{p}] = t")
    for store in moved:
        text(f"d_{store}_{p} = t_{store}")


def _initial_columns(e):
    """Write the sensitivities to all initial contents, column after column."""
    text, n = e.text, len(e.parameters)
    with text.block(f"for q in range({len(e.names)}):"):
        terms = [(store, f"start[{i}, q]") for i, store in enumerate(e.names)]
        for h, inflow in e.inflows.items():
            text(f"start_{h}[k, q] = {e.total(inflow, terms)}")
            text(f"a_{h} = 0.0")
            with text.block(f"for j in range(min(n_{h}, k + 1)):"):
                text(f"a_{h} += w_{h}[j] * start_{h}[k - j, q]")
            terms.append((h, f"a_{h}"))
        for store in e.names:
            text(f"t_{store} = {e.total(store, terms)}")
            text(f"check += abs(t_{store})")
        for o in range(len(e.update.outputs)):
            text(f"jacobian[k, {o}, place[{n} + q]] = {e.total(output_name(o), terms)}")
        for i, store in enumerate(e.names):
            text(f"start[{i}, q] = t_{store}")
