"""Transformations of flow under which residuals have about the same scale everywhere."""

from dataclasses import dataclass, fields

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

__all__ = ["AbstractTransform", "BoxCox", "Identity", "LogSinh", "as_transform", "variables_of"]


class AbstractTransform:
    """A rising function of flow: `forward`, its `inverse`, and the `log_derivative` of forward."""

    def at_zero(self):
        """Return transformed zero flow."""
        return self.forward(pt.as_tensor_variable(0.0, dtype="float64"))


@dataclass(frozen=True)
class Identity(AbstractTransform):
    """No transformation."""

    def forward(self, y):
        return y

    def inverse(self, z):
        return z

    def log_derivative(self, y):
        return pt.zeros_like(y)


@dataclass(frozen=True)
class BoxCox(AbstractTransform):
    r"""Power transformation :math:`((y + K)^\lambda - 1) / \lambda`, the logarithm for zero power.

    Parameters
    ----------
    power : float
        :math:`\lambda \ge 0`; 1/2 for square roots, 0 for logarithms.
    offset : float
        K in mm/d; needed where flow may be zero.

    References
    ----------
    Box, G. E. P., Cox, D. R. (1964). J. R. Stat. Soc. B 26, 211-252.
    """

    power: float = 0.2
    offset: float = 0.0

    def __post_init__(self):
        if isinstance(self.power, (int, float)) and self.power < 0:
            raise ValueError(f"BoxCox: power must not be negative, found {self.power}")

    @property
    def _is_logarithm(self):
        return isinstance(self.power, (int, float)) and self.power == 0

    def forward(self, y):
        logarithm = pt.log(y + self.offset)
        if self._is_logarithm:
            return logarithm
        return pt.expm1(self.power * logarithm) / self.power

    def at_zero(self):
        if self._is_logarithm or isinstance(self.offset, Variable) or self.offset != 0:
            return super().at_zero()
        return pt.as_tensor_variable(-1 / self.power)  # by which it can be derived

    def inverse(self, z):
        # Flow's lower end where z is below the range of the transformation.
        if self._is_logarithm:
            return pt.exp(z) - self.offset
        return pt.maximum(1 + self.power * z, 0.0) ** (1 / self.power) - self.offset

    def log_derivative(self, y):
        return (self.power - 1) * pt.log(y + self.offset)


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

    a: float = 0.1
    b: float = 0.2

    def __post_init__(self):
        for name in ("a", "b"):
            value = getattr(self, name)
            if isinstance(value, (int, float)) and value <= 0:
                raise ValueError(f"LogSinh: {name} must be greater than 0, found {value}")

    def forward(self, y):
        w = self.a + self.b * y
        return (w + pt.log(-pt.expm1(-2 * w)) - np.log(2)) / self.b

    def inverse(self, z):
        w = self.b * z
        # arcsinh(exp(w)) without overflow of the exponential.
        low, high = pt.minimum(w, 0.0), pt.maximum(w, 0.0)
        large = high + pt.log1p(pt.sqrt(1 + pt.exp(-2 * high)))
        return (pt.switch(w < 0, pt.arcsinh(pt.exp(low)), large) - self.a) / self.b

    def log_derivative(self, y):
        return -pt.log(pt.tanh(self.a + self.b * y))


NAMED = {
    "log": BoxCox(0.0),
    "sqrt": BoxCox(0.5),
    "box_cox": BoxCox(),
    "log_sinh": LogSinh(),
}


def as_transform(name, transform):
    """Return a transformation from its name or itself.

    Raises
    ------
    ValueError
        If there is no transformation of that name.
    """
    if transform is None:
        return Identity()
    if isinstance(transform, AbstractTransform):
        return transform
    if transform not in NAMED:
        raise ValueError(
            f"{name}: transform must be one of {', '.join(NAMED)}, or BoxCox(power, offset) or "
            f"LogSinh(a, b), found {transform!r}"
        )
    return NAMED[transform]


def variables_of(transform) -> dict:
    """Return the parameters of a transformation that are variables, by name."""
    parameters = {f.name: getattr(transform, f.name) for f in fields(transform)}
    return {k: v for k, v in parameters.items() if isinstance(v, Variable)}
