"""The gate of observations: each thing that a user may bring, and what becomes of it."""

import numpy as np
import pandas as pd
import pint
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.data import as_basin, potential_evaporation
from pymc_hydro.data.observations import check_observations, observed_on

N = 40
DAYS = pd.date_range("2001-03-01", periods=N)
FLOW = np.random.default_rng(1).gamma(2.0, 1.0, N)
HOURS = pd.date_range("2001-03-01", periods=24 * N, freq="h")


def on_days(observed, time=DAYS, **options):
    return observed_on("flow", observed, time, "simulation", **options)


def with_code(code, at=7):
    return np.where(np.arange(N) == at, code, FLOW)


SAME = {
    "array": FLOW,
    "list": FLOW.tolist(),
    "series": pd.Series(FLOW, DAYS),
    "latest first": pd.Series(FLOW, DAYS)[::-1],
    "longer": pd.Series(np.r_[9.0, FLOW, 9.0], pd.date_range("2001-02-28", periods=N + 2)),
    "data array": xr.DataArray(FLOW, {"date": DAYS}, ("date",), attrs={"units": "mm/day"}),
    "no labels": xr.DataArray(FLOW, dims="time"),
    "periods": pd.Series(FLOW, DAYS.to_period("D")),
    "seconds": pd.Series(FLOW, DAYS.as_unit("s")),
    "nullable": pd.Series(FLOW, DAYS, dtype="Float64"),
    "single precision": FLOW.astype(np.float32),
    "rounded dates": pd.Series(FLOW, DAYS + pd.to_timedelta(np.arange(N) % 3 - 1, unit="s")),
    "float days": pd.Series(FLOW, DAYS + pd.to_timedelta(np.arange(N) % 2, unit="ns")),
}


@pytest.mark.parametrize("observed", SAME.values(), ids=SAME)
def test_the_same_values_in_many_forms(observed):
    np.testing.assert_allclose(on_days(observed), FLOW, rtol=1e-6)


def test_missing_values_stay_missing():
    gaps = np.where(np.arange(N) % 5 == 0, np.nan, FLOW)
    there = np.isfinite(gaps)
    for observed in (
        gaps,
        np.ma.masked_invalid(gaps),
        np.ma.array(with_code(-999, 0), mask=~there),
        pd.Series(gaps, DAYS).dropna(),
        pd.Series(FLOW, DAYS, dtype="Float64").where(there),
        [x if ok else None for x, ok in zip(FLOW, there, strict=True)],
    ):
        np.testing.assert_array_equal(on_days(observed), gaps)
    visits = pd.Series(FLOW, DAYS).iloc[[1, 4, 15, 22, 24]]  # gaugings on some days
    assert np.flatnonzero(np.isfinite(on_days(visits))).tolist() == [1, 4, 15, 22, 24]
    weekly = pd.Series(FLOW, DAYS)[::7]
    assert np.isfinite(on_days(weekly.asfreq("1D"))).sum() == 6


CODES = [-9.99, -99, -99.9, -99.99, -999, -999.9, -999.99, -9999, -99999, -999999, -32768, -6999]


@pytest.mark.parametrize("code", [*CODES, np.float32(-99.99), 1e20, 9.969209968386869e36, 3.4e38])
def test_codes_of_missing_values(code):
    with pytest.raises(ValueError, match=r"flow: observations have 1 values of .*at 2001-03-08"):
        on_days(with_code(code))
    with pytest.raises(ValueError, match="usual code"):
        on_days(with_code(code), quantity=None)
    with pytest.raises(ValueError, match="position 7"):
        check_observations("flow", with_code(code))


BAD_VALUES = {
    "negative": (with_code(-0.3), ValueError, "negative in 1 intervals, first -0.3 at 2001-03-08"),
    "infinite": (with_code(np.inf), ValueError, "1 infinite values, first inf"),
    "nothing": (FLOW * np.nan, ValueError, "all observations are missing"),
    "two months": (
        pd.Series(FLOW[:2], pd.DatetimeIndex(["2001-03-01", "2001-04-01"])),
        ValueError,
        "a month apart",
    ),
    "true and false": (FLOW > 1, TypeError, "True and False"),
    "shorter": (FLOW[1:], ValueError, r"shape \(39,\), expected \(40,\)"),
    "column": (FLOW[:, None], ValueError, r"shape \(40, 1\)"),
    "text": ([f"{x:.2f} *" for x in FLOW], TypeError, "pandas.to_numeric"),
    "a note": ([*FLOW[:-1], "Ice"], TypeError, "expected numbers"),
    "complex": (FLOW + 0j, TypeError, "expected numbers"),
    "dates": (DAYS.values, TypeError, "expected numbers"),
    "frame": (pd.DataFrame({"a": FLOW}, DAYS), TypeError, "found a DataFrame"),
    "dataset": (xr.Dataset({"a": ("time", FLOW)}), TypeError, "found a Dataset"),
    "two basins": (
        xr.DataArray([FLOW, FLOW], {"time": DAYS}, ("basin", "time")),
        ValueError,
        "select one",
    ),
}


@pytest.mark.parametrize(("observed", "kind", "message"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_bad_values(observed, kind, message):
    with pytest.raises(kind, match=message):
        on_days(observed)


ZONED = [pd.Timestamp(d, tz=z) for d, z in zip(DAYS, ["UTC", "CET"] * (N // 2), strict=True)]
BAD_LABELS = {
    "time zone": (DAYS.tz_localize("UTC"), TypeError, "time zone UTC.*tz_localize"),
    "two zones": (pd.Index(ZONED, dtype=object), TypeError, "several time zones"),
    "text": (DAYS.strftime("%d/%m/%Y"), TypeError, "text such as '01/03/2001'.*to_datetime"),
    "positions": (pd.RangeIndex(N), TypeError, "type int64.*date_range"),
    "years": (2001 + np.arange(N) / 365, TypeError, "type float64.*date_range"),
    "days of Python": (pd.Index(DAYS.date), TypeError, "datetime64; convert"),
    "levels": (pd.MultiIndex.from_product([["a"], DAYS]), TypeError, "several levels.*select one"),
    "no date": (DAYS.where(DAYS != DAYS[3]), ValueError, "no date at position 3"),
    "twice": (DAYS.where(DAYS != DAYS[3], DAYS[4]), ValueError, "2001-03-05 00:00:00 twice"),
    "mixed up": (DAYS[np.r_[0:10, 20:30, 10:20, 30:N]], ValueError, "day and month were mixed up"),
    "year 3001": (pd.date_range("3001", periods=N, unit="s"), ValueError, "1678 to 2261"),
    "nanoseconds": (pd.to_datetime(np.arange(N)), ValueError, "1 ns .*nanoseconds since 1970"),
    "yyyymmdd": (pd.to_datetime(20010301 + np.arange(N)), ValueError, "nanoseconds since 1970"),
    "noon": (DAYS + pd.Timedelta("12h"), ValueError, r"0 days 12:00:00 after .*Timedelta"),
    "last second": (DAYS + pd.Timedelta("23:59:59"), ValueError, "00:00:01 or more before.*floor"),
    "ends of periods": (DAYS.to_period("D").end_time, ValueError, "before the start.*floor"),
    "drifting": (DAYS + pd.to_timedelta(np.arange(N), unit="min"), ValueError, r"floor\('1D'\)"),
    "hours": (HOURS[:N], ValueError, r"1h apart.*resample\('1D'\).mean"),
    "quarters": (pd.date_range(DAYS[0], periods=N, freq="15min"), ValueError, "15min apart"),
    "weeks": (pd.date_range(DAYS[0], periods=N, freq="7D"), ValueError, "7D apart.*asfreq"),
    "months": (pd.date_range(DAYS[0], periods=N, freq="MS"), ValueError, "a month apart"),
    "before": (DAYS - pd.Timedelta(N, "D"), ValueError, "do not overlap"),
    "another century": (DAYS - pd.DateOffset(years=100), ValueError, "do not overlap"),
}


@pytest.mark.parametrize("form", ["series", "array"])
@pytest.mark.parametrize(("labels", "kind", "message"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_bad_labels(labels, kind, message, form):
    observed = pd.Series(FLOW, labels)
    if form == "array":
        observed = xr.DataArray(FLOW, {"time": pd.Index(labels)}, ("time",))
    with pytest.raises(kind, match=message):
        on_days(observed)


def test_references_of_forecasts_check_their_record():
    for code, message in ((-999.0, "usual code"), (9.96921e36, "usual code"), (-0.2, "negative")):
        record = xr.DataArray(np.where(np.arange(N) == 7, code, FLOW), {"time": DAYS}, ("time",))
        with pytest.raises(ValueError, match=message):
            ph.verification.climatology(record, DAYS[:3])
        with pytest.raises(ValueError, match=message):
            ph.verification.persistence(record, DAYS[:3], DAYS[1:4])
    with pytest.raises(TypeError, match="a DataArray on 'time', found Series"):
        ph.verification.climatology(pd.Series(FLOW, DAYS), DAYS[:3])


def test_an_empty_series_has_no_score():
    empty = xr.DataArray(FLOW[:0], {"time": DAYS[:0]}, ("time",))
    with pytest.raises(ValueError, match="nse: observed is empty"):
        ph.losses.nse(empty, xr.DataArray(FLOW, {"time": DAYS}, ("time",)))


def test_a_score_of_a_mask_or_of_other_intervals():
    days = xr.DataArray(FLOW, {"time": DAYS}, ("time",))
    with pytest.raises(TypeError, match="nse: expected numbers, found true and false"):
        ph.losses.nse(days > 1, days)
    hours = xr.DataArray(np.repeat(FLOW, 24), {"time": HOURS}, ("time",))
    with pytest.raises(ValueError, match="they are 1h and 1D apart: take means"):
        ph.losses.nse(hours, days)


def test_days_are_no_hours():
    with pytest.raises(ValueError, match="1D apart, the intervals of the simulation are 1h"):
        on_days(pd.Series(FLOW, DAYS), HOURS)
    hourly = np.repeat(FLOW, 24)
    np.testing.assert_array_equal(on_days(pd.Series(hourly, HOURS), HOURS), hourly)
    with pytest.raises(ValueError, match="0 days 00:30:00 after"):
        on_days(pd.Series(hourly, HOURS + pd.Timedelta("30min")), HOURS)
    with pytest.raises(ValueError, match="two values for the interval at"):
        both = DAYS[:4].append(DAYS[:1] + pd.Timedelta("1s"))
        on_days(pd.Series(FLOW[:5], both).sort_index())


@pytest.mark.parametrize(
    ("unit", "fix"),
    [
        ("m3/s", "86.4 and divide by the basin's area"),
        ("cfs", "multiply by 2.44658 and divide by the basin's area"),
        ("mm/h", "multiply by 24"),
        ("mm", "length of their interval"),
        ("ML/d", "multiply by 1 and divide by the basin's area"),
        ("mm/month", "convert it"),
    ],
)
def test_units_of_another_quantity(unit, fix):
    observed = xr.DataArray(FLOW, {"time": DAYS}, ("time",), attrs={"units": unit})
    with pytest.raises(ValueError, match=f"unit '{unit}', expected 'mm/d'.*{fix}"):
        on_days(observed)
    np.testing.assert_array_equal(on_days(observed, quantity="snow_water"), FLOW)


class Quantity:
    """What the gate uses of a quantity of pint."""

    FACTORS = {"mm/d": 1.0, "mm/h": 24.0}

    def __init__(self, magnitude, units):
        self.magnitude, self.units = magnitude, units

    def to(self, unit):
        if self.units not in self.FACTORS:
            raise TypeError(f"Cannot convert from {self.units}")
        return Quantity(self.magnitude * self.FACTORS[self.units] / self.FACTORS[unit], unit)


def test_quantities_with_a_unit():
    np.testing.assert_allclose(on_days(Quantity(FLOW / 24, "mm/h")), FLOW)
    with pytest.raises(ValueError, match=r"expected .mm/d.; multiply by 86\.4"):
        on_days(Quantity(FLOW, "m3/s"))
    with pytest.raises(ValueError, match="not known"):
        on_days(Quantity(FLOW, "mm/d"), quantity=None)


def test_quantities_of_pint():
    ureg = pint.UnitRegistry()
    np.testing.assert_allclose(on_days(FLOW / 24 * ureg("mm/hour")), FLOW)
    with pytest.raises(ValueError, match=r"expected .mm/d.; multiply by 86\.4"):
        on_days(FLOW * ureg("m**3/s"))


def test_records_of_pint():
    """Each quantity is converted; one of another kind is refused with the usual fix."""
    ureg, basin = pint.UnitRegistry(), ph.load_basin("fulda").isel(time=slice(0, 400))
    rain = ureg.Quantity(basin["precipitation"].values / 24, "mm/hour")
    warmth = ureg.Quantity(basin["temperature"].values + 273.15, "kelvin")
    record = basin.assign(precipitation=("time", rain), temperature=("time", warmth))
    xr.testing.assert_allclose(as_basin(record), basin)
    computed = potential_evaporation(record, latitude=50.0)["potential_evaporation"]
    expected = potential_evaporation(basin, latitude=50.0)["potential_evaporation"]
    xr.testing.assert_allclose(computed, expected)
    flow = ureg.Quantity(basin["discharge"].values, "m**3/s")
    with pytest.raises(ValueError, match=r"'discharge': unit 'meter \*\* 3 / second'.* 86\.4"):
        as_basin(basin.assign(discharge=("time", flow)))


def test_a_positive_code_among_observations():
    observed = np.where(np.arange(N) == 7, 999.0, FLOW)
    with pytest.warns(UserWarning, match=r"the value 999 in 1 intervals, first .*-03-08"):
        on_days(observed)
    on_days(np.linspace(1.0, 99.0, N))  # others are near


def test_losses_of_series_that_are_no_discharge():
    """A simulation without negative values may still be of temperature, if its unit says so."""
    observed = xr.DataArray(FLOW - FLOW.min() - 0.01, {"time": DAYS}, ("time",))
    simulated = xr.zeros_like(observed) + np.linspace(0, 2, N)
    with pytest.raises(ValueError, match="negative in"):
        ph.losses.nse(observed, simulated)
    warm = [x.assign_attrs(units="degC") for x in (observed, simulated)]
    expected = 1 - float(((observed - simulated) ** 2).sum() / (observed.size * observed.var()))
    assert ph.losses.nse(*warm) == pytest.approx(expected)
    with pytest.raises(ValueError, match="1 values of -999, a usual code"):
        ph.losses.nse(warm[0].where(warm[0] > 0, -999.0), warm[1])
    with pytest.raises(ValueError, match="negative in"):
        ph.losses.nse(observed.assign_attrs(units="mm day-1"), simulated)


def test_quantities_with_a_sign():
    """An exchange of ground water, a logarithm: negative, and now and then near a code."""
    exchange = FLOW - 2
    np.testing.assert_array_equal(on_days(exchange, quantity=None), exchange)
    anomaly = np.r_[-9.99, np.linspace(-12, 12, N - 1)]
    np.testing.assert_array_equal(on_days(anomaly, quantity=None), anomaly)


def test_nothing_observed_can_be_right():
    assert np.isnan(on_days(FLOW * np.nan, all_missing=True)).all()
