"""The texts of kernels are recorded: what changes in one of them is changed on purpose.

``python -m tests.engine.test_texts`` writes the record. The other tests of this folder say whether
a text is right; a constant that only costs steps, or acts in a rare case, shows here.
"""

import inspect
from hashlib import sha256
from pathlib import Path

import pytest

import pymc_hydro as ph
from pymc_hydro.engine.compile import (
    content_of,
    get_kernel,
    get_replay,
    get_sweep,
    get_taped_kernel,
)
from pymc_hydro.engine.derivation.system import derive
from pymc_hydro.engine.lanes import vectors
from pymc_hydro.engine.lanes.kernel import emit_routes
from pymc_hydro.engine.lanes.runs import lane_source
from pymc_hydro.integrators import AUTOMATIC, BOGACKI_SHAMPINE, METHODS
from tests.engine.test_parts import Deficit, Delayed
from tests.engine.test_reverse import Routed
from tests.engine.test_sections import MODEL as SECTIONED
from tests.tiny import Tiny

pytestmark = pytest.mark.kernels

RECORD = Path(__file__).parent / "texts.txt"
DISCHARGE = ("discharge",)
MODELS = {
    "sections": (SECTIONED, ("discharge", "loss", "F")),
    "bands": (ph.HBV(bands=(-200.0, 300.0)), ("discharge", "swe", "evaporation")),
    "start": (ph.GR4J(initial={"S": "estimate", "R": 0.4}), DISCHARGE),
    "block": (ph.SacSma(snow=False), DISCHARGE),
    "hydrograph": (Delayed(), ("discharge", "R", "f")),
    "signed": (Deficit(), DISCHARGE),
    "special": (ph.marrmot.get("m_42")(), DISCHARGE),
    "routed": (Routed(), ("f", "discharge", "R")),
    "map": (ph.gr.GR6J(snow=True), ("discharge", "swe")),
}


def texts(name):
    """Yield a name and the text of each function of a model."""
    model, outputs = MODELS[name]
    yield "kernel", get_kernel(model, outputs).text
    yield "taped", get_taped_kernel(model, outputs, AUTOMATIC).text
    yield "sweep", get_sweep(model, outputs, AUTOMATIC).text
    if name in ("sections", "hydrograph"):
        yield "replay", get_replay(model, outputs, AUTOMATIC).text
    if name in ("sections", "bands", "routed"):
        yield "lanes", lane_source(model, outputs, BOGACKI_SHAMPINE)
    if name == "routed":
        system = derive(model, model.select_outputs(outputs))
        yield "routes of lanes", emit_routes(system, "KERNEL")


def methods():
    for method in METHODS:
        yield method.name, get_kernel(Tiny(), DISCHARGE, methods=(method,)).text


def others():
    yield "options of the compiler", content_of("text")
    yield "mathematics of lanes", inspect.getsource(vectors)


def hashes(found):
    return {name: sha256(text.encode()).hexdigest()[:16] for name, text in found}


def found_for(name):
    return {"methods": methods, "others": others}.get(name, lambda: texts(name))()


def recorded():
    lines = (line.rsplit(" ", 1) for line in RECORD.read_text(encoding="utf-8").splitlines())
    return dict(lines)


@pytest.mark.parametrize("name", [*MODELS, "methods", "others"])
def test_texts_have_not_changed(name):
    found = hashes(found_for(name))
    known = {k.split(": ")[1]: v for k, v in recorded().items() if k.startswith(f"{name}: ")}
    assert found == known


if __name__ == "__main__":
    every = {name: hashes(found_for(name)) for name in (*MODELS, "methods", "others")}
    found = [f"{name}: {k} {v}\n" for name, part in every.items() for k, v in part.items()]
    RECORD.write_text("".join(found), encoding="utf-8")
