"""CPU seconds of signatures and scores of a hundred years of hourly flow with gaps."""

from time import process_time

import numpy as np
import pandas as pd
import xarray as xr

import pymc_hydro as ph

HOURS = 876_600


def record():
    """Return observed flow with gaps, and a simulation that is late by an hour."""
    rng = np.random.default_rng(0)
    flow = np.convolve(rng.gamma(0.02, 5, HOURS), np.exp(-np.arange(200) / 40), "same") + 0.1
    time = pd.date_range("1920-01-01", periods=HOURS, freq="h")
    late = xr.DataArray(np.roll(flow, 1), {"time": time}, "time", attrs={"units": "mm/d"})
    observed = late.copy(data=np.where(rng.random(HOURS) < 0.01, np.nan, flow))
    return observed, late


def main():
    observed, late = record()
    for name, work in {
        "signatures": lambda: ph.signatures.compute(observed),
        "observed and simulated": lambda: ph.signatures.compare_signatures(observed, late),
        "peak timing": lambda: ph.signatures.peak_timing_error(observed, late),
        "all scores": lambda: ph.losses.evaluate(observed, late),
    }.items():
        begin = process_time()
        work()
        print(f"{name:24s}{process_time() - begin:6.1f} s")


if __name__ == "__main__":
    main()
