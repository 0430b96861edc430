"""Calibration: find the parameters with the best score, with exact gradients."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import xarray as xr

from pymc_hydro.core.dims import PARAMETER, TIME
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.schema import as_basin, check_warmup, interval_length
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array, simulate
from pymc_hydro.losses import SCORES, find_loss, kge, nse
from pymc_hydro.ops import SimulatedValues

__all__ = ["Calibration", "calibrate"]

METHODS = ("L-BFGS-B",)
FAILED = 1e6  # the loss of a failed integration: worse than any run, and finite for line searches
MAX_ITERATIONS = 200


@dataclass(frozen=True)
class Calibration:
    """The result of :func:`calibrate`.

    Attributes
    ----------
    theta : Dataset
        The parameters, one variable each, with units and ``at_bound``.
    loss : float
        The minimised value; for a score, its negative.
    scores : dict of str to float
        NSE and KGE of the calibration period, after the warm-up.
    simulation : Dataset
        Discharge on ``time``, warm-up included.
    jacobian : DataArray, shape (n_time, n_parameter)
        Derivative of discharge with respect to each parameter, warm-up included.
    covariance : DataArray, shape (n_parameter, n_parameter)
        ``s^2 (J'J)^-1`` of the free parameters after the warm-up; it describes the uncertainty
        where residuals are independent with one variance, which daily flow rarely has. Zero for
        fixed parameters.
    history : Dataset
        Loss at the end of each start, and its evaluations.
    message : str
        What the optimiser said of the best start.
    """

    theta: xr.Dataset
    loss: float
    scores: dict
    simulation: xr.Dataset
    jacobian: xr.DataArray
    covariance: xr.DataArray
    history: xr.Dataset
    message: str

    def __repr__(self):
        lines = [f"{k} = {v.item():.6g} {v.units}" for k, v in self.theta.data_vars.items()]
        scores = ", ".join(f"{k} {v:.4f}" for k, v in self.scores.items())
        return "\n".join([f"Calibration: {scores} ({self.message})", *lines])


def calibrate(
    model: AbstractModel,
    basin: xr.Dataset | pd.DataFrame,
    loss: str = "nse",
    method: str = "L-BFGS-B",
    starts: int | np.ndarray = 8,
    warmup: int = 365,
    bounds: Mapping | None = None,
    fixed: Mapping | None = None,
    seed: int | None = None,
    **solver_settings,
) -> Calibration:
    """Calibrate a model on a basin's discharge.

    The search runs in the unit cube of the bounds, from several starts, with SciPy's optimiser
    and the exact gradient of the loss.

    Parameters
    ----------
    model : AbstractModel
    basin : Dataset or DataFrame
        With ``discharge``; missing observations are left out.
    loss : {"nse", "kge"}
        The score to maximise.
    method : {"L-BFGS-B"}
    starts : int or array_like, shape (n_start, n_parameter)
        Number of starts (a Latin hypercube, and the default parameters first), or the starts
        themselves in natural units.
    warmup : int
        Intervals at the start that are not scored.
    bounds : mapping of name to (lower, upper), optional
        In place of the model's.
    fixed : mapping of name to value, optional
        Parameters that are not searched.
    seed : int, optional
        For the Latin hypercube.
    **solver_settings
        As in ``ph.simulate``.

    Returns
    -------
    Calibration

    Raises
    ------
    KeyError, ValueError
        If an argument or the data do not fit.

    References
    ----------
    Byrd, R. H., et al. (1995). SIAM J. Sci. Comput. 16, 1190-1208. doi:10.1137/0916069
    """
    from scipy.optimize import minimize  # here: half a second that an import need not take

    if loss not in SCORES:
        raise KeyError(f"calibrate: unknown loss {loss!r}; known are {', '.join(SCORES)}")
    if method not in METHODS:
        raise KeyError(f"calibrate: unknown method {method!r}; known are {', '.join(METHODS)}")
    basin = as_basin(basin, (*model.forcing_names, "discharge"))
    warmup = check_warmup(warmup, basin.sizes[TIME])
    observed = basin["discharge"].values[warmup:]
    lower, upper = _bounds(model, bounds or {})
    held = _fixed(model, fixed or {}, lower, upper)
    free = np.flatnonzero(np.isnan(held))
    if free.size == 0:
        raise ValueError("calibrate: all parameters are fixed, nothing is left to search")

    objective = _objective(model, basin, observed, loss, warmup, solver_settings)

    def in_cube(z):
        theta = held.copy()
        theta[free] = lower[free] + z * (upper - lower)[free]
        value, gradient = objective(theta)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return FAILED, np.zeros(free.size)
        return float(value), gradient[free] * (upper - lower)[free]

    results = [
        minimize(
            in_cube,
            z,
            jac=True,
            method=method,
            bounds=[(0, 1)] * free.size,
            options={"maxiter": MAX_ITERATIONS},
        )
        for z in _starts(model, starts, lower, upper, free, seed)
    ]
    best = min(results, key=lambda r: r.fun)
    if best.fun >= FAILED:
        raise ValueError("calibrate: the integration failed at every start; try other starts")
    theta = held.copy()
    theta[free] = lower[free] + best.x * (upper - lower)[free]
    return _result(
        model, basin, observed, theta, free, lower, upper, best, results, warmup, solver_settings
    )


def _objective(model, basin, observed, loss, warmup, solver_settings):
    """Return a compiled function of the parameters: loss and gradient from one integration."""
    score, sign = find_loss(loss)
    problem = define_problem(model, ("discharge",), interval_length(basin), **solver_settings)
    theta = pt.dvector("theta")
    forcing = pt.constant(forcing_array(model, basin))
    values = SimulatedValues(problem)(theta, forcing, pt.constant(model.initial_state))
    value = sign * score(observed, values[warmup:, 0])
    return pytensor.function([theta], [value, pytensor.grad(value, theta)])


def _bounds(model, bounds):
    lower, upper = model.lower, model.upper
    for name, pair in bounds.items():
        i = _index(model, name)
        low, high = (float(b) for b in pair)
        if not low < high:
            raise ValueError(f"calibrate: bounds of {name} must rise, found [{low}, {high}]")
        lower[i], upper[i] = low, high
    return lower, upper


def _fixed(model, fixed, lower, upper):
    held = np.full(len(model.parameters), np.nan)
    for name, value in fixed.items():
        i = _index(model, name)
        if not lower[i] <= float(value) <= upper[i]:
            raise ValueError(
                f"calibrate: fixed {name} = {value} is outside its bounds [{lower[i]}, {upper[i]}]"
            )
        held[i] = float(value)
    return held


def _index(model, name):
    if name not in model.parameter_names:
        raise KeyError(
            f"calibrate: {type(model).__name__} has no parameter {name!r}; known are "
            f"{', '.join(model.parameter_names)}"
        )
    return model.parameter_names.index(name)


def _starts(model, starts, lower, upper, free, seed):
    """Return start points in the unit cube of the free parameters."""
    width = upper - lower
    if isinstance(starts, (int, np.integer)):
        if starts < 1:
            raise ValueError(f"calibrate: starts must be at least 1, found {starts}")
        from scipy.stats import qmc

        first = np.clip((model.default - lower) / width, 0, 1)[free]
        others = qmc.LatinHypercube(free.size, seed=seed).random(starts - 1) if starts > 1 else []
        return [first, *others]
    points = (np.atleast_2d(np.asarray(starts, dtype=float)) - lower) / width
    if points.shape[1] != len(model.parameters):
        raise ValueError(
            f"calibrate: starts must have shape (n_start, {len(model.parameters)}), found "
            f"{points.shape}"
        )
    if (points < 0).any() or (points > 1).any():
        raise ValueError("calibrate: a start is outside the bounds")
    return list(points[:, free])


def _result(model, basin, observed, theta, free, lower, upper, best, results, warmup, settings):
    run = simulate(model, theta, basin, sensitivities=True, **settings)
    simulated = run["discharge"].values[warmup:]
    jacobian = run["ddischarge_dparameter"]
    there = np.isfinite(observed)
    J = jacobian.values[warmup:][there][:, free]
    residual = (observed - simulated)[there]
    variance = residual @ residual / max(there.sum() - free.size, 1)
    covariance = np.zeros((theta.size, theta.size))
    covariance[np.ix_(free, free)] = variance * np.linalg.pinv(J.T @ J, hermitian=True)
    names = list(model.parameter_names)
    at_bound = (theta == lower) | (theta == upper)
    variables = {
        p.name: ((), t, {"units": p.unit, "long_name": p.description, "at_bound": int(b)})
        for p, t, b in zip(model.parameters, theta, at_bound, strict=True)
    }
    history = {
        "loss": ("start", [r.fun for r in results]),
        "evaluations": ("start", [r.nfev for r in results]),
    }
    dims = (PARAMETER, f"{PARAMETER}_2")
    return Calibration(
        theta=xr.Dataset(variables),
        loss=float(best.fun),
        scores={"nse": nse(observed, simulated), "kge": kge(observed, simulated)},
        simulation=run[["discharge"]],
        jacobian=jacobian,
        covariance=xr.DataArray(covariance, dims=dims, coords=dict.fromkeys(dims, names)),
        history=xr.Dataset(history),
        message=str(best.message),
    )
