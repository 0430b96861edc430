"""Find, compile and keep the kernels of a model."""

import functools
import hashlib
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine import propagator
from pymc_hydro.engine.derive import derive, derive_full
from pymc_hydro.engine.emit import emit_rates
from pymc_hydro.engine.integrators import BOGACKI_SHAMPINE, METHODS, ExplicitPair
from pymc_hydro.engine.kernel_text import emit_kernel

__all__ = ["Kernel", "get_kernel", "get_rates", "kernel_source", "select_method"]

_CONSTANTS = ("N_TERMS", "SUMMED_NORM", "MAX_DOUBLINGS")  # of the propagator's text
_MATHEMATICS = ("exp", "expm1", "log", "log1p", "sqrt", "tanh")
# Set, not left out: Numba compiles a function with the options of its caller where it has none.
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": False}


@dataclass(frozen=True)
class Kernel:
    """A compiled kernel and what its columns mean.

    Attributes
    ----------
    function : callable
        ``(theta, forcing, x0, dt, rtol, atol, n_fixed, values, jacobian, counts) -> status``,
        compiled by Numba. Shapes: theta (n_parameter,), forcing (n_time, n_forcing), x0
        (n_state,), values (n_time, n_output), jacobian (n_time, n_output, n_column), counts (4,):
        steps taken, rejected, forced, and the interval of a failure or -1.
    text : str
        Its source.
    content : str
        Hash of the source.
    """

    function: Callable
    text: str
    content: str


def select_method(solver: str | ExplicitPair | None) -> ExplicitPair:
    """Return the integration method called `solver`; None is the default."""
    if solver is None:
        return BOGACKI_SHAMPINE
    if isinstance(solver, ExplicitPair):
        return solver
    for method in METHODS:
        if method.name == solver:
            return method
    raise KeyError(f"unknown solver {solver!r}; known are {', '.join(m.name for m in METHODS)}")


@functools.lru_cache(maxsize=256)
def _system(model, outputs, full=False):
    selected = model.select_outputs(outputs)
    return derive_full(model, selected) if full else derive(model, selected)


@functools.lru_cache(maxsize=256)
def _text(model, outputs, method, sensitivities, initial):
    """Return (name, text) of a kernel; the name carries the content, so symbols never clash."""
    body = emit_kernel(
        _system(model, outputs), method, "KERNEL", sensitivities=sensitivities, initial=initial
    )
    parts = [inspect.getsource(f) for f in _propagator_functions()]
    constants = "\n".join(f"{n} = {getattr(propagator, n)!r}" for n in _CONSTANTS)
    text = "\n\n".join([constants, *parts, body])
    kind = "jacobian" if sensitivities else "values"
    content = hashlib.sha256(repr((text, _OPTIONS)).encode()).hexdigest()
    name = f"{type(model).__name__.lower()}_{kind}_{content[:16]}"
    return name, text.replace("def KERNEL(", f"def {name}("), content


def _propagator_functions():
    return (propagator.multiply, propagator.propagator)


def kernel_source(
    model: AbstractModel,
    outputs: Sequence[str] = ("discharge",),
    *,
    solver: str | ExplicitPair | None = None,
    sensitivities: bool = True,
    initial: bool = False,
) -> str:
    """Return the text of a generated kernel, as it is compiled."""
    return _text(model, tuple(outputs), select_method(solver), sensitivities, initial)[1]


def get_kernel(
    model: AbstractModel,
    outputs: Sequence[str],
    method: ExplicitPair,
    *,
    sensitivities: bool,
    initial: bool = False,
) -> Kernel:
    """Return a kernel, compiled at its first call and kept in the private cache."""
    return _compile(model, tuple(outputs), method, sensitivities, initial and sensitivities)


@functools.lru_cache(maxsize=256)
def _compile(model, outputs, method, sensitivities, initial):
    import numba

    from pymc_hydro.engine.cache import KernelCache

    name, text, content = _text(model, outputs, method, sensitivities, initial)
    space = _namespace()
    exec(compile(text, f"<pymc_hydro kernel {name}>", "exec"), space)
    for function in _propagator_functions():
        space[function.__name__] = numba.njit(**_OPTIONS)(space[function.__name__])
    kernel = numba.njit(**_OPTIONS)(space[name])
    label = f"the {type(model).__name__} kernel for {', '.join(outputs)}"
    if sensitivities:
        label += " with sensitivities"
    kernel._cache = KernelCache(content, label)
    return Kernel(kernel, text, content)


@functools.lru_cache(maxsize=64)
def get_rates(model: AbstractModel, outputs: tuple[str, ...] = ("discharge",)):
    """Return compiled ``rates(x, u, theta, dx)`` and ``rates_jacobian(x, u, theta, dx, J, B)``.

    All states in one vector, stores first, then the accumulated outputs: for checks against other
    solvers. Entries of J and B that are zero by structure are not written.
    """
    import numba

    space = _namespace()
    exec(emit_rates(_system(model, outputs, full=True), "rates"), space)
    return tuple(numba.njit(**_OPTIONS)(space[n]) for n in ("rates", "rates_jacobian"))


def _namespace() -> dict:
    names = {name: getattr(math, name) for name in _MATHEMATICS}
    arrays = {"np": np, "zeros": np.zeros, "empty": np.empty}
    # The name of a module that exists: Numba imports it when it loads a cached function.
    return {**names, **arrays, "nan": math.nan, "inf": math.inf, "__name__": __name__}
