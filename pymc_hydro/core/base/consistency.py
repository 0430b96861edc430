"""What a declaration of a model must satisfy; each error says what to change."""

from typing import Any

import numpy as np

from pymc_hydro.core.base.names import FORCINGS, Names

__all__ = ["check_declaration"]

BALANCE_TOLERANCE = 1e-10  # of the precipitation; round-off of sums of about ten fluxes
N_SAMPLE = 8  # random points at which fluxes are evaluated


def check_declaration(model: Any) -> tuple[str, ...]:
    """Return the forcings that the fluxes of a model read.

    Raises
    ------
    ValueError, TypeError, KeyError
        If names are declared twice or not at all, or the water balance does not close.
    """
    _check_names(model)
    fluxes, precipitation, used = _sample(model)
    _check_terms(model, fluxes)
    _check_balance(model, fluxes, precipitation)
    return used


def _check_names(model) -> None:
    """Check that every name is declared once, and every store is used."""
    name = type(model).__name__
    for kind, names in (
        ("parameter", model.parameter_names),
        ("store", model.store_names),
        ("output", tuple(o.name for o in model.outputs)),
    ):
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            raise ValueError(f"{name}: {kind} {sorted(twice)} declared twice")
    if not model.stores:
        raise ValueError(f"{name}: declare at least one Store")
    touched = set()
    for flow in model.flows:
        for end in (flow.source, flow.target):
            if end is not None and end not in model.store_names:
                raise ValueError(
                    f"{name}: flow {flow.flux!r} names the store {end!r}, which is not "
                    f"declared; known are {', '.join(model.store_names)}"
                )
            touched.add(end)
    for name_of in (n for pair in model.ordered for n in pair):
        if name_of not in model.parameter_names:
            raise ValueError(
                f"{name}: ordered names the parameter {name_of!r}, which is not declared; "
                f"known are {', '.join(model.parameter_names)}"
            )
    idle = [s for s in model.store_names if s not in touched]
    if idle:
        raise ValueError(f"{name}: no flow enters or leaves the store {idle[0]!r}")


def _sample(model):
    """Return fluxes and precipitation at random points, and the forcings that were read."""
    name = f"{type(model).__name__}.fluxes"
    rng = np.random.default_rng(0)
    forcing = {
        "precipitation": rng.uniform(1, 50, N_SAMPLE),
        "potential_evaporation": rng.uniform(0, 8, N_SAMPLE),
        "temperature": rng.uniform(-10, 20, N_SAMPLE),
    }
    u = Names(name, "forcing", forcing)
    s = Names(name, "store", {k: rng.uniform(1, 20, N_SAMPLE) for k in model.store_names})
    values = {p.name: rng.uniform(p.lower, p.upper, N_SAMPLE) for p in model.parameters}
    fluxes = model.fluxes(s, u, Names(name, "parameter", values))
    for store, content in model.start(values).items():
        if not (np.isfinite(content) & (np.asarray(content) >= 0)).all():
            raise ValueError(
                f"{type(model).__name__}: the initial content of {store} is negative or not "
                "finite for some parameters within their bounds"
            )
    if not isinstance(fluxes, dict):
        raise TypeError(f"{name} must return a dict of fluxes, found {type(fluxes).__name__}")
    return fluxes, forcing["precipitation"], tuple(f for f in FORCINGS if f in u.used)


def _check_terms(model, fluxes) -> None:
    """Check that flows and outputs are of what is known."""
    name = type(model).__name__
    known = (*fluxes, *model.store_names)
    for used in (*(f.flux for f in model.flows), *(t for o in model.outputs for t in o.terms)):
        if used not in known:
            raise ValueError(
                f"{name}: {used!r} is used in a flow or output, but is neither a store nor "
                f"returned by fluxes(); known are {', '.join(known)}"
            )
    for output in model.outputs:
        if len({term in fluxes for term in output.terms}) > 1:
            raise ValueError(f"{name}: output {output.name!r} adds fluxes to stores")
    if model.routing is not None and model.routing.output not in [o.name for o in model.outputs]:
        raise ValueError(f"{name}: routing names the output {model.routing.output!r}, unknown")
    if "discharge" not in [o.name for o in model.outputs]:
        raise ValueError(
            f"{name}: declare Output('discharge', ...), the sum of the fluxes that a gauge sees"
        )


def _check_balance(model, fluxes, precipitation) -> None:
    """Check that what enters is precipitation, and what leaves is an output."""
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
