"""The part of a kernel's text that evaluates a step's stages: values only.

A stage with the diagonal coefficient a_ss solves ``y = c + h a_ss f(y)`` block after block. Where J
is triangular a block is one store, and Newton's method has one unknown. Its iterations stay in a
bracket: ``y - h a_ss f(y)`` rises with y, because a store loses more the more it holds. In an
explicit stage a_ss is zero and the first evaluation is the solution, so the text is the same.
"""

from pymc_hydro.engine.codegen.layout import Layout
from pymc_hydro.engine.codegen.linear import emit_nodes
from pymc_hydro.engine.derivation.structure import fill_in
from pymc_hydro.engine.derivation.system import STAGE

__all__ = ["emit_factors", "emit_stages", "load_slopes", "solve_block"]

MAX_ITERATIONS = 60
# An iteration ends at a correction of this share of |y| + |c| + FLOOR. The sensitivities of a stage
# are derivatives of the exact solution, so the solution must be exact, but for some round-offs: at
# a limit of 1e-15 a fifth of the evaluations would only move the last digit.
CONVERGED = 1e-13
FLOOR = 1e-3  # mm
# A first guess lies at most this far below an empty store. Some laws rise exponentially there, and
# from far below Newton's method would need a hundred iterations.
DEFICIT = 1e-3  # mm
# A correction below this share of |y| + |c| has reached round-off if it no longer shrinks.
STALLED = 1e-9


def emit_stages(e: Layout) -> None:
    """Write the loops over stages, one for each section.

    `bad` becomes 1 if an equation cannot be solved, 2 if an explicit step is too long.
    """
    e.text("bad = 2 if first == 1 and h * radius > limit else 0")
    for segment in e.segments:
        with e.text.block("for s in range(first if bad == 0 else n_stage, n_stage):"):
            _stage(e, segment)
        if segment.suffix:
            with e.text.block("if bad == 0:"):
                emit_nodes(e, segment)


def _stage(e, segment):
    text = e.text
    text("gh = h * method[m, s, s]")
    for state in segment.head:
        text(f"c_{state} = x_{state}")
    if segment.head:
        with text.block("for q in range(s):"):
            text("w = h * method[m, s, q]")
            for state in segment.head:
                text(f"c_{state} += w * rate[q, {e.rows.index(state)}]")
        with text.block("if gh > 0.0:"):
            _first_guess(e, segment)
        with text.block("else:"):
            for state in segment.head:
                text(f"y_{state} = c_{state}")
    if segment.number:
        for state in e.segments[segment.number - 1].read:
            text(f"y_{state} = node[s, {e.read.index(state)}]")
    _take_over(e, segment, 0)
    for b, block in segment.blocks.items():
        _solve(e, b, block)
        e.compute({n for n in e.values if e.block_of[n] == b} - e.solved[b], STAGE)
    for row in segment.rows:
        text(f"rate[s, {e.rows.index(row)}] = {e.ref(e.rates[row])}")
    if e.tape:
        e.tape.emit_stage(e, segment)
    _store_slopes(e, segment, e.slopes_within)
    _hand_on(e, segment, 0)
    # The last stage of an implicit step damps the estimated error: `_error` in step.py.
    with text.block("if sensitive or (gh > 0.0 and s == n_stage - 1):"):
        _take_over(e, segment, 1)
        e.compute({n for n in e.slope_nodes if e.segment_of[n] == segment.number}, STAGE)
        _store_slopes(e, segment, set(e.slopes) - e.slopes_within)
        _hand_on(e, segment, 1)
    with text.block("if sensitive:"):
        _take_over(e, segment, 2)
        e.compute({n for n in e.effect_nodes if e.segment_of[n] == segment.number}, STAGE)
        for row, by in e.effects:
            if row in segment.rows:
                column = f"{e.effect_at(row)} + place[{e.parameters.index(by)}]"
                text(f"work[s * {e.effect_size} + {column}] = {e.ref(e.outer[row, by])}")
        _hand_on(e, segment, 2)
    if not segment.suffix:
        text("first = 1")
    _stiffness(e, segment)


def _take_over(e, segment, phase):
    """Write the nodes of earlier sections that a phase needs and that no phase before it has."""
    if not segment.number:
        return
    before = set().union(*(e.taken_over(segment, nodes) for nodes in e.phases[:phase]))
    for n in sorted(e.taken_over(segment, e.phases[phase]) - before):
        e.text(f"{e.ref(n)} = carried[s, {e.carried[n]}]")


def _hand_on(e, segment, phase):
    """Keep what later sections take over from what this one has in a phase."""
    for n, place in e.carried.items():
        early = phase == 0 and e.program.nodes[n][0] == "symbol"
        if e.segment_of[n] == segment.number and (early or n in e.phases[phase]):
            e.text(f"carried[s, {place}] = {e.ref(n)}")


def _store_slopes(e, segment, keys):
    for i, key in enumerate(e.slopes):
        if key in keys and key[0] in segment.rows:
            e.text(f"slope[s, {i}] = {e.ref(e.inner[key])}")


def load_slopes(e: Layout, at, keys, stage: str = "") -> None:
    """Write the slopes `keys` at the stage `at` as ``j_i_k``, or ``j1_i_k`` if `stage` is 1."""
    for i, (row, by) in enumerate(e.slopes):
        if (row, by) in keys:
            e.text(f"j{stage}_{row}_{by} = slope[{at}, {i}]")


def _first_guess(e, segment):
    """Write the start of Newton's method: one iteration from the stage before.

    Rate and J are known at the stage before. (A guess from extrapolated rates needs up to a quarter
    more evaluations.)
    """
    text = e.text
    known = [block for block in segment.blocks.values() if block]
    blocks = [block for block in known if len(block) > 1 or not e.affine(block[0])]
    states = [state for block in blocks for state in block]
    with text.block("if s == 1:"):
        for state in states:
            text(f"y_{state} = x_{state}")
    for state in states:
        rate = f"rate[s - 1, {e.rows.index(state)}]"
        text(f"d_{state} = c_{state} + gh * {rate} - y_{state}")
    load_slopes(e, "s - 1", {key for key in e.slopes_within if key[0] in segment.head})
    for block in blocks:
        emit_factors(e, block)
        solve_block(e, block, "d")
        for state in block:
            guess = f"y_{state} + d_{state}"
            if state not in e.system.signed:
                guess = f"max({guess}, min(x_{state}, 0.0) - {DEFICIT!r})"
            text(f"y_{state} = {guess} if abs(d_{state}) < inf else c_{state}")


def _stiffness(e, segment):
    """Write `radius`, a bound of the largest eigenvalue of J, and end a step that is unstable.

    The bound is the largest sum over a row within its block. Where J is triangular it is exact.
    """
    text = e.text
    text(f"radius = {f'radius_{segment.number - 1}' if segment.number else '0.0'}")
    for block in segment.blocks.values():
        for i in block:
            entries = [e.ref(e.inner[i, k]) for k in block if (i, k) in e.inner]
            if entries:
                text(f"radius = max(radius, {' + '.join(f'abs({n})' for n in entries)})")
    if segment.suffix:
        text(f"radius_{segment.number} = radius")
    with text.block("if h * radius > limit:"):
        text("bad = 2")
        text("break")


def _solve(e, b, block):
    text = e.text
    if not block:
        return
    single = len(block) == 1
    if single and e.affine(block[0]):
        _solve_affine(e, b, block[0])
        return
    text("found = 0")
    text("before = inf")
    if single:
        text("low = -inf")
        text("high = inf")
    else:
        text("best = inf")
        for state in block:
            text(f"d_{state} = 0.0")
    with text.block(f"for _ in range({MAX_ITERATIONS}):"):
        e.compute(e.solved[b], STAGE)
        with text.block("if gh == 0.0:"):
            text("found = 1")
            text("break")
        for state in block:
            text(f"r_{state} = y_{state} - c_{state} - gh * {e.ref(e.rates[state])}")
        if single:
            _scalar_step(e, block[0])
        else:
            _vector_step(e, block)
    with text.block("if found == 0:"):
        text("bad = 1")
        text("break")


def _solve_affine(e, b, state):
    """Write the solution for a store whose rate is linear in it, such as a linear reservoir."""
    text = e.text
    text(f"y_{state} = c_{state}")
    e.compute(e.solved[b], STAGE)
    correction = f"gh * {e.ref(e.rates[state])}"
    if (state, state) in e.inner:
        correction += f" / (1.0 - gh * {e.ref(e.inner[state, state])})"
    text(f"y_{state} = c_{state} + {correction}")
    e.compute(e.solved[b], STAGE)


def _scalar_step(e, state):
    """Write one iteration of Newton's method for one store, within a bracket."""
    text = e.text
    y, c, r = f"y_{state}", f"c_{state}", f"r_{state}"
    slope = e.ref(e.inner[state, state]) if (state, state) in e.inner else "0.0"
    text(f"g = 1.0 - gh * {slope}")
    with text.block(f"if not (g > 0.0 and abs({r}) < inf):"):
        text("break")
    text(f"d = {r} / g")
    text(f"size = abs(d) / (abs({y}) + abs({c}) + {FLOOR!r})")
    _stop_when_converged(e)
    with text.block(f"if {r} > 0.0:"):
        text(f"high = {y}")
    with text.block("else:"):
        text(f"low = {y}")
    text(f"{y} -= d")
    with text.block(f"if high - low < inf and not (low < {y} < high and 2.0 * size < before):"):
        text(f"{y} = 0.5 * (low + high)")
    text("before = size")


def _stop_when_converged(e):
    with e.text.block(f"if size <= {CONVERGED!r} or {STALLED!r} > size > 0.5 * before:"):
        e.text("found = 1")
        e.text("break")


def _vector_step(e, block):
    """Write one iteration for several stores; a correction that raises the residual is cut."""
    text = e.text
    text(f"total = {' + '.join(f'abs(r_{i})' for i in block)}")
    with text.block(f"if not total < best and before > {STALLED!r}:"):
        for i in block:
            text(f"d_{i} = 0.25 * d_{i}")
            text(f"y_{i} += 3.0 * d_{i}")
        text("continue")
    text("best = total")
    for i in block:
        for k in block:
            if (i, k) in e.inner:
                text(f"j_{i}_{k} = {e.ref(e.inner[i, k])}")
        text(f"d_{i} = r_{i}")
    emit_factors(e, block)
    solve_block(e, block, "d")
    text("size = 0.0")
    for i in block:
        text(f"size = max(size, abs(d_{i}) / (abs(y_{i}) + abs(c_{i}) + {FLOOR!r}))")
    _stop_when_converged(e)
    text("before = size")
    for i in block:
        text(f"y_{i} -= d_{i}")


def emit_factors(e: Layout, block, stage: str = "") -> None:
    """Write the factors of ``I - gh J`` within a block as ``f_i_k``; on the diagonal, the inverse.

    There is no pivoting: stores lose what they pass on, so the diagonal dominates its column. If
    `stage` is 1 the names are ``f1_i_k``.
    """
    text, filled, f = e.text, fill_in(block, e.inner), f"f{stage}"
    for i, k in filled:
        if i == k or (i, k) in e.inner:
            slope = f" - gh{stage} * {e.slope(i, k, stage)}" if (i, k) in e.inner else ""
            text(f"{f}_{i}_{k} = {1.0 if i == k else 0.0}{slope}")
        else:
            text(f"{f}_{i}_{k} = 0.0")
    for n, pivot in enumerate(block):
        text(f"{f}_{pivot}_{pivot} = 1.0 / {f}_{pivot}_{pivot}")
        for i in block[n + 1 :]:
            if (i, pivot) in filled:
                text(f"{f}_{i}_{pivot} = {f}_{i}_{pivot} * {f}_{pivot}_{pivot}")
                for k in block[n + 1 :]:
                    if (pivot, k) in filled:
                        text(f"{f}_{i}_{k} = {f}_{i}_{k} - {f}_{i}_{pivot} * {f}_{pivot}_{k}")


def solve_block(e: Layout, block, vector: str, stage: str = "") -> None:
    """Write the solution with the factors of a block, in place: ``vector_i`` for each state."""
    text, filled, f = e.text, fill_in(block, e.inner), f"f{stage}"
    for n, i in enumerate(block):
        terms = "".join(f" - {f}_{i}_{k} * {vector}_{k}" for k in block[:n] if (i, k) in filled)
        if terms:
            text(f"{vector}_{i} = {vector}_{i}{terms}")
    for n, i in reversed(list(enumerate(block))):
        terms = "".join(
            f" - {f}_{i}_{k} * {vector}_{k}" for k in block[n + 1 :] if (i, k) in filled
        )
        text(f"{vector}_{i} = ({vector}_{i}{terms}) * {f}_{i}_{i}")
