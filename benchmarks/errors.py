"""Error models on eight basins: which to choose for simulations, and which for forecasts.

    python -m benchmarks.errors [--data DATA] [--cases leaf fulda ...]

Draws of the Gauss-Newton approximation stand for the posterior. Joint posteriors: skewed
Student's t errors of linear scale with constant memory and with the clock; Gaussian errors of
transformed flow (Box and Cox, 0.2) without memory, the first stage; and that stage followed by
`ph.fit_errors` with the clock and two densities. In the validation years, one step ahead and
free-running: log score (density of draws on a logarithmic axis), CRPS, coverage of the 95 %
interval, rising days above its upper end and how many a right forecast would have there (more than
2.5 %, since the days are chosen by their outcome), and of simulated discharge NSE and bias. Leaf
River and the Fulda are embedded; the others are read from DATA (`basins`, `mopex_294`,
`camels_ch`).
"""

import argparse
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import pymc_hydro as ph

WARMUP, DRAWS, PROB = 365, 400, 0.95
HYMOD, HBV = ph.Hymod(snow=False), ph.HBV(snow=True)
# Record, structure, last day of calibration, first day of validation (with its warm-up).
CASES = {
    "leaf": ("leaf_river", HYMOD, "1956-09-30", "1955-10-01", "1960-09-30"),
    "fulda": ("fulda", HBV, "1983-12-31", "1983-01-01", "1988-12-31"),
    "lochsa": ("basins/lochsa_river_id.csv", HBV, "1975-09-30", "1974-10-01", "1979-09-30"),
    "ubaye": ("basins/ubaye_fr.csv", HBV, "2003-12-31", "2003-01-01", "2007-12-31"),
    "sitter": ("camels_ch/2112", HBV, "2004-12-31", "2004-01-01", "2008-12-31"),
    "french_broad": ("mopex/03443000.dly", HYMOD, "1965-09-30", "1964-10-01", "1969-09-30"),
    # The Iowa River, and the Blanco River of Texas, which falls dry.
    "iowa": ("mopex_294/05454500", HBV, "1985-09-30", "1984-10-01", "1989-09-30"),
    "blanco": ("mopex_294/08171300", HYMOD, "1985-09-30", "1984-10-01", "1989-09-30"),
}
BOX_COX = {"transform": "box_cox", "scale": "constant"}
JOINT = {
    "SST, constant memory": {"likelihood": "skew_student", "memory": "constant"},
    "SST, clock": {"likelihood": "skew_student", "memory": "flow"},
}
STAGES = {
    "two stages, SST": {"likelihood": "skew_student"},
    "two stages, Laplace, Box-Cox": {"likelihood": "laplace"} | BOX_COX,
}


def record(case, data):
    """Return the structure, and the records of calibration and validation."""
    name, model, end, start, last = CASES[case]
    if "/" not in name:
        basin = ph.load_basin(name)
    elif name.startswith("basins/"):
        basin = ph.read_csv(data / name)
    elif name.startswith("camels_ch/"):
        basin = ph.read_camels_ch(data / "camels_ch", name.partition("/")[2])
    elif name.startswith("mopex/"):
        basin = ph.read_mopex(data / name)
    else:
        with xr.open_dataset(data / "mopex_294" / "mopex_1980_2000.nc") as all_basins:
            names = ["precipitation", "potential_evaporation", "temperature", "discharge"]
            basin = (
                all_basins[names].sel(basin=name.partition("/")[2]).load().reset_coords(drop=True)
            )
    first = basin.sel(time=slice(pd.Timestamp(end) - pd.Timedelta("1826D"), end))
    return model, first, basin.sel(time=slice(start, last))


def joint(model, first, options):
    """Return a model and draws of its approximate posterior."""
    with ph.build_model(model, first, warmup=WARMUP, **options) as pymc_model:
        approximation = ph.fit_laplace(random_seed=1, starts=3)
        return pymc_model, approximation.sample(DRAWS, random_seed=1)


def log_score(observed, draws):
    """Return the log density of each observation under draws: kernels on sinh-scaled flow."""
    half = 0.01  # mm/d, below which flow counts as linear
    z = np.arcsinh(draws / half)
    x = np.arcsinh(observed / half)
    middle = np.quantile(z, [0.25, 0.75], axis=0)
    spread = np.minimum(z.std(axis=0), (middle[1] - middle[0]) / 1.34 + 1e-3)
    width = 0.9 * spread * z.shape[0] ** -0.2
    kernel = np.exp(-0.5 * ((x - z) / width) ** 2).mean(axis=0) / (width * np.sqrt(2 * np.pi))
    return np.log(kernel + 1e-6) - np.log(np.hypot(observed, half))


def scores(observed, predicted):
    """Return the scores of draws of flow in a period."""
    flow = predicted["discharge"]
    both = np.isfinite(observed.sel(time=flow["time"]).values)
    flow = flow.isel(time=both)
    seen = observed.sel(time=flow["time"])
    draws = flow.values.reshape(-1, flow.sizes["time"])
    upper = np.quantile(draws, (1 + PROB) / 2, axis=0)
    before = np.concatenate([seen.values[:1], seen.values[:-1]])
    rising, would_rise = seen.values > before, draws > before
    return {
        "log": float(log_score(seen.values, draws).mean()),
        "crps": float(ph.verification.crps(seen, flow).mean()),
        "cover": float(ph.verification.coverage(seen, flow, PROB)),
        "above": float((seen.values > upper)[rising].mean()),
        "right": float((would_rise & (draws > upper)).sum() / would_rise.sum()),
    }


def assess(label, fitted, pymc_model, second, seconds):
    """Print one row: one step ahead, free-running, simulated flow."""
    ph.set_basin(second, pymc_model)
    options = {"model": pymc_model, "draws": DRAWS, "random_seed": 1}
    ahead = ph.predict(fitted, free_running=False, **options)
    free = ph.predict(fitted, **options)
    seen = second["discharge"]
    one, long = scores(seen, ahead), scores(seen, free)
    mean = free["discharge"].mean(("chain", "draw"))
    q = free["simulated"].mean(("chain", "draw"))
    there = np.isfinite(seen.sel(time=q["time"]).values)
    seen, q, mean = (v.sel(time=q["time"]).values[there] for v in (seen, q, mean))
    nse = 1 - ((q - seen) ** 2).sum() / ((seen - seen.mean()) ** 2).sum()
    columns = [(one, n) for n in ("log", "crps", "cover", "above", "right")]
    columns += [(long, n) for n in ("log", "crps", "cover")]
    cells = [f"{of[name]:.3f}" for of, name in columns]
    bias = [100 * (x.mean() / seen.mean() - 1) for x in (q, mean)]
    print(
        f"| {label} | " + " | ".join(cells) + f" | {nse:.3f} | {bias[0]:+.1f} | {bias[1]:+.1f} | "
        f"{seconds:.0f} |",
        flush=True,
    )


def run(case, data):
    """Print the rows of a basin."""
    model, first, second = record(case, data)
    censored = {"censored": True} if (first["discharge"] <= 0).any() else {}
    print(f"| **{case}**, {type(model).__name__}, {'censored' if censored else ''} |", flush=True)
    for label, options in JOINT.items():
        begin = time.perf_counter()
        with_zero = options | censored
        likelihood = with_zero.pop("likelihood")
        place = _with(likelihood, with_zero)
        fitted = joint(model, first, {"likelihood": place})
        assess(label, fitted[1], fitted[0], second, time.perf_counter() - begin)
    begin = time.perf_counter()
    pymc_model, stage = joint(model, first, {"likelihood": _with("normal", BOX_COX | censored)})
    assess("Gaussian, Box-Cox, no memory", stage, pymc_model, second, time.perf_counter() - begin)
    ph.set_basin(first, pymc_model)
    for label, options in STAGES.items():
        begin = time.perf_counter()
        options = options | censored | {"random_seed": 1}
        errors = ph.fit_errors(stage, pymc_model, draws=150, **options)
        print("   ", {k: round(float(v), 4) for k, v in errors.center.items()})
        assess(label, errors, errors.model, second, time.perf_counter() - begin)


def _with(likelihood, options):
    return partial(ph.likelihoods.find_likelihood(likelihood), **options)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with basins, mopex_294, camels_ch")
    parser.add_argument("--cases", nargs="+", default=["leaf", "fulda"], choices=list(CASES))
    chosen = parser.parse_args()
    print(
        "| errors | log score | CRPS | covered | rising above | if right | free: log | CRPS |",
        end="",
    )
    print(" covered | NSE | bias of q, % | of draws, % | s |")
    for case in chosen.cases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(case, chosen.data)


if __name__ == "__main__":
    main()
