"""Observations in a PyMC model: where they are, and what was measured there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

__all__ = ["Observations", "observe", "update_observations"]

# What a likelihood's name is put before.
POSITION, DATA, TIME, PREVIOUS, ORDER = "_position", "_observed", "_time", "_previous", "_order"
MODEL_TIME = "time"


@dataclass(frozen=True)
class _Source:
    """What is needed to replace the observations of a likelihood.

    Attributes
    ----------
    series : str or None
        The name of the series that was observed first, such as ``discharge``.
    check : callable
        Is given the new series, NaN where missing; raises if the likelihood cannot have it.
    previous : callable or None
        From positions and observations to each one's predecessors.
    """

    series: str | None
    check: Callable
    previous: Callable | None


@dataclass(frozen=True)
class Observations:
    """Observations of a series in a PyMC model.

    Attributes
    ----------
    at : TensorVariable, shape (n_observation,)
        Simulated values there.
    data : TensorVariable, shape (n_observation,)
        What was observed.
    position : TensorVariable, shape (n_observation,)
        Their intervals.
    previous : TensorVariable, shape (n_observation, n), or None
        What a likelihood wants to know of each one's predecessors.
    dim : str
        Their dimension.
    """

    at: object
    data: object
    position: object
    previous: object
    dim: str


# By model and likelihood.
_SOURCES: WeakKeyDictionary = WeakKeyDictionary()


def observe(name: str, simulated, observed, *, check=None, previous=None) -> Observations:
    """Register the observations of a series and return the simulated values at them.

    Parameters
    ----------
    name : str
        Name of the likelihood.
    simulated : TensorVariable, shape (n_time,)
    observed : DataArray or Series on time, or array_like, shape (n_time,)
        NaN where missing. Labelled data are matched to the model's coordinate ``time``; an array
        must have its length.
    check : callable, optional
        Is given the series, NaN where missing, now and whenever it is replaced.
    previous : callable, optional
        From positions and observations to what the likelihood wants to know of each one's
        predecessors, integers of shape (n_observation, n).

    Returns
    -------
    Observations
    """
    model = pm.modelcontext(None)
    series = _aligned(name, observed, model)
    source = _Source(getattr(observed, "name", None), check or (lambda series: None), previous)
    source.check(series)
    _SOURCES.setdefault(model, {})[name] = source
    there = np.flatnonzero(np.isfinite(series))
    coords = None
    if MODEL_TIME in model.coords:
        coords = {name + TIME: np.asarray(model.coords[MODEL_TIME])[there]}
    position = pm.Data(name + POSITION, there, dims=name + TIME, coords=coords)
    data = pm.Data(name + DATA, series[there], dims=name + TIME)
    before = None
    if previous is not None:
        places = previous(there, series[there])
        orders = {name + ORDER: np.arange(places.shape[1])}
        before = pm.Data(name + PREVIOUS, places, dims=(name + TIME, name + ORDER), coords=orders)
    return Observations(simulated[position], data, position, before, name + TIME)


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
        source = _SOURCES[model][name]
        if name not in observed and (source.series is None or source.series not in basin):
            found = f"the record has no {source.series!r}"
            raise ValueError(
                f"set_basin: no new observations for {name!r}: "
                + (found if source.series else "its first ones had no name")
                + f"; give observed={{{name!r}: series}}"
            )
        series = _aligned(name, observed.get(name, basin.get(source.series)), model)
        source.check(series)
        there = np.flatnonzero(np.isfinite(series))
        coords = {name + TIME: np.asarray(model.coords[MODEL_TIME])[there]}
        model.set_data(name + POSITION, there, coords=coords)
        model.set_data(name + DATA, series[there], coords=coords)
        if source.previous is not None:
            model.set_data(name + PREVIOUS, source.previous(there, series[there]), coords=coords)


def observed_names(model: pm.Model) -> Sequence[str]:
    """Return the names of the likelihoods that were given observations."""
    return list(_SOURCES.get(model, {}))


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
