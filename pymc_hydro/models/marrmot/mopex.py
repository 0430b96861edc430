"""The MOPEX models: a bucket, a root zone and two routing stores, with more and more processes."""

import math

from pymc_hydro.core import Flow, Parameter, Store, cos
from pymc_hydro.core.laws.structure import AbstractStructure, discharge_from, evaporation_from

__all__ = ["Mopex1", "Mopex2", "Mopex3", "Mopex4", "Mopex5"]

YEAR = 365.25  # d
CAPACITY = Parameter("C", 1, 2000, "mm", "capacity of the soil")
WETTING = Parameter("t_w", 0, 1, "1/d", "rate of percolation to the root zone")
BELOW = Parameter("t_u", 0, 1, "1/d", "rate of slow flow")
ROUTING = Parameter("t_c", 0, 1, "1/d", "rate of both routing stores")
SNOW = (
    Parameter("T_c", -3, 3, "degC", "threshold of snowfall and melt"),
    Parameter("f_dd", 0, 20, "mm/(degC d)", "degree-day factor"),
)
SHARE = Parameter("s_e", 0.05, 0.95, "1", "content of full evaporation as share of C3")
ROOT = Parameter("C3", 1, 2000, "mm", "capacity of the root zone")


class Mopex1(AbstractStructure):
    """MOPEX-1: soil, root zone, fast and slow routing (MARRMoT m_24).

    Both stores evaporate from the full potential evaporation. The two routing stores have one rate.

    References
    ----------
    Ye, S., Yaeger, M., Coopersmith, E., Cheng, L., Sivapalan, M. (2012). Hydrol. Earth Syst. Sci.
    16, 4447-4465. doi:10.5194/hess-16-4447-2012
    """

    number = "m_24"
    parameters = (
        CAPACITY,
        WETTING,
        BELOW,
        Parameter("s_e", 1, 2000, "mm", "content of full evaporation of the root zone"),
        ROUTING,
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "soil", capacity="C"),
        Store("S2", "mm", "root zone"),
        Store("S3", "mm", "fast routing"),
        Store("S4", "mm", "slow routing"),
    )
    flows = (
        Flow("e_1", "S1", None),
        Flow("q_f", "S1", "S3"),
        Flow("q_w", "S1", "S2"),
        Flow("e_2", "S2", None),
        Flow("q_u", "S2", "S4"),
        Flow("o_f", "S3", None),
        Flow("o_s", "S4", None),
    )
    outputs = (discharge_from("o_f", "o_s"), evaporation_from("e_1", "e_2"))

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        return {
            **water,
            "e_1": law.evaporation_relative(E, s.S1, p.C),
            "q_f": water.liquid * law.full(s.S1, p.C),
            "q_w": p.t_w * s.S1,
            "e_2": law.evaporation_relative(E, s.S2, p.s_e),
            "q_u": p.t_u * s.S2,
            "o_f": p.t_c * s.S3,
            "o_s": p.t_c * s.S4,
        }


class Mopex2(AbstractStructure):
    """MOPEX-2: as MOPEX-1, with snow (MARRMoT m_30).

    References
    ----------
    Ye, S., Yaeger, M., Coopersmith, E., Cheng, L., Sivapalan, M. (2012). Hydrol. Earth Syst. Sci.
    16, 4447-4465. doi:10.5194/hess-16-4447-2012
    """

    number = "m_30"
    parameters: tuple[Parameter, ...] = (*SNOW, *Mopex1.parameters)
    stores: tuple[Store, ...] = (
        Store("S1", "mm", "snow"),
        Store("S2", "mm", "soil", capacity="C"),
        Store("S3", "mm", "root zone"),
        Store("S4", "mm", "fast routing"),
        Store("S5", "mm", "slow routing"),
    )
    flows: tuple[Flow, ...] = (
        Flow("P_s", None, "S1"),
        Flow("P_r", None, "S2"),
        Flow("melt", "S1", "S2"),
        Flow("e_1", "S2", None),
        Flow("q_f", "S2", "S4"),
        Flow("q_w", "S2", "S3"),
        Flow("e_2", "S3", None),
        Flow("q_u", "S3", "S5"),
        Flow("o_f", "S4", None),
        Flow("o_s", "S5", None),
    )
    outputs = (discharge_from("o_f", "o_s"), evaporation_from("e_1", "e_2"))

    def soil(self, s, u, p, E):
        """Return snow, melt and the fluxes of the soil and of the routing stores."""
        law, P = self.law, u.precipitation
        P_s = law.snowfall(P, u.temperature, p.T_c)
        melt = law.melt(u.temperature, p.T_c, p.f_dd, s.S1)
        return {
            "P_s": P_s,
            "P_r": P - P_s,
            "melt": melt,
            "e_1": law.evaporation_relative(E, s.S2, p.C),
            "q_f": (P - P_s + melt) * law.full(s.S2, p.C),
            "q_w": p.t_w * s.S2,
            "q_u": p.t_u * s.S3,
            "o_f": p.t_c * s.S4,
            "o_s": p.t_c * s.S5,
        }

    def fluxes(self, s, u, p):
        E = u.potential_evaporation
        e_2 = self.law.evaporation_relative(E, s.S3, p.s_e)
        return {**self.soil(s, u, p, E), "e_2": e_2}


class Mopex3(Mopex2):
    """MOPEX-3: as MOPEX-2, with a root zone that spills (MARRMoT m_31).

    Notes
    -----
    Evaporation of the root zone is at most potential evaporation. It has no such limit with
    ``formulation="reference"``, where it reaches 1/s_e of it.

    References
    ----------
    Ye, S., Yaeger, M., Coopersmith, E., Cheng, L., Sivapalan, M. (2012). Hydrol. Earth Syst. Sci.
    16, 4447-4465. doi:10.5194/hess-16-4447-2012
    """

    number = "m_31"
    parameters: tuple[Parameter, ...] = (*SNOW, CAPACITY, WETTING, BELOW, SHARE, ROOT, ROUTING)
    stores: tuple[Store, ...] = (
        *Mopex2.stores[:2],
        Store("S3", "mm", "root zone", capacity="C3"),
        *Mopex2.stores[3:],
    )
    flows: tuple[Flow, ...] = (*Mopex2.flows, Flow("q_2", "S3", "S4"))

    def root_zone(self, s, u, p, E):
        """Return all fluxes for a potential evaporation."""
        law, soil = self.law, self.soil(s, u, p, E)
        limited = self.formulation != "reference"
        evaporates = law.evaporation_wilting if limited else law.evaporation_relative
        q_2 = soil["q_w"] * law.full(s.S3, p.C3)
        return {**soil, "e_2": evaporates(E, s.S3, p.s_e * p.C3), "q_2": q_2}

    def fluxes(self, s, u, p):
        return self.root_zone(s, u, p, u.potential_evaporation)


class Mopex4(Mopex3):
    """MOPEX-4: as MOPEX-3, with interception that changes over the year (MARRMoT m_32).

    Interception is largest on day `i_s` of the year, when it takes all rain; potential evaporation
    does not limit it. ``formulation="reference"`` is that of :class:`Mopex3`.

    References
    ----------
    Ye, S., Yaeger, M., Coopersmith, E., Cheng, L., Sivapalan, M. (2012). Hydrol. Earth Syst. Sci.
    16, 4447-4465. doi:10.5194/hess-16-4447-2012
    """

    number = "m_32"
    parameters: tuple[Parameter, ...] = (
        *SNOW,
        CAPACITY,
        WETTING,
        Parameter("i_a", 0, 1, "1", "mean share of interception"),
        Parameter("i_s", 1, 365, "d", "day of the year of the largest interception"),
        BELOW,
        SHARE,
        ROOT,
        ROUTING,
    )
    flows: tuple[Flow, ...] = (*Mopex3.flows, Flow("e_i", "S2", None))
    outputs = (discharge_from("o_f", "o_s"), evaporation_from("e_1", "e_i", "e_2"))

    def interception(self, u, p, rain):
        """Return interception of rain, mm/d."""
        season = cos(2 * math.pi / YEAR * (u.day_of_year - p.i_s))
        return self.law.share(p.i_a + (1 - p.i_a) * season) * rain

    def fluxes(self, s, u, p):
        found = self.root_zone(s, u, p, u.potential_evaporation)
        return {**found, "e_i": self.interception(u, p, found["P_r"])}


class Mopex5(Mopex4):
    """MOPEX-5: as MOPEX-4, with a growing season by temperature (MARRMoT m_35).

    ``formulation="reference"`` is that of :class:`Mopex3`.

    References
    ----------
    Ye, S., Yaeger, M., Coopersmith, E., Cheng, L., Sivapalan, M. (2012). Hydrol. Earth Syst. Sci.
    16, 4447-4465. doi:10.5194/hess-16-4447-2012
    """

    number = "m_35"
    parameters = (
        *Mopex4.parameters[:6],
        Parameter("T_m", -10, 0, "degC", "temperature at which plants begin to transpire"),
        Parameter("dT", 1, 20, "degC", "range of temperature to full transpiration"),
        *Mopex4.parameters[6:],
    )

    def fluxes(self, s, u, p):
        E = u.potential_evaporation * self.law.share((u.temperature - p.T_m) / p.dT)
        found = self.root_zone(s, u, p, E)
        return {**found, "e_i": self.interception(u, p, found["P_r"])}
