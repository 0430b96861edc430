"""What each parameter does to the hydrograph, day by day: the Jacobian, from one run."""

import matplotlib.pyplot as plt
import numpy as np

import pymc_hydro as ph

if __name__ == "__main__":
    model = ph.Hymod(snow=False)
    basin = ph.load_basin("leaf_river").sel(time=slice("1952-07-28", "1955-09-30"))
    theta = dict(zip(model.parameter_names, [160, 0.26, 0.85, 0.003, 0.82], strict=True))
    run = ph.simulate(model, theta, basin, sensitivities=True)
    shown = run.sel(time=slice("1954-11-01", "1955-06-30"))

    # Parameter times derivative: the change of flow, in mm/d, for a parameter doubled (to first
    # order), which makes parameters of different units comparable.
    scaled = shown["ddischarge_dparameter"] * np.array(list(theta.values()))
    figure, axes = plt.subplots(6, 1, sharex=True, figsize=(9, 9), layout="constrained")
    axes[0].plot(shown["time"], shown["discharge"], color="#D55E00")
    axes[0].set_ylabel("discharge\n(mm/d)")
    for ax, name in zip(axes[1:], model.parameter_names, strict=True):
        ax.axhline(0, lw=0.5, color="0.6")
        ax.plot(shown["time"], scaled.sel(parameter=name), color="#0072B2")
        ax.set_ylabel(f"{name}\n(mm/d)")
    figure.savefig("sensitivity.png", dpi=120)
    plt.close(figure)
    largest = np.abs(scaled).max("time")
    for name, value in zip(model.parameter_names, largest.values, strict=True):
        print(f"{name:8s} largest effect {value:.2f} mm/d")
