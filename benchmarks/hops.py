"""Runs of the model, and successes, of `ph.calibrate` on many basins, by its rounds of hops.

    python -m benchmarks.hops DATA [--models Hymod GR4J HBV] [--seeds 1] [--hops 0 10]

DATA is a netCDF file of a Dataset on `basin` and `time` with forcing and discharge. Forty of its
basins, with snow, NSE of 1981-10 to 1985-09, tolerances of 1e-3. A success ends within 1e-3 NSE of
the best value of that basin in any of the rows.
"""

import argparse
import time
import warnings

import numpy as np
import xarray as xr

import pymc_hydro as ph

FORCING = ("precipitation", "potential_evaporation", "temperature", "discharge")
RECORD, EVERY, BASINS = slice("1980-10-01", "1985-09-30"), 7, 40
CLOSE = 1e-3


def measure(model, basins, hops, seed):
    """Return NSE, runs and seconds of each basin, shape (n_basin, 3)."""
    found = []
    for name in basins["basin"].values:
        begin = time.process_time()
        fit = ph.calibrate(
            model, basins.sel(basin=name, drop=True), "nse", random_seed=seed, warmup=365,
            hops=hops, cores=1, progressbar=False, rtol=1e-3, atol=1e-3,
        )  # fmt: skip
        found.append((-fit.loss, fit.integrations, time.process_time() - begin))
    return np.array(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--models", nargs="+", default=["Hymod", "GR4J", "HBV"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--hops", type=int, nargs="+", default=[0, 10])
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    every = xr.open_dataset(given.data)[list(FORCING)].sel(time=RECORD)
    basins = every.isel(basin=slice(0, EVERY * BASINS, EVERY)).load()
    print("| model | hops | successes | runs a basin, mean | median | runs a success | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for name in given.models:
        model = getattr(ph, name)()
        measure(model, basins.isel(basin=slice(0, 1)), 0, 1)  # compiles
        rows = {
            hops: np.stack([measure(model, basins, hops, s + 1) for s in range(given.seeds)])
            for hops in given.hops
        }
        best = np.max([found[:, :, 0].max(axis=0) for found in rows.values()], axis=0)
        for hops, found in rows.items():
            nse, runs, seconds = np.moveaxis(found, -1, 0)
            good = int((nse >= best - CLOSE).sum())
            print(
                f"| {name} | {hops} | {good} of {nse.size} | {runs.mean():.0f} | "
                f"{np.median(runs):.0f} | {runs.sum() / max(good, 1):.0f} | {seconds.mean():.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
