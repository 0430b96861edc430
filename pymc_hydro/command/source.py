"""Data from an embedded basin, a file or a folder."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.command.settings import UsageError
from pymc_hydro.data import BASINS
from pymc_hydro.data.schema import VARIABLES

__all__ = ["data_hash", "load_source", "summary"]

ONE_FILE = ("read_csv", "read_mopex")


def load_source(source: str, gauge=None, reader=None, options=None) -> xr.Dataset:
    """Return the basin that the words of a command line or a configuration mean.

    Parameters
    ----------
    source : str
        Name of an embedded basin, a file (``.dly``: MOPEX; else text with a header), or a folder
        of a data set.
    gauge : str, optional
        Which basin of a folder; not needed where it holds one.
    reader : str, optional
        Such as "read_camels_us"; found by ``ph.scan`` where not given.
    options : dict, optional
        Passed on to the reader.

    Raises
    ------
    UsageError
        If the words do not say which basin.
    """
    options = dict(options or {})
    if source in BASINS:
        if gauge or reader or options:
            raise UsageError(f"{source} is embedded: it has no gauge, reader or options")
        return ph.load_basin(source)
    path = Path(source)
    if not path.exists():
        raise UsageError(
            f"{source}: no such file or folder, nor an embedded basin ({', '.join(BASINS)})"
        )
    if path.is_file():
        reader = reader or ("read_mopex" if path.suffix == ".dly" else "read_csv")
        arguments = (path,)
    else:
        reader, gauge, path = _choose(path, gauge, reader)
        arguments = (path,) if reader in ONE_FILE else (path, gauge)
    if not reader.startswith("read_") or reader not in ph.__all__:
        known = ", ".join(n for n in ph.__all__ if n.startswith("read_"))
        raise UsageError(f"no reader {reader!r}; known are {known}")
    try:
        return getattr(ph, reader)(*arguments, **options)
    except TypeError as error:
        raise UsageError(f"{reader}: {error}") from None


def _choose(path, gauge, reader):
    found = ph.scan(path)
    if reader is not None:
        if gauge is None:
            raise UsageError(f"{path}: {reader} needs --gauge")
        return reader, gauge, path
    if gauge is not None:
        found = found[found["gauge"] == gauge]
    kinds = found[["reader", "gauge"]].drop_duplicates()
    if len(kinds) != 1:
        what = f"{len(kinds)} basins" if len(kinds) else "nothing that is recognised"
        raise UsageError(
            f"{path}: holds {what}"
            + (f" for gauge {gauge}" if gauge else "")
            + f"; look at 'pymc-hydro data {path}' and give --gauge (and --reader)"
        )
    reader, gauge = kinds.iloc[0]
    return reader, gauge, path / found["path"].iloc[0] if reader in ONE_FILE else path


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
