"""SIMHYD, GSFB, MODHYDROLOG, HYCYMODEL and PRMS: interception, infiltration, many stores."""

from pymc_hydro.core import Flow, Parameter, Store, exp, piecewise
from pymc_hydro.core.laws import TAU
from pymc_hydro.core.laws.structure import AbstractStructure, discharge_from, evaporation_from

__all__ = ["Gsfb", "Hycymodel", "Modhydrolog", "Prms", "Simhyd"]

CANOPY = Parameter("C1", 0.1, 5, "mm", "capacity of interception")
INFILTRATION = (
    Parameter("c", 0, 600, "mm/d", "infiltration of a dry soil"),
    Parameter("q", 0, 15, "1", "decay of infiltration"),
    Parameter("C", 1, 2000, "mm", "capacity of the soil"),
    Parameter("s", 0, 1, "1", "share of interflow of a full soil"),
    Parameter("r", 0, 1, "1", "share of recharge of a full soil"),
)
NO_ROOM = 1e-6  # mm, of a depression that is full


class Simhyd(AbstractStructure):
    """SIMHYD: infiltration, interflow and recharge by the content of the soil (MARRMoT m_18).

    A soil evaporates 10 mm/d at most. Where `c` exceeds the largest rain, `c` and `q` have little
    effect.

    References
    ----------
    Chiew, F. H. S., Peel, M. C., Western, A. W. (2002) in Singh, V. P., Frevert, D. (eds.),
    Mathematical Models of Small Watershed Hydrology and Applications, 335-367.
    """

    number = "m_18"
    parameters: tuple[Parameter, ...] = (
        CANOPY,
        *INFILTRATION,
        Parameter("k", 0, 1, "1/d", "rate of baseflow"),
    )
    snow_target = "S1"
    stores: tuple[Store, ...] = (
        Store("S1", "mm", "interception", capacity="C1"),
        Store("S2", "mm", "soil", capacity="C"),
        Store("S3", "mm", "groundwater"),
    )
    flows: tuple[Flow, ...] = (
        Flow("e_i", "S1", None),
        Flow("q_s", "S1", None),
        Flow("q_i", "S1", None),
        Flow("rec", "S1", "S3"),
        Flow("m", "S1", "S2"),
        Flow("e", "S2", None),
        Flow("g", "S2", "S3"),
        Flow("q_b", "S3", None),
    )
    outputs = (discharge_from("q_s", "q_i", "q_b"), evaporation_from("e_i", "e"))
    limit = 10.0  # mm/d, of evaporation of the soil

    def above_ground(self, s, u, p):
        """Return interception, what runs off, and the division of infiltration."""
        water, law = self.snow.fluxes(s, u, p), self.law
        x, z = water.liquid * law.full(s.S1, p.C1), s.S2 / p.C
        i = law.infiltration(x, z, p.c, p.q)
        q_i = p.s * z * i
        rec = p.r * z * (i - q_i)
        e_i = law.evaporation(u.potential_evaporation, s.S1)
        divided = {"q_i": q_i, "rec": rec, "m": i - q_i - rec}
        return {**water, "e_i": e_i, **divided}, x - i

    def fluxes(self, s, u, p):
        law, (upper, q_s) = self.law, self.above_ground(s, u, p)
        return {
            **upper,
            "q_s": q_s,
            "e": law.evaporation_limited(u.potential_evaporation, s.S2, p.C, self.limit),
            "g": upper["m"] * law.full(s.S2, p.C),
            "q_b": p.k * s.S3,
        }


class Modhydrolog(Simhyd):
    """MODHYDROLOG: SIMHYD with depressions, a channel and a river that loses (MARRMoT m_36).

    Groundwater may lie below the river, which then feeds it. It also exchanges water with deep
    ground (the exchange `seep`), without limit if `l` is above its level. `m` is nearly one.

    References
    ----------
    Chiew, F. H. S., McMahon, T. A. (1994). J. Hydrol. 153, 383-416.
    doi:10.1016/0022-1694(94)90200-3
    """

    number = "m_36"
    parameters = (
        CANOPY,
        *INFILTRATION,
        Parameter("e_m", 0, 20, "mm/d", "largest evaporation of a full soil"),
        Parameter("d_c", 0.1, 50, "mm", "capacity of depressions"),
        Parameter("a", 0, 1, "1", "share of the ground that has depressions"),
        Parameter("b_m", 0.99, 1, "1", "decay of the inflow of depressions (m)"),
        Parameter("v", 0, 0.5, "1/d", "rate of exchange with deep ground"),
        Parameter("l", -10, 10, "mm", "level of deep ground"),
        Parameter("k_1", 0, 1, "1/d", "rate of exchange with the river"),
        Parameter("k_2", 0, 1, "mm/d", "largest further exchange with the river"),
        Parameter("k_3", 0, 100, "1/mm", "rise of the further exchange"),
    )
    stores = (
        Store("S1", "mm", "interception", capacity="C1"),
        Store("S2", "mm", "soil", capacity="C"),
        Store("S3", "mm", "depressions", capacity="d_c"),
        Store("S4", "mm", "groundwater", signed=True),
        Store("S5", "mm", "channel"),
    )
    flows = (
        Flow("e_i", "S1", None),
        Flow("trap", "S1", "S3"),
        Flow("s_r", "S1", "S5"),
        Flow("q_i", "S1", "S5"),
        Flow("rec", "S1", "S4"),
        Flow("m", "S1", "S2"),
        Flow("e", "S2", None),
        Flow("g", "S2", "S4"),
        Flow("di", "S3", "S2"),
        Flow("e_d", "S3", None),
        Flow("seep", "S4", None),
        Flow("river", "S4", "S5"),
        Flow("q_c", "S5", None),
    )
    exchanges = ("seep",)
    outputs = (discharge_from("q_c"), evaporation_from("e_i", "e", "e_d"))

    def fluxes(self, s, u, p):
        law, E, (upper, run) = self.law, u.potential_evaporation, self.above_ground(s, u, p)
        room = law.positive(p.d_c - s.S3)
        some = piecewise(room - NO_ROOM, room, NO_ROOM, continuity=0)
        trap = law.least(p.a * exp(-p.b_m * s.S3 / some) * run, room / TAU)
        unmet = law.positive(p.c * exp(-p.q * s.S2 / p.C) - upper["m"])
        size = piecewise(s.S4, s.S4, -s.S4, continuity=0)
        rate = p.k_1 * size + p.k_2 * (1 - exp(-p.k_3 * size))
        river = piecewise(s.S4, rate, -rate, continuity=0)
        s_r = run - trap
        return {
            **upper,
            "trap": trap,
            "s_r": s_r,
            "e": law.evaporation_limited(E, s.S2, p.C, p.e_m),
            "g": upper["m"] * law.full(s.S2, p.C),
            "di": p.a * law.at_most(unmet, s.S3),
            "e_d": law.evaporation(p.a * E, s.S3),
            "seep": p.v * (s.S4 - p.l),
            "river": law.greatest(river, -s_r),
            "q_c": s.S5 / TAU,
        }


class Gsfb(AbstractStructure):
    """GSFB: a surface store, a subsurface store and a lower one that drains upwards (MARRMoT m_20).

    The lower store loses nothing else: in a wet climate it grows for ever.

    Notes
    -----
    Infiltration is zero below its threshold. With ``formulation="reference"``, as in MARRMoT, a
    smooth switch multiplies it: just below it is negative, and may draw both lower stores below
    zero.

    References
    ----------
    Nathan, R. J., McMahon, T. A. (1990). Civ. Eng. Trans. CE32, 157-166.
    Ye, W., et al. (1997). Water Resour. Res. 33, 153-166. doi:10.1029/96WR02840
    """

    number = "m_20"
    parameters = (
        Parameter("c", 0, 1, "1/d", "rate of recharge of the surface store from below"),
        Parameter("n", 0.05, 0.95, "1", "threshold of infiltration as share of C"),
        Parameter("C", 1, 2000, "mm", "capacity of the surface store"),
        Parameter("e_m", 0, 20, "mm/d", "largest evaporation at the threshold"),
        Parameter("f", 0, 200, "mm/d", "largest infiltration"),
        Parameter("b", 0, 1, "1", "share of baseflow"),
        Parameter("k", 0, 1, "1/d", "rate of the subsurface store"),
        Parameter("s_d", 1, 300, "mm", "threshold of baseflow"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "surface store", capacity="C"),
        Store("S2", "mm", "subsurface store", signed=True),
        Store("S3", "mm", "lower store", signed=True),
    )
    flows = (
        Flow("e", "S1", None),
        Flow("q_s", "S1", None),
        Flow("i", "S1", "S2"),
        Flow("q_b", "S2", None),
        Flow("dp", "S2", "S3"),
        Flow("up", "S3", "S1"),
    )
    outputs = (discharge_from("q_s", "q_b"), evaporation_from("e"))

    def fluxes(self, s, u, p):
        water, law, low = self.snow.fluxes(s, u, p), self.law, p.n * p.C
        above = s.S1 - low
        above = above if self.formulation == "reference" else law.positive(above)
        return {
            **water,
            "e": law.evaporation_limited(u.potential_evaporation, s.S1, low, p.e_m),
            "q_s": water.liquid * law.full(s.S1, p.C),
            "i": law.at_most(p.f, above) * law.full(s.S1, low),
            "q_b": law.above(s.S2, p.s_d, p.b * p.k),
            "dp": (1 - p.b) * p.k * s.S2,
            "up": p.c * s.S3 * (1 - law.share(s.S1 / low)),
        }


class Hycymodel(AbstractStructure):
    """HYCYMODEL: canopy, trunks, soil with a log-normal area, three ways to the river (m_42).

    MARRMoT m_42. Evaporation of the channel is taken from what flows in it.

    References
    ----------
    Fukushima, Y. (1988). Hydrol. Process. 2, 167-185.
    """

    number = "m_42"
    parameters = (
        Parameter("c", 0, 1, "1", "share of the channel's area"),
        Parameter("I", 0.1, 5, "mm", "capacity of interception"),
        Parameter("a", 0, 1, "1", "share of throughfall to trunks"),
        Parameter("f", 0.01, 0.99, "1", "share of interception of trunks"),
        Parameter("k_i", 0, 1, "1/d", "rate of percolation"),
        Parameter("D50", 1, 2000, "mm", "median of the depth of the soil"),
        Parameter("f16", 0.01, 0.99, "1", "16 % quantile of the depth as share of D50"),
        Parameter("s_b", 1, 2000, "mm", "content of full evaporation of groundwater"),
        Parameter("k_b", 0, 1, "1/d", "rate of baseflow at 1 mm"),
        Parameter("p_b", 1, 5, "1", "exponent of baseflow"),
        Parameter("k_h", 0, 1, "1/d", "rate of the hillslope at 1 mm"),
        Parameter("k_c", 0, 1, "1/d", "rate of the channel at 1 mm"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "canopy", capacity=lambda p: (1 - p.f) * p.I),
        Store("S2", "mm", "trunks", capacity=lambda p: p.f * p.I),
        Store("S3", "mm", "soil"),
        Store("S4", "mm", "groundwater"),
        Store("S5", "mm", "hillslope"),
        Store("S6", "mm", "channel"),
    )
    flows = (
        Flow("r_c", "S1", "S6"),
        Flow("e_1", "S1", None),
        Flow("x", "S1", "S3"),
        Flow("y", "S1", "S2"),
        Flow("e_2", "S2", None),
        Flow("z", "S2", "S3"),
        Flow("r_e", "S3", "S5"),
        Flow("e_3", "S3", None),
        Flow("q_in", "S3", "S4"),
        Flow("e_4", "S4", None),
        Flow("q_b", "S4", "S6"),
        Flow("q_h", "S5", "S6"),
        Flow("e_5", "S6", None),
        Flow("q", "S6", None),
    )
    outputs = (discharge_from("q"), evaporation_from("e_1", "e_2", "e_3", "e_4", "e_5"))

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        P, ground = water.liquid, (1 - p.c) * E
        x = (1 - p.c) * P * law.full(s.S1, (1 - p.f) * p.I)
        z = p.a * x * law.full(s.S2, p.f * p.I)
        e_3 = law.evaporation(ground, s.S3)
        wet = law.least(1.0, s.S4 / p.s_b)
        q_b = law.power_law(s.S4, p.k_b, p.p_b)
        q_h = law.power_law(s.S5, p.k_h, 5 / 3)
        total = q_b + q_h + law.power_law(s.S6, p.k_c, 5 / 3)
        q = law.positive(total - p.c * E)
        return {
            **water,
            "r_c": p.c * P,
            "e_1": law.evaporation(ground, s.S1),
            "x": (1 - p.a) * x,
            "y": p.a * x,
            "e_2": law.evaporation(ground, s.S2),
            "z": z,
            "r_e": ((1 - p.a) * x + z) * law.lognormal_share(s.S3, p.D50, 1 / p.f16),
            "e_3": e_3,
            "q_in": p.k_i * s.S3,
            "e_4": law.at_most((ground - e_3) * wet, s.S4),
            "q_b": q_b,
            "q_h": q_h,
            "e_5": total - q,
            "q": q,
        }


class Prms(AbstractStructure):
    """PRMS: snow, interception, impervious ground, two soils, two lower stores (MARRMoT m_45).

    Water of the sink of groundwater leaves the basin (the exchange `x_s`).

    References
    ----------
    Leavesley, G. H., et al. (1983). USGS Water-Resources Investigations Report 83-4238.
    Markstrom, S. L., et al. (2015). USGS Techniques and Methods 6-B7. doi:10.3133/tm6B7
    """

    number = "m_45"
    parameters = (
        Parameter("T_t", -3, 5, "degC", "threshold of snowfall and melt"),
        Parameter("f_dd", 0, 20, "mm/(degC d)", "degree-day factor"),
        Parameter("alpha", 0, 1, "1", "share of rain on soil that is intercepted"),
        Parameter("beta", 0, 1, "1", "share of soil"),
        Parameter("st", 0.1, 5, "mm", "capacity of interception"),
        Parameter("ret", 0.1, 50, "mm", "capacity of impervious ground"),
        Parameter("f_s", 0, 1, "1", "smallest contributing area as share of the largest"),
        Parameter("c_x", 0, 1, "1", "largest contributing area"),
        Parameter("f", 0.005, 0.995, "1", "lower soil as share of the soil"),
        Parameter("s", 1, 2000, "mm", "capacity of the soil"),
        Parameter("c_g", 0, 20, "mm/d", "largest percolation to groundwater"),
        Parameter("R", 1, 300, "mm", "reference content of the subsurface store"),
        Parameter("k_1", 0, 1, "mm/d", "drainage at the reference content"),
        Parameter("k_2", 1, 5, "1", "exponent of drainage"),
        Parameter("k_3", 0, 1, "1/d", "rate of subsurface flow"),
        Parameter("k_4", 0, 1, "1/(mm d)", "rate of subsurface flow by content"),
        Parameter("k_5", 0, 1, "1/d", "rate of baseflow"),
        Parameter("k_6", 0, 1, "1/d", "rate of the sink"),
    )
    stores = (
        Store("S1", "mm", "snow"),
        Store("S2", "mm", "interception", capacity="st"),
        Store("S3", "mm", "impervious ground", capacity="ret"),
        Store("S4", "mm", "upper soil", capacity=lambda p: (1 - p.f) * p.s),
        Store("S5", "mm", "lower soil", capacity=lambda p: p.f * p.s),
        Store("S6", "mm", "subsurface store"),
        Store("S7", "mm", "groundwater"),
    )
    flows = (
        Flow("P_s", None, "S1"),
        Flow("p_im", None, "S3"),
        Flow("p_in", None, "S2"),
        Flow("p_by", None, "S4"),
        Flow("m_im", "S1", "S3"),
        Flow("m_sm", "S1", "S4"),
        Flow("e_in", "S2", None),
        Flow("tf", "S2", "S4"),
        Flow("e_im", "S3", None),
        Flow("sas", "S3", None),
        Flow("sro", "S4", None),
        Flow("e_a", "S4", None),
        Flow("pc", "S4", "S5"),
        Flow("e_t", "S5", None),
        Flow("sep", "S5", "S7"),
        Flow("q_r", "S5", "S6"),
        Flow("gad", "S6", "S7"),
        Flow("ras", "S6", None),
        Flow("bas", "S7", None),
        Flow("x_s", "S7", None),
    )
    exchanges = ("x_s",)
    outputs = (
        discharge_from("sas", "sro", "ras", "bas"),
        evaporation_from("e_in", "e_im", "e_a", "e_t"),
    )

    def surface(self, s, u, p):
        """Return the fluxes above the soil, and what reaches the soil."""
        law, P, T, E = self.law, u.precipitation, u.temperature, u.potential_evaporation
        P_s, melt = law.snowfall(P, T, p.T_t), law.melt(T, p.T_t, p.f_dd, s.S1)
        rain = P - P_s
        p_in, p_by = p.alpha * p.beta * rain, (1 - p.alpha) * p.beta * rain
        hard, tf = (1 - p.beta) * (rain + melt), p_in * law.full(s.S2, p.st)
        fluxes = {
            "P_s": P_s,
            "p_im": (1 - p.beta) * rain,
            "p_in": p_in,
            "p_by": p_by,
            "m_im": (1 - p.beta) * melt,
            "m_sm": p.beta * melt,
            "e_in": law.evaporation(p.beta * E, s.S2),
            "tf": tf,
            "e_im": law.evaporation((1 - p.beta) * E, s.S3),
            "sas": hard * law.full(s.S3, p.ret),
        }
        return fluxes, p.beta * melt + tf + p_by

    def fluxes(self, s, u, p):
        law, (surface, reached) = self.law, self.surface(s, u, p)
        X, Y, smallest = (1 - p.f) * p.s, p.f * p.s, p.f_s * p.c_x
        sro = (smallest + (p.c_x - smallest) * s.S4 / X) * reached
        pc = (reached - sro) * law.full(s.S4, X)
        ex = pc * law.full(s.S5, Y)
        sep, wet = law.least(p.c_g, ex), law.content(s.S6)
        left = u.potential_evaporation - surface["e_in"] - surface["e_im"]
        e_a = law.evaporation_relative(left, s.S4, X)
        below = (left - e_a) * (1 - law.full_to(s.S4, left, 1.0))
        return {
            **surface,
            "sro": sro,
            "e_a": e_a,
            "pc": pc,
            "e_t": law.evaporation_relative(below, s.S5, Y),
            "sep": sep,
            "q_r": ex - sep,
            "gad": p.k_1 * law.power(wet / p.R, p.k_2),
            "ras": law.least(wet, p.k_3 * wet + p.k_4 * wet * wet),
            "bas": p.k_5 * s.S7,
            "x_s": p.k_6 * s.S7,
        }
