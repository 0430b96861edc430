"""How dates are written: formats of pandas that the text of a date may have."""

import re
from datetime import date

import pandas as pd

__all__ = [
    "DECIMAL_YEAR",
    "SERIAL",
    "ZONE",
    "century_of_past",
    "formats_of",
    "looks_like_date",
    "month_called",
    "numbered_months",
    "numbered_zones",
    "zone_offset",
]

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
# Hours from UTC; of names that several countries use the one of North America or Europe.
_ZONES = {
    **{
        "WET": 0,
        "WEST": 1,
        "BST": 1,
        "CET": 1,
        "CEST": 2,
        "MEZ": 1,
        "MESZ": 2,
        "EET": 2,
        "EEST": 3,
    },
    **{"AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6},
    **{"PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "NST": -3.5, "NDT": -2.5},
    **{"AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "UTC": 0, "GMT": 0, "Z": 0},
}
_NAMED_ZONE = re.compile(rf"(?<=\d)\s*(?P<name>{'|'.join(n for n, h in _ZONES.items() if h)}|WET)$")
ZONE = re.compile(rf"\s*(?:Z|UTC|GMT|[+-]\d{{2}}:?\d{{2}}|{'|'.join(_ZONES)})$")
# Days since the end of 1899, as spreadsheets count: the years 1927 to 2064.
SERIAL = re.compile(r"(?:[1-5]\d{4})(?:[.,]\d+)?")
DECIMAL_YEAR = re.compile(r"(?:1[6-9]|2[0-2])\d{2}[.,]\d+")
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
_WEEKDAY = re.compile(r"^[^\W\d_]{2,10}[.,]*\s+(?=\d)")
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_NUMBER_OF = {name: n + 1 for n, names in enumerate(_MONTHS) for name in names.split()}


def looks_like_date(cell: str) -> bool:
    """Return whether a cell is written like a date."""
    cell = ZONE.sub("", cell) if ":" in cell else cell
    named = _numbered(cell) or _WEEKDAY.sub("", cell)
    return any(shape.fullmatch(named) for shape, _ in _SHAPES)


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
    found = {cell: _numbered(cell) or _WEEKDAY.sub("", cell) for cell in cells.unique()}
    return cells.map(found)


def numbered_zones(cells: pd.Series) -> pd.Series:
    """Return dates with the offset of a time zone in place of its name: CET is +0100."""
    if not _NAMED_ZONE.search(cells.iloc[0]):
        return cells
    return cells.str.replace(_NAMED_ZONE, lambda m: _offset_text(_ZONES[m["name"]]), regex=True)


def zone_offset(name: str) -> float | None:
    """Return the hours of a time zone from UTC, None if its name is not known."""
    return _ZONES.get(name.strip().upper())


def _offset_text(hours: float) -> str:
    return f"{'-' if hours < 0 else '+'}{abs(int(hours)):02d}{30 if hours % 1 else 0:02d}"


def _numbered(cell: str) -> str | None:
    """Return one date with the number of its month, in one form; None if it names no month."""
    words = [w for w in _LETTERS.findall(cell) if w not in ("UTC", "GMT")]
    found = [(w, n) for w in words if (n := month_called(w))]
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


def month_called(word: str) -> int | None:
    """Return the number of a month, None if the word begins like none."""
    word = word.lower()
    return _NUMBER_OF.get(word[:4]) or _NUMBER_OF.get(word[:3])


def century_of_past(dates: pd.Series) -> pd.Series:
    """Return dates whose years had two digits: a date in the future is of the century before."""
    future = dates.dt.year > date.today().year
    return dates.where(~future, dates - pd.DateOffset(years=100))
