"""The public function."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import xarray as xr

from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.embedded import BASINS, load_basin
from pymc_hydro.data.schema import as_basin
from pymc_hydro.losses.table import SCORES

__all__ = ["explore", "page_of"]


def explore(
    model: AbstractModel | str = "Hymod",
    basin: xr.Dataset | pd.DataFrame | Mapping[str, xr.Dataset] | None = None,
    *,
    warmup: int | str = 365,
    score: str = "nse",
) -> Any:
    """Explore a model by hand: a slider for each parameter, and at once what it does.

    The page shows the hydrograph, the stores, the balance of water and scores. Under each slider
    stands the exact slope of the score by the parameter. Around the hydrograph lies the band over
    which discharge moves, to first order, if the parameter that was moved last goes down or up by
    5 % of its slider. A run can be kept for comparison; the parameters can be calibrated, reset, or
    copied as Python.

    Parameters
    ----------
    model : AbstractModel or str
        The model to begin with; any of the package's models can be chosen on the page.
    basin : Dataset, DataFrame, or mapping of name to record, optional
        As ``ph.simulate`` takes it, with ``discharge`` for scores; the first one is shown. The
        embedded basins can be chosen as well.
    warmup : int or str
        Intervals, or a duration such as "365D", that are not scored.
    score : str
        A name of ``ph.losses.SCORES``, for the slopes and the calibration.

    Returns
    -------
    panel.viewable.Viewer
        The last expression of a notebook's cell shows it. ``pymc-hydro explore`` shows the same in
        a browser.

    Raises
    ------
    ImportError
        If Panel is not there: ``pip install "pymc-hydro[explore]"``.
    KeyError
        If there is no such score or model.
    ValueError
        If the record lacks a forcing of the model.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> ph.explore(ph.HBV(snow=False), ph.load_basin("leaf_river"))  # doctest: +SKIP
    """
    return page_of(model, basin, warmup, score)


def page_of(
    model: AbstractModel | str = "Hymod",
    basin: Any = None,
    warmup: int | str = 365,
    score: str = "nse",
    origin: str = "# basin is the record that was given to ph.explore",
) -> Any:
    """Return the page of :func:`explore`, whose Python begins with the `origin` of the record."""
    if score not in SCORES:
        raise KeyError(f"explore: unknown score {score!r}; known are {', '.join(SCORES)}")
    try:
        import panel as pn
    except ImportError:
        raise ImportError("the explorer needs Panel: pip install 'pymc-hydro[explore]'") from None
    from pymc_hydro.explorer.exploration import named_model
    from pymc_hydro.explorer.page import Page

    pn.extension()
    records = {} if basin is None else basin
    if not isinstance(records, Mapping) or isinstance(records, xr.Dataset):
        records = {getattr(records, "attrs", {}).get("title", "record"): records}
    embedded = [name for name in BASINS if name not in records]
    origins = dict.fromkeys(records, origin)
    origins |= {name: f"basin = ph.load_basin({name!r})" for name in embedded}
    records = {**records, **{name: load_basin(name) for name in embedded}}
    if isinstance(model, str):
        model = named_model(model, as_basin(next(iter(records.values())), ()))
    return Page(model, records, warmup, score, origins)
