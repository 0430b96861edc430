"""Discharge and snow water equivalent in one posterior: what measured snow adds to discharge alone.

The snow is not measured: it is the model's, with an error, on every tenth day (a twin experiment).
"""

import matplotlib.pyplot as plt
import numpy as np
import pymc as pm

import pymc_hydro as ph

if __name__ == "__main__":
    model = ph.Hymod()
    basin = ph.load_basin("fulda").sel(time=slice("1979", "1981"))
    truth = ph.simulate(model, model.default, basin, ("discharge", "swe"))
    rng = np.random.default_rng(1)
    observed = (truth["discharge"] * rng.lognormal(0, 0.1, truth.sizes["time"])).rename("discharge")
    snow = (truth["swe"] + rng.normal(0, 3, truth.sizes["time"])).clip(min=0)
    snow = snow.where(np.arange(snow.size) % 10 == 0)

    snow_parameters = model.parameter_names[-2:]
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
    for label in ("discharge", "discharge and snow"):
        with pm.Model():
            series = ph.outputs(model, ph.priors(model), basin, ("discharge", "swe"))
            ph.likelihoods.Normal("flow", series["discharge"], observed=observed)
            if "snow" in label:
                ph.likelihoods.Normal("snow", series["swe"], observed=snow, scale="constant")
            posterior = pm.sample(draws=120, tune=120, chains=2, random_seed=1).posterior
        for ax, name in zip(axes, snow_parameters, strict=True):
            values = posterior[name].values.ravel()
            ax.hist(values, bins=30, density=True, alpha=0.6, label=label)
            print(f"{label:20s} {name:8s} {values.mean():.3f} +- {values.std():.3f}")
    for ax, name in zip(axes, snow_parameters, strict=True):
        ax.axvline(model.default[model.parameter_names.index(name)], color="k", lw=1)
        ax.set_xlabel(f"{name} ({model.parameters[model.parameter_names.index(name)].unit})")
        ax.set_yticks([])
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig("snow_and_discharge.png", dpi=100)
    plt.close(figure)
