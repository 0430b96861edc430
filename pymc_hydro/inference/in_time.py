"""Changes in time in a PyMC model: uncertain forcing, and parameters that vary."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt
import xarray as xr

from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.schema import as_basin
from pymc_hydro.losses.axis import length_of, value_of

__all__ = ["replace_columns", "separate_varying", "storms"]

WET = 1.0  # mm/d: an interval with less rain is dry


def storms(basin: Any, dry_days: float = 1.0, wet: float = WET) -> xr.DataArray:
    """Return the number of the wet spell that each interval belongs to: 0, 1, 2 ...

    A spell ends with the last wet interval before `dry_days` without one. A dry interval belongs to
    the spell before it (at the start of the record, to the first one), so that the numbers are an
    index: ``rain * m[ph.storms(basin).values]`` has one factor a spell.

    Parameters
    ----------
    basin : Dataset or DataFrame
    dry_days : float
        Days without rain that separate two spells, at least one interval.
    wet : float
        Rain in mm/d, from which an interval is wet.

    Returns
    -------
    DataArray of int
        On ``time``.

    Raises
    ------
    ValueError
        If no interval is wet, or an argument makes no sense.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> spell = ph.storms(ph.load_basin("leaf_river"), dry_days=2)
    >>> int(spell.max()) + 1
    460
    """
    if not (dry_days > 0 and wet > 0):
        raise ValueError(
            f"storms: dry_days and wet must be positive, found {dry_days!r} and {wet!r}"
        )
    rain = as_basin(basin, ("precipitation",))["precipitation"]
    time = rain["time"].values
    position = np.flatnonzero(rain.values >= wet)
    if position.size == 0:
        raise ValueError(f"storms: no interval has {wet:g} mm/d of rain or more; give a lower wet=")
    interval = (time[1] - time[0]) / np.timedelta64(1, "D") if time.size > 1 else 1.0
    needed = max(1, int(np.ceil(dry_days / interval - 1e-9)))
    starts = position[1:][np.diff(position) > needed]
    number = np.searchsorted(starts, np.arange(time.size), side="right")
    attributes = {"long_name": f"wet spell, {dry_days:g} d apart"}
    return xr.DataArray(number, coords={"time": time}, dims="time", name="storm", attrs=attributes)


def separate_varying(
    model: AbstractModel, theta: Any, n_time: int, n_basin: int | None, on_time: Any
) -> tuple[AbstractModel, Any, dict[str, Any]]:
    """Return the model that reads parameters in time like forcing, the others, and these series.

    Parameters
    ----------
    model : AbstractModel
    theta : mapping or variable
    n_time : int
        Length of the forcing.
    n_basin : int or None
        None for a single basin.
    on_time : callable
        Whether the PyMC model says that a variable is on the dimension of the forcing.
    """
    if not isinstance(theta, Mapping):
        return model, theta, {}
    variables = {k: pt.as_tensor_variable(v) for k, v in theta.items()}

    def varies(variable):
        if variable.ndim != 1:
            return False
        if on_time(variable):
            return True
        length = length_of(variable)
        return length == n_time if n_basin is not None else length in (None, n_time)

    series = {k: v for k, v in variables.items() if k in model.parameter_names and varies(v)}
    if not series:
        return model, theta, {}
    limits = {p.name: p.limits for p in model.parameters}
    inside = {
        k: pt.switch((v >= limits[k][0]) & (v <= limits[k][1]), v, np.nan)
        for k, v in series.items()
    }
    others = {k: v for k, v in theta.items() if k not in series}
    return model.vary(*series), others, inside


def replace_columns(names, forcing, given: Mapping[str, Any] | None, series: Mapping[str, Any]):
    """Return the forcing with variables in place of columns, and series of parameters behind it.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a name is unknown, or a variable is not one value an interval.
    """
    n_time = _length(forcing)
    for name, value in (given or {}).items():
        if name not in names:
            raise KeyError(f"forcing: unknown column {name!r}; the model reads {', '.join(names)}")
        column = list(names).index(name)
        value = value(forcing[:, column]) if callable(value) else value
        variable = pt.as_tensor_variable(value)
        length = variable.type.shape[0] if variable.ndim else None
        if variable.ndim != 1 or not variable.type.dtype.startswith(("float", "int", "uint")):
            raise TypeError(
                f"forcing: {name!r} must be a real variable of shape (n_time,), one value for each "
                f"interval of the record with its warm-up, found {variable.type}"
            )
        if None not in (length, n_time) and length != n_time:
            raise ValueError(
                f"forcing: {name!r} has {length} values, expected {n_time}, one for each interval "
                "of the record with its warm-up"
            )
        forcing = pt.set_subtensor(forcing[:, column], variable)
    if series:
        forcing = pt.concatenate([forcing, pt.stack(list(series.values()), axis=1)], axis=1)
    return forcing


def _length(forcing):
    value = value_of(forcing)
    return forcing.type.shape[0] if value is None else len(value)
