"""The forcing of a basin, or of several, as data of a PyMC model, and its replacement."""

from collections.abc import Hashable, Mapping
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from pymc_hydro.core.base.dims import FORCING, FORCING_TIME, TIME
from pymc_hydro.data.records import BASIN, are_basins, as_basins
from pymc_hydro.data.schema import as_basin, check_warmup, interval_length
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.likelihoods.errors.observations import BASIN_INDEX, update_observations

__all__ = ["Record", "as_records", "prepare_forcing", "record_interval", "set_basin"]

FORCING_DATA, RECORD_DATA, KEPT_DATA = "forcing", "forcing_basin", "kept_intervals"
# The kept intervals hold the dimension "time" and its dates, to be replaced with the forcing.
DATA_DIMS = {
    FORCING_DATA: (FORCING_TIME, FORCING),
    RECORD_DATA: (FORCING_TIME,),
    KEPT_DATA: (TIME,),
    BASIN_INDEX: (TIME,),
}
Record = xr.Dataset | pd.DataFrame
# Which model, warm-up and interval a PyMC model's forcing was prepared for.
_PREPARED: WeakKeyDictionary = WeakKeyDictionary()


def set_basin(
    basin: Record | Mapping[Hashable, Record],
    pymc_model: pm.Model | None = None,
    observed: Mapping | None = None,
) -> None:
    """Put another record in place of the one a PyMC model was built with, of any length.

    Calls ``pm.set_data`` on everything that belongs to the basin: the forcing, the dates, and the
    observations of each likelihood, found in `basin` by name. The warm-up stays the same number of
    intervals, so let a validation record begin that much before the period to be judged.

    Parameters
    ----------
    basin : Dataset or DataFrame
        With the same interval length as the first one.
    pymc_model : pm.Model, optional
        The model in context if not given.
    observed : mapping of likelihood to DataArray, Series or array_like, optional
        New observations, where they are not in `basin` under the name they had.

    Raises
    ------
    ValueError, KeyError
        If the model holds no basin, the data do not fit, or observations are not found.
    """
    pymc_model = pm.modelcontext(pymc_model)
    if pymc_model not in _PREPARED:
        raise ValueError("set_basin: this PyMC model holds no basin; call ph.discharge in it first")
    model, warmup, dt, names = _PREPARED[pymc_model]
    basins = as_records(basin, model.forcing_names)
    if list(basins) != names:
        was, found = ("one basin" if None in n else f"basins {n}" for n in (names, list(basins)))
        raise ValueError(f"set_basin: the model was built for {was}, found {found}")
    if record_interval(basins) != dt:
        raise ValueError(
            f"set_basin: the interval is {record_interval(basins)} d, the model was built for "
            f"{dt} d"
        )
    time = next(iter(basins.values()))[TIME].values
    coords, arrays, _ = _data(model, basins, warmup * (time[1] - time[0]))
    before = {name: pymc_model[name].get_value() for name in arrays}
    coords_before = {dim: pymc_model.coords[dim] for dim in coords}

    def put(arrays, coords):
        for name, array in arrays.items():
            pymc_model.set_data(name, array, coords=coords)

    put(arrays, coords)
    try:
        update_observations(pymc_model, _series(basins, basin), observed)
    except Exception:
        put(before, coords_before)
        raise


def as_records(basin, needed) -> dict:
    """Return checked records by basin; a single one has the name None."""
    return as_basins(basin, needed) if are_basins(basin) else {None: as_basin(basin, needed)}


def record_interval(basins) -> float:
    """Return the length of the intervals of checked records, in days."""
    return interval_length(next(iter(basins.values())))


def _series(basins, given) -> dict:
    """Return each series of a record by name: by basin, where there are several."""
    found = {}
    for name, basin in basins.items():
        if name is None:
            record = given
        else:
            record = given.sel({BASIN: name}) if isinstance(given, xr.Dataset) else given[name]
        # Some are observed, but no part of the schema.
        found[name] = {**basin, **{k: record[k] for k in record if k not in basin}}
    first, *others = found.values()
    common = [k for k in first if all(k in other for other in others)]
    return found.get(None) or {k: {b: found[b][k] for b in basins} for k in common}


def _data(model, basins, warmup):
    """Return coordinates and data variables of the forcing of basins, and the warm-up's length."""
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
    time, kept, record = map(np.concatenate, (time, kept, record))
    forcing = np.concatenate([forcing_array(model, basin) for basin in basins.values()])
    coords = {FORCING_TIME: time, FORCING: list(model.forcing_names), TIME: time[kept]}
    arrays = {FORCING_DATA: forcing, KEPT_DATA: kept}
    if several:
        arrays |= {RECORD_DATA: record, BASIN_INDEX: record[kept]}
        coords[BASIN] = list(basins)
    return coords, arrays, n_warmup


def prepare_forcing(pymc_model, model, basins, warmup):
    """Return forcing, record and kept intervals as data of the PyMC model, registered once.

    Of a single basin the record is None and the intervals are a slice.
    """
    coords, arrays, warmup = _data(model, basins, warmup)
    wanted = coords.get(BASIN)
    if wanted and list(pymc_model.coords.get(BASIN, wanted)) != wanted:
        raise ValueError(
            f"the PyMC model's dimension 'basin' has {list(pymc_model.coords[BASIN])}, expected "
            f"the names of the basins: {wanted}"
        )
    if FORCING_DATA in pymc_model.named_vars:
        held = (pymc_model.named_vars.get(name) for name in arrays)
        same = [v is not None and np.array_equal(v.get_value(), arrays[v.name]) for v in held]
        if not (all(same) and _PREPARED.get(pymc_model, (None, None))[1] == warmup):
            raise ValueError(
                "this PyMC model already holds another forcing or warm-up; give several basins to "
                "one call, and use ph.set_basin to replace the record"
            )
    else:
        _PREPARED[pymc_model] = (model, warmup, record_interval(basins), list(basins))
        if wanted and BASIN not in pymc_model.coords:
            pymc_model.add_coord(BASIN, wanted)
        for name, array in arrays.items():
            dims = DATA_DIMS[name]
            pm.Data(name, array, dims=dims, coords={dim: coords[dim] for dim in dims})
    if wanted:
        return tuple(pymc_model[name] for name in (FORCING_DATA, RECORD_DATA, KEPT_DATA))
    return pymc_model[FORCING_DATA], None, slice(warmup, None)
