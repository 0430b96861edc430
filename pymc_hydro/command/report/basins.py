"""The page about many basins: a map of scores, their distribution, tables, the worst ten."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.command.report.page import cells_of, render
from pymc_hydro.command.settings import UsageError
from pymc_hydro.data.files import complete_file

__all__ = ["is_store", "write_page_of_basins"]

TEMPLATE = "basins.html.jinja"
SCORES = {"score": "calibration", "validation_score": "validation"}
WORST = 10
SHARES = [0.05, 0.25, 0.5, 0.75, 0.95]


def is_store(path: Path) -> bool:
    """Return whether a path is a Zarr store."""
    return any((path / name).is_file() for name in (".zgroup", "zarr.json"))


def write_page_of_basins(store: Path, described: dict | None = None) -> Path:
    """Write a page about a store of ``ph.calibrate`` beside it; returns its path.

    Parameters
    ----------
    store : Path
    described : dict, optional
        Title and author.

    Raises
    ------
    UsageError
        If no basin of the store is calibrated, or a package is not installed.
    """
    fits = xr.open_zarr(store, consolidated=False).load()
    if not (set(SCORES) <= set(fits.data_vars) and (fits["status"] == 1).any()):
        raise UsageError(f"{store}: holds no calibration that has ended")
    path = store.with_suffix(".html")
    page = render(TEMPLATE, lambda: contents_of_basins(fits, described or {}, store.stem))
    with complete_file(path) as part:
        part.write_text(page, encoding="utf-8")
    return path


def contents_of_basins(fits: xr.Dataset, described: dict, name: str) -> dict[str, Any]:
    """Return what the template shows."""
    done = fits.isel(basin=fits["status"].values == 1)
    failed = fits.isel(basin=fits["status"].values == 2)
    periods = {k: v for k, v in SCORES.items() if np.isfinite(done[k]).any()}
    frame = done[list(periods)].to_dataframe()[list(periods)].rename(columns=periods)
    better = str(fits.attrs.get("better", "higher"))
    rows = frame.join(_parameters(done))
    order = frame.iloc[:, -1].sort_values(ascending=better == "higher").index
    model = str(fits.attrs["model"])
    hours = float(np.nansum(fits["seconds"])) / 3600
    rate = done.sizes["basin"] / max(hours, 1e-9)
    messages = pd.DataFrame({"message": failed["message"].values}, failed["basin"].values)
    return {
        "title": described.get("title") or name,
        "author": described.get("author"),
        "model": model,
        "kind": model.partition("(")[0],
        "loss": fits.attrs.get("loss", "the loss"),
        "facts": {
            "Basins": f"{done.sizes['basin']} calibrated, {failed.sizes['basin']} failed",
            "Waiting": str(int((fits["status"] == 0).sum())),
            "Core hours": f"{hours:.2g} ({rate:.0f} basins an hour)",
        },
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": ph.__version__,
        "scores": cells_of(_quantiles(frame), "scores"),
        "distribution": list(_distribution(frame, str(fits.attrs.get("loss", "loss")))),
        "map": list(_map(done, frame)),
        "worst": cells_of(rows.loc[order[:WORST]], "worst"),
        "failures": cells_of(messages, "failures") if len(messages) else None,
        "parameters": cells_of(_over_basins(done), "parameters"),
        "basins": cells_of(rows, "basins"),
    }


def _parameters(done) -> pd.DataFrame:
    return done["parameters"].to_pandas()


def _quantiles(frame) -> pd.DataFrame:
    table = frame.quantile(SHARES).T
    table.columns = ["5 %", "25 %", "median", "75 %", "95 %"]
    return table.assign(mean=frame.mean(), basins=frame.count())


def _over_basins(done) -> pd.DataFrame:
    table = _parameters(done).quantile([0.05, 0.5, 0.95]).T
    table.columns = ["5 %", "median", "95 %"]
    return table.assign(**{"at a bound": done["at_bound"].mean("basin").values})


def _distribution(frame, loss) -> Iterator[Any]:
    """Yield the empirical distributions of scores."""
    import matplotlib.pyplot as plt

    from pymc_hydro.command.report.figures import picture

    _, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for period in frame:
        values = np.sort(frame[period].dropna())
        ax.step(values, np.arange(1, values.size + 1) / values.size, where="post", label=period)
    low = np.nanmin([frame[p].quantile(0.02) for p in frame])
    ax.set(xlabel=loss, ylabel="share of basins", ylim=(0, 1))
    high = float(np.nanmax(frame.to_numpy()))
    ax.set_xlim(low, high + 0.05 * max(high - low, 1e-9))
    ax.legend(frameon=False)
    yield picture(ax, "How many basins have at most this value; the lowest 2 % may lie outside.")


def _map(done, frame) -> Iterator[Any]:
    """Yield the last period's scores where basins are, if it is known of at least two."""
    import matplotlib.pyplot as plt

    from pymc_hydro.command.report.figures import picture

    if "longitude" not in done or "latitude" not in done:
        return
    x, y, value = done["longitude"].values, done["latitude"].values, frame.iloc[:, -1].values
    there = np.isfinite(x) & np.isfinite(y) & np.isfinite(value)
    if there.sum() < 2:
        return
    _, ax = plt.subplots(figsize=(9, 5), layout="constrained")
    low, high = np.quantile(value[there], [0.05, 0.95])
    order = np.flatnonzero(there)[np.argsort(-value[there])]  # the lowest above all others
    points = ax.scatter(
        x[order], y[order], c=value[order], s=26, cmap="viridis", vmin=low, vmax=max(high, low),
        edgecolors="0.3", linewidths=0.3,
    )  # fmt: skip
    ax.set_aspect(1 / np.cos(np.deg2rad(np.clip(y[there].mean(), -80, 80))))
    ax.set(xlabel="longitude (degrees east)", ylabel="latitude (degrees north)")
    ax.figure.colorbar(points, ax=ax, shrink=0.8, extend="both", label=frame.columns[-1])
    yield picture(ax, f"Scores of the {frame.columns[-1]}; colours from the 5 % to the 95 % basin.")
