"""Small files in the layout of each data set, written here, and read again."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.data import as_basin, oudin
from pymc_hydro.data.units import to_schema

DAYS = pd.date_range("2000-02-20", periods=40)
RNG = np.random.default_rng(1)
RAIN = np.round(RNG.gamma(0.5, 8, 40), 2)
EVAPORATION = np.round(2 + np.sin(np.arange(40) / 5), 2)
TEMPERATURE = np.round(5 + 4 * np.cos(np.arange(40) / 7), 2)
FLOW = np.round(1 + 0.5 * np.sin(np.arange(40) / 3), 3)
GAPPY = np.where(np.arange(40) == 7, np.nan, FLOW)
TRUTH = {
    "precipitation": RAIN,
    "potential_evaporation": EVAPORATION,
    "temperature": TEMPERATURE,
    "discharge": GAPPY,
}


def agrees(basin, **changed):
    as_basin(basin, ("precipitation", "potential_evaporation", "temperature", "discharge"))
    assert (basin.time.values == DAYS.to_numpy()).all()
    for name, values in {**TRUTH, **changed}.items():
        np.testing.assert_allclose(basin[name], values, rtol=1e-12, err_msg=name)


def frame(index="date", form="%Y-%m-%d", **columns):
    return pd.DataFrame({index: DAYS.strftime(form), **columns})


def write(path, table, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, **{"na_rep": "NaN", **options})


def parts(value, name="value"):
    return pd.DataFrame({"year": DAYS.year, "month": DAYS.month, "day": DAYS.day, name: value})


def lines(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


_DAYMET = "dayl(s) prcp(mm/day) srad(W/m2) swe(mm) tmax(C) tmin(C) vp(Pa)"
_MAURER = "Dayl(s)\tPRCP(mm/day)\tSRAD(W/m2)\tSWE(mm)\tTmax(C)\tTmin(C)\tVp(Pa)"
HEADERS = {"daymet": f"Year Mnth Day Hr {_DAYMET}", "maurer": f"Year Mnth Day Hr\t{_MAURER}"}


@pytest.mark.parametrize("product", list(HEADERS))
def test_camels_us(product, tmp_path):
    area = 100e6
    body = [
        f"{d:%Y %m %d} 12\t43200\t{p}\t100\t0\t{t + 2:.2f}\t{t - 2:.2f}\t700"
        for d, p, t in zip(DAYS, RAIN, TEMPERATURE, strict=True)
    ]
    file = tmp_path / f"basin_mean_forcing/{product}/07/01234567_lump_x_forcing_leap.txt"
    lines(file, ["  44.82", " 133.00", f" {area:.0f}", HEADERS[product], *body])
    cfs = FLOW * 100 / 86.4 / 0.028316846592
    rows = [
        f"01234567 {d:%Y %m %d} {-999.0 if i == 7 else q:.10f} {'M' if i == 7 else 'A:e'}"
        for i, (d, q) in enumerate(zip(DAYS, cfs, strict=True))
    ]
    lines(tmp_path / "usgs_streamflow/01/01234567_streamflow_qc.txt", rows)
    basin = ph.read_camels_us(tmp_path, "01234567", product)
    expected = oudin(TEMPERATURE, DAYS, 44.82)
    assert ("shortwave_radiation" in basin) == (product == "daymet")
    for name in ("precipitation", "temperature"):
        np.testing.assert_allclose(basin[name], TRUTH[name])
    np.testing.assert_allclose(basin["discharge"], GAPPY, rtol=1e-9)
    np.testing.assert_allclose(basin["potential_evaporation"], expected)
    if product == "daymet":  # 12 hours of daylight: half of the daylight mean
        np.testing.assert_allclose(basin["shortwave_radiation"], 50)


@pytest.mark.parametrize("kelvin", [False, True])
@pytest.mark.parametrize("kind", ["csv", "nc"])
def test_camels_us_hourly(kind, kelvin, tmp_path):
    hours = pd.date_range("2000-06-01", periods=40, freq="h")
    pet = EVAPORATION / 24
    pet[3] = -0.01
    table = pd.DataFrame(
        {
            "date": hours,
            "potential_evaporation": pet,
            "temperature": TEMPERATURE + 273.15 * kelvin,
            "total_precipitation": RAIN / 24,
        }
    )
    flow = pd.DataFrame({"date": hours, "QObs(mm/h)": GAPPY / 24, "QObs count": 1})
    if kind == "csv":
        write(tmp_path / "hourly/nldas_hourly/01234567_hourly_nldas.csv", table)
        file = tmp_path / "hourly/usgs-streamflow/01234567-usgs-hourly.csv"
        write(file, flow, na_rep="")
    else:
        data = table.assign(qobs_mm_per_hour=flow["QObs(mm/h)"], basin="01234567")
        data = data.set_index(["basin", "date"]).to_xarray()
        data.to_netcdf(tmp_path / "usgs-streamflow-nldas_hourly.nc", engine="h5netcdf")
    (found,) = ph.scan(tmp_path).query("reader == 'read_camels_us_hourly'")["gauge"]
    assert found == "01234567"
    with pytest.warns(UserWarning, match="1 potential_evaporation values from -0.24 to 0"):
        basin = ph.read_camels_us_hourly(tmp_path, "01234567")
    expected = np.where(np.arange(40) == 3, 0, EVAPORATION)
    np.testing.assert_allclose(basin["potential_evaporation"], expected, rtol=1e-6)
    for name in ("precipitation", "temperature", "discharge"):
        np.testing.assert_allclose(basin[name], TRUTH[name], rtol=1e-6)


def test_camels_gb(tmp_path):
    table = frame(
        precipitation=RAIN,
        pet=EVAPORATION,
        temperature=TEMPERATURE,
        discharge_spec=GAPPY,
        discharge_vol=GAPPY * 3,
        peti=EVAPORATION + 1,
    )
    write(tmp_path / "CAMELS_GB_hydromet_timeseries_1200_19701001-20150930.csv", table)
    write(tmp_path / "CAMELS_GB_hydromet_timeseries_12001_19701001-20150930.csv", table * 0)
    place = pd.DataFrame({"gauge_id": [1200], "area": [259.2], "gauge_lat": [57.0]})
    write(tmp_path / "CAMELS_GB_topographic_attributes.csv", place)
    basin = ph.read_camels_gb(tmp_path, 1200)
    agrees(basin)
    assert (basin.attrs["area_km2"], basin.attrs["latitude"]) == (259.2, 57.0)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_camels_ch(encoding, tmp_path):
    observed = frame(
        **{
            "discharge_spec(mm/d)": GAPPY,
            "precipitation(mm/d)": RAIN,
            "temperature_min(°C)": TEMPERATURE - 2,
            "temperature_mean(°C)": TEMPERATURE,
            "temperature_max(°C)": TEMPERATURE + 2,
        }
    )
    file = tmp_path / "time_series/observation_based/CAMELS_CH_obs_based_2112.csv"
    write(file, observed, encoding=encoding)
    other = tmp_path / "time_series/simulation_based/CAMELS_CH_sim_based_2112.csv"
    write(other, frame(**{"pet_sim(mm/d)": EVAPORATION}))
    if encoding == "utf-8":
        agrees(ph.read_camels_ch(tmp_path, "2112"))
    else:
        with pytest.warns(UserWarning, match="read as Latin-1"):
            agrees(ph.read_camels_ch(tmp_path, "2112"))


@pytest.mark.parametrize("flow", ["discharge_spec_obs", "discharge_spec"])
def test_camels_de(flow, tmp_path):
    table = frame(
        **{flow: GAPPY},
        precipitation_mean=RAIN,
        temperature_min=TEMPERATURE - 2,
        temperature_mean=TEMPERATURE,
        temperature_max=TEMPERATURE + 2,
    )
    write(tmp_path / "timeseries/CAMELS_DE_hydromet_timeseries_DE110000.csv", table)
    place = pd.DataFrame({"gauge_id": ["DE110000"], "area": [100.0], "gauge_lat": [48.0]})
    write(tmp_path / "CAMELS_DE_topographic_attributes.csv", place)
    with pytest.warns(UserWarning, match="computed after Oudin"):
        basin = ph.read_camels_de(tmp_path, "DE110000")
    agrees(basin, potential_evaporation=oudin(TEMPERATURE, DAYS, 48.0))
    simulated = tmp_path / "timeseries_simulated/CAMELS_DE_discharge_sim_DE110000.csv"
    write(simulated, frame(pet_hargreaves=EVAPORATION))
    agrees(ph.read_camels_de(tmp_path, "DE110000"))


def test_camels_fr(tmp_path):
    table = frame(
        "tsd_date",
        "%Y%m%d",
        tsd_q_l=GAPPY * 10,
        tsd_q_mm=GAPPY,
        tsd_prec=RAIN,
        tsd_temp=TEMPERATURE,
        tsd_pet_ou=EVAPORATION,
    )
    file = tmp_path / "daily/CAMELS_FR_tsd_A105003001.csv"
    write(file, table, sep=";", na_rep="")
    comments = "# Station code : A105003001\n# Hydrological data producer : DREAL Grand Est\n"
    file.write_text(comments + file.read_text(encoding="utf-8"), encoding="utf-8")
    agrees(ph.read_camels_fr(tmp_path, "A105003001"))
    write(
        tmp_path / "B105003001.csv",
        frame("Date", Ptot=RAIN, Temp=TEMPERATURE, Evap=EVAPORATION, Qls=1, Qmmd=GAPPY),
        na_rep="NA",
    )
    agrees(ph.read_camels_fr(tmp_path, "B105003001"))


@pytest.mark.parametrize("release", [2018, 2022])
def test_camels_cl(release, tmp_path):
    variables = {
        "precip_cr2met": RAIN,
        "pet_hargreaves": EVAPORATION,
        "tmean_cr2met": TEMPERATURE,
        ("streamflow_mm" if release == 2018 else "q_mm"): GAPPY,
    }
    for i, (stem, values) in enumerate(variables.items()):
        date = "gauge_id" if release == 2018 else "date"
        table = frame(date, **{"1001001": values * 0, "1001002": values, "1001003": "x"})
        if release == 2018:
            write(tmp_path / f"{i}_CAMELScl_{stem}.txt", table, sep="\t", na_rep=" ", quoting=1)
        else:
            write(tmp_path / f"{stem}_day.csv", table, na_rep="")
    rows = {"gauge_id": ["area", "gauge_lat", "elev_mean"], "1001002": [50, -18.0, 4000]}
    write(tmp_path / "1_CAMELScl_attributes.txt", pd.DataFrame(rows), sep="\t", quoting=1)
    basin = ph.read_camels_cl(tmp_path, "1001002")
    agrees(basin)
    assert basin.attrs["latitude"] == -18.0
    assert set(ph.scan(tmp_path).query("reader == 'read_camels_cl'")["gauge"]) == {
        "1001001",
        "1001002",
        "1001003",
    }
    with pytest.raises(KeyError, match="no column '42'"):
        ph.read_camels_cl(tmp_path, "42")


def test_camels_br(tmp_path):
    variables = {
        "precipitation_chirps": RAIN,
        "potential_evapotransp_gleam": EVAPORATION,
        "temperature_mean_cpc": TEMPERATURE,
        "streamflow_mm": GAPPY,
    }
    for stem, values in variables.items():
        table = parts(values, stem)
        if stem == "streamflow_mm":
            table["qual_control_by_ana"] = 1
        write(tmp_path / stem / f"10500000_{stem}.txt", table, sep=" ", na_rep="nan")
    place = pd.DataFrame({"gauge_id": [10500000], "gauge_lat": [-4.0]})
    write(tmp_path / "01_attributes/camels_br_location.txt", place, sep=" ")
    basin = ph.read_camels_br(tmp_path, "10500000")
    agrees(basin)
    assert basin.attrs["latitude"] == -4.0


def test_camels_aus(tmp_path):
    variables = {
        "05_hydrometeorology/01_precipitation/precipitation_AWAP": RAIN,
        "05_hydrometeorology/02_evap/et_morton_wet_SILO": EVAPORATION,
        "05_hydrometeorology/03_other/tmin_AWAP": TEMPERATURE - 3,
        "05_hydrometeorology/03_other/tmax_AWAP": TEMPERATURE + 3,
        "03_streamflow/streamflow_mmd": GAPPY,
    }
    for stem, values in variables.items():
        table = parts(values, "912101A").assign(**{"912105A": 0})
        write(tmp_path / f"{stem}.csv", table, na_rep="-99.99")
    agrees(ph.read_camels_aus(tmp_path, "912101A"))


@pytest.mark.parametrize("kind", ["netcdf", "csv"])
def test_caravan(kind, tmp_path):
    table = pd.DataFrame(
        {
            "date": DAYS,
            "total_precipitation_sum": RAIN,
            "temperature_2m_mean": TEMPERATURE,
            "temperature_2m_min": TEMPERATURE - 2,
            "temperature_2m_max": TEMPERATURE + 2,
            "potential_evaporation_sum_ERA5_LAND": EVAPORATION * 6,
            "potential_evaporation_sum_FAO_PENMAN_MONTEITH": EVAPORATION,
            "streamflow": GAPPY,
        }
    )
    folder = tmp_path / "timeseries" / kind / "lamah"
    if kind == "csv":
        write(folder / "lamah_1.csv", table)
    else:
        folder.mkdir(parents=True)
        table.set_index("date").to_xarray().to_netcdf(folder / "lamah_1.nc", engine="h5netcdf")
    agrees(ph.read_caravan(tmp_path, "lamah_1"))


@pytest.mark.parametrize("form", ["fixed", "tabs"])
def test_mopex(form, tmp_path):
    rows = []
    values = zip(DAYS, RAIN, EVAPORATION, GAPPY, TEMPERATURE, strict=True)
    for d, p, e, q, t in values:
        numbers = (p, e, -99 if np.isnan(q) else q, t + 2, t - 2)
        if form == "fixed":
            date = f"{d.year:4d}{d.month:2d}{d.day:2d}"
            rows.append(date + "".join(f"{v:10.4f}" for v in numbers))
        else:
            rows.append("\t".join(str(v) for v in (d.year, d.month, d.day, *numbers)))
    path = tmp_path / "01234567.dly"
    path.write_bytes(("\r\n".join(rows) + "\r\n").encode())
    agrees(ph.read_mopex(path))


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("mm/d", 1),
        ("mm/h", 1 / 24),
        ("mm", 1),
        ("m3/s", 200 / 86.4),
        ("L/s", 200 / 0.0864),
        ("cfs", 200 / 86.4 / 0.028316846592),
        ("in/d", 1 / 25.4),
        ("m/d", 1e-3),
        ("kg/m2/s", 1 / 86400),
    ],
)
def test_units_of_discharge(unit, factor, tmp_path):
    write(tmp_path / "x.csv", frame(P=RAIN, Q=GAPPY * factor))
    basin = ph.read_csv(
        tmp_path / "x.csv",
        {"precipitation": "P", "discharge": "Q"},
        {"discharge": unit},
        area=200.0,
    )
    np.testing.assert_allclose(basin["discharge"], GAPPY)
    assert basin["discharge"].attrs["units"] == "mm/d"


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("degC", TEMPERATURE), ("K", TEMPERATURE + 273.15), ("degF", TEMPERATURE * 1.8 + 32)],
)
def test_units_of_temperature(unit, shown, tmp_path):
    write(tmp_path / "x.csv", frame(P=RAIN, T=shown))
    columns = {"precipitation": "P", "temperature": "T"}
    basin = ph.read_csv(tmp_path / "x.csv", columns, {"temperature": unit})
    np.testing.assert_allclose(basin["temperature"], TEMPERATURE, atol=1e-10)


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y%m%d",
     "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00"],
)  # fmt: skip
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_dates_and_separators(form, separator, tmp_path):
    write(tmp_path / "x.csv", frame("Date", form, precip_mm=RAIN, flow_mm=GAPPY), sep=separator)
    basin = ph.read_csv(tmp_path / "x.csv")
    assert (basin.time.values == DAYS.to_numpy()).all()
    np.testing.assert_array_equal(basin["discharge"], GAPPY)


def test_scan_of_an_empty_and_an_absent_folder(tmp_path):
    assert list(ph.scan(tmp_path).columns) == ["reader", "gauge", "detail", "path"]
    assert not len(ph.scan(tmp_path))
    with pytest.raises(FileNotFoundError, match="no such folder"):
        ph.scan(tmp_path / "x")


def test_the_schema_is_what_models_take(tmp_path):
    write(tmp_path / "x.csv", frame(precip_mm=RAIN, pet_mm=EVAPORATION, flow_mm=GAPPY))
    basin = ph.read_csv(tmp_path / "x.csv")
    assert isinstance(basin, xr.Dataset)
    model = ph.Hymod(snow=False)
    run = ph.simulate(model, model.default, basin)
    assert np.isfinite(run["discharge"]).all()


@pytest.mark.parametrize(
    ("unit", "value"),  # of 12 mm in a day on 200 km2
    [
        ("mm/d", 12.0),
        ("mm/h", 0.5),
        ("mm", 3.0),  # a sum over six hours
        ("m3/s", 12 * 200 / 86.4),  # a rate: the interval does not matter
        ("m3", 3e-3 * 200e6),
        ("ML/d", 12e-3 * 200e3),
        ("kg/m2/s", 12 / 86400),
    ],
)
def test_units_at_six_hours(unit, value):
    time = pd.date_range("2001-01-01", periods=8, freq="6h")
    found = to_schema("a file", "discharge", np.full(8, value), unit, time, 200.0)
    np.testing.assert_allclose(found, 12.0)


def test_units_of_months_and_years():
    months = pd.date_range("2004-02-01", periods=2, freq="MS")
    found = to_schema("a file", "precipitation", [29.0, 62.0], "mm/month", months, None)
    np.testing.assert_allclose(found, [1, 2])
    years = pd.to_datetime(["2003-12-31", "2004-01-01"])
    found = to_schema("a file", "precipitation", [365.0, 732.0], "mm/yr", years, None)
    np.testing.assert_allclose(found, [1, 2])
