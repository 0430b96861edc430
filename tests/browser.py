"""A headless Chromium, for tests of pages; they are skipped where there is none."""

import shutil
from contextlib import contextmanager

import pytest

# The elements of a page of Panel are in shadow roots, which selectors do not enter.
FIND = """
function find(root, what) {
    const here = root.querySelector(what);
    if (here) return here;
    for (const inner of root.querySelectorAll('*'))
        if (inner.shadowRoot) {
            const found = find(inner.shadowRoot, what);
            if (found) return found;
        }
    return null;
}
"""
TEXT = """
function text(root) {
    let all = '';
    for (const inner of root.querySelectorAll('*'))
        if (inner.shadowRoot) all += inner.shadowRoot.textContent + text(inner.shadowRoot);
    return all;
}
"""


@contextmanager
def chromium(*flags):
    """Open a browser, and close it at the end."""
    webdriver = pytest.importorskip("selenium.webdriver")
    driver = shutil.which("chromedriver")
    if shutil.which("chromium") is None or driver is None:
        pytest.skip("no Chromium")
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", *flags):
        options.add_argument(flag)
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


def set_width(browser, width):
    """Give the page the width of a screen or a phone, in pixels."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
