"""The simulation below a likelihood: its runs up to an origin, and on from the state there."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
from pytensor.graph.traversal import ancestors

from pymc_hydro.core.base.names import Names
from pymc_hydro.core.domain import domain_of
from pymc_hydro.engine.batch import run_batch
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.problem import Problem
from pymc_hydro.losses.axis import FORCING_TIME, TIME, UNCOMPILED, Axis, dim_dates
from pymc_hydro.ops.simulation import AbstractSimulation, SimulatedValues

__all__ = ["Simulation", "simulation_below"]


@dataclass(frozen=True)
class Simulation:
    """A simulation of one basin in a PyMC model.

    Attributes
    ----------
    problem : Problem
        Whose outputs are the one that the likelihood compares, and then all (other) stores.
    theta, initial_state : TensorVariable, shapes (n_parameter,) and (n_state,)
    time : DatetimeIndex, shape (n_time,)
        Of all intervals, with the warm-up.
    forcing : array, shape (n_time, n_forcing)
    """

    problem: Problem
    theta: Any
    initial_state: Any
    time: pd.DatetimeIndex
    forcing: np.ndarray

    @property
    def columns(self) -> list[int]:
        """Where the stores stand among the outputs, shape (n_state,)."""
        return [self.problem.outputs.index(name) for name in self.problem.model.store_names]

    def run(self, theta: np.ndarray, x0: np.ndarray) -> np.ndarray:
        """Return output and stores of the whole record, shape (n_draw, n_time, n_output)."""
        n = self.time.size
        return self._batch(theta[:, None], self.forcing, x0[:, None], np.array([0, n]))

    def lead_in(self, theta: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return how many intervals before each origin a run has to begin, shape (n_origin,).

        Water in a unit hydrograph is in no store: the inflow since the time that it remembers must
        be known. Water in a hydrograph between stores is known from a run of the whole past alone.
        """
        model = self.problem.model
        if model.hydrographs:
            return places
        if model.routing is None:
            return np.zeros_like(places)
        if model.routing.intervals:
            n = model.routing.intervals
        else:
            columns = dict(zip(model.parameter_names, theta.T, strict=True))
            base = model.routing.base(Names(type(model).__name__, "parameter", columns))
            n = int(np.max(base) / self.problem.dt) + 1
        return np.minimum(n, places)

    def stores(self, x0: np.ndarray, past: np.ndarray, begins: np.ndarray) -> np.ndarray:
        """Return the stores at the start of some intervals, shape (n_draw, n_begin, n_state).

        Parameters
        ----------
        x0 : array, shape (n_draw, n_state)
        past : array, shape (n_draw, n_time, n_output)
            From :meth:`run`.
        begins : array of int, shape (n_begin,)
        """
        return self.settle(
            np.where((begins > 0)[:, None], past[:, begins - 1][..., self.columns], x0[:, None])
        )

    def settle(self, stores: np.ndarray) -> np.ndarray:
        """Return stores after an integration, where an empty one may hold an error below zero."""
        lowest = domain_of(self.problem.model)[-stores.shape[-1] :, 0]
        return np.where((stores < 0) & (lowest == 0), 0.0, stores)

    def run_on(
        self,
        theta: np.ndarray,
        states: np.ndarray,
        weather: np.ndarray,
        begins: np.ndarray,
        places: np.ndarray,
    ) -> np.ndarray:
        """Return the output after each origin.

        Parameters
        ----------
        theta : array, shape (n_draw, n_parameter)
        states : array, shape (n_draw, n_origin, n_state)
            At the start of the intervals `begins`.
        weather : array, shape (n_origin, n_member, horizon, n_forcing)
        begins, places : array of int, shape (n_origin,)
            The first interval of each run, and of each forecast.

        Returns
        -------
        array, shape (n_draw, n_origin, n_member, horizon)
        """
        n_origin, n_member, horizon, _ = weather.shape
        states = np.repeat(states, n_member, axis=1)
        vectors = np.broadcast_to(theta[:, None], (*states.shape[:2], theta.shape[1]))
        records = [
            np.concatenate([self.forcing[begins[o] : places[o]], member])
            for o in range(n_origin)
            for member in weather[o]
        ]
        bounds = np.cumsum([0, *map(len, records)])
        values = self._batch(vectors, np.concatenate(records), states, bounds)[..., 0]
        rows = bounds[1:, None] - horizon + np.arange(horizon)
        return values[:, rows].reshape(len(theta), n_origin, n_member, horizon)

    def run_windows(
        self, theta: np.ndarray, states: np.ndarray, begins: np.ndarray, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return equally long runs until each origin, and derivatives by the stores at their start.

        Parameters
        ----------
        theta, states, begins, places
            As of :meth:`run_on`.

        Returns
        -------
        tuple of array, shapes (n_draw, n_origin, n, n_output) and (n_draw, n_origin, n, n_state)
            Output and stores; the derivatives of the output. NaN where an integration failed.
        """
        problem = replace(self.problem, free=())
        records = np.concatenate(
            [self.forcing[slice(*ends)] for ends in zip(begins, places, strict=True)]
        )
        bounds = np.arange(len(places) + 1) * (places[0] - begins[0])
        vectors = np.broadcast_to(theta[:, None], (*states.shape[:2], theta.shape[1]))
        batch = run_batch(
            problem, vectors, records, states, bounds, sensitivities=True, initial=True
        )
        assert batch.jacobian is not None
        shape = (*states.shape[:2], -1)
        values = batch.values.reshape(*shape, batch.values.shape[-1])
        by_stores = batch.jacobian[:, :, 0].reshape(*shape, states.shape[-1])
        failed = (batch.status > 0)[..., None, None]
        return np.where(failed, np.nan, values), np.where(failed, np.nan, by_stores)

    def _batch(self, theta, forcing, x0, bounds) -> np.ndarray:
        batch = run_batch(self.problem, theta, forcing, x0, bounds, lanes=True)
        if batch.status.any():
            draw = int(np.argwhere(batch.status)[0, 0])
            pairs = zip(self.problem.model.parameter_names, theta[draw, 0], strict=True)
            raise IntegrationError(
                f"forecast: the integration failed with draw {draw} of the posterior: "
                + ", ".join(f"{name} = {value:.6g}" for name, value in pairs)
            )
        return batch.values


def simulation_below(model: pm.Model, series: Any, axis: Axis) -> Simulation:
    """Return the simulation that a series is an output of.

    Parameters
    ----------
    model : pm.Model
    series : TensorVariable, shape (n_time,), or None
        One output, after the warm-up.
    axis : Axis

    Raises
    ------
    ValueError
        If there is none, or one of several basins, or if the forcing is random.
    """
    nodes = [] if series is None else _nodes(series)
    if len(nodes) != 1 or not isinstance(nodes[0].op, SimulatedValues) or axis.dates is None:
        raise ValueError(
            "forecast: the likelihood must compare observations with one simulation of one basin, "
            f"found {', '.join(str(node.op) for node in nodes) or 'none'}; for several basins, "
            "make a model of each with ph.build_model and give the same posterior"
        )
    (node,) = nodes
    problem, name = node.op.problem, series.name
    output = max((o for o in problem.outputs if name.endswith(o)), key=len)
    outputs = dict.fromkeys((output, *problem.model.store_names))
    problem = replace(problem, outputs=tuple(outputs))
    assert axis.dim is not None
    dim = axis.dim.removesuffix(TIME) + FORCING_TIME
    if dim not in model.coords:
        raise ValueError(
            "forecast: the likelihood compares means over longer intervals than those of the "
            "simulation; give it the observations of single intervals"
        )
    time = dim_dates(model, dim)
    theta, forcing, x0 = node.inputs
    random = [rv.name for rv in model.free_RVs if rv in ancestors([forcing])]
    if random:
        raise ValueError(
            f"forecast: the forcing of the simulation depends on {', '.join(random)}, whose values "
            "after the origin nobody knows; forecast with a model whose forcing is data, with the "
            "same posterior"
        )
    return Simulation(problem, theta, x0, pd.DatetimeIndex(time), forcing.eval(mode=UNCOMPILED))


def _nodes(variable: Any) -> list:
    return [
        v.owner
        for v in ancestors([variable])
        if v.owner is not None and isinstance(v.owner.op, AbstractSimulation)
    ]
