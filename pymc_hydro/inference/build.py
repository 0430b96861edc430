"""A basin, or several, in a PyMC model: simulated series as variables, and whole models."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import ancestors

from pymc_hydro.core.base.names import check_arguments, check_keys
from pymc_hydro.core.base.warning import renamed_arguments
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN, are_basins
from pymc_hydro.data.schema import Warmup
from pymc_hydro.engine.problem import (
    SOLVER_SETTINGS,
    define_problem,
    inference_tolerance,
)
from pymc_hydro.engine.simulate import initial_array
from pymc_hydro.inference.forcing import (
    Record,
    as_records,
    full_prefix,
    place_forcing,
    record_interval,
)
from pymc_hydro.inference.in_time import replace_columns, separate_varying
from pymc_hydro.inference.priors import check_variable
from pymc_hydro.inference.priors import priors as default_priors
from pymc_hydro.likelihoods import find_likelihood
from pymc_hydro.losses.axis import FORCING_TIME, TIME, values_at
from pymc_hydro.models.listing import as_model
from pymc_hydro.ops import BatchValues, SimulatedValues

__all__ = ["build_model", "discharge", "outputs"]

FLOW = "flow"


@renamed_arguments(names="outputs")
def outputs(
    model: AbstractModel | str,
    theta: Any,
    basin: Record | Mapping[Hashable, Record],
    outputs: str | Sequence[str] = ("discharge",),
    *,
    warmup: Warmup = 365,
    prefix: str = "",
    initial_state: Any = None,
    parallel: bool = False,
    forcing: Mapping[str, Any] | None = None,
    **solver_settings: Any,
) -> dict:
    """Simulate several outputs inside a PyMC model, all from one integration.

    Several basins are one node of the graph, and one variable: their series one after another on
    the dimension ``time``. The model then has the dimension ``basin``, and the data variable
    ``basin_index`` tells which basin each interval belongs to.

    Parameters
    ----------
    model : AbstractModel or str
        A name stands for the model with default options.
    theta : mapping of name to variable or number, or TensorVariable, shape (n_parameter,)
        From ``ph.priors``, for example. With several basins the variables are scalars, which all
        basins share, or have the dimension ``basin``; as one variable (n_basin, n_parameter). A
        further first axis is an axis of many vectors, and the results have it too. In a mapping, a
        variable with one value for each interval of the record (its dimension is ``forcing_time``)
        is a parameter that changes in time; unit hydrographs keep constant ones.
    basin : Dataset or DataFrame, or several
        Its forcing becomes the data variable ``forcing`` (see :func:`set_basin`). Several, as in
        ``ph.simulate``: a mapping of name to record, of any lengths, or a Dataset on ``basin``.
    outputs : str or sequence of str
        Any of ``model.output_names``.
    warmup : int, str or Timedelta
        Intervals at the start that are simulated but not returned, or their duration: "365D".
    prefix : str
        Begins the names of the data and dimensions of this simulation, for a model that
        holds several simulations of different records or warm-ups: with ``prefix="dry"`` they are
        ``dry_forcing``, ``dry_time`` and so on. Simulations of one record with one warm-up share
        their data and need no prefix. The name of a PyMC model is put before all of them:
        in ``pm.Model(name="leaf")`` the dimension is ``leaf::time``.
    initial_state : mapping, array_like or TensorVariable, shape (n_state,), in mm, optional
        Contents of the stores at the start; a variable of yours, as a whole or for single stores
        in a mapping, is estimated with the rest. With several basins also (n_basin, n_state).
    parallel : bool
        Whether the basins (and vectors) share the machine's cores in each evaluation. For chains
        one after another in one process: samplers use the cores themselves as a rule. Under the
        Numba linker a forked child, or a second thread in Numba's layer ``workqueue``, has one
        core. Of no effect for a single run.
    forcing : mapping of str to callable or TensorVariable, optional
        Variables in place of columns of the record, such as uncertain rain, of shape (n_time of the
        record,): all intervals, with the warm-up; the records of several basins one after another.
        A callable makes the variable from the column: ``{"precipitation": lambda rain: rain *
        m[storm]}``, with the index of :func:`pymc_hydro.storms`, and follows :func:`set_basin`. A
        variable belongs to the record that it was made for.
    **solver_settings
        ``solver``, ``rtol``, ``atol``, ``steps`` as in ``ph.simulate``. Where neither ``rtol`` nor
        ``atol`` is given, both are 1e-3: a posterior needs no more, and ``ph.simulate`` has 1e-4.

    Returns
    -------
    dict of str to TensorVariable, shape (n_time - warmup,)
        On the model's dimension ``time``, without each basin's warm-up; not stored in results
        unless you wrap it in ``pm.Deterministic(name, q, dims="time")``.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a name, the data or the warm-up do not fit.
    """
    check_arguments("outputs", solver_settings, SOLVER_SETTINGS)
    model = as_model(model)
    pymc_model = pm.modelcontext(None)
    names = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    basins, columns = as_records(basin, model.forcing_names), model.forcing_names
    n_basin = len(basins) if are_basins(basin) else None
    n_time, dim = sum(b.sizes[TIME] for b in basins.values()), FORCING_TIME
    dims, on_time = pymc_model.named_vars_to_dims, (full_prefix(pymc_model, prefix) + dim,)
    model, theta, series = separate_varying(
        model, theta, n_time, n_basin, lambda v: tuple(dims.get(v.name) or ()) == on_time
    )
    theta, free = _parameters(model, theta, n_basin)
    check_variable(f"{type(model).__name__}: theta", theta, "pm.LogNormal('K_s', ...)")
    if n_basin is not None:
        _check_order(pymc_model, theta, list(basins))
    settings = inference_tolerance(solver_settings) | solver_settings
    problem = define_problem(model, names, record_interval(basins), free=free, **settings)
    data, record, kept = place_forcing(pymc_model, columns, basins, warmup, prefix)
    matrix = replace_columns(columns, data, forcing, series)
    check_variable("forcing", matrix, "pm.LogNormal('factor', ...)")
    x0: Any = check_variable(
        "initial_state", _initial(model, initial_state), "pm.Uniform('S_0', ...)"
    )
    one_vector = theta.ndim == (1 if record is None else 2)
    if record is None and one_vector:
        values = SimulatedValues(problem).make_node(theta, matrix, x0).outputs[0]
    else:
        index = pt.zeros(matrix.shape[0], dtype="int64") if record is None else record
        theta = theta[:, None, :] if record is None else theta
        theta = theta[None] if one_vector else theta
        x0 = pt.alloc(x0, *theta.shape[:2], len(model.stores))
        values = BatchValues(problem, parallel).make_node(theta, matrix, x0, index).outputs[0]
        values = values[0] if one_vector else values
    found = {}
    for i, name in enumerate(problem.outputs):
        series = values[..., i]
        found[name] = series[..., kept] if record is None else values_at(series, kept)
        found[name].name = full_prefix(pymc_model, prefix) + name
    return found


def discharge(
    model: AbstractModel | str,
    theta: Any,
    basin: Record | Mapping[Hashable, Record],
    warmup: Warmup = 365,
    *,
    prefix: str = "",
    initial_state: Any = None,
    parallel: bool = False,
    forcing: Mapping[str, Any] | None = None,
    **solver_settings: Any,
) -> Any:
    """Simulate discharge inside a PyMC model, of a basin or of several.

    Parameters
    ----------
    model, theta, basin, warmup, prefix, initial_state, parallel, forcing, **solver_settings
        As in :func:`outputs`.

    Returns
    -------
    TensorVariable, shape (n_time - warmup,), in mm/d
        On the dimension ``time``, after the warm-up; several basins one after another.

    Examples
    --------
    >>> import pymc as pm, pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> with pm.Model():  # doctest: +SKIP
    ...     q = ph.discharge(model, ph.priors(model), basin)
    ...     ph.likelihoods.Normal("flow", q, observed=basin["discharge"])
    ...     idata = pm.sample()

    Two basins with a slow reservoir each, and all else in common:

    >>> basins = {"wet": basin.isel(time=slice(0, 1500)), "dry": basin.isel(time=slice(1500, None))}
    >>> with pm.Model(coords={"basin": list(basins)}):  # doctest: +SKIP
    ...     K_s = pm.LogUniform("K_s", 1e-3, 0.1, dims="basin")
    ...     q = ph.discharge(model, ph.priors(model, K_s=K_s), basins)
    ...     observed = {name: record["discharge"] for name, record in basins.items()}
    ...     ph.likelihoods.Normal("flow", q, observed=observed)
    """
    check_arguments("discharge", solver_settings, SOLVER_SETTINGS)
    series = outputs(
        model,
        theta,
        basin,
        ("discharge",),
        warmup=warmup,
        prefix=prefix,
        initial_state=initial_state,
        parallel=parallel,
        forcing=forcing,
        **solver_settings,
    )
    return series["discharge"]


def build_model(
    model: AbstractModel | str,
    basin: Record | Mapping[Hashable, Record],
    likelihood: str | Callable = "normal",
    scale: str | np.ndarray | None = None,
    ar: int | None = None,
    warmup: Warmup = 365,
    priors: Mapping | None = None,
    preset: str = "uniform",
    *,
    memory: str | None = None,
    transform: Any = None,
    **solver_settings: Any,
) -> pm.Model:
    """Return a PyMC model of discharge, of a basin or of several: priors, simulation, likelihood.

    Parameters
    ----------
    model : AbstractModel or str
        Or its name, for default options: "HBV", "m_01".
    basin : Dataset or DataFrame, or several
        With ``discharge``; missing observations are left out. Several are as in :func:`outputs`; a
        parameter is common to all basins unless `priors` says otherwise.
    likelihood : str or callable
        Error model: normal, laplace, student, skew_student, sep, gl, sgt, whittle, or recommended
        (:func:`pymc_hydro.likelihoods.recommend`: for simulations, with ``memory="flow"`` for
        forecasts); the observed variable is called ``flow``. Or a function with the arguments of
        ``ph.likelihoods.Normal``, such as
        ``functools.partial(ph.likelihoods.Normal, censored=True)``.
    scale : {"linear", "constant"} or array_like, optional
        Scale of the errors, linear in simulated flow if not given.
    ar : {0, 1, 2}, optional
        Order of the errors' memory; none if neither `ar` nor `memory` is given.
    warmup : int, str or Timedelta
        Intervals at the start that are not compared with observations, or their duration: "365D".
    priors : mapping of str to number or callable, optional
        Overrides by parameter name: a number fixes it, a callable such as
        ``lambda: pm.LogNormal("K_s", -3, 1)`` is called inside the model, which has the dimension
        ``basin`` where there are several. Names that begin with ``flow_`` belong to the likelihood,
        such as ``flow_s0`` or ``flow_nu``.
    preset : {"uniform", "log_uniform", "weak"}
        Priors of the parameters that are not overridden, see ``ph.priors``.
    memory : {"constant", "flow"}, optional
        Whether errors are remembered always alike, or the shorter the more flow changes.
    transform : {"log", "sqrt", "box_cox", "log_sinh"} or a transformation, optional
        Of discharge, as in ``ph.likelihoods.Normal``.
    **solver_settings
        As in :func:`outputs`: tolerances of 1e-3 where none is given.

    Returns
    -------
    pm.Model

    Raises
    ------
    KeyError, ValueError
        If an argument is unknown or does not fit the data.
    """
    check_arguments("build_model", solver_settings, SOLVER_SETTINGS)
    likelihood, model = find_likelihood(likelihood), as_model(model)
    basins = as_records(basin, (*model.forcing_names, "discharge"))
    observed = {name: record["discharge"] for name, record in basins.items()}
    options = {"scale": scale, "ar": ar, "memory": memory, "transform": transform}
    options = {k: v for k, v in options.items() if v is not None}
    with pm.Model(coords={BASIN: list(basins)} if are_basins(basin) else None) as pymc_model:
        given = {k: v() if callable(v) else v for k, v in (priors or {}).items()}
        of_errors = {k: given.pop(k) for k in list(given) if k.startswith(f"{FLOW}_")}
        options |= {k.removeprefix(f"{FLOW}_"): v for k, v in of_errors.items()}
        theta = default_priors(model, preset, **given)
        q = discharge(model, theta, basin, warmup, **solver_settings)
        likelihood(FLOW, q, observed=observed.get(None, observed), **options)
    return pymc_model


def _check_order(pymc_model, theta, names) -> None:
    """Raise ValueError if a dimension of the parameters has the basins in another order."""
    for variable in ancestors([theta]):
        for dim in pymc_model.named_vars_to_dims.get(variable.name) or ():
            labels = None if dim is None else pymc_model.coords.get(dim)
            if labels is not None and set(labels) == set(names) and list(labels) != names:
                raise ValueError(
                    f"{variable.name!r} has the basins of the dimension {dim!r} in the order "
                    f"{', '.join(map(str, labels))}, the records are in the order "
                    f"{', '.join(map(str, names))}; give both in one order"
                )


def _initial(model, initial_state):
    """Return store contents at the start as a variable; single ones may be random."""
    if isinstance(initial_state, Variable):
        return pt.as_tensor_variable(initial_state)
    if not isinstance(initial_state, Mapping):
        return pt.constant(initial_array(model, initial_state), dtype="float64")
    random = {k: v for k, v in initial_state.items() if isinstance(v, Variable)}
    numbers = {k: v for k, v in initial_state.items() if k not in random}
    fixed = initial_array(model, numbers | dict.fromkeys(random, 0.0))
    contents = [random.get(name, fixed[i]) for i, name in enumerate(model.store_names)]
    contents = [pt.cast(pt.as_tensor_variable(content), "float64") for content in contents]
    return pt.stack(pt.broadcast_arrays(*contents), axis=-1)


def _parameters(model, theta, n_basin):
    """Return parameters as one variable, and the names that are no constants (None: all).

    Its last axes are (n_basin, n_parameter), or (n_parameter,) for a single basin.
    """
    name = type(model).__name__
    if not isinstance(theta, Mapping):
        theta = pt.as_tensor_variable(theta)
        shape, axes = theta.type.shape, "n_parameter"
        if n_basin is not None:
            axes = f"n_basin = {n_basin}, {axes}"
            if theta.ndim == 1:
                theta = pt.alloc(theta, n_basin, len(model.parameters))
        needed = len(axes.split(", "))
        fits = theta.ndim in (needed, needed + 1)
        if not fits or (n_basin is not None and theta.type.shape[-2] not in (None, n_basin)):
            raise TypeError(
                f"{name}: theta has shape {shape}, expected ({axes}) or (n_vector, {axes})"
            )
        return theta, None
    check_keys(f"{name}: theta", theta, model.parameter_names)
    variables = {n: pt.as_tensor_variable(theta[n]) for n in model.parameter_names}
    free = tuple(n for n, v in variables.items() if not isinstance(v, Constant))
    for key, variable in variables.items():
        shape = variable.type.shape
        if variable.ndim and (n_basin is None or shape not in ((n_basin,), (None,))):
            wanted = "a scalar" + (f" or ({n_basin},), one value a basin" if n_basin else "")
            raise TypeError(f"{name}: {key!r} has shape {shape}, expected {wanted}")
        if n_basin is not None:
            variables[key] = pt.alloc(variable, n_basin)
    parameters: Any = pt.zeros(0) if not variables else pt.stack(list(variables.values()), axis=-1)
    return parameters, free if 0 < len(free) < len(variables) else None
