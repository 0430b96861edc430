"""The parts of a model: parameters, stores, flows and outputs."""

import keyword
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pymc_hydro.core.base.units import check_unit

__all__ = ["Filled", "Flow", "Held", "Output", "Parameter", "Store"]


def _check_name(kind: str, name: str) -> None:
    if not (isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)):
        raise ValueError(f"{kind}: name {name!r} must be a Python identifier, such as 'K_f'")


@dataclass(frozen=True)
class Parameter:
    """A parameter to be estimated.

    Parameters
    ----------
    name : str
        The paper's symbol in ASCII.
    lower, upper : float
        Bounds, in `unit`; rates are per day.
    unit : str
        One of :data:`pymc_hydro.core.base.units.DECLARED_UNITS`.
    description : str
        Its meaning in a few words.
    default : float, optional
        A sensible value; the middle of the bounds if not given.
    domain : (float, float), optional
        The values for which the equations mean anything, the ends included; a run outside is NaN
        in a graph and an error elsewhere. Not given: a parameter whose lower bound is not negative
        is not negative, and a share (unit "1", bounds within 0 and 1) is not above 1.
    prior : (float, float), optional
        Bounds of the priors of ``ph.priors``, where they differ from the bounds of searches.

    Raises
    ------
    ValueError
        If the name, the bounds, the default, the domain, the prior or the unit make no sense.
    """

    name: str
    lower: float
    upper: float
    unit: str
    description: str
    default: float | None = None
    domain: tuple[float, float] | None = None
    prior: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        _check_name("Parameter", self.name)
        check_unit(f"Parameter {self.name!r}", self.unit)
        bounds = (self.lower, self.upper)
        if not (all(math.isfinite(b) for b in bounds) and self.lower < self.upper):
            raise ValueError(
                f"Parameter {self.name!r}: bounds must be finite with lower < upper, found "
                f"[{self.lower}, {self.upper}]; swap or correct them"
            )
        default = (self.lower + self.upper) / 2 if self.default is None else self.default
        object.__setattr__(self, "default", default)
        if not self.lower <= default <= self.upper:
            raise ValueError(
                f"Parameter {self.name!r}: default {default} lies outside its bounds "
                f"[{self.lower}, {self.upper}]"
            )
        if self.domain is None:
            low = 0.0 if self.lower >= 0 else -math.inf
            high = 1.0 if self.unit == "1" and 0 <= self.lower and self.upper <= 1 else math.inf
            object.__setattr__(self, "domain", (low, high))
        low, high = self.limits
        if not (low <= self.lower and self.upper <= high):
            raise ValueError(
                f"Parameter {self.name!r}: the domain [{low}, {high}] must hold the bounds "
                f"[{self.lower}, {self.upper}]"
            )
        below, above = self.prior or bounds
        if not low <= below <= default <= above <= high:
            raise ValueError(
                f"Parameter {self.name!r}: the bounds of its prior [{below}, {above}] must hold "
                f"the default {default} and lie in the domain [{low}, {high}]"
            )

    @property
    def limits(self) -> tuple[float, float]:
        """The domain, given or derived."""
        low, high = self.domain or (-math.inf, math.inf)
        return float(low), float(high)

    @property
    def scale(self) -> float | None:
        """Size of the parameter where its own value says nothing (bounds that contain zero)."""
        return (self.upper - self.lower) / 2 if self.lower <= 0 <= self.upper else None


@dataclass(frozen=True)
class Store:
    """A store of water, a state of the differential equations.

    Parameters
    ----------
    name : str
        The paper's symbol in ASCII.
    unit : str
        Usually "mm".
    description : str
        Its water, in a few words.
    initial : float or callable
        Content at the start of a run, in `unit`; or a function of the parameters,
        ``lambda p: 0.3 * p.x_1``, whose derivatives are then the initial sensitivities.
    capacity : str or callable, optional
        The parameter that limits the store, or a function of the parameters. With it, the model's
        option ``initial={store: share}`` fills a share of the store, or estimates that share.
    signed : bool
        Whether the content may be negative: a deficit, or groundwater below the outlet.
    """

    name: str
    unit: str
    description: str
    initial: float | Callable[[Any], Any] = 1e-5  # mm, the reference implementation's start
    capacity: str | Callable[[Any], Any] | None = None
    signed: bool = False

    def __post_init__(self) -> None:
        _check_name("Store", self.name)
        check_unit(f"Store {self.name!r}", self.unit)
        if callable(self.initial):
            return
        if not (math.isfinite(self.initial) and (self.initial >= 0 or self.signed)):
            raise ValueError(
                f"Store {self.name!r}: initial content must be finite and not negative, found "
                f"{self.initial}; declare signed=True if the store may be negative"
            )

    def full(self, p: Any) -> Any:
        """Return the capacity, in `unit`, for parameters `p`."""
        return self.capacity(p) if callable(self.capacity) else p[self.capacity]

    def lacks(self, p: Any) -> bool:
        """Return whether the capacity depends on a parameter that is not among `p`."""
        try:
            return self.capacity is not None and self.full(p) is None
        except KeyError:
            return True

    def hold(self, p: Any, values: Mapping[str, float]) -> "Store":
        """Return the store where parameters change in time.

        Its capacity is unknown if a parameter that is not among `p` gives it. Its initial content
        is that of the usual `values` of such parameters: a number if it depends on no other.
        """
        initial, law = self.initial, self.initial
        if callable(law):
            try:
                initial = float(law(_Beside({}, values)))
            except KeyError:
                initial = Held(law, values)
        return replace(self, initial=initial, capacity=None if self.lacks(p) else self.capacity)


@dataclass(frozen=True)
class Filled:
    """The initial content of a store as a share of its capacity, a number or a parameter."""

    store: Store
    share: float | Parameter

    def __call__(self, p: Any) -> Any:
        """Return the content, in mm, for parameters `p`."""
        share = p[self.share.name] if isinstance(self.share, Parameter) else self.share
        return share * self.store.full(p)


@dataclass(frozen=True)
class Held:
    """An initial content in which parameters have fixed values: parameters that change in time."""

    law: Callable[[Any], Any]
    values: Mapping[str, float]

    def __call__(self, p: Any) -> Any:
        """Return the content, in mm, for the other parameters `p`."""
        return self.law(_Beside(p, self.values))


class _Beside:
    """Values by attribute or by key; the others are those of `p`."""

    def __init__(self, p: Any, values: Mapping[str, float]):
        self._p, self._values = p, values

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __getitem__(self, name: str) -> Any:
        return self._values[name] if name in self._values else self._p[name]


@dataclass(frozen=True)
class Flow:
    """Which flux leaves which store and enters which; None is outside the basin.

    Parameters
    ----------
    flux : str
        Name of a flux that the model's flux function returns, in mm/d.
    source, target : str or None
        Names of stores; None to None is an exchange that meets discharge without being stored.
    """

    flux: str
    source: str | None
    target: str | None

    def __post_init__(self) -> None:
        _check_name("Flow", self.flux)
        if self.source == self.target is not None:
            raise ValueError(
                f"Flow {self.flux!r}: source and target are both {self.source!r}; a flow joins two "
                "different stores, or one store and the outside (None)"
            )


@dataclass(frozen=True)
class Output:
    """A result of a run: a sum of fluxes (interval mean) or of stores (at the interval's end).

    Parameters
    ----------
    name : str
        Name of the output.
    terms : tuple of str
        Names of fluxes, or names of stores.
    unit : str
        "mm/d" for fluxes, "mm" for stores.
    description : str
        Its meaning, in a few words.
    """

    name: str
    terms: tuple[str, ...]
    unit: str
    description: str

    def __post_init__(self) -> None:
        _check_name("Output", self.name)
        check_unit(f"Output {self.name!r}", self.unit)
        if isinstance(self.terms, str):
            raise TypeError(
                f"Output {self.name!r}: terms must be a tuple of names, found {self.terms!r}; a "
                f"tuple of one has a comma: ({self.terms!r},)"
            )
        if not self.terms:
            raise ValueError(f"Output {self.name!r}: needs at least one flux or store")
