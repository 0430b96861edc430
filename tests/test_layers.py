"""Imports look downwards only, rooms are small, functions are short."""

import ast
import runpy
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.patches import FancyArrowPatch

ROOT = Path(__file__).parent.parent / "pymc_hydro"
FILES = sorted(ROOT.rglob("*.py"))
# One reading of the imports for these tests and for the picture of the house.
HOUSE = SimpleNamespace(**runpy.run_path(str(ROOT.parent / "docs" / "house.py")))
TOP, name_of, room_of, imported = HOUSE.TOP, HOUSE.name_of, HOUSE.room_of, HOUSE.imported

# Room: which rooms it may import (its own apart), and which packages beside the standard library.
ALLOWED = {
    "core/base": (set(), {"numpy"}),
    "core/laws": ({"core"}, set()),
    "core/maps": ({"core", "core/laws"}, set()),
    "core": ({"core/base", "core/laws", "core/maps"}, {"numpy"}),
    "models": ({"core", "core/laws", "models/marrmot", "models/fuse", "models/gr"}, {"pandas"}),
    "models/fuse": ({"core", "core/laws"}, set()),
    "models/gr": ({"core", "core/laws", "core/maps"}, {"numpy"}),
    "models/marrmot": ({"core", "core/laws"}, set()),
    "integrators": (set(), {"numpy"}),
    "data/checks": (set(), {"numpy", "pandas", "xarray"}),
    "data": ({"core/base", "data/checks", "data/readers"}, {"numpy", "pandas", "xarray", "pyet"}),
    "data/readers/text": ({"core/base", "data", "data/checks"}, {"numpy", "pandas", "xarray"}),
    "data/readers/machinery": (
        {"data", "data/checks", "data/readers/text"},
        {"numpy", "pandas", "xarray"},
    ),
    "data/readers/sources": ({"data/checks", "data/readers/machinery"}, {"xarray"}),
    "data/readers": (
        {"core/base", "data", "data/checks", "data/readers/machinery", "data/readers/sources"}
        | {"data/readers/text"},
        {"numpy", "pandas", "xarray"},
    ),
    "engine/derivation": ({"core", "core/base", "core/maps", "models"}, {"sympy"}),
    "engine/codegen": ({"engine/derivation", "integrators"}, {"numpy"}),
    "engine/codegen/maps": ({"engine/codegen", "engine/derivation"}, set()),
    "engine/codegen/reverse": ({"engine/codegen", "engine/derivation", "integrators"}, set()),
    "engine/lanes": (
        {"core", "core/maps", "engine", "engine/codegen", "engine/derivation", "integrators"},
        {"numpy", "numba", "llvmlite"},
    ),
    "engine": (
        {"core", "core/base", "core/maps", "data", "integrators", "models", "engine/derivation"}
        | {"engine/codegen", "engine/codegen/maps", "engine/codegen/reverse", "engine/lanes"},
        {"numpy", "scipy", "numba", "xarray", "pandas", "rich"},
    ),
    "ops": (
        {"core", "core/base", "engine", "engine/codegen", "models", "ops/backends"},
        {"numpy", "pytensor"},
    ),
    "ops/backends": (
        {"core", "engine", "engine/codegen", "ops"},
        {"numpy", "llvmlite", "numba", "pytensor", "jax"},
    ),
    "signatures": ({"core/base", "data", "data/checks"}, {"numpy", "pandas", "xarray", "scipy"}),
    "losses/functions": ({"losses", "data"}, {"numpy", "pytensor"}),
    "losses": (
        {"core/base", "losses/functions", "data", "data/checks"},
        {"numpy", "pymc", "pytensor"},
    ),
    "likelihoods/distributions": (set(), {"numpy", "pymc", "pytensor"}),
    "likelihoods/errors": (
        {"data", "data/checks", "losses", "likelihoods", "likelihoods/distributions"},
        {"numpy", "pandas", "xarray", "pymc", "pytensor"},
    ),
    "likelihoods": (
        {"data", "losses", "likelihoods/errors", "likelihoods/distributions"},
        {"numpy", "pandas", "xarray", "pymc", "pytensor"},
    ),
    "inference/approximation": (
        {"core/base", "losses", "ops", "likelihoods", "likelihoods/errors"},
        {"numpy", "pandas", "xarray", "scipy", "pymc", "pytensor"},
    ),
    "inference/forecasting": (
        {"core", "core/base", "data", "engine", "inference", "likelihoods/errors", "losses", "ops"},
        {"numpy", "pandas", "xarray", "pymc", "pytensor"},
    ),
    "inference/sampling": (
        {"calibration/basins", "core", "core/base", "data", "inference", "models"}
        | {"inference/approximation"},
        {"numpy", "xarray", "pymc", "pytensor", "arviz"},
    ),
    "inference/stages": (
        {
            "calibration",
            "core/base",
            "inference",
            "inference/approximation",
            "losses",
            "likelihoods",
        }
        | {"likelihoods/errors"},
        {"numpy", "pandas", "xarray", "pymc", "pytensor"},
    ),
    "inference": (
        {"core", "core/base", "data", "engine", "models", "ops", "losses", "likelihoods"}
        | {"likelihoods/errors", "inference/approximation", "inference/sampling"}
        | {"inference/stages"},
        {"numpy", "pandas", "xarray", "scipy", "pymc", "pytensor", "arviz"},
    ),
    "calibration/search": ({"calibration", "core/base"}, {"numpy", "scipy", "rich"}),
    "calibration/basins": (
        {"calibration", "calibration/search", "core", "core/base", "data", "engine", "losses"}
        | {"models", "ops"},
        {"numpy", "scipy", "xarray", "pytensor"},
    ),
    "calibration": (
        {"calibration/basins", "calibration/search", "core", "core/base", "data", "engine"}
        | {"losses", "models", "ops"},
        {"numpy", "pandas", "xarray", "scipy", "pytensor"},
    ),
    "regionalization/pooling": (
        {"calibration", "calibration/basins", "core", "core/base", "data", "inference", "models"}
        | {"regionalization"},
        {"numpy", "pandas", "xarray", "pymc", "pytensor"},
    ),
    "regionalization": (
        {"calibration", "calibration/basins", "calibration/search", "core", "core/base", "data"}
        | {"engine", "models", "regionalization/pooling"},
        {"numpy", "pandas", "xarray", "pytensor"},
    ),
    "attribution": (
        {"core", "core/base", "data", "engine", "integrators", "losses", "models"},
        {"numpy", "pandas", "pytensor", "xarray"},
    ),
    "explorer": (
        {"calibration", "core", "core/base", "data", "engine", "losses", "models", "ops", "plots"},
        {"numpy", "pandas", "xarray", "pytensor", "panel", "bokeh"},
    ),
    "testing": (
        {"core", "core/base", "core/maps", "data", "engine", "engine/codegen"}
        | {"engine/derivation", "integrators", "models"},
        {"numpy", "scipy", "pandas", "xarray"},
    ),
    "verification": ({"core/base", "data", "data/checks"}, {"numpy", "pandas", "xarray", "scipy"}),
    "plots": (
        {"data", "models", "plots/of_errors", "plots/of_runs", "verification"},
        {"numpy", "xarray", "matplotlib", "arviz"},
    ),
    "plots/of_errors": ({"plots", "verification"}, {"numpy", "xarray", "matplotlib", "scipy"}),
    "plots/of_runs": ({"plots", "verification"}, {"numpy", "pandas", "xarray", "matplotlib"}),
    "command/report": (
        {"", "core", "command", "data", "models", "plots"},
        {"numpy", "pandas", "xarray", "matplotlib", "arviz", "jinja2"},
    ),
    "command": (
        {"", "calibration", "calibration/basins", "core", "data", "data/readers", "engine"}
        | {"command/report", "explorer", "inference", "inference/approximation"}
        | {"inference/sampling", "losses", "models", "plots"},
        {"numpy", "pandas", "xarray", "matplotlib", "arviz", "pymc", "distributed"},
    ),
}
# Public functions that share their name with another one, and why.
SHARED_NAMES = {
    # Differential equations, and the same model in discrete time.
    "GR4J",
    # Of two numbers, which kernels compile, and of whatever a flux function is evaluated with.
    "expm1",
    "gammainc",
    "ndtr",
    # Of labelled arrays, and of tensors.
    "simulate",
    # The registrations of the Ops with Numba and with JAX: the same protocol.
    "funcify_jacobian",
    "funcify_pullback",
    "funcify_sweep",
    "funcify_taped_values",
    "funcify_values",
    # A density as a distribution of PyMC, and the likelihood of discharge that has it.
    "SkewExponentialPower",
    "SkewGeneralizedT",
    "SkewStudentT",
}
MOST_FILES, MOST_LINES, LONG_FUNCTIONS = 8, 60, 6


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_look_downwards(path):
    name = name_of(path)
    if name in TOP:
        return
    rooms, others = ALLOWED[room_of(name)]
    for file, package in imported(path):
        if file is not None:
            assert room_of(file) in rooms | {room_of(name)}, f"{name} imports {file}"
        elif package not in sys.stdlib_module_names:
            assert package in others, f"{name} imports {package}"


def test_there_is_no_circle():
    """Files can be sorted so that each imports only those before it."""
    graph = {}
    for path in FILES:
        if name_of(path) != "__init__.py":
            found = {file for file, _ in imported(path) if file not in (None, "__init__.py")}
            graph[name_of(path)] = found - {name_of(path)}
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


def test_picture_draws_every_room_and_its_arrows_point_down():
    graph = HOUSE.rooms()
    assert set(graph) == set(ALLOWED)
    figure = HOUSE.draw_house(graph)
    boxes = {p.get_gid(): p.get_window_extent() for p in figure.axes[0].patches if p.get_gid()}
    arrows = [p for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]
    assert set(boxes) == set(graph)
    assert len(arrows) == sum(map(len, HOUSE.packages(graph).values())) > 10
    for package, others in HOUSE.packages(graph).items():
        assert all(boxes[package].y0 > boxes[other].y1 for other in others), package
    outer = [box for room, box in boxes.items() if "/" not in room]
    assert not any(a.overlaps(b) for a, b in combinations(outer, 2))


def test_developing_describes_every_room():
    page = (ROOT.parent / "docs" / "developing.md").read_text(encoding="utf-8")
    rooms = set(ALLOWED) - {"core/base"}
    assert not [room for room in rooms if f"`{room}`" not in page]


def test_rooms_are_small():
    for folder in {path.parent for path in FILES} - {ROOT}:
        files = [p.name for p in folder.glob("*.py") if p.name != "__init__.py"]
        assert len(files) <= MOST_FILES, (folder, files)


def test_functions_are_short():
    long = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                if body and node.end_lineno - body[0].lineno + 1 > MOST_LINES:
                    long.append(f"{name_of(path)}: {node.name}")
    assert len(long) <= LONG_FUNCTIONS, long


def test_one_name_has_one_meaning():
    """No public function or class of a module has the name of another module's."""
    found = defaultdict(set)
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].add(name_of(path))
    shared = {name: files for name, files in found.items() if len(files) > 1}
    assert set(shared) == SHARED_NAMES, shared


def test_import_is_light():
    """What takes long to import is imported when it is needed."""
    code = (
        "import sys, pymc; before = set(sys.modules); import pymc_hydro as ph;"
        "print(*(set(sys.modules) - before));"
        "ph.HBV, ph.simulate;"
        "print(*(set(sys.modules) - before));"
        "[getattr(ph, name) for name in set(ph.__all__) - {'plots', 'testing'}];"
        "print(*(set(sys.modules) - before))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    by_import, by_model, by_use = map(str.split, result.stdout.splitlines())
    zoo = ("fuse.declaration", "gr.structures", "marrmot.collie")
    assert {f"pymc_hydro.models.{name}" for name in zoo}.isdisjoint(by_model)
    assert [name for name in by_import if name.startswith("pymc_hydro")] == ["pymc_hydro"]
    packages = {name.partition(".")[0] for name in by_use}
    assert packages.isdisjoint({"jax", "llvmlite", "numba", "sympy", "matplotlib", "numpyro"})
    assert "scipy.optimize" not in by_use
