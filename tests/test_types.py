"""Types: the whole package passes mypy, and public functions say all of theirs."""

import inspect
import subprocess
import sys

import pytest

import pymc_hydro as ph

MODULES = (
    ph, ph.core, ph.data, ph.likelihoods, ph.losses, ph.ops, ph.plots, ph.signatures, ph.testing,
    ph.verification,
)  # fmt: skip


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_public_functions_are_annotated(module):
    for name in module.__all__:
        function = getattr(module, name)
        if inspect.isfunction(function):
            signature = inspect.signature(function)
            bare = [p.name for p in signature.parameters.values() if p.annotation is p.empty]
            assert not bare, f"{name}: {bare}"
            assert signature.return_annotation is not signature.empty, f"{name}: its result"


@pytest.mark.kernels
def test_the_package_passes_mypy(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "-p", "pymc_hydro", "--cache-dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
