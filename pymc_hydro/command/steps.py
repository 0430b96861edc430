"""The steps of the sub-commands."""

import os
import platform
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.calibration.space import separated_bounds
from pymc_hydro.command.chunks import sample_in_chunks
from pymc_hydro.command.demo import SEARCHES, heeding_interrupts
from pymc_hydro.command.folder import (
    BASIN,
    CALIBRATION,
    POSTERIOR,
    PREDICTIONS,
    SIMULATION,
    Folder,
)
from pymc_hydro.command.settings import UsageError
from pymc_hydro.command.source import data_hash, load_data, summary
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data import as_basin, split_record
from pymc_hydro.data.schema import check_warmup
from pymc_hydro.inference.approximation.laplace import inside_bounds
from pymc_hydro.models.listing import find_model, name_of_model, options_for, table_of_models

__all__ = ["Job", "check_loss", "chosen_model", "compare_folders", "list_data", "list_models"]

VERSIONS = ("pymc-hydro", "pymc", "pytensor", "numpy", "numba", "xarray", "arviz")
PERIODS = ("calibration", "validation")
CALIBRATED_SHARE = 2 / 3  # of the record, if no date is given


class Job:
    """One basin, one model, one folder of results; a step whose result exists is not repeated.

    Parameters
    ----------
    settings : dict
        From ``read_settings``.
    output : Path
    force : bool
        Whether to replace results made with other settings.
    say : callable
        Is given each line for the user.
    """

    def __init__(
        self,
        settings: dict,
        output: Path,
        force: bool = False,
        say: Callable[[str], object] = print,
    ) -> None:
        self.settings, self.force, self.say = settings, force, say
        self.folder = Folder(output)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always", UserWarning)
            self.basin = load_data(**settings["data"])
        self.warnings = [str(w.message) for w in found]
        for text in self.warnings:
            say(f"warning: {text}")
        self.model = chosen_model(settings, self.basin, say)
        as_basin(self.basin, self.model.forcing_names)
        self.warmup, self.split = settings["period"]["warmup"], self._split()
        if isinstance(self.warmup, str):
            with _setting("period"):
                self.warmup = check_warmup(self.warmup, self.basin["time"].values)
        self.key = {
            "data": data_hash(self.basin),
            "model": [name_of_model(self.model), self.model.options],
            "period": [self.split, self.warmup],
        }

    def run(self) -> None:
        """Simulate with given parameters, or else the calibrated ones, or else the default."""
        given, wanted = self.settings["run"]["parameters"], tuple(self.settings["run"]["outputs"])
        with _setting("run"):
            self.model.select_outputs(wanted)
        names, origin = self.model.parameter_names, "default"
        if unknown := [n for n in given if n not in names]:
            raise UsageError(f"[run] parameters: unknown {unknown}; known are {', '.join(names)}")
        self._begin("run")
        theta = dict(zip(names, self.model.default, strict=True))
        if self.folder.has(CALIBRATION):
            theta, origin = self._calibrated(), "calibrated"
        theta |= given
        for p in self.model.parameters:
            if p.name in given and not p.lower <= given[p.name] <= p.upper:
                self.say(
                    f"warning: {p.name} = {given[p.name]:g} {p.unit} lies outside of its bounds, "
                    f"{p.lower:g} to {p.upper:g}"
                )
        simulated = ph.simulate(self.model, theta, self.basin, outputs=wanted)
        self.folder.save(SIMULATION, simulated.assign_attrs(parameters=f"{origin}, {given}"))
        table = simulated.to_dataframe()
        self.folder.write_text("simulation.csv", table.to_csv(float_format="%.6g"))
        self._finish("run")
        self.say(f"Simulated with {origin} parameters" + (f" and {given}" if given else ""))
        for name, mean in table.mean().items():
            self.say(f"  mean {name}: {mean:.4g} {simulated[name].attrs['units']}")

    def calibrate(self) -> None:
        """Calibrate on the first period."""
        first, _ = self._periods()
        options = self.settings["calibrate"]
        key = self.key | {"calibrate": options}
        if self.folder.has(CALIBRATION, key, self.force):
            self.say("The calibration is there already and is kept.")
            return
        check_loss(options["loss"])
        self._begin("calibrate")
        self.say(f"Calibrating on {_span(first)}, the first {self.warmup} intervals as warm-up ...")
        bounds = separated_bounds(self.model)
        fit = ph.calibrate(
            self.model,
            first,
            loss=options["loss"],
            starts=options["starts"],
            random_seed=options["seed"],
            warmup=self.warmup,
            bounds=bounds,
        )
        self.say(repr(fit))
        theta = xr.Dataset({name: fit.theta[name] for name in self.model.parameter_names})
        for p in self.model.parameters:
            lower, upper = bounds.get(p.name, (p.lower, p.upper))
            theta[p.name].attrs |= {"lower": lower, "upper": upper}
        theta = theta.assign_attrs(message=fit.message, **fit.scores)
        self.folder.save(CALIBRATION, theta, key)
        self._finish("calibrate")

    def sample(self) -> None:
        """Sample the posterior on the first period and predict both periods."""
        import pymc as pm

        first, second = self._periods()
        options = self.settings["sample"]
        key = self.key | {"sample": options}
        if self.folder.has(PREDICTIONS, key, self.force):
            self.say("The posterior is there already and is kept.")
            return
        error = {k: options[k] for k in ("likelihood", "scale", "ar")}
        if error["likelihood"] == "recommended":  # it chooses the others
            del error["scale"], error["ar"]
        with _setting("sample"):
            _try_likelihood(**error)
        pymc_model = ph.build_model(self.model, first, warmup=self.warmup, **error)
        self._begin("sample")
        with pymc_model:
            start = None
            if self.folder.has(CALIBRATION):
                start = inside_bounds(self.model, self._calibrated())
            self.say(f"Sampling on {_span(first)} ...")
            approximation = ph.fit_laplace(
                start=start, starts=SEARCHES, random_seed=options["seed"]
            )
            for sentence in approximation.unidentified:
                self.say(sentence[0].upper() + sentence[1:] + ".")
            cores = min(options["chains"], os.cpu_count() or 1)
            with heeding_interrupts():
                idata = sample_in_chunks(self.folder, key, options, cores, approximation, self.say)
            self.say(idata.posterior.attrs["verdict"])
            pm.compute_log_likelihood(idata, progressbar=False)
            predicted = [ph.predict(idata, random_seed=options["seed"])]
            ph.set_basin(second)
            predicted.append(ph.predict(idata, random_seed=options["seed"]))
        both = xr.concat(predicted, "time", join="outer")
        names = [[n] * p.sizes["time"] for n, p in zip(PERIODS, predicted, strict=True)]
        both = both.assign_coords(period=("time", np.concatenate(names)))
        self.folder.save(POSTERIOR, idata)
        self.folder.save(PREDICTIONS, both, key)
        self._finish("sample")
        self.say(f"Posterior of {options['chains']} chains: {self.folder.path / POSTERIOR}")

    def _begin(self, step):
        period = {"split": self.split, "warmup": self.warmup}
        settings = {n: self.settings[n] for n in ("data", "model", "about")} | {"period": period}
        versions = {n: version(n) for n in VERSIONS} | {"python": platform.python_version()}
        about = {
            "settings": settings,
            "model": {"name": name_of_model(self.model), "options": self.model.options},
            "data_sha256": self.key["data"],
            "versions": versions,
            "warnings": self.warnings,
        }
        self.folder.begin(step, self.basin, about, self.key, self.force)

    def _finish(self, step):
        self.folder.finish(step, self.settings[step])

    def _split(self):
        split = self.settings["period"]["split"]
        if split is None:
            time = self.basin["time"].values
            split = str(time[int(CALIBRATED_SHARE * time.size)])[:10]
        return split

    def _periods(self):
        if "discharge" not in self.basin:
            raise UsageError("the data have no discharge to calibrate on")
        try:
            return split_record(self.basin, self.split, self.warmup)
        except ValueError as error:
            raise UsageError(f"{error}; change [period] split or warmup") from None

    def _calibrated(self):
        return {n: float(v) for n, v in self.folder.load(CALIBRATION).data_vars.items()}


@contextmanager
def _setting(section):
    """Raise UsageError with the section of the settings that has an unknown word."""
    try:
        yield
    except (KeyError, ValueError) as error:
        raise UsageError(f"[{section}] {error.args[0]}") from None


def _try_likelihood(likelihood, **options):
    """Place an error model on a few valid days: an error then comes from the settings."""
    import pymc as pm

    if ph.likelihoods.find_likelihood(likelihood) is ph.likelihoods.Whittle:
        raise ValueError("likelihood: 'whittle' has no density to draw predictions from")
    observed, place = np.arange(1.0, 11.0), ph.likelihoods.find_likelihood(likelihood)
    with pm.Model(coords={"time": pd.date_range("2001", periods=observed.size)}):
        place("flow", pm.math.constant(observed), observed=observed, **options)


def scores(folder: Folder) -> pd.DataFrame:
    """Return NSE and KGE in both periods, of the calibrated run and the predictive median."""
    about, basin = folder.about(), folder.load(BASIN)
    split, warmup = (about["settings"]["period"][k] for k in ("split", "warmup"))
    observed, runs = basin["discharge"], {}
    if folder.has(CALIBRATION):
        theta = {n: float(v) for n, v in folder.load(CALIBRATION).data_vars.items()}
        model = model_of(about)
        runs["calibrated"] = ph.simulate(model, theta, basin)["discharge"]
    if folder.has(PREDICTIONS):
        runs["predictive median"] = folder.load(PREDICTIONS)["discharge"].median(("chain", "draw"))
    rows = {}
    for name, run in runs.items():
        run = run.isel(time=slice(warmup, None)) if name == "calibrated" else run
        first = run["time"] < np.datetime64(split)
        for period, part in zip(PERIODS, (run[first], run[~first]), strict=True):
            y = observed.sel(time=part["time"]).values
            rows[name, period] = {
                "NSE": ph.losses.nse(y, part.values),
                "KGE": ph.losses.kge(y, part.values),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def model_of(about: dict) -> AbstractModel:
    """Return the model of a folder of results."""
    return find_kind(about["model"]["name"])(**about["model"]["options"])


def compare_folders(paths: list[Path], say: Callable[[str], object] = print) -> pd.DataFrame:
    """Compare the scores of several folders of results, and their posteriors by LOO."""
    rows, hashes = [], set()
    for path in paths:
        folder = Folder(path)
        about = folder.about()
        hashes.add(about["data_sha256"])
        table = scores(folder)
        if not len(table):
            raise UsageError(f"{path}: holds neither a calibration nor a posterior")
        elpd = _elpd(folder)
        for (run, period), row in table.iterrows():
            extra = elpd if (run, period) == ("predictive median", "calibration") else np.nan
            labels = {"folder": str(path), "model": about["model"]["name"]}
            rows.append(labels | {"run": run, "period": period} | dict(row) | {"elpd_loo": extra})
    if len(hashes) > 1:
        say("warning: the folders hold different data; their scores are not comparable")
    return pd.DataFrame(rows)


def _elpd(folder):
    posterior = folder.load_posterior()
    if posterior is None:
        return np.nan
    import arviz as az

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of influential observations: one number is shown
        found = az.loo(posterior)
    return float(found.elpd if hasattr(found, "elpd") else found.elpd_loo)


def list_models(
    name: str | None = None,
    say: Callable[[str], object] = print,
    *,
    equations: bool = False,
    **wanted: Any,
) -> None:
    """Print the models that have what is wanted, or one model with its parameters and stores."""
    if name is not None:
        model = find_kind(name)()
        say(repr(model))
        if equations:
            say(f"\n{ph.equations(model)!r}")
        return
    if equations:
        raise UsageError("models: --equations needs the name of a model, such as HBV")
    try:
        table = table_of_models(**wanted)
    except ValueError as error:
        raise UsageError(str(error)) from None
    for title, row in table.iterrows():
        size = f"{row['parameters']} parameters, {row['stores']} stores"
        say(f"{title:17s}{row['number']:6s}{size:26s}{row['description']}")


def chosen_model(
    settings: dict, record: xr.Dataset | None, say: Callable[[str], object]
) -> AbstractModel:
    """Return the model that settings name, without snow if the record has no temperature.

    Raises
    ------
    UsageError
        If the name or an option is unknown.
    """
    kind, options = find_kind(settings["model"]["name"]), dict(settings["model"]["options"])
    without_snow = {} if record is None else options_for(kind, record)
    if without_snow and "snow" not in options:
        say("The data have no temperature: the model is run without snow.")
        options |= without_snow
    try:
        return kind(**options)
    except TypeError as error:
        raise UsageError(f"[model] options: {error}") from None


def check_loss(name: str) -> None:
    """Raise UsageError if no loss has this name."""
    with _setting("calibrate"):
        ph.losses.find_loss(name)


def find_kind(name: str) -> type[AbstractModel]:
    """Return a model class by name; a name that is unknown is a usage error."""
    try:
        return find_model(name)
    except KeyError as error:
        raise UsageError(f"{error.args[0]}; 'pymc-hydro models' lists them") from None


def list_data(
    source: str | None = None,
    gauge: str | None = None,
    reader: str | None = None,
    options: dict | None = None,
    say: Callable[[str], object] = print,
) -> None:
    """Print the embedded basins, the contents of a folder, or a summary of one basin."""
    if source is None:
        for name, about in ph.data.BASINS.items():
            say(f"{name:12s}{about['title']}, {about['area_km2']:g} km2")
    elif Path(source).is_dir() and gauge is None and source not in ph.data.BASINS:
        found = ph.scan(source)
        say(found.to_string(index=False) if len(found) else "nothing that is recognised")
    else:
        basin = load_data(source, gauge, reader, options)
        say(f"{basin.attrs.get('title', source)}: {_span(basin)}, {basin.sizes['time']} intervals")
        say(summary(basin).to_string(float_format="{:.4g}".format))


def _span(basin):
    first, last = (str(basin["time"].values[i])[:10] for i in (0, -1))
    return f"{first} to {last}"
