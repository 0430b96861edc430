"""The code in the documentation runs, block after block, with fewer draws."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pymc as pm
import pytest

import pymc_hydro as ph

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "docs/first_posterior.md", "docs/choose_a_likelihood.md"]


def run_blocks(page, monkeypatch):
    sample = pm.sample
    matplotlib.use("Agg")
    few = {"draws": 20, "tune": 10, "chains": 2, "progressbar": False}
    monkeypatch.setattr(pm, "sample", lambda **kwargs: sample(**(kwargs | few)))
    text = (ROOT / page).read_text(encoding="utf-8")
    space = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, page, "exec"), space)
    return space


@pytest.mark.filterwarnings("ignore")  # short chains
@pytest.mark.parametrize("page", PAGES)
def test_code_of_a_page(page, monkeypatch):
    space = run_blocks(page, monkeypatch)
    assert np.isfinite(space["idata"].posterior["S_umax"].values).all()


def test_declared_model_works(monkeypatch):
    model = run_blocks("docs/declare_a_model.md", monkeypatch)["TwoStores"]()
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 500))
    run = ph.simulate(model, model.default, basin, ("discharge", "evaporation", "S", "R"))
    stored = float((run["S"] + run["R"])[-1]) - model.initial_state.sum()
    flows = basin["precipitation"].sum() - run["discharge"].sum() - run["evaporation"].sum()
    assert float(flows) == pytest.approx(stored, rel=1e-9)


def test_calibration_page(monkeypatch, tmp_path):
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    space = run_blocks("docs/calibrate.md", monkeypatch)
    assert repr(space["again"]) == repr(space["fit"])
    for name in ("fit", "robust", "own"):
        assert space[name].scores["nse"] > 0.7, name
    assert space["both"].simulation["S_u"].sizes == space["both"].simulation["discharge"].sizes
    assert len(space["axes"]) == 3


def test_page_on_data_and_reports(monkeypatch, tmp_path):
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    plt.close("all")  # of other tests
    space = run_blocks("docs/data_and_reports.md", monkeypatch)
    assert set(space["table"].index) == set(ph.signatures.SIGNATURES)
    assert len(plt.get_fignums()) == 4
    plt.close("all")


def test_site_is_built_without_warnings(tmp_path):
    for package in ("sphinx", "myst_parser", "numpydoc"):
        pytest.importorskip(package)
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("generated"))
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q"]
    command += [str(tmp_path / "docs"), str(tmp_path / "site")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    for model in ph.MODELS:
        page = (tmp_path / "site/generated" / f"{model.__name__}.html").read_text(encoding="utf-8")
        assert model.parameters[0].name in page and f"{model.__name__}.png" in page
    interface = (tmp_path / "site/generated/api.html").read_text(encoding="utf-8")
    assert all(f'id="pymc_hydro.{n}"' in interface for n in ("read_csv", "simulate", "calibrate"))


def test_links_lead_somewhere():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "README.md"]
    for page in pages:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
