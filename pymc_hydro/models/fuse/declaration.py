"""The declaration of a structure of FUSE from its decisions."""

from itertools import pairwise
from typing import Any, final

from pymc_hydro.core import AbstractModel, Flow, Parameter, Store, UnitHydrograph
from pymc_hydro.core.functions import exp, gammainc, log, piecewise
from pymc_hydro.core.laws import Laws
from pymc_hydro.core.laws.structure import discharge_from, evaporation_from
from pymc_hydro.models.fuse.decisions import (
    DECISIONS,
    named_decisions,
    read_decision,
    why_invalid,
)

__all__ = ["FUSE"]

OFFSET, LARGEST = 3.0, 50.0  # of the topographic index: its smallest and largest value
SHAPE, REACH = 2.5, 12.0  # of the gamma hydrograph; its end in mean delays
METRES = 1000.0  # mm
DRY = 1e-6  # of the capacity of the lower layer, below which nothing is saturated

# By name, in the order of every parameter vector.
PARAMETERS = {
    p.name: p
    for p in (
        Parameter("rferr_add", -1, 1, "mm/d", "additive rainfall error", default=0),
        Parameter("rferr_mlt", 0.5, 1.5, "1", "factor on rainfall", default=1),
        Parameter("maxwatr_1", 25, 500, "mm", "depth of the upper layer", default=100),
        Parameter("maxwatr_2", 50, 5000, "mm", "depth of the lower layer", default=1000),
        Parameter("fracten", 0.05, 0.95, "1", "share of tension storage", default=0.5),
        Parameter("frchzne", 0.05, 0.95, "1", "share of tension storage in the recharge zone"),
        Parameter("fprimqb", 0.05, 0.95, "1", "share of free storage in the primary tank"),
        Parameter("rtfrac1", 0.05, 0.95, "1", "share of roots in the upper layer", default=0.75),
        Parameter("percrte", 0.01, 1000, "mm/d", "percolation of a full store", default=20),
        Parameter("percexp", 1, 20, "1", "exponent of percolation", default=5),
        Parameter("sacpmlt", 1, 250, "1", "increase of percolation to a dry layer", default=10),
        Parameter("sacpexp", 1, 5, "1", "exponent of this increase", default=2),
        Parameter("percfrac", 0.05, 0.95, "1", "share of percolation to free storage"),
        Parameter("iflwrte", 0.01, 1000, "mm/d", "interflow of a full store", default=5),
        Parameter("baserte", 0.001, 1000, "mm/d", "rate of baseflow", default=50),
        Parameter("qb_powr", 3.6, 10, "1", "exponent of baseflow", default=5),
        Parameter("qb_prms", 0.001, 0.25, "1/d", "rate of baseflow", default=0.05),
        Parameter("qbrate_2a", 0.001, 0.25, "1/d", "rate of the primary tank", default=0.01),
        Parameter("qbrate_2b", 0.001, 0.25, "1/d", "rate of the secondary tank", default=0.1),
        Parameter("sareamax", 0.05, 0.95, "1", "largest saturated area", default=0.25),
        Parameter("axv_bexp", 0.001, 3, "1", "exponent of the saturated area", default=0.3),
        Parameter("loglamb", 5, 10, "1", "mean of the topographic index"),
        Parameter("tishape", 2, 5, "1", "shape of the topographic index"),
        Parameter("timedelay", 0.01, 5, "d", "mean delay of the unit hydrograph", default=1),
    )
}
FREE_EXPONENT = Parameter("qb_powr", 1, 10, "1", "exponent of baseflow", default=5)
LOWER_STORES = {
    "tens2pll": (
        Store("T2", "mm", "lower tension storage"),
        Store("F2A", "mm", "lower primary free storage"),
        Store("F2B", "mm", "lower secondary free storage"),
    ),
    "topmdexp": (Store("W2", "mm", "lower layer", signed=True),),
}
UPPER_STORES = {
    "onestate": (Store("W1", "mm", "upper layer", capacity="maxwatr_1"),),
    "tension1": (
        Store("T1", "mm", "upper tension storage"),
        Store("F1", "mm", "upper free storage"),
    ),
    "tension2": (
        Store("T1A", "mm", "tension storage, recharge zone"),
        Store("T1B", "mm", "tension storage below it"),
        Store("F1", "mm", "upper free storage"),
    ),
}


@final
class FUSE(AbstractModel):
    """FUSE of Clark et al. (2008): a model made of decisions about each process.

    Parameters
    ----------
    upper : {"onestate", "tension1", "tension2"}
        Stores of the upper layer: one; tension and free storage; two of tension and free storage.
    lower : {"fixedsiz", "tens2pll", "unlimfrc", "unlimpow", "topmdexp"}
        Lower layer and baseflow: a power of a store of fixed size; tension storage and two parallel
        tanks; a store of unlimited size with a rate, a power or an exponential (then it may be
        negative).
    surface : {"arno", "prms", "tmdl"}
        Saturated area: of variable storage capacity, linear in tension storage, or of the
        topographic index.
    percolation : {"w2sat", "f2sat", "lower"}
        From field capacity or from saturation to saturation, or driven by the lower layer.
    evaporation : {"rootweight", "sequential"}
    interflow : {"none", "some"}
    routing : {"gamma", "none"}
        Whether a gamma distribution of shape 2.5 delays discharge.
    rainfall_error : {None, "additive", "multiplicative"}
        With an error, a parameter more; the difference is the declared exchange `x_p`.
    snow : bool or {"degree-day", "refreezing"}, optional
        Whether to put a snow front end before the upper layer, and which one.
    width : float, optional
        As of :class:`pymc_hydro.core.laws.structure.AbstractStructure`.

    Raises
    ------
    ValueError
        If a decision is unknown, or the decisions are no structure.

    Notes
    -----
    The names of the original code (``"tension1_1"``) are taken, too. :meth:`parent` returns
    TOPMODEL, ARNO/VIC, PRMS or SACRAMENTO; :func:`pymc_hydro.models.fuse.combinations` lists all.
    The default decisions are those of ARNO/VIC.

    The mean of the power-transformed topographic index exists in closed form only if the scale of
    its distribution, (loglamb - 3)/tishape, is below `qb_powr`; the bounds see to that. The
    multiplier of percolation by the lower layer does not fall below one.

    References
    ----------
    Clark, M. P., et al. (2008). Water Resour. Res. 44, W00B02. doi:10.1029/2007WR006735

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> ph.FUSE.parent("prms").store_names
    ('T1A', 'T1B', 'F1', 'W2')
    """

    def __init__(
        self,
        *,
        upper: str = "onestate",
        lower: str = "fixedsiz",
        surface: str = "arno",
        percolation: str = "w2sat",
        evaporation: str = "rootweight",
        interflow: str = "none",
        routing: str = "gamma",
        rainfall_error: str | None = None,
        snow: bool | str = False,
        width: float = 0.0,
        **options: Any,
    ):
        given = {
            "upper": upper, "lower": lower, "surface": surface, "percolation": percolation,
            "evaporation": evaporation, "interflow": interflow, "routing": routing,
            "rainfall_error": rainfall_error,
        }  # fmt: skip
        self.decisions: dict[str, Any] = {n: read_decision(n, c) for n, c in given.items()}
        wrong = why_invalid(*(self.decisions[n] for n in ("upper", "lower", "percolation")))
        if wrong:
            raise ValueError(f"FUSE: {wrong}")
        self.choices = self.decisions | {"width": float(width)}
        self.law = Laws(float(width))
        self.tolerance_factor = self.law.tolerance_factor
        self.evaporates_below = (
            self.decisions["lower"] in ("tens2pll", "fixedsiz")
            and self.decisions["upper"] != "tension2"
        )
        self._assemble()
        super().__init__(snow=snow, **options)

    @classmethod
    def parent(cls, name: str, **options: Any) -> "FUSE":
        """Return one of the four parents: "topmodel", "arno/vic", "prms" or "sacramento".

        Or a structure by its place among all combinations, such as "385".

        Raises
        ------
        KeyError
            If there is none of this name.
        """
        return cls(**(named_decisions(name) | options))

    def _assemble(self) -> None:
        """Set parameters, stores, flows and outputs from the decisions."""
        chosen = self.decisions
        lower = (Store("W2", "mm", "lower layer"),)
        above, below = UPPER_STORES[chosen["upper"]], LOWER_STORES.get(chosen["lower"], lower)
        self.stores = (*above, *below)
        first, last = above[0].name, above[-1].name
        self.snow_target = first
        flows = [Flow("q_s", first, None), Flow("o_1", last, None)]
        flows += [Flow(f"t_{s.name}", s.name, n.name) for s, n in pairwise(above)]
        wet = [s.name for s in above if s.name != "F1"]
        flows += [Flow(f"e_{name}", name, None) for name in wet]
        losses = [f"e_{name}" for name in wet]
        river = ["q_s", "o_1"]
        if chosen["interflow"] == "some":
            flows.append(Flow("q_i", last, None))
            river.append("q_i")
        flows += [Flow(f"p_{s.name}", last, s.name) for s in below]
        if self.evaporates_below:
            flows.append(Flow("e_2", below[0].name, None))
            losses.append("e_2")
        tanks = [s.name for s in below if s.name != "T2"]
        flows += [Flow(f"q_{name}", name, None) for name in tanks]
        river += [f"q_{name}" for name in tanks]
        if chosen["lower"] in ("tens2pll", "fixedsiz"):
            flows += [Flow(f"o_{name}", name, None) for name in tanks]
            river += [f"o_{name}" for name in tanks]
        if chosen["lower"] == "tens2pll":
            flows += [Flow(f"t_{name}", "T2", name) for name in tanks]
            self.ordered = (("qbrate_2a", "qbrate_2b"),)
        if chosen["rainfall_error"]:
            flows.append(Flow("x_p", None, first))
            self.exchanges = ("x_p",)
        if chosen["routing"] == "gamma":
            self.routing = UnitHydrograph(
                "discharge",
                lambda a, b, p: self._arrived(b, p) - self._arrived(a, p),
                lambda p: REACH * p.timedelay,
                normalized=True,
                description="routed by a gamma distribution",
            )
        self.flows = tuple(flows)
        self.outputs = (discharge_from(*river), evaporation_from(*losses))
        self.parameters = self._parameters()

    def _parameters(self) -> tuple[Parameter, ...]:
        """Return the parameters that the decisions need."""
        chosen = self.decisions
        upper, lower, surface = (chosen[n] for n in ("upper", "lower", "surface"))
        index = surface == "tmdl" or lower == "unlimpow"
        needed = {
            "rferr_add": chosen["rainfall_error"] == "additive",
            "rferr_mlt": chosen["rainfall_error"] == "multiplicative",
            "maxwatr_1": True,
            "maxwatr_2": lower != "unlimfrc" or surface == "tmdl" or self._driven,
            "fracten": True,
            "frchzne": upper == "tension2",
            "fprimqb": lower == "tens2pll",
            "rtfrac1": chosen["evaporation"] == "rootweight",
            "percrte": not self._driven,
            "percexp": not self._driven,
            "sacpmlt": self._driven,
            "sacpexp": self._driven,
            "percfrac": lower == "tens2pll",
            "iflwrte": chosen["interflow"] == "some",
            "baserte": lower in ("unlimpow", "topmdexp", "fixedsiz"),
            "qb_powr": index or lower == "fixedsiz",
            "qb_prms": lower == "unlimfrc",
            "qbrate_2a": lower == "tens2pll",
            "qbrate_2b": lower == "tens2pll",
            "sareamax": surface == "prms",
            "axv_bexp": surface == "arno",
            "loglamb": index or lower == "topmdexp",
            "tishape": index,
            "timedelay": chosen["routing"] == "gamma",
        }
        table = PARAMETERS if index else PARAMETERS | {"qb_powr": FREE_EXPONENT}
        return tuple(p for name, p in table.items() if needed[name])

    @property
    def _driven(self) -> bool:
        return self.decisions["percolation"] == "lower"

    @staticmethod
    def _arrived(t: Any, p: Any) -> Any:
        return gammainc(SHAPE, SHAPE * t / p.timedelay)

    # ---- laws -------------------------------------------------------------------------------

    def _index(self, p: Any) -> tuple[Any, Any]:
        """Return the scale of the topographic index, and the logarithm of its transformed mean."""
        scale, n = (p.loglamb - OFFSET) / p.tishape, p.qb_powr
        inside = gammainc(p.tishape, (LARGEST - OFFSET) * (1 / scale - 1 / n))
        return scale, OFFSET / n - p.tishape * log(1 - scale / n) + log(inside)

    def _saturated(self, s: Any, p: Any, tension: Any, total: Any) -> Any:
        """Return the saturated share of the area."""
        law, surface = self.law, self.decisions["surface"]
        if surface == "arno":
            return law.saturated_share(total / p.maxwatr_1, p.axv_bexp)
        if surface == "prms":
            return p.sareamax * law.least(1.0, tension / (p.fracten * p.maxwatr_1))
        scale, mean = self._index(p)
        z = self._lower(s) / p.maxwatr_2
        wet = piecewise(z - DRY, z, DRY, continuity=0)
        critical = p.qb_powr * (mean - log(wet)) - OFFSET
        return 1 - gammainc(p.tishape, law.positive(critical) / scale)

    def _lower(self, s: Any) -> Any:
        """Return the content of the lower layer, mm."""
        return s.T2 + s.F2A + s.F2B if self.decisions["lower"] == "tens2pll" else s.W2

    def _full_baseflow(self, p: Any) -> Any:
        """Return the baseflow of a full lower layer, mm/d."""
        lower = self.decisions["lower"]
        if lower == "tens2pll":
            free = (1 - p.fracten) * p.maxwatr_2
            return (p.qbrate_2a * p.fprimqb + p.qbrate_2b * (1 - p.fprimqb)) * free
        if lower == "unlimfrc":
            return p.qb_prms * p.maxwatr_2
        if lower == "topmdexp":
            return p.baserte * (p.maxwatr_2 / METRES) * exp(-p.loglamb)
        if lower == "unlimpow":
            _, mean = self._index(p)
            return p.baserte * (p.maxwatr_2 / (METRES * p.qb_powr)) * exp(-p.qb_powr * mean)
        return p.baserte

    def _upper(self, s: Any, p: Any) -> tuple[Any, Any, Any]:
        """Return tension and free storage of the upper layer, and all of it."""
        if self.decisions["upper"] == "onestate":
            most = p.fracten * p.maxwatr_1
            return self.law.least(s.W1, most), self.law.positive(s.W1 - most), s.W1
        tension = s.T1 if self.decisions["upper"] == "tension1" else s.T1A + s.T1B
        return tension, s.F1, tension + s.F1

    def _overflows(self, s: Any, p: Any, rest: Any) -> dict[str, Any]:
        """Return what the stores of the upper layer pass on when they are full."""
        law, most, upper = self.law, p.fracten * p.maxwatr_1, self.decisions["upper"]
        if upper == "onestate":
            return {"o_1": rest * law.full(s.W1, p.maxwatr_1)}
        found, passing = {}, rest
        if upper == "tension1":
            parts: tuple = (("T1", most),)
        else:
            parts = (("T1A", p.frchzne * most), ("T1B", (1 - p.frchzne) * most))
        for name, capacity in parts:
            passing = found[f"t_{name}"] = passing * law.full(s[name], capacity)
        return {**found, "o_1": passing * law.full(s.F1, p.maxwatr_1 - most)}

    def _losses(self, s: Any, p: Any, E: Any, tension: Any) -> dict[str, Any]:
        """Return the evaporation of each store."""
        most, weighted = p.fracten * p.maxwatr_1, self.decisions["evaporation"] == "rootweight"
        share = p.rtfrac1 if weighted else 1.0
        if self.decisions["upper"] == "tension2":
            e_a = share * E * s.T1A / (p.frchzne * most)
            left = (1 - share) * E if weighted else E - e_a
            return {"e_T1A": e_a, "e_T1B": left * s.T1B / ((1 - p.frchzne) * most)}
        e_1 = share * E * tension / most
        found = {f"e_{self.stores_of_upper}": e_1}
        if self.evaporates_below:
            below = p.fracten * p.maxwatr_2
            parallel = self.decisions["lower"] == "tens2pll"
            T2 = s.T2 if parallel else self.law.least(s.W2, below)
            found["e_2"] = ((1 - share) * E if weighted else E - e_1) * T2 / below
        return found

    @property
    def stores_of_upper(self) -> str:
        """Name of the first store of the upper layer."""
        return UPPER_STORES[self.decisions["upper"]][0].name

    def _below(self, s: Any, p: Any, down: Any) -> dict[str, Any]:
        """Return the fluxes of the lower layer from percolation."""
        law, lower = self.law, self.decisions["lower"]
        if lower == "tens2pll":
            free = (1 - p.fracten) * p.maxwatr_2
            to_tension, half = (1 - p.percfrac) * down, p.percfrac * down / 2
            spill = to_tension * law.full(s.T2, p.fracten * p.maxwatr_2) / 2
            found = {"p_T2": to_tension}
            for name, rate, part in (
                ("F2A", p.qbrate_2a, p.fprimqb),
                ("F2B", p.qbrate_2b, 1 - p.fprimqb),
            ):
                over = (half + spill) * law.full(s[name], part * free)
                found |= {f"p_{name}": half, f"t_{name}": spill, f"o_{name}": over}
                found[f"q_{name}"] = rate * s[name]
            return found
        if lower == "unlimfrc":
            return {"p_W2": down, "q_W2": p.qb_prms * s.W2}
        full, z = self._full_baseflow(p), s.W2 / p.maxwatr_2
        if lower == "topmdexp":
            return {"p_W2": down, "q_W2": full * exp(-(1 - z))}
        found = {"p_W2": down, "q_W2": full * law.power(law.content(z), p.qb_powr)}
        return found | ({"o_W2": down * law.full(s.W2, p.maxwatr_2)} if lower == "fixedsiz" else {})

    def fluxes(self, s: Any, u: Any, p: Any) -> dict[str, Any]:
        water, law, chosen = self.snow.fluxes(s, u, p), self.law, self.decisions
        P = rain = water.liquid
        found = dict(water)
        if chosen["rainfall_error"]:
            additive = chosen["rainfall_error"] == "additive"
            P = law.positive(rain + p.rferr_add) if additive else p.rferr_mlt * rain
            found["x_p"] = P - rain
        tension, free, total = self._upper(s, p)
        relative = free / ((1 - p.fracten) * p.maxwatr_1)
        q_s = self._saturated(s, p, tension, total) * P
        if self._driven:
            dry = law.power(law.positive(1 - self._lower(s) / p.maxwatr_2), p.sacpexp)
            down = self._full_baseflow(p) * (1 + p.sacpmlt * dry) * relative
        else:
            base = total / p.maxwatr_1 if chosen["percolation"] == "w2sat" else relative
            down = p.percrte * law.power(law.content(base), p.percexp)
        if chosen["interflow"] == "some":
            found["q_i"] = p.iflwrte * relative
        losses = self._losses(s, p, u.potential_evaporation, tension)
        above = {"q_s": q_s, **self._overflows(s, p, P - q_s)}
        return {**found, **above, **losses, **self._below(s, p, down)}


assert set(DECISIONS) <= set(FUSE.__signature__.parameters)
