"""From a key on a slider of the explorer to new numbers on the page, in headless Chromium."""

import re
import shutil
import statistics
import subprocess
import sys
import time

from tests.explorer.test_explorer import FIND

KEYS = 15
SERVER = """
import pymc_hydro as ph
from pymc_hydro.explorer.serve import serve

serve("Hymod", ph.load_basin("leaf_river").sel(time=slice("1958-10-01", "1962-09-30")), show=False)
"""
KEY = (
    FIND
    + """
const done = arguments[arguments.length - 1];
function text(root) {
    let all = '';
    for (const inner of root.querySelectorAll('*'))
        if (inner.shadowRoot) all += inner.shadowRoot.textContent + text(inner.shadowRoot);
    return all;
}
const shown = () => text(document).match(/percent bias-?[0-9.]+/)?.[0];
const before = shown(), start = performance.now();
find(document, '.noUi-handle').dispatchEvent(
    new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
(function look() {
    if (shown() !== before) requestAnimationFrame(() => done(performance.now() - start));
    else setTimeout(look, 3);
})();
"""
)


def main() -> None:
    """Print the median and the extremes in milliseconds."""
    from selenium import webdriver

    command = [sys.executable, "-u", "-W", "ignore", "-c", SERVER]
    served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        browser.get(re.search(r"http://\S+", served.stdout.readline()).group())
        time.sleep(6)  # until the figures are drawn
        found = [browser.execute_async_script(KEY) for _ in range(KEYS)]
    finally:
        browser.quit()
        served.terminate()
    print(f"{statistics.median(found):.0f} ms ({min(found):.0f} to {max(found):.0f})")


if __name__ == "__main__":
    main()
