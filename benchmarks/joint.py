"""Memory and processor time of the losses and gradients of many basins together.

    python -m benchmarks.joint DATA [--basins 100 1000 5000] [--years 10] [--threads 1]

DATA is a netCDF file of a Dataset on `basin` and `time`; its basins are copied until there are
enough. Hymod with snow, NSE, one evaluation at the default parameters after one of a single basin,
which compiles. Memory is the resident set of the process: with all records, and its peak during
the evaluation. CPU seconds are those of the user, the least of three evaluations. Linux only.
"""

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.calibration.basins.losses import BasinLosses, define_losses

REAL, TIMES = 50, 3
FORCING = ("precipitation", "potential_evaporation", "temperature", "discharge")


def megabytes(field):
    """Return VmRSS (now) or VmHWM (the peak) of this process."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in text.splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def user_seconds():
    """Return the seconds that the processor spent on this process, without those of the kernel."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def copied(losses, n):
    """Return the losses of `n` basins, each with numbers of its own."""
    records = []
    for i in range(n):
        record = losses.records[i % len(losses.records)]
        parts = {k: replace(p, values=p.values.copy()) for k, p in record.scored.items()}
        records.append(replace(record, forcing=record.forcing.copy(), scored=parts))
    names = [str(i) for i in range(n)]
    start = losses.initial_state
    return BasinLosses(names, losses.problem, records, start, losses.common, losses.threads)


def measure(given, n):
    every = xr.open_dataset(given.data)[list(FORCING)].isel(basin=slice(0, REAL))
    days = slice(0, int(365.25 * given.years))
    losses = define_losses(ph.Hymod(), every.isel(time=days).load(), threads=given.threads)
    theta = np.tile(losses.problem.model.default, (n, 1))
    losses.select([0])(theta[:1])
    losses = copied(losses, n)
    held = megabytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    timed = []
    for _ in range(TIMES):
        begin, clock = user_seconds(), time.perf_counter()
        found, gradients = losses(theta)
        timed.append((user_seconds() - begin, time.perf_counter() - clock))
    peak = megabytes("VmHWM") - held
    seconds, clock = np.min(timed, axis=0)
    assert np.isfinite(found).all() and np.isfinite(gradients).all()
    forcing = sum(record.forcing.nbytes for record in losses.records) / 1024**2
    print(f"| {n} | {forcing:.0f} | {held:.0f} | {peak:.0f} | {seconds:.2f} | {clock:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--basins", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    if len(given.basins) == 1:
        measure(given, given.basins[0])
        return
    print(
        "| basins | MB of forcing | MB with all records | MB more at the peak | CPU s | clock s |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    for n in given.basins:  # a process each
        more = ["--years", str(given.years), "--threads", str(given.threads)]
        command = [sys.executable, "-m", "benchmarks.joint", given.data, "--basins", str(n), *more]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
