"""The forcing of a basin, or of several, as data of a PyMC model.

Data variables and dimensions of a simulation begin with one prefix: the name of the PyMC model,
where it has one (``A::``), and the prefix of the call (``hbv_``). Below it stand

* ``forcing`` on (``forcing_time``, ``forcing_variable``); where the name is taken ``forcing_2``
  on (``forcing_time``, ``forcing_variable_2``), and so on;
* ``kept_intervals`` on ``time``, the intervals after the warm-up, which holds their dates;
* with several basins ``forcing_basin`` on ``forcing_time`` and ``basin_index`` on ``time``, and
  the dimension ``basin``.

:func:`simulated_records` finds all these data from the names and dimensions of the model.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from pymc_hydro.core.base.dims import FORCING
from pymc_hydro.data.records import are_basins, as_basins
from pymc_hydro.data.schema import Warmup, as_basin, check_warmup, interval_length
from pymc_hydro.losses.axis import (
    BASIN,
    BASIN_INDEX,
    FORCING_TIME,
    TIME,
    claim_dim,
    dim_dates,
    value_of,
)

__all__ = [
    "FORCING_DATA",
    "KEPT_DATA",
    "RECORD_DATA",
    "Record",
    "SimulatedRecord",
    "as_records",
    "place_forcing",
    "record_data",
    "record_interval",
    "simulated_records",
]

OTHER_NAME = (
    "rename that dimension, or give ph.discharge a prefix= (and with a second record one of its "
    "own)"
)
FORCING_DATA, RECORD_DATA, KEPT_DATA = "forcing", "forcing_basin", "kept_intervals"
Record = xr.Dataset | pd.DataFrame


@dataclass(frozen=True)
class SimulatedRecord:
    """The data of a PyMC model that belong to one record, or to several basins together.

    Attributes
    ----------
    prefix : str
    forcing : dict of str to (str, tuple of str)
        By data variable: its dimension of columns, and the names of the columns. Several model
        structures that read different columns of one record have a variable each.
    dates : array of datetime64
        Of all intervals, with the warm-up.
    warmup : int
        In intervals.
    basins : tuple or None
        Names of the basins; None for a single one.
    """

    prefix: str
    forcing: dict[str, tuple[str, tuple[str, ...]]]
    dates: np.ndarray
    warmup: int
    basins: tuple | None


def as_records(basin, needed: Sequence[str]) -> dict[Hashable, xr.Dataset]:
    """Return checked records by basin; a single one has the name None."""
    return as_basins(basin, needed) if are_basins(basin) else {None: as_basin(basin, needed)}


def record_interval(basins: Mapping[Hashable, xr.Dataset]) -> float:
    """Return the length of the intervals of checked records, in days."""
    return interval_length(next(iter(basins.values())))


def record_data(
    basins: Mapping[Hashable, xr.Dataset], warmup: Warmup, prefix: str
) -> tuple[dict, dict]:
    """Return coordinates by dimension and (dimension, array) by data variable, forcing apart.

    Raises
    ------
    ValueError
        If the warm-up leaves nothing of a record.
    """
    several = None not in basins
    time, kept, record, start = [], [], [], 0
    for i, (name, basin) in enumerate(basins.items()):
        n_time = basin.sizes[TIME]
        try:
            n_warmup = check_warmup(warmup, basin[TIME].values)
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}" if several else str(error)) from None
        time.append(basin[TIME].values)
        kept.append(np.arange(start + n_warmup, start + n_time))
        record.append(np.full(n_time, i))
        start += n_time
    dates, intervals, index = map(np.concatenate, (time, kept, record))
    coords = {prefix + FORCING_TIME: dates, prefix + TIME: dates[intervals]}
    arrays = {prefix + KEPT_DATA: (prefix + TIME, intervals)}
    if several:
        coords[prefix + BASIN] = list(basins)
        arrays[prefix + RECORD_DATA] = (prefix + FORCING_TIME, index)
        arrays[prefix + BASIN_INDEX] = (prefix + TIME, index[intervals])
    return coords, arrays


def forcing_columns(basins: Mapping[Hashable, xr.Dataset], names: Sequence[str]) -> np.ndarray:
    """Return the forcing of records one after another, shape (n_time, n_forcing)."""
    return np.concatenate([np.column_stack([b[n].values for n in names]) for b in basins.values()])


def place_forcing(
    pymc_model: pm.Model,
    names: Sequence[str],
    basins: Mapping[Hashable, xr.Dataset],
    warmup: Warmup,
    prefix: str = "",
) -> tuple[Any, Any, Any]:
    """Return forcing, record and kept intervals as data of the PyMC model.

    Data that the model holds already are used again. Of a single basin the record is None and the
    kept intervals are a slice.

    Parameters
    ----------
    pymc_model : pm.Model
    names : sequence of str
        Columns of the forcing.
    basins : mapping of name to Dataset
        From :func:`as_records`.
    warmup : int or duration
    prefix : str
        Of this simulation; the name of the PyMC model is put before it.

    Raises
    ------
    ValueError
        If the model has a dimension of the same name with other values.
    """
    whole = full_prefix(pymc_model, prefix)
    coords, arrays = record_data(basins, warmup, whole)
    for dim, values in coords.items():
        claim_dim(pymc_model, dim, values, OTHER_NAME)
    forcing = _place_matrix(pymc_model, names, forcing_columns(basins, names), whole, coords)
    for name, (dim, array) in arrays.items():
        held = pymc_model.named_vars.get(name)
        if held is None:
            pm.Data(name, array, dims=dim, coords={dim: coords[dim]})
        elif not _holds(held, array):
            raise ValueError(
                f"the PyMC model has a variable {name!r} with other values; give ph.discharge a "
                "prefix=, or rename yours"
            )
    if whole + BASIN in coords:
        if whole + BASIN not in pymc_model.coords:
            pymc_model.add_coord(whole + BASIN, coords[whole + BASIN])
        return forcing, pymc_model[whole + RECORD_DATA], pymc_model[whole + KEPT_DATA]
    n_warmup = coords[whole + FORCING_TIME].size - coords[whole + TIME].size
    return forcing, None, slice(n_warmup, None)


def full_prefix(pymc_model: pm.Model, prefix: str) -> str:
    """Return the beginning of the names of a simulation: the PyMC model's name and a prefix."""
    return pymc_model.name_for(f"{prefix}_{TIME}" if prefix else TIME).removesuffix(TIME)


def simulated_records(pymc_model: pm.Model) -> Iterator[SimulatedRecord]:
    """Yield the records that a PyMC model, or a sub-model, was built with."""
    found: dict[str, dict] = {}
    for name, dims in pymc_model.named_vars_to_dims.items():
        if len(dims) == 2 and (dims[0] or "").endswith(FORCING_TIME):
            prefix = dims[0].removesuffix(FORCING_TIME)
            columns = pymc_model.coords.get(dims[1])
            ours = prefix + KEPT_DATA in pymc_model.named_vars and columns is not None
            ours &= (dims[1] or "").startswith(prefix + FORCING)
            if ours and prefix.startswith(pymc_model.name_for("x").removesuffix("x")):
                found.setdefault(prefix, {})[name] = (dims[1], tuple(columns))
    for prefix, forcing in found.items():
        kept = value_of(pymc_model.named_vars[prefix + KEPT_DATA])
        several = prefix + RECORD_DATA in pymc_model.named_vars
        yield SimulatedRecord(
            prefix,
            forcing,
            dim_dates(pymc_model, prefix + FORCING_TIME),
            int(kept[0]),
            tuple(pymc_model.coords[prefix + BASIN]) if several else None,
        )


def _place_matrix(pymc_model, names, values, prefix, coords):
    """Return the data variable of a forcing; one that the model holds already is used again."""
    time, k = prefix + FORCING_TIME, 1
    while True:
        ending = f"_{k}" if k > 1 else ""
        own, dim = prefix + FORCING_DATA + ending, prefix + FORCING + ending
        held, columns = pymc_model.named_vars.get(own), pymc_model.coords.get(dim)
        if held is None and columns is None:
            coords = {time: coords[time], dim: list(names)}
            return pm.Data(own, values, dims=(time, dim), coords=coords)
        dims = tuple(pymc_model.named_vars_to_dims.get(own) or ())
        same = dims == (time, dim) and columns is not None and list(columns) == list(names)
        if same and _holds(held, values):
            return held
        k += 1


def _holds(variable, array) -> bool:
    value = value_of(variable)
    return value is not None and np.array_equal(value, array)
