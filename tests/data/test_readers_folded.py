"""Tables with a row a month or a column a month; layouts of other agencies; decimal commas."""

import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

import pymc_hydro as ph
from tests.data.test_tables import AREA, DAYS, FLOW, RAIN, VOLUME, WARMTH, check, put

STATION = "08MF005"


def folded(station=STATION):
    """Return discharge as HYDAT lays it out: a row a month, FLOW1 to FLOW31."""
    rows = []
    for month, flow in pd.Series(VOLUME, DAYS).groupby(DAYS.to_period("M")):
        row = {"STATION_NUMBER": station, "YEAR": month.year, "MONTH": month.month, "NO_DAYS": 31}
        for day in range(1, 32):
            at = flow[flow.index.day == day]
            row |= {f"FLOW{day}": at.iloc[0] if len(at) else None, f"FLOW_SYMBOL{day}": "B"}
        rows.append(row)
    return pd.DataFrame(rows)


def check_days(basin):
    check(basin.sel(time=slice(DAYS[0], DAYS[-1])), "discharge")
    assert basin["discharge"].notnull().sum() == len(DAYS)


def test_hydat_with_a_row_a_month(tmp_path):
    path = tmp_path / "flows.csv"
    folded().to_csv(path, index=False)
    check_days(ph.read_basin(path, area=AREA))
    folded().to_excel(path.with_suffix(".xlsx"), index=False)
    check_days(ph.read_basin(path.with_suffix(".xlsx"), area=AREA))
    both = pd.concat([folded(), folded("08MF006")])
    both.to_csv(path, index=False)
    with pytest.raises(KeyError, match=r"2 gauges .*by gauge="):
        ph.read_basin(path)
    check_days(ph.read_basin(path, "08MF006", area=AREA))
    wrong = folded().replace({"YEAR": {2005: 2007}, "MONTH": {1: 2}})
    wrong.to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"line 2, year 2007, MONTH 2: .*not in the calendar"):
        ph.read_basin(path, area=AREA)
    text = folded().astype({"FLOW25": object})
    text.loc[0, "FLOW25"] = "high"
    text.to_csv(path, index=False)
    with pytest.raises(ValueError, match="2005-01-25, column 'FLOW': 'high' is not a number"):
        ph.read_basin(path, area=AREA)


def test_hydat_of_sqlite(tmp_path):
    path = tmp_path / "Hydat.sqlite3"
    places = {"STATION_NUMBER": [STATION], "DRAINAGE_AREA_GROSS": [AREA], "LATITUDE": [51.5]}
    with closing(sqlite3.connect(path)) as base:
        pd.concat([folded(), folded("08MF006")]).to_sql("DLY_FLOWS", base, index=False)
        pd.DataFrame(places).to_sql("STATIONS", base, index=False)
    assert list(ph.scan(tmp_path)["gauge"]) == [STATION, "08MF006"]
    basin = ph.read_basin(tmp_path, STATION)
    check_days(basin)
    assert basin.attrs["latitude"] == 51.5
    with pytest.raises(KeyError, match="no gauge '1' in "):
        ph.read_basin(path, "1")
    path.write_bytes(b"\0" * 5000)
    with pytest.raises(ValueError, match="is it the whole file, unpacked"):
        ph.read_basin(path, STATION)


def test_yearbook_with_a_column_a_month(tmp_path):
    flow = pd.Series(FLOW, DAYS)
    book = pd.DataFrame({"v": flow, "Year": DAYS.year, "Day": DAYS.day, "m": DAYS.month})
    book = book.pivot(index=["Year", "Day"], columns="m", values="v").reindex(columns=range(1, 13))
    names = "Jan Feb März Apr Mai Jun Jul Aug Sep Okt Nov Dez".split()
    path = tmp_path / "book.csv"
    book.set_axis(names, axis=1).to_csv(path)
    basin = ph.read_csv(path, columns={"discharge": "VALUE"}, units={"discharge": "mm/d"})
    check_days(basin)


def lines(template, *columns):
    return "".join(template.format(*row) + "\n" for row in zip(*columns, strict=True))


def test_agencies_of_austria_and_france(tmp_path):
    cells = [f"{v:.9f}".replace(".", ",") for v in VOLUME]
    area = f"{AREA:.2f}".replace(".", ",")
    text = (
        "Messstelle:      ;Steg\norogr.Einzugsgebiet [km²]:     ;\n  gültig seit   Fläche   ;\n"
        f"  01.01.1951      {area}   ;\nEinheit:   ;m³/s\nWerte:\n"
        + lines("{} 00:00:00 ;   {} ;", DAYS.strftime("%d.%m.%Y"), cells)
        + f"{DAYS[-1] + pd.Timedelta(days=1):%d.%m.%Y} 00:00:00 ;   Lücke ;\n"
    )
    path = tmp_path / "Q-Tagesmittel-201012.csv"
    path.write_text(text, encoding="latin-1")
    basin = ph.read_basin(path)
    assert np.isnan(basin["discharge"][-1]) and basin.attrs["area_km2"] == pytest.approx(AREA)
    check(basin.isel(time=slice(None, -1)), "discharge", rtol=1e-6)
    text = "Date (TU);Valeur (en l/s);Statut\n" + lines(
        "{}T00:00:00Z;{};Validée", DAYS.strftime("%Y-%m-%d"), VOLUME * 1e3
    )
    with pytest.warns(UserWarning, match="not read: 'Statut'"):
        check(ph.read_basin(put(tmp_path, text, "hydro.csv"), area=AREA), "discharge")


def test_points_and_commas_in_one_column(tmp_path):
    cells = ["1.234", "1.234,5", "987,25", "k.A."] * 15
    text = "Datum;Abfluss [mm/h]\n" + lines("{:%d.%m.%Y};{}", DAYS, cells)
    text = text.replace("mm/h", "m3/s")
    with pytest.warns(UserWarning, match=r"'\.' in 30 cells .* separates thousands"):
        flow = ph.read_csv(put(tmp_path, text), area=86.4 * 10, na="k.A.")["discharge"] * 10
    np.testing.assert_allclose(flow[:4], [1234, 1234.5, 987.25, np.nan])


def test_temperature_is_the_mean_of_the_extremes(tmp_path):
    text = "date,rain_mm,tmin,tmax\n" + lines(
        "{:%Y-%m-%d},{},{},{}", DAYS, RAIN, WARMTH - 2, WARMTH + 4
    )
    basin = ph.read_csv(put(tmp_path, text))
    np.testing.assert_allclose(basin["temperature"], WARMTH + 1)


def test_rain_is_not_all_precipitation(tmp_path):
    text = "date,rain (mm),snow (mm),precipitation (mm)\n" + lines(
        "{:%Y-%m-%d},{},{},{}", DAYS, RAIN / 2, RAIN / 2, RAIN
    )
    with pytest.warns(UserWarning, match="not read: 'rain .*'snow"):
        check(ph.read_csv(put(tmp_path, text)), "precipitation")
    with pytest.warns(UserWarning) as found:
        ph.read_csv(put(tmp_path, text.replace("precipitation", "total")))
    assert any("'snow (mm)' beside it is not; if it is snowfall" in str(w.message) for w in found)
