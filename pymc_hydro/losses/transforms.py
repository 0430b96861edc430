"""Transformations of discharge, for losses and likelihoods: the weight of low flows beside high.

:mod:`pymc_hydro.losses.curves` has the transformations. Losses have one rule more
(:func:`with_offset`): where no offset is given, they add a hundredth of the observed mean.
"""

from dataclasses import fields, replace
from typing import Any, TypeAlias

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from pymc_hydro.losses.curves import (
    OFFSET,
    POWER,
    AbstractTransform,
    BoxCox,
    Identity,
    LogSinh,
    Power,
)

__all__ = [
    "TRANSFORMS",
    "Transform",
    "as_transform",
    "box_cox",
    "refuse_negative",
    "select_transform",
    "transformed",
    "variables_of",
    "with_offset",
]

Transformation: TypeAlias = str | AbstractTransform | None
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
