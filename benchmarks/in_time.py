"""Sample a parameter that follows a random walk from month to month.

    python -m benchmarks.in_time --data DATA [--years 20] [--draws 500] [--tune 500] [--chains 2]

x1 of the discrete GR4J, French Broad (03443000 of DATA/mopex_294) from 1980-10-01, errors with
scale s0 + s1 q, NUTS (nutpie where it is installed). The table has effective draws of the
hyper-parameters, and for 1000 gradients, those of tuning included.
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
HYPER = ["level", "walk_sd", "x2", "x3", "flow_s0", "flow_s1"]


def read(data: Path, years: int) -> xr.Dataset:
    """Return the first years of the record."""
    with xr.open_dataset(data / "mopex_294" / "mopex_1980_2000.nc") as basins:
        basin = basins[FORCING].sel(basin="03443000").load().reset_coords(drop=True)
    return basin.sel(time=slice("1980-10-01", f"{1980 + years}-09-30"))


def build(basin: xr.Dataset, centered: bool) -> pm.Model:
    """Return the model."""
    with pm.Model() as model:
        level = pm.LogNormal("level", np.log(350), 1)
        walk = ph.deviations("walk", ph.blocks(basin, "MS"), "walk", sd=0.2, centered=centered)
        theta = {
            "x1": level * pt.exp(walk),
            "x2": pm.Normal("x2", 0, 2),
            "x3": pm.LogNormal("x3", np.log(90), 1),
            "x4": pt.constant(1.7),  # the unit hydrograph stays constant
        }
        q = ph.discharge(ph.gr.GR4J(), theta, basin, WARMUP)
        ph.likelihoods.Normal("flow", q, observed=basin["discharge"])
    return model


def main() -> None:
    """Print one row for each form of the walk."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    for name, default in (("years", 20), ("draws", 500), ("tune", 500), ("chains", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    basin = read(options.data, options.years)
    settings = {"draws": options.draws, "tune": options.tune, "chains": options.chains}
    print("| walk | divergences | R-hat | smallest ESS (of) | steps a draw | ESS / 1000 | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for centered in (False, True):
        with build(basin, centered):
            begun = time.process_time()
            idata = pm.sample(
                **settings, cores=1, random_seed=1, progressbar=False, discard_tuned_samples=False,
                nuts={"max_treedepth": 8},
            )  # fmt: skip
            seconds = time.process_time() - begun
        posterior, stats = idata.posterior, idata.sample_stats
        ess, r_hat = (f(posterior, var_names=HYPER) for f in (az.ess, az.rhat))
        ess, r_hat = (
            {n: float(found[n]) for n in HYPER}
            for found in (getattr(x, "dataset", x) for x in (ess, r_hat))
        )
        steps = float(stats["n_steps"].sum())
        in_tuning = float(idata.warmup_sample_stats["n_steps"].sum())
        worst = min(ess, key=lambda name: ess[name])
        print(
            f"| {'centred' if centered else 'non-centred'} | {int(stats['diverging'].sum())} "
            f"| {max(r_hat.values()):.3f} | {ess[worst]:.0f} ({worst}) "
            f"| {float(stats['n_steps'].mean()):.0f} "
            f"| {1000 * ess[worst] / (steps + in_tuning):.2f} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
