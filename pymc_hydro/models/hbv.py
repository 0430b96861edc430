"""HBV: snow with refreezing, a soil store, an upper and a lower zone, triangular routing."""

from typing import final

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store
from pymc_hydro.core.blocks import UnitHydrograph
from pymc_hydro.core.functions import piecewise, power, sqrt
from pymc_hydro.core.laws import guarded_power
from pymc_hydro.core.smoothing import clamp, lesser, maximum, minimum, pos
from pymc_hydro.core.snow import RefreezingSnow

WIDTH = 1e-3  # mm, mm/d or of a capacity: smoothing of empty and full, of minima
EMPTY_WIDTH = 1e-6  # mm, of an empty upper zone, for percolation
POWER_WIDTH = 1e-2  # of field capacity, below which recharge is linear
FLOOR = 1e-12  # of field capacity, the reference's base of the power
SAMPLED_ORDINATES, SAMPLED_WIDTH = 60, 1e-8  # the reference's triangle

BASE = Parameter("b", 0.5, 25, "d", "MAXBAS, base of the triangular unit hydrograph", default=3)


def triangle(start, end, p):
    """Return the integral of the triangle of base b over an interval (Seibert & Vis, 2012)."""

    def cumulative(t):
        rising = 2 * (t / p.b) * (t / p.b)
        falling = 1 - 2 * (1 - t / p.b) * (1 - t / p.b)
        arrived = piecewise(t - p.b, 1.0, falling, continuity=1)
        return piecewise(t - p.b / 2, arrived, rising, continuity=1)

    return cumulative(end) - cumulative(start)


def sampled_triangle(start, end, p):
    """Return the height of the triangle at the start of an interval; the sum is not one."""
    w = SAMPLED_WIDTH
    distance, half = start - p.b / 2, maximum(p.b / 2, w, w)
    height = 1 - sqrt(distance * distance + w * w) / half
    # Far below zero the derivative of `pos` is a difference of nearly equal numbers; that of this
    # form of the positive part is not.
    below = piecewise(height, 0.0, height, continuity=None)
    small = w * w / (2 * (sqrt(below * below + w * w) - below))
    return piecewise(height, pos(height, w), small, continuity=1)


def base(p):
    """Return the time after which all runoff has arrived, d."""
    return p.b


@final
class HBV(AbstractModel):
    """HBV of Bergstroem (1976, 1995) as differential equations, after Vrugt et al. (2026).

    Snow with refreezing of rain, recharge as a power of soil moisture, an upper zone with two
    outlets and percolation, a lower zone with one, and a triangular unit hydrograph::

        P -> [SWE] <-> [S] -> R_e -> [U] -+- q_0 (above u_zl) -+
                        |             |   +- q_1 --------------+- MAXBAS -> Q
                        E             G -> [L] -> q_2 ---------+

    Notes
    -----
    `c_sf` multiplies snowfall; the snow that it adds or takes is the declared exchange `x_sf`.
    ``formulation="default"`` differs from the reference in

    - the unit hydrograph: each ordinate is the integral of the triangle over an interval, smooth in
      b. The reference samples the triangle at whole intervals (60 of them): all weight falls on lag
      0 for b < 1, on lag 1 for 1 < b <= 2, with a zero derivative;
    - the limits of melt, refreezing and percolation vanish with what they limit. The reference's
      smooth minimum is -0.0005 there: its empty snow store drifts by -0.18 mm a year (daily), and
      the clamp on liquid input creates 0.1 mm a year (the exchange `x_pos`);
    - recharge: ``u ((u^2 + e^2)/(1 + e^2))^((beta - 1)/2)`` of the relative content u, e = 0.01, in
      place of a floor below the power. For beta >= 1 they differ by less than 1e-3; for beta = 0.1
      a dry soil of the reference sheds half of its rain;
    - evaporation and outflow vanish with the store itself, percolation and melt within 1e-6 mm of
      the empty store: the reference's clamps of 0.001 mm draw stores down to -0.04 mm;
    - the melt of snow below `T_tr`, and refreezing above it, see
      :class:`pymc_hydro.core.DegreeDaySnow`.

    As in HBV-light, the runoff of an interval begins to arrive where the interval begins: its mean
    delay is ``b/2`` less half an interval, for b = 3 1 d in daily data and 1.48 d in hourly data. A
    `b` of days serves hours if it is made shorter by 23/24 d.

    The priors of ``ph.priors`` reach to 100 mm of `u_zl` and from 5 mm of `F_c`. The bounds of
    searches are those of the paper. With a threshold above all water that the zone ever holds,
    `u_zl` and `k_0` have nothing but their priors, and a posterior of an Alpine basin has a mode
    there (`u_zl` = 150 mm). Soils of high mountains hold less than 25 mm.

    References
    ----------
    Bergstroem, S. (1976). SMHI Reports RHO 7; (1995) in Singh, V. P. (ed.), Computer Models of
    Watershed Hydrology, 443-476.
    Seibert, J., Vis, M. J. P. (2012). Hydrol. Earth Syst. Sci. 16, 3315-3325.
    doi:10.5194/hess-16-3315-2012
    Vrugt, J. A., Frame, J. M., Bollman, E. (2026). arXiv:2602.06429
    """

    parameters = (
        Parameter("F_c", 25, 1500, "mm", "field capacity", default=250, prior=(5, 1500)),
        Parameter("beta", 0.1, 6, "1", "exponent of recharge", default=2),
        Parameter("l_p", 0.1, 1, "1", "share of F_c above which evaporation is full", default=0.7),
        Parameter("k_0", 1e-3, 1.2, "1/d", "rate of fast flow above u_zl", default=0.3),
        Parameter("u_zl", 0, 300, "mm", "threshold of fast flow", default=20, prior=(0, 100)),
        Parameter("k_1", 1e-5, 1, "1/d", "rate of interflow", default=0.1),
        Parameter("k_2", 1e-5, 1, "1/d", "rate of baseflow", default=0.03),
        Parameter("p_max", 0, 15, "mm/d", "largest percolation", default=2),
    )
    ordered = (("k_2", "k_1"),)
    snow_target = "S"
    stores = (
        Store("S", "mm", "soil moisture", capacity="F_c"),
        Store("U", "mm", "upper zone"),
        Store("L", "mm", "lower zone"),
    )
    flows = (
        Flow("E", "S", None),
        Flow("R_e", "S", "U"),
        Flow("q_0", "U", None),
        Flow("q_1", "U", None),
        Flow("G", "U", "L"),
        Flow("q_2", "L", None),
    )
    outputs = (
        Output("discharge", ("q_0", "q_1", "q_2"), "mm/d", "discharge at the outlet"),
        Output("evaporation", ("E",), "mm/d", "actual evaporation"),
        Output("soil_moisture", ("S",), "mm", "content of the soil store"),
    )

    def __init__(self, *, formulation: str = "default", **options):
        ordinate, n, described = triangle, None, "routed by a triangle of base b"
        if formulation == "reference":
            ordinate, n, described = sampled_triangle, SAMPLED_ORDINATES, "routed, sampled triangle"
        sampled = n is not None
        self.routing = UnitHydrograph(
            "discharge", ordinate, base, (BASE,), sampled, n, description=described
        )
        super().__init__(formulation=formulation, **options)

    def snow_front(self):
        return RefreezingSnow(self.snow_target, exact=self.formulation == "default")

    def fluxes(self, s, u, p):
        default = self.formulation == "default"
        water = self.snow.fluxes(s, u, p)
        S, U, L = (x if default else pos(x, WIDTH) for x in (s.S, s.U, s.L))
        E = u.potential_evaporation * minimum(S / (p.l_p * p.F_c), 1, WIDTH)
        above = pos(U - p.u_zl, WIDTH)
        if default:
            share = guarded_power(clamp(S / p.F_c, WIDTH), p.beta, POWER_WIDTH)
            above -= pos(-p.u_zl, WIDTH)  # so that fast flow is zero from the empty zone
            G = lesser(p.p_max, pos(U, EMPTY_WIDTH), WIDTH)
        else:
            wet = minimum(maximum(S / p.F_c, 0, WIDTH), 1, WIDTH)
            share = power(maximum(wet, FLOOR, FLOOR), p.beta)
            G = minimum(p.p_max, U, WIDTH)
        R_e = water.liquid * share
        q_0, q_1, q_2 = p.k_0 * above, p.k_1 * U, p.k_2 * L
        return {**water, "E": E, "R_e": R_e, "q_0": q_0, "q_1": q_1, "G": G, "q_2": q_2}
