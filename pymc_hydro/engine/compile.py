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
from pymc_hydro.engine.codegen import propagator
from pymc_hydro.engine.codegen.layout import width_for
from pymc_hydro.engine.codegen.step import emit_kernel
from pymc_hydro.engine.codegen.text import emit_rates
from pymc_hydro.engine.derivation.system import derive, derive_full
from pymc_hydro.integrators import AUTOMATIC, AUTOMATIC_FIXED, METHODS, RungeKutta

__all__ = ["Kernel", "get_kernel", "get_rates", "kernel_source", "select_methods", "source"]

# Functions every kernel calls, and their types. Left to itself, Numba compiles a function anew for
# every constant it is called with.
_PROPAGATOR = {
    propagator.multiply: "(f8[:,:,::1], f8[:,:,:,::1], intp, intp, f8, f8[:,::1])",
    propagator.propagator: "(f8[:,::1], f8[:,:,::1], f8, f8[:,:,:,:,::1], intp)",
}
_CONSTANTS = ("N_TERMS", "SUMMED_NORM", "MAX_DOUBLINGS")  # of the propagator's text
_MATHEMATICS = ("exp", "expm1", "log", "log1p", "sqrt", "tanh")
# Multiply and add in one rounding, reciprocals that are shared: no more than a last digit each.
FAST = {"contract": True, "arcp": True}
# Set, not left out: Numba compiles a function with the options of its caller where it has none.
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": FAST}


@dataclass(frozen=True)
class Kernel:
    """A compiled kernel and what its columns mean.

    Attributes
    ----------
    function : callable
        Compiled by Numba; its arguments are those of
        :data:`pymc_hydro.engine.codegen.step.ARGUMENTS`. Shapes: theta (n_parameter,), forcing
        (n_time, n_forcing), x0 (n_state,), place (n_parameter + n_state,), method
        (n_method, n_most + 3, n_most), values (n_time, n_output), jacobian (n_time, n_output,
        n_column), counts (N_COUNTS,). Returns the status.
    text : str
        Its source.
    content : str
        Hash of the source.
    """

    function: Callable
    text: str
    content: str


def select_methods(
    solver: str | RungeKutta | None, steps: int | None = None
) -> tuple[RungeKutta, ...]:
    """Return the methods for `solver`; of several, a step takes the first that is stable."""
    if solver is None:
        return AUTOMATIC_FIXED if steps else AUTOMATIC
    if isinstance(solver, RungeKutta):
        return (solver,)
    if isinstance(solver, tuple):
        return solver
    for method in METHODS:
        if method.name == solver:
            return (method,)
    raise KeyError(f"unknown solver {solver!r}; known are {', '.join(m.name for m in METHODS)}")


@functools.lru_cache(maxsize=256)
def _system(model, outputs, full=False):
    selected = model.select_outputs(outputs)
    return derive_full(model, selected) if full else derive(model, selected)


@functools.lru_cache(maxsize=256)
def _text(model, outputs, width, methods):
    """Return (name, text) of a kernel; the name carries the content, so symbols never clash."""
    body = emit_kernel(_system(model, outputs), "KERNEL", width, methods)
    text = "\n\n".join([_propagator_text(), body])
    content = _hash(text)
    name = f"{type(model).__name__.lower()}_{content[:16]}"
    return name, text.replace("def KERNEL(", f"def {name}("), content


def _hash(text):
    return hashlib.sha256(repr((text, _OPTIONS)).encode()).hexdigest()


def _propagator_text():
    """Return the text of the propagator, a part of every kernel's."""
    constants = "\n".join(f"{n} = {getattr(propagator, n)!r}" for n in _CONSTANTS)
    return "\n\n".join([constants, *(inspect.getsource(f) for f in _PROPAGATOR)])


def source(
    model: AbstractModel,
    outputs: str | Sequence[str] = ("discharge",),
    *,
    solver: str | RungeKutta | None = None,
    steps: int | None = None,
) -> str:
    """Return the text of the kernel that integrates a model, as it is compiled.

    Parameters
    ----------
    model : AbstractModel
    outputs : str or sequence of str
        Any of ``model.output_names``.
    solver, steps
        As in :func:`pymc_hydro.simulate`; they choose the methods that the kernel is written for.

    Raises
    ------
    KeyError
        If an output or a solver is unknown.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> print(ph.source(ph.Hymod(snow=False)).splitlines()[-1].strip())
    return status
    """
    names = tuple(output.name for output in model.select_outputs(outputs))
    return kernel_source(model, names, methods=select_methods(solver, steps))


def kernel_source(
    model: AbstractModel,
    outputs: Sequence[str] = ("discharge",),
    n_column: int | None = None,
    methods: tuple[RungeKutta, ...] = AUTOMATIC,
) -> str:
    """Return the text of a generated kernel, as it is compiled.

    Parameters
    ----------
    model : AbstractModel
    outputs : sequence of str
    n_column : int, optional
        Columns of sensitivities that there must be room for; one a parameter if not given.
    methods : tuple of RungeKutta
    """
    return _text(model, tuple(outputs), _width(model, n_column), methods)[1]


def get_kernel(
    model: AbstractModel,
    outputs: Sequence[str],
    n_column: int | None = None,
    methods: tuple[RungeKutta, ...] = AUTOMATIC,
) -> Kernel:
    """Return a kernel, compiled at its first call and kept in the private cache."""
    return _compile(model, tuple(outputs), _width(model, n_column), methods)


def _width(model, n_column):
    return width_for(len(model.parameters) if n_column is None else n_column)


@functools.lru_cache(maxsize=256)
def _compile(model, outputs, width, methods):
    name, text, content = _text(model, outputs, width, methods)
    space = _namespace()
    exec(compile(text, f"<pymc_hydro kernel {name}>", "exec"), space)
    space["propagator"] = _compile_propagator()
    label = f"the {type(model).__name__} kernel for {', '.join(outputs)}"
    return Kernel(_cached(space[name], content, label), text, content)


@functools.lru_cache(maxsize=1)
def _compile_propagator():
    """Return the propagator by itself: it is the same for all kernels and compiled once."""
    text, space = _propagator_text(), _namespace()
    exec(compile(text, "<pymc_hydro propagator>", "exec"), space)
    for function, signature in _PROPAGATOR.items():
        label = f"a part of all kernels ({function.__name__})"
        compiled = _cached(space[function.__name__], _hash(text + label), label)
        compiled.compile(signature)
        compiled.disable_compile()
        space[function.__name__] = compiled
    return space["propagator"]


def _jit(function):
    import numba

    from pymc_hydro.engine.pipeline import KernelPipeline

    return numba.njit(pipeline_class=KernelPipeline, **_OPTIONS)(function)


def _cached(function, content, label):
    from pymc_hydro.engine.cache import KernelCache

    compiled = _jit(function)
    compiled._cache = KernelCache(content, label)
    return compiled


@functools.lru_cache(maxsize=64)
def get_rates(model: AbstractModel, outputs: tuple[str, ...] = ("discharge",)):
    """Return compiled ``rates(x, u, theta, dx)`` and ``rates_jacobian(x, u, theta, dx, J, B)``.

    All states in one vector, stores first, then the accumulated outputs: for checks against other
    solvers. Entries of J and B that are zero by structure are not written.
    """
    space = _namespace()
    exec(emit_rates(_system(model, outputs, full=True), "rates"), space)
    return tuple(_jit(space[name]) for name in ("rates", "rates_jacobian"))


def _namespace() -> dict:
    names = {name: getattr(math, name) for name in _MATHEMATICS}
    arrays = {"np": np, "zeros": np.zeros, "empty": np.empty}
    # Numba imports this module when it loads a cached function: one that never moves.
    return {**names, **arrays, "nan": math.nan, "inf": math.inf, "__name__": "pymc_hydro"}
