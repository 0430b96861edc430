"""Units as files write them, and their conversion into the units of the schema: mm/d and degC."""

import re
from collections.abc import Sequence
from math import isclose
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

__all__ = ["Unit", "are_same_unit", "is_unit", "parse_unit", "to_schema"]

FOOT, MILE, DAY = 0.3048, 1609.344, 86400.0
# Names, factor to metres, powers of metre, second and kilogram. Case counts where a name has it.
_TABLE = (
    ("mm millimeter millimetre millimeters millimetres", 1e-3, 1, 0, 0),
    ("cm centimeter centimetre", 1e-2, 1, 0, 0),
    ("dm", 0.1, 1, 0, 0),
    ("dam", 10.0, 1, 0, 0),
    ("um µm μm micrometer micrometre", 1e-6, 1, 0, 0),
    ("m meter metre meters metres", 1.0, 1, 0, 0),
    ("hm Mm", 100.0, 1, 0, 0),  # hm3 and Mm3 are a million of m3
    ("km kilometer kilometre", 1e3, 1, 0, 0),
    ("in inch inches", FOOT / 12, 1, 0, 0),
    ("ft foot feet", FOOT, 1, 0, 0),
    ("mi mile miles", MILE, 1, 0, 0),
    ("l liter litre liters litres", 1e-3, 3, 0, 0),
    ("ML Ml megaliter megalitre megaliters megalitres", 1e3, 3, 0, 0),
    ("kl cum cbm", 1.0, 3, 0, 0),
    ("gl gigaliter gigalitre mcm", 1e6, 3, 0, 0),
    ("af acft acrefeet", 43560 * FOOT**3, 3, 0, 0),
    ("gal", 231 * (FOOT / 12) ** 3, 3, 0, 0),
    ("mgal", 231e6 * (FOOT / 12) ** 3, 3, 0, 0),
    ("cuft cf", FOOT**3, 3, 0, 0),
    ("ha hectare", 1e4, 2, 0, 0),
    ("sqkm", 1e6, 2, 0, 0),
    ("sqmi", MILE**2, 2, 0, 0),
    ("kg kilogram", 1.0, 0, 0, 1),
    ("s sec seg sek second seconds sekunde secondo", 1.0, 0, 1, 0),
    ("min minute minutes", 60.0, 0, 1, 0),
    ("h hr hrs hour hours std stunde stunden heure heures hora horas ora", 3600.0, 0, 1, 0),
    ("d day days dy tag jour jours dia día giorno dag j", DAY, 0, 1, 0),
    ("wk week weeks", 7 * DAY, 0, 1, 0),
)
_PARTS = {name: (f, m, t, w) for names, f, m, t, w in _TABLE for name in names.split()}
# Times whose length depends on the date.
_SPANS = dict.fromkeys(("mon", "month", "months", "monat", "mois", "mes"), "month")
_SPANS |= dict.fromkeys(("yr", "year", "years", "a", "jahr", "an", "año"), "year")
# Whole units in one word.
_WORDS = dict.fromkeys(("cumec", "cumecs", "cms", "m3s", "m3ps"), "m3/s")
_WORDS |= dict.fromkeys(("cubicmeterspersecond", "cubicmetrespersecond"), "m3/s")
_WORDS |= dict.fromkeys(("cfs", "cusec", "cusecs", "ft3s", "cubicfeetpersecond"), "ft3/s")
_WORDS |= dict.fromkeys(("kcfs", "1000cfs"), "1000 ft3/s")
_WORDS |= dict.fromkeys(("mmd", "mmday"), "mm/d") | dict.fromkeys(("mmh", "mmhr"), "mm/h")
_WORDS |= dict.fromkeys(("ls", "lps"), "l/s") | {"mld": "ML/d", "mgd": "mgal/d", "gpm": "gal/min"}
_CELSIUS = "c celsius degc degreec degreesc gradc gradcelsius degreecelsius degreescelsius".split()
_TEMPERATURES = dict.fromkeys(_CELSIUS, (1.0, 0.0))
_TEMPERATURES |= dict.fromkeys(("k", "kelvin", "degk"), (1.0, -273.15))
_TEMPERATURES |= dict.fromkeys(("f", "fahrenheit", "degf", "degreesfahrenheit"), (5 / 9, -160 / 9))
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺·", "0123456789-+ ")
# A number before a unit: 1000 m3, 10^3 m3, 0.1 mm, 1/10 mm, tenths of mm.
_SCALES = (
    (re.compile(r"10\s*(?:\^|\*\*)\s*(-?\d+)\s*(?=[^\W\d])"), lambda m: 10.0 ** int(m[1])),
    (re.compile(r"1/(10+)\s*(?=[^\W\d_]|°)"), lambda m: 1 / float(m[1])),
    (re.compile(r"(\d+(?:\.\d+)?)\s*(?=[^\W\d_]|°)"), lambda m: float(m[1])),
    (re.compile(r"tenths\s+of\s+(?:an?\s+)?", re.IGNORECASE), lambda m: 0.1),
    (re.compile(r"hundredths\s+of\s+(?:an?\s+)?", re.IGNORECASE), lambda m: 0.01),
)
_OF_WATER = re.compile(r"\s*(?:\bof\s+water\s+equivalent\b|\bw\.?\s?e\.?(?=\W|$))", re.IGNORECASE)
_PART = re.compile(r"([^\W\d_]+)\s*(?:\^|\*\*)?\s*\(?([-+]?\d+)?\)?")
DENSITY = 1000.0  # kg/m3
# Powers of metre, second and kilogram: kind, and the factor from SI to mm/d, mm, m3/d or m3.
_KINDS = {
    (1, -1, 0): ("rate", 1e3 * DAY),
    (-2, -1, 1): ("rate", 1e3 * DAY / DENSITY),
    (1, 0, 0): ("sum", 1e3),
    (-2, 0, 1): ("sum", 1e3 / DENSITY),
    (3, -1, 0): ("flow", DAY),
    (3, 0, 0): ("volume", 1.0),
}
KNOWN = "mm/d, mm/h, mm, cm/d, m/d, m, in, mm/month, kg/m2/s, m3/s, L/s, cfs, ML/d, m3/d, L/s/km2"
OTHERS = ("-", "1", "%", "W/m2", "m/s", "hPa", "Pa")  # of columns that are not of the schema


class Unit(NamedTuple):
    """A unit of the water cycle, or of temperature.

    Attributes
    ----------
    kind : {"rate", "sum", "flow", "volume", "temperature"}
        A depth in a time, a depth, a volume in a time, a volume; or a temperature.
    factor : float
        To mm/d, mm, m3/d or m3; of a temperature to degrees Celsius.
    shift : float
        Added to a temperature after the multiplication.
    span : {"", "month", "year"}
        The time, if it is one whose length depends on the date; `factor` is then to mm or m3.
    """

    kind: str
    factor: float
    shift: float = 0.0
    span: str = ""


def parse_unit(text: str) -> Unit | None:
    """Return a unit written in any of the usual ways, None if it is none.

    Parameters
    ----------
    text : str
        Such as ``m3/s``, ``m³ s⁻¹``, ``m**3 s**-1``, ``ML.day^-1``, ``mm d-1``, ``L/s/km²``.
    """
    plain = text.strip().strip("[]").strip().translate(_SUPERSCRIPTS)
    plain = plain[1:-1] if plain[:1] == "(" and plain[-1:] == ")" else plain
    plain, scale = _OF_WATER.sub("", plain), 1.0
    found = ((pattern.match(plain), number) for pattern, number in _SCALES)
    if first := next(((m, number(m)) for m, number in found if m), None):
        plain, scale = plain[first[0].end() :], first[1]
    warmth = _TEMPERATURES.get(re.sub(r"[\s_°º.]", "", plain).lower())
    if warmth is not None:
        return Unit("temperature", scale * warmth[0], warmth[1])
    plain = _WORDS.get(re.sub(r"[\s._]", "", plain).lower(), plain)
    plain = re.sub(r"\bac(re)?[-\s]?(ft|feet|foot)\b", "acft", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\bcu(bic)?[-.\s]+(ft|feet|foot)\b", "cuft", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\bmillion\s+m(\^|\*\*)?3", "Mm3", plain, flags=re.IGNORECASE)
    factor, span, powers = scale, "", (0, 0, 0)
    for i, side in enumerate(re.split(r"/|\bper\b", plain)):
        sign = -1 if i else 1
        count = re.match(r"\s*(\d+)\s*(?=[^\W\d])", side)  # mm/6h
        if count:
            factor, side = factor * float(count[1]) ** sign, side[count.end() :]
        if re.sub(r"[\s.*()]", "", _PART.sub("", side)) or not side.strip(" ()"):
            return None
        for name, number in _PART.findall(side):
            power = sign * int(number or 1)
            part = _PARTS.get(name) or _PARTS.get(name.lower())
            if name.lower() in _SPANS and power == -1 and not span:
                span, part = _SPANS[name.lower()], (1.0, 0, 1, 0)
            if part is None:
                return None
            factor *= part[0] ** power
            metres, seconds, kilograms = powers
            powers = (
                metres + power * part[1],
                seconds + power * part[2],
                kilograms + power * part[3],
            )
    if powers not in _KINDS:
        return None
    kind, to_unit = _KINDS[powers]
    return Unit(kind, factor * to_unit / (DAY if span else 1.0), span=span)


def are_same_unit(one: str, other: str) -> bool:
    """Return whether two texts are one unit, however they are written."""
    a, b = parse_unit(one), parse_unit(other)
    if a is None or b is None:
        return one == other
    return a._replace(factor=1.0) == b._replace(factor=1.0) and isclose(a.factor, b.factor)


def is_unit(text: str) -> bool:
    """Return whether a text is a unit: of the water cycle, or of the weather."""
    return parse_unit(text) is not None or text.strip(" []()") in OTHERS


def to_schema(
    source,
    name: str,
    values,
    unit: str,
    time: pd.DatetimeIndex | np.ndarray,
    area: float | None,
) -> np.ndarray:
    """Return `values` of the variable `name` in the unit of the schema.

    Parameters
    ----------
    source : str or Path
        The column, as messages name it.
    name : str
        Of the schema, such as "discharge".
    values : array_like, shape (n_time,), in `unit`
    unit : str
        As :func:`parse_unit` takes it: a depth in a time, a depth (the sum over an interval), a
        volume in a time, a volume, or for temperature degC, K or degF.
    time : array_like of datetime64, shape (n_time,)
        Starts of the intervals, evenly spaced.
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
    values, found = np.asarray(values, dtype=float), parse_unit(unit)
    if found is None or (found.kind == "temperature") != name.startswith("temperature"):
        known = "degC, K, degF" if name.startswith("temperature") else KNOWN
        raise ValueError(
            f"{source}: unknown unit {unit!r} of {name!r}; known are {known} and the like"
        )
    values = values * found.factor + found.shift
    if found.kind in ("sum", "volume"):
        values = values / ((time[1] - time[0]) / np.timedelta64(1, "D"))
    elif found.span:
        values = values / _days(pd.DatetimeIndex(time), found.span)
    if found.kind not in ("flow", "volume"):
        return values
    if area is None:
        raise ValueError(
            f"{source}: {name!r} is in {unit}, which needs the basin's area; give area= in km2"
        )
    if not isinstance(area, Real):
        raise TypeError(f"{source}: area must be a number, in km2, found {area!r}")
    if not 0 < area < 1e7:
        raise ValueError(
            f"{source}: the basin's area must be between 0 and 1e7 km2 (the Amazon has 6e6), found "
            f"{area:g}; areas are in km2, not m2"
        )
    return values * (1e3 / (area * 1e6))


def _days(time: pd.DatetimeIndex, span: str) -> np.ndarray | Sequence[int]:
    """Return the length of the month or year that each interval is in, in days."""
    return time.days_in_month.to_numpy() if span == "month" else 365 + time.is_leap_year
