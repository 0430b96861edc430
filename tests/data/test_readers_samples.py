"""Readers reproduce the sums and means that the description of the samples states."""

import shutil

import numpy as np
import pandas as pd
import pytest

import pymc_hydro as ph
from pymc_hydro.data import as_basin
from tests.data.samples import SAMPLES, needs_samples

pytestmark = needs_samples
NAMES = ("precipitation", "potential_evaporation", "discharge")


def in_schema(basin, first, last):
    as_basin(basin, NAMES)
    assert (str(basin.time.values[0])[:10], str(basin.time.values[-1])[:10]) == (first, last)


@pytest.mark.parametrize(
    ("gauge", "years", "rows", "rain", "flow"),
    [
        ("02472000", ("1948", "1963"), 5844, 21575.49, 7581.7992),
        ("13337000", ("1970", "1985"), 5844, 21482.65, 14365.4029),
        ("03443000", ("1960", "1980"), 7671, 42807.40, 27726.8201),
    ],
)
def test_mopex(gauge, years, rows, rain, flow):
    basin = ph.read_mopex(SAMPLES / "mopex" / f"{gauge}.dly")
    in_schema(basin, f"{years[0]}-01-01", f"{years[1]}-12-31")
    assert basin.sizes["time"] == rows
    assert float(basin["precipitation"].sum()) == pytest.approx(rain, abs=5e-3)
    assert float(basin["discharge"].sum()) == pytest.approx(flow, abs=5e-5)


def test_classic_leaf_river_file():
    rows = pd.read_csv(SAMPLES / "leaf_river_hymod/bound.txt", sep=r"\s+", header=None)
    rain, evaporation, flow = rows.loc[:, 5:].sum(axis=1), rows[4], rows[3] * 86.4 / 1944
    basin = ph.load_basin("leaf_river")
    in_schema(basin, "1952-07-28", "1962-09-30")
    assert basin.sizes["time"] == len(rows) == 3717
    means = (3.710, 2.981, 1.257)
    for name, values, mean in zip(NAMES, (rain, evaporation, flow), means, strict=True):
        np.testing.assert_allclose(basin[name], values, atol=1e-4)
        assert float(basin[name].mean()) == pytest.approx(mean, abs=5e-4)


@pytest.mark.parametrize("product", ["daymet", "maurer", "maurer_extended", "nldas"])
def test_camels_us_products(product, recwarn):
    basin = ph.read_camels_us(SAMPLES / "camels_us", "01022500", product)
    in_schema(basin, "2000-01-01", "2003-12-31" if product == "daymet" else "2002-12-31")
    assert float(basin["discharge"][0]) == pytest.approx(1.0616, abs=5e-5)
    flow = basin["discharge"].sel(time=slice("2000", "2002"))
    assert int(flow.count()) == 1096
    assert float(flow.mean()) == pytest.approx(1.5195, abs=5e-5)
    assert basin.attrs["area_km2"] == pytest.approx(587.675987)
    assert 400 < 365.25 * float(basin["potential_evaporation"].mean()) < 700
    equal = product in ("maurer", "nldas")
    assert [str(w.message).count("Tmax equals Tmin") for w in recwarn] == [1] * equal


@pytest.mark.parametrize(
    ("gauge", "area", "mean"), [("03439000", 175.785020, 3.1776), ("09035900", 70.935339, 1.1783)]
)
@pytest.mark.filterwarnings("ignore:.*Tmax equals Tmin")
def test_camels_us_other_days_of_forcing_and_flow(gauge, area, mean):
    basin = ph.read_camels_us(SAMPLES / "camels_us", gauge, "nldas")
    in_schema(basin, "1993-09-29", "2013-10-03")
    assert basin.attrs["area_km2"] == pytest.approx(area)
    assert float(basin["discharge"].mean()) == pytest.approx(mean, abs=5e-5)
    missing = np.flatnonzero(np.isnan(basin["discharge"]))
    assert missing.tolist() == [7308, 7309]  # the forcing ends two days later


def test_camels_us_flow_that_is_flagged_missing(tmp_path):
    """The record of flow ends with three months of -999: with forcing there they are missing."""
    shutil.copytree(SAMPLES / "camels_us/usgs_streamflow/01", tmp_path / "usgs_streamflow")
    name = "01022500_lump_cida_forcing_leap.txt"
    rows = (SAMPLES / "camels_us/basin_mean_forcing/daymet/01" / name).read_text().splitlines()
    days = pd.date_range("2014-01-01", "2014-12-31")
    moved = [f"{d:%Y %m %d} " + r.split(None, 3)[3] for d, r in zip(days, rows[4:], strict=False)]
    (tmp_path / "daymet").mkdir()
    (tmp_path / "daymet" / name).write_text("\n".join(rows[:4] + moved) + "\n")
    missing = ph.read_camels_us(tmp_path, "01022500")["discharge"].isnull()
    assert int(missing.sum()) == 92 and bool(missing.sel(time=slice("2014-10-01", None)).all())


def test_camels_us_benchmark_model_through_read_csv():
    path = SAMPLES / "camels_us/model_output_daymet/01/01031500_05_model_output.txt"
    names = {"precipitation": "PRCP", "potential_evaporation": "PET"}
    observed, simulated = (
        ph.read_csv(path, names | {"discharge": flow}, time=("YR", "MNTH", "DY"))
        for flow in ("OBS_RUN", "MOD_RUN")
    )
    in_schema(observed, "1989-10-01", "1999-12-31")
    years = {"time": slice("1989-10-01", "1999-09-30")}
    flows = [b["discharge"].sel(years).values for b in (observed, simulated)]
    assert ph.losses.nse(*flows) == pytest.approx(0.710, abs=5e-4)


@pytest.mark.parametrize(
    ("gauge", "area", "missing", "means"),
    [("X045401001", 943.22, 43, (998, 436, 649)), ("A605102001", 370.66, 0, (1555, 631, 608))],
)
def test_camels_fr(gauge, area, missing, means):
    basin = ph.read_camels_fr(SAMPLES / "camels_fr", gauge)
    in_schema(basin, "1999-01-01", "2018-12-31")
    assert basin.attrs["area_km2"] == pytest.approx(area, abs=5e-3)
    gaps = basin["time"][basin["discharge"].isnull()].dt.strftime("%Y-%m-%d").values
    assert len(gaps) == missing
    if missing:
        assert (gaps[0], gaps[-1]) == ("2009-11-01", "2016-11-02")
    file = pd.read_csv(SAMPLES / "camels_fr" / f"{gauge}.csv")
    flow = file["Qls"] * 0.0864 / basin.attrs["area_km2"]
    np.testing.assert_allclose(basin["discharge"], flow, atol=6e-4)
    for name, mean in zip(NAMES, means, strict=True):
        assert 365.25 * float(basin[name].mean()) == pytest.approx(mean, abs=1)


def test_camels_ch():
    basin = ph.read_camels_ch(SAMPLES / "camels_ch", "2112")
    in_schema(basin, "2000-01-01", "2009-12-31")
    assert basin.attrs["area_km2"] == 74.4
    assert float(basin["precipitation"][0]) == 4.04 and float(basin["discharge"][4]) == 4.412
    file = SAMPLES / "camels_ch/timeseries/observation_based/CAMELS_CH_obs_based_2112.csv"
    volume = pd.read_csv(file)["discharge_vol(m3/s)"]
    np.testing.assert_allclose(basin["discharge"], volume * 86.4 / 74.4, rtol=6e-3)


def test_camels_gb_edited():
    with pytest.warns(UserWarning, match="peti was used"):
        basin = ph.read_camels_gb(SAMPLES / "camels_gb", "12007")
    in_schema(basin, "1996-10-01", "2009-09-30")  # written as dd/mm/yyyy
    assert basin.sizes["time"] == 4748
    assert int(basin["discharge"].isnull().sum()) == 0


@pytest.mark.parametrize("gauge", ["camels_01022500", "camels_03439000"])
def test_caravan_netcdf_and_csv_agree(gauge, tmp_path):
    with pytest.warns(UserWarning, match="computed after Oudin"):
        basin = ph.read_caravan(SAMPLES / "caravan", gauge)
    in_schema(basin, "1981-01-01", "1982-01-01")
    assert basin.sizes["time"] == 366
    shutil.copytree(SAMPLES / "caravan/timeseries/csv", tmp_path / "csv")
    shutil.copytree(SAMPLES / "caravan/attributes", tmp_path / "attributes")
    with pytest.warns(UserWarning, match="computed after Oudin"):
        other = ph.read_caravan(tmp_path, gauge)
    np.testing.assert_allclose(basin["discharge"], other["discharge"], rtol=1e-5)


def test_caravan_evaporation_of_era5_land_is_warned_about():
    with pytest.warns(UserWarning) as found:
        basin = ph.read_caravan(SAMPLES / "caravan", "camels_01022500", pet="era5_land")
    assert any("several times too high" in str(w.message) for w in found)
    assert float(basin["potential_evaporation"].mean()) == pytest.approx(14, abs=1)
    assert float(basin["precipitation"].mean()) == pytest.approx(3.2, abs=0.05)


@pytest.mark.parametrize(
    ("name", "first", "last", "missing", "means"),
    [
        ("leaf_river_ms", "1948-10-01", "1963-09-30", 0, (1348, 1058, 474)),
        ("lochsa_river_id", "1970-10-01", "1985-09-30", 0, (1342, 774, 898)),
        ("ubaye_fr", "1999-01-01", "2018-12-31", 43, (998, 436, 649)),
    ],
)
def test_tidy_basins(name, first, last, missing, means):
    basin = ph.read_csv(SAMPLES / "basins" / f"{name}.csv")
    in_schema(basin, first, last)
    assert int(basin["discharge"].isnull().sum()) == missing
    for variable, mean in zip(NAMES, means, strict=True):
        assert 365.25 * float(basin[variable].mean()) == pytest.approx(mean, abs=1)
    if name == "lochsa_river_id":
        rain = basin["precipitation"]
        snow = rain.where(basin["temperature"] < 0, 0.0)
        assert float(snow.sum() / rain.sum()) == pytest.approx(0.42, abs=5e-3)


def test_hourly_file_and_embedded_basins():
    hourly = ph.read_csv(SAMPLES / "hourly_hoher_steg/hoher_steg_hourly.csv", area=113.1)
    file = pd.read_csv(SAMPLES / "hourly_hoher_steg/hoher_steg_hourly.csv")
    in_schema(hourly, "1996-10-01", "1999-09-30")
    assert hourly.sizes["time"] == 24 * 1095 and not hourly.isnull().any().to_array().any()
    # Rates are per day: 24 hourly amounts are the day's.
    np.testing.assert_allclose(hourly["precipitation"] / 24, file["precip_mm"])
    np.testing.assert_allclose(hourly["discharge"] / 24, file["flow_m3s"] * 3.6 / 113.1)
    leaf = ph.read_csv(SAMPLES / "embed/leaf_river.csv")
    np.testing.assert_array_equal(leaf["discharge"], ph.load_basin("leaf_river")["discharge"])
    fulda = ph.read_csv(SAMPLES / "embed/fulda.csv", pet="oudin", latitude=50.6)
    in_schema(fulda, "1979-01-01", "1988-12-31")
    assert not fulda.isnull().any().to_array().any()
    embedded = ph.load_basin("fulda")["potential_evaporation"]
    np.testing.assert_array_equal(fulda["potential_evaporation"], embedded)


def test_scan_lists_them_all():
    found = ph.scan(SAMPLES)
    kinds = found["reader"].value_counts()
    assert kinds["read_camels_us"] == 7 and kinds["read_mopex"] == 3
    assert kinds["read_caravan"] == 4 and kinds["read_camels_fr"] == 2
    assert kinds["read_camels_ch"] == kinds["read_camels_gb"] == 1
    assert kinds["read_csv"] == 6  # basins, embed, hourly_hoher_steg
    assert set(found.query("detail == 'nldas'")["gauge"]) == {"01022500", "03439000", "09035900"}
