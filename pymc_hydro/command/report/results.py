"""The subject of a report: the results of a folder, read once, and a run of the model."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.command.folder import BASIN, CALIBRATION, PREDICTIONS, Folder
from pymc_hydro.command.settings import UsageError
from pymc_hydro.command.steps import model_of
from pymc_hydro.core.model import AbstractModel

__all__ = ["INTERVAL", "PERIODS", "Results", "read_results"]

INTERVAL = 0.9  # probability of equal-tailed intervals
PERIODS = ("calibration", "validation")
DRAWS = 50  # of the posterior, for signatures


@dataclass(frozen=True)
class Results:
    """The results of a folder."""

    about: dict
    basin: xr.Dataset
    model: AbstractModel
    fit: xr.Dataset | None  # calibrated parameters
    posterior: Any
    predicted: xr.Dataset | None

    @property
    def warmup(self) -> int:
        """Number of intervals that are not judged."""
        return self.about["settings"]["period"]["warmup"]

    @property
    def split(self) -> str:
        """First day of the validation."""
        return self.about["settings"]["period"]["split"]

    @cached_property
    def theta(self) -> dict[str, float]:
        """Calibrated parameters, or the medians of the posterior."""
        if self.fit is not None:
            return {str(n): float(v) for n, v in self.fit.data_vars.items()}
        draws = self.posterior["posterior"]
        return {n: float(draws[n].median()) for n in self.model.parameter_names}

    @cached_property
    def run(self) -> xr.Dataset:
        """The model with these parameters, over the whole record, with sensitivities."""
        outputs = ("discharge", "evaporation", *(s.name for s in self.model.stores))
        return ph.simulate(self.model, self.theta, self.basin, outputs, sensitivities=True)

    @property
    def judged(self) -> xr.Dataset:
        """The run after its warm-up."""
        return self.run.isel(time=slice(self.warmup, None))

    @property
    def shown(self) -> xr.Dataset:
        """Predictions where there are some, and else the run after its warm-up."""
        return self.judged if self.predicted is None else self.predicted

    @property
    def name(self) -> str:
        """The name of `shown`."""
        return "calibrated" if self.predicted is None else "predictive median"

    @cached_property
    def median(self) -> xr.DataArray:
        """One series of discharge, of `shown`."""
        flow = self.shown["discharge"]
        lead = [d for d in flow.dims if d != "time"]
        return flow.median(lead) if lead else flow

    @cached_property
    def observed(self) -> xr.DataArray:
        """Observed discharge at the times of `median`."""
        return self.basin["discharge"].sel(time=self.median["time"])

    def in_period(self, series: xr.DataArray, period: str) -> xr.DataArray:
        """Return the part of a series that lies in a period."""
        first = series["time"] < np.datetime64(self.split)
        return series[first] if period == PERIODS[0] else series[~first]

    @cached_property
    def thetas(self) -> np.ndarray:
        """Parameters whose spread is that of the posterior, or the only ones."""
        if self.posterior is None:
            return np.array([[self.theta[n] for n in self.model.parameter_names]])
        draws = self.posterior["posterior"]
        table = np.stack([draws[n].values.ravel() for n in self.model.parameter_names], axis=1)
        return table[np.linspace(0, len(table) - 1, min(DRAWS, len(table))).astype(int)]


def read_results(folder: Folder) -> Results:
    """Return the results of a folder.

    Raises
    ------
    UsageError
        If it holds neither a calibration nor a posterior.
    DamagedError
        If a file cannot be read.
    """
    about = folder.about()
    if not (folder.has(CALIBRATION) or folder.has(PREDICTIONS)):
        raise UsageError(f"{folder.path}: holds neither a calibration nor a posterior")
    return Results(
        about,
        folder.load(BASIN),
        model_of(about),
        folder.load(CALIBRATION) if folder.has(CALIBRATION) else None,
        folder.load_posterior(),
        folder.load(PREDICTIONS) if folder.has(PREDICTIONS) else None,
    )
