"""Tables of scores by class of flow and by lead: the average of all days hides faults."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.observations import as_floats
from pymc_hydro.verification.matching import central_interval, flat_draws, matched
from pymc_hydro.verification.predictive import (
    coverage,
    crps,
    reliability_index,
    sharpness,
)
from pymc_hydro.verification.skill import climatology, persistence, skill

__all__ = ["table_by_class", "table_by_lead"]

SEASONS = {"December to February": (12, 1, 2), "March to May": (3, 4, 5)}
SEASONS |= {"June to August": (6, 7, 8), "September to November": (9, 10, 11)}
THIRDS = ("low flow", "middle flow", "high flow")
LEAST = 10  # observations of a class


def table_by_class(observed: xr.DataArray, draws: xr.DataArray, prob: Any = 0.95) -> pd.DataFrame:
    """Return scores of all observations, of rising and falling flow, of thirds of flow, by season.

    Parameters
    ----------
    observed, draws
        As in :func:`coverage`; also of several basins, one after another, as of ``ph.predict``.
        Flow rises where it is above the observation of the interval before. This is known
        afterwards only: of a right forecast one step ahead, a share of about ``(1 - prob) / 2``
        by the share of rising flow lies above the interval when it rises, 0.05 to 0.08 of 0.95.
    prob : float
        Probability of the interval of ``covered``, ``above`` and ``below``.

    Returns
    -------
    DataFrame
        A row for each class: ``n``, ``crps`` in mm/d, ``covered`` by the central interval,
        ``above`` and ``below`` it, its width ``sharpness`` in mm/d, and the reliability index
        ``alpha``; NaN for a class of less than 10 observations.
    """
    observed, draws = matched("table_by_class", observed, draws)
    rows = {
        name: _row(observed.isel(time=there), draws.isel(time=there), prob)
        for name, there in _classes(observed, draws.coords.get("basin")).items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def table_by_lead(hindcasts: xr.Dataset, record: xr.DataArray, prob: float = 0.95) -> pd.DataFrame:
    """Return scores of hindcasts by lead, and their skill against two references.

    Parameters
    ----------
    hindcasts : Dataset
        From ``ph.forecast`` with several origins.
    record : DataArray, shape (n_time,)
        Observations, of other years as well: for :func:`climatology`.
    prob : float

    Returns
    -------
    DataFrame
        A row for each lead: the columns of :func:`table_by_class`, and one minus the ratio of the
        mean CRPS to that of a reference: ``skill_climatology``, ``skill_persistence``.

    Raises
    ------
    ValueError
        If the hindcasts are not of several origins.
    """
    if not {"origin", "lead"} <= set(hindcasts["discharge"].dims):
        raise ValueError(
            f"table_by_lead: hindcasts have the dimensions {hindcasts['discharge'].dims}; expected "
            "those of ph.forecast(..., origin=[...]) with several origins"
        )
    known = pd.Series(as_floats(record, "table_by_lead"), record.get_index("time"))
    rows = {}
    for lead in hindcasts["lead"].values:
        part = hindcasts.sel(lead=lead)
        time = part["time"].values
        draws = flat_draws(part["discharge"].drop_vars(["time", "lead"]))
        draws = draws.rename(origin="time").assign_coords(time=time)
        observed = xr.DataArray(known.reindex(time).to_numpy(), {"time": time}, ("time",))
        observed, draws = matched("table_by_lead", observed, draws)
        there = np.isin(time, observed["time"].values)
        references = {
            "climatology": climatology(record, observed["time"].values),
            "persistence": persistence(record, part["origin"].values[there], time[there]),
        }
        row = _row(observed, draws, prob)
        for name, reference in references.items():
            reference = reference.dropna("time")
            row[f"skill_{name}"] = (
                skill(crps(observed, draws), crps(observed.sel(time=reference["time"]), reference))
                if reference.sizes["time"]
                else np.nan
            )
        rows[int(lead)] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("lead")


def _row(observed, draws, prob) -> dict:
    """Return the scores of one row."""
    if observed.size < LEAST:
        return {"n": observed.size}
    low, high = central_interval("table", draws, prob)
    return {
        "n": observed.size,
        "crps": float(crps(observed, draws).mean()),
        "covered": coverage(observed, draws, prob),
        "above": float((observed > high).mean()),
        "below": float((observed < low).mean()),
        "sharpness": sharpness(observed, draws, prob),
        "alpha": reliability_index(observed, draws),
    }


def _classes(observed: xr.DataArray, basin: Any) -> dict[str, np.ndarray]:
    """Return which observations belong to each class."""
    values, time = observed.values, observed.get_index("time")
    change = np.append(np.nan, np.diff(values))
    same = np.full(max(values.size - 1, 0), True)
    if basin is not None and basin.ndim:
        same = basin.values[1:] == basin.values[:-1]
    step = np.diff(time.to_numpy())
    # A gap and another basin tell nothing about a rise.
    change[1:][~same] = np.nan
    if same.any():
        change[1:][step != step[same].min()] = np.nan
    month, third = time.month, np.quantile(values, [1 / 3, 2 / 3])
    classes = {"all": np.full(values.size, True), "rising": change > 0, "falling": change < 0}
    place = np.searchsorted(third, values, side="right")
    classes |= {name: place == i for i, name in enumerate(THIRDS)}
    return classes | {name: np.isin(month, months) for name, months in SEASONS.items()}
