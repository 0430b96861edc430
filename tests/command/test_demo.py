import os
import signal
import subprocess
import sys
import time

import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.__main__ import main
from pymc_hydro.command import demo
from pymc_hydro.command.demo import Settings, run_main_job
from pymc_hydro.command.parser import _at_least
from pymc_hydro.data.files import complete_file
from tests.short import shorten


@pytest.mark.filterwarnings("ignore")  # short chains
def test_report_and_files(tmp_path, monkeypatch):
    shorten(monkeypatch, few={"nuts_sampler": "pymc"})
    monkeypatch.setattr(demo, "SEARCHES", 1)
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 1200))
    settings = Settings(tmp_path, split="1954-10-01", warmup=200, draws=30, tune=50, chains=2)
    lines = []
    files = run_main_job(ph.Hymod(snow=False), basin, settings, say=lines.append)
    report = "\n".join(lines)
    words = "MAP,R-hat,ESS,below the mode,S_umax,flow_s1,calibration,validation,KGE"
    for word in words.split(","):
        assert word in report
    assert all(str(path) in report and path.stat().st_size > 1000 for path in files.values())
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in files.values()}
    with xr.open_dataset(files["posterior"], group="posterior", engine="h5netcdf") as posterior:
        assert posterior.sizes["draw"] == 30


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "x.nc"
    with pytest.raises(KeyboardInterrupt), complete_file(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    for private, mode in ((False, 0o644), (True, 0o600)):  # a result can be read by everyone
        with complete_file(path, private=private) as temporary:
            temporary.write_text("whole")
        assert path.read_text() == "whole"
        assert os.name == "nt" or path.stat().st_mode & 0o777 == mode


# A process that is started without a console ignores the signal, and so do its children.
INTERRUPTIBLE = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('pymc_hydro', run_name='__main__', alter_sys=True)"
)


@pytest.mark.kernels
@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def test_interrupt_leaves_no_half_written_file(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", INTERRUPTIBLE, "demo", "--output", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    seen = []
    for line in process.stdout:
        seen.append(line)
        break
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=120)
    assert process.returncode == 130, "".join(seen) + rest
    assert "no file was left half-written" in rest
    assert list(tmp_path.iterdir()) == []


def test_help_and_bad_arguments(capsys):
    command = [sys.executable, "-m", "pymc_hydro"]
    alone = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "usage: pymc-hydro" in alone.stdout and alone.returncode == 0  # its help

    def said(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        return stop.value.code, capsys.readouterr()

    code, streams = said("--help")
    assert streams.out.split() == alone.stdout.split() and code == 0
    assert "Leaf River" in said("demo", "--help")[1].out
    for text in ("0", "-3", "many"):
        code, streams = said("demo", f"--draws={text}")
        assert code == 2 and f"--draws: must be at least 2, found {text}" in streams.err
    assert _at_least(2, "40") == 40
