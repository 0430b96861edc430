"""Wetland, hillslope and plateau of Savenije, and the Flex models: units of a landscape."""

from pymc_hydro.core import Flow, Parameter, Store, logistic
from pymc_hydro.core.laws import hydrograph, rising_curve
from pymc_hydro.core.laws.structure import AbstractStructure, discharge_from, evaporation_from

__all__ = ["FlexB", "FlexI", "FlexIS", "Hillslope", "Plateau", "Wetland"]

INTERCEPTION = Parameter("d", 0, 5, "mm/d", "interception of a day")
SHAPE = Parameter("b", 0, 10, "1", "shape of the distribution of soil depth")
CAPACITY = Parameter("C", 1, 2000, "mm", "capacity of the soil")
BASEFLOW = Parameter("k", 0, 1, "1/d", "rate of baseflow")
CAPILLARY = Parameter("c", 0, 4, "mm/d", "capillary rise")
SOIL = Store("S1", "mm", "soil", capacity="C")
GROUNDWATER = Store("S2", "mm", "groundwater")


class Wetland(AbstractStructure):
    """Wetland: a soil of variable depth that drains slowly (MARRMoT m_02).

    Interception is a threshold on the rate of rain, and evaporates at once: what a storm loses
    depends on the interval of the data. It does not lower the evaporation of the soil.

    References
    ----------
    Savenije, H. H. G. (2010). Hydrol. Earth Syst. Sci. 14, 2681-2692.
    doi:10.5194/hess-14-2681-2010
    """

    number = "m_02"
    parameters = (INTERCEPTION, SHAPE, CAPACITY, BASEFLOW)
    snow_target = "S1"
    stores = (SOIL,)
    flows = (
        Flow("e_i", "S1", None),
        Flow("e_w", "S1", None),
        Flow("q_s", "S1", None),
        Flow("q_g", "S1", None),
    )
    outputs = (discharge_from("q_s", "q_g"), evaporation_from("e_i", "e_w"))

    def fluxes(self, s, u, p):
        water, law = self.snow.fluxes(s, u, p), self.law
        through = water.liquid - law.least(water.liquid, p.d)
        return {
            **water,
            "e_i": water.liquid - through,
            "e_w": law.evaporation(u.potential_evaporation, s.S1),
            "q_s": law.saturated_share(s.S1 / p.C, p.b) * through,
            "q_g": p.k * s.S1,
        }


class Hillslope(AbstractStructure):
    """Hillslope: as the wetland, with groundwater and capillary rise (MARRMoT m_13).

    A share of runoff arrives by a triangular unit hydrograph.

    References
    ----------
    Savenije, H. H. G. (2010). Hydrol. Earth Syst. Sci. 14, 2681-2692.
    doi:10.5194/hess-14-2681-2010
    """

    number = "m_13"
    parameters = (
        INTERCEPTION,
        SHAPE,
        CAPACITY,
        Parameter("a", 0, 1, "1", "share of surface runoff"),
        Parameter("t_h", 1, 120, "d", "base of the unit hydrograph"),
        CAPILLARY,
        BASEFLOW,
    )
    snow_target = "S1"
    stores = (SOIL, GROUNDWATER)
    hydrographs = (hydrograph("H", rising_curve, lambda p: p.t_h, "a triangle that rises"),)
    flows = (
        Flow("e_i", "S1", None),
        Flow("e", "S1", None),
        Flow("q", "S1", "H"),
        Flow("r", "S1", "S2"),
        Flow("cr", "S2", "S1"),
        Flow("q_b", "S2", None),
        Flow("q_h", "H", None),
    )
    outputs = (discharge_from("q_h", "q_b"), evaporation_from("e_i", "e"))

    def fluxes(self, s, u, p):
        water, law = self.snow.fluxes(s, u, p), self.law
        through = water.liquid - law.least(water.liquid, p.d)
        runoff = law.saturated_share(s.S1 / p.C, p.b) * through
        return {
            **water,
            "e_i": water.liquid - through,
            "e": law.evaporation(u.potential_evaporation, s.S1),
            "q": p.a * runoff,
            "r": (1 - p.a) * runoff,
            "cr": law.constant(s.S2, p.c),
            "q_b": p.k * s.S2,
            "q_h": u.H,
        }


class Plateau(AbstractStructure):
    """Plateau: infiltration excess, deep percolation and capillary rise (MARRMoT m_15).

    Infiltration depends on the rate of rain alone. Where `f_m` exceeds the largest rain there is
    no surface runoff, and `t_p` has no effect.

    References
    ----------
    Savenije, H. H. G. (2010). Hydrol. Earth Syst. Sci. 14, 2681-2692.
    doi:10.5194/hess-14-2681-2010
    """

    number = "m_15"
    parameters = (
        Parameter("f_m", 0, 200, "mm/d", "largest infiltration"),
        INTERCEPTION,
        CAPACITY,
        Parameter("l", 0.05, 0.95, "1", "wilting point as share of the capacity"),
        Parameter("p", 0, 1, "1", "factor on evaporation"),
        Parameter("t_p", 1, 120, "d", "base of the unit hydrograph"),
        CAPILLARY,
        BASEFLOW,
    )
    snow_target = "S1"
    stores = (SOIL, GROUNDWATER)
    hydrographs = (hydrograph("H", rising_curve, lambda p: p.t_p, "a triangle that rises"),)
    flows = (
        Flow("e_i", "S1", None),
        Flow("q", "S1", "H"),
        Flow("e", "S1", None),
        Flow("r", "S1", "S2"),
        Flow("cr", "S2", "S1"),
        Flow("q_b", "S2", None),
        Flow("q_h", "H", None),
    )
    outputs = (discharge_from("q_h", "q_b"), evaporation_from("e_i", "e"))

    def fluxes(self, s, u, p):
        water, law = self.snow.fluxes(s, u, p), self.law
        through = water.liquid - law.least(water.liquid, p.d)
        inside = law.least(through, p.f_m)
        rise, low = law.constant(s.S2, p.c), p.l * p.C
        wet = law.positive(s.S1 - low) / (p.C - low)
        return {
            **water,
            "e_i": water.liquid - through,
            "q": through - inside,
            "e": law.at_most(p.p * u.potential_evaporation * wet, s.S1),
            "r": (inside + rise) * law.full(s.S1, p.C),
            "cr": rise,
            "q_b": p.k * s.S2,
            "q_h": u.H,
        }


class FlexB(AbstractStructure):
    """Flex-B: a logistic share of runoff, a lag each for fast and slow flow (MARRMoT m_21).

    Notes
    -----
    The default is the published share of runoff, which rises with the content of the soil.
    ``formulation="reference"`` has the other sign of MARRMoT: a wet soil takes up more rain.

    References
    ----------
    Fenicia, F., McDonnell, J. J., Savenije, H. H. G. (2008). Water Resour. Res. 44, W06419.
    doi:10.1029/2007WR006386
    """

    number = "m_21"
    parameters: tuple[Parameter, ...] = (
        CAPACITY,
        Parameter("beta", 0.01, 10, "1", "shape of the share of runoff"),
        Parameter("D", 0, 1, "1", "share of runoff to the slow store"),
        Parameter("p", 0, 20, "mm/d", "percolation from a full soil"),
        Parameter("l", 0.05, 0.95, "1", "content of full evaporation as share of the capacity"),
        Parameter("n_f", 1, 5, "d", "lag of the fast store"),
        Parameter("n_s", 1, 15, "d", "lag of the slow store"),
        Parameter("k_f", 0, 1, "1/d", "rate of the fast store"),
        Parameter("k_s", 0, 1, "1/d", "rate of the slow store"),
    )
    ordered = (("k_s", "k_f"),)
    snow_target: str | None = "S1"
    stores: tuple[Store, ...] = (
        Store("S1", "mm", "soil", capacity="C"),
        Store("S2", "mm", "fast store"),
        Store("S3", "mm", "slow store"),
    )
    hydrographs = (
        hydrograph("H_f", rising_curve, lambda p: p.n_f, "a triangle that rises"),
        hydrograph("H_s", rising_curve, lambda p: p.n_s, "a triangle that rises"),
    )
    outputs = (discharge_from("q_f", "q_s"), evaporation_from("e"))

    def __init__(self, **options):
        soil, fast, slow = (store.name for store in self.stores[-3:])
        self.flows = (
            *self.above,
            Flow("e", soil, None),
            Flow("r_f", soil, "H_f"),
            Flow("r_s", soil, "H_s"),
            Flow("p_s", soil, "H_s"),
            Flow("h_f", "H_f", fast),
            Flow("h_s", "H_s", slow),
            Flow("q_f", fast, None),
            Flow("q_s", slow, None),
        )
        super().__init__(**options)

    above: tuple[Flow, ...] = ()

    def soil(self, s, u, p, rain):
        """Return the fluxes of the soil and of the stores below it."""
        law = self.law
        S, fast, slow = (s[store.name] for store in self.stores[-3:])
        z = S / p.C
        if self.formulation == "reference":
            runoff = rain - rain * logistic((z + 1 / 2) / p.beta)
        else:
            runoff = rain * logistic((z - 1 / 2) / p.beta)
        return {
            "e": law.evaporation_wilting(u.potential_evaporation, S, p.l * p.C),
            "r_f": (1 - p.D) * runoff,
            "r_s": p.D * runoff,
            "p_s": law.at_most(p.p * z, S),
            "h_f": u.H_f,
            "h_s": u.H_s,
            "q_f": p.k_f * fast,
            "q_s": p.k_s * slow,
        }

    def fluxes(self, s, u, p):
        water = self.snow.fluxes(s, u, p)
        return {**water, **self.soil(s, u, p, water.liquid)}


class FlexI(FlexB):
    """Flex-I: as Flex-B, with interception (MARRMoT m_26).

    Interception and soil evaporate the full potential evaporation each. ``formulation="reference"``
    is that of :class:`FlexB`.

    References
    ----------
    Fenicia, F., McDonnell, J. J., Savenije, H. H. G. (2008). Water Resour. Res. 44, W06419.
    doi:10.1029/2007WR006386
    """

    number = "m_26"
    parameters: tuple[Parameter, ...] = (
        *FlexB.parameters,
        Parameter("I", 0.1, 5, "mm", "capacity of interception"),
    )
    stores: tuple[Store, ...] = (
        Store("S1", "mm", "interception", capacity="I"),
        Store("S2", "mm", "soil", capacity="C"),
        Store("S3", "mm", "fast store"),
        Store("S4", "mm", "slow store"),
    )
    above: tuple[Flow, ...] = (Flow("x", "S1", "S2"), Flow("e_i", "S1", None))
    outputs = (discharge_from("q_f", "q_s"), evaporation_from("e_i", "e"))

    def fluxes(self, s, u, p):
        water = self.snow.fluxes(s, u, p)
        x = water.liquid * self.law.full(s.S1, p.I)
        e_i = self.law.evaporation(u.potential_evaporation, s.S1)
        return {**water, "x": x, "e_i": e_i, **self.soil(s, u, p, x)}


class FlexIS(FlexI):
    """Flex-IS: as Flex-I, with snow (MARRMoT m_34).

    ``formulation="reference"`` is that of :class:`FlexB`.

    References
    ----------
    Nijzink, R., et al. (2016). Hydrol. Earth Syst. Sci. 20, 4775-4799.
    doi:10.5194/hess-20-4775-2016
    """

    number = "m_34"
    parameters = (
        *FlexI.parameters,
        Parameter("T_t", -3, 5, "degC", "threshold of snowfall and melt"),
        Parameter("f_dd", 0, 20, "mm/(degC d)", "degree-day factor"),
    )
    snow_target = None
    stores = (
        Store("S1", "mm", "snow"),
        Store("S2", "mm", "interception", capacity="I"),
        Store("S3", "mm", "soil", capacity="C"),
        Store("S4", "mm", "fast store"),
        Store("S5", "mm", "slow store"),
    )
    above = (
        Flow("P_s", None, "S1"),
        Flow("P_r", None, "S2"),
        Flow("melt", "S1", "S2"),
        Flow("x", "S2", "S3"),
        Flow("e_i", "S2", None),
    )

    def fluxes(self, s, u, p):
        law, P = self.law, u.precipitation
        P_s = law.snowfall(P, u.temperature, p.T_t)
        melt = law.melt(u.temperature, p.T_t, p.f_dd, s.S1)
        x = (P - P_s + melt) * law.full(s.S2, p.I)
        e_i = law.evaporation(u.potential_evaporation, s.S2)
        snow = {"P_s": P_s, "P_r": P - P_s, "melt": melt}
        return {**snow, "x": x, "e_i": e_i, **self.soil(s, u, p, x)}
