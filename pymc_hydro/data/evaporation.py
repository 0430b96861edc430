"""Potential evaporation from temperature and more, for basins that come without it."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.core.base.warning import warn_user
from pymc_hydro.data.checks.dates import as_dates
from pymc_hydro.data.checks.limits import WEATHER, check_weather
from pymc_hydro.data.checks.quantities import without_units
from pymc_hydro.data.checks.values import as_floats
from pymc_hydro.data.schema import check_units, check_values

__all__ = ["METHODS", "oudin", "potential_evaporation", "to_hourly"]

SOLAR_CONSTANT = 0.0820  # MJ m-2 min-1, FAO 56
MINUTES_PER_DAY = 1440
LATENT_HEAT_DENSITY = 2.45  # MJ per mm and m2: latent heat 2.45 MJ/kg, density 1000 kg/m3
MEGAJOULES = 0.0864  # MJ m-2 d-1 in one W m-2
LOWEST, HIGHEST = -450.0, 9000.0  # m, of land
YEAR, AGAINST_THE_SUN = 365, -0.3  # days; correlation of temperature with radiation above the air
UNITS = {"temperature": "degC"} | {name: unit for name, (unit, *_) in WEATHER.items()}
_HUMIDITY = "relative_humidity or vapour_pressure"
# Method: its inputs beside temperature and latitude.
METHODS = {
    "oudin": (),
    "hamon": (),
    "hargreaves": ("temperature_min", "temperature_max"),
    "priestley_taylor": ("temperature_min", "temperature_max", "shortwave_radiation", _HUMIDITY),
    "penman_monteith": (
        "temperature_min",
        "temperature_max",
        "shortwave_radiation",
        "wind_speed",
        _HUMIDITY,
    ),
}


def oudin(temperature: Any, time: Any, latitude: float) -> np.ndarray:
    """Return potential evaporation after Oudin et al. (2005), from temperature and date alone.

    ``E = R_e (T + 5) / (100 lambda rho)`` where ``T > -5`` degC, otherwise 0, with the
    extraterrestrial radiation R_e after FAO 56, equations 21 to 25.

    Parameters
    ----------
    temperature : array_like, shape (n_time,), in degC
        Daily mean.
    time : array_like of datetime64, shape (n_time,)
    latitude : float, in degrees north

    Returns
    -------
    array, shape (n_time,), in mm/d

    References
    ----------
    Oudin, L., et al. (2005). J. Hydrol. 303, 290-306. doi:10.1016/j.jhydrol.2004.08.026
    Allen, R. G., et al. (1998). FAO Irrigation and Drainage Paper 56.
    """
    phi, distance, declination = _sun(time, latitude)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1, 1))
    geometry = sunset * np.sin(phi) * np.sin(declination)
    geometry = geometry + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    radiation = MINUTES_PER_DAY / np.pi * SOLAR_CONSTANT * distance * geometry
    warmth = np.maximum(np.asarray(temperature, dtype=float) + 5, 0)
    return radiation * warmth / (100 * LATENT_HEAT_DENSITY)


def potential_evaporation(
    basin: xr.Dataset,
    method: str = "oudin",
    latitude: float | None = None,
    elevation: float | None = None,
) -> xr.Dataset:
    """Return a daily basin with potential evaporation computed by a method of choice.

    Parameters
    ----------
    basin : Dataset
        On ``time``: ``temperature`` in degC and, depending on the method, ``temperature_min`` and
        ``temperature_max`` in degC, ``shortwave_radiation`` in W/m2, ``wind_speed`` at 2 m in m/s,
        ``relative_humidity`` in % or ``vapour_pressure`` in Pa.
    method : {"oudin", "hamon", "hargreaves", "priestley_taylor", "penman_monteith"}
        All but Oudin's need the extra ``pet`` (pyet); the last one is FAO 56's.
    latitude : float, in degrees north, optional
        The attribute ``latitude`` of `basin` where not given.
    elevation : float, in m, optional
        The attribute ``elevation`` of `basin` where not given; needed for the two last methods.

    Returns
    -------
    Dataset
        `basin` with ``potential_evaporation`` in mm/d.

    Raises
    ------
    KeyError, ValueError, ImportError
        If the method is unknown, something it needs is missing, has gaps, another unit or values
        that cannot be, or pyet is not installed.

    Warns
    -----
    UserWarning
        If the warm season is that of the other hemisphere.

    References
    ----------
    Vremec, M., Collenteur, R. A., Birk, S. (2024). Geosci. Model Dev. 17, 7083-7103.
    doi:10.5194/gmd-17-7083-2024
    """
    if method not in METHODS:
        raise KeyError(f"unknown method {method!r}; known are {', '.join(METHODS)}")
    lacking = [n for n in ("temperature", *METHODS[method]) if not _has(basin, n)]
    if lacking:
        raise KeyError(f"{method}: the basin has no {', '.join(lacking)}; choose another method")
    latitude = basin.attrs.get("latitude") if latitude is None else latitude
    elevation = basin.attrs.get("elevation") if elevation is None else elevation
    if latitude is None:
        raise ValueError(f"{method}: give latitude= in degrees north")
    time = as_dates(f"{method}: 'time'", basin.get_index("time")).to_numpy()
    if (np.diff(time) != np.timedelta64(1, "D")).any():
        raise ValueError(
            f"{method}: is for daily data; compute it from daily means and use to_hourly"
        )
    _check_latitude(latitude)
    if elevation is not None and not LOWEST <= elevation <= HIGHEST:
        raise ValueError(
            f"elevation: expected {LOWEST:g} to {HIGHEST:g} m, found {elevation:g}; a code such as "
            "-999 stands for no height"
        )
    basin = _checked(without_units(basin, UNITS), method, time)
    _warn_of_hemisphere(basin["temperature"].values, time, latitude)
    if method == "oudin":
        values = oudin(basin["temperature"].values, time, latitude)
    else:
        values = _with_pyet(basin, method, np.deg2rad(latitude), elevation)
    attributes = {"units": "mm/d", "long_name": f"potential evaporation ({method})"}
    return basin.assign(potential_evaporation=("time", np.asarray(values), attributes))


def _checked(basin, method, time):
    """Return the basin after checking the series that the method needs."""
    names = [n for entry in METHODS[method] for n in entry.split(" or ") if n in basin]
    if "relative_humidity" in names and "vapour_pressure" in names:
        names.remove("vapour_pressure")  # is then not used
    checked = {}
    for name in ("temperature", *names):
        values = as_floats(basin[name], f"{method}: {name!r}")
        if name in WEATHER:
            check_weather(method, name, values, time, basin[name].attrs)
        else:
            check_units(f"{method}: {name!r}", name, basin[name].attrs)
            check_values(name, values, time, gaps=False, where=method)
        checked[name] = (basin[name].dims, values, basin[name].attrs)
    if {"temperature_min", "temperature_max"} <= set(names):
        below = checked["temperature_max"][1] < checked["temperature_min"][1]
        if below.any():
            raise ValueError(
                f"{method}: temperature_max is below temperature_min on {int(below.sum())} days, "
                f"first at {pd.Timestamp(time[below.argmax()])}; are they exchanged?"
            )
    return basin.assign(checked).assign_coords(time=time)


def _warn_of_hemisphere(temperature, time, latitude):
    radiation = oudin(np.zeros(time.size), time, latitude)
    if time.size < YEAR or min(np.std(temperature), np.std(radiation)) == 0:
        return
    correlation = np.corrcoef(temperature, radiation)[0, 1]
    if correlation < AGAINST_THE_SUN:
        warn_user(
            f"potential evaporation: it is warm while the sun is low (correlation "
            f"{correlation:.2f}) at latitude {latitude:g}; southern latitudes are negative",
        )


def to_hourly(daily: xr.DataArray, latitude: float) -> xr.DataArray:
    """Spread daily potential evaporation over the hours like the sun's radiation above the air.

    Parameters
    ----------
    daily : DataArray, shape (n_day,), in mm/d
        On ``time``, in local solar time: the label is the start of a day, at any whole hour.
    latitude : float, in degrees north

    Returns
    -------
    DataArray, shape (24 n_day,), in mm/d
        Rates; the mean of a day's 24 values is the day's value. In the polar night a day's amount
        is spread_over evenly.

    Raises
    ------
    TypeError, ValueError
        If labels are no dates at whole hours a day apart, or values are negative, infinite or of
        another unit. Missing values stay missing.

    References
    ----------
    Allen, R. G., et al. (1998). FAO Irrigation and Drainage Paper 56, equation 28.
    """
    days = as_dates("to_hourly: 'time'", daily.get_index("time"))
    if len(days) > 1 and (np.diff(days.to_numpy()) != np.timedelta64(1, "D")).any():
        raise ValueError("to_hourly: expected daily values without gaps")
    if (days != days.floor("h")).any():
        raise ValueError(
            f"to_hourly: days must begin at a whole hour, found {days[0]}; the label of a day is "
            "its start"
        )
    check_units(f"to_hourly: {daily.name or 'daily'}", "potential_evaporation", daily.attrs)
    amounts = as_floats(daily, "to_hourly")
    name = "potential_evaporation"
    check_values(name, amounts, days.to_numpy(), gaps=True, where="to_hourly")
    hours = pd.date_range(days[0], periods=24 * len(days), freq="h")
    phi, _, declination = _sun(hours, latitude)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1, 1))
    first = np.pi / 12 * (hours.hour.to_numpy() - 12)  # hour angle at the start of each hour
    first, last = (np.clip(angle, -sunset, sunset) for angle in (first, first + np.pi / 12))
    shape = (last - first) * np.sin(phi) * np.sin(declination)
    shape = shape + np.cos(phi) * np.cos(declination) * (np.sin(last) - np.sin(first))
    shape = shape.reshape(len(days), 24)
    total = shape.sum(axis=1, keepdims=True)
    dark = total <= 0
    share = np.where(dark, 1 / 24, shape / np.where(dark, 1, total))
    rates = (24 * share * amounts[:, None]).ravel()
    attributes = {**daily.attrs, "units": "mm/d"}
    return xr.DataArray(rates, {"time": hours.to_numpy()}, ("time",), daily.name, attributes)


def _sun(time, latitude):
    """Return latitude in radians, relative distance and declination (FAO 56, equations 22-24)."""
    _check_latitude(latitude)
    angle = 2 * np.pi * pd.DatetimeIndex(time).day_of_year.to_numpy() / 365
    return np.deg2rad(latitude), 1 + 0.033 * np.cos(angle), 0.409 * np.sin(angle - 1.39)


def _check_latitude(latitude):
    if not -90 <= latitude <= 90:
        raise ValueError(f"latitude: expected -90 to 90 degrees north, found {latitude}")


def _has(basin, name):
    return any(n in basin for n in name.split(" or "))


def _with_pyet(basin, method, latitude, elevation):
    try:
        import pyet
    except ImportError:
        raise ImportError(
            f"{method} needs pyet: pip install 'pymc-hydro[pet]'; 'oudin' is built in"
        ) from None
    found = {n: basin[n].to_series() for n in basin.data_vars if basin[n].dims == ("time",)}
    mean = found["temperature"]
    if method == "hamon":
        return pyet.hamon(mean, latitude)
    low, high = found["temperature_min"], found["temperature_max"]
    if (high - low).abs().lt(1e-6).mean() > 0.9:
        raise ValueError(
            f"{method}: temperature_min equals temperature_max, both are daily means; use 'oudin', "
            "or a forcing with both"
        )
    if method == "hargreaves":
        return pyet.hargreaves(mean, high, low, latitude)
    if elevation is None:
        raise ValueError(f"{method}: give elevation= in m")
    humidity = found.get("relative_humidity")
    if humidity is None:
        saturated = 1000 * (pyet.calc_e0(low) + pyet.calc_e0(high)) / 2  # Pa, FAO 56 equation 12
        humidity = (100 * found["vapour_pressure"] / saturated).clip(upper=100)
    common = {
        "rs": found["shortwave_radiation"] * MEGAJOULES,
        "tmax": high,
        "tmin": low,
        "rh": humidity,
        "elevation": elevation,
        "lat": latitude,
    }
    if method == "priestley_taylor":
        return pyet.priestley_taylor(mean, **common)
    return pyet.pm_fao56(mean, found["wind_speed"], **common)
