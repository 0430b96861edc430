"""GR4J, GR5J and GR6J for days, GR4H and GR5H for hours."""

import math
from functools import partial
from typing import Any, final

from pymc_hydro.core import (
    AbstractMap,
    CemaNeige,
    Flow,
    Laws,
    Parameter,
    Store,
    exp,
    log1p,
    piecewise,
    sqrt,
    tanh,
)
from pymc_hydro.core.laws import full_curve, half_curve, hydrograph
from pymc_hydro.core.laws.structure import discharge_from, evaporation_from

__all__ = ["GR4H", "GR4J", "GR5H", "GR5J", "GR6J", "AbstractGR"]

ROUTED = 0.9  # share of the branch that leads to the routing store
TO_EXPONENTIAL = 0.4  # share of the routed branch that GR6J leads to its second store
SMALLEST = 1e-12  # of the base of a root, whose slope at zero is infinite
HOUR = 1 / 24  # d

X1 = Parameter("x1", 1, 4000, "mm", "capacity of the production store", default=350)
X2 = Parameter("x2", -20, 15, "mm/d", "groundwater exchange", default=0)
X3 = Parameter("x3", 1, 2000, "mm", "capacity of the routing store", default=90)
X4 = Parameter("x4", 0.5, 10, "d", "time base of the unit hydrographs", default=1.7)
# Hourly: an exchange of some mm/h, and a delay from half an hour on.
X2_HOURS = Parameter("x2", -100, 100, "mm/d", "groundwater exchange", default=0)
X4_HOURS = Parameter("x4", 0.5 * HOUR, 10, "d", "time base of the unit hydrographs", default=0.5)
NO_LIMITS = (-math.inf, math.inf)

PRODUCTION = Store("S", "mm", "production store", lambda p: 0.3 * p.x1, "x1")
ROUTING = Store("R", "mm", "routing store", lambda p: 0.5 * p.x3, "x3")
EXPONENTIAL = Store("Exp", "mm", "exponential store, which may be negative", 0.0, signed=True)
EVAPORATION = (Flow("E_i", "S", None), Flow("E_s", "S", None))
TO_BRANCHES = (Flow("r_9", "S", "H_9"), Flow("r_1", "S", "H_1"))
OUTFLOWS = (Flow("x_r", None, "R"), Flow("q_r", "R", None))


def drained(x: Any) -> Any:
    """Return ``1 - (1 + x^4)^(-1/4)``, the share that a store of content `x` loses by draining."""
    return 1 - 1 / sqrt(sqrt(1 + x**4))


class AbstractGR(AbstractMap):
    """What the GR models share: the production store, and the store that routes.

    Parameters
    ----------
    snow : bool, optional
        Whether CemaNeige comes before the model; without it all precipitation is rain.
    annual_snowfall : float, optional
        With snow: the mean snowfall of a year in mm, of which 90 % are the pack that covers all
        ground, see ``ph.gr.annual_snowfall``. Not given: this pack is estimated as the
        parameter `G_c`.
    width : float, optional
        Width over which minima, maxima and thresholds are smooth, in mm, such as 0.01. Zero for
        exact kinks, as published.

    Attributes
    ----------
    tank : float
        Content, in capacities of the production store, that the percolation is scaled by.
    exponent : float
        Of the unit hydrographs.
    """

    tank: float = 9 / 4
    exponent: float = 2.5
    snow_target = "S"

    def __init__(
        self,
        *,
        snow: bool = False,
        annual_snowfall: float | None = None,
        width: float = 0.0,
        **options: Any,
    ):
        name = type(self).__name__
        if not 0 <= width < 1:
            raise ValueError(f"{name}: width must be at least 0 and below 1 mm, found {width!r}")
        if annual_snowfall is not None and not (snow and 0 < annual_snowfall < math.inf):
            raise ValueError(
                f"{name}: annual_snowfall must be a positive number of mm, and goes with snow=True;"
                f" found {annual_snowfall!r} and snow={snow}"
            )
        self.law, self.annual_snowfall = Laws(float(width)), annual_snowfall
        super().__init__(snow=snow, **options)

    def snow_front(self):
        return CemaNeige("S", self.interval, self.annual_snowfall, self.law)

    def production(self, s, u, p):
        """Return liquid water with evaporation, mm/d, and what the store releases, mm.

        Perrin et al. (2003), equations 1 to 8.
        """
        law, dt = self.law, self.interval
        water = self.snow.fluxes(s, u, p)
        net = dt * (water.liquid - u.potential_evaporation)
        P_n = law.positive(net)
        E_n = P_n - net
        z, wet, dry = s.S / p.x1, tanh(P_n / p.x1), tanh(E_n / p.x1)
        P_s = p.x1 * (1 - z * z) * wet / (1 + z * wet)
        E_s = s.S * (2 - z) * dry / (1 + (1 - z) * dry)
        S = s.S + P_s - E_s
        percolation = S * drained(S / (self.tank * p.x1))
        fluxes = {**water, "E_i": water.liquid - P_n / dt, "E_s": E_s / dt}
        return fluxes, P_n - P_s + percolation

    def routed(self, s, p, inflow, F):
        """Return exchange and outflow of the routing store, mm/d, for an exchange of F mm/d."""
        R = self.law.positive(s.R + self.interval * (inflow + F))
        x_r = (R - s.R) / self.interval - inflow
        return {"x_r": x_r, "q_r": R * drained(R / p.x3) / self.interval}

    def direct(self, q_1, F):
        """Return the direct branch and its exchange, mm/d; the branch cannot become negative."""
        return {"q_1": q_1, "x_d": self.law.positive(q_1 + F) - q_1}

    def two_hydrographs(self):
        """Return the unit hydrographs of GR4J, of the routed and of the direct branch."""
        half, full = (partial(c, exponent=self.exponent) for c in (half_curve, full_curve))
        return (
            hydrograph("H_9", half, lambda p: p.x4, "routed branch"),
            hydrograph("H_1", full, lambda p: p.x4, "direct branch", reach=2.0),
        )


class AbstractGR4(AbstractGR):
    """GR4J and GR4H: exchange follows the content of the routing store."""

    snow_target = "S"
    exchanges = ("x_r", "x_d")
    stores = (PRODUCTION, ROUTING)
    flows = (
        *EVAPORATION,
        *TO_BRANCHES,
        Flow("q_9", "H_9", "R"),
        *OUTFLOWS,
        Flow("q_1", "H_1", None),
        Flow("x_d", None, None),
    )
    outputs = (discharge_from("q_r", "q_1", "x_d"), evaporation_from("E_i", "E_s"))

    def __init__(self, **options: Any):
        self.hydrographs = self.two_hydrographs()
        super().__init__(**options)

    def fluxes(self, s, u, p):
        water, r = self.production(s, u, p)
        x = s.R / p.x3
        root = sqrt(piecewise(x - SMALLEST, x, SMALLEST, continuity=0))
        F = p.x2 * x**3 * root
        return {
            **water,
            "r_9": ROUTED * r / self.interval,
            "r_1": (1 - ROUTED) * r / self.interval,
            "q_9": u.H_9,
            **self.routed(s, p, u.H_9, F),
            **self.direct(u.H_1, F),
        }


class AbstractGR5(AbstractGR):
    """GR5J and GR5H: one unit hydrograph, and an exchange that may change its sign."""

    snow_target = "S"
    exchanges = ("x_r", "x_d")
    stores = (PRODUCTION, ROUTING)
    flows = (
        *EVAPORATION,
        Flow("r", "S", "H"),
        Flow("q_9", "H", "R"),
        *OUTFLOWS,
        Flow("q_1", "H", None),
        Flow("x_d", None, None),
    )
    outputs = (discharge_from("q_r", "q_1", "x_d"), evaporation_from("E_i", "E_s"))

    def __init__(self, **options: Any):
        full = partial(full_curve, exponent=self.exponent)
        self.hydrographs = (hydrograph("H", full, lambda p: p.x4, "both branches", reach=2.0),)
        super().__init__(**options)

    def fluxes(self, s, u, p):
        water, r = self.production(s, u, p)
        F, q_9 = p.x2 * (s.R / p.x3 - p.x5), ROUTED * u.H
        return {
            **water,
            "r": r / self.interval,
            "q_9": q_9,
            **self.routed(s, p, q_9, F),
            **self.direct((1 - ROUTED) * u.H, F),
        }


@final
class GR4J(AbstractGR4):
    """GR4J of Perrin et al. (2003), with a step of one day.

    Net rain fills a production store. Nine tenths of what it sheds and releases go through a unit
    hydrograph to a routing store, one tenth goes through a longer one to the outlet. Both branches
    exchange water with neighbouring ground, the declared exchanges `x_r` and `x_d`::

        P -> [S] -+- 9/10 -> H_9 -> [R] -> q_r -+-> Q
              |   +- 1/10 -> H_1 --------> q_1 -+
           E_i, E_s

    At the start the stores are filled to 30 % and 50 %, and nothing is under way.

    References
    ----------
    Perrin, C., Michel, C., Andreassian, V. (2003). J. Hydrol. 279, 275-289.
    doi:10.1016/S0022-1694(03)00225-7
    """

    parameters = (X1, X2, X3, X4)


@final
class GR4H(AbstractGR4):
    """GR4J for hours: less percolation in a step, and blunter unit hydrographs.

    The stores and flows are those of ``ph.gr.GR4J``. The percolation is scaled by 21/4
    in place of 9/4 capacities, and the exponent of the unit hydrographs is 1.25 in place of 2.5.
    Parameters are in mm/d and d.

    References
    ----------
    Mathevet, T. (2005). PhD thesis, ENGREF, Paris.
    Perrin, C., Michel, C., Andreassian, V. (2003). J. Hydrol. 279, 275-289.
    doi:10.1016/S0022-1694(03)00225-7
    """

    interval, tank, exponent = HOUR, 21 / 4, 1.25
    parameters = (X1, X2_HOURS, X3, X4_HOURS)


@final
class GR5J(AbstractGR5):
    """GR5J of Le Moine (2008), with a step of one day.

    GR4J with one unit hydrograph before its two branches, and with an exchange that changes its
    sign where the routing store holds the share x5 of its capacity: ``x2 (R/x3 - x5)``.

    References
    ----------
    Le Moine, N. (2008). PhD thesis, Universite Pierre et Marie Curie, Paris.
    Pushpalatha, R., et al. (2011). J. Hydrol. 411, 66-76. doi:10.1016/j.jhydrol.2011.09.034
    """

    parameters = (
        X1,
        X2,
        X3,
        X4,
        Parameter("x5", 0, 1, "1", "content at which exchange changes sign", 0.4, NO_LIMITS),
    )


@final
class GR5H(AbstractGR5):
    """GR5J for hours, as ``ph.gr.GR4H`` is GR4J for hours; without interception.

    References
    ----------
    Le Moine, N. (2008). PhD thesis, Universite Pierre et Marie Curie, Paris.
    Mathevet, T. (2005). PhD thesis, ENGREF, Paris.
    """

    interval, tank, exponent = HOUR, 21 / 4, 1.25
    parameters = (
        X1,
        X2_HOURS,
        X3,
        X4_HOURS,
        Parameter("x5", -1, 2, "1", "content at which exchange changes sign", 0.4, NO_LIMITS),
    )


@final
class GR6J(AbstractGR):
    """GR6J of Pushpalatha et al. (2011), with a step of one day: GR5J for low flows.

    The routed branch of GR4J is divided: six tenths go to the routing store, four tenths to an
    exponential store, which may be negative and empties the more slowly the less it holds::

        P -> [S] -+- 9/10 -> H_9 -+- 6/10 -> [R] -> q_r ---+
              |   |               +- 4/10 -> [Exp] -> q_e -+-> Q
              |   +- 1/10 -> H_1 ----------------> q_1 ----+
           E_i, E_s

    The exchange of GR5J acts on all three branches.

    References
    ----------
    Pushpalatha, R., et al. (2011). J. Hydrol. 411, 66-76. doi:10.1016/j.jhydrol.2011.09.034
    """

    parameters = (
        X1,
        X2,
        X3,
        X4,
        Parameter("x5", -2, 2, "1", "content at which exchange changes sign", 0.2, NO_LIMITS),
        Parameter("x6", 0.1, 60, "mm", "coefficient of the exponential store", 5),
    )
    exchanges = ("x_r", "x_e", "x_d")
    stores = (PRODUCTION, ROUTING, EXPONENTIAL)
    flows = (
        *EVAPORATION,
        *TO_BRANCHES,
        Flow("q_9", "H_9", "R"),
        Flow("q_4", "H_9", "Exp"),
        *OUTFLOWS,
        Flow("x_e", None, "Exp"),
        Flow("q_e", "Exp", None),
        Flow("q_1", "H_1", None),
        Flow("x_d", None, None),
    )
    outputs = (discharge_from("q_r", "q_e", "q_1", "x_d"), evaporation_from("E_i", "E_s"))

    def __init__(self, **options: Any):
        self.hydrographs = self.two_hydrographs()
        super().__init__(**options)

    def fluxes(self, s, u, p):
        water, r = self.production(s, u, p)
        F = p.x2 * (s.R / p.x3 - p.x5)
        q_9, q_4 = (1 - TO_EXPONENTIAL) * u.H_9, TO_EXPONENTIAL * u.H_9
        a = (s.Exp + q_4 + F) / p.x6
        size = piecewise(a, a, -a, continuity=0)
        q_e = p.x6 * (piecewise(a, a, 0.0, continuity=0) + log1p(exp(-size)))
        return {
            **water,
            "r_9": ROUTED * r,
            "r_1": (1 - ROUTED) * r,
            "q_9": q_9,
            "q_4": q_4,
            **self.routed(s, p, q_9, F),
            "x_e": F,
            "q_e": q_e,
            **self.direct(u.H_1, F),
        }
