"""From a key on a slider of the explorer to new numbers on the page, in headless Chromium."""

import re
import statistics
import subprocess
import sys
import time

from tests.browser import FIND, TEXT, chromium

KEYS = 15
SERVER = """
import pymc_hydro as ph
from pymc_hydro.explorer.serve import serve

serve("Hymod", ph.load_basin("leaf_river").sel(time=slice("1958-10-01", "1962-09-30")), show=False)
"""
KEY = (
    FIND
    + TEXT
    + """
const done = arguments[arguments.length - 1];
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
    command = [sys.executable, "-u", "-W", "ignore", "-c", SERVER]
    with chromium() as browser:
        served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            browser.get(re.search(r"http://\S+", served.stdout.readline()).group())
            time.sleep(6)  # until the figures are drawn
            found = [browser.execute_async_script(KEY) for _ in range(KEYS)]
        finally:
            served.terminate()
    print(f"{statistics.median(found):.0f} ms ({min(found):.0f} to {max(found):.0f})")


if __name__ == "__main__":
    main()
