"""Formulas against series whose signatures follow by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.signatures import SIGNATURES, compare_signatures, compute, peak_timing_error
from pymc_hydro.signatures.measures import Series


def series(values, start="2001-01-01", freq="D"):
    values = np.asarray(values, dtype=float)
    time = pd.date_range(start, periods=values.shape[-1], freq=freq)
    dims = ("draw", "time")[-values.ndim :]
    return xr.DataArray(values, {"time": time}, dims)


def one(name, values, **options):
    return float(compute(series(values, **options))[name])


def test_constant_flow():
    found = compute(series(np.full(400, 2.0)), series(np.full(400, 5.0)))
    assert float(found["mean_flow"]) == 2.0
    assert float(found["runoff_ratio"]) == pytest.approx(0.4)
    assert float(found["baseflow_index"]) == 1.0
    for name in ("fdc_slope", "flashiness", "high_flow_frequency", "low_flow_duration"):
        assert float(found[name]) == 0.0
    assert np.isnan(found["recession_constant"])


def test_days_begin_at_midnight_and_gaps_are_bridged_by_their_length():
    hours = pd.date_range("2001-01-01T06:00", periods=120, freq="h").to_numpy()
    flow = np.arange(120.0)
    flow[40:80] = np.nan  # less than two days
    days = Series(flow, hours).daily
    np.testing.assert_array_equal(days.time, hours[[18, 42, 66, 90]])
    np.testing.assert_allclose(days.flow, [29.5, 53.5, 77.5, 101.5])
    long = Series(flow, hours[0] + 8 * (hours - hours[0]))  # the gap is of 13 days
    assert np.isnan(long.bridged[40:80]).all()


@pytest.mark.parametrize("days", [1.0, 0.25])
def test_recession_of_a_linear_reservoir(days):
    """Flow that falls by exp(-t / 12 d), from five peaks."""
    limb = np.exp(-np.arange(0, 40, days) / 12.0)
    found = one("recession_constant", np.tile(limb, 5), freq=pd.Timedelta(days=days))
    assert found == pytest.approx(12.0, rel=1e-10)


def test_recession_leaves_the_first_day_out_and_short_limbs():
    slow = 10 * np.exp(-np.arange(1, 21) / 30.0)
    quick = 20 * np.exp(-np.arange(4) / 2.0)
    flow = np.concatenate([[20.0], slow, quick[1:], quick])
    assert one("recession_constant", np.append(flow, 30)) > 20
    flow = np.concatenate([[20.0], slow, [12.0, 11.0, 10.5, 30.0]])
    assert one("recession_constant", flow) == pytest.approx(30.0, rel=1e-10)


@pytest.mark.parametrize("days", [1.0, 0.5])
def test_a_limb_of_five_days_counts_and_one_of_four_does_not(days):
    freq = pd.Timedelta(days=days)
    for n, expected in ((5, 10.0), (4, np.nan)):
        falls = np.exp(-np.arange(n + 1) / 10.0)
        flow = np.repeat(np.r_[falls, 2.0, 3.0], round(1 / days))
        assert one("recession_constant", flow, freq=freq) == pytest.approx(expected, nan_ok=True)


def test_intervals_that_are_no_part_of_a_day_have_no_daily_means():
    flow = np.exp(-np.arange(200) / 60.0)
    for hours, parts in ((5, 1), (6, 4), (48, 1)):
        time = pd.date_range("2001-01-01", periods=200, freq=f"{hours}h").to_numpy()
        found = Series(flow, time).daily
        assert found.flow.size == 200 // parts
        assert (found.time == time[::parts]).all()


def test_fdc_slope_of_an_exponential_law():
    """Quantiles of ln q = u are those of u: the slope is 1."""
    u = np.random.default_rng(0).permutation(np.linspace(0, 1, 20001))
    assert one("fdc_slope", np.exp(u)) == pytest.approx(1.0, rel=1e-3)
    assert one("fdc_slope", np.exp(3 * u)) == pytest.approx(3.0, rel=1e-3)
    assert np.isnan(one("fdc_slope", np.where(u > 0.5, u, 0)))


def test_flashiness_by_hand():
    assert one("flashiness", [1, 3, 2, 2]) == pytest.approx((2 + 1 + 0) / (3 + 2 + 2))
    assert one("flashiness", [1, 3, np.nan, 2, 4]) == pytest.approx((2 + 2) / (3 + 4))


def test_high_and_low_flows_by_hand():
    flow = np.ones(1461)  # four years
    flow[[10, 11, 12, 500]] = 9.5  # above nine times the median: 4 days in 2 runs
    flow[[20, 21, 22, 900, 901, 902]] = 0.1
    assert one("high_flow_frequency", flow) == pytest.approx(1.0)
    assert one("high_flow_duration", flow) == pytest.approx(2.0)
    assert one("low_flow_frequency", flow) == pytest.approx(1.5)
    assert one("low_flow_duration", flow) == pytest.approx(3.0)
    six_hours = {"freq": "6h"}
    assert one("high_flow_duration", np.repeat(flow, 4), **six_hours) == pytest.approx(2.0)
    assert one("low_flow_frequency", np.repeat(flow, 4), **six_hours) == pytest.approx(1.5)


@pytest.mark.parametrize("days", [1.0, 0.25])
def test_baseflow_index_against_a_plain_loop(days):
    """Lyne and Hollick's filter as in Ladson et al., one value at a time."""
    rng = np.random.default_rng(3)
    flow = np.convolve(rng.gamma(0.3, 5, 300), np.exp(-np.arange(40) / 8), "same") + 0.2

    def one_pass(q):
        quick, base = 0.0, [q[0]]
        for before, now in pairwise(q):
            quick = a * quick + 0.5 * (1 + a) * (now - before)
            base.append(now - quick if quick > 0 else now)
        return base

    a, n = 0.925**days, round(30 / days)
    q = [*flow[n:0:-1], *flow, *flow[-2 : -n - 2 : -1]]
    base = one_pass(one_pass(one_pass(q)[::-1])[::-1])[n : n + 300]
    found = one("baseflow_index", flow, freq=pd.Timedelta(days=days))
    assert found == pytest.approx(sum(base) / flow.sum(), rel=1e-12)
    assert 0.1 < found < 0.9


def test_peak_day_on_the_circle():
    flow = np.ones(730)
    flow[[9, 365 + 357]] = 5  # 10 January 2001 and 24 December 2002: their mean is at new year
    day = one("peak_day", flow)
    assert abs((day - 1.4 + 183) % 365.25 - 183) < 0.5
    flow = np.ones(730)
    flow[[99, 365 + 119]] = 5
    assert one("peak_day", flow) == pytest.approx(110, abs=1e-6)
    longer = np.append(flow, np.linspace(9, 2, 200))  # half a year more, and highest there
    assert one("peak_day", longer) == one("peak_day", flow)
    assert one("peak_day", flow[:365]) == pytest.approx(100)
    assert np.isnan(one("peak_day", flow[:364]))


def test_missing_flow_is_left_out():
    rng = np.random.default_rng(5)
    flow = rng.lognormal(0, 1, 500)
    holes = flow.copy()
    holes[rng.permutation(500)[:50]] = np.nan
    found = compute(series(holes), series(np.full(500, 3.0)))
    known = holes[np.isfinite(holes)]
    assert float(found["mean_flow"]) == pytest.approx(known.mean())
    assert float(found["runoff_ratio"]) == pytest.approx(known.sum() / (3 * 450))
    assert all(np.isfinite(found[n]) for n in SIGNATURES if n != "recession_constant")


def test_draws_are_computed_as_one_by_one():
    draws = np.random.default_rng(7).lognormal(0, 1, (6, 400))
    draws[:, 100:120] = np.nan
    together = compute(series(draws))
    for i in range(6):
        alone = compute(series(draws[i]))
        for name in SIGNATURES:
            np.testing.assert_allclose(together[name][i], alone[name], rtol=1e-12)


def test_compare_observed_with_draws():
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 800))
    observed = basin["discharge"].copy()
    observed[50:80] = np.nan
    factors = np.linspace(0.5, 1.5, 21)
    simulated = (basin["discharge"] * xr.DataArray(factors, dims="draw")).isel(time=slice(20, None))
    table = compare_signatures(observed, simulated, basin["precipitation"], prob=0.8)
    assert list(table.index) == list(SIGNATURES)
    row = table.loc["mean_flow"]
    mean = float(observed[20:].mean())
    assert row["observed"] == pytest.approx(mean) == row["simulated"]
    assert (row["lower"], row["upper"]) == pytest.approx((0.6 * mean, 1.4 * mean))
    assert row["share_below"] == pytest.approx(10 / 21, abs=0.05)
    row = table.loc["flashiness"]  # does not depend on the factor
    assert row["lower"] == pytest.approx(row["upper"])
    single = compare_signatures(observed, simulated.isel(draw=3))
    assert single["lower"].isna().all()
    assert single.loc["mean_flow", "simulated"] == pytest.approx(0.65 * mean)


def test_peak_timing_error():
    flow = np.ones(700)
    flow[[120, 300, 550]] = 20
    late = np.roll(flow, 2)
    draws = np.stack([flow, late, np.roll(flow, -1)])
    found = peak_timing_error(series(flow), series(draws))
    np.testing.assert_allclose(found, [0, 2, 1])
    assert found.attrs["units"] == "d"
    assert np.isnan(peak_timing_error(series(np.ones(700)), series(flow)))


def test_gaps_make_no_peaks():
    flow = np.ones(700)
    flow[[120, 300, 550]] = 20
    gaps, late = flow.copy(), np.roll(flow, 1)
    gaps[[200, 208]], gaps[204] = np.nan, 1.001
    np.testing.assert_allclose(peak_timing_error(series(gaps), series(late)), 1)
    gaps[300] = np.nan  # a peak that was not seen
    np.testing.assert_allclose(peak_timing_error(series(gaps), series(np.roll(flow, -2))), 2)
    short = np.where(np.arange(700) == 121, np.nan, flow)
    found = peak_timing_error(series(flow), series(np.stack([flow, short, flow * np.nan])))
    np.testing.assert_array_equal(found, [0, np.nan, np.nan])
    with pytest.raises(ValueError, match="all observations are missing"):
        peak_timing_error(series(flow * np.nan), series(flow))


def test_a_draw_with_gaps_is_not_compared():
    rng = np.random.default_rng(2)
    flow = rng.gamma(2, 1, 400)
    half = np.where(np.arange(400) < 300, flow, np.nan)
    found = compare_signatures(series(flow), series(np.stack([flow, half, flow])))
    np.testing.assert_allclose(found["lower"], found["observed"], rtol=1e-12)
    for bad in (half, np.stack([half, flow * np.nan])):
        with pytest.raises(ValueError, match="simulated flow is missing where"):
            compare_signatures(series(flow), series(bad))
    # Where nothing was observed, gaps do not matter.
    found = compare_signatures(series(half), series(half))
    np.testing.assert_allclose(found["simulated"], found["observed"], rtol=1e-12)


def test_a_dry_river_has_no_ratios():
    found = compute(series(np.zeros(400)), series(np.zeros(400)))
    assert float(found["mean_flow"]) == 0
    for name in ("runoff_ratio", "baseflow_index", "flashiness", "fdc_slope"):
        assert np.isnan(found[name])


def test_bad_input():
    with pytest.raises(ValueError, match="at least two"):
        compute(series([1.0]))
    with pytest.raises(ValueError, match="missing in all"):
        compute(series([np.nan] * 5))
    flow = series(np.arange(1.0, 9))
    with pytest.raises(TypeError, match="must be a DataArray on 'time', found ndarray"):
        compute(flow.values)
    with pytest.raises(TypeError, match="expected datetime64"):
        compute(flow.assign_coords(time=np.arange(8)))
    with pytest.raises(ValueError, match="not evenly spaced"):
        compute(flow.isel(time=[0, 1, 3]))
    with pytest.raises(ValueError, match="precipitation does not cover"):
        compute(flow, flow[:5])
    for bad, message in (
        (flow.where(flow != 3, -999.0), "1 values of -999, a usual code"),
        (flow.where(flow != 3, -0.2), "negative in 1 intervals"),
        (flow.assign_attrs(units="m3/s"), "unit 'm3/s', expected 'mm/d'"),
        (flow.isel(time=slice(None, None, -1)), "not sorted"),
        (flow.assign_coords(time=pd.to_datetime(np.arange(8))), "nanoseconds since 1970"),
    ):
        with pytest.raises(ValueError, match=message):
            compute(bad)
    with pytest.raises(ValueError, match=r"signatures: precipitation.*usual code"):
        compute(flow, flow.where(flow != 3, -999.0))
    days = series(np.arange(1.0, 40))
    hours = series(np.repeat(days.values, 24), freq="h")
    for function in (compare_signatures, peak_timing_error):
        with pytest.raises(ValueError, match="1h apart, the intervals of the simulation are 1D"):
            function(hours, days)


@pytest.fixture
def flow(leaf_river):
    return leaf_river["discharge"]


def holes(flow, share, seed=0):
    return flow.where(np.random.default_rng(seed).random(flow.size) > share)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_signatures_do_not_drift_with_missing_days(flow, share):
    full, found = compute(flow), compute(holes(flow, share))
    assert float(found["baseflow_index"]) == pytest.approx(float(full["baseflow_index"]), abs=0.03)
    for name, within in (
        ("high_flow_duration", 0.15),
        ("low_flow_duration", 0.15),
        ("recession_constant", 0.1),
        ("peak_day", 0.05),
        ("flashiness", 0.1),
    ):
        assert float(found[name]) == pytest.approx(float(full[name]), rel=within), name


def test_a_gap_does_not_end_a_drought():
    flow = np.ones(1461)
    flow[100:140] = 0.1
    flow[[110, 111, 125]] = np.nan
    assert one("low_flow_duration", flow) == 40
    flow[112:124] = np.nan  # more than ten days: two times
    assert one("low_flow_duration", flow) == (10 + 16) / 2


def test_recession_constant_of_rounded_and_repeated_flow(flow):
    full = float(compute(flow)["recession_constant"])
    assert 6 < full < 8
    for unit in (0.01, 0.05, 0.1):
        rounded = compute(flow.copy(data=np.round(flow.values / unit) * unit))
        assert float(rounded["recession_constant"]) == pytest.approx(full, rel=0.15)
    repeated = one("recession_constant", np.repeat(flow.values, 24), freq="h")
    assert repeated == pytest.approx(full, rel=1e-12)
    limb = np.tile(10 * np.exp(-np.arange(40) / 12.0), 5)
    assert one("recession_constant", np.round(limb, 1)) == pytest.approx(12, rel=0.1)
    # A day that is not whole does not count.
    late = {"start": "2001-01-01 18:00", "freq": "6h"}
    assert one("recession_constant", np.repeat(limb, 4)[3:], **late) == pytest.approx(12)


def test_peak_day_leaves_out_what_has_no_maximum():
    flow = np.ones(4 * 365 + 1)
    flow[[99, 365 + 119]] = 5
    flow[730:1095] = 0  # a dry year
    flow[1095:] = np.nan
    flow[[1100, 1130, 1160]] = 9  # a year of single days
    assert one("peak_day", flow) == pytest.approx(110, abs=1e-6)
    days = np.ones(365)
    days[99:104] = 5  # equal for five days
    assert one("peak_day", days) == pytest.approx(102)
    assert np.isnan(one("peak_day", np.zeros(400)))
    draws = np.stack([flow, np.where(flow > 5, 1, flow) * 0])
    assert np.isnan(compute(series(draws))["peak_day"].values).tolist() == [False, True]


def test_events_of_a_river_that_is_mostly_dry():
    flow = np.where(np.arange(1000) % 10 < 3, 2.0, 0.0)
    for name in ("high_flow_frequency", "high_flow_duration"):
        assert np.isnan(one(name, flow))
        assert np.isnan(one(name.replace("high", "low"), flow * 0))
    assert one("low_flow_duration", flow) == 7


def test_timing_of_plateaus_and_of_peaks_that_are_not_there():
    flow = np.full(800, 0.1)
    flow[[200, 400, 600]] = 10
    wide = np.maximum.reduce([flow, np.roll(flow, 1), np.roll(flow, -1)])
    nothing = np.full(800, 0.1)
    two = np.where(np.arange(800) < 500, np.roll(flow, 1), 0.1)  # misses the third
    rising = np.maximum.reduce([np.roll(flow, k) * 0.9 ** abs(5 - k) for k in range(1, 8)])
    found = peak_timing_error(series(flow), series(np.stack([wide, nothing, two, rising])))
    np.testing.assert_array_equal(found, [0, np.nan, 1, np.nan])
    late = np.maximum(np.roll(flow, 2), np.roll(flow, 3))  # the nearest of equal days
    assert float(peak_timing_error(series(flow), series(late))) == 2


def test_years_of_hours_with_gaps():
    rng = np.random.default_rng(0)
    n = 87_660
    flow = np.convolve(rng.gamma(0.02, 5, n), np.exp(-np.arange(200) / 40), "same") + 0.1
    flow[rng.random(n) < 0.01] = np.nan
    found = compute(series(flow, "1920-01-01", freq="h"))
    assert all(np.isfinite(found[name]) for name in SIGNATURES if name != "runoff_ratio")


# hydrosignatures 0.19.3 of the embedded records: baseflow_index(q, 0.925, 3 passes, padded by 30
# equal days), flow_duration_curve_slope(q, (34, 67), log); and Richards and Baker's formula.
ELSEWHERE = {
    "leaf_river": {"baseflow_index": 0.38105, "fdc_slope": 3.58935461, "flashiness": 0.30092351},
    "fulda": {"baseflow_index": 0.63839, "fdc_slope": 1.51903531, "flashiness": 0.16936399},
}
ENDS = 1e-3  # padded by equal days there, by their mirror image here


@pytest.mark.parametrize("name", ELSEWHERE)
def test_against_another_program(name):
    flow = ph.load_basin(name)["discharge"]
    found = compute(flow)
    assert float(found["baseflow_index"]) == pytest.approx(
        ELSEWHERE[name]["baseflow_index"], abs=ENDS
    )
    for signature in ("fdc_slope", "flashiness"):
        assert float(found[signature]) == pytest.approx(ELSEWHERE[name][signature], rel=1e-5)
    gaps = flow.where(np.random.default_rng(0).random(flow.size) > 0.2)
    for signature, value in ELSEWHERE[name].items():
        assert float(compute(gaps)[signature]) == pytest.approx(value, rel=0.05)


def test_limits_of_high_and_low_flow():
    """Nine times the median, and a fifth of the mean."""
    flow = np.ones(1000)
    flow[:4], flow[10:13] = 9.1, 8.9
    assert one("high_flow_frequency", flow) == pytest.approx(365.25 * 4 / 1000)
    flow = np.ones(1000)
    flow[:5], flow[10:13] = 0.19, 0.205  # a fifth of the mean is 0.1987
    assert one("low_flow_frequency", flow) == pytest.approx(365.25 * 5 / 1000)


def test_the_window_of_a_peak_is_in_days():
    """Peaks two days late are found among intervals of six hours."""
    flow = np.ones(400)
    flow[[100, 250]] = 20
    late = np.roll(flow, 8)
    found = peak_timing_error(series(flow, freq="6h"), series(late, freq="6h"))
    np.testing.assert_allclose(np.abs(found), 2)
