"""The GR models in discrete time: one update a day (GR4J, GR5J, GR6J) or an hour (GR4H, GR5H).

They are the models as they are used and published, with parameters that can be compared:
``ph.GR4J`` is GR4J as differential equations. They were written from the papers.
``snow=True`` puts CemaNeige before them.

Parameters are in days whatever the interval: x2 of GR4H in mm/h, times 24, is its x2 here, and x4
in hours is divided by 24.

References
----------
Perrin, C., Michel, C., Andreassian, V. (2003). J. Hydrol. 279, 275-289.
doi:10.1016/S0022-1694(03)00225-7

Le Moine, N. (2008). PhD thesis, Universite Pierre et Marie Curie, Paris.

Pushpalatha, R., et al. (2011). J. Hydrol. 411, 66-76. doi:10.1016/j.jhydrol.2011.09.034

Mathevet, T. (2005). PhD thesis, ENGREF, Paris.

Valery, A., Andreassian, V., Perrin, C. (2014). J. Hydrol. 517, 1176-1187.
doi:10.1016/j.jhydrol.2014.04.058
"""

from importlib import import_module
from typing import Any

__all__ = ["MODELS", "NAMES", "annual_snowfall"]

NAMES = ("GR4J", "GR5J", "GR6J", "GR4H", "GR5H")


def __getattr__(name: str) -> Any:
    if name == "MODELS":
        return tuple(__getattr__(each) for each in NAMES)
    if name in NAMES or name == "AbstractGR":
        return getattr(import_module(f"{__name__}.structures"), name)
    if name == "annual_snowfall":
        return import_module(f"{__name__}.snowfall").annual_snowfall
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *NAMES])
