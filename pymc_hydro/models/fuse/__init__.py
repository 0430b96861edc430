"""FUSE: one model for every combination of decisions of Clark et al. (2008)."""

from typing import TYPE_CHECKING, Any

from pymc_hydro.models.fuse.decisions import DECISIONS, PARENTS, combinations

if TYPE_CHECKING:
    from pymc_hydro.models.fuse.declaration import FUSE

__all__ = ["DECISIONS", "FUSE", "PARENTS", "combinations"]


def __getattr__(name: str) -> Any:
    if name == "FUSE":
        from pymc_hydro.models.fuse import declaration

        return declaration.FUSE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
