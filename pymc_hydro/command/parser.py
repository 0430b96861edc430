"""The command line: words to a job, errors to exit codes."""

import argparse
import errno
import os
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pymc_hydro.command.settings import DEFAULTS, LEAST, UsageError, read_about, read_settings

__all__ = ["COMMANDS", "add_commands", "execute"]

OK, USAGE, DATA, NUMERICS, WRITING, INTERRUPTED = 0, 2, 3, 4, 5, 130
EXIT_CODES = (
    "exit codes: 0 done; 2 command line or configuration; 3 data or damaged results; 4 integration "
    "failed; 5 results cannot be written (disk full); 130 interrupted"
)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
JOBS = ("run", "calibrate", "sample")
OPTIONS = {
    "run": (),
    "calibrate": ("loss", "starts", "seed"),
    "sample": ("likelihood", "draws", "tune", "chains", "seed"),
}
COMMANDS = {
    "demo": "calibrate HYMOD on the embedded Leaf River record, sample its posterior with NUTS, "
    "validate it on years it has not seen, and write the results",
    "run": "simulate a basin with given, calibrated or default parameters",
    "calibrate": "find the parameters with the best score",
    "sample": "sample the posterior with NUTS, and predict the validation period",
    "compare": "compare the scores of several folders of results",
    "report": "write one HTML page about a folder of results, or a store of many basins",
    "explore": "move the parameters of a model by hand, in a browser",
    "models": "list the models, all or some, or describe one",
    "data": "list embedded basins, list the contents of a folder, or describe a basin",
}
EXAMPLES = {
    "demo": "pymc-hydro demo\n  pymc-hydro demo --output leaf --draws 200",
    "run": "pymc-hydro run leaf_river --output leaf\n"
    "  pymc-hydro run mine.csv --option area=240.0 --option pet=oudin --option latitude=47.3",
    "calibrate": "pymc-hydro calibrate leaf_river --output leaf --split 1958-10-01\n"
    "  pymc-hydro calibrate CAMELS_US --gauge 01022500 --model HBV --output narraguagus\n"
    "  pymc-hydro calibrate --config basin.toml\n"
    "  pymc-hydro calibrate CAMELS_US --basins all --executor processes --output fits.zarr",
    "sample": "pymc-hydro sample leaf_river --output leaf --draws 1000\n"
    "  pymc-hydro sample --config basin.toml",
    "compare": "pymc-hydro compare leaf-hymod leaf-gr4j",
    "report": "pymc-hydro report leaf\n  pymc-hydro report leaf --config basin.toml\n"
    "  pymc-hydro report fits.zarr --places gauges.csv",
    "explore": "pymc-hydro explore leaf_river\n"
    "  pymc-hydro explore mine.csv --model HBV --option area=240.0",
    "models": "pymc-hydro models --snow --parameters 8\n  pymc-hydro models HBV --equations",
    "data": "pymc-hydro data\n  pymc-hydro data CAMELS_US\n"
    "  pymc-hydro data CAMELS_US --gauge 01022500",
}
CONFIGURATION = """
a configuration, of which every line may be left out:
  [data]
  source = "CAMELS_US"        # embedded basin, file or folder (beside the configuration)
  gauge = "01022500"
  options = { forcing = "daymet" }   # of the reader
  [data.discharge]            # in a file of its own
  source = "gauge.rdb"
  units = "cfs"               # not needed where the file or its reader says it
  area = 573.6                # km2
  [model]
  name = "HBV"
  options = { snow = true }
  [period]
  split = 1995-10-01          # calibration before, validation from then on
  warmup = 365                # intervals, or a duration: "365D"
  [run]
  outputs = ["discharge", "evaporation", "swe"]
  parameters = { beta = 2.0 }
  [calibrate]
  loss = "nse_sqrt"           # of the roots of flow: low flow counts as well
  starts = 8
  seed = 1
  [sample]
  likelihood = "normal"       # "recommended" chooses scale and memory, too
  scale = "linear"
  ar = 0                      # 1: errors that remember the day before
  draws = 1000
  tune = 1000
  chains = 4
  seed = 1
  [about]                     # for the report
  title = "Narraguagus River at Cherryfield"
  author = "N. N., office"
  coordinates = "44.608 N, 67.935 W"
"""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands to the parser of ``pymc-hydro``."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, description in COMMANDS.items():
        epilog = f"examples:\n  {EXAMPLES[name]}\n"
        command = commands.add_parser(
            name,
            help=description,
            description=f"{description[0].upper()}{description[1:]}.",
            epilog=epilog + (CONFIGURATION if name in JOBS else "") + "\n" + EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name in JOBS:
            _add_job(command, name)
        elif name == "compare":
            command.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
            command.add_argument("--csv", type=Path, metavar="FILE", help="write the table")
        elif name == "report":
            command.add_argument("folder", type=Path, metavar="FOLDER")
            command.add_argument(
                "--config", type=Path, metavar="FILE", help="TOML with another [about]"
            )
            _add_places(command)
        elif name == "demo":
            _add_demo(command)
        elif name == "models":
            _add_models(command)
        elif name == "explore":
            command.add_argument("source", nargs="?", default="leaf_river", metavar="SOURCE")
            _add_reader(command)
            command.add_argument("--model", default="Hymod", metavar="NAME", help="default: Hymod")
            command.add_argument("--port", type=int, default=0, help="default: a free one")
            command.add_argument("--no-browser", action="store_true", help="print the address only")
        else:
            command.add_argument("source", nargs="?", metavar="SOURCE")
            _add_reader(command)


def _add_models(command):
    command.add_argument("name", nargs="?", metavar="MODEL")
    command.add_argument("--equations", action="store_true", help="of MODEL; needs SymPy")
    snow = argparse.BooleanOptionalAction
    command.add_argument("--snow", action=snow, help="only models with (without) snow")
    command.add_argument("--parameters", type=int, metavar="N", help="at most")
    command.add_argument("--stores", type=int, metavar="N", help="at most")
    command.add_argument(
        "--process",
        action="append",
        default=[],
        metavar="NAME",
        help="that the model must have, such as interception; may be given again",
    )


def _add_places(command):
    command.add_argument(
        "--places",
        type=Path,
        metavar="FILE",
        help="CSV for the map of many basins: name, latitude, longitude",
    )


def _add_demo(command):
    command.add_argument(
        "--output",
        type=Path,
        default=Path("pymc-hydro-results"),
        metavar="DIR",
        help="folder for the results (default: %(default)s)",
    )
    for name, default in (("draws", 500), ("tune", 500), ("chains", 4)):
        kind = partial(_at_least, LEAST[name])
        command.add_argument(f"--{name}", type=kind, default=default, help=f"default: {default}")
    command.add_argument("--seed", type=int, default=1, help="default: 1")


def _at_least(least: int, text: str) -> int:
    if not text.lstrip("-").isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, found {text}")
    return int(text)


def _add_reader(command):
    command.add_argument("--gauge", help="which basin of the folder")
    command.add_argument("--reader", help="such as read_camels_us (default: found by itself)")
    command.add_argument(
        "--option",
        type=_option,
        action="append",
        metavar="NAME=VALUE",
        help="of the reader, such as area=240.0, pet=oudin or forcing=nldas; may be repeated",
    )


def _option(text):
    """Return name and value; a value that is no number and no list is text."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, found {text!r}")
    try:
        return name, tomllib.loads(f"x = {value}")["x"]
    except tomllib.TOMLDecodeError:
        return name, value


def _warmup(text: str) -> int | str:
    """Return a number of intervals, or the text of a duration."""
    return int(text) if text.lstrip("-").isdigit() else text


def _add_job(command, name):
    command.add_argument(
        "source", nargs="?", metavar="SOURCE", help="embedded basin, file, or folder of a data set"
    )
    command.add_argument("--config", type=Path, metavar="FILE", help="TOML, see below")
    command.add_argument(
        "--output",
        type=Path,
        default=Path("pymc-hydro-results"),
        metavar="DIR",
        help="folder of results; existing results are kept (default: %(default)s)",
    )
    command.add_argument("--force", action="store_true", help="replace results of other settings")
    _add_reader(command)
    command.add_argument(
        "--discharge", metavar="FILE", help="discharge, where it stands in a file of its own"
    )
    command.add_argument("--model", metavar="NAME", help="default: Hymod")
    command.add_argument("--split", metavar="DATE", help="first day of the validation")
    command.add_argument("--warmup", type=_warmup, help="intervals, or 365D (default: 365)")
    if name == "calibrate":
        command.add_argument(
            "--basins",
            metavar="NAMES",
            help="all, or names with commas, of a folder: the output is then a Zarr store, which "
            "the same command continues, and a page about all of them",
        )
        command.add_argument(
            "--executor",
            default="threads",
            help="of --basins: threads, processes, processes:4, dask, dask://host:port "
            "(default: %(default)s)",
        )
        _add_places(command)
    for option in OPTIONS[name]:
        default = DEFAULTS[name][option]
        command.add_argument(f"--{option}", type=type(default), help=f"default: {default}")


def execute(chosen: argparse.Namespace, say: Callable[[str], object] = print) -> int:
    """Run a sub-command; return the exit status. An error is one line on stderr."""
    from pymc_hydro.data.readers import SourceError
    from pymc_hydro.engine.errors import IntegrationError

    try:
        _execute(chosen, say)
    except (UsageError, SourceError) as error:
        return _failure(error, USAGE)
    except KeyboardInterrupt:
        return _failure("interrupted; no file was left half-written", INTERRUPTED)
    except IntegrationError as error:
        return _failure(error, NUMERICS)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, KeyError, ImportError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        if _is_full(error):
            return _failure(f"{text}: results cannot be written; give another --output", WRITING)
        return _failure(text, DATA)
    return OK


def _is_full(error: BaseException | None) -> bool:
    """Return whether an error, or one behind it, says that a disk takes no more."""
    seen = 0
    while error is not None and seen < 10:
        if getattr(error, "errno", None) in FULL or os.strerror(errno.ENOSPC) in str(error):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def _demo(chosen):
    try:
        import matplotlib
    except ImportError:
        raise UsageError("pictures need matplotlib: pip install 'pymc-hydro[plots]'") from None
    matplotlib.use("Agg")  # files only: no display needed

    import pymc_hydro as ph
    from pymc_hydro.command.demo import Settings, run_main_job

    options = {n: getattr(chosen, n) for n in ("output", "draws", "tune", "chains", "seed")}
    run_main_job(ph.Hymod(snow=False), ph.load_basin("leaf_river"), Settings(**options))


def _explore(chosen, say):
    from pymc_hydro.command.source import load_data
    from pymc_hydro.explorer.serve import serve

    options = dict(chosen.option or [])
    basin = load_data(chosen.source, chosen.gauge, chosen.reader, options)
    named = {"gauge": chosen.gauge, "reader": chosen.reader} | options
    given = [repr(chosen.source), *(f"{k}={v!r}" for k, v in named.items() if v is not None)]
    origin = f"basin = ph.read_basin({', '.join(given)})"
    label = chosen.gauge or Path(chosen.source).name
    serve(chosen.model, {label: basin}, chosen.port, not chosen.no_browser, say, origin)


def _report_of_many(store, places, described):
    """Write the page of a store, first with places if there are some; returns its path."""
    from pymc_hydro.command.many import add_places
    from pymc_hydro.command.report import write_page_of_basins

    if places is not None:
        add_places(store, places)
    return write_page_of_basins(store, described)


def _execute(chosen, say):
    from pymc_hydro.command import report, steps

    if chosen.command == "models":
        wanted = {n: getattr(chosen, n) for n in ("snow", "parameters", "stores")}
        wanted["processes"] = tuple(chosen.process)
        steps.list_models(chosen.name, say, equations=chosen.equations, **wanted)
    elif chosen.command == "data":
        options = dict(chosen.option or [])
        steps.list_data(chosen.source, chosen.gauge, chosen.reader, options, say)
    elif chosen.command == "compare":
        table = steps.compare_folders(chosen.folders, say)
        say(table.to_string(index=False, float_format="{:.3f}".format, na_rep=""))
        if chosen.csv is not None:
            table.to_csv(chosen.csv, index=False)
    elif chosen.command == "report":
        described = read_about(chosen.config)
        if report.is_store(chosen.folder):
            say(f"report: {_report_of_many(chosen.folder, chosen.places, described)}")
        else:
            say(f"report: {report.write_report(chosen.folder, described)}")
    elif chosen.command == "demo":
        _demo(chosen)
    elif chosen.command == "explore":
        _explore(chosen, say)
    else:
        given = {
            "data.source": chosen.source,
            "data.gauge": chosen.gauge,
            "data.reader": chosen.reader,
            "data.options": dict(chosen.option) if chosen.option else None,
            "data.discharge": {"source": chosen.discharge} if chosen.discharge else None,
            "model.name": chosen.model,
            "period.split": chosen.split,
            "period.warmup": chosen.warmup,
        }
        for option in OPTIONS[chosen.command]:
            given[f"{chosen.command}.{option}"] = getattr(chosen, option)
        settings = read_settings(chosen.config, given)
        if getattr(chosen, "basins", None) is not None:
            from pymc_hydro.command.many import calibrate_folder

            calibrate_folder(settings, chosen.basins, chosen.executor, chosen.output, say)
            say(f"report: {_report_of_many(chosen.output, chosen.places, settings['about'])}")
            return
        job = steps.Job(settings, chosen.output, chosen.force, say)
        getattr(job, chosen.command)()


def _failure(error, status):
    print(f"pymc-hydro: {error}", file=sys.stderr)
    return status
