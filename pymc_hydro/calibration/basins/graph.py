"""The loss of each of many basins, of numbers or as a variable of a graph."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt
import xarray as xr
from pytensor.graph.basic import Constant, Variable

from pymc_hydro.calibration.basins.losses import define_losses
from pymc_hydro.calibration.periods import Period
from pymc_hydro.core.base.names import check_arguments, check_keys
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN
from pymc_hydro.data.schema import Warmup
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.engine.problem import SOLVER_SETTINGS
from pymc_hydro.models.listing import as_model
from pymc_hydro.ops.losses import LossesOfBasins

__all__ = ["basin_losses"]


def basin_losses(
    model: AbstractModel | str,
    theta: Any,
    basins: Mapping[Hashable, Any] | xr.Dataset,
    loss: Any = "nse",
    *,
    warmup: Warmup = 365,
    period: Period | None = None,
    loss_options: Mapping | None = None,
    initial_state: Any = None,
    threads: int | None = None,
    **solver_settings: Any,
) -> Any:
    """Return the loss or score of each of many basins: of numbers, or as a variable of a graph.

    Each basin is a run of its own that is scored where it is integrated, so that memory does not
    grow with the number of basins. In a graph the gradient of each basin's loss by its own
    parameters comes from the same integration.

    Parameters
    ----------
    model : AbstractModel or str
    theta : mapping of name to number, array, DataArray or variable; or array or variable
        Scalars are common to all basins; others have the shape (n_basin,), or the dimension
        ``basin``. As one array or variable: (n_basin, n_parameter), or (n_parameter,).
    basins : mapping of name to record, or to a function that returns it, or Dataset on ``basin``
    loss, warmup, period, loss_options, initial_state
        As in ``ph.calibrate``.
    threads : int, optional
        As many as the machine has cores if not given. Give 1 where a sampler uses the cores.
    **solver_settings
        As in ``ph.simulate``.

    Returns
    -------
    DataArray on ``basin``, or TensorVariable, shape (n_basin,)
        Values of `loss`: of a score, more is better. NaN in a graph where an integration failed.

    Raises
    ------
    IntegrationError
        If an integration with numbers fails.
    KeyError, TypeError, ValueError
        If an argument or a record does not fit.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> basins = {
    ...     "early": basin.isel(time=slice(0, 800)),
    ...     "late": basin.isel(time=slice(800, None)),
    ... }
    >>> theta = dict(zip(model.parameter_names, model.default)) | {"K_s": [0.01, 0.05]}
    >>> ph.basin_losses(model, theta, basins, "nse").dims
    ('basin',)
    """
    check_arguments("basin_losses", solver_settings, SOLVER_SETTINGS)
    model, free = as_model(model), None
    if isinstance(theta, Mapping):
        check_keys("basin_losses: theta", theta, model.parameter_names)
        free = [name for name, value in theta.items() if _is_free(value)]
    losses = define_losses(
        model,
        basins,
        loss,
        warmup=warmup,
        period=period,
        loss_options=loss_options,
        initial_state=initial_state,
        free=free or None,
        threads=threads,
        **solver_settings,
    )
    matrix = _matrix(model, theta, losses.names)
    if isinstance(matrix, Variable):
        found: Any = LossesOfBasins(losses).make_node(matrix).outputs[0]
        found = found * losses.sign
        found.name = losses.records[0].goal.name
        return found
    values = losses(matrix)[0]
    failed = [name for name, value in zip(losses.names, values, strict=True) if np.isnan(value)]
    if failed:
        raise IntegrationError(
            f"{type(model).__name__}: the integration, or the loss, failed in {len(failed)} of "
            f"{len(values)} basins, {failed[0]!r} among them"
        )
    name = losses.records[0].goal.name
    return xr.DataArray(values * losses.sign, {BASIN: losses.names}, (BASIN,), name=name)


def _is_free(value: Any) -> bool:
    return isinstance(value, Variable) and not isinstance(value, Constant)


def _on_basin(value: Any) -> bool:
    return isinstance(value, xr.DataArray) and BASIN in value.dims


def _matrix(model, theta, names):
    """Return parameters as an array or a variable, shape (n_basin, n_parameter)."""
    shape = len(names), len(model.parameters)
    if isinstance(theta, Mapping):
        columns = [theta[name] for name in model.parameter_names]
        columns = [c.sel({BASIN: names}).values if _on_basin(c) else c for c in columns]
        if any(isinstance(column, Variable) for column in columns):
            variables = [pt.as_tensor_variable(column) for column in columns]
            return pt.stack([pt.alloc(variable, shape[0]) for variable in variables], axis=-1)
        arrays = [np.broadcast_to(np.asarray(c, dtype=float), shape[:1]) for c in columns]
        theta = np.stack(arrays, axis=-1)
    if isinstance(theta, Variable):
        return pt.alloc(theta, *shape) if theta.ndim < 2 else theta
    return np.broadcast_to(np.asarray(theta, dtype=float), shape)
