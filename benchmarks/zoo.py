"""All structures of MARRMoT: right values, gradients, smooth laws, seconds.

    python -m benchmarks.zoo values FOLDER     against given solutions, one file a structure
    python -m benchmarks.zoo gradients         the gradient ladder, shortened
    python -m benchmarks.zoo seconds           ten years with the Jacobian, and smooth laws

A file of right values, ``m_01.npz``, holds forcing, `theta` (1, p), `initial`, and `Q`, `Ea` and
`stores`; with `_proposed` behind their names those of the corrected equations.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.testing import checks
from pymc_hydro.testing.weather import weathers

FORCING = ("precipitation", "potential_evaporation", "temperature")
PROPOSED = "_proposed"
CORRECTED = ("m_20", "m_41")  # without right values of the corrected equations
TIGHT = {"rtol": 1e-9, "atol": 1e-9}


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


def gradients(number: str, draws: int) -> list[str]:
    """Return what the shortened ladder found, one line a check."""
    rng, model = np.random.default_rng(1), ph.marrmot.get(number)()
    weather = weathers()["cold"].isel(time=slice(0, 12))
    thetas = checks.draw_parameters(model, rng, draws)
    found = [max((checks.rates_and_jacobians(model, t, rng) for t in thetas), key=_error)]
    for check in (
        checks.fixed_step_sensitivities,
        checks.adaptive_sensitivities,
        checks.jacobian_at_default_tolerance,
        checks.water_balance,
    ):
        found.append(max((check(model, t, weather) for t in thetas[:2]), key=_error))
    return [f"{number} {type(model).__name__}: {finding}" for finding in found]


def _error(finding):
    return -1.0 if finding is None else finding.error


def seconds(number: str) -> str:
    """Return a line: seconds of a run of ten years, and how far smooth laws are from exact ones."""
    basin, kind = ph.load_basin("fulda").isel(time=slice(0, 3653)), ph.marrmot.get(number)
    exact, smooth = kind(), kind(width=0.01)
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
    kind_of = f"| {number} | {kind.__name__} | {len(exact.parameters)} |"
    return f"{kind_of} {ms[0]:.0f} | {ms[1]:.0f} | {steps:.1f} | {100 * rms:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("values", "gradients", "seconds"))
    parser.add_argument("folder", nargs="?", type=Path, help="of right values")
    parser.add_argument("--structures", nargs="+", default=list(ph.marrmot.NAMES))
    parser.add_argument("--draws", type=int, default=10)
    chosen = parser.parse_args()
    for number in chosen.structures:
        if chosen.what == "gradients":
            print(*gradients(number, chosen.draws), sep="\n", flush=True)
        elif chosen.what == "seconds":
            print(seconds(number), flush=True)
        elif (path := chosen.folder / f"{number}.npz").exists():
            for formulation in ("default", "reference"):
                line = compare(number, path, formulation)
                if line is not None:
                    print(line, flush=True)


if __name__ == "__main__":
    main()
