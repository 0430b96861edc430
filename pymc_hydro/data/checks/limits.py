"""Limits of nature: values that a record cannot hold, and values that make it doubtful."""

from collections.abc import Iterator, Mapping

import numpy as np

from pymc_hydro.data.checks.dates import date_text
from pymc_hydro.data.checks.values import place_text

__all__ = ["WEATHER", "check_weather", "doubts", "isolated_text"]

DAY = np.timedelta64(1, "D")
YEAR, MONTHS = 365, 45  # days of a record with seasons; of temperature that does not change
DRIEST_MEAN, WETTEST_MEAN, STRONGEST_EVAPORATION = 0.03, 15.0, 10.0  # mm/d
# Outside: hardly a closed basin with the right units; lower in dry basins and short records.
RUNOFF_RATIOS, LOWEST_RATIO = (0.02, 1.2), 1e-3
DRY = 2.0  # potential evaporation by precipitation
SEASONS = 3.0  # degC, standard deviation of monthly temperature with a summer and a winter
# Positive codes of missing values, if no other value is above half of one; or above that share of
# it, where it stands in several intervals. Not judged in a series of fewer intervals.
NEAR, FEWEST = 0.9, 10
NINES = (99.0, 99.9, 99.99, 999.0, 999.9, 999.99, 9999.0, 9999.9, 99999.0, 32767.0, 65535.0)
# Inputs of potential evaporation beside the schema: unit, least, most, usual fault.
WEATHER = {
    "temperature_min": ("degC", -90.0, 65.0, "is it in K or degF?"),
    "temperature_max": ("degC", -90.0, 65.0, "is it in K or degF?"),
    "shortwave_radiation": ("W/m2", 0.0, 600.0, "is it a sum in J/m2?"),
    "relative_humidity": ("%", 0.0, 110.0, "is it in percent?"),
    "vapour_pressure": ("Pa", 0.0, 8000.0, "is it in Pa?"),
    "wind_speed": ("m/s", 0.0, 60.0, "is it in m/s?"),
}
_SAME_UNITS = {
    "W/m2": ("W m-2", "W/m^2", "W m^-2", "W/m²", "W m⁻²", "W m**-2"),
    "%": ("percent",),
    "m/s": ("m s-1", "m s^-1", "m s⁻¹", "m s**-1"),
    "degC": ("°C", "C", "celsius", "Celsius", "deg_C", "degrees_celsius", "degree_Celsius"),
}
# Largest values below which a series is in another unit, and that unit.
_SMALL = {
    "relative_humidity": (1.0001, "a fraction; multiply it by 100"),
    "vapour_pressure": (100.0, "hPa or kPa; convert it to Pa"),
    "shortwave_radiation": (50.0, "MJ/m2 a day; divide it by 0.0864"),
}


def check_weather(what: str, name: str, values: np.ndarray, time, attributes: Mapping) -> None:
    """Raise ValueError if a series that potential evaporation is computed from cannot be.

    Parameters
    ----------
    what : str
        Who asks for it, in messages.
    name : str
        One of ``WEATHER``.
    values : array, shape (n_time,)
    time : array of datetime64, shape (n_time,)
    attributes : mapping
        ``units`` is checked if it is there.
    """
    unit, low, high, fault = WEATHER[name]
    found = str(attributes.get("units", unit)).strip()
    if found != unit and found not in _SAME_UNITS.get(unit, ()):
        raise ValueError(f"{what}: {name!r} is in {found!r}, expected {unit!r}; convert it")
    missing = ~np.isfinite(values)
    if missing.any():
        raise ValueError(
            f"{what}: {name!r} has {int(missing.sum())} values that are missing or infinite, first "
            f"at {date_text(time[missing.argmax()])}; fill them first, or choose a method that "
            "does not need it"
        )
    out = (values < low) | (values > high)
    if out.any():
        at = out.argmax()
        raise ValueError(
            f"{what}: {name!r} is outside {low:g} to {high:g} {unit} in {int(out.sum())} "
            f"intervals, first {values[at]:g} at {date_text(time[at])}; replace codes of missing "
            f"values such as -999; {fault}"
        )
    most, other = _SMALL.get(name, (0.0, ""))
    if values.size and values.max() < most and (values.size >= YEAR or most < 2):
        raise ValueError(
            f"{what}: {name!r} is at most {values.max():g}, expected {unit!r}; it seems to be in "
            f"{other}"
        )


def doubts(record: Mapping[str, np.ndarray], time: np.ndarray, shortest: int = YEAR) -> list[str]:
    """Return the doubts about a checked record, one sentence each, with the usual fix.

    Parameters
    ----------
    record : mapping of variable to array, shape (n_time,)
        Of the schema.
    time : array of datetime64, shape (n_time,)
    shortest : int
        Days from which on means are judged.
    """
    days = time.size * float((time[1] - time[0]) / DAY)
    found = [*_isolated(record, time), *_future(record, time)]
    if days >= shortest:
        found += _doubtful_means(record, days)
    if days >= YEAR and "temperature" in record:
        found += _doubtful_temperature(record, time)
    return found


def isolated_text(values: np.ndarray, time=None) -> str | None:
    """Return how a series of a quantity without sign may hold a positive code of missing values.

    Parameters
    ----------
    values : array, shape (..., n_time)
    time : array of datetime64, shape (n_time,), optional

    Returns
    -------
    str or None
        A text on an odd largest value, and the usual fix; None if the value is not odd.
    """
    most = np.nanmax(values, initial=0.0)
    if values.size < FEWEST or not any(abs(most - code) <= 1e-6 * code for code in NINES):
        return None
    equal = values == most
    others = values[~equal & np.isfinite(values)]
    second = others.max(initial=0.0)
    if others.size < 2 or second > NEAR * most or (equal.sum() < 2 and second > most / 2):
        return None
    place = place_text(values, equal, time)
    return (
        f"have the value {most:g} in {int(equal.sum())} intervals{place}, "
        f"and at most {second:.4g} elsewhere; does it stand for a missing value? then set it to NaN"
    )


def _isolated(record, time) -> Iterator[str]:
    for name, values in record.items():
        if name != "temperature" and (text := isolated_text(values, time)):
            yield f"values of {name} {text}"


def _future(record, time) -> Iterator[str]:
    known = np.flatnonzero(np.isfinite(record.get("discharge", np.empty(0))))
    if known.size and time[known[-1]] > np.datetime64("now") + DAY:
        yield (
            f"discharge is observed until {date_text(time[known[-1]])}, in the future; were years "
            "of two digits read as 20..? then subtract pandas.DateOffset(years=100)"
        )


def _doubtful_means(record, days) -> Iterator[str]:
    rain = record.get("precipitation")
    mean = np.nan if rain is None else rain.mean()
    if mean < DRIEST_MEAN:
        yield f"precipitation is {mean:.2g} mm/d on average; is it in mm, not m or inches?"
    if mean > WETTEST_MEAN:
        yield (
            f"precipitation is {mean:.3g} mm/d on average, more than but a few places have; are "
            "its unit and its interval right?"
        )
    evaporation = record.get("potential_evaporation")
    if evaporation is not None and evaporation.mean() > STRONGEST_EVAPORATION:
        yield (
            f"potential evaporation is {evaporation.mean():.1f} mm/d on average, more than the "
            "driest places have; compute it, for example with pet='oudin'"
        )
    flow = record.get("discharge")
    if flow is None or rain is None or not mean >= DRIEST_MEAN:
        return  # else the ratio says the same once more
    known = np.isfinite(flow)
    share = known.mean() if known.size else 0.0
    low, high = RUNOFF_RATIOS
    dry = evaporation is not None and evaporation.mean() > DRY * mean
    if dry or days * share < YEAR:
        low = LOWEST_RATIO
    total = rain[known].sum()
    if total > 0 and not low < flow[known].sum() / total < high:
        ratio = flow[known].sum() / total
        yield f"discharge is {ratio:.3g} times precipitation on average; look at units and area"


def _doubtful_temperature(record, time) -> Iterator[str]:
    warmth = record["temperature"]
    change = np.flatnonzero(np.diff(warmth) != 0)
    edges = np.concatenate([[0], change + 1, [warmth.size]])
    lengths = np.diff(edges)
    longest = lengths.argmax()
    days = lengths[longest] * float((time[1] - time[0]) / DAY)
    if days > MONTHS:
        at = edges[longest]
        yield (
            f"temperature is exactly {warmth[at]:g} degC for {days:.0f} days from "
            f"{date_text(time[at])} on; was a gap filled? fill it from another station, or use a "
            "model without snow"
        )
    if "potential_evaporation" not in record:
        return
    month = time.astype("datetime64[M]").astype(int)
    month -= month[0]
    n = np.bincount(month)
    series = (warmth, record["potential_evaporation"])
    means = np.array([np.bincount(month, values) for values in series])[:, n > 0] / n[n > 0]
    if means[0].std() < SEASONS or means[1].std() == 0:
        return  # without seasons
    correlation = float(np.asarray(np.corrcoef(means))[0, 1])
    if correlation < 0:
        yield (
            "potential evaporation is least in the warm months (correlation of monthly means with "
            f"temperature {correlation:.2f}); is one of them of the other hemisphere, or shifted? "
            "look at the sign of the latitude"
        )
