"""The PyMC model of the second stage: the simulation of the first with another error model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pymc.model.fgraph import fgraph_from_model, model_from_fgraph
from pytensor.graph.traversal import ancestors

from pymc_hydro.inference.forcing import KEPT_DATA, RECORD_DATA, simulated_records
from pymc_hydro.likelihoods.errors.observations import likelihoods_of
from pymc_hydro.losses.axis import (
    BASIN,
    BASIN_INDEX,
    TIME,
    axis_of,
    length_of,
    value_of,
)

__all__ = ["second_model"]


def second_model(
    model: pm.Model, name: str, likelihood: Callable, options: dict[str, Any]
) -> tuple[pm.Model, Any]:
    """Return a copy of a model with another likelihood in place of one, and without all others.

    It shares with the first model the graph of the simulated series, and the record.

    Parameters
    ----------
    model : pm.Model
        It is not changed.
    name : str
        Of the likelihood, which was given observations.
    likelihood : callable
        With the arguments of ``ph.likelihoods.Normal``.
    options : dict
        Further arguments; callables are called inside the new model.

    Returns
    -------
    tuple of pm.Model and TensorVariable
        The new model and its simulated series.
    """
    node = likelihoods_of(model)[name]
    observed = _observed(model, node)
    known = ancestors([node.inputs[0]])
    kept = {v.name for v in known if v.name in model.named_vars} | _record_names(model)
    dims = {d for v in kept for d in model.named_vars_to_dims.get(v) or ()}
    dims |= {record.prefix + BASIN for record in simulated_records(model)}
    graph, copies = fgraph_from_model(model)
    graph.add_output(copies[node.inputs[0]], reason="second_model")
    outputs = {copies[model[variable]] for variable in kept}
    for i, output in reversed(list(enumerate(graph.outputs[:-1]))):
        if output not in outputs:
            graph.remove_output(i)
    graph._coords = {d: c for d, c in graph._coords.items() if d in dims}
    graph._dim_lengths = {d: n for d, n in graph._dim_lengths.items() if d in dims}
    second = model_from_fgraph(graph, mutate_fgraph=True)
    simulated = graph.outputs[-1]
    with second:
        given = {k: v() if callable(v) else v for k, v in options.items()}
        likelihood(name, simulated, observed=observed, **given)
    return second, simulated


def _record_names(model: pm.Model) -> set[str]:
    """Return the names of the data that tell intervals and basins of all records."""
    prefixes = [record.prefix for record in simulated_records(model)]
    endings = KEPT_DATA, RECORD_DATA, BASIN_INDEX
    return {prefix + ending for prefix in prefixes for ending in endings} & set(model.named_vars)


def _observed(model: pm.Model, node: Any) -> Any:
    """Return the observations of a likelihood on its time axis, NaN where missing."""
    simulated, position, data = (node.inputs[0], *(value_of(v) for v in node.inputs[1:]))
    axis = axis_of(model, simulated)
    if axis.dates is None:
        values = np.full(length_of(simulated) or position.max() + 1, np.nan)
        values[position] = data
        return values
    values = np.full(axis.dates.size, np.nan)
    values[position] = data
    series = xr.DataArray(values, {TIME: axis.dates}, (TIME,), name=node.op.series)
    if axis.basins is None:
        return series
    return {basin: series[part] for basin, part in axis.basins.items()}
