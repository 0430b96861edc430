"""The rungs of the ladder for models in discrete time."""

import numpy as np

from pymc_hydro.core.base.names import Names
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array, simulate
from pymc_hydro.testing.checks import (
    FIXED_LIMIT,
    ROUND_OFF,
    Finding,
    compare_columns,
    size_of_parameters,
)
from pymc_hydro.testing.independent import COMPLEX_STEP

__all__ = ["complex_step_map", "map_sensitivities", "map_sweep"]

SMALLEST = 0.1  # mm/d or degC: complex step moves a smaller forcing as if it were this


def complex_step_map(model, theta, basin, directions=None) -> tuple[np.ndarray, np.ndarray]:
    """Run the declared law itself, once for each parameter moved by an imaginary step.

    Parameters
    ----------
    directions : array, shape (n_time, n_forcing, n_direction), optional
        The forcing is moved along each of them, and the parameters stay.

    Returns
    -------
    (discharge, jacobian)
        Shapes (n_time,) and (n_time, n_parameter or n_direction).
    """
    theta, forcing = np.asarray(theta, dtype=complex), forcing_array(model, basin)[:, :, None] + 0j
    n = theta.size if directions is None else directions.shape[2]
    moved, forcing = np.tile(theta[:, None], n), np.tile(forcing, n)
    if directions is None:
        moved += 1j * COMPLEX_STEP * np.eye(n)
    else:
        forcing += 1j * COMPLEX_STEP * directions
    values = dict(zip(model.parameter_names, moved, strict=True))
    p = Names(type(model).__name__, "parameter", values)
    stores = {k: np.broadcast_to(v, n) for k, v in model.start(p).items()}
    shares = {h.output: _ordinates(h, model.interval, p) for h in model.hydrographs}
    into: dict[str, list] = {name: [] for name in shares}
    result = []
    for row in forcing:
        u = dict(zip(model.forcing_names, row, strict=True)) | dict.fromkeys(shares, 0.0)
        for series in into.values():
            series.append(0.0)
        for _ in range(len(shares) + 1):  # one hydrograph after another, at most
            fluxes = model.evaluate(stores, u, values)
            for name, series in into.items():
                series[-1] = sum(fluxes[f.flux] for f in model.flows if f.target == name)
                u[name] = sum(w * q for w, q in zip(shares[name], reversed(series), strict=False))
        result.append(sum(fluxes[term] for term in model.output_table["discharge"].terms))
        stores = model.update(stores, fluxes)
    found = np.array(result)
    return found[:, 0].real, found.imag / COMPLEX_STEP


def _ordinates(hydrograph, dt, p):
    n = int(np.max(np.real(hydrograph.base(p))) / dt) + 2
    return [hydrograph.ordinate(j * dt, (j + 1) * dt, p) for j in range(n)]


def map_sensitivities(model, theta, basin) -> Finding:
    """Compare values and Jacobian with complex step of the law."""
    run = simulate(model, theta, basin, sensitivities=True)
    value, jacobian = complex_step_map(model, theta, basin)
    error = np.abs(run["discharge"].values - value).max()
    allowed = FIXED_LIMIT * np.abs(value).max() + ROUND_OFF
    check, found = "sensitivities against complex step", run["ddischarge_dparameter"].values
    finding = compare_columns(check, model, theta, found, jacobian, FIXED_LIMIT, ROUND_OFF)
    return finding if finding.error > error / allowed else Finding(check, error / allowed)


def map_sweep(model, theta, basin, outputs=("discharge",)) -> list[Finding]:
    """Compare the sweep with the columns, and its gradient by the forcing with complex step."""
    problem = define_problem(model, outputs, model.interval)
    arrays = np.asarray(theta, dtype=float), forcing_array(model, basin), model.initial_state
    columns = problem.run(*arrays, sensitivities=True, initial=True)
    run, tape = problem.taped_run(*arrays)
    if columns.jacobian is None or not np.array_equal(columns.values, run.values):
        return [Finding("taped values are those of the columns", np.inf)]
    rng = np.random.default_rng(0)
    cotangent = rng.normal(size=run.values.shape)
    by_theta, by_forcing, by_x0 = problem.sweep(*arrays, tape, cotangent)
    given = np.isfinite(arrays[2])  # the derivative by a content that the parameters give is zero
    terms = cotangent[:, :, None] * columns.jacobian
    scale = np.append(size_of_parameters(model, theta), given)
    error = np.abs(np.append(by_theta, by_x0) - terms.sum(axis=(0, 1))) * scale
    allowed = FIXED_LIMIT * np.abs(terms).sum(axis=(0, 1)) * scale + ROUND_OFF
    found = [Finding("sweep against columns", float((error / allowed).max()))]
    size = np.maximum(np.abs(arrays[1]), SMALLEST)[:, :, None]
    directions = size * rng.normal(size=(*arrays[1].shape, 3))
    slopes = complex_step_map(model, theta, basin, directions)[1]
    terms = by_forcing[:, :, None] * directions
    error = np.abs(terms.sum(axis=(0, 1)) - cotangent[:, 0] @ slopes)
    allowed = FIXED_LIMIT * np.abs(terms).sum(axis=(0, 1)) + ROUND_OFF
    check = "gradient by the forcing against complex step"
    return [*found, Finding(check, float((error / allowed).max()))]
