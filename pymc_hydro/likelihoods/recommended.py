"""The error model that a recorded benchmark recommends, by purpose and by the river."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.data.means import Means
from pymc_hydro.data.observations import as_floats
from pymc_hydro.likelihoods.formal import Laplace, Normal, SkewStudentT

__all__ = ["Recommended", "recommend"]

DRY = 0.02  # share of zero flow; the record has basins without any, and one with 0.08
CHOSEN = ("scale", "ar", "transform", "censored")
BOX_COX = {"transform": "box_cox", "scale": "constant"}


def recommend(
    zero_flow: float, memory: str | None = None, second_stage: bool = False
) -> tuple[Callable, dict[str, Any]]:
    """Return the likelihood for a purpose and a river, and its arguments.

    - Simulations (no memory), and the first of two stages: ``Normal`` errors of Box-Cox flow.
    - Forecasts of one posterior (``memory="flow"``): ``SkewStudentT`` of linear scale.
    - Second stage (``ph.fit_errors``): ``Laplace`` errors of Box-Cox flow; for a river that falls
      dry ``SkewStudentT`` of linear scale.

    Any zero flow is censored. The second stage takes a river for one that falls dry from two
    percent of zero flow on. Hours and days have one rule: the rates of the memory are per day.

    Parameters
    ----------
    zero_flow : float
        Share of the observations that are zero.
    memory : {"flow"}, optional
    second_stage : bool

    Returns
    -------
    tuple of callable and dict

    Raises
    ------
    ValueError
        If the memory is another one, or the second stage has none.
    """
    if memory not in (None, "flow") or (second_stage and memory is None):
        needed = "'flow'" if second_stage else "'flow' for forecasts, or None for simulations"
        raise ValueError(f"likelihood 'recommended': memory must be {needed}, found {memory!r}")
    censored = {"censored": True} if zero_flow > 0 else {}
    if memory is None:
        return Normal, BOX_COX | censored
    if second_stage and zero_flow < DRY:
        return Laplace, BOX_COX | censored | {"memory": memory}
    return SkewStudentT, censored | {"memory": memory}


def Recommended(
    name: str,
    simulated: Any,
    *,
    observed: Any,
    memory: str | None = None,
    second_stage: bool = False,
    **parameters: Any,
) -> Any:
    """Place the likelihood that :func:`recommend` chooses, ``likelihood="recommended"``.

    Parameters
    ----------
    name, simulated, observed
        As in :func:`pymc_hydro.likelihoods.Normal`.
    memory, second_stage
        As in :func:`recommend`.
    **parameters
        Of the likelihood, such as ``s0`` or ``k0``.

    Returns
    -------
    TensorVariable
        The observed random variable.

    Raises
    ------
    TypeError
        If an argument is given that the recommendation chooses.
    ValueError
        As :func:`recommend` and :func:`pymc_hydro.likelihoods.Normal`.
    """
    given = [what for what in CHOSEN if what in parameters]
    if given:
        raise TypeError(
            f"{name}: the recommended likelihood chooses {', '.join(given)} itself; leave it out, "
            "or choose a likelihood by its name"
        )
    several = isinstance(observed, Mapping) and not isinstance(observed, xr.Dataset)
    series = list(observed.values()) if several else [observed]
    parts = [as_floats(s.series if isinstance(s, Means) else s, name).ravel() for s in series]
    flow = np.concatenate(parts)
    flow = flow[np.isfinite(flow)]
    zero_flow = float((flow == 0).mean()) if flow.size else 0.0
    likelihood, chosen = recommend(zero_flow, memory, second_stage)
    return likelihood(name, simulated, observed=observed, **chosen, **parameters)
