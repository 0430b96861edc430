"""Register a backend's implementation when, and only if, that backend is imported.

PyTensor's dispatch modules import Numba and JAX, which takes a second; a graph that never meets a
backend should not pay for it. Dispatch has no entry points, so the import system is asked.
"""

import importlib
import importlib.abc
import importlib.util
import sys

__all__ = ["register_after"]


class _RegisterAfter(importlib.abc.MetaPathFinder):
    """Import `ours` right after `theirs` has been imported."""

    def __init__(self, theirs: str, ours: str):
        self.theirs, self.ours = theirs, ours

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.theirs:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute, ours = spec.loader.exec_module, self.ours

        def execute_and_register(module):
            execute(module)
            importlib.import_module(ours)

        spec.loader.exec_module = execute_and_register
        return spec


def register_after(theirs: str, ours: str) -> None:
    """Import the module `ours` as soon as `theirs` is imported, or now if it was already."""
    if theirs in sys.modules:
        importlib.import_module(ours)
    else:
        sys.meta_path.insert(0, _RegisterAfter(theirs, ours))
