import math
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.data import oudin, potential_evaporation, to_hourly
from pymc_hydro.data.evaporation import METHODS

DAY = pd.DatetimeIndex(["2000-07-06", "2000-07-07"])


def weather(**changed):
    values = {
        "temperature": 16.9,
        "temperature_min": 12.3,
        "temperature_max": 21.5,
        "shortwave_radiation": 22.07 / 0.0864,
        "wind_speed": 2.078,
        "vapour_pressure": 1409.0,
    }
    columns = {n: ("time", np.full(2, v)) for n, v in (values | changed).items()}
    return xr.Dataset(columns, {"time": DAY}, {"latitude": 50.8, "elevation": 100.0})


def test_penman_monteith_against_the_example_of_fao_56():
    """FAO 56, example 18: Brussels, 6 July, 3.88 mm/d."""
    pytest.importorskip("pyet")
    basin = potential_evaporation(weather(), "penman_monteith")
    assert float(basin["potential_evaporation"][0]) == pytest.approx(3.88, abs=0.02)


def test_hargreaves_and_hamon_against_their_formulas():
    pytest.importorskip("pyet")
    basin = weather()
    radiation = 100 * 2.45 / (16.9 + 5) * oudin(basin["temperature"], DAY, 50.8)  # MJ m-2 d-1
    expected = 0.0023 * radiation / 2.45 * (16.9 + 17.8) * np.sqrt(21.5 - 12.3)
    found = potential_evaporation(basin, "hargreaves")["potential_evaporation"]
    np.testing.assert_allclose(found, expected, rtol=0.01)
    found = potential_evaporation(basin, "hamon")["potential_evaporation"]
    daylight = 16.1  # hours, FAO 56 example 18
    assert float(found[0]) == pytest.approx((daylight / 12) ** 2 * np.exp(16.9 / 16), rel=0.01)


def test_priestley_taylor_against_its_formula():
    """With the net radiation of FAO 56, example 18."""
    pytest.importorskip("pyet")
    slope, gamma, net, latent = 0.122, 0.0666, 13.28, 2.45
    expected = 1.26 * slope / (slope + gamma) * net / latent
    found = potential_evaporation(weather(), "priestley_taylor")["potential_evaporation"]
    assert float(found[0]) == pytest.approx(expected, rel=0.02)


def test_relative_humidity_serves_as_vapour_pressure():
    pytest.importorskip("pyet")
    saturated = sum(305.4 * np.exp(17.27 * t / (t + 237.3)) for t in (12.3, 21.5))
    humid = weather(relative_humidity=100 * 1409.0 / saturated).drop_vars("vapour_pressure")
    for method in ("penman_monteith", "priestley_taylor"):
        one, other = (potential_evaporation(b, method) for b in (humid, weather()))
        xr.testing.assert_allclose(
            one["potential_evaporation"], other["potential_evaporation"], rtol=1e-3
        )


def test_oudin_is_built_in_and_pyet_agrees():
    basin = potential_evaporation(weather(), "oudin")
    assert basin["potential_evaporation"].attrs["units"] == "mm/d"
    pyet = pytest.importorskip("pyet")
    theirs = pyet.oudin(basin["temperature"].to_series(), np.deg2rad(50.8))
    np.testing.assert_allclose(basin["potential_evaporation"], theirs, rtol=0.02)


def test_without_pyet_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyet", None)
    for method in METHODS:
        if method == "oudin":
            potential_evaporation(weather(), method)
        else:
            with pytest.raises(ImportError, match=r"pymc-hydro\[pet\]"):
                potential_evaporation(weather(), method)


@pytest.mark.parametrize(
    ("basin", "method", "kind", "message"),
    [
        (weather(), "penman", KeyError, "known are oudin"),
        (weather().drop_vars("temperature_min"), "hargreaves", KeyError, "no temperature_min"),
        (weather().drop_vars("vapour_pressure"), "penman_monteith", KeyError, "humidity or vap"),
        (weather().drop_attrs(), "oudin", ValueError, "give latitude="),
        (
            weather().assign_coords(time=DAY[:1].append(DAY[:1] + pd.Timedelta("1h"))),
            "oudin",
            ValueError,
            "daily",
        ),
    ],
)
def test_what_is_missing(basin, method, kind, message):
    with pytest.raises(kind, match=message):
        potential_evaporation(basin, method)


def test_equal_extremes_are_refused():
    pytest.importorskip("pyet")
    with pytest.raises(ValueError, match="both are daily means"):
        potential_evaporation(weather(temperature_max=12.3), "hargreaves")


@pytest.mark.parametrize("latitude", [0.0, 47.5, -33.0, 80.0])
def test_hours_keep_the_days_and_follow_the_sun(latitude):
    days = pd.date_range("2001-01-01", periods=365)
    daily = xr.DataArray(1 + np.arange(365) / 100, {"time": days}, ("time",))
    hourly = to_hourly(daily, latitude)
    assert (hourly >= 0).all() and hourly.attrs["units"] == "mm/d"
    by_day = hourly.values.reshape(365, 24)
    np.testing.assert_allclose(by_day.mean(axis=1), daily, rtol=1e-12)
    np.testing.assert_allclose(by_day, by_day[:, ::-1], atol=1e-9)  # noon is the middle
    if latitude < 66:
        assert (by_day[:, 0] == 0).all()
        assert (by_day[:, 12] > by_day[:, 8]).all()
    if latitude == 0:  # the equinox: a half sine from 6 to 18 hours
        sine = -np.diff(np.cos(np.pi / 12 * (np.clip(np.arange(25), 6, 18) - 6)))
        np.testing.assert_allclose(by_day[79] / daily.values[79], 12 * sine, atol=1e-3)
    if latitude == 80:
        np.testing.assert_allclose(by_day[0], daily.values[0])  # polar night: even


def test_hours_refuse_gaps():
    daily = ph.load_basin("leaf_river")["potential_evaporation"].isel(time=[0, 1, 3])
    with pytest.raises(ValueError, match="without gaps"):
        to_hourly(daily, 31.7)


def test_oudin_against_the_radiation_of_an_example_of_fao_56():
    """Example 8: 32.2 MJ m-2 d-1 on the 3rd of September at 20 degrees south."""
    time = np.array(["2001-09-03"], "datetime64[D]")
    for temperature, share in ((19.5, 0.1), (-5.0, 0.0), (-9.0, 0.0), (7.25, 0.05)):
        found = float(oudin([temperature], time, -20.0)[0])
        assert found == pytest.approx(32.2 * share, rel=2e-3)


@pytest.mark.parametrize("latitude", [-35.0, 0.0, 50.0, 70.0])
def test_oudin_in_the_equations_of_fao_56(latitude):
    """Equations 21 to 25, one day at a time; polar night and midnight sun at 70 degrees."""
    days = pd.DatetimeIndex(["2001-01-03", "2001-03-20", "2001-06-21", "2001-09-30", "2000-12-31"])
    phi, expected = math.radians(latitude), []
    for day in (3, 79, 172, 273, 366):
        distance = 1 + 0.033 * math.cos(2 * math.pi / 365 * day)
        declination = 0.409 * math.sin(2 * math.pi / 365 * day - 1.39)
        sunset = math.acos(min(max(-math.tan(phi) * math.tan(declination), -1), 1))
        sun = sunset * math.sin(phi) * math.sin(declination)
        sun += math.cos(phi) * math.cos(declination) * math.sin(sunset)
        radiation = 24 * 60 / math.pi * 0.0820 * distance * sun
        expected.append(radiation * (12.5 + 5) / (100 * 2.45))
    np.testing.assert_allclose(oudin(np.full(5, 12.5), days, latitude), expected, atol=1e-12)
