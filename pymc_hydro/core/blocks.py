"""Reusable pieces of a model: its parameters, stores, flows and fluxes in one object.

A block is a frozen dataclass with ``parameters``, ``stores``, ``flows`` and a ``fluxes`` method;
a model joins them to its own.
"""

from dataclasses import dataclass

from pymc_hydro.core.declaration import Flow, Parameter, Store
from pymc_hydro.core.functions import tanh
from pymc_hydro.core.smoothing import minimum, pos

__all__ = ["DegreeDaySnow", "LinearReservoir", "NashCascade", "NoSnow"]

PARTITION_WIDTH = 1.0  # degC, width of the snow-rain transition and of the melt threshold
STORE_WIDTH = 1e-6  # mm, smoothing of an empty snow store
MELT_WIDTH = 1e-6  # mm/d, smoothing where melt changes from energy- to snow-limited
MELT_TIME = 1.0  # d, time in which a pack smaller than the daily melt drains


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
    """

    target: str

    parameters = (
        Parameter("T_tr", -3, 3, "degC", "threshold of snow, rain and melt", default=0),
        Parameter("f_dd", 0.1, 10, "mm/(degC d)", "degree-day factor", default=3),
    )
    stores = (Store("SWE", "mm", "snow water equivalent"),)

    @property
    def flows(self):
        return (
            Flow("P_s", None, "SWE"),
            Flow("P_r", None, self.target),
            Flow("M", "SWE", self.target),
        )

    def fluxes(self, s, u, p):
        warmth = u.temperature - p.T_tr
        f_s = (1 - tanh(warmth / PARTITION_WIDTH)) / 2
        P_s = f_s * u.precipitation
        P_r = (1 - f_s) * u.precipitation
        M_pot = p.f_dd * pos(warmth, PARTITION_WIDTH)
        M = minimum(pos(s.SWE, STORE_WIDTH) / MELT_TIME, M_pot, MELT_WIDTH)
        return {"P_s": P_s, "P_r": P_r, "M": M, "P_liq": P_r + M}


@dataclass(frozen=True)
class NoSnow:
    """The front end of a basin without snow: all precipitation is rain."""

    target: str

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
