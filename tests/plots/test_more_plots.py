"""Every picture is drawn to a file; what it says is read back from its axes."""

import itertools

import arviz as az
import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.plots import (
    plot_hydrograph,
    plot_parameters,
    plot_sensitivity,
    plot_states,
    plot_structure,
    plot_water_balance,
)

matplotlib.use("Agg")
TIME = pd.date_range("2000-06-01", "2003-12-31")


@pytest.fixture(autouse=True)
def close_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture
def basin(rng):
    rain = rng.gamma(0.5, 8, TIME.size)
    flow = np.convolve(rain, np.exp(-np.arange(60) / 8) / 16)[: TIME.size] + 0.01
    columns = {"precipitation": ("time", rain, {"units": "mm/d"}), "discharge": ("time", flow)}
    return xr.Dataset(columns, {"time": TIME})


@pytest.fixture
def run(basin):
    columns = {
        "discharge": 1.1 * basin["discharge"].assign_attrs(units="mm/d"),
        "evaporation": xr.full_like(basin["discharge"], 1.5).assign_attrs(units="mm/d"),
        "S_u": basin["discharge"].cumsum().assign_attrs(units="mm", long_name="soil"),
    }
    jacobian = np.stack([basin["discharge"], -basin["precipitation"]], axis=1)
    columns["ddischarge_dparameter"] = (("time", "parameter"), jacobian)
    return xr.Dataset(columns, {"parameter": ["S_max", "beta"]})


def drawn(figure, tmp_path):
    path = tmp_path / "plot.png"
    figure.savefig(path)
    assert path.stat().st_size > 5000


def with_draws(run, rng):
    factors = xr.DataArray(rng.lognormal(0, 0.2, 50), dims="draw")
    return run[["discharge", "evaporation", "S_u"]] * factors


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("draws", [False, True])
def test_hydrograph_scales_show_all_observations(scale, draws, run, basin, rng, tmp_path):
    data = with_draws(run, rng) if draws else run
    ax = plot_hydrograph(data, basin=basin, scale=scale)
    drawn(ax.figure, tmp_path)
    assert ax.get_yscale() == scale
    low, high = ax.get_ylim()
    assert low <= float(basin["discharge"].min()) and high > float(basin["discharge"].max())
    with pytest.raises(ValueError, match="linear or log"):
        plot_hydrograph(run, scale="sqrt")


@pytest.mark.parametrize("draws", [False, True])
def test_water_balance_of_whole_years(draws, run, basin, rng, tmp_path):
    basin["discharge"][200:300] = np.nan  # more than 5 % of 2001
    data = with_draws(run, rng) if draws else run
    ax = plot_water_balance(data, basin=basin)
    drawn(ax.figure, tmp_path)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2001", "2002", "2003"]
    labels = ax.get_legend_handles_labels()[1]
    assert {"precipitation", "discharge", "evaporation", "discharge, observed"} <= set(labels)
    bars = {
        c.get_label(): [b.get_height() for b in c] for c in ax.containers if hasattr(c, "patches")
    }
    year = basin["precipitation"].sel(time=slice("2001-10-01", "2002-09-30"))
    assert bars["precipitation"][1] == pytest.approx(float(year.sum()))
    observed = next(line for line in ax.lines if line.get_label() == "discharge, observed")
    assert np.isnan(observed.get_ydata()).tolist() == [True, False, False]
    assert "mm" in ax.get_ylabel() and "October" in ax.get_xlabel()


def test_water_balance_of_calendar_years_and_bad_input(run, basin):
    ax = plot_water_balance(run, basin=basin, first_month=1)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2001", "2002", "2003"]
    with pytest.raises(ValueError, match="no whole"):
        plot_water_balance(run.isel(time=slice(0, 300)), basin=basin)
    with pytest.raises(ValueError, match="1 to 12"):
        plot_water_balance(run, basin=basin, first_month=0)


@pytest.mark.parametrize("draws", [False, True])
def test_states(draws, run, rng, tmp_path):
    data = with_draws(run, rng).assign_attrs() if draws else run
    axes = plot_states(data)
    drawn(axes[0].figure, tmp_path)
    assert len(axes) == 3
    if not draws:
        assert axes[2].get_ylabel().endswith("(mm)") and "_{" in axes[2].get_ylabel()
        assert axes[2].get_title(loc="left") == "soil"
        flux, another, content = (ax.lines[0].get_color() for ax in axes)
        assert flux == another != content
    assert len(plot_states(data, variables=["S_u"])) == 1
    with pytest.raises(TypeError, match=r"plot_states: expected the Dataset of .* found DataArray"):
        plot_states(run["discharge"])
    with pytest.raises(KeyError, match="no S_x; the run has discharge"):
        plot_states(data, variables=["S_x"])


def test_round_off_is_drawn_as_nothing(run):
    axes = plot_sensitivity(run, scale={"S_max": 200.0, "beta": 1e-16})
    assert axes[2].texts[0].get_text() == "0 mm/d"
    assert axes[2].get_ylim()[1] > 1e-7 * float(run["discharge"].max())
    axes = plot_states(run.assign(S_u=1e-16 * run["S_u"]))
    assert axes[2].get_ylim() == (0, 1e-6)


def test_sensitivity_is_share_times_scale_times_jacobian(run, basin, tmp_path):
    axes = plot_sensitivity(run, scale={"S_max": 200.0, "beta": 2.0}, share=0.1)
    drawn(axes[0].figure, tmp_path)
    assert len(axes) == 3 and axes[2].get_ylabel() == r"$\beta$"
    largest = 0.1 * 2.0 * float(basin["precipitation"].max())
    assert axes[2].texts[0].get_text() == f"{largest:.2g} mm/d"
    assert axes[2].get_ylim()[0] < -largest
    assert axes[0].get_ylabel() == "discharge (mm/d)"
    with pytest.raises(KeyError, match="no scale for beta"):
        plot_sensitivity(run, scale={"S_max": 1.0})
    with pytest.raises(KeyError, match="sensitivities=True"):
        plot_sensitivity(run.drop_vars("ddischarge_dparameter"), scale={})


@pytest.mark.filterwarnings("ignore")  # of ArviZ and its backends
def test_parameters_through_arviz(rng, tmp_path):
    names = ("S_max", "beta", "K_s", "K_f", "T_tr", "f_dd", "b")  # 49 panels; ArviZ offers 40
    posterior = {name: rng.normal(size=(2, 50)) for name in names}
    posterior["flow"] = rng.normal(size=(2, 50, 3))
    stats = {"diverging": np.zeros((2, 50), bool)}
    if not hasattr(az, "plot_posterior"):  # ArviZ 1
        idata = az.from_dict({"posterior": posterior, "sample_stats": stats})
    else:
        idata = az.from_dict(posterior=posterior, sample_stats=stats)
    import matplotlib.pyplot as plt

    assert plot_parameters(idata, units={"S_max": "mm", "beta": "1"}) is not None
    labels = [ax.get_xlabel() for ax in plt.gcf().axes]
    assert (
        r"$\beta$ (1)" in labels and "b" in labels and any(text.endswith("(mm)") for text in labels)
    )
    assert plt.gcf().get_layout_engine() is not None  # else labels cover the neighbours
    drawn(plt.gcf(), tmp_path)
    with pytest.raises(ValueError, match="at least two"):
        plot_parameters(idata, var_names=["beta"])


@pytest.mark.parametrize("kind", ph.MODELS, ids=lambda m: m.__name__)
def test_structure_names_all_stores_and_fluxes(kind, tmp_path):
    model = kind()
    ax = plot_structure(model)
    drawn(ax.figure, tmp_path)
    texts = " ".join(t.get_text() for t in ax.texts)
    from pymc_hydro.plots.series import math_name

    for name in [s.name for s in model.stores] + [f.flux for f in model.flows]:
        assert math_name(name) in texts, name
    boxes = [p.get_bbox().bounds[:2] for p in ax.patches if hasattr(p, "get_boxstyle")]
    assert len(set(boxes)) == len(model.stores)  # none upon another
    for line in ax.lines[:-1]:  # the last is the river; no other passes through a box
        path = line.get_xydata()
        points = np.concatenate([np.linspace(*ends, 50) for ends in itertools.pairwise(path)])
        for x, y in boxes:
            inside = (points > (x + 0.01, y + 0.01)) & (points < (x + 1.89, y + 0.89))
            assert not inside.all(axis=1).any()


def of_label(artists, label):
    return next(a for a in artists if a.get_label() == label)


@pytest.mark.kernels
def test_numbers_of_the_water_balance(run, basin, rng):
    """The sums of a year: median and interval of draws, evaporation above, what is stored."""
    data = with_draws(run, rng)
    ax = plot_water_balance(data, basin=basin, prob=0.8)
    bars = {c.get_label(): c for c in ax.containers if hasattr(c, "patches")}
    year = slice("2001-10-01", "2002-09-30")
    flow, lost = (data[n].sel(time=year).sum("time").values for n in ("discharge", "evaporation"))
    rain = float(basin["precipitation"].sel(time=year).sum())
    assert bars["discharge"][1].get_height() == pytest.approx(np.median(flow))
    assert bars["evaporation"][1].get_y() == pytest.approx(np.median(flow))
    assert bars["evaporation"][1].get_height() == pytest.approx(np.median(lost))
    (whiskers,) = [c for c in ax.collections if len(c.get_segments()) == 3]
    ends = whiskers.get_segments()[1][:, 1]
    np.testing.assert_allclose(ends, np.quantile(flow, [0.1, 0.9]))
    stored = of_label(ax.lines, "stored (precipitation less both)").get_ydata()[1]
    assert stored == pytest.approx(rain - np.median(flow) - np.median(lost))
    seen = of_label(ax.lines, "discharge, observed").get_ydata()[1]
    assert seen == pytest.approx(float(basin["discharge"].sel(time=year).sum()))


@pytest.mark.kernels
def test_numbers_of_states_and_hydrographs(run, basin, rng):
    basin = basin.isel(time=slice(0, 200))
    data = with_draws(run, rng).isel(time=slice(0, 200))
    ax = plot_hydrograph(data, basin=basin)
    median = np.median(data["discharge"].transpose("draw", "time"), axis=0)
    drawn_line = of_label(ax.lines, "predictive median").get_ydata()
    np.testing.assert_allclose(drawn_line, median)
    np.testing.assert_array_equal(of_label(ax.lines, "observed").get_ydata(), basin["discharge"])
    above = next(a for a in ax.figure.axes if a is not ax)
    heights = [bar.get_height() for bar in above.patches]
    np.testing.assert_allclose(heights, basin["precipitation"])
    low, high = above.get_ylim()
    assert low > high == 0  # rain falls from above
    axes = plot_states(data, variables=["S_u"], prob=0.5)
    values = data["S_u"].transpose("draw", "time").values[:, 100]
    at = matplotlib.dates.date2num(TIME[100])
    corners = axes[0].collections[0].get_paths()[0].vertices
    ends = np.sort(corners[corners[:, 0] == at, 1])
    np.testing.assert_allclose(ends, np.quantile(values, [0.25, 0.75]))
    np.testing.assert_allclose(axes[0].lines[0].get_ydata()[100], np.median(values))
