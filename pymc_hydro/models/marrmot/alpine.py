"""Structures with snow: alpine models, HBV-96, NAM, GSM-SOCONT and ECHO."""

from pymc_hydro.core import Flow, Parameter, Store
from pymc_hydro.core.laws import hydrograph, triangular_curve
from pymc_hydro.core.laws.structure import AbstractStructure, discharge_from, evaporation_from

__all__ = ["Alpine1", "Alpine2", "Echo", "Hbv96", "Nam", "Socont"]

THRESHOLD = Parameter("T_t", -3, 5, "degC", "threshold of snowfall and melt")
FACTOR = Parameter("f_dd", 0, 20, "mm/(degC d)", "degree-day factor")
CAPACITY = Parameter("C", 1, 2000, "mm", "capacity of the soil")
SMALL = 0.01  # mm, of a store that counts as empty


class Alpine1(AbstractStructure):
    """Alpine 1: snow and a bucket (MARRMoT m_06).

    Notes
    -----
    Rain and melt spill from a full soil. With ``formulation="reference"``, as in MARRMoT, snowfall
    spills as well, although it is in the snow.

    References
    ----------
    Eder, G., Sivapalan, M., Nachtnebel, H. P. (2003). Hydrol. Process. 17, 2125-2149.
    """

    number = "m_06"
    parameters: tuple[Parameter, ...] = (
        THRESHOLD,
        FACTOR,
        CAPACITY,
        Parameter("k", 0, 1, "1/d", "rate of outflow"),
    )
    stores: tuple[Store, ...] = (Store("S1", "mm", "snow"), Store("S2", "mm", "soil", capacity="C"))
    flows: tuple[Flow, ...] = (
        Flow("P_s", None, "S1"),
        Flow("P_r", None, "S2"),
        Flow("melt", "S1", "S2"),
        Flow("e", "S2", None),
        Flow("q_e", "S2", None),
        Flow("q_s", "S2", None),
    )
    outputs = (discharge_from("q_e", "q_s"), evaporation_from("e"))

    def soil(self, s, u, p):
        """Return snow, melt, evaporation and spill."""
        law, P = self.law, u.precipitation
        P_s = law.snowfall(P, u.temperature, p.T_t)
        melt = law.melt(u.temperature, p.T_t, p.f_dd, s.S1)
        entering = (P if self.formulation == "reference" else P - P_s) + melt
        return {
            "P_s": P_s,
            "P_r": P - P_s,
            "melt": melt,
            "e": law.evaporation(u.potential_evaporation, s.S2),
            "q_e": entering * law.full(s.S2, p.C),
        }

    def fluxes(self, s, u, p):
        return {**self.soil(s, u, p), "q_s": p.k * s.S2}


class Alpine2(Alpine1):
    """Alpine 2: as Alpine 1, with interflow above field capacity and baseflow (MARRMoT m_12).

    ``formulation="reference"`` is that of :class:`Alpine1`.

    References
    ----------
    Eder, G., Sivapalan, M., Nachtnebel, H. P. (2003). Hydrol. Process. 17, 2125-2149.
    """

    number = "m_12"
    parameters = (
        THRESHOLD,
        FACTOR,
        CAPACITY,
        Parameter("f_c", 0.05, 0.95, "1", "field capacity as share of the capacity"),
        Parameter("k_i", 0, 1, "1/d", "rate of interflow"),
        Parameter("k_b", 0, 1, "1/d", "rate of baseflow"),
    )
    flows = (*Alpine1.flows[:-1], Flow("q_i", "S2", None), Flow("q_b", "S2", None))
    outputs = (discharge_from("q_e", "q_i", "q_b"), evaporation_from("e"))

    def fluxes(self, s, u, p):
        q_i = self.law.above(s.S2, p.f_c * p.C, p.k_i)
        return {**self.soil(s, u, p), "q_i": q_i, "q_b": p.k_b * s.S2}


class Hbv96(AbstractStructure):
    """HBV-96: snow that holds water, a soil store, two zones, a triangle (MARRMoT m_37).

    References
    ----------
    Lindstroem, G., et al. (1997). J. Hydrol. 201, 272-288. doi:10.1016/S0022-1694(97)00041-3
    """

    number = "m_37"
    parameters = (
        Parameter("T_t", -3, 5, "degC", "middle of the interval of rain and snow"),
        Parameter("w_t", 0.1, 17, "degC", "interval of rain and snow"),
        Parameter("T_m", -3, 3, "degC", "threshold of melt"),
        Parameter("r", 0, 1, "1", "refreezing as share of melt"),
        FACTOR,
        Parameter("w", 0, 1, "1", "water that snow holds, as share of it"),
        Parameter("c", 0, 4, "mm/d", "capillary rise to a dry soil"),
        Parameter("FC", 1, 2000, "mm", "field capacity"),
        Parameter("l", 0.05, 0.95, "1", "content of full evaporation as share of FC"),
        Parameter("beta", 0, 10, "1", "exponent of recharge"),
        Parameter("k_0", 0, 1, "1/d", "rate of fast flow at 1 mm"),
        Parameter("alpha", 0, 4, "1", "exponent of fast flow, less one"),
        Parameter("p", 0, 20, "mm/d", "percolation"),
        Parameter("k_1", 0, 1, "1/d", "rate of baseflow"),
        Parameter("b", 1, 120, "d", "base of the unit hydrograph"),
    )
    stores = (
        Store("S1", "mm", "snow"),
        Store("S2", "mm", "water in snow"),
        Store("S3", "mm", "soil", capacity="FC"),
        Store("S4", "mm", "upper zone"),
        Store("S5", "mm", "lower zone"),
    )
    flows = (
        Flow("P_s", None, "S1"),
        Flow("P_r", None, "S2"),
        Flow("melt", "S1", "S2"),
        Flow("refrozen", "S2", "S1"),
        Flow("through", "S2", "S3"),
        Flow("x", "S2", "S3"),
        Flow("cf", "S4", "S3"),
        Flow("e", "S3", None),
        Flow("rc", "S3", "S4"),
        Flow("q_0", "S4", None),
        Flow("pc", "S4", "S5"),
        Flow("q_1", "S5", None),
    )
    outputs = (discharge_from("q_0", "q_1"), evaporation_from("e"))
    routing = hydrograph("discharge", triangular_curve, lambda p: p.b, "routed by a triangle")
    smallest = 0.5  # mm, of the water that snow holds, for its smooth overflow

    def fluxes(self, s, u, p):
        law, P, T = self.law, u.precipitation, u.temperature
        P_s = law.snowfall_interval(P, T, p.T_t, p.w_t)
        melt, held = law.melt(T, p.T_m, p.f_dd, s.S1), p.w * s.S1
        through = (P - P_s + melt) * law.full_to(s.S2, held, self.smallest)
        x = law.positive(s.S2 - held)
        return {
            "P_s": P_s,
            "P_r": P - P_s,
            "melt": melt,
            "refrozen": law.refreezing(T, p.T_m, p.r * p.f_dd, s.S2),
            "through": through,
            "x": x,
            "cf": law.at_most(p.c * (1 - s.S3 / p.FC), s.S4),
            "e": law.evaporation_wilting(u.potential_evaporation, s.S3, p.l * p.FC),
            "rc": (through + x) * law.power(law.content(s.S3) / p.FC, p.beta),
            "q_0": law.power_law(s.S4, p.k_0, 1 + p.alpha),
            "pc": law.constant(s.S4, p.p),
            "q_1": p.k_1 * s.S5,
        }


class Nam(AbstractStructure):
    """NAM: overland flow and interflow that depend on the lower zone (MARRMoT m_41).

    Notes
    -----
    Overland flow and interflow are zero below their thresholds. With ``formulation="reference"``,
    as in MARRMoT, a smooth switch multiplies them: both are negative just below, and with a
    threshold near one the upper zone grows without bound.

    References
    ----------
    Nielsen, S. A., Hansen, E. (1973). Nord. Hydrol. 4, 171-190. doi:10.2166/nh.1973.0013
    """

    number = "m_41"
    parameters = (
        FACTOR,
        Parameter("c_i", 0, 1, "1/d", "rate of interflow"),
        Parameter("s", 1, 2000, "mm", "capacity of both zones"),
        Parameter("l_1", 0, 0.99, "1", "threshold of interflow, of the lower zone"),
        Parameter("f", 0.01, 0.99, "1", "lower zone as share of both"),
        Parameter("c_o", 0, 1, "1", "share of overland flow"),
        Parameter("l_2", 0, 0.99, "1", "threshold of overland flow, of the lower zone"),
        Parameter("k_0", 0, 1, "1/d", "rate of overland flow"),
        Parameter("k_1", 0, 1, "1/d", "rate of routed interflow"),
        Parameter("k_b", 0, 1, "1/d", "rate of baseflow"),
    )
    stores = (
        Store("S1", "mm", "snow"),
        Store("S2", "mm", "upper zone", capacity=lambda p: (1 - p.f) * p.s),
        Store("S3", "mm", "lower zone", capacity=lambda p: p.f * p.s),
        Store("S4", "mm", "overland flow"),
        Store("S5", "mm", "interflow"),
        Store("S6", "mm", "groundwater"),
    )
    flows = (
        Flow("P_s", None, "S1"),
        Flow("P_r", None, "S2"),
        Flow("melt", "S1", "S2"),
        Flow("e", "S2", None),
        Flow("i", "S2", "S5"),
        Flow("o", "S2", "S4"),
        Flow("d", "S2", "S3"),
        Flow("g", "S2", "S6"),
        Flow("e_l", "S3", None),
        Flow("q_0", "S4", None),
        Flow("q_1", "S5", None),
        Flow("q_b", "S6", None),
    )
    outputs = (discharge_from("q_0", "q_1", "q_b"), evaporation_from("e", "e_l"))

    def above(self, x, threshold):
        """Return the relative content above a threshold, from 0 to 1."""
        law = self.law
        if self.formulation == "reference":
            over = law.least(1.0, x) - threshold
            return over / (1 - threshold) * law.full_to(x, threshold, SMALL)
        return law.share((x - threshold) / (1 - threshold))

    def fluxes(self, s, u, p):
        law, P, T, E = self.law, u.precipitation, u.temperature, u.potential_evaporation
        P_s, melt = law.snowfall(P, T, 0.0), law.melt(T, 0.0, p.f_dd, s.S1)
        x = s.S3 / (p.f * p.s)
        spill = (P - P_s + melt) * law.full(s.S2, (1 - p.f) * p.s)
        o = p.c_o * spill * self.above(x, p.l_2)
        return {
            "P_s": P_s,
            "P_r": P - P_s,
            "melt": melt,
            "e": law.evaporation(E, s.S2),
            "i": p.c_i * s.S2 * self.above(x, p.l_1),
            "o": o,
            "d": (1 - x) * (spill - o),
            "g": x * (spill - o),
            "e_l": law.at_most(law.evaporation_below(x * E, s.S2, SMALL), s.S3),
            "q_0": p.k_0 * s.S4,
            "q_1": p.k_1 * s.S5,
            "q_b": p.k_b * s.S6,
        }


class Socont(AbstractStructure):
    """GSM-SOCONT: a glacier with snow, and ground beside it (MARRMoT m_43).

    Ice melt comes from outside of the stores (the exchange `G`).

    Notes
    -----
    Ice melt is in proportion to the share of the glacier, and rain on snow runs through the
    reservoir of snowmelt. With ``formulation="reference"``, as in MARRMoT, a basin without glacier
    melts ice, and rain on snow and on ice are exchanged.

    References
    ----------
    Schaefli, B., Hingray, B., Niggli, M., Musy, A. (2005). Hydrol. Earth Syst. Sci. 9, 95-109.
    doi:10.5194/hess-9-95-2005
    """

    number = "m_43"
    parameters = (
        Parameter("f", 0, 1, "1", "share of glacier"),
        Parameter("T_0", -3, 5, "degC", "threshold of snowfall"),
        Parameter("f_s", 0, 20, "mm/(degC d)", "degree-day factor of snow"),
        Parameter("T_m", -3, 3, "degC", "threshold of melt"),
        Parameter("k_s", 0, 1, "1/d", "rate of the snowmelt reservoir"),
        Parameter("f_i", 0, 20, "mm/(degC d)", "degree-day factor of ice"),
        Parameter("k_i", 0, 1, "1/d", "rate of the ice-melt reservoir"),
        Parameter("A", 1, 2000, "mm", "capacity of the soil"),
        Parameter("x", 0, 10, "1", "exponent of evaporation"),
        Parameter("y", 0, 5, "1", "exponent of quick flow"),
        Parameter("k_l", 0, 1, "1/d", "rate of slow flow"),
        Parameter("b", 0, 1, "1/d", "rate of quick flow at 1 mm"),
    )
    stores = (
        Store("S1", "mm", "snow on ice"),
        Store("S2", "mm", "snowmelt reservoir"),
        Store("S3", "mm", "ice-melt reservoir"),
        Store("S4", "mm", "snow beside the ice"),
        Store("S5", "mm", "soil", capacity="A"),
        Store("S6", "mm", "quick flow"),
    )
    flows = (
        Flow("P_s", None, "S1"),
        Flow("P_r", None, "S2"),
        Flow("P_i", None, "S3"),
        Flow("M", "S1", "S2"),
        Flow("G", None, "S3"),
        Flow("P_t", None, "S4"),
        Flow("P_l", None, "S5"),
        Flow("N", "S4", "S5"),
        Flow("v", "S5", "S6"),
        Flow("e", "S5", None),
        Flow("q_l", "S5", None),
        Flow("q_s", "S2", None),
        Flow("q_i", "S3", None),
        Flow("q_q", "S6", None),
    )
    exchanges = ("G",)
    outputs = (discharge_from("q_s", "q_i", "q_l", "q_q"), evaporation_from("e"))

    def fluxes(self, s, u, p):
        law, P, T, E = self.law, u.precipitation, u.temperature, u.potential_evaporation
        snow = law.snowfall(P, T, p.T_0)
        rain, bare = P - snow, law.empty(s.S1, SMALL)
        reference = self.formulation == "reference"
        P_r = p.f * rain * (bare if reference else 1 - bare)
        ice = 1.0 if reference else p.f
        N, P_l = law.melt(T, p.T_m, p.f_s, s.S4), (1 - p.f) * rain
        wet = law.content(s.S5) / p.A
        return {
            "P_s": p.f * snow,
            "P_r": P_r,
            "P_i": p.f * rain - P_r,
            "M": law.melt(T, p.T_m, p.f_s, s.S1),
            "G": ice * p.f_i * law.warmth(T, p.T_m) * bare,
            "P_t": (1 - p.f) * snow,
            "P_l": P_l,
            "N": N,
            "v": law.least(1.0, law.power(wet, p.y)) * (P_l + N),
            "e": law.evaporation_power(E, s.S5, p.A, 1.0, p.x),
            "q_l": p.k_l * s.S5,
            "q_s": p.k_s * s.S2,
            "q_i": p.k_i * s.S3,
            "q_q": law.power_law(s.S6, p.b, 5 / 3),
        }


class Echo(AbstractStructure):
    """ECHO: interception, snow that holds water and melts from below, infiltration (MARRMoT m_44).

    References
    ----------
    Schaefli, B., et al. (2014). Geosci. Model Dev. 7, 2733-2746. doi:10.5194/gmd-7-2733-2014
    """

    number = "m_44"
    parameters = (
        Parameter("rho", 0.1, 5, "mm", "capacity of interception"),
        Parameter("T_s", -3, 5, "degC", "threshold of snowfall"),
        Parameter("T_m", -3, 3, "degC", "threshold of melt"),
        FACTOR,
        Parameter("a", 0, 1, "1", "refreezing as share of melt"),
        Parameter("g", 0, 2, "mm/d", "melt by heat of the ground"),
        Parameter("t", 0, 1, "1", "water that snow holds, as share of it"),
        Parameter("phi", 0, 200, "mm/d", "largest infiltration"),
        CAPACITY,
        Parameter("f_m", 0.05, 0.95, "1", "content of full evaporation as share of C"),
        Parameter("f_w", 0.05, 0.95, "1", "wilting point as share of that content"),
        Parameter("k_s", 0, 1, "1/d", "rate of drainage at 1 mm"),
        Parameter("c", 0, 5, "1", "exponent of drainage"),
        Parameter("l", 0, 20, "mm/d", "largest slow flow"),
        Parameter("k_f", 0, 1, "1/d", "rate of fast flow"),
        Parameter("k_l", 0, 1, "1/d", "rate of slow flow"),
    )
    stores = (
        Store("S1", "mm", "interception", capacity="rho"),
        Store("S2", "mm", "snow"),
        Store("S3", "mm", "water in snow"),
        Store("S4", "mm", "soil", capacity="C"),
        Store("S5", "mm", "fast flow"),
        Store("S6", "mm", "slow flow"),
    )
    flows = (
        Flow("P_in", None, "S1"),
        Flow("e_i", "S1", None),
        Flow("P_s", "S1", "S2"),
        Flow("P_r", "S1", "S3"),
        Flow("melt", "S2", "S3"),
        Flow("refrozen", "S3", "S2"),
        Flow("G", "S2", "S3"),
        Flow("i", "S3", "S4"),
        Flow("r_h", "S3", None),
        Flow("e", "S4", None),
        Flow("r_d", "S4", None),
        Flow("l_s", "S4", "S6"),
        Flow("l_f", "S4", "S5"),
        Flow("q_f", "S5", None),
        Flow("q_l", "S6", None),
    )
    outputs = (discharge_from("r_h", "r_d", "q_f", "q_l"), evaporation_from("e_i", "e"))
    smallest = 0.5  # mm, of the water that snow holds, for its smooth overflow

    def fluxes(self, s, u, p):
        law, P, T, E = self.law, u.precipitation, u.temperature, u.potential_evaporation
        e_i, through = law.evaporation(E, s.S1), P * law.full(s.S1, p.rho)
        P_s, melt = law.snowfall(through, T, p.T_s), law.melt(T, p.T_m, p.f_dd, s.S2)
        P_r, held, G = through - P_s, p.t * s.S2, law.constant(s.S2, p.g)
        drained = (P_r + melt) * law.full_to(s.S3, held, self.smallest)
        leaving = drained + G + law.positive(s.S3 - held)
        i, full = law.least(leaving, p.phi), p.f_m * p.C
        L = law.power_law(s.S4, p.k_s, p.c)
        l_s = law.least(p.l, L)
        return {
            "P_in": P,
            "e_i": e_i,
            "P_s": P_s,
            "P_r": P_r,
            "melt": melt,
            "refrozen": law.refreezing(T, p.T_m, p.a * p.f_dd, s.S3),
            "G": G,
            "i": i,
            "r_h": leaving - i,
            "e": law.evaporation_ramp(E - e_i, s.S4, p.f_w * full, full),
            "r_d": i * law.full(s.S4, p.C),
            "l_s": l_s,
            "l_f": L - l_s,
            "q_f": p.k_f * s.S5,
            "q_l": p.k_l * s.S6,
        }
