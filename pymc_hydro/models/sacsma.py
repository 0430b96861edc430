"""SAC-SMA: five stores in two zones, coupled by percolation."""

from typing import Any, final

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store
from pymc_hydro.core.blocks import NashCascade
from pymc_hydro.core.functions import power
from pymc_hydro.core.laws import guarded_power
from pymc_hydro.core.smoothing import overflow, pos
from pymc_hydro.core.snow import DegreeDaySnow

WIDTH = 1e-6  # mm, or of a capacity: smoothing of empty and full
FREE_WIDTH = 1e-9  # mm, of empty upper free water, which percolation would draw below zero
REFERENCE_WIDTH = 1e-12  # the reference's
DEFICIT_WIDTH = 1e-3  # of the lower capacity: deficit below which percolation becomes linear


@final
class SacSma(AbstractModel):
    """Sacramento soil moisture accounting, continuous and smoothed (FUSE), with snow and routing.

    Tension water (held against gravity, lost to evaporation) and free water in an upper and a
    lower zone. Percolation is driven by the lower zone's relative deficit. All runoff passes three
    equal reservoirs::

        P -> [SWE] -> [U_t] -> q_ut -> [U_f] -+- q_if, q_uf ---------------> routing -> Q
                        |                     +- q_12 -+-> [L_t] -> q_st -+
                       E_1, q_sx                       |     E_2         |
                                                       +-> [L_p], [L_s] <+ -> q_b, q_a -> routing

    Notes
    -----
    The interflow coefficient `k_i` is in mm/d (flow from a full upper free store); the reference
    labels it 1/d. `kappa` is the share of percolation that goes to tension water, the complement
    of the classical PFREE. ``formulation="default"`` differs from the reference in

    - the width of the smoothing at empty and full stores: 1e-6 in place of 1e-12, a difference
      below 1e-6 mm in any store. It is 1e-9 mm at the empty upper free water, which percolation
      would otherwise draw below zero; evaporation from empty stores needs no smoothing;
    - the power of the lower zone's deficit A, ``A ((A^2 + e^2)/(1 + e^2))^((R - 1)/2)`` with
      e = 1e-3 in place of ``A^R``, whose slope is unbounded at A = 0 for R < 1: the relative
      difference is below 1e-4 for A > 0.1 and R < 3, and below 2.5e-3 for R = 50.

    References
    ----------
    Burnash, R. J. C., Ferral, R. L., McGuire, R. A. (1973). A generalized streamflow simulation
    system. US National Weather Service.
    Clark, M. P., et al. (2008). Water Resour. Res. 44, W00B02. doi:10.1029/2007WR006735
    Vrugt, J. A., Frame, J. M., Bollman, E. (2026). arXiv:2602.06429
    """

    routing_cascade = NashCascade("S_f", "o_", 3, description="routing reservoir")

    parameters = (
        Parameter("U_fm", 5, 500, "mm", "capacity of upper free water", default=40),
        Parameter("U_tm", 1, 200, "mm", "capacity of upper tension water", default=60),
        Parameter("L_pm", 1, 1500, "mm", "capacity of lower primary free water", default=150),
        Parameter("L_sm", 1, 500, "mm", "capacity of lower supplemental free water", default=50),
        Parameter("L_tm", 5, 1000, "mm", "capacity of lower tension water", default=150),
        Parameter("Z", 1e-2, 400, "1", "percolation multiplier", default=40),
        Parameter("R", 0.1, 50, "1", "percolation exponent", default=2),
        Parameter("k_i", 1e-3, 100, "mm/d", "interflow from a full upper free store", default=5),
        Parameter("kappa", 1e-5, 0.95, "1", "share of percolation to tension water", default=0.3),
        Parameter("nu_p", 1e-5, 0.5, "1/d", "rate of primary baseflow", default=0.01),
        Parameter("nu_s", 1e-5, 0.5, "1/d", "rate of supplemental baseflow", default=0.05),
        Parameter("a_cm", 1e-4, 0.2, "1", "largest saturated share of the area", default=0.05),
        Parameter("k_f", 0.1, 100, "1/d", "rate of the routing reservoirs", default=0.7),
    )
    ordered = (("nu_p", "nu_s"),)
    snow_target = "U_t"
    stores = (
        Store("U_t", "mm", "upper tension water", capacity="U_tm"),
        Store("U_f", "mm", "upper free water", capacity="U_fm"),
        Store("L_t", "mm", "lower tension water", capacity="L_tm"),
        Store("L_p", "mm", "lower primary free water", capacity="L_pm"),
        Store("L_s", "mm", "lower supplemental free water", capacity="L_sm"),
        *routing_cascade.stores,
    )
    flows = (
        Flow("E_1", "U_t", None),
        Flow("q_sx", "U_t", "S_f1"),
        Flow("q_ut", "U_t", "U_f"),
        Flow("q_if", "U_f", "S_f1"),
        Flow("q_uf", "U_f", "S_f1"),
        Flow("q_12t", "U_f", "L_t"),
        Flow("q_12p", "U_f", "L_p"),
        Flow("q_12s", "U_f", "L_s"),
        Flow("E_2", "L_t", None),
        Flow("q_stp", "L_t", "L_p"),
        Flow("q_sts", "L_t", "L_s"),
        Flow("q_bp", "L_p", "S_f1"),
        Flow("q_bs", "L_s", "S_f1"),
        Flow("q_ap", "L_p", "S_f1"),
        Flow("q_as", "L_s", "S_f1"),
        *routing_cascade.flows,
    )
    outputs = (
        Output("discharge", ("o_3",), "mm/d", "discharge at the outlet"),
        Output("evaporation", ("E_1", "E_2"), "mm/d", "actual evaporation"),
        Output("soil_moisture", ("U_t", "U_f", "L_t", "L_p", "L_s"), "mm", "water in both zones"),
    )

    def snow_front(self):
        width = REFERENCE_WIDTH if self.formulation == "reference" else WIDTH
        return DegreeDaySnow(self.snow_target, width, self.formulation == "default")

    def wet(self, z: Any, e: Any) -> Any:
        return 1 - pos(1 - (z if self.formulation == "default" else pos(z, e)), e)

    def fluxes(self, s, u, p):
        default = self.formulation == "default"
        e = WIDTH if default else REFERENCE_WIDTH
        water = self.snow.fluxes(s, u, p)
        rain = water.liquid
        U_t, L_t = (s.U_t, s.L_t) if default else (pos(s.U_t, e), pos(s.L_t, e))
        E_1 = u.potential_evaporation * self.wet(U_t / p.U_tm, e)
        E_2 = (u.potential_evaporation - E_1) * self.wet(L_t / p.L_tm, e)
        q_sx = p.a_cm * U_t / p.U_tm * rain
        q_ut = (rain - q_sx) * overflow(s.U_t, p.U_tm)
        q_uf = q_ut * overflow(s.U_f, p.U_fm)
        b = pos(s.U_f, FREE_WIDTH if default else e) / p.U_fm
        q_if = p.k_i * b
        q_0 = p.nu_p * p.L_pm + p.nu_s * p.L_sm
        A = pos(1 - (s.L_t + s.L_p + s.L_s) / (p.L_tm + p.L_pm + p.L_sm), e)
        A_R = guarded_power(A, p.R, DEFICIT_WIDTH) if default else power(pos(A - e, e) + e, p.R)
        q_12 = q_0 * (1 + p.Z * A_R) * b
        free = (1 - p.kappa) * q_12 / 2
        q_st = p.kappa * q_12 * overflow(s.L_t, p.L_tm) / 2
        full_p, full_s = overflow(s.L_p, p.L_pm), overflow(s.L_s, p.L_sm)
        into = free + q_st
        upper = {"E_1": E_1, "q_sx": q_sx, "q_ut": q_ut, "q_if": q_if, "q_uf": q_uf}
        down = {"q_12t": p.kappa * q_12, "q_12p": free, "q_12s": free, "q_stp": q_st, "q_sts": q_st}
        base = {"E_2": E_2, "q_bp": p.nu_p * s.L_p, "q_bs": p.nu_s * s.L_s}
        over = {"q_ap": into * full_p, "q_as": into * full_s}
        return {**water, **upper, **down, **base, **over, **self.routing_cascade.fluxes(s, p.k_f)}
