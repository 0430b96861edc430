"""The part of a sweep's text that transposes one step: linear part, then stages from the last."""

from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.linear import WEIGHTS, load_propagator, moved_by
from pymc_hydro.engine.codegen.reverse.tape import INFLOWS
from pymc_hydro.engine.codegen.stages import emit_factors
from pymc_hydro.engine.derivation.structure import fill_in
from pymc_hydro.engine.derivation.system import COTANGENT, STAGE

__all__ = ["emit_sums_of_linear_part", "emit_transposed_step"]


def emit_transposed_step(e: Layout, products: dict[str, int]) -> None:
    """Write the transpose of the step in row r of the tape.

    Parameters
    ----------
    e : Layout
    products : dict of str to int
        As of :class:`pymc_hydro.engine.derivation.transpose.Transposed`.
    """
    text, columns = e.text, e.tape.columns
    text(f"level, m = int(tape[r, {columns['level']}]), int(tape[r, {columns['method']}])")
    text("n_stage = int(method[m, n_most + 2, 2])")
    text("h = longest * 0.5**level")
    _linear_part(e, columns)
    with text.block("for q in range(n_stage):"):
        text("w = method[m, n_most, q]")
        for i, row in enumerate(e.rows):
            text(f"bar[q, {i}] = w * " + (f"h * x_{row}" if row in e.head else f"gm_{row}"))
    for i, row in enumerate(e.rows):
        if row in e.driven:
            text(f"bar[0, {i}] += g0_{row}")
            text(f"bar[n_stage - 1, {i}] += g1_{row}")
        text(f"bar[n_stage - 1, {i}] += c_{row}")
    # The step before left the first stage, if it is of the same interval.
    same = "1 if r > 0 and tape[r - 1, 0] == k else 0"
    text(f"first = {same if e.reuse else 0}")
    with text.block("for s in range(n_stage - 1, first - 1, -1):"):
        _stage(e, products, columns["y"])
    for i, row in enumerate(e.rows):
        text(f"c_{row} = bar[0, {i}] if first == 1 else 0.0")


def _linear_part(e, columns):
    """Write the cotangents of inflows and of contents at the start; keep the dyads."""
    text = e.text
    with text.block("if ready[level] == 0.0:"):
        text("propagator(A, dA, h, table, level)")
        text("ready[level] = 1.0")
    load_propagator(e)
    moved = sorted(set().union(*(moved_by(e, p) for p in e.system.matrix_parameters)))
    for i, k in moved:
        kinds = ("l", *(INFLOWS if k in e.driven else ()))
        for c, kind in enumerate(kinds):
            place = f"dyads[level, {c}, {e.linear.index(i)}, {e.linear.index(k)}]"
            text(f"{place} += l_{i} * tape[r, {columns[f'{kind}_{k}']}]")
    for k in e.driven:
        for weight, g in zip(WEIGHTS, INFLOWS, strict=True):
            text(f"{g}_{k} = {_transposed(e, weight, k)}")
    for k in e.linear:
        text(f"z_{k} = {_transposed(e, 'E', k)}")
    for k in e.linear:
        text(f"l_{k} = z_{k}")


def _transposed(e, matrix, k):
    """Return the product of the column `k` of a matrix with the cotangents at the step's end."""
    return " + ".join(f"{matrix}_{i}_{k} * l_{i}" for i in e.linear if (i, k) in e.reach)


def _stage(e, products, at):
    text, n = e.text, len(e.head)
    nodes = e.needed(products.values())
    late = _after_cotangents(e) & nodes
    text("gh = h * method[m, s, s]")
    for i, state in enumerate(e.head):
        text(f"y_{state} = tape[r, {at + i} + s * {n}]")
    for i, row in enumerate(e.rows):
        text(f"k_{row} = bar[s, {i}]")
    e.compute(nodes - late, STAGE)
    with text.block("if gh > 0.0:"):
        e.compute(e.needed(e.inner.values()) - nodes, STAGE)
        _solve_transposed(e)
    e.compute(late, STAGE)
    for i, state in enumerate(e.system.head):
        if state in products:
            text(f"z_{e.head[i]} = {e.ref(products[state])}")
            text(f"x_{e.head[i]} += z_{e.head[i]}")
    for sums, names in (("t", e.parameters), ("i", e.system.model.forcing_names)):
        for name in names:
            if name in products:
                text(f"{sums}_{name} += {e.ref(products[name])}")
    with text.block("for q in range(s):"):
        text("w = h * method[m, s, q]")
        for i, state in enumerate(e.system.head):
            if state in products:
                text(f"bar[q, {i}] += w * z_{e.head[i]}")


def _after_cotangents(e):
    """Return the nodes that depend on a cotangent, and are known after the stage is solved."""
    found = set()
    for number, (op, *args) in enumerate(e.program.nodes):
        if op == "symbol" and args[0].startswith(COTANGENT):
            found.add(number)
        elif op not in ("constant", "symbol") and not found.isdisjoint(args):
            found.add(number)
    return found


def _solve_transposed(e):
    """Write the solution of ``(I - gh J)' k = k``, from the last block to the first, in place."""
    text = e.text
    for i, k in e.slopes:
        text(f"j_{i}_{k} = {e.ref(e.inner[i, k])}")
    for block in reversed(e.blocks):
        for k in block:
            others = [i for i in e.rows if i not in block and (i, k) in e.inner]
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
    """Write the cotangents of the parameters of A: the dyads times the derivatives of E and W.

    The products were summed for each length of a step, because the derivatives depend on it alone.
    """
    text, n = e.text, len(e.linear)
    if not e.system.matrix_parameters:
        return
    with text.block("for level in range(max_level + 1):"):
        with text.block("if ready[level] == 1.0:"):
            with text.block("for c in range(4):"):
                with text.block(f"for i in range({n}):"):
                    with text.block(f"for j in range({n}):"):
                        for d, p in enumerate(e.system.matrix_parameters, 1):
                            text(f"t_{p} += dyads[level, c, i, j] * table[level, {d}, c, i, j]")
