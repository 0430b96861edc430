"""The part of a kernel's text that advances the linear states exactly: values, then columns.

:mod:`pymc_hydro.engine.codegen.propagator` has the formulas.
"""

from pymc_hydro.engine.codegen.layout import Layout, Segment
from pymc_hydro.engine.codegen.text import clean
from pymc_hydro.engine.derivation.structure import changed_by

__all__ = [
    "KINDS",
    "WEIGHTS",
    "emit_linear_constants",
    "emit_moved",
    "emit_nodes",
    "emit_propagator",
    "emit_tail",
    "emit_tail_columns",
    "load_propagator",
    "moved_by",
    "place_of",
    "propagated",
    "propagated_column",
]

WEIGHTS = ("W0", "W1", "Wm")  # they multiply the inflow at the start, at the end, and its mean
KINDS = ("E", *WEIGHTS)  # in the order of the array


def emit_linear_constants(e: Layout) -> None:
    """Write A, its derivatives, and an array for the propagators of all step lengths."""
    for segment in e.segments:
        _constants(e, segment)


def _constants(e, segment):
    text, x, directions = e.text, segment.suffix, segment.parameters
    states, n = segment.linear, _size(segment)
    jacobian, of_shares = e.system.matrix_jacobian, e.system.share_jacobian
    text(f"A{x} = zeros(({n}, {n}))")
    text(f"n_direction{x} = {len(directions)} if sensitive else 0")
    of_matrix = f"n_direction{x}"
    if segment.shared:
        of_matrix = f"{len({p for i, _, p in jacobian if clean(i) in states})} if sensitive else 0"
    text(f"dA{x} = zeros(({of_matrix}, {n}, {n}))")
    for (i, k), number in e.matrix.items():
        if i in states:
            text(f"A{x}[{place_of(segment, i, k)}] = {e.ref(number)}")
    for i in range(len(segment.read)):
        text(f"A{x}[{len(states) + i}, {i}] = 1.0")
    if segment.shared:
        text(f"C{x} = zeros(({n}, {len(segment.driven)}))")
        text(f"dC{x} = zeros((n_direction{x}, {n}, {len(segment.driven)}))")
        for g in segment.driven:
            shares = {i: e.ref(number) for (i, k), number in e.shares.items() if k == g}
            for i, share in (shares or {g: "1.0"}).items():
                text(f"C{x}[{place_of(segment, i, g, weight=True)}] = {share}")
            if shares:
                text(f"share_{g} = {_largest([f'abs({share})' for share in shares.values()])}")
    with text.block("if sensitive:"):
        for array, slopes, weight in (("A", jacobian, False), ("C", of_shares, True)):
            for (i, k, p), number in slopes.items():
                if clean(i) in states:
                    place = place_of(segment, clean(i), clean(k), weight)
                    text(f"d{array}{x}[{directions.index(p)}, {place}] = {e.ref(number)}")
    size = f"1 + n_direction{x}, 4, {n}, {n}"
    if x:
        text(f"table{x} = empty((max_level + 1, n_method, n_most, {size}))")
        text(f"ready{x} = zeros((max_level + 1, n_method))")
    else:
        text(f"table = empty((max_level + 1, {size}))")
        text("ready = zeros(max_level + 1)")
    # One axis: an element of many axes takes Numba long to compile.
    text(f"flat{x} = table{x}.reshape(table{x}.size)")


def _largest(values):
    return values[0] if len(values) == 1 else f"max({', '.join(values)})"


def emit_propagator(e: Layout, segment: Segment) -> None:
    """Write that the propagators of a section are computed, unless they are there already."""
    text, x = e.text, segment.suffix
    place, arrays = "[level, m]" if x else "[level]", f"A{x}, dA{x}, h"
    with text.block(f"if ready{x}{place} == 0.0:"):
        if x:
            entry = f"table{x}[level, m]"
            text(f"at_nodes({arrays}, method[m], n_stage, {entry}, {len(segment.read)})")
            if segment.shared:
                with text.block("for s in range(1, n_stage):"):
                    text(f"couple(C{x}, dC{x}, dA{x}.shape[0], {entry}, s)")
        else:
            text(f"propagator({arrays}, table, level)")
            if segment.shared:
                text("couple(C, dC, dA.shape[0], table, level)")
        text(f"ready{x}{place} = 1.0")


def _inflows(e, segment):
    """Write the inflow of driven states at the start of the step, at its end, and its mean."""
    text = e.text
    for row in segment.driven:
        n = e.rows.index(row)
        text(f"g0_{row} = rate[0, {n}]")
        text(f"g1_{row} = rate[n_stage - 1, {n}]")
        text(f"gm_{row} = 0.0")
    with text.block("for q in range(n_stage):"):
        text("w = method[m, n_most, q]")
        for row in segment.driven:
            text(f"gm_{row} += w * rate[q, {e.rows.index(row)}]")


def emit_tail(e: Layout) -> None:
    """Write the contents of the linear states at the end of the step, ``n_<state>``."""
    segment = e.segments[-1]
    emit_propagator(e, segment)
    _inflows(e, segment)
    load_propagator(e, segment)
    for i in segment.linear:
        e.text(f"n_{i} = {propagated(e, segment, i, '', 'l_{}', ('g0_{}', 'g1_{}', 'gm_{}'))}")


def emit_nodes(e: Layout, segment: Segment) -> None:
    """Write the contents of a section's linear states where later sections need them.

    That is at the stages, in the array `node`, for the states that are read; and at the end of the
    step for all.
    """
    text, inflows = e.text, ("g0_{}", "g1_{}", "gm_{}")
    emit_propagator(e, segment)
    _inflows(e, segment)
    for i in segment.read:
        text(f"node[0, {e.read.index(i)}] = l_{i}")
    with text.block("for s in range(1, n_stage - 1):"):
        load_propagator(e, segment, segment.read)
        for i in segment.read:
            new = propagated(e, segment, i, "", "l_{}", inflows)
            text(f"node[s, {e.read.index(i)}] = {new}")
    text("s = n_stage - 1")
    load_propagator(e, segment)
    for i in segment.linear:
        text(f"n_{i} = {propagated(e, segment, i, '', 'l_{}', inflows)}")
    for i in segment.read:
        text(f"node[s, {e.read.index(i)}] = n_{i}")


def load_propagator(e: Layout, segment: Segment, states=None, stage: str = "") -> None:
    """Write the entries of E and of the weights W as ``E_i_k``, ``W0_i_k`` ...

    Of a section that others follow, the entries are those at stage `s`, or at stage 1 with the
    names ``E1_i_k``, ``W01_i_k`` ... if `stage` is 1.
    """
    states = segment.linear if states is None else states
    _find_entries(e, segment, stage)
    for kinds, columns, there in (
        (("E",), segment.linear, e.reach),
        (WEIGHTS, segment.driven, e.fed),
    ):
        for i, k in ((i, k) for i in states for k in columns if (i, k) in there):
            for kind in kinds:
                entry = _entry(segment, 0, KINDS.index(kind), i, k)
                e.text(f"{kind}{stage}_{i}_{k} = {entry}")


def _size(segment):
    return len(segment.linear) + len(segment.read)


def _find_entries(e, segment, stage):
    """Write where the propagator of the step, or up to a stage, begins in the array `flat`."""
    slot = f"(level * n_method + m) * n_most + {stage or 's'}" if segment.suffix else "level"
    e.text(f"at = ({slot}) * (1 + n_direction{segment.suffix}) * {4 * _size(segment) ** 2}")


def _entry(segment, direction, kind, i, k):
    """Return an element of the propagator whose beginning is known, or of a derivative."""
    row, column = map(int, place_of(segment, i, k, kind > 0).split(","))
    n = _size(segment)
    return f"flat{segment.suffix}[at + {((4 * direction + kind) * n + row) * n + column}]"


def moved_by(e: Layout, parameter: str, weights: bool = False) -> set[tuple[str, str]]:
    """Return the entries of E, or those of the weights W, that depend on a parameter."""
    slopes, shares = e.system.matrix_jacobian, e.system.share_jacobian
    changed = {(clean(i), clean(k)) for i, k, p in slopes if p == parameter}
    moved = changed_by(changed, e.linear, e.reach)
    if not weights:
        return moved
    own = {(k, k) for k in e.driven}
    found = {(i, g) for i, k in moved for n, g in {*own, *e.shares} if n == k}
    turned = {(clean(k), clean(g)) for k, g, p in shares if p == parameter}
    return found | {(i, g) for i, k in e.reach for n, g in turned if n == k}


def emit_moved(e: Layout, segment: Segment, states, stage: str = "") -> set[str]:
    """Write what the derivatives of E and W add to the sensitivities of `states`: rows ``f``.

    Returns
    -------
    set of str
        The states for which there is such a row.
    """
    moved = set()
    if segment.parameters:
        _find_entries(e, segment, stage)
    for d, parameter in enumerate(segment.parameters, 1):
        pattern, of_weights = moved_by(e, parameter), moved_by(e, parameter, weights=True)
        for i in states:
            terms = []
            for k in segment.linear:
                if (i, k) in pattern:
                    terms.append(f"{_entry(segment, d, 0, i, k)} * l_{k}")
                if k in segment.driven and (i, k) in of_weights:
                    terms += [
                        f"{_entry(segment, d, w, i, k)} * {g}_{k}"
                        for w, g in enumerate(("g0", "g1", "gm"), 1)
                    ]
            if terms:
                moved.add(i)
                column = e.parameters.index(parameter)
                place = f"{e.at(f'f{stage}_{i}')} + place[{column}]"
                e.text(f"work[{place}] = {' + '.join(terms)}")
    return moved


def emit_tail_columns(e: Layout) -> None:
    """Write the sensitivities of the linear states at the end of the step, exactly."""
    text, segment = e.text, e.segments[-1]
    moved = emit_moved(e, segment, segment.linear)
    with text.block(f"for j in range({e.width}):"):
        for i in segment.linear:
            text(f"z_{i} = work[{e.at(f'l_{i}')} + j]")
        for row in segment.driven:
            for kind, place in (("g0", "start"), ("g1", "end"), ("gm", "gm")):
                text(f"{kind}_{row}_ = work[{e.at(f'{place}_{row}')} + j]")
        for i in segment.linear:
            total = propagated_column(e, segment, i, "z_{}", moved)
            text(f"work[{e.at(f'n_{i}')} + j] = {total}")


def propagated_column(
    e: Layout, segment: Segment, i: str, content: str, moved: set[str], stage: str = ""
) -> str:
    """Return the sum that advances the sensitivity of a linear state, for one column."""
    total = propagated(e, segment, i, stage, content, ("g0_{}_", "g1_{}_", "gm_{}_"))
    return total + (f" + work[{e.at(f'f{stage}_{i}')} + j]" if i in moved else "")


def place_of(segment: Segment, i: str, k: str, weight: bool = False) -> str:
    """Return where an entry lies; with shares the weights have a column for each driven state."""
    columns = segment.driven if weight and segment.shared else segment.linear
    return f"{segment.linear.index(i)}, {columns.index(k)}"


def propagated(e: Layout, segment: Segment, i: str, stage: str, content: str, inputs) -> str:
    """Return the sum that advances state `i`: all contents, and the inflow of driven states."""
    terms = [f"E{stage}_{i}_{k} * {content.format(k)}" for k in segment.linear if (i, k) in e.reach]
    terms += [
        f"{weight}{stage}_{i}_{k} * {g.format(k)}"
        for k in segment.driven
        if (i, k) in e.fed
        for weight, g in zip(WEIGHTS, inputs, strict=True)
    ]
    return " + ".join(terms)
