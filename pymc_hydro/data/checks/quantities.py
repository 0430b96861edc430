"""Quantities of pint: series with a unit of their own, with and without labels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

__all__ = ["pint_quantity", "with_magnitude", "without_units"]


def pint_quantity(series: Any) -> Any:
    """Return the quantity of pint that a series is or holds, None if there is none."""
    data = series.variable._data if isinstance(series, xr.DataArray) else series
    if isinstance(series, pd.Series):
        data = getattr(series.array, "quantity", None)
    return data if hasattr(data, "magnitude") and hasattr(data, "to") else None


def with_magnitude(series: Any, quantity: Any, unit: Any) -> Any:
    """Return a series with the magnitude of its quantity in another unit, and its labels.

    Raises
    ------
    ValueError
        If the quantity cannot be converted to the unit.
    """
    try:
        plain = np.asarray(quantity.to(unit).magnitude, dtype=float)
    except Exception as error:  # of pint, which need not be installed
        raise ValueError(f"{quantity.units} is not {unit}: {error}") from error
    if isinstance(series, xr.DataArray):
        return series.copy(data=plain)
    return pd.Series(plain, series.index) if isinstance(series, pd.Series) else plain


def without_units(data: xr.Dataset | pd.DataFrame, units: Mapping[str, str]) -> xr.Dataset:
    """Return a record as a Dataset of plain numbers.

    Parameters
    ----------
    data : Dataset or DataFrame
    units : mapping of variable to unit
        A quantity of pint is converted to its unit; the attribute ``units`` then says it. One that
        cannot be converted keeps its numbers, and the attribute names their unit.
    """
    found = {}
    for name in [n for n in units if n in data]:
        quantity = pint_quantity(data[name])
        if quantity is None:
            continue
        try:
            found[name] = np.asarray(quantity.to(units[name]).magnitude), units[name]
        except Exception:  # of pint, which need not be installed; the caller names the unit
            found[name] = np.asarray(quantity.magnitude), str(quantity.units)
    if isinstance(data, pd.DataFrame):
        data = xr.Dataset.from_dataframe(data.assign(**{n: v for n, (v, _) in found.items()}))
    kept = {n: {**data[n].attrs, "units": unit} for n, (_, unit) in found.items()}
    return data.assign({n: (data[n].dims, v, kept[n]) for n, (v, _) in found.items()})
