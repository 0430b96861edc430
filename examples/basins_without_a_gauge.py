"""Parameters from attributes: a mapping fitted to gauged basins predicts one without a gauge.

The basins are made up: the rain of twelve different years over ground with more or less clay. More
clay means less room for water in the soil, and a quicker slow reservoir.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import pymc_hydro as ph

WARMUP = 200


def flow_of(model, clay, forcing):
    """Return the flow of a basin, which depends on its clay."""
    theta = {"beta": 0.5, "alpha": 0.5, "K_f": 0.8}
    theta |= {"S_umax": 600 - 900 * clay, "K_s": 0.02 + 0.1 * clay}
    return ph.simulate(model, theta, forcing)["discharge"]


if __name__ == "__main__":
    model, record = ph.Hymod(snow=False), ph.load_basin("leaf_river").drop_vars("discharge")
    rng, names = np.random.default_rng(1), [f"B{i:02d}" for i in range(12)]
    clay = np.tile([0.1, 0.5, 0.3, 0.2], 3)
    attributes = pd.DataFrame({"clay": clay, "slope": rng.uniform(1, 9, 12)}, names)
    basins = {}
    for i, name in enumerate(names):
        forcing = record.isel(time=slice(250 * i, 250 * i + 600))
        flow = flow_of(model, clay[i], forcing)
        basins[name] = forcing.assign(discharge=flow * rng.lognormal(0, 0.1, flow.size))

    fit = ph.regionalize(model, basins, attributes, folds=3, warmup=WARMUP, random_seed=1)
    held_out = fit.table["held_out_score"]
    print(f"NSE at basins that were held out: median {float(held_out.median()):.3f}")

    new = {"new": record.isel(time=slice(3000, 3600))}
    elsewhere = pd.DataFrame({"clay": [0.4], "slope": [3.0]}, ["new"])
    print(fit.parameters(elsewhere).to_pandas().round(4).to_string())
    flow = fit.predict(new, elsewhere, warmup=WARMUP).sel(basin="new")[
        dict(time=slice(WARMUP, None))
    ]
    truth = flow_of(model, 0.4, new["new"])[WARMUP:]
    inside = ((truth >= flow["lower"]) & (truth <= flow["upper"])).mean()
    nse = ph.losses.nse(truth.values, flow["discharge"].values)
    print(f"at the new basin: NSE {nse:.3f}, inside the interval of 90 %: {float(inside):.2f}")

    figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    time = flow["time"]
    ax.fill_between(time, flow["lower"], flow["upper"], alpha=0.4, label="predicted, 90 %")
    ax.plot(time, truth, "k", lw=1, label="true flow of the new basin")
    ax.set_ylabel("discharge (mm/d)")
    ax.legend()
    figure.savefig("basins_without_a_gauge.png", dpi=100)
