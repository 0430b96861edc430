"""Run a model outside of PyMC: labelled arrays in, labelled arrays out."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.core.base.dims import PARAMETER, TIME
from pymc_hydro.core.base.names import Names
from pymc_hydro.core.base.warning import warn_user
from pymc_hydro.core.domain import check_domain
from pymc_hydro.core.maps import AbstractMap
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN, are_basins, as_basins, common_time
from pymc_hydro.data.schema import as_basin, interval_length
from pymc_hydro.engine.batch import run_batch
from pymc_hydro.engine.codegen import COUNTS
from pymc_hydro.engine.codegen.step import REASONS
from pymc_hydro.engine.draws import read_draws, read_states
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.problem import DEFAULT_TOLERANCE, define_problem
from pymc_hydro.integrators import RungeKutta
from pymc_hydro.models.listing import as_model

__all__ = ["forcing_array", "initial_array", "simulate"]

SLIGHTLY = 1.01  # of the capacity, which smoothing lets a store exceed
COUNTED = COUNTS[:-1]  # the last one is no number of steps


def forcing_array(model: AbstractModel, basin: xr.Dataset) -> np.ndarray:
    """Return the forcings that `model` uses, shape (n_time, n_forcing), from a checked basin."""
    return np.column_stack([basin[name].values for name in model.forcing_names])


def initial_array(
    model: AbstractModel, initial_state: Mapping | Sequence | np.ndarray | None
) -> np.ndarray:
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
    stores = zip(model.stores, array, strict=True)
    negative = [f"{s.name} = {value:g}" for s, value in stores if value < 0 and not s.signed]
    if negative:
        raise ValueError(
            f"{name}: initial_state has negative contents, {', '.join(negative)} mm; a store that "
            "is empty has 0"
        )
    return array


def check_capacities(model: AbstractModel, x0: np.ndarray, theta: np.ndarray) -> None:
    """Raise ValueError if a store starts with twice its capacity; warn above its capacity.

    A routing store may hold an amount between capacity and twice the capacity for a while after a
    flood.

    Parameters
    ----------
    model : AbstractModel
    x0 : array, shape (n_state,), in mm
    theta : array, shape (..., n_parameter)
    """
    columns = dict(zip(model.parameter_names, np.moveaxis(theta, -1, 0), strict=True))
    p = Names(type(model).__name__, "parameter", columns)
    for store, content in zip(model.stores, x0, strict=True):
        if store.capacity is None or not np.isfinite(content):
            continue
        capacity = float(np.max(store.full(p)))
        text = (
            f"{type(model).__name__}: initial_state has {content:g} mm in {store.name!r}, which "
            f"holds {capacity:g} mm; give at most that, or a share of it by the model's option "
            f"initial={{{store.name!r}: share}}"
        )
        if content > 2 * capacity:
            raise ValueError(text)
        if content > SLIGHTLY * capacity:
            warn_user(text)


def simulate(
    model: AbstractModel | str,
    theta: Mapping | Sequence | np.ndarray,
    basin: xr.Dataset | pd.DataFrame | Mapping[Hashable, xr.Dataset | pd.DataFrame],
    outputs: Sequence[str] = ("discharge",),
    sensitivities: bool | Sequence[str] = False,
    initial_state: Mapping | Sequence | np.ndarray | xr.Dataset | None = None,
    solver: str | RungeKutta | None = None,
    rtol: float = DEFAULT_TOLERANCE,
    atol: float = DEFAULT_TOLERANCE,
    steps: int | None = None,
) -> xr.Dataset:
    """Simulate a basin, or several.

    Many runs (32 or more draws and basins) are integrated in lanes, several runs in one register of
    the processor. A run is then within the tolerance of the run of its draw alone, and does not
    depend on the other runs.

    Parameters
    ----------
    model : AbstractModel or str
        Such as ``ph.Hymod()``; or the name of a model with default options, such as "m_01".
    theta : mapping of name to value, array_like, or posterior
        Shape (n_parameter,), or (n_draw, n_parameter): then the result has the dimension ``draw``.
        Or the result of ``pm.sample``, or its Dataset ``posterior``: then the result has the
        dimensions ``chain`` and ``draw``; variables that are no parameters are left out. With
        several basins it serves every basin, unless it is a mapping of basin to any form described
        here (with equal numbers of draws). Bounds are not enforced here.
    basin : Dataset or DataFrame, or several
        Forcing on ``time``: precipitation and potential_evaporation in mm/d, temperature in degC.
        Several are a mapping of name to such records, of any lengths and with intervals of one
        length; or a Dataset with the dimension ``basin``, in which a record begins and ends with
        the first and the last interval whose forcing is complete. All runs share the machine's
        cores, as threads.
    outputs : sequence of str
        Any of ``model.output_names``: fluxes are interval means in mm/d, stores are contents at
        the interval's end in mm.
    sensitivities : bool or sequence of str
        Whether to return the derivatives with respect to the parameters as well; or with respect
        to which ones, the others then cost nothing.
    initial_state : mapping, array_like, shape (n_state,), in mm, or Dataset, optional
        Contents of the stores at the start; the model's own (mostly 1e-5 mm) where not given. Or an
        earlier run with the stores among its outputs (``outputs=model.store_names``): this run then
        goes on from its contents at the start of the record, each draw from its own (of models
        without a unit hydrograph, in which water is in no store).
    solver : {"tr_bdf2", "esdirk3", "bogacki_shampine", "heun"} or RungeKutta, optional
        Embedded pair for the non-linear part: two that are implicit and L-stable, two explicit
        ones. Not given: explicit steps where they are stable, implicit ones elsewhere. Linear
        routing is always advanced exactly.
    rtol, atol : float
        Tolerances (`atol` in mm) on states; sensitivities scaled by their parameters are
        controlled with ``sqrt(rtol) / 4`` and ``10 atol``.
    steps : int, optional
        This many equal steps an interval, without error control: an error that nothing limits.

    Returns
    -------
    Dataset
        On ``time`` (and ``basin``, ``chain``, ``draw``): one variable for each output, and with
        `sensitivities` also ``d<output>_dparameter`` (time, parameter), in units of the output by
        units of the parameter. Attributes count the steps: taken, implicit among the steps taken,
        rejected, and forced (accepted at the shortest length although the error was above the
        tolerance), and the steps that were repeated because a stage had no solution. With several
        basins ``time`` holds the intervals of all, and a basin is NaN where it has no record.

    Raises
    ------
    IntegrationError
        If a run fails; names the basin and the draw, the date, the reason and the parameters.
    KeyError, TypeError, ValueError
        If an argument makes no sense.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> run = ph.simulate(model, model.default, basin, sensitivities=True)
    >>> dict(run.sizes)
    {'time': 3717, 'parameter': 5}

    Two records of different lengths:

    >>> records = {"all": basin, "last_years": basin.sel(time=slice("1955-10-01", None))}
    >>> dict(ph.simulate(model, model.default, records).sizes)
    {'basin': 2, 'time': 3717}
    """
    model = as_model(model)
    if isinstance(outputs, str):
        outputs = (outputs,)
    settings: dict[str, Any] = {"solver": solver, "rtol": rtol, "atol": atol, "steps": steps}
    if not isinstance(sensitivities, (bool, np.bool_)):
        settings["free"] = (sensitivities,) if isinstance(sensitivities, str) else sensitivities
    problem = define_problem(model, tuple(outputs), 1.0, **settings)  # settings before data
    several, needed = are_basins(basin), model.forcing_names
    basins = as_basins(basin, needed) if several else {None: as_basin(basin, needed)}
    draws = read_draws(model, theta, list(basins))
    records = list(basins.values())
    x0 = _states(model, initial_state, draws, basins)
    problem = replace(problem, dt=interval_length(records[0]))
    time, first = common_time(records) if several else (records[0][TIME].values, [0])
    check_domain(model, draws.values)
    batch = run_batch(
        problem,
        draws.values,
        np.concatenate([forcing_array(model, record) for record in records]),
        x0,
        np.cumsum([0, *(record.sizes[TIME] for record in records)]),
        rows=np.arange(len(records)) * time.size + first,
        n_row=len(records) * time.size,
        sensitivities=bool(sensitivities),
        lanes=True,
    )
    if batch.status.any():
        raise _failure(model, batch, draws, basins)
    return _label(model, problem, batch, time, list(basins) if several else None, draws)


def _states(model, initial_state, draws, basins) -> np.ndarray:
    """Return contents of the stores at the start, shape (n_vector, n_basin, n_state)."""
    if isinstance(initial_state, xr.Dataset):
        begins = {n: (r[TIME].values[0], np.diff(r[TIME].values[:2])[0]) for n, r in basins.items()}
        return read_states(model, initial_state, draws, begins)
    x0 = initial_array(model, initial_state)
    if initial_state is not None:
        check_capacities(model, x0, draws.values)
    return np.broadcast_to(x0, (*draws.values.shape[:2], x0.size))


def _label(model, problem, batch, time, names, draws):
    lead = (*((BASIN,) if names else ()), *draws.sizes)
    n_vector, n_record = batch.status.shape

    def ordered(array):
        """Return results by basin, draws and time, without the first two where they are one."""
        rest = (time.size, *array.shape[2:])
        array = array.reshape(n_vector, n_record, *rest).swapaxes(0, 1)
        return array.reshape(n_record, *draws.sizes.values(), *rest)[slice(None) if names else 0]

    values = ordered(batch.values)
    table, variables = model.output_table, {}
    for o, name in enumerate(problem.outputs):
        attributes = {"units": table[name].unit, "long_name": table[name].description}
        variables[name] = ((*lead, TIME), values[..., o], attributes)
        if batch.jacobian is not None:
            variables[f"d{name}_dparameter"] = (
                (*lead, TIME, PARAMETER),
                ordered(batch.jacobian)[..., o, :],
                {"long_name": f"derivative of {name} with respect to each parameter"},
            )
    coords = {TIME: time} | ({BASIN: names} if names else {}) | draws.coords
    if batch.jacobian is not None:
        coords[PARAMETER] = [model.parameter_names[i] for i in problem.columns]
    total = batch.counts.sum(axis=(0, 1))
    counts = {name: int(n) for name, n in zip(COUNTED, total[: len(COUNTED)], strict=True)}
    solver = " or ".join(method.name for method in problem.methods)
    settings = {"solver": solver, "rtol": problem.rtol, "atol": problem.atol}
    if isinstance(model, AbstractMap):
        settings = {"solver": "none: one update an interval"}
    elif problem.steps:
        settings = {"solver": solver, "steps_per_interval": problem.steps}
    options = ", ".join(f"{k}={v!r}" for k, v in model.options.items())
    attrs = {"model": f"{type(model).__name__}({options})", **settings, **counts}
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _failure(model, batch, draws, basins) -> IntegrationError:
    """Return the error of the first run that failed."""
    r, v = np.argwhere(batch.status.T)[0]
    name, basin = list(basins.items())[r]
    where = (f"basin {name!r}, " if name is not None else "") + draws.place(v)
    date = pd.Timestamp(basin[TIME].values[batch.counts[v, r, -1]])
    theta = zip(model.parameter_names, draws.values[v, r], strict=True)
    values = ", ".join(f"{n} = {value:.6g}" for n, value in theta)
    return IntegrationError(
        f"{type(model).__name__}: {where}the integration failed in the interval that starts at "
        f"{date}: {REASONS[batch.status[v, r]]}. Parameters: {values}"
    )
