"""Calibrations of all basins of a folder, on threads, processes or a cluster of Dask."""

import importlib
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.calibration import Calibration
from pymc_hydro.calibration.basins.each import PLACE, calibrate_each, find_place
from pymc_hydro.calibration.space import separated_bounds
from pymc_hydro.command.settings import UsageError
from pymc_hydro.command.source import load_data
from pymc_hydro.command.steps import check_loss, chosen_model
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data import as_basin
from pymc_hydro.data.schema import check_warmup

__all__ = ["add_places", "calibrate_folder", "open_executor"]


def calibrate_folder(
    settings: dict,
    basins: str,
    executor: str,
    output: Path,
    say: Callable[[str], object] = print,
) -> xr.Dataset:
    """Calibrate basins of a folder into a Zarr store; one that is there is continued.

    Parameters
    ----------
    settings : dict
        From ``read_settings``.
    basins : str
        "all", or names with commas.
    executor : str
        As of :func:`open_executor`.
    output : Path
    say : callable

    Raises
    ------
    UsageError
        If a name or the executor is unknown, the folder holds no basins, or zarr is not installed.
    """
    try:
        importlib.import_module("zarr")
    except ImportError:
        raise UsageError("many basins need zarr: pip install 'pymc-hydro[cluster]'") from None
    data = settings["data"]
    if data["gauge"] is not None or data["discharge"]:
        raise UsageError("--basins reads each basin by itself; leave --gauge and --discharge out")
    records = _records(data, basins)
    chosen = settings["calibrate"]
    check_loss(chosen["loss"])
    model = chosen_model(settings, _first_readable(records), say)
    options = {
        "loss": chosen["loss"],
        "starts": chosen["starts"],
        "random_seed": chosen["seed"],
        "warmup": settings["period"]["warmup"],
        "bounds": separated_bounds(model),
        "split": settings["period"]["split"],
    }
    say(f"Calibrating {type(model).__name__} on {len(records)} basins into {output} ...")
    with open_executor(executor) as workers:
        table = calibrate_each(
            _calibrate_before, model, records, options,
            executor=workers, store=output, progressbar=True,
        )  # fmt: skip
    done = table["status"].values == 1
    say(f"{done.sum()} calibrated, {(~done).sum()} failed, median {chosen['loss']}:")
    for name in ("score", "validation_score"):
        if np.isfinite(table[name]).any():
            say(f"  {name}: {float(table[name].median()):.3f}")
    for name in table["basin"].values[~done][:5]:
        say(f"  {name}: {table['message'].sel(basin=name).item()}")
    return table


def _records(data: dict, basins: str) -> dict[Hashable, Callable]:
    """Return functions that read the basins of a folder, by name."""
    source = data["source"]
    if not Path(source).is_dir():
        raise UsageError(f"{source}: --basins needs a folder; one basin needs no --basins")
    found = ph.scan(source)
    if data["reader"] is not None:
        found = found[found["reader"] == data["reader"]]
    records: dict[Hashable, Callable] = {}
    for row in found.itertuples():
        path, options = source, data["options"]
        name = row.gauge
        if not name:  # a table of its own
            path, name = str(Path(source) / row.path), Path(row.path).stem
        records.setdefault(
            name, partial(load_data, path, row.gauge or None, data["reader"], dict(options))
        )
    if not records:
        raise UsageError(f"{source}: holds no basins that are recognised; see 'pymc-hydro data'")
    if basins == "all":
        return records
    names = [name.strip() for name in basins.split(",")]
    if missing := [name for name in names if name not in records]:
        raise UsageError(
            f"--basins: {source} has no {', '.join(missing)}; 'pymc-hydro data {source}' lists them"
        )
    return {name: records[name] for name in names}


def _first_readable(records: dict[Hashable, Callable]) -> xr.Dataset | None:
    """Return the first record that can be read: all basins of a table have one model."""
    for read in records.values():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a basin's own calibration tells
            with suppress(Exception):
                return read()
    return None


def _calibrate_before(
    model: AbstractModel, record: xr.Dataset, *, split: str | None, warmup: Any, **options: Any
) -> Calibration:
    """Calibrate a basin before a date, if one is given, and score it from then on."""
    record = as_basin(record, model.forcing_names)
    if split is not None:
        time = record["time"].values
        first, last = time[check_warmup(warmup, time)], time[time < np.datetime64(split)][-1:]
        if not last.size or first >= last[0]:
            raise ValueError(f"the record begins {str(time[0])[:10]}, too late for {split}")
        options |= {"period": (first, last[0]), "validation": (split, None)}
    return ph.calibrate(model, record, warmup=warmup, **options)


@contextmanager
def open_executor(text: str) -> Iterator[Any]:
    """Yield the executor that a word stands for.

    Parameters
    ----------
    text : str
        "threads" or "processes", with a number as in "processes:4"; "dask" for a cluster of this
        machine, "dask://host:port" for the scheduler of another one.

    Raises
    ------
    UsageError
        If it is none of them, or Dask is not installed.
    """
    kind, _, rest = text.partition(":")
    if kind == "dask":
        try:
            from distributed import Client
        except ImportError:
            raise UsageError("--executor dask: pip install 'pymc-hydro[cluster]'") from None
        with Client(f"tcp:{rest}" if rest else None) as client:
            yield client.get_executor()
        return
    if kind not in ("threads", "processes") or (rest and not rest.isdigit()) or rest == "0":
        raise UsageError(
            f"--executor: expected threads, processes, processes:4, dask or dask://host:port, "
            f"found {text!r}"
        )
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from multiprocessing import get_context

    workers = int(rest) if rest else None
    if kind == "threads":
        with ThreadPoolExecutor(workers) as pool:
            yield pool
    else:  # forked children would take over the locks of threads
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            yield pool


def add_places(store: Path, places: Path) -> None:
    """Write latitude and longitude of a table of places into a store.

    Raises
    ------
    UsageError
        If the table has no columns of these names.
    """
    table = pd.read_csv(places, dtype={0: str})
    table = table.set_index(table.columns[0])
    table.index = table.index.astype(str)
    found, columns = find_place(table.columns), {}
    for name in PLACE:
        if name not in found:
            raise UsageError(
                f"{places}: has no column {name}; the first column is the basin's name"
            )
        columns[name] = table[found[name]]
    fits = xr.open_zarr(store, consolidated=False).load()
    names = fits["basin"].values.astype(str)
    for name, column in columns.items():
        known = fits[name].values
        fits[name].values[:] = np.where(np.isin(names, column.index), column.reindex(names), known)
    fits[list(columns)].drop_vars(list(fits.coords), errors="ignore").to_zarr(
        store, mode="r+", consolidated=False
    )
