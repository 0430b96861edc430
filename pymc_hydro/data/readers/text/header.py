"""The header of a table: the variable and unit of each column, and the dates."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pymc_hydro.data.checks.names import CLOCKS, DATES, PARTS, plain_name, variable_called
from pymc_hydro.data.readers.text.formats import DECIMAL_YEAR, SERIAL, looks_like_date, month_called
from pymc_hydro.data.units import is_unit, parse_unit

__all__ = ["LIQUID", "Heading", "dates_among", "headings", "is_row_of_units", "variables_among"]

_BRACKETS = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\])]*\(?[^\])]*)[\])]+\s*$")
# Names of one word that hold a unit: of the R package airGR, and of others.
_WORDS = {"qmm": "mm", "qmmd": "mm/d", "qls": "L/s", "qm3s": "m3/s", "qcms": "m3/s", "qcfs": "cfs"}


VALUES = ("value", "valeur", "wert", "valor", "valore", "messwert")
LIQUID = ("rain", "regen", "pluie", "lluvia", "pioggia", "chuva")
MAY_BE_ACTUAL = ("evap", "verdunst")


class Heading(NamedTuple):
    """A column as its header describes it."""

    column: str
    variable: str | None  # of the schema, or an extra one
    unit: str | None


def headings(columns: Sequence[str], units: Mapping[str, str] | None = None) -> list[Heading]:
    """Return the variable of each column, by its name and unit.

    Parameters
    ----------
    columns : sequence of str
        Such as ``rain``, ``Niederschlag [mm]``, ``Flow (ML.day^-1)``, ``Qobs_m3s``.
    units : mapping of column to unit, optional
        From a line of units.
    """
    found = []
    for column in columns:
        variable, unit = _of_name(column)
        given = (units or {}).get(column, "")
        found.append(Heading(column, variable, given if is_unit(given) else unit))
    return found


def _of_name(column: str) -> tuple[str | None, str | None]:
    if plain_name(column) in _WORDS:
        return "discharge", _WORDS[plain_name(column)]
    for name, unit in _splits(column):
        unit = re.sub(r"^(en|in)\s+", "", unit)
        variable = variable_called(name) or _of_unit(name, unit)
        if variable and is_unit(unit) and _fits(variable, unit):
            return variable, unit
    return variable_called(column), None


def _of_unit(name: str, unit: str) -> str | None:
    """Return discharge for a column called value whose unit is of nothing else."""
    found = parse_unit(unit) if plain_name(name) in VALUES else None
    return "discharge" if found and found.kind in ("flow", "volume") else None


def _fits(variable: str, unit: str) -> bool:
    """Return whether a variable may have a unit: the 2 m of a thermometer are none."""
    found = parse_unit(unit)
    if found is None:
        return True
    height = re.fullmatch(r"\d+\s*c?m", unit) is not None
    return not height and (found.kind == "temperature") == variable.startswith("temperature")


def _splits(column: str) -> Iterator[tuple[str, str]]:
    """Yield the ways in which a name may end with a unit."""
    match = _BRACKETS.match(column)
    if match:
        yield match["name"], match["unit"]
    for sign in (", ", " in ", " "):
        name, mark, unit = column.rpartition(sign)
        if mark:
            yield name, unit
    words = re.split(r"[_.\s]", column)
    for n in range(1, min(4, len(words))):
        yield " ".join(words[:-n]), "/".join(words[-n:])
        yield " ".join(words[:-n]), " ".join(words[-n:])


def variables_among(found: Sequence[Heading]) -> dict[str, Heading]:
    """Return the column of each variable that there is; of several the best.

    That is one called by the schema's name, then one with a unit that needs no area of the basin,
    then one with a unit, then the first. Evaporation that may be actual, and rain, which may lack
    the snow, stand after any other.
    """
    chosen: dict[str, Heading] = {}
    for heading in found:
        name = heading.variable
        if name and (name not in chosen or _rank(heading) < _rank(chosen[name])):
            chosen[name] = heading
    return chosen


def _rank(heading: Heading) -> tuple[bool, int]:
    if heading.column == heading.variable:
        return False, 0
    plain = plain_name(heading.column)
    evaporation = heading.variable == "potential_evaporation"
    actual = evaporation and plain.startswith(MAY_BE_ACTUAL) and "pot" not in plain
    actual |= heading.variable == "precipitation" and plain.startswith(LIQUID)
    unit = parse_unit(heading.unit or "")
    if unit is None:
        return actual, 3
    return actual, 2 if unit.kind in ("flow", "volume") else 1


def dates_among(columns: Sequence[str], first_cells: Sequence[str]) -> list[str]:
    """Return the columns in which dates stand, none if they are not recognised.

    Parameters
    ----------
    columns : sequence of str
    first_cells : sequence of str
        The first line of data: a column without a known name may look like dates.
    """
    plain = {plain_name(c): c for c in reversed(columns)}
    cells = dict(zip(columns, map(str, first_cells), strict=False))
    parts = {}
    for part, names in PARTS.items():
        named = [plain[n] for n in names.split() if n in plain]
        parts[part] = next((c for c in named if _is_part(part, cells.get(c, "").strip())), None)
    year = parts["year"]
    if year and (parts["month"] and parts["day"]):
        return [year, *_given(parts, "month", "day", "hour", "minute")]
    of_year = parts["day_of_year"] or (None if parts["month"] else parts["day"])
    if year and of_year:
        return [year, of_year, *_given(parts, "hour", "minute")]
    known = [plain[n] for n in DATES if n in plain]
    dates = [c for c in known if _is_date(cells.get(c, ""))]
    if not dates:
        dates = [c for c in columns[:2] if looks_like_date(cells.get(c, "").strip())]
    if dates:
        clock = [c for c in columns if _is_clock(plain_name(c), cells.get(c, ""))]
        whole = re.search(r"(?<![ T]0)(?<![ T]00):|:0?[1-9]", cells[dates[0]]) is not None
        return [dates[0]] if whole or not clock else [dates[0], clock[0]]
    years = [c for n, c in plain.items() if n in PARTS["year"].split()]
    return [c for c in years if DECIMAL_YEAR.fullmatch(cells.get(c, "").strip())] or known[:1]


def _is_part(part: str, cell: str) -> bool:
    cell = cell.removesuffix(".0")
    return cell.isdecimal() or (part == "month" and month_called(cell) is not None)


def _given(parts, *names) -> list[str]:
    return [parts[name] for name in names if parts[name]]


def _is_date(cell: str) -> bool:
    cell = cell.strip()
    number = SERIAL.fullmatch(cell) or DECIMAL_YEAR.fullmatch(cell)
    return looks_like_date(cell) or number is not None


def _is_clock(name: str, cell: str) -> bool:
    hours = cell.strip().isdecimal() and name in (*PARTS["hour"].split(), *CLOCKS)
    return hours or re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?", cell.strip()) is not None


def is_row_of_units(cells: Sequence[str]) -> bool:
    """Return whether a line after the header holds units and no data."""
    filled = [c.strip() for c in cells if c.strip()]
    numbers = [c for c in filled if re.fullmatch(r"[-+]?[\d.,]+([eE][-+]?\d+)?", c)]
    dates = [c for c in filled if looks_like_date(c)]
    return not numbers and not dates and any(parse_unit(c) is not None for c in filled)
