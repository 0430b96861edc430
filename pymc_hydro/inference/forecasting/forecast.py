"""Forecasts and hindcasts whose errors follow from the last observations."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.graph.replace import graph_replace
from pytensor.graph.traversal import ancestors

from pymc_hydro.inference.forecasting.origin import Simulation, simulation_below
from pymc_hydro.inference.forecasting.weather import weather_of
from pymc_hydro.inference.predict import (
    Sample,
    context_of,
    likelihood_name,
    simulated_series,
    untransformed,
)
from pymc_hydro.likelihoods.errors.axis import Axis, axis_of, value_of
from pymc_hydro.likelihoods.errors.residuals import Residuals, residuals_of
from pymc_hydro.losses.transforms import variables_of

__all__ = ["forecast"]

UNITS = {"units": "mm/d"}


def forecast(
    idata: Any,
    model: pm.Model | None = None,
    *,
    origin: Any,
    horizon: int,
    forcing: Any = None,
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
        several basins, or the errors depend on data of each interval.

    References
    ----------
    Day, G. N. (1985). J. Water Resour. Plan. Manag. 111, 157-170.
    doi:10.1061/(ASCE)0733-9496(1985)111:2(157)
    """
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
    past = simulation.run(theta, x0)
    future = simulation.run_on(theta, x0, past, weather, places)
    errors = _Errors.of(model, placed, axis, series, sample)
    results = np.empty((2, *future.shape))
    known, warmup = past[..., 0], simulation.time.size - axis.known_dates.size
    for i, (rows, begun) in enumerate(_groups(errors, places - warmup)):
        window = begun[:, None] + np.arange(places[rows[0]] - warmup - begun[0])
        before = known[:, window + warmup][:, :, None]
        shape = (*future.shape[:1], len(rows), future.shape[2], window.shape[1])
        q = np.concatenate([np.broadcast_to(before, shape), future[:, rows]], axis=-1)
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


@dataclass(frozen=True)
class _Errors:
    """The errors of a likelihood as a function of simulated flow.

    Attributes
    ----------
    placed : Residuals
    sample : Sample
    flow, seen : TensorVariable, shape (n,)
        Simulated flow; observations, NaN where there are none.
    outputs : list of TensorVariable
        Simulated flow that is compared, mean, scale, innovations, known errors, the values of
        the memory, and the parameters of the transformation.
    usable, observed : array, shape (n_time,)
        Observations that tell the error, and all observations; NaN where there are none.
    """

    placed: Residuals
    sample: Sample
    flow: Any
    seen: Any
    outputs: list
    usable: np.ndarray
    observed: np.ndarray

    @classmethod
    def of(cls, model, placed: Residuals, axis: Axis, series, sample: Sample) -> "_Errors":
        flow, seen = pt.dvector("simulated_flow"), pt.dvector("observed_flow")
        error = placed.transform.forward(pt.switch(pt.isnan(seen), 1.0, seen))
        innovations = placed.family.dist(0.0, 1.0, *placed.shapes, size=(flow.shape[0],))
        of_transform = variables_of(placed.transform)
        outputs = [placed.simulated, placed.mean, placed.sigma, innovations, error]
        outputs += [*placed.memory_values, *of_transform.values()]
        outputs = [pt.as_tensor_variable(o).copy() for o in outputs]
        outputs = graph_replace(outputs, {series: flow}, strict=False)
        tied = [
            str(v.name)
            for v in ancestors(outputs)
            if v.owner is None and axis.dim in (model.named_vars_to_dims.get(v.name) or ())
        ]
        if tied:
            raise ValueError(
                f"forecast: the errors depend on {', '.join(tied)}, which has values of the "
                "intervals of the record alone; use scale='linear' or 'constant'"
            )
        everything = np.full(axis.known_dates.size, np.nan)
        data = value_of(placed.observed)
        everything[value_of(placed.position.owner.inputs[1])] = data
        usable = np.where(everything > 0, everything, np.nan) if placed.censored else everything
        return cls(placed, sample, flow, seen, outputs, usable, everything)

    def draw(self, q: np.ndarray, observed: np.ndarray, random_seed: int | None) -> np.ndarray:
        """Return simulated flow and draws of flow.

        Parameters
        ----------
        q : array, shape (n_draw, n_origin, n_member, n_time)
        observed : array, shape (n_origin, n_known)
            Of the first intervals.

        Returns
        -------
        array, shape (2, n_draw, n_origin, n_member, n_time)
        """
        n_draw, n_time = q.shape[0], q.shape[-1]
        seen = np.full((*q.shape[1:3], n_time), np.nan)
        seen[:, :, : observed.shape[1]] = observed[:, None]
        values = [
            [*inputs, flow, seen.ravel()]
            for inputs, flow in zip(self.sample.values, q.reshape(n_draw, -1), strict=True)
        ]
        sample = Sample([*self.sample.inputs, self.flow, self.seen], values, {})
        results = sample.evaluate(self.outputs, random_seed)
        simulated, mean, sigma, x, transformed = results[:5]
        n_memory = len(self.placed.memory_values)
        known = np.where(np.isnan(seen.ravel()), np.nan, transformed - mean)
        memory = [
            v.reshape(-1, n_time) if v.ndim == 2 else np.repeat(v, seen.size // n_time)
            for v in results[5 : 5 + n_memory]
        ]
        x, sigma, known = (a.reshape(-1, n_time) for a in (x, sigma, known))
        errors = self.placed.memory.follow(x, sigma, memory, known).reshape(n_draw, -1)
        names = variables_of(self.placed.transform)
        parameters = dict(zip(names, results[5 + n_memory :], strict=True))
        drawn = untransformed(self.placed, mean + errors, parameters)
        return np.stack([simulated.reshape(q.shape), drawn.reshape(q.shape)])


def _groups(errors: _Errors, places: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
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
