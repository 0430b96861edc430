"""Tables as people keep them: names, units, dates and files of many kinds hold the same record."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.data.readers.text.dates import dates_of, parse_dates
from pymc_hydro.data.readers.text.header import headings, variables_among
from pymc_hydro.data.units import are_same_unit, parse_unit, to_schema

N, AREA = 60, 100.0
DAYS = pd.date_range("2005-01-20", periods=N)
HOURS = pd.date_range("2005-01-20", periods=N, freq="h")
RNG = np.random.default_rng(3)
RAIN = RNG.gamma(0.7, 6.0, N).round(1)
EVAPORATION = RNG.uniform(0.2, 4.0, N).round(1)
WARMTH = RNG.uniform(-4, 12, N).round(1)
FLOW = (0.5 + RNG.gamma(2.0, 0.8, N)).round(2)  # mm/d
VALUES = {
    "precipitation": RAIN,
    "potential_evaporation": EVAPORATION,
    "temperature": WARMTH,
    "discharge": FLOW,
}
VOLUME = FLOW * AREA / 86.4  # m3/s


def lines(header, dates, *columns, separator=",", decimal="."):
    rows = [separator.join([str(d), *map(str, r)]) for d, *r in zip(dates, *columns, strict=True)]
    rows = [row.replace(".", decimal) if decimal != "." else row for row in rows]
    return "\n".join([header, *rows]) + "\n"


def put(tmp_path, text, name="record.csv", encoding="utf-8"):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding=encoding)
    return path


def check(basin, *names, time=DAYS, rtol=1e-12):
    assert set(names) <= set(basin.data_vars)
    assert (basin["time"].values == time.to_numpy()).all()
    for name in names:
        np.testing.assert_allclose(basin[name], VALUES[name], rtol=rtol, atol=1e-9)


ALL = tuple(VALUES)
ISO = DAYS.strftime("%Y-%m-%d")
GERMAN = DAYS.strftime("%d.%m.%Y")
TABLES = {
    "English": lines("Date,Rain (mm),PET (mm),Temp (°C),Flow (mm)", ISO, *VALUES.values()),
    "German, units below": lines(
        "Datum;Niederschlag;ETP;Temperatur;Abfluss\n;[mm];[mm];[°C];[mm/d]",
        DAYS.strftime("%d-%m-%Y"),
        *VALUES.values(),
        separator=";",
        decimal=",",
    ),
    "French": lines(
        "date;Pluie (mm);Evapotranspiration potentielle (mm/j);Température (°C);Débit (mm/j)",
        DAYS.strftime("%d/%m/%Y"),
        *VALUES.values(),
        separator=";",
    ),
    "Spanish": lines(
        "Fecha\tPrecipitación [mm]\tEvapotranspiración [mm]\tTemperatura\tCaudal [mm d-1]",
        DAYS.strftime("%d/%m/%y"),
        *VALUES.values(),
        separator="\t",
    ),
    "airGR": lines("DatesR,P,E,T,Qmm", ISO, *VALUES.values()),
    "suffixes": lines("time,P_mm,PET_mm_d,T_C,Q_mm_d", ISO, *VALUES.values()),
    "kelvin and metres": lines(
        "time,p [m],pet [m],t [K],q [cm/d]",
        ISO,
        RAIN / 1000,
        EVAPORATION / 1000,
        WARMTH + 273.15,
        FLOW / 10,
    ),
    "two flows": lines(
        "time,P,PET,T,Qobs_m3s,Qobs_mm", ISO, RAIN, EVAPORATION, WARMTH, VOLUME, FLOW
    ),
    "numbers of lines": lines(",date,p,pet,t,q_mm", range(N), ISO, RAIN, EVAPORATION, WARMTH, FLOW),
    "dates without a name": lines(",p,pet,t,q_mm", ISO, *VALUES.values()),
    "year and day": lines("Year,DOY,P,E,T,Q (mm)", DAYS.year, DAYS.day_of_year, *VALUES.values()),
    "year, month, day": lines(
        "Jahr,Monat,Tag,P,E,T,Q [mm]", DAYS.year, DAYS.month, DAYS.day, *VALUES.values()
    ),
}


@pytest.mark.filterwarnings("ignore:.*not read. 'Qobs_m3s'")
@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_names_and_units_of_spreadsheets(text, tmp_path):
    check(ph.read_basin(put(tmp_path, text)), *ALL)


UNITS = {
    "m3/s": VOLUME,
    "m³ s⁻¹": VOLUME,
    "cumecs": VOLUME,
    "L/s": VOLUME * 1e3,
    "ML/d": VOLUME * 86.4,
    "ML.day^-1": VOLUME * 86.4,
    "m3/d": VOLUME * 86400,
    "hm3/d": VOLUME * 0.0864,
    "GL/d": VOLUME * 0.0864,
    "af/d": VOLUME * 86400 / 1233.48183754752,  # 43560 cubic feet
    "mgd": VOLUME * 86400 / 3785.411784,
    "ft3/s": VOLUME / 0.3048**3,
    "cfs": VOLUME / 0.3048**3,
    "m3": VOLUME * 86400,
    "L/s/km2": VOLUME * 1e3 / AREA,
    "mm/h": FLOW / 24,
    "mm/6h": FLOW / 4,
    "kg m-2 s-1": FLOW / 86400,
    "in": FLOW / 25.4,
    "mm/month": FLOW * DAYS.days_in_month,
    "mm/year": FLOW * 365,
}


@pytest.mark.parametrize("unit", UNITS)
def test_units_of_discharge(unit):
    found = to_schema("x", "discharge", UNITS[unit], unit, DAYS, AREA)
    np.testing.assert_allclose(found, FLOW, rtol=1e-12)


def test_of_several_columns_the_best_is_read():
    """The schema's own name, then no need of the area, then a unit, then the first."""
    columns = ["Q", "flow [m3/s]", "runoff [mm/d]", "discharge", "flow [mm/h]"]
    for there, best in ((5, 3), (3, 2), (2, 1), (1, 0)):
        for order in (columns[:there], columns[:there][::-1]):
            found = variables_among(headings(order))
            assert found["discharge"].column == columns[best]
    twice = variables_among(headings(["flow [mm/d]", "runoff [mm/d]"]))
    assert twice["discharge"].column == "flow [mm/d]"


@pytest.mark.parametrize(
    ("unit", "kind", "factor"),  # to mm/d, mm, m3/d or m3, from handbooks
    [
        ("gal/min", "flow", 5.450992969),
        ("mgd", "flow", 3785.411784),
        ("acre-ft/d", "flow", 1233.48183754752),
        ("cfs", "flow", 2446.57555),
        ("Mm3/d", "flow", 1e6),
        ("hm3", "volume", 1e6),
        ("GL", "volume", 1e6),
        ("ML", "volume", 1e3),
        ("kl", "volume", 1.0),
        ("m3/wk", "flow", 1 / 7),
        ("m3/h", "flow", 24.0),
        ("L/min", "flow", 1.44),
        ("L/s/km2", "rate", 0.0864),
        ("L/s/ha", "rate", 8.64),
        ("ft3/s/sqmi", "rate", 0.944628),
        ("in", "sum", 25.4),
        ("ft", "sum", 304.8),
        ("cm/d", "rate", 10.0),
        ("kg/m2/h", "rate", 24.0),
        ("mm/6h", "rate", 4.0),
    ],
)
def test_factors_of_units(unit, kind, factor):
    found = parse_unit(unit)
    assert found.kind == kind and found.factor == pytest.approx(factor, rel=1e-6)


def test_units_that_are_the_same_or_none():
    assert are_same_unit("m3/s", "meter ** 3 / second") and are_same_unit("cumec", "m^3 s^-1")
    assert not are_same_unit("m3/s", "L/s") and not are_same_unit("mm/month", "mm")
    nothing = ("", "m4/s", "furlong", "mm/d/d", "m/s2", "kg", "1", "P", "mm//d", "month")
    assert [text for text in nothing if parse_unit(text) is not None] == []


WRITTEN = {
    **{f: DAYS.strftime(f) for f in ("%d/%m/%y", "%m/%d/%y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y")},
    **{f: DAYS.strftime(f) for f in ("%Y%m%d", "%Y-%j", "%Y%j", "%d%b%Y", "%Y/%m/%d", "%d-%b-%y")},
    "German months": [
        f"{d.day}. {['Jan.', 'Februar', 'März'][d.month - 1]} {d.year}" for d in DAYS
    ],
    "French months": [f"{d.day}-{['janv.', 'févr.', 'mars'][d.month - 1]}-05" for d in DAYS],
    "Spanish months": [f"{d.day}-{['ene', 'feb', 'mar'][d.month - 1]}-2005" for d in DAYS],
}
CLOCKS = {
    **{f: HOURS.strftime(f) for f in ("%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M", "%Y%m%d%H")},
    **{f: HOURS.strftime(f) for f in ("%m/%d/%Y %I:%M %p", "%Y-%m-%d %H", "%d-%b-%Y %H:%M")},
    "midnight without clock": [str(h.date()) if h.hour == 0 else str(h) for h in HOURS],
}


@pytest.mark.parametrize("dates", WRITTEN.values(), ids=WRITTEN)
def test_days_in_many_forms(dates):
    assert (parse_dates("x", list(dates)) == DAYS).all()


@pytest.mark.parametrize("dates", CLOCKS.values(), ids=CLOCKS)
def test_hours_in_many_forms(dates):
    assert (parse_dates("x", list(dates)) == HOURS).all()


def test_the_24th_hour_ends_the_day():
    hours = [
        f"{h - pd.Timedelta('1h'):%d/%m/%Y} 24:00" if h.hour == 0 else f"{h:%d/%m/%Y %H:%M}"
        for h in HOURS
    ]
    with pytest.warns(UserWarning, match=r"24:00 is read as .* take one interval off"):
        assert (parse_dates("x", hours) == HOURS).all()


def test_days_of_a_time_zone_keep_their_date():
    """In summer time as well; hours become those of UTC."""
    summer = [f"{d:%Y-%m-%d} 00:00:00+0{1 + (d.month > 2)}:00" for d in DAYS]
    assert (parse_dates("x", summer) == DAYS).all()
    hours = parse_dates("x", list(HOURS.strftime("%Y-%m-%dT%H:%M:%S+01:00")))
    assert (hours == HOURS - pd.Timedelta("1h")).all()


def test_hours_of_spreadsheets():
    serial = (HOURS - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D")
    with pytest.warns(UserWarning, match="38372.0 is 2005-01-20"):
        assert (parse_dates("x", list(serial.astype(str))) == HOURS).all()


def test_years_of_two_digits_are_past():
    century = pd.date_range("1958-01-01", periods=18000)
    assert (parse_dates("x", list(century.strftime("%d/%m/%y"))) == century).all()


def test_columns_of_dates_and_clocks():
    later = HOURS + pd.Timedelta("1h")
    parts = {"y": HOURS.year, "m": HOURS.month, "d": HOURS.day, "h": HOURS.hour + 1}
    with pytest.warns(UserWarning, match="24:00 is read as the midnight that ends the day"):
        assert (dates_of("x", pd.DataFrame(parts), ("y", "m", "d", "h")) == later).all()
    for day, clock in (("%d/%m/%Y", "%H:%M"), ("%Y%m%d", "%H"), ("%Y%m%d", "%H00")):
        table = pd.DataFrame({"a": HOURS.strftime(day), "b": HOURS.strftime(clock)})
        assert (dates_of("x", table, ("a", "b")) == HOURS).all()


BAD_DATES = {
    "month of no language": (["1-Foo-2005", "2-Foo-2005"], "not a date that is understood"),
    "25 hours": (["2005-01-01 23:00", "2005-01-01 25:00"], "line 2: '2005-01-01 25:00'"),
    "day 366": (["2005-365", "2005-366"], "line 2: '2005-366'"),
    "number of no day": (["38353", "3835"], "line 2: '3835' is not the number of a day"),
    "mixed": (["01-Jan-2005", "2005-01-02"], "line 2: "),
    "day or month": (["01/02/05", "02/01/05"], "may be day/month or month/day"),
    "word": (["yesterday", "today"], "not a date"),
}


@pytest.mark.parametrize(("dates", "message"), BAD_DATES.values(), ids=BAD_DATES)
def test_dates_that_are_none(dates, message):
    with pytest.raises(ValueError, match=message):
        parse_dates("x", dates)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"y": [2005, 2005], "doy": [365, 366]}, r"line 2: \[2005, 366\].*day_of_year"),
        ({"y": [2005, 2005], "m": [1, 1], "d": [1, 1], "h": [24, 25]}, "line 2"),
        ({"y": [2005, 2005], "m": [2, 2], "d": [28, 29]}, r"\[2005, 2, 29\] is not a date"),
    ],
)
def test_parts_that_are_no_dates(parts, message):
    with pytest.raises(ValueError, match=message):
        dates_of("x", pd.DataFrame(parts), tuple(parts))


PLAIN = lines(
    "date,rain_mm,pet_mm,temp_C,Q [m3/s],quality",
    ISO,
    *list(VALUES.values())[:3],
    VOLUME,
    ["A"] * N,
)
BAD_TABLES = {
    "no unit of flow": (PLAIN.replace("Q [m3/s]", "Q"), {}, "the unit of 'Q' is not known"),
    "no area": (PLAIN, {}, "needs the basin's area"),
    "no such flag": (PLAIN, {"area": AREA, "flags": {"qc": "B"}}, "no column 'qc' of flags"),
    "word": (
        PLAIN.replace(f",{VOLUME[3]},", ",Ice,"),
        {"area": AREA},
        "'Ice' is not a number.*na=",
    ),
    "code": (PLAIN.replace(f",{VOLUME[3]},", ",-9.99,"), {"area": AREA}, "negative in 1|-9.99"),
    "names in line 4": (
        "station 7\nArea 3\n\n" + PLAIN,
        {},
        "header seems to be in line 4.*skip=3",
    ),
    "hours without unit": (
        lines("time,rain,pet_mm,q_mm", HOURS, RAIN, EVAPORATION, FLOW),
        {},
        "the unit of 'rain' is not known; .*'mm'",
    ),
    "unknown unit": (PLAIN, {"area": AREA, "units": {"discharge": "m4/s"}}, "unknown unit 'm4/s'"),
    "degrees of rain": (PLAIN, {"area": AREA, "units": {"precipitation": "K"}}, "unknown unit 'K'"),
    "kelvin as celsius": (
        lines("date,p,pet,t,q_mm", ISO, RAIN, EVAPORATION, WARMTH + 273.15, FLOW),
        {},
        "in K or degF",
    ),
    "evaporation as a loss": (
        lines("date,p,pet,t,q_mm", ISO, RAIN, -EVAPORATION, WARMTH, FLOW),
        {},
        "multiply that column by -1",
    ),
}


@pytest.mark.filterwarnings("ignore:.*columns that are not read")
@pytest.mark.parametrize(("text", "options", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_tables_that_say_what_they_need(text, options, message, tmp_path):
    with pytest.raises((ValueError, KeyError), match=message):
        ph.read_csv(put(tmp_path, text), **options)


def test_columns_that_are_not_read_are_listed(tmp_path):
    text = lines("date,rain_mm,pet_mm,Qobs2,level", ISO, RAIN, EVAPORATION, FLOW, FLOW)
    with pytest.warns(UserWarning, match="not read: 'Qobs2', 'level'; perhaps .*'discharge': 'Qob"):
        ph.read_csv(put(tmp_path, text))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        columns = {"precipitation": "rain_mm", "discharge": "Qobs2"}
        basin = ph.read_csv(put(tmp_path, text), columns)
    np.testing.assert_array_equal(basin["discharge"], FLOW)


def test_codes_flags_and_lines_to_skip(tmp_path):
    flow = np.array([f"{v:.4f}" for v in VOLUME], dtype=object)
    flow[[3, 4]] = "Ice", "-999"
    quality = np.where(np.arange(N) == 9, "B", np.where(np.arange(N) == 11, "E", "A"))
    text = "station 7\n" + lines(
        "date,p,pet,Q [m3/s],quality", ISO, RAIN, EVAPORATION, flow, quality
    )
    options = {"skip": 1, "na": ("Ice", -999), "flags": {"quality": ("B", "E")}, "area": AREA}
    basin = ph.read_csv(put(tmp_path, text), **options)
    assert np.flatnonzero(np.isnan(basin["discharge"])).tolist() == [3, 4, 9, 11]
    np.testing.assert_array_equal(basin["precipitation"], RAIN)


def test_excel(tmp_path):
    frame = pd.DataFrame({"Date": DAYS, "Rain (mm)": RAIN, "PET (mm)": EVAPORATION})
    frame["Q"] = VOLUME
    units = pd.DataFrame([["", "mm", "mm", "m3/s"]], columns=frame.columns)
    path = tmp_path / "record.xlsx"
    pd.concat([units, frame]).to_excel(path, index=False, startrow=2, sheet_name="daily")
    basin = ph.read_basin(path, area=AREA, sheet="daily")
    check(basin, "precipitation", "potential_evaporation", "discharge")
    with pytest.raises(ValueError, match=r"cannot be read as a spreadsheet.*weekly"):
        ph.read_basin(path, area=AREA, sheet="weekly")
    (tmp_path / "broken.xlsx").write_bytes(b"no sheet")
    with pytest.raises(ValueError, match=r"broken\.xlsx: cannot be read"):
        ph.read_basin(tmp_path / "broken.xlsx")


def test_netcdf(tmp_path):
    path, unit = tmp_path / "record.nc", {"potential_evaporation": "mm/d", "pr": "kg m-2 s-1"}
    values = {"pr": RAIN / 86400, "potential_evaporation": EVAPORATION}
    one = {
        n: (("time", "lat", "lon"), v[:, None, None], {"units": unit[n]}) for n, v in values.items()
    }
    xr.Dataset(one, {"time": DAYS, "lat": [44.0], "lon": [6.0]}).to_netcdf(path)
    check(ph.read_basin(path), "precipitation", "potential_evaporation")
    two = {n: (("time", "lat"), np.stack([v, v], 1), {"units": unit[n]}) for n, v in values.items()}
    xr.Dataset(two, {"time": DAYS, "lat": [44.0, 45.0]}).to_netcdf(path)
    with pytest.raises(ValueError, match=r"other dimensions .*select one place"):
        ph.read_basin(path)
    days = ("time", np.arange(60.0), {"units": "days since 2000-01-01", "calendar": "noleap"})
    xr.Dataset({"pr": ("time", RAIN[:60])}, {"time": days}).to_netcdf(path)
    with pytest.raises(ValueError, match=r"record\.nc.*calendar 'noleap'.*convert_calendar"):
        ph.read_basin(path)
    xr.Dataset({"pr": ("station", [1.0, 2.0])}).to_netcdf(path)
    with pytest.raises(ValueError, match="expected one dimension of dates"):
        ph.read_basin(path)
    path.write_bytes(b"no netCDF")
    with pytest.raises(ValueError, match="not a whole netCDF file"):
        ph.read_basin(path)
