"""Files of other programs: HBV-light, Raven, and the R package airGR."""

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

# Potential evaporation is in a file without dates.
HBV_LIGHT = Source(
    "HBV-light",
    tables=(
        Table(
            ("{gauge}/Data/[Pp][Tt][Qq].txt", "{gauge}/[Pp][Tt][Qq].txt"),
            {
                "precipitation": ("P", "mm"),
                "temperature": ("T", "degC"),
                "discharge": ("Q", "mm"),
            },
            time="Date",
            separator=r"\s+",
            skip=1,
            na=(-99.0, -999.0, -9999.0),
            complete=True,
        ),
        Table(
            ("{gauge}/Data/[Ee][Vv][Aa][Pp].txt", "{gauge}/[Ee][Vv][Aa][Pp].txt"),
            {"potential_evaporation": (0, "mm/d")},
            time="",
            names=("evaporation",),
            skip=1,
            separator=r"\s+",
            needed=False,
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
