"""Reusable pieces of a model: its parameters, stores, flows and fluxes in one object.

A block is a frozen dataclass with ``parameters``, ``stores``, ``flows`` and a ``fluxes`` method;
a model joins them to its own. A unit hydrograph acts after the differential equations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pymc_hydro.core.base.names import Names
from pymc_hydro.core.declaration import Flow, Parameter, Store

__all__ = [
    "FedChain",
    "LinearReservoir",
    "NashCascade",
    "UnitHydrograph",
]

CHAIN_TIME = 1.0  # d


@dataclass(frozen=True)
class LinearReservoir:
    """A store that empties at a rate proportional to its content, ``o = K S``.

    Parameters
    ----------
    store, flux : str
        Names of the store and of its outflow.
    target : str or None
        Where the outflow goes.
    """

    store: str
    flux: str
    target: str | None = None
    description: str = "linear reservoir"

    parameters: ClassVar[tuple[Parameter, ...]] = ()

    @property
    def stores(self) -> tuple[Store, ...]:
        return (Store(self.store, "mm", self.description),)

    @property
    def flows(self) -> tuple[Flow, ...]:
        return (Flow(self.flux, self.store, self.target),)

    def fluxes(self, s: Names, rate: Any) -> dict[str, Any]:
        return {self.flux: rate * s[self.store]}


@dataclass(frozen=True)
class NashCascade:
    """Equal linear reservoirs in series (Nash, 1957).

    Parameters
    ----------
    store, flux : str
        Beginnings of names: ``NashCascade("S_f", "o_", 3)`` has the reservoirs ``S_f1``, ``S_f2``
        and ``S_f3``, whose outflows are ``o_1``, ``o_2`` and ``o_3``.
    n : int
        Number of reservoirs.
    target : str or None
        Where the last outflow goes.
    """

    store: str
    flux: str
    n: int
    target: str | None = None
    description: str = "reservoir of a cascade"

    parameters: ClassVar[tuple[Parameter, ...]] = ()

    @property
    def _reservoirs(self) -> tuple[LinearReservoir, ...]:
        following = [f"{self.store}{i}" for i in range(2, self.n + 1)] + [self.target]
        return tuple(
            LinearReservoir(
                f"{self.store}{i}", f"{self.flux}{i}", target, f"{self.description} {i}"
            )
            for i, target in enumerate(following, start=1)
        )

    @property
    def stores(self) -> tuple[Store, ...]:
        return tuple(store for r in self._reservoirs for store in r.stores)

    @property
    def flows(self) -> tuple[Flow, ...]:
        return tuple(flow for r in self._reservoirs for flow in r.flows)

    def fluxes(self, s: Names, rate: Any) -> dict[str, Any]:
        return {k: v for r in self._reservoirs for k, v in r.fluxes(s, rate).items()}


@dataclass(frozen=True)
class FedChain:
    """A chain of reservoirs that drain in one day each, fed along its length.

    Share g_i of the inflow enters reservoir i, counted from the outlet: the chain responds with the
    mixture of gamma distributions of shape i with weights g_i. A chain that is fed at its top and
    whose contents are weighted by g_i has the same response, but no water balance.

    Parameters
    ----------
    store, flux : str
        Beginnings of names: ``FedChain("H", "h", 3, "S")`` has the reservoirs ``H1``, at the
        outlet, to ``H3``; they are fed by ``hin_1`` to ``hin_3``, and release ``h1`` to ``h3``.
    n : int
        Number of reservoirs.
    source : str
        Where the inflow comes from.
    target : str or None
        Where the outflow goes.
    """

    store: str
    flux: str
    n: int
    source: str
    target: str | None = None
    description: str = "reservoir of a chain"

    parameters: ClassVar[tuple[Parameter, ...]] = ()

    @property
    def stores(self) -> tuple[Store, ...]:
        numbers = range(1, self.n + 1)
        return tuple(Store(f"{self.store}{i}", "mm", f"{self.description} {i}") for i in numbers)

    @property
    def flows(self) -> tuple[Flow, ...]:
        flows = []
        for i in range(1, self.n + 1):
            here, below = f"{self.store}{i}", f"{self.store}{i - 1}" if i > 1 else self.target
            flows += [Flow(f"{self.flux}in_{i}", self.source, here)]
            flows += [Flow(f"{self.flux}{i}", here, below)]
        return tuple(flows)

    def fluxes(self, s: Names, inflow: Any, shares: Sequence) -> dict[str, Any]:
        fluxes = {}
        for i, share in enumerate(shares, start=1):
            fluxes[f"{self.flux}in_{i}"] = share * inflow
            fluxes[f"{self.flux}{i}"] = s[f"{self.store}{i}"] / CHAIN_TIME
        return fluxes


@dataclass(frozen=True)
class UnitHydrograph:
    """Distribute an output over the interval in which it arises and the following intervals.

    The routed output is ``q_k = sum_j w_j y_(k-j)`` with the ordinates w and the interval means y
    since the start of the run. The Jacobian contains the derivatives of the ordinates by their
    parameters. Water that has not yet arrived at the end of a run is in no store.

    Parameters
    ----------
    output : str
        The output that is routed; or, among a model's `hydrographs`, the name of the place that
        flows lead to.
    ordinate : callable ``(start, end, p) -> share``
        Share that arrives between `start` and `end`, in days after it arose: a pure function, as
        a model's flux function is.
    base : callable ``p -> days``
        Time after which all of the output has arrived.
    parameters : tuple of Parameter
        Parameters that only the unit hydrograph has; the model appends them to its own.
    normalized : bool
        Whether the ordinates must be divided by their sum.
    intervals : int, optional
        A fixed number of ordinates, in place of `base`.
    cut : float
        Ordinates after the largest one that are below this share of it are left out.
    """

    output: str
    ordinate: Callable[[Any, Any, Any], Any]
    base: Callable[[Any], Any]
    parameters: tuple[Parameter, ...] = ()
    normalized: bool = False
    intervals: int | None = None
    cut: float = 0.0
    description: str = "routed by a unit hydrograph"
