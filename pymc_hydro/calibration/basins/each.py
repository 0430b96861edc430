"""Calibrations of many basins, one by one: a table of them, kept in a store as they end."""

import hashlib
import os
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.calibration.result import Calibration
from pymc_hydro.calibration.search.parallel import counting_bar
from pymc_hydro.core.base.dims import PARAMETER
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN, cut_record
from pymc_hydro.losses.table import find_loss

__all__ = ["calibrate_each"]

STATUS = {"waiting": 0, "calibrated": 1, "failed": 2}
LONGEST = 400  # letters of a message
OTHER_PARAMETER = "parameter_"  # the second dimension of a covariance
# Numbers of a basin's row, beside those by parameter: their units, or what they are.
NUMBERS = {
    "score": "value of the loss or score in the calibration period",
    "validation_score": "the same in the validation period",
    "integrations": "runs of the model",
    "seconds": "s",
}


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
    names = basins[BASIN].values.tolist() if isinstance(basins, xr.Dataset) else list(basins)
    if not names:
        raise ValueError("calibrate: no basin is given")
    if len(set(names)) < len(names):
        raise ValueError(f"calibrate: names of basins must be unique, found {names}")
    table = _empty(model, names, options)
    keys = dict.fromkeys(names, "")
    if store is not None:
        keys = {name: _record_key(basins, name) for name in names}
        table = _opened(Path(store), table)
    waiting = [
        (i, name)
        for i, name in enumerate(names)
        if not (table["status"][i] and keys[name] and str(table["record"].values[i]) == keys[name])
    ]
    padded = isinstance(basins, xr.Dataset)  # to the record of all basins
    pool = ThreadPoolExecutor(os.cpu_count()) if executor is None else nullcontext(executor)
    with pool as workers, counting_bar("basins", progressbar) as show:
        futures = {
            workers.submit(_row, calibrate_one, model, record, dict(options), padded): i
            for i, record in ((i, _record(basins, name)) for i, name in waiting)
        }
        try:
            for future in as_completed(futures):
                i = futures.pop(future)
                _fill(table, i, future.result(), keys[names[i]])
                if store is not None:
                    _write(Path(store), table, i)
                failed = int((table["status"] == STATUS["failed"]).sum())
                show(len(names) - len(futures), len(names), f"{failed} failed" if failed else "")
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    return table


def _record(basins, name):
    """Return the record of a basin, or the function that reads it: workers call it."""
    if isinstance(basins, xr.Dataset):
        return basins.sel({BASIN: name}, drop=True)
    return basins[name]


def _record_key(basins, name) -> str:
    """Return the hash of a record; empty if the record is read by a function."""
    record = _record(basins, name)
    if callable(record):
        return ""
    digest = hashlib.sha256()
    record = record.to_xarray() if hasattr(record, "to_xarray") else record
    for variable in sorted(record.variables, key=str):
        digest.update(str(variable).encode())
        digest.update(np.ascontiguousarray(record[variable].values).tobytes())
    return digest.hexdigest()[:32]


def _settings_key(model, options) -> str:
    """Return the hash of a model, its version and the arguments of a calibration."""

    def plain(value):
        if isinstance(value, Mapping):
            return sorted((str(k), plain(v)) for k, v in value.items())
        return getattr(value, "__qualname__", None) or repr(value)

    text = repr((repr(model), model.parameters, plain(options)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _empty(model, names, options) -> xr.Dataset:
    """Return the table before the first calibration."""
    n, p = len(names), len(model.parameters)

    def numbers(*dims, **attributes):
        sizes = {BASIN: n, PARAMETER: p, OTHER_PARAMETER: p}
        return (dims, np.full([sizes[d] for d in dims], np.nan), attributes)

    units = ", ".join(f"{q.name}: {q.unit}" for q in model.parameters)
    by_parameter = {
        "parameters": numbers(BASIN, PARAMETER, units=units),
        "standard_error": numbers(BASIN, PARAMETER, units=units),
        "at_bound": numbers(BASIN, PARAMETER),
        "covariance": numbers(BASIN, PARAMETER, OTHER_PARAMETER),
    }
    flags = {"flag_values": list(STATUS.values()), "flag_meanings": " ".join(STATUS)}
    rows = {
        **{name: numbers(BASIN, long_name=text) for name, text in NUMBERS.items()},
        "status": (BASIN, np.zeros(n, dtype=np.int8), flags),
        "message": (BASIN, np.full(n, "", dtype=f"<U{LONGEST}")),
        "record": (BASIN, np.full(n, "", dtype="<U32"), {"long_name": "hash of the record"}),
    }
    parameters = list(model.parameter_names)
    coords = {BASIN: names, PARAMETER: parameters, OTHER_PARAMETER: parameters}
    attributes = {"model": repr(model).splitlines()[0], "settings": _settings_key(model, options)}
    return xr.Dataset({**by_parameter, **rows}, coords, attributes)


def _row(calibrate_one, model, record, options, padded) -> dict[str, Any]:
    """Calibrate one basin on one core; returns its row. A failure is a row as well."""
    begin = time.perf_counter()
    try:
        record = record() if callable(record) else record
        record = cut_record(record, model.forcing_names) if padded else record
        fit = calibrate_one(model, record, **options, cores=1, progressbar=False)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        return {
            "status": STATUS["failed"],
            "message": message[:LONGEST],
            "seconds": time.perf_counter() - begin,
        }
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
        "status": STATUS["calibrated"],
        "message": fit.message[:LONGEST],
        "seconds": time.perf_counter() - begin,
    }


def _validation_score(fit, loss, loss_options) -> float:
    """Return the value of the loss in the validation period; NaN if there is none."""
    run = fit.validation
    if run is None or isinstance(loss, Mapping) or "means" in run["observed_discharge"].attrs:
        return np.nan
    scored = slice(run.attrs["warmup"], None)
    observed, simulated = (run[n].values[scored] for n in ("observed_discharge", "discharge"))
    return float(find_loss(loss)[0](observed, simulated, **(loss_options or {})))


def _fill(table, i, row, key) -> None:
    for name, value in {**row, "record": key}.items():
        table[name].values[i] = value


def _opened(store, table) -> xr.Dataset:
    """Return what a store holds of a table; makes the store if it is not there."""
    if not store.exists():
        encoding = {
            name: {"chunks": (1, *variable.shape[1:])} for name, variable in table.data_vars.items()
        }
        table.to_zarr(store, mode="w-", encoding=encoding, zarr_format=2, consolidated=False)
        return table
    found = xr.open_zarr(store, consolidated=False).load()
    if found.attrs.get("settings") != table.attrs["settings"]:
        raise ValueError(
            f"calibrate: the store {store} holds fits of {found.attrs.get('model', 'another kind')}"
            " with other settings; give another path, or the settings of the store"
        )
    held, given = found[BASIN].values.tolist(), table[BASIN].values.tolist()
    if held != given:
        raise ValueError(
            f"calibrate: the store {store} is of {len(held)} basins, and {len(given)} are given, "
            "or in another order; give another path, or the basins of the store"
        )
    for name in table.data_vars:
        table[name].values[:] = found[name].values
    return table


def _write(store, table, i) -> None:
    """Write one row; its record's hash comes last, and says that the row is complete."""
    row = table.isel({BASIN: slice(i, i + 1)}).drop_vars([BASIN, PARAMETER, OTHER_PARAMETER])
    region = {BASIN: slice(i, i + 1)}
    for part in (row.drop_vars("record"), row[["record"]]):
        part.to_zarr(store, region=region, consolidated=False)
