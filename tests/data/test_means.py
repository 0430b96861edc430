"""Observations that are means over longer intervals: rules, scores, errors."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.data.means import complete_intervals, mean_pairs

DAYS = pd.date_range("2001-01-10", "2001-10-20")


@pytest.fixture
def flow(rng):
    return pd.Series(rng.gamma(2, 1, DAYS.size), DAYS)


def whole(series, offset, origin="start_day"):
    """Return means and counts by pandas, an independent account of intervals."""
    return series.resample(offset, origin=origin).agg(["mean", "count"])


@pytest.mark.parametrize("kind", ["Series", "DataArray"])
def test_scores_of_months_are_scores_of_resampled_flow(flow, rng, kind):
    simulated = flow * rng.uniform(0.5, 1.5, flow.size)
    observed = flow.resample("MS").mean()  # January and October are not complete
    expected = simulated.resample("MS").mean()
    inside = slice("2001-02", "2001-09")
    direct = ph.losses.nse(observed[inside].values, expected[inside].values)
    if kind == "DataArray":
        simulated = xr.DataArray(simulated.values, {"time": DAYS}, ("time",))
    found = ph.losses.evaluate(ph.means(observed, "MS"), simulated)
    np.testing.assert_allclose(found["nse"], direct, rtol=1e-12)
    np.testing.assert_allclose(
        found["rmse"], ph.losses.rmse(observed[inside], expected[inside]), rtol=1e-12
    )
    np.testing.assert_allclose(ph.losses.nse(ph.means(observed, "MS"), simulated), direct)


@pytest.mark.parametrize("offset", ["7D", "10D", "MS", "2MS", "QS", "QS-FEB"])
@pytest.mark.parametrize("shift", [-400, 0, 400])
def test_intervals_are_those_of_pandas(flow, offset, shift):
    table = whole(flow, offset)
    full = table.index.to_series().shift(-1) - table.index.to_series()
    complete = table[table["count"] == full.dt.days]
    rule = pd.tseries.frequencies.to_offset(offset)
    n = shift // (7 if offset == "7D" else 10) if offset[-1] == "D" else int(np.sign(shift)) * 7
    start = complete.index[0] + n * rule  # another interval of the same rule, off the axis
    starts, positions = complete_intervals("x", offset, start, DAYS, "axis")
    assert list(starts) == list(complete.index.values)
    for place, mean in zip(positions, complete["mean"], strict=True):
        np.testing.assert_allclose(flow.values[place[place >= 0]].mean(), mean, rtol=1e-12)


def test_weeks_without_an_observation_are_left_out(flow):
    weeks = flow.resample("7D").mean()
    simulated = flow + 1
    given = weeks.drop(weeks.index[[2, 5]])
    value = ph.losses.rmse(ph.means(given, "7D"), simulated)
    np.testing.assert_allclose(value, 1.0, rtol=1e-12)
    assert np.isnan(ph.means(given, "7D").series.iloc[[2, 5]]).all()


def test_a_missing_simulated_day_stays_in_its_month(flow):
    hole = flow.copy()
    hole["2001-03-15"] = np.nan
    y, q = mean_pairs("x", ph.means(flow.resample("MS").mean(), "MS"), hole)
    assert list(np.flatnonzero(np.isnan(q))) == [1]
    np.testing.assert_allclose(np.delete(y, 1), np.delete(q, 1))


def test_days_of_hours():
    hours = pd.date_range("2001-01-01 06:00", periods=24 * 5, freq="h")
    flow = pd.Series(np.arange(120.0), hours)
    days = flow.resample("24h", offset="6h").mean()
    assert ph.losses.rmse(ph.means(days, "24h"), flow) < 1e-12


@pytest.mark.parametrize("offset", ["W", "W-MON", "ME", "YE", "B", "-7D", "?", None])
def test_offsets_that_are_not_labelled_by_starts(flow, offset):
    with pytest.raises(ValueError, match=r"means:.*offset"):
        ph.means(flow, offset)


def test_labels_that_are_no_starts(flow):
    months = flow.resample("MS").mean()
    with pytest.raises(ValueError, match="2001-01-02 00:00:00 is not the start"):
        ph.means(months.set_axis(months.index + pd.Timedelta("1D")), "MS")
    with pytest.raises(ValueError, match="2001-01-11 00:00:00 is not the start"):
        ph.means(flow, "7D")
    with pytest.raises(ValueError, match="twice"):
        ph.means(pd.concat([months, months]), "MS")
    with pytest.raises(TypeError, match="dates"):
        ph.means(months.values, "MS")
    with pytest.raises(TypeError, match="expected datetime64"):
        ph.means(months.reset_index(drop=True), "MS")


def test_intervals_that_do_not_fit_the_axis(flow):
    hourly = pd.Series(1.0, pd.date_range("2001-01-10", periods=300, freq="h"))
    cases = [
        (ph.means(hourly, "1h"), flow, "shorter intervals"),
        (ph.means(hourly.iloc[5:6], "7D"), flow, "05:00:00 is the start of an interval"),
        (ph.means(flow.iloc[:1], "36h"), flow, "but not of an interval of the simulation"),
        (ph.means(flow.resample("YS").mean(), "YS"), flow, "no interval of 'YS.*' lies wholly"),
        (ph.means(flow.iloc[:1].set_axis(DAYS[:1] - pd.Timedelta("70D")), "7D"), flow, "overlap"),
    ]
    for observed, simulated, message in cases:
        with pytest.raises(ValueError, match=message):
            ph.losses.nse(observed, simulated)
    with pytest.raises(TypeError, match="with dates"):
        ph.losses.nse(ph.means(flow.resample("MS").mean(), "MS"), flow.values)
