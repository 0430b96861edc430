"""Fit of every model on five basins, through `ph.calibrate` from eight starts.

    python -m benchmarks.fits DATA [--models Hymod HBV ...] [--basins leaf ...]

DATA is a folder with `basins/leaf_river_ms.csv`, `basins/lochsa_river_id.csv`,
`basins/ubaye_fr.csv` (columns date, precip_mm, pet_mm, temp_c, flow_mm) and `mopex/03443000.dly`
(MOPEX), and `camels_fr/X045401001_meta.json` (hypsometric curve of the Ubaye); the Fulda is in the
package. Prints the NSE of the calibration and of the validation
period; a year before each is warm-up.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

import pymc_hydro as ph
from pymc_hydro.losses import nse

TOLERANCE = 1e-3
STARTS, SEED = 8, 1
# Calibration, validation; NSE of GR4J (with CemaNeige where there is snow) by airGR's calibration.
BASINS = {
    "leaf": ("1949-10/1956-09", "1956-10/1963-09", 0.857, 0.884),
    "lochsa": ("1971-10/1978-09", "1978-10/1985-09", 0.864, 0.794),
    "ubaye": ("2000-01/2009-12", "2010-01/2018-12", 0.889, 0.844),
    "fulda": ("1980-01/1984-12", "1985-01/1988-12", 0.874, 0.827),
    "03443000": ("1961-10/1970-09", "1970-10/1980-09", 0.890, 0.858),
}
SNOW = ("lochsa", "ubaye", "fulda")
CURVES = {"ubaye": "camels_fr/X045401001_meta.json"}  # five elevation bands
FILES = {"leaf": "leaf_river_ms", "lochsa": "lochsa_river_id", "ubaye": "ubaye_fr"}
NAMES = {
    "precip_mm": "precipitation",
    "pet_mm": "potential_evaporation",
    "temp_c": "temperature",
    "flow_mm": "discharge",
}
CONFIGURATIONS = {cls.__name__: cls for cls in ph.MODELS} | {
    "GR4J-B": lambda **options: ph.GR4J(form="B", **options)
}


def read(folder: Path, name: str):
    if name == "fulda":
        return ph.load_basin("fulda")
    if name in FILES:
        path = folder / "basins" / f"{FILES[name]}.csv"
        frame = pd.read_csv(path, parse_dates=["date"], index_col="date").rename(columns=NAMES)
    else:
        columns = ["y", "m", "d", "precipitation", "potential_evaporation", "discharge", "hi", "lo"]
        path = folder / "mopex" / f"{name}.dly"
        frame = pd.read_fwf(path, widths=[4, 2, 2, 10, 10, 10, 10, 10], names=columns)
        frame.index = pd.to_datetime({"year": frame["y"], "month": frame["m"], "day": frame["d"]})
        frame = frame.where(frame > -90)
        frame["temperature"] = (frame["hi"] + frame["lo"]) / 2
    frame.index.name = "time"
    return frame[list(NAMES.values())].to_xarray()


def snow_options(folder: Path, name: str) -> dict:
    """Return the options of a model for a basin: snow, and elevation bands where known."""
    if name not in CURVES:
        return {"snow": name in SNOW}
    meta = json.loads((folder / CURVES[name]).read_text(encoding="utf-8"))
    return {"bands": ph.elevation_bands(meta["hypsometry_m_quantiles_0_to_100"])}


def window(period):
    first, last = (pd.Period(p, "M") for p in period.split("/"))
    return slice(first.start_time - pd.Timedelta(days=365), last.end_time.normalize())


def score(basin, discharge, period):
    """Return the NSE of a period, without its warm-up."""
    span = window(period)
    there = slice(span.start + pd.Timedelta(days=365), span.stop)
    return nse(basin["discharge"].sel(time=there).values, discharge.sel(time=there).values)


def fit(model, basin, periods):
    calibration = basin.sel(time=window(periods[0]))
    result = ph.calibrate(
        model, calibration, starts=STARTS, random_seed=SEED, rtol=TOLERANCE, atol=TOLERANCE
    )
    theta = {k: v.item() for k, v in result.theta.data_vars.items()}
    run = ph.simulate(model, theta, basin)
    return result, score(basin, run["discharge"], periods[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", nargs="+", default=list(CONFIGURATIONS))
    parser.add_argument("--basins", nargs="+", default=list(BASINS))
    chosen = parser.parse_args()
    print("basin     model       calibration  validation   starts' losses (best, median)  seconds")
    for name in chosen.basins:
        basin = read(chosen.data, name)
        *periods, c, v = BASINS[name]
        print(f"{name:9s} {'(GR4J ref)':10s} {c:12.3f} {v:11.3f}")
        for label in chosen.models:
            begin = time.perf_counter()
            model = CONFIGURATIONS[label](**snow_options(chosen.data, name))
            result, validation = fit(model, basin, periods)
            losses = np.sort(result.history["loss"].values)
            print(
                f"{name:9s} {label:10s} {result.scores['nse']:12.3f} {validation:11.3f}   "
                f"{-losses[0]:.3f} {-np.median(losses):.3f} {time.perf_counter() - begin:18.0f}",
                flush=True,
            )
            bounds = [k for k, v in result.theta.data_vars.items() if v.at_bound]
            if bounds:
                print(f"{'':20s} at a bound: {', '.join(bounds)}", flush=True)


if __name__ == "__main__":
    main()
