"""The mathematics of flux functions, chosen by the type of the argument.

A flux function is written once and evaluated with expressions (to derive its kernels), with
SymPy symbols (to read it), with real or complex NumPy arrays (to verify it) and with JAX or
PyTensor arrays (to run it elsewhere).
"""

import importlib
from types import ModuleType
from typing import Any

import numpy as np

from pymc_hydro.core import expression

__all__ = ["exp", "expm1", "log", "log1p", "power", "sqrt", "tanh"]

# Namespaces by the package that the argument's type comes from; imported only when met.
_NAMESPACES = {"sympy": "sympy", "jax": "jax.numpy", "jaxlib": "jax.numpy"}
_NAMESPACES["pytensor"] = "pytensor.tensor"


def _namespace(x: Any) -> ModuleType:
    if isinstance(x, expression.Expression):
        return expression
    package = type(x).__module__.partition(".")[0]
    name = _NAMESPACES.get(package)
    return np if name is None else importlib.import_module(name)


def exp(x):
    """Exponential function."""
    return _namespace(x).exp(x)


def expm1(x):
    """``exp(x) - 1`` without loss of digits at small `x`."""
    namespace = _namespace(x)
    return namespace.expm1(x) if hasattr(namespace, "expm1") else namespace.exp(x) - 1


def log(x):
    """Natural logarithm."""
    return _namespace(x).log(x)


def log1p(x):
    """``log(1 + x)`` without loss of digits at small `x`."""
    namespace = _namespace(x)
    return namespace.log1p(x) if hasattr(namespace, "log1p") else namespace.log(1 + x)


def power(x, exponent):
    """`x` to a parametric power, for positive `x`; the author guards ``x = 0``.

    Evaluated as ``exp(exponent log(x))``, so that value and both derivatives share one
    logarithm and one exponential.
    """
    if _namespace(x).__name__ == "sympy":
        return x**exponent
    return exp(exponent * log(x))


def sqrt(x):
    """Square root."""
    return _namespace(x).sqrt(x)


def tanh(x):
    """Hyperbolic tangent."""
    return _namespace(x).tanh(x)
