"""The settings of a job: defaults, then a TOML file, then command-line options."""

import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

__all__ = ["DEFAULTS", "LEAST", "UsageError", "read_about", "read_settings"]

# Section, key: default. A value must have the type of its default; None stands for any string.
DEFAULTS: dict[str, dict[str, Any]] = {
    "data": {"source": None, "gauge": None, "reader": None, "options": {}, "discharge": {}},
    "model": {"name": "Hymod", "options": {}},
    "period": {"split": None, "warmup": 365},
    "run": {"outputs": ["discharge", "evaporation"], "parameters": {}},
    "calibrate": {"loss": "nse_sqrt", "starts": 4, "seed": 1},
    "sample": {
        "likelihood": "normal",
        "scale": "linear",
        "ar": 0,
        "draws": 500,
        "tune": 500,
        "chains": 4,
        "seed": 1,
    },
    "about": {"title": None, "author": None, "coordinates": None},
}
# Keys of [data.discharge], a file of its own beside that of the forcing.
DISCHARGE = ("source", "gauge", "reader", "options", "units", "area")
LEAST = {"draws": 2, "chains": 2, "tune": 1, "starts": 1, "warmup": 0}


class UsageError(Exception):
    """The command line or the configuration is wrong."""


def read_settings(path: Path | None, given: dict) -> dict:
    """Return the settings by section.

    Parameters
    ----------
    path : Path or None
        A TOML file with any of the sections and keys of ``DEFAULTS``.
    given : dict of "section.key" to value
        Command-line options, which replace settings of the file; None if an option is not given.

    Raises
    ------
    UsageError
        If the file is not TOML, or a key is unknown or of the wrong kind.
    """
    settings = deepcopy(DEFAULTS)
    if path is not None:
        _read(path, settings)
        for data in (settings["data"], settings["data"]["discharge"]):
            source = data.get("source")
            if source is not None and (path.parent / source).exists():  # beside the configuration
                data["source"] = str(path.parent / source)
    for name, value in given.items():
        if value is not None:
            section, _, key = name.partition(".")
            _put(settings, section, key, value, f"--{key}")
    if settings["data"]["source"] is None:
        raise UsageError("no data: name an embedded basin, a file or a folder")
    return settings


def read_about(path: Path | None) -> dict:
    """Return the section ``[about]`` of a TOML file, without empty entries."""
    settings = deepcopy(DEFAULTS)
    if path is not None:
        _read(path, settings)
    return {name: value for name, value in settings["about"].items() if value is not None}


def _read(path, settings):
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such configuration") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML: {error}") from None
    for section, values in found.items():
        if section not in DEFAULTS or not isinstance(values, dict):
            raise UsageError(
                f"{path}: unknown section [{section}]; known are {', '.join(DEFAULTS)}"
            )
        for key, value in values.items():
            _put(settings, section, key, value, f"{path}: [{section}] {key}")


def _put(settings, section, key, value, where):
    if key not in DEFAULTS[section]:
        raise UsageError(f"{where}: unknown; known are {', '.join(DEFAULTS[section])}")
    default = DEFAULTS[section][key]
    kind = str if default is None else type(default)
    duration = key == "warmup" and isinstance(value, str)
    if not duration and (not isinstance(value, kind) or isinstance(value, bool)):
        if default is None and not isinstance(value, (dict, list, bool)):
            value = str(value)  # dates and gauges need no quotes
        else:
            raise UsageError(f"{where}: expected {kind.__name__}, found {value!r}")
    if key in LEAST and not duration and value < LEAST[key]:
        raise UsageError(f"{where}: must be at least {LEAST[key]}, found {value}")
    if key == "discharge":
        _check_discharge(value, where)
    if isinstance(value, dict):
        value = settings[section][key] | value
    settings[section][key] = value


def _check_discharge(value, where):
    if strange := [name for name in value if name not in DISCHARGE]:
        raise UsageError(
            f"{where}: {', '.join(strange)}: unknown; known are {', '.join(DISCHARGE)}"
        )
    if not isinstance(value.get("source"), str):
        raise UsageError(f"{where}: expected source, a file or folder with discharge")
    if not isinstance(value.get("options", {}), dict):
        raise UsageError(f"{where}: options: expected a table such as {{ area = 240.0 }}")
