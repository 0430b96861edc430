"""Another record in place of the one that a PyMC model was built with."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorConstant

from pymc_hydro.core.base.warning import renamed_arguments
from pymc_hydro.data.observations import LABELLED, as_floats, check_output_unit, match_dates
from pymc_hydro.data.schema import interval_length
from pymc_hydro.inference.forcing import (
    KEPT_DATA,
    Record,
    SimulatedRecord,
    as_records,
    forcing_columns,
    full_prefix,
    record_data,
    record_interval,
    simulated_records,
)
from pymc_hydro.inference.in_time import bases_of, basis_like, labels_of
from pymc_hydro.inference.predict import simulated_series
from pymc_hydro.likelihoods.errors.observations import (
    OWN_TIME,
    likelihoods_of,
    simulated_unit,
    update_observations,
)
from pymc_hydro.losses.axis import (
    BASIN,
    FORCING_TIME,
    INTERVAL,
    TIME,
    UNCOMPILED,
    Axis,
    check_dims,
    dim_dates,
)

__all__ = ["set_basin"]


@renamed_arguments(pymc_model="model")
def set_basin(
    basin: Record | Mapping[Hashable, Record],
    model: pm.Model | None = None,
    observed: Mapping[str, Any] | None = None,
    *,
    data: Mapping[str, Any] | None = None,
    prefix: str | None = None,
) -> None:
    """Put another record in place of the one a PyMC model was built with, of any length.

    Everything that is tied to dates is replaced: the forcing, the dates, and the observations of
    each likelihood, found in `basin` by name. If there are none at all, no likelihood has
    observations from then on: after ``set_basin(scenario)`` with forcing alone ``ph.predict``
    draws a future that nobody observed. The warm-up stays the same number of intervals, so let a
    validation record begin that much before the period to be judged.

    Parameters
    ----------
    basin : Dataset or DataFrame, or several
        With the same interval length as the first one; several are the same basins as before.
    model : pm.Model, optional
        The model in context if not given. A sub-model stands for its own simulations, a parent for
        the simulations of all sub-models.
    observed : mapping of likelihood to DataArray, Series, array_like or None, optional
        New observations, where they are not in `basin` under the name they had; None where there
        are none.
    data : mapping of data variable to DataArray, Series or array_like, optional
        New values of other data variables of the model that are tied to dates, such as a scale or
        a covariate; labelled values are matched by their dates.
    prefix : str, optional
        Which simulation, in a model that holds several records.

    Raises
    ------
    ValueError, KeyError
        If the model holds no basin or several different ones, the data do not fit, or values of a
        variable that is tied to dates are not given.

    Notes
    -----
    A likelihood that is plain PyMC takes new observations by `observed`; where they are not given
    they become NaN, and so does the log-probability, until they are.
    """
    model = pm.modelcontext(model)
    records, root = _chosen(model, prefix), model.root
    names = {
        name for record in records for _, columns in record.forcing.values() for name in columns
    }
    frozen = [n for record in records for n in record.forcing if not _is_shared(root[n])]
    if frozen:
        raise ValueError(
            f"set_basin: {', '.join(frozen)} is a constant, since the PyMC model was frozen or "
            "transformed; call set_basin on the model before, then freeze it"
        )
    basins = as_records(basin, sorted(names))
    _check_fit(records[0], basins)
    series = _series(basins, basin)
    known = [rv.name for rv in root.observed_RVs] + list(likelihoods_of(root))
    observed = _full_names(model, "observed", observed, known)
    data = _full_names(model, "data", data, [v.name for v in root.data_vars])
    _tie_lengths(root)
    state = _State(root)
    try:
        for record in records:
            _replace(state, record, basins, series, observed, data)
    except Exception:
        state.restore()
        raise


def _is_shared(variable) -> bool:
    return hasattr(variable, "set_value")


def _tie_lengths(model: pm.Model) -> None:
    """Let the model's own data give the lengths of dimensions.

    In a copy of a model (``pm.do``, ``pm.observe``, ``copy``) PyMC takes the lengths from the data
    of the original.
    """
    for name, dims in model.named_vars_to_dims.items():
        variable = model[name]
        if variable not in model.data_vars:
            continue
        for i, dim in enumerate(dims):
            used = ancestors([model.dim_lengths[dim]]) if dim is not None else ()
            if any(v.name == name and v is not variable for v in used):
                model._dim_lengths[dim] = variable.shape[i]


def _chosen(model, prefix) -> list[SimulatedRecord]:
    """Return the records of a model to be replaced: one, or several with the same dates."""
    found = list(simulated_records(model))
    if not found:
        dims = [d or "" for names in model.named_vars_to_dims.values() for d in names]
        pruned = any(dim.endswith(FORCING_TIME) for dim in dims)
        raise ValueError(
            f"set_basin: this PyMC model lost its {KEPT_DATA!r} (prune_vars_detached_from_observed "
            "removes data that no observation depends on); call set_basin before it, or on the "
            "model that it was made from"
            if pruned
            else "set_basin: this PyMC model holds no basin; call ph.discharge in it first"
        )
    known = ", ".join(repr(record.prefix.rstrip("_:")) for record in found)
    if prefix is not None:
        whole = full_prefix(model, prefix), f"{prefix}::", f"{model.name_for(prefix)}::"
        found = [record for record in found if record.prefix in (*whole, f"{prefix}_")]
        if not found:
            raise ValueError(
                f"set_basin: this PyMC model holds no basin under the prefix {prefix!r}; "
                f"known are {known}"
            )
    first = found[0]
    for other in found[1:]:
        if not np.array_equal(other.dates, first.dates) or other.basins != first.basins:
            raise ValueError(
                f"set_basin: this PyMC model holds several records, with the prefixes {known}; "
                "name one by prefix=, or give its sub-model"
            )
    return found


def _check_fit(record: SimulatedRecord, basins) -> None:
    names = None if None in basins else tuple(basins)
    if names != record.basins:
        was, found = (
            "one basin" if n is None else f"basins {list(n)}" for n in (record.basins, names)
        )
        raise ValueError(
            f"set_basin: the model was built for {was}, found {found}; for predictions in other "
            "basins build the same model of them, and give it to ph.predict(idata, model=...)"
        )
    interval = record_interval(basins)
    before = interval_length(xr.Dataset(coords={TIME: record.dates[:2]}))
    if interval != before:
        raise ValueError(
            f"set_basin: the interval is {interval} d, the model was built for {before} d"
        )


def _full_names(model, what, given, known) -> dict:
    """Return a mapping by the whole names of variables, which begin with their model's name."""
    found = {}
    for name, value in (given or {}).items():
        whole = name if name in known else model.name_for(name)
        if whole not in known:
            raise KeyError(
                f"set_basin: {what} names {name!r}, which this model does not have; known are "
                f"{', '.join(dict.fromkeys(known)) or 'none'}"
            )
        found[whole] = value
    return found


class _State:
    """The state of a model, to be put back if anything fails."""

    def __init__(self, model: pm.Model):
        self.model = model
        self.coords = dict(model.coords)
        self.values = {v.name: v.get_value() for v in model.data_vars if hasattr(v, "get_value")}
        self.observed = dict(model.rvs_to_values)
        self.labelled: list[str] = []

    def put(self, name: str, array, coords: Mapping) -> None:
        variable = self.model[name]
        if array.dtype.kind == "f" and np.isnan(array).any():  # which set_data does not take
            self.model.set_data(name, np.nan_to_num(array), coords=coords)
            variable.set_value(array)
        else:
            self.model.set_data(name, array, coords=coords)

    def label(self, dim: str, labels) -> None:
        """Give a dimension of the user, which no data variable measures, other labels."""
        self.model.set_dim(dim, len(labels), labels)
        self.labelled.append(dim)

    def observe(self, rv, value) -> None:
        """Replace the numbers that a random variable was observed at."""
        old = self.model.rvs_to_values[rv]
        new = pt.constant(np.asarray(value, dtype=old.dtype), name=old.name)
        self.model.rvs_to_values[rv] = new
        self.model.values_to_rvs.pop(old)
        self.model.values_to_rvs[new] = rv

    def restore(self) -> None:
        for dim in self.labelled:
            self.model.set_dim(dim, len(self.coords[dim]), self.coords[dim])
        for name, value in self.values.items():
            dims = self.model.named_vars_to_dims.get(name) or ()
            coords = {d: self.coords[d] for d in dims if self.coords.get(d) is not None}
            self.put(name, value, coords)
        for rv, value in self.observed.items():
            if self.model.rvs_to_values[rv] is not value:
                self.observe(rv, value.data)


def _replace(state: _State, record: SimulatedRecord, basins, series, observed, data) -> None:
    """Replace one record and everything that is tied to its dates."""
    model, prefix = state.model, record.prefix
    warmup = record.warmup * (record.dates[1] - record.dates[0])
    coords, arrays = record_data(basins, warmup, prefix)
    moved = not np.array_equal(coords[prefix + FORCING_TIME], record.dates)
    before = _axis(model, prefix)
    tied = {
        prefix + TIME: coords[prefix + TIME],
        prefix + FORCING_TIME: coords[prefix + FORCING_TIME],
    }
    tied |= _of_user(model, record, before, tied)
    used = _plain_observed(model, prefix, set(tied) - {prefix + FORCING_TIME})
    for rv in used:
        check_dims(model, rv.name, before)
    if moved:
        _refuse_constants(model, record, before)
    for name, (dim, columns) in record.forcing.items():
        of_matrix = {d: coords[d] for d in (prefix + FORCING_TIME,)} | {dim: list(columns)}
        state.put(name, forcing_columns(basins, columns), of_matrix)
    for name, (dim, array) in arrays.items():
        state.put(name, array, {dim: coords[dim]})
    own = set(arrays) | set(record.forcing)
    replaced = update_observations(model, series, observed, prefix)
    for name, (array, of_dim) in replaced.items():
        state.put(name, array, of_dim)
    for dim in set(tied) - {prefix + TIME, prefix + FORCING_TIME}:
        if _is_shared(model.dim_lengths[dim]):
            state.label(dim, tied[dim])
    after = _axis(model, prefix)
    for rv, holder in used.items():
        value = _moved(state, rv, observed.get(rv.name), before, after, moved)
        if value is None:
            continue
        if holder is None:
            state.observe(rv, value)
        else:
            dims = model.named_vars_to_dims[holder]
            state.put(holder, value, {d: tied[d] for d in dims if d in tied})
    own |= _replace_bases(state, basins, record.prefix, data)
    done = own | set(replaced) | set(used.values())
    _replace_others(state, tied, done, data, moved)
    of_means = {d: v for _, at in replaced.values() for d, v in at.items() if d.endswith(INTERVAL)}
    for dim, dates in of_means.items():
        _replace_others(
            state, {dim: dates}, done, data, not np.array_equal(dates, state.coords[dim])
        )


def _replace_bases(state: _State, basins, prefix: str, data: Mapping) -> set:
    """Make the bases of deviations for the new record; return the names of their data."""
    model, found = state.model, set()
    for name, (deviations, settings) in bases_of(model).items():
        dims = model.named_vars_to_dims[name]
        if name in data or dims[0] != prefix + FORCING_TIME:
            continue
        basis = basis_like(settings, next(iter(basins.values())))
        state.label(f"{deviations}_block", labels_of(basis))
        state.put(name, basis.values, {dims[0]: basis["time"].values})
        found.add(name)
    return found


def _refuse_constants(model, record: SimulatedRecord, before: Axis) -> None:
    """Raise ValueError if a density reads numbers for each interval of the old record.

    Nothing says that they belong to dates, and in a record of equal length they would stay.
    """
    lengths = {before.known_dates.size, record.dates.size}
    for variable in (*model.observed_RVs, *model.potentials):
        if not _depends(model, variable, record.prefix):
            continue
        for v in ancestors(variable.owner.inputs):
            if isinstance(v, TensorConstant) and lengths & set(v.type.shape):
                raise ValueError(
                    f"set_basin: {variable.name!r} reads an array of shape {v.type.shape}, which "
                    "seems to belong to the dates that change; make it "
                    f"pm.Data(..., dims={before.dim!r}), and give its new values by data="
                )


def _of_user(model, record: SimulatedRecord, before: Axis, tied: Mapping) -> dict:
    """Return new labels of dimensions of the user with the dates of a simulation, by name.

    They are dimensions of variables that depend on the simulation, or of data that these read.
    """
    kept, whole = (tied[record.prefix + dim] for dim in (TIME, FORCING_TIME))
    own = {
        record.prefix + dim for record in simulated_records(model) for dim in (TIME, FORCING_TIME)
    }
    own |= {dim for name in likelihoods_of(model) for dim in (name + OWN_TIME, name + INTERVAL)}
    found = {}
    for variable in (*model.observed_RVs, *model.deterministics, *model.free_RVs):
        if not _depends(model, variable, record.prefix):
            continue
        read = [v.name for v in ancestors([variable]) if v.name in model.named_vars_to_dims]
        for dim in {d for name in read for d in model.named_vars_to_dims[name]} - own - {None}:
            labels = dim_dates(model, dim)
            if np.array_equal(labels, before.known_dates):
                found[dim] = kept
            elif np.array_equal(labels, record.dates):
                found[dim] = whole
    return found


def _replace_others(state, tied: Mapping, done, data, moved) -> None:
    """Replace the data of the user that are tied to the dates of a simulation.

    `tied` are new labels by dimension.
    """
    model = state.model
    for variable in model.data_vars:
        name = variable.name
        dims = model.named_vars_to_dims.get(name) or ()
        if name in done or not set(tied) & set(dims):
            continue
        if name in data:
            (dim,) = set(tied) & set(dims)
            dates = tied[dim]
            values = data[name]
            if isinstance(values, LABELLED):
                values = match_dates(f"set_basin: {name}", values, dates, f"new {dim}")
            array, kind = np.asarray(values), variable.type.dtype
            if kind.startswith(("int", "uint")) and np.array_equal(array, np.round(array)):
                array = array.astype(kind)  # an index, which labelled values made real
            state.put(name, array, {dim: dates})
        elif moved:
            raise ValueError(
                f"set_basin: {name!r} is tied to the dates of {', '.join(set(tied) & set(dims))}, "
                f"which change; give its new values by data={{{name!r}: series}}"
            )


def _plain_observed(model, prefix, dims: set) -> dict:
    """Return the observed variables of plain PyMC that depend on a simulation.

    By random variable: the name of the data variable that holds its observations, on one of `dims`,
    or None where they are numbers.
    """
    ours = set(likelihoods_of(model))
    found: dict[Any, str | None] = {}
    for rv in model.observed_RVs:
        if rv.name in ours or not _depends(model, rv, prefix):
            continue
        value = model.rvs_to_values[rv]
        if isinstance(value, Constant):
            found[rv] = None
            continue
        holders = [v.name for v in ancestors([value]) if v.name in model.named_vars]
        tied = [n for n in holders if dims & set(model.named_vars_to_dims.get(n) or ())]
        if len(tied) != 1:
            raise ValueError(
                f"set_basin: the observations of {rv.name!r} cannot be told from its graph; give "
                f"pm.Data(..., dims={prefix + TIME!r}), or place it by ph.likelihoods.observe"
            )
        found[rv] = tied[0]
    return found


def _depends(model, rv, prefix) -> bool:
    time = prefix + FORCING_TIME
    names = (v.name for v in ancestors(rv.owner.inputs) if v.name and v.owner is None)
    return any(time in (model.named_vars_to_dims.get(name) or ()) for name in names)


def _moved(state, rv, given, before: Axis, after: Axis, moved: bool):
    """Return the new observations of a plain likelihood, NaN where unknown; None to keep them."""
    if given is None and not moved:
        return None
    n_before = (
        state.observed[rv].shape[0].eval(mode=UNCOMPILED) if state.observed[rv].ndim == 1 else None
    )
    if n_before != before.known_dates.size:
        raise ValueError(
            f"set_basin: {rv.name!r} has observations of shape {n_before or 'unknown'}, but the "
            f"simulation had {before.known_dates.size} intervals, so that their dates are not "
            "known; place it by ph.likelihoods.observe, which leaves gaps out"
        )
    if given is None:
        return np.full(after.known_dates.size, np.nan)
    simulated = simulated_series(rv)
    if simulated is not None:
        check_output_unit(rv.name, given, simulated_unit(simulated, after))
    if isinstance(given, LABELLED):
        return match_dates(f"{rv.name}: observations", given, after.dates, "new time axis")
    values = as_floats(given)
    if values.shape != after.known_dates.shape:
        raise ValueError(
            f"{rv.name}: observed has shape {values.shape}, expected {after.known_dates.shape}, "
            "one value for each interval after the warm-up"
        )
    return values


def _axis(model: pm.Model, prefix: str) -> Axis:
    """Return the time axis of the simulations with a prefix."""
    return Axis(prefix + TIME, dim_dates(model, prefix + TIME), None)


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
