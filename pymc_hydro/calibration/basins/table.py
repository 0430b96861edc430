"""A table with a row for each basin, which workers fill as they end, and which a store keeps."""

import hashlib
import os
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.calibration.search.parallel import counting_bar
from pymc_hydro.core.base.dims import PARAMETER
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN, cut_record

__all__ = ["STATUS", "fill_row", "fill_table", "guarded", "new_table"]

STATUS = {"waiting": 0, "done": 1, "failed": 2}
LONGEST = 400  # letters of a message
OTHER_PARAMETER = "parameter_"  # the second dimension of a covariance


def new_table(
    model: AbstractModel,
    names: Sequence[Hashable],
    by_parameter: Sequence[str],
    numbers: Mapping[str, str],
    options: Mapping[str, Any],
) -> xr.Dataset:
    """Return the table before the first row.

    Parameters
    ----------
    model : AbstractModel
    names : sequence of hashable
        Of the basins.
    by_parameter : sequence of str
        Variables on (basin, parameter), beside ``parameters`` and ``covariance``.
    numbers : mapping of str to str
        Variables on basin: their units, or what they are.
    options : mapping
        Settings: a store of other settings is refused.
    """
    n, p = len(names), len(model.parameters)
    sizes = {BASIN: n, PARAMETER: p, OTHER_PARAMETER: p}

    def empty(*dims, **attributes):
        return (dims, np.full([sizes[d] for d in dims], np.nan), attributes)

    units = ", ".join(f"{q.name}: {q.unit}" for q in model.parameters)
    variables = {
        name: empty(BASIN, PARAMETER, units=units) for name in ("parameters", *by_parameter)
    }
    flags = {"flag_values": list(STATUS.values()), "flag_meanings": " ".join(STATUS)}
    variables |= {
        "covariance": empty(BASIN, PARAMETER, OTHER_PARAMETER),
        **{name: empty(BASIN, long_name=text) for name, text in numbers.items()},
        "status": (BASIN, np.zeros(n, dtype=np.int8), flags),
        "message": (BASIN, np.full(n, "", dtype=f"<U{LONGEST}")),
        "record": (BASIN, np.full(n, "", dtype="<U32"), {"long_name": "hash of the record"}),
    }
    parameters = list(model.parameter_names)
    coords = {BASIN: list(names), PARAMETER: parameters, OTHER_PARAMETER: parameters}
    attributes = {"model": repr(model).splitlines()[0], "settings": _settings_key(model, options)}
    return xr.Dataset(variables, coords, attributes)


def fill_table(
    what: str,
    row_of: Callable[[Any, bool], Mapping[str, Any]],
    table_of: Callable[[list[Hashable]], xr.Dataset],
    basins: Mapping[Hashable, Any],
    *,
    executor: Executor | None,
    store: str | Path | None,
    progressbar: bool,
    threads: int | None = None,
) -> xr.Dataset:
    """Do one piece of work for each basin, and return the table of results.

    Parameters
    ----------
    what : str
        Name of the caller, for messages.
    row_of : callable
        From a record (or a function that reads it), and whether it is padded to that of all basins,
        to values by the names of the table; see :func:`guarded`.
    table_of : callable
        From names of basins to the empty table.
    basins : mapping of name to record, or to a function that returns it, or Dataset on ``basin``
    executor : concurrent.futures.Executor or None
        A pool of `threads` threads if None.
    store : path or None
        Of a Zarr store.
    progressbar : bool
    threads : int, optional

    Raises
    ------
    ValueError
        If no basin is given, or the store holds basins or settings that differ.
    """
    names = basins[BASIN].values.tolist() if isinstance(basins, xr.Dataset) else list(basins)
    if not names:
        raise ValueError(f"{what}: no basin is given")
    if len(set(names)) < len(names):
        raise ValueError(f"{what}: names of basins must be unique, found {names}")
    table = table_of(names)
    keys = dict.fromkeys(names, "")
    if store is not None:
        keys = {name: _record_key(basins, name) for name in names}
        table = _opened(what, Path(store), table)
    waiting = [
        (i, name)
        for i, name in enumerate(names)
        if not (table["status"][i] and keys[name] and str(table["record"].values[i]) == keys[name])
    ]
    padded = isinstance(basins, xr.Dataset)  # to the record of all basins
    own = ThreadPoolExecutor(threads or os.cpu_count())
    pool = own if executor is None else nullcontext(executor)
    with pool as workers, counting_bar("basins", progressbar) as show:
        futures = {workers.submit(row_of, _record(basins, name), padded): i for i, name in waiting}
        try:
            for future in as_completed(futures):
                i = futures.pop(future)
                fill_row(table, i, future.result(), keys[names[i]])
                if store is not None:
                    _write(Path(store), table, i)
                failed = int((table["status"] == STATUS["failed"]).sum())
                show(len(names) - len(futures), len(names), f"{failed} failed" if failed else "")
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    return table


def guarded(
    function: Callable[..., Mapping[str, Any]], model: AbstractModel, record: Any, padded: bool
) -> dict[str, Any]:
    """Return a row: what `function` makes of the record and its status; a failure is a row too."""
    begin = time.perf_counter()
    try:
        record = record() if callable(record) else record
        record = cut_record(record, model.forcing_names) if padded else record
        row = {"status": STATUS["done"], **function(record)}
    except Exception as error:
        row = {"status": STATUS["failed"], "message": f"{type(error).__name__}: {error}"}
    row["message"] = str(row["message"])[:LONGEST]
    return row | {"seconds": time.perf_counter() - begin}


def fill_row(table: xr.Dataset, i: int, row: Mapping[str, Any], key: str) -> None:
    """Write a basin's row into a table, with the hash of its record."""
    for name, value in {**row, "record": key}.items():
        table[name].values[i] = value


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
    """Return the hash of a model, its version and the arguments of the work."""

    def plain(value):
        if isinstance(value, Mapping):
            return sorted((str(k), plain(v)) for k, v in value.items())
        return getattr(value, "__qualname__", None) or repr(value)

    text = repr((repr(model), model.parameters, plain(options)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _opened(what, store, table) -> xr.Dataset:
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
            f"{what}: the store {store} holds fits of {found.attrs.get('model', 'another kind')}"
            " with other settings; give another path, or the settings of the store"
        )
    held, given = found[BASIN].values.tolist(), table[BASIN].values.tolist()
    if held != given:
        raise ValueError(
            f"{what}: the store {store} is of {len(held)} basins, and {len(given)} are given, "
            "or in another order; give another path, or the basins of the store"
        )
    for name in table.data_vars:
        table[name].values[:] = found[name].values
    return table


def _write(store, table, i) -> None:
    """Write one row; its record's hash comes last, and says that the row is complete."""
    row = table.isel({BASIN: slice(i, i + 1)}).drop_vars(list(table.coords))
    region = {BASIN: slice(i, i + 1)}
    for part in (row.drop_vars("record"), row[["record"]]):
        part.to_zarr(store, region=region, consolidated=False)
