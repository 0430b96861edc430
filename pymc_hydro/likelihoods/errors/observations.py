"""Observations in a PyMC model: where they are, and what was measured there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pymc as pm
import xarray as xr
from pytensor.scalar import identity as identity_of_scalars
from pytensor.tensor.subtensor import Subtensor

from pymc_hydro.data.observations import LABELLED, observed_on
from pymc_hydro.data.schema import VARIABLES

__all__ = [
    "Observations",
    "basin_labels",
    "basin_slices",
    "observe",
    "on_time",
    "update_observations",
]

# What a likelihood's name is put before.
POSITION, DATA, TIME, PREVIOUS, ORDER = "_position", "_observed", "_time", "_previous", "_order"
MODEL_TIME = "time"
# Several basins in a model: the coordinate of their names, and the basin of each interval.
MODEL_BASIN, BASIN_INDEX = "basin", "basin_index"
AXIS = "simulation after its warm-up"
APART = 10**9  # intervals between two basins: no error of one is remembered in the next


@dataclass(frozen=True)
class _Source:
    """What is needed to replace the observations of a likelihood.

    Attributes
    ----------
    series : str or None
        The name of the series that was observed first, such as ``discharge``.
    quantity : str or None
        What is simulated, if it is known and as the model returns it.
    check : callable
        Is given the new series, NaN where missing; raises if the likelihood cannot have it.
    previous : callable or None
        From positions and observations to each one's predecessors.
    """

    series: str | None
    quantity: str | None
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
        What a likelihood wants to know of each one, such as its predecessors.
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
        must have its length. With several basins a mapping of basin to such a series.
    check : callable, optional
        Is given the series, NaN where missing, now and whenever it is replaced.
    previous : callable, optional
        From positions and observations to what the likelihood wants to know of each one, such as
        its predecessors, shape (n_observation, n).

    Returns
    -------
    Observations
    """
    model = pm.modelcontext(None)
    quantity = _quantity(simulated)
    series = _aligned(name, observed, model, simulated.type.shape[0], quantity)
    first = next(iter(observed.values())) if _by_basin(observed) else observed
    check = check or (lambda series: None)
    source = _Source(getattr(first, "name", None), quantity, check, previous)
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
        places = previous(_apart(there, model), series[there])
        orders = {name + ORDER: np.arange(places.shape[1])}
        before = pm.Data(name + PREVIOUS, places, dims=(name + TIME, name + ORDER), coords=orders)
    return Observations(simulated[position], data, position, before, name + TIME)


def update_observations(model: pm.Model, basin, observed: Mapping | None = None) -> None:
    """Replace the observations of every likelihood, after the model's time axis was replaced.

    Parameters
    ----------
    model : pm.Model
    basin : mapping of name to series
        Where observations are looked up under the name of the series that was observed first.
    observed : mapping of likelihood to series, optional
        Goes before `basin`.

    Raises
    ------
    KeyError
        If `observed` names no likelihood.
    ValueError
        If there is nothing to replace the observations of a likelihood by.
    """
    observed = observed or {}
    unknown = [name for name in observed if name not in observed_names(model)]
    if unknown:
        raise KeyError(
            f"set_basin: observed names {unknown}, which are no likelihoods of this model; known "
            f"are {', '.join(observed_names(model))}"
        )
    replaced = []
    for name in observed_names(model):
        source = _SOURCES[model][name]
        if name not in observed and (source.series is None or source.series not in basin):
            found = f"the record has no {source.series!r}"
            raise ValueError(
                f"set_basin: no new observations for {name!r}: "
                + (found if source.series else "its first ones had no name")
                + f"; give observed={{{name!r}: series}}"
            )
        new = observed.get(name, basin.get(source.series))
        series = _aligned(name, new, model, quantity=source.quantity)
        source.check(series)
        there = np.flatnonzero(np.isfinite(series))
        arrays = {POSITION: there, DATA: series[there]}
        if source.previous is not None:
            arrays[PREVIOUS] = source.previous(_apart(there, model), series[there])
        coords = {name + TIME: np.asarray(model.coords[MODEL_TIME])[there]}
        replaced += [(name + what, array, coords) for what, array in arrays.items()]
    for what, array, coords in replaced:  # now that all of them fit
        model.set_data(what, array, coords=coords)


def on_time(name: str, values):
    """Return labelled values on the time axis of the model in context, others as they are."""
    if not (isinstance(values, LABELLED) or _by_basin(values)):
        return values
    return _aligned(name, values, pm.modelcontext(None))


def observed_names(model: pm.Model) -> Sequence[str]:
    """Return the names of the likelihoods that were given observations."""
    return list(_SOURCES.get(model, {}))


def basin_slices(model: pm.Model) -> dict | None:
    """Return where the intervals of each basin are on the model's time axis; None for one basin."""
    if BASIN_INDEX not in model.named_vars:
        return None
    names = model.coords[MODEL_BASIN]
    bounds = np.searchsorted(model[BASIN_INDEX].get_value(), np.arange(len(names) + 1))
    return {n: slice(*bounds[i : i + 2]) for i, n in enumerate(names)}


def basin_labels(model: pm.Model, position=slice(None)) -> dict:
    """Return the coordinate ``basin`` of intervals, nothing for a model of one basin."""
    if BASIN_INDEX not in model.named_vars:
        return {}
    index = model[BASIN_INDEX].get_value()[position]
    return {MODEL_BASIN: (MODEL_TIME, np.asarray(model.coords[MODEL_BASIN])[index])}


def _apart(position, model) -> np.ndarray:
    """Return positions among which those of different basins are far apart."""
    if BASIN_INDEX not in model.named_vars:
        return position
    return position + APART * model[BASIN_INDEX].get_value()[position].astype(np.int64)


def _by_basin(observed) -> bool:
    return isinstance(observed, Mapping) and not isinstance(observed, xr.Dataset)


def _quantity(simulated) -> str | None:
    """Return the variable of the schema that is simulated; None if unknown, or transformed."""
    while simulated.name not in VARIABLES:
        node = simulated.owner
        identity = node is not None and getattr(node.op, "scalar_op", None) == identity_of_scalars
        if not (identity or (node is not None and isinstance(node.op, Subtensor))):
            return None
        simulated = node.inputs[0]
    return simulated.name


def _aligned(name, observed, model, n_time=None, quantity=None) -> np.ndarray:
    """Return observations on the model's time axis, NaN where missing.

    A model without the coordinate knows the length from the simulation, if at all.
    """
    time, slices = model.coords.get(MODEL_TIME), basin_slices(model)
    if slices is None and _by_basin(observed):
        raise ValueError(f"{name}: observed is a mapping, but the model has one basin")
    if slices is None or not (_by_basin(observed) or isinstance(observed, LABELLED)):
        return observed_on(name, observed, time, AXIS, n_time, quantity=quantity)
    if not _by_basin(observed) or set(observed) != set(slices):
        found = list(observed) if _by_basin(observed) else f"one {type(observed).__name__}"
        raise ValueError(
            f"{name}: observed must be a mapping with a series for each of the basins "
            f"{', '.join(map(str, slices))}, found {found}"
        )
    parts = [
        observed_on(f"{name}: basin {b!r}", observed[b], time[s], AXIS, quantity=quantity)
        for b, s in slices.items()
    ]
    return np.concatenate(parts)
