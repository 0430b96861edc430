"""Calibrations of many basins, one by one: a table of them, kept in a store as they end."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.calibration.basins.table import fill_table, guarded, new_table
from pymc_hydro.calibration.result import Calibration
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.losses.table import find_loss

__all__ = ["calibrate_each", "calibration_table", "find_place"]

BY_PARAMETER = ("standard_error", "at_bound")
NUMBERS = {
    "score": "value of the loss or score in the calibration period",
    "validation_score": "the same in the validation period",
    "integrations": "runs of the model",
    "seconds": "s",
    "latitude": "degrees north, where the record has it",
    "longitude": "degrees east, where the record has it",
}
# Names, in any case, under which records and tables have the place of a basin.
PLACE = {"latitude": ("latitude", "lat"), "longitude": ("longitude", "lon", "long")}


def calibration_table(
    model: AbstractModel, options: Mapping[str, Any], names: Sequence[Hashable]
) -> xr.Dataset:
    """Return the table before the first calibration."""
    loss = options.get("loss", "nse")
    several = isinstance(loss, Mapping)
    score = not several and find_loss(loss)[1] < 0
    name = ", ".join(map(str, loss)) if several else getattr(loss, "__name__", str(loss))
    table = new_table(model, names, BY_PARAMETER, NUMBERS, options)
    return table.assign_attrs(loss=name, better="higher" if score else "lower")


def calibrate_each(
    calibrate_one: Callable[..., Calibration],
    model: AbstractModel,
    basins: Mapping[Hashable, Any],
    options: Mapping[str, Any],
    *,
    executor: Executor | None,
    store: str | Path | None,
    progressbar: bool,
) -> xr.Dataset:
    """Calibrate each basin on its own, and return a table.

    Parameters
    ----------
    calibrate_one : callable
        ``ph.calibrate``, of one basin.
    model : AbstractModel
    basins : mapping of name to record, or to a function that returns it, or Dataset on ``basin``
    options : mapping
        Further arguments of `calibrate_one`.
    executor : concurrent.futures.Executor or None
    store : path or None
        Of a Zarr store.
    progressbar : bool

    Returns
    -------
    Dataset
        As ``ph.calibrate`` describes.

    Raises
    ------
    ValueError
        If no basin is given, or the store holds basins or settings that differ.
    """
    row = partial(_row, calibrate_one, model, dict(options))
    return fill_table(
        "calibrate",
        partial(guarded, row, model),
        partial(calibration_table, model, options),
        basins,
        executor=executor,
        store=store,
        progressbar=progressbar,
    )


def _row(calibrate_one, model, options, record) -> dict[str, Any]:
    """Calibrate one basin on one core; returns its row."""
    fit = calibrate_one(model, record, **options, cores=1, progressbar=False)
    attributes = [fit.theta[name].attrs for name in model.parameter_names]
    loss = options.get("loss", "nse")
    sign = 1.0 if isinstance(loss, Mapping) else find_loss(loss)[1]
    return {
        "parameters": [float(fit.theta[name]) for name in model.parameter_names],
        "standard_error": [a["standard_error"] for a in attributes],
        "at_bound": [a["at_bound"] for a in attributes],
        "covariance": fit.covariance.values,
        "score": sign * fit.loss,
        "validation_score": _validation_score(fit, loss, options.get("loss_options")),
        "integrations": float(fit.history["evaluations"].sum()),
        "message": fit.message,
        **_place(record),
    }


def _place(record) -> dict[str, float]:
    """Return where a basin is, as far as its record says it."""
    known = dict(getattr(record, "attrs", {}))
    if isinstance(record, xr.Dataset):
        known |= {str(n): v.values[()] for n, v in record.variables.items() if v.ndim == 0}
    known = {k: float(v) for k, v in known.items() if isinstance(v, (float, int, np.number))}
    return {name: known[held] for name, held in find_place(known).items()}


def find_place(names: Iterable[str]) -> dict[str, str]:
    """Return by "latitude" and "longitude" which of the names has it, as far as one has it."""
    by_lower = {name.lower(): name for name in names}
    found = {k: [by_lower[n] for n in known if n in by_lower] for k, known in PLACE.items()}
    return {k: held[0] for k, held in found.items() if held}


def _validation_score(fit, loss, loss_options) -> float:
    """Return the value of the loss in the validation period; NaN if there is none."""
    run = fit.validation
    if run is None or isinstance(loss, Mapping) or "means" in run["observed_discharge"].attrs:
        return np.nan
    scored = slice(run.attrs["warmup"], None)
    observed, simulated = (run[n].values[scored] for n in ("observed_discharge", "discharge"))
    return float(find_loss(loss)[0](observed, simulated, **(loss_options or {})))
