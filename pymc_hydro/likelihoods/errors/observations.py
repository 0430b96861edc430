"""Observations in a PyMC model: their positions on the time axis, and their values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.graph.traversal import ancestors
from pytensor.scalar import identity as identity_of_scalars
from pytensor.tensor.subtensor import Subtensor

from pymc_hydro.data.means import Means, complete_intervals
from pymc_hydro.data.observations import LABELLED, as_floats, check_output_unit, observed_on
from pymc_hydro.data.schema import VARIABLES
from pymc_hydro.likelihoods.errors.autoregression import APART
from pymc_hydro.likelihoods.errors.nodes import IntervalMeans, ObservedValues, nodes_of
from pymc_hydro.losses.axis import (
    INTERVAL,
    MEMBER,
    TIME,
    Axis,
    axis_of,
    claim_dim,
    dim_dates,
    length_of,
)

__all__ = [
    "OWN_TIME",
    "Observations",
    "likelihoods_of",
    "observe",
    "on_time",
    "simulated_unit",
    "update_observations",
]

# Data variables and dimensions of a likelihood: its name, and an ending.
POSITION, DATA, PREVIOUS, ORDER = "_position", "_observed", "_previous", "_order"
INTERVALS = "_intervals"
OWN_TIME = f"_{TIME}"
AXIS = "simulation after its warm-up"
OTHER_NAME = "rename that dimension, or give the likelihood another name"


@dataclass(frozen=True)
class Observations:
    """Observations of a series in a PyMC model.

    Attributes
    ----------
    at : TensorVariable, shape (n_observation,)
        Simulated values there.
    data : TensorVariable, shape (n_observation,)
        The observations.
    position : TensorVariable, shape (n_observation,)
        Their intervals.
    previous : TensorVariable, shape (n_observation, n), or None
        The likelihood's own data of each observation, such as its predecessors.
    dim : str
        Their dimension.
    simulated : TensorVariable, shape (n_time,)
        All simulated values: as given, or their means over the intervals of `ph.means`.
    """

    at: Any
    data: Any
    position: Any
    previous: Any
    dim: str
    simulated: Any


def observe(
    name: str,
    simulated: Any,
    observed: Any,
    *,
    check: Callable | None = None,
    previous: Callable | None = None,
) -> Observations:
    """Register the observations of a series and return the simulated values at them.

    Parameters
    ----------
    name : str
        Name of the likelihood.
    simulated : TensorVariable, shape (n_time,)
    observed : DataArray or Series on time, array_like, shape (n_time,), or Means
        NaN where missing. Labelled data are matched by their dates to the time axis of
        `simulated`; an array must have its length. With several basins a mapping of basin to such
        a series. `simulated` is averaged over the intervals of ``ph.means(series, offset)``.
    check : callable, optional
        Is given the series, NaN where missing, now and whenever it is replaced.
    previous : callable, optional
        From positions and observations to the likelihood's own data of each observation, such as
        its predecessors, shape (n_observation, n).

    Returns
    -------
    Observations

    Raises
    ------
    ValueError
        If the observations have no place on the time axis of `simulated`.
    """
    model = pm.modelcontext(None)
    axis = axis_of(model, simulated)
    quantity = _quantity(simulated, axis)
    if quantity is None:
        _check_units(name, observed, simulated, axis)
    n_time = length_of(simulated)
    if isinstance(observed, Means):
        simulated, axis, observed = _averaged(name, simulated, observed, axis, n_time)
        n_time = axis.dates.size
    series = _aligned(name, observed, axis, n_time, quantity)
    if check is not None:
        check(series)
    there = np.flatnonzero(np.isfinite(series))
    dim = model.name_for(name + OWN_TIME)
    labels = there if axis.dates is None else axis.dates[there]
    claim_dim(model, dim, labels, OTHER_NAME)
    coords = None if axis.dates is None else {dim: labels}
    position = pm.Data(name + POSITION, there, dims=dim, coords=coords)
    data = pm.Data(name + DATA, series[there], dims=dim)
    before = None
    if previous is not None:
        places = previous(_apart(there, axis), series[there])
        order = model.name_for(name + ORDER)
        coords = {order: np.arange(places.shape[1])}
        claim_dim(model, order, coords[order], OTHER_NAME)
        before = pm.Data(name + PREVIOUS, places, dims=(dim, order), coords=coords)
    first = next(iter(observed.values())) if _by_basin(observed) else observed
    source = getattr(first, "name", None)
    node = ObservedValues(model.name_for(name), source, quantity, check, previous)
    # A copy: PyTensor vectorises the size of a random variable, which is the length of the
    # positions, only if the graph does not read them themselves.
    at, position = node.make_node(simulated, pt.tensor_copy(position), data).outputs
    return Observations(at, data, position, before, dim, simulated)


def update_observations(
    model: pm.Model, record: Mapping, observed: Mapping, prefix: str
) -> dict[str, tuple]:
    """Return the data that replace the observations of likelihoods on a time axis.

    The model's time axis must have been replaced before.

    Parameters
    ----------
    model : pm.Model
    record : mapping of name to series
        Where observations are looked up under the name of the series that was observed first.
        If no likelihood finds any, none has observations from now on.
    observed : mapping of likelihood to series or None
        Goes before `record`; None where there are no observations.
    prefix : str
        Of the time axis.

    Returns
    -------
    dict of str to (array, dict of str to array)
        New values of data variables, and coordinates.

    Raises
    ------
    ValueError
        If the observations do not fit the new time axis, or only some likelihoods have any.
    """
    found = {}
    for name, node in likelihoods_of(model).items():
        axis = axis_of(model, _fine(node))
        if axis.dim == prefix + TIME:
            found[name] = axis, node, _given(name, node.op.series, observed, record)
    missing = [n for n, (_, _, given) in found.items() if given is None and n not in observed]
    if missing and len(missing) < len(found):
        series = found[missing[0]][1].op.series
        raise ValueError(
            f"set_basin: no new observations for {missing[0]!r}: "
            + (f"the record has no {series!r}" if series else "its first ones had no name")
            + f"; give observed={{{missing[0]!r}: series}}, or None where there are none"
        )
    replaced: dict[str, tuple] = {}
    for name, (axis, node, given) in found.items():
        op = node.op
        if _is_averaged(node):
            axis, positions, given = _new_intervals(model, name, node, axis, given)
            coords = {axis.dim: axis.dates, name + MEMBER: np.arange(positions.shape[1])}
            replaced[name + INTERVALS] = positions, coords
        if given is None:
            series = np.full(axis.known_dates.size, np.nan)
        else:
            if op.quantity is None:
                _check_units(name, given, _fine(node), axis)
            series = _aligned(name, given, axis, None, op.quantity)
            if op.check is not None:
                op.check(series)
        there = np.flatnonzero(np.isfinite(series))
        arrays = {POSITION: there, DATA: series[there]}
        if op.previous is not None:
            places = op.previous(_apart(there, axis), series[there])
            n_column = model[name + PREVIOUS].get_value(borrow=True).shape[1]
            arrays[PREVIOUS] = places.reshape(-1, n_column)
        coords = {name + OWN_TIME: axis.known_dates[there]}
        replaced |= {name + ending: (array, coords) for ending, array in arrays.items()}
    return replaced


def _fine(node):
    """Return the simulated series of a likelihood before it was averaged."""
    simulated = node.inputs[0]
    return simulated.owner.inputs[0] if _is_averaged(node) else simulated


def _is_averaged(node) -> bool:
    owner = node.inputs[0].owner
    return owner is not None and isinstance(owner.op, IntervalMeans)


def _averaged(name, simulated, observed: Means, axis: Axis, n_time):
    """Return means of a simulated series, their axis, and the observations on it."""
    if axis.dates is None or axis.basins is not None:
        what = "no dates" if axis.dates is None else "several basins"
        raise ValueError(
            f"{name}: observed are means over {observed.offset!r}, for which the model needs one "
            f"basin with dates, but it has {what}; place a likelihood for each basin in a "
            "sub-model of its own"
        )
    _check_simulated(name, axis, n_time)
    model = pm.modelcontext(None)
    series, dates, positions = observed.on(name, axis.dates, AXIS)
    dim, member = model.name_for(name + INTERVAL), model.name_for(name + MEMBER)
    coords = {dim: dates, member: np.arange(positions.shape[1])}
    for d, labels in coords.items():
        claim_dim(model, d, labels, OTHER_NAME)
    data = pm.Data(name + INTERVALS, positions, dims=(dim, member), coords=coords)
    return IntervalMeans(observed.offset)(simulated, data), Axis(dim, dates, None), series


def _new_intervals(model, name, node, axis: Axis, given):
    """Return the axis of means on a new time axis, their positions, and the observed series."""
    offset, dim = node.inputs[0].owner.op.offset, name + INTERVAL
    if given is not None and (not isinstance(given, Means) or given.offset != offset):
        found = "no ph.means" if not isinstance(given, Means) else f"ph.means of {given.offset!r}"
        raise ValueError(
            f"set_basin: {name!r} was placed with means over {offset!r}, its new observations are "
            f"{found}; give observed={{{name!r}: ph.means(series, {offset!r})}}, or None where "
            "there are none"
        )
    what, time = f"set_basin: {name}", axis.dates
    if given is None:
        dates, positions = complete_intervals(what, offset, dim_dates(model, dim)[0], time, AXIS)
    else:
        given, dates, positions = given.on(what, time, AXIS)
    return Axis(dim, dates, None), positions, given


def likelihoods_of(model: pm.Model) -> dict:
    """Return the node of each likelihood that was given observations, by name."""
    return {node.op.name: node for node in nodes_of(model, ObservedValues)}


def on_time(name: str, values, simulated):
    """Return labelled values on the time axis of a simulated variable, others as they are."""
    if not (isinstance(values, LABELLED) or _by_basin(values)):
        return values
    return _aligned(name, values, axis_of(pm.modelcontext(None), simulated), None, None)


def _given(name, series, observed, record):
    """Return the new observations of a likelihood, None where there are none."""
    if name in observed:
        return observed[name]
    found = record.get(series) if series is not None else None
    parts = list(found.values()) if _by_basin(found) else [found]
    if found is None or not any(np.isfinite(as_floats(part)).any() for part in parts):
        return None
    return found


def _apart(position, axis: Axis) -> np.ndarray:
    """Return positions among which the positions of different basins are far apart."""
    if axis.basins is None:
        return position
    starts = [part.start for part in axis.basins.values()]
    return position + APART * (np.searchsorted(starts, position, side="right") - 1)


def _by_basin(observed) -> bool:
    return isinstance(observed, Mapping) and not isinstance(observed, xr.Dataset)


def _quantity(simulated, axis: Axis) -> str | None:
    """Return the variable of the schema that is simulated; None if unknown, or transformed."""
    return _output_name(simulated, axis, VARIABLES)


def simulated_unit(simulated: Any, axis: Axis) -> str | None:
    """Return the unit of an output of a simulation; None if unknown, or transformed."""
    ops = [v.owner.op for v in ancestors([simulated]) if v.owner is not None]
    models = [op.problem.model for op in ops if hasattr(op, "problem")]
    outputs = {name: output for m in models for name, output in m.output_table.items()}
    name = _output_name(simulated, axis, outputs)
    return None if name is None else outputs[name].unit


def _output_name(simulated, axis: Axis, known) -> str | None:
    """Return the name of a variable, or of the variable it is a part of, if it is among `known`."""
    prefix = "" if axis.dim is None else axis.dim.removesuffix(TIME)
    while (simulated.name or "").removeprefix(prefix) not in known:
        node = simulated.owner
        identity = node is not None and getattr(node.op, "scalar_op", None) == identity_of_scalars
        if not (identity or (node is not None and isinstance(node.op, Subtensor))):
            return None
        simulated = node.inputs[0]
    return simulated.name.removeprefix(prefix)


def _check_units(name, observed, simulated, axis: Axis) -> None:
    """Raise ValueError if observations of a store or a flux have another unit than the output."""
    unit = simulated_unit(simulated, axis)
    for series in observed.values() if _by_basin(observed) else [observed]:
        check_output_unit(name, series.series if isinstance(series, Means) else series, unit)


def _check_simulated(name, axis: Axis, n_time) -> None:
    """Raise ValueError if a simulated variable has not the length of its time axis."""
    if axis.dates is not None and n_time not in (None, len(axis.dates)):
        raise ValueError(
            f"{name}: the simulated variable has {n_time} values, but its time axis "
            f"{axis.dim!r} has {len(axis.dates)} dates; give the simulation as it comes from "
            "ph.discharge, or rename the model's own dimension"
        )


def _aligned(name, observed, axis: Axis, n_time, quantity) -> np.ndarray:
    """Return observations on a time axis, NaN where missing.

    A model without dates knows the length from the simulation, if at all.
    """
    time, slices = axis.dates, axis.basins
    _check_simulated(name, axis, n_time)
    found = list(observed.values()) if _by_basin(observed) else [observed]
    means = [x for x in found if isinstance(x, Means)]
    if means:
        where = "the model has several basins" if slices else "it was placed without ph.means"
        raise ValueError(
            f"{name}: observed are means over {means[0].offset!r}, but {where}; give ph.means when "
            "the likelihood is placed, for one basin"
        )
    if slices is None and _by_basin(observed):
        raise ValueError(f"{name}: observed is a mapping, but the model has one basin")
    if slices is None or not (_by_basin(observed) or isinstance(observed, LABELLED)):
        return observed_on(name, observed, time, AXIS, n_time, quantity=quantity)
    if not _by_basin(observed) or set(observed) != set(slices):
        given = list(observed) if _by_basin(observed) else f"one {type(observed).__name__}"
        raise ValueError(
            f"{name}: observed must be a mapping with a series for each of the basins "
            f"{', '.join(map(str, slices))}, found {given}"
        )
    parts = [
        observed_on(
            f"{name}: basin {b!r}", observed[b], axis.known_dates[s], AXIS, quantity=quantity
        )
        for b, s in slices.items()
    ]
    return np.concatenate(parts)
