"""Sources in the layouts that agencies and programs publish, and what is wrong with some."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from tests.data.test_tables import AREA, DAYS, EVAPORATION, FLOW, RAIN, VOLUME, WARMTH, check, put

ISO = DAYS.strftime("%Y-%m-%d")
HYDAT = (
    "Daily Discharge (m3/s) (PARAM = 1) and Daily Water Level (m) (PARAM = 2)\n"
    " ID,PARAM,Date,Value,SYM\n"
    + "".join(
        f"08MF005,1,{d:%Y/%m/%d},{q!r},E\n" for d, q in zip(DAYS, VOLUME.tolist(), strict=True)
    )
    + "".join(f"08MF005,2,{d:%Y/%m/%d},2.1,\n" for d in DAYS)
)
TIDYHYDAT = "STATION_NUMBER,Date,Parameter,Value,Symbol\n" + "".join(
    f"08MF005,{d},Flow,{q!r},NA\n" for d, q in zip(ISO, VOLUME.tolist(), strict=True)
)
BAFU_HEADER = (
    "Stationsname;Stationsnummer;Parameter;Zeitreihe;Parametereinheit;Gewässer;Zeitstempel;"
    "Zeitpunkt_des_Auftretens;Wert;Freigabestatus\n"
)
BAFU = (
    "Bundesamt für Umwelt BAFU\n" * 8
    + BAFU_HEADER
    + "".join(
        f"Bern;2135;Abfluss;Tagesmittel;m3/s;Aare;{d} 00:00:00;;{q!r};definitiv\n"
        for d, q in zip(ISO, VOLUME.tolist(), strict=True)
    )
)
RAVEN = (
    "# made for a test\n:MultiData\n2005-01-20 00:00:00 1.0 60\n"
    ":Parameters PRECIP TEMP_DAILY_MIN TEMP_DAILY_MAX PET\n:Units mm/d C C mm/d\n"
    + "".join(
        f"{p} {t - 5:.2f} {t + 5:.2f} {e}\n"
        for p, t, e in zip(RAIN, WARMTH, EVAPORATION, strict=True)
    )
    + ":EndMultiData\n:ObservationData HYDROGRAPH 36 m3/s\n  2005-01-20 00:00:00 1.0 60\n"
    + "".join(f"  {q!r}\n" for q in VOLUME.tolist())
    + ":EndObservationData\n"
)
SE = "Year,Month,Day,Qobs_m3s,Qobs_mm,Pobs_mm,Tobs_C\n" + "".join(
    f"{d.year},{d.month},{d.day},{v!r},{q},{p},{t}\n"
    for d, v, q, p, t in zip(DAYS, VOLUME.tolist(), FLOW, RAIN, WARMTH, strict=True)
)
FILES = {
    "HYDAT": ("daily.csv", HYDAT, "08MF005"),
    "tidyhydat": ("flows.csv", TIDYHYDAT, "08MF005"),
    "BAFU": ("Aare.csv", BAFU, "2135"),
}


@pytest.mark.parametrize(("name", "text", "gauge"), FILES.values(), ids=FILES)
def test_discharge_of_agencies(name, text, gauge, tmp_path):
    encoding = "latin-1" if text is BAFU else "utf-8"
    path = put(tmp_path, text, name, encoding)
    check(ph.read_basin(path, area=AREA), "discharge")
    found = ph.scan(tmp_path)
    assert found["gauge"].tolist() == [gauge]
    with pytest.raises(ValueError, match=r"needs the basin's area"):
        ph.read_basin(path)


def test_instantaneous_values_of_nwis(tmp_path):
    hours = pd.date_range("2005-01-20", periods=len(DAYS), freq="15min")
    header = (
        "agency_cd\tsite_no\tdatetime\ttz_cd\t7_00060\t7_00060_cd\n5s\t15s\t20d\t6s\t14n\t10s\n"
    )
    text = "# made for a test\n" + header
    for h, q in zip(hours, VOLUME / 0.3048**3, strict=True):
        text += f"USGS\t01234567\t{h:%Y-%m-%d %H:%M}\tEST\t{q.item()!r}\tA\n"
    check(ph.read_basin(put(tmp_path, text, "a.rdb"), area=AREA), "discharge", time=hours)


def test_raven(tmp_path):
    path = put(tmp_path, RAVEN, "Salmon.rvt")
    check(ph.read_basin(path, area=AREA), "precipitation", "temperature", "discharge")
    path = put(tmp_path, RAVEN.replace(repr(VOLUME[4].item()), "-1.2345"), "Salmon.rvt")
    flow = ph.read_basin(path, area=AREA)["discharge"]
    assert np.flatnonzero(np.isnan(flow)).tolist() == [4]
    twice = RAVEN + RAVEN[RAVEN.index(":ObservationData") :]
    with pytest.raises(ValueError, match="has HYDROGRAPH twice; split it into a file for each"):
        ph.read_basin(put(tmp_path, twice, "Salmon.rvt"), area=AREA)


def test_camels_se(tmp_path):
    properties = "ID,Name,Latitude_WGS84,Area_km2,Elevation_mabsl\n20,A,60.0,100.0,300\n"
    put(tmp_path, properties, "catchments_physical_properties.csv")
    path = put(tmp_path, SE, "catchment_id_20.csv")
    with pytest.warns(UserWarning, match="computed after Oudin"):
        basin = ph.read_basin(tmp_path, "20")
    check(basin, "precipitation", "temperature", "discharge")
    expected = ph.data.oudin(WARMTH, DAYS, 60.0)
    np.testing.assert_allclose(basin["potential_evaporation"], expected)
    (tmp_path / "catchments_physical_properties.csv").unlink()
    with (
        pytest.warns(UserWarning, match="Oudin"),
        pytest.raises(ValueError, match="give latitude="),
    ):
        ph.read_basin(path)


def test_era5(tmp_path):
    """Evaporation is a negative sum in metres; days are labelled by their starts."""
    columns = {"t2m": WARMTH + 273.15, "tp": RAIN / 1000, "pev": -EVAPORATION / 1000}
    frame = pd.DataFrame({"valid_time": DAYS, **columns})
    frame.to_csv(tmp_path / "era5.csv", index=False)
    data = xr.Dataset({n: (("valid_time", "latitude"), v[:, None]) for n, v in columns.items()})
    data.assign_coords(valid_time=DAYS, latitude=[44.4]).to_netcdf(tmp_path / "era5.nc")
    for name in ("era5.csv", "era5.nc"):
        check(
            ph.read_basin(tmp_path / name), "precipitation", "potential_evaporation", "temperature"
        )
    wide = xr.concat([data, data], "latitude").assign_coords(valid_time=DAYS, latitude=[44.0, 45.0])
    wide.to_netcdf(tmp_path / "wide.nc")
    with pytest.raises(ValueError, match=r"have the dimensions latitude .*select one place"):
        ph.read_basin(tmp_path / "wide.nc")


def test_hysets(tmp_path):
    names = {"pr": RAIN, "tasmin": WARMTH - 5, "tasmax": WARMTH + 5, "discharge": VOLUME}
    data = {n: (("watershed", "time"), np.stack([0 * v, v])) for n, v in names.items()}
    place = {"watershedID": [7, 8], "drainage_area": [5.0, AREA], "centroid_lat": [4.0, 60.0]}
    data |= {n: ("watershed", v) for n, v in place.items()}
    xr.Dataset(data, {"time": DAYS}).to_netcdf(tmp_path / "HYSETS_2020_QC_stations.nc")
    assert ph.scan(tmp_path)["gauge"].tolist() == ["7", "8"]
    with pytest.warns(UserWarning, match="Oudin"):
        basin = ph.read_basin(tmp_path, "8")
    check(basin, "precipitation", "temperature", "discharge")
    assert basin.attrs["area_km2"] == AREA and basin.attrs["latitude"] == 60.0
    with pytest.raises(ValueError, match="nothing that is recognised for gauge 9"):
        ph.read_basin(tmp_path, "9")


BAD = {
    "Raven, broken off": ("a.rvt", RAVEN[:-25], {}, "block in line [0-9]+ has no end"),
    "Raven, a line less": ("a.rvt", RAVEN.replace("1.0 60", "1.0 61"), {}, "expected 61 of PRECIP"),
    "Raven, no dates": ("a.rvt", RAVEN.replace("2005-01-20 00:00:00 1.0 60", ""), {}, "first date"),
    "Raven, no series": ("a.rvt", ":RedirectToFile b.rvt\n", {}, "only name other files"),
    "HYDAT, levels alone": ("a.csv", HYDAT.replace(",1,", ",2,"), {}, "no line has '1' in 'PARAM'"),
    "BAFU, temperature": (
        "a.csv",
        BAFU.replace("Abfluss", "Wassertemperatur"),
        {},
        "no line has 'Abfluss' or 'Débit' in 'Parameter', which holds Wassertemperatur",
    ),
    "HBV-light, evaporation": ("b/evap.txt", "Evap\n0.1\n0.2\n", {}, "record of HBV-light, which"),
    "CAMELS-US, flow": ("01022500_streamflow_qc.txt", "x\n", {}, "one of the files of a record of"),
}


@pytest.mark.parametrize(("name", "text", "options", "message"), BAD.values(), ids=BAD)
def test_files_that_say_what_is_wrong(name, text, options, message, tmp_path):
    with pytest.raises((ValueError, KeyError), match=message):
        ph.read_basin(put(tmp_path, text, name, "latin-1"), **{"area": AREA} | options)
