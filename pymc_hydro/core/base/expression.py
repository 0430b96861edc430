"""Scalar expressions: the result of a flux function that is evaluated with symbols.

A tracer and nothing more: operators build a tree, evaluation order is the order in which the
author wrote it, and nothing is rearranged, so that a generated kernel rounds exactly as the flux
function does. Differentiation is in :mod:`pymc_hydro.engine.derivation.system`.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = [
    "Expression", "choice", "cos", "exp", "expm1", "gammainc", "log", "log1p", "logistic", "ndtr",
    "select", "sin", "sqrt", "symbol", "tanh",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Expression:
    """One operation: its name and its arguments (expressions, or a leaf's name or number)."""

    op: str
    args: tuple

    # A NumPy scalar on the left must not make an object array of an expression.
    __array_ufunc__ = None

    def __add__(self, other: Any) -> Expression:
        return _binary("add", self, other)

    def __radd__(self, other: Any) -> Expression:
        return _binary("add", other, self)

    def __sub__(self, other: Any) -> Expression:
        return _binary("sub", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return _binary("sub", other, self)

    def __mul__(self, other: Any) -> Expression:
        return _binary("mul", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return _binary("mul", other, self)

    def __truediv__(self, other: Any) -> Expression:
        return _binary("div", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return _binary("div", other, self)

    def __neg__(self) -> Expression:
        return Expression("neg", (self,))

    def __pos__(self) -> Expression:
        return self

    def __pow__(self, exponent: Any) -> Expression:
        if isinstance(exponent, numbers.Integral) and int(exponent) >= 1:
            result = self
            for _ in range(int(exponent) - 1):
                result = result * self
            return result
        if isinstance(exponent, numbers.Real) and exponent == 0.5:
            return sqrt(self)
        return exp(exponent * log(self))

    def __bool__(self) -> bool:
        raise TypeError(
            "a flux function must not branch on the value of a store, forcing or parameter "
            "(`if`, `and`, `min`, `max`): use pymc_hydro.core.smoothing or "
            "pymc_hydro.core.functions.piecewise instead"
        )

    def _refuse_order(self, other: Any) -> bool:
        return bool(self)

    __lt__ = __le__ = __gt__ = __ge__ = _refuse_order


def as_expression(x: Any) -> Expression:
    """Return `x` as an expression; numbers become constants."""
    if isinstance(x, Expression):
        return x
    if isinstance(x, numbers.Real):
        return Expression("constant", (float(x),))
    raise TypeError(
        f"flux expression: expected a number or an expression, found {type(x).__name__}; "
        "use the functions of pymc_hydro.core.functions, which accept symbols"
    )


def _binary(op: str, a: Any, b: Any) -> Expression:
    return Expression(op, (as_expression(a), as_expression(b)))


def symbol(name: str) -> Expression:
    """Return a named leaf."""
    return Expression("symbol", (name,))


def select(switch: Any, above: Any, below: Any) -> Expression:
    """Return `above` where `switch` is positive, else `below`."""
    return Expression("select", tuple(as_expression(x) for x in (switch, above, below)))


def gammainc(a: Any, x: Any) -> Expression:
    """Return the regularised lower incomplete gamma function P(a, x)."""
    return _binary("gammainc", a, x)


def _unary(op: str) -> Callable[[Any], Expression]:
    def function(x: Any) -> Expression:
        return Expression(op, (as_expression(x),))

    function.__name__ = op
    return function


cos = _unary("cos")
exp = _unary("exp")
expm1 = _unary("expm1")
log = _unary("log")
log1p = _unary("log1p")
logistic = _unary("logistic")
ndtr = _unary("ndtr")
sin = _unary("sin")
sqrt = _unary("sqrt")
tanh = _unary("tanh")


@cache
def choice(sympy: Any) -> Any:
    """Return the function of SymPy that is `above` where `switch` is positive, else `below`.

    SymPy's own ``Piecewise`` folds nested pieces into one list of conditions, whose length doubles
    with each piece; a choice stays as it was written.

    Parameters
    ----------
    sympy : module
        It is given, and not imported, as it need not be installed.
    """

    class Choice(sympy.Function):
        __module__ = "sympy"  # functions of a model find their namespace by it
        nargs = 3

        @classmethod
        def eval(cls, switch, above, below):
            if above == below:
                return above
            if switch.is_number and switch.is_comparable:
                return above if switch > 0 else below
            return None

        def fdiff(self, argindex=1):
            switch = self.args[0]
            values = {1: (0, 0), 2: (1, 0), 3: (0, 1)}[argindex]
            return Choice(switch, *map(sympy.Integer, values))

        def _latex(self, printer, exp=None):
            switch, above, below = map(printer._print, self.args)
            pieces = rf"\begin{{cases}} {above} & \text{{for}}\: {switch} > 0 \\ "
            pieces += rf"{below} & \text{{otherwise}} \end{{cases}}"
            return pieces if exp is None else rf"\left({pieces}\right)^{{{exp}}}"

        def _numpycode(self, printer):
            switch, above, below = map(printer._print, self.args)
            return f"{printer._module_format('numpy.where')}({switch} > 0, {above}, {below})"

        def _sympystr(self, printer):
            switch, above, below = map(printer._print, self.args)
            return f"({above} if {switch} > 0 else {below})"

    return Choice
