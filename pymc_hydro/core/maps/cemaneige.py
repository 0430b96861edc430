"""The snow front end of the GR models, in discrete time."""

from dataclasses import dataclass
from typing import Any

from pymc_hydro.core.declaration import Flow, Parameter, Store
from pymc_hydro.core.functions import piecewise
from pymc_hydro.core.laws import Laws
from pymc_hydro.core.smoothing import step
from pymc_hydro.core.snow import Water

__all__ = ["CemaNeige"]

ALL_SNOW, ALL_RAIN = -1.0, 3.0  # degC, between which the share of snow falls linearly
COVER_SHARE = 0.9  # of the mean annual snowfall: the pack that covers all ground
SLOWEST = 0.1  # share of the potential melt where snow covers no ground
EXACT = Laws()
RIPENING = 0.1  # degC, over which a pack becomes ripe where kinks are smooth


@dataclass(frozen=True)
class CemaNeige:
    """Snow front end of the GR models: a pack with a thermal state, and melt by snow-covered area.

    Snow falls below 3 degC, all precipitation is snow below -1 degC. The thermal state `e_T` of the
    pack follows the air temperature with the weight `c_T` of the past, and is never above zero. At
    zero the pack melts in warm air, at a degree-day rate that is slower where little snow covers
    little ground: ten per cent of it for a vanishing pack, all of it for a pack of `G_c`.

    Parameters
    ----------
    target : str
        The store that receives rain and melt.
    interval : float
        Length of an interval in days.
    annual_snowfall : float, optional
        Mean snowfall of a year in mm, of which 90 % are `G_c`. Not given: `G_c` is a parameter.
    law : Laws
        Whether kinks are exact.

    Notes
    -----
    The melt begins with a jump, when the thermal state reaches zero.

    References
    ----------
    Valery, A., Andreassian, V., Perrin, C. (2014). J. Hydrol. 517, 1176-1187.
    doi:10.1016/j.jhydrol.2014.04.058
    """

    target: str
    interval: float = 1.0
    annual_snowfall: float | None = None
    law: Laws = EXACT

    exchanges = ("warming",)
    stores = (
        Store("SWE", "mm", "snow water equivalent", initial=0.0),
        Store("e_T", "degC", "thermal state of the snow", initial=0.0, signed=True),
    )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        own = (
            Parameter("c_T", 0, 1, "1", "weight of the past in the snow's thermal state", 0.5),
            Parameter("f_dd", 0.1, 20, "mm/(degC d)", "degree-day factor", 4),
        )
        cover = Parameter("G_c", 1, 1000, "mm", "snow pack that covers all ground", 100)
        return own if self.annual_snowfall is not None else (*own, cover)

    @property
    def flows(self) -> tuple[Flow, ...]:
        return (
            Flow("P_s", None, "SWE"),
            Flow("P_r", None, self.target),
            Flow("M", "SWE", self.target),
            Flow("warming", None, "e_T"),
        )

    def fluxes(self, s: Any, u: Any, p: Any) -> Water:
        law, dt, T = self.law, self.interval, u.temperature
        f_s = law.share((ALL_RAIN - T) / (ALL_RAIN - ALL_SNOW))
        P_s, P_r = f_s * u.precipitation, (1 - f_s) * u.precipitation
        pack = s.SWE + dt * P_s
        followed = p.c_T * s.e_T + (1 - p.c_T) * T
        e_T = -law.positive(-followed)
        if law.width:
            ripe = step(followed + RIPENING, RIPENING / 2)
        else:
            ripe = piecewise(-followed, 0.0, 1.0, continuity=None)
        potential = ripe * law.least(dt * p.f_dd * law.positive(T), pack)
        G_c = COVER_SHARE * self.annual_snowfall if self.annual_snowfall is not None else p.G_c
        cover = law.share(pack / G_c)
        M = ((1 - SLOWEST) * cover + SLOWEST) * potential
        fluxes = {"P_s": P_s, "P_r": P_r, "M": M / dt, "warming": (e_T - s.e_T) / dt}
        return Water(fluxes, P_r + M / dt)
