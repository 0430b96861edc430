"""The examples run as a newcomer would run them, in an empty folder, with fewer draws."""

import re
import runpy
from pathlib import Path

import matplotlib
import pytest

from tests.conftest import NEWER_STACK
from tests.short import shorten

# What examples print: a pattern, and from what to what its numbers are, also after short chains.
PRINTED = {
    "average_structures": [
        (r"^hymod: weight (\S+)", 0.6, 1),
        (r"^gr4j: weight (\S+)", 0, 0.4),
        (r"^covered by 90 %: (\S+)", 0.8, 0.97),
    ],
    "basins_without_a_gauge": [
        (r"^NSE at basins that were held out: median (\S+)", 0.93, 1),
        (r"^at the new basin: NSE (\S+),", 0.97, 1),
        (r"inside the interval of 90 %: (\S+)$", 0.9, 1),
    ],
    "calibrate_with_snow": [
        (r"^validation NSE (\S+)", 0.8, 0.88),
        (r"^largest snow pack (\d+) mm", 25, 50),
    ],
    "choose_a_likelihood": [
        (r"coverage of 95 % (\S+),", 0.7, 0.99),
        (r"CRPS (\S+) mm/d$", 0.2, 0.5),
    ],
    "compare_structures": [
        (r"^(?:Hymod|HBV|GR4J) +(\S+) +\S+ +\S+$", 0.85, 1),
        (r"^(?:Hymod|HBV|GR4J) +\S+ +(\S+) ", 0.7, 0.95),
        (r"^mean_flow +\S+ +(\S+)", 0.8, 1.0),
    ],
    "first_posterior": [(r"^validation: NSE (\S+)$", 0.7, 0.88)],
    "many_basins": [(r"NSE (\S+)$", 0.6, 1)],
    "own_model": [(r"^passes: .*, (\S+) of the limit", 0, 1)],
    "sensitivity_of_the_hydrograph": [
        (r"^S_umax .* more (\S+) mm/d", 1, 2),
        (r"^K_s .* more (\S+) mm/d", 0.002, 0.005),
    ],
    "snow_and_discharge": [
        (r"T_tr +(\S+) \+- ", -1, 1),
        (r"f_dd +(\S+) \+- ", 2, 4),
    ],
    "sub_daily": [
        (r"^hourly mean (\S+) mm/d", 0.95, 1.05),
        (r"^daily +mean (\S+) mm/d", 0.95, 1.05),
        (r"^hourly .* largest (\S+) mm/d", 50, 70),
        (r"^daily .* largest (\S+) mm/d", 30, 40),
    ],
    "two_objectives": [
        (r"^calibration weight 0.00: NSE (\S+),", 0.85, 0.9),
        (r"^calibration weight 1.00: .* logarithms (\S+)$", 0.87, 0.92),
        (r"^validation .*: NSE (\S+),", 0.6, 0.8),
    ],
}
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
    printed = capsys.readouterr().out
    assert printed and "FAILS" not in printed and not re.search(r"\bnan\b", printed)
    for pattern, low, high in PRINTED.get(path.stem, ()):
        numbers = [float(number) for number in re.findall(pattern, printed, re.MULTILINE)]
        assert numbers and all(low <= number <= high for number in numbers), (pattern, numbers)
    if "savefig" in path.read_text(encoding="utf-8"):
        assert [p for p in tmp_path.iterdir() if p.suffix == ".png" and p.stat().st_size > 10_000]
