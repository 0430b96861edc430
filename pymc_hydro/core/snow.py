"""Snow front ends: from precipitation to rain and melt, for the whole basin or by band."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import numpy as np

from pymc_hydro.core.declaration import Flow, Parameter, Store
from pymc_hydro.core.functions import tanh
from pymc_hydro.core.smoothing import lesser, minimum, pos, softplus

__all__ = [
    "FRONTS",
    "DegreeDaySnow",
    "ElevationBands",
    "NoSnow",
    "RefreezingSnow",
    "Water",
    "elevation_bands",
    "named_front",
]

PARTITION_WIDTH = 1.0  # degC, width of the snow-rain transition, and of melt in the reference
THAW_WIDTH = 1.0  # degC, above and below the threshold, in which melt sets in
STORE_WIDTH = 1e-6  # mm, smoothing of an empty snow store
MELT_WIDTH = 1e-6  # mm/d, smoothing where melt changes from energy- to snow-limited
MELT_TIME = 1.0  # d, time in which a pack smaller than the daily melt drains
HBV_TEMPERATURE_WIDTH = 0.1  # degC
HBV_WIDTH = 1e-3  # mm and mm/d
HEIGHTS = (-450.0, 9000.0)  # m, of land
LAPSE_RATE = 0.006  # degC/m
PRECIPITATION_GRADIENT = 4.1e-4  # 1/m

SNOW_PARAMETERS = (
    Parameter("T_tr", -3, 3, "degC", "threshold of snow, rain and melt", default=0),
    Parameter("f_dd", 0.1, 10, "mm/(degC d)", "degree-day factor", default=3),
)
SNOW_STORES = (Store("SWE", "mm", "snow water equivalent"),)


class Water(dict[str, Any]):
    """The fluxes of a snow front end by name, in mm/d.

    Attributes
    ----------
    liquid
        Rain and melt that the basin receives, in mm/d. ``water["P_liq"]`` is the same; among the
        fluxes it is only where there is no snow.
    """

    def __init__(self, fluxes: Mapping[str, Any], liquid: Any):
        super().__init__(fluxes)
        self.liquid = liquid

    def __missing__(self, name: str) -> Any:
        if name == "P_liq":
            return self.liquid
        raise KeyError(name)


def _partition(u: Any, p: Any, width: float) -> tuple[Any, Any, Any]:
    """Return warmth above the threshold in degC, and snowfall and rainfall in mm/d."""
    warmth = u.temperature - p.T_tr
    f_s = (1 - tanh(warmth / width)) / 2
    return warmth, f_s * u.precipitation, (1 - f_s) * u.precipitation


@dataclass(frozen=True)
class DegreeDaySnow:
    """Snow front end: degree-day melt, no refreezing, no liquid retention.

    Vrugt, Frame & Bollman (2026), common snow module. Its fluxes are ``P_s`` (snowfall), ``P_r``
    (rainfall) and ``M`` (melt), in mm/d. A pack smaller than one day's potential melt drains with a
    time constant of one day, for data of any interval.

    Potential melt is ``f_dd ln(1 + exp(T - T_tr))``, with 1 degC as unit: 0.02 mm/d at 5 degC below
    the threshold and 1e-4 mm/d at 10 degC, for f_dd = 3. The hyperbola of the paper,
    ``f_dd (x + sqrt(x^2 + 1))/2`` of ``x = T - T_tr``, is left with 0.15 and 0.075 mm/d, which
    takes 10 mm or more out of the pack in a cold winter.

    Parameters
    ----------
    target : str
        The store that receives rain and melt.
    store_width : float
        Smoothing of an empty pack, mm.
    exact : bool
        Whether melt vanishes with the cold and with the pack; else the paper's laws hold.
    """

    target: str
    store_width: float = STORE_WIDTH
    exact: bool = True

    exchanges = ()
    parameters = SNOW_PARAMETERS
    stores = SNOW_STORES

    @property
    def flows(self) -> tuple[Flow, ...]:
        return (
            Flow("P_s", None, "SWE"),
            Flow("P_r", None, self.target),
            Flow("M", "SWE", self.target),
        )

    def fluxes(self, s: Any, u: Any, p: Any) -> Water:
        warmth, P_s, P_r = _partition(u, p, PARTITION_WIDTH)
        pack = pos(s.SWE, self.store_width) / MELT_TIME
        if self.exact:
            M = lesser(pack, p.f_dd * softplus(warmth, THAW_WIDTH), MELT_WIDTH)
        else:
            M = minimum(pack, p.f_dd * pos(warmth, PARTITION_WIDTH), MELT_WIDTH)
        return Water({"P_s": P_s, "P_r": P_r, "M": M}, P_r + M)


@dataclass(frozen=True)
class RefreezingSnow:
    """Snow front end of HBV: degree-day melt, refreezing of rain, a factor on snowfall.

    Parameters
    ----------
    target : str
        The store that receives rain and melt.
    exact : bool
        Whether melt and refreezing vanish far from the threshold, as in :class:`DegreeDaySnow`, and
        with the snow and the rain that limit them. With the
        limits of the reference an empty pack drifts, and liquid water is created (the exchange
        ``x_pos``).
    """

    target: str
    exact: bool = True

    parameters = (
        *SNOW_PARAMETERS,
        Parameter("c_sf", 0.5, 1.5, "1", "factor on snowfall", default=1),
        # No part of a whole: snow may refreeze faster than it melts.
        Parameter("c_fr", 0, 0.2, "1", "refreezing as share of melt", 0.05, (0, math.inf)),
    )
    stores = SNOW_STORES

    @property
    def exchanges(self) -> tuple[str, ...]:
        return ("x_sf",) if self.exact else ("x_sf", "x_pos")

    @property
    def flows(self) -> tuple[Flow, ...]:
        flows = (
            Flow("P_s", None, "SWE"),
            Flow("x_sf", None, "SWE"),
            Flow("P_r", None, self.target),
            Flow("M", "SWE", self.target),
            Flow("F", self.target, "SWE"),
        )
        return flows if self.exact else (*flows, Flow("x_pos", None, self.target))

    def fluxes(self, s: Any, u: Any, p: Any) -> Water:
        warmth, P_s, P_r = _partition(u, p, HBV_TEMPERATURE_WIDTH)
        limit = lesser if self.exact else minimum
        above, width = (softplus, THAW_WIDTH) if self.exact else (pos, HBV_TEMPERATURE_WIDTH)
        M_pot = p.f_dd * above(warmth, width)
        pack = pos(s.SWE, STORE_WIDTH if self.exact else HBV_WIDTH)
        M = limit(pack / MELT_TIME, M_pot, HBV_WIDTH)
        F_pot = p.c_fr * p.f_dd * above(-warmth, width)
        F = limit(P_r, F_pot, HBV_WIDTH)
        fluxes = {"P_s": P_s, "x_sf": (p.c_sf - 1) * P_s, "P_r": P_r, "M": M, "F": F}
        net = P_r + M - F
        if self.exact:
            return Water(fluxes, net)
        P_liq = pos(net, HBV_WIDTH)
        return Water({**fluxes, "x_pos": P_liq - net}, P_liq)


FRONTS = MappingProxyType({"degree-day": DegreeDaySnow, "refreezing": RefreezingSnow})


def named_front(model: Any, name: str) -> Any:
    """Return the snow front end of a name, before a model."""
    if name not in model.snow_fronts:
        known = ", ".join(["True", "False", *map(repr, model.snow_fronts)])
        raise ValueError(f"{type(model).__name__}: snow must be one of {known}, found {name!r}")
    return model.snow_fronts[name](str(model.snow_target), exact=model.formulation == "default")


@dataclass(frozen=True)
class NoSnow:
    """The front end of a basin without snow: all precipitation is rain."""

    target: str

    exchanges = ()
    parameters = ()
    stores = ()

    @property
    def flows(self) -> tuple[Flow, ...]:
        return (Flow("P_liq", None, self.target),)

    def fluxes(self, s: Any, u: Any, p: Any) -> Water:
        return Water({"P_liq": u.precipitation}, u.precipitation)


@dataclass(frozen=True)
class ElevationBands:
    """A snow front end repeated over elevation bands of equal area.

    Each band has the temperature and the precipitation of its height, and a pack of its own; the
    parameters are common to all. Stores and fluxes have the names of the front end with the number
    of the band behind (``SWE_1``), in mm over the whole basin.

    Parameters
    ----------
    front : DegreeDaySnow or RefreezingSnow
        The snow front end of each band.
    heights : tuple of float
        Height of each band above the one that the series of temperature stands for, in m.

    Notes
    -----
    Temperature falls by 0.6 degC in 100 m (Seibert & Vis, 2012), precipitation grows by 4.1 %
    in 100 m (Valery, 2010) and is then scaled so that the basin receives the measured amount.

    References
    ----------
    Seibert, J., Vis, M. J. P. (2012). Hydrol. Earth Syst. Sci. 16, 3315-3325.
    doi:10.5194/hess-16-3315-2012
    Valery, A. (2010). PhD thesis, AgroParisTech, Paris.
    """

    front: DegreeDaySnow | RefreezingSnow
    heights: tuple[float, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.front.parameters

    @property
    def stores(self) -> tuple[Store, ...]:
        def band(store: Store, i: int) -> Store:
            described, whole = f"{store.description}, band {i}", cast(float, store.initial)
            initial = whole / self._shares[store.name]
            return replace(store, name=f"{store.name}_{i}", description=described, initial=initial)

        return tuple(band(store, i) for i in self._numbers for store in self.front.stores)

    @property
    def exchanges(self) -> tuple[str, ...]:
        return tuple(f"{name}_{i}" for i in self._numbers for name in self.front.exchanges)

    @property
    def flows(self) -> tuple[Flow, ...]:
        own = {store.name for store in self.front.stores}
        return tuple(
            Flow(f"{flow.flux}_{i}", *(f"{e}_{i}" if e in own else e for e in ends))
            for i in self._numbers
            for flow in self.front.flows
            for ends in [(flow.source, flow.target)]
        )

    @property
    def _numbers(self) -> range:
        return range(1, len(self.heights) + 1)

    @property
    def _shares(self) -> dict[str, int]:
        """How many bands the content of a store is a mean of: a temperature is one band's own."""
        return {s.name: len(self.heights) if s.unit == "mm" else 1 for s in self.front.stores}

    def fluxes(self, s: Any, u: Any, p: Any) -> Water:
        n, shares = len(self.heights), self._shares
        of_flux = {f.flux: shares.get(f.target or "", n) for f in self.front.flows}
        growth = [math.exp(PRECIPITATION_GRADIENT * height) for height in self.heights]
        fluxes: dict[str, Any] = {}
        liquid: Any = 0.0
        for i, height, factor in zip(self._numbers, self.heights, growth, strict=True):
            contents = {name: share * s[f"{name}_{i}"] for name, share in shares.items()}
            here = SimpleNamespace(
                precipitation=u.precipitation * (n * factor / sum(growth)),
                temperature=u.temperature - LAPSE_RATE * height,
            )
            band = self.front.fluxes(SimpleNamespace(**contents), here, p)
            liquid += band.liquid / n
            fluxes |= {f"{name}_{i}": flux / of_flux.get(name, n) for name, flux in band.items()}
        return Water(fluxes, liquid)


def elevation_bands(
    heights: Sequence[float] | np.ndarray, n: int = 5, height: float | None = None
) -> tuple[float, ...]:
    """Return the heights of bands of equal area, for the option `bands` of a model.

    Parameters
    ----------
    heights : array_like
        Heights in m of places that stand for equal areas: the cells of an elevation model, or the
        quantiles of a hypsometric curve at equal distances.
    n : int
        Number of bands.
    height : float, optional
        Height in m that the series of temperature stands for; the median of `heights` if not given.

    Returns
    -------
    tuple of float
        The median height of each band, lowest first, in m above `height`.

    Raises
    ------
    ValueError
        If `heights` are fewer than bands, not finite or no list, or hold codes such as -9999.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> ph.elevation_bands([800, 1300, 1800, 2300, 2800], n=2)
    (-500.0, 500.0)
    >>> model = ph.HBV(bands=ph.elevation_bands(range(800, 2801), n=5))
    >>> model.store_names[:5]
    ('SWE_1', 'SWE_2', 'SWE_3', 'SWE_4', 'SWE_5')
    """
    array = np.asarray(heights, dtype=float)
    if array.ndim != 1 or not np.isfinite(array).all() or not 1 <= n <= array.size:
        raise ValueError(
            f"elevation_bands: heights must be a list of at least n = {n} finite heights in m, "
            f"found shape {array.shape}"
        )
    low, high = HEIGHTS
    if not (low <= array.min() and array.max() <= high):
        raise ValueError(
            f"elevation_bands: heights must be from {low:g} to {high:g} m, found "
            f"{array.min():g} to {array.max():g}; leave out codes of cells without data"
        )
    above = np.median(array) if height is None else height
    middles = np.quantile(array, (np.arange(n) + 0.5) / n)
    return tuple(float(middle - above) for middle in middles)
