"""The verdict on chains: from the chains themselves, and from the mode."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from pymc_hydro.core.domain import near_bound
from pymc_hydro.inference.approximation.coordinates import (
    compile_values,
    entries,
    entry_slices,
    labels,
)
from pymc_hydro.inference.approximation.result import LaplaceApproximation
from pymc_hydro.inference.approximation.scales import scales_of
from pymc_hydro.inference.approximation.unidentified import pairs_in_words
from pymc_hydro.inference.sampling.whiten import factor_of

__all__ = ["judge"]

R_HAT, FEWEST = 1.01, 400  # at least so many effective draws of each parameter
EVALUATED = 100  # draws of a chain, of which the log-probability is computed
# The mean log-probability of d normal parameters is d/2 below the mode's. Beyond this many standard
# deviations of a single draw, sqrt(d/2), the chain is in another mode.
AWAY = 4.0
# Standard deviations of a chain: its mean is near a mode of the table, or is not; and by how much
# the mean of one chain differs from that of the others, so that it is worth a word.
NEAR, NOT_NEAR, APART = 2.0, 4.0, 1.0
SEVERAL = 5  # divergences, of which the place can be told
HIGHER = 0.5  # of a draw above the mode: the integration leaves log-probabilities a noise of 1e-5
AT_BOUND = 4.0  # unconstrained: within 2 % of the interval
PRESSED = 0.036  # share of the draws there, twice that of a uniform distribution
TINY = np.finfo(float).tiny
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
        With ``diverging``, shape (n_chain, n_draw).
    approximation : LaplaceApproximation
    """
    import arviz as az  # here: an import need not load matplotlib

    model = approximation.model
    free = posterior[[rv.name for rv in model.free_RVs]]
    r_hat, worst = np.nan, ""
    with np.errstate(divide="ignore", invalid="ignore"):  # of chains that did not move
        if free.sizes["chain"] > 1:
            r_hat, worst = _extreme(az.rhat(free), np.argmax, model)
        effective, fewest = _extreme(az.ess(free), np.argmin, model)
    diverging = np.asarray(stats["diverging"], dtype=bool)
    x = approximation.mean + whitened.values @ factor_of(approximation).T
    evaluated = np.linspace(0, x.shape[1] - 1, min(EVALUATED, x.shape[1])).round().astype(int)
    logp = _log_probability(x[:, evaluated], approximation)
    mode = float(approximation.modes["log_posterior"].iloc[0])
    gaps, half = mode - logp.mean(axis=1), x.shape[-1] / 2
    lower = np.flatnonzero(gaps > half + AWAY * np.sqrt(half))
    problems = _of_draws(x, diverging, model)
    if r_hat > R_HAT:
        problems.append(f"R-hat of {worst} is {r_hat:.3f}")
    if effective < FEWEST:
        problems.append(
            f"{fewest} has {effective:.0f} effective draws only: longer chains, of about "
            f"{np.ceil(FEWEST / effective):.0f} times as many draws"
        )
    problems += [_where(int(c), gaps[c], free, approximation) for c in lower]
    # The mode of a standard deviation is that of its marginal density: the joint one is higher.
    scaled = sum(scale.scaled.size for scale in scales_of(approximation.model))
    if logp.max() > mode + HIGHER + scaled / 2:
        chain, draw = np.unravel_index(int(np.argmax(logp)), logp.shape)
        problems.append(
            f"a draw is {logp.max() - mode:.1f} above the mode: fit_laplace has not found the "
            "highest one; sample again with approximation=ph.fit_laplace(model, "
            f"start=idata.posterior.isel(chain={chain}, draw={evaluated[draw]}))"
        )
    if r_hat > R_HAT or effective < FEWEST:
        apart = [] if lower.size else _apart(x, free, approximation)
        problems += _unfinished(approximation) + apart
        problems += [*_at_bounds(x, approximation), *_pairs(x, approximation)]
        if len(problems) == 1 and effective >= FEWEST:
            problems += ["no cause is seen: longer chains, tuning included"]
    found = {"r_hat": r_hat, "effective_draws": effective, "divergences": int(diverging.sum())}
    found |= {"log_posterior": mode, "gaps": gaps.tolist()}
    return problems, found | {"verdict": _in_words(found, half, problems)}


def _in_words(found: dict, half: float, problems: list[str]) -> str:
    r_hat, gaps = found["r_hat"], ", ".join(f"{g:.1f}" for g in found["gaps"])
    return (
        (f"R-hat at most {r_hat:.3f}" if np.isfinite(r_hat) else "R-hat is not known")
        + f", at least {found['effective_draws']:.0f} effective draws, {found['divergences']} "
        f"divergences; mean log-probability of the chains {gaps} below the mode's, {half:.1f} in "
        f"a normal posterior. {'; '.join(problems) or 'Nothing wrong is seen'}."
    )


def _extreme(measure: xr.Dataset, place: Callable, model: pm.Model) -> tuple[float, str]:
    """Return the extreme of a diagnostic over all entries of variables, and whose it is."""
    named = entries(model, {str(n): measure[n].values for n in measure.data_vars})
    known = {name: value for name, value in named.items() if np.isfinite(value)}
    if not known:
        return np.nan, ""
    name = list(known)[int(place(list(known.values())))]
    return known[name], name


def _of_draws(x: np.ndarray, diverging: np.ndarray, model: pm.Model) -> list[str]:
    """Name chains that did not move, and say how many transitions diverged and where."""
    still = np.flatnonzero((x == x[:, :1]).all(axis=(1, 2))) if x.shape[1] > 1 else ()
    problems = [f"chain {c} did not move: no step was accepted" for c in still]
    n, where = int(diverging.sum()), ""
    if n >= SEVERAL:
        away = x[diverging].mean(axis=0) - x.mean(axis=(0, 1))
        away /= np.maximum(x.std(axis=(0, 1)), TINY)
        far = int(np.argmax(np.abs(away)))
        if abs(away[far]) > APART:
            where = f", where {labels(model)[far]} is {'large' if away[far] > 0 else 'small'}"
    if n:
        problems.append(
            f"{n} divergences in {diverging.size} transitions{where}: target_accept=0.95, or a "
            "prior that keeps out of there (see the page on troubleshooting)"
        )
    return problems


def _log_probability(x: np.ndarray, approximation: LaplaceApproximation) -> np.ndarray:
    """Return log-probabilities, shape (n_chain, n_draw).

    Samplers report them with and without constants, and not all with the same sign.
    """
    objective = approximation.logp_dlogp
    return np.array([[float(objective(row)[0]) for row in chain] for chain in x])


def _from_modes(free: xr.Dataset, approximation: LaplaceApproximation) -> np.ndarray:
    """Return how far the means of chains are from known modes, in standard deviations of a chain.

    Returns
    -------
    array, shape (n_chain, n_mode, n_entry)
    """
    away = []
    for name in free.data_vars:
        draws = free[name].values
        sd = np.maximum(draws.std(axis=1), TINY)
        modes = _natural(approximation, str(name), draws.shape[2:])
        of_name = (draws.mean(axis=1)[:, None] - modes) / sd[:, None]
        away.append(of_name.reshape(*of_name.shape[:2], -1))
    return np.concatenate(away, axis=2)


def _where(chain: int, gap: float, free: xr.Dataset, approximation: LaplaceApproximation) -> str:
    """Name the known mode that a chain is in."""
    nearest = int(np.argmin((_from_modes(free, approximation)[chain] ** 2).sum(axis=1)))
    text = f"chain {chain} is {gap:.1f} below the mode: "
    if nearest == 0:
        return text + "in a lower mode that no search found, or the posterior is far from normal"
    known = approximation.modes["gap"].iloc[nearest]
    return text + f"it is near mode {nearest} of the table, which is {known:.1f} lower"


def _apart(x: np.ndarray, free: xr.Dataset, approximation: LaplaceApproximation) -> list[str]:
    """Say how chains differ: by the modes that they are near, or by a parameter."""
    if len(x) < 2:
        return []
    away = np.abs(_from_modes(free, approximation)).max(axis=2)
    nearest = away.argmin(axis=1)
    known = away.min(axis=1) < NEAR
    if known.all() and (away[:, nearest] > NOT_NEAR).any():
        listed = ", ".join(f"chain {c} near mode {m}" for c, m in enumerate(nearest))
        gap = approximation.modes["gap"].iloc[nearest].max()
        return [f"chains are in modes of the table that differ by {gap:.1f}: {listed}"]
    means, sd = x.mean(axis=1), np.sqrt(x.var(axis=1).mean(axis=0))
    others = (means.sum(axis=0) - means) / (len(x) - 1)
    shift = (means - others) / np.maximum(sd, TINY)
    chain, i = np.unravel_index(int(np.argmax(np.abs(shift))), shift.shape)
    if abs(shift[chain, i]) < APART:
        return []
    side = "above" if shift[chain, i] > 0 else "below"
    return [
        f"chain {chain} is apart: its unconstrained {labels(approximation.model)[i]} is "
        f"{abs(shift[chain, i]):.1f} standard deviations {side} that of the others, in another "
        "mode or for want of draws"
    ]


def _unfinished(approximation: LaplaceApproximation) -> list[str]:
    if approximation.converged:
        return []
    return ["the search did not end at a mode, so that starts and metric of the chains may be poor"]


def _natural(approximation: LaplaceApproximation, name: str, shape: tuple) -> np.ndarray:
    """Return a variable at each mode of the table."""
    table = approximation.modes
    columns = [c for c in table.columns if c == name or str(c).startswith(f"{name}[")]
    return table[columns].to_numpy().reshape(len(table), *shape)


def _at_bounds(x: np.ndarray, approximation: LaplaceApproximation) -> list[str]:
    model, bounded = approximation.model, np.zeros(x.shape[-1], dtype=bool)
    for rv, place in entry_slices(model).items():
        bounded[place] = model.rvs_to_values[rv].name.endswith("_interval__")
    middle = np.median(x, axis=(0, 1))
    shares = np.stack([(side * x > AT_BOUND).mean(axis=(0, 1)) for side in (-1, 1)])
    problems: list[str] = []
    candidates = np.flatnonzero(bounded & (shares.max(axis=0) > PRESSED))
    if not candidates.size:
        return problems
    names, natural = labels(model), compile_values(model)
    for i in candidates:
        label, upper = names[i], bool(shares[1, i] > shares[0, i])
        side, share = (1 if upper else -1), shares[int(upper), i]
        there = side * max(side * middle[i], AT_BOUND)

        def at(z, i=i, label=label):
            point = np.where(np.arange(middle.size) == i, z, middle)
            return entries(model, natural(point))[label]

        near, far = ([at(z) for z in (-f, f)] for f in FAR)
        if np.ptp(far) < 1.01 * np.ptp(near) and near_bound(at(there), far[0], far[1], 0.02):
            bound = f"its {'upper' if upper else 'lower'} bound"
            text = f"{label} lies at {bound}"
            if share < 0.5:
                text = f"{label} presses against {bound}: {share:.0%} of the draws within 2 % of it"
            problems.append(text)
    return problems


def _pairs(x: np.ndarray, approximation: LaplaceApproximation) -> list[str]:
    names, centred = labels(approximation.model), x - x.mean(axis=1, keepdims=True)
    covariance = np.atleast_2d(np.cov(centred.reshape(-1, x.shape[-1]), rowvar=False))
    return pairs_in_words(names, covariance, *approximation.natural())
