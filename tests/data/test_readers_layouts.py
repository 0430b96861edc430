"""Layouts of archives and of other programs, written here in small, and read again."""

import numpy as np
import pytest

import pymc_hydro as ph
from tests.data.test_readers_twins import DAYS, FLOW, GAPPY

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
