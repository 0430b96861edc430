"""All structures of MARRMoT and 60 of FUSE: right values, gradients, seconds, failures.

    python -m benchmarks.zoo values FOLDER     against given solutions, one file a structure
    python -m benchmarks.zoo gradients         the gradient ladder, shortened
    python -m benchmarks.zoo seconds           ten years with the Jacobian, and smooth laws
    python -m benchmarks.zoo failures          two years of many random parameter vectors
    python -m benchmarks.zoo fits              calibration on two basins (NSE, four starts)

A file of right values, ``m_01.npz``, holds forcing, `theta` (1, p), `initial`, and `Q`, `Ea` and
`stores`; with `_proposed` behind their names those of the corrected equations.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.engine.codegen import COUNTS
from pymc_hydro.engine.codegen.step import REASONS
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.losses import kge, nse
from pymc_hydro.models.fuse import combinations
from pymc_hydro.testing import checks
from pymc_hydro.testing.weather import weathers

FORCING = ("precipitation", "potential_evaporation", "temperature")
PROPOSED = "_proposed"
CORRECTED = ("m_20", "m_41")  # without right values of the corrected equations
TIGHT = {"rtol": 1e-9, "atol": 1e-9}
RUNGS = (
    checks.fixed_step_sensitivities,
    checks.adaptive_sensitivities,
    checks.jacobian_at_default_tolerance,
    checks.water_balance,
)
# By basin: calibration, validation. The Leaf River has no snow.
FITTED = {
    "leaf_river": (("1953-10-01", "1957-09-30"), slice("1958-10-01", "1962-09-30")),
    "fulda": (("1980-01-01", "1984-12-31"), slice("1985-01-01", "1988-12-31")),
}
WARM = 20.0  # degC, of a basin without snow
SEED, SOME_FUSE, DAYS = 20261130, 60, 730


def structures() -> dict[str, Callable[..., Any]]:
    """Return the structures of MARRMoT by number, then 60 of FUSE, drawn at random."""
    found = {number: ph.marrmot.get(number) for number in ph.marrmot.NAMES}
    every = combinations()
    for i in sorted(np.random.default_rng(SEED).choice(len(every), SOME_FUSE, replace=False)):
        found[f"fuse-{i + 1}"] = partial(ph.FUSE, **every[i])
    return found


def compare(number: str, path: Path, formulation: str) -> str | None:
    """Return a line of the table of largest differences, in mm/d and mm."""
    with np.load(path, allow_pickle=False) as data:
        suffix = PROPOSED if formulation == "default" and f"Q{PROPOSED}" in data else ""
        if f"Q{PROPOSED}" not in data and (formulation == "reference") != (number in CORRECTED):
            return None
        n = len(data["precipitation"])
        series = {name: ("time", data[name]) for name in FORCING}
        series["day_of_year"] = ("time", np.arange(1.0, n + 1))  # counted on, not by the calendar
        basin = xr.Dataset(series, {"time": pd.date_range("1989-01-01", periods=n)})
        theta, x0 = data["theta"][0].copy(), data["initial"][0]
        q, ea, stores = (data[f"{name}{suffix}"][0] for name in ("Q", "Ea", "stores"))
    if number == "m_25":  # a share of mean precipitation there
        theta[4] *= float(basin["precipitation"].mean())
    model = ph.marrmot.get(number)(formulation=formulation)
    sign = np.array([-1 if "deficit" in s.description else 1 for s in model.stores])
    names = ("discharge", "evaporation", *model.store_names)
    found = {}
    for label, settings in (("1e-9", TIGHT), ("default", {})):
        run = ph.simulate(model, theta, basin, names, initial_state=sign * x0, **settings)
        contents = np.stack([run[s].values for s in model.store_names], axis=-1) * sign
        pairs = ((run["discharge"], q), (run["evaporation"], ea), (contents, stores))
        found[label] = [float(np.abs(np.asarray(a) - b).max()) for a, b in pairs]
    tight, loose = found["1e-9"], found["default"][0]
    kind = f"| {number} | {type(model).__name__} | {formulation} |"
    return f"{kind} {tight[0]:.0e} | {tight[1]:.0e} | {tight[2]:.0e} | {loose:.0e} |"


def gradients(name: str, model: ph.core.AbstractModel, draws: int) -> str:
    """Return a line: the largest error of each rung over the draws, and what is beyond its limit.

    The rungs other than J and B take a fifth of the draws: 12 days of cold weather.
    """
    rng = np.random.default_rng(1)
    weather = weathers()["cold"].isel(time=slice(0, 12))
    thetas = checks.draw_parameters(model, rng, draws)
    some = thetas[: max(draws // 5, 2)]
    found = [[checks.rates_and_jacobians(model, t, rng) for t in thetas]]
    found += [[check(model, t, weather) for t in some] for check in RUNGS]
    worst = [max((f.error for f in rung if f is not None), default=np.nan) for rung in found]
    beyond = [f"{name}: {f}" for rung in found for f in rung if f is not None and f.error > 1]
    errors = " | ".join(f"{error:.1g}" for error in worst)
    unsolved = sum(f is None for rung in found for f in rung)
    return "\n".join([f"| {name} | {type(model).__name__} | {errors} | {unsolved} |", *beyond])


def seconds(name: str, kind: Callable[..., Any]) -> str:
    """Return a line: seconds of a run of ten years, and how far smooth laws are from exact ones."""
    basin, exact, smooth = ph.load_basin("fulda"), kind(), kind(width=0.01)
    runs = []
    for model in (exact, smooth):
        ph.simulate(model, model.default, basin, sensitivities=True)
        start = time.perf_counter()
        run = ph.simulate(model, model.default, basin, sensitivities=True)
        runs.append((time.perf_counter() - start, run))
    q = [run["discharge"].values for _, run in runs]
    rms = np.sqrt(np.mean((q[1] - q[0]) ** 2) / np.mean(q[0] ** 2))
    ms = [1000 * duration for duration, _ in runs]
    steps = runs[0][1].attrs["steps"] / len(q[0])
    row = f"| {name} | {type(exact).__name__} | {len(exact.parameters)} |"
    return f"{row} {ms[0]:.0f} | {ms[1]:.0f} | {steps:.1f} | {100 * rms:.2f} |"


def failures(name: str, model: ph.core.AbstractModel, draws: int) -> str:
    """Return a line: runs that failed, the mean and the largest number of steps a day."""
    fulda, leaf = (ph.load_basin(n).isel(time=slice(0, DAYS)) for n in ("fulda", "leaf_river"))
    leaf["temperature"] = "time", fulda["temperature"].values
    rng = np.random.default_rng(SEED)
    unit = rng.random((draws // 2, len(model.parameters)))
    even = model.lower + (model.upper - model.lower) * unit
    thetas = np.vstack([even, checks.draw_parameters(model, rng, draws - draws // 2)])
    problem = define_problem(model, ("discharge",), 1.0)
    records, x0 = [forcing_array(model, basin) for basin in (fulda, leaf)], model.initial_state
    problem.run(thetas[0], records[0], x0)  # compiles
    steps, failed, forced = [], [], 0
    start = time.process_time()
    for i, theta in enumerate(thetas):
        run = problem.run(theta, records[i % 2], x0)
        steps.append(run.counts[COUNTS.index("steps")] / DAYS)
        forced += run.counts[COUNTS.index("forced_steps")]
        if run.status:
            day = run.counts[COUNTS.index("failed_interval")]
            failed.append(f"vector {i}, day {day}: {REASONS[run.status]}")
    ms = 1000 * (time.process_time() - start) / draws
    kind = f"| {name} | {type(model).__name__} | {draws} | {len(failed)} | {forced} |"
    line = f"{kind} {np.mean(steps):.1f} | {np.max(steps):.0f} | {ms:.1f} |"
    return "\n".join([line, *failed[:3]])


def fits(name: str, kind: Callable[..., Any]) -> str:
    """Return a line a basin: NSE and KGE in both periods, CPU seconds, parameters at a bound."""
    lines = []
    for place, (calibrated, validated) in FITTED.items():
        basin = ph.load_basin(place)
        snow = place == "fulda" and kind().snow_target is not None
        model = kind(snow=True) if snow else kind()
        if "temperature" not in basin:
            basin["temperature"] = "time", np.full(basin.sizes["time"], WARM)
        ph.simulate(model, model.default, basin, sensitivities=True)  # compiles
        start = time.process_time()
        options = {"period": calibrated, "starts": 4, "hops": 1, "random_seed": 1}
        theta = ph.calibrate(model, basin, loss="nse", **options).theta
        duration = time.process_time() - start
        theta = {k: float(v) for k, v in theta.data_vars.items()}
        run, scores = ph.simulate(model, theta, basin)["discharge"], []
        for part in (slice(*calibrated), validated):
            pair = basin["discharge"].sel(time=part).values, run.sel(time=part).values
            scores += [f"{score(*pair):.3f}" for score in (nse, kge)]
        at = np.array(list(theta.values()))
        span = 1e-3 * (model.upper - model.lower)
        bound = int(((at < model.lower + span) | (at > model.upper - span)).sum())
        row = f"| {name} | {type(model).__name__} | {place} | {at.size} |"
        lines.append(f"{row} {' | '.join(scores)} | {bound} | {duration:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("values", "gradients", "seconds", "failures", "fits"))
    parser.add_argument("folder", nargs="?", type=Path, help="of right values")
    parser.add_argument("--structures", nargs="+", help="such as m_01 fuse-60; all if not given")
    parser.add_argument("--draws", type=int, default=10)
    chosen = parser.parse_args()
    every = structures()
    for number in chosen.structures or every:
        if chosen.what == "gradients":
            print(gradients(number, every[number](), chosen.draws), flush=True)
        elif chosen.what == "seconds":
            print(seconds(number, every[number]), flush=True)
        elif chosen.what == "fits":
            print(fits(number, every[number]), flush=True)
        elif chosen.what == "failures":
            print(failures(number, every[number](), chosen.draws), flush=True)
        elif (path := chosen.folder / f"{number}.npz").exists():
            for formulation in ("default", "reference"):
                line = compare(number, path, formulation)
                if line is not None:
                    print(line, flush=True)


if __name__ == "__main__":
    main()
