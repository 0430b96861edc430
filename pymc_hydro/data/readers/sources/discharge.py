"""Discharge alone, of the archives that publish it; ``ph.join`` puts it beside forcing."""

from typing import Any

from pymc_hydro.data.readers.machinery.declaration import Source, Table

__all__ = ["BAFU", "GRDC", "HYDAT", "LAMAH_GAUGES", "NRFA", "NWIS"]

# Discharge is the parameter 00060, and 00003 the statistic of a daily mean.
# Daily means, or instantaneous values.
_NWIS_FLOW = {"discharge": (("*_00060_00003", "cfs"), ("*_00060", "cfs"))}
_NWIS: dict[str, Any] = {
    "time": "datetime",
    "separator": "\t",
    "units_row": True,
    "gauges": "site_no",
    "na": ("Ice", "Eqp", "Bkw", "Dis", "Dry", "Fld", "Mnt", "Rat", "Ssn", "Tst", "***"),
}
NWIS = Source(
    "USGS NWIS",
    tables=(
        (
            Table("*.rdb", _NWIS_FLOW, **_NWIS),
            Table("*.txt", _NWIS_FLOW, start="agency_cd", by_header=True, **_NWIS),
            Table(  # by the R package dataRetrieval
                "*.csv",
                {"discharge": (*_NWIS_FLOW["discharge"], ("Flow", "cfs"))},
                time="Date",
                where={"agency_cd": "USGS"},
                gauges="site_no",
                by_header=True,
            ),
        ),
    ),
    gauge=r"\d{8,15}",
    reader="NWIS",
)

GRDC = Source(
    "GRDC",
    tables=(
        (
            Table(
                ("{gauge}_Q_Day.Cmd.txt", "{gauge}_Q_Day.txt"),
                {"discharge": (("Value", "m3/s"), ("Original", "m3/s"))},
                time="YYYY-MM-DD",
                separator=";",
                encoding="latin-1",
                heading={
                    "area_km2": r"Catchment area[^:]*:\s*(-?[\d.]+)",
                    "latitude": r"Latitude[^:]*:\s*(-?[\d.]+)",
                },
                na=(-999.0,),
            ),
            Table(
                "GRDC-Daily*.nc",
                {"discharge": ("runoff_mean", "m3/s")},
                time="time",
                gauges="id",
                heading={"area_km2": "area", "latitude": "geo_y"},
            ),
        ),
    ),
    gauge=r"\w+",
    reader="GRDC",
)

NRFA = Source(
    "UK NRFA",
    tables=(
        Table(
            ("nrfa_{gauge}_gdf.csv", "{gauge}_gdf.csv"),
            {"discharge": ("flow", "m3/s")},
            names=("date", "flow", "flag"),
            separator=",",
            start=r"\d{4}-\d\d-\d\d",
        ),
    ),
    gauge=r"\d+",
    reader="NRFA",
)

# Means of days or hours, of one station or several.
BAFU = Source(
    "BAFU",
    tables=(
        Table(
            "{gauge}.csv",
            {"discharge": ("Wert", "m3/s")},
            time="Zeitstempel",
            separator=";",
            start="Stationsname",
            encoding="latin-1",
            where={"Parameter": "Abfluss"},
            gauges="Stationsnummer",
            na=("-",),
            by_header=True,
        ),
    ),
    gauge=r"[^/]+",
    reader="BAFU",
)

HYDAT = Source(
    "HYDAT",
    tables=(
        (
            Table(  # download of the Water Survey of Canada; PARAM 2 is the level
                "{gauge}.csv",
                {"discharge": ("Value", "m3/s")},
                time="Date",
                separator=",",
                start=r"\s*ID\b",
                where={"PARAM": "1"},
                gauges="ID",
                by_header=True,
            ),
            Table(  # by the R package tidyhydat
                "{gauge}.csv",
                {"discharge": ("Value", "m3/s")},
                time="Date",
                where={"Parameter": "Flow"},
                gauges="STATION_NUMBER",
                by_header=True,
            ),
        ),
    ),
    gauge=r"[^/]+",
    reader="HYDAT",
)

LAMAH_GAUGES = Source(
    "LamaH-CE, gauges",
    tables=(
        tuple(
            Table(
                "ID_{gauge}.csv",
                {"discharge": ("qobs", "m3/s")},
                time=time,
                separator=";",
                na=(-999.0,),
                by_header=True,
            )
            for time in (("YYYY", "MM", "DD", "hh", "mm"), ("YYYY", "MM", "DD"))
        ),
    ),
    gauge=r"\d+",
    reader="LamaH-CE gauges",
)
