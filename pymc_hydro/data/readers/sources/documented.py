"""Docstrings of the functions that read one source: their common part is said once."""

import inspect
import textwrap
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from pymc_hydro.data.readers.machinery.declaration import Source

__all__ = ["documented"]

F = TypeVar("F", bound=Callable)
REFERENCES = "\nReferences\n----------\n"
fill = partial(
    textwrap.fill,
    width=96,
    initial_indent="    ",
    subsequent_indent="    ",
    break_long_words=False,
    break_on_hyphens=False,
)
TEXTS = {
    "gauge": ("str", "Id of the gauge, with its leading zeros."),
    "pet": (
        "str, optional",
        "Method by which to compute potential evaporation in place of the files', see "
        "``pymc_hydro.data.potential_evaporation``.",
    ),
    "area": ("float, in km2, optional", "Kept as an attribute."),
    "latitude": ("float, in degrees north, optional", "For potential evaporation."),
    "max_gap": (
        "int",
        "Gaps of the forcing up to this many intervals are interpolated, with a warning.",
    ),
}
RESULT = """
Returns
-------
Dataset
    Of the schema, on ``time``; missing discharge is NaN.

Raises
------
FileNotFoundError, KeyError, ValueError
    What is wrong, where, and the usual fix.
"""


def documented(source: Source) -> Callable[[F], F]:
    """Return a decorator that adds parameters, result and errors to a docstring."""

    def add(function: F) -> F:
        own, mark, references = inspect.cleandoc(function.__doc__ or "").partition(REFERENCES)
        lines = ["", "Parameters", "----------"]
        for name in inspect.signature(function).parameters:
            kind, text = _parameter(source, name)
            lines += [f"{name} : {kind}", fill(text)]
        text = own.rstrip() + "\n" + "\n".join(lines) + "\n" + RESULT + mark + references
        function.__doc__ = text.rstrip() + "\n"
        return function

    return add


def _parameter(source, name):
    if name == "root":
        files = [kinds[0].paths[0] for kinds in source.entries]
        shown = ", ".join(f"``{file}``" for file in files).replace("{", "<").replace("}", ">")
        return "str or Path", f"Folder that holds, at any depth, {shown}."
    if name == "path":
        return "str or Path", "The file."
    if name in source.options:
        values = source.options[name]
        if isinstance(values, str):
            return "str", f'Such as "{values}", the default.'
        return "{" + ", ".join(f'"{value}"' for value in values) + "}", "The default is the first."
    return TEXTS[name]
