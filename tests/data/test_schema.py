from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.data import as_basin, oudin, split_record
from pymc_hydro.data.records import cut_record
from pymc_hydro.data.schema import check_warmup, interval_length
from pymc_hydro.testing.weather import make_basin

NEEDED = ("precipitation", "potential_evaporation")


@pytest.fixture
def basin():
    return make_basin(np.arange(10.0), 2.0, 5.0)


def spoiled(basin, name, position, value):
    values = basin[name].values.copy()
    values[position] = value
    return basin.assign({name: ("time", values)})


def test_embedded_basins():
    leaf, fulda = ph.load_basin("leaf_river"), ph.load_basin("fulda")
    assert str(leaf.time.values[0])[:10] == "1952-07-28"
    assert str(leaf.time.values[-1])[:10] == "1962-09-30"
    # Means of the record's own description.
    for name, mean in (
        ("precipitation", 3.710),
        ("potential_evaporation", 2.981),
        ("discharge", 1.257),
    ):
        assert float(leaf[name].mean()) == pytest.approx(mean, abs=6e-4)
    assert "temperature" not in leaf and "temperature" in fulda
    assert 500 < 365.25 * float(fulda["potential_evaporation"].mean()) < 700
    assert all(fulda[v].attrs["units"] for v in fulda.data_vars)
    with pytest.raises(KeyError, match="embedded are leaf_river, fulda"):
        ph.load_basin("leaf")


def test_oudin_against_values_worked_by_hand():
    """R_e of FAO 56, example 8: 20 degrees south, 3 September, 32.2 MJ m-2 d-1."""
    expected = 32.2 * (20 + 5) / (100 * 2.45)
    assert oudin([20.0], ["1998-09-03"], -20.0)[0] == pytest.approx(expected, rel=2e-3)
    assert oudin([-6.0], ["1998-09-03"], 50.0)[0] == 0
    with pytest.raises(ValueError, match="latitude"):
        oudin([1.0], ["2000-01-01"], 100)


def test_frames_are_accepted(basin):
    frame = basin.to_dataframe().reset_index()
    xr.testing.assert_equal(as_basin(frame), as_basin(basin))
    assert interval_length(make_basin(np.ones(3), 0, 0, freq="15min")) == 1 / 96


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.isel(time=[0, 1, 2, 4, 5]), "irregular: 2000-10-03.*followed by 2000-10-05"),
        (lambda b: b.isel(time=[0, 1, 1, 2]), "2000-10-02.* twice"),
        (lambda b: b.isel(time=[1, 0, 2]), "not sorted"),
        (lambda b: b.isel(time=[1]), "at least two"),
        (
            lambda b: spoiled(b, "precipitation", 3, np.nan),
            "missing or infinite, first at 2000-10-04",
        ),
        (lambda b: spoiled(b, "precipitation", 3, -999), "negative in 1 intervals, first -999"),
        (lambda b: spoiled(b, "temperature", 0, 280), "K or degF"),
        (
            lambda b: b.assign(precipitation=b.precipitation.assign_attrs(units="mm/h")),
            "multiply by 24",
        ),
        (
            lambda b: b.assign(precipitation=b.precipitation.assign_attrs(units="inch")),
            "expected 'mm/d'",
        ),
        (lambda b: b.expand_dims("basin"), "select one basin"),
    ],
)
def test_bad_values(basin, change, message):
    with pytest.raises(ValueError, match=message):
        as_basin(change(basin), NEEDED)


def test_bad_kinds_and_missing_columns(basin):
    with pytest.raises(KeyError, match="missing 'potential_evaporation'; found precipitation"):
        as_basin(basin.drop_vars("potential_evaporation"), NEEDED)
    with pytest.raises(KeyError, match="no coordinate 'time'"):
        as_basin(basin.rename(time="date"))
    with pytest.raises(TypeError, match="expected datetime64"):
        as_basin(basin.assign_coords(time=np.arange(10)))
    with pytest.raises(TypeError, match="found list"):
        as_basin([1, 2])


def test_missing_discharge_is_kept_as_missing(basin):
    found = as_basin(basin.assign(discharge=("time", [np.nan] * 3 + [1.0] * 7)))
    assert np.isnan(found["discharge"].values[:3]).all()


@pytest.mark.parametrize(
    ("warmup", "freq", "expected"),
    [
        ("5D", "D", 5),
        ("48h", "h", 48),
        (pd.Timedelta(days=2), "15min", 192),
        (np.timedelta64(3, "D"), "D", 3),
        (timedelta(hours=2), "20min", 6),
        ("30 days", "6h", 120),
        (3.0, "D", 3),
        (0, "h", 0),
        (720, "h", 720),
    ],
)
def test_warmup_as_number_or_duration(warmup, freq, expected):
    time = pd.date_range("2001", periods=800, freq=freq).values
    assert check_warmup(warmup, time) == expected


@pytest.mark.parametrize(
    ("warmup", "message"),
    [
        ("36h", "no whole number of intervals, which are 1 d long"),
        ("365", "a number and a unit, such as '365D' or '48h', found '365'"),
        ("a year", "a number and a unit"),
        ("NaT", "a number and a unit"),
        ("-5D", "a number and a unit"),
        (2.5, "whole number of intervals >= 0 or a duration"),
        (None, "whole number of intervals >= 0 or a duration"),
        ("10D", "the warm-up takes 10, nothing is left"),
    ],
)
def test_warmup_that_makes_no_sense(basin, warmup, message):
    with pytest.raises(ValueError, match=message):
        check_warmup(warmup, basin.time.values)


def test_a_short_warmup_of_hours_warns():
    """A year of days, given as a number, is two weeks of hours."""
    time = pd.date_range("2001", periods=10_000, freq="h").values
    with pytest.warns(UserWarning, match="365 intervals of 1 h are 15.2083 d only; .*'365D'"):
        assert check_warmup(365, time) == 365


def test_warmup_and_split(basin):
    with pytest.raises(ValueError, match="10 intervals and the warm-up takes 10"):
        check_warmup(10, basin.time.values)
    with pytest.raises(ValueError, match="whole number"):
        check_warmup(-1, basin.time.values)
    first, second = split_record(basin, "2000-10-06", 2)
    assert (first.sizes["time"], second.sizes["time"]) == (5, 7)
    assert pd.Timestamp(second.time.values[2]) == pd.Timestamp("2000-10-06")
    of_duration = split_record(basin, "2000-10-06", "2D")
    assert of_duration[1].identical(second)
    with pytest.raises(ValueError, match="must lie in the record"):
        split_record(basin, "2001-10-06", 2)


def test_a_record_is_cut_to_where_no_forcing_is_missing(basin):
    needed = (*NEEDED, "discharge", "elevation")
    cut = spoiled(spoiled(basin, "precipitation", [0, 4], np.nan), NEEDED[1], [1, 9], np.nan)
    cut = cut.assign(elevation=300.0, discharge=("time", np.full(10, np.nan)))
    xr.testing.assert_identical(cut_record(cut, needed), cut.isel(time=slice(2, 9)))
    xr.testing.assert_identical(cut_record(cut, ("elevation", "discharge")), cut)
    with pytest.raises(ValueError, match="no interval has all of precipitation, potential_evap"):
        cut_record(spoiled(basin, "precipitation", slice(None), np.nan), needed)
