"""The explorer: what it shows is what the package computes, and the page follows its sliders."""

import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.explorer.exploration import STEP, Exploration
from tests.browser import FIND, TEXT, chromium, set_width
from tests.tiny import Tiny

PLACE = np.array([0.3, 0.6])


@pytest.fixture(scope="module")
def record():
    return ph.load_basin("leaf_river").sel(time=slice("1952-10-01", "1954-12-31"))


@pytest.fixture(scope="module")
def exploration(record):
    return Exploration(Tiny(), record, 365, "nse_sqrt")


def test_slopes_are_derivatives_along_the_sliders(exploration):
    view, step = exploration.at(PLACE), 1e-3
    for i, slope in enumerate(view.slopes):
        moved = [exploration.at(PLACE + s * step * np.eye(2)[i]).score for s in (-2, -1, 1, 2)]
        differences = np.array([1, -8, 8, -1]) @ moved / (12 * step)
        assert slope == pytest.approx(differences, rel=1e-3), i
    assert view.score == pytest.approx(view.scores["nse_sqrt"])


def test_band_is_where_the_flow_goes(exploration):
    view = exploration.at(PLACE)
    low, high = exploration.band(view, 1)
    moved = exploration.at(PLACE + np.array([0, STEP / 10])).run["discharge"].values
    flow = view.run["discharge"].values
    found, expected = 10 * (moved - flow), np.where(low > 0, (high - low) / 2, high - flow)
    assert np.abs(found - expected).max() < 0.05 * np.abs(expected).max()


def test_water_balance_closes_and_code_repeats_the_run(exploration, record):
    view = exploration.at(PLACE)
    water = view.water
    out = water["discharge, simulated"] + water["filling of the stores"]
    assert out == pytest.approx(water["precipitation"], rel=1e-5)
    space = {"basin": record}
    for model in (ph.Hymod(snow=False), ph.gr.GR4J(), ph.marrmot.CollieRiver1()):
        explored = Exploration(model, record, 365, "nse")
        place = np.full(len(model.parameters), 0.4)
        exec(explored.code(place, "basin = basin").rsplit("run = ", 1)[0], space)
        assert type(space["model"]) is type(model) and space["model"].options == model.options
        assert space["theta"] == pytest.approx(explored.theta(place), rel=1e-5)


def test_water_that_is_exchanged_or_under_way_has_a_row(record):
    model = ph.gr.GR4J()
    days = np.arange(record.sizes["time"])
    flat = {"discharge": 0.5, "evaporation": 1.5, **dict.fromkeys(model.store_names, 0.0)}
    run = record.assign({name: ("time", value + 0.0 * days) for name, value in flat.items()})
    run["S"] = ("time", 0.25 * days)
    water = Exploration(model, record, 365, "nse")._water(run)
    rest = water["precipitation"] - (0.5 + 1.5 + 0.25) * 365.25
    assert water["exchange and water under way"] == pytest.approx(rest)
    assert water["filling of the stores"] == pytest.approx(0.25 * 365.25)
    for text, name in (("precipitation",) * 2, ("discharge, observed", "discharge")):
        mean = float(record[name][365:].mean())
        assert water[text] == pytest.approx(365.25 * mean)
    whole = Exploration(model, record, 0, "nse")._water(run)["filling of the stores"]
    assert whole == pytest.approx(0.25 * 365.25 * days[-1] / days.size)


def test_record_without_observations(record):
    view = Exploration(Tiny(), record.drop_vars("discharge"), 0, "nse").at(PLACE)
    assert np.isnan(view.score) and np.isnan(view.slopes).all() and not view.scores


@pytest.fixture
def page(record):
    pytest.importorskip("panel")
    return ph.explore(Tiny(), record, score="nse_sqrt")


@pytest.mark.kernels
def test_page_follows_its_sliders(page):
    from pymc_hydro.explorer.figures import HEADROOM, YEARS

    before = page.view
    start = {name: slider.value for name, slider in page.sliders.items()}
    page.sliders["k"].value = 0.9
    assert page.view.score != before.score and page.theta["k"] == pytest.approx(5.01, abs=0.01)
    flow, plot = page._figures.simulated.data, page._figures.hydrograph
    time, observed = (page.exploration.record[n].values for n in ("time", "discharge"))
    last = max(time.size - 365 * YEARS, 0)
    assert (plot.x_range.start, plot.x_range.end) == (time[last], time[-1])
    assert (plot.y_range.start, plot.y_range.end) == (0, HEADROOM * np.nanmax(observed))
    assert (flow["high"] > flow["flow"]).any()  # the band of the parameter that was moved
    page._buttons["keep this run"].clicks += 1
    assert len(page._figures.ghost.data["flow"]) == flow["flow"].size
    page._buttons["calibrate"].clicks += 1
    assert page.view.score > before.score
    page._buttons["reset"].clicks += 1
    assert {name: slider.value for name, slider in page.sliders.items()} == pytest.approx(start)
    assert not len(page._figures.ghost.data["flow"]) and "NSE SQRT" in page._notes[0].object
    page._record.value = "leaf_river"
    assert "\nbasin = ph.load_basin('leaf_river')\n" in page._code.value


def test_failed_run_leaves_the_last_one_and_says_so(page, monkeypatch):
    def fails(_):
        raise ph.IntegrationError("the integration failed in the interval")

    shown = page.view
    monkeypatch.setattr(page.exploration, "at", fails)
    page.sliders["a"].value = 0.9
    assert page.view is shown and page._alert.visible and "failed" in page._alert.object


def test_words_for_slopes():
    pytest.importorskip("panel")
    from pymc_hydro.explorer.page import _slope_text

    assert _slope_text("NSE", 2.0) == "NSE ▲ rises with it: +0.0200 for 1 % of the slider"
    assert _slope_text("NSE", -2.0) == "NSE ▼ falls with it: -0.0200 for 1 % of the slider"
    for slope in (4e-5, -4e-5):
        assert _slope_text("NSE", slope).startswith("NSE does not change with it: ")
    assert _slope_text("NSE", np.nan) == ""


def test_unknown_scores_and_models_are_refused():
    with pytest.raises(KeyError, match="explore: unknown score 'best'; known are nse,"):
        ph.explore(score="best")
    pytest.importorskip("panel")
    with pytest.raises(KeyError, match="no model 'Hymmod'; did you mean Hymod"):
        ph.explore("Hymmod")


@pytest.mark.kernels
@pytest.mark.slow
def test_keyboard_on_a_slider_changes_line_and_score_in_a_browser():
    """The whole way: command line, page, key, new numbers; and nothing wider than the screen."""
    pytest.importorskip("panel")
    command = [sys.executable, "-W", "ignore", "-m", "pymc_hydro", "explore", "--no-browser"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with chromium() as browser:
        served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            browser.get(re.search(r"http://127\S+", served.stdout.readline()).group())
            text = _wait(browser, lambda t: "percent bias" in t)
            handle = browser.execute_script(FIND + "return find(document, '.noUi-handle')")
            handle.send_keys("\ue014")  # the right arrow
            _wait(browser, lambda t: t != text and "percent bias" in t)
            for width in (1300, 420):
                set_width(browser, width)
                time.sleep(1)
                wide = browser.execute_script("return document.documentElement.scrollWidth")
                assert wide <= width
        finally:
            served.terminate()
            served.communicate()


def _wait(browser, ready, seconds=60):
    """Return the text of the page once it is `ready`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = browser.execute_script(TEXT + "return text(document)")
        if ready(text):
            return text
        time.sleep(0.2)
    raise AssertionError("the page did not change")
