"""Records that cannot be are refused, and doubtful ones warned of; sound ones pass in silence."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.data import as_basin, potential_evaporation, to_hourly
from pymc_hydro.data.checks.names import look_alike
from pymc_hydro.data.records import as_basins
from pymc_hydro.engine.simulate import check_capacities

LEAF, FULDA = ph.load_basin("leaf_river"), ph.load_basin("fulda").isel(time=slice(0, 1200))


def changed(basin, **series):
    return basin.assign({k: ("time", np.asarray(v, dtype=float)) for k, v in series.items()})


def value_at(basin, name, value, at=slice(100, 101)):
    values = basin[name].values.copy()
    values[at] = value
    return changed(basin, **{name: values})


Q, P = FULDA["discharge"].values, FULDA["precipitation"].values
LATER = FULDA.assign_coords(time=FULDA.time.values + np.timedelta64(36525, "D"))
DOUBTFUL = {
    "wet": (changed(FULDA, precipitation=10 * P), "precipitation is .* mm/d on average, more"),
    "metres": (changed(FULDA, precipitation=P / 1000), "is it in mm, not m or inches"),
    "little flow": (changed(FULDA, discharge=Q / 86.4), "times precipitation on average"),
    "much flow": (changed(FULDA, discharge=24 * Q), "times precipitation on average"),
    "strong evaporation": (
        changed(FULDA, potential_evaporation=24 * FULDA.potential_evaporation.values),
        "mm/d on average, more than the driest",
    ),
    "99 of rain": (
        value_at(changed(FULDA, precipitation=P / 2), "precipitation", 99),
        "precipitation have the value 99 in 1 intervals, first 99 at 1979-04-11",
    ),
    "999 of flow": (value_at(FULDA, "discharge", 99.9, slice(3, 5)), "value 99.9 in 2 interv"),
    "99 twice": (value_at(FULDA, "precipitation", 99, [8, 500]), "the value 99 in 2 intervals"),
    "filled down": (
        value_at(FULDA, "temperature", 7.5, slice(200, 300)),
        "exactly 7.5 degC for 100 days from 1979-07-20",
    ),
    "constant for weeks": (value_at(FULDA, "temperature", 7.5, slice(200, 250)), "for 50 days"),
    "always 20 degC": (changed(FULDA, temperature=np.full(1200, 20)), "exactly 20 degC for 1200"),
    "half a year late": (
        changed(FULDA, potential_evaporation=np.roll(FULDA.potential_evaporation, 182)),
        "least in the warm months",
    ),
    "next century": (LATER, "in the future; were years of two digits"),
}


@pytest.mark.parametrize(("basin", "message"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_doubtful_records_are_warned_of(basin, message):
    with pytest.warns(UserWarning, match=rf"basin: .*{message}"):
        as_basin(basin)
    with pytest.warns(UserWarning, match=rf"'upper': basin: .*{message}"):
        as_basins({"upper": basin})


def test_sound_records_pass_in_silence():
    """A warning is an error here."""
    as_basin(LEAF)
    as_basin(FULDA)
    dry = {"precipitation": LEAF.precipitation.values / 4, "discharge": LEAF.discharge.values / 240}
    as_basin(changed(LEAF, **dry))
    as_basin(LATER.drop_vars("discharge"))  # a scenario
    as_basin(value_at(FULDA, "precipitation", [99.0, 98.0], slice(4, 6)))
    for start in range(0, 3600, 400):
        as_basin(LEAF.isel(time=slice(start, start + 400)))
    as_basin(changed(FULDA.isel(time=slice(0, 100)), temperature=np.full(100, 20)))


@pytest.mark.parametrize(
    ("name", "columns", "found"),
    [
        ("potential_evaporation", ["rain", "pet"], "pet"),
        ("potential_evaporation", ["ET0", "tmin"], "ET0"),
        ("discharge", ["Qobs", "P"], "Qobs"),
        ("discharge", ["streamflow_mm"], "streamflow_mm"),
        ("precipitation", ["precip_mm"], "precip_mm"),
        ("precipitation", ["percipitation"], "percipitation"),
        ("temperature", ["tmean_C", "q"], "tmean_C"),
        ("temperature", ["depth", "width"], None),
    ],
)
def test_look_alikes(name, columns, found):
    assert look_alike(name, columns) == found


def test_missing_variables_name_the_ones_there_are():
    frame = LEAF.rename(potential_evaporation="pet").to_dataframe()
    with pytest.raises(KeyError, match=r"found precipitation, pet, .*'pet': 'potential_evap"):
        ph.simulate(ph.Hymod(snow=False), ph.Hymod(snow=False).default, frame)


def test_evaporation_that_is_counted_as_a_loss():
    upward = changed(LEAF, potential_evaporation=-LEAF.potential_evaporation.values)
    with pytest.raises(ValueError, match=r"as in ERA5. then multiply it by -1"):
        as_basin(upward)


def test_masked_and_text_columns():
    masked = LEAF.to_dataframe()
    masked["discharge"] = masked["discharge"].astype("Float64").where(masked.index.day != 3)
    assert int(as_basin(masked)["discharge"].isnull().sum()) == (LEAF.time.dt.day == 3).sum()
    with pytest.raises(TypeError, match=r"'discharge': expected numbers, found .* '0.1"):
        as_basin(masked.assign(discharge=[f"{q} e" for q in LEAF["discharge"].values]))


N = 200
DAYS = pd.date_range("2001-05-01", periods=N)


def weather(**series):
    values = {
        "temperature": 15 + np.sin(np.arange(N)),
        "temperature_min": 10.0,
        "temperature_max": 20.0,
        "shortwave_radiation": 200.0,
        "relative_humidity": 60.0,
        "wind_speed": 2.0,
    } | series
    columns = {n: ("time", np.broadcast_to(v, N).astype(float)) for n, v in values.items()}
    return xr.Dataset(columns, {"time": DAYS}, {"latitude": 45.0, "elevation": 100.0})


def one(name, value):
    return weather(**{name: np.where(np.arange(N) == 50, value, weather()[name].values)})


BAD_WEATHER = {
    "wind": (one("wind_speed", -999), "'wind_speed' is outside .* first -999 at 2001-06-20"),
    "radiation": (one("shortwave_radiation", -9999), "'shortwave_radiation' is outside"),
    "humidity": (one("relative_humidity", -99), "'relative_humidity' is outside"),
    "humid": (one("relative_humidity", 999), "first 999"),
    "warmest": (one("temperature_max", -99), "'temperature_max' is outside"),
    "coldest": (one("temperature_min", 9.96921e36), "'temperature_min' is outside"),
    "mean": (one("temperature", -999.9), "'temperature' have 1 values of -999.9, a usual code"),
    "gap in wind": (one("wind_speed", np.nan), "'wind_speed' has 1 values that are missing"),
    "gap in mean": (one("temperature", np.nan), "'temperature' has 1 values that are missing"),
    "exchanged": (weather(temperature_min=20, temperature_max=10), "are they exchanged"),
    "one exchanged": (one("temperature_min", 25), "below temperature_min on 1 days.*2001-06-20"),
    "fraction": (weather(relative_humidity=0.6), "a fraction; multiply it by 100"),
    "joule": (weather(shortwave_radiation=2e7), "a sum in J/m2"),
    "kelvin": (weather(temperature=288), "'temperature' is outside.*in K"),
    "height": (weather().assign_attrs(elevation=-999), "elevation: expected -450 to 9000 m"),
    "latitude": (weather().assign_attrs(latitude=-999), "latitude: expected -90 to 90"),
}


@pytest.mark.parametrize(("basin", "message"), BAD_WEATHER.values(), ids=BAD_WEATHER)
def test_what_evaporation_is_computed_from(basin, message):
    with pytest.raises(ValueError, match=message):
        potential_evaporation(basin, "penman_monteith")


@pytest.mark.parametrize(
    ("name", "unit"),
    [("temperature", "K"), ("shortwave_radiation", "MJ/m2"), ("wind_speed", "km/h")],
)
def test_units_of_what_evaporation_is_computed_from(name, unit):
    basin = weather()
    basin[name].attrs["units"] = unit
    with pytest.raises(ValueError, match=f"'{name}'.*'{unit}', expected"):
        potential_evaporation(basin, "penman_monteith")
    if name == "temperature":
        with pytest.raises(ValueError, match=r"subtract 273\.15"):
            potential_evaporation(basin, "oudin")


def test_the_other_hemisphere():
    year = pd.date_range("2001-01-01", periods=730)
    summer_in_july = 10 - 10 * np.cos(2 * np.pi * (year.day_of_year - 15) / 365)
    basin = xr.Dataset({"temperature": ("time", summer_in_july)}, {"time": year})
    found = potential_evaporation(basin, latitude=45)["potential_evaporation"]
    assert 1.5 < float(found.mean()) < 3
    with pytest.warns(UserWarning, match="warm while the sun is low.*southern latitudes are neg"):
        potential_evaporation(basin, latitude=-45)


def daily(start="2001-06-01", n=5, **attributes):
    days = pd.date_range(start, periods=n)
    return xr.DataArray(np.arange(1.0, n + 1), {"time": days}, ("time",), attrs=attributes)


def test_hours_of_days_that_do_not_begin_at_midnight():
    """From six to six: the sun is highest in the sixth hour after the label."""
    found = to_hourly(daily("2001-06-01 06:00"), 45.0)
    assert pd.Timestamp(found.time.values[0]) == pd.Timestamp("2001-06-01 06:00")
    by_day = found.values.reshape(5, 24)
    np.testing.assert_allclose(by_day.mean(axis=1), np.arange(1.0, 6), rtol=1e-12)
    peak = found.time.dt.hour.values.reshape(5, 24)[np.arange(5), by_day.argmax(axis=1)]
    assert set(peak) <= {11, 12}
    night = found.where((found.time.dt.hour < 4) | (found.time.dt.hour > 20), drop=True)
    assert float(night.max()) == 0
    missing = to_hourly(daily().where(lambda d: d != 3), 45.0)
    assert int(missing.isnull().sum()) == 24


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (daily(units="mm/h"), "multiply by 24"),
        (daily(units="m/s"), "unit 'm/s', expected 'mm/d'"),
        (daily("2001-06-01 00:30"), "begin at a whole hour, found 2001-06-01 00:30"),
        (-daily(), "multiply it by -1"),
        (daily().where(lambda d: d != 3, -999.0), "negative in 1 intervals, first -999"),
        (daily().isel(time=[0, 2, 3]), "without gaps"),
        (daily().assign_coords(time=pd.date_range("2001", periods=5, freq="h")), "without gaps"),
    ],
)
def test_days_that_cannot_be_spread(series, message):
    with pytest.raises(ValueError, match=message):
        to_hourly(series, 45.0)


def test_heights_without_data():
    with pytest.raises(ValueError, match=r"-450 to 9000 m, found -9999 .* without data"):
        ph.elevation_bands([800, 900, -9999, 1000, 1100], n=2)


@pytest.mark.parametrize(
    ("model", "state", "message"),
    [
        (ph.HBV(), {"S": -1.0}, r"negative contents, S = -1 mm; a store that is empty has 0"),
        (ph.HBV(), {"S": 5000.0}, r"HBV: initial_state has 5000 mm in 'S', which holds .* share"),
        (ph.GR4J(), {"S": 1e5}, "100000 mm in 'S'"),
        (ph.Hymod(), {"S_u": -0.1}, "negative contents, S_u = -0.1"),
        (ph.Hymod(), {"S_u": np.nan}, "finite values"),
        (ph.Hymod(), {"S_u": 700}, "700 mm in 'S_u', which holds 300 mm"),
    ],
)
def test_contents_at_the_start(model, state, message):
    with pytest.raises(ValueError, match=message):
        ph.simulate(model, model.default, FULDA, initial_state=state)


def test_contents_somewhat_above_the_capacity():
    model = ph.HBV()
    theta = model.parameter_vector(model.default)
    capacity = theta[model.parameter_names.index("F_c")]
    state = np.where(np.array(model.store_names) == "S", 1.5 * capacity, 0)
    with pytest.warns(UserWarning, match=r"in 'S', which holds"):
        check_capacities(model, state, theta)
    check_capacities(model, state / 1.5, theta)
    draws = np.stack([theta, theta])
    draws[1, model.parameter_names.index("F_c")] *= 2  # one of them has room
    check_capacities(model, state, draws)
