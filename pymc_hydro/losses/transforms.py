"""Transformations of flow, for any loss: what weight low flows get beside high ones."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

__all__ = ["TRANSFORMS", "Transform", "box_cox", "refuse_negative", "select_transform"]

OFFSET = 0.01  # of the observed mean, Pushpalatha et al. (2012)


@dataclass(frozen=True)
class Transform:
    """A rising function of flow, applied to observed and simulated flow alike.

    Attributes
    ----------
    kind : {"none", "log", "sqrt", "box_cox", "inverse"}
        ``q``, ``ln(q + e)``, ``sqrt(q + e)``, ``((q + e)^p - 1) / p`` or ``-1 / (q + e)``; the last
        with a minus, so that it rises with flow.
    power : float
        The p of Box and Cox.
    offset : float, optional
        The e, in mm/d. Where not given, zero for the square root and one hundredth of the observed
        mean for all others, as Pushpalatha et al. advise for zero flow.

    Notes
    -----
    A flow that the function does not take (zero with an offset of zero, or negative) is an error
    in an array, and NaN in a graph. The square root of zero is zero, with a derivative of zero.

    References
    ----------
    Pushpalatha, R., et al. (2012). J. Hydrol. 420-421, 171-182. doi:10.1016/j.jhydrol.2011.11.055

    Santos, L., Thirel, G., Perrin, C. (2018). Hydrol. Earth Syst. Sci. 22, 4583-4591, on why KGE
    of logarithms depends on the unit of flow. doi:10.5194/hess-22-4583-2018
    """

    kind: str = "none"
    power: float = 0.25
    offset: float | None = None

    def __post_init__(self):
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise KeyError(f"transform: unknown {self.kind!r}; known are {', '.join(KINDS)}")
        if not isinstance(self.power, Real) or not np.isfinite(self.power):
            raise ValueError(f"transform: the power must be a number, found {self.power!r}")
        if self.kind == "box_cox" and self.power == 0:
            raise ValueError("transform: Box-Cox with power 0 is the logarithm; use 'log'")
        offset = self.offset
        if offset is not None and not (isinstance(offset, Real) and 0 <= offset < np.inf):
            raise ValueError(f"transform: the offset must be >= 0 mm/d, found {offset!r}")

    def offset_for(self, name: str, observed):
        """Return the offset for a series of observations without gaps, in mm/d."""
        if self.offset is not None or self.kind in ("none", "sqrt"):
            return self.offset or 0.0
        if not isinstance(observed, Variable):
            refuse_negative(name, observed)
        offset = OFFSET * observed.mean()
        if not isinstance(observed, Variable) and offset == 0:
            raise ValueError(
                f"{name}: all observed flows are zero, so that the offset of {self.kind!r} cannot "
                "be found from their mean; give Transform(..., offset=...)"
            )
        return offset

    def __call__(self, name: str, flow, offset):
        """Return the transformed flow, array or variable as `flow` is."""
        if self.kind == "none":
            return flow
        x = flow + offset
        if not isinstance(x, Variable):
            self._check(name, np.asarray(x), offset)
            return KINDS[self.kind](np, x, self.power)
        allowed = pt.ge(x, 0) if self.kind == "sqrt" else pt.gt(x, 0)
        inside = pt.switch(pt.gt(x, 0), x, 1.0)
        value = pt.switch(pt.gt(x, 0), KINDS[self.kind](pt, inside, self.power), 0.0)
        return pt.switch(allowed, value, np.nan)

    def _check(self, name, x, offset):
        bad = (x < 0) | ((x == 0) & (self.kind != "sqrt"))
        if bad.any():
            at = int(bad.argmax())
            raise ValueError(
                f"{name}: flow {x[at] - offset:g} at position {at} (among the observed intervals) "
                f"plus the offset {offset:g} has no {self.kind} transform ({int(bad.sum())} such "
                "values); write negative codes as NaN, or give Transform(..., offset=...)"
            )


def refuse_negative(name: str, observed) -> None:
    """Raise ValueError if a flow of an array is negative."""
    negative = observed < 0
    if negative.any():
        at = int(negative.argmax())
        raise ValueError(
            f"{name}: observed flow is negative in {int(negative.sum())} intervals, first "
            f"{observed[at]:g} at position {at} (among the observed intervals); write codes such "
            "as -999 as NaN"
        )


KINDS = {
    "none": lambda xp, x, power: x,
    "log": lambda xp, x, power: xp.log(x),
    "sqrt": lambda xp, x, power: xp.sqrt(x),
    "box_cox": lambda xp, x, power: (x**power - 1) / power,
    "inverse": lambda xp, x, power: -1 / x,
}
TRANSFORMS = tuple(kind for kind in KINDS if kind != "none")


def box_cox(power: float = 0.25, offset: float | None = None) -> Transform:
    """Return the transformation of Box and Cox with this power."""
    return Transform("box_cox", power, offset)


def select_transform(transform: str | Transform | None) -> Transform:
    """Return a transform by its name or as it is; None leaves flow as it is."""
    if isinstance(transform, Transform):
        return transform
    return Transform("none" if transform is None else transform)
