"""Forecasts and hindcasts whose errors follow from the last observations."""

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from pymc_hydro.inference.forecasting.correction import correct_stores
from pymc_hydro.inference.forecasting.errors import ForecastErrors
from pymc_hydro.inference.forecasting.origin import Simulation, simulation_below
from pymc_hydro.inference.forecasting.weather import weather_of
from pymc_hydro.inference.predict import (
    Sample,
    context_of,
    likelihood_name,
    simulated_series,
)
from pymc_hydro.likelihoods.errors.residuals import residuals_of
from pymc_hydro.losses.axis import axis_of

__all__ = ["forecast"]

UNITS = {"units": "mm/d"}


def forecast(
    idata: Any,
    model: pm.Model | None = None,
    *,
    origin: Any,
    horizon: int,
    forcing: Any = None,
    correct: float | None = None,
    name: str | None = None,
    draws: int = 400,
    random_seed: int | None = None,
) -> xr.Dataset:
    """Forecast discharge from an origin, or hindcast from several.

    The record of the model (see ``ph.set_basin``) reaches to the origin. Each draw of the posterior
    is run over it; from its stores there it goes on with the forcing of the forecast. The errors
    are those of the likelihood, given the last observations before the origin: they fade into the
    free-running errors of ``ph.predict`` as the lead grows.

    Parameters
    ----------
    idata, model, name, random_seed
        As in ``ph.predict``.
    origin : date, or sequence of dates
        Start of the first interval that is forecast, lead 1. All intervals before it are known.
    horizon : int
        Number of intervals.
    forcing : Dataset or DataFrame, {"resampled"}, optional
        What the model reads, at the times of the forecast: on ``time``; an ensemble on (``member``,
        ``time``); what was issued at several origins on (``origin``, ``lead``), with ``member`` or
        without. "resampled": the weather of the same days of all other years of the record, each
        a member (ensemble streamflow prediction). Not given: the record of the model goes on, as
        if the weather were known.
    correct : float, optional
        Correct the stores by the observations of the ten days before the origin: the prior standard
        deviation of the logarithm of each store's content ten days before, such as 0.2. Not given:
        the stores are those of the run.
    draws : int
        Of the posterior, at most, evenly spaced in each chain; each meets every member.

    Returns
    -------
    Dataset
        For one origin on (chain, draw, member, time) with the coordinate ``lead`` of ``time``; for
        several on (origin, chain, draw, member, lead) with the coordinate ``time`` on (origin,
        lead); without ``member`` unless there is an ensemble. ``discharge``, with error, and
        ``simulated``, without, in mm/d; ``observed`` where the record has observations.

    Raises
    ------
    KeyError
        As ``ph.predict``, or if the likelihood has no error model.
    ValueError
        If the origin is not in the record, the forcing lacks an interval, the model is one of
        several basins, the observations are means over longer intervals, the errors depend on data
        of each interval, the forcing of the model is random, or there are too few intervals before
        an origin for a correction.

    Notes
    -----
    The correction is a least squares for each draw of the posterior. Factors of the stores explain
    the errors of ten days together with the errors that the likelihood expects: with the covariance
    of its memory, and with normal densities. An error that is remembered for long changes the
    stores little. The derivatives by the stores are exact. What the stores do not explain is left
    to the memory of the errors. The stores have their most probable factors in each draw.

    References
    ----------
    Day, G. N. (1985). J. Water Resour. Plan. Manag. 111, 157-170.
    doi:10.1061/(ASCE)0733-9496(1985)111:2(157)
    """
    if horizon < 1:
        raise ValueError(f"forecast: horizon must be one interval or more, found {horizon!r}")
    model = context_of(idata, model)
    name = likelihood_name(model, name)
    model = model.root
    placed = residuals_of(model, name)
    axis, series = axis_of(model, placed.simulated), simulated_series(model[name])
    simulation = simulation_below(model, series, axis)
    dates = pd.DatetimeIndex(np.atleast_1d(np.asarray(origin, dtype="datetime64[ns]")))
    places = _places(simulation.time, dates)
    own = (simulation.time, simulation.forcing)
    columns = simulation.problem.model.forcing_names
    weather, members = weather_of(forcing, columns, own, dates, horizon, random_seed)
    sample = Sample.of(idata, model, [placed.sigma, model[name]], name, draws)
    theta, x0 = sample.evaluate([simulation.theta, simulation.initial_state], None)
    errors = ForecastErrors.of(model, placed, axis, series, sample)
    past = simulation.run(theta, x0)
    begins = places - simulation.lead_in(theta, places)
    states = simulation.stores(x0, past, begins)
    corrected = np.empty((*states.shape[:2], 0))
    if correct is not None:
        states, corrected = correct_stores(simulation, errors, theta, x0, past, places, correct)
    future = simulation.run_on(theta, states, weather, begins, places)
    results = np.empty((2, *future.shape))
    warmup = simulation.time.size - axis.known_dates.size
    for i, (rows, begun) in enumerate(_groups(errors, places - warmup)):
        window = begun[:, None] + np.arange(places[rows[0]] - warmup - begun[0])
        before = past[:, window + warmup, 0]
        n = min(window.shape[1], corrected.shape[-1])
        before[..., window.shape[1] - n :] = corrected[:, rows, corrected.shape[-1] - n :]
        shape = (*future.shape[:1], len(rows), future.shape[2], window.shape[1])
        q = np.concatenate([np.broadcast_to(before[:, :, None], shape), future[:, rows]], axis=-1)
        seed = None if random_seed is None else random_seed + i
        results[:, :, rows] = errors.draw(q, errors.usable[window], seed)[..., -horizon:]
    return _label(sample, results, dates, members, simulation, errors, np.ndim(origin) > 0)


def _places(time: pd.DatetimeIndex, dates: pd.DatetimeIndex) -> np.ndarray:
    """Return the interval of the record at which each forecast begins, maybe that after its end."""
    step = time[1] - time[0]
    places = time.append(pd.DatetimeIndex([time[-1] + step])).get_indexer(dates)
    if (places < 1).any():
        raise ValueError(
            f"forecast: origin {dates[places < 1][0]} is no interval of the record after the first,"
            f" nor the one after its end; it runs from {time[0]} to {time[-1]} in steps of {step}; "
            "ph.set_basin takes a longer record"
        )
    return places


def _groups(errors: ForecastErrors, places: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return origins with equally long windows of known errors, and where each window begins.

    A window begins with the last observation, or with the last two of them if they are neighbours
    and the memory is of order 2.
    """
    order, begins = errors.placed.memory.order, []
    there = np.isfinite(errors.usable)
    for place in places:
        usable = np.flatnonzero(there[: max(place, 0)])
        begin = usable[-1] if usable.size and order else place
        if order == 2 and usable.size > 1 and usable[-2] == begin - 1:
            begin -= 1
        begins.append(begin)
    begun = np.array(begins)
    lengths = places - begun
    return [
        (rows, begun[rows]) for n in np.unique(lengths) for rows in [np.flatnonzero(lengths == n)]
    ]


def _label(sample, results, dates, members, simulation: Simulation, errors, several) -> xr.Dataset:
    """Return draws of shape (2, n_draw, n_origin, n_member, horizon) with their dimensions."""
    time, horizon = simulation.time, results.shape[-1]
    step = time[1] - time[0]
    lead = np.arange(1, horizon + 1)
    valid = dates.to_numpy()[:, None] + (lead - 1) * step.to_timedelta64()
    sizes = [len(c) for c in sample.coords.values()]
    arrays = results.reshape(2, *sizes, *results.shape[2:])
    arrays = np.moveaxis(arrays, 3, 1)  # origin first
    dims: tuple[str, ...] = ("origin", "chain", "draw", "member", "lead")
    coords = {**sample.coords, "lead": lead, "origin": dates, "time": (("origin", "lead"), valid)}
    if members is None:
        arrays, dims = arrays[..., 0, :], ("origin", "chain", "draw", "lead")
    else:
        coords["member"] = members
    simulated, drawn = ((dims, array, UNITS) for array in arrays)
    found = xr.Dataset({"discharge": drawn, "simulated": simulated}, coords=coords)
    known = pd.Series(errors.observed, time[time.size - errors.observed.size :])
    observed = known.reindex(pd.DatetimeIndex(valid.ravel())).to_numpy().reshape(valid.shape)
    if np.isfinite(observed).any():
        found["observed"] = (("origin", "lead"), observed, UNITS)
    if several:
        return found
    return found.isel(origin=0).swap_dims(lead="time")
