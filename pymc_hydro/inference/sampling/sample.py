"""Sampling from the highest mode on, in coordinates in which the posterior is nearly round."""

from collections.abc import Hashable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pymc.backends.arviz import find_constants, find_observations

from pymc_hydro.core.base.warning import warn_user
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import are_basins
from pymc_hydro.inference.approximation.coordinates import as_dataset
from pymc_hydro.inference.approximation.laplace import fit_laplace
from pymc_hydro.inference.approximation.result import LaplaceApproximation
from pymc_hydro.inference.build import build_model
from pymc_hydro.inference.forcing import Record
from pymc_hydro.inference.sampling.many import sample_each
from pymc_hydro.inference.sampling.verdict import judge
from pymc_hydro.inference.sampling.whiten import WHITENED, whiten
from pymc_hydro.models.listing import as_model

__all__ = ["sample"]

# Arguments of pm.sample that would undo the purpose of this function.
REFUSED = ("initvals", "step", "trace", "return_inferencedata")


def sample(
    model: pm.Model | AbstractModel | str | None = None,
    basins: Record | Mapping[Hashable, Any] | None = None,
    draws: int = 1000,
    *,
    tune: int = 300,
    chains: int = 4,
    random_seed: int | None = None,
    approximation: LaplaceApproximation | None = None,
    model_options: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    store: str | Path | None = None,
    **options: Any,
) -> Any:
    """Sample a posterior from its highest mode on, and judge the chains; or that of many basins.

    The sampler sees whitened coordinates, ``z = L^-1 (x - mode)`` with the covariance ``L L'`` of
    :func:`fit_laplace`: every sampler so has the metric of the approximation, starts about a
    standard deviation from the mode, and needs a short tuning.

    Parameters
    ----------
    model : pm.Model, AbstractModel or str, optional
        Any PyMC model with continuous variables; the one in context if not given. Or a hydrologic
        model, or its name, for which ``ph.build_model(model, basins)`` is sampled.
    basins : Dataset or DataFrame, or several
        The record of a hydrologic model; not with a PyMC model. Several, a mapping of name to
        record (or to a function that reads it) or a Dataset on ``basin``, are sampled one by one;
        for one posterior of all of them sample ``ph.build_model(model, basins)``.
    draws, tune, chains : int
        Draws and steps of tuning are numbers for each chain.
    random_seed : int, optional
    approximation : LaplaceApproximation, optional
        Not given: ``ph.fit_laplace(model, random_seed=random_seed)``.
    model_options : mapping, optional
        Arguments of ``ph.build_model`` for a hydrologic model, such as ``{"ar": 1}``.
    executor : concurrent.futures.Executor, optional
        Of several basins: where they are sampled, each on one core, in processes. Not given, one
        after another in this process.
    store : path, optional
        Of several basins: a Zarr store (needs ``zarr``) of the results, as in ``ph.calibrate``.
    **options
        As of ``pm.sample``, such as ``nuts_sampler`` and ``cores``.

    Returns
    -------
    Dataset on ``basin``, of several basins
        ``parameters`` (means), ``standard_deviation`` and ``covariance``; ``draws`` (basin, draw,
        parameter), at most 200 from all chains; ``r_hat``, ``effective_draws``, ``divergences``,
        ``log_posterior``, ``seconds``, ``status`` (1 done, 2 failed) and ``message``, the verdict
        or what failed. NaN for parameters that priors fix.
    DataTree, or InferenceData with PyMC 5
        As of ``pm.sample``, with the names and dims of `model`. The posterior has the attributes
        `r_hat` and `effective_draws` (of the worst parameter), `divergences`, `log_posterior` (of
        the mode), `gaps` (how much lower the mean log-probability of each chain is) and `verdict`,
        a text. The group ``modes`` is the table of the modes that were found, the best first:
        `log_posterior`, `gap`, `converged`, `searches` on ``mode``, and `parameters`, in natural
        units, on (mode, parameter).

    Raises
    ------
    TypeError
        If an option is given that has no meaning here, such as `initvals`: chains start at the
        mode.

    Warns
    -----
    UserWarning
        The verdict, if R-hat is above 1.01, a parameter has fewer than 400 effective draws, a
        transition diverged, or a chain's mean log-probability does not belong to the mode: R-hat
        cannot see that all chains are in a lower one. It names the mode of the table that a chain
        is near, a chain that is apart or did not move, parameters at a bound, pairs that the data
        hardly tell apart, and the parameter that is large or small where transitions diverge.

    References
    ----------
    Vehtari, A., et al. (2021). Bayesian Anal. 16, 667-718. doi:10.1214/20-BA1221

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> pymc_model = ph.build_model(model, basin, "SkewStudentT", ar=1)  # doctest: +SKIP
    >>> idata = ph.sample(pymc_model, random_seed=1)  # doctest: +SKIP
    >>> idata.posterior.attrs["verdict"]  # doctest: +SKIP
    """
    model = as_model(model) if isinstance(model, str) else model
    if isinstance(model, AbstractModel) and basins is not None and are_basins(basins):
        if approximation is not None:
            raise TypeError("sample: each of several basins has an approximation of its own")
        refused = [name for name in (*REFUSED, "cores") if name in options]
        if refused:
            raise TypeError(f"sample: {', '.join(refused)} cannot be given for several basins")
        progressbar = options.pop("progressbar", True)
        options |= {"draws": draws, "tune": tune, "chains": chains, "random_seed": random_seed}
        where = {"executor": executor, "store": store, "progressbar": progressbar}
        return sample_each(sample, model, basins, options, model_options or {}, **where)
    if executor is not None or store is not None:
        raise TypeError(
            "sample: executor and store are for several basins; give a hydrologic model and a "
            "mapping of name to record"
        )
    model = _pymc_model(model, basins, options, model_options)
    if approximation is None:
        approximation = fit_laplace(model, random_seed=random_seed)
    names = options.pop("var_names", None)
    of_idata = dict(options.pop("idata_kwargs", None) or {})
    log_likelihood = of_idata.pop("log_likelihood", False)
    if of_idata:
        options["idata_kwargs"] = of_idata
    defaults = {"compute_convergence_checks": False}  # the verdict is of the user's variables
    with whiten(approximation):
        idata = pm.sample(
            draws=draws, tune=tune, chains=chains, random_seed=random_seed, **defaults | options
        )
    whitened = _dataset(idata, "posterior")[WHITENED]
    posterior = _natural(idata, "posterior")
    problems, found = judge(posterior, whitened, idata["sample_stats"], approximation)
    posterior = posterior.assign_attrs(found)
    idata = _with_groups(idata, _groups(idata, posterior, model, approximation))
    if log_likelihood:
        some = None if log_likelihood is True else log_likelihood
        pm.compute_log_likelihood(idata, var_names=some, model=model, progressbar=False)
    if names is not None:
        idata = _with_groups(idata, {"posterior": posterior[list(names)]})
    if problems:
        warn_user(f"sample: {found['verdict']}")
    return idata


def _pymc_model(model: Any, basins: Any, options: dict, model_options: Any) -> pm.Model:
    """Return the PyMC model, after a check of the arguments."""
    refused = [name for name in REFUSED if name in options]
    if refused:
        raise TypeError(
            f"sample: {', '.join(refused)} would have no meaning: chains start at the mode of "
            "approximation=, and the result is a tree; use pm.sample for other starts and steps"
        )
    if not isinstance(model, AbstractModel):
        if basins is not None:
            raise TypeError(
                f"sample: basins are given beside {type(model).__name__}, which holds its data "
                "already; give a hydrologic model such as ph.Hymod(), or leave the basins out"
            )
        if model_options is not None:
            raise TypeError("sample: model_options are for a hydrologic model, which is built here")
        return pm.modelcontext(model)
    if basins is None:
        raise TypeError(f"sample: {type(model).__name__} needs a record of forcing and discharge")
    return build_model(model, basins, **(model_options or {}))


def _dataset(idata: Any, group: str) -> xr.Dataset:
    found = idata[group]
    return found.dataset if hasattr(found, "dataset") else found


def _natural(idata: Any, group: str) -> xr.Dataset:
    """Return draws of the model's own variables."""
    dataset = _dataset(idata, group)
    return dataset.drop_vars([n for n in (WHITENED, f"{WHITENED}_dim_0") if n in dataset.variables])


def _groups(
    idata: Any, posterior: xr.Dataset, model: pm.Model, approximation: LaplaceApproximation
) -> dict[str, xr.Dataset]:
    """Return the groups of the user's model, and the table of modes."""
    groups = {"posterior": posterior}
    if "warmup_posterior" in (idata.children if hasattr(idata, "children") else idata.groups()):
        groups["warmup_posterior"] = _natural(idata, "warmup_posterior")
    groups["observed_data"] = as_dataset(model, find_observations(model))
    groups["constant_data"] = as_dataset(model, find_constants(model))
    groups["modes"] = _modes(approximation)
    return {name: group for name, group in groups.items() if group.data_vars}


def _with_groups(idata: Any, groups: dict[str, xr.Dataset]) -> Any:
    if isinstance(idata, xr.DataTree):
        for name, group in groups.items():
            idata[name] = xr.DataTree(group)
        return idata
    for name in set(groups) & set(idata.groups()):
        delattr(idata, name)
    idata.add_groups(groups)
    return idata


def _modes(approximation: LaplaceApproximation) -> xr.Dataset:
    """Return the table of modes as a group of a result, which a file can hold."""
    table = approximation.modes
    found = ["log_posterior", "gap", "converged", "searches"]
    names = [str(c) for c in table.columns if c not in found]
    columns: dict[str, tuple] = {name: ("mode", table[name].to_numpy()) for name in found}
    columns["parameters"] = (("mode", "parameter"), table[names].to_numpy(dtype=float))
    coords = {"mode": np.arange(len(table)), "parameter": names}
    return xr.Dataset(columns, coords=coords)
