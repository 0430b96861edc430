"""Hours in place of days: one set of parameters for both, and a flood peak that days do not see."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import pymc_hydro as ph
from pymc_hydro.data import to_hourly

# Shares of a day's rain in its hours: a storm in the afternoon.
STORM = np.r_[np.zeros(14), 0.2, 0.4, 0.3, 0.1, np.zeros(6)]

if __name__ == "__main__":
    days = ph.load_basin("leaf_river").isel(time=slice(0, 800))
    evaporation = to_hourly(days["potential_evaporation"], latitude=31.7).to_series()
    rain = 24 * np.outer(days["precipitation"], STORM).ravel()  # mm/d, as all fluxes
    hours = pd.DataFrame({"precipitation": rain, "potential_evaporation": evaporation})

    model = ph.Hymod(snow=False)
    # Rates are per day for both; K_f is that of a flashy basin.
    theta = {"S_umax": 160, "beta": 0.3, "alpha": 0.85, "K_s": 0.003, "K_f": 6.0}
    figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
    for label, basin in (("hourly", hours), ("daily", days)):
        flow = ph.simulate(model, theta, basin)["discharge"]
        print(
            f"{label:6s} mean {float(flow.mean()):.3f} mm/d, largest {float(flow.max()):.1f} mm/d"
        )
        week = flow.sel(time=slice("1953-05-01", "1953-05-07"))
        ax.step(week["time"], week, where="post", label=label)
    ax.set_ylabel("discharge (mm/d)")
    ax.legend(title="forcing", frameon=False)
    figure.autofmt_xdate()
    figure.savefig("sub_daily.png", dpi=100)
    plt.close(figure)
