"""Calibration: find the parameters with the best score, with exact gradients."""

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.calibration.assemble import assemble_calibration
from pymc_hydro.calibration.basins.each import calibrate_each
from pymc_hydro.calibration.basins.shared import calibrate_shared
from pymc_hydro.calibration.blocks import define_blocks
from pymc_hydro.calibration.objective import Objective, define_goal
from pymc_hydro.calibration.periods import Period, Series, check_apart, observations, select_window
from pymc_hydro.calibration.result import Calibration
from pymc_hydro.calibration.search.rounds import choose_optimizer
from pymc_hydro.calibration.search.strategy import search_all
from pymc_hydro.calibration.space import Starts, define_space
from pymc_hydro.core.base.dims import TIME
from pymc_hydro.core.base.names import check_arguments
from pymc_hydro.core.base.warning import renamed_arguments, warn_user
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import are_basins
from pymc_hydro.data.schema import Warmup, as_basin, check_warmup, interval_length
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.problem import (
    SOLVER_SETTINGS,
    check_model_type,
    define_problem,
    inference_tolerance,
)
from pymc_hydro.engine.simulate import forcing_array, initial_array, simulate
from pymc_hydro.models.listing import as_model

__all__ = ["Calibration", "calibrate"]


@overload
def calibrate(  # type: ignore[overload-overlap]
    model: AbstractModel | str, basin: xr.Dataset | pd.DataFrame, *arguments: Any, **options: Any
) -> Calibration: ...


@overload
def calibrate(
    model: AbstractModel | str, basin: Mapping[Hashable, Any], *arguments: Any, **options: Any
) -> xr.Dataset: ...


@renamed_arguments(seed="random_seed")
def calibrate(
    model: AbstractModel | str,
    basin: xr.Dataset | pd.DataFrame | Mapping[Hashable, Any],
    loss: str | Callable | Mapping = "nse",
    method: str | None = None,
    starts: Starts = 8,
    warmup: Warmup = 365,
    bounds: Mapping | None = None,
    fixed: Mapping | None = None,
    random_seed: int | None = None,
    *,
    period: Period | None = None,
    validation: Period | None = None,
    observed: Series | Mapping[str, Series] | None = None,
    loss_options: Mapping | None = None,
    search_space: str = "unit cube",
    sampler: str = "latin hypercube",
    hops: int = 10,
    method_options: Mapping | None = None,
    initial_state: Mapping | Sequence | np.ndarray | None = None,
    cores: int | None = None,
    progressbar: bool = True,
    executor: Executor | None = None,
    store: str | Path | None = None,
    shared: bool | Sequence[str] = False,
    blocks: Mapping[str, Any] | None = None,
    **solver_settings: Any,
) -> Calibration | xr.Dataset:
    """Calibrate a model on the observations of a basin, or of many basins one by one.

    SciPy's optimisers search from several starts in parallel. One integration gives the loss and
    its exact gradient. If the loss is a sum of squares (NSE is one minus such a sum), it gives the
    exact Jacobian of the residuals: a search then takes fewer steps and follows narrow valleys.

    Parameters
    ----------
    model : AbstractModel or str
        Or its name, for default options: "HBV", "m_01".
    basin : Dataset or DataFrame, or several
        With ``discharge``, unless `observed` is given; missing observations are left out. Several
        are a mapping of name to such records, or to functions without arguments that read them
        (where the work is done); or a Dataset on ``basin``.
    loss : str, callable, or mapping of output to loss
        A name of ``ph.losses.SCORES`` (maximised) or ``ph.losses.LOSSES`` (minimised); a function
        of (observed, simulated) that is minimised, written in operations that PyTensor can
        differentiate (if it has an argument ``time``, it is given the dates); or such a loss for
        each of several outputs, which ``ph.losses.multi_output`` combines.
    method : str, optional
        "trf", "dogbox", "lm" (sums of squares only; the last without bounds), "L-BFGS-B",
        "trust-constr", "SLSQP", "basinhopping". If not given, "trf" for sums of squares and
        "L-BFGS-B" for all other losses.
    starts : int, mapping, sequence of mappings, DataFrame, or array_like (n_start, n_parameter)
        A number of starts: the first is at the default parameters, the others fill the search
        space. Or the starts themselves in natural units: parameters by name, or all parameters in
        the model's order.
    warmup : int, str or Timedelta
        Intervals before the scored period that are simulated only, or their duration: "365D".
    bounds : mapping of name to (lower, upper), optional
        Bounds that replace the bounds of the model.
    fixed : mapping of name to value, optional
        Parameters that are not searched.
    random_seed : int, optional
        Seed of the starts and of the hops.
    period, validation : pair of dates, optional
        Scored periods, both ends included; a date without a time of day is the whole day. The
        warm-up lies before each period. If `period` is not given, all of the record after its
        warm-up is scored. If the run of the validation period fails, there is a warning and the
        result has no validation.
    observed : series, or mapping of output to series, optional
        Observations that replace the basin's discharge: a DataArray or Series with dates, or an
        array with a value for each interval of the basin, NaN where missing. With ``ph.means``
        they are means over longer intervals, over which the simulation is averaged too; intervals
        that do not lie wholly in a period are left out.
    loss_options : mapping, optional
        Further arguments of the loss, such as ``{"transform": "log"}``. With several outputs they
        are arguments of ``ph.losses.multi_output``: weights, normalisation.
    search_space : {"unit cube", "unconstrained"}
        In the unit cube each parameter has an axis from 0 at its lower bound to 1 at its upper
        bound. The unconstrained space is the logit of that axis, and has no bounds. In both, the
        axis of a positive parameter is logarithmic if its bounds differ by a factor of 100 or more.
    sampler : {"latin hypercube", "sobol"}
        How the starts are drawn.
    hops : int
        Rounds of further searches without success after which the calibration ends, or earlier if
        independent searches agree. A round has as many searches as there are starts. Its searches
        begin at the best point so far with a few parameters drawn anew, or, in every second round
        without success, at random points. There are no rounds if the starts agree on the best
        optimum, with a single start, or with "basinhopping".
    method_options : mapping, optional
        Options of SciPy: ``options`` of ``minimize``, or arguments of ``least_squares`` and
        ``basinhopping``.
    initial_state : mapping or array_like, shape (n_state,), in mm, optional
        As in ``ph.simulate``.
    cores : int, optional
        Number of threads; as many as the machine has processors if not given. More than two help
        only while all searches of a round go on, see the notes.
    progressbar : bool
        Whether to show progress on a terminal or in a notebook.
    executor : concurrent.futures.Executor, optional
        Of several basins: where they are calibrated, each on one core. A pool of threads if not
        given; a ``ProcessPoolExecutor``, or the ``get_executor()`` of a Dask client.
    store : path, optional
        Of several basins: a Zarr store (needs ``zarr``) into which each result is written as it is
        there.
        The same call goes on where an interrupted one ended; basins whose record has changed, or
        is read by a function, are calibrated again.
    shared : bool or sequence of str
        Of several basins: parameters that all have in common, True for all of them. One search by
        L-BFGS-B, from the best of the starts, then minimises the mean loss; memory does not grow
        with the number of basins. Without standard errors.
    blocks : mapping of parameter to DataArray, optional
        Parameters that have a value for each block of the record, and the block of each interval,
        such as ``{"K_f": ph.blocks(basin, "YS-OCT")}``. The result has parameters ``K_f_0``,
        ``K_f_1`` ... by the number of the block; what `bounds` and `fixed` say of ``K_f`` holds for
        each. A block costs two integrations more in every evaluation. Of one basin, without
        `validation`: no block of the calibration lies in another period.
    **solver_settings
        As in ``ph.simulate``: ``solver``, ``rtol``, ``atol``, ``steps``. Where neither ``rtol`` nor
        ``atol`` is given, both are 1e-3 while searches explore. The last search and the runs of
        the result have the tolerances of ``ph.simulate``.

    Returns
    -------
    Calibration, or Dataset
        A Dataset on ``basin`` for several basins: ``parameters`` and ``standard_error`` (basin,
        parameter), ``covariance``, ``at_bound``; ``score`` and ``validation_score``, the values
        of `loss`; ``integrations``, ``seconds``; ``status`` (1 calibrated, 2 failed) and
        ``message``. A basin that fails is a row.

    Raises
    ------
    KeyError, TypeError, ValueError
        If an argument or the data do not fit, or the integration fails at every start; or a store
        holds other basins or settings.

    Notes
    -----
    All searches of a round make six integrations and are then compared. The most promising searches
    continue, two at a time; the other searches stop. In the first round, half of the starts
    continue to their ends. Fewer continue if enough starts have ended in the best optimum: one for
    every four parameters, and at least two. In each later round the worse half stops after four
    integrations, and the best two searches continue as long as they may still reach the best loss
    so far. Searches from random points that reach the same optimum as the best one count like
    starts that have ended there: with half of the number that is enough, the calibration ends after
    half of `hops` rounds without success.

    If an integration fails during a search, a trust region shrinks; a line search is given a
    quadratic penalty around the last success instead. If the integration fails at a start, the
    search begins nearer to the middle of the axes. ``history`` counts the failures.

    References
    ----------
    Branch, M. A., Coleman, T. F., Li, Y. (1999). SIAM J. Sci. Comput. 21, 1-23 ("trf").
    doi:10.1137/S1064827595289108

    Byrd, R. H., et al. (1995). SIAM J. Sci. Comput. 16, 1190-1208 ("L-BFGS-B").
    doi:10.1137/0916069

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> basin = ph.load_basin("leaf_river")
    >>> fit = ph.calibrate(
    ...     ph.Hymod(snow=False),
    ...     basin,
    ...     period=("1953-10-01", "1957-09-30"),
    ...     validation=("1958-10-01", "1962-09-30"),
    ...     random_seed=1,
    ... )
    >>> bool(fit.scores["nse"] > 0.8 and fit.validation_scores["nse"] > 0.8)
    True
    """
    given = dict(locals())
    model = as_model(model)
    if are_basins(basin):
        return _calibrate_each(model, given)
    if executor is not None or store is not None or shared:
        raise ValueError(
            "calibrate: executor, store and shared are for several basins; give a mapping of name "
            "to record"
        )
    mappings = {"bounds": bounds, "fixed": fixed, "loss_options": loss_options, "blocks": blocks}
    _check_arguments(model, random_seed, hops, cores, mappings, solver_settings)
    outputs = tuple(loss) if isinstance(loss, Mapping) else ("discharge",)
    basin = as_basin(basin, model.forcing_names)
    time = basin[TIME].values
    n_warmup = check_warmup(warmup, time)
    windows = {"calibration": select_window(time, period, n_warmup)}
    blocked = None
    if blocks:
        if validation is not None:
            raise ValueError(
                "calibrate: validation needs parameters that do not change in time; leave out "
                "blocks or validation"
            )
        blocked = define_blocks(model, blocks, basin, windows["calibration"].record)
        model, bounds, fixed = blocked.model, blocked.spread(bounds), blocked.spread(fixed)
    if validation is not None:
        windows["validation"] = select_window(time, validation, n_warmup, "validation")
        check_apart(time, **windows)
    output_units = {name: o.unit for name, o in model.output_table.items()}
    scored = observations(basin, observed, outputs, windows, output_units)
    space = define_space(model, bounds or {}, fixed or {}, search_space)
    units = space.starts(starts, model.default, sampler, random_seed)
    objective = _objective(
        model,
        basin,
        windows["calibration"],
        scored["calibration"],
        loss,
        dict(loss_options or {}),
        space.parameters(space.coordinates(units[0]))[0],
        initial_array(model, initial_state),
        solver_settings | {"free": [space.names[i] for i in space.free]},
        blocked,
    )
    outcome = search_all(
        objective,
        space,
        choose_optimizer(method, objective.goal.residuals is not None, search_space),
        method_options or {},
        units,
        hops=hops,
        seed=random_seed,
        cores=cores,
        progressbar=progressbar,
        exploring=objective.with_tolerances(**inference_tolerance(solver_settings)),
    )
    theta = outcome.best.best[1]
    if theta is None:
        tried = sum(len(search.trace) for search in outcome.starts)
        raise ValueError(
            f"calibrate: the integration or the loss failed at all {tried} points that were tried; "
            "narrow the bounds, or try ph.simulate at a start to see why"
        )
    settings = {"sensitivities": True, "initial_state": initial_state, **solver_settings}
    if blocked is None:
        run = partial(simulate, model, theta)
    else:
        run = partial(blocked.simulate, theta, problem=objective.problem)
    runs = _final_runs(run, basin, scored, windows, settings)
    return assemble_calibration(model, space, outcome, runs)


def _calibrate_each(model, given) -> xr.Dataset:
    """Calibrate several basins, each or all together, by the arguments of :func:`calibrate`."""
    basins, settings = given.pop("basin"), given.pop("solver_settings")
    if given["cores"] not in (None, 1):
        raise ValueError(
            "calibrate: each of several basins is calibrated on one core; give an executor with "
            "as many workers as cores"
        )
    shared = given.pop("shared")
    if shared:
        known = inspect.signature(calibrate).parameters
        defaults = {name: known[name].default for name in given if name != "model"}
        defaults |= {"progressbar": given["progressbar"], "cores": given["cores"]}
        del given["model"]
        check_arguments("calibrate", settings, [*known, *SOLVER_SETTINGS])
        return calibrate_shared(model, basins, shared, given | settings, defaults)
    where = {name: given.pop(name) for name in ("executor", "store", "progressbar")}
    del given["model"], given["cores"]
    return calibrate_each(calibrate, model, basins, given | settings, **where)


def _check_arguments(model, random_seed, hops, cores, mappings, solver_settings):
    """Raise TypeError or ValueError for arguments that would fail later with a worse message."""
    check_model_type(model)
    for name, value in mappings.items():
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(f"calibrate: {name} must map names to values, found {value!r}")
    own = [name for name in inspect.signature(calibrate).parameters if name != "solver_settings"]
    check_arguments("calibrate", solver_settings, [*own, *SOLVER_SETTINGS])
    counts = (("random_seed", random_seed, 0), ("cores", cores, 1), ("hops", hops, 0))
    for name, value, least in counts:
        whole = isinstance(value, (int, np.integer)) and value >= least
        if not whole and (value is not None or name == "hops"):
            raise ValueError(
                f"calibrate: {name} must be a whole number of at least {least}, found {value!r}"
            )


def _objective(model, basin, window, scored, loss, options, first, x0, solver_settings, blocked):
    """Return the objective of the scored window, tried at the first start."""
    problem = define_problem(model, tuple(scored), interval_length(basin), **solver_settings)
    if blocked is not None:
        problem = blocked.problem(problem, window.record)
    forcing = forcing_array(model, basin)[window.record]
    if options.get("normalisation") == "initial" and "initial" not in options:
        run = problem.run(first, forcing, x0, sensitivities=True)
        if run.status:
            raise ValueError(
                "calibrate: the integration fails at the first start, from which "
                "normalisation='initial' takes its scales; give another start or normalisation"
            )
        scored_values = run.values[window.warmup :]
        options["initial"] = {
            name: scored[name].simulated(scored_values[:, i])
            for i, name in enumerate(problem.outputs)
        }
    goal = define_goal(loss, options, {name: part.time for name, part in scored.items()})
    objective = Objective(problem, forcing, x0, window.warmup, scored, goal)
    objective.check(first)
    return objective


def _final_runs(simulated, basin, scored, windows, settings) -> dict[str, xr.Dataset]:
    """Return a run of each window, with its observations; only the validation may fail."""
    runs = {}
    for what, window in windows.items():
        record = basin.isel({TIME: window.record})
        try:
            run = simulated(record, outputs=tuple(scored[what]), **settings)
        except IntegrationError as error:
            if what != "validation":
                raise
            text = f"calibrate: there is no validation, the run of its period failed: {error}"
            warn_user(text)
            continue
        for name, part in scored[what].items():
            attributes = dict(run[name].attrs)
            if part.offset is None:
                run[f"observed_{name}"] = (TIME, part.record, attributes)
            else:
                dim, attributes["means"] = f"{name}_interval", part.offset
                run = run.assign_coords({dim: part.time})
                run[f"observed_{name}"] = (dim, part.values, attributes)
        runs[what] = run.assign_attrs(warmup=window.warmup)
    return runs
