import matplotlib
import numpy as np
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.plots import plot_calibration, plot_flow_duration, plot_hydrograph

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


@pytest.mark.parametrize("split", [True, False])
def test_calibration_is_drawn_with_its_history(split, tmp_path):
    import matplotlib.pyplot as plt

    basin = ph.load_basin("leaf_river").isel(time=slice(0, 700))
    periods = {"period": ("1952-11", "1953-05"), "validation": ("1953-08", "1954-05")}
    fit = ph.calibrate(
        ph.Hymod(snow=False), basin, starts=2, seed=1, warmup=60, **(periods if split else {})
    )
    axes = plot_calibration(fit, basin=basin)
    assert len(axes) == (3 if split else 2)
    history, first = axes[:2]
    assert len(history.lines) == 2 + fit.history.sizes["hop"] + 1
    assert "start" in history.get_legend_handles_labels()[1]
    drawn = history.lines[0].get_ydata()
    assert (np.diff(drawn) <= 0).all() and (drawn > 0).all()
    assert f"NSE {fit.scores['nse']:.3f}" in first.get_title(loc="left")
    axes[0].figure.savefig(tmp_path / "fit.png")
    plt.close(axes[0].figure)
