"""The parameters of a simulation: a vector, many draws, or a posterior, for each basin."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.core.base.dims import CHAIN, DRAW, SAMPLE, TIME
from pymc_hydro.core.base.names import check_keys
from pymc_hydro.core.domain import domain_of
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN

__all__ = ["Draws", "read_draws", "read_states"]

ROUNDING = 1e-6  # mm below zero, which an integration may leave of an empty store
DATA_TREE = getattr(xr, "DataTree", ())  # since xarray 2024.10


@dataclass(frozen=True)
class Draws:
    """Parameter vectors of each basin.

    Attributes
    ----------
    values : array, shape (n_vector, n_basin, n_parameter)
    sizes : dict of dimension to length
        Dimensions of the vectors, such as chain and draw; empty for a single vector.
    coords : dict of dimension to labels
        Labels of the dimensions that have any.
    """

    values: np.ndarray
    sizes: dict[str, int]
    coords: dict[str, np.ndarray]

    def place(self, v: int) -> str:
        """Return where a vector lies, as messages show it: ``"chain 1, draw 20, "``."""
        if not self.sizes:
            return ""
        position = np.unravel_index(v, tuple(self.sizes.values()))
        labels = {d: self.coords.get(d, range(n)) for d, n in self.sizes.items()}
        return "".join(f"{d} {labels[d][i]}, " for d, i in zip(self.sizes, position, strict=True))


def read_draws(model: AbstractModel, theta: Any, names: Sequence[Hashable | None]) -> Draws:
    """Return parameters in every form that ``ph.simulate`` takes.

    Parameters
    ----------
    model : AbstractModel
    theta
        As in :func:`pymc_hydro.simulate`.
    names : sequence
        Of the basins; ``[None]`` for a single one.

    Raises
    ------
    KeyError
        If a parameter is missing, or a name is unknown.
    ValueError
        If a shape does not fit, or basins have different numbers of draws.
    """
    by_basin = _dataset(theta) is None and isinstance(theta, Mapping) and set(theta) & set(names)
    if by_basin:
        check_keys(f"{type(model).__name__}: theta by basin", theta, names)
    found = [_of_basin(model, theta[name] if by_basin else theta, name) for name in names]
    shapes = {name: vectors.shape[:-1] for name, (vectors, _, _) in zip(names, found, strict=True)}
    if len(set(shapes.values())) > 1:
        text = ", ".join(f"{name!r} {shape or 'one'}" for name, shape in shapes.items())
        raise ValueError(
            f"{type(model).__name__}: theta must have as many draws in each basin, found {text}"
        )
    values = np.stack([vectors for vectors, _, _ in found], axis=-2)
    _, dims, coords = found[0]
    sizes = dict(zip(dims, values.shape[:-2], strict=True))
    return Draws(values.reshape(-1, *values.shape[-2:]), sizes, coords)


def read_states(
    model: AbstractModel, run: xr.Dataset, draws: Draws, begins: Mapping[Hashable | None, Any]
) -> np.ndarray:
    """Return the contents of the stores at the start, shape (n_vector, n_basin, n_state), in mm.

    Parameters
    ----------
    model : AbstractModel
    run : Dataset
        All stores, as of :func:`pymc_hydro.simulate`: of a series the contents at the end of the
        interval before the record. Dimensions of draws are the dimensions of `draws`, or absent.
    draws : Draws
    begins : mapping of name to (datetime64, timedelta64)
        Of each basin the start of its record, and the length of an interval.

    Raises
    ------
    KeyError
        If a store is missing.
    ValueError
        If the run has no such interval, or other dimensions; or if the model has a unit hydrograph,
        whose water is in no store.
    """
    if model.routing is not None or model.hydrographs:
        raise ValueError(
            f"{type(model).__name__} has a unit hydrograph, and water on its way there is in no "
            "store: a run cannot go on from the stores of another one; simulate the whole record"
        )
    what, names = f"{type(model).__name__}: initial_state", list(model.store_names)
    missing = [name for name in names if name not in run]
    if missing:
        raise KeyError(
            f"{what} has no {', '.join(missing)}; simulate with outputs=model.store_names"
        )
    found = []
    for basin, (begin, step) in begins.items():
        contents = _selected(run[names], basin).to_dataarray().transpose("variable", ...)
        if TIME in contents.dims:
            ends = contents.indexes[TIME].get_indexer([begin - step])
            if ends[0] < 0:
                raise ValueError(
                    f"{what} has no interval that ends where the record begins, at {begin}; it "
                    f"runs from {contents[TIME].values[0]} to {contents[TIME].values[-1]}"
                )
            contents = contents.isel({TIME: ends[0]}, drop=True)
        sizes = {d: n for d, n in contents.sizes.items() if d != "variable"}
        if sizes not in ({}, draws.sizes):
            raise ValueError(
                f"{what} has the dimensions {sizes}, but the parameters have "
                f"{draws.sizes or 'none'}"
            )
        order = ("variable", *(draws.sizes if sizes else ()))
        table = contents.transpose(*order).values.reshape(len(names), -1).T
        found.append(np.broadcast_to(table, (draws.values.shape[0], len(names))))
    states, lowest = np.stack(found, axis=1), domain_of(model)[len(model.parameters) :, 0]
    return np.where((states < lowest) & (states > lowest - ROUNDING), lowest, states)


def _of_basin(model, theta, name):
    """Return vectors of shape (..., n_parameter), their dimensions, and labels by dimension."""
    draws = _dataset(theta)
    if draws is not None:
        return _of_dataset(model, draws, name)
    theta = _selected(theta, name)
    if isinstance(theta, Mapping):
        theta = {k: _selected(v, name) for k, v in theta.items()}
    vectors = model.parameter_vector(theta)
    return vectors, (DRAW,) * (vectors.ndim - 1), {}


def _of_dataset(model, draws: xr.Dataset, name):
    """Return the same from the parameters in a Dataset; its other variables are left out."""
    what = f"{type(model).__name__}: theta"
    missing = [n for n in model.parameter_names if n not in draws]
    if missing:
        raise KeyError(
            f"{what}: the posterior has no {', '.join(missing)}; it has "
            f"{', '.join(map(str, draws.data_vars))}"
        )
    table = _selected(draws[list(model.parameter_names)], name)
    dims = tuple(d for d in (CHAIN, DRAW, SAMPLE) if d in table.dims)
    other = [str(d) for d in table.dims if d not in dims]
    if other:
        raise ValueError(
            f"{what}: parameters have the dimension {', '.join(other)}; expected {CHAIN} and {DRAW}"
            f", and {BASIN} with several basins; select one entry with .sel first"
        )
    variables = xr.broadcast(*(table[n] for n in model.parameter_names))
    vectors = np.stack([v.transpose(*dims).values for v in variables], axis=-1)
    checked = model.parameter_vector(vectors.reshape(-1, vectors.shape[-1]))
    labelled = {d: i for d, i in table.indexes.items() if not isinstance(i, pd.MultiIndex)}
    return checked.reshape(vectors.shape), dims, {d: labelled[d] for d in dims if d in labelled}


def _selected(given, name):
    """Return the entry of a basin, of labelled values on ``basin``."""
    labelled = isinstance(given, xr.DataArray | xr.Dataset)
    if name is None or not labelled or BASIN not in given.dims:
        return given
    return given.sel({BASIN: name}, drop=True)


def _dataset(theta) -> xr.Dataset | None:
    """Return the Dataset in a posterior: itself, a DataTree's or InferenceData's group; or None."""
    if isinstance(theta, xr.Dataset):
        return theta
    group = getattr(theta, "posterior", theta if isinstance(theta, DATA_TREE) else None)
    return group if group is None or isinstance(group, xr.Dataset) else group.to_dataset()
