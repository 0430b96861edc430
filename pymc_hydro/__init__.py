"""Conceptual rainfall-runoff models as PyTensor Ops with exact analytic sensitivities."""

import ast
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

# Public name: the module that has it, as the stub beside this file says. A module is loaded when
# one of its names is first used, so an import of this package costs next to nothing.
HOMES = {
    alias.name: statement.module
    for statement in ast.parse(Path(__file__).with_suffix(".pyi").read_bytes()).body
    if isinstance(statement, ast.ImportFrom)
    for alias in statement.names
}
RENAMED = {"diagnostics": "verification"}

__version__ = version("pymc-hydro")
__all__ = sorted(HOMES)


def __getattr__(name):
    if name not in HOMES:
        from pymc_hydro.core.base.warning import renamed_names

        return renamed_names(__name__, RENAMED)(name)
    home = HOMES[name]
    if home == __name__:
        found = import_module(f"{home}.{name}")
    else:
        found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__():
    return sorted({*globals(), *__all__})
