"""Text tables from files that may be anything: found, looked over, and parsed by pandas."""

import codecs
import csv
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import xarray as xr

__all__ = ["SPACES", "header_of", "open_netcdf", "parse_numbers", "read_table", "warn"]

SEPARATORS = (",", ";", "\t", "|")
SPACES = r"\s+"
CHUNK = 1 << 24  # bytes looked at in one go


def warn(source, text: str) -> None:
    """Warn of a repair, or of something in a file that its reader should know."""
    warnings.warn(f"{source}: {text}", UserWarning, stacklevel=2)


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
) -> pd.DataFrame:
    r"""Return a delimited text file as a table.

    Leading lines that begin with ``#`` are comments. A file that is not UTF-8 is read as Latin-1,
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
        Whether the line after the header holds units or the like, no data.
    encoding : str, optional
        Where it is known not to be UTF-8.
    text : bool or sequence of str
        Whether to keep all cells as text, or those of these columns.

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
    after = range(skip, len(head))
    comments = next((i for i in after if not head[i].startswith("#")), len(head))
    if comments >= len(head):
        raise ValueError(f"{path}: holds no table, only comments or blank lines")
    header = head[comments]
    separator = separator or _separator(header)
    if names is None:
        _check_header(path, header, separator)
    if decimal is None:
        first = head[comments + (names is None) + units_row :][:1]
        decimal = "," if separator != "," and re.search(r"\d,\d", "".join(first)) else "."
    kinds = str if text is True else dict.fromkeys(text or (), str)
    try:
        table = pd.read_csv(
            path,
            sep=separator,
            names=names,
            header=None if names is not None else 0,
            skiprows=[*range(comments), comments + 1] if units_row else comments,
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
        table = table.rename(columns=lambda c: str(c).strip().strip('"'))
    if separator != SPACES and names is None:
        _check_fields(path, separator, encoding, comments)
    table.attrs["first_line"] = comments + 1 + (names is None) + units_row
    return table


def header_of(path: Path, separator: str | None = None) -> tuple[list[str], str]:
    """Return the names in the header of a text file, and the separator."""
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        header = next((line.strip("\n") for line in stream if not line.startswith("#")), "")
    separator = separator or _separator(header)
    cells = header.split() if separator == SPACES else header.split(separator)
    return [cell.strip().strip('"') for cell in cells], separator


@contextmanager
def open_netcdf(path) -> Iterator[xr.Dataset]:
    """Yield the Dataset of a netCDF file, read as it is used.

    Raises
    ------
    ValueError
        If it is not a whole netCDF file.
    """
    try:
        data = xr.open_dataset(path)
    except (OSError, ValueError, KeyError) as error:
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
    found = pd.to_numeric(cells, errors="coerce")
    bad = found.isna() & cells.notna() & (cells.astype(str).str.strip() != "")
    if bad.any():
        at = int(bad.to_numpy().argmax())
        cell = str(cells.iloc[at])
        fix = "write missing values as empty cells or NaN"
        if re.fullmatch(r"\s*[-+]?\d+,\d+\s*", cell):
            fix = _comma_fix(cells[bad].astype(str), cells[found.notna()].astype(str))
        raise ValueError(
            f"{path}: line {at + table.attrs.get('first_line', 1)}, column {column!r}: "
            f"{cell[:40]!r} is not a number ({int(bad.sum())} such cells); {fix}"
        )
    return found.astype(float)


def _comma_fix(with_comma: pd.Series, plain: pd.Series) -> str:
    """Return what to do about numbers with a comma in a column with `plain` ones."""
    groups = with_comma.str.fullmatch(r"\s*[-+]?\d{1,3}(,\d{3})+(\.\d+)?\s*").all()
    large = plain[plain.str.contains(".", regex=False) | (pd.to_numeric(plain).abs() >= 100)]
    if groups and len(large):
        return (
            f"its comma separates thousands, beside {large.iloc[0].strip()!r}; write such numbers "
            "without it"
        )
    return "give decimal=','"


def _look(path, declared):
    """Return the encoding and the first lines of a text file."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: is empty; download or export it again")
    decoder, encoding = codecs.getincrementaldecoder("utf-8")(), declared or "utf-8-sig"
    with path.open("rb") as stream:
        start = stream.read(4096)
        stream.seek(0)
        while chunk := stream.read(CHUNK):
            if b"\0" in chunk:
                raise ValueError(
                    f"{path}: is not a text file (binary, packed, or UTF-16); unpack it, or "
                    "save it as UTF-8 text"
                )
            if encoding == "utf-8-sig":
                try:
                    decoder.decode(chunk, final=len(chunk) < CHUNK)
                except UnicodeDecodeError:
                    encoding = "latin-1"
                    warn(path, "is not UTF-8 and was read as Latin-1; check names with accents")
    for mark, what in ((b"version https://git-lfs", "a Git LFS pointer"), (b"<", "a web page")):
        if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(mark):
            raise ValueError(f"{path}: is {what}, not data; download the file itself")
    with path.open(encoding=encoding, newline=None) as stream:
        head = [line.rstrip("\n") for line, _ in zip(stream, range(200), strict=False)]
    if not any(line.strip() for line in head):
        raise ValueError(f"{path}: holds only blank lines")
    return encoding, head


def _separator(header):
    counts = {s: header.count(s) for s in SEPARATORS}
    best = max(counts, key=counts.get)
    return best if counts[best] else SPACES


def _check_header(path, header, separator):
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
    twice = sorted({c for c in named if named.count(c) > 1})
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
            if row and len(row) != wanted:
                raise ValueError(
                    f"{path}: line {rows.line_num} has {len(row)} fields and the header {wanted}; "
                    "the file is broken off or garbled there: download it again, or correct or "
                    "delete the line"
                )
