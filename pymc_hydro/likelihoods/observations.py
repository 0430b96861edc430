"""Observations in a PyMC model: where they are, and what was measured there."""

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

__all__ = ["observe", "update_observations"]

POSITION, DATA, TIME = "_position", "_observed", "_time"  # what a likelihood's name is put before
MODEL_TIME = "time"
# By model: the name of the series (such as "discharge") that each likelihood was given.
_SOURCES: WeakKeyDictionary = WeakKeyDictionary()


def observe(name: str, simulated, observed):
    """Register the observations of a series and return the simulated values at them.

    Parameters
    ----------
    name : str
        Name of the likelihood.
    simulated : TensorVariable, shape (n_time,)
    observed : DataArray or Series on time, or array_like, shape (n_time,)
        NaN where missing. Labelled data are matched to the model's coordinate ``time``; an array
        must have its length.

    Returns
    -------
    tuple
        Simulated values at the observations, the observations (``pm.Data``) and their dimension.
    """
    model = pm.modelcontext(None)
    series = _aligned(name, observed, model)
    _SOURCES.setdefault(model, {})[name] = getattr(observed, "name", None)
    there = np.flatnonzero(np.isfinite(series))
    coords = None
    if MODEL_TIME in model.coords:
        coords = {name + TIME: np.asarray(model.coords[MODEL_TIME])[there]}
    position = pm.Data(name + POSITION, there, dims=name + TIME, coords=coords)
    data = pm.Data(name + DATA, series[there], dims=name + TIME)
    return simulated[position], data, name + TIME


def update_observations(model: pm.Model, basin, observed: Mapping | None = None) -> None:
    """Replace the observations of every likelihood, after the model's time axis was replaced.

    Parameters
    ----------
    model : pm.Model
    basin : Dataset
        Where observations are looked up under the name of the series that was observed first.
    observed : mapping of likelihood to series, optional
        Goes before `basin`.

    Raises
    ------
    ValueError
        If there is nothing to replace the observations of a likelihood by.
    """
    observed = observed or {}
    for name in observed_names(model):
        source = _SOURCES.get(model, {}).get(name)
        if name not in observed and (source is None or source not in basin):
            raise ValueError(
                f"set_basin: no new observations for {name!r}: "
                + (f"the record has no {source!r}" if source else "its first ones had no name")
                + f"; give observed={{{name!r}: series}}"
            )
        series = _aligned(name, observed.get(name, basin.get(source)), model)
        there = np.flatnonzero(np.isfinite(series))
        coords = {name + TIME: np.asarray(model.coords[MODEL_TIME])[there]}
        model.set_data(name + POSITION, there, coords=coords)
        model.set_data(name + DATA, series[there], coords=coords)


def observed_names(model: pm.Model) -> Sequence[str]:
    """Return the names of the likelihoods that were given observations."""
    known = [n.removesuffix(DATA) for n in model.named_vars if n.endswith(DATA)]
    return [n for n in known if n + POSITION in model.named_vars]


def _aligned(name, observed, model) -> np.ndarray:
    """Return observations on the model's time axis, NaN where missing."""
    time = model.coords.get(MODEL_TIME)
    if isinstance(observed, (pd.Series, xr.DataArray)) and time is not None:
        if isinstance(observed, xr.DataArray):
            observed = observed.to_series()
        expected = pd.DatetimeIndex(np.asarray(time))
        if not expected.isin(observed.index).any():
            raise ValueError(
                f"{name}: observations ({observed.index[0]} to {observed.index[-1]}) and "
                f"simulation ({expected[0]} to {expected[-1]}, after the warm-up) do not overlap"
            )
        values = observed.reindex(expected).to_numpy(dtype=float)
    else:
        values = np.asarray(observed, dtype=float)
        if values.ndim != 1 or (time is not None and values.size != len(time)):
            raise ValueError(
                f"{name}: observed has shape {values.shape}, expected ({len(time or ())},), one "
                "value for each interval after the warm-up; leave the warm-up out, or give a "
                "DataArray or Series with dates"
            )
    if np.isinf(values).any():
        raise ValueError(f"{name}: observed has infinite values; write missing ones as NaN")
    if not np.isfinite(values).any():
        raise ValueError(f"{name}: all observations are missing")
    return values
