"""A data set is one declaration: read, listed and found by it."""

import inspect
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import pymc_hydro as ph
from pymc_hydro.data import Attributes, Column, Source, SourceError, Table
from pymc_hydro.data.readers.sources import europe, united_states, worldwide
from tests.data.test_readers_twins import (
    DAYS,
    EVAPORATION,
    FLOW,
    GAPPY,
    RAIN,
    TEMPERATURE,
    TRUTH,
    agrees,
    frame,
    parts,
    write,
)

AREA = 240.0

RIVERS = Source(
    "rivers of the valley",
    tables=(
        Table(
            "{product}/river_{gauge}.csv",
            {
                "precipitation": ("rain", "mm"),
                "temperature": ("T", "K"),
                "potential_evaporation": (
                    ("pan", "mm"),
                    Column("grass", "mm", note="has no pan, grass was used"),
                    Column("lake", "mm", when=("pet", "lake")),
                ),
            },
            time="day",
            date_format="%d.%m.%Y",
            separator=";",
            decimal=",",
        ),
        Table("flow_{gauge}.csv", {"discharge": ("Q", "m3/s")}, na=(-1.0,), needed=False),
    ),
    gauge=r"[a-z]+\d",
    attributes=(Attributes("rivers.csv", {"area_km2": "km2", "latitude": "lat"}, key="river"),),
    options={"product": ("radar", "stations")},
)


@pytest.fixture
def valley(tmp_path):
    for product, factor in (("radar", 1), ("stations", 2)):
        table = frame(
            "day",
            "%d.%m.%Y",
            rain=RAIN * factor,
            T=TEMPERATURE + 273.15,
            pan=EVAPORATION,
            grass=EVAPORATION + 1,
            lake=EVAPORATION + 2,
        )
        for gauge in ("aar1", "rhine2"):
            file = tmp_path / "deep" / product / f"river_{gauge}.csv"
            write(file, table, sep=";", decimal=",")
    flow = np.where(np.isnan(GAPPY), -1, GAPPY * AREA / 86.4)
    write(tmp_path / "deep/flow_aar1.csv", frame(Q=flow))
    places = pd.DataFrame({"river": ["aar1"], "km2": [AREA], "lat": [47.0]})
    write(tmp_path / "rivers.csv", places)
    return tmp_path


def test_a_source_of_ones_own(valley):
    basin = ph.read_basin(valley, "aar1", source=RIVERS)
    np.testing.assert_allclose(basin["temperature"], TEMPERATURE, atol=1e-10)
    for name in ("precipitation", "potential_evaporation", "discharge"):
        np.testing.assert_allclose(basin[name], TRUTH[name], rtol=1e-12, err_msg=name)
    expected = {"gauge": "aar1", "area_km2": AREA, "latitude": 47.0, "source": RIVERS.name}
    assert expected.items() <= basin.attrs.items()
    double = ph.read_basin(valley, "rhine2", source=RIVERS, product="stations", area=3.0)
    np.testing.assert_allclose(double["precipitation"], RAIN * 2)
    assert "discharge" not in double and double.attrs["area_km2"] == 3.0
    named = ph.read_basin(valley / "deep/radar/river_rhine2.csv", source=RIVERS)
    assert named.attrs["gauge"] == "rhine2"


def test_evaporation_of_a_source(valley):
    def evaporation(**options):
        return ph.read_basin(valley, "aar1", source=RIVERS, **options)["potential_evaporation"]

    np.testing.assert_allclose(evaporation(pet="lake"), EVAPORATION + 2)
    computed = ph.data.oudin(TEMPERATURE, DAYS, 47.0)
    np.testing.assert_allclose(evaporation(pet="oudin"), computed, atol=1e-10)
    file = valley / "deep/radar/river_aar1.csv"
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace("pan", "pen"), encoding="utf-8")
    with pytest.warns(UserWarning, match="has no pan, grass was used"):
        np.testing.assert_allclose(evaporation(), EVAPORATION + 1)
    file.write_text(whole.replace("lake", "sea"), encoding="utf-8")
    with pytest.raises(KeyError, match="no column 'lake'"):
        evaporation(pet="lake")


def test_scan_follows_from_the_source(valley):
    found = ph.scan(valley, RIVERS)
    assert found.values.tolist() == [
        [RIVERS.name, gauge, product, f"deep/{product}/river_{gauge}.csv"]
        for product in ("radar", "stations")
        for gauge in ("aar1", "rhine2")
    ]
    # Without the source they are tables of dates; that of places is none.
    assert len(ph.scan(valley)) == 5 and set(ph.scan(valley)["reader"]) == {"read_csv"}
    for file in valley.glob("deep/*/river_rhine2.csv"):
        file.unlink()
    assert ph.read_basin(valley, source=RIVERS).attrs["gauge"] == "aar1"


def test_a_name_that_is_twice_in_a_path_is_one_name(tmp_path):
    columns = {"precipitation": ("P, mm", "mm"), "potential_evaporation": ("E, mm", "mm")}
    source = Source("by folder", tables=(Table("{gauge}/rain_{gauge}.csv", columns),))
    for folder, gauge in (("b2", "b2"), ("a1", "a1"), ("a1", "b2")):
        table = frame(**{"P, mm": RAIN, "E, mm": EVAPORATION})  # as many commas as semicolons
        write(tmp_path / folder / f"rain_{gauge}.csv", table, sep=";")
    assert ph.scan(tmp_path, source)["gauge"].tolist() == ["a1", "b2"]
    basin = ph.read_basin(tmp_path, "b2", source=source)
    np.testing.assert_allclose(basin["precipitation"], RAIN)


def test_what_is_wrong_with_the_words_is_said(valley):
    for arguments, options, kind, message in (
        ((None,), {}, SourceError, "2 basins .rivers of the valley: aar1, rhine2.; .* gauge="),
        (("elbe3",), {}, FileNotFoundError, "no file radar/river_elbe3.csv for gauge 'elbe3'"),
        (("aar1",), {"product": "era5"}, KeyError, "no product 'era5'; there are radar, stations"),
        (("aar1",), {"colour": 1}, SourceError, "unexpected option 'colour'; known are product"),
        (("aar1",), {"reader": "read_csv"}, SourceError, "not both"),
    ):
        with pytest.raises(kind, match=message):
            ph.read_basin(valley, *arguments, source=RIVERS, **options)


def _rows(tmp_path):
    one = parts(RAIN, "P").assign(E=EVAPORATION, T=TEMPERATURE, Q=GAPPY)
    two = one.assign(P=1.0)
    table = pd.concat([two.assign(id="07"), one.assign(id="08")])
    write(tmp_path / "all.txt", table, sep="\t")
    return Table(
        "all.txt",
        {**COLUMNS, "discharge": ("Q", "mm/d")},
        time=("year", "month", "day"),
        gauges="id",
    )


def _netcdf(tmp_path):
    one = pd.DataFrame({"P": RAIN, "E": EVAPORATION, "T": TEMPERATURE, "Q": GAPPY, "time": DAYS})
    both = pd.concat([one.assign(id="07", P=1.0), one.assign(id="08")])
    data = both.set_index(["id", "time"]).to_xarray()
    data.to_netcdf(tmp_path / "all.nc", engine="h5netcdf")
    return Table("all.nc", {**COLUMNS, "discharge": ("Q", "mm/d")}, time="time", gauges="id")


COLUMNS = {
    "precipitation": ("P", "mm/d"),
    "potential_evaporation": ("E", "mm/d"),
    "temperature": ("T", "degC"),
}


@pytest.mark.parametrize("write_all", [_rows, _netcdf])
def test_files_of_many_gauges(write_all, tmp_path):
    source = Source("many", (write_all(tmp_path),), gauge=r"\d\d")
    assert ph.scan(tmp_path, source)["gauge"].tolist() == ["07", "08"]
    agrees(ph.read_basin(tmp_path, "08", source=source))
    (file,) = tmp_path.iterdir()
    agrees(ph.read_basin(file, "08", source=source))
    with pytest.raises(KeyError, match=r"holds 2 gauges \(07, 08\); say which"):
        ph.read_basin(file, source=source)
    with pytest.raises(KeyError, match="all"):
        ph.read_basin(tmp_path, "09", source=source)


def test_the_line_of_a_wrong_number_among_many_gauges(tmp_path):
    source = Source("many", (_rows(tmp_path),))
    text = (tmp_path / "all.txt").read_text(encoding="utf-8").splitlines()
    text[45] = text[45].replace("\t", "\tx", 3)
    (tmp_path / "all.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 46"):
        ph.read_basin(tmp_path, "08", source=source)


def test_lines_that_are_marked_as_missing(tmp_path):
    write(tmp_path / "rain.csv", frame(P=RAIN))
    table = frame(Q=np.where(np.isnan(GAPPY), 99, GAPPY), mark=np.where(np.isnan(GAPPY), "M", "A"))
    write(tmp_path / "flow.csv", table)
    flow = Table("flow.csv", {"discharge": ("Q", "mm/d")}, flags={"mark": "M"})
    rain = Table("rain.csv", {"precipitation": ("P", "mm/d")})
    basin = ph.read_basin(tmp_path, "x", source=Source("marked", (rain, flow)))
    np.testing.assert_array_equal(basin["discharge"], GAPPY)


def test_a_heading_and_a_position(tmp_path):
    rows = "\n".join(f"{d:%Y-%m-%d} {p} {q}" for d, p, q in zip(DAYS, RAIN, FLOW, strict=True))
    (tmp_path / "basin 5.txt").write_text(f"47.5\n2e8\ndate P Q\n{rows}\n", encoding="utf-8")
    columns = {"precipitation": (1, "mm/d"), "discharge": (2, "mm/d")}
    heading = ("latitude", "area_m2")
    table = Table("basin {gauge}.txt", columns, separator=r"\s+", heading=heading, complete=True)
    basin = ph.read_basin(tmp_path, source=Source("headed", (table,)))
    np.testing.assert_allclose(basin["discharge"], FLOW)
    assert (basin.attrs["latitude"], basin.attrs["area_km2"]) == (47.5, 200.0)
    either = (("no", "mm"), ("P", "mm"))
    basin = ph.read_basin(
        tmp_path, source=Source("either", (replace(table, columns={"precipitation": either}),))
    )
    np.testing.assert_array_equal(basin["precipitation"], RAIN)
    table = replace(table, columns={"precipitation": (9, "mm/d")})
    with pytest.raises(KeyError, match="no column 10"):
        ph.read_basin(tmp_path, source=Source("headed", (table,)))
    table = replace(table, heading=("latitude",) * 3)
    with pytest.raises(ValueError, match="first three lines, one number each"):
        ph.read_basin(tmp_path, source=Source("headed", (table,)))


def test_declarations_are_checked_when_they_are_made(tmp_path):
    table = Table("{gauge}.csv", {"precipitation": ("P", "mm")})
    with pytest.raises(KeyError, match="columns names 'rain'; known are precipitation"):
        Table("x.csv", {"rain": ("P", "mm")})
    with pytest.raises(ValueError, match="needs a first table, with dates"):
        Source("mine", (replace(table, time=""),))
    with pytest.raises(ValueError, match="names kind; known are gauge: declare it"):
        Source("mine", (replace(table, path="{kind}/x.csv"),))
    column = Column("P", "mm", when=("kind", "radar"))
    with pytest.raises(ValueError, match="column 'P' depends on the option 'kind'"):
        Source("mine", (replace(table, columns={"precipitation": column}),))
    with pytest.raises(FileNotFoundError, match="no file of mine for gauge '7'"):
        ph.read_basin(tmp_path, "7", source=Source("mine", (replace(table, needed=False),)))


def test_units_that_are_not_converted_are_refused(tmp_path):
    write(tmp_path / "a.csv", frame(P=RAIN, S=20.0))
    columns = {"precipitation": ("P", "mm"), "shortwave_radiation": ("S", "MJ/m2/d")}
    with pytest.raises(ValueError, match="'shortwave_radiation' is in 'MJ/m2/d', expected 'W/m2'"):
        ph.read_basin(tmp_path, "a", source=Source("mine", (Table("{gauge}.csv", columns),)))
    names = {name: column for name, (column, _) in columns.items()}
    with pytest.raises(ValueError, match="expected 'W/m2'; convert it first"):
        ph.read_csv(tmp_path / "a.csv", names, {"shortwave_radiation": "MJ/m2/d"})


def _mopex(folder, gauge, days=9):
    folder.mkdir(exist_ok=True)
    lines = [f"2000 1{d:2d}" + "    1.0000" * 5 for d in range(1, days + 1)]
    (folder / f"{gauge}.dly").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.filterwarnings("ignore:.*Tmax equals Tmin")
def test_read_basin_finds_the_source(tmp_path):
    assert ph.read_basin("fulda").identical(ph.load_basin("fulda"))
    _mopex(tmp_path / "one", "01234567")
    _mopex(tmp_path / "two", "01234568")
    _mopex(tmp_path / "two", "other name")
    assert ph.read_basin(tmp_path / "one").attrs["gauge"] == "01234567"
    assert ph.read_basin(str(tmp_path), "01234568").sizes["time"] == 9
    assert ph.read_basin(tmp_path / "two/01234568.dly", area=3.0).attrs["area_km2"] == 3.0
    named = ph.read_basin(tmp_path / "two/other name.dly", reader="read_mopex")
    assert named.attrs["gauge"] == "other name"
    record = tmp_path / "tables" / "mine.csv"
    write(record, frame(precip_mm=RAIN, flow_mm=GAPPY))
    assert ph.read_basin(record, latitude=31.7).attrs["latitude"] == 31.7
    assert ph.read_basin(record.parent).sizes["time"] == len(DAYS)
    write(record.with_name("yours.csv"), frame(precip_mm=RAIN, flow_mm=GAPPY))
    for arguments, options, message in (
        ((tmp_path,), {}, r"4 basins \(read_mopex: 01234567, 01234568; read_csv: tables/mine.csv"),
        ((record.parent,), {}, "2 basins"),
        ((tmp_path, "9"), {}, "nothing that is recognised for gauge 9"),
        ((tmp_path,), {"reader": "read_camels_us"}, "nothing .* for reader read_camels_us"),
        (("leaf",), {}, "nor an embedded basin .leaf_river, fulda"),
        (("fulda", "1"), {}, "is embedded"),
        ((record,), {"reader": "read_xyz"}, "no reader 'read_xyz'; known are .*read_camels_aus"),
        ((record,), {"colour": 1}, "unexpected keyword"),
        ((record,), {"source": "read_csv"}, "expected a ph.data.Source, found 'read_csv'"),
        ((record, "1"), {}, "a table of one basin; leave out gauge='1'"),
    ):
        with pytest.raises(SourceError, match=message):
            ph.read_basin(*arguments, **options)


def test_a_file_of_a_data_set_is_read_with_what_lies_beside_it(tmp_path):
    names = {"Ptot": RAIN, "Temp": TEMPERATURE, "Evap": EVAPORATION, "Qls": 1, "Qmmd": GAPPY}
    write(tmp_path / "A105003001.csv", frame("Date", **names), na_rep="NA")
    meta = '{"area_km2": 12.5, "lat": 48.0, "hypsometry_m_quantiles_0_to_100": [9, 1, 5]}'
    (tmp_path / "A105003001_meta.json").write_text(meta, encoding="utf-8")
    basin = ph.read_basin(tmp_path / "A105003001.csv")
    agrees(basin)
    assert basin.attrs["area_km2"] == 12.5 and basin.attrs["elevation"] == 5.0


def test_every_reader_has_a_source_and_says_what_it_takes():
    readers = {name for name in ph.__all__ if name.startswith("read_")}
    known = {s.reader for s in ph.data.readers.SOURCES if s.reader.startswith("read_")}
    assert readers == known | {"read_csv", "read_basin"}
    for name in known:
        text = getattr(ph, name).__doc__
        assert all(f"\n{section}\n---" in text for section in ("Parameters", "Raises")), name
        assert text.count("References\n----------") == 1
    assert "``CAMELS_CH_obs_based_<gauge>.csv``" in ph.read_camels_ch.__doc__


def test_a_source_in_the_table_is_found_without_a_function_of_its_own(tmp_path, monkeypatch):
    columns = {n: (n, u) for n, u in (("precipitation", "mm"), ("potential_evaporation", "mm"))}
    mine = Source("my rivers", tables=(Table("weather_{gauge}.csv", columns, time="day"),))
    for function in (ph.read_basin, ph.scan):
        monkeypatch.setitem(function.__globals__, "SOURCES", (mine,))
    weather = frame("day", precipitation=RAIN, potential_evaporation=EVAPORATION)
    write(tmp_path / "weather_07.csv", weather)
    np.testing.assert_allclose(ph.read_basin(tmp_path, "07")["precipitation"], RAIN)


def test_decimal_commas_in_attributes(tmp_path):
    (tmp_path / "pegel.csv").write_text("Pegel;Flaeche\nDE07;86,4\nDE08;43,2\n", encoding="utf-8")
    flow = "Datum;DE07;DE08\n01.01.2001;5,0;1,0\n02.01.2001;4,5;0,9\n"
    (tmp_path / "flow.csv").write_text(flow, encoding="utf-8")
    weather = "Datum;N;ET\n01.01.2001;5,5;0,8\n02.01.2001;3,0;0,8\n"
    for gauge in ("DE07", "DE08"):
        (tmp_path / f"{gauge}.txt").write_text(weather, encoding="utf-8")
    german = {"time": "Datum", "date_format": "%d.%m.%Y", "decimal": ","}
    columns = {"precipitation": ("N", "mm"), "potential_evaporation": ("ET", "mm")}
    source = Source(
        "Pegel",
        tables=(
            Table("{gauge}.txt", columns, **german),
            Table("flow.csv", {"discharge": ("{gauge}", "m3/s")}, **german),
        ),
        gauge=r"DE\d+",
        attributes=(Attributes("pegel.csv", {"area_km2": "Flaeche"}, key="Pegel", decimal=","),),
    )
    found = ph.read_basin(tmp_path, "DE08", source=source)
    np.testing.assert_allclose(found["discharge"], [2.0, 1.8])


@pytest.mark.parametrize("module", [europe, united_states, worldwide])
def test_every_option_of_a_reader_is_used(module, monkeypatch):
    monkeypatch.setattr(module, "read_source", lambda *args, **options: (args, options))
    readers = [f for name, f in vars(module).items() if name in module.__all__ and callable(f)]
    readers = [f for f in readers if f.__name__.startswith("read_")]
    assert len(readers) > 2
    for reader in set(readers) - {ph.read_mopex}:  # that looks for its file itself
        known = inspect.signature(reader).parameters
        values = {name: f"value of {name}" for name in known}
        args, options = reader(**values)
        passed = [*args[1:], *options.values()]
        assert sorted(map(str, passed)) == sorted(values.values()), reader.__name__
