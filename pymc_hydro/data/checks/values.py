"""Values that stand for missing ones, and values that cannot be."""

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.checks.dates import date_text

__all__ = ["as_floats", "check_codes", "find_code", "place_text"]

# Codes of missing values, of agencies, of binary formats and of spreadsheets.
CODES = (
    *(-9.99, -99.0, -99.9, -99.99, -999.0, -999.9, -999.99, -9999.0, -9999.9, -9999.99),
    *(-99999.0, -99999.9, -99999.99, -999999.0, -9999999.0, -99999999.0),
    *(-6999.0, -7777.0, -8888.0, -32767.0, -32768.0, -2147483647.0, -2147483648.0),
)
FILL = 1e15  # 1e20, 9.97e36, 3.4e38 ...: no quantity of hydrology is that large
SINGLE = 1e-6  # relative rounding of a number with 32 bits
ALONE = 2.0  # a code of a quantity with both signs: no other value within this factor


def find_code(values: np.ndarray, signed: bool = False) -> tuple[float, np.ndarray] | None:
    """Return a code of missing values that is among `values`, and where it is.

    Parameters
    ----------
    values : array
    signed : bool
        Whether the quantity can be negative; a code then is one only if no other value is near.
    """
    with np.errstate(invalid="ignore"):
        huge = np.isfinite(values) & (np.abs(values) >= FILL)
        negative = values < 0
    if huge.any():
        return float(values[huge][0]), huge
    if not negative.any():
        return None
    candidates = values[negative]
    for code in CODES:
        hit = np.abs(candidates - code) <= SINGLE * -code
        if hit.any():
            others = candidates[~hit]
            near = (others > ALONE * code) & (others < code / ALONE)
            if not (signed and near.any()):
                return code, np.abs(values - code) <= SINGLE * -code
    return None


def check_codes(what: str, values: np.ndarray, time=None, signed: bool = False) -> None:
    """Raise ValueError if values hold a code of missing ones.

    Parameters
    ----------
    what : str
        Owner of the values in messages, plural: "flow: observations".
    values : array, shape (..., n_time)
    time : array of datetime64, shape (n_time,), optional
    signed : bool
        Whether the quantity can be negative.
    """
    found = find_code(values, signed)
    if found is None:
        return
    code, where = found
    raise ValueError(
        f"{what} have {int(where.sum())} values of {code:g}, a usual code of missing ones"
        f"{place_text(values, where, time)}; write them as NaN"
    )


def place_text(values: np.ndarray, where: np.ndarray, time=None) -> str:
    """Return the first value and its place along the last axis, as messages show them."""
    at = int(np.flatnonzero(np.reshape(where, (-1, where.shape[-1])).any(axis=0))[0])
    place = f"position {at}" if time is None else date_text(time[at])
    return f", first {values[..., at][where[..., at]].flat[0]:g} at {place}"


def as_floats(series, what: str = "series") -> np.ndarray:
    """Return a series as floats, NaN where it is masked or missing.

    Raises
    ------
    TypeError
        If it holds anything but numbers.
    """
    if isinstance(series, np.ma.MaskedArray):
        return np.ma.filled(series.astype(float), np.nan)
    if isinstance(series, pd.DataFrame | xr.Dataset):
        raise TypeError(f"{what}: found a {type(series).__name__}, expected a series; select one")
    if isinstance(series, pd.Series):
        series = series.to_numpy(dtype=object if series.hasnans else None)
    array = np.asarray(series)
    if array.dtype == object:
        array = np.where(pd.isna(array), np.nan, array)
    if array.dtype.kind == "b":
        raise TypeError(f"{what}: expected numbers, found true and false; is it a mask?")
    try:
        if array.dtype.kind not in "Oiuf":
            raise TypeError
        return array.astype(float)
    except (TypeError, ValueError):
        example = repr(array.flat[0]) if array.size else "nothing"
        raise TypeError(
            f"{what}: expected numbers, found {array.dtype} such as {example}; "
            "pandas.to_numeric converts text (errors='coerce' makes NaN of the rest)"
        ) from None
