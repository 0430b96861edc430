"""The command ``pymc-hydro``, also ``python -m pymc_hydro``."""

import argparse
import sys

from pymc_hydro.command.parser import EXIT_CODES, add_commands, execute


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="pymc-hydro",
        description="Conceptual rainfall-runoff models, from a file with a basin's record to a "
        "calibration, a posterior and a report.",
        epilog="examples:\n  pymc-hydro demo\n  pymc-hydro calibrate leaf_river --output leaf\n"
        "  pymc-hydro report leaf\n  pymc-hydro calibrate --help\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_commands(parser)
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return 0
    return execute(chosen)


if __name__ == "__main__":
    sys.exit(main())
