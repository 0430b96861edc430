"""The code of README and pages runs, with fewer draws; the site is built without warnings."""

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.calibration.search import strategy
from pymc_hydro.core import domain, snow
from pymc_hydro.data import schema
from pymc_hydro.engine.codegen import step
from pymc_hydro.inference import in_time
from pymc_hydro.inference.forecasting import correction
from pymc_hydro.inference.sampling import many, verdict
from pymc_hydro.likelihoods import recommended
from pymc_hydro.likelihoods.errors import autoregression, families, memory, residuals
from pymc_hydro.models.fuse import combinations
from tests.browser import chromium, set_width
from tests.conftest import step_by_step
from tests.short import shorten

ROOT = Path(__file__).parent.parent
# In the kernel of each page, before its first cell.
STARTUP = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.short import shorten
shorten()
"""


@pytest.mark.kernels
@pytest.mark.filterwarnings("ignore")  # short chains
def test_code_of_the_readme(monkeypatch):
    matplotlib.use("Agg")
    shorten(monkeypatch)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    space = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "README.md", "exec"), space)
    assert np.isfinite(space["idata"].posterior["S_umax"].values).all()
    assert space["fit"].scores["nse"] > 0.7


@pytest.mark.kernels
def test_skeletons_of_extending(monkeypatch, tmp_path):
    """A model, a law, a loss, a likelihood, a reader, a plot and a method, as the page has them."""
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    space = {"__name__": "extending"}
    for section in text.split("\n## ")[1:]:
        title = section.partition("\n")[0]
        blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        assert blocks or title == "Kernel", title
        for block in blocks:
            exec(compile(block, f"extending.md, {title}", "exec"), space)
    ph.testing.check_model(space["Bucket"], draws=1)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The whole site, its pages executed with short chains and without compiling their graphs."""
    for package in ("sphinx", "myst_nb", "numpydoc", "pydata_sphinx_theme"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("generated"))
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "benchmarks").mkdir()
    shutil.copy(ROOT / "benchmarks/README.md", folder / "benchmarks")
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "short.py").write_text(STARTUP, encoding="utf-8")
    environment = step_by_step() | {"IPYTHONDIR": str(folder / "ipython")}
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q"]
    command += [str(folder / "docs"), str(folder / "html")]
    built = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-4000:]
    return folder / "html"


# Minutes of work, so on one of the two stacks. Cells that are not shown have assertions.
on_one_stack = pytest.mark.skipif(sys.version_info < (3, 12), reason="built with Python 3.12 on")


@on_one_stack
def test_pages_are_executed(site):
    pages = [p for p in (ROOT / "docs").glob("*.md") if "```{code-cell}" in p.read_text("utf-8")]
    assert len(pages) >= 14
    for page in pages:
        html = (site / f"{page.stem}.html").read_text(encoding="utf-8")
        assert "cell_input" in html and "cell_output" in html, page.name
        shown = re.findall(r"<img[^>]* src=\"(_images/[^\"]+)\"", html)
        assert all((site / image).stat().st_size > 1000 for image in shown), page.name
        assert shown or page.stem not in PICTURES, page.name


PICTURES = {
    "calibrate", "choose_a_likelihood", "data_and_reports", "first_posterior", "missing_data",
    "multi_output", "sensitivities", "sub_daily", "validate_and_compare",
}  # fmt: skip


@on_one_stack
def test_generated_pages(site):
    for model in ph.MODELS:
        page = (site / f"generated/{model.__name__}.html").read_text(encoding="utf-8")
        assert model.parameters[0].name in page and f"{model.__name__}.png" in page
        assert "\\frac" in page, "equations as mathematics"
    for name in ("read_csv", "simulate", "calibrate", "core.AbstractModel", "losses.nse"):
        page = (site / f"generated/names/pymc_hydro.{name}.html").read_text(encoding="utf-8")
        assert f'id="pymc_hydro.{name}"' in page, name
    pages = {p.name: p.read_text(encoding="utf-8") for p in site.rglob("*.html")}
    assert not [name for name, page in pages.items() if 'href="#../' in page], "files, not pages"


@on_one_stack
def test_pages_fit_a_screen_and_a_phone_and_need_no_network(site):
    with chromium("--host-resolver-rules=MAP * ~NOTFOUND") as browser:
        from selenium.webdriver.support.wait import WebDriverWait

        for name in (
            "index",
            "generated/Hymod",
            "generated/fuse",
            "generated/gallery",
            "generated/names/pymc_hydro.read_csv",
            "calibrate",
            "first_posterior",
        ):
            for width in (1300, 420):
                set_width(browser, width)
                browser.get((site / f"{name}.html").as_uri())
                wide, broken, cut = browser.execute_script(
                    "const right = e => e.getBoundingClientRect().right;"
                    "return [document.documentElement.scrollWidth,"
                    " [...document.images].filter(i => i.complete && !i.naturalWidth).length,"
                    " [...document.querySelectorAll('article p, article dt, article li')].filter("
                    "  e => e.offsetParent && !e.closest('table') && right(e) > innerWidth).length]"
                )
                assert wide <= width and (broken, cut) == (0, 0), (name, width)
        browser.get((site / "generated/Hymod.html").as_uri())
        WebDriverWait(browser, 20).until(
            lambda b: b.execute_script("return document.querySelectorAll('mjx-container').length")
        )


@on_one_stack
def test_bibliography(site):
    page = (site / "bibliography.html").read_text(encoding="utf-8")
    cited = set()
    for path in (ROOT / "pymc_hydro").rglob("*.py"):
        cited |= set(re.findall(r"doi:(10\.\S+[^\s.,\"])", path.read_text(encoding="utf-8")))
    missing = [doi for doi in cited if f"https://doi.org/{doi}" not in page]
    assert len(cited) > 60 and not missing


COUNTED = {2: "two", 4: "four", 6: "six", 10: "ten"}


def claims():
    """Yield page and text of what pages say of defaults and limits, with the code's numbers."""
    s0, scales, decades = residuals.START_S0, in_time.SCALES, f"{domain.LOGARITHMIC:g}"
    hops = inspect.signature(ph.calibrate).parameters["hops"].default
    ends = {p.name: p.prior for p in ph.HBV().parameters}
    yield "calibrate", f'`"box_cox"` (with the power {ph.losses.BoxCox().power}) and'
    yield "calibrate", f"After {COUNTED[strategy.FIRST]} steps of each start"
    yield "calibrate", f"one start for every {COUNTED[strategy.PARAMETERS_A_SEARCH]} parameters"
    yield "calibrate", f"after {COUNTED[hops]} such rounds"
    yield "calibrate", f"if its bounds are a factor of {decades} apart"
    yield "pool", f"where they differ by a factor of {decades}"
    yield "changing_parameters", f"prior of scale {scales['walk']}, independent"
    yield "changing_parameters", f"independent deviations {scales['independent']}, in"
    yield "uncertain_rain", f"half-normal prior of scale {scales['independent']}, that"
    yield "choose_a_likelihood", f"falls dry from {100 * recommended.DRY:g} % of zero flow on"
    yield "choose_a_likelihood", f"c = {memory.SMALLEST_FLOW} mm/d"
    yield "choose_a_likelihood", f"within {COUNTED[autoregression.HORIZON]} days"
    yield "choose_a_model", f"the {len(ph.marrmot.MODELS)} structures"
    yield "choose_a_model", f"all its {len(list(combinations()))} structures"
    yield "choose_a_model", f"falls by {100 * snow.LAPSE_RATE:g} degC and precipitation"
    yield "choose_a_model", f"grows by {1e4 * snow.PRECIPITATION_GRADIENT:.1f} % per 100 m"
    yield "first_posterior", f"if R-hat is below {verdict.R_HAT} and"
    yield "forecast", f"errors of the {COUNTED[correction.DAYS]} days before the origin"
    yield "many_basins", f"covariances, {many.KEPT} draws and the verdict"
    yield "sensitivities", f"The shortest step is 2^-{step.MAX_LEVEL} of an interval"
    factor = ph.FUSE.parent("topmodel").tolerance_factor
    yield "sensitivities", f"to {factor} of both tolerances"
    yield "sub_daily", f"{schema.SHORT_WARMUP / schema.DAY:g} days of sub-daily data gives"
    yield "troubleshooting", f"prior of `nu` therefore begins at {families.LEAST_NU}, where"
    yield "troubleshooting", f"`s0` at {s0['linear']} standard deviations of the observations"
    yield "troubleshooting", f'({s0["constant"]} with `scale="constant"`)'
    yield "troubleshooting", f"`s1` at {residuals.START_S1}, `r1` at {memory.START_R1:.2f}"
    yield "troubleshooting", f"`nu` at {families.START_NU:g}."
    yield "troubleshooting", f"end at `u_zl = {ends['u_zl'][1]}` mm"
    yield "troubleshooting", f"`F_c` begins at {ends['F_c'][0]} mm"


def test_numbers_of_the_text_are_those_of_the_code():
    """What was measured stands in benchmarks/; what cells compute has hidden assertions."""
    texts = {p.stem: " ".join(p.read_text("utf-8").split()) for p in (ROOT / "docs").glob("*.md")}
    missing = [(page, claim) for page, claim in claims() if claim not in texts[page]]
    assert not missing


def test_links_lead_somewhere():
    """Files exist, and so do the headings that a link names."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "README.md"]
    for page in pages:
        for link in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text(encoding="utf-8")):
            name, _, heading = link.partition("#")
            if name.startswith("generated/"):
                continue  # the build of the site makes these pages, and checks the links to them
            target = page.parent / name if name else page
            assert target.exists(), f"{page.name}: {link}"
            if heading:
                text = target.read_text(encoding="utf-8")
                titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
                slugs = [re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles]
                assert heading in slugs, f"{page.name}: {link}"
