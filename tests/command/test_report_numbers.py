"""What the report says: its numbers in plain loops, and its verdicts at their limits."""

from types import SimpleNamespace

import arviz as az
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import pymc_hydro as ph
from pymc_hydro.command.report import figures, tables, verdict
from pymc_hydro.command.report.results import Results

pytestmark = pytest.mark.kernels
MODEL, SPLIT, WARMUP = ph.Hymod(snow=False), "1954-06-01", 200
LEAF = ph.load_basin("leaf_river").isel(time=slice(0, 1100))
SCORED = LEAF["discharge"][WARMUP:]
LATE = SCORED["time"].values >= np.datetime64(SPLIT)
FACTORS = np.exp(0.2 * stats.norm.ppf((np.arange(50) + 0.5) / 50)).reshape(2, 25)


def predicted(factor=1.0):
    """Results whose predictive median is the observed flow times a factor."""
    flow = FACTORS[..., None] * SCORED.values * factor
    dims = ("chain", "draw", "time")
    draws = xr.Dataset({"discharge": (dims, flow)}, {"time": SCORED["time"]})
    about = {"settings": {"period": {"warmup": WARMUP, "split": SPLIT}}, "warnings": []}
    return Results(about, LEAF, MODEL, None, None, draws)


def statuses(checks):
    return {check.name: check.status for check in checks}


def test_the_benchmark_is_the_mean_of_31_days_of_the_years_before():
    found = tables.seasonal_mean(predicted())
    known, days = SCORED[~LATE], SCORED["time"].dt.dayofyear.values
    of_day = {d: known.values[days[~LATE] == d].mean() for d in set(days[~LATE])}
    for i in (0, 100, 364, 500, 899):
        near = [(days[i] - 1 + k) % 366 + 1 for k in range(-15, 16)]
        expected = np.mean([of_day[d] for d in near if d in of_day])
        assert found[i] == pytest.approx(expected, rel=1e-12)


def test_scores_of_the_table():
    results = predicted(np.where(LATE, 1.2, 1.0) + 0.1 * np.sin(np.arange(SCORED.size)))
    table = tables.score_table(results)
    assert set(table.index) == {
        f"{run}, {period}"
        for run in ("predictive median", "benchmark: season")
        for period in ("calibration", "validation")
    }
    y, q = SCORED.values[LATE], results.median.values[LATE]
    row = table.loc["predictive median, validation"]
    assert row["NSE"] == pytest.approx(1 - ((y - q) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    assert row["RMSE"] == pytest.approx(np.sqrt(((y - q) ** 2).mean()))
    assert row["bias %"] == pytest.approx(100 * (q.sum() / y.sum() - 1))
    assert row["correlation"] == pytest.approx(np.corrcoef(y, q)[0, 1])
    assert row["KGE"] == ph.losses.kge(y, q) and row["observations"] == LATE.sum()
    assert row["NSE LOG"] == ph.losses.nse(y, q, transform="log")


@pytest.mark.parametrize(
    ("factor", "volume", "later"),
    [
        (0.91, "good", "good"),
        (0.89, "doubtful", "good"),
        (1.24, "doubtful", "good"),
        (1.26, "bad", "good"),
        (np.where(LATE, 1.06, 1.0), "good", "good"),
        (np.where(LATE, 1.08, 1.0), "good", "doubtful"),
        (np.where(LATE, 1.20, 1.0), "doubtful", "doubtful"),
        (np.where(LATE, 1.22, 1.0), "doubtful", "bad"),
    ],
)
def test_limits_of_volume_and_of_later_years(factor, volume, later):
    found = statuses(verdict._of_scores(predicted(factor)))
    assert found["Water volume"] == volume and found["Holds after the calibration"] == later


@pytest.mark.parametrize(
    ("outside", "status"), [(0.07, "good"), (0.16, "doubtful"), (0.24, "doubtful"), (0.26, "bad")]
)
def test_limits_of_coverage(outside, status):
    count = np.cumsum(LATE)
    away = LATE & (np.floor(count * outside) > np.floor((count - 1) * outside))  # spread evenly
    check = verdict._of_coverage(predicted(np.where(away, 5.0, 1.0)))
    assert check.name == "90 % interval" and check.status == status
    covered = 1 - away[LATE].mean()
    assert check.value == f"holds {100 * covered:.0f} %"


def test_limits_of_chains():
    for value, limits, status in (
        (1.01, verdict.R_HAT, "good"),
        (1.0101, verdict.R_HAT, "doubtful"),
        (1.05, verdict.R_HAT, "doubtful"),
        (1.051, verdict.R_HAT, "bad"),
        (400, verdict.EFFECTIVE, "good"),
        (399, verdict.EFFECTIVE, "doubtful"),
        (100, verdict.EFFECTIVE, "doubtful"),
        (99, verdict.EFFECTIVE, "bad"),
        (np.nan, verdict.R_HAT, "doubtful"),
    ):
        assert verdict._judge(value, limits) == status


def test_the_worst_parameter_decides(monkeypatch):
    table = pd.DataFrame({"R-hat": [1.0, 1.2, 1.01], "ESS": [900.0, 450.0, 60.0]}, list("abc"))
    monkeypatch.setattr(verdict, "diagnostics", lambda results: table)
    chains = verdict._of_chains(SimpleNamespace(posterior={"sample_stats": {}}))
    agree, enough = next(chains), next(chains)
    assert (agree.status, agree.value, agree.note) == ("bad", "R-hat 1.200", "of b")
    assert (enough.status, enough.value, enough.note[:5]) == ("bad", "ESS 60", "of c:")


@pytest.mark.filterwarnings("ignore")  # of ArviZ and its backends
@pytest.mark.parametrize(("n", "status"), [(0, "good"), (1, "doubtful"), (3, "bad")])
def test_chains_and_parameters_of_a_posterior(n, status, rng):
    shape = 2, 100
    share = {"alpha": (0.1, 0.9), "beta": (0.05, 0.95)}  # of the range
    posterior = {}
    for p in MODEL.parameters:
        low, high = share.get(p.name, (0.4, 0.5))
        unit = rng.permuted(np.linspace(low, high, 200)).reshape(shape)
        posterior[p.name] = p.lower + (p.upper - p.lower) * unit
    p = MODEL.parameters[0]
    posterior[p.name] = p.upper - 0.008 * (p.upper - p.lower) * np.ones(shape)
    posterior[p.name] += 1e-4 * rng.normal(size=shape)
    diverging = {"diverging": (np.arange(200) < n).reshape(shape)}
    if hasattr(az, "plot_posterior"):
        idata = az.from_dict(posterior=posterior, sample_stats=diverging)
    else:  # ArviZ 1
        idata = az.from_dict({"posterior": posterior, "sample_stats": diverging})
    results = SimpleNamespace(posterior=idata, model=MODEL, fit=None)
    found = statuses(verdict._of_chains(results))
    assert found["Divergent transitions"] == status
    said = verdict._of_parameters(results)
    assert said.status == "doubtful"
    assert said.value == f"{p.name} at a bound; beta not identified"
    table = tables.diagnostics(results)
    draws = posterior["alpha"]
    assert table.loc["alpha", "mean"] == pytest.approx(draws.mean())
    for column, q in (("5 %", 0.05), ("95 %", 0.95)):
        assert table.loc["alpha", column] == pytest.approx(np.quantile(draws, q))


def test_standard_errors_that_are_shown():
    for attrs, error, remark in (
        ({"standard_error": 4.9}, 4.9, ""),
        ({"standard_error": 5.1}, np.nan, "not identified"),
        ({}, np.nan, "not identified"),
        ({"standard_error": 1.0, "at_bound": 1}, np.nan, "at a bound of the search"),
        ({"standard_error": 1.0, "no_effect": 1}, np.nan, "without effect"),
    ):
        found = tables._uncertainty(attrs, 10.0, 20.0, 15.0)
        assert found[0] == pytest.approx(error, nan_ok=True) and found[1] == remark
    # Bounds that span decades: 10 % of the range is nothing for a value in its middle, not for 1.
    assert tables._uncertainty({"standard_error": 10.0}, 0.1, 100.0, 50.0)[1] == ""
    assert tables._uncertainty({"standard_error": 10.0}, 0.1, 100.0, 1.0)[1] == "not identified"


def test_a_sentence_counts_the_checks():
    def check(name, status):
        return verdict.Check(name, status, "")

    good, doubtful, bad = check("A", "good"), check("B", "doubtful"), check("C", "bad")
    assert verdict.sentence([good, good]) == ("good", "All 2 checks are good.")
    status, text = verdict.sentence([good, doubtful])
    assert status == "doubtful" and "1 of 2 checks are good. Look at: b." in text
    status, text = verdict.sentence([good, doubtful, bad])
    assert status == "bad" and "1 of 3 checks are good. Look at: c." in text


def test_signatures_are_of_fifty_draws():
    """Evenly over the chains; of all draws where there are fewer."""
    for n, rows in ((100, np.linspace(0, 199, 50).astype(int)), (20, np.arange(40))):
        values = {p.name: np.arange(2.0 * n).reshape(2, n) for p in MODEL.parameters}
        draws = xr.Dataset({k: (("chain", "draw"), v) for k, v in values.items()})
        results = Results({}, LEAF, MODEL, None, {"posterior": draws}, None)
        expected = np.repeat(rows[:, None], len(values), axis=1)
        np.testing.assert_array_equal(results.thetas, expected)


def test_residuals_under_the_last_intervals(monkeypatch):
    matplotlib.use("Agg")
    drawn, results = [], predicted(1.2)
    monkeypatch.setattr(figures, "picture", lambda axes, text: drawn.append((axes, text)))
    monkeypatch.setattr(figures, "_record", lambda results: None)
    monkeypatch.setattr(figures.plots, "plot_hydrograph", lambda *_, ax=None, **__: ax)
    list(figures.hydrographs(results))
    below, n = drawn[1][0].figure.axes[1], figures.WINDOW
    residual = SCORED.values - results.median.values
    np.testing.assert_allclose(below.lines[1].get_ydata(), residual[-n:])
    assert f"The last {min(n, residual.size)} intervals" in drawn[1][1]
    plt.close("all")
