"""Scores against closed forms of the normal distribution and against plain loops."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from pymc_hydro import verification

SIGMA = 2.0
HALF = np.timedelta64(12, "h")


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(1)
    time = np.arange(800) + np.datetime64("2001-01-01", "D")
    time = time.astype("datetime64[ns]")
    mean = rng.normal(0, 3, 800)
    observed = xr.DataArray(mean + SIGMA * rng.normal(size=800), {"time": time}, "time")
    observed[5:20] = np.nan
    values = mean + SIGMA * rng.normal(size=(600, 800))
    draws = xr.DataArray(values, {"time": time}, ("draw", "time")).isel(time=slice(0, 700))
    return observed, draws, mean


def test_calibrated_draws_are_found_to_be_so(series):
    observed, draws, _ = series
    n = 700 - 15
    assert verification.coverage(observed, draws, 0.9) == pytest.approx(0.9, abs=3 * 0.3 / n**0.5)
    width = 2 * stats.norm.ppf(0.95) * SIGMA
    assert verification.sharpness(observed, draws, 0.9) == pytest.approx(width, rel=0.02)
    transform = verification.pit(observed, draws)
    assert transform.sizes == {"time": n}
    assert stats.kstest(transform, "uniform").pvalue > 0.01
    found = verification.reliability(observed, draws)
    np.testing.assert_allclose(found, found["level"], atol=0.06)


def test_narrow_draws_are_found_to_be_so(series):
    observed, draws, mean = series
    narrow = mean[:700] + 0.3 * (draws - mean[:700])
    assert verification.coverage(observed, narrow, 0.9) < 0.6
    assert stats.kstest(verification.pit(observed, narrow), "uniform").pvalue < 1e-6
    better, worse = (float(verification.crps(observed, d).mean()) for d in (draws, narrow))
    assert better < worse
    better, worse = (
        float(verification.interval_score(observed, d, 0.9).mean()) for d in (draws, narrow)
    )
    assert better < worse


def test_crps_against_its_definition_and_the_normal(series):
    observed, draws, mean = series
    found = verification.crps(observed, draws)
    assert found.attrs["units"] == "mm/d"
    y, x = float(observed[0]), draws.values[:, 0]
    pairs = np.abs(x[:, None] - x).sum() / (x.size * (x.size - 1))
    assert float(found[0]) == pytest.approx(np.abs(x - y).mean() - pairs / 2)
    z = ((observed - mean) / SIGMA).dropna("time").sel(time=found["time"])
    exact = SIGMA * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert float(found.mean()) == pytest.approx(float(exact.mean()), rel=0.01)


def test_interval_score_by_hand():
    time = {"time": [0, 1, 2]}
    draws = xr.DataArray(np.linspace(0, 10, 101)[:, None] * np.ones(3), time, ("draw", "time"))
    observed = xr.DataArray([5.0, 0.0, 12.0], time, "time")
    found = verification.interval_score(observed, draws, 0.8)
    np.testing.assert_allclose(found, [8, 8 + 10 * 1, 8 + 10 * 3])


def test_transform_of_zero_flow_is_spread_over_the_ties():
    n = 2000
    time = {"time": np.arange(n)}
    rng = np.random.default_rng(2)
    draws = xr.DataArray(rng.normal(size=(99, n)).clip(0), time, ("draw", "time"))
    observed = xr.DataArray(rng.normal(size=n).clip(0), time, "time")
    assert stats.kstest(verification.pit(observed, draws), "uniform").pvalue > 0.01


def test_several_basins_have_the_same_dates(series):
    """Predictions of several basins stand one after another on one axis."""
    observed, draws, _ = series
    first, second = observed[:300], observed[350:650]
    times = {"time": np.tile(observed["time"].values[:300], 2)}
    both = xr.DataArray(np.concatenate([first, second]), times, "time")
    cut = np.concatenate([draws[:, :300], draws[:, 350:650]], axis=1)
    found = verification.crps(both, xr.DataArray(cut, times, ("draw", "time")))
    expected = [verification.crps(x, draws).values for x in (first, second)]
    np.testing.assert_array_equal(found, np.concatenate(expected))
    with pytest.raises(ValueError, match="times repeat"):
        verification.crps(both, draws)
    names = {"basin": ("time", np.repeat(["a", "b"], 300))}
    apart = xr.DataArray(cut, {"time": observed["time"].values[:600]}, ("draw", "time"))
    with pytest.raises(ValueError, match="draws are of several basins"):
        verification.crps(observed[:300], apart.assign_coords(names))


def test_errors(series):
    observed, draws, _ = series
    for arguments, message in (
        ((observed.values, draws), "observed must be a DataArray"),
        ((observed, draws.isel(draw=0)), r"draws must be a DataArray on \['draw', 'time'\]"),
        ((observed[5:20], draws), "all observations are missing"),
        ((observed, draws.where(draws < 3)), "not finite"),
        ((observed.where(observed < 3, np.inf), draws), "infinite"),
        ((observed.where(observed < 3, -999.0), draws), "usual code of missing"),
        ((np.abs(observed).where(observed < 3, -1), np.abs(draws)), "negative in"),
        ((np.abs(observed).assign_attrs(units="m3/s"), np.abs(draws)), "expected 'mm/d'"),
        ((observed.assign_coords(time=observed.time + HALF), draws), "0 days 12:00:00 after"),
        (
            (observed.resample(time="1h").ffill(), draws),
            "1h apart, the intervals of the draws are 1D",
        ),
        ((observed.assign_coords(time=observed.time - 900 * 2 * HALF), draws), "not overlap"),
        ((observed, draws, 1.5), "prob must lie between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=message):
            verification.coverage(*arguments)
    with pytest.raises(ValueError, match="two draws or more"):
        verification.crps(observed, draws.isel(draw=[0]))


def test_scores_keep_no_label_of_the_series(rng):
    time = np.arange("2001-01-01", "2001-02-10", dtype="datetime64[D]")
    attributes = {"long_name": "discharge at the gauge", "units": "mm/d", "gauge": "x"}
    observed = xr.DataArray(rng.random(time.size), {"time": time}, ("time",), attrs=attributes)
    draws = xr.DataArray(rng.random((2, 5, time.size)), {"time": time}, ("chain", "draw", "time"))
    draws.attrs = attributes
    for score in ("crps", "interval_score", "pit", "reliability"):
        found = getattr(verification, score)(observed, draws)
        assert set(found.attrs) == {"long_name", "units"}
        assert "gauge" not in found.attrs["long_name"]


def test_transforms_are_spread_between_the_ranks():
    """Below all of three draws the transform is uniform from 0 to a quarter."""
    time = {"time": np.arange(400)}
    observed = xr.DataArray(np.zeros(400), time, "time")
    draws = xr.DataArray(np.ones((3, 400)) * [[1], [2], [3]], time, ("draw", "time"))
    for value, first in ((0.5, 0.0), (1.5, 0.25), (9.0, 0.75)):
        found = verification.pit(observed + value, draws).values
        assert first <= found.min() < first + 0.01 and first + 0.24 < found.max() <= first + 0.25
        assert found.mean() == pytest.approx(first + 0.125, abs=0.015)


def test_zeros_that_are_predicted_as_such_lie_inside():
    """An observation at a quantile, or at the end of an interval, counts as below and inside."""
    time = {"time": np.arange(4)}
    draws = xr.DataArray(np.zeros((5, 4)), time, ("draw", "time"))
    draws[:, 3] = np.arange(5.0)
    observed = xr.DataArray([0.0, 0.0, 0.0, 9.0], time, "time")
    assert verification.coverage(observed, draws, 0.5) == 0.75
    assert verification.reliability(observed, draws, [0.2, 0.8]).values.tolist() == [0.75, 0.75]
    observed[3] = 3.0  # the end of the central half of 0 to 4
    assert verification.coverage(observed, draws, 0.5) == 1
