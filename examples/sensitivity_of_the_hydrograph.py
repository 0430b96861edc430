"""What each parameter does to the hydrograph, day by day: the Jacobian, from one run."""

import matplotlib.pyplot as plt
import numpy as np

import pymc_hydro as ph
from pymc_hydro.plots import plot_sensitivity

if __name__ == "__main__":
    model = ph.Hymod(snow=False)
    basin = ph.load_basin("leaf_river").sel(time=slice("1952-07-28", "1955-09-30"))
    theta = dict(zip(model.parameter_names, [160, 0.26, 0.85, 0.003, 0.82], strict=True))
    run = ph.simulate(model, theta, basin, sensitivities=True)
    shown = run.sel(time=slice("1954-11-01", "1955-06-30"))

    # The change of flow, in mm/d, for a tenth more of each parameter (to first order), which makes
    # parameters of different units comparable.
    axes = plot_sensitivity(shown, scale=theta, share=0.1)
    axes[0].figure.savefig("sensitivity.png", dpi=120)
    plt.close(axes[0].figure)
    largest = np.abs(0.1 * shown["ddischarge_dparameter"]).max("time")
    for name, value in theta.items():
        effect = float(largest.sel(parameter=name)) * value
        print(f"{name:8s} largest effect of a tenth more {effect:.2g} mm/d")
