"""Run a model outside of PyMC: labelled arrays in, labelled arrays out."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.core.dims import DRAW, PARAMETER, TIME
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.schema import as_basin, interval_length
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.kernel_text import REASONS
from pymc_hydro.engine.problem import DEFAULT_TOLERANCE, define_problem

__all__ = ["forcing_array", "initial_array", "simulate"]

COUNTED = ("steps", "implicit_steps", "rejected_steps", "forced_steps", "unsolved_stages")


def forcing_array(model: AbstractModel, basin: xr.Dataset) -> np.ndarray:
    """Return the forcings that `model` uses, shape (n_time, n_forcing), from a checked basin."""
    return np.column_stack([basin[name].values for name in model.forcing_names])


def initial_array(model: AbstractModel, initial_state) -> np.ndarray:
    """Return store contents at the start, shape (n_state,), in mm; None is the model's own."""
    name, known = type(model).__name__, model.store_names
    if initial_state is None:
        return model.initial_state
    array = model.initial_state
    if isinstance(initial_state, Mapping):
        unknown = [k for k in initial_state if k not in known]
        if unknown:
            raise KeyError(f"{name}: unknown stores {unknown}; known are {', '.join(known)}")
        given = np.array(list(initial_state.values()), dtype=float)
        array[[known.index(k) for k in initial_state]] = given
    else:
        array = given = np.array(initial_state, dtype=float)
    if array.shape != (len(known),) or not np.isfinite(given).all():
        raise ValueError(
            f"{name}: initial_state must have {len(known)} finite values ({', '.join(known)}), "
            f"found shape {array.shape}"
        )
    return array


def simulate(
    model: AbstractModel,
    theta: Mapping | Sequence | np.ndarray,
    basin: xr.Dataset | pd.DataFrame,
    outputs: Sequence[str] = ("discharge",),
    sensitivities: bool | Sequence[str] = False,
    initial_state: Mapping | Sequence | np.ndarray | None = None,
    solver: str | None = None,
    rtol: float = DEFAULT_TOLERANCE,
    atol: float = DEFAULT_TOLERANCE,
    steps: int | None = None,
) -> xr.Dataset:
    """Simulate a basin.

    Parameters
    ----------
    model : AbstractModel
        Such as ``ph.Hymod()``.
    theta : mapping of name to value, or array_like
        Shape (n_parameter,), or (n_draw, n_parameter): then the draws run in parallel threads and
        the result has the dimension ``draw``. Bounds are not enforced here.
    basin : Dataset or DataFrame
        Forcing on ``time``: precipitation and potential_evaporation in mm/d, temperature in degC.
    outputs : sequence of str
        Any of ``model.output_names``: fluxes are interval means in mm/d, stores are contents at
        the interval's end in mm.
    sensitivities : bool or sequence of str
        Whether to return the derivatives with respect to the parameters as well; or with respect
        to which ones, the others then cost nothing.
    initial_state : mapping or array_like, shape (n_state,), in mm, optional
        Contents of the stores at the start; the model's own (mostly 1e-5 mm) where not given.
    solver : {"tr_bdf2", "esdirk3", "bogacki_shampine", "heun"}, optional
        Embedded pair for the non-linear part: two that are implicit and L-stable, two explicit
        ones. Not given: explicit steps where they are stable, implicit ones elsewhere. Linear
        routing is always advanced exactly.
    rtol, atol : float
        Tolerances (`atol` in mm) on states; sensitivities scaled by their parameters are
        controlled with ``sqrt(rtol) / 4`` and ``10 atol``.
    steps : int, optional
        This many equal steps an interval, without error control.

    Returns
    -------
    Dataset
        On ``time`` (and ``draw``): one variable for each output, and with `sensitivities` also
        ``d<output>_dparameter`` (time, parameter), in units of the output by units of the
        parameter. Attributes count the steps: taken, of these implicit, rejected, and forced
        (accepted at the shortest length although the error was above the tolerance), and the steps
        that were repeated because a stage had no solution.

    Raises
    ------
    IntegrationError
        If a run fails; names the date, the reason and the parameters.
    KeyError, TypeError, ValueError
        If an argument makes no sense.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> run = ph.simulate(model, model.default, basin, sensitivities=True)
    >>> dict(run.sizes)
    {'time': 3717, 'parameter': 5}
    """
    if isinstance(outputs, str):
        outputs = (outputs,)
    settings: dict[str, Any] = {"solver": solver, "rtol": rtol, "atol": atol, "steps": steps}
    if not isinstance(sensitivities, (bool, np.bool_)):
        settings["free"] = (sensitivities,) if isinstance(sensitivities, str) else sensitivities
    problem = define_problem(model, tuple(outputs), 1.0, **settings)  # settings before data
    basin = as_basin(basin, model.forcing_names)
    problem = replace(problem, dt=interval_length(basin))
    array = model.parameter_vector(theta)
    forcing, x0 = forcing_array(model, basin), initial_array(model, initial_state)
    time = basin[TIME].values

    def run_one(row):
        run = problem.run(row, forcing, x0, sensitivities=bool(sensitivities))
        if run.status:
            raise _failure(model, run, row, time)
        return run

    if array.ndim == 1:
        runs = [run_one(array)]
    else:
        first = run_one(array[0])  # compiles, before the threads start
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = [first, *pool.map(run_one, array[1:])]
    return _label(model, problem, runs, (DRAW,) if array.ndim == 2 else (), time)


def _label(model, problem, runs, lead, time):
    def gather(arrays):
        stacked = np.stack(arrays)
        return stacked if lead else stacked[0]

    table, variables = model.output_table, {}
    for o, name in enumerate(problem.outputs):
        attributes = {"units": table[name].unit, "long_name": table[name].description}
        variables[name] = ((*lead, TIME), gather([r.values[:, o] for r in runs]), attributes)
        if runs[0].jacobian is not None:
            variables[f"d{name}_dparameter"] = (
                (*lead, TIME, PARAMETER),
                gather([r.jacobian[:, o] for r in runs]),
                {"long_name": f"derivative of {name} with respect to each parameter"},
            )
    coords = {TIME: time}
    if runs[0].jacobian is not None:
        coords[PARAMETER] = [model.parameter_names[i] for i in problem.columns]
    total = sum(r.counts for r in runs)
    counts = {name: int(n) for name, n in zip(COUNTED, total[: len(COUNTED)], strict=True)}
    solver = " or ".join(method.name for method in problem.methods)
    settings = {"solver": solver, "rtol": problem.rtol, "atol": problem.atol}
    if problem.steps:
        settings = {"solver": solver, "steps_per_interval": problem.steps}
    options = ", ".join(f"{k}={v!r}" for k, v in model.options.items())
    attrs = {"model": f"{type(model).__name__}({options})", **settings, **counts}
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _failure(model, run, theta, time) -> IntegrationError:
    values = ", ".join(f"{n} = {v:.6g}" for n, v in zip(model.parameter_names, theta, strict=True))
    date = pd.Timestamp(time[run.counts[-1]])
    return IntegrationError(
        f"{type(model).__name__}: the integration failed in the interval that starts at {date}: "
        f"{REASONS[run.status]}. Parameters: {values}"
    )
