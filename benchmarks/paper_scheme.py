"""The scheme of the public reference implementation, generated from our own derivation.

Heun's pair on the full augmented system: all stores, the cumulative discharge and all their
sensitivities as one vector, one absolute tolerance for all of them, root mean square of the
weighted errors, steps accepted at the minimal length whatever their error (Vrugt, Frame & Bollman,
2026, section on the integrator). The equations, their derivatives, what is computed once a run or
once an interval, and the loop over parameter columns are those of our kernels, so that a
comparison measures the schemes and not the compilers.
"""

import functools

import numba
import numpy as np

from pymc_hydro.engine.codegen.text import Emitter, clean
from pymc_hydro.engine.compile import OPTIONS, called_functions, namespace
from pymc_hydro.engine.derivation.system import INTERVAL, RUN, STAGE, amount, derive_full

MIN_STEP, MAX_STEP, INITIAL_STEP = 1e-4, 1.0, 1e-2  # intervals, the software's defaults
WIDTH_MULTIPLE = 4


def emit_paper(model) -> str:
    output = model.select_outputs(("discharge",))
    system = derive_full(model, output)
    e = Emitter(system)
    text = e.text
    states = [clean(s) for s in system.head]
    q = clean(amount(output[0]))
    n_column = len(model.parameters)
    width = -(-n_column // WIDTH_MULTIPLE) * WIDTH_MULTIPLE
    rows = {}

    def at(name):
        return rows.setdefault(name, len(rows)) * width

    inner = {(clean(i), k): n for (i, k), n in system.jacobian.items() if k in system.head}
    outer = {(clean(i), p): n for (i, p), n in system.jacobian.items() if p in e.parameters}
    targets = [*system.rates.values(), *inner.values(), *outer.values()]
    numbers = e.needed(targets)

    def stage(s):
        e.compute(numbers, STAGE)
        for state, raw in zip(states, system.head, strict=True):
            text(f"k{s}_{state} = {e.ref(system.rates[raw])}")
        for (row, by), number in inner.items():
            text(f"j{s}_{row}_{clean(by)} = {e.ref(number)}")
        for (row, p), number in outer.items():
            text(f"w[{at(f'b{s}_{row}') + e.parameters.index(p)}] = {e.ref(number)}")

    def slope(s, row, vector):
        terms = [f"j{s}_{row}_{clean(k)} * {vector}_{clean(k)}" for i, k in inner if i == row]
        if any(i == row for i, _ in outer):
            terms.append(f"w[{at(f'b{s}_{row}')} + j]")
        return " + ".join(terms) or "0.0"

    with text.block("def paper(theta, forcing, x0, rtol, atol, values, jacobian, counts):"):
        e.load_parameters()
        e.compute(numbers, RUN)
        text("w = zeros(WORK_SIZE)")
        text("counts[0] = counts[1] = counts[2] = 0")
        for i, state in enumerate(states):
            text(f"x_{state} = {'x0[0]' if state == q else f'x0[{i}]'}")
        text(f"step = {INITIAL_STEP}")
        with text.block("for k in range(forcing.shape[0]):"):
            e.load_forcing("forcing[k, {}]")
            e.compute(numbers, INTERVAL)
            text(f"q0 = x_{q}")
            with text.block(f"for j in range({width}):"):
                text(f"w[{at('q0')} + j] = w[{at('s_' + q)} + j]")
            text("t = 0.0")
            text("fresh = True")
            with text.block("while t < 1.0:"):
                text("h = min(step, 1.0 - t)")
                with text.block("if fresh:"):
                    for state in system.model.store_names:
                        text(f"y_{state} = x_{state}")
                    stage(1)
                    text("fresh = False")
                for state in system.model.store_names:
                    text(f"y_{state} = x_{state} + h * k1_{state}")
                stage(2)
                text("error = 0.0")
                for state in states:
                    text(f"n_{state} = x_{state} + h * 0.5 * (k1_{state} + k2_{state})")
                    text(f"e = h * 0.5 * (k2_{state} - k1_{state})")
                    text(f"e = e / (atol + rtol * abs(n_{state}))")
                    text("error += e * e")
                with text.block(f"for j in range({width}):"):
                    for state in states:
                        text(f"s_{state} = w[{at('s_' + state)} + j]")
                    for state in states:
                        text(f"d1_{state} = {slope(1, state, 's')}")
                    for state in states:
                        text(f"z_{state} = s_{state} + h * d1_{state}")
                    text("r = 0.0")
                    for state in states:
                        text(f"d2 = {slope(2, state, 'z')}")
                        text(f"n = s_{state} + h * 0.5 * (d1_{state} + d2)")
                        text(f"w[{at('n_' + state)} + j] = n")
                        text(f"e = h * 0.5 * (d2 - d1_{state}) / (atol + rtol * abs(n))")
                        text("r += e * e")
                    text(f"w[{at('error')} + j] = r")
                with text.block(f"for j in range({width}):"):
                    text(f"error += w[{at('error')} + j]")
                text(f"error = sqrt(error / {len(states) * (n_column + 1)})")
                text("factor = min(max(0.9 / sqrt(max(error, 1e-30)), 0.2), 5.0)")
                with text.block(f"if error <= 1.0 or h <= {MIN_STEP}:"):
                    with text.block("if error > 1.0:"):
                        text("counts[2] += 1")
                    text("counts[0] += 1")
                    text("t += h")
                    for state in states:
                        text(f"x_{state} = n_{state}")
                    with text.block(f"for j in range({width}):"):
                        for state in states:
                            text(f"w[{at('s_' + state)} + j] = w[{at('n_' + state)} + j]")
                    text("fresh = True")
                with text.block("else:"):
                    text("counts[1] += 1")
                text(f"step = min(max(h * factor, {MIN_STEP}), {MAX_STEP})")
                with text.block("if not error < 1e300:"):
                    text("return 1")
                with text.block("if 1.0 - t < 1e-12:"):
                    text("t = 1.0")
            text(f"values[k] = x_{q} - q0")
            with text.block(f"for j in range({n_column}):"):
                text(f"jacobian[k, j] = w[{at('s_' + q)} + j] - w[{at('q0')} + j]")
        text("return 0")
    return "\n".join(text.lines).replace("WORK_SIZE", str(len(rows) * width))


@functools.lru_cache
def paper_kernel(model):
    """Return the compiled scheme; daily data (the interval is the unit of time)."""
    text = emit_paper(model)
    space = namespace() | called_functions(text)
    exec(text, space)
    return numba.njit(**OPTIONS)(space["paper"])


def run_paper(model, theta, forcing, tolerance):
    """Return discharge, its Jacobian and the counts of steps."""
    values, jacobian = np.empty(len(forcing)), np.empty((len(forcing), len(theta)))
    counts = np.zeros(4, dtype=np.int64)
    x0 = model.initial_state
    status = paper_kernel(model)(theta, forcing, x0, tolerance, tolerance, values, jacobian, counts)
    if status:
        values[:], jacobian[:] = np.nan, np.nan
    return values, jacobian, counts
