"""The part of a sweep's text that transposes one step: linear part, then stages from the last."""

from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.linear import (
    WEIGHTS,
    emit_propagator,
    load_propagator,
    moved_by,
    place_of,
)
from pymc_hydro.engine.codegen.reverse.tape import INFLOWS
from pymc_hydro.engine.codegen.stages import emit_factors
from pymc_hydro.engine.derivation.structure import fill_in
from pymc_hydro.engine.derivation.system import COTANGENT, STAGE

__all__ = ["emit_sums_of_linear_part", "emit_transposed_step"]


def emit_transposed_step(e: Layout, products: tuple[dict[str, int], ...]) -> None:
    """Write the transpose of the step in row r of the tape.

    Parameters
    ----------
    e : Layout
    products : tuple of dict of str to int
        As of :class:`pymc_hydro.engine.derivation.transpose.Transposed`.
    """
    text, columns, tail = e.text, e.tape.columns, e.segments[-1]
    text(f"level, m = int(tape[r, {columns['level']}]), int(tape[r, {columns['method']}])")
    text("n_stage = int(method[m, n_most + 2, 2])")
    text("h = longest * 0.5**level")
    _linear_part(e, tail, columns)
    with text.block("for q in range(n_stage):"):
        text("w = method[m, n_most, q]")
        for i, row in enumerate(e.rows):
            if row in (*e.head, *tail.driven):
                text(f"bar[q, {i}] = w * " + (f"h * x_{row}" if row in e.head else f"gm_{row}"))
            else:
                text(f"bar[q, {i}] = 0.0")
        for i in range(len(e.read)):
            text(f"nodes[q, {i}] = 0.0")
    _ends_of_inflow(e, tail)
    for i, row in enumerate(e.rows):
        text(f"bar[n_stage - 1, {i}] += c_{row}")
    # The step before left the first stage, if it is of the same interval.
    same = "1 if r > 0 and tape[r - 1, 0] == k else 0"
    text(f"first = {same if e.reuse else 0}")
    for segment in reversed(e.segments):
        if segment.suffix:
            _nodes(e, segment, columns)
        with text.block("for s in range(n_stage - 1, first - 1, -1):"):
            _stage(e, segment, products[segment.number], columns["y"])
    for i, row in enumerate(e.rows):
        text(f"c_{row} = bar[0, {i}] if first == 1 else 0.0")


def _ends_of_inflow(e, segment):
    for row in segment.driven:
        i = e.rows.index(row)
        e.text(f"bar[0, {i}] += g0_{row}")
        e.text(f"bar[n_stage - 1, {i}] += g1_{row}")


def _linear_part(e, segment, columns):
    """Write the cotangents of inflows and of contents at the start; keep the dyads."""
    text = e.text
    emit_propagator(e, segment)
    load_propagator(e, segment)
    _keep_dyads(e, segment, segment.linear, columns, "l_{}")
    for k in segment.driven:
        for weight, g in zip(WEIGHTS, INFLOWS, strict=True):
            text(f"{g}_{k} = {_transposed(e, segment.linear, weight, k, 'l_{}')}")
    for k in segment.linear:
        text(f"z_{k} = {_transposed(e, segment.linear, 'E', k, 'l_{}')}")
    for k in segment.linear:
        text(f"l_{k} = z_{k}")


def _nodes(e, segment, columns):
    """Write the same for a section that others follow: from the contents at stages and end."""
    text, last = e.text, "n_stage - 1"
    emit_propagator(e, segment)
    for k in segment.linear:
        text(f"z_{k} = " + (f"nodes[0, {e.read.index(k)}]" if k in segment.read else "0.0"))
    for k in segment.driven:
        for g in INFLOWS:
            text(f"{g}_{k} = 0.0")
    for i in segment.read:
        text(f"l_{i} += nodes[{last}, {e.read.index(i)}]")
    for states, head in (
        (segment.read, f"for s in range(1, {last}):"),
        (segment.linear, f"for s in range({last}, n_stage):"),
    ):
        with text.block(head):
            load_propagator(e, segment, states)
            bar = "l_{}" if states is segment.linear else "t{}"
            if states is segment.read:
                for i in states:
                    text(f"t{i} = nodes[s, {e.read.index(i)}]")
            _keep_dyads(e, segment, states, columns, bar)
            for weight, g in zip(WEIGHTS, INFLOWS, strict=True):
                for k in segment.driven:
                    text(f"{g}_{k} += {_transposed(e, states, weight, k, bar)}")
            for k in segment.linear:
                text(f"z_{k} += {_transposed(e, states, 'E', k, bar)}")
    for k in segment.linear:
        text(f"l_{k} = z_{k}")
    with text.block("for q in range(n_stage):"):
        text("w = method[m, n_most, q]")
        for row in segment.driven:
            text(f"bar[q, {e.rows.index(row)}] += w * gm_{row}")
    _ends_of_inflow(e, segment)


def _keep_dyads(e, segment, states, columns, bar):
    """Write the products of cotangents with what E and the weights multiply."""
    at = "level, m, s" if segment.suffix else "level"
    for c, kind in enumerate(("l", *INFLOWS)):
        moved = set().union(*(moved_by(e, p, weights=c > 0) for p in segment.parameters))
        for i, k in sorted(moved):
            if i in states and k in (segment.driven if c else segment.linear):
                entry = f"dyads{segment.suffix}[{at}, {c}, {place_of(segment, i, k, c > 0)}]"
                e.text(f"{entry} += {bar.format(i)} * tape[r, {columns[f'{kind}_{k}']}]")


def _transposed(e, states, matrix, k, bar):
    """Return the product of the column `k` of a matrix with cotangents."""
    there = e.reach if matrix == "E" else e.fed
    terms = (f"{matrix}_{i}_{k} * {bar.format(i)}" for i in states if (i, k) in there)
    return " + ".join(terms) or "0.0"


def _stage(e, segment, products, at):
    text, n = e.text, len(e.tape.states)
    nodes = e.needed(products.values())
    late = _after_cotangents(e) & nodes
    entries = {key: node for key, node in e.inner.items() if key[0] in segment.rows}
    text("gh = h * method[m, s, s]")
    for i, state in enumerate(e.tape.states):
        text(f"y_{state} = tape[r, {at + i} + s * {n}]")
    for row in segment.rows:
        text(f"k_{row} = bar[s, {e.rows.index(row)}]")
    e.compute(nodes - late, STAGE)
    with text.block("if gh > 0.0:"):
        e.compute(e.needed(entries.values()) - nodes, STAGE)
        _solve_transposed(e, segment, entries)
    e.compute(late, STAGE)
    names = [*e.system.head, *e.system.read]
    states = [(name, state) for name, state in zip(names, e.tape.states, strict=True)]
    states = [(state, products[name]) for name, state in states if name in products]
    for state, product in states:
        text(f"z_{state} = {e.ref(product)}")
        if state in e.head:
            text(f"x_{state} += z_{state}")
        else:
            text(f"nodes[s, {e.read.index(state)}] += z_{state}")
    for sums, names in (("t", e.parameters), ("i", e.system.model.forcing_names)):
        for name in names:
            if name in products:
                text(f"{sums}_{name} += {e.ref(products[name])}")
    heads = [state for state, _ in states if state in e.head]
    with text.block("for q in range(s):"):
        text("w = h * method[m, s, q]")
        for state in heads:
            text(f"bar[q, {e.rows.index(state)}] += w * z_{state}")
    for state in heads:
        if state not in segment.head:  # of an earlier section, which is transposed after this one
            text(f"bar[s, {e.rows.index(state)}] += gh * z_{state}")


def _after_cotangents(e):
    """Return the nodes that depend on a cotangent, and are known after the stage is solved."""
    found = set()
    for number, (op, *args) in enumerate(e.program.nodes):
        if op == "symbol" and args[0].startswith(COTANGENT):
            found.add(number)
        elif op not in ("constant", "symbol") and not found.isdisjoint(args):
            found.add(number)
    return found


def _solve_transposed(e, segment, entries):
    """Write the solution of ``(I - gh J)' k = k``, from the last block to the first, in place."""
    text = e.text
    for i, k in e.slopes:
        if (i, k) in entries:
            text(f"j_{i}_{k} = {e.ref(e.inner[i, k])}")
    for block in reversed(segment.blocks.values()):
        for k in block:
            others = [i for i in segment.rows if i not in block and (i, k) in e.inner]
            if others:
                total = " + ".join(f"{e.slope(i, k)} * k_{i}" for i in others)
                text(f"k_{k} = k_{k} + gh * ({total})")
        emit_factors(e, block)
        _solve_block_transposed(e, block)


def _solve_block_transposed(e, block):
    """Write the solution with the transposed factors of a block, in place."""
    text, filled = e.text, fill_in(block, e.inner)
    for n, i in enumerate(block):
        terms = "".join(f" - f_{k}_{i} * k_{k}" for k in block[:n] if (k, i) in filled)
        text(f"k_{i} = (k_{i}{terms}) * f_{i}_{i}")
    for n, i in reversed(list(enumerate(block))):
        terms = "".join(f" - f_{k}_{i} * k_{k}" for k in block[n + 1 :] if (k, i) in filled)
        if terms:
            text(f"k_{i} = k_{i}{terms}")


def emit_sums_of_linear_part(e: Layout) -> None:
    """Write what the parameters of A receive: the dyads with the derivatives of E and W.

    The products were summed for each length of a step, because the derivatives depend on it alone.
    """
    for segment in e.segments:
        if segment.parameters:
            _sums(e, segment)


def _sums(e, segment):
    text, x, n = e.text, segment.suffix, len(segment.linear)
    at = "level, m, s" if x else "level"

    def loops(variables):
        if variables:
            name, size = variables[0]
            with text.block(f"for {name} in range({size}):"):
                loops(variables[1:])
            return
        for d, p in enumerate(segment.parameters, 1):
            text(f"t_{p} += dyads{x}[{at}, c, i, j] * table{x}[{at}, {d}, c, i, j]")

    with text.block("for level in range(max_level + 1):"):
        if not x:
            with text.block("if ready[level] == 1.0:"):
                loops([("c", 4), ("i", n), ("j", n)])
            return
        with text.block("for m in range(n_method):"):
            with text.block(f"if ready{x}[level, m] == 1.0:"):
                text("n_stage = int(method[m, n_most + 2, 2])")
                with text.block("for s in range(1, n_stage):"):
                    loops([("c", 4), ("i", n), ("j", n)])
