"""A model with unit hydrographs between its stores, divided into parts that run one after another.

The stores above a hydrograph do not depend on the water that arrives from it. They are integrated
first, over the whole record. The interval means of the flow into the hydrograph are then
distributed over later intervals, and the stores below receive the result as an inflow that is
constant in an interval.
"""

from dataclasses import dataclass

from pymc_hydro.core.base.expression import symbol
from pymc_hydro.core.declaration import Output
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.derivation.program import Program
from pymc_hydro.engine.derivation.system import inflow_name, trace

__all__ = ["Part", "parts"]


@dataclass(frozen=True)
class Part:
    """Stores and outputs that are integrated together.

    Attributes
    ----------
    held : tuple of str
        Unit hydrographs from which water arrives.
    stores : tuple of str
        Stores on which the outputs depend; a store may be in several parts.
    outputs : tuple of Output
        Terms of the outputs that are asked for, and of the flows into hydrographs.
    """

    held: tuple[str, ...]
    stores: tuple[str, ...]
    outputs: tuple[Output, ...]


def parts(model: AbstractModel, outputs: tuple[Output, ...]) -> tuple[Part, ...]:
    """Return the parts that the outputs of a model need, in the order in which they run.

    Raises
    ------
    ValueError
        If water returns to a unit hydrograph that it came from.
    """
    names = [hydrograph.output for hydrograph in model.hydrographs]
    into = {n: [f.flux for f in model.flows if f.target == n] for n in names}
    reads = _reads(model, names)
    order: dict[str, int] = {}

    def order_of(term, above=()):
        """Return how many hydrographs one after another are above a term."""
        arriving = [n for n in reads[term] if n in names]
        for n in arriving:
            if n in above:
                raise ValueError(
                    f"{type(model).__name__}: the flow into the unit hydrograph {n!r} depends on "
                    "what arrives from it; a hydrograph must not feed back"
                )
            if n not in order:
                order[n] = 1 + max(order_of(t, (*above, n)) for t in into[n])
        return max((order[n] for n in arriving), default=0)

    wanted = {o.name: o for o in outputs}
    todo = [t for o in outputs for t in o.terms]
    while todo:
        for n in reads[todo.pop()]:
            if n in names and inflow_name(n) not in wanted:
                inflow = Output(inflow_name(n), tuple(into[n]), "mm/d", f"flow into {n}")
                wanted[inflow.name] = inflow
                todo += into[n]
    found = []
    for k in sorted({order_of(t) for o in wanted.values() for t in o.terms}):
        here = []
        for o in wanted.values():
            terms = tuple(t for t in o.terms if order_of(t) == k)
            if terms:
                here.append(Output(o.name, terms, o.unit, o.description))
        used = {n for o in here for t in o.terms for n in reads[t]}
        held = tuple(n for n in names if n in used)
        found.append(Part(held, tuple(n for n in model.store_names if n in used), tuple(here)))
    return tuple(found)


def _reads(model, names):
    """Return the stores and hydrographs that each flux and each store depends on."""
    program = Program()
    stores = {n: symbol(n) for n in model.store_names}
    forcing = {n: symbol(n) for n in (*model.forcing_names, *names)}
    parameters = {n: symbol(n) for n in model.parameter_names}
    fluxes = model.evaluate(stores, forcing, parameters)
    terms = {**fluxes, **model.right_hand_side(fluxes)}
    known = {program.symbol(n): {n} for n in (*stores, *names)}
    of_node: list[set] = []
    numbers = {name: trace(program, value) for name, value in terms.items()}
    for number, (op, *args) in enumerate(program.nodes):
        inside = () if op in ("constant", "symbol") else args
        of_node.append(known.get(number, set()).union(*(of_node[a] for a in inside)))
    reads = {name: set(of_node[number]) for name, number in numbers.items()}
    for store in stores:
        reads[store].add(store)
    while True:
        more = {k: v.union(*(reads[n] for n in v if n in stores)) for k, v in reads.items()}
        if more == reads:
            return reads
        reads = more
