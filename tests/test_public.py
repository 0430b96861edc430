import re
from pathlib import Path

import pymc_hydro as ph

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
    "SacSma",
    "Xinanjiang",
    "build_model",
    "calibrate",
    "compare",
    "compute_log_likelihood",
    "verification",
    "discharge",
    "laplace",
    "likelihoods",
    "elevation_bands",
    "equations",
    "source",
    "plots",
    "load_basin",
    "losses",
    "outputs",
    "predict",
    "priors",
    "residuals",
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
    "testing",
}


def test_public_names_are_exactly_these():
    assert set(ph.__all__) == NAMES
    assert all(hasattr(ph, name) for name in NAMES)


def test_every_public_name_is_documented():
    for name in NAMES - {"MODELS"}:
        assert getattr(ph, name).__doc__, name


def test_version_is_in_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(ph.__version__)}", changelog, re.MULTILINE)


def test_limits_of_length():
    for path in (ROOT / "pymc_hydro").rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        limit = 200 if path.parent.name == "models" else 480
        assert len(lines) <= limit, path
        assert max(map(len, lines), default=0) <= 100, path
