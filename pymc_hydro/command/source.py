"""The data of a job, their hash and a summary."""

import hashlib

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.command.settings import UsageError
from pymc_hydro.data.readers import join, read_basin
from pymc_hydro.data.schema import VARIABLES

__all__ = ["data_hash", "load_data", "summary"]


def load_data(
    source: str,
    gauge: str | None = None,
    reader: str | None = None,
    options: dict | None = None,
    discharge: dict | None = None,
) -> xr.Dataset:
    """Return the basin that a configuration or a command line names.

    Parameters
    ----------
    source, gauge, reader, options
        As of :func:`pymc_hydro.read_basin`.
    discharge : dict, optional
        The same of a file with discharge alone, and its ``units`` and ``area``.

    Raises
    ------
    UsageError
        If an option of the reader is called like one of the other arguments.
    """
    record = _read(source, gauge, reader, options or {})
    if not discharge:
        return record
    asked = {"gauge": None, "reader": None, "options": {}} | discharge
    area = asked.pop("area", None) or record.attrs.get("area_km2")
    units = asked.pop("units", None)
    asked["options"] = ({} if area is None else {"area": area}) | asked["options"]
    if units is not None:
        asked["options"] = {"units": {"discharge": units}} | asked["options"]
    return join(record, _read(**asked))


def _read(source, gauge, reader, options):
    if taken := [name for name in ("path", "source", "gauge", "reader") if name in options]:
        raise UsageError(f"options: {', '.join(taken)} is no option of a reader")
    return read_basin(source, gauge, reader=reader, **options)


def data_hash(basin: xr.Dataset) -> str:
    """Return the SHA-256 of dates and values of a basin, in the order of the schema."""
    digest = hashlib.sha256(basin["time"].values.astype("datetime64[s]").tobytes())
    for name in VARIABLES:
        if name in basin:
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(basin[name].values, dtype="<f8").tobytes())
    return digest.hexdigest()


def summary(basin: xr.Dataset) -> pd.DataFrame:
    """Return mean, extremes and gaps of each variable."""
    rows = {}
    for name in [n for n in VARIABLES if n in basin]:
        values = basin[name].to_series()
        rows[name] = {
            "unit": basin[name].attrs["units"],
            "mean": values.mean(),
            "least": values.min(),
            "largest": values.max(),
            "missing": int(values.isna().sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")
