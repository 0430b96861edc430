"""Layouts of archives and of other programs, written here in small, and read again."""

import numpy as np
import pandas as pd
import pytest

import pymc_hydro as ph
from pymc_hydro.data import Source, Table
from tests.data.test_readers_twins import (
    DAYS,
    EVAPORATION,
    FLOW,
    GAPPY,
    RAIN,
    TEMPERATURE,
    agrees,
    frame,
    parts,
    write,
)

AREA = 120.0
VOLUME = FLOW * AREA / 86.4  # m3/s


def text(path, lines, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def flows(basin, expected=GAPPY, rtol=1e-9):
    assert (basin.time.values == DAYS.to_numpy()).all()
    np.testing.assert_allclose(basin["discharge"], expected, rtol=rtol)
    assert set(basin) == {"discharge"}


def nwis(path, ids=("01234567",)):
    cfs = VOLUME / 0.028316846592
    head = ["# a warning", "#", "agency_cd\tsite_no\tdatetime\t9_00060_00003\t9_00060_00003_cd"]
    rows = [
        f"USGS\t{gauge}\t{d:%Y-%m-%d}\t" + ("Ice\tA" if i == 7 else f"{q:.12f}\tA:e")
        for gauge in ids
        for i, (d, q) in enumerate(zip(DAYS, cfs, strict=True))
    ]
    return text(path, [*head, "5s\t15s\t20d\t14n\t10s", *rows])


def test_nwis(tmp_path):
    file = nwis(tmp_path / "flow.rdb")
    flows(ph.read_basin(file, area=AREA))
    flows(ph.read_basin(tmp_path, area=AREA))
    assert ph.scan(tmp_path)[["reader", "gauge"]].values.tolist() == [["NWIS", "01234567"]]
    with pytest.raises(ValueError, match="in cfs, which needs the basin's area; give area="):
        ph.read_basin(file)
    nwis(file, ("01234567", "01234568"))
    flows(ph.read_basin(file, "01234568", area=AREA))
    with pytest.raises(KeyError, match=r"holds 2 gauges \(01234567, 01234568\)"):
        ph.read_basin(file, area=AREA)
    spoilt = file.read_text(encoding="utf-8").replace("Ice", "Snow")
    file.write_text(spoilt, encoding="utf-8")
    with pytest.raises(ValueError, match="line 12, column '9_00060_00003': 'Snow'"):
        ph.read_basin(file, "01234567", area=AREA)


def grdc(path, area="120.0"):
    head = ["# Title: station", f"# Catchment area (km²):  {area}", "# Latitude (DD):  -3.5", "#"]
    rows = [
        f"{d:%Y-%m-%d};--:--;{-999 if i == 7 else q:11.6f}"
        for i, (d, q) in enumerate(zip(DAYS, VOLUME, strict=True))
    ]
    return text(path, [*head, "YYYY-MM-DD;hh:mm; Value", *rows], encoding="latin-1")


def test_grdc(tmp_path):
    file = grdc(tmp_path / "4242_Q_Day.Cmd.txt")
    basin = ph.read_basin(file)
    flows(basin, rtol=1e-5)
    assert {"gauge": "4242", "area_km2": AREA, "latitude": -3.5}.items() <= basin.attrs.items()
    flows(ph.read_basin(tmp_path, "4242", area=AREA / 2), GAPPY * 2, rtol=1e-5)
    grdc(file, area="-999.0")
    with pytest.raises(ValueError, match="needs the basin's area"):
        ph.read_basin(file)


@pytest.mark.parametrize("flag", ["", ",M"])
def test_nrfa(flag, tmp_path):
    head = [
        "file,timestamp,2024-01-01T00:00:00",
        'station,descriptionGeneral,"Weir, closed"',
        "dataType,units,m3/s",
        "data,last,2000-03-30",
    ]
    rows = [
        f"{d:%Y-%m-%d},{'' if i == 7 else f'{q:.12f}'}{flag}"
        for i, (d, q) in enumerate(zip(DAYS, VOLUME, strict=True))
    ]
    file = text(tmp_path / "nrfa_53001_gdf.csv", [*head, *rows])
    flows(ph.read_basin(file, area=AREA))
    flows(ph.read_basin(tmp_path, "53001", area=AREA))
    text(file, head)
    with pytest.raises(ValueError, match="no line begins like"):
        ph.read_basin(file, area=AREA)


def hbv_light(folder, evaporation):
    rows = [
        f"{d:%Y%m%d}\t{p}\t{t}\t{-9999 if np.isnan(q) else q}"
        for d, p, t, q in zip(DAYS, RAIN, TEMPERATURE, GAPPY, strict=True)
    ]
    text(folder / "PTQ.txt", ["Some river", "Date\tP\tT\tQ", *rows])
    text(folder / "EVAP.txt", ["Evap", *map(str, evaporation)])


LEAP = np.arange(366) / 100  # 29 February is the 60th day of 2000


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (EVAPORATION, EVAPORATION),
        (LEAP, LEAP[50:90]),
        (LEAP[:365], np.concatenate([LEAP[50:59], LEAP[58:89]])),
        (np.arange(1, 13), np.where(DAYS.month == 2, 2, 3)),
    ],
)
def test_hbv_light(values, expected, tmp_path):
    hbv_light(tmp_path / "Aare" / "Data", values)
    agrees(ph.read_basin(tmp_path), potential_evaporation=expected)
    basin = ph.read_basin(tmp_path / "Aare/Data/PTQ.txt")
    agrees(basin, potential_evaporation=expected)
    assert basin.attrs["gauge"] == "Aare"


def test_hbv_light_without_evaporation_or_with_another_length(tmp_path):
    hbv_light(tmp_path / "Aare", EVAPORATION[:30])
    with pytest.raises(ValueError, match="has 30 values without dates, expected 40"):
        ph.read_basin(tmp_path, "Aare")
    (tmp_path / "Aare/EVAP.txt").unlink()
    assert "potential_evaporation" not in ph.read_basin(tmp_path, "Aare")
    computed = ph.read_basin(tmp_path, "Aare", pet="oudin", latitude=47.0)
    expected = ph.data.oudin(TEMPERATURE, DAYS, 47.0)
    np.testing.assert_allclose(computed["potential_evaporation"], expected)


@pytest.mark.parametrize("form", [{}, {"sep": ";", "decimal": ","}])
def test_airgr(form, tmp_path):
    columns = {"P": RAIN, "T": TEMPERATURE, "E": EVAPORATION, "Qls": 1.5, "Qmm": GAPPY}
    table = frame("DatesR", **columns)
    if not form:  # write.csv numbers the lines and puts text in quotes
        table.insert(0, "", np.arange(1, 41).astype(str))
    write(tmp_path / "anything.csv", table, na_rep="NA", quoting=0 if form else 1, **form)
    agrees(ph.read_basin(tmp_path / "anything.csv"))
    agrees(ph.read_basin(tmp_path))
    assert ph.scan(tmp_path).values.tolist() == [["airGR", "anything", "", "anything.csv"]]


def test_camels_dk(tmp_path):
    columns = {"precipitation": RAIN, "temperature": TEMPERATURE, "pet": EVAPORATION}
    write(tmp_path / "a/CAMELS_DK_obs_based_7.csv", frame("time", **columns, Qdkm=9, Qobs=GAPPY))
    agrees(ph.read_basin(tmp_path, "7"))
    write(tmp_path / "a/CAMELS_DK_obs_based_8.csv", frame("time", **columns, Qdkm=9))
    assert "discharge" not in ph.read_basin(tmp_path, "8")
    volumes = frame("time", **columns, Qobs=GAPPY * AREA / 86.4)
    write(tmp_path / "a/CAMELS_DK_obs_based_9.csv", volumes)
    agrees(ph.read_basin(tmp_path, "9", flow="m3/s", area=AREA))
    with pytest.raises(KeyError, match="no flow 'L/s'; there are mm/d, m3/s"):
        ph.read_basin(tmp_path, "9", flow="L/s")


@pytest.mark.parametrize("number", ["03001", "3001"])
def test_camels_ind(number, tmp_path):
    table = parts(RAIN, "prcp(mm/day)").assign(
        **{
            "tmax(C)": TEMPERATURE + 3,
            "tmin(C)": TEMPERATURE - 4,
            "tavg(C)": TEMPERATURE,
            "pet(mm/day)": EVAPORATION,
            "pet_gleam(mm/day)": 9,
        }
    )
    write(tmp_path / "catchment_mean_forcings/03/03001.csv", table)
    write(tmp_path / "streamflow_observed.csv", parts(9, "3002").assign(**{number: VOLUME}))
    write(tmp_path / "camels_ind_topo.csv", pd.DataFrame({"gauge_id": [number], "cwc_area": AREA}))
    basin = ph.read_basin(tmp_path)
    agrees(basin, discharge=FLOW)
    assert basin.attrs["gauge"] == "03001" and basin.attrs["area_km2"] == AREA
    (tmp_path / "streamflow_observed.csv").unlink()
    assert "discharge" not in ph.read_basin(tmp_path)


def test_lamah(tmp_path):
    dates = parts(RAIN, "prec").rename(columns={"year": "YYYY", "month": "MM", "day": "DD"})
    weather = dates.assign(DOY=1, total_et=0.1, **{"2m_temp_mean": TEMPERATURE})
    flow = dates.drop(columns="prec").assign(qobs=np.where(np.isnan(GAPPY), -999, VOLUME), ckhs=1)
    series = "2_timeseries/daily/ID_399.csv"
    write(tmp_path / "A_basins_total_upstrm" / series, weather, sep=";")
    write(tmp_path / "B_basins_intermediate_all" / series, weather.assign(prec=1.0), sep=";")
    write(tmp_path / "D_gauges" / series, flow, sep=";")
    gauges = tmp_path / "D_gauges/1_attributes/Gauge_attributes.csv"
    write(gauges, pd.DataFrame({"ID": [399], "area_gov": AREA}), sep=";")
    pet = ph.data.oudin(TEMPERATURE, DAYS, 47.0)
    with pytest.warns(UserWarning, match="total_et is actual evaporation"):
        agrees(ph.read_basin(tmp_path, "399", latitude=47.0), potential_evaporation=pet)
    assert set(ph.scan(tmp_path)["detail"]) == {
        "A_basins_total_upstrm",
        "B_basins_intermediate_all",
    }
    options = {"pet": "oudin", "latitude": 47.0, "basins": "B_basins_intermediate_all"}
    assert (ph.read_basin(tmp_path, "399", **options)["precipitation"] == 1).all()
    flows(ph.read_basin(tmp_path / "D_gauges" / series, area=AREA))
    write(tmp_path / "m/merged.csv", weather.assign(qobs=flow["qobs"]), sep=";")
    with pytest.warns(UserWarning, match="total_et is actual evaporation"):
        merged = ph.read_basin(tmp_path / "m/merged.csv", area=AREA, latitude=47.0)
    agrees(merged, potential_evaporation=pet)


def test_a_decimal_comma_is_seen_only_where_it_is_one(tmp_path):
    columns = {"precipitation": ("P", "mm/d"), "discharge": ("Q", "mm/d")}
    source = Source("mine", (Table("{gauge}.csv", columns),))
    for name, form in (("a", {"sep": ";", "decimal": ","}), ("b", {"sep": ";"}), ("c", {})):
        write(tmp_path / f"{name}.csv", frame(P=RAIN, Q=GAPPY), **form)
        basin = ph.read_basin(tmp_path, name, source=source)
        np.testing.assert_array_equal(basin["precipitation"], RAIN)
