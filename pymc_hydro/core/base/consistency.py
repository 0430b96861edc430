"""The rules that the declaration of a model must satisfy; each error names the change to make."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np

from pymc_hydro.core.base.dims import DRAW, PARAMETER, TIME
from pymc_hydro.core.base.names import FORCINGS, Names

__all__ = ["check_declaration", "check_parts"]

BALANCE_TOLERANCE = 1e-10  # of the precipitation; round-off of sums of about ten fluxes
N_SAMPLE = 8  # random points at which fluxes are evaluated
DIMENSIONS = (TIME, DRAW, PARAMETER, "basin")


def check_parts(model: Any, kinds: Mapping[str, type]) -> None:
    """Check that a model declares all of its parts, each a tuple of objects of the right type.

    Parameters
    ----------
    model : AbstractModel
    kinds : mapping of str to type
        The type of the objects in each part.

    Raises
    ------
    NotImplementedError
        If a part is left out: the class is a base for other models.
    TypeError
        If a part is no tuple, or holds something else.
    """
    name = type(model).__name__
    missing = [part for part in kinds if not hasattr(model, part)]
    if missing:
        raise NotImplementedError(
            f"{name} is not complete: it declares no {', '.join(missing)}; declare what is "
            "missing, or make a subclass that does"
        )
    for part, kind in (*kinds.items(), ("exchanges", str), ("ordered", tuple)):
        found = getattr(model, part)
        if not isinstance(found, (tuple, list)) or not all(isinstance(x, kind) for x in found):
            raise TypeError(
                f"{name}: {part} must be a tuple of {kind.__name__}, found {found!r}; a tuple of "
                "one has a comma: (x,)"
            )


def check_declaration(model: Any) -> tuple[str, ...]:
    """Return the forcings that the fluxes of a model read.

    Raises
    ------
    ValueError, TypeError, KeyError
        If a name is declared twice, not at all or without effect, or the water balance does not
        close.
    """
    _check_names(model)
    _check_shared_names(model, [f.flux for f in model.flows])
    _check_joined_names(model)
    _check_ends(model)
    fluxes, precipitation, used, arrived = _sample(model)
    _check_shared_names(model, fluxes)
    _check_terms(model, fluxes)
    _check_outputs(model, fluxes)
    _check_balance(model, fluxes, precipitation)
    _check_hydrographs(model, fluxes, arrived)
    return used


def _check_names(model: Any) -> None:
    """Check that every name is declared once, and `ordered` names parameters."""
    name = type(model).__name__
    for kind, names, hint in (
        ("parameter", model.parameter_names, ""),
        ("store", model.store_names, ""),
        ("flux", tuple(f.flux for f in model.flows), "; give the second flow a flux of its own"),
        ("output", tuple(o.name for o in model.outputs), ""),
    ):
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"{name}: {kind} {twice} declared twice{hint}")
    for pair in model.ordered:
        if len(pair) != 2 or pair[0] == pair[1]:
            raise ValueError(f"{name}: ordered must hold pairs of two parameters, found {pair}")
    for name_of in (n for pair in model.ordered for n in pair):
        if name_of not in model.parameter_names:
            raise ValueError(
                f"{name}: ordered names the parameter {name_of!r}, which is not declared; "
                f"known are {', '.join(model.parameter_names)}"
            )


def _check_shared_names(model: Any, fluxes: Iterable[str]) -> None:
    """Check that no two things have one name: results and graphs find a thing by its name."""
    name = type(model).__name__
    known: dict[str, str] = {}
    for kind, names in (
        ("a forcing", FORCINGS),
        ("a dimension", DIMENSIONS),
        ("a parameter", model.parameter_names),
        ("a store", model.store_names),
        ("a unit hydrograph", [h.output for h in model.hydrographs]),
        ("a flux", fluxes),
        ("an output", [o.name for o in model.outputs if o.terms != (o.name,)]),
    ):
        for each in names:
            if each in known:
                raise ValueError(
                    f"{name}: {each!r} is the name of {known[each]} and of {kind}; rename one"
                )
            known[each] = kind


def _check_joined_names(model: Any) -> None:
    """Check that a kernel, which joins the names of two stores by "_", can tell all pairs apart."""
    name = type(model).__name__
    known: dict[str, set[str]] = {}
    for pair in product(model.store_names, repeat=2):
        joined = "_".join(pair)
        if joined in known:
            both = ", ".join(sorted(known[joined] | set(pair)))
            raise ValueError(
                f"{name}: the stores {both} give two pairs the name {joined!r}; rename one of them"
            )
        known[joined] = set(pair)


def _check_ends(model: Any) -> None:
    """Check that flows join declared stores, and every store has a flow."""
    name = type(model).__name__
    if not model.stores:
        raise ValueError(f"{name}: declare at least one Store")
    touched = set()
    known = (*model.store_names, *(h.output for h in model.hydrographs))
    for flow in model.flows:
        for end in (flow.source, flow.target):
            if end is not None and end not in known:
                raise ValueError(
                    f"{name}: flow {flow.flux!r} names the store {end!r}, which is not "
                    f"declared; known are {', '.join(known)}"
                )
            touched.add(end)
    idle = [s for s in model.store_names if s not in touched]
    if idle:
        raise ValueError(f"{name}: no flow enters or leaves the store {idle[0]!r}")


def _sample(model: Any) -> tuple[dict[str, Any], np.ndarray, tuple[str, ...], dict[str, Any]]:
    """Return fluxes and precipitation at random points, the forcings read, and arrivals.

    Raises ValueError if an initial content makes no sense there, or a parameter is not read.
    """
    name = f"{type(model).__name__}.fluxes"
    rng = np.random.default_rng(0)
    forcing = {
        "precipitation": rng.uniform(1, 50, N_SAMPLE),
        "potential_evaporation": rng.uniform(0, 8, N_SAMPLE),
        "temperature": rng.uniform(-10, 20, N_SAMPLE),
        "day_of_year": rng.uniform(1, 366, N_SAMPLE),
    }
    arrived = {h.output: rng.uniform(0, 9, N_SAMPLE) for h in model.hydrographs}
    u = Names(name, "forcing", forcing | arrived)
    s = Names(name, "store", {k: rng.uniform(1, 20, N_SAMPLE) for k in model.store_names})
    values = {p.name: rng.uniform(p.lower, p.upper, N_SAMPLE) for p in model.parameters}
    p = Names(name, "parameter", values)
    fluxes = model.fluxes(s, u, p)
    for store, content in model.start(p).items():
        signed = any(known.signed for known in model.stores if known.name == store)
        if not (np.isfinite(content) & ((np.asarray(content) >= 0) | signed)).all():
            raise ValueError(
                f"{type(model).__name__}: the initial content of {store} is negative or not "
                "finite for some parameters within their bounds"
            )
    if not isinstance(fluxes, dict):
        raise TypeError(f"{name} must return a dict of fluxes, found {type(fluxes).__name__}")
    for routing in (*([] if model.routing is None else [model.routing]), *model.hydrographs):
        routing.base(p)
        routing.ordinate(0.0, 1.0, p)
    idle = [each for each in model.parameter_names if each not in p.used]
    if idle:
        raise ValueError(
            f"{type(model).__name__}: no equation reads the parameter {idle[0]!r}, so that it has "
            "no effect; use it or leave it out"
        )
    capacities = Names(f"{type(model).__name__}: capacity", "parameter", values)
    for store in model.stores:
        if store.capacity is not None:
            store.full(capacities)
    used = tuple(f for f in FORCINGS if f in u.used)
    return fluxes, forcing["precipitation"], used, arrived


def _check_terms(model: Any, fluxes: Iterable[str]) -> None:
    """Check that flows and outputs name declared fluxes or stores, and that each flux is in one."""
    name = type(model).__name__
    flows = [f.flux for f in model.flows]
    terms = [t for o in model.outputs for t in o.terms]
    known = (*fluxes, *model.store_names)
    for used in (*flows, *terms):
        if used not in known:
            raise ValueError(
                f"{name}: {used!r} is used in a flow or output, but is neither a store nor "
                f"returned by fluxes(); known are {', '.join(known)}"
            )
    for flux in fluxes:
        if flux not in (*flows, *terms):
            raise ValueError(
                f"{name}: fluxes() returns {flux!r}, which no Flow and no Output names, so that it "
                f"has no effect; declare Flow({flux!r}, source, target) or an Output of it, or do "
                "not return it"
            )


def _check_outputs(model: Any, fluxes: Iterable[str]) -> None:
    """Check the terms and units of outputs, and that one output is discharge."""
    name = type(model).__name__
    units = {store.name: store.unit for store in model.stores}
    for output in model.outputs:
        if len({term in fluxes for term in output.terms}) > 1:
            raise ValueError(f"{name}: output {output.name!r} adds fluxes to stores")
        if len(set(output.terms)) < len(output.terms):
            raise ValueError(f"{name}: output {output.name!r} names a term twice: {output.terms}")
        for term in output.terms:
            if output.unit != units.get(term, "mm/d"):
                raise ValueError(
                    f"{name}: output {output.name!r} has the unit {output.unit!r}, but {term!r} is "
                    f"in {units.get(term, 'mm/d')}"
                )
    if model.routing is not None and model.routing.output not in [o.name for o in model.outputs]:
        raise ValueError(f"{name}: routing names the output {model.routing.output!r}, unknown")
    if "discharge" not in [o.name for o in model.outputs]:
        raise ValueError(
            f"{name}: declare Output('discharge', ...), the sum of the fluxes that a gauge sees"
        )


def _check_hydrographs(model: Any, fluxes: Mapping[str, Any], arrived: Mapping[str, Any]) -> None:
    """Check that water enters each unit hydrograph, and that all of it leaves again."""
    for name, rate in arrived.items():
        into = [f.flux for f in model.flows if f.target == name]
        out = [f.flux for f in model.flows if f.source == name]
        leaving = sum(fluxes[flux] for flux in out)
        if not into or not out or np.max(np.abs(leaving - rate)) > BALANCE_TOLERANCE:
            raise ValueError(
                f"{type(model).__name__}: flows must lead to the unit hydrograph {name!r} (found "
                f"{', '.join(into) or 'none'}), and the flows from it ({', '.join(out) or 'none'}) "
                f"must add up to u.{name}"
            )


def _check_balance(model: Any, fluxes: Mapping[str, Any], precipitation: np.ndarray) -> None:
    """Check the water balance: precipitation enters, and outputs leave."""
    name = type(model).__name__
    flows = {f.flux: f for f in model.flows}
    for flux in model.exchanges:
        if flux not in flows or None not in (flows[flux].source, flows[flux].target):
            raise ValueError(
                f"{name}: exchanges names {flux!r}, which is not a flow from or to outside"
            )
    inside = [f for f in model.flows if f.flux not in model.exchanges]
    inflow = sum(fluxes[f.flux] for f in inside if f.source is None)
    error = np.max(np.abs(inflow - precipitation) / precipitation)
    if not error <= BALANCE_TOLERANCE:
        names = ", ".join(f.flux for f in inside if f.source is None) or "none"
        raise ValueError(
            f"{name}: the water balance does not close: the flows from outside ({names}) must "
            f"add up to the precipitation, but differ by up to {error:.3g} of it; what is not "
            "precipitation belongs into `exchanges`"
        )
    outside = [f.flux for f in model.flows if f.target is None]
    counted = [t for o in model.outputs for t in o.terms if t in outside]
    for flux in outside:
        n = counted.count(flux)
        if n != 1 and not (n == 0 and flux in model.exchanges):
            raise ValueError(
                f"{name}: the water balance does not close: flux {flux!r} leaves the basin and "
                f"must be part of exactly one output (such as 'discharge' or 'evaporation'), "
                f"found in {n}"
            )
