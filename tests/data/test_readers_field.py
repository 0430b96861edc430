"""Files from the field: what was read wrong without a word, or refused without help."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from tests.data.test_readers_agencies import ISO, RAVEN
from tests.data.test_tables import AREA, DAYS, EVAPORATION, FLOW, RAIN, VOLUME, WARMTH, check, put

CFS = VOLUME / 0.3048**3
MONTHLY = [0.1, 0.2, 0.4, 0.8, 1.0, 2.0, 2.5, 2.0, 1.0, 0.5, 0.2, 0.1]


def lines(header, *columns, separator=","):
    rows = zip(*(map(str, column) for column in columns), strict=True)
    return header + "\n" + "".join(separator.join(row) + "\n" for row in rows)


def record(header, dates=ISO, separator=",", flow=FLOW):
    return lines(header, dates, RAIN, EVAPORATION, flow, separator=separator)


def test_raven_adds_rain_and_snow(tmp_path):
    """Either alone is less than precipitation."""
    text = RAVEN.replace(":Parameters PRECIP TEMP_DAILY_MIN", ":Parameters RAINFALL SNOWFALL")
    text = text.replace(":Units mm/d C C", ":Units mm/d mm/d C")
    parts = np.linspace(0, 1, RAIN.size).tolist()
    for rain, warmth, share in zip(RAIN.tolist(), WARMTH, parts, strict=True):
        old = f"\n{rain} {warmth - 5:.2f} "
        assert old in text
        text = text.replace(old, f"\n{rain * share!r} {rain * (1 - share)!r} ", 1)
    check(ph.read_basin(put(tmp_path, text, "a.rvt"), area=AREA), "precipitation", "discharge")


def test_hours_in_columns_that_a_reader_does_not_know(tmp_path):
    """Hourly lines with one date a day are no daily record."""
    hours = pd.date_range("2005-01-20", periods=96, freq="h")
    parts = [hours.year, hours.month, hours.day, hours.hour, [0] * 96, [5.0] * 96, [1] * 96]
    text = lines("YYYY;MM;DD;hh;mm;qobs;ckhs", *parts, separator=";")
    basin = ph.read_basin(put(tmp_path, text, "ID_7.csv"), area=AREA)
    assert basin.sizes["time"] == 96 and basin.attrs["gauge"] == "7"
    days = text.replace("hh;mm", "HH24;MI")
    with pytest.raises(ValueError, match=r"96 lines, but only 4 dates.*hold the hour"):
        ph.read_basin(put(tmp_path, days, "ID_7.csv"), area=AREA)


@pytest.mark.parametrize("ends", [np.arange(60) % 24 + 1, (np.arange(60) % 24 + 1) * 100])
def test_hours_from_1_to_24_are_said(ends, tmp_path):
    dates = pd.date_range("2005-01-20", periods=60, freq="h")
    header = "date,hour,P (mm),PET (mm),Q (mm)"
    text = lines(header, dates.strftime("%Y-%m-%d"), ends, RAIN / 24, EVAPORATION / 24, FLOW / 24)
    with pytest.warns(UserWarning, match=r"24:00 is read as the midnight that ends the day"):
        basin = ph.read_csv(put(tmp_path, text))
    assert basin["time"].values[0] == np.datetime64("2005-01-20T01")


def test_files_of_gauges_under_other_names(tmp_path):
    head = "# made for a test\nagency_cd\tsite_no\tdatetime\t7_00060_00003\t7_00060_00003_cd\n"
    nwis = [["USGS"] * 60, ["01234567"] * 60, ISO, CFS.tolist(), ["A"] * 60]
    text = lines(head + "5s\t15s\t20d\t14n\t10s", *nwis, separator="\t")
    check(ph.read_basin(put(tmp_path, text, "flow.txt"), area=AREA), "discharge")
    text = lines("agency_cd,site_no,Date,X_00060_00003,X_00060_00003_cd", *nwis)
    check(ph.read_basin(put(tmp_path, text, "flow.csv"), area=AREA), "discharge")
    text = lines("YYYY-MM-DD;hh:mm; Original", ISO, ["--:--"] * 60, VOLUME.tolist(), separator=";")
    text = f"# Catchment area (km2):   {AREA}\n# DATA\n{text}"
    check(ph.read_basin(put(tmp_path, text, "6_Q_Day.txt", "latin-1")), "discharge")


def test_whole_numbers_as_floats_name_gauges(tmp_path):
    data = {"runoff_mean": (("time", "id"), np.stack([VOLUME, 2 * VOLUME], axis=1))}
    data |= {"area": ("id", [AREA, AREA]), "geo_y": ("id", [44.4, 45.0])}
    path = tmp_path / "GRDC-Daily.nc"
    xr.Dataset(data, {"time": DAYS, "id": [6123.0, 6124.0]}).to_netcdf(path)
    check(ph.read_basin(path, "6123"), "discharge")
    assert ph.scan(tmp_path)["gauge"].tolist() == ["6123", "6124"]


def test_the_folder_of_a_basin_is_named_itself(tmp_path):
    dates = DAYS.strftime("%Y%m%d")
    put(tmp_path, lines("A\nDate P T Q", dates, RAIN, WARMTH, FLOW, separator=" "), "a/PTQ.txt")
    put(tmp_path, lines("B", EVAPORATION), "a/EVAP.txt")
    for folder in (tmp_path, tmp_path / "a"):
        check(ph.read_basin(folder), "precipitation", "temperature", "discharge")
        check(ph.read_basin(folder), "potential_evaporation")


def test_climatology_of_evaporation(tmp_path):
    path = put(tmp_path, lines("date,P_mm,Q_mm", ISO, RAIN, FLOW))
    basin = ph.read_csv(path, pet=MONTHLY)
    expected = np.asarray(MONTHLY)[DAYS.month - 1]
    np.testing.assert_array_equal(basin["potential_evaporation"], expected)
    with pytest.raises(ValueError, match=r"pet: has 11 values without dates.*12"):
        ph.read_csv(path, pet=MONTHLY[1:])


HEADERS = {
    "commas in names": "Date\tPrecipitation, mm\tPET, mm\tStreamflow, cubic meters per second",
    "Italian": "Data\tPrecipitazione (mm)\tEvapotraspirazione (mm)\tPortata (m3/s)",
    "seconds in Spanish": "Fecha\tPrecipitación (mm)\tETP (mm)\tCaudal (m3/seg)",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_headers(header, tmp_path):
    path = put(tmp_path, record(header, separator="\t", flow=VOLUME.tolist()))
    check(ph.read_csv(path, area=AREA), "precipitation", "potential_evaporation", "discharge")


HEADER = "date,P_mm,PET_mm,Q_mm"
SERIAL = range(732331, 732391)
REFUSED = {
    "Unix": (record(HEADER, range(1106179200, 1106179260)), {}, "seconds since 1970"),
    "MATLAB": (record(HEADER, SERIAL), {}, "days since the year 0"),
    "months": (record(HEADER, ["2005-01-00"] * 60), {}, "no day of the calendar; are they months"),
    "first days of months": (
        record(HEADER, pd.date_range("2005", periods=60, freq="MS").strftime("%Y-%m-%d")),
        {},
        "dates are months.*ph.means",
    ),
    "latitude": (record(HEADER), {"latitude": "44.4N"}, "latitude must be a number, found '44.4N'"),
    "no rain": (record("date,X_mm,PET_mm,Q_mm"), {}, "no precipitation beside .*; say which"),
}


@pytest.mark.filterwarnings("ignore:.*columns that are not read")
@pytest.mark.parametrize(("text", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_files_that_are_refused(text, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        ph.read_csv(put(tmp_path, text), **options)


def test_units_that_raven_does_not_convert(tmp_path):
    path = put(tmp_path, RAVEN.replace(":Units mm/d", ":Units in/d"), "a.rvt")
    with pytest.raises(ValueError, match="PRECIP is in in/d, but Raven takes it to be in mm/d"):
        ph.read_basin(path, area=AREA)


def test_other_sheets_are_named(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"x": ["y"]}).to_excel(book, sheet_name="info", index=False)
        pd.DataFrame({"x": ["y"]}).to_excel(book, sheet_name="data", index=False)
    with pytest.raises(KeyError, match="other sheets are 'data': give sheet="):
        ph.read_csv(path)


def test_labels_of_scored_series_are_checked():
    flow = ph.load_basin("leaf_river")["discharge"][:400]
    series = flow.to_series()
    assert ph.losses.nse(series.to_period("D"), flow) == 1
    for index, message in (
        (series.index.strftime("%Y-%m-%d"), "has text such as '1952-07-28'.*pandas.to_datetime"),
        (series.index.tz_localize("UTC"), "time zone UTC.*tz_localize"),
    ):
        with pytest.raises(TypeError, match=message):
            ph.losses.nse(series.set_axis(index), flow)
