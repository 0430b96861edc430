"""A basin from an embedded record, a file or a folder: the reader is found."""

from pathlib import Path

import xarray as xr

from pymc_hydro.data import readers
from pymc_hydro.data.embedded import BASINS, load_basin

__all__ = ["SourceError", "load_source"]

ONE_FILE = ("read_csv", "read_mopex")


class SourceError(ValueError):
    """The source of data that was asked for is not there, or is not a single basin."""


def load_source(source: str, gauge=None, reader=None, options=None) -> xr.Dataset:
    """Return the basin that a name, a file or a folder stands for.

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
    SourceError
        If the words do not say which basin.
    """
    options = dict(options or {})
    if source in BASINS:
        if gauge or reader or options:
            raise SourceError(f"{source} is embedded: it has no gauge, reader or options")
        return load_basin(source)
    path = Path(source)
    if not path.exists():
        raise SourceError(
            f"{source}: no such file or folder, nor an embedded basin ({', '.join(BASINS)})"
        )
    if path.is_file():
        reader = reader or ("read_mopex" if path.suffix == ".dly" else "read_csv")
        arguments = (path,)
    else:
        reader, gauge, path = _choose(path, gauge, reader)
        arguments = (path,) if reader in ONE_FILE else (path, gauge)
    if not reader.startswith("read_") or reader not in readers.__all__:
        known = ", ".join(n for n in readers.__all__ if n.startswith("read_"))
        raise SourceError(f"no reader {reader!r}; known are {known}")
    try:
        return getattr(readers, reader)(*arguments, **options)
    except TypeError as error:
        raise SourceError(f"{reader}: {error}") from None


def _choose(path, gauge, reader):
    found = readers.scan(path)
    if reader is not None:
        if gauge is None:
            raise SourceError(f"{path}: {reader} needs --gauge")
        return reader, gauge, path
    if gauge is not None:
        found = found[found["gauge"] == gauge]
    kinds = found[["reader", "gauge"]].drop_duplicates()
    if len(kinds) != 1:
        what = f"{len(kinds)} basins" if len(kinds) else "nothing that is recognised"
        raise SourceError(
            f"{path}: holds {what}"
            + (f" for gauge {gauge}" if gauge else "")
            + f"; look at 'pymc-hydro data {path}' and give --gauge (and --reader)"
        )
    reader, gauge = kinds.iloc[0]
    return reader, gauge, path / found["path"].iloc[0] if reader in ONE_FILE else path
