"""The time axis of a simulated variable, found from the data that its graph depends on.

A simulation reads its forcing from a data variable whose first dimension is ``forcing_time``; the
intervals after the warm-up are the dimension ``time``. Both names, and the names of all variables
that belong to the simulation, begin with one prefix: the name of the PyMC model, where it has one,
and the prefix of the call.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.traversal import ancestors
from pytensor.graph.utils import MissingInputError
from pytensor.scalar import identity

from pymc_hydro.data.checks.dates import as_labels, date_text

__all__ = [
    "BASIN",
    "BASIN_INDEX",
    "FORCING_TIME",
    "INTERVAL",
    "MEMBER",
    "TIME",
    "UNCOMPILED",
    "Axis",
    "axis_of",
    "check_dims",
    "claim_dim",
    "dim_dates",
    "length_of",
    "value_of",
    "values_at",
]

TIME, FORCING_TIME, BASIN, BASIN_INDEX = "time", "forcing_time", "basin", "basin_index"
# Endings of the dimensions of a likelihood whose observations are means over longer intervals.
INTERVAL, MEMBER = "_interval", "_member"
UNCOMPILED = Mode(linker="py", optimizer="fast_compile")  # nothing is compiled


@dataclass(frozen=True)
class Axis:
    """The intervals of a simulated variable.

    Attributes
    ----------
    dim : str or None
        Name of the dimension; None in a model without dates.
    dates : array of datetime64, shape (n_time,), or None
    basins : dict of name to slice, or None
        Where the intervals of each basin are; None for a single basin.
    """

    dim: str | None
    dates: np.ndarray | None
    basins: dict[Hashable, slice] | None

    @property
    def known_dates(self) -> np.ndarray:
        """The dates of an axis that has them."""
        assert self.dates is not None
        return self.dates

    @property
    def interval(self) -> float:
        """The length of an interval in days, the median of months; one without dates."""
        if self.dates is None or not isinstance(self.dates[0], np.datetime64 | datetime):
            return 1.0
        steps = np.diff(self.dates.astype("datetime64[ns]"))
        steps = steps[steps > np.timedelta64(0, "ns")]  # from one basin to the next it goes back
        return float(np.median(steps) / np.timedelta64(1, "D")) if steps.size else 1.0

    def labels(self, position: Any = slice(None)) -> dict:
        """Return the coordinate ``basin`` of intervals; nothing for a single basin."""
        if self.basins is None:
            return {}
        names = np.empty(max(part.stop for part in self.basins.values()), dtype=object)
        for name, part in self.basins.items():
            names[part] = name
        names = np.array(names[position].tolist())
        return {BASIN: (TIME, names)}


def axis_of(model: pm.Model, simulated=None) -> Axis:
    """Return the time axis of a simulated variable.

    Parameters
    ----------
    model : pm.Model
    simulated : TensorVariable, optional
        Where it does not depend on a simulation, or is not given, the axis is the model's own
        dimension ``time``. The axis of means over longer intervals has their starts.

    Raises
    ------
    ValueError
        If the variable depends on simulations with different time axes.
    """
    dims, of_means = ([], []) if simulated is None else _dims(model, simulated)
    if of_means:
        return Axis(of_means[0], dim_dates(model, of_means[0]), None)
    if len(dims) > 1:
        raise ValueError(
            f"the simulated variable depends on simulations with different time axes, "
            f"{', '.join(dims)}; combine simulations of the same intervals only"
        )
    known = [dim for dim in (*dims, model.name_for(TIME), TIME) if dim in model.coords]
    if not known:
        return Axis(None, None, None)
    dim = known[0]
    return Axis(dim, dim_dates(model, dim), _basins(model, dim.removesuffix(TIME)))


def dim_dates(model: pm.Model, dim: str) -> Any:
    """Return the coordinate of a dimension; None if the dimension has none.

    Dates are datetime64, also where PyMC was given datetime, date or Period.
    """
    values = model.coords[dim]
    return None if values is None else as_labels(f"the dimension {dim!r}", values)


def claim_dim(model: pm.Model, dim: str, wanted: np.ndarray, fix: str) -> None:
    """Raise ValueError if the model has a dimension of this name with other labels.

    Parameters
    ----------
    model : pm.Model
    dim : str
    wanted : array
        Labels that the dimension needs.
    fix : str
        What the user can do, in the message.
    """
    if dim not in model.coords:
        return
    held, wanted = dim_dates(model, dim), np.asarray(wanted)
    if held is not None and held.shape == wanted.shape:
        of_one_kind = (held.dtype.kind == "M") == (wanted.dtype.kind == "M")
        if of_one_kind and (held == wanted).all():
            return
    raise ValueError(
        f"the PyMC model's dimension {dim!r} holds {_span(held)}, but this simulation needs "
        f"{_span(wanted)} there; {fix}"
    )


def check_dims(model: pm.Model, name: str, axis: Axis) -> None:
    """Raise ValueError if a variable has a dimension of the axis' length with other dates."""
    if axis.dates is None:
        return
    fix = f"give {name!r} the dims of the simulation, {axis.dim!r}"
    for dim in model.named_vars_to_dims.get(name) or ():
        labels = dim_dates(model, dim)
        if labels is not None and labels.dtype.kind == "M" and labels.shape == axis.dates.shape:
            claim_dim(model, dim, axis.dates, fix)


def _span(labels) -> str:
    if labels is None:
        return "no coordinate"
    if not len(labels):
        return "no labels"
    if labels.dtype.kind == "M":
        return f"{labels.size} values from {date_text(labels[0])} to {date_text(labels[-1])}"
    first, last = (x.item() if isinstance(x, np.generic) else x for x in labels[[0, -1]])
    return f"{labels.size} values from {first!r} to {last!r}"


def length_of(variable) -> int | None:
    """Return the length of a vector as it is now; None if that needs values of inputs.

    Only the graph of its shape is computed: no simulation runs.
    """
    (known,) = variable.type.shape
    if known is not None:
        return known
    try:
        return int(pytensor.function([], variable.shape[0], mode=UNCOMPILED)())
    except MissingInputError:
        return None


def value_of(variable: Any) -> Any:
    """Return the value of a data variable, a frozen one or a copy; None for any other variable."""
    if variable.owner is not None and getattr(variable.owner.op, "scalar_op", None) == identity:
        variable = variable.owner.inputs[0]
    if hasattr(variable, "get_value"):
        return variable.get_value(borrow=True)
    return getattr(variable, "data", None)


def values_at(x, position):
    """Return the values of a variable at positions of its last axis, NaN where there are none.

    Compiled graphs do not check bounds: a position beyond the end would read foreign memory.
    """
    n = x.shape[-1]
    inside = (position >= 0) & (position < n)
    return pt.switch(inside, x[..., pt.clip(position, 0, n - 1)], np.nan)


def _dims(model, simulated) -> tuple[list[str], list[str]]:
    """Return the dimensions that a variable depends on: ``time``, and longer intervals."""
    found, of_means = [], []
    for variable in ancestors([simulated]):
        is_data = variable.owner is None and variable.name is not None
        dims = model.named_vars_to_dims.get(variable.name) if is_data else None
        if dims and dims[0] is not None and dims[0].endswith(FORCING_TIME):
            found.append(dims[0].removesuffix(FORCING_TIME) + TIME)
        if dims and len(dims) == 2 and str(dims[1]).endswith(MEMBER):
            of_means.append(dims[0])
    return sorted(set(found)), sorted(set(of_means))


def _basins(model, prefix):
    index = model.named_vars.get(prefix + BASIN_INDEX)
    if index is None:
        return None
    names = model.coords[prefix + BASIN]
    values = value_of(index)
    bounds = np.searchsorted(values, np.arange(len(names) + 1))
    return {name: slice(*bounds[i : i + 2]) for i, name in enumerate(names)}
