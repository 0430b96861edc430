"""Xinanjiang: tension and free water with distributed capacities."""

from typing import Any, final

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store
from pymc_hydro.core.blocks import LinearReservoir, NashCascade
from pymc_hydro.core.functions import piecewise, power
from pymc_hydro.core.laws import guarded_power
from pymc_hydro.core.smoothing import pos, step

WIDTH = 1e-6  # mm, or of a capacity: smoothing of empty and full
POWER_WIDTH = 1e-2  # of a capacity: where the powers become linear
DEEP_CONTENT = 1.0  # mm, content at which deep evaporation is half of its limit
# Of the reference formulation: the smallest base of a power, the width in mm over which evaporation
# jumps, and the share of the free-water capacity in which the area is linear near the full store.
FLOOR, JUMP_WIDTH, FULL_WIDTH = 1e-12, 0.5, 1e-4


def tension_capacity(p):
    """Return the capacity of tension water, mm."""
    return p.f_wm * p.S_tot


def free_capacity(p):
    """Return the capacity of free water, mm."""
    return (1 - p.f_wm) * p.S_tot


@final
class Xinanjiang(AbstractModel):
    """Xinanjiang of Zhao (1992) with the double-parabolic curve of Jayawardena & Zhou (2000).

    The lumped four-store form of Knoben et al. (2019), with snow and a routing cascade as in Vrugt
    et al. (2026). Rain on tension water of distributed capacity makes runoff; runoff on free water
    of distributed capacity makes surface flow, the rest interflow and groundwater::

        P -> [SWE] -> [W] -> R -> [S] -+- R_s ----------+
                 R_b   |               +- R_i -> [S_i] -+-> [S_f1] -> [S_f2] -> [S_f3] -> Q
                       E               +- R_g -> [S_g] -+

    Notes
    -----
    ``formulation="default"`` differs from the reference in

    - evaporation below ``c LM``: the reference drops from ``c E_p`` to
      ``c E_p c LM / (c LM + 1 mm)``, a jump of up to `c E_p` at which its sensitivities are wrong
      (34 % for c at c LM = 3.6 mm). Here the lower branch is scaled to meet the middle one. The
      reference formulation takes the jump over 0.5 mm, so that it has sensitivities;
    - powers of the relative content u: ``u ((u^2 + e^2)/(1 + e^2))^((b - 1)/2)`` with e = 0.01, in
      place of a floor of 1e-6 below the power, with which an empty store sheds up to 23 % of its
      rain and a full one overfills (both at b = 0.1); 1e-3 or less where u is above 0.2 and b
      below 2. The reference's slopes are infinite at the full tension store; here its formulation
      is linear within 0.01 of the capacity (Leaf River: 0.001 mm/d at b = 0.5, 0.014 at 0.1, RMS);
    - the contributing area of free water uses one smooth deficit in function and derivative. The
      reference's has an infinite slope at the full store where Ex < 1; here its formulation is
      linear within 1e-4 of the capacity as well.

    The two parabolas are joined as they are in both, without the reference's blend over 1e-12.

    References
    ----------
    Zhao, R.-J. (1992). J. Hydrol. 135, 371-381. doi:10.1016/0022-1694(92)90096-E
    Jayawardena, A. W., Zhou, M. C. (2000). J. Hydrol. 227, 93-113.
    doi:10.1016/S0022-1694(99)00173-9
    Knoben, W. J. M., et al. (2019). Geosci. Model Dev. 12, 2463-2480. doi:10.5194/gmd-12-2463-2019
    Vrugt, J. A., Frame, J. M., Bollman, E. (2026). arXiv:2602.06429
    """

    interflow = LinearReservoir("S_i", "Q_i", "S_f1", "interflow reservoir")
    ground = LinearReservoir("S_g", "Q_g", "S_f1", "groundwater reservoir")
    cascade = NashCascade("S_f", "o_", 3, description="routing reservoir")

    parameters = (
        Parameter("f_p", 0.3, 1.7, "1", "factor on potential evaporation", default=1),
        Parameter("A_im", 1e-4, 0.2, "1", "impervious share of the area", default=0.02),
        Parameter("a", -0.49999, 0.49999, "1", "inflection of the capacity curve", 0, (-0.5, 0.5)),
        Parameter("b", 0.1, 5, "1", "shape of the capacity curve", default=0.5),
        Parameter("f_wm", 1e-3, 0.999, "1", "share of tension water in S_tot", default=0.6),
        Parameter("f_lm", 1e-3, 0.95, "1", "evaporation threshold LM as share", default=0.6),
        Parameter("c", 1e-3, 1, "1", "second threshold as share of LM", default=0.3),
        Parameter("S_tot", 25, 2000, "mm", "total soil capacity", default=250),
        Parameter("Ex", 0.1, 5, "1", "shape of the free-water distribution", default=1.2),
        Parameter("k_i", 1e-5, 100, "1/d", "rate of free water to interflow", default=0.3),
        Parameter("k_g", 1e-5, 100, "1/d", "rate of free water to groundwater", default=0.2),
        Parameter("c_i", 1e-5, 100, "1/d", "rate of the interflow reservoir", default=0.5),
        Parameter("c_g", 1e-5, 100, "1/d", "rate of the groundwater reservoir", default=0.02),
        Parameter("k_f", 0.1, 100, "1/d", "rate of the routing reservoirs", default=0.7),
    )
    ordered = (("c_g", "c_i"),)
    snow_target = "W"
    stores = (
        Store("W", "mm", "tension water", capacity=tension_capacity),
        Store("S", "mm", "free water", capacity=free_capacity),
        *interflow.stores,
        *ground.stores,
        *cascade.stores,
    )
    flows = (
        Flow("R_b", "W", "S_f1"),
        Flow("E", "W", None),
        Flow("R", "W", "S"),
        Flow("R_s", "S", "S_f1"),
        Flow("R_i", "S", "S_i"),
        Flow("R_g", "S", "S_g"),
        *interflow.flows,
        *ground.flows,
        *cascade.flows,
    )
    outputs = (
        Output("discharge", ("o_3",), "mm/d", "discharge at the outlet"),
        Output("evaporation", ("E",), "mm/d", "actual evaporation"),
        Output("soil_moisture", ("W", "S"), "mm", "tension and free water"),
    )

    def runoff_share(self, z: Any, p: Any) -> Any:
        """Return runoff as share of the rain on pervious ground, at relative content `z`."""
        low, high, above = 0.5 - p.a, 0.5 + p.a, z - 0.5 + p.a
        if self.formulation == "default":
            lower = low * self.power(z, p.b) / self.power(low, p.b)
            upper = 1 - high * self.power(pos(1 - z, WIDTH), p.b) / self.power(high, p.b)
            return piecewise(above, upper, lower, continuity=0)
        lower = power(low, 1 - p.b) * power(self.floored(pos(z, WIDTH)), p.b)
        upper = 1 - power(high, 1 - p.b) * self.near_full(1 - z, p.b)
        return piecewise(above, upper, lower, continuity=0)

    def near_full(self, y: Any, b: Any) -> Any:
        """Return a power of the relative deficit `y` of the reference, linear at the full store.

        It is not zero where the store is overfilled.
        """
        full, edge = power(FLOOR, b), power(POWER_WIDTH, b)
        linear = piecewise(y, full + (edge - full) * y / POWER_WIDTH, full, continuity=0)
        beyond = power(self.floored(y, POWER_WIDTH), b)
        return piecewise(y - POWER_WIDTH, beyond, linear, continuity=0)

    def power(self, x: Any, exponent: Any) -> Any:
        return guarded_power(x, exponent, POWER_WIDTH)

    def floored(self, x: Any, floor: float = FLOOR) -> Any:
        return piecewise(x - floor, x, floor, continuity=0)

    def evaporation_share(self, W: Any, LM: Any, c: Any) -> Any:
        """Return evaporation as a share of its potential.

        It is linear at the empty store, so that W does not become negative.
        """
        threshold, deep = c * LM, c * W / (pos(W, WIDTH) + DEEP_CONTENT)
        if self.formulation == "default":
            deep = deep * (threshold + DEEP_CONTENT) / threshold
            lower = piecewise(W - threshold, W / LM, deep, continuity=0)
            return piecewise(W - LM, 1.0, lower, continuity=0)
        w = step(W - threshold, JUMP_WIDTH)
        return w * piecewise(W - LM, 1.0, W / LM, continuity=0) + (1 - w) * deep

    def fluxes(self, s, u, p):
        water = self.snow.fluxes(s, u, p)
        W_max, S_max = tension_capacity(p), free_capacity(p)
        W, S = pos(s.W, WIDTH), pos(s.S, WIDTH)
        P_i, R_b = (1 - p.A_im) * water.liquid, p.A_im * water.liquid
        E_p = p.f_p * u.potential_evaporation
        R = P_i * self.runoff_share(W / W_max, p)
        E = E_p * self.evaporation_share(s.W, p.f_lm * W_max, p.c)
        if self.formulation == "default":
            D = 1 - self.power(pos(S_max - S, WIDTH) / S_max, p.Ex)
        else:
            y = piecewise(S_max - S, 1 - S / S_max, 0.0, continuity=0)
            D = 1 - guarded_power(y, p.Ex, FULL_WIDTH)
        soil = {
            "R_b": R_b,
            "E": E,
            "R": R,
            "R_s": D * R,
            "R_i": p.k_i * S * D,
            "R_g": p.k_g * S * D,
        }
        slow = {**self.interflow.fluxes(s, p.c_i), **self.ground.fluxes(s, p.c_g)}
        return {**water, **soil, **slow, **self.cascade.fluxes(s, p.k_f)}
