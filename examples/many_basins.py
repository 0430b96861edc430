"""Three records in one PyMC model, with slow reservoirs that may differ.

The records stand for basins: each has a rate of the slow reservoir of its own, drawn from a common
distribution; all else is shared. They have different lengths.
"""

import matplotlib.pyplot as plt
import pymc as pm

import pymc_hydro as ph

PERIODS = {
    "early": slice(None, "1954-09-30"),
    "middle": slice("1956-10-01", "1958-09-30"),
    "late": slice("1960-04-01", None),
}

if __name__ == "__main__":
    model = ph.Hymod(snow=False)
    record = ph.load_basin("leaf_river")
    basins = {name: record.sel(time=period) for name, period in PERIODS.items()}
    observed = {name: basin["discharge"] for name, basin in basins.items()}

    with pm.Model(coords={"basin": list(basins)}):
        center = pm.Normal("center", -3, 1)
        K_s = pm.LogNormal("K_s", center, 0.5, dims="basin")
        theta = ph.priors(model, K_s=K_s)
        q = ph.discharge(model, theta, basins, warmup=365)  # one integration of all of them
        ph.likelihoods.Normal("flow", q, observed=observed)
        idata = pm.sample(draws=60, tune=60, chains=2, random_seed=1)

    posterior = idata.posterior.mean(("chain", "draw"))
    vectors = {p: posterior[p] for p in model.parameter_names}  # scalars, and one on "basin"
    flow = ph.simulate(model, vectors, basins)["discharge"]
    for name, basin in basins.items():
        q = flow.sel(basin=name, time=basin["time"])[365:]
        nse = ph.losses.nse(basin["discharge"][365:], q)
        rate = float(vectors["K_s"].sel(basin=name))
        print(f"{name}: {basin.sizes['time']} days, K_s {rate:.4f} 1/d, NSE {nse:.3f}")

    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for name in basins:
        draws = idata.posterior["K_s"].sel(basin=name).values.ravel()
        ax.hist(draws, bins=20, alpha=0.6, label=name)
    ax.set_xlabel("rate of the slow reservoir, K_s (1/d)")
    ax.set_ylabel("draws")
    ax.legend()
    figure.savefig("many_basins.png", dpi=100)
