"""Files of other programs: HBV-light, and the R package airGR."""

from pymc_hydro.data.readers.machinery.declaration import Source, Table

__all__ = ["AIRGR", "HBV_LIGHT"]

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
            missing=(-99.0, -999.0, -9999.0),
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
