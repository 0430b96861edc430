"""Scores of events: flow above a threshold."""

import numpy as np
import xarray as xr

from pymc_hydro.verification.matching import label, matched
from pymc_hydro.verification.predictive import crps

__all__ = ["brier", "roc", "threshold_weighted_crps"]


def brier(observed: xr.DataArray, draws: xr.DataArray, threshold: float) -> xr.DataArray:
    """Return the Brier score of flow above a threshold, of each observation; smaller is better.

    The squared difference between the share of draws above and 1 or 0.

    Parameters
    ----------
    observed, draws
        As in :func:`coverage`.
    threshold : float
        In mm/d.

    Returns
    -------
    DataArray, shape (n_observation,), between 0 and 1

    References
    ----------
    Brier, G. W. (1950). Mon. Weather Rev. 78, 1-3.
    doi:10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2
    """
    observed, draws = matched("brier", observed, draws)
    score = ((draws > threshold).mean("draw") - (observed > threshold)) ** 2
    return label(score, "brier", "Brier score", "1")


def roc(observed: xr.DataArray, draws: xr.DataArray, threshold: float) -> xr.Dataset:
    """Return the relative operating characteristic of flow above a threshold.

    Parameters
    ----------
    observed, draws, threshold
        As in :func:`brier`.

    Returns
    -------
    Dataset
        ``hit_rate`` and ``false_alarm_rate`` on ``probability``: an alarm is given where the share
        of draws above the threshold is at least that; it starts above 1, where there is none.
        ``area`` under the curve: 1 is perfect, 0.5 says nothing.

    Raises
    ------
    ValueError
        If no observation or each is above the threshold.

    References
    ----------
    Mason, S. J., Graham, N. E. (2002). Q. J. R. Meteorol. Soc. 128, 2145-2166.
    doi:10.1256/003590002320603584
    """
    observed, draws = matched("roc", observed, draws)
    event = (observed > threshold).values
    if event.all() or not event.any():
        raise ValueError(
            f"roc: {int(event.sum())} of {event.size} observations are above {threshold:g} mm/d; "
            "choose a threshold that some exceed"
        )
    share = (draws > threshold).mean("draw").values
    probability = np.append(np.inf, np.unique(share)[::-1])
    alarm = share >= probability[:, None]
    hit, false = alarm[:, event].mean(axis=1), alarm[:, ~event].mean(axis=1)
    area = float((np.diff(false) * (hit[1:] + hit[:-1]) / 2).sum())
    return xr.Dataset(
        {
            "hit_rate": ("probability", hit, {"units": "1"}),
            "false_alarm_rate": ("probability", false, {"units": "1"}),
            "area": ((), area, {"long_name": "area under the curve", "units": "1"}),
        },
        coords={"probability": probability},
    )


def threshold_weighted_crps(
    observed: xr.DataArray, draws: xr.DataArray, threshold: float
) -> xr.DataArray:
    """Return the CRPS of flow above a threshold, of each observation, in mm/d.

    The integral of the CRPS from the threshold on: the CRPS of ``max(flow, threshold)``.

    Parameters
    ----------
    observed, draws, threshold
        As in :func:`brier`.

    Returns
    -------
    DataArray, shape (n_observation,)

    References
    ----------
    Gneiting, T., Ranjan, R. (2011). J. Bus. Econ. Stat. 29, 411-422. doi:10.1198/jbes.2010.08110
    """
    observed, draws = matched("threshold_weighted_crps", observed, draws)
    score = crps(observed.clip(min=threshold), draws.clip(min=threshold))
    return label(score, "threshold_weighted_crps", "CRPS above a threshold", "mm/d")
