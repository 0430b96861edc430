"""Sampling from the highest mode on, in coordinates in which the posterior is nearly round."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pymc.backends.arviz import find_constants, find_observations
from pytensor.graph.replace import graph_replace

from pymc_hydro.inference.approximation.result import LaplaceApproximation
from pymc_hydro.inference.laplace import fit_laplace

__all__ = ["judge", "sample", "whiten"]

WHITENED = "whitened"
R_HAT, FEWEST = 1.01, 400  # at least so many effective draws of each parameter
# The mean log-probability of d normal parameters is d/2 below the mode's. Beyond this many standard
# deviations of a single draw, sqrt(d/2), the chain is in another mode.
AWAY = 4.0


def sample(
    model: pm.Model | None = None,
    draws: int = 1000,
    *,
    tune: int = 300,
    chains: int = 4,
    random_seed: int | None = None,
    approximation: LaplaceApproximation | None = None,
    **options: Any,
) -> Any:
    """Sample a posterior from its highest mode on, and judge the chains.

    The sampler sees whitened coordinates, ``z = L^-1 (x - mode)`` with the covariance ``L L'`` of
    :func:`fit_laplace`: every sampler so has the metric of the approximation, starts about a
    standard deviation from the mode, and needs a short tuning.

    Parameters
    ----------
    model : pm.Model, optional
        The model in context if not given.
    draws, tune, chains : int
        Of each chain.
    random_seed : int, optional
    approximation : LaplaceApproximation, optional
        Not given: ``ph.fit_laplace(model, random_seed=random_seed)``.
    **options
        As of ``pm.sample``, such as ``nuts_sampler``.

    Returns
    -------
    DataTree, or InferenceData with PyMC 5
        As of ``pm.sample``. The posterior has the attributes `r_hat` and `effective_draws` (of the
        worst parameter), `divergences`, `log_posterior` (of the mode), `gaps` (how much lower the
        mean log-probability of each chain is) and `verdict`, a text.

    Warns
    -----
    UserWarning
        The verdict, if R-hat is above 1.01, a parameter has fewer than 400 effective draws, a
        transition diverged, or a chain's mean log-probability does not belong to the mode: R-hat
        cannot see that all chains are in a lower one.

    References
    ----------
    Vehtari, A., et al. (2021). Bayesian Anal. 16, 667-718. doi:10.1214/20-BA1221
    """
    model = pm.modelcontext(model)
    if approximation is None:
        approximation = fit_laplace(model, random_seed=random_seed)
    defaults = {"compute_convergence_checks": False}  # the verdict is of the user's variables
    with whiten(approximation):
        idata = pm.sample(
            draws=draws, tune=tune, chains=chains, random_seed=random_seed, **defaults | options
        )
    posterior = idata["posterior"] if _is_old(idata) else idata["posterior"].dataset
    posterior = posterior.drop_vars([n for n in posterior.variables if str(n).startswith(WHITENED)])
    stats = idata["sample_stats"]
    problems, found = judge(posterior, stats, approximation)
    posterior = posterior.assign_attrs(found)
    if problems:
        warnings.warn(f"sample: {found['verdict']}", UserWarning, stacklevel=2)
    return _with_groups(idata, posterior, model)


def whiten(approximation: LaplaceApproximation) -> pm.Model:
    """Return a twin of a model, whose variable is ``z = L^-1 (x - mode)``.

    x is the model's unconstrained vector and ``L L'`` the approximation's covariance. The twin's
    log-probability is the model's; its Deterministics have the names and dims of the model's
    variables.
    """
    model = approximation.model
    factor = np.linalg.cholesky(approximation.covariance.values)
    first = model.initial_point()
    shown = {v.name for v in (*model.free_RVs, *model.deterministics)}
    outputs = [v for v in model.unobserved_value_vars if v.name in shown]
    with pm.Model(coords=model.coords) as twin:
        z = pm.Flat(WHITENED, shape=approximation.mean.size)
        x = approximation.mean + (factor * z).sum(axis=1)
        replaced, used = {}, 0
        for value in model.value_vars:
            shape = np.shape(first[value.name])
            size = int(np.prod(shape))
            replaced[value] = x[used : used + size].reshape(shape)
            used += size
        graphs = [model.logp(), *(v.copy() for v in outputs)]
        logp, *natural = graph_replace(graphs, replaced, strict=False)
        pm.Potential("log_probability", logp)
        for variable, value in zip(outputs, natural, strict=True):
            pm.Deterministic(variable.name, value, dims=model.named_vars_to_dims.get(variable.name))
    return twin


def judge(
    posterior: xr.Dataset, stats: Any, approximation: LaplaceApproximation
) -> tuple[list[str], dict]:
    """Return what is wrong with the chains, and the attributes of the posterior."""
    import arviz as az  # here: an import need not load matplotlib

    free = posterior[[rv.name for rv in approximation.model.free_RVs]]
    r_hat, worst = _extreme(az.rhat(free), np.nanmax) if free.sizes["chain"] > 1 else (np.nan, "")
    effective, fewest = _extreme(az.ess(free), np.nanmin)
    divergences = int(stats["diverging"].sum())
    logp = stats["lp" if "lp" in stats else "logp"].mean("draw").values
    mode = float(approximation.modes["log_posterior"].iloc[0])
    gaps = (mode - logp).tolist()
    half = approximation.mean.size / 2
    problems = []
    if r_hat > R_HAT:
        problems.append(
            f"R-hat of {worst} is {r_hat:.3f}: longer chains, or see the table of modes"
        )
    if effective < FEWEST:
        problems.append(f"{fewest} has {effective:.0f} effective draws only: longer chains")
    if divergences:
        problems.append(f"{divergences} divergences: see the page on troubleshooting")
    if max(gaps) > half + AWAY * np.sqrt(half):
        problems.append("chains are in a lower mode, or the posterior is far from normal")
    if min(gaps) < 0:
        problems.append("chains are above the mode: fit_laplace has not found the highest one")
    verdict = (
        f"R-hat at most {r_hat:.3f}, at least {effective:.0f} effective draws, {divergences} "
        f"divergences; mean log-probability of the chains {_listed(gaps)} below the mode's, "
        f"{half:.1f} in a normal posterior. "
        + ("; ".join(problems) or "Nothing wrong is seen")
        + "."
    )
    return problems, {
        "r_hat": r_hat,
        "effective_draws": effective,
        "divergences": divergences,
        "log_posterior": mode,
        "gaps": gaps,
        "verdict": verdict,
    }


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{v:.1f}" for v in values)


def _extreme(measure, function) -> tuple[float, str]:
    """Return the extreme of a diagnostic over variables and entries, and whose it is."""
    by_name = {str(n): float(function(measure[n].values)) for n in measure.data_vars}
    value = float(function(list(by_name.values())))
    return value, next(n for n, v in by_name.items() if v == value)


def _is_old(idata) -> bool:
    """Whether a result is ArviZ's InferenceData, of PyMC 5."""
    return not isinstance(idata, xr.DataTree)


def _with_groups(idata, posterior: xr.Dataset, model: pm.Model):
    """Return a result with another posterior, and the user's observations and constants."""
    groups = {"posterior": posterior}
    groups["observed_data"] = _dataset(model, find_observations(model))
    groups["constant_data"] = _dataset(model, find_constants(model))
    groups = {name: group for name, group in groups.items() if group.data_vars}
    if not _is_old(idata):
        for name, group in groups.items():
            idata[name] = xr.DataTree(group)
        return idata
    for name in set(groups) & set(idata.groups()):
        delattr(idata, name)
    idata.add_groups(groups)
    return idata


def _dataset(model: pm.Model, arrays: dict) -> xr.Dataset:
    variables = {}
    for name, array in arrays.items():
        array = np.asarray(array)
        dims = model.named_vars_to_dims.get(name)
        variables[name] = (dims or [f"{name}_dim_{i}" for i in range(array.ndim)], array)
    used = {dim for dims, _ in variables.values() for dim in dims}
    coords = {d: np.asarray(c) for d, c in model.coords.items() if c is not None and d in used}
    return xr.Dataset(variables, coords=coords)
