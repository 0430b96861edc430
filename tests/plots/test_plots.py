import matplotlib
import numpy as np
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.plots import plot_flow_duration, plot_hydrograph

matplotlib.use("Agg")
BASIN = ph.load_basin("leaf_river").isel(time=slice(0, 400))


@pytest.fixture
def draws(rng):
    q = BASIN["discharge"].values * rng.lognormal(0, 0.3, (30, 400))
    return xr.Dataset({"discharge": (("draw", "time"), q, {"units": "mm/d"})}, {"time": BASIN.time})


@pytest.mark.parametrize("plot", [plot_hydrograph, plot_flow_duration])
@pytest.mark.parametrize("with_draws", [True, False])
def test_plots_draw_observed_and_simulated(plot, with_draws, draws, tmp_path):
    import matplotlib.pyplot as plt

    data = draws if with_draws else draws.isel(draw=0)
    ax = plot(data, basin=BASIN)
    labels = ax.get_legend_handles_labels()[1]
    assert "observed" in labels
    assert any("band" in text for text in labels) == with_draws
    assert ax.get_ylabel() == "discharge (mm/d)"
    ax.figure.savefig(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000
    plt.close(ax.figure)


def test_axes_that_are_given_are_used(draws):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert plot_flow_duration(draws, ax=ax) is ax
    assert np.isfinite(ax.get_ylim()).all()
    plt.close(figure)
