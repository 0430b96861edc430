"""The mean annual snowfall of a record, which says how much snow covers the ground."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pymc_hydro.core.maps.cemaneige import ALL_RAIN, ALL_SNOW
from pymc_hydro.core.snow import LAPSE_RATE, PRECIPITATION_GRADIENT

__all__ = ["annual_snowfall"]

DAYS = 365.25  # of a year


def annual_snowfall(basin: Any, bands: Sequence[float] = (0.0,)) -> float:
    """Return the mean annual snowfall of a basin, for the option `annual_snowfall` of GR models.

    Parameters
    ----------
    basin : Dataset or DataFrame
        With precipitation in mm/d and temperature in degC; intervals with gaps are left out.
    bands : sequence of float
        Heights of elevation bands, as the model's option.

    Returns
    -------
    float
        In mm, the mean over the bands.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> basin = ph.load_basin("fulda")
    >>> model = ph.gr.GR4J(snow=True, annual_snowfall=ph.gr.annual_snowfall(basin))
    >>> model.parameter_names
    ('x1', 'x2', 'x3', 'x4', 'c_T', 'f_dd')
    """
    P, T = (np.asarray(basin[name], dtype=float) for name in ("precipitation", "temperature"))
    growth = np.exp(PRECIPITATION_GRADIENT * np.asarray(bands, dtype=float))
    snow = np.zeros_like(P)
    for height, factor in zip(bands, growth / growth.sum(), strict=True):
        share = (ALL_RAIN - T + LAPSE_RATE * height) / (ALL_RAIN - ALL_SNOW)
        snow += factor * P * np.clip(share, 0, 1)
    return float(DAYS * np.nanmean(snow))
