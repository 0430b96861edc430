"""The unconstrained vector of a PyMC model: its entries, and the variables that it stands for."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from pymc.initial_point import make_initial_point_fn
from pymc.pytensorf import join_nonshared_inputs

from pymc_hydro.ops.stepwise import stepwise

__all__ = [
    "as_dataset",
    "compile_values",
    "entries",
    "entry_slices",
    "free_values",
    "labels",
    "start_vector",
]


def start_vector(model: pm.Model, start: dict | None = None) -> np.ndarray:
    """Return the unconstrained vector of natural values; a missing one has its initial point.

    Parameters
    ----------
    model : pm.Model
    start : mapping of str to number or array, optional

    Returns
    -------
    array, shape (n,)
        One after another the entries of ``model.value_vars``.

    Raises
    ------
    KeyError
        If a name is no variable of the model.
    """
    by_name = {rv.name: rv for rv in model.free_RVs}
    derived = {variable.name for variable in model.deterministics}  # of a draw of a posterior
    start = {name: value for name, value in (start or {}).items() if name not in derived}
    unknown = sorted(set(start) - set(by_name))
    if unknown:
        raise KeyError(f"fit_laplace: unknown {unknown} in start; known are {', '.join(by_name)}")
    overrides = {by_name[name]: np.asarray(value) for name, value in start.items()}
    first = make_initial_point_fn(model=model, overrides=overrides)(0)
    return np.hstack([np.ravel(first[v.name]) for v in model.value_vars])


def entry_slices(model: pm.Model) -> dict[Any, slice]:
    """Return where each free variable lies in the unconstrained vector."""
    first, used, found = model.initial_point(), 0, {}
    for rv in model.free_RVs:
        size = np.size(first[model.rvs_to_values[rv].name])
        found[rv] = slice(used, used + size)
        used += size
    return found


@stepwise
def compile_values(model: pm.Model) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Return a function of the unconstrained vector: all variables in natural units by name."""
    outputs = model.unobserved_value_vars
    names = [v.name for v in outputs]
    joined, vector = join_nonshared_inputs(model.initial_point(), outputs, model.value_vars)
    function = pm.compile([vector], joined)
    transformed = {v.name for v in model.value_vars} - {rv.name for rv in model.free_RVs}

    def values(z: np.ndarray) -> dict[str, np.ndarray]:
        found = zip(names, function(z), strict=True)
        return {name: np.asarray(value) for name, value in found if name not in transformed}

    return values


def free_values(model: pm.Model, values: dict) -> dict:
    """Return values of the free variables, numbers where they are scalars."""
    free = {rv.name: values[rv.name] for rv in model.free_RVs}
    return {name: v if v.ndim else float(v) for name, v in free.items()}


def labels(model: pm.Model) -> list[str]:
    """Return the names of the unconstrained vector's entries, such as ``K_s[wet]``.

    A variable with fewer unconstrained entries than natural ones, such as a simplex, has numbers
    in place of coordinates.
    """
    found: list[str] = []
    first = model.initial_point()
    for rv in model.free_RVs:
        value = model.rvs_to_values[rv]
        found += _labels(model, rv.name, np.shape(first[value.name]))
    return found


def entries(model: pm.Model, values: dict) -> dict[str, float]:
    """Return natural values of the free variables, one entry of a vector after another."""
    found: dict[str, float] = {}
    for name, value in free_values(model, values).items():
        names = _labels(model, name, np.shape(value))
        found |= dict(zip(names, np.ravel(value).tolist(), strict=True))
    return found


def _labels(model: pm.Model, name: str, shape: tuple[int, ...]) -> list[str]:
    if not shape:
        return [name]
    dims = model.named_vars_to_dims.get(name, (None,) * len(shape))
    axes = []
    for dim, length in zip(dims, shape, strict=True):
        known = model.coords.get(dim) if dim is not None else None
        axes.append(range(length) if known is None or len(known) != length else known)
    return [f"{name}[{', '.join(map(str, at))}]" for at in product(*axes)]


def as_dataset(model: pm.Model, arrays: dict, lead: tuple[str, ...] = ()) -> xr.Dataset:
    """Return arrays by name of variable, on leading dimensions and the dims of each variable."""
    variables = {}
    for name, array in arrays.items():
        array = np.asarray(array)
        n = array.ndim - len(lead)
        dims = model.named_vars_to_dims.get(name) or (None,) * n
        own = [dim or f"{name}_dim_{i}" for i, dim in enumerate(dims)]
        variables[name] = ((*lead, *own), array)
    used = {dim for dims, _ in variables.values() for dim in dims}
    coords = {d: np.asarray(c) for d, c in model.coords.items() if c is not None and d in used}
    return xr.Dataset(variables, coords=coords)
