"""What models declare, in words; ``python -m tests.models.declared`` writes it to declared.txt.

The text was compared with the papers and with the published tables of parameter ranges. A bound,
a default, a flow that leads elsewhere or an ordinate that changes shows in it.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

import pymc_hydro as ph
from pymc_hydro.core import functions
from pymc_hydro.core.base.names import FORCINGS, Names
from pymc_hydro.models.fuse import PARENTS

FORCING = dict.fromkeys(FORCINGS, 5.0)
RECORDED = Path(__file__).parent / "declared.txt"
N_SHARE = 7  # parts of the base of a unit hydrograph
NAMES = ("upper", "lower", "surface", "percolation", "evaporation", "interflow", "rainfall_error")
# Together with the parents: every choice of every decision.
FURTHER = tuple(
    dict(zip(NAMES, row, strict=True)) | {"routing": "none"}
    for row in (
        ("tension2", "fixedsiz", "tmdl", "lower", "rootweight", "some", "additive"),
        ("tension1", "topmdexp", "arno", "f2sat", "sequential", "none", "multiplicative"),
        ("tension1", "unlimpow", "prms", "lower", "rootweight", "some", None),
        ("onestate", "tens2pll", "tmdl", "w2sat", "sequential", "none", "additive"),
        ("onestate", "unlimfrc", "arno", "lower", "rootweight", "some", None),
    )
)


def models():
    """Yield a name and a model."""
    for kind in (*ph.MODELS, *ph.marrmot.MODELS, *ph.gr.MODELS):
        yield kind.__name__, kind()
    for kind in (ph.CFE, ph.HBV):
        yield f"{kind.__name__} reference", kind(formulation="reference")
    yield "GR4J B", ph.GR4J(form="B")
    yield "GR4J B reference", ph.GR4J(form="B", formulation="reference")
    yield "HBV bands", ph.HBV(bands=(-200.0, 100.0, 500.0))
    for snow in ("degree-day", "refreezing"):
        yield f"CollieRiver1 {snow}", ph.marrmot.CollieRiver1(snow=snow)
    for kind in ph.gr.MODELS:
        yield f"{kind.__name__} snow", kind(snow=True)
    for name in PARENTS:
        yield f"FUSE {name}", ph.FUSE.parent(name)
    for i, chosen in enumerate(FURTHER):
        yield f"FUSE {i}", ph.FUSE(**chosen)


def described(model):
    """Yield lines: parameters, stores, flows, outputs and unit hydrographs of a model."""
    p = Names("", "", {q.name: q.default for q in model.parameters})
    for q in model.parameters:
        low, high = (f"{x:g}" for x in q.domain)
        prior = "" if q.prior is None else f", prior {q.prior[0]:g} to {q.prior[1]:g}"
        bounds = f"{q.lower:g} to {q.upper:g} {q.unit}, default {q.default:g}"
        yield f"{q.name}: {bounds}, domain {low} to {high}{prior}"
    for s in model.stores:
        initial = s.initial(p) if callable(s.initial) else s.initial
        full = "" if s.capacity is None else f" of {s.full(p):g}"
        yield f"store {s.name}: {initial:g}{full} {s.unit}" + " signed" * s.signed
    yield "flows " + ", ".join(f"{f.flux}: {f.source} to {f.target}" for f in model.flows)
    for o in model.outputs:
        yield f"output {o.name}, {o.unit}: {' + '.join(o.terms)}"
    for name in ("exchanges", "ordered"):
        if getattr(model, name):
            yield f"{name}: {getattr(model, name)}"
    values = {q.name: q.default for q in model.parameters}
    yield f"pieces by continuity: {pieces(model, values)}"
    if model.tolerance_factor != 1:
        yield f"share of the tolerances: {model.tolerance_factor:g}"
    for route in (*model.hydrographs, *([model.routing] if model.routing else [])):
        base = N_SHARE if route.intervals else float(route.base(p))
        ends = [base * i / N_SHARE for i in range(N_SHARE + 1)]
        shares = [float(route.ordinate(a, b, p)) for a, b in pairwise(ends)]
        form = f"normalized {route.normalized}, cut {route.cut:g}, intervals {route.intervals}"
        listed = " ".join(f"{round(share, 6):g}" for share in shares)
        yield f"hydrograph {route.output} over {base:g} d, {form}: {listed}"


def pieces(model, p):
    """Return how many pieces the fluxes have, by what their author promises at the joint."""
    promised = []
    functions._listeners.append(lambda switch, above, below, promise: promised.append(promise))
    s = dict.fromkeys(model.store_names, 10.0)
    arriving = {h.output: 2.0 for h in model.hydrographs}
    with np.errstate(all="ignore"):
        model.evaluate(s, FORCING | arriving, p)
    functions._listeners.pop()
    return {str(promise): promised.count(promise) for promise in (0, 1, None)}


def blocks():
    """Return the text of each model by its name."""
    return {name: "\n".join(described(model)) for name, model in models()}


def read():
    """Return the recorded text of each model by its name."""
    parts = (block.split("\n", 1) for block in RECORDED.read_text(encoding="utf-8").split("\n\n"))
    return {name: text.strip() for name, text in parts}


if __name__ == "__main__":
    found = "\n\n".join(f"{name}\n{text}" for name, text in blocks().items())
    RECORDED.write_text(found + "\n", encoding="utf-8")
