import re
from importlib import import_module
from pathlib import Path

import pytest

import pymc_hydro as ph
from tests import public_signatures

ROOT = Path(__file__).parent.parent

NAMES = {
    "CFE",
    "GR4J",
    "HBV",
    "MODELS",
    "Calibration",
    "Hmodel",
    "Hymod",
    "IntegrationError",
    "Regionalization",
    "RungeKutta",
    "SacSma",
    "Xinanjiang",
    "attribute",
    "basin_losses",
    "build_model",
    "calibrate",
    "compare",
    "compute_log_likelihood",
    "core",
    "data",
    "verification",
    "discharge",
    "fit_errors",
    "fit_laplace",
    "forecast",
    "gr",
    "join",
    "laplace",
    "likelihoods",
    "elevation_bands",
    "equations",
    "explore",
    "source",
    "plots",
    "load_basin",
    "losses",
    "FUSE",
    "marrmot",
    "means",
    "models",
    "ops",
    "outputs",
    "pool_posteriors",
    "predict",
    "priors",
    "regional",
    "regionalize",
    "residuals",
    "sample",
    "read_basin",
    "read_camels_aus",
    "read_camels_br",
    "read_camels_ch",
    "read_camels_cl",
    "read_camels_de",
    "read_camels_fr",
    "read_camels_gb",
    "read_camels_us",
    "read_camels_us_hourly",
    "read_caravan",
    "read_csv",
    "read_mopex",
    "scan",
    "signatures",
    "set_basin",
    "simulate",
    "blocks",
    "deviations",
    "harmonics",
    "splines",
    "storms",
    "testing",
}


def test_public_names_are_exactly_these():
    assert set(ph.__all__) == NAMES
    assert all(hasattr(ph, name) for name in NAMES)


def test_every_public_name_is_documented():
    for name in NAMES - {"MODELS"}:
        assert getattr(ph, name).__doc__, name


def test_arguments_and_defaults_have_not_changed():
    """A change is a change for users: ``python -m tests.public_signatures`` records it."""
    recorded = public_signatures.RECORDED.read_text(encoding="utf-8").splitlines()
    assert public_signatures.lines() == recorded


@pytest.mark.parametrize("module", ["core", "data", "likelihoods", "losses", "ops", "plots"])
def test_public_modules_hold_documented_names(module):
    for name in getattr(ph, module).__all__:
        thing = getattr(getattr(ph, module), name)
        assert thing.__doc__ or not callable(thing), name


def test_what_authors_need_is_public():
    core = ph.core
    parts = {"AbstractModel", "Flow", "Output", "Parameter", "Store"}
    modules = {"blocks", "functions", "laws", "smoothing", "snow"}
    mathematics = {*core.functions.__all__, *core.smoothing.__all__, *core.laws.powers.__all__}
    assert set(core.__all__) >= parts | modules | mathematics | set(core.blocks.__all__)
    assert set(ph.likelihoods.__all__) >= {"Family", "observe", "place_residuals"}
    assert set(ph.data.__all__) >= {
        "as_basin", "potential_evaporation", "split_record", "to_hourly"
    }  # fmt: skip


def test_pages_and_examples_import_public_names_only():
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.py"), ROOT / "README.md"]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for module, names in re.findall(r"from (pymc_hydro[\w.]*) import ([^(\n]+)", text):
            owner = import_module(module)
            assert {name.strip() for name in names.split(",")} <= set(owner.__all__), page.name


@pytest.mark.parametrize(
    ("package", "old", "new"),
    [
        (ph.losses, "residuals_of", "find_residuals"),
        (ph.signatures, "compare", "compare_signatures"),
    ],
)
def test_former_names_work_and_warn(package, old, new):
    with pytest.warns(FutureWarning, match=rf"\.{old} is now called ph\..*\.{new}"):
        assert getattr(package, old) is getattr(package, new)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_version_is_in_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(ph.__version__)}", changelog, re.MULTILINE)


def test_limits_of_length():
    for path in (ROOT / "pymc_hydro").rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        limit = 200 if path.parent.name == "models" else 480
        assert len(lines) <= limit, path
        assert max(map(len, lines), default=0) <= 100, path
