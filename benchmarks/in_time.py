"""Sample parameters that change in time, and factors of storms.

    python -m benchmarks.in_time walk DATA [--years 20] [--draws 1000] [--tune 300] [--chains 2]
    python -m benchmarks.in_time recover DATA [--seeds 10] [--draws 200] [--truths walk line]
    python -m benchmarks.in_time storms [--draws 500]

walk: x1 of the discrete GR4J as a random walk from month to month, French Broad (03443000 of
DATA/mopex_294) from 1980-10-01, errors with scale s0 + s1 q. Effective draws of the
hyper-parameters, and for 1000 gradients, those of tuning included.

recover: the same model with five years of its rain, and flow of the model with a known x1: a random
walk, which is another one for each seed of the noise, or a straight line of its logarithm. The
share of months after the warm-up whose x1 is within the central interval of 90 %.

storms: Hymod on Leaf River, four years after one of warm-up, with a factor of each wet spell and
without; forecasts of the four years that follow.
"""

import argparse
import time
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

import pymc_hydro as ph

FORCING = ["precipitation", "potential_evaporation", "discharge"]
WARMUP = 365
TRUE = {"x1": 350.0, "x2": 0.0, "x3": 90.0, "x4": 1.4}
NOISE = 0.02, 0.1  # s0 in mm/d, s1
STEP = 0.1  # standard deviation of a step of the random walk that is drawn
DRIFT = 0.8  # of the line, in all
# Errors whose scale does not follow the simulated flow: the page on uncertain rain says why.
ERRORS = {"scale": "constant", "transform": "sqrt"}


def read(data: Path, years: int) -> xr.Dataset:
    """Return the first years of the French Broad's record."""
    with xr.open_dataset(data / "mopex_294" / "mopex_1980_2000.nc") as basins:
        basin = basins[FORCING].sel(basin="03443000").load().reset_coords(drop=True)
    return basin.sel(time=slice("1980-10-01", f"{1980 + years}-09-30"))


def build(basin: xr.Dataset) -> pm.Model:
    """Return GR4J with a walk of x1."""
    with pm.Model() as model:
        level = pm.LogNormal("level", np.log(350), 1)
        walk = ph.deviations("walk", ph.blocks(basin, "MS"), "walk", sd=0.2)
        theta = {
            "x1": level * pt.exp(walk),
            "x2": pm.Normal("x2", 0, 2),
            "x3": pm.LogNormal("x3", np.log(90), 1),
            "x4": pm.Uniform("x4", 0.5, 5),
        }
        q = ph.discharge(ph.gr.GR4J(), theta, basin, WARMUP)
        ph.likelihoods.Normal("flow", q, observed=basin["discharge"])
    return model


def sample(model: pm.Model, draws: int, tune: int, chains: int, seed: int = 1) -> tuple:
    """Return the result of ph.sample, and a row: what it cost, and how well it mixed."""
    begun = time.process_time()
    approximation = ph.fit_laplace(model, starts=1)
    fitted = time.process_time()
    idata = ph.sample(
        model, draws=draws, tune=tune, chains=chains, cores=1, random_seed=seed,
        approximation=approximation, progressbar=False, discard_tuned_samples=False,
    )  # fmt: skip
    seconds = fitted - begun, time.process_time() - fitted
    posterior, stats = idata.posterior, idata.sample_stats
    hyper = [rv.name for rv in model.free_RVs if rv.ndim == 0]
    ess, r_hat = (
        {n: float(getattr(found, "dataset", found)[n]) for n in hyper}
        for found in (f(posterior, var_names=hyper) for f in (az.ess, az.rhat))
    )
    steps = float(stats["n_steps"].sum())
    in_tuning = float(idata.warmup_sample_stats["n_steps"].sum())
    worst = min(ess, key=lambda name: ess[name])
    row = (
        f"{int(stats['diverging'].sum())} | {max(r_hat.values()):.3f} | {ess[worst]:.0f} ({worst}) "
        f"| {posterior.attrs['r_hat']:.3f}, {posterior.attrs['effective_draws']:.0f} "
        f"| {float(stats['n_steps'].mean()):.1f} | {1000 * ess[worst] / (steps + in_tuning):.1f} "
        f"| {seconds[0]:.0f} + {seconds[1]:.0f} |"
    )
    return idata, row


HEAD = (
    "divergences | R-hat | smallest ESS (of) | R-hat, ESS of all | steps a draw "
    "| ESS / 1000 gradients | CPU s: approximation + chains |"
)


def walk(options: argparse.Namespace) -> None:
    """Print how the walk of twenty years mixes."""
    model = build(read(options.data, options.years))
    idata, row = sample(model, options.draws, options.tune, options.chains)
    print(f"| | {HEAD}\n|---|---|---|---|---|---|---|---|\n| {options.years} years | {row}")
    summary = az.summary(idata.posterior, var_names=["level", "walk_sd", "x2", "x3", "x4"])
    print(summary.to_string())


def synthetic(basin: xr.Dataset, x1: np.ndarray, rng: np.random.Generator) -> xr.Dataset:
    """Return the record with flow of GR4J with a known series of x1, and errors."""
    model = ph.gr.GR4J().vary("x1")
    theta = {name: TRUE[name] for name in model.parameter_names}
    flow = ph.simulate(model, theta, basin.assign(x1=("time", x1)))["discharge"]
    observed = flow + rng.normal(0, NOISE[0] + NOISE[1] * flow)
    return basin.assign(discharge=observed.clip(0).assign_attrs(units="mm/d"))


def recover(options: argparse.Namespace) -> None:
    """Print how many months of a known x1 lie within their intervals."""
    basin = read(options.data, 5)
    month = ph.blocks(basin, "MS").values
    scored = np.unique(month[WARMUP:])
    n = month[-1] + 1
    print(f"| x1 | seed | covered | correlation | {HEAD}")
    for name in options.truths:
        covered = []
        for seed in range(options.seeds):
            rng = np.random.default_rng(seed)
            line = np.linspace(DRIFT / 2, -DRIFT / 2, n)
            log = line if name == "line" else np.cumsum(rng.normal(0, STEP, n))
            x1 = TRUE["x1"] * np.exp(log)
            idata, row = sample(build(synthetic(basin, x1[month], rng)), options.draws, 150, 2)
            found = idata.posterior["level"] * np.exp(idata.posterior["walk"])
            low, high = found.quantile([0.05, 0.95], ["chain", "draw"]).values
            share = ((low <= x1) & (x1 <= high))[scored].mean()
            middle = np.log(found).mean(["chain", "draw"]).values
            correlation = np.corrcoef(middle[scored], log[scored])[0, 1]
            covered.append(share)
            print(f"| {name} | {seed} | {share:.3f} | {correlation:.3f} | {row}", flush=True)
        print(f"{name}: {np.mean(covered):.3f} of {len(covered)} x {scored.size} covered")


def storms(options: argparse.Namespace) -> None:
    """Print posteriors and forecasts with a factor of each storm and without."""
    record = ph.load_basin("leaf_river")
    known = record.sel(time=slice("1952-10-01", "1957-09-30"))
    later = record.sel(time=slice("1956-10-01", "1961-09-30"))
    model = ph.Hymod(snow=False)
    print(f"| rain | {HEAD}\n|---|---|---|---|---|---|---|---|")
    found = []
    for uncertain in (False, True):
        with pm.Model() as pymc_model:
            forcing = {}
            if uncertain:
                error = ph.deviations("error", ph.storms(known, dry_days=2))
                forcing = {"precipitation": lambda rain, error=error: rain * pt.exp(error)}
            q = ph.discharge(model, ph.priors(model), known, WARMUP, forcing=forcing)
            ph.likelihoods.Normal("flow", q, observed=known["discharge"], **ERRORS)
        name = "a factor each storm" if uncertain else "as measured"
        idata, row = sample(pymc_model, options.draws, 300, 2)
        print(f"| {name} | {row}", flush=True)
        if uncertain:
            sd = idata.posterior["error_sd"]
            n_storm = idata.posterior.sizes["error_block"]
            print(f"{n_storm} storms, sd {float(sd.mean()):.3f} +- {float(sd.std()):.3f}")
        for basin, period in ((known, "known"), (later, "later")):
            if period == "later":
                ph.set_basin(later, pymc_model)
            draws = ph.predict(idata, pymc_model, draws=options.predicted, random_seed=1)
            observed = basin["discharge"].isel(time=slice(WARMUP, None))
            scores = [
                float(ph.losses.nse(observed, draws["simulated"].mean(["chain", "draw"]))),
                float(ph.verification.log_score(observed, draws["discharge"]).mean()),
                float(ph.verification.crps(observed, draws["discharge"]).mean()),
                *(float(ph.verification.coverage(observed, draws["discharge"], p)) for p in PROBS),
            ]
            found.append(f"| {name} | {period} | " + " | ".join(f"{s:.3f}" for s in scores) + " |")
    print("| rain | period | NSE of the mean | log score | CRPS | covered by 50 % | 90 % |")
    print("|---|---|---|---|---|---|---|\n" + "\n".join(found))


PROBS = 0.5, 0.9


def main() -> None:
    """Run one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", choices=("walk", "recover", "storms"))
    parser.add_argument("data", type=Path, nargs="?")
    numbers = {"years": 20, "draws": 1000, "tune": 300, "chains": 2, "seeds": 10, "predicted": 400}
    parser.add_argument("--truths", nargs="+", choices=("walk", "line"), default=["walk", "line"])
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    {"walk": walk, "recover": recover, "storms": storms}[options.table](options)


if __name__ == "__main__":
    main()
