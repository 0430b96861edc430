"""The command ``pymc-hydro``, also ``python -m pymc_hydro``: the main job, and sub-commands."""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from pymc_hydro.command.parser import EXIT_CODES, add_commands, execute


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="pymc-hydro",
        description="Without a command: calibrate HYMOD on the embedded Leaf River record, sample "
        "its posterior with NUTS, validate it on years it has not seen, and write the results. "
        "The commands do this step by step for other basins and models.",
        epilog="examples:\n  pymc-hydro\n  pymc-hydro calibrate leaf_river --output leaf\n"
        "  pymc-hydro report leaf\n  pymc-hydro calibrate --help\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_commands(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("pymc-hydro-results"),
        metavar="DIR",
        help="folder for the results (default: %(default)s)",
    )
    parser.add_argument("--draws", type=int, default=500, help="per chain (default: 500)")
    parser.add_argument("--tune", type=int, default=500, help="per chain (default: 500)")
    parser.add_argument("--chains", type=int, default=4, help="default: 4")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    chosen = parser.parse_args(arguments)
    if chosen.command is not None:
        return execute(chosen)
    del chosen.command
    for name in ("draws", "chains"):
        if getattr(chosen, name) < 2:
            parser.error(f"--{name} must be at least 2, found {getattr(chosen, name)}")
    if find_spec("matplotlib") is None:
        parser.error("pictures need matplotlib: pip install 'pymc-hydro[plots]'")

    try:
        import matplotlib

        matplotlib.use("Agg")  # files only: no display needed

        import pymc_hydro as ph
        from pymc_hydro.command.demo import Settings, run_main_job

        run_main_job(ph.Hymod(snow=False), ph.load_basin("leaf_river"), Settings(**vars(chosen)))
    except KeyboardInterrupt:
        print("\nInterrupted; no file was left half-written.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
