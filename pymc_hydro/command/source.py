"""What is noted about the data of a job: their hash and a summary."""

import hashlib

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.schema import VARIABLES

__all__ = ["data_hash", "summary"]


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
