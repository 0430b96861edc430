"""Three structures on one basin with snow: scores in years seen and not seen, and signatures."""

import matplotlib.pyplot as plt
import pandas as pd

import pymc_hydro as ph
from pymc_hydro.plots import plot_flow_duration

if __name__ == "__main__":
    basin = ph.load_basin("fulda")
    periods = {"period": ("1980", "1982"), "validation": ("1984", "1986")}
    scores, signatures = {}, {}
    figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True, layout="constrained")
    for ax, model in zip(axes, (ph.Hymod(), ph.HBV(), ph.GR4J()), strict=True):
        fit = ph.calibrate(model, basin, loss="kge", starts=2, hops=0, random_seed=1, **periods)
        name = type(model).__name__
        scores[name] = {
            "KGE": fit.scores["kge"],
            "KGE, validation": fit.validation_scores["kge"],
            "NSE of logarithms, validation": fit.validation_scores["nse_log"],
        }
        run = ph.simulate(model, fit.theta, basin).sel(time=slice("1984", "1986"))
        table = ph.signatures.compare_signatures(
            basin["discharge"], run["discharge"], basin["precipitation"]
        )
        signatures["observed"], signatures[name] = table["observed"], table["simulated"]
        plot_flow_duration(run, basin=basin, ax=ax)
        ax.set_title(name)
    print(pd.DataFrame(scores).T.round(3))
    print(pd.DataFrame(signatures).round(3))
    figure.savefig("compare_structures.png", dpi=100)
    plt.close(figure)
