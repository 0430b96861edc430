"""From the declaration of a map to the update of one interval as one program.

Nothing is integrated. The results of the program are the new contents, the outputs, and the flows
into unit hydrographs. What arrives from a hydrograph in an interval has come in this interval and
before, so its inflow is computed first, and the hydrographs have an order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pymc_hydro.core.base.expression import symbol
from pymc_hydro.core.declaration import Output
from pymc_hydro.core.maps import AbstractMap
from pymc_hydro.engine.derivation.program import Program
from pymc_hydro.engine.derivation.system import (
    COTANGENT,
    Route,
    inflow_name,
    initial_contents,
    is_flux,
    levels_of,
    route_of,
    trace,
)

__all__ = ["Update", "derive_update", "output_name", "transpose_update"]


@dataclass(frozen=True)
class Update:
    """The update of one interval, for the outputs that are asked for.

    Attributes
    ----------
    results : dict of str to int
        Nodes: the new content by store, the outputs (:func:`output_name`), and the flows into
        hydrographs (:func:`pymc_hydro.engine.derivation.system.inflow_name`), in mm/d.
    jacobian : dict of (result, symbol) to int
        Non-zero derivatives by stores, by arrivals from hydrographs, and by parameters.
    products : dict of str to int
        In a transposed update: by symbol, the sum over all results of the derivative times
        ``COTANGENT + result``.
    held : tuple of str
        The hydrographs, in the order in which what arrives from them is computed.
    routes : dict of str to Route
        By hydrograph.
    start, start_jacobian : dict
        As in :class:`pymc_hydro.engine.derivation.system.System`.
    levels : list of int
        How often each node must be evaluated.
    """

    model: AbstractMap
    outputs: tuple[Output, ...]
    program: Program
    results: dict[str, int]
    jacobian: dict[tuple[str, str], int]
    products: dict[str, int]
    held: tuple[str, ...]
    routes: dict[str, Route]
    start: dict[str, int]
    start_jacobian: dict[tuple[str, str], int]
    levels: list[int]


def output_name(position: int) -> str:
    """Return the name of the result that is an output."""
    return f"output {position}"


def derive_update(model: AbstractMap, outputs: tuple[Output, ...]) -> Update:
    """Return the update with its derivatives.

    Raises
    ------
    ValueError
        If what enters a hydrograph depends on what arrives from it in the same interval.
    """
    return _derive(model, outputs, columns=True)


def transpose_update(model: AbstractMap, outputs: tuple[Output, ...]) -> Update:
    """Return the update with the products of its transposed Jacobian and cotangents."""
    return _derive(model, outputs, columns=False)


def _derive(model, outputs, columns):
    program = Program()
    results = {name: trace(program, value) for name, value in _results(model, outputs).items()}
    names = [hydrograph.output for hydrograph in model.hydrographs]
    by_all = program.jacobian(results, (*model.store_names, *names, *model.parameter_names))
    held = _order(model, names, by_all)
    products: dict[str, int] = {}
    if not columns:
        total = program.constant(0.0)
        for name, number in results.items():
            term = program.node("mul", number, program.symbol(COTANGENT + name))
            total = program.node("add", total, term)
        inputs = (*model.store_names, *names, *model.parameter_names, *model.forcing_names)
        products = {by: n for (_, by), n in program.jacobian({"total": total}, inputs).items()}
    start, start_jacobian = initial_contents(program, model, model.stores)
    routes = {h.output: route_of(program, model, 0, h) for h in model.hydrographs}
    return Update(
        model=model,
        outputs=outputs,
        program=program,
        results=results,
        jacobian=by_all if columns else {},
        products=products,
        held=held,
        routes=routes,
        start=start,
        start_jacobian=start_jacobian,
        levels=levels_of(program, model),
    )


def _results(model, outputs) -> dict[str, Any]:
    """Return new contents, outputs and flows into hydrographs as expressions."""
    stores = {name: symbol(name) for name in model.store_names}
    names = [hydrograph.output for hydrograph in model.hydrographs]
    forcing = {name: symbol(name) for name in (*model.forcing_names, *names)}
    parameters = {name: symbol(name) for name in model.parameter_names}
    fluxes = model.evaluate(stores, forcing, parameters)
    new = model.update(stores, fluxes)
    results = dict(new)
    for position, output in enumerate(outputs):
        known = fluxes if is_flux(model, output) else new
        results[output_name(position)] = _sum(known[term] for term in output.terms)
    for name in names:
        results[inflow_name(name)] = _sum(fluxes[f.flux] for f in model.flows if f.target == name)
    return results


def _sum(terms: Iterable[Any]) -> Any:
    first, *others = terms
    return sum(others, start=first)


def _order(model, names, jacobian):
    """Return the hydrographs so that each inflow depends on earlier ones only."""
    before = {n: {m for m in names if (inflow_name(n), m) in jacobian} for n in names}
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise ValueError(
            f"{type(model).__name__}: the flow into the unit hydrograph {error.args[1][0]!r} "
            "depends on what arrives from it in the same interval; lead the flow to a store first"
        ) from None
