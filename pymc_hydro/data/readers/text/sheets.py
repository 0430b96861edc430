"""A table of any kind of file, with the units that stand beside its header."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pymc_hydro.data.readers.text.files import head_of, open_netcdf, read_table, split_line
from pymc_hydro.data.readers.text.formats import looks_like_date
from pymc_hydro.data.readers.text.header import is_row_of_units
from pymc_hydro.data.readers.text.months import unfolded

__all__ = ["EXCEL", "Sheet", "names_of_sheet", "open_sheet"]

EXCEL = (".xlsx", ".xlsm", ".xls", ".ods")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}([.,]\d{3})+")
NETCDF = (".nc", ".nc4", ".cdf")


class Sheet(NamedTuple):
    """A table with a header.

    Attributes
    ----------
    table : DataFrame
        Its ``attrs`` hold ``first_line``, the number of the first line of data.
    units : mapping of column to text
        The text below the header, or an attribute of a netCDF variable.
    hint : str
        Where else the header may be: in another line or sheet; for messages.
    """

    table: pd.DataFrame
    units: Mapping[str, str]
    hint: str = ""


def open_sheet(
    path: Path,
    skip: int = 0,
    units_row: bool | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    sheet: str | int = 0,
) -> Sheet:
    """Return the table of a file, see :func:`pymc_hydro.read_csv`.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        If there is no such file, it holds no table, or a package that reads it is not installed.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if path.suffix.lower() in NETCDF:
        return _netcdf(path)
    if path.suffix.lower() in EXCEL:
        return _excel(path, skip, units_row, sheet, decimal)
    rows, mark = head_of(path, separator, skip)
    if units_row is None:
        units_row = len(rows) > 1 and is_row_of_units(rows[1])
    try:
        table = read_table(
            path,
            separator=mark,
            decimal=decimal or _decimal_of(rows, mark),
            skip=skip,
            units_row=units_row,
        )
    except ValueError as error:
        hint = _hint(path, skip)
        raise (ValueError(f"{error}{hint}") if hint else error) from None
    table = unfolded(path, _without_empty_rows(table))
    table.attrs["decimal_given"] = decimal is not None
    units = dict(zip(table.columns, rows[1], strict=False)) if units_row else {}
    return Sheet(table, units, _hint(path, skip))


def _decimal_of(rows: Sequence[Sequence[str]], separator: str) -> str:
    """Return the decimal sign of numbers: a comma where no cell has a point."""
    cells = [cell.strip() for row in rows[1:] for cell in row]
    if separator == "," and not any("," in cell for cell in cells):
        return "."
    commas = [c for c in cells if re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+,\d+|[-+]?\d*,\d+", c)]
    points = [c for c in cells if re.fullmatch(r"[-+]?[\d,]*\.\d+", c)]
    if not all(map(THOUSANDS.fullmatch, commas)):  # points in 1.234 may separate thousands
        points = [c for c in points if not THOUSANDS.fullmatch(c)]
    return "," if commas and not points and separator != "," else "."


def _without_empty_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the empty lines that spreadsheets put at its end."""
    empty = table.isna().all(axis=1)
    return table[~empty].reset_index(drop=True) if empty.any() else table


def _hint(path: Path, skip: int) -> str:
    """Return in which line the header may be: the one before the first with a date."""
    lines = [] if skip else [row[0] if row else "" for row in head_of(path, "\0", comments=True)[0]]
    for i, line in enumerate(lines):
        cells, separator = split_line(line)
        if cells and (looks_like_date(cells[0]) or _begins_with_year(cells)):
            before = len(split_line(lines[i - 1], separator)[0]) if i else 0
            found = i > 1 and before == len(cells) and not lines[i - 1].startswith("#")
            return f"; the header seems to be in line {i}: give skip={i - 1}" if found else ""
    return ""


def _begins_with_year(cells: Sequence[str]) -> bool:
    """Return whether a line begins with a year, and a month or a day of the year."""
    year, part = [*cells, "", ""][:2]
    return re.fullmatch(r"(1[6-9]|20)\d\d", year) is not None and part.isdecimal()


def _excel(
    path: Path, skip: int, units_row: bool | None, sheet: str | int, decimal: str | None
) -> Sheet:
    try:
        cells = pd.read_excel(path, sheet_name=sheet, header=None, dtype=object)
    except ImportError as error:
        raise ImportError(
            f"{path}: to read it, {error.name or 'a package'} is needed: pip install "
            "'pymc-hydro[excel]', or save it as text (CSV)"
        ) from None
    except Exception as error:  # of the package that reads it
        raise ValueError(f"{path}: cannot be read as a spreadsheet ({error})") from None
    others = _other_sheets(path, sheet)
    cells = cells.dropna(how="all", axis=1).iloc[skip:].dropna(how="all")
    if len(cells) < 2:
        raise ValueError(f"{path}: sheet {sheet!r} holds no header with data below it{others}")
    names = ["" if pd.isna(c) else str(c).strip() for c in cells.iloc[0]]
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise ValueError(
            f"{path}: the header has {', '.join(map(repr, twice))} twice; rename one{others}"
        )
    if names.count("") > len(names) / 2:
        others += _hint_of_rows(cells, skip)
    second = ["" if pd.isna(c) else str(c) for c in cells.iloc[1]]
    if units_row is None:
        units_row = is_row_of_units(second)
    first = 1 + units_row
    first_line = int(cells.index[first]) + 1
    table = cells.iloc[first:].reset_index(drop=True).set_axis(names, axis=1).infer_objects()
    if decimal == ",":
        texts = table.select_dtypes(exclude=["number", "datetime"]).columns
        table[texts] = table[texts].replace(r"^(\s*[-+]?\d*),(\d+\s*)$", r"\1.\2", regex=True)
    table.attrs["first_line"] = first_line
    table.attrs["decimal_given"] = decimal is not None
    table.attrs["from_1904"] = _counts_from_1904(path)
    units = dict(zip(names, second, strict=True)) if units_row else {}
    return Sheet(unfolded(path, table), units, others)


def names_of_sheet(path: Path) -> list[str]:
    """Return the names in the first row of a spreadsheet; none if it cannot be read."""
    try:
        return list(map(str, pd.read_excel(path, nrows=0).columns))
    except Exception:  # of the package that reads it; the reader names the fault
        return []


def _hint_of_rows(cells: pd.DataFrame, skip: int) -> str:
    """Return how many rows stand before the first row that is full."""
    full = cells.notna().sum(axis=1) >= cells.shape[1] - 1
    first = int(full.to_numpy().argmax())
    number = int(cells.index[first])
    return f"; the header seems to be in row {number + 1}: give skip={number}" if first else ""


def _counts_from_1904(path: Path) -> bool:
    """Return whether the numbers of days in a spreadsheet count from 1904."""
    with pd.ExcelFile(path) as book:
        epoch = getattr(book.book, "epoch", None)
    return epoch is not None and epoch.year == 1904


def _other_sheets(path: Path, sheet: str | int) -> str:
    """Return which other sheets a spreadsheet has, as messages say it."""
    with pd.ExcelFile(path) as book:
        names = [str(name) for name in book.sheet_names]
    others = [name for i, name in enumerate(names) if sheet not in (i, name)]
    return f"; other sheets are {', '.join(map(repr, others))}: give sheet=" if others else ""


def _netcdf(path: Path) -> Sheet:
    with open_netcdf(path) as data:
        data = data.squeeze(drop=True)
        dates = [d for d in data.dims if pd.api.types.is_datetime64_any_dtype(data[d].dtype)]
        if len(dates) != 1:
            raise ValueError(
                f"{path}: expected one dimension of dates, found {dict(data.sizes)}; a calendar "
                "other than the standard one must be converted first"
            )
        wide = [str(n) for n in data.data_vars if set(data[n].dims) - set(dates)]
        flat = data.drop_vars(wide)
        names = [str(n) for n in flat.data_vars if flat[n].dims == tuple(dates)]
        if not names:
            raise ValueError(
                f"{path}: no variable has the dates alone: {', '.join(wide)} have other dimensions "
                f"({dict(data.sizes)}); select one place, or average over the basin, first"
            )
        units = {n: str(flat[n].attrs.get("units", "")) for n in names}
        table = flat[names].to_dataframe()[names].reset_index()
    table.attrs["first_line"] = 1
    return Sheet(table, units)
