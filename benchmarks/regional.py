"""Basins without a gauge: `ph.regionalize` beside donors, regression of calibrations, one vector.

    python -m benchmarks.regional DATA [--model Hymod] [--every 1] [--mappings linear ...]
        [--penalties 1e-3 ...] [--tolerance 1e-4] [--only-mappings]

DATA is a netCDF file of a Dataset on `basin` and `time` with forcing, discharge, and attributes on
`basin`. All are trained in 1981-10..1990-09 and scored by NSE in 1990-10..2000-09 at basins of a
fold that were not trained on (five random folds, but for "at site").

- at site: `ph.calibrate` of the basin itself.
- donors: the mean of the flows that the calibrated parameters of five other basins give, the
  nearest in scaled attributes.
- regression: the logits of calibrated parameters on attributes, by ridge regression whose penalty
  is that of the smallest error at basins of the folds.
- one vector: `ph.regionalize` without attributes.
- the mappings: `ph.regionalize` with its default penalties.

Coverage is that of the intervals of 90 % at basins that were held out, in the second period.
Seconds are of processor time on one thread, of all fits together.
"""

import argparse
import time
import warnings

import numpy as np
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.calibration.space import define_space

TRAIN, TEST = ("1981-10-01", "1990-09-30"), ("1990-10-01", "2000-09-30")
FORCING = ("precipitation", "potential_evaporation", "temperature", "discharge")
FOLDS, DONORS, SEED = 5, 5, 1
RIDGES = 10.0 ** np.arange(-1, 4)


def nothing(x):
    """Features of a mapping without attributes: none."""
    return x[:, :0]


def simulated(model, theta, basins):
    """Return discharge (basin, time) in the second period."""
    own = {n: dict(zip(model.parameter_names, row, strict=True)) for n, row in theta.items()}
    run = ph.simulate(model, own, basins.sel(time=slice("1989-10-01", None)), rtol=1e-4)
    return run["discharge"].sel(time=slice(*TEST))


def scores(flow, basins):
    """Return NSE by basin in the second period."""
    observed = basins["discharge"].sel(time=slice(*TEST))
    found = []
    for name in basins["basin"].values:
        y, q = (a.sel(basin=name).values for a in (observed, flow))
        found.append(ph.losses.nse(y, q))
    return np.array(found)


def show(label, nse, seconds, more=""):
    quarter, half, most = np.nanpercentile(nse, [25, 50, 75])
    text = f"| {label} | {half:.3f} | {quarter:.3f} | {most:.3f} | {seconds:.0f} | {more} |"
    print(text, flush=True)


def calibrated(model, basins, store):
    """Return the calibrations at site, and their seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = ph.calibrate(
            model, basins[list(FORCING)], "nse", period=TRAIN, validation=TEST,
            hops=0, random_seed=SEED, store=store,
        )  # fmt: skip
    return fits


def by_regression(model, fits, x, labels):
    """Return parameters of each basin from a regression on the basins of other folds."""
    space = define_space(model, {}, {}, "unconstrained")
    z = space.coordinates(space.positions(fits["parameters"].values))
    x = np.column_stack([np.ones(len(x)), x])
    found, errors = [], []
    for ridge in RIDGES:
        guess = np.empty_like(z)
        for label in np.unique(labels):
            train, held = labels != label, labels == label
            penalty = ridge * np.eye(x.shape[1])
            penalty[0, 0] = 0.0
            normal = x[train].T @ x[train] + penalty
            guess[held] = x[held] @ np.linalg.solve(normal, x[train].T @ z[train])
        found.append(guess)
        errors.append(((guess - z) ** 2).mean())
    return space.parameters(found[int(np.argmin(errors))])[0]


def by_donors(model, fits, x, labels, basins):
    """Return the mean flow of the nearest basins of other folds."""
    far = np.linalg.norm(x[:, None] - x[None], axis=2)
    far[labels[:, None] == labels[None]] = np.inf
    nearest = np.argsort(far, axis=1)[:, :DONORS]
    names, theta = basins["basin"].values, fits["parameters"].values
    flows = [
        simulated(model, dict(zip(names, theta[nearest[:, k]], strict=True)), basins)
        for k in range(DONORS)
    ]
    return sum(flows) / DONORS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--model", default="Hymod")
    parser.add_argument("--every", type=int, default=1, help="take every so many basins")
    parser.add_argument("--mappings", nargs="*", default=["linear", "mlp", "gp"])
    parser.add_argument("--store", help="Zarr store of the calibrations at site")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of the mappings' runs")
    parser.add_argument("--penalties", type=float, nargs="*", help="of the mappings")
    parser.add_argument("--only-mappings", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    basins = xr.open_dataset(given.data).load().isel(basin=slice(None, None, given.every))
    model = getattr(ph, given.model)()
    attributes = basins[[n for n, v in basins.data_vars.items() if v.dims == ("basin",)]]
    table = attributes.to_dataframe()
    x = ((table - table.mean()) / table.std().replace(0, 1)).to_numpy()
    labels = np.random.default_rng(SEED).permutation(len(x)) % FOLDS
    names = basins["basin"].values
    print(f"{given.model}, {len(names)} basins, {FOLDS} folds\n")
    print("| | median NSE | 25 % | 75 % | CPU s | |\n|---|---|---|---|---|---|")
    numerics = {"rtol": given.tolerance, "atol": given.tolerance}
    own = {"penalty": given.penalties} if given.penalties else {}
    for mapping in given.mappings if given.only_mappings else (nothing, *given.mappings):
        begin = time.process_time()
        fit = ph.regionalize(
            model, basins[list(FORCING)], attributes, "nse", mapping, folds=labels,
            period=TRAIN, validation=TEST, random_seed=SEED, threads=given.threads,
            progressbar=False, **numerics, **({"penalty": 0.0} if mapping is nothing else own),
        )  # fmt: skip
        seconds = time.process_time() - begin
        name = "one vector" if mapping is nothing else f"regionalize, {mapping}"
        held = dict(zip(names, fit.table["held_out_parameters"].values, strict=True))
        flow = simulated(model, held, basins)
        ends = [np.empty(flow.shape) for _ in range(2)]
        for i, series in enumerate(flow.values):
            ends[0][i], ends[1][i] = fit.factors.between(series, 0.9)
        observed = basins["discharge"].sel(time=slice(*TEST)).values
        there = np.isfinite(observed)
        inside = ((observed >= ends[0]) & (observed <= ends[1]))[there].mean()
        used = fit.penalties["evaluations"].sum().item() + fit.settings["evaluations"]
        more = f"penalty {fit.settings['penalty']:g}, {used} evaluations, coverage {inside:.3f}"
        show(name, fit.table["held_out_validation_score"].values, seconds, more)
    if given.only_mappings:
        return
    fits = calibrated(model, basins, given.store)
    seconds = float(fits["seconds"].sum())
    show("at site", fits["validation_score"].values, seconds, "seconds of the clock")
    theta = by_regression(model, fits, x, labels)
    flow = simulated(model, dict(zip(names, theta, strict=True)), basins)
    show("calibrate, then regress", scores(flow, basins), seconds)
    flow = by_donors(model, fits, x, labels, basins)
    show("five nearest donors", scores(flow, basins), seconds)


if __name__ == "__main__":
    main()
