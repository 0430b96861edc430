"""Laplace's approximation of a posterior at its highest mode, from the exact Jacobian."""

from collections.abc import Callable

import numpy as np
import pymc as pm
import xarray as xr
from pytensor.graph.traversal import ancestors

from pymc_hydro.core.base.warning import renamed_arguments, warn_user
from pymc_hydro.inference.approximation.coordinates import (
    compile_values,
    entries,
    free_values,
    labels,
    start_vector,
)
from pymc_hydro.inference.approximation.curvature import compile_curvature
from pymc_hydro.inference.approximation.error_starts import error_start
from pymc_hydro.inference.approximation.modes import Mode, as_table, best_of, find_modes
from pymc_hydro.inference.approximation.result import LaplaceApproximation
from pymc_hydro.inference.approximation.scales import find_marginal_mode, scales_of
from pymc_hydro.ops.simulation import AbstractSimulation

__all__ = ["LaplaceApproximation", "fit_laplace", "inside_bounds", "laplace"]

START_MARGIN = 0.01  # of the width of the bounds, between a start and a bound
MANY = 8  # searches
FAR = 3.0  # of unconstrained parameters, whose scale is one


@renamed_arguments(pymc_model="model", seed="random_seed")
def fit_laplace(
    model: pm.Model | None = None,
    *,
    start: dict | None = None,
    starts: int | None = None,
    random_seed: int | None = None,
) -> LaplaceApproximation:
    """Approximate the posterior by a normal distribution at its highest mode.

    Any PyMC model whose free variables are continuous is accepted. The precision is the curvature
    of the log-probability in unconstrained parameters, a sum of

    - ``J'WJ`` of each likelihood with an error model of this package: J is the Jacobian (exact,
      from the sensitivities) of the mean and the standard deviation of each observation and of the
      shapes of the error density, W the Fisher information of that density. To it comes the
      curvature of the parameters' transforms where they bend the slope of the log-likelihood:
      without it parameters at a bound would seem to be free;
    - central differences of the exact gradient of all else: priors, potentials (such as Whittle's
      likelihood), likelihoods of yours, and likelihoods of this package with a random parameter of
      their transformation or a vector of shapes.

    A standard deviation ``sd`` of many deviations ``sd * z``, with z standard normal, as those of
    :func:`pymc_hydro.deviations`, gets the mode and the precision of its marginal density, in which
    the deviations are integrated out; all others have theirs given this standard deviation. (The
    joint density has a mode far from where the posterior is.) The searches leave such standard
    deviations where they start, and only the highest goes on: the table `modes` has one row.

    Searches take quasi-Newton steps first and Newton steps with the same matrix last. The result
    counts as converged where one more Newton step would gain less than half of 1e-4, or of the
    relative tolerance of the integration if that is looser.

    Parameters
    ----------
    model : pm.Model, optional
        The model in context if not given.
    start : mapping of str to float or array, optional
        Where the first search starts, in natural units; the model's initial point for what is
        missing. Also a draw of a posterior, ``idata.posterior.isel(chain=0, draw=0)``.
    starts : int, optional
        How many searches, of which the highest mode is taken; not given: one from `start`, or 8
        without it. They begin at `start`; at the model's initial point; at both with the parameters
        of the errors where the priors of likelihoods start, if yours start elsewhere; and at random
        points around the initial point, every other one with the parameters of the errors where
        they were. Error models with memory often have several modes.
    random_seed : int, optional
        Of the random points.

    Returns
    -------
    LaplaceApproximation
        Its table `modes` has all modes that were found.

    Raises
    ------
    KeyError
        If a start is given for an unknown variable.
    ValueError
        If a variable is discrete, or the log-probability at the start is not finite.

    Warns
    -----
    UserWarning
        If the highest search did not end at a mode. The posterior of a hierarchical model has none
        where its standard deviation goes to zero, unless its variables are written as mean plus
        standard deviation times a standard normal variable.

    References
    ----------
    Rue, H., Martino, S., Chopin, N. (2009). J. R. Stat. Soc. B 71, 319-392.
    doi:10.1111/j.1467-9868.2008.00700.x

    Tierney, L., Kadane, J. B. (1986). J. Am. Stat. Assoc. 81, 82-86. doi:10.2307/2287970
    """
    model = pm.modelcontext(model)
    if model.discrete_value_vars:
        names = ", ".join(v.name for v in model.discrete_value_vars)
        raise ValueError(f"fit_laplace: {names} is discrete, and has no normal approximation")
    z = start_vector(model, start)
    objective = model.logp_dlogp_function(ravel_inputs=True)
    objective.set_extra_values({})
    if not np.isfinite(objective(z)[0]):
        raise ValueError("fit_laplace: the log-probability at the start is not finite; give start=")
    points = [z]
    if starts is None:
        starts = 1 if start else MANY
    if starts > 1:
        points = _points(model, [z, start_vector(model)] if start else [z], starts, random_seed)
    curvature = compile_curvature(model, objective, model.initial_point())
    values = compile_values(model)
    tolerance, scales = _tolerance(model), scales_of(model)
    if scales:
        modes = [find_marginal_mode(objective, curvature, scales, points, tolerance)]
    else:
        modes = find_modes(objective, curvature, points, tolerance)
    best = best_of(modes)
    _warn(modes, best, lambda z: entries(model, values(z)), labels(model))
    dims = ("parameter", "parameter_2")
    return LaplaceApproximation(
        mode=free_values(model, values(best.z)),
        mean=best.z,
        covariance=xr.DataArray(
            best.covariance, dims=dims, coords=dict.fromkeys(dims, labels(model))
        ),
        converged=best.converged,
        modes=as_table(modes, lambda z: entries(model, values(z))),
        model=model,
        logp_dlogp=objective,
    )


# The name of earlier versions, kept as an alias.
laplace = fit_laplace


def _tolerance(model: pm.Model) -> float:
    """Return the loosest relative tolerance of the model's simulations with error control."""
    nodes = [v.owner.op for v in ancestors([*model.observed_RVs, *model.potentials]) if v.owner]
    problems = [op.problem for op in nodes if isinstance(op, AbstractSimulation)]
    return max((p.rtol for p in problems if not p.steps), default=0.0)


def _points(
    model: pm.Model, begun: list[np.ndarray], starts: int, random_seed: int | None
) -> list[np.ndarray]:
    """Return the starts of searches: points, points with the errors' starts, and random points."""
    moved = [error_start(model, z) for z in begun]
    fixed = [m for (m, _), z in zip(moved, begun, strict=True) if not np.allclose(m, z)]
    with_errors, of_errors = moved[-1]
    size = (max(starts - 1, 0), with_errors.size)
    around = np.random.default_rng(random_seed).normal(begun[-1], size=size)
    around[1::2, of_errors] = with_errors[of_errors]
    return [*begun, *fixed, *around][:starts]


def _warn(modes: list[Mode], best: Mode, natural: Callable, names: list[str]) -> None:
    """Say so if the highest search did not end at a mode."""
    highest = max(modes, key=lambda mode: mode.logp)
    if not highest.rising and highest.flat is None:
        return
    found, first = natural(highest.z), natural(highest.begun)
    away = np.abs(highest.z - highest.begun)
    gone = [names[i] for i in np.argsort(-away) if away[i] > FAR][:3]
    moved = ", ".join(f"{n} from {first[n]:.3g} to {found[n]:.3g}" for n in gone if n in found)
    text = f"fit_laplace: the highest search did not end at a mode ({highest.logp:.1f}"
    text += f"; it moved {moved})" if moved else ")"
    if highest is not best:
        text += f", and the best mode has {best.logp:.1f}"
    elif highest.flat is not None:
        flat = names[int(np.argmax(np.abs(highest.flat)))]
        text += f"; the log-probability is flat or bent upwards along {flat}"
    warn_user(
        text + ". The density of a hierarchical model grows without bound where its standard "
        "deviation goes to zero: write such variables as mean + sd * (standard normal variable), "
        "or fix the standard deviation; otherwise give start=, or priors that tell more",
    )


def inside_bounds(model, theta) -> dict[str, float]:
    """Move parameters off the bounds of searches and priors, where no search can start."""
    priors = np.array([p.prior or (p.lower, p.upper) for p in model.parameters], dtype=float)
    lower, upper = np.maximum(priors[:, 0], model.lower), np.minimum(priors[:, 1], model.upper)
    margin = START_MARGIN * (upper - lower)
    vector = np.clip(model.parameter_vector(theta), lower + margin, upper - margin)
    start = dict(zip(model.parameter_names, vector.tolist(), strict=True))
    for small, large in model.ordered:
        low = lower[model.parameter_names.index(small)]
        start[small] = min(start[small], low + (1 - START_MARGIN) * (start[large] - low))
    return start
