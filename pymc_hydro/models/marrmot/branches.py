"""Structures of tanks, channels and hydrographs: Tank, GR4J, MCRM, SMAR and Forellenbach."""

from pymc_hydro.core import Flow, Parameter, Store, UnitHydrograph, exp, logistic, piecewise
from pymc_hydro.core.laws import (
    TAU,
    full_curve,
    gamma_curve,
    half_curve,
    hydrograph,
    triangular_curve,
    uniform_curve,
)
from pymc_hydro.core.laws.structure import AbstractStructure, discharge_from, evaporation_from

__all__ = ["Forellenbach", "GR4JDelayed", "Midlands", "Smar", "Tank", "TankSoil"]

TANK = 4 / 9  # of percolation of GR4J
LARGEST = 50.0  # of the argument of an exponential whose minimum with a share is taken
ALL_BUT_ONE = 1 - 1e-12  # so that a base of whole days has no empty ordinate


def _rates(names, description):
    """Return parameters of rates from 0 to 1 per day."""
    return tuple(Parameter(n, 0, 1, "1/d", f"{description} {n}") for n in names)


class GR4JDelayed(AbstractStructure):
    """GR4J with its unit hydrographs between the stores (MARRMoT m_07).

    The package's :class:`pymc_hydro.GR4J` has reservoirs in place of them.

    Notes
    -----
    With ``formulation="reference"``, as in MARRMoT, the hydrograph of the direct branch is twice as
    long and loses its falling limb, with 12 to 50 % of the branch.

    References
    ----------
    Perrin, C., Michel, C., Andreassian, V. (2003). J. Hydrol. 279, 275-289.
    doi:10.1016/S0022-1694(03)00225-7
    Santos, L., Thirel, G., Perrin, C. (2018). Geosci. Model Dev. 11, 1591-1605.
    doi:10.5194/gmd-11-1591-2018
    """

    number = "m_07"
    parameters = (
        Parameter("x1", 1, 2000, "mm", "capacity of the production store"),
        Parameter("x2", -20, 20, "mm/d", "groundwater exchange"),
        Parameter("x3", 1, 300, "mm", "reference capacity of the routing store"),
        Parameter("x4", 0.5, 15, "d", "time base of the delays"),
    )
    snow_target = "S1"
    exchanges = ("g", "x_d")
    stores = (
        Store("S1", "mm", "production store", capacity="x1"),
        Store("S2", "mm", "routing store", capacity="x3"),
    )
    flows = (
        Flow("e_f", "S1", None),
        Flow("e_s", "S1", None),
        Flow("r_9", "S1", "H_9"),
        Flow("r_1", "S1", "H_1"),
        Flow("q_9", "H_9", "S2"),
        Flow("g", None, "S2"),
        Flow("q_r", "S2", None),
        Flow("q_1", "H_1", None),
        Flow("x_d", None, None),
    )
    outputs = (discharge_from("q_r", "q_1", "x_d"), evaporation_from("e_f", "e_s"))

    def __init__(self, *, formulation: str = "default", **options):
        routed = hydrograph("H_9", half_curve, lambda p: p.x4, "GR4J's routed branch")
        direct = hydrograph("H_1", full_curve, lambda p: p.x4, "GR4J's direct branch", reach=2.0)
        if formulation == "reference":
            direct = hydrograph(
                "H_1", full_curve, lambda p: 2 * p.x4, "direct branch, cut", reach=ALL_BUT_ONE
            )
        self.hydrographs = (routed, direct)
        super().__init__(formulation=formulation, **options)

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        e_f = law.least(water.liquid, E)
        P_n, E_n = water.liquid - e_f, E - e_f
        z = s.S1 / p.x1
        P_s = law.share(1 - z * z) * P_n
        r = P_n - P_s + p.x1 / 4 * TANK**4 * z**5
        x = s.S2 / p.x3
        g = p.x2 * law.power(law.positive(x), 3.5)
        return {
            **water,
            "e_f": e_f,
            "e_s": z * law.positive(2 - z) * E_n,
            "r_9": 0.9 * r,
            "r_1": 0.1 * r,
            "q_9": u.H_9,
            "g": g,
            "q_r": p.x3 / 4 * x**5,
            "q_1": u.H_1,
            "x_d": law.positive(u.H_1 + g) - u.H_1,
        }


class Tank(AbstractStructure):
    """Tank: four tanks in a column, the upper ones with side outlets (MARRMoT m_27).

    Evaporation takes from the upper tank first. Where `a_1` or `f_a` is zero, five rates are.

    References
    ----------
    Sugawara, M. (1995) in Singh, V. P. (ed.), Computer Models of Watershed Hydrology, 165-214.
    """

    number = "m_27"
    parameters: tuple[Parameter, ...] = (
        *_rates(("a_0", "b_0", "c_0", "a_1"), "rate of the outlet"),
        Parameter("f_a", 0, 1, "1", "rate a_2 as share of a_1"),
        Parameter("f_b", 0, 1, "1", "rate b_1 as share of a_2"),
        Parameter("f_c", 0, 1, "1", "rate c_1 as share of b_1"),
        Parameter("f_d", 0, 1, "1", "rate d_1 as share of c_1"),
        Parameter("s_t", 1, 2000, "mm", "sum of the thresholds"),
        Parameter("f_2", 0.01, 0.99, "1", "lower threshold of the first tank, a share"),
        Parameter("f_1", 0.01, 0.99, "1", "upper threshold of the first tank, a share"),
        Parameter("f_3", 0.01, 0.99, "1", "threshold of the second tank, a share"),
    )
    snow_target = "S1"
    stores: tuple[Store, ...] = tuple(Store(f"S{i}", "mm", f"tank {i}") for i in (1, 2, 3, 4))
    flows: tuple[Flow, ...] = (
        *(Flow(f"e_{i}", f"S{i}", None) for i in (1, 2, 3, 4)),
        Flow("f_12", "S1", "S2"),
        Flow("f_23", "S2", "S3"),
        Flow("f_34", "S3", "S4"),
        Flow("y_1", "S1", None),
        Flow("y_2", "S1", None),
        Flow("y_3", "S2", None),
        Flow("y_4", "S3", None),
        Flow("y_5", "S4", None),
    )
    outputs = (
        discharge_from("y_1", "y_2", "y_3", "y_4", "y_5"),
        evaporation_from("e_1", "e_2", "e_3", "e_4"),
    )

    def tanks(self, s, u, p, lowest, beside):
        """Return the fluxes of the tanks.

        `lowest` is the threshold of drainage of the first tank, and `beside` the capacity of a
        second soil, or None.
        """
        law = self.law
        a_2 = p.f_a * p.a_1
        b_1 = p.f_b * a_2
        c_1 = p.f_c * b_1
        t_2 = lowest + p.f_2 * (p.s_t - lowest)
        t_1 = t_2 + p.f_1 * (p.s_t - t_2)
        s_2 = beside * (p.s_t - t_1)
        t_3 = p.f_3 * (p.s_t - t_1 - s_2)
        t_4 = p.s_t - t_1 - s_2 - t_3
        left, losses = u.potential_evaporation, {}
        for i in (1, 2, 3, 4):
            losses[f"e_{i}"] = law.evaporation(left, s[f"S{i}"])
            left = left - losses[f"e_{i}"]  # which is never above it
        return s_2, {
            **losses,
            "f_23": p.b_0 * s.S2,
            "f_34": p.c_0 * s.S3,
            "y_1": law.above(s.S1, t_1, p.a_1),
            "y_2": law.above(s.S1, t_2, a_2),
            "y_3": law.above(s.S2, t_3, b_1),
            "y_4": law.above(s.S3, t_4, c_1),
            "y_5": p.f_d * c_1 * s.S4,
        }

    def fluxes(self, s, u, p):
        _, tanks = self.tanks(s, u, p, 0.0, 0.0)
        return {**self.snow.fluxes(s, u, p), **tanks, "f_12": p.a_0 * s.S1}


class TankSoil(Tank):
    """Tank with soil moisture: a second soil store beside the first tank (MARRMoT m_38).

    References
    ----------
    Sugawara, M. (1995) in Singh, V. P. (ed.), Computer Models of Watershed Hydrology, 165-214.
    """

    number = "m_38"
    parameters = (
        *Tank.parameters,
        Parameter("k_1", 0, 4, "mm/d", "capillary rise to an empty first tank"),
        Parameter("k_2", 0, 4, "mm/d", "exchange of both soils"),
        Parameter("z_1", 0.01, 0.99, "1", "soil moisture of the first tank, a share"),
        Parameter("z_2", 0.01, 0.99, "1", "capacity of the second soil, a share"),
    )
    stores = (*Tank.stores, Store("S5", "mm", "second soil"))
    flows = (*Tank.flows, Flow("rise", "S2", "S1"), Flow("v", "S1", "S5"))

    def fluxes(self, s, u, p):
        law, s_1 = self.law, p.z_1 * p.s_t
        s_2, tanks = self.tanks(s, u, p, s_1, p.z_2)
        rise = law.at_most(p.k_1 * (1 - s.S1 / s_1) * law.room(s.S1, s_1), s.S2)
        return {
            **self.snow.fluxes(s, u, p),
            **tanks,
            "f_12": law.above(s.S1, s_1, p.a_0),
            "rise": rise,
            "v": p.k_2 * (s.S1 / s_1 - s.S5 / s_2),
        }


class Midlands(AbstractStructure):
    """Midlands Catchment Runoff Model: a channel with a flood plain (MARRMoT m_39).

    The soil may be drier than zero.

    References
    ----------
    Moore, R. J., Bell, V. A. (2001). Environment Agency R&D Technical Report W242.
    """

    number = "m_39"
    parameters = (
        Parameter("C1", 0.1, 5, "mm", "capacity of interception"),
        Parameter("c_m", 0.01, 0.99, "1", "largest share of rapid runoff"),
        Parameter("c_t", 0.01, 0.99, "1", "smallest share of rapid runoff, as share of c_m"),
        Parameter("c_1", 0, 2, "1/mm", "rise of rapid runoff with the soil"),
        Parameter("c_e", 0, 1, "1/mm", "rise of evaporation with the soil"),
        Parameter("d", 1, 2000, "mm", "threshold of direct runoff"),
        Parameter("k_d", 0, 1, "1/d", "rate of direct runoff"),
        Parameter("g_d", 1, 5, "1", "exponent of direct runoff"),
        Parameter("q_p", 0, 20, "mm/d", "largest percolation"),
        Parameter("k_g", 0, 1, "1/d", "rate of baseflow at 1 mm"),
        Parameter("t", 1, 120, "d", "base of the unit hydrograph"),
        Parameter("s_b", 1, 300, "mm", "capacity of the channel"),
        Parameter("k_c", 0, 1, "1/d", "rate of the channel at 1 mm"),
        Parameter("g_c", 1, 5, "1", "exponent of the channel"),
        Parameter("k_o", 0, 1, "1/d", "rate of the flood plain at 1 mm"),
        Parameter("g_o", 1, 5, "1", "exponent of the flood plain"),
    )
    snow_target = "S1"
    stores = (
        Store("S1", "mm", "interception", capacity="C1"),
        Store("S2", "mm", "soil", signed=True),
        Store("S3", "mm", "groundwater"),
        Store("S4", "mm", "channel", capacity="s_b"),
        Store("S5", "mm", "flood plain"),
    )
    hydrographs = (hydrograph("H", uniform_curve, lambda p: p.t, "uniform"),)
    flows = (
        Flow("e_c", "S1", None),
        Flow("x", "S1", "S2"),
        Flow("q_r", "S2", "H"),
        Flow("e_r", "S2", None),
        Flow("q_d", "S2", "H"),
        Flow("pc", "S2", "S3"),
        Flow("q_b", "S3", "H"),
        Flow("q_u", "H", "S4"),
        Flow("o", "S4", "S5"),
        Flow("q_c", "S4", None),
        Flow("q_o", "S5", None),
    )
    outputs = (discharge_from("q_c", "q_o"), evaporation_from("e_c", "e_r"))

    def channel(self, S, k, g):
        """Return the outflow of the channel or the flood plain, at most 3/4 in a day."""
        law, y = self.law, self.law.content(S)
        return law.least(0.75 * y / TAU, k * law.power(y, g))

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        e_c, x = law.evaporation(E, s.S1), water.liquid * law.full(s.S1, p.C1)
        rise = p.c_1 * s.S2
        rise = piecewise(LARGEST - rise, rise, LARGEST, continuity=0)
        lowest, wet = p.c_t * p.c_m, law.positive(s.S2)
        return {
            **water,
            "e_c": e_c,
            "x": x,
            "q_r": law.least(p.c_m, lowest + lowest * exp(rise)) * x,
            "e_r": (E - e_c) * logistic(p.c_e * s.S2),
            "q_d": law.above_power(s.S2, p.d, p.k_d, p.g_d),
            "pc": law.at_most(p.q_p * law.least(1.0, wet / p.d), wet),
            "q_b": law.power_law(s.S3, p.k_g, 1.5),
            "q_u": u.H,
            "o": u.H * law.full(s.S4, p.s_b),
            "q_c": self.channel(s.S4, p.k_c, p.g_c),
            "q_o": self.channel(s.S5, p.k_o, p.g_o),
        }


class Smar(AbstractStructure):
    """SMAR: five layers of soil, and a gamma hydrograph of surface runoff (MARRMoT m_40).

    Notes
    -----
    Ordinates below 0.1 % of the largest are left out, as in MARRMoT. With a `width` all of them
    stay, so that discharge is smooth in `n` and `nk`.

    References
    ----------
    O'Connell, P. E., Nash, J. E., Farrell, J. P. (1970). J. Hydrol. 10, 317-329.
    Tan, B. Q., O'Connor, K. M. (1996). J. Hydrol. 185, 275-295. doi:10.1016/0022-1694(95)02993-1
    """

    number = "m_40"
    parameters = (
        Parameter("h", 0, 1, "1", "share of direct runoff of a full soil"),
        Parameter("y", 0, 200, "mm/d", "largest infiltration"),
        Parameter("C", 1, 2000, "mm", "capacity of the soil"),
        Parameter("c", 0, 1, "1", "evaporation of a layer as share of that above"),
        Parameter("g", 0, 1, "1", "share of drainage to groundwater"),
        Parameter("k", 0, 1, "1/d", "rate of baseflow"),
        Parameter("n", 1, 10, "1", "shape of the unit hydrograph"),
        Parameter("nk", 1, 120, "d", "mean delay of the unit hydrograph"),
    )
    snow_target = "S1"
    layers = (1, 2, 3, 4, 5)
    stores = (
        *(Store(f"S{i}", "mm", f"soil layer {i}", capacity=lambda p: p.C / 5) for i in layers),
        Store("S6", "mm", "groundwater"),
    )
    flows = (
        Flow("e_0", "S1", None),
        Flow("r_1", "S1", "H"),
        Flow("r_2", "S1", "H"),
        *(Flow(f"e_{i}", f"S{i}", None) for i in layers),
        *(Flow(f"q_{i}", f"S{i}", f"S{i + 1}") for i in layers[:-1]),
        Flow("r_g", "S5", "S6"),
        Flow("r_3", "S5", "H"),
        Flow("q_h", "H", None),
        Flow("q_b", "S6", None),
    )
    outputs = (
        discharge_from("q_h", "q_b"),
        evaporation_from("e_0", *(f"e_{i}" for i in layers)),
    )
    reach, cut, thin = 20.0, 1e-3, 0.1

    def __init__(self, *, width: float = 0.0, **options):
        self.hydrographs = (
            UnitHydrograph(
                "H",
                lambda a, b, p: gamma_curve(b, p.nk, p.n) - gamma_curve(a, p.nk, p.n),
                lambda p: self.reach * p.nk,
                normalized=True,
                cut=0.0 if width else self.cut,
                description="a gamma distribution",
            ),
        )
        super().__init__(width=width, **options)

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        e_0 = law.least(water.liquid, E)
        net, left = water.liquid - e_0, E - e_0
        r_1 = p.h * (s.S1 + s.S2 + s.S3 + s.S4 + s.S5) / p.C * net
        down = law.least(net - r_1, p.y)
        found = {**water, "e_0": e_0, "r_1": r_1, "r_2": net - r_1 - down}
        for i in self.layers:
            S = s[f"S{i}"]
            found[f"e_{i}"] = law.evaporation(left, S)
            if i > 1:
                found[f"e_{i}"] = found[f"e_{i}"] * law.empty(s[f"S{i - 1}"], self.thin)
            down = found[f"q_{i}"] = down * law.full(S, p.C / 5)
            left = p.c * left
        drained = found.pop("q_5")
        lower = {"r_g": p.g * drained, "r_3": (1 - p.g) * drained}
        return {**found, **lower, "q_h": u.H, "q_b": p.k * s.S6}


class Forellenbach(AbstractStructure):
    """IHM19, of the Forellenbach: macropores and two soils (MARRMoT m_47).

    Notes
    -----
    Water enters stores that have room. With ``formulation="reference"``, as in MARRMoT, it enters
    only full stores, and nearly all rain becomes quick flow. Discharge has a constant inflow of
    groundwater from outside, 0.0195 mm/d (the exchange `x_g`).

    References
    ----------
    Brandes, C. (2020). MSc thesis, TU Dresden.
    """

    number = "m_47"
    parameters = (
        Parameter("C1", 2, 5, "mm", "capacity of interception"),
        Parameter("A", 0.9, 1, "1", "share of throughfall to macropores"),
        Parameter("A_f", 0.4, 0.95, "1", "share of forest"),
        Parameter("C2", 0.05, 5, "mm", "capacity of macropores"),
        Parameter("c_m", 0, 1, "1/d", "rate of macropores at 1 mm"),
        Parameter("x_m", 1, 5, "1", "exponent of macropores"),
        Parameter("C3", 400, 600, "mm", "capacity of the first soil"),
        Parameter("f_c", 0.3, 0.7, "1", "field capacity as share of C3"),
        Parameter("c_f", 0, 1000, "mm/d", "infiltration of a dry soil"),
        Parameter("x_f", 0, 15, "1", "decay of infiltration"),
        Parameter("c_1", 0, 1, "1/d", "rate of the first soil"),
        Parameter("x_1", 1, 5, "1", "exponent of the first soil"),
        Parameter("C4", 300, 500, "mm", "capacity of the second soil"),
        Parameter("c_2", 0, 1, "1/d", "rate of the second soil at 1 mm"),
        Parameter("x_2", 1, 5, "1", "exponent of the second soil"),
        Parameter("d", 0.01, 5, "d", "base of the unit hydrograph"),
    )
    snow_target = "S1"
    exchanges = ("x_g",)
    stores = (
        Store("S1", "mm", "interception", capacity="C1"),
        Store("S2", "mm", "macropores", capacity="C2"),
        Store("S3", "mm", "first soil", capacity="C3"),
        Store("S4", "mm", "second soil", capacity="C4"),
    )
    hydrographs = (hydrograph("H", triangular_curve, lambda p: p.d, "a triangle"),)
    flows = (
        Flow("e_i", "S1", None),
        Flow("f_m", "S1", "S2"),
        Flow("f_s", "S1", "S3"),
        Flow("q_0", "S1", "H"),
        Flow("q_m", "S2", "S4"),
        Flow("e", "S3", None),
        Flow("q_1", "S3", "S4"),
        Flow("q_h", "S4", None),
        Flow("q_2", "S4", None),
        Flow("q_s", "H", None),
        Flow("x_g", None, None),
    )
    outputs = (discharge_from("q_s", "q_h", "q_2", "x_g"), evaporation_from("e_i", "e"))
    groundwater = 0.0195  # mm/d

    def fluxes(self, s, u, p):
        water, law, E = self.snow.fluxes(s, u, p), self.law, u.potential_evaporation
        enters = law.full if self.formulation == "reference" else law.room
        x = water.liquid * law.full(s.S1, p.C1)
        f_m = p.A * x * enters(s.S2, p.C2)
        left, z = x - f_m, s.S3 / p.C3
        f_s = law.infiltration(left, z, p.c_f, p.x_f) * enters(s.S3, p.C3)
        q_m = law.power_law(s.S2, p.c_m, p.x_m)
        q_1 = law.above_power(s.S3, p.f_c * p.C3, p.c_1, p.x_1)
        bare = (1 - p.A_f) * E * z
        forest = p.A_f * E
        e = law.least(forest + bare, forest * z / p.f_c + bare, s.S3 / TAU)
        return {
            **water,
            "e_i": law.evaporation(E, s.S1),
            "f_m": f_m,
            "f_s": f_s,
            "q_0": left - f_s,
            "q_m": q_m,
            "e": e,
            "q_1": q_1,
            "q_h": (q_m + q_1) * (1 - enters(s.S4, p.C4)),
            "q_2": law.power_law(s.S4, p.c_2, p.x_2),
            "q_s": u.H,
            "x_g": self.groundwater,
        }
