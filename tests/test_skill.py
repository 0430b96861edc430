"""Scores of events, skill and tables against SciPy, closed forms and plain loops."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import integrate, stats

from pymc_hydro import verification

SD, N = 1.5, 300


@pytest.fixture(scope="module")
def normal():
    """Observations and draws of the same normal distributions, all above zero."""
    rng = np.random.default_rng(3)
    time = pd.date_range("2001-01-01", periods=N)
    mean = rng.uniform(8, 16, N)
    observed = xr.DataArray(mean + SD * rng.normal(size=N), {"time": time}, ("time",))
    draws = mean + SD * rng.normal(size=(2, 400, N))
    return observed, xr.DataArray(draws, {"time": time}, ("chain", "draw", "time")), mean


def test_log_score(normal):
    observed, draws, mean = normal
    found = verification.log_score(observed, draws)
    sample = draws.values[:, :, 7].ravel()
    quartiles = np.subtract(*np.quantile(sample, [0.75, 0.25]))
    width = 0.9 * min(sample.std(ddof=1), quartiles / 1.34) * sample.size**-0.2
    kernels = stats.norm.pdf(float(observed[7]), sample, width)
    assert float(found[7]) == pytest.approx(np.log(kernels.mean()), rel=1e-10)
    exact = stats.norm.logpdf(observed, mean, SD).mean()
    assert float(found.mean()) == pytest.approx(exact, abs=0.03)
    pointwise = xr.DataArray(stats.norm.logpdf(draws), draws.coords, draws.dims)
    density = verification.log_predictive_density(pointwise)
    each = stats.norm.pdf(draws.values[:, :, 7]).mean()
    assert float(density[7]) == pytest.approx(np.log(each), rel=1e-10)
    assert density.dims == ("time",)
    dry = verification.log_score(observed * 0, draws * 0)
    assert np.isnan(dry).all()


def test_reliability_index(normal):
    observed, draws, _ = normal
    assert verification.reliability_index(observed, draws) > 0.93
    assert verification.reliability_index(observed + 100, draws) == pytest.approx(0, abs=0.01)
    p = np.sort(verification.pit(observed, draws).values)
    away = [abs(v - (i + 1) / (N + 1)) for i, v in enumerate(p)]
    assert verification.reliability_index(observed, draws) == pytest.approx(1 - 2 * sum(away) / N)
    found = verification.coverage(observed, draws, [0.5, 0.9])
    assert found["prob"].values.tolist() == [0.5, 0.9]
    assert float(found[1]) == verification.coverage(observed, draws, 0.9)


def test_events(normal):
    observed, draws, _ = normal
    flat = draws.values.reshape(-1, N)
    share, event = (flat > 13).mean(axis=0), observed.values > 13
    brier = verification.brier(observed, draws, 13)
    np.testing.assert_allclose(brier, (share - event) ** 2)
    found = verification.roc(observed, draws, 13)
    rank = stats.mannwhitneyu(share[event], share[~event]).statistic
    expected = rank / (event.sum() * (~event).sum())
    assert float(found["area"]) == pytest.approx(expected, rel=1e-12)
    assert found["hit_rate"].values[[0, -1]].tolist() == [0, 1]
    at = found.sel(probability=share[event][0])
    alarm = share >= share[event][0]
    assert float(at["hit_rate"]) == alarm[event].mean()
    assert float(at["false_alarm_rate"]) == alarm[~event].mean()
    with pytest.raises(ValueError, match="0 of 300 observations are above 100"):
        verification.roc(observed, draws, 100)


def test_flow_at_a_threshold_is_not_above_it():
    """As in a river that falls dry."""
    time = {"time": np.arange(4)}
    observed = xr.DataArray([0.0, 0.0, 1.0, 2.0], time, "time")
    draws = xr.DataArray([[0.0, 0, 0, 1], [0, 1, 1, 1]], time, ("draw", "time"))
    brier = verification.brier(observed, draws, 0.0)
    np.testing.assert_allclose(brier, [0, 0.25, 0.25, 0])
    found = verification.roc(observed, draws, 0.0)
    assert found["hit_rate"].values.tolist() == [0, 0.5, 1, 1]
    assert found["false_alarm_rate"].values.tolist() == [0, 0, 0.5, 1]


def test_threshold_weighted_crps(normal):
    observed, draws, mean = normal
    found = verification.threshold_weighted_crps(observed, draws, 13)

    def squared(z, m, step):
        return (stats.norm.cdf(z, m, SD) - step) ** 2

    def exact(y, m):
        top = m + 8 * SD
        parts = [(13.0, max(13.0, min(y, top)), 0.0), (max(13.0, min(y, top)), top, 1.0)]
        return sum(integrate.quad(squared, a, max(a, b), (m, step))[0] for a, b, step in parts)

    expected = [exact(y, m) for y, m in zip(observed.values, mean, strict=True)]
    np.testing.assert_allclose(found, expected, atol=4 * SD / 800**0.5)  # of 800 draws
    assert float(found.mean()) == pytest.approx(np.mean(expected), rel=0.02)
    whole = verification.threshold_weighted_crps(observed, draws, -100)
    np.testing.assert_allclose(whole, verification.crps(observed, draws))


def test_references():
    time = pd.date_range("2001-01-01", periods=4 * 365)
    record = xr.DataArray(np.arange(time.size, dtype=float), {"time": time}, ("time",))
    record[[400, 401]] = np.nan
    found = verification.climatology(record, time[[3, 403]], window=2, draws=5)
    others = [
        v
        for v, t in zip(record.values, time, strict=True)
        if min(abs(t.day_of_year - 4), 365.25 - abs(t.day_of_year - 4)) <= 2 and t.year > 2001
    ]
    expected = np.quantile(others, [0.1, 0.3, 0.5, 0.7, 0.9])
    np.testing.assert_allclose(found[:, 0], expected)
    assert not np.isin(np.arange(380, 430), found[:, 1]).any()
    alone = verification.climatology(record[:200], time[:3])
    assert np.isnan(alone).all()
    last = verification.persistence(record, time[[0, 402, 500]], time[[2, 404, 502]])
    np.testing.assert_array_equal(last[0], [np.nan, 399, 499])
    np.testing.assert_array_equal(last["time"], time[[2, 404, 502]])
    assert last.attrs["units"] == found.attrs["units"] == "mm/d"
    last = last.dropna("time")
    score = verification.crps(record.sel(time=last["time"]), last)
    assert score.values.tolist() == [5, 3]
    assert verification.skill(score / 4, score) == pytest.approx(0.75)
    with pytest.raises(ValueError, match="no time in common"):
        verification.skill(score[:1], score[1:])


def test_classes(normal):
    observed, draws, _ = normal
    observed = observed.copy()
    observed[50] = np.nan
    table = verification.table_by_class(observed, draws, 0.9)
    known = observed.dropna("time")
    assert table.loc["all", "n"] == N - 1
    rises = np.diff(observed.values) > 0
    assert table.loc["rising", "n"] == rises.sum()
    assert table.loc["falling", "n"] == (np.diff(observed.values) < 0).sum()
    assert table.loc["rising", "n"] + table.loc["falling", "n"] == N - 3
    thirds = table.loc[["low flow", "middle flow", "high flow"], "n"]
    assert thirds.sum() == N - 1 and thirds.max() - thirds.min() <= 1
    there = known["time"].dt.month.isin([3, 4, 5])
    row = table.loc["March to May"]
    assert row["n"] == int(there.sum()) == 92
    assert row["covered"] == verification.coverage(known[there], draws, 0.9)
    assert row["crps"] == pytest.approx(float(verification.crps(known[there], draws).mean()))
    np.testing.assert_allclose(table["covered"] + table["above"] + table["below"], 1)
    assert table.loc["high flow", "above"] > table.loc["low flow", "above"]
    few = verification.table_by_class(observed[:40], draws, 0.9)
    assert np.isnan(few.loc["June to August", "crps"])
    parts = [slice(0, 120), slice(60, None)]  # of two basins
    both = [xr.concat([a.isel(time=p) for p in parts], "time") for a in (observed, draws)]
    both[1] = both[1].assign_coords(basin=("time", ["a"] * 120 + ["b"] * (N - 60)))
    together = verification.table_by_class(*both, 0.9)
    rises = sum((np.diff(observed.values[p]) > 0).sum() for p in parts)
    assert together.loc["rising", "n"] == rises


def test_leads(rng):
    """Of a random walk the last observation is worth more than the climate, and less each day."""
    time = pd.date_range("2001-01-01", periods=3 * 365)
    walk = 300 + np.cumsum(rng.normal(size=time.size))
    record = xr.DataArray(walk, {"time": time}, ("time",))
    places = np.arange(800, 1000, 4)
    lead = np.arange(1, 4)
    spread = np.cumsum(rng.normal(size=(200, places.size, 3)), axis=-1)
    draws = walk[places - 1][:, None] + spread
    hindcasts = xr.Dataset(
        {"discharge": (("chain", "draw", "origin", "member", "lead"), draws[None, :, :, None])},
        {
            "origin": time[places],
            "lead": lead,
            "time": (("origin", "lead"), time.to_numpy()[places[:, None] + lead - 1]),
        },
    )
    table = verification.table_by_lead(hindcasts, record)
    assert table.index.tolist() == [1, 2, 3] and (table["n"] == places.size).all()
    observed = walk[places[:, None] + lead - 1]
    expected = [
        1 - _crps(record[places + k], draws[..., k])
        / np.abs(observed[:, k] - walk[places - 1]).mean()
        for k in range(3)
    ]  # fmt: skip
    np.testing.assert_allclose(table["skill_persistence"], expected)
    assert (table["skill_persistence"] > 0.1).all() and table["crps"].is_monotonic_increasing
    assert (table["skill_climatology"] > 0.5).all()
    with pytest.raises(ValueError, match="with several origins"):
        verification.table_by_lead(hindcasts.isel(origin=0), record)


def _crps(observed, draws):
    on_time = xr.DataArray(draws, {"time": observed["time"]}, ("draw", "time"))
    return float(verification.crps(observed, on_time).mean())
