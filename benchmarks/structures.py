"""Twenty structures on one basin, weighed by stacking; structures against error models.

    python -m benchmarks.structures [--starts 8] [--picture FILE]
    python -m benchmarks.structures --errors [--picture FILE] [--names Hymod HBV ...]

Leaf River. Each structure is calibrated by itself in the first years (NSE). Its errors of square
roots are normal with a standard deviation that is linear in the square root of discharge; both
coefficients are fitted in the same years. The weights are those of the mixture of predictive
densities that predicts the next years best (Yao et al., 2018, with one parameter vector a
structure); the last years judge.

With `--errors` each structure has four error models in turn, one step ahead. All are fitted to the
errors of square roots in the first years: normal with a constant standard deviation; with one that
is linear in the root of discharge; with memory of the day before as well; and with memory and
Student's t.
"""

import argparse
import time

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm, t

import pymc_hydro as ph
from pymc_hydro.losses import nse
from pymc_hydro.models import as_model, find_model

NAMES = (
    *("Hymod", "Hmodel", "SacSma", "Xinanjiang", "HBV", "GR4J", "CFE"),
    *("gr/GR4J", "gr/GR5J", "gr/GR6J"),
    *("Ihacres", "GR4JDelayed", "Topmodel", "Penman", "Simhyd"),
    *("FlexB", "Vic", "Tank", "HymodRelative", "Smar"),
)
CALIBRATED = ("1953-10-01", "1957-09-30")
WEIGHED = slice("1957-10-01", "1960-09-30")
JUDGED = slice("1960-10-01", "1962-09-30")
CALIBRATED_YEARS = slice(*CALIBRATED)
# Error models: spread linear in the root of discharge, memory, Student's t.
ERRORS = {
    "constant": (False, False, False),
    "linear": (True, False, False),
    "linear, memory": (True, True, False),
    "linear, memory, t": (True, True, True),
}
LEAST = 1e-3  # of the standard deviation, (mm/d)^0.5
STEPS = 20_000  # of the weights' ascent, which never overshoots


def simulated(name, basin, starts):
    """Return the calibrated model's discharge, its number of parameters, and CPU seconds."""
    kind = find_model(name)
    model = kind(snow=False) if as_model(name).options["snow"] else kind()
    ph.simulate(model, model.default, basin, sensitivities=True)  # compiles
    start = time.process_time()
    fit = ph.calibrate(
        model, basin, loss="nse", period=CALIBRATED, starts=starts, hops=1, random_seed=1
    )
    theta = {k: float(v) for k, v in fit.theta.data_vars.items()}
    run = ph.simulate(model, theta, basin)["discharge"]
    return run, len(model.parameters), time.process_time() - start


def log_density(run, observed):
    """Return the log density of the square root of each observation."""
    mean, y = np.sqrt(np.maximum(run, 0)), np.sqrt(observed)

    def spread(ab, mean):
        return LEAST + np.exp(ab[0]) + np.exp(ab[1]) * mean

    def cost(ab):
        part = slice(*CALIBRATED)
        m = mean.sel(time=part).values
        return -norm.logpdf(y.sel(time=part).values, m, spread(ab, m)).mean()

    best = minimize(cost, (-2.0, -2.0), method="Nelder-Mead").x
    return y.copy(data=norm.logpdf(y.values, mean.values, spread(best, mean.values)))


def log_densities(run, observed):
    """Return by error model the log density of each root of discharge, one step ahead."""
    mean, root = np.sqrt(np.maximum(run.values, 0)), np.sqrt(observed.values)
    first = np.flatnonzero(np.isin(observed["time"], observed.sel(time=CALIBRATED_YEARS)["time"]))

    def density(x, linear, memory, heavy):
        spread = LEAST + np.exp(x[0]) + (np.exp(x[1]) * mean if linear else 0)
        error = (root - mean) / spread
        kept = np.tanh(x[2]) if memory else 0.0
        innovation = error - kept * np.append(0.0, error[:-1])
        size = np.sqrt(1 - kept * kept)
        law = t(2 + np.exp(x[3])) if heavy else norm
        return law.logpdf(innovation / size) - np.log(size * spread)

    found = {}
    for name, kind in ERRORS.items():
        best = minimize(
            lambda x, kind=kind: -density(x, *kind)[first].mean(),
            (-2.0, -2.0, 1.0, 1.0),
            method="Nelder-Mead",
            options={"maxiter": 2000, "xatol": 1e-5, "fatol": 1e-8},
        )
        found[name] = observed.copy(data=density(best.x, *kind))
    return found


def against_errors(names, starts, picture):
    """Print the mean log density of each structure with each error model in the last years."""
    basin = ph.load_basin("leaf_river")
    observed, table = basin["discharge"], {}
    for name in names:
        run, size, _ = simulated(name, basin, starts)
        score = nse(observed.sel(time=JUDGED).values, run.sel(time=JUDGED).values)
        found = log_densities(run, observed)
        table[name] = [float(d.sel(time=JUDGED).mean()) for d in found.values()]
        scores = " | ".join(f"{x:.3f}" for x in table[name])
        print(f"| {name} | {size} | {score:.3f} | {scores} |", flush=True)
    if picture:
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
        for name, row in table.items():
            axes.plot(row, list(ERRORS), "o-", label=name)
        axes.invert_yaxis()
        axes.set(xlabel="mean log density, 1960-1962, one step ahead")
        axes.grid(axis="x", color="0.9")
        axes.legend(fontsize=8)
        figure.savefig(picture, dpi=110)


def stack(densities):
    """Return the weights, shape (n,), that maximise the mean log of the mixture of (n_time, n)."""
    p = np.exp(densities - densities.max(axis=1, keepdims=True))
    weights = np.full(p.shape[1], 1 / p.shape[1])
    for _ in range(STEPS):
        weights = weights * (p / (p @ weights)[:, None]).mean(axis=0)
    return weights


def mixture(densities, weights):
    """Return the mean log density of a mixture."""
    top = densities.max(axis=1, keepdims=True)
    return float((top[:, 0] + np.log(np.exp(densities - top) @ weights)).mean())


def draw(path, rows, judged):
    """Draw the scores of all structures, with their weights."""
    import matplotlib.pyplot as plt

    ordered = sorted(rows, key=lambda name: rows[name]["score"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 5.5), sharey=True, layout="constrained")
    left.plot([rows[n]["score"] for n in ordered], ordered, "o", color="C0", label="one structure")
    left.axvline(judged["stacked"], color="C1", label="stacked")
    left.axvline(judged["equal weights"], color="0.6", ls="--", label="equal weights")
    left.set(xlabel="mean log density, 1960-1962")
    left.legend(loc="upper left")
    left.grid(axis="y", color="0.9")
    right.barh(ordered, [rows[n]["weight"] for n in ordered], color="C1")
    right.set(xlabel="weight, from 1957-1960")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=8)
    parser.add_argument("--picture")
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--errors", action="store_true", help="structures against error models")
    chosen = parser.parse_args()
    if chosen.errors:
        against_errors(chosen.names, chosen.starts, chosen.picture)
        return
    basin = ph.load_basin("leaf_river")
    observed, runs, rows, logs = basin["discharge"], {}, {}, {}
    for name in chosen.names:
        runs[name], size, seconds = simulated(name, basin, chosen.starts)
        logs[name] = log_density(runs[name], observed)
        rows[name] = {"parameters": size, "seconds": seconds}
        for label, part in (("calibrated", slice(*CALIBRATED)), ("judged", JUDGED)):
            y = observed.sel(time=part).values
            rows[name][label] = nse(y, runs[name].sel(time=part).values)
        rows[name]["score"] = float(logs[name].sel(time=JUDGED).mean())
        print(name, {k: round(v, 3) for k, v in rows[name].items()}, flush=True)
    weighed, later = (
        np.stack([log.sel(time=part).values for log in logs.values()], axis=1)
        for part in (WEIGHED, JUDGED)
    )
    weights = stack(weighed)
    for name, weight in zip(rows, weights, strict=True):
        rows[name]["weight"] = weight
    best = int(np.argmax(weighed.mean(axis=0)))
    equal = np.full(len(rows), 1 / len(rows))
    judged = {
        "stacked": mixture(later, weights),
        "equal weights": mixture(later, equal),
        f"best of 1957-1960 ({list(rows)[best]})": float(later[:, best].mean()),
    }
    print("\n| structure | p | NSE 1953-1957 | NSE 1960-1962 | log density | weight | CPU s |")
    print("|---" * 7 + "|")
    for name, row in sorted(rows.items(), key=lambda item: -item[1]["score"]):
        scores = f"{row['calibrated']:.3f} | {row['judged']:.3f} | {row['score']:.3f}"
        print(
            f"| {name} | {row['parameters']} | {scores} | {row['weight']:.2f} | "
            f"{row['seconds']:.0f} |"
        )
    y, means = observed.sel(time=JUDGED).values, np.stack(list(runs.values()), axis=1)
    part = observed.copy(data=means @ weights).sel(time=JUDGED).values
    print(f"\n{judged}; NSE of the weighted mean {nse(y, part):.3f}")
    if chosen.picture:
        draw(chosen.picture, rows, judged)


if __name__ == "__main__":
    main()
