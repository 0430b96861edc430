"""All structures of MARRMoT and 60 of FUSE: right values, gradients, seconds, failures, fits.

    python -m benchmarks.zoo values FOLDER     against given solutions, one file a structure
    python -m benchmarks.zoo tolerance         the default tolerance against 1e-9
    python -m benchmarks.zoo gradients         the gradient ladder
    python -m benchmarks.zoo seconds           ten years with the Jacobian
    python -m benchmarks.zoo smooth            smooth laws against exact ones
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
from pymc_hydro.core import AbstractModel
from pymc_hydro.data.schema import checked_basin, interval_length
from pymc_hydro.engine.codegen import COUNTS
from pymc_hydro.engine.codegen.step import REASONS
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.integrators import BOGACKI_SHAMPINE, TR_BDF2
from pymc_hydro.losses import kge, nse
from pymc_hydro.models.fuse import PARENTS, combinations
from pymc_hydro.testing import checks
from pymc_hydro.testing.frozen import run_in_python
from pymc_hydro.testing.weather import make_basin, weathers

FORCING = ("precipitation", "potential_evaporation", "temperature")
PROPOSED = "_proposed"
CORRECTED = ("m_20", "m_41")  # without right values of the corrected equations
TIGHT = {"rtol": 1e-9, "atol": 1e-9}
RUNGS = ("J and B", "balance", "default", "fixed", "frozen")
DISCHARGE, BALANCED = ("discharge",), 20  # intervals of a rung in Python
# Methods and steps a day, in turn: the explicit method may be unstable; where a law is a switch of
# 1e-8 mm, long steps have several solutions, or one that Newton's method cannot refine.
TRIED = ((BOGACKI_SHAMPINE, 2), (TR_BDF2, 2), (TR_BDF2, 8), (TR_BDF2, 32))
# From empty stores to runoff, through snow and its melt, so that all parameters are seen.
WET = checked_basin(
    make_basin([20.0, 40, 250, 0, 90], [3.0], [-2.0, 0.5, 6, 10, 8]), ("day_of_year",)
)
# By basin: calibration, validation. The Leaf River has no snow.
FITTED = {
    "leaf_river": (("1953-10-01", "1957-09-30"), slice("1958-10-01", "1962-09-30")),
    "fulda": (("1980-01-01", "1984-12-31"), slice("1985-01-01", "1988-12-31")),
}
WARM = 20.0  # degC, of a basin without snow
SHARES = (0.2, 0.5, 0.8)  # of the range of each parameter
SEED, SOME_FUSE, DAYS = 20261130, 60, 730
SMOOTH, COMPARED = 0.01, 12  # width; vectors that are compared


def structures() -> dict[str, dict[str, Callable[..., Any]]]:
    """Return MARRMoT by number, 60 of FUSE, drawn at random, our own models and the maps of GR."""
    every = combinations()
    drawn = sorted(np.random.default_rng(SEED).choice(len(every), SOME_FUSE, replace=False))
    own = {kind.__name__: kind for kind in ph.MODELS}
    return {
        "marrmot": {number: ph.marrmot.get(number) for number in ph.marrmot.NAMES},
        "fuse": {f"fuse-{i + 1}": partial(ph.FUSE, **every[i]) for i in drawn},
        "parents": {f"fuse/{name}": partial(ph.FUSE.parent, name) for name in PARENTS},
        "own": own | {"GR4J-B": partial(ph.GR4J, form="B")},
        "gr": {f"gr/{kind.__name__}": kind for kind in (ph.gr.GR4J, ph.gr.GR5J, ph.gr.GR6J)},
    }


def compare(number: str, path: Path, formulation: str) -> str | None:
    """Return a line of the table of largest differences, in mm/d and mm.

    The last number is the relative root mean square of discharge with smooth laws, in percent.
    """
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
    kind = ph.marrmot.get(number)
    model, near = kind(formulation=formulation), kind(formulation=formulation, width=SMOOTH)
    sign = np.array([-1 if "deficit" in s.description else 1 for s in model.stores])
    names = ("discharge", "evaporation", *model.store_names)
    found = {}
    for label, settings in (("1e-9", TIGHT), ("default", {})):
        run = ph.simulate(model, theta, basin, names, initial_state=sign * x0, **settings)
        contents = np.stack([run[s].values for s in model.store_names], axis=-1) * sign
        pairs = ((run["discharge"], q), (run["evaporation"], ea), (contents, stores))
        found[label] = [float(np.abs(np.asarray(a) - b).max()) for a, b in pairs]
    tight, loose = found["1e-9"], found["default"][0]
    smoothed = ph.simulate(near, theta, basin, initial_state=sign * x0)["discharge"].values
    percent = 100 * np.sqrt(np.mean((smoothed - q) ** 2) / np.mean(q**2))
    row = f"| {number} | {type(model).__name__} | {formulation} |"
    numbers = f"{tight[0]:.0e} | {tight[1]:.0e} | {tight[2]:.0e} | {loose:.0e} | {percent:.2g} |"
    return f"{row} {numbers}"


def gradients(name: str, model: AbstractModel, draws: int) -> str:
    """Return a line: the largest error of each rung, and what is beyond its limit.

    The Jacobian at the default tolerance is that of the compiled kernel, in all five weathers in
    turn, and so are J and B; the rungs of few intervals run the kernel's text as Python, in which a
    second and a third kernel need not be compiled.
    """
    rng, basins = np.random.default_rng(1), list(weathers().values())
    found: dict[str, list[checks.Finding]] = {rung: [] for rung in RUNGS}
    seen, failed = np.zeros(len(model.parameters), dtype=bool), []
    for k, theta in enumerate(checks.draw_parameters(model, rng, draws)):
        found["J and B"].append(checks.rates_and_jacobians(model, theta, rng))
        for rung, check, basin in (
            ("balance", balance, basins[k % len(basins)]),
            ("default", checks.jacobian_at_default_tolerance, basins[k % len(basins)]),
            ("fixed", partial(fixed_steps, seen=seen), WET),
            ("frozen", checks.adaptive_sensitivities, WET),
        ):
            try:
                found[rung].append(check(model, theta, basin))
            except RuntimeError as error:
                failed.append(f"{name}, vector {k}, {rung}: {error}")
    worst = " | ".join(f"{max(f.error for f in rung):.1g}" for rung in found.values())
    repeated = sum(f" {steps} fixed" in f.check for f in found["fixed"] for _, steps in TRIED[2:])
    beyond = [f"{name}: {f}" for rung in found.values() for f in rung if f.error > 1]
    row = f"| {name} | {type(model).__name__} | {worst} | {seen.sum()} of {seen.size} |"
    return "\n".join([f"{row} {repeated} | {len(failed)} |", *beyond, *failed])


def fixed_steps(
    model: AbstractModel, theta: np.ndarray, basin: xr.Dataset, seen: np.ndarray
) -> checks.Finding:
    """Compare the sensitivities of fixed steps with complex step of another integrator.

    `seen` becomes true for parameters by which discharge has a derivative other than zero. More
    steps are taken where few do not pass; the table tells for how many vectors.
    """

    def run(model, theta, basin, method, steps):
        problem = define_problem(model, DISCHARGE, 1.0, solver=method, steps=steps)
        found = run_in_python(problem, theta, forcing_array(model, basin), len(theta))
        if found.status:
            raise ph.IntegrationError(REASONS[found.status])
        np.logical_or(seen, (found.jacobian != 0).any(axis=(0, 1)), out=seen)
        return found.values[:, 0], found.jacobian[:, 0]

    last = None
    for method, steps in TRIED:
        finding = checks.fixed_step_sensitivities(
            model, theta, basin, method, run=run, steps_tried=(steps,)
        )
        last = finding or last
        if finding is not None and finding.error <= 1:
            break
    if last is None:
        raise RuntimeError(f"no solution with {steps} steps a day")
    return last


def balance(model: AbstractModel, theta: np.ndarray, basin: xr.Dataset) -> checks.Finding:
    """Compare inflow and outflow with the change of the stores."""
    inflow, outflow, stores = checks.balance_terms(model)
    dt = interval_length(basin)
    problem = define_problem(model, (*inflow, *outflow, *stores), dt)
    values = run_in_python(problem, theta, forcing_array(model, basin)[:BALANCED], 0).values
    n_in, n_out = len(inflow), len(inflow) + len(outflow)
    stored = values[:, n_out:].sum(axis=1)
    start = sum(model.start(dict(zip(model.parameter_names, theta, strict=True))).values())
    net = dt * (values[:, :n_in].sum(axis=1) - values[:, n_in:n_out].sum(axis=1))
    entered = dt * np.abs(values[:, :n_in]).sum()
    scale = checks.BALANCE_LIMIT * max(entered, stored.max(), 1.0)
    error = np.abs(np.cumsum(net) - (stored - start)).max() / scale
    return checks.Finding("water balance", float(error))


def seconds(name: str, kind: Callable[..., Any]) -> str:
    """Return a line: milliseconds of a run of ten years, with exact and with smooth laws."""
    basin, exact, smooth = ph.load_basin("fulda"), kind(), kind(width=SMOOTH)
    runs = []
    for model in (exact, smooth):
        ph.simulate(model, model.default, basin, sensitivities=True)
        start = time.perf_counter()
        run = ph.simulate(model, model.default, basin, sensitivities=True)
        runs.append((time.perf_counter() - start, run))
    ms = [1000 * duration for duration, _ in runs]
    steps = runs[0][1].attrs["steps"] / runs[0][1].sizes["time"]
    row = f"| {name} | {type(exact).__name__} | {len(exact.parameters)} |"
    return f"{row} {ms[0]:.0f} | {ms[1]:.0f} | {steps:.1f} |"


def smooth(name: str, kind: Callable[..., Any]) -> str:
    """Return a line: how far discharge of smooth laws is from that of exact ones, in percent.

    Four years; the default parameters and random ones, of which those count that give a hundredth
    of precipitation or more as discharge.
    """
    exact, near = kind(), kind(width=SMOOTH)
    fulda = ph.load_basin("fulda").isel(time=slice(0, 4 * 365))
    record = forcing_array(exact, checked_basin(fulda, exact.forcing_names))
    least = 0.01 * float(fulda["precipitation"].mean())
    problems = [define_problem(model, DISCHARGE, 1.0) for model in (exact, near)]
    draws = checks.draw_parameters(exact, np.random.default_rng(7), 500)
    found: list[float] = []
    for theta in (exact.default, *draws):
        q = problems[0].run(theta, record, exact.initial_state).values
        if q.mean() >= least:
            other = problems[1].run(theta, record, exact.initial_state).values
            found.append(100 * np.sqrt(np.mean((other - q) ** 2) / np.mean(q**2)))
        if len(found) == COMPARED:
            break
    row = f"| {name} | {type(exact).__name__} | {len(found)} |"
    return f"{row} {np.median(found):.2g} | {max(found):.2g} |"


def tolerance(name: str, kind: Callable[..., Any]) -> str:
    """Return a line a formulation: discharge at the default tolerance against that at 1e-9."""
    lines: dict[str, str] = {}
    for formulation in ("default", "reference") if name in ph.marrmot.NAMES else ("default",):
        model = kind(formulation=formulation)
        fulda = ph.load_basin("fulda").isel(time=slice(0, DAYS))
        record = forcing_array(model, checked_basin(fulda, model.forcing_names))
        loose = define_problem(model, DISCHARGE, 1.0)
        tight = define_problem(model, DISCHARGE, 1.0, **TIGHT)
        differences = []
        for share in SHARES:
            theta = model.lower + share * (model.upper - model.lower)
            runs = [p.run(theta, record, model.initial_state) for p in (loose, tight)]
            differences.append(np.abs(runs[0].values - runs[1].values).max())
        found = " | ".join(f"{difference:.0e}" for difference in differences)
        lines.setdefault(loose.kernel().content, f"| {name} | {formulation} | {found} |")
    return "\n".join(lines.values())


def failures(name: str, model: AbstractModel, draws: int) -> str:
    """Return a line: runs that failed, the mean and the largest number of steps a day."""
    fulda, leaf = (ph.load_basin(n).isel(time=slice(0, DAYS)) for n in ("fulda", "leaf_river"))
    leaf["temperature"] = "time", fulda["temperature"].values
    fulda, leaf = (checked_basin(basin, model.forcing_names) for basin in (fulda, leaf))
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


def fits(name: str, kind: Callable[..., Any], places: list[str], seeds: int) -> str:
    """Return a line a basin: NSE and KGE in both periods, CPU seconds, parameters at a bound.

    Of several seeds the search counts that is best in the period of calibration.
    """
    lines = []
    for place in places:
        calibrated, validated = FITTED[place]
        basin = ph.load_basin(place)
        front = kind().snow_target is not None
        model = kind(snow=place == "fulda") if front else kind()
        if "temperature" not in basin:
            basin["temperature"] = "time", np.full(basin.sizes["time"], WARM)
        ph.simulate(model, model.default, basin, sensitivities=True)  # compiles
        start = time.process_time()
        options = {"period": calibrated, "starts": 4, "hops": 1, "loss": "nse"}
        found = [ph.calibrate(model, basin, random_seed=1 + i, **options) for i in range(seeds)]
        theta = max(found, key=lambda fit: fit.scores["nse"]).theta
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
    commands = {
        "gradients": lambda name, kind: gradients(name, kind(), chosen.draws or 50),
        "failures": lambda name, kind: failures(name, kind(), chosen.draws or 1000),
        "tolerance": tolerance,
        "seconds": seconds,
        "smooth": smooth,
        "fits": lambda name, kind: fits(name, kind, chosen.basins, chosen.seeds),
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("values", *commands))
    parser.add_argument("folder", nargs="?", type=Path, help="of right values")
    told = "such as m_01 fuse-60 fuse/prms; or marrmot (if not given), fuse, parents, own, gr"
    parser.add_argument("--structures", nargs="+", default=["marrmot"], help=told)
    parser.add_argument("--draws", type=int, help="parameter vectors a structure")
    parser.add_argument("--basins", nargs="+", default=list(FITTED), choices=list(FITTED))
    parser.add_argument("--seeds", type=int, default=1, help="calibrations of each structure")
    chosen = parser.parse_args()
    groups = structures()
    every = {name: kind for group in groups.values() for name, kind in group.items()}
    for name in [n for word in chosen.structures for n in groups.get(word, [word])]:
        if chosen.what in commands:
            print(commands[chosen.what](name, every[name]), flush=True)
        elif (path := chosen.folder / f"{name}.npz").exists():
            for formulation in ("default", "reference"):
                line = compare(name, path, formulation)
                if line is not None:
                    print(line, flush=True)


if __name__ == "__main__":
    main()
