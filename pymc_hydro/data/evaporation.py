"""Potential evaporation from temperature, for basins that come without it."""

import numpy as np
import pandas as pd

__all__ = ["oudin"]

SOLAR_CONSTANT = 0.0820  # MJ m-2 min-1, FAO 56
MINUTES_PER_DAY = 1440
LATENT_HEAT_DENSITY = 2.45  # MJ per mm and m2: latent heat 2.45 MJ/kg, density 1000 kg/m3


def oudin(temperature, time, latitude: float) -> np.ndarray:
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
    if not -90 <= latitude <= 90:
        raise ValueError(f"latitude: expected -90 to 90 degrees north, found {latitude}")
    angle = 2 * np.pi * pd.DatetimeIndex(time).day_of_year.to_numpy() / 365
    phi = np.deg2rad(latitude)
    distance = 1 + 0.033 * np.cos(angle)
    declination = 0.409 * np.sin(angle - 1.39)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1, 1))
    geometry = sunset * np.sin(phi) * np.sin(declination)
    geometry = geometry + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    radiation = MINUTES_PER_DAY / np.pi * SOLAR_CONSTANT * distance * geometry
    warmth = np.maximum(np.asarray(temperature, dtype=float) + 5, 0)
    return radiation * warmth / (100 * LATENT_HEAT_DENSITY)
