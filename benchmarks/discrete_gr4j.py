"""The continuous GR4J beside the classical discrete one of Perrin et al. (2003), on real basins.

    python -m benchmarks.discrete_gr4j DATA

DATA as in `benchmarks.fits`. For each basin the discrete model is calibrated (NSE, differential
evolution), the continuous form runs with the same x1..x4, with x4 scaled to equal mean delay of
the first branch, and calibrated by itself.
"""

import argparse
from pathlib import Path

import numba
import numpy as np
from scipy.optimize import differential_evolution

import pymc_hydro as ph
from benchmarks.fits import BASINS, fit, read, score, window
from pymc_hydro.losses import nse

NAMES = ("leaf", "03443000")  # without snow
BOUNDS = [(10, 4000), (-10, 10), (5, 1000), (0.5, 8)]
DELAY = 5 / 7  # mean of GR4J's first unit hydrograph, in x4: integral of 1 - t^2.5


@numba.njit
def discrete_gr4j(theta, P, E):
    """Perrin, Michel & Andreassian (2003), equations 2 to 22; P, E and Q in mm per day."""
    x1, x2, x3, x4 = theta
    n1, n2 = int(np.ceil(x4)), int(np.ceil(2 * x4))
    share1, share2 = np.zeros(n1), np.zeros(n2)
    for j in range(n1):
        share1[j] = min((j + 1) / x4, 1.0) ** 2.5 - (j / x4) ** 2.5
    for j in range(n2):
        ends = np.zeros(2)
        for i in range(2):
            t = (j + i) / x4
            ends[i] = 0.5 * t**2.5 if t < 1 else 1 - 0.5 * max(2 - t, 0.0) ** 2.5
        share2[j] = ends[1] - ends[0]
    wait1, wait2 = np.zeros(n1), np.zeros(n2)
    S, R = 0.3 * x1, 0.5 * x3
    Q = np.empty(P.size)
    for k in range(P.size):
        Pn, En = max(P[k] - E[k], 0.0), max(E[k] - P[k], 0.0)
        Ps = Es = 0.0
        if Pn > 0:
            t = np.tanh(min(Pn / x1, 13.0))
            Ps = x1 * (1 - (S / x1) ** 2) * t / (1 + S / x1 * t)
        else:
            t = np.tanh(min(En / x1, 13.0))
            Es = S * (2 - S / x1) * t / (1 + (1 - S / x1) * t)
        S += Ps - Es
        perc = S * (1 - (1 + (4 * S / (9 * x1)) ** 4) ** -0.25)
        S -= perc
        Pr = perc + Pn - Ps
        for j in range(n1 - 1):
            wait1[j] = wait1[j + 1] + 0.9 * Pr * share1[j]
        wait1[n1 - 1] = 0.9 * Pr * share1[n1 - 1]
        for j in range(n2 - 1):
            wait2[j] = wait2[j + 1] + 0.1 * Pr * share2[j]
        wait2[n2 - 1] = 0.1 * Pr * share2[n2 - 1]
        F = x2 * (R / x3) ** 3.5
        R = max(R + wait1[0] + F, 0.0)
        Qr = R * (1 - (1 + (R / x3) ** 4) ** -0.25)
        R -= Qr
        Q[k] = Qr + max(wait2[0] + F, 0.0)
    return Q


def calibrate(basin, period):
    part = basin.sel(time=window(period))
    observed = part["discharge"].values[365:]
    P, E = part["precipitation"].values, part["potential_evaporation"].values
    best = differential_evolution(
        lambda theta: -nse(observed, discrete_gr4j(theta, P, E)[365:]), BOUNDS, seed=1, tol=1e-6
    )
    return best.x


def scores(basin, discharge, periods):
    return "  ".join(f"{score(basin, discharge, period):.3f}" for period in periods)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    chosen = parser.parse_args()
    model = ph.GR4J(snow=False, initial={"S": 0.3, "R": 0.5})
    for name in NAMES:
        basin = read(chosen.data, name)
        periods = BASINS[name][:2]
        x = calibrate(basin, periods[0])
        P, E = basin["precipitation"].values, basin["potential_evaporation"].values
        discrete = basin["discharge"].copy(data=discrete_gr4j(x, P, E))
        print(f"\n{name}: discrete x1..x4 = {', '.join(f'{v:.4g}' for v in x)}")
        print(
            "                                  NSE cal.  val.   | against discrete: RMSE mm/d, NSE"
        )
        print(f"discrete                             {scores(basin, discrete, periods)}")
        runs = {}
        for label, factor in (("continuous, same parameters", 1), ("continuous, x4 scaled", DELAY)):
            theta = [*x[:3], np.clip(x[3] * factor, 0.1, 10), 0.9, 1.0]
            runs[label] = ph.simulate(model, theta, basin)["discharge"]
        own = ph.GR4J(snow=False)
        result, _ = fit(own, basin, periods)
        theta = {k: v.item() for k, v in result.theta.data_vars.items()}
        runs["continuous, calibrated"] = ph.simulate(own, theta, basin)["discharge"]
        print("calibrated:", ", ".join(f"{k} {v:.4g}" for k, v in theta.items()))
        for label, run in runs.items():
            a, b = discrete.values[365:], run.values[365:]
            rmse = np.sqrt(np.mean((a - b) ** 2))
            score = scores(basin, run, periods)
            print(f"{label:34s}   {score}   | {rmse:.3f} {nse(a, b):.3f}", flush=True)


if __name__ == "__main__":
    main()
