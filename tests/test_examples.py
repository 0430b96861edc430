"""The examples run as a newcomer would run them, in an empty folder, with fewer draws."""

import runpy
from pathlib import Path

import matplotlib
import pytest

from tests.conftest import NEWER_STACK
from tests.short import shorten

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
if not NEWER_STACK:  # minutes of work: those with the most of PyMC in them
    EXAMPLES = [p for p in EXAMPLES if p.stem in ("first_posterior", "many_basins")]


@pytest.mark.filterwarnings("ignore")  # short chains
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example(path, tmp_path, monkeypatch, capsys):
    matplotlib.use("Agg")
    shorten(monkeypatch)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) >= 1
    if "savefig" in path.read_text(encoding="utf-8"):
        assert [p for p in tmp_path.iterdir() if p.suffix == ".png" and p.stat().st_size > 10_000]
