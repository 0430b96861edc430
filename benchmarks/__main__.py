"""Run the benchmarks that need no data of their own, one after another.

    python -m benchmarks [--quick]

Each in a process of its own; what it prints is its table.
"""

import argparse
import subprocess
import sys

QUICK = ["--quick"]
# Arguments of the whole and of the short form.
MODULES = {
    "growth": ([], QUICK),
    "peers": ([], QUICK),
    "work_precision": ([], QUICK),
    "integration": ([], ["--models", "Hymod", "--draws", "1"]),
    "gradients": ([], ["--models", "Hymod", "--draws", "1"]),
    "extremes": ([], QUICK),
    "models": ([], ["--draws", "1"]),
    "startup": ([], []),
    "sampling": (["nutpie"], ["pymc", "--draws", "20", "--tune", "20"]),
    "sbc": ([], QUICK),
    "bayes": ([], QUICK),
    "hindcasts": ([], ["--every", "200"]),
    "chains": ([], ["--models", "Hymod", "--basins", "leaf_river", "--draws", "20"]),
    "pages": ([], ["data_and_reports", "examples/calibrate_with_snow"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    failed = []
    for name, arguments in MODULES.items():
        print(f"\n======== benchmarks.{name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments[quick]]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
