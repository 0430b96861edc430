"""The verdict on chains: from the chains themselves, and from the mode."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.core.domain import near_bound
from pymc_hydro.inference.approximation.coordinates import compile_values, entries, labels
from pymc_hydro.inference.approximation.result import LaplaceApproximation
from pymc_hydro.inference.approximation.unidentified import pairs_in_words
from pymc_hydro.inference.sampling.whiten import factor_of

__all__ = ["judge"]

R_HAT, FEWEST = 1.01, 400  # at least so many effective draws of each parameter
EVALUATED = 100  # draws of a chain, of which the log-probability is computed
# The mean log-probability of d normal parameters is d/2 below the mode's. Beyond this many standard
# deviations of a single draw, sqrt(d/2), the chain is in another mode.
AWAY = 4.0
HIGHER = 0.5  # of a draw above the mode: the integration leaves log-probabilities a noise of 1e-5
AT_BOUND = 4.0  # unconstrained: within 2 % of the interval
FAR = (20.0, 40.0)  # unconstrained: both at a bound, but for rounding


def judge(
    posterior: xr.Dataset, whitened: xr.DataArray, stats: Any, approximation: LaplaceApproximation
) -> tuple[list[str], dict]:
    """Return the faults of the chains, and the attributes of the posterior.

    Parameters
    ----------
    posterior : Dataset
        With the free variables in natural units.
    whitened : DataArray, shape (n_chain, n_draw, n)
        As of :func:`pymc_hydro.inference.sampling.whiten.whiten`.
    stats : Dataset
        With ``diverging``.
    approximation : LaplaceApproximation
    """
    import arviz as az  # here: an import need not load matplotlib

    free = posterior[[rv.name for rv in approximation.model.free_RVs]]
    r_hat, worst = _extreme(az.rhat(free), np.nanmax) if free.sizes["chain"] > 1 else (np.nan, "")
    effective, fewest = _extreme(az.ess(free), np.nanmin)
    divergences = int(stats["diverging"].sum())
    x = approximation.mean + whitened.values @ factor_of(approximation).T
    logp = _log_probability(x, approximation)
    mode = float(approximation.modes["log_posterior"].iloc[0])
    gaps, half = mode - logp.mean(axis=1), x.shape[-1] / 2
    problems = []
    if r_hat > R_HAT:
        problems.append(f"R-hat of {worst} is {r_hat:.3f}")
    if effective < FEWEST:
        problems.append(f"{fewest} has {effective:.0f} effective draws only: longer chains")
    if divergences:
        problems.append(f"{divergences} divergences: see the page on troubleshooting")
    lower = np.flatnonzero(gaps > half + AWAY * np.sqrt(half))
    problems += [_where(int(c), gaps[c], free, approximation) for c in lower]
    if logp.max() > mode + HIGHER:
        problems.append(
            f"a draw is {logp.max() - mode:.1f} above the mode: fit_laplace has not found the "
            "highest one; sample again with approximation=ph.fit_laplace(model, starts=20)"
        )
    if r_hat > R_HAT or effective < FEWEST:
        problems += [*_at_bounds(x, approximation), *_pairs(x, approximation)]
    verdict = (
        f"R-hat at most {r_hat:.3f}, at least {effective:.0f} effective draws, {divergences} "
        f"divergences; mean log-probability of the chains {', '.join(f'{g:.1f}' for g in gaps)} "
        f"below the mode's, {half:.1f} in a normal posterior. "
        + ("; ".join(problems) or "Nothing wrong is seen")
        + "."
    )
    return problems, {
        "r_hat": r_hat,
        "effective_draws": effective,
        "divergences": divergences,
        "log_posterior": mode,
        "gaps": gaps.tolist(),
        "verdict": verdict,
    }


def _extreme(measure: Any, function: Callable) -> tuple[float, str]:
    """Return the extreme of a diagnostic over variables and entries, and whose it is."""
    by_name = {str(n): float(function(measure[n].values)) for n in measure.data_vars}
    value = float(function(list(by_name.values())))
    return value, next((n for n, v in by_name.items() if v == value), "")


def _log_probability(x: np.ndarray, approximation: LaplaceApproximation) -> np.ndarray:
    """Return the log-probability of some draws of each chain.

    Samplers report it with and without constants, and not all with the same sign.
    """
    n_draw = x.shape[1]
    chosen = np.unique(np.linspace(0, n_draw - 1, min(EVALUATED, n_draw)).round().astype(int))
    objective = approximation.logp_dlogp
    return np.array([[float(objective(row)[0]) for row in chain[chosen]] for chain in x])


def _where(chain: int, gap: float, free: xr.Dataset, approximation: LaplaceApproximation) -> str:
    """Name the known mode that a chain is in."""
    away = np.zeros(len(approximation.modes))
    for name in free.data_vars:
        draws = free[name].values[chain]
        sd = np.maximum(draws.std(axis=0), np.finfo(float).tiny)
        for i, row in enumerate(_natural(approximation, str(name), draws.shape[1:])):
            away[i] += (((draws.mean(axis=0) - row) / sd) ** 2).sum()
    nearest = int(np.argmin(away))
    text = f"chain {chain} is {gap:.1f} below the mode: "
    if nearest == 0:
        return text + "in a lower mode that no search found, or the posterior is far from normal"
    known = approximation.modes["gap"].iloc[nearest]
    return text + f"it is near mode {nearest} of the table, which is {known:.1f} lower"


def _natural(approximation: LaplaceApproximation, name: str, shape: tuple) -> Iterable[np.ndarray]:
    """Return a variable at each mode of the table."""
    table = approximation.modes
    columns = [c for c in table.columns if c == name or str(c).startswith(f"{name}[")]
    return table[columns].to_numpy().reshape(len(table), *shape)


def _at_bounds(x: np.ndarray, approximation: LaplaceApproximation) -> list[str]:
    model, first = approximation.model, approximation.model.initial_point()
    variables = [model.rvs_to_values[rv] for rv in model.free_RVs]
    bounded = np.hstack(
        [np.full(np.size(first[v.name]), v.name.endswith("_interval__")) for v in variables]
    )
    middle = np.median(x, axis=(0, 1))
    problems: list[str] = []
    candidates = np.flatnonzero(bounded & (np.abs(middle) > AT_BOUND))
    if not candidates.size:
        return problems
    names, natural = labels(model), compile_values(model)
    for i in candidates:
        label = names[i]
        at = {z: np.where(np.arange(middle.size) == i, z, middle) for f in FAR for z in (-f, f)}
        near, far = ([entries(model, natural(at[z]))[label] for z in (-f, f)] for f in FAR)
        value = entries(model, natural(middle))[label]
        if np.ptp(far) < 1.01 * np.ptp(near) and near_bound(value, far[0], far[1], 0.02):
            problems.append(f"{label} lies at its {'lower' if middle[i] < 0 else 'upper'} bound")
    return problems


def _pairs(x: np.ndarray, approximation: LaplaceApproximation) -> list[str]:
    names, centred = labels(approximation.model), x - x.mean(axis=1, keepdims=True)
    covariance = np.atleast_2d(np.cov(centred.reshape(-1, x.shape[-1]), rowvar=False))
    return pairs_in_words(names, covariance, *approximation.natural())
