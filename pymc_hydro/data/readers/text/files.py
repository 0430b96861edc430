"""Text tables from files that may be anything: found, looked over, and parsed by pandas."""

import codecs
import csv
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from pymc_hydro.core.base.warning import warn_user
from pymc_hydro.data.readers.text.formats import looks_like_date

__all__ = [
    "SPACES",
    "head_of",
    "head_text",
    "header_of",
    "open_netcdf",
    "parse_numbers",
    "read_table",
    "split_line",
    "warn",
]

SEPARATORS = (",", ";", "\t", "|")
SPACES = r"\s+"
LONGEST_HEADING = 200  # lines
LONGEST_HEAD = 1 << 21  # bytes that these lines may have
APOSTROPHES_AND_BLANKS = "'\u2019 \u00a0\u202f"
TRACES = ("T", "t", "Tr", "tr", "trace", "Trace")
WITH_COMMA = r"\s*[-+]?(?:\d+,?|\d*,\d+)\d*(?:[eE][-+]?\d+)?\s*"
BEGINNING = 4096  # bytes by which an encoding is recognised
CHUNK = 1 << 24  # bytes looked at in one go
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # of a text that Excel calls Unicode


def warn(source, text: str) -> None:
    """Warn of a repair, or of something in a file that its reader should know."""
    warn_user(f"{source}: {text}")


def read_table(
    path,
    *,
    separator: str | None = None,
    names: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    decimal: str | None = ".",
    skip: int = 0,
    units_row: bool = False,
    encoding: str | None = None,
    text: bool | Sequence[str] = False,
    unique: Collection[str] | None = None,
) -> pd.DataFrame:
    r"""Return a delimited text file as a table.

    Leading lines that begin with ``#`` are comments, but the last one is the header where it names
    the columns of the data below it. A file that is neither UTF-8 nor UTF-16 is read as Latin-1,
    with a warning.

    Parameters
    ----------
    path : str or Path
    separator : str, optional
        One character, or ``\s+`` for blanks; guessed from the header where not given.
    names : sequence of str, optional
        Column names of a file without header.
    columns : sequence of str, optional
        Read only these.
    decimal : str or None
        None is guessed from the first line of data.
    skip : int
        Lines before the header, or before the data.
    units_row : bool
        Whether the line after the header holds units or remarks, no data.
    encoding : str, optional
        Of a file that is not UTF-8.
    text : bool or sequence of str
        Whether to keep all cells as text, or the cells of the named columns.
    unique : collection of str, optional
        Names that the header may not have twice; all where not given.

    Returns
    -------
    DataFrame
        Its ``attrs`` hold ``first_line``, the number of the first line of data.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is empty, binary, or broken off; or has no header.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    encoding, head = _look(path, encoding)
    comments = skip + _comments(head[skip:], names is not None)
    if comments >= len(head):
        raise ValueError(f"{path}: holds no table, only comments or blank lines")
    header = head[comments]
    separator = separator or _separator(header, "".join(head[comments + 1 : comments + 2]))
    if names is None:
        _check_header(path, header, separator, unique)
    if decimal is None:
        first = head[comments + (names is None) + units_row :][:1]
        decimal = "," if separator != "," and re.search(r"\d,\d", "".join(first)) else "."
    kinds = str if text is True else dict.fromkeys(text or (), str)
    rows: dict[str, Any] = {
        "filepath_or_buffer": path,
        "skiprows": [*range(comments), comments + 1] if units_row else comments,
    }
    if any('"' in line for line in head[:comments]):  # pandas counts a quoted line break as none
        text_below = _below(path, encoding, comments)
        rows = {"filepath_or_buffer": text_below, "skiprows": [1] if units_row else 0}
    try:
        table = _parsed(
            **rows,
            sep=separator,
            names=names,
            header=None if names is not None else 0,
            usecols=columns,
            decimal=decimal,
            encoding=encoding,
            dtype=kinds,
            index_col=False,
            skipinitialspace=True,
            low_memory=False,
        )
    except pd.errors.ParserError as error:
        raise ValueError(
            f"{path}: {str(error).strip()}; lines differ in their number of columns: is the "
            f"separator {separator!r} right, and the file whole?"
        ) from None
    if not len(table):
        raise ValueError(f"{path}: holds a header but no line of data")
    if names is None:
        table = table.rename(columns=lambda c: str(c).lstrip("# ").strip().strip('"'))
    if separator != SPACES and names is None:
        _check_fields(path, separator, encoding, comments)
    table.attrs["first_line"] = comments + 1 + (names is None) + units_row
    table.attrs["decimal"] = decimal
    return table


def _parsed(**options) -> pd.DataFrame:
    """Return a table as pandas reads it; lines that are too long are looked at afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        return pd.read_csv(**options)


def _below(path, encoding, lines) -> StringIO:
    with path.open(encoding=encoding, newline="") as stream:
        for _ in range(lines):
            stream.readline()
        return StringIO(stream.read())


def head_text(path: Path, lines: int = LONGEST_HEADING, skip: int = 0) -> str:
    """Return the first lines of a text file as one text, in whichever encoding they are."""
    with path.open("rb") as stream:
        start = stream.read(LONGEST_HEAD)
    if encoding := _utf_16(start[:BEGINNING]):
        text = start.decode(encoding, errors="ignore").splitlines(keepends=True)
        return "".join(text[skip : skip + lines])
    found = b"".join(islice(BytesIO(start), skip, skip + lines))
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError:
        return found.decode("latin-1")


def _utf_16(start: bytes) -> str | None:
    """Return the encoding of a text in UTF-16, with or without a byte order mark."""
    if start.startswith(UTF_16):
        return "utf-16"
    for odd, encoding in enumerate(("utf-16-be", "utf-16-le")):
        high, low = start[odd::2], start[1 - odd :: 2]
        if 2 * high.count(0) > len(high) and low and not low.count(0):
            return encoding
    return None


def _comments(lines: Sequence[str], headless: bool = False) -> int:
    """Return how many lines of comments stand before the header, or before data without one."""
    n = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if headless or not 0 < n < len(lines):
        return n
    cells, separator = split_line(lines[n])
    above, _ = split_line(lines[n - 1].lstrip("# "), separator)
    return n - 1 if len(above) == len(cells) > 1 and looks_like_date(cells[0]) else n


def header_of(path: Path, separator: str | None = None) -> tuple[list[str], str]:
    """Return the names in the header of a text file, and the separator."""
    rows, separator = head_of(path, separator, lines=1)
    return (rows[0] if rows else [""]), separator


def head_of(
    path: Path,
    separator: str | None = None,
    skip: int = 0,
    lines: int = LONGEST_HEADING,
    comments: bool = False,
) -> tuple[list[list[str]], str]:
    """Return the cells of the first lines of a text file, and the separator.

    Parameters
    ----------
    path : Path
    separator : str, optional
        Guessed from the first line where not given.
    skip : int
        Lines before the header.
    lines : int
        Most lines that are returned.
    comments : bool
        Whether to return leading lines that begin with ``#`` as well.
    """
    found = head_text(path, lines + LONGEST_HEADING, skip).splitlines()
    if not comments:
        found = found[_comments(found) :]
        found[:1] = [line.lstrip("# ") for line in found[:1]]
    found = found[:lines]
    separator = separator or _separator(*(found[:2] or [""]))
    if separator == SPACES:
        return [line.split() for line in found], separator
    rows = csv.reader(found, delimiter=separator, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in rows], separator


def split_line(line: str, separator: str | None = None) -> tuple[list[str], str]:
    """Return the cells of one line, and its separator."""
    separator = separator or _separator(line)
    if separator == SPACES:
        return line.split(), separator
    row = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    return [cell.strip() for cell in row], separator


@contextmanager
def open_netcdf(path) -> Iterator[xr.Dataset]:
    """Yield the Dataset of a netCDF file, read as it is used.

    Raises
    ------
    ValueError
        If it is not a whole netCDF file, or its calendar is not the standard one.
    """
    try:
        data = xr.open_dataset(path)
    except (OSError, ValueError, KeyError) as error:
        if calendar := re.search(r"unable to decode time units .*?calendar '(\w+)'", str(error)):
            raise ValueError(
                f"{path}: has dates of the calendar {calendar[1]!r}, expected those of the "
                "standard calendar, as observed records have; install cftime, and use xarray's "
                "convert_calendar('standard', use_cftime=False, missing=float('nan'))"
            ) from None
        raise ValueError(
            f"{path}: is not a whole netCDF file ({error}); download it again"
        ) from None
    with data:
        yield data


def parse_numbers(path, table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as float64, NaN where the cell is empty or blank or says NaN or NA.

    Raises
    ------
    KeyError, ValueError
        If there is no such column, or a cell is not a number.
    """
    if column not in table:
        raise KeyError(f"{path}: no column {column!r}; found {', '.join(map(repr, table.columns))}")
    cells = table[column]
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
        return cells.astype(float)
    decimal = table.attrs.get("decimal")
    found = pd.to_numeric(_with_points(cells) if decimal == "," else cells, errors="coerce")
    bad = found.isna() & cells.notna() & (cells.astype(str).str.strip() != "")
    sure = bad.any() and (table.attrs.get("decimal_given") or _has_points(table, decimal))
    if bad.any() and (plain := _without_groups(cells[bad], found, decimal, sure)):
        sign, numbers = plain
        n = int(cells[bad].astype(str).str.contains(sign, regex=False).sum())
        warn(path, f"{sign!r} in {n} cells of {column!r} separates thousands and was left out")
        found = found.astype(float).where(~bad, numbers.reindex(found.index))
        bad = found.isna() & bad
    if bad.any():
        at = int(bad.to_numpy().argmax())
        cell = str(cells.iloc[at])
        fix = f"write missing values as empty cells or NaN, or name them by na=({cell.strip()!r},)"
        if re.fullmatch(r"\s*[-+]?\d+,\d+\s*", cell):
            fix = "give decimal=','"
            if re.fullmatch(r"\s*[-+]?\d{1,3},\d{3}\s*", cell):
                fix += " if the comma is a decimal sign, decimal='.' if it separates thousands"
        elif cell.strip() in TRACES:
            fix = "if it is a trace of rain, write 0"
        elif re.match(r"\s*[<>~]?\s*[-+]?\d", cell):
            fix = "leave marks beside numbers out, or move them to a column of flags (flags=)"
        place = f"line {at + table.attrs.get('first_line', 1)}"
        if dates := table.attrs.get("dates"):
            place = f"{table[dates].iloc[at]:%Y-%m-%d}"
        raise ValueError(
            f"{path}: {place}, column {column!r}: "
            f"{cell[:40]!r} is not a number ({int(bad.sum())} such cells); {fix}"
        )
    return found.astype(float)


def _with_points(cells: pd.Series) -> pd.Series:
    """Return numbers with a decimal comma as texts with a point, NaN where a cell is none."""
    text = cells.astype(str)
    return text.where(text.str.fullmatch(WITH_COMMA)).str.replace(",", ".", regex=False)


def _has_points(table: pd.DataFrame, decimal: str | None) -> bool:
    """Return whether another column has numbers with a decimal point."""
    if decimal == ",":
        return False
    numbers = table.select_dtypes("float")
    return bool((numbers.fillna(0) % 1 != 0).any(axis=None))


def _without_groups(cells: pd.Series, found: pd.Series, decimal: str | None, sure: bool = False):
    """Return a sign that separates thousands, and the numbers without it; None if none does.

    A comma may be a decimal sign as well. It separates thousands if another number has a point, or
    is a hundred and more; or where the decimal sign is known (`sure`).
    """
    known = sure
    cells, decimal = cells.astype(str).str.strip(), decimal or "."
    for sign in ("." if decimal == "," else ",") + APOSTROPHES_AND_BLANKS:
        plain = rf"[-+]?\d+(?:{re.escape(decimal)}\d*)?"
        grouped = rf"[-+]?[1-9]\d{{0,2}}(?:{re.escape(sign)}\d{{3}})+(?:{re.escape(decimal)}\d*)?"
        has_sign = cells.str.contains(sign, regex=False)
        if not has_sign.any() or not cells.str.fullmatch(f"{grouped}|{plain}").all():
            continue
        sure = known or sign not in ",." or cells[has_sign].str.contains(decimal, regex=False).any()
        sure = sure or (cells.str.count(re.escape(sign)) > 1).any() or decimal == ","
        if sure or (found.dropna() % 1 != 0).any() or (found.abs() >= 100).any():
            text = cells.str.replace(sign, "", regex=False).str.replace(decimal, ".", regex=False)
            return sign, pd.to_numeric(text).astype(float)
    return None


def _look(path, declared):
    """Return the encoding and the first lines of a text file."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: is empty; download or export it again")
    with path.open("rb") as stream:
        start = stream.read(BEGINNING)
    encoding = _utf_16(start) or _encoding(path, declared)
    for mark, what in ((b"version https://git-lfs", "a Git LFS pointer"), (b"<", "a web page")):
        if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(mark):
            raise ValueError(f"{path}: is {what}, not data; download the file itself")
    with path.open(encoding=encoding, newline=None) as stream:
        head = [line.rstrip("\n") for line, _ in zip(stream, range(200), strict=False)]
    if not any(line.strip() for line in head):
        raise ValueError(f"{path}: holds only blank lines")
    return encoding, head


def _encoding(path, declared):
    """Return UTF-8, or where a file is no UTF-8 the declared encoding, else Latin-1."""
    decoder, encoding = codecs.getincrementaldecoder("utf-8")(), "utf-8-sig"
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if b"\0" in chunk:
                raise ValueError(
                    f"{path}: is not a text file (binary or packed); unpack it, or save it as "
                    "UTF-8 text"
                )
            if encoding == "utf-8-sig":
                try:
                    decoder.decode(chunk, final=len(chunk) < CHUNK)
                except UnicodeDecodeError:
                    encoding = declared or "latin-1"
                if encoding != "utf-8-sig" and declared is None:
                    warn(path, "is not UTF-8 and was read as Latin-1; check names with accents")
    return encoding


def _separator(header, line=""):
    """Return the separator of a header; of several the one that the next line has as often."""
    counts = {s: header.count(s) for s in SEPARATORS}
    best = max(counts, key=lambda s: (bool(counts[s]) and line.count(s) == counts[s], counts[s]))
    return best if counts[best] else SPACES


def _check_header(path, header, separator, unique):
    cells = [c.strip().strip('"') for c in re.split(separator, header.strip())]
    if separator in SEPARATORS:
        cells = [c.strip() for c in next(csv.reader([header], delimiter=separator))]
    if len(cells) < 2:
        raise ValueError(
            f"{path}: found one column, {header[:60]!r}, with the separator {separator!r}; give "
            "the right one"
        )
    if re.fullmatch(r"[-+.\d/: TZ]+", cells[0]):  # gauges as column names may be numbers
        raise ValueError(
            f"{path}: the first line, {header[:60]!r}, looks like data; the file needs a header "
            "with the names of its columns"
        )
    named = [c for c in cells if c]
    twice = sorted({c for c in named if named.count(c) > 1 and (unique is None or c in unique)})
    if twice:
        raise ValueError(f"{path}: the header has {', '.join(map(repr, twice))} twice; rename one")


def _check_fields(path, separator, encoding, comments):
    """Raise if a line has fewer or more fields than the header: pandas would fill or drop them."""
    wanted = lines = found = 0
    mark = separator.encode()
    with path.open("rb") as stream:
        for _ in range(comments):
            stream.readline()
        header = stream.readline()
        wanted = header.count(mark)
        last = b""
        while chunk := stream.read(CHUNK):
            lines += chunk.count(b"\n")
            found += chunk.count(mark)
            last = chunk[-1:]
    lines += last not in (b"\n", b"")
    if found == wanted * lines and b'"' not in header:
        return
    with path.open(encoding=encoding, newline="") as stream:
        rows = csv.reader(stream, delimiter=separator)
        for _ in range(comments):
            next(rows)
        wanted = len(next(rows))
        for row in rows:
            extra = len(row) > wanted and not any(c.strip() for c in row[wanted:])
            if row and len(row) != wanted and not extra:
                raise ValueError(
                    f"{path}: line {rows.line_num} has {len(row)} fields and the header {wanted}; "
                    "the file is broken off or garbled there: download it again, or correct or "
                    "delete the line"
                )
