"""The decisions of FUSE, the combinations that are structures, and the four parents."""

from itertools import product
from typing import Any

__all__ = [
    "DECISIONS",
    "PARENTS",
    "combinations",
    "named_decisions",
    "read_decision",
    "why_invalid",
]

# Decision: its choices, by the name of the original code. The order is that of the original
# enumeration, which varies the last decision first.
DECISIONS = {
    "routing": {"rout_gamma": "gamma", "no_routing": "none"},
    "interflow": {"intflwnone": "none", "intflwsome": "some"},
    "evaporation": {"sequential": "sequential", "rootweight": "rootweight"},
    "percolation": {"perc_f2sat": "f2sat", "perc_w2sat": "w2sat", "perc_lower": "lower"},
    "surface": {"arno_x_vic": "arno", "prms_varnt": "prms", "tmdl_param": "tmdl"},
    "lower": {
        "tens2pll_2": "tens2pll",
        "unlimfrc_2": "unlimfrc",
        "unlimpow_2": "unlimpow",
        "fixedsiz_2": "fixedsiz",
    },
    "upper": {"tension1_1": "tension1", "tension2_1": "tension2", "onestate_1": "onestate"},
    "rainfall_error": {"additive_e": "additive", "multiplc_e": "multiplicative"},
}
# In the original code, but not in its enumeration.
FURTHER = {"lower": {"topmdexp_2": "topmdexp"}}

PARENTS = {
    "topmodel": {
        "upper": "onestate", "lower": "unlimpow", "surface": "tmdl", "percolation": "f2sat",
        "evaporation": "sequential", "interflow": "none", "routing": "gamma",
    },
    "arno/vic": {
        "upper": "onestate", "lower": "fixedsiz", "surface": "arno", "percolation": "w2sat",
        "evaporation": "rootweight", "interflow": "none", "routing": "gamma",
    },
    "prms": {
        "upper": "tension2", "lower": "unlimfrc", "surface": "prms", "percolation": "f2sat",
        "evaporation": "sequential", "interflow": "some", "routing": "gamma",
    },
    "sacramento": {
        "upper": "tension1", "lower": "tens2pll", "surface": "prms", "percolation": "lower",
        "evaporation": "sequential", "interflow": "some", "routing": "gamma",
    },
}  # fmt: skip


def read_decision(decision: str, choice: str | None) -> str | None:
    """Return a choice by its short name, given that name or that of the original code.

    Raises
    ------
    ValueError
        If there is no such choice.
    """
    if decision == "rainfall_error" and choice is None:
        return None
    known = DECISIONS[decision] | FURTHER.get(decision, {})
    found = known.get(str(choice), choice)
    if found not in known.values():
        raise ValueError(
            f"FUSE: {decision} must be one of {', '.join(known.values())}, found {choice!r}"
        )
    return found


def why_invalid(upper: str, lower: str, percolation: str) -> str:
    """Return why decisions are no structure; empty if they are one."""
    if upper == "tension2" and lower == "tens2pll":
        return "upper 'tension2' does not go with lower 'tens2pll'; take another lower layer"
    if percolation == "w2sat" and upper != "onestate":
        return (
            "percolation 'w2sat' depends on the content of an upper layer of one store; take "
            "upper='onestate' or percolation 'f2sat'"
        )
    return ""


def named_decisions(name: str) -> dict[str, Any]:
    """Return the decisions of a parent, by name, or of a structure, by its place from one on.

    Raises
    ------
    KeyError
        If there is none of this name.
    """
    if name.lower() in PARENTS:
        return dict(PARENTS[name.lower()])
    every = combinations()
    if name.isdigit() and 0 < int(name) <= len(every):
        return every[int(name) - 1]
    raise KeyError(
        f"FUSE: no parent {name!r}; known are {', '.join(PARENTS)}, and the numbers 1 to "
        f"{len(every)} of all structures"
    )


def combinations() -> list[dict[str, str]]:
    """Return the decisions of all 1248 structures, in the order of the original enumeration.

    The parents TOPMODEL, ARNO/VIC, PRMS and SACRAMENTO are numbers 60, 230, 342 and 426, counted
    from one, with a multiplicative rainfall error.
    """
    found = []
    for chosen in product(*(choices.values() for choices in DECISIONS.values())):
        decisions = dict(zip(DECISIONS, chosen, strict=True))
        if not why_invalid(decisions["upper"], decisions["lower"], decisions["percolation"]):
            found.append(decisions)
    return found
