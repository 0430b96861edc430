"""Reusable pieces of a model: its parameters, stores, flows and fluxes in one object.

A block is a frozen dataclass with ``parameters``, ``stores``, ``flows`` and a ``fluxes`` method;
a model joins them to its own. A unit hydrograph acts after the differential equations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymc_hydro.core.declaration import Flow, Parameter, Store
from pymc_hydro.core.functions import tanh
from pymc_hydro.core.smoothing import lesser, minimum, pos

__all__ = [
    "DegreeDaySnow",
    "FedChain",
    "LinearReservoir",
    "NashCascade",
    "NoSnow",
    "RefreezingSnow",
    "UnitHydrograph",
]

PARTITION_WIDTH = 1.0  # degC, width of the snow-rain transition and of the melt threshold
STORE_WIDTH = 1e-6  # mm, smoothing of an empty snow store
MELT_WIDTH = 1e-6  # mm/d, smoothing where melt changes from energy- to snow-limited
MELT_TIME = 1.0  # d, time in which a pack smaller than the daily melt drains
CHAIN_TIME = 1.0  # d
HBV_TEMPERATURE_WIDTH = 0.1  # degC
HBV_WIDTH = 1e-3  # mm and mm/d

SNOW_PARAMETERS = (
    Parameter("T_tr", -3, 3, "degC", "threshold of snow, rain and melt", default=0),
    Parameter("f_dd", 0.1, 10, "mm/(degC d)", "degree-day factor", default=3),
)
SNOW_STORES = (Store("SWE", "mm", "snow water equivalent"),)


def _partition(u, p, width):
    """Return warmth above the threshold in degC, and snowfall and rainfall in mm/d."""
    warmth = u.temperature - p.T_tr
    f_s = (1 - tanh(warmth / width)) / 2
    return warmth, f_s * u.precipitation, (1 - f_s) * u.precipitation


@dataclass(frozen=True)
class DegreeDaySnow:
    """Snow front end: degree-day melt, no refreezing, no liquid retention.

    Vrugt, Frame & Bollman (2026), common snow module. Provides the fluxes ``P_s`` (snowfall),
    ``P_r`` (rainfall), ``M`` (melt) and ``P_liq`` (what the basin receives), all in mm/d. A pack
    smaller than one day's potential melt drains with a time constant of one day, whatever the
    interval of the data.

    Parameters
    ----------
    target : str
        The store that receives rain and melt.
    store_width : float
        Smoothing of an empty pack, mm.
    """

    target: str
    store_width: float = STORE_WIDTH

    exchanges = ()
    parameters = SNOW_PARAMETERS
    stores = SNOW_STORES

    @property
    def flows(self):
        return (
            Flow("P_s", None, "SWE"),
            Flow("P_r", None, self.target),
            Flow("M", "SWE", self.target),
        )

    def fluxes(self, s, u, p):
        warmth, P_s, P_r = _partition(u, p, PARTITION_WIDTH)
        M_pot = p.f_dd * pos(warmth, PARTITION_WIDTH)
        M = minimum(pos(s.SWE, self.store_width) / MELT_TIME, M_pot, MELT_WIDTH)
        return {"P_s": P_s, "P_r": P_r, "M": M, "P_liq": P_r + M}


@dataclass(frozen=True)
class RefreezingSnow:
    """Snow front end of HBV: degree-day melt, refreezing of rain, a factor on snowfall.

    Parameters
    ----------
    target : str
        The store that receives rain and melt.
    exact : bool
        Limits that vanish with what they limit; or else the reference's, with which an empty pack
        drifts and liquid input is created (the exchange ``x_pos``).
    """

    target: str
    exact: bool = True

    parameters = (
        *SNOW_PARAMETERS,
        Parameter("c_sf", 0.5, 1.5, "1", "factor on snowfall", default=1),
        Parameter("c_fr", 0, 0.2, "1", "refreezing as share of melt", default=0.05),
    )
    stores = SNOW_STORES

    @property
    def exchanges(self):
        return ("x_sf",) if self.exact else ("x_sf", "x_pos")

    @property
    def flows(self):
        flows = (
            Flow("P_s", None, "SWE"),
            Flow("x_sf", None, "SWE"),
            Flow("P_r", None, self.target),
            Flow("M", "SWE", self.target),
            Flow("F", self.target, "SWE"),
        )
        return flows if self.exact else (*flows, Flow("x_pos", None, self.target))

    def fluxes(self, s, u, p):
        warmth, P_s, P_r = _partition(u, p, HBV_TEMPERATURE_WIDTH)
        limit = lesser if self.exact else minimum
        M_pot = p.f_dd * pos(warmth, HBV_TEMPERATURE_WIDTH)
        M = limit(pos(s.SWE, HBV_WIDTH) / MELT_TIME, M_pot, HBV_WIDTH)
        F_pot = p.c_fr * p.f_dd * pos(-warmth, HBV_TEMPERATURE_WIDTH)
        F = limit(P_r, F_pot, HBV_WIDTH)
        fluxes = {"P_s": P_s, "x_sf": (p.c_sf - 1) * P_s, "P_r": P_r, "M": M, "F": F}
        net = P_r + M - F
        if self.exact:
            return {**fluxes, "P_liq": net}
        P_liq = pos(net, HBV_WIDTH)
        return {**fluxes, "P_liq": P_liq, "x_pos": P_liq - net}


@dataclass(frozen=True)
class NoSnow:
    """The front end of a basin without snow: all precipitation is rain."""

    target: str

    exchanges = ()
    parameters = ()
    stores = ()

    @property
    def flows(self):
        return (Flow("P_liq", None, self.target),)

    def fluxes(self, s, u, p):
        return {"P_liq": u.precipitation}


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

    parameters = ()

    @property
    def stores(self):
        return (Store(self.store, "mm", self.description),)

    @property
    def flows(self):
        return (Flow(self.flux, self.store, self.target),)

    def fluxes(self, s, rate):
        return {self.flux: rate * s[self.store]}


@dataclass(frozen=True)
class NashCascade:
    """Equal linear reservoirs in series (Nash, 1957).

    Parameters
    ----------
    store, flux : str
        Names; the reservoirs are `store`1, `store`2, ... and their outflows `flux`1, ...
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

    parameters = ()

    @property
    def _reservoirs(self):
        following = [f"{self.store}{i}" for i in range(2, self.n + 1)] + [self.target]
        return tuple(
            LinearReservoir(
                f"{self.store}{i}", f"{self.flux}{i}", target, f"{self.description} {i}"
            )
            for i, target in enumerate(following, start=1)
        )

    @property
    def stores(self):
        return tuple(store for r in self._reservoirs for store in r.stores)

    @property
    def flows(self):
        return tuple(flow for r in self._reservoirs for flow in r.flows)

    def fluxes(self, s, rate):
        return {k: v for r in self._reservoirs for k, v in r.fluxes(s, rate).items()}


@dataclass(frozen=True)
class FedChain:
    """A chain of reservoirs that drain in one day each, fed along its length.

    Share g_i of the inflow enters the reservoir that is i reservoirs from the outlet: the response
    is the mixture of gamma distributions of shape i with weights g_i. (Equal in its response to a
    chain fed at its top whose contents are weighted by g_i, which holds no water balance.)

    Parameters
    ----------
    store, flux : str
        Names; reservoir `store`1 is at the outlet and releases `flux`1; `flux`in_i feeds `store`i.
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

    parameters = ()

    @property
    def stores(self):
        numbers = range(1, self.n + 1)
        return tuple(Store(f"{self.store}{i}", "mm", f"{self.description} {i}") for i in numbers)

    @property
    def flows(self):
        flows = []
        for i in range(1, self.n + 1):
            here, below = f"{self.store}{i}", f"{self.store}{i - 1}" if i > 1 else self.target
            flows += [Flow(f"{self.flux}in_{i}", self.source, here)]
            flows += [Flow(f"{self.flux}{i}", here, below)]
        return tuple(flows)

    def fluxes(self, s, inflow, shares):
        fluxes = {}
        for i, share in enumerate(shares, start=1):
            fluxes[f"{self.flux}in_{i}"] = share * inflow
            fluxes[f"{self.flux}{i}"] = s[f"{self.store}{i}"] / CHAIN_TIME
        return fluxes


@dataclass(frozen=True)
class UnitHydrograph:
    """Distribute an output over the interval in which it arises and those that follow.

    ``q_k = sum_j w_j y_(k-j)`` for the interval means y, from the start of the run. The derivative
    of the ordinates with respect to their parameters is a part of the Jacobian. Outflow that has
    not yet arrived at the end of a run is not in any store.

    Parameters
    ----------
    output : str
        The output that is routed.
    ordinate : callable ``(start, end, p) -> share``
        Share that arrives between `start` and `end`, in days after it arose: a pure function, as
        a model's flux function is.
    base : callable ``p -> days``
        Time after which all has arrived.
    parameters : tuple of Parameter
        Those that only the unit hydrograph has.
    normalized : bool
        Whether the ordinates must be divided by their sum.
    intervals : int, optional
        A fixed number of ordinates, in place of `base`.
    """

    output: str
    ordinate: Callable[[Any, Any, Any], Any]
    base: Callable[[Any], Any]
    parameters: tuple[Parameter, ...] = ()
    normalized: bool = False
    intervals: int | None = None
    description: str = "routed by a unit hydrograph"
