"""A simulation as a function of plain tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Constant, Variable

from pymc_hydro.core.base.names import check_arguments, check_keys
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.problem import SOLVER_SETTINGS, check_model_type, define_problem
from pymc_hydro.models.listing import as_model
from pymc_hydro.ops.batch import BatchValues
from pymc_hydro.ops.simulation import SimulatedValues, as_input

__all__ = ["simulate"]


def simulate(
    model: AbstractModel | str,
    theta: Mapping[str, Any] | Any,
    forcing: Any,
    initial_state: Mapping[str, Any] | Any = None,
    *,
    dt: float = 1.0,
    outputs: str | Sequence[str] = ("discharge",),
    **solver: Any,
) -> Variable:
    """Simulate with plain tensors: no PyMC model, no Dataset, no warm-up.

    The result is differentiable by `theta`, `forcing` and `initial_state`, and compiles for Numba,
    C and JAX.
    A run outside a model's domain, and an integration that fails, is NaN.

    Parameters
    ----------
    model : AbstractModel or str
        Such as ``ph.Hymod()``; or the name of a model with default options.
    theta : tensor_like, shape (n_parameter,) or (n_vector, n_parameter); or mapping
        In the order of ``model.parameter_names``; or by name, scalars or vectors (n_vector,). In a
        mapping, numbers are fixed parameters: their derivatives are not computed.
    forcing : tensor_like, shape (n_time, n_forcing)
        In the order of ``model.forcing_names``: mm/d, and degC. A parameter that changes in time is
        a column behind them: ``model.vary("K_f")`` is the model that reads it there.
    initial_state : tensor_like, shape (n_state,) or (n_vector, n_state); or mapping, optional
        Contents of the stores at the start in mm, in the order of ``model.store_names`` or by name;
        the model's own where not given.
    dt : float
        Length of the intervals, in days.
    outputs : sequence of str
        Any of ``model.output_names``.
    **solver
        ``solver``, ``rtol``, ``atol``, ``steps`` as in :func:`pymc_hydro.simulate`.

    Returns
    -------
    TensorVariable, shape (n_time, n_output) or (n_vector, n_time, n_output)
        With the names of the outputs as its name.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a name, a shape or a setting is wrong.

    Examples
    --------
    >>> import numpy as np, pytensor, pytensor.tensor as pt, pymc_hydro as ph
    >>> model, rain = ph.Hymod(snow=False), pt.dmatrix("rain")
    >>> theta = pt.dvector("theta")
    >>> q = ph.ops.simulate(model, theta, rain)
    >>> slope = pytensor.grad(q.sum(), theta)
    >>> f = pytensor.function([theta, rain], [q, slope], mode="FAST_COMPILE")
    >>> q_, slope_ = f(model.default, np.tile([8.0, 2.0], (30, 1)))
    >>> q_.shape, slope_.shape
    ((30, 1), (5,))
    """
    model = as_model(model)
    check_model_type(model)
    check_arguments("ops.simulate", solver, SOLVER_SETTINGS)
    if not (np.ndim(dt) == 0 and 0 < dt < np.inf):
        raise ValueError(f"ops.simulate: dt must be a positive number of days, found {dt!r}")
    if isinstance(forcing, Mapping) or hasattr(forcing, "columns"):
        columns = list(model.forcing_names)
        raise TypeError(
            "ops.simulate: forcing must be an array or a variable (n_time, n_forcing) with the "
            f"columns {', '.join(columns)}, found {type(forcing).__name__}, such as "
            f"numpy.column_stack([record[name] for name in {columns}]); inside a PyMC model "
            "ph.discharge takes records"
        )
    names = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    vector, free = _parameters(model, theta)
    problem = define_problem(model, names, dt, free=free, **solver)
    state = _state(model, initial_state)
    single = SimulatedValues(problem)
    if vector.ndim == state.ndim == 1:
        values = single.make_node(vector, forcing, state).outputs[0]
    else:
        forcing = as_input(single, "forcing", forcing, "n_time, n_forcing", model.forcing_names)
        n_vector = (vector if vector.ndim == 2 else state).shape[0]
        many = [
            v[:, None] if v.ndim == 2 else pt.alloc(v, n_vector, 1, v.shape[0])
            for v in (vector, state)
        ]
        record = pt.zeros(forcing.shape[:1], dtype="int64")
        values = BatchValues(problem).make_node(many[0], forcing, many[1], record).outputs[0]
    values.name = ", ".join(problem.outputs)
    return values


def _parameters(model, theta):
    """Return parameters as one variable, and the names of the free parameters (None: all)."""
    owner = f"{type(model).__name__}: theta"
    if not isinstance(theta, Mapping):
        return _checked(owner, theta, "n_parameter"), None
    check_keys(owner, theta, model.parameter_names)
    variables = {n: pt.as_tensor_variable(theta[n]) for n in model.parameter_names}
    free = tuple(n for n, v in variables.items() if not isinstance(v, Constant))
    return _stacked(owner, variables), free if 0 < len(free) < len(variables) else None


def _state(model, initial_state):
    """Return contents of the stores at the start as one variable."""
    owner = f"{type(model).__name__}: initial_state"
    if initial_state is None:
        return pt.constant(model.initial_state)
    if not isinstance(initial_state, Mapping):
        return _checked(owner, initial_state, "n_state")
    check_arguments(owner, initial_state, model.store_names)
    own = dict(zip(model.store_names, model.initial_state, strict=True))
    return _stacked(
        owner, {n: pt.as_tensor_variable(v) for n, v in (own | {**initial_state}).items()}
    )


def _stacked(owner, variables):
    for name, variable in variables.items():
        if variable.ndim > 1:
            raise TypeError(
                f"{owner}: {name!r} has {variable.ndim} dimensions, expected a number or "
                "(n_vector,)"
            )
    return pt.stack(pt.broadcast_arrays(*variables.values()), axis=-1)


def _checked(owner, given, axis):
    variable = pt.as_tensor_variable(given)
    if variable.ndim not in (1, 2):
        raise TypeError(
            f"{owner} must have shape ({axis},) or (n_vector, {axis}), found "
            f"{variable.ndim} dimensions; reshape, or vectorize the graph, for more"
        )
    return variable
