"""The command line, in one process: what it prints, writes and returns."""

import base64
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.__main__ import main
from pymc_hydro.command.folder import Folder
from pymc_hydro.command.parser import COMMANDS
from pymc_hydro.command.settings import DEFAULTS, UsageError, read_about, read_settings
from pymc_hydro.command.source import data_hash, load_data
from pymc_hydro.inference.approximation.laplace import inside_bounds
from tests.short import shorten

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PICTURES = 13  # of a report with a posterior
BROWSER = next((b for b in map(shutil.which, BROWSERS) if b), None)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Five years of Leaf River as a file, with a gap and a name that HTML must not take as is."""
    path = tmp_path_factory.mktemp("data") / "Leaf & <River>.csv"
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 1900))
    frame = basin[["precipitation", "potential_evaporation", "discharge"]].to_dataframe()
    frame.iloc[1500:1510, 2] = np.nan
    frame.to_csv(path)
    return path


@pytest.fixture(scope="module")
def done(record, tmp_path_factory):
    """A folder with all steps done."""
    folder = tmp_path_factory.mktemp("done") / "results"
    common = [str(record), "--output", str(folder), "--split", "1956-01-01"]
    config = folder.parent / "short.toml"
    config.write_text("[sample]\ntune = 60\ndraws = 40\nchains = 2\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "Agg")
        shorten(patch, few={"nuts_sampler": "pymc"})
        assert main(["calibrate", *common, "--starts", "1"]) == 0
        assert main(["sample", *common, "--config", str(config), "--seed", "3"]) == 0
        assert main(["run", *common]) == 0
        assert main(["report", str(folder)]) == 0
    return folder


def test_help_has_examples_for_every_command(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        text = capsys.readouterr().out
        assert f"pymc-hydro {command}" in text.partition("examples:")[2]
        assert "exit codes" in text


def test_every_example_of_a_configuration_is_read(tmp_path):
    from pymc_hydro.command.parser import CONFIGURATION

    (tmp_path / "CAMELS_US").mkdir()
    config = tmp_path / "basin.toml"
    config.write_text(CONFIGURATION.partition(":\n")[2], encoding="utf-8")
    settings = read_settings(config, {"model.name": "GR4J", "data.gauge": None})
    assert settings["data"]["source"] == str(tmp_path / "CAMELS_US")
    assert settings["data"]["gauge"] == "01022500"
    assert settings["model"]["name"] == "GR4J"  # the command line goes before the file
    assert settings["period"]["split"] == "1995-10-01"
    assert set(settings) == set(DEFAULTS)
    assert read_about(config).keys() <= DEFAULTS["about"].keys()
    again = read_settings(None, {"data.source": "fulda"})  # nothing of the file stays
    assert again["model"]["name"] == "Hymod" and again["period"]["split"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sample\n", "is not TOML"),
        ("[samples]\ndraws = 1\n", "unknown section .samples."),
        ("[sample]\ndraw = 1\n", "draw: unknown; known are likelihood"),
        ('[sample]\ndraws = "many"\n', "draws: expected int, found 'many'"),
        ("[sample]\ndraws = true\n", "expected int"),
        ("[sample]\nchains = 1\n", "at least 2"),
        ("[data]\nsource = [1]\n", "expected str"),
        ("draws = 1\n", "unknown section"),
        ("", "no data"),
    ],
)
def test_bad_configurations(text, message, tmp_path):
    config = tmp_path / "x.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        read_settings(config, {})
    assert main(["run", "--config", str(config), "--output", str(tmp_path / "r")]) == 2
    assert not (tmp_path / "r").exists()


def test_data_of_a_job(record):
    assert load_data("fulda").identical(ph.load_basin("fulda"))
    assert load_data(str(record), options={"latitude": 31.7}).attrs["latitude"] == 31.7
    with pytest.raises(UsageError, match="gauge is no option"):
        load_data(str(record), options={"gauge": "1"})
    assert main(["data", str(record), "--reader", "read_xyz"]) == 2
    assert main(["data", str(record), "--option", "colour=1"]) == 2


def test_data_and_models(record, capsys):
    assert main(["models"]) == 0
    assert all(m.__name__ in capsys.readouterr().out for m in ph.MODELS[:1])
    assert main(["models", "hbv"]) == 0
    assert "MAXBAS" in capsys.readouterr().out
    assert main(["models", "x"]) == main(["models", "--equations"]) == 2
    assert main(["models", "--process", "magic"]) == 2
    capsys.readouterr()
    assert main(["models", "--snow", "--stores", "2", "--process", "snow"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "Alpine1",
        "Alpine2",
    ]
    assert main(["models", "m_01", "--equations"]) == 0
    assert "dS1/dt = P_liq - e - q" in capsys.readouterr().out
    assert main(["data"]) == 0
    assert "2976.41 km2" in capsys.readouterr().out
    assert main(["data", str(record)]) == 0
    assert re.search(r"discharge +mm/d .* 10\n", capsys.readouterr().out)
    assert main(["data", str(record.parent)]) == 0
    assert "read_csv" in capsys.readouterr().out


def test_options_of_the_reader(tmp_path, capsys):
    path = tmp_path / "x.csv"
    days = pd.date_range("2001-01-01", periods=9)
    table = {"date": days, "precip_mm": 1.0, "temp_c": 9.0, "flow_m3s": 2.0}
    pd.DataFrame(table).to_csv(path, index=False)
    assert main(["data", str(path)]) == 3
    assert "needs the basin's area" in capsys.readouterr().err
    options = ["--option", "area=172.8", "--option", "pet=oudin", "--option", "latitude=45"]
    assert main(["data", str(path), *options]) == 0
    assert re.search(r"discharge +mm/d +1 ", capsys.readouterr().out)
    config = tmp_path / "x.toml"
    config.write_text("[data]\noptions = { area = 172.8 }\n", encoding="utf-8")
    settings = read_settings(config, {"data.options": {"pet": "oudin"}, "data.source": "x"})
    assert settings["data"]["options"] == {"area": 172.8, "pet": "oudin"}
    with pytest.raises(SystemExit) as stop:
        main(["data", str(path), "--option", "area"])
    assert stop.value.code == 2


FLOORS = {"Hmodel": 0.65}  # its single start ends elsewhere
SLOW = (ph.SacSma, ph.Xinanjiang, ph.CFE)  # benchmarks/calibration.py and fits.py calibrate them


@pytest.mark.kernels
@pytest.mark.parametrize(
    "kind", [kind for kind in ph.MODELS if kind not in SLOW], ids=lambda kind: kind.__name__
)
def test_models_are_calibrated(kind, record, tmp_path):
    short = tmp_path / "short.csv"  # with snow, whose kernels other tests have compiled
    warmth = np.linspace(9, 11, 500)
    pd.read_csv(record, nrows=500).assign(temperature=warmth).to_csv(short, index=False)
    arguments = [str(short), "--model", kind.__name__, "--warmup", "100D", "--starts", "1"]
    assert main(["calibrate", *arguments, "--output", str(tmp_path)]) == 0
    fit = xr.load_dataset(tmp_path / "calibration.nc", engine="h5netcdf")
    model = kind()
    theta = {n: float(v) for n, v in fit.data_vars.items()}
    start = inside_bounds(model, theta)
    vector = model.parameter_vector(start)
    assert (vector > model.lower).all() and (vector < model.upper).all()
    assert all(start[small] < start[large] for small, large in model.ordered)
    basin = ph.read_csv(short)
    series = basin["discharge"], ph.simulate(model, theta, basin)["discharge"]
    calibrated = slice(100, 333)  # the first half, after the warm-up; the loss is that of roots
    nse = ph.losses.nse(*(x[calibrated].values for x in series), transform="sqrt")
    assert nse > FLOORS.get(kind.__name__, 0.9)


def test_exit_codes(record, tmp_path, monkeypatch, capsys):
    output = ["--output", str(tmp_path / "r")]
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"\0")
    assert main(["run", str(bad), *output]) == 3
    assert "not a text file" in capsys.readouterr().err
    assert main(["run", "nowhere", *output]) == 2
    assert main(["run", str(record), "--model", "HBVX", *output]) == 2
    assert main(["calibrate", str(record), "--split", "1999-01-01", *output]) == 2
    assert "change [period] split" in capsys.readouterr().err
    config = tmp_path / "x.toml"
    for command, word in (
        ("run", "outputs = ['x']"),
        ("run", "parameters = { x = 1.0 }"),
        ("calibrate", "loss = 'x'"),
        ("sample", "likelihood = 'x'"),
        ("sample", "likelihood = 'whittle'"),
        ("sample", "scale = 'x'"),
        ("sample", "ar = 9"),
    ):
        config.write_text(f"[{command}]\n{word}\n", encoding="utf-8")
        assert main([command, str(record), "--config", str(config), *output]) == 2
        assert f"[{command}] " in capsys.readouterr().err
        assert not (tmp_path / "r/settings.json").exists()
    config.write_text("[sample]\nscale = 'constant'\n", encoding="utf-8")
    frame = pd.read_csv(record)
    frame.loc[frame["time"] < "1957", "discharge"] = np.nan
    frame.to_csv(tmp_path / "gap.csv", index=False)
    arguments = [str(tmp_path / "gap.csv"), "--split", "1956-01-01", *output]
    assert main(["sample", "--config", str(config), *arguments]) == 3  # the data's, no setting's
    assert "[sample]" not in capsys.readouterr().err
    assert main(["report", str(tmp_path / "none")]) == 2
    assert main(["compare", str(tmp_path / "none")]) == 2
    for error, status in ((ph.IntegrationError("stiff"), 4), (KeyboardInterrupt(), 130)):

        def fail(*_, error=error, **__):
            raise error

        monkeypatch.setattr(ph, "simulate", fail)
        assert main(["run", str(record), *output]) == status
    assert "stiff" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")  # short chains
@pytest.mark.kernels
class TestFolder:
    def test_files(self, done):
        names = {p.name for p in done.iterdir()}
        whole = {"basin.nc", "calibration.nc", "posterior.nc", "predictions.nc", "simulation.nc"}
        assert whole | {"settings.json", "simulation.csv", "report.html"} <= names
        assert not [n for n in names if re.match(r"\..*-", n)]  # no temporary file is left
        predicted = xr.load_dataset(done / "predictions.nc", engine="h5netcdf")
        assert (predicted.sizes["chain"], predicted.sizes["draw"]) == (2, 40)
        first = predicted["time"][predicted["period"] == "validation"][0].values
        assert str(first)[:10] == "1956-01-01"

    def test_record(self, done, record):
        found = json.loads((done / "settings.json").read_text(encoding="utf-8"))
        assert found["settings"]["sample"]["seed"] == 3
        assert found["settings"]["calibrate"]["starts"] == 1  # of an earlier step, kept
        assert found["data_sha256"] == data_hash(ph.read_csv(record))
        assert set(found["versions"]) >= {"pymc", "pytensor", "python"}

    def test_a_step_that_is_done_is_kept_and_another_needs_force(self, done, record, capsys):
        times = {p.name: p.stat().st_mtime_ns for p in done.glob("*.[nj]*")}
        common = [str(record), "--output", str(done), "--split", "1956-01-01"]
        assert main(["calibrate", *common, "--starts", "1"]) == 0
        assert "is kept" in capsys.readouterr().out
        assert main(["calibrate", *common, "--starts", "2"]) == 2
        assert "--force" in capsys.readouterr().err
        assert main(["calibrate", *common[:3], "--split", "1955-01-01"]) == 2
        assert main(["calibrate", *common, "--model", "GR4J"]) == 2
        assert times == {p.name: p.stat().st_mtime_ns for p in done.glob("*.[nj]*")}
        assert {"settings.json", "posterior.nc"} <= set(times)

    def test_run_takes_calibrated_parameters_and_given_ones(self, done, record):
        calibrated = xr.load_dataset(done / "calibration.nc", engine="h5netcdf")
        theta = {n: float(v) for n, v in calibrated.data_vars.items()}
        outputs = ("discharge", "evaporation")  # the same steps
        run = ph.simulate(ph.Hymod(snow=False), theta, ph.read_csv(record), outputs)
        kept = pd.read_csv(done / "simulation.csv", index_col="time")
        np.testing.assert_allclose(kept["discharge"], run["discharge"], rtol=1e-5)

    def test_force_throws_old_results_away(self, done, record, tmp_path):
        copy = tmp_path / "copy"
        shutil.copytree(done, copy)
        arguments = ["run", str(record), "--output", str(copy), "--split", "1955-06-01"]
        assert main([*arguments, "--force"]) == 0
        assert {p.name for p in copy.glob("*.nc")} == {"basin.nc", "simulation.nc"}

    def test_compare(self, done, tmp_path, capsys):
        assert main(["compare", str(done), "--csv", str(tmp_path / "x.csv")]) == 0
        table = pd.read_csv(tmp_path / "x.csv")
        assert set(table["run"]) == {"calibrated", "predictive median"}
        assert table.query("run == 'calibrated' and period == 'calibration'")["NSE"].item() > 0.8
        assert table["elpd_loo"].notna().sum() == 1
        assert "Hymod" in capsys.readouterr().out

    def test_report_is_one_page_with_everything_inside(self, done):
        page = (done / "report.html").read_text(encoding="utf-8")
        assert not re.search(r"(?:src|href)=['\"](?!data:|#)|@import|url\(|<script|<link", page)
        assert page.count("<img") == PICTURES == page.count("data:image/png;base64,")
        anchors = re.findall(r"href=\"#(\w+)\"", page)
        assert len(anchors) == 9 and all(f'id="{name}"' in page for name in anchors)
        assert "Leaf &amp; &lt;River&gt;.csv" in page and "<River>" not in page
        for word in (
            "S_umax",
            "R-hat",
            "baseflow_index",
            "capacity of the soil store",
            "1956-01-01",
            "pytensor",
            "flow_s1",
        ):
            assert word in page
        hash_ = json.loads((done / "settings.json").read_text(encoding="utf-8"))["data_sha256"]
        assert hash_ in page

    def test_report_has_a_verdict_and_tables_as_files(self, done):
        page = (done / "report.html").read_text(encoding="utf-8")
        verdict = page.partition('<section class="verdict')[2].partition("</section>")[0]
        for word in (
            "benchmark",
            "bias",
            "90 % interval",
            "R-hat",
            "ESS",
            "Divergent",
            "Parameters",
        ):
            assert word in verdict
        files = dict(re.findall(r'download="(\w+).csv" href="data:text/csv;base64,([^"]+)"', page))
        assert set(files) == {"scores", "signatures", "parameters", "posterior", "data"}
        table = pd.read_csv(io.BytesIO(base64.b64decode(files["scores"])), index_col=0)
        basin = xr.load_dataset(done / "basin.nc", engine="h5netcdf")
        predicted = xr.load_dataset(done / "predictions.nc", engine="h5netcdf")
        late = predicted["discharge"].median(("chain", "draw")).sel(time=slice("1956-01-01", None))
        observed = basin["discharge"].sel(time=late["time"])
        known = np.isfinite(observed.values)
        row = table.loc["predictive median, validation"]
        assert row["observations"] == known.sum()
        bias = 100 * (late.values[known].sum() / observed.values[known].sum() - 1)
        assert row["bias %"] == pytest.approx(bias, rel=1e-4)
        assert row["NSE"] == pytest.approx(ph.losses.nse(observed.values, late.values), rel=1e-4)

    def test_report_with_a_title_and_an_author(self, done, tmp_path):
        copy, config = tmp_path / "copy", tmp_path / "x.toml"
        shutil.copytree(done, copy)
        (copy / "posterior.nc").unlink()
        (copy / "predictions.nc").unlink()
        config.write_text("[about]\ntitle = 'Leaf <River>'\nauthor = 'N. N.'\n", encoding="utf-8")
        assert main(["report", str(copy), "--config", str(config)]) == 0
        page = (copy / "report.html").read_text(encoding="utf-8")
        assert "<h1>Leaf &lt;River&gt;</h1>" in page and "N. N." in page
        assert "R-hat" not in page and "standard error" in page

    @pytest.mark.skipif(BROWSER is None, reason="no Chromium")
    @pytest.mark.parametrize("width", [1300, 420])
    def test_report_in_a_browser(self, done, width, tmp_path):
        """All pictures are shown, within the window, and nothing is wider than it."""
        script = """<script>addEventListener("load", () => {
            const within = () => document.documentElement.scrollWidth <= innerWidth
            const facts = { width: innerWidth, within: within(),
                shown: [...document.images].filter(i => i.naturalWidth > 0).length,
                fitting: [...document.images].every(
                    i => i.getBoundingClientRect().right <= innerWidth) }
            const figure = document.querySelector("figure")
            figure.focus()
            facts.enlarged = figure.scrollWidth >= figure.querySelector("img").naturalWidth
            facts.still = within()
            parent.document.title = JSON.stringify(facts) })</script>"""
        text = (done / "report.html").read_text(encoding="utf-8")
        inner = html.escape(text.replace("</body>", script + "</body>"))
        page = tmp_path / "page.html"  # a frame: windows of a browser have a least width
        frame = f"<iframe srcdoc='{inner}' style='width: {width}px; border: 0'></iframe>"
        page.write_text(f"<title></title><body>{frame}</body>", encoding="utf-8")
        quiet = ["no-first-run", "disable-sync", "disable-background-networking"]
        quiet += ["disable-component-update", "disable-gpu", "no-sandbox"]
        command = [BROWSER, "--headless", *(f"--{option}" for option in quiet)]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1500,900"]
        command += ["--dump-dom", page.as_uri()]
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        facts = json.loads(re.search(r"<title>(.*?)</title>", found.stdout)[1])
        assert facts.pop("width") == width and facts.pop("shown") == PICTURES
        assert all(facts.values()), facts


def test_a_pipe_that_is_closed_early_is_no_error():
    command = [sys.executable, "-m", "pymc_hydro", "models"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": "1"}, **pipes) as job:
        job.stdout.close()
        assert b"pipe" not in job.stderr.read().lower()
    assert job.returncode == 0


def test_a_broken_write_leaves_the_old_file(tmp_path):
    folder = Folder(tmp_path)
    folder.write_text("x.txt", "old")

    class Broken:
        def to_netcdf(self, path):
            Path(path).write_text("half", encoding="utf-8")
            raise OSError("disk full")

    folder.save("x.nc", xr.Dataset(attrs={"is": "old"}), {"a": 1})
    assert folder.has("x.nc", {"a": 1})
    with pytest.raises(OSError, match="disk full"):
        folder.save("x.nc", Broken(), {"a": 2})
    assert folder.load("x.nc").attrs["is"] == "old"
    for key in ({"a": 1}, {"a": 2}):  # nobody can say what the file was made with
        assert not folder.has("x.nc", key, force=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.nc", "x.txt"]


@pytest.fixture(scope="module")
def folder_of_basins(tmp_path_factory):
    """Three basins in files, one of which has no rain, and a configuration."""
    folder = tmp_path_factory.mktemp("basins")
    basin = ph.load_basin("leaf_river")[["precipitation", "potential_evaporation", "discharge"]]
    for i, name in enumerate(("east", "north", "west")):
        frame = basin.isel(time=slice(700 * i, 700 * i + 700)).to_dataframe()
        if name == "north":
            frame.iloc[5, 0] = -5.0
        frame.to_csv(folder / f"{name}.csv")
    config = folder / "many.toml"
    config.write_text("[period]\nwarmup = 100\n")
    return folder


def test_many_basins_into_a_store_and_a_page(folder_of_basins, tmp_path, monkeypatch, capsys):
    pytest.importorskip("zarr")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    store, places = tmp_path / "fits.zarr", tmp_path / "places.csv"
    places.write_text("name,lat,lon\neast,31.7,-89.4\nwest,31.5,-90.0\n")
    common = ["calibrate", str(folder_of_basins), "--config", str(folder_of_basins / "many.toml")]
    common += ["--output", str(store), "--starts", "1", "--loss", "nse"]
    assert main([*common, "--basins", "all", "--executor", "threads:1"]) == 0
    said = capsys.readouterr().out
    assert "2 calibrated, 1 failed" in said and "north: " in said
    assert said.count("the model is run without snow") == 1
    fits = xr.open_zarr(store, consolidated=False).load()
    assert fits["basin"].values.tolist() == ["east", "north", "west"]
    assert fits["status"].values.tolist() == [1, 2, 1]
    assert (fits["score"].values[[0, 2]] > 0.5).all()
    page = store.with_suffix(".html").read_text(encoding="utf-8")
    assert 'id="map"' not in page and page.count("<img") == 1
    assert main(["report", str(store), "--places", str(places)]) == 0
    page = store.with_suffix(".html").read_text(encoding="utf-8")
    assert 'id="map"' in page and page.count("<img") == 2
    for heading in ("Scores", "The worst ten", "Failures", "Parameters", "All basins"):
        assert f"<h2>{heading}</h2>" in page
    # A split gives each basin a validation, and one that begins too late is a row as well.
    split = [*common[:-6], "--output", str(tmp_path / "split.zarr"), "--starts", "1"]
    assert main([*split, "--basins", "west,east", "--split", "1954-01-01"]) == 0
    fits = xr.open_zarr(tmp_path / "split.zarr", consolidated=False).load()
    assert fits["basin"].values.tolist() == ["west", "east"]
    assert fits["status"].values.tolist() == [2, 1]
    assert np.isfinite(fits["validation_score"].values[1])
    assert "too late for 1954-01-01" in str(fits["message"].values[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--basins", "all,south"], "has no all, south"),
        (["--basins", "all", "--executor", "gpu"], "--executor: expected threads"),
        (["--basins", "all", "--executor", "threads:0"], "--executor: expected threads"),
        (["--basins", "all", "--gauge", "east"], "leave --gauge"),
        (["--basins", "all", "--loss", "nze"], "unknown loss"),
        (["--basins", "all", "--model", "Hymot"], "did you mean Hymod"),
    ],
)
def test_many_basins_with_wrong_words(folder_of_basins, words, message, tmp_path, capsys):
    pytest.importorskip("zarr")
    output = ["--output", str(tmp_path / "x.zarr")]
    assert main(["calibrate", str(folder_of_basins), *output, *words]) == 2
    assert message in capsys.readouterr().err
