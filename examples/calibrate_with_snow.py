"""Calibrate HYMOD with its snow store on the Fulda, and look at the uncertainty of the optimum."""

import matplotlib.pyplot as plt
import numpy as np

import pymc_hydro as ph
from pymc_hydro.plots import plot_hydrograph

if __name__ == "__main__":
    model = ph.Hymod()
    basin = ph.load_basin("fulda")
    first, second = basin.sel(time=slice(None, "1984")), basin.sel(time=slice("1984", None))

    fit = ph.calibrate(model, first, loss="nse", starts=4, random_seed=1)
    print(fit)
    standard_errors = np.sqrt(np.diag(fit.covariance))
    for name, error in zip(model.parameter_names, standard_errors, strict=True):
        at_bound = " (at its bound)" if fit.theta[name].attrs["at_bound"] else ""
        print(f"{name:8s} standard error {error:.3g}{at_bound}")

    run = ph.simulate(model, fit.theta, second, outputs=("discharge", "swe"))
    later = slice("1985", None)
    scored = run["discharge"].sel(time=later), second["discharge"].sel(time=later)
    print(f"validation NSE {ph.losses.nse(scored[1].values, scored[0].values):.3f}")
    print(f"largest snow pack {float(run['swe'].max()):.0f} mm")

    figure, axes = plt.subplots(2, 1, figsize=(9, 5), sharex=True, layout="constrained")
    year = run.sel(time=slice("1986-10", "1987-09"))
    plot_hydrograph(year, basin=second, ax=axes[0])
    axes[1].plot(year["time"], year["swe"])
    axes[1].set_ylabel("snow (mm)")
    figure.savefig("calibrate_with_snow.png", dpi=100)
