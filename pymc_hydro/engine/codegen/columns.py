"""The part of a kernel's text that advances the sensitivities over a step.

The columns of all parameters are in one loop, and the compiler makes vector instructions of it. It
does so only if it can prove that no element is written which another element is read from. For this
reason all rows lie in one array, ``work``, at places that are constants in the text, and a sum over
columns has a loop of its own.

At each stage the columns Z solve ``(I - h a_ss J) Z = C + h a_ss B``, the derivative of the
equation that the values solve, by forward substitution in the order of the blocks. One loop holds
all stages of a step, and the text holds the coefficients of the method as numbers. So the values
that a stage needs from earlier stages stay in registers.
"""

from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.linear import (
    emit_moved,
    emit_tail_columns,
    load_propagator,
    propagated_column,
)
from pymc_hydro.engine.codegen.stages import emit_factors, load_slopes, solve_block

__all__ = ["emit_column_error", "emit_columns", "emit_damped"]


def emit_columns(e: Layout) -> None:
    """Write the step of all columns; the rows ``n_<state>`` are the sensitivities at its end."""
    text = e.text
    with text.block("if known == 0:"):
        load_slopes(e, 0, e.slopes, "0")
        with text.block(f"for j in range({e.width}):"):
            for row in (*e.head, *e.read):
                text(f"{e.sensitivity(0)}_{row} = work[{e.at(e.named(row))} + j]")
            for row in e.rows:
                text(f"work[{e.at(f'start_{row}')} + j] = {_rate(e, row, 0)}")
    text("known = 1")
    for m, method in enumerate(e.methods):
        with text.block(f"if m == {m}:"):
            _emit_stages(e, method)
    emit_tail_columns(e)


def _emit_stages(e, method):
    """Write all stages of a method as one loop over the columns.

    The loop reads the rows ``x`` (sensitivities) and ``start`` (their rates at the first stage). It
    writes the rows ``n`` (sensitivities of head states at the end), ``end`` (rates at the last
    stage), ``gm`` (mean rates of the inflow of driven states) and ``e`` (estimated errors).
    """
    text, last = e.text, method.n_stages - 1
    for s in range(1, last + 1):
        load_slopes(e, s, e.slopes, f"{s}")
        text(f"gh{s} = {method.a[s][s]!r} * h")
        if method.a[s][s]:
            for block in e.blocks:
                emit_factors(e, block, f"{s}")
    moved = {}
    for segment in e.segments[:-1]:
        for s in range(1, last + 1):
            states = segment.read if s < last else segment.linear
            load_propagator(e, segment, states, f"{s}")
            moved[segment.number, s] = emit_moved(e, segment, states, f"{s}")
    with text.block(f"for j in range({e.width}):"):
        for row in e.head:
            text(f"s_{row} = work[{e.at(f'x_{row}')} + j]")
        for row in e.rows:
            text(f"k0_{row} = work[{e.at(f'start_{row}')} + j]")
        for segment in e.segments:
            for s in range(1, last + 1):
                _stage_columns(e, segment, method, s)
            if segment.suffix:
                _node_columns(e, segment, method, moved)
        for row in e.head:
            new = f"{e.sensitivity(last)}_{row}"
            new = new if method.ends_at_solution else _advanced(row, method.b)
            text(f"work[{e.at(f'n_{row}')} + j] = {new}")
        for row in e.rows:
            text(f"work[{e.at(f'end_{row}')} + j] = k{last}_{row}")
        for row in e.driven:
            text(f"work[{e.at(f'gm_{row}')} + j] = {_weighted(row, method.b)}")
        for row in e.rows:
            error = _weighted(row, method.error_weights)
            text(f"work[{e.at(f'e_{row}')} + j] = h * ({error})")


def _node_columns(e, segment, method, moved):
    """Write the sensitivities of a section's linear states at the stages, and at the end."""
    text, last = e.text, method.n_stages - 1
    for i in segment.linear:
        text(f"s_{i} = work[{e.at(f'l_{i}')} + j]")
    for row in segment.driven:
        text(f"g0_{row}_ = k0_{row}")
        text(f"g1_{row}_ = k{last}_{row}")
        text(f"gm_{row}_ = {_weighted(row, method.b)}")
    for s in range(1, last + 1):
        for i in segment.read if s < last else segment.linear:
            new = propagated_column(e, segment, i, "s_{}", moved[segment.number, s], f"{s}")
            text(f"z{s}_{i} = {new}")
            if s == last:
                text(f"work[{e.at(f'n_{i}')} + j] = z{s}_{i}")


def _weighted(row, weights):
    """Return the weighted sum of the rates of a row's sensitivity at the stages."""
    terms = (f"{w!r} * k{q}_{row}" for q, w in enumerate(weights) if w)
    return " + ".join(terms) or "0.0"


def _advanced(row, weights):
    return f"s_{row} + h * ({_weighted(row, weights)})"


def _stage_columns(e, segment, method, s):
    text, implicit, z = e.text, method.a[s][s] != 0, e.sensitivity(s)
    for block in segment.blocks.values():
        for row in block:
            text(f"{z}_{row} = {_advanced(row, method.a[s][:s])}")
            outside = _slopes(e, row, [k for k in (*e.head, *e.read) if k not in block], s)
            if implicit and outside:
                text(f"{z}_{row} = {z}_{row} + gh{s} * ({outside})")
        if implicit:
            solve_block(e, block, z, f"{s}")
    for row in segment.rows:
        text(f"k{s}_{row} = {_rate(e, row, s)}")


def _rate(e, row, s):
    """Return the rate of a row's sensitivity at stage s."""
    return _slopes(e, row, (*e.head, *e.read), s) or "0.0"


def _slopes(e, row, states, s):
    """Return the rate of a row's sensitivity at stage s: B, plus J for `states` times Z."""
    z = e.sensitivity(s)
    terms = [f"{e.slope(row, k, f'{s}')} * {z}_{k}" for k in states if (row, k) in e.inner]
    if row in e.effect_rows:
        terms.append(f"work[{e.effect_at(row, s)} + j]")
    if any(r == row and (r, by) not in e.effects for r, by in e.outer):
        terms.append(f"work[{e.at(f'b_{row}')} + j]")
    return " + ".join(terms)


def emit_column_error(e: Layout) -> None:
    """Write the error of the columns, in units of the tolerance of columns.

    `error` becomes the largest of the error of the states and the errors of all columns. The
    tolerance of columns is looser than the tolerance of states. Two faults of a step show in the
    columns only. An explicit step beyond its stability limit leaves the states within the tolerance
    and multiplies their sensitivities. A kink of the equations within the step has an effect on the
    states of the order of the squared step, and on the sensitivities of the order of the step.
    Therefore the relative tolerance of columns goes with the square root of `rtol`.
    """
    text, n_head = e.text, len(e.head)
    with text.block("if gh > 0.0:"):
        with text.block(f"for j in range({e.width}):"):
            for row in e.rows:
                text(f"z_{row} = work[{e.at(f'e_{row}')} + j]")
            emit_damped(e, "z")
            for row in e.rows:
                text(f"work[{e.at(f'e_{row}')} + j] = z_{row}")
    with text.block(f"for j in range({e.width}):"):
        text("r = 0.0")
        for i, row in enumerate(e.rows):
            at = e.at(f"n_{row}" if i < n_head else f"gm_{row}")
            scale = e.scale(row)
            size_of = f"work[{at} + j]" if i < n_head else f"({scale}h * work[{at} + j])"
            limit = f"work[{e.at('tolerance')} + j] + column_rtol * abs({size_of})"
            text(f"d = {scale}work[{e.at(f'e_{row}')} + j] / ({limit})")
            text("r += d * d")
        text(f"work[{e.at('error')} + j] = r")
    text("total = 0.0")
    with text.block(f"for j in range({e.width}):"):  # a loop of its own: see the top of this file
        text(f"r = work[{e.at('error')} + j]")
        text("total += r")
        text("error = max(error, r)")
    with text.block("if not total < inf:"):
        text("error = nan")


def emit_damped(e: Layout, vector: str) -> None:
    """Write the product of an error estimate with the inverse of ``I - h a J`` at the step's end.

    The product removes the part of the estimate that an implicit method damps (Hosea & Shampine,
    1996).
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
