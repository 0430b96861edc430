"""Structures with a deficit: the content of such a store is minus the deficit."""

from pymc_hydro.core import Flow, Parameter, Store, exp, logistic, piecewise
from pymc_hydro.core.laws import delayed, exponential_curve, hydrograph
from pymc_hydro.core.laws.structure import AbstractStructure, discharge_from, evaporation_from

__all__ = ["Classic", "Ihacres", "Penman", "Thames", "Topmodel", "UnitedStates"]

SMALL = 0.01  # mm, of a store that counts as empty
ABSENT = 1e-3  # mm, of both zones together, below which their shares lose their meaning
NO_ROOM = 1e-6  # mm, of a capacity that vanishes


class Ihacres(AbstractStructure):
    """IHACRES: a catchment moisture deficit and two exponential hydrographs (MARRMoT m_05).

    `t_q` and `t_s` are bases of seven e-foldings, not residence times. Discharge is piecewise
    linear in the delay `t_d`.

    References
    ----------
    Croke, B. F. W., Jakeman, A. J. (2004). Environ. Model. Softw. 19, 1-5.
    doi:10.1016/j.envsoft.2003.09.001
    Ye, W., et al. (1997). Water Resour. Res. 33, 153-166. doi:10.1029/96WR02840
    """

    number = "m_05"
    parameters = (
        Parameter("l", 1, 2000, "mm", "deficit below which evaporation is potential"),
        Parameter("d", 1, 2000, "mm", "deficit above which no flow arises"),
        Parameter("p", 0, 10, "1", "exponent of effective rain"),
        Parameter("alpha", 0, 1, "1", "share of quick flow"),
        Parameter("t_q", 1, 700, "d", "base of the quick hydrograph"),
        Parameter("t_s", 1, 700, "d", "base of the slow hydrograph"),
        Parameter("t_d", 0, 119, "d", "delay"),
    )
    ordered = (("t_q", "t_s"),)
    snow_target = "S1"
    stores = (Store("S1", "mm", "minus the moisture deficit", 0.0, signed=True),)
    hydrographs = (
        hydrograph("H_q", exponential_curve, lambda p: p.t_q, "exponential"),
        hydrograph("H_s", exponential_curve, lambda p: p.t_s, "exponential"),
        delayed("H_d", lambda p: p.t_d, "delayed"),
    )
    flows = (
        Flow("e", "S1", None),
        Flow("u_q", "S1", "H_q"),
        Flow("u_s", "S1", "H_s"),
        Flow("x_q", "H_q", "H_d"),
        Flow("x_s", "H_s", "H_d"),
        Flow("q", "H_d", None),
    )
    outputs = (discharge_from("q"), evaporation_from("e"))

    def fluxes(self, s, u, p):
        water, law = self.snow.fluxes(s, u, p), self.law
        dry = law.least(1.0, law.power(law.positive(-s.S1) / p.d, p.p))
        effective = water.liquid * (1 - dry)
        return {
            **water,
            "e": law.evaporation_deficit(u.potential_evaporation, -s.S1, p.l),
            "u_q": p.alpha * effective,
            "u_s": (1 - p.alpha) * effective,
            "x_q": u.H_q,
            "x_s": u.H_s,
            "q": u.H_d,
        }


class UnitedStates(AbstractStructure):
    """United States 1: a water table that leaves less room above it (MARRMoT m_08).

    The overflow `r` is a share of all rain, also of the part that is intercepted.

    References
    ----------
    Bai, Y., Wagener, T., Reed, P. (2009). Environ. Model. Softw. 24, 901-916.
    doi:10.1016/j.envsoft.2008.12.012
    """

    number = "m_08"
    parameters = (
        Parameter("a_i", 0, 1, "1", "share of rain that is intercepted"),
        Parameter("m", 0.05, 0.95, "1", "share of forest"),
        Parameter("C", 1, 2000, "mm", "capacity of the soil"),
        Parameter("f", 0.05, 0.95, "1", "field capacity as share of the capacity"),
        Parameter("k", 0, 1, "1/d", "rate of subsurface flow"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "unsaturated zone", capacity="C"),
        Store("S2", "mm", "saturated zone", capacity="C"),
    )
    flows = (
        Flow("e_i", "S1", None),
        Flow("e_v", "S1", None),
        Flow("e_b", "S1", None),
        Flow("r", "S1", "S2"),
        Flow("x", "S1", "S2"),
        Flow("h_v", "S2", None),
        Flow("h_b", "S2", None),
        Flow("q_e", "S2", None),
        Flow("q_s", "S2", None),
    )
    outputs = (discharge_from("q_e", "q_s"), evaporation_from("e_i", "e_v", "e_b", "h_v", "h_b"))

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        total = s.S1 + s.S2
        share = s.S1 / piecewise(total - ABSENT, total, ABSENT, continuity=0)
        unfilled = p.C - s.S2
        room = p.f * unfilled
        above = piecewise(room - NO_ROOM, room, NO_ROOM, continuity=0)
        left = piecewise(unfilled - NO_ROOM, unfilled, NO_ROOM, continuity=0)
        forest, bare = share * p.m * E, share * (1 - p.m) * E
        r, x = water.liquid * law.full_to(s.S1, room, 1.0), law.positive(s.S1 - room)
        return {
            **water,
            "e_i": p.a_i * water.liquid,
            "e_v": law.evaporation_wilting(forest, s.S1, above),
            "e_b": law.evaporation_relative(bare, s.S1, left),
            "r": r,
            "x": x,
            "h_v": law.evaporation_relative(p.m * E, s.S2, p.C),
            "h_b": law.evaporation_bare(E, s.S2, p.C, p.m),
            "q_e": (r + x) * law.full(s.S2, p.C),
            "q_s": p.k * s.S2,
        }


class Topmodel(AbstractStructure):
    """TOPMODEL: the saturated area of a gamma-distributed topographic index (MARRMoT m_14).

    At no deficit the saturated share is Q(phi, phi), which is below one half: the saturated zone
    never covers the whole basin, and its deficit may become negative.

    References
    ----------
    Beven, K. J., Kirkby, M. J. (1979). Hydrol. Sci. Bull. 24, 43-69.
    doi:10.1080/02626667909491834
    Sivapalan, M., Beven, K., Wood, E. F. (1987). Water Resour. Res. 23, 2266-2278.
    doi:10.1029/WR023i012p02266
    """

    number = "m_14"
    parameters = (
        Parameter("C", 1, 2000, "mm", "capacity of the unsaturated zone"),
        Parameter("s_t", 0.05, 0.95, "1", "field capacity as share of the capacity"),
        Parameter("k_d", 0, 1, "mm/d", "drainage from a full unsaturated zone"),
        Parameter("q_0", 0.1, 200, "mm/d", "baseflow at no deficit"),
        Parameter("f", 0, 1, "1/mm", "decay of baseflow with the deficit"),
        Parameter("chi", 1, 7.5, "1", "scale of the topographic index"),
        Parameter("phi", 0.1, 5, "1", "shape of the topographic index"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "unsaturated zone", capacity="C"),
        Store("S2", "mm", "minus the deficit of the saturated zone", 0.0, signed=True),
    )
    flows = (
        Flow("q_o", "S1", None),
        Flow("e", "S1", None),
        Flow("q_x", "S1", None),
        Flow("q_v", "S1", "S2"),
        Flow("q_b", "S2", None),
    )
    outputs = (discharge_from("q_o", "q_x", "q_b"), evaporation_from("e"))

    def fluxes(self, s, u, p):
        water, law, low = self.snow.fluxes(s, u, p), self.law, p.s_t * p.C
        q_o = law.gamma_share(-p.f * s.S2, p.phi, p.chi) * water.liquid
        return {
            **water,
            "q_o": q_o,
            "e": law.evaporation_wilting(u.potential_evaporation, s.S1, low),
            "q_x": (water.liquid - q_o) * law.full(s.S1, p.C),
            "q_v": p.k_d * law.positive(s.S1 - low) / (p.C - low),
            "q_b": p.q_0 * exp(p.f * s.S2),
        }


class Penman(AbstractStructure):
    """Penman: a root zone and a deficit below that evaporates when the root zone is dry (m_17).

    MARRMoT m_17. With exact kinks the deficit slides along 0.0095 mm in every storm, in small
    steps; a `width` avoids that.

    References
    ----------
    Penman, H. L. (1950). J. Soil Sci. 1, 74-89. doi:10.1111/j.1365-2389.1950.tb00720.x
    """

    number = "m_17"
    parameters = (
        Parameter("C", 1, 2000, "mm", "capacity of the root zone"),
        Parameter("phi", 0, 1, "1", "share of direct flow"),
        Parameter("g", 0, 1, "1", "share of evaporation from below"),
        Parameter("k", 0, 1, "1/d", "rate of the routing store"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "root zone", capacity="C"),
        Store("S2", "mm", "minus the deficit of the lower zone", 0.0, signed=True),
        Store("S3", "mm", "routing"),
    )
    flows = (
        Flow("e", "S1", None),
        Flow("u_1", "S1", "S3"),
        Flow("r", "S1", "S2"),
        Flow("e_t", "S2", None),
        Flow("u_2", "S2", "S3"),
        Flow("q", "S3", None),
    )
    outputs = (discharge_from("q"), evaporation_from("e", "e_t"))

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        x = water.liquid * law.full(s.S1, p.C)
        r = (1 - p.phi) * x
        return {
            **water,
            "e": law.evaporation(E, s.S1),
            "u_1": p.phi * x,
            "r": r,
            "e_t": law.evaporation_below(p.g * E, s.S1, SMALL),
            "u_2": r * law.empty(-s.S2, SMALL),
            "q": p.k * s.S3,
        }


class Thames(AbstractStructure):
    """Thames Catchment Model: a deficit, and groundwater that is pumped (MARRMoT m_25).

    The abstraction is a rate here, and a share of the mean precipitation of the record in MARRMoT.
    It leaves the basin (the exchange `x_a`). If it exceeds recharge, groundwater falls for ever.

    References
    ----------
    Moore, R. J., Bell, V. A. (2001). Environment Agency R&D Technical Report W242.
    """

    number = "m_25"
    parameters = (
        Parameter("phi", 0, 1, "1", "share of preferential recharge"),
        Parameter("r_c", 1, 2000, "mm", "capacity of the root zone"),
        Parameter("g", 0, 1, "1", "share of evaporation from below"),
        Parameter("k_1", 0, 1, "1/d", "rate of percolation"),
        Parameter("a", 0, 10, "mm/d", "abstraction", default=0.5),
        Parameter("k_2", 0, 1, "1/(mm d)", "rate of baseflow at 1 mm"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "root zone", capacity="r_c"),
        Store("S2", "mm", "minus the deficit of the lower zone", 0.0, signed=True),
        Store("S3", "mm", "percolation"),
        Store("S4", "mm", "groundwater", signed=True),
    )
    flows = (
        Flow("e_p", "S1", None),
        Flow("pb", "S1", "S3"),
        Flow("e", "S1", None),
        Flow("x_1", "S1", "S2"),
        Flow("e_t", "S2", None),
        Flow("x_2", "S2", "S3"),
        Flow("q_u", "S3", "S4"),
        Flow("x_a", "S4", None),
        Flow("q", "S4", None),
    )
    exchanges = ("x_a",)
    outputs = (discharge_from("q"), evaporation_from("e_p", "e", "e_t"))

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        e_p = law.least(water.liquid, E)
        net = water.liquid - e_p
        x_1 = (1 - p.phi) * net * law.full(s.S1, p.r_c)
        above = logistic(s.S4 / (0.1 if law.width else SMALL))
        return {
            **water,
            "e_p": e_p,
            "pb": p.phi * net,
            "e": law.evaporation(E, s.S1),
            "x_1": x_1,
            "e_t": law.evaporation_below(p.g * E, s.S1, SMALL),
            "x_2": x_1 * law.empty(-s.S2, SMALL),
            "q_u": p.k_1 * s.S3,
            "x_a": p.a,
            "q": law.at_most(p.k_2 * s.S4 * s.S4, s.S4) * above,
        }


class Classic(AbstractStructure):
    """CLASSIC: permeable, semi-permeable and impermeable ground (MARRMoT m_46).

    Only the products f_p d_p and f_q d_q have an effect.

    Notes
    -----
    With ``formulation="reference"``, as in MARRMoT, the evaporation `e_5` depends on the content
    above in place of the deficit, which then grows without bound, and the share of impermeable
    ground reduces its rain twice.

    References
    ----------
    Crooks, S. M., Naden, P. S. (2007). Hydrol. Earth Syst. Sci. 11, 516-531.
    doi:10.5194/hess-11-516-2007
    """

    number = "m_46"
    parameters = (
        Parameter("f_a", 0, 1, "1", "share of permeable ground"),
        Parameter("f_p", 0.01, 0.99, "1", "share of permeable depth above"),
        Parameter("d_p", 1, 2000, "mm", "permeable depth"),
        Parameter("c_q", 0, 1, "1/d", "rate of permeable routing"),
        Parameter("d_1", 0, 1, "1", "share of semi-permeable rain to the soil"),
        Parameter("t_f", 0, 1, "1", "semi-permeable share of the rest of the ground"),
        Parameter("f_q", 0.01, 0.99, "1", "share of semi-permeable depth above"),
        Parameter("d_q", 1, 2000, "mm", "semi-permeable depth"),
        Parameter("d_2", 0, 1, "1", "share of semi-permeable quick flow"),
        Parameter("c_xq", 0, 1, "1/d", "rate of semi-permeable quick flow"),
        Parameter("c_xs", 0, 1, "1/d", "rate of semi-permeable slow flow"),
        Parameter("c_u", 0, 1, "1/d", "rate of impermeable ground"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "permeable ground, upper", capacity=lambda p: p.f_p * p.d_p),
        Store("S2", "mm", "minus the deficit of permeable ground", 0.0, signed=True),
        Store("S3", "mm", "permeable routing"),
        Store("S4", "mm", "semi-permeable ground, upper", capacity=lambda p: p.f_q * p.d_q),
        Store("S5", "mm", "minus the deficit of semi-permeable ground", 0.0, signed=True),
        Store("S6", "mm", "semi-permeable quick flow"),
        Store("S7", "mm", "semi-permeable slow flow"),
        Store("S8", "mm", "impermeable ground"),
    )
    flows = (
        Flow("P_n", "S1", "S4"),
        Flow("P_q", "S1", "S6"),
        Flow("P_d", "S1", "S7"),
        Flow("P_i", "S1", "S8"),
        Flow("e_1", "S1", None),
        Flow("x_1", "S1", "S2"),
        Flow("e_2", "S2", None),
        Flow("u_2", "S2", "S3"),
        Flow("q_3", "S3", None),
        Flow("e_4", "S4", None),
        Flow("x_4", "S4", "S5"),
        Flow("e_5", "S5", None),
        Flow("u_q", "S5", "S6"),
        Flow("u_s", "S5", "S7"),
        Flow("q_6", "S6", None),
        Flow("q_7", "S7", None),
        Flow("e_i", "S8", None),
        Flow("q_8", "S8", None),
    )
    outputs = (
        discharge_from("q_3", "q_6", "q_7", "q_8"),
        evaporation_from("e_1", "e_2", "e_4", "e_5", "e_i"),
    )
    loss = 0.5  # mm/d, of rain on impermeable ground

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        P, reference = water.liquid, self.formulation == "reference"
        permeable, semi = p.f_a, (1 - p.f_a) * p.t_f
        hard = 1 - permeable - semi
        above, beside = p.f_p * p.d_p, p.f_q * p.d_q
        e_1, e_4 = law.evaporation(permeable * E, s.S1), law.evaporation(semi * E, s.S4)
        x_1 = permeable * P * law.full(s.S1, above)
        x_4 = p.d_1 * semi * P * law.full(s.S4, beside)
        u_5 = x_4 * law.empty(-s.S5, SMALL)
        if reference:
            runoff = hard * hard * P - law.least(hard * hard * P, self.loss)
        else:
            runoff = hard * (P - law.least(P, self.loss))
        dry = s.S4 if reference else -s.S5
        direct = (1 - p.d_1) * semi * P
        return {
            **water,
            "P_n": p.d_1 * semi * P,
            "P_q": p.d_2 * direct,
            "P_d": (1 - p.d_2) * direct,
            "P_i": hard * P,
            "e_1": e_1,
            "x_1": x_1,
            "e_2": law.evaporation_exponential(permeable * E - e_1, -s.S2, above),
            "u_2": x_1 * law.empty(-s.S2, SMALL),
            "q_3": p.c_q * s.S3,
            "e_4": e_4,
            "x_4": x_4,
            "e_5": law.evaporation_exponential(semi * E - e_4, dry, beside),
            "u_q": p.d_2 * u_5,
            "u_s": (1 - p.d_2) * u_5,
            "q_6": p.c_xq * s.S6,
            "q_7": p.c_xs * s.S7,
            "e_i": hard * P - runoff,
            "q_8": p.c_u * s.S8,
        }
