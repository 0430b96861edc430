"""The stores at an origin, corrected by the last observations before it."""

import numpy as np

from pymc_hydro.inference.forecasting.errors import ForecastErrors
from pymc_hydro.inference.forecasting.origin import Simulation

__all__ = ["correct_stores"]

DAYS = 10.0  # of observations before the origin
RUNS = 6  # at most: of the search for the factors of the stores


def correct_stores(
    simulation: Simulation,
    errors: ForecastErrors,
    theta: np.ndarray,
    x0: np.ndarray,
    past: np.ndarray,
    places: np.ndarray,
    sd: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return stores for :meth:`Simulation.run_on`, and the corrected output before each origin.

    The logarithms d of the stores' factors at the start of the last observations minimise
    ``z' C^-1 z + d'd / sd^2``. z are the errors of transformed flow, and C their covariance in the
    likelihood, at the scale and the clock of the run without a correction.

    Parameters
    ----------
    simulation : Simulation
    errors : ForecastErrors
    theta, x0, past
        As of :meth:`Simulation.run`, and its result.
    places : array of int, shape (n_origin,)
        The first interval of each forecast.
    sd : float
        Prior standard deviation of d.

    Returns
    -------
    tuple of array, shapes (n_draw, n_origin, n_state) and (n_draw, n_origin, n)

    Raises
    ------
    ValueError
        If `sd` is not positive, or there are too few intervals before an origin.
    """
    n = max(round(DAYS / simulation.problem.dt), 1)
    lead_in = simulation.lead_in(theta, places)
    begins = places - lead_in - n
    _check(simulation, sd, begins, places)
    n_lead = int(lead_in[0])
    window = places[:, None] + np.arange(-n, 0)
    unknown = np.full(simulation.time.size - errors.usable.size, np.nan)
    observed = np.concatenate([unknown, errors.usable])[window]
    known = errors.compile_known()
    factor = _factor(errors, *known(past[:, window, 0], observed))
    stores = simulation.stores(x0, past, begins)

    def whitened(values, slope, trial):
        z, by_flow, *_ = known(values[:, :, n_lead:, 0], observed)
        by_trial = slope[:, :, n_lead:] * (stores * np.exp(trial))[:, :, None]
        there = np.isfinite(observed)
        by_trial = np.where(there[..., None], -by_flow[..., None] * by_trial, 0.0)
        z = np.where(there, z, 0.0)
        return (np.linalg.solve(factor, part) for part in (z[..., None], by_trial))

    moved, step = np.zeros_like(stores), np.zeros_like(stores)
    cost = np.full(stores.shape[:2], np.inf)
    best = np.full((*cost.shape, n + n_lead, past.shape[-1]), np.nan)
    for _ in range(RUNS):
        trial = moved + step
        values, slope = simulation.run_windows(theta, stores * np.exp(trial), begins, places)
        z, by_trial = whitened(values, slope, trial)
        now = (z**2).sum(axis=(-1, -2)) + (trial**2).sum(axis=-1) / sd**2
        better = now < cost  # not where it failed
        cost = np.where(better, now, cost)
        moved = np.where(better[..., None], trial, moved)
        best = np.where(better[..., None, None], values, best)
        step = step / 2
        step[better] = _newton(z[better], by_trial[better], trial[better], sd)
    return simulation.settle(best[:, :, n - 1][..., simulation.columns]), best[:, :, n_lead:, 0]


def _check(simulation: Simulation, sd: float, begins: np.ndarray, places: np.ndarray) -> None:
    if not sd > 0:
        raise ValueError(
            f"forecast: correct must be a positive standard deviation of the logarithm of a "
            f"store's content, such as 0.2, found {sd!r}"
        )
    if simulation.problem.model.hydrographs:
        raise ValueError(
            f"forecast: {type(simulation.problem.model).__name__} has unit hydrographs between its "
            "stores, and water on its way there cannot be corrected; leave out correct="
        )
    if (begins < 0).any():
        first = int(np.argmin(begins))
        raise ValueError(
            f"forecast: a correction needs {places[first] - begins[first]} intervals before the "
            f"origin, found {places[first]} before {simulation.time[places[first]]}; leave out "
            "the first origins, or correct="
        )


def _factor(errors: ForecastErrors, z, by_flow, sigma, memory) -> np.ndarray:
    """Return the Cholesky factor of the errors' covariance, with ones where nothing is observed.

    Errors are linear in innovations: those of unit innovations, one after the other, tell all.
    """
    *lead, n = z.shape
    unit = np.tile(np.eye(n), (int(np.prod(lead)), 1))
    values = [np.repeat(m, n, axis=0) for m in memory]
    scale = np.repeat(sigma.reshape(-1, n), n, axis=0)
    response = errors.placed.memory.follow(unit, scale, values).reshape(*lead, n, n)
    covariance = np.swapaxes(response, -1, -2) @ response
    there = np.isfinite(z)
    both = there[..., None] & there[..., None, :]
    return np.linalg.cholesky(np.where(both, covariance, np.eye(n)))


def _newton(z: np.ndarray, slope: np.ndarray, trial: np.ndarray, sd: float) -> np.ndarray:
    """Return the step of Gauss and Newton from whitened errors and their derivatives."""
    across = np.swapaxes(slope, -1, -2)
    curvature = across @ slope + np.eye(trial.shape[-1]) / sd**2
    return -np.linalg.solve(curvature, across @ z + trial[..., None] / sd**2)[..., 0]
