"""Imports look downwards only, rooms are small, functions are short."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pymc_hydro"
FILES = sorted(ROOT.rglob("*.py"))
TOP = {"__init__.py", "__main__.py"}

# Room: which rooms it may import (its own apart), and which packages beside the standard library.
ALLOWED = {
    "core/base": (set(), {"numpy"}),
    "core": ({"core/base"}, {"numpy"}),
    "models": ({"core"}, set()),
    "integrators": (set(), {"numpy"}),
    "data": (set(), {"numpy", "pandas", "xarray", "pyet"}),
    "data/readers": ({"data"}, {"numpy", "pandas", "xarray"}),
    "engine/derivation": ({"core", "core/base"}, {"sympy"}),
    "engine/codegen": ({"engine/derivation", "integrators"}, {"numpy"}),
    "engine": (
        {"core", "core/base", "data", "integrators", "engine/derivation", "engine/codegen"},
        {"numpy", "scipy", "numba", "xarray", "pandas"},
    ),
    "ops": (
        {"core", "core/base", "engine", "engine/codegen"},
        {"numpy", "llvmlite", "numba", "pytensor", "jax"},
    ),
    "signatures": ({"data"}, {"numpy", "pandas", "xarray", "scipy"}),
    "losses/functions": ({"losses", "data"}, {"numpy", "pytensor"}),
    "losses": ({"losses/functions", "data"}, {"numpy", "pytensor"}),
    "likelihoods/distributions": (set(), {"numpy", "pymc", "pytensor"}),
    "likelihoods/errors": (
        {"data", "losses", "likelihoods", "likelihoods/distributions"},
        {"numpy", "pandas", "xarray", "pymc", "pytensor"},
    ),
    "likelihoods": (
        {"data", "losses", "likelihoods/errors", "likelihoods/distributions"},
        {"numpy", "pandas", "xarray", "pymc", "pytensor"},
    ),
    "inference": (
        {"core", "core/base", "data", "engine", "ops", "losses", "likelihoods"}
        | {"likelihoods/errors"},
        {"numpy", "pandas", "xarray", "scipy", "pymc", "pytensor", "arviz"},
    ),
    "calibration/search": ({"calibration"}, {"numpy", "scipy", "rich"}),
    "calibration": (
        {"calibration/search", "core", "core/base", "data", "engine", "losses", "ops"},
        {"numpy", "pandas", "xarray", "scipy", "pytensor"},
    ),
    "testing": (
        {"core", "core/base", "data", "engine", "engine/codegen", "engine/derivation"}
        | {"integrators"},
        {"numpy", "scipy", "pandas", "xarray"},
    ),
    "verification": (set(), {"numpy", "xarray", "scipy"}),
    "plots": ({"plots/of_errors", "plots/of_runs"}, {"numpy", "xarray", "matplotlib", "arviz"}),
    "plots/of_errors": ({"plots", "verification"}, {"numpy", "xarray", "matplotlib", "scipy"}),
    "plots/of_runs": ({"plots"}, {"numpy", "pandas", "xarray", "matplotlib"}),
    "command": (
        {"", "calibration", "core", "data", "data/readers", "engine", "inference", "losses"}
        | {"plots"},
        {"numpy", "pandas", "xarray", "matplotlib", "arviz", "pymc"},
    ),
}
MOST_FILES, MOST_LINES, LONG_FUNCTIONS = 8, 60, 6


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def room_of(name):
    """Return the room of a file below the package, such as core/base."""
    folder, _, file = name.rpartition("/")
    return folder or (file.removesuffix(".py") if file not in TOP else "")


def imported(path):
    """Yield (file below the package, None) or (None, other package) of each import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = [node.module]
            if node.module.startswith("pymc_hydro"):
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            if module.partition(".")[0] != "pymc_hydro":
                yield None, module.partition(".")[0]
                continue
            parts = module.split(".")[1:]
            while not (ROOT.joinpath(*parts).with_suffix(".py").is_file() if parts else True):
                if (ROOT.joinpath(*parts) / "__init__.py").is_file():
                    break
                parts = parts[:-1]
            file = ROOT.joinpath(*parts)
            found = file.with_suffix(".py") if parts and not file.is_dir() else file / "__init__.py"
            yield name_of(found), None


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


def test_rooms_are_small():
    for folder in {path.parent for path in FILES} - {ROOT}:
        files = [p.name for p in folder.glob("*.py") if p.name != "__init__.py"]
        assert len(files) <= MOST_FILES or folder.name == "readers", (folder, files)


def test_functions_are_short():
    long = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                if body and node.end_lineno - body[0].lineno + 1 > MOST_LINES:
                    long.append(f"{name_of(path)}: {node.name}")
    assert len(long) <= LONG_FUNCTIONS, long


def test_import_is_light():
    """What takes long to import is imported when it is needed."""
    code = (
        "import sys, pymc; before = set(sys.modules); import pymc_hydro;"
        "print(*(set(sys.modules) - before))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    packages = {name.partition(".")[0] for name in result.stdout.split()}
    assert packages.isdisjoint({"jax", "llvmlite", "numba", "sympy", "matplotlib", "numpyro"})
    assert "scipy.optimize" not in result.stdout.split()
