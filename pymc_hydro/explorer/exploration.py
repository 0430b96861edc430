"""All that the explorer shows of one vector of parameters: a run, scores, slopes, water."""

from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt
import xarray as xr

from pymc_hydro.calibration.objective import compile_slope, define_goal
from pymc_hydro.calibration.space import SearchSpace, define_space
from pymc_hydro.core.base.dims import PARAMETER, TIME
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.schema import as_basin, check_warmup, interval_length
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.losses import evaluate
from pymc_hydro.models.listing import as_model, name_of_model, options_for
from pymc_hydro.ops.stepwise import stepwise

__all__ = ["STEP", "Exploration", "View", "named_model"]

STEP = 0.05  # of a slider: by how much the band moves the parameter, up and down
SHOWN = ("nse", "nse_sqrt", "nse_log", "kge", "rmse", "percent_bias")  # in the table of scores
FLUXES = {"discharge": "discharge, simulated", "evaporation": "evaporation"}
YEAR = 365.25  # days


def named_model(name: str, record: xr.Dataset) -> AbstractModel:
    """Return a model by name, without its snow front end where the record has no temperature."""
    model = as_model(name)
    options = options_for(type(model), record)
    return type(model)(**options) if options else model


@dataclass(frozen=True)
class View:
    """A run and what follows from it.

    Attributes
    ----------
    run : Dataset
        Discharge, evaporation and stores on ``time``, and ``ddischarge_dparameter``.
    positions : array, shape (n_parameter,)
        Of the sliders, from 0 to 1.
    score : float
        NaN where the record has no observations.
    slopes : array, shape (n_parameter,)
        Of the score by the positions; exact.
    scores : dict of str to float
    water : dict of str to float
        Means of the scored period in mm a year.
    """

    run: xr.Dataset
    positions: np.ndarray
    score: float
    slopes: np.ndarray
    scores: dict[str, float]
    water: dict[str, float]


class Exploration:
    """A model and a record, to be looked at with any parameters.

    Parameters
    ----------
    model : AbstractModel
    basin : Dataset or DataFrame
        Forcing, and ``discharge`` for scores.
    warmup : int or str
        Intervals, or a duration, that are neither scored nor in the balance of water.
    score : str
        A name of ``ph.losses.SCORES``.
    """

    def __init__(
        self, model: AbstractModel, basin: xr.Dataset, warmup: int | str, score: str
    ) -> None:
        self.model, self.score_name = model, score
        self.record = as_basin(basin, model.forcing_names)
        self.warmup = check_warmup(warmup, self.record[TIME].values)
        self.space: SearchSpace = define_space(model, {}, {}, "unit cube")
        known = [name for name in FLUXES if name in model.output_names]
        self.outputs = tuple(dict.fromkeys((*known, *model.store_names)))
        self.observed = None
        if "discharge" in self.record:
            self.observed = self.record["discharge"].values
            self._slope = self._compile(self.observed[self.warmup :])

    @stepwise
    def _compile(self, observed):
        self._goal = define_goal(self.score_name, {}, self.record[TIME].values[self.warmup :])
        q = pt.tensor("q", dtype="float64", shape=observed.shape)
        value = self._goal.function({"discharge": observed}, {"discharge": q})
        return compile_slope([q], q, self._goal, value)

    def at(self, positions: np.ndarray) -> View:
        """Run with the parameters at positions on the sliders, shape (n_parameter,).

        Raises
        ------
        IntegrationError
            If the run fails.
        """
        theta, by_position = self.space.from_unit(np.asarray(positions, dtype=float))
        run = simulate(self.model, theta, self.record, self.outputs, sensitivities=True)
        flow = run["discharge"].values[self.warmup :]
        score, slopes, scores = np.nan, np.full(theta.size, np.nan), {}
        if self.observed is not None:
            loss, delta = self._slope(flow)
            jacobian = run["ddischarge_dparameter"].values[self.warmup :]
            score = self._goal.sign * float(loss)
            slopes = self._goal.sign * (delta @ jacobian) * by_position
            found = evaluate(self.observed[self.warmup :], flow)
            scores = {name: found[name] for name in SHOWN}
        return View(run, np.asarray(positions), score, slopes, scores, self._water(run))

    def band(self, view: View, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return discharge with parameter `i` lower and higher by a step, to first order."""
        by_position = self.space.from_unit(view.positions)[1][i]
        column = view.run["ddischarge_dparameter"].isel({PARAMETER: i}).values
        change = STEP * by_position * column
        flow = view.run["discharge"].values
        return np.maximum(flow - change, 0), np.maximum(flow + change, 0)

    def theta(self, positions: np.ndarray) -> dict[str, float]:
        """Return parameters by name."""
        values = self.space.from_unit(np.asarray(positions, dtype=float))[0]
        return {name: float(v) for name, v in zip(self.model.parameter_names, values, strict=True)}

    def code(self, positions: np.ndarray, origin: str) -> str:
        """Return Python that repeats the run; its line `origin` makes the record, ``basin``."""
        given = ", ".join(f"{k}={v!r}" for k, v in self.model.options.items())
        home = type(self.model).__module__
        name = name_of_model(self.model).replace("/", ".")
        if home.startswith("pymc_hydro."):
            name = f"ph.marrmot.{name}" if ".marrmot" in home else f"ph.{name}"
        theta = ",\n".join(f'    "{k}": {v:.6g}' for k, v in self.theta(positions).items())
        return (
            f"import pymc_hydro as ph\n\n{origin}\nmodel = {name}({given})\n"
            f"theta = {{\n{theta},\n}}\n"
            'run = ph.simulate(model, theta, basin, outputs=("discharge", *model.store_names))\n'
        )

    def _water(self, run) -> dict[str, float]:
        """Return the means of the scored period, in mm a year."""
        model, scored = self.model, slice(self.warmup, None)
        water = {"precipitation": float(self.record["precipitation"].values[scored].mean())}
        for name, text in FLUXES.items():
            if name in run:
                water[text] = float(run[name].values[scored].mean())
        if self.observed is not None:
            water["discharge, observed"] = float(np.nanmean(self.observed[scored]))
        content = sum(run[name].values for name in model.store_names)
        days = (run.sizes[TIME] - self.warmup) * interval_length(self.record)
        before = content[self.warmup - 1] if self.warmup else content[0]
        water["filling of the stores"] = float(content[-1] - before) / days
        places = {
            "exchange": model.exchanges,
            "water under way": model.hydrographs or model.routing,
        }
        if any(places.values()) and "evaporation" in run:
            known = (*FLUXES.values(), "filling of the stores")
            rest = water["precipitation"] - sum(water[name] for name in known)
            water[" and ".join(name for name, there in places.items() if there)] = rest
        return {name: YEAR * value for name, value in water.items()}
