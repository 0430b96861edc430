"""The rungs of the ladder for gradients that a sweep back through the tape of a run gives."""

import numpy as np

from pymc_hydro.data.schema import interval_length
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.integrators import BOGACKI_SHAMPINE, RungeKutta
from pymc_hydro.testing.checks import (
    FIXED_LIMIT,
    FROZEN_LIMIT,
    LAST_DIGIT,
    NOISE_FACTOR,
    PATTERNS,
    ROUND_OFF,
    Finding,
)
from pymc_hydro.testing.frozen import ProblemInPython, frozen_run, swept, taped_run
from pymc_hydro.testing.independent import complex_step_run

__all__ = [
    "forcing_at_fixed_steps",
    "forcing_of_adaptive_run",
    "in_time",
    "parameters_in_time",
    "second_order_at_fixed_steps",
    "sweep_against_columns",
]

COLUMNS_LIMIT = 1e-10  # of the size of the terms that are summed
STEPS_TRIED = (4, 32, 256)
SHARES = (1e-6, 1e-7, 1e-5, 1e-8, 1e-4)  # of a forcing, by which differences move it
# mm/d or degC: complex step moves a smaller forcing as if it were this. Differences do not:
# smoothed laws have their kinks at zero rain.
LEAST = 0.1
SECOND_SHARE = 1e-5  # the same, for differences of exact slopes
N_DIRECTION = 3
LAST_DIGITS = 1e-14  # mm/d: round-off of outputs, from stores of some ten mm


def _arrays(model, theta, basin) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the inputs of a run."""
    return np.array(theta, dtype=float), forcing_array(model, basin), model.initial_state


def _directions(forcing, rng, least=0.0):
    """Return random directions in which the forcings of all intervals move."""
    size = np.maximum(np.abs(forcing), least)[:, :, None]
    return size * rng.normal(size=(*forcing.shape, N_DIRECTION))


def sweep_against_columns(model, theta, basin, outputs=("discharge",), **solver) -> Finding:
    """Compare the sweep with the product of cotangents and columns, at the same steps.

    By parameter and by initial content; the discrepancy is relative to the terms of the sum.
    """
    problem = define_problem(model, outputs, interval_length(basin), **solver)
    arrays = _arrays(model, theta, basin)
    values, tape = taped_run(problem, *arrays)
    steps = [(int(level), int(method)) for _, level, method in tape[:, :3]]
    columns = frozen_run(problem, *arrays, steps, problem.n_columns(True))
    if not np.array_equal(columns.values, values):
        return Finding("taped values are those of the columns", np.inf)
    cotangent = np.random.default_rng(0).normal(size=values.shape)
    by_theta, _, by_x0 = swept(problem, *arrays, tape, cotangent)
    terms = cotangent[:, :, None] * columns.jacobian
    sizes = [p.scale or abs(t) for p, t in zip(model.parameters, theta, strict=True)]
    scale = np.array([*sizes, *np.ones(len(by_x0))])
    error = np.abs(np.concatenate([by_theta, by_x0]) - terms.sum(axis=(0, 1))) * scale
    allowed = COLUMNS_LIMIT * np.abs(terms).sum(axis=(0, 1)) * scale + ROUND_OFF
    worst = int(np.argmax(error / allowed))
    where = (*model.parameter_names, *(f"initial {s}" for s in model.store_names))[worst]
    return Finding("sweep against columns", float(error[worst] / allowed[worst]), where)


def in_time(model, theta, basin):
    """Return the model with parameters in time, its parameters, and the basin with their series.

    All but those of unit hydrographs change in time, between `theta` and the defaults.
    """
    names = []
    for name in model.parameter_names:
        try:
            model.vary(name)
        except ValueError:  # of a unit hydrograph
            continue
        names.append(name)
    shares = np.random.default_rng(3).uniform(size=(basin.sizes["time"], theta.size))
    series = dict(
        zip(model.parameter_names, (shares * theta + (1 - shares) * model.default).T, strict=True)
    )
    kept = [value for name, value in zip(series, theta, strict=True) if name not in names]
    varied = basin.assign({name: ("time", series[name]) for name in names})
    return model.vary(*names), np.array(kept), varied


def parameters_in_time(
    model, theta, basin, method: RungeKutta = BOGACKI_SHAMPINE
) -> Finding | None:
    """Compare the gradient by parameters that change in time, and by the forcing, column by column.

    As `forcing_at_fixed_steps` does, with a direction for each parameter and each forcing.
    """
    model, theta, basin = in_time(model, theta, basin)
    finding = forcing_at_fixed_steps(model, theta, basin, method, by_column=True)
    if finding is None:
        return None
    return Finding(f"{finding.check}, parameters in time", finding.error, finding.where)


def forcing_at_fixed_steps(
    model, theta, basin, method: RungeKutta = BOGACKI_SHAMPINE, by_column: bool = False
) -> Finding | None:
    """Compare the gradient by the forcing with complex step of another integrator.

    None if the method is unstable at 256 steps an interval.
    """
    arrays = _arrays(model, theta, basin)
    rng = np.random.default_rng(1)
    directions = _directions(arrays[1], rng, LEAST)
    if by_column:
        directions = directions[:, :, :1] * np.eye(arrays[1].shape[1])
    cotangent = rng.normal(size=(len(arrays[1]), 1))
    for steps in STEPS_TRIED:
        problem = define_problem(
            model, ("discharge",), interval_length(basin), solver=method, steps=steps
        )
        try:
            _, tape = taped_run(problem, *arrays)
        except AssertionError:
            continue

        def both(forcing, tape, problem=problem, steps=steps):
            _, by_forcing, _ = swept(problem, arrays[0], forcing, arrays[2], tape, cotangent)
            series = zip(model.forcing_names, forcing.T, strict=True)
            near = basin.assign({name: ("time", values) for name, values in series})
            slopes = complex_step_run(model, arrays[0], near, method, steps, directions)[1]
            return by_forcing, cotangent.T @ slopes

        by_forcing, expected = both(arrays[1], tape)
        check = f"{method.name}: forcing at {steps} fixed steps against complex step"
        names = model.forcing_names if by_column else ()
        pair = check, by_forcing, directions, expected, FIXED_LIMIT
        finding = _along(*pair, ROUND_OFF, names)
        if finding.error > 1:  # sums that cancel: how much do other last digits move them?
            signs = rng.choice((-1, 1), (PATTERNS, *arrays[1].shape))
            near = [arrays[1] * (1 + LAST_DIGIT * s) for s in signs]
            moved = [both(f, taped_run(problem, arrays[0], f, arrays[2])[1]) for f in near]
            parts = [((a - by_forcing)[:, :, None] * directions).sum((0, 1)) for a, _ in moved]
            noise = np.abs([*parts, *(b[0] - expected[0] for _, b in moved)]).max(axis=0)
            finding = _along(*pair, ROUND_OFF + NOISE_FACTOR * noise, names)
        return finding
    return None


def forcing_of_adaptive_run(model, theta, basin) -> Finding:
    """Compare the gradient by the forcing with differences of runs that take the same steps."""
    problem = define_problem(model, ("discharge",), interval_length(basin))
    theta, forcing, x0 = _arrays(model, theta, basin)
    rng = np.random.default_rng(2)
    directions = _directions(forcing, rng)
    values, tape = taped_run(problem, theta, forcing, x0)
    steps = [(int(level), int(method)) for _, level, method in tape[:, :3]]
    cotangent = rng.normal(size=values.shape)
    _, by_forcing, _ = swept(problem, theta, forcing, x0, tape, cotangent)

    def moved(direction, h):
        return cotangent * frozen_run(problem, theta, forcing + h * direction, x0, steps).values

    def richardson(direction, h):
        near, far = (moved(direction, s) - moved(direction, -s) for s in (h / 2, h))
        return ((4 * near / h - far / (2 * h)) / 3).sum()

    check = "adaptive run's gradient by the forcing against differences with its steps"
    found = []
    for share in SHARES:
        expected = np.array([[richardson(directions[..., d], share) for d in range(N_DIRECTION)]])
        floor = LAST_DIGITS * max(1.0, np.abs(values).sum()) / share
        found.append(_along(check, by_forcing, directions, expected, FROZEN_LIMIT, floor))
        if found[-1].error <= 1:
            break
    return min(found, key=lambda finding: finding.error)


def second_order_at_fixed_steps(
    model, theta, basin, steps: int = 4, method: RungeKutta = BOGACKI_SHAMPINE
) -> Finding:
    """Compare the Hessian with differences of a complex-step gradient of another integrator.

    Between two directions in which parameters and forcing move at once.
    """
    problem = define_problem(
        model, ("discharge",), interval_length(basin), solver=method, steps=steps
    )
    theta, forcing, x0 = _arrays(model, theta, basin)
    rng = np.random.default_rng(3)
    sizes = np.array([p.scale or abs(t) for p, t in zip(model.parameters, theta, strict=True)])
    along, across = (
        (sizes * rng.normal(size=theta.size), _directions(forcing, rng)[..., 0]) for _ in range(2)
    )
    cotangent = rng.normal(size=(len(forcing), 1))
    found = ProblemInPython(**vars(problem)).second_order(
        theta, forcing, x0, cotangent, *along, np.zeros(x0.shape)
    )
    terms = np.concatenate([(h * d).ravel() for h, d in zip(found, across, strict=False)])

    def slope(h):
        moved = dict(zip(model.forcing_names, (forcing + h * along[1]).T, strict=True))
        there = basin.assign({name: ("time", column) for name, column in moved.items()})
        at = model, theta + h * along[0], there, method, steps
        by_theta = complex_step_run(*at)[1] @ across[0]
        return cotangent[:, 0] @ (by_theta + complex_step_run(*at, across[1][..., None])[1][:, 0])

    near, far = (slope(h) - slope(-h) for h in (SECOND_SHARE, 2 * SECOND_SHARE))
    expected = (4 * near / 2 - far / 4) / (3 * SECOND_SHARE)
    error = abs(terms.sum() - expected) / (FROZEN_LIMIT * np.abs(terms).sum())
    return Finding("Hessian at fixed steps against differences of complex step", float(error))


def _along(check, by_forcing, directions, expected, limit, floor, names=()) -> Finding:
    """Compare derivatives along directions, which may have names, relative to the terms summed."""
    terms = by_forcing[:, :, None] * directions
    error = np.abs(terms.sum(axis=(0, 1)) - expected)
    ratios = (error / (limit * np.abs(terms).sum(axis=(0, 1)) + floor)).ravel()
    return Finding(check, float(ratios.max()), names[ratios.argmax()] if names else "forcing")
