"""HYMOD: one soil store, a slow reservoir and a quick cascade of three."""

from typing import final

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store
from pymc_hydro.core.blocks import LinearReservoir, NashCascade
from pymc_hydro.core.functions import power
from pymc_hydro.core.laws import guarded_power
from pymc_hydro.core.smoothing import clamp, maximum, minimum, pos

CLAMP_WIDTH = 1e-6  # of the capacity, smoothing of the empty and of the full store
FULL_WIDTH = 1e-2  # of the capacity, deficit below which runoff generation becomes linear
EVAPORATION_SHAPE = 0.01  # of the capacity, rho: content at which evaporation is half potential
REFERENCE_FLOOR, REFERENCE_WIDTH = 1e-6, 1e-10  # d0, e_d of the reference's deficit floor


@final
class Hymod(AbstractModel):
    """HYMOD of Boyle (2000) as differential equations, after Vrugt, Frame & Bollman (2026).

    Rain and melt fill a soil store whose capacity varies over the basin as in Moore (1985); the
    saturated share of the basin sheds its rain. A share `alpha` of that runs through three equal
    quick reservoirs, the rest through one slow reservoir::

        P -> [SWE] -> [S_u] -+- alpha ------> [S_f1] -> [S_f2] -> [S_f3] -> Q
                        |    +- 1 - alpha --> [S_s] ----------------------> Q
                       E_a

    Notes
    -----
    ``formulation="default"`` differs from the reference in the share of the basin that is
    saturated. The reference limits the relative deficit from below by 1e-6, so that the share
    never exceeds ``1 - 1e-6**beta`` (0.75 for beta = 0.1, 0.94 for 0.2, 0.9990 for 0.5): rain
    goes on filling a store that is above its capacity. Here it is
    ``1 - D ((D**2 + e**2)/(1 + e**2))**((beta - 1)/2)`` with D the relative deficit and e = 0.01,
    which is zero at the empty store and reaches one at capacity with a finite slope. The two
    differ by less than 1e-3 where the deficit is above 25 % of the capacity, for any `beta`; at a
    deficit of 1 % by 0.17 (beta = 0.1), 0.016 (0.5), 0 (1) and 4e-5 (2). Evaporation vanishes with
    the content of the soil store; the reference's, whose content is clamped with a width of 1e-6 of
    the capacity, draws an empty store of 5000 mm down to -0.01 mm in two dry months.

    References
    ----------
    Boyle, D. P. (2000). PhD thesis, University of Arizona.
    Moore, R. J. (1985). Hydrol. Sci. J. 30, 273-297. doi:10.1080/02626668509490989
    Vrugt, J. A., Frame, J. M., Bollman, E. (2026). arXiv:2602.06429
    """

    slow = LinearReservoir("S_s", "o_s", description="slow reservoir")
    quick = NashCascade("S_f", "o_", 3, description="quick reservoir")

    parameters = (
        Parameter("S_umax", 50, 5000, "mm", "capacity of the soil store", default=300),
        Parameter("beta", 0.1, 10, "1", "shape of the capacity distribution", default=1),
        Parameter("alpha", 1e-5, 1, "1", "share of runoff to the quick cascade", default=0.5),
        Parameter("K_s", 1e-5, 1, "1/d", "rate of the slow reservoir", default=0.03),
        Parameter("K_f", 0.1, 100, "1/d", "rate of the quick reservoirs", default=0.7),
    )
    ordered = (("K_s", "K_f"),)
    snow_target = "S_u"
    stores = (
        Store("S_u", "mm", "soil (unsaturated) store", capacity="S_umax"),
        *slow.stores,
        *quick.stores,
    )
    flows = (
        Flow("q_s", "S_u", "S_s"),
        Flow("q_f", "S_u", "S_f1"),
        Flow("E_a", "S_u", None),
        *slow.flows,
        *quick.flows,
    )
    outputs = (
        Output("discharge", ("o_s", "o_3"), "mm/d", "discharge at the outlet"),
        Output("evaporation", ("E_a",), "mm/d", "actual evaporation"),
        Output("soil_moisture", ("S_u",), "mm", "content of the soil store"),
    )

    def fluxes(self, s, u, p):
        water = self.snow.fluxes(s, u, p)
        z = s.S_u / p.S_umax
        if self.formulation == "reference":
            wet = clamp(z, CLAMP_WIDTH)
            dry = power(maximum(1 - wet, REFERENCE_FLOOR, REFERENCE_WIDTH), p.beta)
        else:
            wet = minimum(z, 1, CLAMP_WIDTH)
            dry = guarded_power(pos(1 - z, CLAMP_WIDTH), p.beta, FULL_WIDTH)
        q_u = (1 - dry) * water.liquid
        E_a = u.potential_evaporation * wet * (1 + EVAPORATION_SHAPE) / (wet + EVAPORATION_SHAPE)
        q_s = (1 - p.alpha) * q_u
        q_f = p.alpha * q_u
        slow, quick = self.slow.fluxes(s, p.K_s), self.quick.fluxes(s, p.K_f)
        return {**water, "E_a": E_a, "q_s": q_s, "q_f": q_f, **slow, **quick}
