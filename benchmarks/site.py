"""Basins with a gauge: models calibrated at site, the better one of each basin, and their mean.

    python -m benchmarks.site DATA [--models GR4J HBV gr/GR4J] [--every 1] [--store FOLDER]

DATA is a netCDF file of a Dataset on `basin` and `time` with forcing and discharge. All models have
snow. NSE, no hops: calibrated in 1981-10..1990-09 and scored in 1990-10..2000-09; and, from four
starts, calibrated in the first five of these nine years and scored in the last four, which chooses
the model of each basin "by validation". The choice "by training" is by the score of all nine years.
The "highest score" of the second period is no choice that anybody could have made.

Results are kept in Zarr stores in FOLDER, and a second run goes on from them.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import xarray as xr

import pymc_hydro as ph
from benchmarks.regional import FORCING, SEED, TEST, TRAIN, scores, show, simulated

EARLY, LATE = (TRAIN[0], "1986-09-30"), ("1986-10-01", TRAIN[1])


def find_model(name):
    """Return a model with snow from its name; those of ``ph.gr`` have none by default."""
    return getattr(ph.gr, name[3:])(snow=True) if name.startswith("gr/") else getattr(ph, name)()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--models", nargs="+", default=["GR4J", "HBV"])
    parser.add_argument("--every", type=int, default=1, help="take every so many basins")
    parser.add_argument("--store", type=Path, help="folder of the calibrations")
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    folder = given.store or Path(tempfile.mkdtemp())
    basins = xr.open_dataset(given.data)[list(FORCING)].isel(basin=slice(None, None, given.every))
    basins = basins.load()
    trained, tested, validated, flows = [], [], [], []
    print("| | median NSE | 25 % | 75 % | s of the clock | |\n|---|---|---|---|---|---|")
    for name in given.models:
        model, stem = find_model(name), name.replace("/", "_")
        options = {"hops": 0, "random_seed": SEED, "progressbar": False}
        fits = ph.calibrate(
            model, basins, "nse", period=TRAIN, validation=TEST, **options,
            store=folder / f"{stem}.zarr",
        )  # fmt: skip
        half = ph.calibrate(
            model, basins, "nse", starts=4, period=EARLY, validation=LATE, **options,
            store=folder / f"{stem}_early.zarr",
        )  # fmt: skip
        trained.append(fits["score"].values)
        tested.append(fits["validation_score"].values)
        validated.append(half["validation_score"].values)
        theta = dict(zip(basins["basin"].values, fits["parameters"].values, strict=True))
        flows.append(simulated(model, theta, basins))
        more = f"{np.nanmedian(trained[-1]):.3f} in training"
        show(name, tested[-1], float(fits["seconds"].sum()), more)
    tested = np.array(tested)
    for label, by in (("training", trained), ("validation", validated), ("highest score", tested)):
        chosen = np.argmax(np.nan_to_num(by, nan=-np.inf), axis=0)
        numbers = np.bincount(chosen, minlength=len(given.models)).tolist()
        show(f"by {label}", tested[chosen, np.arange(chosen.size)], 0, f"basins: {numbers}")
    show("mean of the flows", scores(sum(flows) / len(flows), basins), 0)


if __name__ == "__main__":
    main()
