"""Put one fault after another into a copy of the package, and run the tests named for it.

    python -m tests.mutation                     all faults
    python -m tests.mutation engine losses       those of some packages
    python -m tests.mutation --timeout 900

A fault is caught if a test fails. Prints each fault that passes, and the share caught by package.
The tests must pass without faults: run them first.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from multiprocessing import get_context
from pathlib import Path

import pymc  # noqa: F401  loaded once, and not for each fault
import pytest

from tests.mutation.faults import Fault, read_faults

ROOT = Path(__file__).parents[2]
COPIED = ("pymc_hydro", "tests", "benchmarks", "examples", "pyproject.toml", "README.md")
CAUGHT, PASSED, TOO_LONG = "caught", "PASSED", "too long"


def copy_of_the_package(folder: Path) -> Path:
    for name in COPIED:
        path = ROOT / name
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, folder / name)
    return folder


def run_tests(root: Path, arguments: list[str], log: Path) -> None:
    """Run pytest in this process, a fork in which nothing of the package is loaded."""
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    os.chdir(root)
    os.environ["PYTHONPATH"] = sys.path[0] = str(root)
    with log.open("w", encoding="utf-8") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    os._exit(int(pytest.main(["-xq", "-p", "no:cacheprovider", *arguments])))


def try_fault(fault: Fault, root: Path, seconds: float) -> str:
    path, log = root / "pymc_hydro" / fault.file, root / "log.txt"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    process = get_context("fork").Process(target=run_tests, args=(root, fault.tests, log))
    process.start()
    process.join(seconds)
    path.write_text(text, encoding="utf-8")
    if process.exitcode is None:
        process.kill()
        return TOO_LONG
    said = log.read_text(encoding="utf-8")
    if "ERROR collecting" in said or "ImportError while loading conftest" in said:
        return CAUGHT  # the package refuses such a declaration
    if process.exitcode not in (0, 1):
        raise SystemExit(f"{fault.file}: no test ran\n{said[-2000:]}")
    return CAUGHT if process.exitcode else PASSED


def check_texts(faults: list[Fault]) -> None:
    """Exit with all faults whose text does not stand once in its file, before any is tried."""
    stale = []
    for fault in faults:
        count = (ROOT / "pymc_hydro" / fault.file).read_text(encoding="utf-8").count(fault.old)
        if count != 1:
            stale.append(f"{fault.file}: the text {fault.old!r} is there {count}x")
    if stale:
        raise SystemExit("\n".join(stale))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*", help="such as engine; all of them if none is given")
    parser.add_argument("--timeout", type=float, default=600, help="seconds of one fault")
    chosen = parser.parse_args()
    found = defaultdict(list)
    check_texts(read_faults())
    sys.dont_write_bytecode = True  # a fault may be as long as the text, and of the same second
    with tempfile.TemporaryDirectory() as folder:
        root = copy_of_the_package(Path(folder))
        for fault in read_faults():
            if chosen.packages and fault.package not in chosen.packages:
                continue
            begin = time.perf_counter()
            result = try_fault(fault, root, chosen.timeout)
            found[fault.package].append(result)
            seconds = time.perf_counter() - begin
            print(f"{result:8s} {seconds:4.0f} s  {fault.file}: {fault.new!r}", flush=True)
    everything = [result for results in found.values() for result in results]
    for package, results in [*sorted(found.items()), ("all", everything)]:
        print(f"{package:14s} {results.count(CAUGHT):3d} of {len(results):3d} caught")


if __name__ == "__main__":
    main()
