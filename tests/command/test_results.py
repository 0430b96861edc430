"""Results on disk: files of their own kinds, damaged and stale ones, a disk that is full."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.__main__ import main
from pymc_hydro.command import folder as rooms
from pymc_hydro.command.chunks import _judged
from pymc_hydro.command.report import figures
from pymc_hydro.command.source import load_data
from tests.conftest import step_by_step
from tests.short import shorten

AREA = 1944.0
LEAF = ph.load_basin("leaf_river").isel(time=slice(0, 900))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Forcing and discharge in files of their own, as Excel, netCDF and text."""
    root = tmp_path_factory.mktemp("files")
    forcing = LEAF[["precipitation", "potential_evaporation"]]
    forcing.to_netcdf(root / "forcing.nc")
    forcing.to_dataframe().to_excel(root / "forcing.xlsx")
    flow = (LEAF["discharge"] * AREA / 86.4).to_series().rename("Q")
    flow.to_csv(root / "gauge.csv")
    return root


@pytest.fixture(scope="module")
def done(files, tmp_path_factory):
    """A folder with a calibration and a run, from a configuration with [data.discharge]."""
    output = tmp_path_factory.mktemp("done") / "results"
    config = files / "basin.toml"
    config.write_text(
        '[data]\nsource = "forcing.nc"\n[data.discharge]\nsource = "gauge.csv"\nunits = "m3/s"\n'
        f'area = {AREA}\n[calibrate]\nstarts = 1\n[about]\ntitle = "Leaf"\n',
        encoding="utf-8",
    )
    common = ["--config", str(config), "--output", str(output), "--split", "1954-06-01"]
    assert main(["calibrate", *common]) == 0
    assert main(["run", *common]) == 0
    return output, common


@pytest.mark.parametrize("name", ["forcing.nc", "forcing.xlsx"])
def test_forcing_and_discharge_from_two_files(name, files):
    discharge = {"source": str(files / "gauge.csv"), "units": "m3/s", "area": AREA}
    found = load_data(str(files / name), discharge=discharge)
    for variable in ("precipitation", "potential_evaporation", "discharge"):
        np.testing.assert_allclose(found[variable], LEAF[variable], rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data.discharge]\nfile = 'x'\n", "file: unknown; known are source, gauge"),
        ("[data.discharge]\nunits = 'm3/s'\n", "expected source, a file"),
        ("[data.discharge]\nsource = 'x'\noptions = 3\n", "options: expected a table"),
        ("[data.discharge]\nsource = 'nowhere.csv'\n", "nowhere.csv: no such file"),
    ],
)
def test_bad_files_of_discharge(text, message, files, tmp_path, capsys):
    config = tmp_path / "x.toml"
    config.write_text(f"[data]\nsource = '{files / 'forcing.nc'}'\n{text}", encoding="utf-8")
    assert main(["run", "--config", str(config), "--output", str(tmp_path / "r")]) == 2
    assert message in capsys.readouterr().err


def test_discharge_without_unit_or_area(files, tmp_path, capsys):
    arguments = [str(files / "forcing.nc"), "--discharge", str(files / "gauge.csv")]
    assert main(["run", *arguments, "--output", str(tmp_path / "r")]) == 3
    assert "the unit of 'Q' is not known" in capsys.readouterr().err


def test_settings_and_bounds_are_those_of_finished_steps(done):
    output, _ = done
    about = json.loads((output / "settings.json").read_text(encoding="utf-8"))
    assert about["settings"]["calibrate"]["starts"] == 1
    assert about["settings"]["about"]["title"] == "Leaf"
    fit = xr.load_dataset(output / "calibration.nc", engine="h5netcdf")
    assert fit["K_s"].attrs["upper"] == ph.Hymod(snow=False).parameters[-1].lower  # not K_f's


def test_a_step_that_fails_leaves_neither_old_results_nor_settings(done, monkeypatch):
    output, common = done
    (output / "report.html").write_text("old", encoding="utf-8")

    def fail(*_, **__):
        raise ph.IntegrationError("stiff")

    with monkeypatch.context() as patch:
        patch.setattr(ph, "simulate", fail)
        assert main(["run", *common]) == 4
    about = json.loads((output / "settings.json").read_text(encoding="utf-8"))
    assert "run" not in about["settings"] and "calibrate" in about["settings"]
    names = {p.name for p in output.iterdir()}
    assert not names & {"simulation.nc", "simulation.csv", "report.html"}
    assert "calibration.nc" in names
    assert main(["run", *common]) == 0


def test_parameters_outside_of_their_bounds_are_warned_of(files, tmp_path, capsys):
    config = tmp_path / "x.toml"
    config.write_text("[run]\nparameters = { S_umax = 9000.0 }\n", encoding="utf-8")
    arguments = [str(files / "forcing.nc"), "--config", str(config), "--output", str(tmp_path)]
    assert main(["run", *arguments]) == 0
    assert "warning: S_umax = 9000 mm lies outside of its bounds" in capsys.readouterr().out


def test_warnings_of_the_data_are_text_in_the_report(done, tmp_path, monkeypatch):
    """They hold names of files and columns, which anybody can choose."""
    copy = tmp_path / "copy"
    shutil.copytree(done[0], copy)
    about = json.loads((copy / "settings.json").read_text(encoding="utf-8"))
    about["warnings"] = ["column <script>alert('x')</script> & more"]
    (copy / "settings.json").write_text(json.dumps(about), encoding="utf-8")
    for name in figures.__all__:
        monkeypatch.setattr(figures, name, lambda *_: [])
    assert main(["report", str(copy)]) == 0
    page = (copy / "report.html").read_text(encoding="utf-8")
    assert "column &lt;script&gt;alert(" in page and "&amp; more" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("name", "commands", "remedy"),
    [
        ("calibration.nc", ("run", "report", "compare"), "repeat 'pymc-hydro calibrate'"),
        ("basin.nc", ("report", "compare"), "repeat all steps"),
        ("settings.json", ("report", "compare", "run"), "repeat all steps"),
    ],
)
def test_damaged_results_name_file_and_remedy(name, commands, remedy, done, capsys):
    output, common = done
    whole = (output / name).read_bytes()
    (output / name).write_bytes(whole[: len(whole) // 2])
    for command in commands:
        arguments = common if command == "run" else [str(output)]
        assert main([command, *arguments]) == 3
        message = capsys.readouterr().err
        assert str(output / name) in message and "is damaged" in message and remedy in message
    (output / name).write_bytes(whole)
    assert main(["run", *common]) == 0


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "of HDF5"])
def test_a_full_disk_is_an_exit_code(error, files, tmp_path, monkeypatch, capsys):
    if error == "of HDF5":
        error = RuntimeError(f"Unable to flush file (error message = {os.strerror(errno.ENOSPC)})")

    def full(self, name, *_):
        raise OSError(f"{name}: cannot be written") from error

    monkeypatch.setattr(rooms.Folder, "save", full)
    assert main(["run", str(files / "forcing.nc"), "--output", str(tmp_path / "r")]) == 5
    assert "give another --output" in capsys.readouterr().err


def small_disk(path):
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_disk_of_64_kilobytes(files, tmp_path, capsys):
    disk = tmp_path / "disk"
    if os.name == "nt" or not small_disk(disk):
        pytest.skip("needs the right to mount a small disk")
    try:
        assert main(["run", str(files / "forcing.nc"), "--output", str(disk / "r")]) == 5
        assert "cannot be written" in capsys.readouterr().err
        left = [p.name for p in (disk / "r").iterdir()] if (disk / "r").exists() else []
        assert not [n for n in left if n.startswith(".") and not n.endswith(".sha256")]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_tables_of_results_in_other_formats_are_read_again(done):
    output, _ = done
    table = pd.read_csv(output / "simulation.csv", parse_dates=["time"])
    assert (table["time"].to_numpy() == LEAF["time"].values).all()


KILLED = """
import os, signal, sys
import pymc_hydro as ph
from pymc_hydro.__main__ import main
from tests.short import shorten

shorten(few={"draws": 12, "tune": 15, "cores": 1, "progressbar": False, "nuts_sampler": "pymc"})
sample, calls = ph.sample, []

def killed(**options):
    calls.append(options)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return sample(**options)

ph.sample = killed
main(sys.argv[1:])
"""


@pytest.mark.kernels
@pytest.mark.filterwarnings("ignore")  # short chains
@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def test_a_killed_job_keeps_its_finished_chains(tmp_path, monkeypatch, capsys):
    """Killed in the second chunk of chains; the next job begins there."""
    output, few = tmp_path / "r", {"draws": 12, "tune": 15, "nuts_sampler": "pymc"}
    config = tmp_path / "c.toml"
    config.write_text("[sample]\ndraws = 12\ntune = 15\nchains = 3\n", encoding="utf-8")
    LEAF.to_netcdf(tmp_path / "leaf.nc")
    arguments = ["sample", str(tmp_path / "leaf.nc"), "--config", str(config)]
    arguments += ["--output", str(output), "--split", "1954-06-01"]
    command = [sys.executable, "-W", "ignore", "-c", KILLED, *arguments]
    job = subprocess.run(command, check=False, env=step_by_step())
    assert job.returncode == -signal.SIGKILL
    assert {p.name for p in output.glob("*.nc")} == {"basin.nc", "chains-0.nc"}
    kept = xr.load_dataset(output / "chains-0.nc", group="posterior", engine="h5netcdf")
    shorten(monkeypatch, few=few | {"cores": 1, "progressbar": False})
    asked = []
    sample = ph.sample
    monkeypatch.setattr(ph, "sample", lambda **o: asked.append(o["chains"]) or sample(**o))
    assert main(arguments) == 0
    assert asked == [1]  # the third chain only
    assert "Chains 0 and 1 are there already and are kept" in capsys.readouterr().out
    whole = xr.load_dataset(output / "posterior.nc", group="posterior", engine="h5netcdf")
    assert whole.sizes["chain"] == 3
    for name in kept.data_vars:
        np.testing.assert_array_equal(whole[name].isel(chain=slice(0, 2)), kept[name])
    assert {p.name for p in output.glob("*.nc")} == {"basin.nc", "posterior.nc", "predictions.nc"}
    assert "All chains: R-hat" in whole.attrs["verdict"]


def test_the_verdict_on_chunks_keeps_the_faults_of_each(rng):
    """A chunk without faults does not hide another, whose chains have numbers of their own."""
    said = "R-hat at most 1.2, at least 9 effective draws; mean 4.5 in a normal posterior. "
    faults = (
        "Nothing wrong is seen.",
        "R-hat of a is 1.2; chain 1 is 30.0 below the mode: near 1.",
    )
    parts = []
    for fault, gaps in zip(faults, ([1.0, 2.0], [1.0, 30.0]), strict=True):
        draws = xr.Dataset({"a": (("chain", "draw"), rng.normal(size=(2, 800)))})
        attrs = {"verdict": said + fault, "gaps": gaps, "divergences": 0}
        parts.append(draws.assign_attrs(attrs))
    groups = {"posterior": xr.concat(parts, "chain", combine_attrs="override")}
    found = _judged(groups, parts)
    assert "chain 3 is 30.0 below the mode: near 1" in found["verdict"]
    assert "1.0, 2.0, 1.0, 30.0 below the mode's" in found["verdict"]
    assert "Nothing wrong" not in found["verdict"] and "1.2" not in found["verdict"]
    assert "Nothing wrong is seen" in _judged(groups, parts[:1] * 2)["verdict"]
