"""The declaration of a source of data: files, columns with units, and places of attributes."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from pymc_hydro.data.schema import VARIABLES

__all__ = ["EXTRAS", "GAUGE", "Attributes", "Column", "Source", "Table", "is_field"]

# Inputs of some methods of potential evaporation beside the schema; kept as they are.
EXTRAS = {
    "temperature_min": "degC",
    "temperature_max": "degC",
    "shortwave_radiation": "W/m2",
    "relative_humidity": "%",
    "vapour_pressure": "Pa",
    "wind_speed": "m/s",
}
GAUGE = "{gauge}"


def is_field(name: str | int) -> bool:
    """Return whether the name of a column stands for the gauge."""
    return isinstance(name, str) and re.fullmatch(r"\{\w+\}", name) is not None


@dataclass(frozen=True)
class Column:
    """A variable in a file. A pair ``(name, unit)`` may be written in place of it.

    Parameters
    ----------
    name : str or int
        The column's name in the file, with ``*`` for any letters; or its position, from 0.
        ``"{gauge}"``, or a group of the gauges' regular expression, in a table that has one column
        a gauge.
    unit : str
        As in :func:`pymc_hydro.read_csv`; ``"degC or K"`` for a temperature in either of the two.
    factor : float
        Factor of the values before their unit is converted: -1 for a loss that is counted
        as negative.
    note : str
        A warning where this column is read.
    when : (option, value), optional
        The column is read with this value of an option only.
    seconds : str
        Column with the seconds of a day over which the value is a mean, such as those of daylight;
        it becomes the mean over 24 hours.
    needed : bool
        Whether the file must have the column, or another one of the variable.
    since_midnight : bool
        Whether the values of a file with hours may be sums since midnight, as in ERA5-Land; the
        reader finds out, and takes differences.
    """

    name: str | int
    unit: str
    note: str = ""
    factor: float = 1.0
    when: tuple[str, str] | None = None
    seconds: str = ""
    needed: bool = True
    since_midnight: bool = False


@dataclass(frozen=True)
class Table:
    r"""A kind of file: its name, and its contents.

    Parameters
    ----------
    path : str or tuple of str
        End of the file's path. ``{gauge}`` stands for the gauge and ``{option}`` for the value of
        an option; ``*`` and ``**/`` are as in :meth:`pathlib.Path.glob`. Of several the first that
        is there is read. A path without ``{gauge}`` is a file of many gauges. ``.nc`` is netCDF,
        ``.rvt`` a file of Raven, anything else is text.
    columns : mapping of schema name to Column, or to a tuple of them
        Of several the first that is there is read.
    time : str or tuple of str
        Column of dates, or the columns of year, month, day (and hour, minute). Empty in a file
        without dates, whose only column has a value for each interval of the first file, for each
        day of a year or for each month.
    zone : str
        Column with the names of time zones: where they differ, dates are written in standard time.
    ending : bool
        Whether dates name the ends of intervals, where those are shorter than a day.
    date_format : str, optional
        As in ``datetime.strptime``, where dates could mean two things.
    separator : str, optional
        One character, or ``\s+`` for blanks; guessed where not given.
    decimal : str, optional
        Guessed where not given.
    names : tuple of str
        Names of the columns, in a file without header.
    widths : tuple of int
        Of the columns `names`, in a file of fixed width.
    rename : callable, optional
        Makes the name of a column out of the text of the header.
    heading : tuple of str, or mapping of str to str
        The numbers in the first lines, one a line: "latitude", "elevation" (m), "area_km2" or
        "area_m2". Or for each of them a regular expression, whose group is the number; a negative
        area is none. In a netCDF file the names of variables.
    skip : int
        Lines before the header, beside the lines of a `heading`.
    start : str
        Regular expression of how the first line of data begins, where the number of lines before
        it varies.
    units_row : bool
        Whether the line after the header holds units or the like, no data.
    encoding : str, optional
        Where it is not UTF-8.
    na : tuple of float or str
        Codes of missing values.
    flags : mapping of column to code, or to a tuple of them
        Discharge is missing where a column has such a code.
    where : mapping of column to text, or to a tuple of them
        Only lines in which each column has its text are read; ``*`` stands for any letters.
    unit : str
        Where the file says the unit of discharge: a column, or a regular expression of the lines
        before the data, whose group is the unit.
    relations : tuple of str
        In an SQLite file, which ``.sqlite3`` is: the relation with the values, and the one with the
        numbers of `heading`, a row a gauge.
    gauges : str
        Column, or coordinate of a netCDF file, with the ids of gauges: one gauge is read.
    complete : bool
        Every cell must be there: a shorter line is broken off.
    needed : bool
        Whether the basin cannot be read without this file.
    listed : str
        Path by which ``scan`` recognises the file, where `path` fits other files as well.
    by_header : bool or str
        Whether the file may be called anything, and is recognised by its columns; or by how it
        begins, a regular expression.
    detail : str
        The remark of ``scan`` on the file.
    """

    path: str | tuple[str, ...]
    columns: Mapping[str, tuple | Column]
    time: str | tuple[str, ...] = "date"
    date_format: str | None = None
    separator: str | None = None
    decimal: str | None = None
    names: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    rename: Callable[[str], str] | None = None
    heading: tuple[str, ...] | Mapping[str, str] = ()
    skip: int = 0
    start: str = ""
    units_row: bool = False
    encoding: str | None = None
    na: tuple[float | str, ...] = ()
    flags: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    where: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    gauges: str = ""
    complete: bool = False
    needed: bool = True
    listed: str = ""
    by_header: bool | str = False
    detail: str = ""
    zone: str = ""
    ending: bool = False
    unit: str = ""
    relations: tuple[str, ...] = ()

    def __post_init__(self):
        known = (*VARIABLES, *EXTRAS)
        if strange := [name for name in self.columns if name not in known]:
            raise KeyError(
                f"Table {self.path!r}: columns names {', '.join(map(repr, strange))}; known are "
                f"{', '.join(known)} (schema name first, then the file's column)"
            )

    @property
    def paths(self) -> tuple[str, ...]:
        """The patterns of the file's path."""
        return (self.path,) if isinstance(self.path, str) else self.path

    @property
    def dates(self) -> tuple[str, ...]:
        """The columns that dates stand in."""
        return (self.time,) if isinstance(self.time, str) else self.time

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns by which a path is recognised."""
        if self.by_header:
            return ()
        return (self.listed,) if self.listed else self.paths

    @property
    def must_have(self) -> list[str]:
        """The columns, each the only one of its variable, that every such file has."""
        only = [c[0] for c in map(self.choices, self.columns) if len(c) == 1]
        plain = [c.name for c in only if c.needed and c.when is None and isinstance(c.name, str)]
        named = [name for name in plain if "*" not in name and "{" not in name]
        return [*self.dates, *named, *self.where, *filter(None, [self.gauges])]

    def fits_header(self, names: Collection[str]) -> bool:
        """Return whether a file with this header may be of this kind."""
        return set(self.must_have) <= set(names)

    @property
    def wide(self) -> bool:
        """Whether the file has one column a gauge."""
        names = [c.name for name in self.columns for c in self.choices(name)]
        return any(is_field(name) for name in names)

    def choices(self, name: str) -> tuple[Column, ...]:
        """Return the columns that a variable may stand in."""
        found = self.columns[name]
        if isinstance(found, Column):
            return (found,)
        if not isinstance(found[0], (Column, tuple)):
            return (Column(*found),)
        return tuple(c if isinstance(c, Column) else Column(*c) for c in found)


@dataclass(frozen=True)
class Attributes:
    """A table with numbers that do not change in time, one line a gauge, or a JSON file of a gauge.

    Parameters
    ----------
    path : str
        As that of a :class:`Table`.
    columns : mapping of "area_km2", "latitude" or "elevation" to column
        A list in a JSON file stands for its median.
    key : str
        Column of the gauges' ids.
    id : str
        How the gauge is called in it, if not by its whole id: a group of the regular expression.
    transposed : bool
        Whether the gauges are columns, and the first column holds the names.
    separator : str, optional
    decimal : str
    """

    path: str
    columns: Mapping[str, str]
    key: str = "gauge_id"
    transposed: bool = False
    separator: str | None = None
    decimal: str = "."
    id: str = GAUGE


@dataclass(frozen=True)
class Source:
    r"""A data set, or a layout of files: the facts needed to read and to list its basins.

    Parameters
    ----------
    name : str
        Such as "CAMELS-GB"; ``{option}`` in it stands for the value of an option.
    tables : tuple of Table, or of tuples of them
        The files of a basin. Of a tuple of tables the first that is there is read. A basin begins
        with the file of the first: ``scan`` lists it. A variable is read from the first that has
        it. Where no file has ``temperature``, it is the mean of the daily extremes.
    gauge : str
        Regular expression of the gauges' ids; the text of its groups can stand in paths as well.
    attributes : tuple of Attributes
        Where area, latitude and elevation stand.
    options : mapping of str to str, or to tuple of str
        Choices of the caller, each with its default; or with all values, the default first.
    pet : str, optional
        Method by which potential evaporation is computed where no file has it.
    pet_note : str
        A warning that it was computed.
    reader : str, optional
        Name of the function that reads the source. Without one the source is found by its name.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> source = ph.data.Source(
    ...     "my rivers",
    ...     tables=(
    ...         ph.data.Table(
    ...             "river_{gauge}.csv",
    ...             {"precipitation": ("rain", "mm"), "discharge": ("Q", "m3/s")},
    ...             time="day",
    ...         ),
    ...     ),
    ...     gauge=r"\d+",
    ...     attributes=(ph.data.Attributes("rivers.csv", {"area_km2": "area"}),),
    ... )
    """

    name: str
    tables: tuple[Table | tuple[Table, ...], ...]
    gauge: str = r"[^/]+"
    attributes: tuple[Attributes, ...] = ()
    options: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    pet: str | None = None
    pet_note: str = ""
    reader: str = ""

    def __post_init__(self):
        if not self.reader:
            object.__setattr__(self, "reader", self.name)
        tables = [table for kinds in self.entries for table in kinds]
        if not tables or not all(table.time for table in self.entries[0]):
            raise ValueError(f"Source {self.name!r}: needs a first table, with dates")
        fields = {"gauge", *self.options, *re.compile(self.gauge).groupindex}
        paths = [path for table in tables for path in table.paths]
        for path in (*paths, *(a.path for a in self.attributes), self.name):
            if strange := set(re.findall(r"\{(\w+)\}", path)) - fields:
                raise ValueError(
                    f"Source {self.name!r}: {path!r} names {', '.join(sorted(strange))}; known are "
                    f"{', '.join(sorted(fields))}: declare it in options="
                )
        columns = [c for table in tables for name in table.columns for c in table.choices(name)]
        for column in columns:
            if column.when and column.when[0] not in {"pet", *self.options}:
                raise ValueError(
                    f"Source {self.name!r}: column {column.name!r} depends on the option "
                    f"{column.when[0]!r}; declare it in options="
                )

    @property
    def entries(self) -> tuple[tuple[Table, ...], ...]:
        """For each file of a basin the kinds of which the first that is there is read."""
        return tuple((t,) if isinstance(t, Table) else t for t in self.tables)

    def choose(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the value of each option.

        Raises
        ------
        TypeError, KeyError
            If there is no such option, or it has no such value.
        """
        if strange := [name for name in given if name not in self.options]:
            known = (*self.options, "pet", "max_gap", "area", "latitude", "elevation", "na")
            raise TypeError(
                f"{self.reader}: unexpected option {', '.join(map(repr, strange))}; "
                f"known are {', '.join(known)}"
            )
        chosen = {}
        for name, values in self.options.items():
            default = values if isinstance(values, str) else values[0]
            chosen[name] = str(given.get(name, default))
            if not isinstance(values, str) and chosen[name] not in values:
                raise KeyError(
                    f"{self.reader}: no {name} {chosen[name]!r}; there are {', '.join(values)}"
                )
        return chosen
