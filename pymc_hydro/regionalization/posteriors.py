"""Posteriors or calibrations of single basins, pooled afterwards: the second of two stages."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from pymc_hydro.calibration.basins.table import STATUS
from pymc_hydro.core.base.dims import PARAMETER
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN
from pymc_hydro.inference.priors import priors as place_priors
from pymc_hydro.models.listing import as_model
from pymc_hydro.regionalization.attributes import Scale, attribute_table
from pymc_hydro.regionalization.mapping import AbstractMapping
from pymc_hydro.regionalization.pooling import (
    mean_coordinates,
    natural_values,
    positions,
    start_coordinates,
)

__all__ = ["PooledPosteriors", "pool_posteriors"]

OUTERMOST = 1e-6  # position of a draw on a bound, whose logit is infinite
# Precision of a direction of which a basin knows nothing, in logits: a standard deviation of 100.
NOTHING = 1e-4
PRIOR_DRAWS = 4000
STEP = 1e-6  # of the range of a parameter: for the slope of its logit


@dataclass(frozen=True, eq=False)
class PooledPosteriors:
    """Posteriors of basins that were computed one by one, and the model that pools them.

    Attributes
    ----------
    model : pm.Model
        To be sampled: intercept, weights and tau of ``ph.regional``. The parameters of the basins
        are integrated out, so that the number of dimensions does not grow with the basins.
    estimates : Dataset
        What the discharge of each basin says of its parameters, apart from the prior: ``mean``
        (basin, parameter) and ``covariance`` (basin, parameter, parameter_) of logits of positions
        between bounds.
    """

    model: pm.Model
    estimates: xr.Dataset
    _hydrologic: AbstractModel
    _fixed: Mapping[str, float]
    _scale: Scale | None
    _mapping: AbstractMapping | None
    _prefix: str

    def parameters(
        self, idata: Any, attributes: Any = None, *, random_seed: int | None = None
    ) -> xr.Dataset:
        """Draw the parameters of basins, of each draw of the hyper-parameters.

        Parameters
        ----------
        idata : DataTree, InferenceData or Dataset
            The result of ``pm.sample`` of `model`.
        attributes : DataFrame or Dataset, optional
            Of basins that have no posterior of their own; of plain pooling, a DataFrame whose
            index has their names. Not given: the basins that were pooled, whose posteriors now
            know of each other.
        random_seed : int, optional

        Returns
        -------
        Dataset on ``chain``, ``draw`` and ``basin``
            A variable for each parameter, which ``ph.simulate`` takes as `theta`.

        Raises
        ------
        KeyError, TypeError, ValueError
            If an attribute is not there, or a value is missing.
        """
        rng = np.random.default_rng(random_seed)
        posterior = _draws_of(idata)
        names, x = self._basins(attributes)
        lead = posterior.sizes["chain"], posterior.sizes["draw"]
        free = self.estimates[PARAMETER].values.tolist()
        z = np.empty((*lead, len(names), len(free)))
        for at in np.ndindex(lead):
            hyper = {
                name.removeprefix(f"{self._prefix}_"): posterior[name].values[at]
                for name in (rv.name for rv in self.model.free_RVs)
            }
            if self._mapping is None:
                center = np.tile(hyper["intercept"], (len(names), 1))
            else:
                center = self._mapping(x, hyper)
            if attributes is None:
                z[at] = self._shrunken(center, hyper["tau"], rng)
            else:
                z[at] = center + hyper["tau"] * rng.standard_normal(center.shape)
        theta = natural_values(
            self._hydrologic, {n: z[..., j] for j, n in enumerate(free)}, self._fixed, np
        )
        dims = ("chain", "draw", BASIN)
        coords = {"chain": posterior["chain"].values, "draw": posterior["draw"].values}
        variables = {
            p.name: (dims, np.broadcast_to(theta[p.name], z.shape[:3]), {"units": p.unit})
            for p in self._hydrologic.parameters
        }
        return xr.Dataset(variables, coords | {BASIN: names})

    def _basins(self, attributes) -> tuple[list[Hashable], np.ndarray | None]:
        """Return names of basins and their scaled attributes."""
        if attributes is None:
            data = f"{self._prefix}_attributes"
            x = None if self._scale is None else self.model[data].get_value()
            return self.estimates[BASIN].values.tolist(), x
        if self._scale is None:
            if not isinstance(attributes, pd.DataFrame):
                raise TypeError(
                    "parameters: the basins were pooled without attributes; give a DataFrame whose "
                    f"index has the names of the new ones, found {type(attributes).__name__}"
                )
            return attributes.index.tolist(), None
        table = attribute_table(attributes, names=self._scale.names)
        return table.index.tolist(), self._scale(table)

    def _shrunken(self, center, tau, rng) -> np.ndarray:
        """Draw logits of the pooled basins, given the hyper-parameters: normal, in closed form."""
        mean, covariance = (self.estimates[n].values for n in ("mean", "covariance"))
        total = covariance + np.diag(tau**2)
        gain = np.swapaxes(np.linalg.solve(total, tau**2 * np.eye(tau.size)), 1, 2)
        middle = center + (gain @ (mean - center)[..., None])[..., 0]
        spread = np.linalg.cholesky(_symmetric(gain @ covariance))
        return middle + (spread @ rng.standard_normal(mean.shape)[..., None])[..., 0]


def pool_posteriors(
    model: AbstractModel | str,
    fits: xr.Dataset | Mapping[Hashable, Any],
    attributes: pd.DataFrame | xr.Dataset | None = None,
    mapping: str | Callable = "linear",
    *,
    fixed: Mapping[str, float] | None = None,
    preset: str = "uniform",
    priors: Mapping[str, Any] | None = None,
    prefix: str = "regional",
) -> PooledPosteriors:
    """Pool posteriors or calibrations of basins that were computed one by one.

    The second of two stages. The first one is ``ph.sample(model, basins)``,
    ``ph.calibrate(model, basins)`` or ``ph.fit_laplace`` of each basin, in parallel. The second one
    is the hierarchy of :func:`pymc_hydro.regional` with a normal distribution in place of the
    likelihood of each basin: no model is run, and thousands of basins take minutes.

    Parameters
    ----------
    model : AbstractModel or str
    fits : Dataset, or mapping of basin to posterior
        The table of ``ph.sample`` or of ``ph.calibrate``; or draws of each basin (the result of
        ``pm.sample``, or of ``ph.fit_laplace(...).sample()``). Basins that failed are left out.
    attributes : DataFrame or Dataset, optional
        As in ``ph.regional``. Not given: plain partial pooling.
    mapping : {"linear", "mlp", "gp"} or callable
    fixed : mapping of str to float, optional
        Parameters that were no variables of the first stage, and their values.
    preset, priors
        As of ``ph.build_model`` in the first stage, by default ``ph.priors(model)``. Posteriors
        hold this prior once for each basin; it is divided out. Calibrations hold none.
    prefix : str
        Begins the names of the variables, as in ``ph.regional``.

    Returns
    -------
    PooledPosteriors
        ``.model`` is to be sampled; ``.parameters(idata)`` are those of the basins,
        ``.parameters(idata, attributes)`` those of other basins.

    Raises
    ------
    KeyError, TypeError, ValueError
        If an argument does not fit, a parameter has no numbers, or fewer than two basins are left.

    Notes
    -----
    Prior and posterior of each basin are approximated by normal distributions of the logits of
    ``ph.regional``. The likelihood is their quotient. A direction in which the posterior is as wide
    as the prior says nothing. A calibrated parameter at a bound says nothing either. The covariance
    of a calibration is that of linear theory, which is too small where errors last for days.

    Where a posterior is far from normal, pooling may move a basin much further than it should:
    compare ``.parameters(idata)`` with the posterior that the basin had alone.

    References
    ----------
    Lunn, D., Barrett, J., Sweeting, M., Thompson, S. (2013). Fully Bayesian hierarchical modelling
    in two stages, with application to meta-analysis. J. R. Stat. Soc. C 62, 551-572.
    doi:10.1111/rssc.12007

    Examples
    --------
    >>> import pymc as pm, pymc_hydro as ph
    >>> fits = ph.sample(ph.Hymod(), basins, random_seed=1)  # doctest: +SKIP
    >>> pooled = ph.pool_posteriors(ph.Hymod(), fits, attributes)  # doctest: +SKIP
    >>> idata = pm.sample(model=pooled.model)  # doctest: +SKIP
    >>> theta = pooled.parameters(idata, attributes_elsewhere)  # doctest: +SKIP
    """
    model, fixed = as_model(model), dict(fixed or {})
    free = tuple(name for name in model.parameter_names if name not in fixed)
    names, means, precisions = _estimates(model, fits, free, fixed)
    if len(names) < 2:
        raise ValueError(f"pool_posteriors: at least two basins are needed, {len(names)} are left")
    if not _is_calibration(fits):
        means, precisions = _without_prior(model, free, fixed, preset, priors, means, precisions)
    covariances = _symmetric(np.linalg.inv(precisions + NOTHING * np.eye(len(free))))
    means = (covariances @ (precisions @ means[..., None]))[..., 0]
    parameter, other = f"{prefix}_parameter", f"{prefix}_parameter_"
    coords = {BASIN: names, parameter: list(free), other: list(free)}
    table = None if attributes is None else attribute_table(attributes, names)
    with pm.Model(coords=coords) as pymc_model:
        center, found = mean_coordinates(
            names, table, mapping, start_coordinates(model, free), prefix
        )
        tau = pm.HalfNormal(f"{prefix}_tau", 1.0, dims=parameter)
        known = pm.Data(f"{prefix}_covariance", covariances, dims=(BASIN, parameter, other))
        pm.MvNormal(
            f"{prefix}_estimate", center, cov=known + pt.diag(tau**2),
            observed=means, dims=(BASIN, parameter),
        )  # fmt: skip
    estimates = xr.Dataset(
        {
            "mean": ((BASIN, PARAMETER), means),
            "covariance": ((BASIN, PARAMETER, f"{PARAMETER}_"), covariances),
        },
        {BASIN: names, PARAMETER: list(free), f"{PARAMETER}_": list(free)},
    )
    scale = None if table is None else Scale.of(table)
    return PooledPosteriors(pymc_model, estimates, model, fixed, scale, found, prefix)


def _is_calibration(fits) -> bool:
    return isinstance(fits, xr.Dataset) and "draws" not in fits


def _estimates(model, fits, free, fixed):
    """Return names, means (n_basin, n_free) and precisions of the logits of basins."""
    if isinstance(fits, xr.Dataset):
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
        fits = fits.isel({BASIN: np.flatnonzero(fits["status"].values == STATUS["done"])})
        names = fits[BASIN].values.tolist()
        rows = [fits.isel({BASIN: i}) for i in range(len(names))]
        found = [
            _from_draws(
                model, name, dict(zip(known, row["draws"].values.T, strict=True)), free, fixed
            )
            if "draws" in fits
            else _from_calibration(model, name, row, free)
            for name, row in zip(names, rows, strict=True)
        ]
    elif isinstance(fits, Mapping):
        names, found = list(fits), []
        for name, idata in fits.items():
            posterior = _draws_of(idata)
            there = {n: posterior[n].values.ravel() for n in free if n in posterior}
            found.append(_from_draws(model, name, there, free, fixed))
    else:
        raise TypeError(
            "pool_posteriors: fits must be the table of ph.sample or ph.calibrate over basins, or "
            f"map basins to posteriors, found {type(fits).__name__}"
        )
    means, precisions = zip(*found, strict=True) if found else ((), ())
    return names, np.array(means), np.array(precisions)


def _draws_of(idata) -> xr.Dataset:
    group = idata if "chain" in getattr(idata, "dims", ()) else idata["posterior"]
    return group.dataset if hasattr(group, "dataset") else group


def _from_draws(model, name, draws, free, fixed):
    """Return mean and precision of logits from draws of the natural parameters."""
    for n in free:
        if n not in draws or not np.isfinite(draws[n]).all():
            raise ValueError(
                f"pool_posteriors: basin {name!r} has no draws of {n}; a parameter that was fixed "
                f"is given by fixed={{{n!r}: value}}"
            )
    z = _logits(model, draws | fixed, free)
    if len(z) <= len(free) + 1:
        raise ValueError(
            f"pool_posteriors: basin {name!r} has {len(z)} draws, more than {len(free) + 1} are "
            "needed for a covariance"
        )
    return z.mean(axis=0), _inverse(np.atleast_2d(np.cov(z, rowvar=False)))


def _from_calibration(model, name, row, free):
    """Return mean and precision of logits from calibrated parameters and their covariance."""
    theta = dict(zip(model.parameter_names, row["parameters"].values, strict=True))
    at = [model.parameter_names.index(n) for n in free]
    covariance = row["covariance"].values[np.ix_(at, at)]
    if not np.isfinite(covariance).all():
        raise ValueError(f"pool_posteriors: the covariance of basin {name!r} is not finite")
    inner = np.flatnonzero(np.diag(covariance) > 0)  # neither fixed nor at a bound
    slopes = np.empty((len(free), inner.size))
    for k, i in enumerate(inner):
        p = model.parameters[at[i]]
        h = STEP * (p.upper - p.lower)
        ends = [_logits(model, theta | {p.name: theta[p.name] + s * h}, free) for s in (1, -1)]
        slopes[:, k] = (ends[0] - ends[1]) / (2 * h)
    own = slopes[inner]
    precision = np.zeros((len(free), len(free)))
    precision[np.ix_(inner, inner)] = _inverse(own @ covariance[np.ix_(inner, inner)] @ own.T)
    return _logits(model, theta, free), precision


def _logits(model, theta, free) -> np.ndarray:
    """Return logits (..., n_free) of natural parameters."""
    found = positions(model, theta)
    unit = np.stack([np.clip(found[n], OUTERMOST, 1 - OUTERMOST) for n in free], axis=-1)
    return np.log(unit / (1 - unit))


def _without_prior(model, free, fixed, preset, priors, means, precisions):
    """Divide the normal approximation of the prior out of those of the posteriors."""
    with pm.Model():
        theta = place_priors(model, preset, **{**(priors or {}), **fixed})
        drawn = pm.draw([theta[n] for n in free], PRIOR_DRAWS, random_seed=1)
    z = _logits(model, dict(zip(free, drawn, strict=True)) | fixed, free)
    of_prior = _inverse(np.atleast_2d(np.cov(z, rowvar=False)))
    weighted = (precisions @ means[..., None])[..., 0] - of_prior @ z.mean(axis=0)
    values, vectors = np.linalg.eigh(precisions - of_prior)
    # A posterior that is wider than its prior, by chance of its draws, says nothing.
    values = np.maximum(values, NOTHING)
    rest = (vectors * values[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return np.linalg.solve(rest, weighted[..., None])[..., 0], rest


def _inverse(covariance):
    """Return the inverse of a covariance whose variances may be of very different size."""
    sd = np.sqrt(np.diag(covariance))
    return _symmetric(np.linalg.inv(covariance / np.outer(sd, sd))) / np.outer(sd, sd)


def _symmetric(matrix):
    return (matrix + np.swapaxes(matrix, -1, -2)) / 2
