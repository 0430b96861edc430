"""The part of a kernel's text that advances the sensitivities over a step.

One column a parameter, all columns in one loop that the compiler vectorises: it must be able to see
that nothing overlaps, hence one array, ``work``, at constant places, and sums over columns apart.
At each stage ``(I - h a_ss J) Z = C + h a_ss B``, the derivative of the equation that the values
solve: a forward substitution in the order of the blocks. Rows lie one behind the other, so that
sums over stages run over whole groups of rows.
"""

from pymc_hydro.engine.layout import Layout
from pymc_hydro.engine.stage_text import emit_factors, solve_block
from pymc_hydro.engine.tail_text import emit_tail_columns

__all__ = ["emit_column_error", "emit_columns", "emit_damped"]


def emit_columns(e: Layout) -> None:
    """Write the advance of all columns; their new contents are the rows ``n_<state>``."""
    text = e.text
    n_head = len(e.head) * e.width
    head, rows = e.span(e.head), e.span(e.rows)
    old, c, new = (e.rows_at(kind, e.head) for kind in ("x", "c", "n"))
    direct, rates = e.rows_at("direct", e.effect_rows), e.rows_at("k", e.rows)
    with text.block("for s in range(known, n_stage):"):
        text("gh = h * method[m, s, s]")
        for i, (row, by) in enumerate(e.slopes):
            text(f"j_{row}_{by} = slope[s, {i}]")
        for block in e.blocks:
            emit_factors(e, block)
        if e.head:
            with text.block(f"for j in range({head}):"):
                text(f"work[{c} + j] = work[{old} + j]")
            _sum_stages(e, "s", "s", c, head)
        with text.block(f"for j in range({e.span(e.effect_rows)}):"):
            text(f"work[{direct} + j] = effect[s, j]")
        with text.block(f"for j in range({e.width}):"):
            _stage_columns(e)
        with text.block(f"for j in range({rows}):"):
            text(f"change[s, j] = work[{rates} + j]")
    text("known = 1")
    if e.head:
        # The last stage is the solution, if its coefficients are the solution's weights.
        with text.block("if not last_is_first:"):
            with text.block(f"for j in range({head}):"):
                text(f"work[{new} + j] = work[{old} + j]")
            _sum_stages(e, "n_stage", "n_most", new, head)
    if e.driven:
        size = e.span(e.driven)
        mean = e.rows_at("gm", e.driven)
        with text.block(f"for j in range({size}):"):
            text(f"work[{mean} + j] = 0.0")
        with text.block("for q in range(n_stage):"):
            text("w = method[m, n_most, q]")
            with text.block(f"for j in range({size}):"):
                text(f"work[{mean} + j] += w * change[q, {n_head} + j]")
    emit_tail_columns(e, n_head)


def _sum_stages(e, count, weights, target, size):
    """Add the stages' slopes to rows, with the weights of a stage or of the solution."""
    text = e.text
    with text.block(f"for q in range({count}):"):
        text(f"w = h * method[m, {weights}, q]")
        with text.block("if w != 0.0:"):
            with text.block(f"for j in range({size}):"):
                text(f"work[{target} + j] += w * change[q, j]")


def _stage_columns(e):
    text = e.text
    for block in e.blocks:
        for row in block:
            text(f"z_{row} = work[{e.at(f'c_{row}')} + j]")
            outside = _slopes(e, row, [k for k in e.head if k not in block])
            if outside:
                text(f"z_{row} = z_{row} + gh * ({outside})")
        solve_block(e, block, "z")
    for row in e.head:
        text(f"work[{e.at(f'n_{row}')} + j] = z_{row}")
    for row in e.rows:
        text(f"work[{e.at(f'k_{row}')} + j] = {_slopes(e, row, e.head) or '0.0'}")


def _slopes(e, row, states):
    """Return the sum of B and of J's entries for `states` times their sensitivities."""
    terms = [f"{e.slope(row, k)} * z_{k}" for k in states if (row, k) in e.inner]
    if row in e.effect_rows:
        terms.append(f"work[{e.at(f'direct_{row}')} + j]")
    if any(r == row and (r, by) not in e.effects for r, by in e.outer):
        terms.append(f"work[{e.at(f'b_{row}')} + j]")
    return " + ".join(terms)


def emit_column_error(e: Layout) -> None:
    """Write the error of the columns, in units of their own, looser tolerance.

    `error` becomes the largest of the states' and of all columns'. Two things are seen here only:
    an explicit step beyond its stability limit, which leaves the states within the tolerance but
    multiplies their sensitivities; and a kink of the equations within the step, whose effect on
    the states is of the order of the squared step, on the sensitivities of the order of the step.
    Hence the square root of the tolerance.
    """
    text = e.text
    size, n_head = e.span(e.rows), len(e.head)
    start = e.rows_at("e", e.rows)
    with text.block(f"for j in range({size}):"):
        text(f"work[{start} + j] = 0.0")
    with text.block("for q in range(n_stage):"):
        text("w = h * method[m, n_most + 1, q]")
        with text.block(f"for j in range({size}):"):
            text(f"work[{start} + j] += w * change[q, j]")
    with text.block(f"for j in range({e.width}):"):
        for i, row in enumerate(e.rows):
            text(f"z_{row} = work[{start + i * e.width} + j]")
        emit_damped(e, "z")
        text("r = 0.0")
        for i, row in enumerate(e.rows):
            at = e.at(f"n_{row}" if i < n_head else f"gm_{row}")
            size_of = f"work[{at} + j]" if i < n_head else f"(h * work[{at} + j])"
            text(f"d = z_{row} / (work[{e.at('tolerance')} + j] + column_rtol * abs({size_of}))")
            text("r += d * d")
        text(f"work[{e.at('error')} + j] = r")
    text("total = 0.0")
    with text.block(f"for j in range({e.width}):"):  # apart, so that the loop above is vectorised
        text(f"r = work[{e.at('error')} + j]")
        text("total += r")
        text("error = max(error, r)")
    with text.block("if not total < inf:"):
        text("error = nan")


def emit_damped(e: Layout, vector: str) -> None:
    """Write the product of an error estimate and the inverse of ``I - h a J`` at the step's end.

    It takes out of the estimate what an implicit method damps (Hosea & Shampine, 1996).
    """
    for block in e.blocks:
        for row in block:
            _add_slopes(e, row, [k for k in e.head if k not in block], vector)
        solve_block(e, block, vector)
    for row in e.driven:
        _add_slopes(e, row, e.head, vector)


def _add_slopes(e, row, states, vector):
    terms = [f"{e.slope(row, k)} * {vector}_{k}" for k in states if (row, k) in e.inner]
    if terms:
        e.text(f"{vector}_{row} = {vector}_{row} + gh * ({' + '.join(terms)})")
