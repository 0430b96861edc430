"""Which rain made this flood: derivatives of a number of a run by the forcing of every interval."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import xarray as xr

from pymc_hydro.core.base.dims import TIME
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.schema import as_basin, interval_length
from pymc_hydro.engine.draws import read_draws
from pymc_hydro.engine.problem import DEFAULT_TOLERANCE, define_problem
from pymc_hydro.engine.simulate import forcing_array, simulate
from pymc_hydro.integrators import RungeKutta
from pymc_hydro.losses.table import LOSSES, SCORES, find_loss
from pymc_hydro.models.listing import as_model

__all__ = ["attribute"]


def attribute(
    model: AbstractModel | str,
    theta: Mapping | Sequence | np.ndarray,
    basin: xr.Dataset | pd.DataFrame,
    of: str | Callable = "discharge",
    at: Any = "peak",
    *,
    solver: str | RungeKutta | None = None,
    rtol: float = DEFAULT_TOLERANCE,
    atol: float = DEFAULT_TOLERANCE,
    steps: int | None = None,
) -> xr.Dataset:
    """Differentiate a flow, a peak or a score with respect to the forcing of every interval.

    One run and one sweep back through its steps give all derivatives; see "How the sensitivities
    work". The derivative by the rain of a day says how much that day's rain counts, and how far it
    reaches back is how long the basin remembers.

    Parameters
    ----------
    model : AbstractModel or str
        A name stands for the model with default options.
    theta : mapping of name to value, or array_like, shape (n_parameter,)
    basin : Dataset or DataFrame
        Forcing on ``time``, as ``ph.simulate`` takes it; with ``discharge`` for a score.
    of : str or callable
        A name of ``model.output_names``; or a name of ``ph.losses.LOSSES`` or ``SCORES``, or a
        function of (observed, simulated), of discharge.
    at : "peak", date, or slice of dates (both included)
        Of an output: its value in the interval of a date, its mean over a period, or its largest
        value. Of a score: the period that is compared; "peak" then is the whole record.
    solver, rtol, atol, steps
        As in :func:`pymc_hydro.simulate`.

    Returns
    -------
    Dataset
        On ``time``: the derivatives ``by_precipitation`` and so on, one for each forcing of the
        model, in units of the number by units of the forcing; and the output. The attributes
        ``value``, ``first`` and ``last`` are the number and the ends of its period.

    Raises
    ------
    IntegrationError
        If the run fails.
    KeyError, TypeError, ValueError
        If there is no such output or score, `theta` is more than one vector, `at` is not in the
        record, or a score lacks observations.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> flood = ph.attribute(model, model.default, basin.sel(time=slice("1953", "1955")))
    >>> flood.sizes["time"], "by_precipitation" in flood
    (1095, True)
    """
    model = as_model(model)
    is_output = isinstance(of, str) and of in model.output_names
    if isinstance(of, str) and not is_output and of not in {**LOSSES, **SCORES}:
        raise KeyError(
            f"attribute: {of!r} is neither an output of {type(model).__name__} "
            f"({', '.join(model.output_names)}) nor a score ({', '.join([*SCORES, *LOSSES])})"
        )
    output = str(of) if is_output else "discharge"
    settings: dict[str, Any] = {"solver": solver, "rtol": rtol, "atol": atol, "steps": steps}
    basin = as_basin(basin, model.forcing_names)
    draws = read_draws(model, theta, [None])
    if draws.sizes:
        raise ValueError(
            f"attribute: theta must be one vector, found {dict(draws.sizes)}; call it for each "
            "vector, or give the mean"
        )
    run = simulate(model, theta, basin, (output,), **settings)
    series = run[output].values
    scored = _intervals(at, basin[TIME].values, series if is_output else None)
    cotangent = np.zeros((series.size, 1))
    if is_output:
        value, cotangent[scored, 0] = float(series[scored].mean()), 1 / series[scored].size
    else:
        if "discharge" not in basin:
            raise KeyError(f"attribute: the record has no discharge for the score {of!r}")
        value, cotangent[scored, 0] = _score(
            find_loss(of)[0], basin["discharge"].values[scored], series[scored]
        )
    problem = define_problem(model, (output,), interval_length(basin), **settings)
    arrays = draws.values[0, 0], forcing_array(model, basin), model.initial_state
    _, tape = problem.taped_run(*arrays)
    _, by_forcing, _ = problem.sweep(*arrays, tape, cotangent)

    what = output if is_output else str(getattr(of, "__name__", of))
    unit = run[output].attrs["units"] if is_output else "1"
    for name, column in zip(model.forcing_names, by_forcing.T, strict=True):
        attributes = {
            "units": f"({unit})/({basin[name].attrs.get('units', 'mm/d')})",
            "long_name": f"derivative of {what} by {name} of each interval",
        }
        run[f"by_{name}"] = (TIME, column, attributes)
    ends = run[TIME].values[scored]
    return run.assign_attrs(of=what, value=value, first=str(ends[0]), last=str(ends[-1]))


def _intervals(at, time, series) -> slice:
    """Return the positions of a date or period, or of the largest value of a series."""
    if isinstance(at, str) and at == "peak":
        if series is None:
            return slice(0, time.size)
        k = int(series.argmax())
        return slice(k, k + 1)
    index = pd.DatetimeIndex(time)
    ends = (at.start, at.stop) if isinstance(at, slice) else (at, at)
    try:
        found = index.slice_indexer(*ends)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"attribute: at must be 'peak', a date or a slice of dates, found {at!r}"
        ) from error
    first, end = found.start or 0, index.size if found.stop is None else found.stop
    if end <= first:
        raise ValueError(
            f"attribute: at={at!r} has no interval in the record, which covers {index[0]} to "
            f"{index[-1]}"
        )
    return slice(first, end)


def _score(function, observed, simulated) -> tuple[float, np.ndarray]:
    """Return a score and its derivative by the simulated series."""
    q = pt.dvector("simulated")
    value = function(observed, q)
    slopes = cast(pt.TensorVariable, pytensor.grad(value, q))
    score, derivative = pytensor.function([q], [value, slopes], mode="FAST_COMPILE")(simulated)
    return float(score), derivative
