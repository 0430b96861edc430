import matplotlib
import numpy as np
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro import verification
from pymc_hydro.plots import (
    plot_attribution,
    plot_calibration,
    plot_flow_duration,
    plot_hydrograph,
    plot_reliability,
    plot_residuals,
    plot_water_balance,
)

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


def test_a_hydrograph_has_several_bands(draws):
    import matplotlib.pyplot as plt

    ax = plot_hydrograph(draws, prob=(0.5, 0.95, 0.8))
    shown = ax.collections
    assert [band.get_label()[:4] for band in shown] == ["95 %", "80 %", "50 %"]
    values = draws["discharge"].values[:, 7]
    day = matplotlib.dates.date2num(BASIN.time.values[7])
    for band, prob in zip(shown, (0.95, 0.8, 0.5), strict=True):
        corners = band.get_paths()[0].vertices
        ends = np.sort(corners[corners[:, 0] == day, 1])
        np.testing.assert_allclose(ends, np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2]))
    assert np.ptp([band.get_facecolor()[0, 0] for band in shown]) > 0.3
    with pytest.raises(ValueError, match="prob must lie between 0 and 1, found 95"):
        plot_hydrograph(draws, prob=95)
    plt.close("all")


@pytest.mark.parametrize("plot", [plot_hydrograph, plot_flow_duration, plot_water_balance])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.assign(discharge=b.discharge.where(b.time > b.time[9], -999.0)), "usual code"),
        (
            lambda b: b.resample(time="1h").ffill(),
            "1h apart, the intervals of the simulation are 1D",
        ),
        (lambda b: b.assign_coords(time=b.time + np.timedelta64(12, "h")), "12:00:00 after"),
        (lambda b: b.assign_coords(time=b.time - np.timedelta64(900, "D")), "not overlap"),
        (
            lambda b: b.assign(discharge=b.discharge.assign_attrs(units="m3/s")),
            "unit 'm3/s', expected 'mm/d'",
        ),
    ],
)
def test_plots_refuse_records_that_do_not_fit(plot, change, message):
    record = ph.load_basin("leaf_river").isel(time=slice(0, 900))
    with pytest.raises(ValueError, match=rf"{plot.__name__}: .*{message}"):
        plot(record[["discharge"]], basin=change(record))
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize(
    "plot",
    [
        plot_hydrograph,
        plot_flow_duration,
        plot_residuals,
        plot_attribution,
        lambda data: plot_water_balance(data, basin=BASIN),
    ],
)
def test_plots_name_the_run_that_they_expect(plot, draws):
    with pytest.raises(TypeError, match=r"plot_\w+: expected the Dataset of ph.*found DataArray"):
        plot(draws["discharge"])
    with pytest.raises((KeyError, ValueError), match=r"plot_\w+: .*expected the Dataset of ph"):
        plot(draws.rename(discharge="flow"))


@pytest.mark.parametrize("plot", [plot_hydrograph, plot_flow_duration, plot_water_balance])
def test_a_basin_is_a_dataset(plot, draws):
    with pytest.raises(TypeError, match=r"basin must be a Dataset of a record, found Series"):
        plot(draws, basin=BASIN["discharge"].to_series())


def test_a_period_without_observations_is_drawn():
    import matplotlib.pyplot as plt

    record = BASIN.assign(discharge=BASIN["discharge"] * np.nan)
    ax = plot_hydrograph(BASIN[["discharge"]], basin=record)
    assert np.isfinite(ax.get_ylim()).all()
    plt.close(ax.figure)
    with pytest.raises(ValueError, match="nothing was observed"):
        plot_flow_duration(BASIN[["discharge"]], basin=record)
    plt.close("all")


def test_axes_that_are_given_are_used(draws):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert plot_flow_duration(draws, ax=ax) is ax
    assert np.isfinite(ax.get_ylim()).all()
    plt.close(figure)


@pytest.mark.kernels
@pytest.mark.parametrize("split", [True, False])
def test_calibration_is_drawn_with_its_history(split, tmp_path):
    import matplotlib.pyplot as plt

    basin = ph.load_basin("leaf_river").isel(time=slice(0, 700))
    periods = {"period": ("1952-11", "1953-05"), "validation": ("1953-08", "1954-05")}
    fit = ph.calibrate(
        ph.Hymod(snow=False),
        basin,
        starts=2,
        random_seed=1,
        warmup=60,
        **(periods if split else {}),
    )
    axes = plot_calibration(fit, basin=basin)
    assert len(axes) == (3 if split else 2)
    history, first = axes[:2]
    assert len(history.lines) == 2 + fit.history.sizes["hop"] + 1
    assert "start" in history.get_legend_handles_labels()[1]
    drawn = history.lines[0].get_ydata()
    assert (np.diff(drawn) <= 0).all() and (drawn > 0).all()
    assert drawn.size == int(fit.history["evaluations"][0])
    assert f"NSE {fit.scores['nse']:.3f}" in first.get_title(loc="left")
    axes[0].figure.savefig(tmp_path / "fit.png")
    plt.close(axes[0].figure)


def test_reliability_diagram(draws):
    import matplotlib.pyplot as plt

    ax = plot_reliability(BASIN["discharge"], draws["discharge"], label="first")
    assert plot_reliability(BASIN["discharge"], draws["discharge"] * 1.2, ax=ax, label="b") is ax
    levels, shares = ax.lines[1].get_data()
    expected = verification.reliability(BASIN["discharge"], draws["discharge"])
    np.testing.assert_allclose(shares, expected)
    assert len(levels) == len(expected) and ax.get_xlim() == (0, 1)
    plt.close(ax.figure)


def test_residual_panel(draws, rng):
    import matplotlib.pyplot as plt

    x = np.zeros(400)
    for t in range(1, 400):
        x[t] = 0.8 * x[t - 1] + 0.6 * rng.normal()
    series = {"innovation": x, "simulated": BASIN["discharge"], "observed": BASIN["discharge"]}
    data = xr.Dataset({k: ("time", np.asarray(v)) for k, v in series.items()}, {"time": BASIN.time})
    data = data.isel(time=np.r_[0:100, 130:400])
    axes = plot_residuals(data, draws=draws["discharge"])
    assert axes.shape == (2, 3)
    r, p = ([bar.get_height() for bar in a.patches[:30]] for a in (axes[0, 2], axes[1, 2]))
    assert r[0] == pytest.approx(0.8, abs=0.1) and r[1] == pytest.approx(0.64, abs=0.15)
    assert p[0] == pytest.approx(r[0]) and abs(p[1]) < 0.2
    assert sum(bar.get_height() for bar in axes[1, 1].patches) / 20 == pytest.approx(1)
    again = data.isel(time=np.r_[0:100, 0:370]).assign_coords(
        basin=("time", ["a"] * 100 + ["b"] * 370)
    )
    x = again["innovation"].values - again["innovation"].values.mean()
    x = np.split(x, [100, 200])  # the second basin has a gap, across which no pair is
    pairs = np.concatenate([part[1:] * part[:-1] for part in x])
    bars = plot_residuals(again)[0, 2].patches
    variance = np.mean(np.concatenate(x) ** 2)
    assert bars[0].get_height() == pytest.approx(pairs.mean() / variance, rel=1e-10)
    plt.close("all")


@pytest.mark.kernels
def test_numbers_of_flow_duration_curves(draws):
    """Flow from the largest on, above the share of time in which it is exceeded."""
    import matplotlib.pyplot as plt

    ax = plot_flow_duration(draws, basin=BASIN, prob=0.8)
    simulated, observed = ax.lines
    exceeded = (np.arange(400) + 0.5) / 4
    curves = -np.sort(-draws["discharge"].values, axis=1)
    np.testing.assert_allclose(observed.get_xdata(), exceeded)
    np.testing.assert_allclose(observed.get_ydata(), -np.sort(-BASIN["discharge"].values))
    np.testing.assert_allclose(simulated.get_ydata(), np.median(curves, axis=0))
    corners = ax.collections[0].get_paths()[0].vertices
    ends = np.sort(corners[np.isclose(corners[:, 0], exceeded[20]), 1])
    np.testing.assert_allclose(ends, np.quantile(curves[:, 20], [0.1, 0.9]))
    plt.close(ax.figure)


@pytest.mark.kernels
def test_numbers_of_the_residual_panel(draws, rng):
    """Quantiles of sorted innovations, the limit of no correlation, and the transform's shares."""
    import matplotlib.pyplot as plt
    from scipy import stats

    x = rng.normal(size=400)
    series = {"innovation": x, "simulated": BASIN["discharge"], "observed": BASIN["discharge"]}
    data = xr.Dataset({k: ("time", np.asarray(v)) for k, v in series.items()}, {"time": BASIN.time})
    axes = plot_residuals(data, draws=draws["discharge"])
    line = axes[1, 0].lines[1]
    np.testing.assert_allclose(line.get_xdata(), stats.norm.ppf((np.arange(400) + 0.5) / 400))
    np.testing.assert_array_equal(line.get_ydata(), np.sort(x))
    for ax in (axes[0, 2], axes[1, 2]):
        band = ax.patches[30]
        np.testing.assert_allclose(band.get_y(), -1.959964 / 20, rtol=1e-6)
        np.testing.assert_allclose(band.get_height(), 2 * 1.959964 / 20, rtol=1e-6)
    shares = np.histogram(
        verification.pit(BASIN["discharge"], draws["discharge"]), 20, (0, 1), density=True
    )[0]
    np.testing.assert_allclose([bar.get_height() for bar in axes[1, 1].patches], shares)
    np.testing.assert_array_equal(axes[0, 1].lines[0].get_xdata(), BASIN["discharge"])
    plt.close("all")
