"""How dates are written: formats of pandas that the text of a date may have."""

import re
from datetime import date

import pandas as pd

__all__ = ["SERIAL", "ZONE", "century_of_past", "formats_of", "looks_like_date", "numbered_months"]

_HOURS = r"\d{1,2}:\d{2}(?::\d{2}(?:\.0+)?)?(?P<noon> ?[AaPp][Mm])?|\d{1,2}"
_CLOCK = rf"(?P<clock>[T ]+(?P<hours>{_HOURS}))?"
# Patterns of dates, and the formats of pandas that may be meant.
_SHAPES = tuple(
    (re.compile(shape + _CLOCK), formats)
    for shape, formats in (
        (r"\d{4}-\d{1,2}-\d{1,2}", ("%Y-%m-%d",)),
        (r"\d{4}/\d{1,2}/\d{1,2}", ("%Y/%m/%d",)),
        (r"\d{4}\.\d{1,2}\.\d{1,2}", ("%Y.%m.%d",)),
        (r"\d{1,2}/\d{1,2}/\d{4}", ("%d/%m/%Y", "%m/%d/%Y")),
        (r"\d{1,2}-\d{1,2}-\d{4}", ("%d-%m-%Y", "%m-%d-%Y")),
        (r"\d{1,2}\.\d{1,2}\.\d{4}", ("%d.%m.%Y",)),
        (r"\d{1,2}/\d{1,2}/\d{2}", ("%d/%m/%y", "%m/%d/%y", "%y/%m/%d")),
        (r"\d{1,2}-\d{1,2}-\d{2}", ("%d-%m-%y", "%m-%d-%y", "%y-%m-%d")),
        (r"\d{1,2}\.\d{1,2}\.\d{2}", ("%d.%m.%y",)),
        (r"(?:1[789]|20)\d{2}[-/][0-3]\d{2}", ("%Y-%j", "%Y/%j")),
        (r"(?:1[789]|20)\d{2}[01]\d[0-3]\d", ("%Y%m%d",)),
        (r"(?:1[789]|20)\d{2}[01]\d[0-3]\d[0-2]\d", ("%Y%m%d%H",)),
        (r"(?:1[789]|20)\d{2}[01]\d[0-3]\d[0-2]\d[0-5]\d", ("%Y%m%d%H%M",)),
        (r"(?:1[789]|20)\d{2}[01]\d[0-3]\d[0-2]\d[0-5]\d{3}", ("%Y%m%d%H%M%S",)),
        (r"(?:1[789]|20)\d{2}[0-3]\d{2}", ("%Y%j",)),
    )
)
ZONE = re.compile(r"\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$")
# Days since the end of 1899, as spreadsheets count: the years 1927 to 2064.
SERIAL = re.compile(r"(?:[1-5]\d{4})(?:[.,]\d+)?")
# How months begin in English, German, French, Spanish, Italian, Portuguese and Dutch.
_MONTHS = (
    "jan ene gen",
    "feb fév fev fèv",
    "mar mär mrz mrt maa maer",
    "apr avr abr",
    "may mai mag mei",
    "jun giu juin",
    "jul lug juil",
    "aug aoû aou ago",
    "sep set",
    "oct okt out ott",
    "nov",
    "dec dez déc dic",
)
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_NUMBER_OF = {name: n + 1 for n, names in enumerate(_MONTHS) for name in names.split()}


def looks_like_date(cell: str) -> bool:
    """Return whether a cell is written like a date."""
    cell = ZONE.sub("", cell) if ":" in cell else cell
    named = _numbered(cell)
    return any(shape.fullmatch(named or cell) for shape, _ in _SHAPES)


def formats_of(cell: str) -> tuple[list[str], bool]:
    """Return the formats that a date may have, and whether it has a time zone; none if unknown."""
    zone = ZONE.search(cell) if ":" in cell else None
    bare = cell[: zone.start()] if zone else cell
    for shape, formats in _SHAPES:
        match = shape.fullmatch(bare)
        if match is None:
            continue
        tail = ""
        if match["clock"]:
            hours = match["hours"]
            tail = match["clock"].removesuffix(hours)
            tail += "%I" if match["noon"] else "%H"
            tail += ":%M" * (":" in hours) + ":%S" * (hours.count(":") == 2)
            tail += ".%f" * ("." in hours)
            tail += (" %p" if " " in (match["noon"] or "") else "%p") * bool(match["noon"])
        mark = " " * bool(zone and zone[0].startswith(" "))
        mark += zone[0].strip() if zone and zone[0].strip() in ("UTC", "GMT") else "%z"
        return [f + tail + mark * bool(zone) for f in formats], bool(zone)
    return [], False


def numbered_months(cells: pd.Series) -> pd.Series:
    """Return dates with the number of the month in place of its name: 01-Jan-2005 is 01-01-2005.

    Days stand before the month, as in ``1 January 2005``, or after it, as in ``Jan 1, 2005``.
    """
    return cells.map({cell: _numbered(cell) or cell for cell in cells.unique()})


def _numbered(cell: str) -> str | None:
    """Return one date with the number of its month, in one form; None if it names no month."""
    words = [w for w in _LETTERS.findall(cell) if w not in ("UTC", "GMT")]
    found = [(w, n) for w in words if (n := _month_of(w))]
    if not found:
        return None
    name, month = found[-1]
    before, _, after = cell.partition(name)
    days = re.search(r"(\d{1,4})\W*$", before)
    rest = after.lstrip(" .-/,")
    if days:  # 01-Jan-2005, 2005-Jan-01
        first, (second, clock) = days[1], _first_number(rest)
    else:  # Jan 1, 2005
        first, rest = _first_number(rest)
        second, clock = _first_number(rest.lstrip(" .-/,"))
    if not (first and second):
        return None
    if len(first) == 4:
        first, second = second, first
    return f"{int(first):02d}.{month:02d}.{second}{' ' * bool(clock.strip())}{clock.strip()}"


def _first_number(text: str) -> tuple[str, str]:
    match = re.match(r"(\d{1,4})(.*)", text)
    return (match[1], match[2]) if match else ("", text)


def _month_of(word: str) -> int | None:
    word = word.lower()
    return _NUMBER_OF.get(word[:4]) or _NUMBER_OF.get(word[:3])


def century_of_past(dates: pd.Series) -> pd.Series:
    """Return dates whose years had two digits: a date in the future is of the century before."""
    future = dates.dt.year > date.today().year
    return dates.where(~future, dates - pd.DateOffset(years=100))
