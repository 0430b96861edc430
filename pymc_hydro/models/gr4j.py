"""GR4J as differential equations: a production and a routing store, exchange, two branches."""

from itertools import pairwise
from typing import Any, final

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store
from pymc_hydro.core.blocks import FedChain, NashCascade
from pymc_hydro.core.functions import piecewise, power, tanh
from pymc_hydro.core.laws import guarded_power
from pymc_hydro.core.smoothing import pos, step

WIDTH = 1e-6  # mm/d and mm: smoothing of net rain, of empty stores and of what leaves by exchange
EXCHANGE_EXPONENT = 3.5
TANK = 4 / 9  # kappa, of percolation
N_ORDINATES = (10, 20)  # of form B's branches, days: x4 and 2 x4 at its largest
CURVE_WIDTH = 1e-9  # of x4: where the end of a curve becomes linear
FLOOR = 1e-12 + 1e-6  # of an ordinate in the reference


def ordinates(curve, x4, n):
    """Return the share that arrives on each of `n` days, from a cumulative curve of t / x4."""
    arrived = [0.0, *(curve(t / x4) for t in range(1, n + 1))]
    return [b - a for a, b in pairwise(arrived)]


def sh1(t):
    """Return GR4J's cumulative curve of the routed branch, for t in units of x4.

    Where t is exactly 1 the flat side is taken. At the upper bound of x4, which is a whole number
    of days, the derivative by x4 is then the one that holds inside the bounds.
    """
    return piecewise(1 - t, power(t, 2.5), 1.0, continuity=0)


def sh2(t):
    """Return GR4J's cumulative curve of the direct branch, for t in units of x4."""
    falling = 1 - guarded_power(2 - t, 2.5, CURVE_WIDTH) / 2
    late = piecewise(t - 2, 1.0, falling, continuity=1)
    return piecewise(t - 1, late, power(t, 2.5) / 2, continuity=1)


def reference_curve(t):
    """Return the cumulative curve of the reference, for t in units of x4.

    The reference lacks the factors 1/2, so that its curve falls from one to zero at t = 1. Here it
    falls smoothly over about 1e-9, and just before t = 1: t is 1 at the end of an interval if x4 is
    a whole number of days, and the fall must be over by then.
    """
    falling = 1 - guarded_power(2 - t, 3.5, CURVE_WIDTH)
    late, early = piecewise(t - 2, 1.0, falling, continuity=1), power(t, 3.5)
    w = step(t - 1 + 40 * CURVE_WIDTH, CURVE_WIDTH)
    return w * late + (1 - w) * piecewise(t - 1, 1.0, early, continuity=0)


@final
class GR4J(AbstractModel):
    """GR4J of Perrin et al. (2003) as differential equations, after Vrugt et al. (2026).

    Net rain fills a production store; what it sheds goes in two branches (a share x5, which GR4J
    fixes at 0.9) to a non-linear routing store and directly to the outlet. Both branches exchange
    water with neighbouring ground: the declared exchanges `q_g` and `x_d`::

        P -> [SWE] -> [S] -+- x5 -----> [U1_1 ...] -> [R] -> q_r -+-> Q
                       |   +- 1 - x5 -> [U2_1 ...] ----> q_d -----+
                     E_i, E_s

    Parameters
    ----------
    form : {"A", "B"}
        Delay of the branches. "A": Nash cascades of `n_1` and `n_2` reservoirs with mean travel
        times x4 and 2 x4. "B": chains of reservoirs of one day, fed along their length with the
        ordinates of GR4J's unit hydrographs.
    n_1, n_2 : int
        Reservoirs of form A's cascades, at least one.

    Notes
    -----
    x4 is not interchangeable between GR4J (mean delays about 0.71 x4 and x4) and these forms.
    ``formulation="default"`` differs from the reference in

    - the gate ``(1 + tanh(a/x1))/2`` on infiltration and ``1 -`` it on evaporation is dropped: it
      is near one half (0.514 at a net rain of 10 mm and x1 = 350 mm) and halves both;
    - the ordinates of form B: GR4J has two curves with the exponent 2.5, the short one for the
      routed branch. The reference has one curve, without the factors 1/2 and with the exponent 3.5;
      it jumps from one to zero at x4 and gives a double-humped hydrograph, (0.081, 0, 0.838, 0.081)
      at x4 = 2;
    - no clamps in the routing store's odd powers.

    Both formulations smooth over 1e-6 mm and mm/d, the public reference over 1e-12. At x5 = 1 the
    direct branch carries nothing, and its exchange stays within the smoothed kink: with a width of
    1e-12 no sensitivity would be right there.

    A gain of groundwater feeds itself where `x2` is large and `x3` small: under steady rain R tends
    to ``x3 (4 x2/x3)^(2/3)`` at least, and discharge to ``2 x2 (4 x2/x3)^(7/3)``, which is 4e5 mm/d
    at x2 = 15, x3 = 1, both at a bound. In GR4J itself (``ph.gr.GR4J``) R stays below `x3`, and so
    does the exchange below `x2`. Keep ``4 x2 < x3`` by bounds or prior.

    The delays are in days whatever the interval of the data; in the reference, form B and the
    formulas for a step of one interval depend on the interval. Form B has 10 and 20 reservoirs (20
    and 20 in the reference formulation) for every x4. In the reference the number of reservoirs
    follows x4, the chains are fed at their top, and discharge is a weighted sum of contents: the
    response is the same, but no water balance holds.

    References
    ----------
    Perrin, C., Michel, C., Andreassian, V. (2003). J. Hydrol. 279, 275-289.
    doi:10.1016/S0022-1694(03)00225-7
    Santos, L., Thirel, G., Perrin, C. (2018). Geosci. Model Dev. 11, 1591-1605.
    doi:10.5194/gmd-11-1591-2018
    Mathias, S. A., et al. (2025). J. Hydrol. doi:10.1016/j.jhydrol.2025.134393
    Vrugt, J. A., Frame, J. M., Bollman, E. (2026). arXiv:2602.06429
    """

    parameters = (
        Parameter("x1", 1, 4000, "mm", "capacity of the production store", default=350),
        Parameter("x2", -20, 15, "mm/d", "groundwater exchange", default=0),
        Parameter("x3", 1, 2000, "mm", "reference capacity of the routing store", default=90),
        Parameter("x4", 0.1, 10, "d", "time base of the delays", default=1.7),
        Parameter("x5", 1e-3, 1, "1", "share of the routed branch", default=0.9),
        Parameter("f_p", 0.3, 1.7, "1", "factor on potential evaporation", default=1),
    )
    snow_target = "S"
    exchanges = ("q_g", "x_d")
    outputs: tuple[Output, ...] = (
        Output("evaporation", ("E_i", "E_s"), "mm/d", "actual evaporation"),
        Output("soil_moisture", ("S",), "mm", "content of the production store"),
    )

    def __init__(self, *, form: str = "A", n_1: int = 2, n_2: int = 4, **options):
        if form not in ("A", "B"):
            raise ValueError(f"GR4J: form must be 'A' or 'B', found {form!r}")
        if form == "B" and (n_1, n_2) != (2, 4):
            raise ValueError("GR4J: n_1 and n_2 have no effect in form 'B'; leave them out")
        inflow: tuple[Flow, ...] = ()
        one: Any
        two: Any
        if form == "A":
            one = NashCascade("U1_", "q1_", n_1, "R", "routed branch, reservoir")
            two = NashCascade("U2_", "q2_", n_2, None, "direct branch, reservoir")
            inflow = (Flow("P_1", "S", "U1_1"), Flow("P_2", "S", "U2_1"))
            self.last = f"q2_{n_2}"
        else:
            self.last = "q2_1"
            n = N_ORDINATES if options.get("formulation") != "reference" else N_ORDINATES[1:] * 2
            one = FedChain("U1_", "q1_", n[0], "S", "R", "routed branch, reservoir")
            two = FedChain("U2_", "q2_", n[1], "S", None, "direct branch, reservoir")
        self.form, self.one, self.two = form, one, two
        production = Store("S", "mm", "production store", capacity="x1")
        routing = Store("R", "mm", "routing store", capacity="x3")
        self.stores = (production, routing, *one.stores, *two.stores)
        own = (Flow("E_i", "S", None), Flow("E_s", "S", None), *inflow, *one.flows, *two.flows)
        around = (Flow("q_g", None, "R"), Flow("q_r", "R", None), Flow("x_d", None, None))
        self.flows = (*own, *around)
        discharge = Output(
            "discharge", ("q_r", self.last, "x_d"), "mm/d", "discharge at the outlet"
        )
        self.outputs = (discharge, *type(self).outputs)
        super().__init__(**options)

    def production(self, s: Any, u: Any, p: Any) -> tuple[dict[str, Any], Any]:
        """Return liquid water, infiltration, evaporations and what leaves the store, mm/d."""
        water = self.snow.fluxes(s, u, p)
        default = self.formulation == "default"
        S, a = pos(s.S, WIDTH), water.liquid - p.f_p * u.potential_evaporation
        z, P_n, E_n = S / p.x1, pos(a, WIDTH), pos(-a, WIDTH)
        wet, dry = tanh(P_n / p.x1), tanh(E_n / p.x1)
        P_s = p.x1 * (1 - z * z) * wet / (1 + z * wet)
        E_s = S * (2 - z) * dry / (1 + (1 - z) * dry)
        if not default:
            gate = (1 + tanh(a / p.x1)) / 2
            P_s, E_s = gate * P_s, (1 - gate) * E_s
        percolation = S * (1 - power(1 + (TANK * z) ** 4, -1 / 4))
        return {**water, "E_i": water.liquid - P_n, "E_s": E_s}, P_n - P_s + percolation

    def branch(self, s: Any, p: Any, P_r: Any) -> dict[str, Any]:
        """Return the fluxes of both branches."""
        P_1, P_2 = p.x5 * P_r, (1 - p.x5) * P_r
        if self.form == "A":
            one = self.one.fluxes(s, self.one.n / p.x4)
            return {"P_1": P_1, "P_2": P_2, **one, **self.two.fluxes(s, self.two.n / (2 * p.x4))}
        if self.formulation == "default":
            shares = ordinates(sh1, p.x4, self.one.n), ordinates(sh2, p.x4, self.two.n)
        else:
            raw = [pos(w, FLOOR) for w in ordinates(reference_curve, p.x4, self.one.n)]
            total = sum(raw)
            shares = ([w / total for w in raw],) * 2
        return {**self.one.fluxes(s, P_1, shares[0]), **self.two.fluxes(s, P_2, shares[1])}

    def fluxes(self, s, u, p):
        water, P_r = self.production(s, u, p)
        branches = self.branch(s, p, P_r)
        x = (s.R if self.formulation == "default" else pos(s.R, WIDTH)) / p.x3
        q_g = p.x2 * guarded_power(x, EXCHANGE_EXPONENT, WIDTH)
        q_r = p.x3 / 4 * x**5
        q_2 = branches[self.last]
        return {**water, **branches, "q_g": q_g, "q_r": q_r, "x_d": pos(q_2 + q_g, WIDTH) - q_2}
