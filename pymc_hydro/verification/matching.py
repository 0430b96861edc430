"""Observations and draws at the same times, and the labels of scores."""

from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.data.observations import (
    as_floats,
    check_observations,
    check_one_basin,
    observed_on,
)
from pymc_hydro.data.schema import check_units

__all__ = ["central_interval", "flat_draws", "label", "matched"]

OF_DRAWS = ("chain", "draw", "member")


def label(values: xr.DataArray, name: str, long_name: str, units: str) -> xr.DataArray:
    """Return a score with labels of its own, none of the series that it was computed from."""
    result = values.rename(name)
    result.attrs = {"long_name": long_name, "units": units}
    return result


def matched(name, observed, draws):
    """Return observations and draws at the times that have both."""
    draws = flat_draws(draws)
    for what, array, dims in (("observed", observed, {"time"}), ("draws", draws, {"draw", "time"})):
        if not isinstance(array, xr.DataArray) or set(array.dims) != dims:
            found = getattr(array, "dims", type(array).__name__)
            raise ValueError(f"{name}: {what} must be a DataArray on {sorted(dims)}, found {found}")
    check_one_basin(name, observed, draws)
    time = draws.get_index("time")
    same = time.equals(observed.get_index("time"))
    several = np.unique(draws.coords["basin"].values).size > 1 if "basin" in draws.coords else False
    if not same and (several or not (time.is_unique and observed.get_index("time").is_unique)):
        raise ValueError(
            f"{name}: times repeat, or draws are of several basins, so that observations and draws "
            "cannot be matched by them; give both on the same times, or one basin"
        )
    # Draws of something else than flow have negative ones among them.
    quantity = None if (draws.values < 0).any() else "discharge"
    if same:  # also the times of several basins, one after another
        check_units(f"{name}: observations", quantity or "", observed.attrs)
        values = as_floats(observed, name)
        check_observations(name, values, time, quantity=quantity)
    else:
        values = observed_on(name, observed, time, "draws", quantity=quantity)
    there = np.flatnonzero(np.isfinite(values))
    draws = draws.isel(time=there)
    observed = xr.DataArray(values[there], {"time": draws["time"]}, ("time",))
    if not np.isfinite(draws.values).all():
        raise ValueError(f"{name}: draws have values that are not finite")
    return observed, draws


def central_interval(name, draws, prob):
    """Return the ends of the central predictive interval at each time."""
    if not 0 < prob < 1:
        raise ValueError(f"{name}: prob must lie between 0 and 1, found {prob}")
    quantiles = draws.quantile([(1 - prob) / 2, (1 + prob) / 2], "draw")
    return quantiles.isel(quantile=0, drop=True), quantiles.isel(quantile=1, drop=True)


def flat_draws(array: Any) -> Any:
    """Return an array whose draws of all chains and members are one dimension ``draw``."""
    if not isinstance(array, xr.DataArray) or not set(array.dims) & {"chain", "member"}:
        return array
    lead = [d for d in OF_DRAWS if d in array.dims]
    array = array.transpose(*lead, ...)
    rest = array.dims[len(lead) :]
    values = array.values.reshape(-1, *array.shape[len(lead) :])
    coords = {name: c for name, c in array.coords.items() if set(c.dims) <= set(rest)}
    return xr.DataArray(values, coords, ("draw", *rest), array.name, array.attrs)
