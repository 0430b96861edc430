"""Several basins at once: their records, of any lengths, and the time axis that holds them all."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.schema import checked_basin, interval_length, warn_if_doubtful

__all__ = ["BASIN", "are_basins", "as_basins", "common_time", "cut_record"]

BASIN = "basin"


def are_basins(data) -> bool:
    """Return whether `data` are several basins: a mapping of records, or a Dataset on ``basin``."""
    if isinstance(data, xr.Dataset):
        return BASIN in data.dims
    return isinstance(data, Mapping)


def as_basins(
    data: Mapping[Hashable, xr.Dataset | pd.DataFrame] | xr.Dataset, needed: Sequence[str] = ()
) -> dict[Hashable, xr.Dataset]:
    """Return each basin of `data` as a Dataset of the schema, after checking it.

    Parameters
    ----------
    data : mapping of name to Dataset or DataFrame, or Dataset with the dimension ``basin``
        Of the latter, intervals before the first and after the last one with all of the forcing
        that is needed are no part of a basin's record.
    needed : sequence of str
        Variables that must be there.

    Raises
    ------
    TypeError, KeyError, ValueError
        As :func:`as_basin`, with the basin's name; or if intervals differ in length.
    """
    names = data[BASIN].values.tolist() if isinstance(data, xr.Dataset) else list(data)
    if not names:
        raise ValueError("basins: none are given")
    if len(set(names)) < len(names):
        raise ValueError(f"basins: names must be unique, found {names}")
    basins = {}
    for name in names:
        try:
            one: xr.Dataset | pd.DataFrame
            if isinstance(data, xr.Dataset):
                one = cut_record(data.sel({BASIN: name}, drop=True), needed)
            else:
                one = data[name]
            basins[name] = checked_basin(one, needed)
        except (TypeError, KeyError, ValueError) as error:
            raise type(error)(f"{name!r}: {error.args[0]}") from error
    for name, basin in basins.items():
        warn_if_doubtful(f"{name!r}: basin", basin)
    lengths = {name: interval_length(basin) for name, basin in basins.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name!r} {length:g} d" for name, length in lengths.items())
        raise ValueError(f"basins: all need intervals of one length, found {found}")
    return basins


def common_time(basins: Sequence[xr.Dataset]) -> tuple[np.ndarray, np.ndarray]:
    """Return the intervals of all checked basins, and the position at which each basin begins.

    Parameters
    ----------
    basins : sequence of Dataset
        With intervals of one length.

    Raises
    ------
    ValueError
        If intervals overlap without being the same.
    """
    times = [basin["time"].values for basin in basins]
    step = times[0][1] - times[0][0]
    start = min(time[0] for time in times)
    shift = [(time[0] - start) / step for time in times]
    if any(s != round(s) for s in shift):
        at = [s != round(s) for s in shift].index(True)
        raise ValueError(
            f"basins: intervals must begin at the same moments, found {pd.Timestamp(start)} and "
            f"{pd.Timestamp(times[at][0])}; shift the dates of one"
        )
    first = np.array([round(s) for s in shift])
    there = np.zeros(max(f + len(time) for f, time in zip(first, times, strict=True)), dtype=bool)
    for f, time in zip(first, times, strict=True):
        there[f : f + len(time)] = True
    return start + np.flatnonzero(there) * step, (np.cumsum(there) - 1)[first]


def cut_record(basin: xr.Dataset, needed: Sequence[str]) -> xr.Dataset:
    """Return the intervals from the first to the last one in which no forcing is missing."""
    forcing = [n for n in needed if n != "discharge" and n in basin]
    series = [basin[n].values for n in forcing if basin[n].dims == ("time",)]
    if not series:
        return basin
    complete = np.flatnonzero(np.logical_and.reduce([pd.notna(s) for s in series]))
    if not complete.size:
        raise ValueError(f"basin: no interval has all of {', '.join(forcing)}")
    return basin.isel(time=slice(complete[0], complete[-1] + 1))
