"""Which runs lanes can do, and the functions that do them."""

import functools
import inspect
from collections.abc import Callable

import numpy as np

from pymc_hydro.core.domain import domain_of, is_outside
from pymc_hydro.core.maps import AbstractMap
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.codegen import Argument, signature_of
from pymc_hydro.engine.compile import called_functions, compile_cached, content_of, namespace
from pymc_hydro.engine.derivation.system import System, derive
from pymc_hydro.engine.lanes.kernel import (
    ALONE,
    LANE_ARGUMENTS,
    LANES,
    ROUTE_ARGUMENTS,
    emit_lanes,
    emit_routes,
)
from pymc_hydro.engine.problem import Problem
from pymc_hydro.integrators import RungeKutta

__all__ = ["LEAST", "get_lanes", "in_lanes", "lane_source", "run_in_lanes", "takes_lanes"]

LEAST = 4 * LANES  # runs, for which a kernel of their own is worth its compilation
OPERATIONS = {"add", "sub", "mul", "div", "neg", "select", "exp", "expm1", "log", "log1p"}
OPERATIONS |= {"sqrt", "tanh", "logistic", "sin", "cos", "constant", "symbol"}


def takes_lanes(problem: Problem) -> bool:
    """Return whether the runs of a problem can be done in lanes.

    The first method is explicit, with error control; the model has no unit hydrograph between its
    stores, and no operation that lanes do not have.
    """
    model = problem.model
    if problem.steps or problem.methods[0].implicit or isinstance(model, AbstractMap):
        return False
    if model.hydrographs:
        return False
    program = _system(model, problem.outputs, problem.methods[0]).program
    return OPERATIONS.issuperset(op for op, *_ in program.nodes)


@functools.lru_cache(maxsize=64)
def _system(model: AbstractModel, outputs: tuple[str, ...], method: RungeKutta) -> System:
    return derive(model, model.select_outputs(outputs), several=method.takes_sections)


def lane_source(model: AbstractModel, outputs: tuple[str, ...], method: RungeKutta) -> str:
    """Return the text of the kernel of lanes."""
    return emit_lanes(_system(model, outputs, method), "KERNEL", method)


@functools.lru_cache(maxsize=64)
def get_lanes(
    model: AbstractModel, outputs: tuple[str, ...], method: RungeKutta
) -> tuple[Callable, Callable | None]:
    """Return the compiled kernel of lanes, and the function for unit hydrographs if there are any.

    Their arguments are `LANE_ARGUMENTS` and `ROUTE_ARGUMENTS`.
    """
    label, text = f"the {type(model).__name__} kernel of lanes", lane_source(model, outputs, method)
    kernel, system = in_lanes(text, label, LANE_ARGUMENTS), _system(model, outputs, method)
    if not system.routes:
        return kernel, None
    label, text = f"the unit hydrograph of {type(model).__name__}", emit_routes(system, "KERNEL")
    return kernel, _compiled(text, label, ROUTE_ARGUMENTS, namespace(), content_of(text))


def in_lanes(text: str, label: str, arguments: tuple[Argument, ...]) -> Callable:
    """Return the compiled function ``KERNEL`` of a text, in which mathematics is that of lanes."""
    from pymc_hydro.engine.lanes import vectors

    space = namespace() | called_functions(text) | vectors.FUNCTIONS
    content = content_of(text + inspect.getsource(vectors))
    return _compiled(text, label, arguments, space, content)


def _compiled(text, label, arguments, space, content):
    exec(compile(text, f"<pymc_hydro {label}>", "exec"), space)
    function = compile_cached(space["KERNEL"], content, label)
    function.compile(signature_of(arguments))
    return function


def run_in_lanes(
    problem: Problem,
    theta: np.ndarray,
    forcing: np.ndarray,
    x0: np.ndarray,
    runs: np.ndarray,
    spans: np.ndarray,
    values: np.ndarray,
    counts: np.ndarray,
) -> list[tuple[int, int]]:
    """Do runs in lanes, and return the runs (vector, record) that are left to single runs.

    Several threads may do different runs at once. Shapes are those of `LANE_ARGUMENTS`; the arrays
    are contiguous, and the function writes `values` and `counts`.
    """
    kernel, route = get_lanes(problem.model, problem.outputs, problem.methods[0])
    domain, names = domain_of(problem.model), list(map(tuple, runs.tolist()))
    inside = [
        bool(spans[run[1], 1]) and not is_outside(theta[run], x0[run], domain) for run in names
    ]
    status = np.full(theta.shape[:2], ALONE)
    settings = problem.settings(arguments=LANE_ARGUMENTS)
    kernel(theta, forcing, x0, runs[inside], spans, *settings, values, counts, status)
    if route is not None:
        for v, r in np.argwhere(status == 0):
            _, n_time, row = spans[r]
            status[v, r] = route(theta[v, r], problem.dt, values[v, row : row + n_time])
    return [run for run in names if status[run] != 0]
