"""The curves of transformations: a class each, with inverse, derivative and domain.

Each is a rising function, written once for NumPy arrays and PyTensor variables. Without an offset
it is applied to discharge as it is.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from pymc_hydro.losses.mathematics import mathematics

__all__ = ["OFFSET", "POWER", "AbstractTransform", "BoxCox", "Identity", "LogSinh", "Power"]

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
