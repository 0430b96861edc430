"""Transformations of discharge, for losses and likelihoods: the weight of low flows beside high.

Each transformation is a rising function, written once for NumPy arrays and PyTensor variables.
Without an offset it is applied to discharge as it is. Losses have one rule more
(:func:`with_offset`): where no offset is given, they add a hundredth of the observed mean.
"""

from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from pymc_hydro.losses.mathematics import mathematics

__all__ = [
    "TRANSFORMS",
    "AbstractTransform",
    "BoxCox",
    "Identity",
    "LogSinh",
    "Power",
    "Transform",
    "as_transform",
    "box_cox",
    "refuse_negative",
    "select_transform",
    "transformed",
    "variables_of",
    "with_offset",
]

OFFSET = 0.01  # of the observed mean, Pushpalatha et al. (2012)
POWER = 0.2  # of Box and Cox


def _number(parameter: Any) -> Any:
    """Return a parameter, a number or a variable; zero if it is not given."""
    return 0.0 if parameter is None else parameter


def _check_number(what: str, value: Any) -> None:
    if not isinstance(value, Variable) and not (
        isinstance(value, Real) and np.isfinite(float(value))
    ):
        raise ValueError(f"{what} must be a number, found {value!r}")


def _check_offset(what: str, offset: Any) -> None:
    if offset is None or isinstance(offset, Variable):
        return
    if not (isinstance(offset, Real) and 0 <= float(offset) < np.inf):
        raise ValueError(f"{what}: the offset must be >= 0 mm/d, found {offset!r}")


@dataclass(frozen=True)
class AbstractTransform:
    """A rising function of discharge.

    A subclass is a frozen dataclass with `forward`, its `inverse`, the `log_derivative` of
    `forward`, and `defined`, which tells where `forward` has a value.
    """

    @property
    def name(self) -> str:
        """Name by which options know it."""
        return "none"

    def forward(self, y: Any) -> Any:
        raise NotImplementedError

    def inverse(self, z: Any) -> Any:
        raise NotImplementedError

    def log_derivative(self, y: Any) -> Any:
        raise NotImplementedError

    def defined(self, y: Any) -> Any:
        raise NotImplementedError

    def at_zero(self) -> Any:
        """Return transformed zero flow, as a variable."""
        return self.forward(pt.as_tensor_variable(0.0, dtype="float64"))


Transformation: TypeAlias = str | AbstractTransform | None


@dataclass(frozen=True)
class Identity(AbstractTransform):
    """No transformation."""

    def forward(self, y: Any) -> Any:
        return y

    def inverse(self, z: Any) -> Any:
        return z

    def log_derivative(self, y: Any) -> Any:
        return mathematics(y).zeros_like(y)

    def defined(self, y: Any) -> Any:
        return mathematics(y).ones_like(y, dtype="bool")


@dataclass(frozen=True)
class BoxCox(AbstractTransform):
    r"""Transformation :math:`((y + K)^\lambda - 1) / \lambda`, the logarithm for zero power.

    Parameters
    ----------
    power : float
        :math:`\lambda \ge 0`; 0 for logarithms.
    offset : float, optional
        K in mm/d; needed where flow may be zero. Zero where not given; a loss then takes a
        hundredth of the observed mean.

    References
    ----------
    Box, G. E. P., Cox, D. R. (1964). J. R. Stat. Soc. B 26, 211-252.
    """

    power: float | Variable = POWER
    offset: float | Variable | None = None

    def __post_init__(self) -> None:
        _check_number("BoxCox: the power", self.power)
        if isinstance(self.power, Real) and self.power < 0:
            raise ValueError(
                f"BoxCox: power must not be negative, found {self.power}; see Power({self.power})"
            )
        _check_offset("BoxCox", self.offset)

    @property
    def name(self) -> str:
        """Name by which options know it."""
        return "log" if self._is_logarithm else "box_cox"

    @property
    def _is_logarithm(self) -> bool:
        return isinstance(self.power, Real) and self.power == 0

    def forward(self, y: Any) -> Any:
        x, power = y + _number(self.offset), _number(self.power)
        xp = mathematics(x, power)
        if self._is_logarithm:
            return xp.log(x)
        return xp.expm1(power * xp.log(x)) / power

    def at_zero(self) -> Any:
        if self._is_logarithm or isinstance(self.offset, Variable) or self.offset:
            return super().at_zero()
        return pt.as_tensor_variable(-1 / _number(self.power))  # by which it can be derived

    def inverse(self, z: Any) -> Any:
        # Flow's lower end where z is below the range of the transformation.
        offset, power = _number(self.offset), _number(self.power)
        xp = mathematics(z, power)
        if self._is_logarithm:
            return xp.exp(z) - offset
        return xp.maximum(1 + power * z, 0.0) ** (1 / power) - offset

    def log_derivative(self, y: Any) -> Any:
        x = y + _number(self.offset)
        return (_number(self.power) - 1) * mathematics(x).log(x)

    def defined(self, y: Any) -> Any:
        return y + _number(self.offset) > 0


@dataclass(frozen=True)
class Power(AbstractTransform):
    r"""Transformation :math:`(y + K)^p`, with a minus where p is negative: it rises with flow.

    Parameters
    ----------
    power : float
        p, not zero; 1/2 for square roots, -1 for the inverse of flow.
    offset : float, optional
        K in mm/d, zero where not given; a loss then takes a hundredth of the observed mean if p is
        negative.

    Notes
    -----
    Of zero flow with p > 0 the derivative is taken as zero, not as infinite.
    """

    power: float = 0.5
    offset: float | Variable | None = None

    def __post_init__(self) -> None:
        _check_number("Power: the power", self.power)
        if isinstance(self.power, Variable) or self.power == 0:
            raise ValueError(
                f"Power: the power must be a number other than 0, found {self.power}; logarithms "
                "are BoxCox(0), a random power is one of BoxCox"
            )
        _check_offset("Power", self.offset)

    @property
    def name(self) -> str:
        """Name by which options know it."""
        return {0.5: "sqrt", -1.0: "inverse"}.get(self.power, "power")

    @property
    def _sign(self) -> float:
        return 1.0 if self.power > 0 else -1.0

    def forward(self, y: Any) -> Any:
        x = y + _number(self.offset)
        if self.power < 0:
            return -(x**self.power)
        xp = mathematics(x)
        zero = abs(x) <= 0
        return xp.where(zero, 0.0, xp.where(zero, 1.0, x) ** self.power)

    def inverse(self, z: Any) -> Any:
        # The nearest end of flow where z is beyond the range of the transformation.
        positive = mathematics(z).maximum(self._sign * z, 0.0)
        return positive ** (1 / self.power) - _number(self.offset)

    def log_derivative(self, y: Any) -> Any:
        x = y + _number(self.offset)
        return np.log(abs(self.power)) + (self.power - 1) * mathematics(x).log(x)

    def defined(self, y: Any) -> Any:
        x = y + _number(self.offset)
        return x >= 0 if self.power > 0 else x > 0


@dataclass(frozen=True)
class LogSinh(AbstractTransform):
    r"""Transformation :math:`\log(\sinh(a + b y)) / b`: logarithmic for small, linear for large y.

    Parameters
    ----------
    a : float
        Greater than 0, in 1.
    b : float
        Greater than 0, in d/mm; the change of behaviour is at a flow of about ``(1 - a) / b``.

    References
    ----------
    Wang, Q. J., et al. (2012). Water Resour. Res. 48, W05514. doi:10.1029/2011WR010973
    """

    a: float | Variable = 0.1
    b: float | Variable = 0.2

    def __post_init__(self) -> None:
        for name in ("a", "b"):
            value = getattr(self, name)
            _check_number(f"LogSinh: {name}", value)
            if isinstance(value, Real) and value <= 0:
                raise ValueError(f"LogSinh: {name} must be greater than 0, found {value}")

    @property
    def name(self) -> str:
        """Name by which options know it."""
        return "log_sinh"

    def forward(self, y: Any) -> Any:
        w = self.a + self.b * y
        xp = mathematics(w)
        return (w + xp.log(-xp.expm1(-2 * w)) - np.log(2)) / self.b

    def inverse(self, z: Any) -> Any:
        w = self.b * z
        xp = mathematics(w, self.a)
        # arcsinh(exp(w)) without overflow of the exponential.
        low, high = xp.minimum(w, 0.0), xp.maximum(w, 0.0)
        large = high + xp.log1p(xp.sqrt(1 + xp.exp(-2 * high)))
        return (xp.where(w < 0, xp.arcsinh(xp.exp(low)), large) - self.a) / self.b

    def log_derivative(self, y: Any) -> Any:
        w = self.a + self.b * y
        xp = mathematics(w)
        return -xp.log(xp.tanh(w))

    def defined(self, y: Any) -> Any:
        return self.a + self.b * y > 0


NAMED: dict[str, AbstractTransform] = {
    "none": Identity(),
    "log": BoxCox(0.0),
    "sqrt": Power(0.5),
    "box_cox": BoxCox(),
    "log_sinh": LogSinh(),
    "inverse": Power(-1.0),
}
TRANSFORMS = tuple(name for name in NAMED if name != "none")
# As errors are transformed: the square root in the form of Box and Cox, which is the same density
# with scales twice as large; no inverse, beyond whose largest value there is no flow.
OF_ERRORS = {name: NAMED[name] for name in ("log", "sqrt", "box_cox", "log_sinh")}
OF_ERRORS["sqrt"] = BoxCox(0.5)


def Transform(
    kind: str = "none", power: float | None = None, offset: float | None = None
) -> AbstractTransform:
    """Return the transformation of a loss by its name, with another power or offset.

    Parameters
    ----------
    kind : {"none", "log", "sqrt", "box_cox", "log_sinh", "inverse"}
        ``q``, ``ln(q + e)``, ``sqrt(q + e)``, ``((q + e)^p - 1) / p``,
        ``ln(sinh(a + b q)) / b`` or ``-1 / (q + e)``, the last with a minus so that it rises with
        flow.
    power : float, optional
        The p of Box and Cox, 0.2 where not given.
    offset : float, optional
        The e, in mm/d. Where not given, zero for the square root and a hundredth of the observed
        mean for all others, as Pushpalatha et al. advise for zero flow.

    Raises
    ------
    KeyError, ValueError
        If the name is unknown, or the transformation has no such power or offset.

    Notes
    -----
    Flow at which the transformation has no value (zero with an offset of zero, or negative) is an
    error in an array, and NaN in a graph. The square root of zero is zero, with a derivative of
    zero.

    References
    ----------
    Pushpalatha, R., et al. (2012). J. Hydrol. 420-421, 171-182. doi:10.1016/j.jhydrol.2011.11.055

    Santos, L., Thirel, G., Perrin, C. (2018). Hydrol. Earth Syst. Sci. 22, 4583-4591, on why KGE
    of logarithms depends on the unit of flow. doi:10.5194/hess-22-4583-2018
    """
    transform = select_transform(kind)
    if power is not None:
        if kind != "box_cox":
            raise ValueError(f"transform: {kind!r} has no power; only 'box_cox' has")
        transform = BoxCox(power)
    if offset is None:
        return transform
    if not hasattr(transform, "offset"):
        raise ValueError(f"transform: {kind!r} has no offset")
    values: dict[str, Any] = {"offset": offset}
    return replace(transform, **values)


def box_cox(power: float = POWER, offset: float | None = None) -> BoxCox:
    """Return the transformation of Box and Cox with this power."""
    return BoxCox(power, offset)


def select_transform(transform: Transformation) -> AbstractTransform:
    """Return the transformation of a loss, by its name or as it is; None leaves flow as it is.

    Raises
    ------
    KeyError
        If there is no transformation of that name.
    """
    if isinstance(transform, AbstractTransform):
        return transform
    name = "none" if transform is None else transform
    if not isinstance(name, str) or name not in NAMED:
        raise KeyError(f"transform: unknown {name!r}; known are {', '.join(NAMED)}")
    return NAMED[name]


def with_offset(name: str, transform: AbstractTransform, observed: Any) -> AbstractTransform:
    """Return a transformation with the offset that a loss adds where none is given.

    A hundredth of the observed mean; nothing if the transformation has no offset, or is a square
    root or another positive power.

    Parameters
    ----------
    name : str
        Of the loss, for error messages.
    transform : AbstractTransform
    observed : array or TensorVariable, shape (n_observation,)
        Observed flow without gaps.

    Raises
    ------
    ValueError
        If a flow is negative, or all are zero.
    """
    root = isinstance(transform, Power) and transform.power > 0
    if root or not isinstance(transform, BoxCox | Power) or transform.offset is not None:
        return transform
    offset = OFFSET * observed.mean()
    if not isinstance(observed, Variable):
        refuse_negative(name, observed)
        if offset == 0:
            raise ValueError(
                f"{name}: all observed flows are zero, so that the offset of {transform.name!r} "
                "cannot be found from their mean; give Transform(..., offset=...)"
            )
    return replace(transform, offset=offset)


def transformed(name: str, transform: AbstractTransform, flow: Any) -> Any:
    """Return transformed flow for a loss: an array or a variable, as `flow` is.

    Raises
    ------
    ValueError
        If the transformation has no value at a flow of an array; in a graph that flow is NaN.
    """
    if isinstance(transform, Identity):
        return flow
    defined = transform.defined(flow)
    if isinstance(defined, Variable):
        value = transform.forward(pt.switch(defined, flow, 1.0))
        return pt.switch(defined, value, np.nan)
    bad = ~defined & ~np.isnan(flow)  # a simulation that failed is NaN, and its loss too
    if bad.any():
        at = int(bad.argmax())
        offset = getattr(transform, "offset", None)
        plus = "" if offset is None else f"plus the offset {offset:g} "
        raise ValueError(
            f"{name}: flow {flow[at]:g} at position {at} (among the observed intervals) {plus}has "
            f"no {transform.name} transform ({int(bad.sum())} such values); write negative "
            "codes as NaN, or give Transform(..., offset=...)"
        )
    return transform.forward(flow)


def refuse_negative(name: str, observed: np.ndarray) -> None:
    """Raise ValueError if a flow of an array is negative."""
    negative = observed < 0
    if negative.any():
        at = int(negative.argmax())
        raise ValueError(
            f"{name}: observed flow is negative in {int(negative.sum())} intervals, first "
            f"{observed[at]:g} at position {at} (among the observed intervals); write codes such "
            "as -999 as NaN"
        )


def as_transform(name: str, transform: Transformation) -> AbstractTransform:
    """Return the transformation of a likelihood, by its name or as it is.

    Raises
    ------
    ValueError
        If there is no transformation of that name.
    """
    if transform is None:
        return Identity()
    if isinstance(transform, AbstractTransform):
        return transform
    if not isinstance(transform, str) or transform not in OF_ERRORS:
        raise ValueError(
            f"{name}: transform must be one of {', '.join(OF_ERRORS)}, or BoxCox(power, offset) or "
            f"LogSinh(a, b), found {transform!r}"
        )
    return OF_ERRORS[transform]


def variables_of(transform: Any) -> dict[str, Variable]:
    """Return the parameters of a transformation that are variables, by name."""
    parameters = {f.name: getattr(transform, f.name) for f in fields(transform)}
    return {k: v for k, v in parameters.items() if isinstance(v, Variable)}
