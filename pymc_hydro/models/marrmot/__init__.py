"""The 47 structures of MARRMoT as differential equations, with corrections.

MARRMoT takes one implicit Euler step a day; here the same equations are solved in continuous time,
and a store that limits a flux would empty in one day. They were declared from a description of the
equations, not from MARRMoT's code.

A structure is imported when it is first asked for, by its name (``marrmot.CollieRiver1``) or by its
number (``marrmot.get("m_01")``).

References
----------
Knoben, W. J. M., et al. (2019). Geosci. Model Dev. 12, 2463-2480. doi:10.5194/gmd-12-2463-2019
Trotter, L., et al. (2022). Geosci. Model Dev. 15, 6359-6369. doi:10.5194/gmd-15-6359-2022
"""

from difflib import get_close_matches
from importlib import import_module
from typing import Any

__all__ = ["MODELS", "NAMES", "get"]

# The number of a structure: its family, which is a module, and its name.
NAMES = {
    "m_01": ("collie", "CollieRiver1"),
    "m_02": ("flex", "Wetland"),
    "m_03": ("collie", "CollieRiver2"),
    "m_04": ("collie", "NewZealand1"),
    "m_05": ("deficits", "Ihacres"),
    "m_06": ("alpine", "Alpine1"),
    "m_07": ("branches", "GR4JDelayed"),
    "m_08": ("deficits", "UnitedStates"),
    "m_09": ("collie", "SusannahBrook1"),
    "m_10": ("collie", "SusannahBrook2"),
    "m_11": ("collie", "CollieRiver3"),
    "m_12": ("alpine", "Alpine2"),
    "m_13": ("flex", "Hillslope"),
    "m_14": ("deficits", "Topmodel"),
    "m_15": ("flex", "Plateau"),
    "m_16": ("collie", "NewZealand2"),
    "m_17": ("deficits", "Penman"),
    "m_18": ("australian", "Simhyd"),
    "m_19": ("collie", "Australia"),
    "m_20": ("australian", "Gsfb"),
    "m_21": ("flex", "FlexB"),
    "m_22": ("areas", "Vic"),
    "m_23": ("areas", "Lascam"),
    "m_24": ("mopex", "Mopex1"),
    "m_25": ("deficits", "Thames"),
    "m_26": ("flex", "FlexI"),
    "m_27": ("branches", "Tank"),
    "m_28": ("areas", "XinanjiangDouble"),
    "m_29": ("areas", "HymodRelative"),
    "m_30": ("mopex", "Mopex2"),
    "m_31": ("mopex", "Mopex3"),
    "m_32": ("mopex", "Mopex4"),
    "m_33": ("areas", "Sacramento"),
    "m_34": ("flex", "FlexIS"),
    "m_35": ("mopex", "Mopex5"),
    "m_36": ("australian", "Modhydrolog"),
    "m_37": ("alpine", "Hbv96"),
    "m_38": ("branches", "TankSoil"),
    "m_39": ("branches", "Midlands"),
    "m_40": ("branches", "Smar"),
    "m_41": ("alpine", "Nam"),
    "m_42": ("australian", "Hycymodel"),
    "m_43": ("alpine", "Socont"),
    "m_44": ("alpine", "Echo"),
    "m_45": ("australian", "Prms"),
    "m_46": ("deficits", "Classic"),
    "m_47": ("branches", "Forellenbach"),
}
_NUMBERS = {name: number for number, (_, name) in NAMES.items()}


def get(name: str) -> Any:
    """Return a structure by number or by name.

    Parameters
    ----------
    name : str
        Such as "m_01", "m_1", "CollieRiver1", in any case.

    Returns
    -------
    type
        A subclass of :class:`pymc_hydro.core.AbstractModel`; call it to make the model.

    Raises
    ------
    KeyError
        If there is none of this name; the message has the nearest one.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> ph.marrmot.get("m_01")().parameter_names
    ('C',)
    """
    wanted = str(name).lower()
    if wanted.startswith("m_") and wanted[2:].isdigit():
        wanted = f"m_{int(wanted[2:]):02d}"
    for number, (family, known) in NAMES.items():
        if wanted in (number, known.lower()):
            return getattr(import_module(f"{__name__}.{family}"), known)
    near = get_close_matches(name, [*NAMES, *_NUMBERS], n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise KeyError(
        f"marrmot: no structure {name!r}; {meant}known are m_01 to m_47: {', '.join(_NUMBERS)}"
    )


def __getattr__(name: str) -> Any:
    if name == "MODELS":
        return tuple(get(number) for number in NAMES)
    if name in _NUMBERS:
        return get(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_NUMBERS])
