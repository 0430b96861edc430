"""All models by name, and a table of them."""

from difflib import get_close_matches
from functools import partial
from typing import Any

from pymc_hydro.core import AbstractModel
from pymc_hydro.models import fuse, gr
from pymc_hydro.models.cfe import CFE
from pymc_hydro.models.fuse.decisions import named_decisions
from pymc_hydro.models.gr4j import GR4J
from pymc_hydro.models.hbv import HBV
from pymc_hydro.models.hmodel import Hmodel
from pymc_hydro.models.hymod import Hymod
from pymc_hydro.models.marrmot import NAMES, get
from pymc_hydro.models.sacsma import SacSma
from pymc_hydro.models.xinanjiang import Xinanjiang

__all__ = ["MODELS", "as_model", "find_model", "name_of_model", "table_of_models"]

MODELS = (Hymod, Hmodel, SacSma, Xinanjiang, HBV, GR4J, CFE)


def _kinds() -> dict[str, Any]:
    """Return each model class by its name: the package's own, those of MARRMoT, FUSE and GR."""
    kinds = (*MODELS, *(get(number) for number in NAMES), fuse.FUSE)
    return {kind.__name__: kind for kind in kinds} | {f"gr/{n}": getattr(gr, n) for n in gr.NAMES}


def find_model(name: str) -> Any:
    """Return a model class by name; of a structure of FUSE, the class with its decisions.

    Parameters
    ----------
    name : str
        Such as "HBV", "CollieRiver1", "m_01", "gr/GR4J", "fuse/prms" or "fuse/385", in any case.

    Raises
    ------
    KeyError
        If there is none of this name; the message has the nearest ones.
    """
    family, _, within = name.lower().partition("/")
    if family == "fuse":
        return partial(fuse.FUSE, **named_decisions(within)) if within else fuse.FUSE
    for kind in MODELS:
        if kind.__name__.lower() == name.lower():
            return kind
    for kind in gr.MODELS:
        if kind.__name__.lower() in (name.lower(), within if family == "gr" else ""):
            return kind
    try:
        return get(name)
    except KeyError:
        known = {n.lower(): n for n in (*_kinds(), *NAMES)}
        near = [known[n] for n in get_close_matches(name.lower(), known, n=3)]
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise KeyError(f"no model {name!r}; {meant}ph.models() has them all") from None


def name_of_model(model: AbstractModel) -> str:
    """Return the name by which :func:`find_model` finds the class of a model."""
    kind = type(model)
    return f"gr/{kind.__name__}" if kind in gr.MODELS else kind.__name__


def options_for(kind: type[AbstractModel], record: Any) -> dict[str, Any]:
    """Return the options that a record asks for.

    Without temperature the snow front end of the package's own models is left out; other models
    have no such option.
    """
    front = kind in MODELS and kind.snow_target is not None
    return {"snow": False} if front and "temperature" not in record else {}


def as_model(model: AbstractModel | str) -> AbstractModel:
    """Return a model; a name stands for the model with default options.

    "fuse/topmodel", "fuse/arno/vic", "fuse/prms" and "fuse/sacramento" are the parents of FUSE;
    a number, such as "fuse/385", is a place among all structures of FUSE. "gr/GR4J" is GR4J in
    discrete time.
    """
    if not isinstance(model, str):
        return model
    return find_model(model)()


def table_of_models(
    name: str | None = None,
    *,
    snow: bool | None = None,
    parameters: int | None = None,
    stores: int | None = None,
    processes: str | tuple[str, ...] = (),
) -> Any:
    """Return a table of the models, with default options.

    Parameters
    ----------
    name : str, optional
        A part of the name, in any case.
    snow : bool, optional
        Whether the model has snow; models without may put the snow front end before themselves.
    parameters, stores : int, optional
        The largest number of parameters.
    processes : str or tuple of str
        Processes that the model must have, such as "interception" or "hydrograph".

    Returns
    -------
    DataFrame
        By name: the number in its collection, the numbers of parameters and stores, whether it has
        snow, its processes and what it is.

    Raises
    ------
    ValueError
        If no model has a process of this name.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> ph.models(parameters=5, snow=True).index.tolist()
    ['Alpine1']
    """
    import pandas as pd

    rows = {name: _row(kind()) for name, kind in _kinds().items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    wanted = (processes,) if isinstance(processes, str) else tuple(processes)
    known = sorted({each for row in table["processes"] for each in row})
    for each in wanted:
        if each not in known:
            raise ValueError(f"models: no process {each!r}; known are {', '.join(known)}")
    keep = table["processes"].map(lambda row: set(wanted) <= set(row))
    if name is not None:
        keep &= table.index.str.contains(name, case=False, regex=False)
    if snow is not None:
        keep &= table["snow"] == snow
    for column, most in (("parameters", parameters), ("stores", stores)):
        if most is not None:
            keep &= table[column] <= most
    return table[keep]


def _row(model):
    words = " ".join(store.description.lower() for store in model.stores)
    found = {
        "snow": "snow" in words,
        "interception": "interception" in words or "canopy" in words,
        "groundwater": "groundwater" in words or "lower zone" in words,
        "deficit": "deficit" in words,
        "hydrograph": model.routing is not None or bool(model.hydrographs),
        "exchange": bool(set(model.exchanges) - {"x_sf"}),
        "season": "day_of_year" in model.forcing_names,
    }
    lines = (type(model).__doc__ or "").strip().splitlines()
    return {
        "number": getattr(model, "number", ""),
        "parameters": len(model.parameters),
        "stores": len(model.stores),
        "snow": found["snow"],
        "processes": tuple(each for each, has in found.items() if has),
        "description": lines[0] if lines else "",
    }
