"""CFE: the conceptual functional equivalent of the U.S. National Water Model."""

import math
from typing import final

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store
from pymc_hydro.core.blocks import FedChain, NashCascade
from pymc_hydro.core.functions import exp, expm1, piecewise, power
from pymc_hydro.core.smoothing import clamp, lesser, minimum, pos

WIDTH = 1e-6  # mm, mm/d or of a capacity: smoothing of empty and full, of minima
OFFSET = 1e-12  # of a capacity, base of powers
CAP = 30.0  # exponent of groundwater outflow above which it is linear, 1e13 c_gw
RANGE_WIDTH = 1e-3  # of the capacity, smallest distance of wilting point and field capacity
GIUH = (0.10, 0.35, 0.20, 0.14, 0.10, 0.06, 0.05)  # ordinates of surface runoff


@final
class CFE(AbstractModel):
    """CFE (Ogden et al., NOAA) as differential equations, after Vrugt, Frame & Bollman (2026).

    Rain first meets the evaporative demand; what is left infiltrates after Schaake et al. (1996)
    or runs off through a geomorphological unit hydrograph. The soil feeds groundwater, which
    drains exponentially (linearly where that exceeds 1e13 c_gw), and a lateral cascade::

        P -> [SWE] -> [S] -+- R_s -> [H7 .. H1] -> Q
                       |   +- Q_l -> [F1 .. F3] -> Q
                 E_r, E_s  +- Q_p -> [G] ---------> Q

    Notes
    -----
    `a_2` is an exponent and `G_max` a storage; the reference labels both 1/d and so rescales them
    for sub-daily data. `k_pe`, `k_lf` and `c_gw` are in mm/d. The days of the unit hydrograph are
    days whatever the interval of the data. ``formulation="default"`` differs from the reference in

    - evaporation between wilting point and field capacity: smooth at both ends (1e-6 of the
      range). The two points coincide inside the bounds, where the public reference divides by
      zero: evaporation takes their distance as 0.0005 S_max here; the reference formulation moves
      field capacity up, to at least 0.001 S_max above wilting point;
    - the limits of interception, percolation and lateral flow vanish with what they limit, where
      the reference's smooth minimum is -5e-7 mm/d;
    - runoff is what does not infiltrate: the reference's clamp on effective rain creates up to
      5e-7 mm/d (the exchange `x_pos`).

    References
    ----------
    Schaake, J. C., et al. (1996). J. Geophys. Res. 101 (D3), 7461-7475. doi:10.1029/95JD02892
    Ogden, F. L., et al. NOAA Office of Water Prediction, CFE documentation.
    Vrugt, J. A., Frame, J. M., Bollman, E. (2026). arXiv:2602.06429
    """

    surface = FedChain("H", "h", len(GIUH), "S", None, "surface runoff, reservoir")
    lateral = NashCascade("F", "f", 3, description="lateral flow, reservoir")

    parameters = (
        Parameter("S_max", 25, 2000, "mm", "capacity of the soil store", default=400),
        Parameter("phi_fc", 0.5, 0.95, "1", "field capacity as share", default=0.7),
        Parameter("phi_wp", 1e-3, 0.5, "1", "wilting point as share", default=0.15),
        Parameter("k_sch", 1e-4, 25, "1/d", "Schaake's infiltration coefficient", default=1),
        Parameter("a_1", 0.01, 10, "1", "exponent of percolation", default=2),
        Parameter("k_pe", 1e-4, 100, "mm/d", "percolation at a full soil store", default=5),
        Parameter("phi_lf", 1e-5, 1, "1", "threshold of lateral flow as share", default=0.7),
        Parameter("a_2", 0.5, 6, "1", "exponent of lateral flow", default=2),
        Parameter("k_lf", 1e-4, 1e4, "mm/d", "lateral flow at a full soil store", default=50),
        Parameter("G_max", 5, 1000, "mm", "scale of groundwater storage", default=100),
        Parameter("c_gw", 1e-5, 1e3, "mm/d", "coefficient of groundwater outflow", default=0.2),
        Parameter("mu", 1e-2, 10, "1", "exponent of groundwater outflow", default=3),
        Parameter("k_n", 1e-4, 25, "1/d", "rate of the lateral cascade", default=1),
    )
    snow_target = "S"
    stores = (
        Store("S", "mm", "soil store", capacity="S_max"),
        Store("G", "mm", "groundwater", capacity="G_max"),
        *surface.stores,
        *lateral.stores,
    )
    flows = (
        Flow("E_r", "S", None),
        Flow("E_s", "S", None),
        Flow("Q_p", "S", "G"),
        Flow("Q_l", "S", "F1"),
        Flow("Q_g", "G", None),
        *surface.flows,
        *lateral.flows,
    )
    outputs = (
        Output("discharge", ("h1", "f3", "Q_g"), "mm/d", "discharge at the outlet"),
        Output("evaporation", ("E_r", "E_s"), "mm/d", "actual evaporation"),
        Output("soil_moisture", ("S",), "mm", "content of the soil store"),
    )

    def __init__(self, *, formulation: str = "default", **options):
        if formulation == "reference":
            self.flows = (*type(self).flows, Flow("x_pos", None, "S"))
            self.exchanges = ("x_pos",)
        super().__init__(formulation=formulation, **options)

    def fluxes(self, s, u, p):
        default = self.formulation == "default"
        limit = lesser if default else minimum
        water = self.snow.fluxes(s, u, p)
        phi_fc = p.phi_fc
        if not default:
            least = p.phi_wp + RANGE_WIDTH
            phi_fc = piecewise(phi_fc - least, phi_fc, least, continuity=0)
        gap = phi_fc - p.phi_wp
        S_wp, S_fc = p.phi_wp * p.S_max, phi_fc * p.S_max
        S_lf = S_wp + p.phi_lf * gap * p.S_max
        E_r = limit(water.liquid, u.potential_evaporation, WIDTH)
        P_e, demand = water.liquid - E_r, u.potential_evaporation - E_r
        P_x = P_e if default else pos(P_e, WIDTH)
        I_c = pos(p.S_max - s.S, WIDTH) * (1 - exp(-p.k_sch))
        R_s = P_x * P_x / (P_x + I_c)
        A_1, A_2 = pos(s.S - S_fc, WIDTH), pos(s.S - S_lf, WIDTH)
        r_1, r_2 = A_1 / (p.S_max - S_fc) + OFFSET, A_2 / (p.S_max - S_lf) + OFFSET
        Q_p = limit(p.k_pe * power(r_1, p.a_1), A_1, WIDTH)
        Q_l = limit(p.k_lf * power(r_2, p.a_2), A_2 - Q_p, WIDTH)
        if default:
            ramp = (s.S - S_wp) / (pos(gap, RANGE_WIDTH) * p.S_max)
            E_s = demand * clamp(ramp, WIDTH)
        else:
            ramp = (s.S - S_wp) / (gap * p.S_max)
            ramp = piecewise(1 - ramp, ramp, 1.0, continuity=0)
            E_s = demand * piecewise(s.S - S_wp, ramp, 0.0, continuity=0)
        z = p.mu * s.G / p.G_max
        growth = expm1(piecewise(z - CAP, CAP, z, continuity=0))
        above = math.expm1(CAP) + math.exp(CAP) * (z - CAP)
        Q_g = p.c_gw * piecewise(z - CAP, above, growth, continuity=0)
        own = {"E_r": E_r, "E_s": E_s, "Q_p": Q_p, "Q_l": Q_l, "Q_g": Q_g}
        if not default:
            own["x_pos"] = P_x - P_e
        chains = {**self.surface.fluxes(s, R_s, GIUH), **self.lateral.fluxes(s, p.k_n)}
        return {**water, **own, **chains}
