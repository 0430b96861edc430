"""The main job: from a basin's record to a posterior, a validation, a file and two pictures."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from pymc_hydro.calibration.calibrate import calibrate
from pymc_hydro.calibration.space import separated_bounds
from pymc_hydro.command.folder import size_of
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.files import complete_file
from pymc_hydro.data.schema import split_record
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.inference.approximation.laplace import fit_laplace, inside_bounds
from pymc_hydro.inference.build import build_model
from pymc_hydro.inference.new_record import set_basin
from pymc_hydro.inference.predict import predict
from pymc_hydro.inference.sampling.sample import sample
from pymc_hydro.losses import kge, nse

__all__ = [
    "Settings",
    "heeding_interrupts",
    "run_main_job",
]

SEARCHES = 8  # for the highest mode
# Of the roots of flow: the fit to plain flow takes all of it for quick runoff (alpha = 1).
LOSS = "nse_sqrt"
INTERVAL = 0.9  # probability of the equal-tailed intervals in tables and pictures
# Parameters of the errors: unit and meaning.
ERRORS = {
    "flow_s0": ("mm/d", "standard deviation of the errors at zero flow"),
    "flow_s1": ("1", "its growth with flow"),
}


@dataclass(frozen=True)
class Settings:
    """Settings of the main job."""

    output: Path
    split: str = "1958-10-01"
    warmup: int = 365
    draws: int = 500
    tune: int = 500
    chains: int = 4
    seed: int = 1


def run_main_job(
    model: AbstractModel,
    basin: xr.Dataset,
    settings: Settings,
    say: Callable[[str], object] = print,
) -> dict:
    """Calibrate, sample, validate, and write the results.

    Parameters
    ----------
    model : AbstractModel
    basin : Dataset
        With ``discharge``.
    settings : Settings
    say : callable
        Is given each line of the report.

    Returns
    -------
    dict of str to Path
        The files that were written: ``posterior``, ``hydrograph``, ``flow_duration``.
    """
    settings.output.mkdir(parents=True, exist_ok=True)
    first, second = split_record(basin, settings.split, settings.warmup)

    say(f"Calibrating: highest {LOSS}, least squares from 4 starts ...")
    fit = calibrate(
        model,
        first,
        loss=LOSS,
        warmup=settings.warmup,
        starts=4,
        random_seed=settings.seed,
        bounds=separated_bounds(model),
    )
    say(f"{fit!r}\n")

    pymc_model = build_model(model, first, warmup=settings.warmup)
    with pymc_model:
        say(f"Posterior mode (MAP): the highest of {SEARCHES} searches ...")
        start = inside_bounds(model, fit.theta)
        approximation = fit_laplace(start=start, starts=SEARCHES, random_seed=settings.seed)
        mode = approximation.mode
        draws = f"{settings.tune} + {settings.draws} draws"
        say(f"Sampling: NUTS, {settings.chains} chains, {draws} ...")
        with heeding_interrupts():
            idata = sample(
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                random_seed=settings.seed,
                approximation=approximation,
                cores=min(settings.chains, os.cpu_count() or 1),
            )
        predictions = {"calibration": predict(idata, random_seed=settings.seed)}
        set_basin(second)
        predictions["validation"] = predict(idata, random_seed=settings.seed)
        set_basin(first)

    say("")
    for line in _table(model, idata, mode):
        say(line)
    say(f"\n{idata.posterior.attrs['verdict']}\n")
    theta = {n: float(mode[n]) for n in model.parameter_names}
    run = simulate(model, theta, basin)["discharge"]
    for period, predicted in predictions.items():
        say(_scores(period, basin, run, predicted))

    files = {
        "posterior": settings.output / "posterior.nc",
        "hydrograph": settings.output / "hydrograph.png",
        "flow_duration": settings.output / "flow_duration.png",
    }
    with complete_file(files["posterior"], size=size_of(idata)) as path:
        idata.to_netcdf(str(path))
    _draw(predictions["validation"], basin, files)
    say("")
    for what, path in files.items():
        say(f"{what.replace('_', ' ')}: {path}")
    return files


@contextmanager
def heeding_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt where a sampler would take Ctrl-C for a wish to stop early."""
    seen = []
    previous = signal.getsignal(signal.SIGINT)

    def note(number, frame):
        seen.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, note)
    try:
        yield
    except Exception:
        if not seen:
            raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, previous)
    if seen:
        raise KeyboardInterrupt


def _table(model, idata, mode) -> list[str]:
    import arviz as az

    posterior = idata.posterior
    r_hat, ess = az.rhat(idata), az.ess(idata)
    described = {p.name: (p.unit, p.description) for p in model.parameters} | ERRORS
    low, high = 100 * (1 - INTERVAL) / 2, 100 * (1 + INTERVAL) / 2
    head = ("parameter", "unit", "MAP", "mean", f"{low:.0f} %", f"{high:.0f} %", "R-hat", "ESS")
    rows, meanings = [head], ["meaning"]
    for name, (unit, meaning) in described.items():
        draws = posterior[name].values
        values = (mode[name], draws.mean(), *np.quantile(draws, [low / 100, high / 100]))
        numbers = [f"{float(v):.4g}" for v in values]
        r, e = (_summary(d, name) for d in (r_hat, ess))
        rows.append((name, unit, *numbers, f"{r:.3f}", f"{e:.0f}"))
        meanings.append(meaning)
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(r, widths, strict=True)) for r in rows]
    return [f"{line}  {meaning}" for line, meaning in zip(lines, meanings, strict=True)]


def _summary(result, name) -> float:
    """Read one number of an ArviZ summary (a Dataset, or since ArviZ 1 a tree of one)."""
    dataset = result["posterior"] if "posterior" in result else result
    return float(dataset[name])


def _scores(period, basin, run, predicted) -> str:
    time = predicted["time"].values
    observed = basin["discharge"].sel(time=time).values
    of_mode = run.sel(time=time).values
    of_median = predicted["discharge"].median(("chain", "draw")).values
    parts = [
        f"{label}: NSE {nse(observed, q):.3f}, KGE {kge(observed, q):.3f}"
        for label, q in (("MAP", of_mode), ("predictive median", of_median))
    ]
    first, last = (str(t)[:10] for t in (time[0], time[-1]))
    return f"{period:11s} {first} to {last}   " + ";   ".join(parts)


def _draw(predicted, basin, files):
    import matplotlib.pyplot as plt

    from pymc_hydro.plots import plot_flow_duration, plot_hydrograph

    plots = {"hydrograph": plot_hydrograph, "flow_duration": plot_flow_duration}
    year = predicted.isel(time=slice(-365 * 2, None))
    for name, plot in plots.items():
        ax = plot(year if name == "hydrograph" else predicted, basin=basin, prob=INTERVAL)
        with complete_file(files[name]) as path:
            ax.figure.savefig(path, dpi=150)
        plt.close(ax.figure)
