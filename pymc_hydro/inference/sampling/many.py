"""Posteriors of many basins, one by one: a table of them, kept in a store as they end."""

import warnings
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.calibration.basins.table import fill_table, guarded, new_table
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN
from pymc_hydro.inference.build import build_model

__all__ = ["sample_each"]

KEPT = 200  # draws of a basin that the table holds, evenly from all chains
NUMBERS = {
    "r_hat": "R-hat of the worst parameter",
    "effective_draws": "of the worst parameter",
    "divergences": "number of transitions",
    "log_posterior": "of the highest mode",
    "seconds": "s",
}


def sample_each(
    sample_one: Callable[..., Any],
    model: AbstractModel,
    basins: Mapping[Hashable, Any] | xr.Dataset,
    options: Mapping[str, Any],
    model_options: Mapping[str, Any],
    *,
    executor: Executor | None,
    store: str | Path | None,
    progressbar: bool,
) -> xr.Dataset:
    """Sample the posterior of each basin on its own, and return a table.

    Parameters
    ----------
    sample_one : callable
        ``ph.sample``, of one PyMC model.
    model : AbstractModel
    basins : mapping of name to record, or to a function that returns it, or Dataset on ``basin``
    options, model_options : mapping
        Arguments of `sample_one`, and of ``ph.build_model``.
    executor : concurrent.futures.Executor or None
        One after another in this process if None: PyTensor does not compile in threads.
    store : path or None
    progressbar : bool

    Returns
    -------
    Dataset
        As ``ph.sample`` describes.

    Raises
    ------
    ValueError
        If no basin is given, or the store holds basins or settings that differ.
    """
    n_kept = min(KEPT, options["draws"] * options["chains"])

    def table_of(names):
        settings = {**options, "model": model_options}
        table = new_table(model, names, ("standard_deviation",), NUMBERS, settings)
        shape = len(names), n_kept, len(model.parameters)
        table["draws"] = ((BASIN, "draw", "parameter"), np.full(shape, np.nan))
        own = ", ".join(model_options.get("priors") or {})
        return table.assign_attrs(preset=model_options.get("preset", "uniform"), priors=own)

    row = partial(_row, sample_one, model, dict(options), dict(model_options), n_kept)
    return fill_table(
        "sample",
        partial(guarded, row, model),
        table_of,
        basins,
        executor=executor,
        store=store,
        progressbar=progressbar,
        threads=1,
    )


def _row(sample_one, model, options, model_options, n_kept, record) -> dict[str, Any]:
    """Sample one basin on one core; returns its row."""
    pymc_model = build_model(model, record, **model_options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the verdict is the message of the row
        idata = sample_one(pymc_model, **options, cores=1, progressbar=False)
    group = idata["posterior"]
    posterior = group.dataset if hasattr(group, "dataset") else group
    names = list(model.parameter_names)
    # A parameter that the priors fix is no variable of the posterior.
    columns = [posterior[n].values.ravel() if n in posterior else None for n in names]
    n_draw = posterior.sizes["chain"] * posterior.sizes["draw"]
    draws = np.stack([np.full(n_draw, np.nan) if c is None else c for c in columns], axis=1)
    found = posterior.attrs
    return {
        "parameters": draws.mean(axis=0),
        "standard_deviation": draws.std(axis=0, ddof=1),
        "covariance": np.cov(draws, rowvar=False),
        "draws": draws[np.linspace(0, n_draw - 1, n_kept).astype(int)],
        **{name: float(found[name]) for name in NUMBERS if name in found},
        "message": found["verdict"],
    }
