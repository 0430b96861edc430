"""Files of other programs: HBV-light, Raven, and the R package airGR."""

from dataclasses import replace

from pymc_hydro.data.checks.names import variable_called
from pymc_hydro.data.readers.machinery.declaration import Column, Source, Table

__all__ = ["AIRGR", "HBV_LIGHT", "RAVEN"]

AIRGR = Source(
    "airGR BasinObs",
    tables=(
        Table(
            "{gauge}.csv",
            {
                "precipitation": ("P", "mm"),
                "potential_evaporation": ("E", "mm"),
                "temperature": ("T", "degC"),
                "discharge": (("Qmm", "mm"), ("Qls", "L/s")),
            },
            time="DatesR",
            by_header=True,
        ),
    ),
    reader="airGR",
)

_OF_PTQ = {"precipitation": "P", "temperature": "T", "discharge": "Q"}


def _as_ptq(name: str) -> str:
    """Return the usual name of a column, which some call otherwise."""
    return _OF_PTQ.get(variable_called(name) or "", "Date" if name.lower() == "date" else name)


_PTQ = Table(
    ("{gauge}/Data/[Pp][Tt][Qq].[Tt][Xx][Tt]", "{gauge}/[Pp][Tt][Qq].[Tt][Xx][Tt]"),
    {
        "precipitation": ("P", "mm"),
        "temperature": ("T", "degC"),
        "discharge": Column("Q", "mm", needed=False),
    },
    time="Date",
    separator=r"\s+",
    rename=_as_ptq,
    skip=1,
    na=(-99.0, -999.0, -9999.0),
    complete=True,
)
# Potential evaporation is in a file of its own, with or without dates.
_EVAP = Table(
    ("{gauge}/Data/[Ee][Vv][Aa][Pp].[Tt][Xx][Tt]", "{gauge}/[Ee][Vv][Aa][Pp].[Tt][Xx][Tt]"),
    {"potential_evaporation": ("evaporation", "mm/d")},
    time="",
    names=("evaporation",),
    skip=1,
    separator=r"\s+",
    needed=False,
)
HBV_LIGHT = Source(
    "HBV-light",
    tables=(
        (
            _PTQ,
            replace(
                _PTQ,
                path="*.txt",
                by_header=r"[^\n]*\n\s*[Dd]ate\s+[Pp]\w*\s+[Tt]\w*(\s+[Qq]\w*)?\s*\n",
            ),
        ),
        (
            replace(
                _EVAP,
                time="date",
                names=("date", "evaporation"),
                by_header=r"[^\n]*\n\s*\d{8,12}[ \t]+[\d.,]+\s*\n",
            ),
            _EVAP,
        ),
    ),
    reader="HBV-light",
)

# Rates are in mm/d at any interval.
_RAVEN: dict[str, tuple[tuple[str, str], ...]] = {
    "precipitation": (("PRECIP", "mm/d"), ("RAINFALL", "mm/d")),
    "potential_evaporation": (("PET", "mm/d"),),
    "temperature": (("TEMP_AVE", "degC"), ("TEMP_DAILY_AVE", "degC")),
    "temperature_min": (("TEMP_DAILY_MIN", "degC"), ("TEMP_MIN", "degC")),
    "temperature_max": (("TEMP_DAILY_MAX", "degC"), ("TEMP_MAX", "degC")),
    "discharge": (("HYDROGRAPH", "m3/s"),),
}
RAVEN = Source(
    "Raven",
    tables=(
        Table(
            "{gauge}.rvt",
            {
                name: tuple(Column(column, unit, needed=False) for column, unit in columns)
                for name, columns in _RAVEN.items()
            },
            time="time",
            na=(-1.2345,),
        ),
    ),
    reader="Raven",
)
