"""Time of the pages' code and of the examples, as they are written.

    python -m benchmarks.pages [--jobs 2] [NAME ...]

Each in a process of its own, in an empty folder, two at a time. The last line is the time on the
clock of all together, and their processor time, which says more where other work is running.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
CELL = re.compile(r"```\{code-cell\}[^\n]*\n(?::tags:[^\n]*\n\n?)?(.*?)```", re.DOTALL)


def sources():
    """Return the code of every page and example by name."""
    pages = {p.stem: "\n".join(CELL.findall(p.read_text("utf-8"))) for p in ROOT.glob("docs/*.md")}
    examples = {f"examples/{p.stem}": p.read_text("utf-8") for p in ROOT.glob("examples/*.py")}
    return {name: code for name, code in sorted({**pages, **examples}.items()) if code}


def seconds(name, code):
    """Run the code; return its time on the clock, and whether it ended well."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / f"{Path(name).name}.py"
        script.write_text(code, encoding="utf-8")
        environment = os.environ | {"MPLBACKEND": "Agg"}
        begin = time.perf_counter()
        run = subprocess.run(
            [sys.executable, "-W", "ignore", script.name],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return time.perf_counter() - begin, run.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="all, if none is given")
    parser.add_argument("--jobs", type=int, default=2)
    known, chosen = sources(), parser.parse_args()
    names = chosen.names or list(known)
    if unknown := set(names) - set(known):
        parser.error(f"unknown {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    begin, failed = time.perf_counter(), []
    with ThreadPoolExecutor(chosen.jobs) as pool:
        results = pool.map(seconds, names, [known[name] for name in names])
        for name, (taken, good) in zip(names, results, strict=True):
            failed += [] if good else [name]
            print(f"{name:40s} {taken:6.1f} s", flush=True)
    used = os.times()
    processor = used.children_user + used.children_system
    total = time.perf_counter() - begin
    print(f"{'all':40s} {total:6.1f} s, {processor:.1f} s of processors")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
