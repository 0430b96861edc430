"""HMODEL: interception, a soil store, a fast and a slow reservoir."""

import math
from typing import Any, final

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store
from pymc_hydro.core.blocks import LinearReservoir
from pymc_hydro.core.functions import exp, piecewise
from pymc_hydro.core.laws import exponential_law
from pymc_hydro.core.smoothing import maximum, minimum, pos

WIDTH = 1e-6  # of a capacity, and mm/d of demand: smoothing of empty and full
A_I, A_P, A_S = 50.0, -50.0, 1e-6  # curvatures of wet-canopy evaporation, throughfall, percolation
# Curvature below which the reference takes the law as linear. The reference has 1e-5 and jumps
# there; 1e-5 is also a bound of a_E, where a jump must not be.
LINEAR_RANGE = 0.99e-5


@final
class Hmodel(AbstractModel):
    """HMODEL of Schoups & Vrugt (2010), with the snow front end of Vrugt et al. (2026).

    Rain and melt fill an interception store; what falls through wets the soil, which loses water
    by evaporation, percolation to a slow and runoff to a fast linear reservoir. All of its fluxes
    follow one exponential law with a curvature as parameter::

        P -> [SWE] -> [S_i] -> P_e -> [S_u] -+- rnf -> [S_f] -> Q
                        |               |    +- prc -> [S_s] -> Q
                       E_i             E_a

    Notes
    -----
    ``formulation="default"`` differs from the reference in the exponential law near zero
    curvature. Below 1e-3 the default takes the series of the law, so that the law and its
    derivative by the curvature (``z (1 - z) / 2`` at zero) are exact to 1e-12. Below 1e-5 the
    reference takes the linear law, whose derivative by the curvature is zero; this is in the middle
    of the range of `a_F`. The two laws differ by less than 2e-6 there. In the reference formulation
    the derivative is that of the formula of the reference.

    The curvatures of interception (50 and -50) make the store a steep switch: it is nearly full
    before rain falls through, with rates up to ``50 P / I_max`` per day.

    References
    ----------
    Schoups, G., Vrugt, J. A. (2010). Water Resour. Res. 46, W10531. doi:10.1029/2009WR008933
    Vrugt, J. A., Frame, J. M., Bollman, E. (2026). arXiv:2602.06429
    """

    fast = LinearReservoir("S_f", "q_f", description="fast reservoir")
    slow = LinearReservoir("S_s", "q_s", description="slow reservoir")

    parameters = (
        Parameter("I_max", 1, 20, "mm", "capacity of the interception store", default=2),
        Parameter("S_umax", 10, 1000, "mm", "capacity of the soil store", default=250),
        Parameter("Q_max", 0.1, 100, "mm/d", "percolation at a full soil store", default=3),
        # A negative curvature bends evaporation the other way, between the same ends.
        Parameter("a_E", 1e-5, 10, "1", "curvature of soil evaporation", 3, (-math.inf, math.inf)),
        Parameter("a_F", -10, 10, "1", "curvature of runoff", default=-2),
        Parameter("r_f", 0.1, 10, "d", "time constant of the fast reservoir", default=2),
        Parameter("r_s", 1, 250, "d", "time constant of the slow reservoir", default=50),
    )
    ordered = (("r_f", "r_s"),)
    snow_target = "S_i"
    stores = (
        Store("S_i", "mm", "interception store", capacity="I_max"),
        Store("S_u", "mm", "soil (unsaturated) store", capacity="S_umax"),
        *fast.stores,
        *slow.stores,
    )
    flows = (
        Flow("E_i", "S_i", None),
        Flow("P_e", "S_i", "S_u"),
        Flow("E_a", "S_u", None),
        Flow("rnf", "S_u", "S_f"),
        Flow("prc", "S_u", "S_s"),
        *fast.flows,
        *slow.flows,
    )
    outputs = (
        Output("discharge", ("q_f", "q_s"), "mm/d", "discharge at the outlet"),
        Output("evaporation", ("E_i", "E_a"), "mm/d", "actual evaporation"),
        Output("soil_moisture", ("S_u",), "mm", "content of the soil store"),
    )

    def law(self, z: Any, a: Any) -> Any:
        if self.formulation == "default":
            return exponential_law(z, a)
        large = a * a - LINEAR_RANGE * LINEAR_RANGE
        safe = piecewise(large, a, 1.0, continuity=None)
        return piecewise(large, (1 - exp(-safe * z)) / (1 - exp(-safe)), z, continuity=None)

    def content(self, z: Any) -> Any:
        # The default needs no clamp at the empty store: its laws vanish with the content.
        return minimum(z if self.formulation == "default" else maximum(z, 0, WIDTH), 1, WIDTH)

    def fluxes(self, s, u, p):
        water = self.snow.fluxes(s, u, p)
        s_i, s_u = self.content(s.S_i / p.I_max), self.content(s.S_u / p.S_umax)
        E_i = u.potential_evaporation * exponential_law(s_i, A_I)
        P_e = water.liquid * exponential_law(s_i, A_P)
        Ep_e = pos(u.potential_evaporation - E_i, WIDTH)
        E_a = Ep_e * self.law(s_u, p.a_E)
        prc = p.Q_max * exponential_law(s_u, A_S)
        rnf = P_e * self.law(s_u, p.a_F)
        fast, slow = self.fast.fluxes(s, 1 / p.r_f), self.slow.fluxes(s, 1 / p.r_s)
        return {**water, "E_i": E_i, "P_e": P_e, "E_a": E_a, "prc": prc, "rnf": rnf, **fast, **slow}
