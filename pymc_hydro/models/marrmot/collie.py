"""Collie River, New Zealand, Susannah Brook and Australia: buckets with a field capacity."""

from pymc_hydro.core import Flow, Parameter, Store
from pymc_hydro.core.laws import hydrograph, triangular_curve
from pymc_hydro.core.laws.structure import AbstractStructure, discharge_from, evaporation_from

__all__ = [
    "Australia",
    "CollieRiver1",
    "CollieRiver2",
    "CollieRiver3",
    "NewZealand1",
    "NewZealand2",
    "SusannahBrook1",
    "SusannahBrook2",
]

CAPACITY = Parameter("C", 1, 2000, "mm", "capacity of the soil")
FIELD = Parameter("f_c", 0.05, 0.95, "1", "field capacity as share of the capacity")
FOREST = Parameter("m", 0.05, 0.95, "1", "share of forest")
SUBSURFACE = Parameter("a", 0, 1, "1/d", "rate of subsurface flow")
EXPONENT = Parameter("b", 1, 5, "1", "exponent of subsurface flow")
SOIL = Store("S1", "mm", "soil", capacity="C")
GROUNDWATER = Store("S2", "mm", "groundwater")


class CollieRiver1(AbstractStructure):
    """Collie River 1: a bucket that evaporates and spills (MARRMoT m_01).

    References
    ----------
    Jothityangkoon, C., Sivapalan, M., Farmer, D. L. (2001). J. Hydrol. 254, 174-198.
    doi:10.1016/S0022-1694(01)00496-6
    """

    number = "m_01"
    parameters = (CAPACITY,)
    snow_target = "S1"
    stores = (SOIL,)
    flows = (Flow("e", "S1", None), Flow("q", "S1", None))
    outputs = (discharge_from("q"), evaporation_from("e"))

    def fluxes(self, s, u, p):
        water, law = self.snow.fluxes(s, u, p), self.law
        e = law.evaporation_relative(u.potential_evaporation, s.S1, p.C)
        return {**water, "e": e, "q": water.liquid * law.full(s.S1, p.C)}


class CollieRiver2(AbstractStructure):
    """Collie River 2: evaporation of forest and of bare ground, subsurface flow (MARRMoT m_03).

    The two evaporations have a limit each, so that together they may take the content twice a day.

    References
    ----------
    Jothityangkoon, C., Sivapalan, M., Farmer, D. L. (2001). J. Hydrol. 254, 174-198.
    doi:10.1016/S0022-1694(01)00496-6
    """

    number = "m_03"
    parameters: tuple[Parameter, ...] = (CAPACITY, FIELD, SUBSURFACE, FOREST)
    snow_target = "S1"
    stores: tuple[Store, ...] = (SOIL,)
    flows: tuple[Flow, ...] = (
        Flow("e_b", "S1", None),
        Flow("e_v", "S1", None),
        Flow("q_e", "S1", None),
        Flow("q_s", "S1", None),
    )
    outputs = (discharge_from("q_e", "q_s"), evaporation_from("e_b", "e_v"))

    def soil(self, s, u, p):
        """Return the fluxes of the front end, the evaporations and the spill."""
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        e_b = law.at_most(E * (1 - p.m) * s.S1 / p.C, s.S1)
        e_v = law.evaporation_wilting(p.m * E, s.S1, p.f_c * p.C)
        return {**water, "e_b": e_b, "e_v": e_v, "q_e": water.liquid * law.full(s.S1, p.C)}

    def fluxes(self, s, u, p):
        return {**self.soil(s, u, p), "q_s": self.law.above(s.S1, p.f_c * p.C, p.a)}


class CollieRiver3(CollieRiver2):
    """Collie River 3: as Collie River 2, with non-linear flow and groundwater (MARRMoT m_11).

    Soil and groundwater drain with the same `a` and `b`.

    References
    ----------
    Jothityangkoon, C., Sivapalan, M., Farmer, D. L. (2001). J. Hydrol. 254, 174-198.
    doi:10.1016/S0022-1694(01)00496-6
    """

    number = "m_11"
    parameters = (
        CAPACITY,
        FIELD,
        SUBSURFACE,
        FOREST,
        EXPONENT,
        Parameter("lam", 0, 1, "1", "share of subsurface flow to groundwater"),
    )
    stores = (SOIL, GROUNDWATER)
    flows = (
        Flow("e_b", "S1", None),
        Flow("e_v", "S1", None),
        Flow("q_e", "S1", None),
        Flow("q_s", "S1", None),
        Flow("r", "S1", "S2"),
        Flow("q_g", "S2", None),
    )
    outputs = (discharge_from("q_e", "q_s", "q_g"), evaporation_from("e_b", "e_v"))

    def fluxes(self, s, u, p):
        law = self.law
        q = law.above_power(s.S1, p.f_c * p.C, p.a, p.b)
        q_g = law.above_power(s.S2, 0.0, p.a, p.b)
        return {**self.soil(s, u, p), "q_s": (1 - p.lam) * q, "r": p.lam * q, "q_g": q_g}


class NewZealand1(AbstractStructure):
    """New Zealand 1: non-linear subsurface flow and baseflow of one store (MARRMoT m_04).

    `a` is raised to `b` as well: its unit is (mm/d)^(1/b)/mm.

    References
    ----------
    Atkinson, S. E., Woods, R. A., Sivapalan, M. (2002). Water Resour. Res. 38(12).
    doi:10.1029/2002WR001487
    """

    number = "m_04"
    parameters: tuple[Parameter, ...] = (
        CAPACITY,
        FIELD,
        FOREST,
        SUBSURFACE,
        EXPONENT,
        Parameter("k", 0, 1, "1/d", "rate of baseflow"),
    )
    snow_target = "S1"
    stores: tuple[Store, ...] = (SOIL,)
    flows: tuple[Flow, ...] = (
        Flow("e_v", "S1", None),
        Flow("e_b", "S1", None),
        Flow("q_e", "S1", None),
        Flow("q_s", "S1", None),
        Flow("q_b", "S1", None),
    )
    outputs = (discharge_from("q_e", "q_s", "q_b"), evaporation_from("e_v", "e_b"))

    def soil(self, S, inflow, E, p):
        """Return the fluxes of the soil store of content S."""
        law = self.law
        return {
            "e_v": law.evaporation_wilting(p.m * E, S, p.f_c * p.C),
            "e_b": law.evaporation_bare(E, S, p.C, p.m),
            "q_e": inflow * law.full(S, p.C),
            "q_s": law.above_power(S, p.f_c * p.C, p.a, p.b),
            "q_b": p.k * S,
        }

    def fluxes(self, s, u, p):
        water = self.snow.fluxes(s, u, p)
        return {**water, **self.soil(s.S1, water.liquid, u.potential_evaporation, p)}


class NewZealand2(NewZealand1):
    """New Zealand 2: as New Zealand 1, with interception and routing (MARRMoT m_16).

    Interception and soil evaporate the full potential evaporation each.

    References
    ----------
    Atkinson, S. E., Sivapalan, M., Viney, N. R., Woods, R. A. (2003). Adv. Water Resour. 26,
    219-235. doi:10.1016/S0309-1708(02)00183-5
    """

    number = "m_16"
    parameters = (
        Parameter("C1", 0.1, 5, "mm", "capacity of interception"),
        *NewZealand1.parameters,
        Parameter("t_d", 1, 120, "d", "base of the unit hydrograph"),
    )
    stores = (
        Store("S1", "mm", "interception", capacity="C1"),
        Store("S2", "mm", "soil", capacity="C"),
    )
    flows = (
        Flow("e_i", "S1", None),
        Flow("x", "S1", "S2"),
        Flow("e_v", "S2", None),
        Flow("e_b", "S2", None),
        Flow("q_e", "S2", None),
        Flow("q_s", "S2", None),
        Flow("q_b", "S2", None),
    )
    outputs = (discharge_from("q_e", "q_s", "q_b"), evaporation_from("e_i", "e_v", "e_b"))
    routing = hydrograph("discharge", triangular_curve, lambda p: p.t_d, "routed by a triangle")

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        x = water.liquid * law.full(s.S1, p.C1)
        return {**water, "e_i": law.evaporation(E, s.S1), "x": x, **self.soil(s.S2, x, E, p)}


class SusannahBrook1(AbstractStructure):
    """Susannah Brook 1-5: power laws of soil and groundwater (MARRMoT m_09).

    Soil and groundwater drain with the same `a` and `b`; the unit of `a` is mm^(1-b) d^b.

    References
    ----------
    Son, K., Sivapalan, M. (2007). Water Resour. Res. 43, W01415. doi:10.1029/2006WR005032
    """

    number = "m_09"
    parameters = (
        CAPACITY,
        FIELD,
        FOREST,
        Parameter("a", 1, 50, "d", "scale of subsurface flow and baseflow"),
        Parameter("b", 0.2, 1, "1", "inverse exponent of both"),
        Parameter("r", 0, 1, "1", "share of subsurface flow to groundwater"),
    )
    snow_target = "S1"
    stores = (SOIL, GROUNDWATER)
    flows = (
        Flow("e_b", "S1", None),
        Flow("e_v", "S1", None),
        Flow("q_e", "S1", None),
        Flow("q_s", "S1", None),
        Flow("q_r", "S1", "S2"),
        Flow("q_b", "S2", None),
    )
    outputs = (discharge_from("q_e", "q_s", "q_b"), evaporation_from("e_b", "e_v"))

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        q = law.scaled_power(s.S1, p.f_c * p.C, p.a, p.b)
        return {
            **water,
            "e_b": law.evaporation_bare(E, s.S1, p.C, p.m),
            "e_v": law.evaporation_wilting(p.m * E, s.S1, p.f_c * p.C),
            "q_e": water.liquid * law.full(s.S1, p.C),
            "q_s": (1 - p.r) * q,
            "q_r": p.r * q,
            "q_b": law.scaled_power(s.S2, 0.0, p.a, p.b),
        }


class SusannahBrook2(AbstractStructure):
    """Susannah Brook 2: an unsaturated zone above a water table that moves (MARRMoT m_10).

    Porosity and field capacity act only as their ratio. `c` is the outflow at 1 mm. Recharge of
    deep groundwater leaves the basin (the exchange `q_r`).

    References
    ----------
    Son, K., Sivapalan, M. (2007). Water Resour. Res. 43, W01415. doi:10.1029/2006WR005032
    """

    number = "m_10"
    parameters: tuple[Parameter, ...] = (
        CAPACITY,
        Parameter("phi", 0.05, 0.95, "1", "porosity"),
        FIELD,
        Parameter("r", 0, 1, "1", "share of outflow to deep groundwater"),
        Parameter("c", 0, 1, "1/d", "rate of outflow at 1 mm"),
        Parameter("d", 1, 5, "1", "exponent of outflow"),
    )
    snow_target = "S1"
    stores: tuple[Store, ...] = (
        Store("S1", "mm", "unsaturated zone", capacity="C"),
        Store("S2", "mm", "saturated zone", capacity="C"),
    )
    flows: tuple[Flow, ...] = (
        Flow("e_u", "S1", None),
        Flow("r_g", "S1", "S2"),
        Flow("x", "S1", "S2"),
        Flow("e_s", "S2", None),
        Flow("q_e", "S2", None),
        Flow("q_s", "S2", None),
        Flow("q_r", "S2", None),
    )
    exchanges: tuple[str, ...] = ("q_r",)
    outputs = (discharge_from("q_e", "q_s"), evaporation_from("e_u", "e_s"))
    smallest = 1.0  # mm, of the capacity of the unsaturated zone, for its smooth overflow

    def zones(self, s, u, p):
        """Return the fluxes of both zones but for outflow, and that of the front end."""
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        room = (p.C - s.S2) * p.f_c / p.phi
        r_g = water.liquid * law.full_to(s.S1, room, self.smallest)
        x = law.positive(s.S1 - room)
        return {
            **water,
            "e_u": law.evaporation_relative(E, s.S1, p.C),
            "r_g": r_g,
            "x": x,
            "e_s": law.evaporation_relative(E, s.S2, p.C),
            "q_e": (r_g + x) * law.full(s.S2, p.C),
        }

    def fluxes(self, s, u, p):
        q_s = self.law.power_law(s.S2, (1 - p.r) * p.c, p.d)
        return {**self.zones(s, u, p), "q_s": q_s, "q_r": self.law.power_law(s.S2, p.r * p.c, p.d)}


class Australia(SusannahBrook2):
    """Australia: as Susannah Brook 2, with groundwater below (MARRMoT m_19).

    Porosity and field capacity act only as their ratio.

    References
    ----------
    Farmer, D., Sivapalan, M., Jothityangkoon, C. (2003). Water Resour. Res. 39(2).
    doi:10.1029/2001WR000328
    """

    number = "m_19"
    parameters = (
        CAPACITY,
        Parameter("phi", 0.05, 0.95, "1", "porosity"),
        Parameter("f_c", 0.01, 1, "1", "field capacity"),
        Parameter("a", 0, 1, "1/d", "rate of subsurface flow at 1 mm"),
        EXPONENT,
        Parameter("k_d", 0, 1, "1/d", "rate of recharge"),
        Parameter("a_g", 0, 1, "1/d", "rate of baseflow at 1 mm"),
        Parameter("b_g", 1, 5, "1", "exponent of baseflow"),
    )
    stores = (*SusannahBrook2.stores, Store("S3", "mm", "groundwater"))
    flows = (
        *SusannahBrook2.flows[:-1],
        Flow("q_r", "S2", "S3"),
        Flow("q_b", "S3", None),
    )
    exchanges = ()
    outputs = (discharge_from("q_e", "q_s", "q_b"), evaporation_from("e_u", "e_s"))

    def fluxes(self, s, u, p):
        law = self.law
        return {
            **self.zones(s, u, p),
            "q_s": law.power_law(s.S2, p.a, p.b),
            "q_r": p.k_d * s.S2,
            "q_b": law.power_law(s.S3, p.a_g, p.b_g),
        }
