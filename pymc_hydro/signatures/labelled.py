"""Signatures of labelled series, observed against simulated."""

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.checks.dates import as_dates, check_axis
from pymc_hydro.data.observations import as_floats, check_observations, observed_on
from pymc_hydro.data.schema import check_units
from pymc_hydro.signatures.measures import SIGNATURES, Series

__all__ = ["compare_signatures", "compute", "peak_timing_error"]

APART = 100  # days between two peaks that are judged


def compute(flow: xr.DataArray, precipitation: xr.DataArray | None = None) -> xr.Dataset:
    """Return all signatures of a series, or of each of many draws.

    Parameters
    ----------
    flow : DataArray, in mm/d
        On ``time``, evenly spaced, and any other dimensions; NaN where missing.
    precipitation : DataArray, shape (n_time,), in mm/d, optional
        For the runoff ratio, which is NaN without it; matched to `flow` by ``time``.

    Returns
    -------
    Dataset
        One variable for each of ``SIGNATURES``, on the other dimensions of `flow`.

    Raises
    ------
    ValueError
        If there are fewer than two intervals, or none with flow.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> basin = ph.load_basin("leaf_river")
    >>> found = ph.signatures.compute(basin["discharge"], basin["precipitation"])
    >>> round(float(found["runoff_ratio"]), 2)
    0.34
    """
    if not isinstance(flow, xr.DataArray):
        raise TypeError(
            f"signatures: flow must be a DataArray on 'time', found {type(flow).__name__}"
        )
    if "time" not in flow.dims or flow.sizes["time"] < 2:
        raise ValueError(f"signatures: flow needs at least two entries on 'time', has {flow.dims}")
    time = as_dates("signatures: the index of flow", flow.get_index("time")).to_numpy()
    if np.ptp(np.diff(time).astype(float)) > 0:
        raise ValueError(
            "signatures: 'time' is not evenly spaced; keep missing intervals, with flow as NaN"
        )
    check_axis("signatures: 'time' of flow", time)
    check_units("signatures: flow", "discharge", flow.attrs)
    lead = [d for d in flow.dims if d != "time"]
    values = as_floats(flow.transpose(*lead, "time"), "signatures: flow")
    if np.isnan(values).all(axis=-1).any():
        raise ValueError("signatures: flow is missing in all intervals")
    check_observations("signatures: flow", values, time)
    rain = None
    if precipitation is not None:
        rain = observed_on(
            "signatures: precipitation", precipitation, time, "flow", quantity="precipitation"
        )
        if np.isnan(rain[np.isfinite(values).any(axis=tuple(range(values.ndim - 1)))]).any():
            raise ValueError("signatures: precipitation does not cover all intervals of flow")
    series = Series(values, time, rain)
    variables = {}
    for name, signature in SIGNATURES.items():
        attributes = {"units": signature.unit, "long_name": signature.description}
        variables[name] = (lead, signature.formula(series), attributes)
    return xr.Dataset(variables, {d: flow[d] for d in lead if d in flow.coords})


def compare_signatures(
    observed: xr.DataArray,
    simulated: xr.DataArray,
    precipitation: xr.DataArray | None = None,
    prob: float = 0.9,
) -> pd.DataFrame:
    """Return signatures of observed and of simulated flow, on the intervals that were observed.

    Parameters
    ----------
    observed : DataArray, shape (n_time,), in mm/d
        NaN where missing; may cover more intervals than `simulated`.
    simulated : DataArray, in mm/d
        On ``time``, and on ``draw`` where there is uncertainty.
    precipitation : DataArray, shape (n_time,), in mm/d, optional
    prob : float
        Probability of the interval from ``lower`` to ``upper``.

    Returns
    -------
    DataFrame
        One row a signature: ``unit``, ``observed``, ``simulated`` (the median over draws),
        ``lower``, ``upper``, and ``share_below``: the share of draws whose signature is below the
        observed one. The three last are NaN without draws.

    Raises
    ------
    ValueError
        If nothing was observed, or each simulation is missing where something was.
    """
    observed = _observed_at(observed, simulated)
    there = observed.notnull()
    known = compute(observed, precipitation)
    short = (simulated.isnull() & there).any("time")
    if short.all():
        raise ValueError("signatures: simulated flow is missing where flow was observed")
    # A draw with gaps of its own is not comparable.
    found = compute(simulated.where(there).where(~short, observed), precipitation).where(~short)
    rows = {}
    for name, signature in SIGNATURES.items():
        truth, values = float(known[name]), np.atleast_1d(found[name].values).ravel()
        row = {"unit": signature.unit, "observed": truth, "simulated": _median(values)}
        row |= dict.fromkeys(("lower", "upper", "share_below"), np.nan)
        if "draw" in simulated.dims and np.isfinite(values).any():
            edges = [(1 - prob) / 2, (1 + prob) / 2]
            row["lower"], row["upper"] = np.nanquantile(values, edges)
            if np.isfinite(truth):
                row["share_below"] = float(np.mean(values[np.isfinite(values)] < truth))
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("signature")


def peak_timing_error(
    observed: xr.DataArray, simulated: xr.DataArray, window: float = 3.0
) -> xr.DataArray:
    """Return how far simulated peaks are from observed ones, in days, on average.

    Observed peaks are local maxima at least 100 days apart that stand out by a standard deviation;
    the simulated peak is the largest flow within `window` days of the observed one, of equal ones
    the nearest. Observed peaks without a simulated one (flow is level there, or higher just outside
    than inside) are left out.

    Parameters
    ----------
    observed : DataArray, shape (n_time,), in mm/d
    simulated : DataArray, in mm/d
        On ``time``, and any other dimensions.
    window : float, in days

    Returns
    -------
    DataArray, in days
        On the other dimensions of `simulated`: mean of absolute differences. NaN without peaks in
        both, and where the simulation is missing near one.

    Raises
    ------
    ValueError
        If nothing was observed.

    References
    ----------
    Gauch, M., et al. (2021). Hydrol. Earth Syst. Sci. 25, 2045-2062.
    doi:10.5194/hess-25-2045-2021
    """
    from scipy.signal import find_peaks  # takes long to import

    observed = _observed_at(observed, simulated)
    time = simulated["time"].values
    days = float((time[1] - time[0]) / np.timedelta64(1, "D"))
    flow, at = observed.values, np.arange(observed.size)
    there = np.isfinite(flow)
    # Over gaps on a straight line, which has no peak of its own.
    filled = np.interp(at, at[there], flow[there])
    peaks, _ = find_peaks(filled, distance=max(1, APART / days), prominence=np.nanstd(flow))
    reach = round(window / days)
    peaks = [p for p in peaks if there[p] and reach < p < flow.size - 1 - reach]
    lead = [d for d in simulated.dims if d != "time"]
    values = simulated.transpose(*lead, "time").values
    late = [_lateness(values[..., p - reach - 1 : p + reach + 2]) for p in peaks]
    errors = np.reshape(np.abs(late), (len(peaks), *values.shape[:-1]))
    failed = [np.isnan(values[..., p - reach : p + reach + 1]).any(axis=-1) for p in peaks]
    found = np.isfinite(errors)
    total = np.where(found, errors, 0).sum(axis=0) / np.maximum(found.sum(axis=0), 1)
    defined = found.any(axis=0) & ~np.any(failed, axis=0) if peaks else False
    mean = np.where(defined, days * total, np.nan)
    coords = {d: simulated[d] for d in lead if d in simulated.coords}
    return xr.DataArray(mean, coords, lead, "peak_timing_error", {"units": "d"})


def _observed_at(observed, simulated):
    """Return checked observations at the times of a simulation."""
    time = simulated["time"]
    values = observed_on("signatures", observed, time.values, "simulation")
    return xr.DataArray(values, {"time": time}, ("time",), attrs={"units": "mm/d"})


def _lateness(near):
    """Return the place of the largest flow nearest to the middle, in intervals from there.

    `near` has an interval more on each side than a peak may be away; NaN without a peak.
    """
    inner = near[..., 1:-1]
    reach = inner.shape[-1] // 2
    away = np.arange(-reach, reach + 1)
    most = inner.max(axis=-1, keepdims=True)
    distance = np.where(inner == most, np.abs(away), near.shape[-1])
    place = np.take(away, distance.argmin(axis=-1))
    level = inner.min(axis=-1) == most[..., 0]
    outside = np.where(place == -reach, near[..., 0], np.where(place == reach, near[..., -1], 0))
    return np.where(level | (outside > most[..., 0]), np.nan, place)


def _median(values):
    return float(np.nanmedian(values)) if np.isfinite(values).any() else np.nan
