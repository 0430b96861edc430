"""Files that are wrong in one way each: a clear error or a stated repair, never a wrong number."""

import codecs
import gzip
import warnings

import numpy as np
import pandas as pd
import pytest

import pymc_hydro as ph
from tests.data.test_readers_twins import DAYS, EVAPORATION, FLOW, RAIN, TEMPERATURE

HEADER = "date,precip_mm,pet_mm,temp_c,flow_mm"
ROWS = [
    f"{d:%Y-%m-%d},{p},{e},{t},{q}"
    for d, p, e, t, q in zip(DAYS, RAIN, EVAPORATION, TEMPERATURE, FLOW, strict=True)
]
N = len(ROWS)


def text(rows, header=HEADER):
    return "\n".join([header, *rows]) + "\n"


def cell(column, value, row=5):
    """Return the file with one cell replaced."""
    rows = list(ROWS)
    fields = rows[row].split(",")
    fields[HEADER.split(",").index(column)] = value
    rows[row] = ",".join(fields)
    return text(rows)


def scaled(column, factor, shift=0.0):
    """Return the file with a column in another unit."""
    at = HEADER.split(",").index(column)
    rows = [r.split(",") for r in ROWS]
    for row in rows:
        row[at] = repr(float(row[at]) * factor + shift)
    return text([",".join(r) for r in rows])


def write(tmp_path, content, encoding="utf-8"):
    path = tmp_path / "basin.csv"
    if isinstance(content, str):
        content = content.encode(encoding)
    path.write_bytes(content)
    return path


DAYS_ONLY = [r.split(",", 1) for r in ROWS]
AMERICAN = [f"{d:%m/%d/%Y},{rest}" for d, (_, rest) in zip(DAYS, DAYS_ONLY, strict=True)]
FIRST_HALF = [f"{d:%d/%m/%Y},{rest}" for d, (_, rest) in zip(DAYS, DAYS_ONLY, strict=True)][:20]
TWO_DIGITS = [f"{d:%d/%m/%y},{rest}" for d, (_, rest) in zip(DAYS, DAYS_ONLY, strict=True)]
SERIAL = [f"{36576 + i},{rest}" for i, (_, rest) in enumerate(DAYS_ONLY)]

ERRORS = {
    # the file itself
    "empty": (b"", "is empty"),
    "blank lines": (b"\n\n  \n", "only blank lines"),
    "comments only": (b"# a\n# b\n", "holds no table"),
    "header only": (text([]), "no line of data"),
    "one row": (text(ROWS[:1]), "at least two dates"),
    "binary": (bytes(range(256)) * 20, "not a text file"),
    "packed": (gzip.compress(text(ROWS).encode()), "not a text file"),
    "web page": (b"<!DOCTYPE html><html>Log in</html>", "a web page"),
    "git lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
    # lines and fields
    "broken off in a line": (
        text([*ROWS[:-1], "2000-03-30,1.2,2.0,3"])[:-1],
        f"line {N + 1} has 4 fields and the header 5",
    ),
    "short line": (text([*ROWS[:9], "2000-02-29,1", *ROWS[10:]]), "line 11 has 2 fields"),
    "long line": (text([*ROWS[:9], ROWS[9] + ",3", *ROWS[10:]]), "line 11"),
    "trailing cells": (text([r + ",4" for r in ROWS]), "fields and the header 5|columns"),
    "no header": (text(ROWS[1:], ROWS[0]), "looks like data"),
    "column twice": (text(ROWS, HEADER.replace("temp_c", "pet_mm")), "'pet_mm' twice"),
    "semicolons in the body": (text([r.replace(",", ";") for r in ROWS]), "line 2 has 1 fields"),
    "one column": (text([r.split(",")[1] for r in ROWS], "precip_mm"), "found one column"),
    "unknown columns": (text(ROWS, "date,a,b,c,d"), "no column is recognised"),
    "no dates": (text([r[11:] for r in ROWS], "precip_mm,pet_mm,temp_c,flow_mm"), "no column with"),
    "unknown dates": (text([f"day{r[8:]}" for r in ROWS]), "no column with dates|not a date"),
    "word in a number": (cell("flow_mm", "high"), "line 7, column 'flow_mm': 'high'"),
    "trace of rain": (cell("precip_mm", "T"), "a trace of rain, write 0"),
    "month": (text([f"{r[:7]}{r[10:]}" for r in ROWS]), "is it a month"),
    "year with few decimals": (
        text([f"{2000 + i / 366:.2f},{r}" for i, (_, r) in enumerate(DAYS_ONLY)]),
        "begin no .* of the calendar",
    ),
    "unit in a number": (cell("precip_mm", "3.1 mm"), "'3.1 mm' is not a number"),
    "quoted decimal comma": (cell("flow_mm", '"1,5"'), "decimal=','"),
    "garbled thousands": (cell("flow_mm", '"1,23.5"'), "'1,23.5' is not a number"),
    "two minus signs": (cell("temp_c", "--3"), "'--3' is not a number"),
    "infinite": (cell("flow_mm", "inf"), "inf"),
    # dates
    "formats mixed": (text([*ROWS[:20], *AMERICAN[20:]]), "20 lines differ"),
    "no such date": (text([*ROWS[:9], "2000-02-30,1,1,1,1", *ROWS[9:]]), "line 11: '2000-02-30'"),
    "date missing": (text([*ROWS[:9], ",1,1,1,1", *ROWS[9:]]), "line 11 has no date"),
    "year too early": (
        text([*ROWS[:9], "1600-02-01,1,1,1,1", *ROWS[9:]]),
        "line 11: the date 1600.* not in the years 1678 to 2261",
    ),
    "day or month": (text(["01/02/2000,1,1,1,1", "02/01/2000,1,1,1,1"]), "day/month or month/day"),
    "serial dates and others": (text([*SERIAL[:9], *ROWS[9:]]), "line 11: .* number of a day"),
    "day of no month": (
        text([f"{i},{r}" for i, (_, r) in enumerate(DAYS_ONLY)]),
        "not a date|no col",
    ),
    "too early": (text([f"0{r[1:]}" for r in ROWS]), "line 2: .*0000-02-20"),
    "too late": (text([f"8{r[1:]}" for r in ROWS]), "line 2: .*8000-02-20"),
    "duplicate days, different": (text([*ROWS[:9], ROWS[8] + "1", *ROWS[9:]]), "there twice"),
    "mostly gaps": (text([ROWS[0], ROWS[1], ROWS[-1]]), "37 dates are missing and 3 are there"),
    "uneven dates": (
        text([*(r.replace(",", " 00:00,", 1) for r in ROWS[:9]), "2000-02-28 05:00,1,1,1,1"]),
        "uneven",
    ),
    # values
    "missing forcing": (cell("precip_mm", ""), "precipitation is missing in 1 intervals"),
    "missing row of forcing": (text([*ROWS[:9], *ROWS[10:]]), "precipitation is missing in 1"),
    "no rain at all": (text(ROWS, HEADER.replace("precip_mm", "x")), "has no precipitation"),
    "negative rain": (cell("precip_mm", "-3"), "negative in 1 intervals, first -3 at 2000-02-25"),
    "code in the rain": (cell("precip_mm", "-9999"), "codes such as -999"),
    "code in the flow": (cell("flow_mm", "-999"), "codes such as -999"),
    "code in the temperature": (cell("temp_c", "-99.99"), "a usual code of missing ones"),
    "positive code": (cell("precip_mm", "9999"), "reaches 9999 mm/d"),
    "kelvin": (scaled("temp_c", 1, 273.15), "in K or degF"),
    "fahrenheit": (scaled("temp_c", 1.8, 32.0), "in degF"),
    "flow in litres": (scaled("flow_mm", 1e6), "discharge reaches"),
    "evaporation in micrometres": (scaled("pet_mm", 1000), "potential_evaporation reaches"),
}
REPAIRS = {
    "Latin-1": (
        text(ROWS, HEADER.replace("temp_c", "température")).encode("latin-1"),
        "read as Latin-1",
        "precip_mm",
    ),
    "serial dates": (text(SERIAL), "days of a spreadsheet: 36576 is 2000-02-20", None),
    "years with decimals": (
        text([f"{2000 + (50 + i) / 366:.4f},{r}" for i, (_, r) in enumerate(DAYS_ONLY)]),
        "2000.1366 was read as 2000-02-20",
        None,
    ),
    "years at noon": (
        text([f"{2000 + (50.5 + i) / 366:.5f},{r}" for i, (_, r) in enumerate(DAYS_ONLY)]),
        "2000.13798 was read as 2000-02-20",
        None,
    ),
    "last minute of the day": (
        text([r.replace(",", " 23:59,", 1) for r in ROWS]),
        "labelled by their last minute",
        None,
    ),
    "reversed": (text(ROWS[::-1]), "falling order and were sorted", None),
    "shuffled": (text([*ROWS[20:], *ROWS[:20]]), "mixed order and were sorted", None),
    "duplicate days, same": (text([*ROWS[:9], ROWS[8], *ROWS[9:]]), "repeat another one", None),
    "tiny negative rain": (cell("precip_mm", "-1e-6"), "set to zero", "flow_mm"),
    "night dew": (cell("pet_mm", "-0.2"), "set to zero", "flow_mm"),
    "empty column": (
        text([",".join([*r.split(",")[:3], "", r.split(",")[4]]) for r in ROWS]),
        "no value of temperature, which was left out",
        "flow_mm",
    ),
    "forcing begins later": (
        text([f"{r.split(',')[0]},1,,1,1" for r in ROWS[:3]] + ROWS[3:]),
        "cut to 2000-02-23",
        "cut",
    ),
    "rain in metres": (scaled("precip_mm", 1e-3), "not m or inches", "flow_mm"),
    "evaporation too high": (scaled("pet_mm", 8), "more than the driest places", "flow_mm"),
    "flow in m3/s": (scaled("flow_mm", 100), "look at units and area", "precip_mm"),
    "flow in m": (scaled("flow_mm", 1e-3), "look at units and area", "precip_mm"),
    "zero for missing": (cell("flow_mm", "0.0"), "does zero stand for missing", "precip_mm"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # of repairs before the error
@pytest.mark.parametrize("case", list(ERRORS))
def test_error(case, tmp_path):
    content, message = ERRORS[case]
    with pytest.raises((ValueError, KeyError), match=message) as found:
        ph.read_csv(write(tmp_path, content))
    assert "basin.csv" in str(found.value)


@pytest.mark.parametrize("case", list(REPAIRS))
def test_repair_is_stated_and_right(case, tmp_path):
    content, message, sound = REPAIRS[case]
    with pytest.warns(UserWarning, match=message) as found:
        basin = ph.read_csv(write(tmp_path, content))
    assert len(found) == 1 and "basin.csv" in str(found[0].message)
    names = {"precip_mm": ("precipitation", RAIN), "flow_mm": ("discharge", FLOW)}
    start = 3 if sound == "cut" else 0
    assert (basin.time.values == DAYS.to_numpy()[start:]).all()
    for column, (name, values) in names.items():
        if sound in (None, "cut", column):
            np.testing.assert_array_equal(basin[name], values[start:])


@pytest.mark.parametrize(
    "content",
    [
        text(ROWS).replace("\n", "\r\n"),
        text(ROWS).replace("\n", "\r\n") + "\r\n\r\n",
        text(ROWS)[:-1],
        b"\xef\xbb\xbf" + text(ROWS).encode(),
        text(ROWS).encode("utf-16"),
        codecs.BOM_UTF16_BE + text(ROWS).replace(",", "\t").encode("utf-16-be"),
        text([",mm,mm,degC,mm", *ROWS]).encode("utf-16-le"),
        text(ROWS).encode("utf-16-be"),
        "# made by hand\n# station 1\n" + text(ROWS),
        "# station 1\n# " + text(ROWS),
        text([r.replace(",", ", ") for r in ROWS], HEADER.replace(",", ", ")),
        text(TWO_DIGITS),
        text(ROWS) + ",,,,\n,,,,\n",
        text([",mm,mm,degC,mm", *ROWS]),
        text(['"' + r.replace(",", '","') + '"' for r in ROWS]),
    ],
)
def test_harmless_differences_change_nothing(content, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        basin = ph.read_csv(write(tmp_path, content))
    np.testing.assert_array_equal(basin["discharge"], FLOW)
    np.testing.assert_array_equal(basin["precipitation"], RAIN)


@pytest.mark.filterwarnings("ignore")  # of what is filled
def test_dates_that_are_missing_are_gaps_and_headings_may_hold_commas(tmp_path):
    rows = [*ROWS[:9], *ROWS[10:]]
    path = write(tmp_path, text(rows))
    basin = ph.read_csv(path, max_gap=1)
    assert (basin["time"].values == DAYS.to_numpy()).all()
    assert np.flatnonzero(np.isnan(basin["discharge"])).tolist() == [9]
    rows = [f"{d:%Y-%m-%d};{p};{q}" for d, p, q in zip(DAYS, RAIN, FLOW, strict=True)]
    path = write(tmp_path, text(rows, "date;precip, mm;flow, mm"))
    columns = {"precipitation": "precip, mm", "discharge": "flow, mm"}
    np.testing.assert_array_equal(ph.read_csv(path, columns)["discharge"], FLOW)


def test_settings_that_repair(tmp_path):
    path = write(tmp_path, cell("flow_mm", "-999"))
    with pytest.warns(FutureWarning, match="missing is now called na"):
        ph.read_csv(path, missing=(-999,))
    basin = ph.read_csv(path, na=(-999,))
    assert np.flatnonzero(np.isnan(basin["discharge"])).tolist() == [5]
    path = write(tmp_path, cell("pet_mm", ""))
    with pytest.warns(UserWarning, match="1 missing values of potential_evaporation"):
        basin = ph.read_csv(path, max_gap=1)
    middle = (EVAPORATION[4] + EVAPORATION[6]) / 2
    assert float(basin["potential_evaporation"][5]) == pytest.approx(middle)
    rows = [r.replace(",", ";").replace(".", ",") for r in ROWS]
    path = write(tmp_path, text(rows, HEADER.replace(",", ";")))
    np.testing.assert_array_equal(ph.read_csv(path, decimal=",")["discharge"], FLOW)
    path = write(tmp_path, text(["01/02/2000,1,1,1,1", "02/01/2000,1,1,1,1"]))
    assert str(ph.read_csv(path, date_format="%m/%d/%Y").time.values[1])[:10] == "2000-02-01"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"columns": {"rain": "precip_mm"}}, KeyError, "known are precipitation"),
        ({"columns": {"precipitation": "rain"}}, KeyError, "no column 'rain'"),
        ({"units": {"wind": "m/s"}}, KeyError, "which is not read"),
        ({"units": {"discharge": "furlong"}}, ValueError, "unknown unit 'furlong'"),
        ({"units": {"temperature": "mm/d"}}, ValueError, "unknown unit 'mm/d' of 'temperature'"),
        ({"units": {"discharge": "m3/s"}}, ValueError, "needs the basin's area"),
        ({"units": {"discharge": "m3/s"}, "area": 587675987.0}, ValueError, "not m2"),
        ({"units": {"discharge": "m3/s"}, "area": -3.0}, ValueError, "area must be between"),
        ({"time": "day"}, KeyError, "give time="),
        ({"time": ("YR", "MN")}, KeyError, "no columns"),
        ({"pet": "oudin"}, ValueError, "latitude is needed"),
        ({"pet": "oudin", "latitude": 95.0}, ValueError, "-90 to 90"),
        ({"pet": "guess", "latitude": 45.0}, KeyError, "unknown method 'guess'"),
        ({"separator": ";"}, ValueError, "found one column"),
    ],
)
def test_settings_that_make_no_sense(options, kind, message, tmp_path):
    with pytest.raises(kind, match=message):
        ph.read_csv(write(tmp_path, text(ROWS)), **options)


def test_absent_file_and_gauge(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        ph.read_csv(tmp_path / "x.csv")
    with pytest.raises(FileNotFoundError, match="keep their leading zeros"):
        ph.read_camels_us(tmp_path, 1022500)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        ph.read_camels_gb(tmp_path / "x", 1)
    with pytest.raises(KeyError, match="there are daymet"):
        ph.read_camels_us(tmp_path, "01022500", "era5")


@pytest.mark.filterwarnings("ignore:.*mixed order")
def test_broken_camels_us(tmp_path):
    forcing = tmp_path / "daymet/01/01234567_lump_cida_forcing_leap.txt"
    flow = tmp_path / "01234567_streamflow_qc.txt"
    forcing.parent.mkdir(parents=True)
    names = "Year Mnth Day Hr dayl(s) prcp(mm/day) srad(W/m2) swe(mm) tmax(C) tmin(C) vp(Pa)"
    rows = [f"{d:%Y %m %d} 12 43200 1.0 100 0 5 3 700" for d in DAYS]
    good = "\n".join(["44", "133", "1e8", names, *rows]) + "\n"
    flows = "\n".join(f"01234567 {d:%Y %m %d} 30.0 A" for d in DAYS) + "\n"

    def attempt(message, forcing_text=good, flow_text=flows):
        forcing.write_text(forcing_text, encoding="utf-8")
        flow.write_text(flow_text, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            ph.read_camels_us(tmp_path, "01234567")

    attempt("first three lines", "Year Mnth\n" + good)
    attempt("line 44 has fewer", good[:-20] + "\n")
    attempt("lacks the columns", good.replace("tmax(C)", "t(C)"))
    attempt("line 5, column 'prcp", good.replace("1.0", "1.0.0", 1))
    attempt("not a date", good.replace("2000 02 29", "2001 02 29"))
    attempt("not in the years 1678 to 2261", good.replace("2000 02 28", "1000 02 28"))
    attempt("holds gauge 7", flow_text=flows.replace("01234567", "7"))
    attempt("line 40 has fewer", flow_text=flows[:-9] + "\n")
    attempt("is empty", flow_text="")
    attempt("there twice", flow_text=flows + "01234567 2000 02 20 31.0 A\n")


def test_broken_mopex_and_caravan(tmp_path):
    path = tmp_path / "1.dly"
    line = "2000 1 1" + "    1.0000" * 5
    for content, message in (
        ("", "is empty"),
        (line + "\n" + line[:-5], "line 2 has 53 characters"),
        (line.replace("1.0000", "1.00x0", 1), "not of numbers"),
        (line.replace("2000 1 1", "2000 1 0"), "is not a date"),
        ("date,precip_mm\n2000-01-01,1\n", "MOPEX"),
        ("\0" * 58, "not a text file"),
    ):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            ph.read_mopex(path)
    (tmp_path / "lamah_1.nc").write_bytes(b"\x89HDF\r\n\x1a\n broken off")
    with pytest.raises(ValueError, match="not a whole netCDF file"):
        ph.read_caravan(tmp_path, "lamah_1")


def test_no_flow_at_all_and_a_second_copy(tmp_path):
    table = {"precip_mm": RAIN, "pet_mm": EVAPORATION, "flow_mm": np.nan}
    pd.DataFrame({"date": DAYS, **table}).to_csv(tmp_path / "basin.csv", index=False)
    with pytest.warns(UserWarning, match="missing in all intervals"):
        ph.read_csv(tmp_path / "basin.csv")
    names = ("Date", "Ptot", "Temp", "Evap", "Qls", "Qmmd")
    values = (DAYS, RAIN, TEMPERATURE, EVAPORATION, FLOW, FLOW)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        table = pd.DataFrame(dict(zip(names, values, strict=True)))
        table.to_csv(tmp_path / folder / "A105003001.csv", index=False)
    with pytest.warns(UserWarning, match="there is also b.A105003001"):
        ph.read_camels_fr(tmp_path, "A105003001")


def test_clock_set_back_in_autumn_is_refused(tmp_path):
    hours = pd.date_range("2000-10-28", periods=48, freq="h").strftime("%Y-%m-%d %H:%M").tolist()
    hours.insert(28, hours[27])
    rows = [f"{h},{i % 5},0.1" for i, h in enumerate(hours)]
    with pytest.raises(ValueError, match="clock was set back"):
        ph.read_csv(write(tmp_path, text(rows, "time,precip_mm,pet_mm")))


def test_days_of_a_zone_with_summer_time_are_told_from_uneven_dates(tmp_path):
    local = pd.date_range("2001-03-20", periods=12, tz="Europe/Berlin")
    days = local.tz_convert("UTC").tz_localize(None)
    for index, message in (
        (days, "its days are 23, 24 or 25 hours long, first after 2001-03-24 23:00:00"),
        (days.where(days.day != 26, days + pd.Timedelta("5h")), "its dates are uneven: 2001-03-2"),
    ):
        rows = [f"{d:%Y-%m-%d %H:%M},{i % 5},0.1" for i, d in enumerate(index)]
        with pytest.raises(ValueError, match=message):
            ph.read_csv(write(tmp_path, text(rows, "time,precip_mm,pet_mm")))


def test_a_long_file_is_read_whole(tmp_path):
    """A stand-in of 300 000 lines for much longer ones; minutes, in several chunks."""
    n = 300_000
    time = pd.date_range("1990-01-01", periods=n, freq="min")
    table = pd.DataFrame({"time": time, "precip_mm": 0.01, "pet_mm": 0.001, "flow_mm": 0.005})
    table.to_csv(tmp_path / "basin.csv", index=False, date_format="%Y-%m-%d %H:%M")
    basin = ph.read_csv(tmp_path / "basin.csv")
    assert basin.sizes["time"] == n
    np.testing.assert_allclose(basin["discharge"], 0.005 * 1440)


def with_flows(tmp_path, cells, separator=","):
    lines = [f'2001-01-0{i + 1},1.5,1.0,"{cell}"' for i, cell in enumerate(cells)]
    path = tmp_path / "record.csv"
    text = "date,precipitation,potential_evaporation,discharge\n" + "\n".join(lines)
    if separator == ";":
        head, *rows = text.splitlines()
        rows = [r.replace("1.5,1.0,", "1,5;1,0;").replace(",", ";", 1) for r in rows]
        text = "\n".join([head.replace(",", ";"), *rows])
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("cells", "separator", "first"),
    [
        (["1,234", "1,100", "998.5", "1,001"], ",", 1234),
        (["1,234", "998", "997", "996"], ",", 1234),
        (["1,234", "1,100", "1,001", "1,002"], ",", 1234),  # the rain has points
        (["1,234.5", "1.5", "2", "3"], ",", 1234.5),
        (["1'234.5", "998", "997", "996"], ",", 1234.5),
        (["1\u00a0234,5", "998,1", "997,0", "996"], ";", 1234.5),
        (["1.234,5", "998,1", "997,0", "996"], ";", 1234.5),
    ],
)
@pytest.mark.filterwarnings("ignore:.*look at units")
def test_signs_of_thousands_are_left_out(cells, separator, first, tmp_path):
    with pytest.warns(UserWarning, match="separates thousands and was left out"):
        basin = ph.read_csv(with_flows(tmp_path, cells, separator))
    assert float(basin["discharge"][0]) == first
    assert float(basin["precipitation"][0]) == 1.5


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1,234", "2,5", "0,125", "3"], "give decimal=','"),
        (["1,234", "1,100", "0,998", "1,001"], "give decimal=','"),
        (["1,23.4", "2", "2", "3"], "'1,23.4' is not a number"),
    ],
)
def test_commas_that_may_be_decimal_ones_are_refused(cells, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        ph.read_csv(with_flows(tmp_path, cells))
