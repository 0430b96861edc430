"""High flows or low flows: the trade-off between two losses, scanned by their weights."""

import matplotlib.pyplot as plt
import numpy as np

import pymc_hydro as ph

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the NSE of logarithms, which weighs low flows

if __name__ == "__main__":
    model = ph.Hymod(snow=False)
    basin = ph.load_basin("leaf_river")
    periods = {
        "period": ("1953-08-01", "1956-09-30"),
        "validation": ("1957-10-01", "1960-09-30"),
    }

    def weighted(weight):
        """Return the loss with this weight of low flows."""

        def loss(observed, simulated):
            high = 1 - ph.losses.nse(observed, simulated)
            low = 1 - ph.losses.nse(observed, simulated, transform="log")
            return (1 - weight) * high + weight * low

        return loss

    # Each weight starts from the optimum of the one before: the front is continuous.
    starts, fits = 3, []
    for weight in WEIGHTS:
        fit = ph.calibrate(model, basin, weighted(weight), starts=starts, random_seed=1, **periods)
        starts = model.parameter_vector(fit.theta)
        fits.append(fit)

    figure, ax = plt.subplots(figsize=(5, 4.5), layout="constrained")
    for name, marker in (("scores", "o-"), ("validation_scores", "s--")):
        front = np.array([[getattr(f, name)[k] for k in ("nse", "nse_log")] for f in fits])
        period = "calibration" if name == "scores" else "validation"
        ax.plot(front[:, 0], front[:, 1], marker, label=period)
        for weight, (high, low) in zip(WEIGHTS, front, strict=True):
            print(f"{period:11s} weight {weight:.2f}: NSE {high:.3f}, NSE of logarithms {low:.3f}")
    ax.set_xlabel("NSE")
    ax.set_ylabel("NSE of logarithms")
    ax.legend(frameon=False)
    figure.savefig("two_objectives.png", dpi=120)
    plt.close(figure)
