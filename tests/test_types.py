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


PYTENSORS = ("infer_shape", "pullback")  # PyTensor calls them; not every version declares them


def functions_of(name, thing):
    """Return a function, or the public methods of a class that no base class declares."""
    if inspect.isfunction(thing):
        return [(name, thing)]
    if not inspect.isclass(thing) or not thing.__module__.startswith("pymc_hydro"):
        return []
    own = {
        key: getattr(value, "__func__", getattr(value, "fget", value))
        for key, value in vars(thing).items()
        if not key.startswith("_")
        and key not in PYTENSORS
        and not any(hasattr(base, key) for base in thing.__mro__[1:])
    }
    return [(f"{name}.{k}", f) for k, f in own.items() if inspect.isfunction(f)]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_public_functions_are_annotated(module):
    for name in module.__all__:
        for label, function in functions_of(name, getattr(module, name)):
            signature = inspect.signature(function)
            bare = [
                p.name
                for p in signature.parameters.values()
                if p.annotation is p.empty and p.name not in ("self", "cls")
            ]
            assert not bare, f"{label}: {bare}"
            assert signature.return_annotation is not signature.empty, f"{label}: its result"


@pytest.mark.kernels
def test_the_package_passes_mypy(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "-p", "pymc_hydro", "--cache-dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
