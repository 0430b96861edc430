"""The posterior of HYMOD on Leaf River, and what it predicts for years it has not seen."""

import matplotlib.pyplot as plt
import numpy as np
import pymc as pm
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.plots import plot_hydrograph

WARMUP = 365  # days

if __name__ == "__main__":
    model = ph.Hymod(snow=False)  # rain only: no temperature needed
    basin = ph.load_basin("leaf_river")
    calibration = basin.sel(time=slice(None, "1956-09-30"))
    validation = basin.sel(time=slice("1956-10-01", "1959-09-30"))  # its first year warms up

    with pm.Model() as pymc_model:
        q = ph.discharge(model, ph.priors(model), calibration, warmup=WARMUP)
        ph.likelihoods.Normal("flow", q, observed=calibration["discharge"])
        idata = pm.sample(draws=300, tune=300, chains=2, random_seed=1)

        ph.set_basin(validation)  # another record, of another length
        predicted = pm.sample_posterior_predictive(idata, predictions=True, random_seed=1)

    flow = predicted.predictions["flow"].stack(sample=("chain", "draw"))
    time = flow["flow_time"].values
    draws = xr.Dataset({"discharge": (("draw", "time"), flow.values.T)}, {"time": time})
    ax = plot_hydrograph(draws, basin=basin)
    ax.figure.savefig("first_posterior.png", dpi=120)
    plt.close(ax.figure)

    observed = basin["discharge"].sel(time=time).values
    median = np.median(draws["discharge"], axis=0)
    print(f"validation: NSE {ph.losses.nse(observed, median):.3f}")
