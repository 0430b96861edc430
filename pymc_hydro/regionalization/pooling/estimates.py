"""What the discharge of each basin says of its parameters: a normal distribution of coordinates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr
from pymc.logprob.basic import conditional_logp
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.graph.traversal import ancestors

from pymc_hydro.calibration.basins.table import STATUS
from pymc_hydro.core.base.dims import PARAMETER
from pymc_hydro.core.base.warning import warn_user
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN
from pymc_hydro.inference.priors import is_random
from pymc_hydro.inference.priors import priors as place_priors
from pymc_hydro.regionalization.pooling.link import Link

__all__ = ["draws_of", "estimates_of", "is_calibration", "prior_slopes", "symmetric"]

# Precision of a direction of which a basin knows nothing, in logits: a standard deviation of 100.
NOTHING = 1e-4
# Of the precision of a posterior in some direction: if the data have less of it, the prior and the
# chance of a few hundred draws have the rest, and the data say nothing of this direction.
LEAST_SHARE = 0.1
STEP = 1e-6  # of the range of a parameter: for the slope of its logit
OUTSIDE = 1e-6  # of an axis: rounding of values on a bound
SKEWED, NEAR = 1.0, 0.02  # skewness that is named; of an axis: a median that lies at a bound


def is_calibration(fits: Any) -> bool:
    """Return whether fits are the table of ``ph.calibrate``."""
    return isinstance(fits, xr.Dataset) and "draws" not in fits


def draws_of(idata: Any) -> xr.Dataset:
    """Return the draws of a posterior as a Dataset."""
    group = idata if "chain" in getattr(idata, "dims", ()) else idata["posterior"]
    return group.dataset if hasattr(group, "dataset") else group


def estimates_of(
    model: AbstractModel,
    fits: Any,
    link: Link,
    free: Sequence[str],
    fixed: Mapping[str, float],
    preset: str,
    priors: Mapping[str, Any],
) -> xr.Dataset:
    """Return mean and covariance of the coordinates of each basin, apart from the prior.

    Parameters
    ----------
    model : AbstractModel
    fits : Dataset, or mapping of basin to posterior
        As of ``ph.pool_posteriors``.
    link : Link
    free : sequence of str
    fixed : mapping of str to float
    preset, priors
        Of the posteriors.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a basin has no numbers, or numbers beyond the bounds.
    """
    if isinstance(fits, xr.Dataset):
        fits = _done(model, fits)
        names = fits[BASIN].values.tolist()
        rows = {name: fits.isel({BASIN: i}) for i, name in enumerate(names)}
    elif isinstance(fits, Mapping):
        rows = dict(fits)
    else:
        raise TypeError(
            "pool_posteriors: fits must be the table of ph.sample or ph.calibrate over basins, or "
            f"map basins to posteriors, found {type(fits).__name__}"
        )
    if is_calibration(fits):
        _check_fixed(model, fits, link, fixed)
        found = [_from_calibration(model, name, row, link, free) for name, row in rows.items()]
    else:
        draws = {name: _draws(model, name, row, link, free, fixed) for name, row in rows.items()}
        slopes = prior_slopes(model, link, free, fixed, preset, priors)
        _warn_of_skewness(draws, link, free)
        found = [_likelihood(z, slopes(z)) for z in draws.values()]
    p = len(free)
    means = np.array([m for m, _ in found]).reshape(-1, p)
    covariances = np.array([c for _, c in found]).reshape(-1, p, p)
    other = f"{PARAMETER}_"
    return xr.Dataset(
        {
            "mean": ((BASIN, PARAMETER), means),
            "covariance": ((BASIN, PARAMETER, other), covariances),
        },
        {BASIN: list(rows), PARAMETER: list(free), other: list(free)},
    )


def prior_slopes(
    model: AbstractModel,
    link: Link,
    free: Sequence[str],
    fixed: Mapping[str, float],
    preset: str,
    priors: Mapping[str, Any],
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function of the slope of a prior's log density by coordinates.

    It takes and returns arrays (n_draw, n_free).

    Raises
    ------
    KeyError, TypeError, ValueError
        If the prior has no density of the parameters alone.
    """
    z = pt.dvector("z")
    with pm.Model():
        theta = place_priors(model, preset, **{**priors, **fixed})
    known = {name: pt.constant(float(value)) for name, value in fixed.items()}
    values = link.parameters({name: z[j] for j, name in enumerate(free)}, known, pt)
    named = {name: pt.dscalar(name) for name in free}
    try:
        parts = conditional_logp(
            {theta[name]: named[name] for name in free}, warn_rvs=False
        ).values()
        density = pt.add(*[pt.sum(part) for part in parts], pt.constant(0.0))
    except (NotImplementedError, RuntimeError, ValueError) as error:
        raise ValueError(_NO_DENSITY.format(f"({error})")) from error
    for ancestor in ancestors([density]):
        if is_random(ancestor):
            raise ValueError(_NO_DENSITY.format(f"(it depends on {ancestor.name or 'another'})"))
    density = clone_replace(density, {named[name]: values[name] for name in free})
    for j, name in enumerate(free):
        own: Any = pt.grad(values[name], z)
        density = density + pt.log(own[j])
    many, slope = pt.dmatrix("many"), cast(Variable, pt.grad(density, z))
    slopes = vectorize_graph(slope, {z: many})
    # NumPy does for arrays of draws, where compilation would take seconds.
    return pytensor.function([many], slopes, mode=Mode(linker="py", optimizer="fast_compile"))


_NO_DENSITY = (
    "pool_posteriors: the priors have no density of the parameters alone {}, so that it cannot be "
    "divided out; give priors whose variables are the parameters, such as "
    "priors={{'K_s': lambda: pm.LogNormal('K_s', -3, 1)}}"
)


def _done(model, fits) -> xr.Dataset:
    """Return the rows of a table that are done, after checking what it holds."""
    missing = [n for n in ("parameters", "covariance", "status") if n not in fits]
    if missing:
        raise KeyError(
            f"pool_posteriors: the table lacks {', '.join(missing)}; expected that of "
            "ph.sample(model, basins) or ph.calibrate(model, basins)"
        )
    known = fits[PARAMETER].values.tolist()
    if known != list(model.parameter_names):
        raise ValueError(
            f"pool_posteriors: the table has the parameters {', '.join(known)}, but "
            f"{type(model).__name__} has {', '.join(model.parameter_names)}"
        )
    return fits.isel({BASIN: np.flatnonzero(fits["status"].values == STATUS["done"])})


def _check_fixed(model, fits, link, fixed) -> None:
    """Raise ValueError if a calibrated parameter is fixed in the table alone, or in the call."""
    for i, name in enumerate(model.parameter_names):
        values, (lower, upper) = fits["parameters"].values[:, i], link.bounds(name)
        if name in fixed and not np.allclose(values, fixed[name], rtol=1e-9, atol=0):
            raise ValueError(
                f"pool_posteriors: {name} is fixed at {fixed[name]:g}, but {values[0]:g} in basin "
                f"{fits[BASIN].values[0]!r}; give the value of the calibrations, or none"
            )
        if name in fixed or len(values) < 2 or (fits["covariance"].values[:, i, i] != 0).any():
            continue
        if np.ptp(values) == 0 and lower < values[0] < upper:
            raise ValueError(
                f"pool_posteriors: {name} is {values[0]:g} in all basins, without an error: it was "
                f"fixed; give fixed={{{name!r}: {values[0]:g}}}"
            )


def _draws(model, name, row, link, free, fixed) -> np.ndarray:
    """Return the coordinates of the draws of a basin, shape (n_draw, n_free)."""
    if isinstance(row, xr.Dataset) and "draws" in row:
        columns = zip(model.parameter_names, row["draws"].values.T, strict=True)
        draws = {n: v for n, v in columns if np.isfinite(v).any()}
    else:
        posterior = draws_of(row)
        draws = {n: posterior[n].values.ravel() for n in model.parameter_names if n in posterior}
    both = [n for n in fixed if n in draws]
    if both:
        raise ValueError(
            f"pool_posteriors: {both[0]} is fixed, but basin {name!r} has draws of it; leave it "
            "out of fixed"
        )
    for n in free:
        if n not in draws or not np.isfinite(draws[n]).all():
            raise ValueError(
                f"pool_posteriors: basin {name!r} has no draws of {n}; a parameter that was fixed "
                f"is given by fixed={{{n!r}: value}}"
            )
    draws |= fixed
    _check_bounds(name, draws, link, free)
    z = link.coordinates(draws, free)
    if len(z) <= len(free) + 1:
        raise ValueError(
            f"pool_posteriors: basin {name!r} has {len(z)} draws, more than {len(free) + 1} are "
            "needed for a covariance"
        )
    same = [n for n, column in zip(free, z.T, strict=True) if np.ptp(column) == 0]
    if same:
        raise ValueError(
            f"pool_posteriors: all draws of {same[0]} in basin {name!r} are {draws[same[0]][0]:g}; "
            "give chains that moved, or leave the basin out"
        )
    return z


def _check_bounds(name, theta, link, free) -> None:
    """Raise ValueError if a parameter of a basin is beyond the bounds of the link."""
    unit = link.positions(theta)
    for n in free:
        if not ((unit[n] >= -OUTSIDE) & (unit[n] <= 1 + OUTSIDE)).all():
            values, (lower, upper) = np.asarray(theta[n]), link.bounds(n)
            if (values >= lower).all() and (values <= upper).all():
                raise ValueError(
                    f"pool_posteriors: {n} of basin {name!r} is above {link.larger_of[n]}, which "
                    "bounds it; leave the basin out, fits.drop_sel(basin=...), or give the first "
                    "stage bounds that keep the two apart"
                )
            raise ValueError(
                f"pool_posteriors: {n} of basin {name!r} reaches from {values.min():g} to "
                f"{values.max():g}, beyond [{lower:g}, {upper:g}]; give the bounds of the first "
                f"stage, bounds={{{n!r}: (lower, upper)}}"
            )


def _from_calibration(model, name, row, link, free):
    """Return mean and covariance of coordinates from calibrated parameters and their covariance."""
    theta = dict(zip(model.parameter_names, row["parameters"].values, strict=True))
    at = [model.parameter_names.index(n) for n in free]
    covariance = row["covariance"].values[np.ix_(at, at)]
    if not np.isfinite(covariance).all():
        raise ValueError(f"pool_posteriors: the covariance of basin {name!r} is not finite")
    _check_bounds(name, theta, link, free)
    inner = np.flatnonzero(np.diag(covariance) > 0)  # neither fixed nor at a bound
    slopes = np.empty((len(free), inner.size))
    for k, i in enumerate(inner):
        lower, upper = link.bounds(free[i])
        h = STEP * (upper - lower)
        ends = [link.coordinates(theta | {free[i]: theta[free[i]] + s * h}, free) for s in (1, -1)]
        slopes[:, k] = (ends[0] - ends[1]) / (2 * h)
    own = slopes[inner]
    precision = np.zeros((len(free), len(free)))
    precision[np.ix_(inner, inner)] = _inverse(own @ covariance[np.ix_(inner, inner)] @ own.T)
    return link.coordinates(theta, free), _with_nothing(precision)


def _likelihood(z, slopes):
    """Return mean and covariance of a likelihood, from draws of its product with a prior.

    Parameters
    ----------
    z : array, shape (n_draw, n_free)
    slopes : array, shape (n_draw, n_free)
        Of the prior's log density.

    Notes
    -----
    The prior is replaced by the normal distribution that is nearest to it where the posterior is,
    not where the prior itself is: its mean slope and the regression of its slope on z are those of
    the prior over the draws (the identities of Stein, 1981, Ann. Stat. 9, 1135-1151).
    """
    middle, spread = z.mean(axis=0), symmetric(np.atleast_2d(np.cov(z, rowvar=False)))
    root = np.linalg.cholesky(spread)
    white = np.linalg.solve(root, (z - middle).T)
    slope = slopes.mean(axis=0)
    of_prior = symmetric(-(white @ (slopes - slope) @ root) / (len(z) - 1))
    # In coordinates in which the posterior's precision is one, the shares of the data.
    shares, vectors = np.linalg.eigh(np.eye(len(middle)) - of_prior)
    told = shares >= LEAST_SHARE
    back = np.linalg.solve(root.T, vectors)
    covariance = _with_nothing((back * np.where(told, shares, 0.0)) @ back.T)
    pull = back @ np.where(told, vectors.T @ root.T @ slope, 0.0)
    return middle - covariance @ pull, covariance


def _warn_of_skewness(draws, link, free) -> None:
    """Name the posterior for which a normal distribution is the poorest, if it is poor."""
    found = []
    for name, z in draws.items():
        white = (z - z.mean(axis=0)) / z.std(axis=0)
        found += [(abs(s), s, name, j) for j, s in enumerate((white**3).mean(axis=0))]
    poor = sorted((row for row in found if row[0] > SKEWED), key=lambda row: -row[0])
    if not poor:
        return
    _, skewness, name, j = poor[0]
    end, where = np.log(NEAR / (1 - NEAR)), ""
    for sign, bound in zip((1, -1), link.bounds(free[j]), strict=True):
        if sign * np.median(draws[name][:, j]) < end:
            where = f"; it lies at the bound {bound:g}"
    more = f", and for {len(poor) - 1} more" if len(poor) > 1 else ""
    warn_user(
        "pool_posteriors: a normal distribution of the logit stands poorly for the posterior of "
        f"{free[j]} in basin {name!r} (skewness {skewness:.1f}{where}){more}. Compare "
        ".parameters(idata) with the posteriors that the basins had alone; sample few basins with "
        "ph.regional",
    )


def _with_nothing(precision):
    """Return the inverse of a precision that may say nothing of some directions."""
    return symmetric(np.linalg.inv(precision + NOTHING * np.eye(len(precision))))


def _inverse(covariance):
    """Return the inverse of a covariance whose variances may be of very different size."""
    sd = np.sqrt(np.diag(covariance))
    return symmetric(np.linalg.inv(covariance / np.outer(sd, sd))) / np.outer(sd, sd)


def symmetric(matrix: np.ndarray) -> np.ndarray:
    """Return the symmetric part of matrices."""
    return (matrix + np.swapaxes(matrix, -1, -2)) / 2
