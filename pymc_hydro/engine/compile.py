"""Find, compile and keep the kernels of a model."""

import functools
import hashlib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np

from pymc_hydro.core import special
from pymc_hydro.core.maps import AbstractMap
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.core.special import SPECIAL
from pymc_hydro.engine.codegen import (
    ARGUMENTS,
    HELD,
    HELD_BACK,
    STATUS_AND_TAPE,
    SWEEP_ARGUMENTS,
    Argument,
    propagator,
    signature_of,
)
from pymc_hydro.engine.codegen.layout import width_for
from pymc_hydro.engine.codegen.maps.kernel import emit_map
from pymc_hydro.engine.codegen.maps.sweep import emit_map_sweep
from pymc_hydro.engine.codegen.reverse.assembly import TapedAssembly, emit_sweep_assembly
from pymc_hydro.engine.codegen.reverse.sweep import emit_sweep
from pymc_hydro.engine.codegen.reverse.tape import Tape
from pymc_hydro.engine.codegen.routing import emit_assembly
from pymc_hydro.engine.codegen.step import MAX_LEVEL, NO_HOOKS, REPLAY, Hooks, emit_kernel
from pymc_hydro.engine.codegen.text import emit_rates
from pymc_hydro.engine.derivation.parts import parts
from pymc_hydro.engine.derivation.system import derive, derive_full
from pymc_hydro.engine.derivation.transpose import transpose
from pymc_hydro.engine.derivation.update import derive_update, transpose_update
from pymc_hydro.integrators import AUTOMATIC, AUTOMATIC_FIXED, METHODS, RungeKutta
from pymc_hydro.models.listing import as_model

__all__ = [
    "OPTIONS",
    "Kernel",
    "called_functions",
    "compile_cached",
    "content_of",
    "get_kernel",
    "get_rates",
    "get_replay",
    "get_sweep",
    "get_taped_kernel",
    "kernel_source",
    "namespace",
    "python_kernel",
    "python_sweep",
    "select_methods",
    "source",
]

# Functions that all kernels, or some, call. Without types a constant argument would be a new type.
_PROPAGATOR = {
    propagator.multiply: "(f8[:,:,::1], f8[:,:,:,::1], intp, intp, f8, f8[:,::1])",
    propagator.propagator: "(f8[:,::1], f8[:,:,::1], f8, f8[:,:,:,:,::1], intp)",
}
_CALLED = {
    **_PROPAGATOR,
    propagator.couple: "(f8[:,::1], f8[:,:,::1], intp, f8[:,:,:,:,::1], intp)",
    propagator.at_nodes: "(f8[:,::1], f8[:,:,::1], f8, f8[:,::1], intp, f8[:,:,:,:,::1], intp)",
    special.expm1: "f8(f8)",
}
_CONSTANTS = ("N_TERMS", "SUMMED_NORM", "MAX_DOUBLINGS")  # of the propagator's text
MATHEMATICS = ("cos", "erfc", "exp", "expm1", "lgamma", "log", "log1p", "sin", "sqrt", "tanh")
# Multiply and add with one rounding, and shared reciprocals: each changes the last digit at most.
FAST = {"contract": True, "arcp": True}
# Explicit: a function without options is compiled with the options of its caller.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": FAST}


_building = RLock()


@dataclass(frozen=True)
class Kernel:
    """A kernel: a text, which is compiled when its function is first asked for.

    Attributes
    ----------
    name, text, content, label : str
        Of the function in the text; the text; its hash; the name in messages.
    arguments, of_parts : tuple of Argument
        In their order; further arguments of the functions that the kernel is made of.
    returns : str
        Type of the result, as Numba writes it.
    """

    name: str
    text: str = field(compare=False)  # kernels with equal content are equal
    content: str
    label: str = field(compare=False)
    arguments: tuple[Argument, ...] = field(default=ARGUMENTS, compare=False)
    of_parts: tuple[Argument, ...] = field(default=HELD, compare=False)
    returns: str = "i8"

    @property
    def signature(self) -> str:
        """Types of the arguments and of the result, as Numba writes them."""
        return signature_of(self.arguments, self.returns)

    @property
    def function(self) -> Callable:
        """The function; :class:`pymc_hydro.engine.problem.Problem` calls it."""
        with _building:  # once, whichever thread is the first
            return _built(self)


def select_methods(
    solver: str | RungeKutta | None, steps: int | None = None
) -> tuple[RungeKutta, ...]:
    """Return the methods for `solver`; a step takes the first method that is stable."""
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
def _text(model, outputs, width, methods, hooks=NO_HOOKS, taped=False) -> tuple[str, str, str]:
    """Return name, text and content of a kernel; the content in the name makes it unique."""
    if isinstance(model, AbstractMap):
        update = derive_update(model, model.select_outputs(outputs))
        return _finished(model, [emit_map(update, "KERNEL", taped)])
    make_tape = Tape if taped else None
    several = all(method.takes_sections for method in methods)

    def body(name, *part):
        system = derive(model, *(part or (model.select_outputs(outputs),)), several=several)
        return emit_kernel(system, name, width, methods, hooks, make_tape)

    def assembly(order, found):
        tape = TapedAssembly() if taped else None
        return emit_assembly(outputs, order, found, "KERNEL", tape, hooks.arguments)

    return _named(model, outputs, body, assembly)


@functools.lru_cache(maxsize=256)
def _sweep_text(model, outputs, methods) -> tuple[str, str, str]:
    """Return name, text and content of a sweep."""
    if isinstance(model, AbstractMap):
        update = transpose_update(model, model.select_outputs(outputs))
        return _finished(model, [emit_map_sweep(update, "KERNEL")])
    several = all(method.takes_sections for method in methods)

    def body(name, *part):
        part = part or (model.select_outputs(outputs),)
        transposed = transpose(model, *part, several=several)
        return emit_sweep(transposed, name, methods, MAX_LEVEL)

    def assembly(order, found):
        return emit_sweep_assembly(outputs, order, found, "KERNEL")

    return _named(model, outputs, body, assembly)


def _named(model, outputs, body, assembly):
    """Return name, text and content of a function, whose text begins with its parts, if any."""
    if not model.hydrographs:
        bodies = [body("KERNEL")]
    else:
        order = [hydrograph.output for hydrograph in model.hydrographs]
        found = parts(model, model.select_outputs(outputs))
        bodies = [
            body(f"KERNEL_{i}", part.outputs, part.held, part.stores)
            for i, part in enumerate(found)
        ]
        bodies.append(assembly(order, found))
    return _finished(model, bodies, [_propagator_text()])


def _finished(model, bodies, before=()) -> tuple[str, str, str]:
    """Return name, text and content of a function, from its text and that of its parts."""
    called = [inspect.getsource(f) for f in _called(bodies) if f not in _PROPAGATOR]
    called += _special_text() if _calls_special(bodies) else ()
    text = "\n\n".join([*before, *called, *bodies])
    content = content_of(text)
    name = f"{type(model).__name__.lower()}_{content[:16]}"
    return name, text.replace("KERNEL", name), content


def content_of(text: str | tuple) -> str:
    """Return the hash of a text and of the options with which it is compiled."""
    return hashlib.sha256(repr((text, OPTIONS)).encode()).hexdigest()


def _propagator_text():
    """Return the text of the propagator, which is a part of every kernel."""
    constants = "\n".join(f"{n} = {getattr(propagator, n)!r}" for n in _CONSTANTS)
    return "\n\n".join([constants, *(inspect.getsource(f) for f in _PROPAGATOR)])


def source(
    model: AbstractModel | str,
    outputs: str | Sequence[str] = ("discharge",),
    *,
    solver: str | RungeKutta | None = None,
    steps: int | None = None,
) -> str:
    """Return the text of the kernel that integrates a model, as it is compiled.

    Parameters
    ----------
    model : AbstractModel or str
    outputs : str or sequence of str
        Any of ``model.output_names``.
    solver, steps
        As in :func:`pymc_hydro.simulate`. The text depends on the methods that they choose.

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
    model = as_model(model)
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
        The number of columns that there must be room for; one a parameter if not given.
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
    found = _text(model, tuple(outputs), _width(model, n_column), methods)
    return Kernel(*found, f"the {type(model).__name__} kernel for {', '.join(outputs)}")


def get_taped_kernel(
    model: AbstractModel, outputs: Sequence[str], methods: tuple[RungeKutta, ...]
) -> Kernel:
    """Return the kernel that keeps a tape of its steps, and returns it with the status."""
    found = _text(model, tuple(outputs), _width(model, 0), methods, NO_HOOKS, True)
    label = f"the {type(model).__name__} kernel with a tape, for {', '.join(outputs)}"
    return Kernel(*found, label, returns=STATUS_AND_TAPE)


def get_replay(
    model: AbstractModel, outputs: Sequence[str], methods: tuple[RungeKutta, ...]
) -> Kernel:
    """Return the kernel that takes given steps, keeps a tape, and returns it with the status."""
    found = _text(model, tuple(outputs), _width(model, 0), methods, REPLAY, True)
    label = f"the {type(model).__name__} kernel of given steps, for {', '.join(outputs)}"
    return Kernel(*found, label, ARGUMENTS + REPLAY.arguments, returns=STATUS_AND_TAPE)


def get_sweep(
    model: AbstractModel, outputs: Sequence[str], methods: tuple[RungeKutta, ...]
) -> Kernel:
    """Return the sweep that takes cotangents back through the tape of a run."""
    found = _sweep_text(model, tuple(outputs), methods)
    label = f"the {type(model).__name__} sweep for {', '.join(outputs)}"
    return Kernel(*found, label, SWEEP_ARGUMENTS, HELD_BACK)


def python_kernel(
    model: AbstractModel,
    outputs: Sequence[str],
    methods: tuple[RungeKutta, ...],
    hooks: Hooks = NO_HOOKS,
    names: Mapping[str, Any] = MappingProxyType({}),
    *,
    n_column: int | None = None,
    taped: bool = False,
) -> Callable:
    """Return a kernel as a function of plain Python, for tests that look into its steps.

    It has NumPy's mathematics: the logarithm of zero is minus infinity there, as it is compiled.

    Parameters
    ----------
    model : AbstractModel
    outputs : sequence of str
    methods : tuple of RungeKutta
    hooks : Hooks
        Other text at a few places.
    names : mapping
        Objects that this text refers to.
    n_column : int, optional
        The number of columns that there must be room for; one a parameter if not given.
    taped : bool
        Whether it keeps a tape.
    """
    width = _width(model, n_column)
    name, text, _ = _text(model, tuple(outputs), width, methods, hooks, taped)
    return _in_python(name, text, names)


def python_sweep(
    model: AbstractModel, outputs: Sequence[str], methods: tuple[RungeKutta, ...]
) -> Callable:
    """Return a sweep as a function of plain Python."""
    name, text, _ = _sweep_text(model, tuple(outputs), methods)
    return _in_python(name, text, {})


def _in_python(name, text, names):
    space = {**namespace(np), **names}
    exec(_code(text), space)
    return space[name]


def _calls_special(texts):
    return any(f"{function.__name__}(" in text for function in SPECIAL for text in texts)


def _special_text():
    """Return the texts of the special functions, for kernels that call one of them."""
    constants = "\n".join(f"{n} = {getattr(special, n)!r}" for n in ("MOST_TERMS", "SMALL"))
    return constants, *(inspect.getsource(f) for f in SPECIAL)


@functools.lru_cache(maxsize=8)
def _code(text):
    return compile(text, "kernel in Python", "exec")


def _width(model, n_column):
    return width_for(len(model.parameters) if n_column is None else n_column)


@functools.lru_cache(maxsize=256)
def _built(kernel):
    name, text = kernel.name, kernel.text
    space = namespace()
    exec(compile(text, f"<pymc_hydro kernel {name}>", "exec"), space)
    space |= called_functions(text)
    space |= _compile_special() if "def gammainc(" in text else {}
    for each in [n for n in space if n.startswith(f"{name}_")]:
        signature = signature_of(kernel.arguments + kernel.of_parts, kernel.returns)
        space[each] = _compile_part(space[each], kernel.content, signature)
    return compile_cached(space[name], kernel.content, kernel.label)


def _called(texts):
    return [f for f in _CALLED if any(f"{f.__name__}(" in text for text in texts)]


def called_functions(text: str) -> dict[str, Callable]:
    """Return the compiled functions that a text calls, by name."""
    return {f.__name__: _compile_called(f) for f in _called([text])}


@functools.lru_cache(maxsize=len(_CALLED))
def _compile_called(function):
    """Return a compiled function that kernels call. It is the same for all, so it is kept."""
    space, own, name = namespace(), inspect.getsource(function), function.__name__
    text = "\n\n".join([_propagator_text(), own])
    exec(compile(text, f"<pymc_hydro {name}>", "exec"), space)
    space |= {f.__name__: _compile_called(f) for f in _called([own]) if f is not function}
    label = f"a part of kernels ({name})"
    compiled = compile_cached(space[name], content_of(text + label), label)
    compiled.compile(_CALLED[function])
    compiled.disable_compile()
    return compiled


@functools.lru_cache(maxsize=1)
def _compile_special():
    """Return the compiled special functions by name."""
    space = namespace()
    exec("\n\n".join(_special_text()), space)
    content = content_of(_special_text())
    return {
        f.__name__: _compile_part(space[f.__name__], content, f"f8({', '.join(['f8'] * n)})")
        for f, n in SPECIAL.items()
    }


def _compile_part(function, content, signature):
    """Return a function that kernels call, compiled for the types of its arguments."""
    label = f"a part of a kernel ({function.__name__})"
    compiled = compile_cached(function, content_of(content + label), label)
    compiled.compile(signature)
    compiled.disable_compile()
    return compiled


def _jit(function):
    import numba

    from pymc_hydro.engine.pipeline import KernelPipeline

    return numba.njit(pipeline_class=KernelPipeline, **OPTIONS)(function)


def compile_cached(function: Callable, content: str, label: str) -> Callable:
    """Return a function that Numba compiles at its first call, unless the private cache has it.

    Parameters
    ----------
    function : callable
        From a text that was executed in :func:`namespace`.
    content : str
        Hash of the text.
    label : str
        Name of the function in messages.
    """
    from pymc_hydro.engine.cache import KernelCache

    compiled = _jit(function)
    compiled._cache = KernelCache(content, label)
    return compiled


@functools.lru_cache(maxsize=64)
def get_rates(model: AbstractModel, outputs: tuple[str, ...] = ("discharge",)):
    """Return compiled ``rates(x, u, theta, dx)`` and ``rates_jacobian(x, u, theta, dx, J, B)``.

    They are for checks against other solvers. The vector `x` holds all states: stores, then the
    accumulated outputs. The functions do not write entries of J and B that are zero by structure.
    """
    space, text = (
        namespace(),
        emit_rates(derive_full(model, model.select_outputs(outputs)), "rates"),
    )
    space |= _compile_special() if _calls_special([text]) else {}
    exec(text, space)
    return tuple(_jit(space[name]) for name in ("rates", "rates_jacobian"))


def namespace(mathematics: ModuleType = math) -> dict[str, Any]:
    """Return the names that the text of a kernel uses.

    Parameters
    ----------
    mathematics : module
        The module of ``exp`` and the other functions.
    """
    # NumPy has neither the error function nor the logarithm of the gamma function.
    names = {n: getattr(mathematics, n, getattr(math, n)) for n in MATHEMATICS}
    arrays = {"np": np, "zeros": np.zeros, "empty": np.empty}
    # Numba imports the module of a function when it loads the function from a cache: a module that
    # every version has.
    return {**names, **arrays, "nan": math.nan, "inf": math.inf, "__name__": "pymc_hydro"}
