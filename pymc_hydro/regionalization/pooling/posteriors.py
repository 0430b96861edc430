"""Posteriors or calibrations of single basins, pooled afterwards: the second of two stages."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from pymc_hydro.core.base.dims import PARAMETER
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN
from pymc_hydro.models.listing import as_model
from pymc_hydro.regionalization.attributes import Scale, attribute_table
from pymc_hydro.regionalization.mapping import AbstractMapping
from pymc_hydro.regionalization.pooling.estimates import (
    draws_of,
    estimates_of,
    is_calibration,
    symmetric,
)
from pymc_hydro.regionalization.pooling.link import Link, define_link
from pymc_hydro.regionalization.pooling.regional import mean_coordinates

__all__ = ["PooledPosteriors", "pool_posteriors"]


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
    _link: Link
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
        posterior = draws_of(idata)
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
        theta = self._link.parameters({n: z[..., j] for j, n in enumerate(free)}, self._fixed)
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
        spread = np.linalg.cholesky(symmetric(gain @ covariance))
        return middle + (spread @ rng.standard_normal(mean.shape)[..., None])[..., 0]


def pool_posteriors(
    model: AbstractModel | str,
    fits: xr.Dataset | Mapping[Hashable, Any],
    attributes: pd.DataFrame | xr.Dataset | None = None,
    mapping: str | Callable = "linear",
    *,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    preset: str | None = None,
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
    bounds : mapping of str to (float, float), optional
        Of some parameters, where the first stage had others than the model: positions are between
        the bounds of priors for posteriors, and between those of searches for calibrations.
    preset, priors
        As of ``ph.build_model`` in the first stage; not given, the preset of the table, or
        "uniform". Posteriors hold this prior once for each basin; it is divided out. Calibrations
        hold none.
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
        If an argument does not fit or is not that of the first stage, a parameter has no numbers or
        is beyond its bounds, a prior has no density of the parameters alone, or fewer than two
        basins are left.

    Warns
    -----
    UserWarning
        If a posterior is so skew that a normal distribution stands for it poorly.

    Notes
    -----
    The posterior of each basin is approximated by a normal distribution of the logits of
    ``ph.regional``, and so is the prior where that posterior is. The likelihood is their quotient.
    A direction of which the data make less than a tenth of the posterior's precision says nothing.
    A calibrated parameter at a bound says nothing either. The covariance of a calibration is that
    of linear theory, which is too small where errors last for days.

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
    free = _free(model, fixed)
    preset, priors = _check_priors(fits, fixed, preset, dict(priors or {}))
    link = define_link(model, bounds, not is_calibration(fits), "pool_posteriors")
    estimates = estimates_of(model, fits, link, free, fixed, preset, priors)
    names = estimates[BASIN].values.tolist()
    if len(names) < 2:
        raise ValueError(f"pool_posteriors: at least two basins are needed, {len(names)} are left")
    parameter, other = f"{prefix}_parameter", f"{prefix}_parameter_"
    coords = {BASIN: names, parameter: list(free), other: list(free)}
    table = None if attributes is None else attribute_table(attributes, names)
    with pm.Model(coords=coords) as pymc_model:
        center, found = mean_coordinates(names, table, mapping, link.start(model, free), prefix)
        tau = pm.HalfNormal(f"{prefix}_tau", 1.0, dims=parameter)
        covariance = estimates["covariance"].values
        known = pm.Data(f"{prefix}_covariance", covariance, dims=(BASIN, parameter, other))
        pm.MvNormal(
            f"{prefix}_estimate", center, cov=known + pt.diag(tau**2),
            observed=estimates["mean"].values, dims=(BASIN, parameter),
        )  # fmt: skip
    scale = None if table is None else Scale.of(table)
    return PooledPosteriors(pymc_model, estimates, model, link, fixed, scale, found, prefix)


def _free(model, fixed) -> tuple[str, ...]:
    """Return the parameters that are not fixed, after checking names."""
    unknown = [name for name in fixed if name not in model.parameter_names]
    if unknown:
        raise KeyError(
            f"pool_posteriors: fixed names {unknown}, which {type(model).__name__} does not have; "
            f"known are {', '.join(model.parameter_names)}"
        )
    free = tuple(name for name in model.parameter_names if name not in fixed)
    if not free:
        raise ValueError("pool_posteriors: all parameters are fixed, nothing is left to be pooled")
    return free


def _check_priors(fits, fixed, preset, priors) -> tuple[str, dict]:
    """Return preset and priors of the first stage, after comparing them with its table."""
    if is_calibration(fits):
        if preset is not None or priors:
            raise ValueError(
                "pool_posteriors: calibrations hold no prior; leave out preset and priors"
            )
        return "uniform", {}
    known = fits.attrs if isinstance(fits, xr.Dataset) else {}
    had = known.get("preset", preset or "uniform")
    if preset not in (None, had):
        raise ValueError(
            f"pool_posteriors: the posteriors of the table have the preset {had!r}, found preset="
            f"{preset!r}; leave it out"
        )
    own = [name for name in known.get("priors", "").split(", ") if name and name not in fixed]
    if "priors" in known and {*own} != {*priors} - {*fixed}:
        raise ValueError(
            f"pool_posteriors: the posteriors of the table have priors of their own for "
            f"{', '.join(own) or 'no parameter'}, found priors for {', '.join(priors) or 'none'}; "
            "give those of the first stage"
        )
    return had, priors
