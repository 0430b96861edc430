"""The part of a kernel's text that advances the linear states exactly: values, then columns.

:mod:`pymc_hydro.engine.codegen.propagator` has the formulas.
"""

from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.text import clean
from pymc_hydro.engine.derivation.structure import changed_by

__all__ = [
    "WEIGHTS",
    "emit_tail",
    "emit_tail_columns",
    "emit_tail_constants",
    "load_propagator",
    "moved_by",
]

WEIGHTS = ("W0", "W1", "Wm")  # they multiply the inflow at the start, at the end, and its mean


def emit_tail_constants(e: Layout) -> None:
    """Write A, its derivatives, and an array for the propagators of all step lengths."""
    text, system = e.text, e.system
    n, directions = len(e.linear), system.matrix_parameters
    text(f"A = zeros(({n}, {n}))")
    text(f"n_direction = {len(directions)} if sensitive else 0")
    text(f"dA = zeros((n_direction, {n}, {n}))")
    for (i, k), number in e.matrix.items():
        text(f"A[{_ij(e, i, k)}] = {e.ref(number)}")
    with text.block("if sensitive:"):
        for (i, k, p), number in system.matrix_jacobian.items():
            row, column = system.linear.index(i), system.linear.index(k)
            text(f"dA[{directions.index(p)}, {row}, {column}] = {e.ref(number)}")
    text(f"table = empty((max_level + 1, 1 + n_direction, 4, {n}, {n}))")
    text("ready = zeros(max_level + 1)")


def emit_tail(e: Layout) -> None:
    """Write the contents of the linear states at the end of the step, ``n_<state>``."""
    text = e.text
    with text.block("if ready[level] == 0.0:"):
        text("propagator(A, dA, h, table, level)")
        text("ready[level] = 1.0")
    for n, row in enumerate(e.driven, len(e.head)):
        text(f"g0_{row} = rate[0, {n}]")
        text(f"g1_{row} = rate[n_stage - 1, {n}]")
        text(f"gm_{row} = 0.0")
    with text.block("for q in range(n_stage):"):
        text("w = method[m, n_most, q]")
        for n, row in enumerate(e.driven, len(e.head)):
            text(f"gm_{row} += w * rate[q, {n}]")
    load_propagator(e)
    for i in e.linear:
        text(f"n_{i} = {_propagated(e, i, 'l_{}', ('g0_{}', 'g1_{}', 'gm_{}'))}")


def load_propagator(e: Layout) -> None:
    """Write the entries of E and of the weights W as ``E_i_k``, ``W0_i_k`` ..."""
    for i, k in _pairs(e, e.linear):
        e.text(f"E_{i}_{k} = table[level, 0, 0, {_ij(e, i, k)}]")
    for i, k in _pairs(e, e.driven):
        for number, weight in enumerate(WEIGHTS, 1):
            e.text(f"{weight}_{i}_{k} = table[level, 0, {number}, {_ij(e, i, k)}]")


def moved_by(e: Layout, parameter: str) -> set[tuple[str, str]]:
    """Return the entries of E, and of the weights W, that depend on a parameter."""
    slopes = e.system.matrix_jacobian
    changed = {(clean(i), clean(k)) for i, k, p in slopes if p == parameter}
    return changed_by(changed, e.linear, e.reach)


def emit_tail_columns(e: Layout) -> None:
    """Write the sensitivities of the linear states at the end of the step, exactly."""
    text = e.text
    moved = set()
    for d, parameter in enumerate(e.system.matrix_parameters, 1):
        pattern = moved_by(e, parameter)
        for i in e.linear:
            terms = []
            for k in (k for k in e.linear if (i, k) in pattern):
                ij = _ij(e, i, k)
                terms.append(f"table[level, {d}, 0, {ij}] * l_{k}")
                if k in e.driven:
                    terms += [
                        f"table[level, {d}, {w}, {ij}] * {g}_{k}"
                        for w, g in enumerate(("g0", "g1", "gm"), 1)
                    ]
            if terms:
                moved.add(i)
                column = e.parameters.index(parameter)
                text(f"work[{e.at(f'f_{i}')} + place[{column}]] = {' + '.join(terms)}")
    with text.block(f"for j in range({e.width}):"):
        for i in e.linear:
            text(f"z_{i} = work[{e.at(f'l_{i}')} + j]")
        for row in e.driven:
            for kind, place in (("g0", "start"), ("g1", "end"), ("gm", "gm")):
                text(f"{kind}_{row}_ = work[{e.at(f'{place}_{row}')} + j]")
        for i in e.linear:
            total = _propagated(e, i, "z_{}", ("g0_{}_", "g1_{}_", "gm_{}_"))
            if i in moved:
                total += f" + work[{e.at(f'f_{i}')} + j]"
            text(f"work[{e.at(f'n_{i}')} + j] = {total}")


def _pairs(e, columns):
    return [(i, k) for i in e.linear for k in columns if (i, k) in e.reach]


def _ij(e, i, k):
    return f"{e.linear.index(i)}, {e.linear.index(k)}"


def _propagated(e, i, content, inputs):
    """Return the sum that advances state `i`: all contents, and the inflow of driven states."""
    terms = [f"E_{i}_{k} * {content.format(k)}" for k in e.linear if (i, k) in e.reach]
    terms += [
        f"{weight}_{i}_{k} * {g.format(k)}"
        for k in e.driven
        if (i, k) in e.reach
        for weight, g in zip(WEIGHTS, inputs, strict=True)
    ]
    return " + ".join(terms)
