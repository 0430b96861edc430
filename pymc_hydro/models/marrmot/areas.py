"""VIC, LASCAM, Xinanjiang, HyMOD and Sacramento: areas that are saturated, zones that percolate."""

import math

from pymc_hydro.core import Flow, Parameter, Store, exp, log, piecewise, sin
from pymc_hydro.core.laws import TAU
from pymc_hydro.core.laws.structure import AbstractStructure, discharge_from, evaporation_from

__all__ = ["HymodRelative", "Lascam", "Sacramento", "Vic", "XinanjiangDouble"]

YEAR = 365.25  # d
TINY = 1e-12  # of a denominator or a base that may vanish
FULL = 1e-9  # of a capacity: the distance from full that is none
MOST = 1e9  # of the power of the relative content of an empty store
FASTEST = 1e8  # 1/d, of flow to or from what is beyond a threshold: a millisecond
SMALLEST = 0.00125  # mm, of a capacity
MOST_DEMAND = 1e5  # of the increase of percolation


def above_zero(x):
    """Return `x`, at least 1e-12."""
    return piecewise(x - TINY, x, TINY, continuity=0)


class Vic(AbstractStructure):
    """VIC: interception by season, an infiltration curve, two soils (MARRMoT m_22).

    `k_1` and `k_2` are the outflows of full stores.

    References
    ----------
    Liang, X., et al. (1994). J. Geophys. Res. 99(D7), 14415-14428. doi:10.1029/94JD00483
    Clark, M. P., et al. (2008). Water Resour. Res. 44, W00B02. doi:10.1029/2007WR006735
    """

    number = "m_22"
    parameters = (
        Parameter("I", 0.1, 5, "mm", "mean capacity of interception"),
        Parameter("delta", 0, 0.95, "1", "season of interception, as share of the mean"),
        Parameter("t_0", 1, 365, "d", "day of the year on which it rises through its mean"),
        Parameter("s", 1, 2000, "mm", "capacity of both soils"),
        Parameter("f", 0.01, 0.99, "1", "upper soil as share of both"),
        Parameter("b", 0, 10, "1", "shape of the infiltration curve"),
        Parameter("k_1", 0, 1, "mm/d", "percolation of a full upper soil"),
        Parameter("c_1", 0, 10, "1", "exponent of percolation"),
        Parameter("k_2", 0, 1, "mm/d", "baseflow of a full lower soil"),
        Parameter("c_2", 1, 5, "1", "exponent of baseflow"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "interception", capacity="I"),
        Store("S2", "mm", "upper soil", capacity=lambda p: p.f * p.s),
        Store("S3", "mm", "lower soil", capacity=lambda p: (1 - p.f) * p.s),
    )
    flows = (
        Flow("e_1", "S1", None),
        Flow("q_i", "S1", None),
        Flow("inf", "S1", "S2"),
        Flow("e_2", "S2", None),
        Flow("q_1", "S2", None),
        Flow("pc", "S2", "S3"),
        Flow("e_3", "S3", None),
        Flow("q_2", "S3", None),
        Flow("q_b", "S3", None),
    )
    outputs = (discharge_from("q_i", "q_1", "q_2", "q_b"), evaporation_from("e_1", "e_2", "e_3"))

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        canopy = p.I * (1 + p.delta * sin(2 * math.pi / YEAR * (u.day_of_year - p.t_0)))
        C2, C3 = p.f * p.s, (1 - p.f) * p.s
        through = water.liquid * law.full(s.S1, canopy) + law.positive(s.S1 - canopy) / TAU
        q_i = law.saturated_share(s.S2 / C2, p.b) * through
        e_1 = law.evaporation_relative(E, s.S1, canopy)
        e_2 = law.evaporation_relative(law.positive(E - e_1), s.S2, C2)
        pc = law.relative_power(s.S2, C2, p.k_1, p.c_1)
        return {
            **water,
            "e_1": e_1,
            "q_i": q_i,
            "inf": through - q_i,
            "e_2": e_2,
            "q_1": (through - q_i) * law.full(s.S2, C2),
            "pc": pc,
            "e_3": law.evaporation_relative(law.positive(E - e_1 - e_2), s.S3, C3),
            "q_2": pc * law.full(s.S3, C3),
            "q_b": law.relative_power(s.S3, C3, p.k_2, p.c_2),
        }


class Lascam(AbstractStructure):
    """LASCAM: near-stream, subsoil and deep stores with contributing areas (MARRMoT m_23).

    `b_g` is the share of rain that falls through. Of the 24 parameters many act in pairs.

    Notes
    -----
    With ``formulation="reference"``, as in MARRMoT, outflow `q_a` is a share and at most 1 mm/d,
    and recharge `r_a` is the smaller of a share and a rate.

    Recharge would begin with a jump at the threshold of the near-stream store, and infiltration end
    with one at the capacity of the deep store, where the subsoil is dry. Neither is more than 1e8 a
    day of what the store is beyond that content.

    References
    ----------
    Sivapalan, M., Ruprecht, J. K., Viney, N. R. (1996). Hydrol. Process. 10, 393-411.
    """

    number = "m_23"
    parameters = (
        Parameter("a_f", 0, 200, "mm/d", "infiltration of the subsoil"),
        Parameter("b_f", 0, 5, "1", "exponent of infiltration"),
        Parameter("s", 1, 2000, "mm", "capacity of all stores"),
        Parameter("x_a", 0.01, 0.99, "1", "near-stream store as share of all"),
        Parameter("x_f", 0.01, 0.99, "1", "subsoil as share of the rest"),
        Parameter("n_a", 0.01, 0.99, "1", "threshold of the near-stream store, a share"),
        Parameter("a_c", 0, 5, "1", "factor of the saturated area"),
        Parameter("b_c", 0, 10, "1", "exponent of the saturated area"),
        Parameter("a_s", 0, 5, "1", "factor of the area of subsurface saturation"),
        Parameter("b_s", 0, 10, "1", "exponent of the area of subsurface saturation"),
        Parameter("c", 0, 200, "mm/d", "infiltration capacity of the surface"),
        Parameter("a_g", 0, 5, "mm/d", "interception"),
        Parameter("b_g", 0, 1, "1", "share of throughfall"),
        Parameter("g_f", 0, 1, "1", "factor of subsoil evaporation"),
        Parameter("d_f", 0, 10, "1", "exponent of subsoil evaporation"),
        Parameter("r_d", 0, 1, "1/d", "rate of recharge from the subsoil"),
        Parameter("a_b", 0, 1, "1", "exponent of deep discharge"),
        Parameter("b_b", 0.01, 200, "mm/d", "factor of deep discharge"),
        Parameter("g_a", 0, 1, "1", "factor of near-stream evaporation"),
        Parameter("d_a", 0, 10, "1", "exponent of near-stream evaporation"),
        Parameter("a_a", 0.01, 200, "mm/d", "factor of near-stream outflow"),
        Parameter("b_a", 1, 5, "1", "exponent of near-stream outflow"),
        Parameter("g_b", 0, 1, "1", "factor of deep evaporation"),
        Parameter("d_b", 0, 10, "1", "exponent of deep evaporation"),
    )
    snow_target = "S2"
    stores = (
        Store("S1", "mm", "subsoil"),
        Store("S2", "mm", "near-stream store"),
        Store("S3", "mm", "deep store"),
    )
    flows = (
        Flow("e_i", "S2", None),
        Flow("q_se", "S2", None),
        Flow("q_ie", "S2", None),
        Flow("f_a", "S2", "S1"),
        Flow("e_f", "S1", None),
        Flow("r_f", "S1", "S3"),
        Flow("e_1", "S2", None),
        Flow("e_2", "S2", None),
        Flow("q_a", "S2", None),
        Flow("r_a", "S2", "S3"),
        Flow("q_b", "S3", "S2"),
        Flow("e_b", "S3", None),
    )
    outputs = (
        discharge_from("q_se", "q_ie", "q_a"),
        evaporation_from("e_i", "e_f", "e_1", "e_2", "e_b"),
    )

    def released(self, s, p, areas, infiltration, low, high):
        """Return outflow and recharge of the near-stream store, and the areas they come from."""
        law, (saturated, below) = self.law, areas
        if self.formulation == "reference":
            q_a = law.contributing_share(s.S2, low, high, p.a_a, p.b_a)
            return q_a, law.least(saturated, infiltration / TAU)
        x = law.positive(s.S2 - low) / (high - low)
        q_a = p.a_a * law.power(x, p.b_a) * law.full(s.S2, low)
        above = FASTEST * law.positive(s.S2 - low)
        return q_a, law.least(below * infiltration, s.S2 / TAU, above)

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        a_m = p.x_a * p.s
        f_m, b_m = p.x_f * (p.s - a_m), (1 - p.x_f) * (p.s - a_m)
        low = p.n_a * a_m
        saturated = law.contributing_share(s.S2, low, a_m, p.a_c, p.b_c)
        below = law.contributing_share(s.S2, low, a_m, p.a_s, p.b_s)
        rest = above_zero(1 - saturated)
        growth = -p.b_f * log(above_zero(s.S1 / f_m))
        most = math.log(MOST)
        dry = exp(piecewise(most - growth, growth, most, continuity=0))
        inside = law.positive(p.a_f * (1 - s.S3 / b_m)) * dry
        inside = law.least(inside, FASTEST * law.positive(b_m - s.S3))
        falling = p.b_g * water.liquid
        through = falling - law.least(falling, p.a_g)
        q_se = saturated * through
        down = law.least(through - q_se, p.c)
        q_a, r_a = self.released(s, p, (saturated, below), inside, low, a_m)
        deep = law.least(1.0, law.content(s.S3) / b_m)
        return {
            **water,
            "e_i": water.liquid - through,
            "q_se": q_se,
            "q_ie": through - q_se - down,
            "f_a": law.least(law.positive(down * law.least(1.0, (1 - below) / rest)), inside),
            "e_f": law.evaporation_power(E, s.S1, f_m, p.g_f, p.d_f),
            "r_f": p.r_d * s.S1,
            "e_1": law.evaporation(saturated * E, s.S2),
            "e_2": law.evaporation_power(E, s.S2, a_m, p.g_a, p.d_a),
            "q_a": q_a,
            "r_a": r_a,
            "q_b": p.b_b * (exp(p.a_b * deep) - 1),
            "e_b": law.evaporation_power(E, s.S3, b_m, p.g_b, p.d_b),
        }


class XinanjiangDouble(AbstractStructure):
    """Xinanjiang with a double Pareto distribution of capacities (MARRMoT m_28).

    The package's :class:`pymc_hydro.Xinanjiang` has another distribution and evaporation.

    References
    ----------
    Zhao, R. (1992). J. Hydrol. 135, 371-381. doi:10.1016/0022-1694(92)90096-E
    Jayawardena, A. W., Zhou, M. C. (2000). J. Hydrol. 227, 93-113.
    doi:10.1016/S0022-1694(99)00173-0
    """

    number = "m_28"
    parameters = (
        Parameter("aim", 0, 1, "1", "share of impervious ground"),
        Parameter("a", -0.49, 0.49, "1", "share at which the distribution turns, less one half"),
        Parameter("b", 0, 10, "1", "exponent of the distribution"),
        Parameter("s", 1, 2000, "mm", "capacity of tension and free water"),
        Parameter("f_w", 0.01, 0.99, "1", "tension water as share of both"),
        Parameter("f_l", 0.01, 0.99, "1", "content of full evaporation as share of tension water"),
        Parameter("c", 0.01, 0.99, "1", "smallest evaporation as share of the potential one"),
        Parameter("ex", 0, 10, "1", "exponent of free water"),
        Parameter("k_i", 0, 1, "1/d", "rate of interflow"),
        Parameter("k_g", 0, 1, "1/d", "rate of recharge"),
        Parameter("c_i", 0, 1, "1/d", "rate of routed interflow"),
        Parameter("c_g", 0, 1, "1/d", "rate of baseflow"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "tension water", capacity=lambda p: p.f_w * p.s),
        Store("S2", "mm", "free water", capacity=lambda p: (1 - p.f_w) * p.s),
        Store("S3", "mm", "interflow"),
        Store("S4", "mm", "groundwater"),
    )
    flows = (
        Flow("r_b", "S1", None),
        Flow("e", "S1", None),
        Flow("r", "S1", "S2"),
        Flow("r_s", "S2", None),
        Flow("r_i", "S2", "S3"),
        Flow("r_g", "S2", "S4"),
        Flow("q_i", "S3", None),
        Flow("q_g", "S4", None),
    )
    outputs = (discharge_from("r_b", "r_s", "q_i", "q_g"), evaporation_from("e"))

    def fluxes(self, s, u, p):
        water, law, tension = self.snow.fluxes(s, u, p), self.law, p.f_w * p.s
        share = law.double_saturated_share(s.S1 / tension, p.a, p.b)
        r = share * (1 - p.aim) * water.liquid
        h = law.saturated_share(s.S2 / ((1 - p.f_w) * p.s), p.ex)
        E = u.potential_evaporation
        return {
            **water,
            "r_b": p.aim * water.liquid,
            "e": law.evaporation_floor(E, s.S1, p.f_l * tension, p.c),
            "r": r,
            "r_s": h * r,
            "r_i": h * p.k_i * s.S2,
            "r_g": h * p.k_g * s.S2,
            "q_i": p.c_i * s.S3,
            "q_g": p.c_g * s.S4,
        }


class HymodRelative(AbstractStructure):
    """HyMOD with evaporation in proportion to the content of the soil (MARRMoT m_29).

    The package's :class:`pymc_hydro.Hymod` has other bounds and another evaporation.

    References
    ----------
    Wagener, T., et al. (2001). Hydrol. Earth Syst. Sci. 5, 13-26. doi:10.5194/hess-5-13-2001
    Boyle, D. P. (2000). PhD thesis, University of Arizona.
    """

    number = "m_29"
    parameters = (
        Parameter("C", 1, 2000, "mm", "capacity of the soil"),
        Parameter("b", 0, 10, "1", "shape of the distribution of capacities"),
        Parameter("a", 0, 1, "1", "share of runoff to the fast stores"),
        Parameter("k_f", 0, 1, "1/d", "rate of the fast stores"),
        Parameter("k_s", 0, 1, "1/d", "rate of the slow store"),
    )
    ordered = (("k_s", "k_f"),)
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "soil", capacity="C"),
        *(Store(f"S{i}", "mm", f"fast store {i - 1}") for i in (2, 3, 4)),
        Store("S5", "mm", "slow store"),
    )
    flows = (
        Flow("e", "S1", None),
        Flow("x_f", "S1", "S2"),
        Flow("x_s", "S1", "S5"),
        Flow("q_2", "S2", "S3"),
        Flow("q_3", "S3", "S4"),
        Flow("q_4", "S4", None),
        Flow("q_5", "S5", None),
    )
    outputs = (discharge_from("q_4", "q_5"), evaporation_from("e"))

    def fluxes(self, s, u, p):
        water, law = self.snow.fluxes(s, u, p), self.law
        x = law.saturated_share(s.S1 / p.C, p.b) * water.liquid
        return {
            **water,
            "e": law.evaporation_relative(u.potential_evaporation, s.S1, p.C),
            "x_f": p.a * x,
            "x_s": (1 - p.a) * x,
            "q_2": p.k_f * s.S2,
            "q_3": p.k_f * s.S3,
            "q_4": p.k_f * s.S4,
            "q_5": p.k_s * s.S5,
        }


class Sacramento(AbstractStructure):
    """Sacramento with capacities from shares of one depth (MARRMoT m_33).

    The package's :class:`pymc_hydro.SacSma` is the better declaration.

    Notes
    -----
    Water moves from the lower free stores to tension water until the relative contents are equal.
    With ``formulation="reference"``, as in MARRMoT, a sign is wrong, and the transfer does not
    vanish there. Percolation goes to the free stores by their relative distances from full; by the
    sizes of the distances, or there is a pole where one store is over-full and the other is not.

    References
    ----------
    Burnash, R. J. C. (1995) in Singh, V. P. (ed.), Computer Models of Watershed Hydrology, 311-366.
    Koren, V. I., Smith, M., Wang, D., Zhang, Z. (2000). 15th Conference on Hydrology, American
    Meteorological Society, 103-106.
    """

    number = "m_33"
    parameters = (
        Parameter("pct", 0, 1, "1", "share of impervious ground"),
        Parameter("s", 1, 2000, "mm", "capacity of all stores"),
        Parameter("f1", 0.005, 0.995, "1", "upper tension water as share of all"),
        Parameter("f2", 0.005, 0.995, "1", "upper free water as share of the rest"),
        Parameter("k_u", 0, 1, "1/d", "rate of interflow"),
        Parameter("rexp", 0, 7, "1", "exponent of percolation"),
        Parameter("f3", 0.005, 0.995, "1", "lower tension water as share of the rest"),
        Parameter("f4", 0.005, 0.995, "1", "primary free water as share of the rest"),
        Parameter("pf", 0, 1, "1", "share of percolation to free water"),
        Parameter("k_p", 0, 1, "1/d", "rate of primary baseflow"),
        Parameter("k_s", 0, 1, "1/d", "rate of supplemental baseflow"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "upper tension water"),
        Store("S2", "mm", "upper free water"),
        Store("S3", "mm", "lower tension water"),
        Store("S4", "mm", "lower primary free water"),
        Store("S5", "mm", "lower supplemental free water"),
    )
    flows = (
        Flow("q_d", "S1", None),
        Flow("r_u", "S2", "S1"),
        Flow("e_1", "S1", None),
        Flow("x", "S1", "S2"),
        Flow("q_s", "S2", None),
        Flow("q_i", "S2", None),
        Flow("e_2", "S2", None),
        Flow("pc_3", "S2", "S3"),
        Flow("pc_4", "S2", "S4"),
        Flow("pc_5", "S2", "S5"),
        Flow("e_3", "S3", None),
        Flow("y_4", "S3", "S4"),
        Flow("y_5", "S3", "S5"),
        Flow("u_4", "S4", "S3"),
        Flow("u_5", "S5", "S3"),
        Flow("q_p", "S4", None),
        Flow("q_b", "S5", None),
    )
    outputs = (
        discharge_from("q_d", "q_s", "q_i", "q_p", "q_b"),
        evaporation_from("e_1", "e_2", "e_3"),
    )

    def capacities(self, p):
        """Return the capacities of the five stores, mm."""
        left, found = p.s, []
        for share in (p.f1, p.f2, p.f3, p.f4):
            found.append(share * left)
            left = left - share * left
        return [piecewise(C - SMALLEST, C, SMALLEST, continuity=0) for C in (*found, left)]

    def percolation(self, s, p, C):
        """Return percolation, and its shares to primary and supplemental free water."""
        law, (_, C2, C3, C4, C5) = self.law, C
        base = above_zero(C4 * p.k_p + C5 * p.k_s)
        most = (C3 + C5 * (1 - p.k_s)) / base + C4 * (1 - p.k_p) / base
        empty = sum(law.positive(c - S) for c, S in ((C3, s.S3), (C4, s.S4), (C5, s.S5)))
        empty = empty / (C3 + C4 + C5)
        demand = 1 + law.least(MOST_DEMAND, most) * law.power(empty, 1 + p.rexp)
        pc = law.at_most(law.content(s.S2) / C2 * base * demand, law.content(s.S2))
        r4, r5 = (law.greatest(S / c - 1, 1 - S / c) for S, c in ((s.S4, C4), (s.S5, C5)))
        h4 = (r4 + FULL * C4 / (C4 + C5)) / (r4 + r5 + FULL)
        return pc, h4, 1 - h4

    def transfers(self, s, C):
        """Return the transfers from both free stores to tension water in the lower zone."""
        law, (_, _, C3, C4, C5) = self.law, C
        free, total, tension = s.S4 + s.S5, C4 + C5, s.S3 * (C4 + C5)
        sign = 1 if self.formulation == "reference" else -1
        share = (C3 * free + sign * tension) / (total * (C3 + total))
        share = share * (1 - law.full_to(s.S3 / C3, free / total, 1e-3))
        return s.S4 * share, s.S5 * share

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        C = C1, C2, C3, _, _ = self.capacities(p)
        e_1 = law.evaporation_relative(E, s.S1, C1)
        e_2 = law.evaporation(law.positive(E - e_1), s.S2)
        e_3 = law.evaporation_relative(law.positive(E - e_1 - e_2), s.S3, C3)
        x = (1 - p.pct) * water.liquid * law.full(s.S1, C1)
        pc, h4, h5 = self.percolation(s, p, C)
        y, (u_4, u_5) = (1 - p.pf) * pc * law.full(s.S3, C3), self.transfers(s, C)
        dry = 1 - law.full_to(s.S1 / C1, s.S2 / C2, 1e-3)
        return {
            **water,
            "q_d": p.pct * water.liquid,
            "r_u": (s.S2 * C1 - s.S1 * C2) / (C1 + C2) * dry,
            "e_1": e_1,
            "x": x,
            "q_s": x * law.full(s.S2, C2),
            "q_i": p.k_u * s.S2,
            "e_2": e_2,
            "pc_3": (1 - p.pf) * pc,
            "pc_4": h4 * p.pf * pc,
            "pc_5": h5 * p.pf * pc,
            "e_3": e_3,
            "y_4": h4 * y,
            "y_5": h5 * y,
            "u_4": u_4,
            "u_5": u_5,
            "q_p": p.k_p * s.S4,
            "q_b": p.k_s * s.S5,
        }
