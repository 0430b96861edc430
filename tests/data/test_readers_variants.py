"""Variants of known layouts: what each holds is read, or the message names the option."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from tests.data.test_tables import AREA, DAYS, EVAPORATION, FLOW, RAIN, VOLUME, WARMTH, check, put

ISO = DAYS.strftime("%Y-%m-%d").tolist()
CFS = VOLUME / 0.3048**3
HOURS = pd.date_range("2005-03-01", periods=24 * 250, freq="h", tz="UTC")
EACH = 0.5 + np.arange(len(HOURS)) % 17
NWIS = "# a comment\nagency_cd\tsite_no\tdatetime\t{}\n5s\t15s\t20d\t{}\n"
GRDC = (
    "# Title:                 GRDC STATION DATA FILE\n# GRDC-No.:              6335020\n"
    f"# Catchment area (km²):      {AREA:,.1f}\n#  Unit of measure:                  m³/s\n"
)
NRFA = (
    'file,timestamp,2024-03-05T18:11:35\nstation,descriptionGeneral,"Velocity\narea station."\n'
    "dataType,id,{}\ndataType,units,{}\ndata,first,2005-01-20\n"
)
BAFU_FR = (
    "Nom de la station;Numéro de la station;Paramètre;Série temporelle;Unité du paramètre;Cours "
    "d'eau;Horodatage;Valeur\n"
)
DATAMART = (
    " ID,Date,Water Level / Niveau d'eau (m),Grade,Symbol / Symbole,QA/QC,Discharge / Débit (cms),"
    "Grade,Symbol / Symbole,QA/QC\n"
)
REALTIME = " ID,Date,Parameter/Paramètre,Value/Valeur,Symbol/Symbole\n"
API = "monitoring_location_id,parameter_code,time,value,unit_of_measure\n"
PTQ = "A title of words\ndate\tPrec\tTemp\tQobs\n"


def lines(template, *columns):
    return "".join(template.format(*row) + "\n" for row in zip(*columns, strict=True))


def nwis(names, *columns):
    head = NWIS.format("\t".join(names), "\t".join(["10s"] * len(names)))
    return head + lines("USGS\t13337000\t{}" + "\t{}" * len(names), ISO, *columns)


TWO = nwis(["1_00060_00003", "2_00060_00003"], CFS, CFS * 2)
DISCHARGE = {
    "NWIS, no suffix": ("dv", nwis(["7_00010_00003", "1_00060_00003"], WARMTH, CFS)),
    "NWIS, an empty series": ("a.rdb", nwis(["1_00060_00003", "2_00060_00003"], [""] * 60, CFS)),
    "NWIS, of 2025": ("a.csv", API + lines("USGS-1,00060,{},{},ft^3/s", ISO, CFS)),
    "NWIS, by Python": ("b.csv", "site_no,datetime,00060_Mean\n" + lines("1,{},{}", ISO, CFS)),
    "GRDC, calculated": (
        "old.txt",
        GRDC
        + "YYYY-MM-DD;hh:mm; Original; Calculated; Flag\n"
        + lines("{};--:--;  -999.000;  {};  99", ISO, VOLUME),
    ),
    "NRFA, quoted break": ("avon.csv", NRFA.format("gdf", "m3/s") + lines("{},{}", ISO, VOLUME)),
    "NRFA, litres": ("avon.csv", NRFA.format("gdf", "l/s") + lines("{},{}", ISO, VOLUME * 1e3)),
    "BAFU, French": (
        "aare.csv",
        BAFU_FR + lines("Berne;2135;Débit;Moyenne journalière;l/s;Aare;{};{}", ISO, VOLUME * 1000),
    ),
    "HYDAT, French": ("c.csv", " ID,PARAM,Date,Valeur,SYM\n" + lines("08MF,1,{},{},", ISO, VOLUME)),
    "HYDAT, as it comes": (
        "d.csv",
        DATAMART + lines("08MF,{}T00:00:00-08:00,1.2,,,1,{},,,1", ISO, VOLUME),
    ),
    "HYDAT, months": ("e.csv", REALTIME + lines("08MF,{}T00:00:00Z,47,{},", ISO, VOLUME)),
}


@pytest.mark.filterwarnings("ignore:.*Original has no value")
@pytest.mark.parametrize(("name", "text"), DISCHARGE.values(), ids=DISCHARGE)
def test_discharge(name, text, tmp_path):
    check(ph.read_basin(put(tmp_path, text, name), area=AREA), "discharge")


REFUSED = {
    "two series": ("a.rdb", TWO, "several series, .* by series='1'"),
    "BAFU, highest": (
        "a.csv",
        BAFU_FR + lines("Berne;2135;Débit;Maximum;m3/s;Aare;{};{}", ISO, VOLUME),
        "no line has .*oyen.* in 'Zeitreihe', which holds Maximum",
    ),
    "level": (
        "a.rvt",
        ":ObservationData RESERVOIR_STAGE 1 m\n2005-01-20 00:00:00 1 2\n1\n2\n:EndObservationData",
        "has none of the columns .*HYDROGRAPH",
    ),
    "single values": (
        "b.rvt",
        ":IrregularObservations HYDROGRAPH 1 1 m3/s\n2005-01-20 01:00 2\n:End\n",
        ":IrregularObservations are single values",
    ),
}


@pytest.mark.parametrize(("name", "text", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_option(name, text, message, tmp_path):
    with pytest.raises((ValueError, KeyError), match=message):
        ph.read_basin(put(tmp_path, text, name), area=AREA)


def test_one_series_of_several_and_codes_of_the_caller(tmp_path):
    path = put(tmp_path, TWO.replace(repr(float(CFS[0])), "-1", 1), "a.rdb")
    check(ph.read_basin(path, area=AREA * 2, series="2"), "discharge")
    basin = ph.read_basin(path, area=AREA, series="1", na=[-1])
    assert np.isnan(basin["discharge"][0]) and basin["discharge"][1:].notnull().all()


def test_summer_time_becomes_standard_time(tmp_path):
    local = HOURS.tz_convert("America/New_York")
    text = NWIS.format("tz_cd\t1_00060", "6s\t14n") + lines(
        "USGS\t13337000\t{:%Y-%m-%d %H:%M}\t{:%Z}\t{}", local, local, EACH
    )
    with pytest.warns(UserWarning, match="in EST and EDT; all were written in EST"):
        flow = ph.read_basin(put(tmp_path, text, "a.rdb"), area=0.0864 * 1000)["discharge"]
    np.testing.assert_allclose(flow, EACH * 0.3048**3, rtol=1e-12)
    assert flow.time[0] == np.datetime64("2005-02-28T19:00")


def test_names_of_time_zones(tmp_path):
    local = HOURS.tz_convert("Europe/Paris")
    text = "time,precip (mm/h)\n" + lines("{:%Y-%m-%d %H:%M %Z},{}", local, EACH / 24)
    basin = ph.read_csv(put(tmp_path, text))
    np.testing.assert_allclose(basin["precipitation"], EACH, rtol=1e-12)
    assert basin.time[0] == np.datetime64("2005-03-01")


@pytest.mark.filterwarnings("ignore:.*(look at units|more than but a few places)")
@pytest.mark.parametrize("suffix", ["csv", "nc"])
@pytest.mark.parametrize("land", [False, True])
def test_hours_of_era5(land, suffix, tmp_path):
    """Labels are the ends of hours; ERA5-Land sums from midnight on."""
    starts = pd.date_range("2005-06-01", periods=24 * 5, freq="h")
    rain = np.where(np.arange(120) % 7 < 3, np.arange(120) % 5, 0.0)
    evaporation = np.maximum(np.sin(2 * np.pi * (np.arange(120) % 24 - 6) / 24), 0.0) / 5
    sums = {"tp": rain / 1000, "pev": -evaporation / 1000}
    if land:
        sums = {n: v.reshape(5, 24).cumsum(axis=1).ravel() for n, v in sums.items()}
    table = pd.DataFrame({**sums, "t2m": 290.0}, (starts + pd.Timedelta("1h")).rename("time"))
    path = tmp_path / f"cell.{suffix}"
    if suffix == "csv":
        table.to_csv(path)
    else:
        table.to_xarray().to_netcdf(path)
    with pytest.warns(UserWarning) as caught:
        basin = ph.read_basin(path)
    texts = [str(w.message) for w in caught]
    assert any("ends of intervals: one interval was taken off" in t for t in texts)
    assert any("tp, pev are sums since midnight" in t for t in texts) == land
    assert basin.time[0] == starts[0].to_datetime64()
    np.testing.assert_allclose(basin["precipitation"], rain * 24, atol=1e-9)
    np.testing.assert_allclose(basin["potential_evaporation"], evaporation * 24, atol=1e-9)


def test_evaporation_of_the_wrong_sign_in_hours(tmp_path):
    """Half of the hours are nights without evaporation."""
    hours = pd.date_range("2005-06-01", periods=96, freq="h")
    upward = np.where(hours.hour.isin(range(6, 18)), -0.3, 0.0)
    text = "time,rain (mm),pet (mm)\n" + lines("{},0.1,{}", hours, upward)
    with pytest.raises(ValueError, match="negative on average; is evaporation counted as a loss"):
        ph.read_csv(put(tmp_path, text))


COLUMNS = {
    "German": "Datum;Niederschlagshöhe [mm];pot. Verdunstung [mm/d];Lufttemperatur (°C);"
    "Mittlerer Abfluß (m³/Sek)",
    "French": "Jour;Hauteur de pluie [mm];ETP Penman (mm/j);T moy [°C];"
    "Débit moyen journalier [m3/s]",
    "Spanish": "FECHA;PRECIPITACION (mm/día);ETP (mm/día);TMED (ºC);CAUDAL MEDIO DIARIO (m3/s)",
    "Portuguese": "Data;Precipitação (mm);Evapotranspiração potencial (mm);Temperatura (degrees C);"
    "Vazão (m3/s)",
    "English": "DATE;Total rainfall [mm];Reference ET [mm];temperature_2m;Mean daily flow [m3/s]",
}


@pytest.mark.parametrize("header", COLUMNS.values(), ids=COLUMNS)
def test_names_with_words_beside_the_quantity(header, tmp_path):
    text = f"{header}\n" + lines("{};{};{};{};{}", ISO, RAIN, EVAPORATION, WARMTH, VOLUME)
    basin = ph.read_csv(put(tmp_path, text), area=AREA)
    check(basin, "precipitation", "potential_evaporation", "temperature", "discharge")


SERIAL = (DAYS - pd.Timestamp("1899-12-30")).days
DATES = {
    "month names": ("Year,Month,Day", DAYS.strftime("%Y,%b,%d"), {}),
    "short years": ("Year,Month,Day", DAYS.strftime("%y,%m,%d"), {}),
    "year and day": ("Year,Day", DAYS.strftime("%Y,%j"), {}),
    "weekdays": ("Datum", [f"Mo {d:%d.%m.%Y}" for d in DAYS], {}),
    "day first": ("Date", [f"{d.day}{d:%m%Y}" for d in DAYS], {"date_format": "%d%m%Y"}),
    "1904": ("Date", SERIAL - 1462, {"date_format": "days since 1904-01-01"}),
    "Unix": ("t", DAYS.as_unit("s").asi8, {"time": "t", "date_format": "seconds since 1970-01-01"}),
    "MATLAB": (
        "t",
        [d.toordinal() + 366 for d in DAYS],
        {"time": "t", "date_format": "days since -0001-12-31"},
    ),
    "Julian": (
        "t",
        DAYS.to_julian_date(),
        {"time": "t", "date_format": "days since -4713-11-24T12:00"},
    ),
}


@pytest.mark.parametrize(("header", "dates", "options"), DATES.values(), ids=DATES)
def test_dates(header, dates, options, tmp_path):
    text = f"{header},rain (mm)\n" + lines("{},{}", dates, RAIN)
    check(ph.read_csv(put(tmp_path, text), **options), "precipitation")


def test_numbers_for_dates_name_the_format(tmp_path):
    text = "Date,rain (mm)\n" + lines("{},{}", DAYS.as_unit("s").asi8, RAIN)
    with pytest.raises(ValueError, match="give date_format='seconds since 1970-01-01'"):
        ph.read_csv(put(tmp_path, text), time="Date")
    text = "Date,rain (mm)\n" + lines("{},{}", SERIAL - 1462, RAIN)
    with pytest.warns(UserWarning, match="give date_format='days since 1904-01-01'"):
        ph.read_csv(put(tmp_path, text))


def test_hbv_light_with_other_names_and_dates_of_evaporation(tmp_path):
    days = DAYS.strftime("%Y%m%d")
    folder = tmp_path / "basin"
    folder.mkdir()
    put(folder, PTQ + lines("{}\t{}\t{}\t{}", days, RAIN, WARMTH, FLOW), "PTQ.TXT")
    put(folder, "Evap\n" + lines("{}\t{}", days, EVAPORATION), "evap.txt")
    basin = ph.read_basin(folder)
    check(basin, "precipitation", "potential_evaporation", "temperature", "discharge")


UNITS = {
    "1000 m3/d": 86.4,
    "10^3 m3/d": 86.4,
    "dam3/d": 86.4,
    "kcfs": 0.3048**-3 / 1000,
    "cu ft/s": 0.3048**-3,
    "cbm/Sek": 1.0,
    "ac-ft/day": 86400 / (43560 * 0.3048**3),
}


@pytest.mark.parametrize("unit", UNITS)
def test_units(unit, tmp_path):
    text = "date,discharge\n" + lines("{},{}", ISO, VOLUME * UNITS[unit])
    basin = ph.read_csv(put(tmp_path, text), units={"discharge": unit}, area=AREA)
    check(basin, "discharge")
    tenths = "date,rain [0.1 mm],temperature [0.1 °C]\n" + lines(
        "{},{},{}", ISO, RAIN * 10, WARMTH * 10
    )
    check(ph.read_csv(put(tmp_path, tenths)), "precipitation", "temperature")


def test_codes_and_flags_of_one_value(tmp_path):
    """Empty cells make floats of a column of whole numbers."""
    marks = ["3" if i == 4 else "" if i == 7 else "1" for i in range(60)]
    flows = ["-1" if i == 9 else "Ice" if i == 11 else str(q) for i, q in enumerate(FLOW)]
    text = "date,ET (mm),PET (mm),rain (mm),flow (mm),mark\n"
    text += lines("{},9,{},{},{},{}", ISO, EVAPORATION, RAIN, flows, marks)
    path = put(tmp_path, text)
    with pytest.warns(UserWarning, match="not read: 'ET"):
        for mark in (3, "3"):
            basin = ph.read_csv(path, na=["-1", "Ice"], flags={"mark": mark})
            assert np.flatnonzero(basin["discharge"].isnull()).tolist() == [4, 9, 11]
    check(basin, "potential_evaporation")
    path = put(tmp_path, text.replace("Ice", "1"))
    with pytest.warns(UserWarning, match="not read: 'ET"):
        assert int(ph.read_csv(path, na=-1)["discharge"].isnull().sum()) == 1


def test_climatologies_in_other_units(tmp_path):
    path = put(tmp_path, "date,rain (mm)\n" + lines("{},{}", ISO, RAIN))
    with pytest.raises(ValueError, match="expected mm/d, found up to 45; divide sums of months"):
        ph.read_csv(path, pet=[45.0] * 12)
    with pytest.raises(ValueError, match="has 1 values without dates"):
        ph.read_csv(path, pet=2.0)
    with pytest.raises(TypeError, match="area must be a number"):
        ph.read_csv(path, units={"precipitation": "m3/s"}, area="943")


def test_units_of_netcdf_variables_are_used(tmp_path):
    data = {"tp": RAIN, "t2m": WARMTH}
    units = {"tp": "mm", "t2m": "degC"}
    record = xr.Dataset({n: ("time", v, {"units": units[n]}) for n, v in data.items()})
    record.assign_coords(time=DAYS).to_netcdf(tmp_path / "cell.nc")
    check(ph.read_basin(tmp_path / "cell.nc"), "precipitation", "temperature")


def test_spreadsheets_that_count_from_1904(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["Date", "rain (mm)"])
    for day, rain in zip(SERIAL - 1462, RAIN, strict=True):
        book.active.append([int(day), float(rain)])
    book.save(tmp_path / "old.xlsx")
    check(ph.read_csv(tmp_path / "old.xlsx"), "precipitation")
