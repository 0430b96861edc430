"""The mathematics of flux functions, chosen by the type of the argument.

A flux function is written once and evaluated with expressions (to derive its kernels), with
SymPy symbols (to read it), with real or complex NumPy arrays (to verify it) and with JAX or
PyTensor arrays (to run it elsewhere).
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import Parameter, signature
from types import ModuleType
from typing import Any

import numpy as np

from pymc_hydro.core import special
from pymc_hydro.core.base import expression

__all__ = [
    "cos", "exp", "expm1", "gammainc", "log", "log1p", "logistic", "ndtr", "piecewise", "power",
    "sin", "sqrt", "tanh",
]  # fmt: skip

# Namespaces by the package of the argument's type; a package is imported when it is first met.
_NAMESPACES = {"sympy": "sympy", "jax": "jax.numpy", "jaxlib": "jax.numpy"}
_NAMESPACES["pytensor"] = "pytensor.tensor"


def _namespace(x: Any) -> ModuleType:
    if isinstance(x, expression.Expression):
        return expression
    package = type(x).__module__.partition(".")[0]
    name = _NAMESPACES.get(package)
    return np if name is None else importlib.import_module(name)


_by_name: ContextVar[bool] = ContextVar("_by_name", default=False)


@contextmanager
def laws_by_name() -> Iterator[None]:
    """Leave laws (see :func:`law`) as functions of SymPy in what is evaluated within."""
    token = _by_name.set(True)
    try:
        yield
    finally:
        _by_name.reset(token)


def law(function: Callable) -> Callable:
    """Decorate a law of flux functions, which within :func:`laws_by_name` keeps its name.

    It is then a function of SymPy of all arguments but the width of its kink.
    """
    known = signature(function)
    left_out = ("self", "width")

    @wraps(function)
    def called(*args, **options):
        if not _by_name.get():
            return function(*args, **options)
        shown = []
        for name, value in known.bind(*args, **options).arguments.items():
            if name not in left_out:
                several = known.parameters[name].kind is Parameter.VAR_POSITIONAL
                shown += value if several else [value]
        kind = importlib.import_module("sympy").Function(function.__name__, real=True)
        kind.__module__ = "sympy"  # which it lacks, and by which other laws know it
        return kind(*shown)

    return called


def _vectorized(function: Callable) -> Callable:
    """Return a function of numbers as one of arrays; numbers give a number."""
    return lambda *args: np.vectorize(function, otypes=[float])(*args)[()]


def cos(x: Any) -> Any:
    """Cosine."""
    return _namespace(x).cos(x)


def exp(x: Any) -> Any:
    """Exponential function."""
    return _namespace(x).exp(x)


def expm1(x: Any) -> Any:
    """``exp(x) - 1`` without loss of digits at small `x`."""
    namespace = _namespace(x)
    return namespace.expm1(x) if hasattr(namespace, "expm1") else namespace.exp(x) - 1


def gammainc(a: Any, x: Any) -> Any:
    """Regularised lower incomplete gamma function P(a, x), for positive `a`; zero for x <= 0.

    Its complement is ``1 - gammainc(a, x)``. Both derivatives are known.
    """
    namespace = next((n for n in map(_namespace, (a, x)) if n is not np), np)
    match namespace.__name__:
        case "pymc_hydro.core.base.expression":
            return expression.gammainc(a, x)
        case "sympy":
            return namespace.lowergamma(a, x) / namespace.gamma(a)
        case "pytensor.tensor":
            return namespace.gammainc(a, x)
        case "jax.numpy":
            return importlib.import_module("jax.scipy.special").gammainc(a, x)
    real = np.real(a), np.real(x)
    value = _vectorized(special.gammainc)(*real)
    if not (np.iscomplexobj(a) or np.iscomplexobj(x)):
        return value
    slopes = (_vectorized(f)(*real) for f in (special.gammainc_da, special.gammainc_dx))
    change = sum(slope * np.imag(y) for slope, y in zip(slopes, (a, x), strict=True))
    return value + 1j * change  # to first order, which is exact for a complex step


def log(x: Any) -> Any:
    """Natural logarithm."""
    return _namespace(x).log(x)


def log1p(x: Any) -> Any:
    """``log(1 + x)`` without loss of digits at small `x`."""
    namespace = _namespace(x)
    return namespace.log1p(x) if hasattr(namespace, "log1p") else namespace.log(1 + x)


def logistic(x: Any) -> Any:
    """``1 / (1 + exp(-x))``: a smooth step from zero to one, which cannot overflow."""
    namespace = _namespace(x)
    return expression.logistic(x) if namespace is expression else (1 + namespace.tanh(x / 2)) / 2


def ndtr(x: Any) -> Any:
    """Distribution function of the standard normal distribution."""
    namespace = _namespace(x)
    match namespace.__name__:
        case "pymc_hydro.core.base.expression":
            return expression.ndtr(x)
        case "sympy":
            return namespace.erfc(-x / namespace.sqrt(2)) / 2
        case "pytensor.tensor":
            return namespace.erfc(-x / np.sqrt(2)) / 2  # its own root of 2 has single precision
        case "jax.numpy":
            return importlib.import_module("jax.scipy.special").ndtr(x)
    value = _vectorized(special.ndtr)(np.real(x))
    if not np.iscomplexobj(x):
        return value
    density = np.exp(-(np.real(x) ** 2) / 2) / np.sqrt(2 * np.pi)
    return value + 1j * density * np.imag(x)  # to first order, as gammainc


# Called with (switch, above, below, continuity) of every piecewise expression that is evaluated
# with numbers, while a check listens (pymc_hydro.testing.continuity).
_listeners: list[Callable] = []


def piecewise(switch: Any, above: Any, below: Any, *, continuity: int | None) -> Any:
    """Return `above` where `switch` is positive, else `below`.

    Both branches are evaluated everywhere: guard their arguments, so that the one that is not
    chosen is finite as well.

    Parameters
    ----------
    switch, above, below : expressions or numbers
    continuity : int or None
        The author's promise where `switch` is zero: 0, the branches have equal values; 1, also
        equal first derivatives. None marks a guard, whose value is used on one side only.
        ``pymc_hydro.testing.check_model`` compares the branches. A jump is refused: the
        sensitivity equations would need its condition at every crossing. Smooth it over a width
        instead (:func:`pymc_hydro.core.smoothing.step`).
    """
    if continuity not in (None, 0, 1):
        raise ValueError(
            f"piecewise: continuity must be 0, 1 or None (a guard), found {continuity!r}; for a "
            "jump use pymc_hydro.core.smoothing.step with a width"
        )
    symbolic = [_namespace(x) for x in (switch, above, below)]
    namespace = next((n for n in symbolic if n is not np), np)
    match namespace.__name__:
        case "pymc_hydro.core.base.expression":
            return expression.select(switch, above, below)
        case "sympy":
            return expression.choice(namespace)(switch, above, below)
        case "pytensor.tensor":
            return namespace.switch(switch > 0, above, below)
        case "jax.numpy":
            return namespace.where(switch > 0, above, below)
    for listener in _listeners:
        listener(switch, above, below, continuity)
    return np.where(np.real(switch) > 0, above, below)[()]  # numbers give a number


def power(x: Any, exponent: Any) -> Any:
    """`x` to a parametric power, for positive `x`; the author guards ``x = 0``.

    Evaluated as ``exp(exponent log(x))``, so that value and both derivatives share one
    logarithm and one exponential.
    """
    if _namespace(x).__name__ == "sympy":
        return x**exponent
    return exp(exponent * log(x))


def sin(x: Any) -> Any:
    """Sine."""
    return _namespace(x).sin(x)


def sqrt(x: Any) -> Any:
    """Square root."""
    return _namespace(x).sqrt(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return _namespace(x).tanh(x)
