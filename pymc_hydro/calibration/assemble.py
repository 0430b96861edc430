"""From the searches to the result."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.calibration.result import Calibration
from pymc_hydro.calibration.search.strategy import Outcome
from pymc_hydro.calibration.space import SearchSpace
from pymc_hydro.calibration.uncertainty import (
    linear_covariance,
    singular_directions,
    without_effect,
)
from pymc_hydro.core.base.dims import PARAMETER, TIME
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.means import means
from pymc_hydro.losses import evaluate

__all__ = ["assemble_calibration"]


def assemble_calibration(
    model: AbstractModel, space: SearchSpace, outcome: Outcome, runs: Mapping[str, xr.Dataset]
) -> Calibration:
    """Return the result of a calibration.

    Parameters
    ----------
    model : AbstractModel
    space : SearchSpace
    outcome : Outcome
        All searches, finished.
    runs : dict of str to Dataset
        Runs with the best parameters, with observations and sensitivities: of the calibration
        period, and of the validation period if there is one.
    """
    best = outcome.best
    objective = best.objective
    loss, theta, gradient = best.best
    gradient = np.where(np.isnan(space.held), gradient, 0.0)
    residuals, slopes = _residuals(objective, theta, runs["calibration"])
    covariance = linear_covariance(space, theta, residuals, slopes)
    idle = without_effect(space, slopes)
    # A zero would say that the parameter is known exactly, while nothing is known of it.
    errors = np.where(idle, np.nan, np.sqrt(np.diag(covariance)))
    jacobian = runs["calibration"][f"d{objective.problem.outputs[0]}_dparameter"]
    bare = {what: _without_sensitivities(run) for what, run in runs.items()}
    scores = {what: _scores(run, objective.problem.outputs[0]) for what, run in runs.items()}
    settings = {
        "model": runs["calibration"].attrs["model"],
        "loss": objective.goal.name,
        "method": best.optimizer,
        "search_space": space.kind,
        **{what: _span(run) for what, run in runs.items()},
    }
    return Calibration(
        theta=_parameters(model, space, theta, errors, idle),
        loss=float(loss),
        scores=scores["calibration"],
        validation_scores=scores.get("validation"),
        simulation=bare["calibration"],
        validation=bare.get("validation"),
        jacobian=jacobian.rename("jacobian"),
        gradient=xr.DataArray(
            gradient, {PARAMETER: list(space.names)}, (PARAMETER,), name="gradient"
        ),
        gradient_norm=space.projected_norm(theta, gradient),
        covariance=covariance,
        identifiability=singular_directions(space, theta, slopes),
        history=_history(outcome, space),
        message=(outcome.final or [best])[-1].message,
        settings=settings,
    )


def _residuals(objective, theta, run):
    """Return the residuals of linear theory and their Jacobian.

    They are the residuals of the loss if it is a sum of squares, otherwise observed minus simulated
    values of the first output.
    """
    if objective.goal.residuals is not None:
        found = objective(theta)
        return found.residuals, found.residual_jacobian
    name = objective.problem.outputs[0]
    scored = slice(run.attrs["warmup"], None)
    part = objective.scored[name]
    residual = part.values - part.simulated(run[name].values[scored])
    slopes = run[f"d{name}_dparameter"].values[scored]
    slopes = np.stack([part.simulated(column) for column in slopes.T], axis=1)
    there = np.isfinite(residual)
    return residual[there], slopes[there]


def _parameters(model, space, theta, errors, idle) -> xr.Dataset:
    variables, at_bound = {}, space.at_bound(theta)
    for i, p in enumerate(model.parameters):
        attributes = {
            "units": p.unit,
            "long_name": p.description,
            "lower": float(space.lower[i]),
            "upper": float(space.upper[i]),
            "standard_error": float(errors[i]),
            "at_bound": int(at_bound[i]),
            "no_effect": int(idle[i]),
            "fixed": int(not np.isnan(space.held[i])),
        }
        variables[p.name] = ((), theta[i], attributes)
    return xr.Dataset(variables)


def _scores(run, name) -> dict[str, float]:
    scored = slice(run.attrs["warmup"], None)
    observed, simulated = run[f"observed_{name}"], run[name][scored]
    if "means" in observed.attrs:
        return evaluate(means(observed, observed.attrs["means"]), simulated)
    return evaluate(observed.values[scored], simulated.values)


def _without_sensitivities(run):
    names = [name for name in run.data_vars if PARAMETER in run[name].dims]
    return run.drop_vars([*names, PARAMETER])


def _span(run) -> str:
    first, last = (pd.Timestamp(run[TIME].values[i]) for i in (run.attrs["warmup"], -1))
    days = first == first.normalize() and last == last.normalize()
    form = "%Y-%m-%d" if days else "%Y-%m-%d %H:%M"
    return f"{first.strftime(form)} to {last.strftime(form)}"


def _history(outcome, space) -> xr.Dataset:
    longest = max(len(s.trace) for s in outcome.searches)
    parts = [
        _of_searches(getattr(outcome, name), prefix, dim, space, longest)
        for name, prefix, dim in (
            ("starts", "", "start"),
            ("hops", "hop_", "hop"),
            ("final", "final_", "last_search"),
        )
    ]
    return xr.merge(parts)


def _of_searches(searches, prefix, dim, space, longest) -> xr.Dataset:
    trace = np.full((len(searches), longest), np.nan)
    for i, search in enumerate(searches):
        trace[i, : len(search.trace)] = search.trace
    nothing = np.full(len(space.names), np.nan)
    first = [space.from_unit(s.unit)[0] for s in searches]
    last = [nothing if s.best[1] is None else s.best[1] for s in searches]
    shape = (len(searches), len(space.names))
    variables = {
        "loss": (dim, np.array([s.best[0] for s in searches], dtype=float)),
        "evaluations": (dim, np.array([len(s.trace) for s in searches], dtype=int)),
        "failed": (dim, np.array([s.failures for s in searches], dtype=int)),
        "undefined": (dim, np.array([s.undefined for s in searches], dtype=int)),
        "seconds": (dim, np.array([s.seconds for s in searches], dtype=float)),
        "converged": (dim, np.array([s.converged for s in searches], dtype=int)),
        "first": ((dim, PARAMETER), np.array(first).reshape(shape)),
        "last": ((dim, PARAMETER), np.array(last).reshape(shape)),
        "trace": ((dim, "evaluation"), trace),
    }
    named = {prefix + name: variable for name, variable in variables.items()}
    if dim == "start":
        named["message"] = (dim, np.array([s.message for s in searches], dtype=str))
    return xr.Dataset(named, coords={PARAMETER: list(space.names)})
