"""Parts of the command on their own: no model is run and nothing is sampled."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.command import chunks, demo, many
from pymc_hydro.command.source import data_hash, summary
from pymc_hydro.command.steps import Job, chosen_model
from pymc_hydro.models.listing import find_model, name_of_model

pytestmark = pytest.mark.kernels
LEAF = ph.load_basin("leaf_river").isel(time=slice(0, 400))


def test_summary_of_a_record():
    basin = LEAF.assign(discharge=LEAF["discharge"].where(np.arange(400) != 7))
    table, flow = summary(basin), np.delete(LEAF["discharge"].values, 7)
    row = table.loc["discharge"]
    assert row["mean"] == pytest.approx(flow.mean())
    assert (row["least"], row["largest"]) == (flow.min(), flow.max())
    assert (row["missing"], row["unit"]) == (1, "mm/d")
    assert list(table.index) == ["precipitation", "potential_evaporation", "discharge"]


@pytest.mark.parametrize("name", ["m_02", "fuse/prms", "fuse/385", "gr/GR4J"])
def test_models_of_the_zoo_by_name(name):
    """Also without temperature, and back from what a folder of results keeps."""
    model = chosen_model({"model": {"name": name, "options": {}}}, LEAF, print)
    assert model == ph.models.as_model(name)
    assert find_model(name_of_model(model))(**model.options) == model


def test_the_hash_of_data_hears_values_dates_and_names():
    moved = LEAF.assign_coords(time=LEAF["time"] + np.timedelta64(1, "D"))
    renamed = LEAF.rename(discharge="temperature")
    value = LEAF.assign(discharge=LEAF["discharge"] + 1e-12)
    kinds = [data_hash(b) for b in (LEAF, moved, renamed, value, LEAF.drop_vars("discharge"))]
    assert len(set(kinds)) == 5 and data_hash(LEAF.copy(deep=True)) == kinds[0]


def test_chunks_of_chains_have_seeds_of_their_own(monkeypatch):
    asked, saved = [], {}
    monkeypatch.setattr(ph, "sample", lambda **options: asked.append(options))
    folder = SimpleNamespace(
        has=lambda name, key, force: name == "chains-1.nc",
        save=lambda name, drawn, key: saved.setdefault(name, key),
        load_draws=lambda name: name,
    )
    monkeypatch.setattr(chunks, "_joined", lambda parts: parts)
    options = {"draws": 7, "tune": 5, "chains": 5, "seed": 10}
    parts = chunks.sample_in_chunks(folder, {"data": 1}, options, 4, "mode", lambda line: None)
    assert parts == ["chains-0.nc", "chains-1.nc", "chains-2.nc"]
    given = [(o["draws"], o["tune"], o["chains"], o["random_seed"]) for o in asked]
    assert given == [(7, 5, 2, 10), (7, 5, 1, 12)]
    assert all(o["cores"] <= o["chains"] and o["approximation"] == "mode" for o in asked)
    assert saved["chains-2.nc"] == {"data": 1, "chunk": [2, 1]}


def test_a_basin_is_calibrated_before_the_split_and_scored_after(monkeypatch):
    asked = {}
    monkeypatch.setattr(ph, "calibrate", lambda *_, **options: asked.update(options))
    model, time = ph.Hymod(snow=False), LEAF["time"].values
    many._calibrate_before(model, LEAF, split="1953-06-01", warmup=30, loss="kge")
    assert asked["period"] == (time[30], np.datetime64("1953-05-31"))
    assert asked["validation"] == ("1953-06-01", None)
    assert (asked["warmup"], asked["loss"]) == (30, "kge")
    with pytest.raises(ValueError, match="too late for 1952-08-20"):
        many._calibrate_before(model, LEAF, split="1952-08-20", warmup=30)
    asked.clear()
    many._calibrate_before(model, LEAF, split=None, warmup=30)
    assert "period" not in asked


def test_scores_of_the_demo():
    flow = LEAF["discharge"][100:]
    factors = xr.DataArray([[0.9, 1.1, 1.4]], dims=("chain", "draw"))
    predicted = xr.Dataset({"discharge": factors * flow})
    line = demo._scores("validation", LEAF, 0.8 * LEAF["discharge"], predicted)
    for label, factor in (("MAP", 0.8), ("predictive median", 1.1)):
        nse, kge = (f(flow.values, factor * flow.values) for f in (ph.losses.nse, ph.losses.kge))
        assert f"{label}: NSE {nse:.3f}, KGE {kge:.3f}" in line
    first, last = (pd.Timestamp(flow["time"].values[i]) for i in (0, -1))
    assert f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" in line


def test_places_are_written_where_they_are_known(tmp_path):
    pytest.importorskip("zarr")
    fits = xr.Dataset({n: ("basin", [1.0, 2.0]) for n in ("latitude", "longitude")})
    fits = fits.assign_coords(basin=["a", "b"])
    fits.to_zarr(tmp_path / "x.zarr", zarr_format=2, consolidated=False)
    (tmp_path / "places.csv").write_text("name,lat,lon\nc,9,9\nb,47.5,8.25\n")
    many.add_places(tmp_path / "x.zarr", tmp_path / "places.csv")
    found = xr.open_zarr(tmp_path / "x.zarr", consolidated=False)
    assert found["latitude"].values.tolist() == [1.0, 47.5]
    assert found["longitude"].values.tolist() == [1.0, 8.25]


def test_facts_in_the_head_of_a_report():
    """What is known of a basin; a place that is given goes before the latitude of the data."""
    pytest.importorskip("jinja2")
    from pymc_hydro.command.report.page import _facts

    hours = xr.Dataset(coords={"time": pd.date_range("2000-01-01", periods=8, freq="6h")})
    known = {"latitude": 47.51234, "area_km2": 240.04, "elevation": 312.3}
    results = SimpleNamespace(basin=hours, split="2000-01-02")
    record = {
        "Record": "2000-01-01T00:00 to 2000-01-02T18:00, 8 intervals of 6 hours",
        "Validation": "from 2000-01-02 on",
    }
    assert _facts(results, {}) == record
    results.basin = hours.assign_attrs(known)
    facts = record | {"Area": "240 km²", "Place": "latitude 47.51°", "Elevation": "312.3 m"}
    assert _facts(results, {"coordinates": None}) == facts
    assert _facts(results, {"coordinates": "47 N"}) == facts | {"Place": "47 N"}
    days = hours.assign_coords(time=pd.date_range("2000-01-01", periods=8))
    results.basin = days
    assert _facts(results, {})["Record"] == "2000-01-01 to 2000-01-08, 8 days"


def test_two_thirds_of_a_record_are_calibrated_where_no_date_is_given():
    job = SimpleNamespace(settings={"period": {"split": None}}, basin=LEAF)
    assert Job._split(job) == str(LEAF["time"].values[266])[:10]
