"""The rungs of the gradient ladder; each returns its measurement, in units of its limit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pymc_hydro.core import functions
from pymc_hydro.data.schema import interval_length
from pymc_hydro.engine.compile import get_rates
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.problem import DEFAULT_TOLERANCE, define_problem
from pymc_hydro.engine.simulate import forcing_array, simulate
from pymc_hydro.integrators import BOGACKI_SHAMPINE, RungeKutta
from pymc_hydro.testing.frozen import frozen_run, recorded_run
from pymc_hydro.testing.independent import (
    COMPLEX_STEP,
    complex_step_run,
    rates,
    solve_with_scipy,
)

__all__ = [
    "Finding",
    "adaptive_sensitivities",
    "balance_terms",
    "compare_columns",
    "continuity",
    "corners",
    "discharge_against_scipy",
    "draw_parameters",
    "fixed_step_sensitivities",
    "jacobian_at_default_tolerance",
    "rates_and_jacobians",
    "size_of_parameters",
    "water_balance",
]

# Relative to the largest entry of the column, or to rate by argument where that is larger: what is
# smaller is the round-off of sums of smooth functions that cancel (snow far above the threshold).
RATES_LIMIT = 1e-12
# Round-off of the double-precision formula, measured as its distance from extended precision: by
# this factor the kernel's order of operations may exceed it.
ROUND_OFF_FACTOR = 100
LAST_DIGIT, NEIGHBOURS, PATTERNS, NOISE_FACTOR = 4e-16, (-2, -1, 1, 2), 6, 10
FIXED_LIMIT = 1e-10  # relative L2 per column: round-off over some hundred steps
FROZEN_LIMIT = 1e-6  # relative L2 per column: Richardson differences' own error
DISCHARGE_LIMIT = 1e-6  # mm/d, at rtol = atol = 1e-9
LARGE_FLOW = 100.0  # mm/d, above which it is relative: ten times rtol
BALANCE_LIMIT = 1e-9  # of the input
DEFAULT_LIMIT = 0.05  # relative L2 per column, default tolerance against 1e-9
ROUND_OFF = 1e-12  # mm/d, of a parameter times its sensitivity: sums that cancel (snow in summer)
UNRESOLVED = 10 * DEFAULT_TOLERANCE  # mm an interval, root mean square
# Of differences, in turn until one agrees: states must move by less than the widths of the
# smoothing (the reference formulations have some of 1e-12), by more than stiff round-off.
RELATIVE_STEPS = (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-5, 1e-4, 1e-3)
SMALLEST_STEP = 1e-7  # for which round-off is allowed for
# Where none agrees: factors on the best, too close for the differences' own error to vary, and how
# much of their scatter is taken for round-off, in units of the limit.
NEARBY, MOST_NOISE = np.linspace(1, 1.05, 9), 9
CONTINUITY_LIMIT = 1e-6  # of the larger branch
OTHER_SOLUTION = 1e-8  # of the largest discharge: no round-off
STEPS_TRIED = (4, 32, 256)


@dataclass(frozen=True)
class Finding:
    """The measurement of a check.

    Attributes
    ----------
    check : str
        The two sides of the comparison.
    error : float
        In units of the limit: a model passes if it is at most one.
    where : str
        The parameter, store or output with the largest error.
    """

    check: str
    error: float
    where: str = ""

    def __post_init__(self):
        if np.isnan(self.error):  # compares with nothing, and must not be lost among the others
            object.__setattr__(self, "error", np.inf)

    def __str__(self):
        verdict = "passes" if self.error <= 1 else "FAILS"
        return f"{verdict}: {self.check}, {self.error:.2g} of the limit ({self.where})"


def draw_parameters(model, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return logistic-uniform draws within the bounds, as in the published verification."""
    unit = 1 / (1 + np.exp(-rng.uniform(-3, 3, (n, len(model.parameters)))))
    return model.lower + (model.upper - model.lower) * unit


def corners(model, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return random corners of the bounds."""
    return np.where(rng.random((n, len(model.parameters))) < 0.5, model.lower, model.upper)


def size_of_parameters(model, theta):
    """Return the size of each parameter, by which sensitivities are multiplied to be in mm."""
    return np.array([p.scale or abs(t) for p, t in zip(model.parameters, theta, strict=True)])


def compare_columns(check: str, model, theta, found, expected, limit: float, floor) -> Finding:
    """Compare Jacobians by column in the L2 norm, in units of their parameter (mm/d)."""
    return _worst(check, model, _ratios(model, theta, found, expected, limit, floor))


def _ratios(model, theta, found, expected, limit, floor) -> np.ndarray:
    """Return the error of each column in units of the allowed error."""
    scale = size_of_parameters(model, theta)
    error = np.linalg.norm((found - expected) * scale, axis=0)
    allowed = limit * np.linalg.norm(expected * scale, axis=0) + floor
    return np.where(np.isfinite(error) & np.isfinite(allowed), error / allowed, np.inf)


def _worst(check, model, ratios) -> Finding:
    worst = int(np.argmax(ratios))
    return Finding(check, float(ratios[worst]), model.parameter_names[worst])


def _random_point(model, rng, theta):
    """Return contents of stores, empty and over-full included, and forcing, as vectors."""
    n = len(model.stores)
    x = rng.uniform(0, 1.2, n) * rng.choice([1e-3, 1, 100, abs(theta[0])], n)
    signs = [rng.choice((-1, 1)) if store.signed else 1 for store in model.stores]
    x *= signs
    u = {
        "precipitation": rng.choice([0, 5, 300.0]),
        "potential_evaporation": rng.uniform(0, 8),
        "temperature": rng.uniform(-20, 20),
        "day_of_year": 100.0,
    }
    arrived = [rng.uniform(0, 20) for _ in model.hydrographs]
    return x, np.array([*(u[name] for name in model.forcing_names), *arrived])


def _forcing_names(model):
    return *model.forcing_names, *(hydrograph.output for hydrograph in model.hydrographs)


def rates_and_jacobians(model, theta, rng: np.random.Generator) -> Finding:
    """Compare the compiled rates, J and B with the flux function and its complex step."""
    n_store, n_parameter = len(model.stores), theta.size
    contents, u = _random_point(model, rng, theta)
    x = np.append(contents, 0.0)
    shapes = (n_store + 1,), (n_store + 1, n_store + 1), (n_store + 1, n_parameter)

    def compiled(factor=1.0):
        found = [np.zeros(shape) for shape in shapes]
        get_rates(model)[1](x * factor, u, theta * factor, *found)
        return found

    forcing = dict(zip(_forcing_names(model), u, strict=True))

    def formula(kind, part, j):
        arguments = [x.astype(kind), theta.astype(kind)]
        if part:
            arguments[part - 1][j] += 1j * COMPLEX_STEP
        p = dict(zip(model.parameter_names, arguments[1], strict=True))
        found = rates(model, ("discharge",), arguments[0], forcing, p)[: n_store + 1]
        found = np.array(found, dtype=kind)
        return found.imag / COMPLEX_STEP if part else found.real

    def error(part, j=None):
        """Of the rates (part 0) or a column of J (1) or B (2), in units of the allowed error."""

        def column(results):
            return results[part][:, j] if part else results[part]

        found = column(results)
        expected, exact = (formula(kind, part, j) for kind in (complex, np.clongdouble))
        difference, noise = (np.abs(a - exact).max() for a in (found, expected))
        by_argument = largest / max(abs((x, theta)[part - 1][j]), 1.0) if part else 0.0
        allowed = RATES_LIMIT * max(by_argument, np.abs(expected).max())
        if not difference <= allowed + ROUND_OFF_FACTOR * noise:
            # The formula's sums may cancel exactly just here: how much does the kernel scatter?
            near = (column(compiled(1 + LAST_DIGIT * k)) for k in NEIGHBOURS)
            noise = max(noise, *(np.abs(other - found).max() for other in near))
        allowed += ROUND_OFF_FACTOR * noise
        return float(difference / allowed) if np.isfinite(allowed) else np.inf

    results = compiled()
    largest = np.abs(results[0]).max()
    errors = {"rates": error(0)}
    for part, names in enumerate(((*model.store_names, "amount"), model.parameter_names), 1):
        errors |= {f"by {name}": error(part, j) for j, name in enumerate(names)}
    where = max(errors, key=lambda name: np.nan_to_num(errors[name], nan=np.inf))
    return Finding("J and B against complex step", errors[where], where)


def continuity(model, rng: np.random.Generator, n: int = 50) -> Finding:
    """Compare the branches of piecewise expressions where they meet, as declared."""

    def pieces(point):
        found = []
        functions._listeners.append(lambda *piece: found.append(piece))
        try:
            x, u, theta = point
            p = dict(zip(model.parameter_names, theta, strict=True))
            model.evaluate(
                dict(zip(model.store_names, x, strict=True)),
                dict(zip(_forcing_names(model), u, strict=True)),
                p,
            )
        finally:
            functions._listeners.pop()
        return found

    def between(a, b, t):
        return tuple((1 - t) * p + t * q for p, q in zip(a, b, strict=True))

    worst, where = 0.0, "no piece was crossed"
    for _ in range(n):
        ends = []
        for theta in draw_parameters(model, rng, 2):
            ends.append((*_random_point(model, rng, theta), theta))
        for i, (first, last) in enumerate(zip(*(pieces(e) for e in ends), strict=True)):
            if first[3] is None or not np.real(first[0]) * np.real(last[0]) < 0:
                continue
            low, high = 0.0, 1.0
            for _ in range(60):
                middle = (low + high) / 2
                here = np.real(pieces(between(ends[0], ends[1], middle))[i][0])
                low, high = (middle, high) if here * np.real(first[0]) > 0 else (low, middle)
            _, above, below, order = pieces(between(ends[0], ends[1], low + 1j * COMPLEX_STEP))[i]
            compared = [(np.real(above), np.real(below))]
            if order >= 1:
                slopes = np.imag(above) / COMPLEX_STEP, np.imag(below) / COMPLEX_STEP
                compared.append(slopes)
            for a, b in compared:
                error = abs(a - b) / max(abs(a), abs(b), 1e-3) / CONTINUITY_LIMIT
                if not error <= worst:
                    worst, where = error, f"piecewise expression {i + 1} of the flux function"
    return Finding("branches meet as declared", float(worst), where)


def _compiled_run(model, theta, basin, method, steps):
    run = simulate(model, theta, basin, sensitivities=True, steps=steps, solver=method)
    return run["discharge"].values, run["ddischarge_dparameter"].values


def fixed_step_sensitivities(
    model,
    theta,
    basin,
    method: RungeKutta = BOGACKI_SHAMPINE,
    *,
    run: Callable = _compiled_run,
    steps_tried: Sequence[int] = STEPS_TRIED,
) -> Finding | None:
    """Compare values and Jacobian at fixed steps with complex step of another integrator.

    None if the method is unstable at the largest number of steps an interval. With few steps at a
    stiff corner a stage may have several solutions, and each integrator find another: then more
    steps. `run` returns discharge and its Jacobian, or raises IntegrationError.
    """
    for steps in steps_tried:
        try:
            simulated, found = run(model, theta, basin, method, steps)
        except IntegrationError:
            continue
        value, jacobian = complex_step_run(model, theta, basin, method, steps)
        error = np.abs(simulated - value).max()
        if not error <= OTHER_SOLUTION * np.abs(value).max() and steps < steps_tried[-1]:
            continue
        allowed = 1e-9 * np.abs(value).max() + ROUND_OFF
        check = f"{method.name}: sensitivities at {steps} fixed steps against complex step"
        finding = compare_columns(check, model, theta, found, jacobian, FIXED_LIMIT, ROUND_OFF)
        if finding.error > 1:  # stiff, at a kink: how much do other last digits move it?
            noise = NOISE_FACTOR * _noise(model, theta, basin, method, steps, found, jacobian, run)
            floor = ROUND_OFF + noise
            finding = compare_columns(check, model, theta, found, jacobian, FIXED_LIMIT, floor)
        return finding if finding.error > error / allowed else Finding(check, error / allowed)
    return None


def _noise(model, theta, basin, method, steps, found, jacobian, run) -> np.ndarray:
    """Return how much both sides' columns move with the last digits of the parameters."""
    rng = np.random.default_rng(1)
    moved = []
    for signs in rng.choice((-1, 1), (PATTERNS, theta.size)):
        near = theta * (1 + LAST_DIGIT * signs)
        moved.append(complex_step_run(model, near, basin, method, steps)[1] - jacobian)
        moved.append(run(model, near, basin, method, steps)[1] - found)
    return np.linalg.norm(np.array(moved) * size_of_parameters(model, theta), axis=1).max(axis=0)


def adaptive_sensitivities(model, theta, basin) -> Finding:
    """Compare an adaptive run's Jacobian with differences of runs that take the same steps."""
    forcing, dt = forcing_array(model, basin), interval_length(basin)
    problem = define_problem(model, ("discharge",), dt)
    x0 = model.initial_state
    run, levels = recorded_run(problem, theta, forcing, x0)

    def moved(j, h):
        there = theta.copy()
        there[j] += h
        return frozen_run(problem, there, forcing, x0, levels).values[:, 0]

    def difference(j, h):
        if inward[j]:  # a law may have its kink at the bound
            h *= inward[j]
            return (4 * moved(j, h) - moved(j, 2 * h) - 3 * run.values[:, 0]) / (2 * h)
        return (moved(j, h) - moved(j, -h)) / (2 * h)

    def richardson(j, h):
        return (4 * difference(j, h / 2) - difference(j, h)) / 3

    inward = (theta == model.lower).astype(int) - (theta == model.upper)
    check = "adaptive run's sensitivities against differences with its steps"
    round_off = max(ROUND_OFF, LAST_DIGIT * np.abs(run.values).max())
    found, scale = run.jacobian[:, 0], size_of_parameters(model, theta)
    ratios, best = np.full((2, len(model.parameters)), np.inf)
    for step in RELATIVE_STEPS:
        expected = np.stack([richardson(j, step * s) for j, s in enumerate(scale)], axis=-1)
        floor = round_off / max(step, SMALLEST_STEP)
        at_step = _ratios(model, theta, found, expected, FROZEN_LIMIT, floor)
        best = np.where(at_step < ratios, step, best)  # each column has a best step of its own
        ratios = np.minimum(ratios, at_step)
        if ratios.max() <= 1:
            break
    for j in np.flatnonzero((ratios > 1) & np.isfinite(best)):  # at a kink: round-off, or wrong?
        several = np.array([richardson(j, best[j] * scale[j] * f) for f in NEARBY]) * scale[j]
        error = np.linalg.norm(several.mean(axis=0) - found[:, j] * scale[j])
        limit = FROZEN_LIMIT * np.linalg.norm(several.mean(axis=0))
        limit += round_off / max(best[j], SMALLEST_STEP)
        noise = 3 * np.linalg.norm(several.std(axis=0)) / np.sqrt(len(NEARBY))
        ratios[j] = error / (limit + min(noise, MOST_NOISE * limit))
    return _worst(check, model, ratios)


def discharge_against_scipy(model, theta, basin) -> Finding:
    """Compare discharge at a tolerance of 1e-9 with SciPy's solve_ivp."""
    run = simulate(model, theta, basin, rtol=1e-9, atol=1e-9)
    expected = solve_with_scipy(model, theta, basin)
    error = np.abs(run["discharge"].values - expected).max()
    allowed = DISCHARGE_LIMIT * max(1.0, np.abs(expected).max() / LARGE_FLOW)
    return Finding("discharge against SciPy's solve_ivp", float(error / allowed))


def balance_terms(model) -> tuple[list[str], list[str], tuple[str, ...]]:
    """Return the fluxes that enter the stores, the fluxes that leave them, and the stores.

    A flow into a unit hydrograph leaves the stores, and the water that arrives from it enters them.
    A flow that passes the stores by, such as one between two unit hydrographs, is in neither list.
    """
    stores = model.store_names
    inflow = [f.flux for f in model.flows if f.source not in stores and f.target in stores]
    outflow = [f.flux for f in model.flows if f.source in stores and f.target not in stores]
    return inflow, outflow, stores


def water_balance(model, theta, basin) -> Finding:
    """Compare inflow and outflow with the change of the stores, over every interval."""
    inflow, outflow, stores = balance_terms(model)
    sources = [f.flux for f in model.flows if f.source is None and f.flux not in model.exchanges]
    wanted = dict.fromkeys((*inflow, *outflow, *stores, *sources))
    run = simulate(model, theta, basin, outputs=tuple(wanted))
    dt = interval_length(basin)
    p = dict(zip(model.parameter_names, theta, strict=True))
    stored = np.sum([run[s].values for s in stores], axis=0)
    change = np.diff(stored, prepend=sum(model.start(p).values()))
    net = (sum(run[f].values for f in inflow) - sum(run[f].values for f in outflow)) * dt
    entered = sum(np.abs(run[f].values).sum() for f in inflow) * dt
    rain = sum(run[f].values for f in sources)
    rain_error = np.abs(rain - basin["precipitation"].values).sum() * dt
    scale = BALANCE_LIMIT * max(entered, stored.max(), 1.0)
    error = (np.abs(np.cumsum(net - change)).max() + rain_error) / scale
    return Finding("water balance", float(error))


def jacobian_at_default_tolerance(model, theta, basin) -> Finding:
    """Compare the Jacobian at the default tolerance with the one at 1e-9."""
    found, exact = (
        simulate(model, theta, basin, sensitivities=True, rtol=tolerance, atol=tolerance)[
            "ddischarge_dparameter"
        ].values
        for tolerance in (DEFAULT_TOLERANCE, 1e-9)
    )
    check = "Jacobian at the default tolerance against tolerance 1e-9"
    floor = UNRESOLVED / interval_length(basin) * np.sqrt(len(exact))
    return compare_columns(check, model, theta, found, exact, DEFAULT_LIMIT, floor)
