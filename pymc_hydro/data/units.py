"""Conversion of what files hold into the units of the schema: mm/d and degC."""

import numpy as np

from pymc_hydro.data.schema import VARIABLES

__all__ = ["to_schema"]

CUBIC_FOOT = 0.028316846592  # m3
INCH = 25.4  # mm
# Unit of the file: what a value is multiplied by to give mm/d.
DEPTHS = {
    "mm/d": 1.0,
    "mm/h": 24.0,
    "cm/d": 10.0,
    "m/d": 1000.0,
    "in/d": INCH,
    "kg/m2/s": 86400.0,
}
VOLUMES = {"m3/s": 1.0, "L/s": 1e-3, "cfs": CUBIC_FOOT}  # to m3/s
PER_INTERVAL = {"mm": 1.0, "in": INCH}  # sums over an interval, to mm
TEMPERATURES = {"degC": (1.0, 0.0), "K": (1.0, -273.15), "degF": (5 / 9, -160 / 9)}
ALIASES = {"ft3/s": "cfs", "l/s": "L/s", "m3 s-1": "m3/s", "mm h-1": "mm/h", "inch/d": "in/d"}
ALIASES |= {u: units[0] for units, _ in VARIABLES.values() for u in units}


def to_schema(source, name: str, values, unit: str, days: float, area: float | None) -> np.ndarray:
    """Return `values` of the variable `name` in the unit of the schema.

    Parameters
    ----------
    source : str or Path
        What messages name.
    name : str
        Of the schema, such as "discharge".
    values : array_like, shape (n_time,), in `unit`
    unit : str
        A rate (mm/d, mm/h, cm/d, m/d, in/d, kg/m2/s), a sum over the interval (mm, in), a volume
        (m3/s, L/s, cfs), or for temperature degC, K or degF.
    days : float
        Length of the interval.
    area : float, in km2, optional
        Needed for volumes.

    Returns
    -------
    array, shape (n_time,), in mm/d or degC

    Raises
    ------
    ValueError
        If the unit is not known for this variable, or the area is missing or absurd.
    """
    values, unit = np.asarray(values, dtype=float), ALIASES.get(unit, unit)
    if name.startswith("temperature"):
        if unit not in TEMPERATURES:
            raise ValueError(_unknown(source, name, unit, TEMPERATURES))
        factor, shift = TEMPERATURES[unit]
        return values * factor + shift
    if unit in DEPTHS:
        return values * DEPTHS[unit]
    if unit in PER_INTERVAL:
        return values * (PER_INTERVAL[unit] / days)
    if unit not in VOLUMES:
        raise ValueError(_unknown(source, name, unit, DEPTHS | PER_INTERVAL | VOLUMES))
    if area is None:
        raise ValueError(
            f"{source}: {name!r} is in {unit}, which needs the basin's area; give area= in km2"
        )
    if not 0 < area < 1e7:
        raise ValueError(
            f"{source}: the basin's area must be between 0 and 1e7 km2 (the Amazon has 6e6), found "
            f"{area:g}; areas are in km2, not m2"
        )
    return values * (VOLUMES[unit] * 86.4 / area)


def _unknown(source, name, unit, known):
    return f"{source}: unknown unit {unit!r} of {name!r}; known are {', '.join(known)}"
