"""Discharge alone, of the archives that publish it; ``ph.join`` puts it beside forcing."""

from dataclasses import replace
from typing import Any

from pymc_hydro.data.checks.names import plain_name
from pymc_hydro.data.readers.machinery.declaration import Column, Source, Table

__all__ = ["BAFU", "EHYD", "GRDC", "HYDAT", "LAMAH_GAUGES", "NRFA", "NRFA_RAIN", "NWIS"]

# Discharge is the parameter 00060, and 00003 the statistic of a daily mean.
# Daily means, or instantaneous values, which have the statistic 00000 in R.
_NWIS_FLOW = {
    "discharge": tuple((f"{{series}}_00060{end}", "cfs") for end in ("_00003", "_00000", ""))
}
_NWIS: dict[str, Any] = {
    "time": "datetime",
    "zone": "tz_cd",
    "separator": "\t",
    "units_row": True,
    "gauges": "site_no",
    "na": ("Ice", "Eqp", "Bkw", "Dis", "Dry", "Fld", "Mnt", "Rat", "Ssn", "Tst", "***", -999999.0),
}
_BY_R: dict[str, Any] = {  # by the R package dataRetrieval
    "zone": "tz_cd",
    "where": {"agency_cd": "USGS"},
    "gauges": "site_no",
    "by_header": True,
}
NWIS = Source(
    "USGS NWIS",
    tables=(
        (
            Table("*.rdb", _NWIS_FLOW, **_NWIS),
            Table(
                ("*.txt", "*.tsv", "*.dat"), _NWIS_FLOW, by_header=r"(#.*\n)*agency_cd\t", **_NWIS
            ),
            Table(
                "*.csv", {"discharge": (*_NWIS_FLOW["discharge"], ("Flow", "cfs"))}, "Date", **_BY_R
            ),
            Table(
                "*.csv",
                {"discharge": (*_NWIS_FLOW["discharge"], ("Flow_Inst", "cfs"))},
                "dateTime",
                **_BY_R,
            ),
            Table(  # by the Python package dataretrieval
                "*.csv",
                {"discharge": (("00060_Mean", "cfs"), ("00060", "cfs"))},
                "datetime",
                gauges="site_no",
                by_header=True,
            ),
            Table(  # by the interface of 2025
                "*.csv",
                {"discharge": ("value", "cfs")},
                "time",
                where={"parameter_code": "00060"},
                unit="unit_of_measure",
                gauges="monitoring_location_id",
                by_header=True,
            ),
        ),
    ),
    gauge=r"\d{8,15}",
    options={"series": "*"},  # where a gauge has several: the digits before the parameter
    reader="NWIS",
)

_GRDC = Table(
    ("{gauge}_Q_Day.Cmd.txt", "{gauge}_Q_Day.txt"),
    {
        "discharge": (
            ("Value", "m3/s"),
            ("Original", "m3/s"),
            Column("Calculated", "m3/s", note="Original has no value: Calculated was read"),
        )
    },
    time="YYYY-MM-DD",
    separator=";",
    encoding="latin-1",
    heading={
        "area_km2": r"Catchment area[^:]*:\s*(-?[\d.,]+)",
        "latitude": r"Latitude[^:]*:\s*(-?[\d.]+)",
    },
    unit=r"Unit of measure:\s*(\S+)",
    na=(-999.0,),
)
GRDC = Source(
    "GRDC",
    tables=(
        (
            _GRDC,
            replace(_GRDC, path=("*.txt", "*.csv"), by_header=r"# Title:\s+GRDC"),
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

# Hydrographic service of Austria; the area comes after a line of its dates.
EHYD = Source(
    "eHYD",
    tables=(
        Table(
            ("Q-Tagesmittel-{gauge}.csv", "{gauge}.csv"),
            {"discharge": ("flow", "m3/s")},
            names=("date", "flow", "end"),
            separator=";",
            decimal=",",
            start=r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d\s*;",
            encoding="latin-1",
            heading={
                "area_km2": r"Einzugsgebiet \[km²\]:[^\n]*\n[^\n]*\n(?:\s+\d\d\.[^\n]*\n)*"
                r"\s+\d\d\.\d\d\.\d{4}\s+([\d,]+)"
            },
            unit=r"Einheit:\s*;\s*(\S+)",
            na=("Lücke",),
            by_header=r"Messstelle:",
        ),
    ),
    gauge=r"\w+",
    reader="eHYD",
)

_NRFA = Table(
    ("nrfa_{gauge}_gdf.csv", "{gauge}_gdf.csv"),
    {"discharge": ("flow", "m3/s")},
    names=("date", "flow", "flag"),
    separator=",",
    start=r"\d{4}-\d\d-\d\d",
    unit=r"dataType,units,(\S+)",
)
_NRFA_RAIN = replace(
    _NRFA,
    path=("nrfa_{gauge}_cdr.csv", "{gauge}_cdr.csv"),
    columns={"precipitation": ("flow", "mm")},
    unit="",
)
_BY_NRFA = r"file,timestamp,[\s\S]*?dataType,id,"  # how its files begin
NRFA = Source(
    "UK NRFA",
    tables=((_NRFA, replace(_NRFA, path="{gauge}.csv", by_header=f"{_BY_NRFA}gdf")),),
    gauge=r"\d+",
    reader="NRFA",
)
NRFA_RAIN = Source(
    "UK NRFA, rainfall",
    tables=((_NRFA_RAIN, replace(_NRFA_RAIN, path="{gauge}.csv", by_header=f"{_BY_NRFA}cdr")),),
    gauge=r"\d+",
    reader="NRFA rainfall",
)

# The headers in French, and in German.
_OF_BAFU = {
    **dict.fromkeys(("nomdelastation", "nomstation"), "Stationsname"),
    **dict.fromkeys(("numerodelastation", "numerodestation", "numerostation"), "Stationsnummer"),
    "parametre": "Parameter",
    **dict.fromkeys(("serietemporelle", "serie"), "Zeitreihe"),
    **dict.fromkeys(("uniteduparametre", "uniteparametre", "unite"), "Parametereinheit"),
    **dict.fromkeys(("horodatage", "horodate"), "Zeitstempel"),
    "valeur": "Wert",
}


def _in_german(name: str) -> str:
    return _OF_BAFU.get(plain_name(name), name)


# Means of days or hours, of one station or several.
BAFU = Source(
    "BAFU",
    tables=(
        Table(
            "{gauge}.csv",
            {"discharge": ("Wert", "m3/s")},
            time="Zeitstempel",
            separator=";",
            rename=_in_german,
            start=r"Stationsname|Nom ",
            encoding="latin-1",
            where={
                "Parameter": ("Abfluss", "Débit"),
                "Zeitreihe": ("*mittel*", "*Mittel*", "*oyen*"),
            },
            unit="Parametereinheit",
            gauges="Stationsnummer",
            na=("-",),
            by_header=True,
        ),
    ),
    gauge=r"[^/]+",
    reader="BAFU",
)


def _in_english(name: str) -> str:
    """Headers of the Water Survey have both languages, and symbols have units behind."""
    return name.partition("/")[0].strip()


_SURVEY: dict[str, Any] = {
    "time": "Date",
    "separator": ",",
    "encoding": "latin-1",
    "rename": _in_english,
    "gauges": "ID",
    "by_header": True,
}
# Rows of months, with columns FLOW1 to FLOW31.
_FOLDED = Table(
    ("{gauge}.csv", "{gauge}.xlsx"),
    {"discharge": ("FLOW", "m3/s")},
    time="Date",
    gauges="STATION_NUMBER",
    by_header=True,
)
HYDAT = Source(
    "HYDAT",
    tables=(
        (
            _FOLDED,
            replace(
                _FOLDED,
                path="*.sqlite3",
                heading={"area_km2": "DRAINAGE_AREA_GROSS", "latitude": "LATITUDE"},
                relations=("DLY_FLOWS", "STATIONS"),
                by_header=False,
            ),
            Table(  # download of the Water Survey of Canada; PARAM 2 is the level
                "{gauge}.csv",
                {"discharge": (("Value", "m3/s"), ("Valeur", "m3/s"))},
                **_SURVEY,
                start=r"\s*ID\b",
                where={"PARAM": "1"},
            ),
            Table(  # of the last months; 47 is discharge, 46 the level
                "{gauge}.csv",
                {"discharge": ("Value", "m3/s")},
                **_SURVEY,
                start=r"\s*ID\b",
                where={"Parameter": ("47", "47.0")},
            ),
            Table(  # as they come in
                "{gauge}.csv",
                {"discharge": ("Discharge", "m3/s")},
                **_SURVEY,
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
