"""A basin in a PyMC model: forcing as data, simulated series as variables."""

from collections.abc import Callable, Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.graph.basic import Constant

from pymc_hydro.core.dims import FORCING, FORCING_TIME, TIME
from pymc_hydro.core.model import AbstractModel, check_keys
from pymc_hydro.data.schema import as_basin, check_warmup, interval_length
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array, initial_array
from pymc_hydro.inference.priors import priors as default_priors
from pymc_hydro.likelihoods import LIKELIHOODS
from pymc_hydro.likelihoods.observations import update_observations
from pymc_hydro.ops import SimulatedValues

__all__ = ["build_model", "discharge", "outputs", "set_basin"]

FORCING_DATA, KEPT_DATA, FLOW = "forcing", "kept_intervals", "flow"
# Which model and warm-up a PyMC model's forcing was prepared for.
_PREPARED: WeakKeyDictionary = WeakKeyDictionary()


def outputs(
    model: AbstractModel,
    theta,
    basin: xr.Dataset | pd.DataFrame,
    names: Sequence[str] = ("discharge",),
    *,
    warmup: int = 365,
    initial_state=None,
    **solver_settings,
) -> dict:
    """Simulate several outputs inside a PyMC model, all from one integration.

    Parameters
    ----------
    model : AbstractModel
    theta : mapping of name to variable or number, or TensorVariable, shape (n_parameter,)
        From ``ph.priors``, for example.
    basin : Dataset or DataFrame
        Its forcing becomes the data variable ``forcing`` (see :func:`set_basin`).
    names : sequence of str
        Any of ``model.output_names``.
    warmup : int
        Intervals at the start that are simulated but not returned.
    initial_state : mapping, array_like or TensorVariable, shape (n_state,), in mm, optional
        Contents of the stores at the start; a variable of yours is estimated with the rest.
    **solver_settings
        ``solver``, ``rtol``, ``atol``, ``steps`` as in ``ph.simulate``.

    Returns
    -------
    dict of str to TensorVariable, shape (n_time - warmup,)
        On the model's dimension ``time``; not stored in results unless you wrap it in
        ``pm.Deterministic(name, q, dims="time")``.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a name, the data or the warm-up do not fit.
    """
    pymc_model = pm.modelcontext(None)
    names = (names,) if isinstance(names, str) else tuple(names)
    basin = as_basin(basin, model.forcing_names)
    parameters, free = _vector(model, theta)
    problem = define_problem(model, names, interval_length(basin), free=free, **solver_settings)
    forcing = _prepare(pymc_model, model, basin, warmup)
    if isinstance(initial_state, pt.TensorVariable):
        x0 = initial_state
    else:
        x0 = pt.constant(initial_array(model, initial_state), dtype="float64")
    values = SimulatedValues(problem)(parameters, forcing, x0)
    after = values[int(warmup) :]
    return {name: after[:, i] for i, name in enumerate(problem.outputs)}


def discharge(
    model: AbstractModel,
    theta,
    basin: xr.Dataset | pd.DataFrame,
    warmup: int = 365,
    *,
    initial_state=None,
    **solver_settings,
):
    """Simulate discharge inside a PyMC model.

    Parameters
    ----------
    model, theta, basin, warmup, initial_state, **solver_settings
        As in :func:`outputs`.

    Returns
    -------
    TensorVariable, shape (n_time - warmup,), in mm/d
        On the dimension ``time``, after the warm-up.

    Examples
    --------
    >>> import pymc as pm, pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> with pm.Model():  # doctest: +SKIP
    ...     q = ph.discharge(model, ph.priors(model), basin)
    ...     ph.likelihoods.Normal("flow", q, observed=basin["discharge"])
    ...     idata = pm.sample()
    """
    series = outputs(
        model,
        theta,
        basin,
        ("discharge",),
        warmup=warmup,
        initial_state=initial_state,
        **solver_settings,
    )
    return series["discharge"]


def build_model(
    model: AbstractModel,
    basin: xr.Dataset | pd.DataFrame,
    likelihood: str | Callable = "normal",
    scale: str | np.ndarray | None = None,
    ar: int | None = None,
    warmup: int = 365,
    priors: Mapping | None = None,
    preset: str = "uniform",
    **solver_settings,
) -> pm.Model:
    """Return a PyMC model of a basin's discharge: priors, simulation, likelihood.

    Parameters
    ----------
    model : AbstractModel
    basin : Dataset or DataFrame
        With ``discharge``; missing observations are left out.
    likelihood : str or callable
        Error model: normal, laplace, student, skew_student, sep, gl, sgt or whittle; the observed
        variable is called ``flow``. Or a function with the arguments of ``ph.likelihoods.Normal``,
        such as ``functools.partial(ph.likelihoods.Normal, transform="log")``.
    scale : {"linear", "constant"} or array_like, optional
        Scale of the errors, linear in simulated flow if not given.
    ar : {0, 1, 2}, optional
        Order of the errors' autoregression, 0 if not given.
    warmup : int
        Intervals at the start that are not compared with observations.
    priors : mapping of str to number or callable, optional
        Overrides by parameter name: a number fixes it, a callable such as
        ``lambda: pm.LogNormal("K_s", -3, 1)`` is called inside the model. Names that begin with
        ``flow_`` are those of the likelihood, such as ``flow_s0`` or ``flow_nu``.
    preset : {"uniform", "log_uniform", "weak"}
        Priors of the parameters that are not overridden, see ``ph.priors``.
    **solver_settings
        As in ``ph.simulate``.

    Returns
    -------
    pm.Model

    Raises
    ------
    KeyError, ValueError
        If an argument is unknown or does not fit the data.
    """
    if not callable(likelihood):
        if likelihood not in LIKELIHOODS:
            known = ", ".join(LIKELIHOODS)
            raise KeyError(f"build_model: unknown likelihood {likelihood!r}; known are {known}")
        likelihood = LIKELIHOODS[likelihood]
    basin = as_basin(basin, (*model.forcing_names, "discharge"))
    options = {"scale": scale, "ar": ar}
    options = {k: v for k, v in options.items() if v is not None}
    with pm.Model() as pymc_model:
        given = {k: v() if callable(v) else v for k, v in (priors or {}).items()}
        of_errors = {k: given.pop(k) for k in list(given) if k.startswith(f"{FLOW}_")}
        options |= {k.removeprefix(f"{FLOW}_"): v for k, v in of_errors.items()}
        theta = default_priors(model, preset, **given)
        q = discharge(model, theta, basin, warmup, **solver_settings)
        likelihood(FLOW, q, observed=basin["discharge"], **options)
    return pymc_model


def set_basin(
    basin: xr.Dataset | pd.DataFrame,
    pymc_model: pm.Model | None = None,
    observed: Mapping | None = None,
) -> None:
    """Put another record in place of the one a PyMC model was built with, of any length.

    Calls ``pm.set_data`` on everything that belongs to the basin: the forcing, the dates, and the
    observations of each likelihood, found in `basin` by name. The warm-up stays the same number of
    intervals, so let a validation record begin that much before the period to be judged.

    Parameters
    ----------
    basin : Dataset or DataFrame
        With the same interval length as the first one.
    pymc_model : pm.Model, optional
        The model in context if not given.
    observed : mapping of likelihood to DataArray, Series or array_like, optional
        New observations, where they are not in `basin` under the name they had.

    Raises
    ------
    ValueError, KeyError
        If the model holds no basin, the data do not fit, or observations are not found.
    """
    pymc_model = pm.modelcontext(pymc_model)
    if pymc_model not in _PREPARED:
        raise ValueError("set_basin: this PyMC model holds no basin; call ph.discharge in it first")
    model, warmup, dt = _PREPARED[pymc_model]
    given, basin = basin, as_basin(basin, model.forcing_names)
    if interval_length(basin) != dt:
        raise ValueError(
            f"set_basin: the interval is {interval_length(basin)} d, the model was built for {dt} d"
        )
    coords, forcing, kept = _data(model, basin, warmup)
    pymc_model.set_data(FORCING_DATA, forcing, coords=coords)
    pymc_model.set_data(KEPT_DATA, kept, coords=coords)
    others = {k: given[k] for k in given if k not in basin}  # observed, but no part of the schema
    update_observations(pymc_model, {**basin, **others}, observed)


def _vector(model, theta):
    """Return the parameters as one vector variable, and which are not constants (None: all)."""
    if not isinstance(theta, Mapping):
        return pt.as_tensor_variable(theta), None
    check_keys(f"{type(model).__name__}: theta", theta, model.parameter_names)
    variables = {n: pt.as_tensor_variable(theta[n]) for n in model.parameter_names}
    free = tuple(n for n, v in variables.items() if not isinstance(v, Constant))
    return pt.stack(list(variables.values())), free if 0 < len(free) < len(variables) else None


def _data(model, basin, warmup):
    time = basin[TIME].values
    warmup = check_warmup(warmup, time.size)
    coords = {FORCING_TIME: time, FORCING: list(model.forcing_names), TIME: time[warmup:]}
    return coords, forcing_array(model, basin), np.arange(warmup, time.size)


def _prepare(pymc_model, model, basin, warmup):
    """Return the forcing as data of the PyMC model, registered once."""
    coords, forcing, kept = _data(model, basin, warmup)
    if FORCING_DATA in pymc_model.named_vars:
        data = pymc_model[FORCING_DATA]
        same = np.array_equal(data.get_value(), forcing)
        if not (same and _PREPARED.get(pymc_model, (None, None))[1] == warmup):
            raise ValueError(
                "this PyMC model already holds another forcing or warm-up; use one PyMC model for "
                "each basin, and ph.set_basin to replace the record"
            )
        return data
    _PREPARED[pymc_model] = (model, int(warmup), interval_length(basin))
    data = pm.Data(
        FORCING_DATA,
        forcing,
        dims=(FORCING_TIME, FORCING),
        coords={k: coords[k] for k in (FORCING_TIME, FORCING)},
    )
    # Holds the dimension "time" and its dates, so that they can be replaced with the forcing.
    pm.Data(KEPT_DATA, kept, dims=TIME, coords={TIME: coords[TIME]})
    return data
