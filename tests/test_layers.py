"""Imports look downwards only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pymc_hydro"
FILES = sorted(ROOT.rglob("*.py"))
TOP = {"__init__.py", "__main__.py", "main_job.py"}

# Layer: what it may import of the package, and of others beside the standard library.
ALLOWED = {
    "core": (set(), {"numpy"}),
    "models": ({"core"}, set()),
    "data": (set(), {"numpy", "pandas", "xarray", "pyet"}),
    "engine": ({"core", "data"}, {"numpy", "scipy", "numba", "xarray", "pandas", "sympy"}),
    "ops": ({"core", "engine"}, {"numpy", "llvmlite", "numba", "pytensor", "jax"}),
    "signatures": (set(), {"numpy", "pandas", "xarray", "scipy"}),
    "losses": (set(), {"numpy", "pytensor"}),
    "likelihoods": ({"data", "losses"}, {"numpy", "pandas", "xarray", "pymc", "pytensor"}),
    "inference": (
        {"core", "data", "engine", "ops", "losses", "likelihoods"},
        {"numpy", "pandas", "xarray", "scipy", "rich", "pymc", "pytensor", "arviz"},
    ),
    "testing": ({"core", "data", "engine"}, {"numpy", "scipy", "pandas", "xarray"}),
    "diagnostics": (set(), {"numpy", "xarray", "scipy"}),
    "command": (
        {"data", "engine", "main_job", "plots"},
        {"numpy", "pandas", "xarray", "matplotlib", "arviz", "pymc"},
    ),
    "plots": ({"diagnostics"}, {"numpy", "pandas", "xarray", "matplotlib", "arviz", "scipy"}),
}
# Conveniences of a model that lead upwards, and import only when they are called.
EXCEPTIONS = {("core/model.py", "engine")}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_look_downwards(path):
    name = path.relative_to(ROOT).as_posix()
    if name in TOP:
        return
    layer = name.partition("/")[0]
    ours, others = ALLOWED[layer]
    for module in imported(path):
        package, _, rest = module.partition(".")
        inner = rest.partition(".")[0]
        if package == "pymc_hydro":
            fine = inner in {layer, ""} | ours or (name, inner) in EXCEPTIONS
            assert fine, f"{name} imports {module}"
        elif package not in sys.stdlib_module_names:
            assert package in others, f"{name} imports {module}"


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
