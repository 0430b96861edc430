"""Calibration: find the parameters with the best score, with exact gradients."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.calibration.assemble import assemble_calibration
from pymc_hydro.calibration.objective import Objective, define_goal
from pymc_hydro.calibration.periods import check_apart, observations, select_window
from pymc_hydro.calibration.result import Calibration
from pymc_hydro.calibration.search.rounds import choose_method
from pymc_hydro.calibration.search.strategy import search_all
from pymc_hydro.calibration.space import define_space
from pymc_hydro.core.base.dims import TIME
from pymc_hydro.core.base.names import check_arguments
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.schema import Warmup, as_basin, check_warmup, interval_length
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.problem import SOLVER_SETTINGS, check_model_type, define_problem
from pymc_hydro.engine.simulate import forcing_array, initial_array, simulate

__all__ = ["Calibration", "calibrate"]


def calibrate(
    model: AbstractModel,
    basin: xr.Dataset | pd.DataFrame,
    loss: str | Callable | Mapping = "nse",
    method: str | None = None,
    starts: int | Mapping | Sequence | np.ndarray | pd.DataFrame = 8,
    warmup: Warmup = 365,
    bounds: Mapping | None = None,
    fixed: Mapping | None = None,
    seed: int | None = None,
    *,
    period=None,
    validation=None,
    observed=None,
    loss_options: Mapping | None = None,
    search_space: str = "unit cube",
    sampler: str = "latin hypercube",
    hops: int = 10,
    method_options: Mapping | None = None,
    initial_state=None,
    cores: int | None = None,
    progressbar: bool = True,
    **solver_settings,
) -> Calibration:
    """Calibrate a model on a basin's observations.

    SciPy's optimisers search from several starts in parallel, with the exact gradient of the loss
    from one integration; if the loss is a sum of squares (NSE is one minus such a sum), with the
    exact Jacobian of its residuals, which takes fewer steps and finds narrow valleys.

    Parameters
    ----------
    model : AbstractModel
    basin : Dataset or DataFrame
        With ``discharge``, unless `observed` is given; missing observations are left out.
    loss : str, callable, or mapping of output to loss
        A name of ``ph.losses.SCORES`` (maximised) or ``ph.losses.LOSSES`` (minimised); a function
        of (observed, simulated) that is minimised, written in operations that PyTensor can
        differentiate (if it has an argument ``time``, it is given the dates); or such a loss for
        each of several outputs, which ``ph.losses.multi_output`` combines.
    method : str, optional
        "trf", "dogbox", "lm" (sums of squares only; the last without bounds), "L-BFGS-B",
        "trust-constr", "SLSQP", "basinhopping". Where not given, "trf" for sums of squares and
        "L-BFGS-B" for all others.
    starts : int, mapping, sequence of mappings, DataFrame, or array_like (n_start, n_parameter)
        A number of starts: the default parameters first, the others fill the search space. Or the
        starts themselves in natural units: by names, or all parameters in the model's order.
    warmup : int, str or Timedelta
        Intervals before the scored period that are simulated only, or their duration: "365D".
    bounds : mapping of name to (lower, upper), optional
        In place of the model's.
    fixed : mapping of name to value, optional
        Parameters that are not searched.
    seed : int, optional
        For the starts and for basin hopping.
    period, validation : pair of dates, optional
        Scored periods, both ends included (a date without a time of day is all of its day), with
        the warm-up before them. Without `period`, all of the record after its warm-up. If the run
        of the validation period fails, there is a warning and no validation in the result.
    observed : series, or mapping of output to series, optional
        In place of the basin's discharge: a DataArray or Series with dates, or an array with a
        value for each interval of the basin, NaN where missing.
    loss_options : mapping, optional
        Further arguments of the loss, such as ``{"transform": "log"}``; for several outputs those
        of ``ph.losses.multi_output``: weights, normalisation.
    search_space : {"unit cube", "unconstrained"}
        Within the bounds, or with a logistic transformation that has none. In both, a positive
        parameter whose bounds are a factor of 100 or more apart has a logarithmic axis.
    sampler : {"latin hypercube", "sobol"}
        Of the starts.
    hops : int
        Further searches begin at the best point so far with a few parameters drawn anew, or at
        random, as many in a round as there are starts, until this many rounds one after another
        have brought nothing. There are none if the starts agree on the best optimum, with a single
        start, or with "basinhopping".
    method_options : mapping, optional
        For SciPy: ``options`` of ``minimize``, or arguments of ``least_squares`` and
        ``basinhopping``.
    initial_state : mapping or array_like, shape (n_state,), in mm, optional
        As in ``ph.simulate``.
    cores : int, optional
        Threads; as many as the machine has where not given. More than two help only as long as
        all searches of a round go on, see the notes.
    progressbar : bool
        Shown on a terminal or in a notebook.
    **solver_settings
        As in ``ph.simulate``: ``solver``, ``rtol``, ``atol``, ``steps``.

    Returns
    -------
    Calibration

    Raises
    ------
    KeyError, TypeError, ValueError
        If an argument or the data do not fit, or the integration fails at every start.

    Notes
    -----
    The searches of a round are compared after six integrations each. The best go on, two at a time,
    and the others are left: of the starts half, or fewer if one for every four parameters (but at
    least two) has ended in the best optimum; in the later rounds two.

    Where an integration fails during the search, a trust region shrinks, and a line search sees a
    bowl around the last success; from a start at which it fails, the search moves towards the
    middle of the axes first. The failures are counted in ``history``.

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
    ...     seed=1,
    ... )
    >>> bool(fit.scores["nse"] > 0.8 and fit.validation_scores["nse"] > 0.8)
    True
    """
    mappings = {"bounds": bounds, "fixed": fixed, "loss_options": loss_options}
    _check_arguments(model, seed, hops, cores, mappings, solver_settings)
    outputs = tuple(loss) if isinstance(loss, Mapping) else ("discharge",)
    basin = as_basin(basin, model.forcing_names)
    time = basin[TIME].values
    n_warmup = check_warmup(warmup, time)
    windows = {"calibration": select_window(time, period, n_warmup)}
    if validation is not None:
        windows["validation"] = select_window(time, validation, n_warmup, "validation")
        check_apart(time, **windows)
    flows = observations(basin, observed, outputs, windows)
    space = define_space(model, bounds or {}, fixed or {}, search_space)
    units = space.starts(starts, model.default, sampler, seed)
    objective = _objective(
        model,
        basin,
        windows["calibration"],
        flows,
        loss,
        dict(loss_options or {}),
        space.parameters(space.coordinates(units[0]))[0],
        initial_array(model, initial_state),
        solver_settings | {"free": [space.names[i] for i in space.free]},
    )
    method = choose_method(method, objective.goal.residuals is not None, search_space)

    outcome = search_all(
        objective,
        space,
        method,
        method_options or {},
        units,
        hops=hops,
        seed=seed,
        cores=cores,
        progressbar=progressbar,
    )
    theta = outcome.best.best[1]
    if theta is None:
        tried = sum(len(search.trace) for search in outcome.starts)
        raise ValueError(
            f"calibrate: the integration or the loss failed at all {tried} points that were tried; "
            "narrow the bounds, or try ph.simulate at a start to see why"
        )
    runs = {}
    for what, window in windows.items():
        record = basin.isel({TIME: window.record})
        settings = {"sensitivities": True, "initial_state": initial_state, **solver_settings}
        try:
            run = simulate(model, theta, record, outputs, **settings)
        except IntegrationError as error:
            if what != "validation":
                raise
            text = f"calibrate: there is no validation, the run of its period failed: {error}"
            warnings.warn(text, stacklevel=2)
            continue
        for name, series in flows.items():
            run[f"observed_{name}"] = (TIME, series[window.record], dict(run[name].attrs))
        runs[what] = run.assign_attrs(warmup=window.warmup)
    return assemble_calibration(model, space, outcome, runs)


def _check_arguments(model, seed, hops, cores, mappings, solver_settings):
    """Raise TypeError or ValueError for what would only be noticed far from here."""
    check_model_type(model)
    for name, value in mappings.items():
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(f"calibrate: {name} must map names to values, found {value!r}")
    own = [name for name in inspect.signature(calibrate).parameters if name != "solver_settings"]
    check_arguments("calibrate", solver_settings, [*own, *SOLVER_SETTINGS])
    for name, value, least in (("seed", seed, 0), ("cores", cores, 1), ("hops", hops, 0)):
        whole = isinstance(value, (int, np.integer)) and value >= least
        if not whole and (value is not None or name == "hops"):
            raise ValueError(
                f"calibrate: {name} must be a whole number of at least {least}, found {value!r}"
            )


def _objective(model, basin, window, flows, loss, options, first, x0, solver_settings):
    """Return the objective of the scored window, tried at the first start."""
    problem = define_problem(model, tuple(flows), interval_length(basin), **solver_settings)
    forcing = forcing_array(model, basin)[window.record]
    if options.get("normalisation") == "initial" and "initial" not in options:
        run = problem.run(first, forcing, x0, sensitivities=True)
        if run.status:
            raise ValueError(
                "calibrate: the integration fails at the first start, from which "
                "normalisation='initial' takes its scales; give another start or normalisation"
            )
        scored_values = run.values[window.warmup :]
        options["initial"] = {name: scored_values[:, i] for i, name in enumerate(flows)}
    goal = define_goal(loss, options, basin[TIME].values[window.scored])
    scored = {name: series[window.scored] for name, series in flows.items()}
    objective = Objective(problem, forcing, x0, window.warmup, scored, goal)
    objective.check(first)
    return objective
