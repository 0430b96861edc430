"""Numbers of several runs in one register: a type for Numba, its arithmetic and mathematics.

A value of the type has one number for each of `LANES` runs. An operation does the same in every
lane, so the numbers of one lane do not depend on those of the others. The mathematics has no
branches: polynomials of fdlibm (Sun Microsystems, 1993) and of the exponential's Taylor series,
within a few units of the last digit.
"""

import math
import operator
import struct
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from pymc_hydro.engine.lanes.kernel import LANES

__all__ = ["FUNCTIONS"]

DOUBLE, WHOLE = ir.VectorType(ir.DoubleType(), LANES), ir.VectorType(ir.IntType(64), LANES)
LARGEST_EXPONENT, SMALLEST_EXPONENT = 709.0, -708.0  # exp is held within them: no inf, no zero
TAYLOR = 13  # degree of exp on [-ln 2 / 2, ln 2 / 2]: the first term left out is 4e-18
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# log(1 + f) = f - f^2 / 2 + s (f^2 / 2 + R(s^2)), s = f / (2 + f), on [sqrt(1/2), sqrt(2)].
LOG_TERMS = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
TINY = 2.0**-1022  # the smallest normal number
ROUNDER = 1.5 * 2.0**52  # added to a number, it leaves the nearest whole number in the last bits


class Lanes(types.Type):
    """The type of a number in each lane."""

    def __init__(self):
        super().__init__(name="Lanes")


TYPE = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """A vector register."""

    def __init__(self, manager, kind):
        super().__init__(manager, kind, DOUBLE)


# ---- arithmetic -------------------------------------------------------------------------------


def _constant(value):
    return ir.Constant(DOUBLE, [float(value)] * LANES)


def _whole(value):
    return ir.Constant(WHOLE, [int(value)] * LANES)


def _bits(value):
    return struct.unpack("<q", struct.pack("<d", value))[0]


def _spread(builder, value):
    """Return a number in all lanes."""
    if value.type == DOUBLE:
        return value
    one = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    first = builder.insert_element(
        ir.Constant(DOUBLE, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    return builder.shuffle_vector(first, ir.Constant(DOUBLE, ir.Undefined), one)


def _define_operators():
    kinds = {operator.add: "fadd", operator.sub: "fsub"}
    kinds |= {operator.mul: "fmul", operator.truediv: "fdiv", operator.iadd: "fadd"}
    pairs = ((TYPE, TYPE), (TYPE, types.float64), (types.float64, TYPE))
    for function, name in kinds.items():
        cases = [signature(TYPE, *pair) for pair in pairs]
        infer_global(function)(
            type(f"Lanes_{function.__name__}", (ConcreteTemplate,), {"cases": cases})
        )
        for pair in pairs:
            lower_builtin(function, *pair)(_binary(name))
    cases = [signature(TYPE, TYPE)]
    infer_global(operator.neg)(type("Lanes_neg", (ConcreteTemplate,), {"cases": cases}))
    lower_builtin(operator.neg, TYPE)(lambda context, builder, sig, args: builder.fneg(args[0]))


def _binary(name):
    def lower(context, builder, sig, args):
        return getattr(builder, name)(*(_spread(builder, a) for a in args))

    return lower


_define_operators()


# ---- mathematics, as instructions --------------------------------------------------------------


def _call(b, name, *args):
    kind = ir.FunctionType(DOUBLE, [DOUBLE] * len(args))
    suffix = f"v{LANES}f64"
    return b.call(b.module.declare_intrinsic(f"llvm.{name}.{suffix}", (), kind), args)


def _horner(b, x, terms):
    total = _constant(terms[-1])
    for term in reversed(terms[:-1]):
        total = b.fadd(b.fmul(total, x), _constant(term))
    return total


def _exp(b, x):
    for sign, limit in ((">", LARGEST_EXPONENT), ("<", SMALLEST_EXPONENT)):
        beyond = b.fcmp_ordered(sign, x, _constant(limit))
        x = b.select(beyond, _constant(limit), x)
    shifted = b.fadd(b.fmul(x, _constant(1 / math.log(2))), _constant(ROUNDER))
    n = b.fsub(shifted, _constant(ROUNDER))
    r = b.fsub(x, b.fmul(n, _constant(LN2_HIGH)))
    r = b.fsub(r, b.fmul(n, _constant(LN2_LOW)))
    series = _horner(b, r, [1 / math.factorial(k) for k in range(TAYLOR + 1)])
    power = b.shl(b.bitcast(shifted, WHOLE), _whole(52))
    return b.bitcast(b.add(b.bitcast(series, WHOLE), power), DOUBLE)


def _log(b, x):
    small = b.fcmp_ordered("<", x, _constant(TINY))
    scaled = b.select(small, b.fmul(x, _constant(2.0**54)), x)
    bits = b.bitcast(scaled, WHOLE)
    power = b.ashr(b.sub(bits, _whole(_bits(math.sqrt(0.5)))), _whole(52))
    f = b.fsub(b.bitcast(b.sub(bits, b.shl(power, _whole(52))), DOUBLE), _constant(1))
    # The exponent as a number: in the last bits of one that is large enough.
    n = b.fsub(b.bitcast(b.add(power, _whole(_bits(ROUNDER))), DOUBLE), _constant(ROUNDER))
    n = b.fsub(n, b.select(small, _constant(54), _constant(0)))
    s = b.fdiv(f, b.fadd(f, _constant(2)))
    z = b.fmul(s, s)
    half = b.fmul(b.fmul(f, f), _constant(0.5))
    rest = b.fadd(half, b.fmul(z, _horner(b, z, LOG_TERMS)))
    low = b.fadd(b.fmul(s, rest), b.fmul(n, _constant(LN2_LOW)))
    found = b.fadd(b.fmul(n, _constant(LN2_HIGH)), b.fsub(f, b.fsub(half, low)))
    finite = b.fcmp_ordered("<", x, _constant(math.inf))
    positive = b.fcmp_ordered(">", x, _constant(0))
    found = b.select(finite, found, x)
    zero = b.fcmp_ordered("==", x, _constant(0))
    return b.select(positive, found, b.select(zero, _constant(-math.inf), _constant(math.nan)))


def _log1p(b, x):
    """Return log(u) x / (u - 1) with u = 1 + x, in which the rounding of u cancels."""
    u = b.fadd(x, _constant(1))
    d = b.fsub(u, _constant(1))
    none = b.fcmp_ordered("==", d, _constant(0))
    ratio = b.fdiv(x, b.select(none, _constant(1), d))
    ratio = b.select(b.fcmp_ordered("==", d, _constant(math.inf)), _constant(1), ratio)
    return b.select(none, x, b.fmul(_log(b, u), ratio))


def _expm1(b, x):
    """Return (u - 1) x / log(u) with u = exp(x), in which the rounding of u cancels."""
    u = _exp(b, x)
    d = b.fsub(u, _constant(1))
    none = b.fcmp_ordered("==", d, _constant(0))
    logarithm = _log(b, b.select(none, _constant(2), u))
    far = b.fcmp_ordered(">", _call(b, "fabs", x), _constant(1))
    near = b.select(none, x, b.fmul(d, b.fdiv(x, logarithm)))
    return b.select(far, d, near)


def _tanh(b, x):
    t = _expm1(b, b.fmul(_call(b, "fabs", x), _constant(-2)))
    size = b.fdiv(b.fneg(t), b.fadd(t, _constant(2)))
    return _call(b, "copysign", size, x)


def _where(b, condition, yes, no):
    return b.select(b.fcmp_ordered(">", condition, _constant(0)), yes, no)


def _extreme(sign):
    def choose(b, x, y):
        """Return the second one where it is beyond the first one; NaN of the first one stays."""
        return b.select(b.fcmp_ordered(sign, y, x), y, x)

    return choose


INSTRUCTIONS = {
    "exp": (1, _exp),
    "log": (1, _log),
    "log1p": (1, _log1p),
    "expm1": (1, _expm1),
    "tanh": (1, _tanh),
    "sqrt": (1, lambda b, x: _call(b, "sqrt", x)),
    "abs": (1, lambda b, x: _call(b, "fabs", x)),
    "sin": (1, lambda b, x: _call(b, "sin", x)),
    "cos": (1, lambda b, x: _call(b, "cos", x)),
    "max": (2, _extreme(">")),
    "min": (2, _extreme("<")),
    "where": (3, _where),
}


def _define(name, count, build):
    def codegen(context, builder, sig, args):
        return build(builder, *(_spread(builder, a) for a in args))

    def check(*arguments):
        return signature(TYPE, *arguments), codegen

    # Numba reads the number of arguments from the function.
    names = ", ".join(f"a{i}" for i in range(count))
    space = {"check": check}
    exec(f"def {name}(context, {names}):\n    return check({names})", space)
    return intrinsic(space[name])


# ---- arrays ------------------------------------------------------------------------------------


def _place(context, builder, kind, array, row):
    """Return the address of a row of an array of shape (n, LANES)."""
    data = context.make_array(kind)(context, builder, array).data
    first = builder.gep(data, [builder.mul(row, row.type(LANES))])
    return builder.bitcast(first, DOUBLE.as_pointer())


@intrinsic
def _load(context, array, row):
    """Return a row of an array of shape (n, LANES)."""

    def codegen(context, builder, sig, args):
        place = _place(context, builder, sig.args[0], *args)
        return builder.load(place, align=8)

    return signature(TYPE, array, types.intp), codegen


@intrinsic
def _store(context, array, row, value):
    """Write a row of an array of shape (n, LANES)."""

    def codegen(context, builder, sig, args):
        place = _place(context, builder, sig.args[0], *args[:2])
        builder.store(_spread(builder, args[2]), place, align=8)
        return context.get_dummy_value()

    return signature(types.void, array, types.intp, value), codegen


FUNCTIONS: dict[str, Any] = {
    **{name: _define(name, *how) for name, how in INSTRUCTIONS.items()},
    "load": _load,
    "store": _store,
}
