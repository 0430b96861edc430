"""Integrators that share no code with the kernels: the flux function, SciPy and NumPy.

They evaluate the declared flux function itself, with real or complex numbers.
"""

import functools
import itertools

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from pymc_hydro.core.base.names import Names
from pymc_hydro.data.schema import interval_length
from pymc_hydro.engine.derivation.parts import parts
from pymc_hydro.engine.derivation.system import derive, inflow_name
from pymc_hydro.engine.simulate import forcing_array

__all__ = ["COMPLEX_STEP", "complex_step_run", "propagators", "rates", "route", "solve_with_scipy"]

COMPLEX_STEP = 1e-40
# At round-off, for the imaginary part: as many at least, and until it stands still.
EXACT_ITERATIONS, MOST_EXACT, STILL = 3, 12, 1e-14
MOST_EVALUATIONS = 100_000  # in one interval; at an infinite slope SciPy would take days


def rates(model, outputs, x, u, p):
    """Return the rates of stores and of accumulated outputs, straight from the flux function.

    After the outputs stand the flows into the model's unit hydrographs.
    """
    fluxes = model.evaluate(dict(zip(model.store_names, x, strict=False)), u, p)
    stores = list(model.right_hand_side(fluxes).values())
    return stores + [sum(fluxes[t] for t in terms) for terms in _terms(model, outputs)]


@functools.lru_cache(maxsize=16)
def _terms(model, outputs):
    into = [[f.flux for f in model.flows if f.target == h.output] for h in model.hydrographs]
    return [*(model.output_table[o].terms for o in outputs), *into]


def _forcing(model, row, arriving):
    """Return the forcing of an interval by name, with the arrivals from unit hydrographs."""
    places = (hydrograph.output for hydrograph in model.hydrographs)
    return dict(zip((*model.forcing_names, *places), (*row, *arriving), strict=True))


def _arrivals(model, inflow, p, dt):
    """Return the arrivals from each unit hydrograph, shape (n_hydrograph, n_time, ...)."""
    pairs = zip(model.hydrographs, inflow, strict=True)
    return np.array([route(model, series, p, dt, hydrograph) for hydrograph, series in pairs])


def route(model, series, p, dt, routing=None):
    """Apply a unit hydrograph to a series, shape (n_time, ...), by plain convolution.

    If none is given, apply the model's unit hydrograph of discharge to discharge.
    """
    routing = model.routing if routing is None else routing
    if routing is None:
        return series
    named = Names(type(model).__name__, "parameter", p)
    # Of a curve without an end, each ordinate more would change the sum that is made one.
    n = routing.intervals or int(np.max(np.real(routing.base(named))) / dt) + 1
    ordinates = [routing.ordinate(j * dt, (j + 1) * dt, named) for j in range(n)]
    if routing.cut:
        largest = np.maximum.accumulate(np.real(ordinates), axis=0)
        low = np.real(ordinates) < routing.cut * largest
        ordinates = np.where(np.logical_or.accumulate(low, axis=0), 0, ordinates)
    total = sum(ordinates) if routing.normalized else 1.0
    routed = np.zeros_like(series)
    for j, ordinate in enumerate(ordinates[: len(series)]):
        routed[j:] += ordinate / total * series[: len(series) - j]
    return routed


def propagators(A, h):
    """Return E, W0, W1, Wm by SciPy's matrix exponential of the system with its parabola."""
    n = A.shape[-1]
    one, zero = np.eye(n), np.zeros((n, n))
    M = np.zeros((*A.shape[:-2], 4 * n, 4 * n), dtype=complex)
    M[..., :n, :n] = A
    M[..., :n, n : 2 * n] = one
    M[..., n : 2 * n, 2 * n : 3 * n] = one / h
    M[..., 2 * n : 3 * n, 3 * n :] = 2 * one / h
    M[..., 3 * n :, 3 * n :] = zero
    E, constant, linear, square = np.split(expm(M * h)[..., :n, :], 4, axis=-1)
    # parabola with start g0, end g1, mean gm: g0 + (6gm - 4g0 - 2g1) t + 3 (g0 + g1 - 2gm) t^2
    W0 = constant - 4 * linear + 3 * square
    W1 = -2 * linear + 3 * square
    Wm = 6 * linear - 6 * square
    return E, W0, W1, Wm


def complex_step_run(model, theta, basin, method, steps, directions=None):
    """Integrate with fixed steps, once for each parameter moved by an imaginary step.

    Parameters
    ----------
    directions : array, shape (n_time, n_forcing, n_direction), optional
        The forcing is moved along each direction, and the parameters stay.

    Returns
    -------
    (discharge, jacobian)
        Shapes (n_time,) and (n_time, n_parameter or n_direction).
    """
    n, dt = len(model.hydrographs), interval_length(basin)
    forcing = forcing_array(model, basin)[:, :, None]
    if directions is None:
        moved = theta[:, None] + 1j * COMPLEX_STEP * np.eye(theta.size)
        forcing = np.repeat(forcing, theta.size, axis=2)
    else:
        moved = np.repeat(theta[:, None] + 0j, directions.shape[2], axis=1)
        forcing = forcing + 1j * COMPLEX_STEP * directions
    p = dict(zip(model.parameter_names, moved, strict=True))
    arrived = np.zeros((n, len(forcing), moved.shape[1]), dtype=complex)
    for _ in range(n + 1):  # one hydrograph after another, at most
        result, *inflow = _complex_step_pass(model, moved, forcing, (dt, steps), method, arrived)
        arrived = _arrivals(model, inflow, p, dt)
    result = route(model, result, p, dt)
    return result[:, 0].real, result.imag / COMPLEX_STEP


def _sections(model, method):
    """Return the positions of head states, linear states and read ones, a section at a time.

    Accumulated amounts are among them. A model with unit hydrographs has parts: the first sections
    of all parts are one section here, and so on. A store that is in several is in the first.
    """
    chosen, several = model.select_outputs(("discharge",)), method.takes_sections
    arguments = [(chosen,)]
    if model.hydrographs:
        found = parts(model, chosen)
        arguments = [(part.outputs, part.held, part.stores) for part in found]
    systems = [derive(model, *each, several=several) for each in arguments]
    into = [f"amount of {inflow_name(h.output)}" for h in model.hydrographs]
    names = [*model.store_names, "amount of discharge", *into]
    heads = {n for system in systems for n in system.head if n not in system.held}
    sections, placed = [], set()
    for found in itertools.zip_longest(*(system.sections for system in systems)):
        there = [section for section in found if section]
        head = {n for section in there for n in section.head if n in heads} - placed
        linear = {n for section in there for n in section.linear} - heads - placed
        read = linear.intersection(*[[n for section in there for n in section.read]])
        placed |= head | linear
        sections.append([[i for i, n in enumerate(names) if n in k] for k in (head, linear, read)])
    return sections


def _node_matrices(A, read, method, h):
    """Return for each stage the matrices that give the linear states there; the last: at the end.

    They multiply the contents, and the inflow's start, end and mean over the whole step. Between
    the first and the last stage the states that are read are moved so that the method's mean of
    them is their mean.
    """
    n, c = A.shape[-1], [sum(row) for row in method.a]
    step = propagators(A, h)
    # The parabola of the whole step, restricted to its beginning up to c: start, end, mean.
    stages = []
    for x in c:
        E, W0, W1, Wm = propagators(A, x * h) if x else (0 * A + np.eye(n), 0 * A, 0 * A, 0 * A)
        of_end = np.array([1 - 4 * x + 3 * x**2, 3 * x**2 - 2 * x, 6 * x - 6 * x**2])
        of_mean = np.array([1 - 2 * x + x**2, x**2 - x, 3 * x - 2 * x**2])
        parts_of = [of_end[i] * W1 + of_mean[i] * Wm for i in range(3)]
        stages.append(np.array([E, W0 + parts_of[0], parts_of[1], parts_of[2]]))
    stages[-1] = np.array(step)
    # The mean of l over the step: from dl/dt = A l + g in a system that accumulates l as well.
    larger = np.zeros((*A.shape[:-2], 2 * n, 2 * n), dtype=complex)
    larger[..., :n, :n], larger[..., n:, :n] = A, np.eye(n)
    mean = np.array([matrix[..., n:, :n] / h for matrix in propagators(larger, h)])
    missing = mean - sum(b * stage for b, stage in zip(method.b, stages, strict=True))
    for stage in stages[1:-1]:
        stage[..., read, :] += missing[..., read, :] / sum(method.b[1:-1])
    return stages


def _complex_step_pass(model, moved, forcing, interval, method, arrived):
    """Return discharge and the flows into unit hydrographs, each (n_time, n_column)."""
    sections = _sections(model, method)
    dt, steps = interval
    h = dt / steps
    n_store, n_column = len(model.stores), moved.shape[1]
    n_state = n_store + 1 + len(arrived)
    p = dict(zip(model.parameter_names, moved, strict=True))
    x = np.zeros((n_state, n_column), dtype=complex)
    for i, content in enumerate(model.start(p).values()):
        x[i] = content

    def f(state, u):
        found = rates(model, ("discharge",), state, u, p)
        return np.array([np.broadcast_to(part, n_column) for part in found])

    def solve_stage(head, known, gh, u):
        """Return y with ``y = known + gh f(y)``: Newton's method, halved while it does not help."""

        def residual(y):
            return (y - known - gh * f(y, u))[head]

        y, real = known.copy(), {k: v[0].real for k, v in p.items()}
        u_real = {k: np.real(np.ravel(v)[0]) for k, v in u.items()}
        step, exact = None, 0
        while exact < EXACT_ITERATIONS or (
            exact < MOST_EXACT and np.abs(step.imag).max() > STILL * np.abs(y[head].imag).max()
        ):
            moved = y[:, :1].real + 1j * COMPLEX_STEP * np.eye(n_state)[:, head]
            found = rates(model, ("discharge",), moved, u_real, real)
            J = np.array([np.broadcast_to(q, len(head)).imag for q in found])[head] / COMPLEX_STEP
            step = np.linalg.solve(np.eye(len(head)) - gh * J, residual(y))
            size, share = np.linalg.norm(residual(y).real), 1.0
            trial = y.copy()
            trial[head] -= step
            while not np.linalg.norm(residual(trial).real) < size and share > 1e-4:
                share /= 2
                trial[head] = y[head] - share * step
            if share <= 1e-4 or np.abs(step.real).max() <= 1e-9 * np.abs(y[head].real).max():
                share, exact = 1.0, exact + 1  # at round-off: full steps, for the imaginary part
            y[head] -= share * step
        return y

    def matrix_of(linear, u):
        base = np.where(np.isin(np.arange(n_state), linear), 0, 1.0)[:, None] * np.ones(n_column)
        unit = np.eye(n_state)[:, :, None]
        columns = [(f(base + unit[i], u) - f(base, u))[linear] for i in linear]
        return np.array(columns).transpose(2, 1, 0)

    def applied(matrices, content, ends):
        pairs = zip(matrices, (content, *ends), strict=True)
        return sum(np.einsum("jab,bj->aj", matrix, vector) for matrix, vector in pairs)

    u, nodes = _forcing(model, forcing[0].real, arrived[:, 0]), []
    for _, linear, read in sections:
        of_read = [linear.index(i) for i in read]
        nodes.append(_node_matrices(matrix_of(linear, u), of_read, method, h) if linear else None)
    result = np.empty((1 + len(arrived), len(forcing), n_column), dtype=complex)
    for k, row in enumerate(forcing):
        u = _forcing(model, row, arrived[:, k])
        x[n_store:] = 0
        for _ in range(steps):
            stages = [x.copy() for _ in method.a]  # what is known of each stage, by sections
            for (head, linear, read), matrices in zip(sections, nodes, strict=True):
                slopes = []
                for stage, (*before, diagonal) in zip(stages, method.a, strict=True):
                    stage[linear] = 0
                    for c, slope in zip(before, slopes, strict=True):
                        stage[head] += h * c * slope[head]
                    if diagonal and head:
                        stage[:] = solve_stage(head, stage, h * diagonal, u)
                    slopes.append(f(stage, u))
                mean = sum(b * slope for b, slope in zip(method.b, slopes, strict=True))
                x[head] += h * mean[head]
                if linear:
                    ends = slopes[0][linear], slopes[-1][linear], mean[linear]
                    moved_on = [applied(each, x[linear], ends) for each in matrices]
                    for stage, content in zip(stages, moved_on, strict=True):
                        stage[read] = content[[linear.index(i) for i in read]]
                    x[linear] = moved_on[-1]
        result[:, k] = x[n_store:] / dt
    return result


def solve_with_scipy(model, theta, basin, rtol=1e-11, atol=1e-11, method="LSODA"):
    """Return discharge by SciPy's solve_ivp, restarted at each interval, shape (n_time,).

    Raises
    ------
    RuntimeError
        If SciPy fails, or needs more than 100 000 evaluations of the rates in one interval.
    """
    n, dt = len(model.hydrographs), interval_length(basin)
    p = dict(zip(model.parameter_names, theta, strict=True))
    arrived = np.zeros((n, basin.sizes["time"]))
    for _ in range(n + 1):  # one hydrograph after another, at most
        series = _scipy_pass(model, p, basin, arrived, (rtol, atol, method))
        arrived = _arrivals(model, series.T[1:], p, dt)
    return route(model, series[:, 0], p, dt)


def _scipy_pass(model, p, basin, arrived, settings):
    """Return discharge and the flows into unit hydrographs, shape (n_time, ...)."""
    forcing, dt = forcing_array(model, basin), interval_length(basin)
    (rtol, atol, method), n_store = settings, len(model.stores)
    x = np.append(np.array([float(v) for v in model.start(p).values()]), [0.0] * (1 + len(arrived)))
    series = []
    for k, row in enumerate(forcing):
        u = _forcing(model, row, arrived[:, k])
        x[n_store:] = 0
        calls = itertools.count(1)

        def f(t, y, u=u, calls=calls):
            if next(calls) > MOST_EVALUATIONS:
                raise RuntimeError(f"solve_ivp: {MOST_EVALUATIONS} evaluations in one interval")
            return np.array(rates(model, ("discharge",), y, u, p), dtype=float)

        solution = solve_ivp(f, (0, dt), x, method=method, rtol=rtol, atol=atol)
        if not solution.success:
            raise RuntimeError(f"solve_ivp: {solution.message}")
        x = solution.y[:, -1]
        series.append(x[n_store:] / dt)
    return np.array(series)
