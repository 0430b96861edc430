"""Discharge alone, of the archives that publish it; ``ph.join`` puts it beside forcing."""

from pymc_hydro.data.readers.machinery.declaration import Source, Table

__all__ = ["GRDC", "LAMAH_GAUGES", "NRFA", "NWIS"]

# Daily means (statistic 00003) of discharge (parameter 00060).
NWIS = Source(
    "USGS NWIS",
    tables=(
        Table(
            "*.rdb",
            {"discharge": ("*_00060_00003", "cfs")},
            time="datetime",
            separator="\t",
            units_row=True,
            gauges="site_no",
            missing=("Ice", "Eqp", "Bkw", "Dis", "Dry", "Fld", "Mnt", "Rat", "Ssn", "Tst", "***"),
        ),
    ),
    gauge=r"\d{8,15}",
    reader="NWIS",
)

GRDC = Source(
    "GRDC",
    tables=(
        Table(
            "{gauge}_Q_Day.Cmd.txt",
            {"discharge": ("Value", "m3/s")},
            time="YYYY-MM-DD",
            separator=";",
            encoding="latin-1",
            heading={
                "area_km2": r"Catchment area[^:]*:\s*(-?[\d.]+)",
                "latitude": r"Latitude[^:]*:\s*(-?[\d.]+)",
            },
            missing=(-999.0,),
        ),
    ),
    gauge=r"\w+",
    reader="GRDC",
)

NRFA = Source(
    "UK NRFA",
    tables=(
        Table(
            "nrfa_{gauge}_gdf.csv",
            {"discharge": ("flow", "m3/s")},
            names=("date", "flow", "flag"),
            separator=",",
            start=r"\d{4}-\d\d-\d\d",
        ),
    ),
    gauge=r"\d+",
    reader="NRFA",
)

LAMAH_GAUGES = Source(
    "LamaH-CE, gauges",
    tables=(
        Table(
            "ID_{gauge}.csv",
            {"discharge": ("qobs", "m3/s")},
            time=("YYYY", "MM", "DD"),
            separator=";",
            missing=(-999.0,),
            by_header=True,
        ),
    ),
    gauge=r"\d+",
    reader="LamaH-CE gauges",
)
