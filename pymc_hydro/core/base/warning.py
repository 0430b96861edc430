"""Warnings at the line of the user, and names of earlier versions, which warn."""

import functools
import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

__all__ = ["renamed_arguments", "renamed_names", "warn_user"]

F = TypeVar("F", bound=Callable[..., Any])
PACKAGE = str(Path(__file__).parents[2]) + os.sep
_given: set[tuple[str, type[Warning]]] = set()


def warn_user(text: str, category: type[Warning] = UserWarning, once: bool = False) -> None:
    """Warn at the line outside of the package that led to the warning.

    Parameters
    ----------
    text : str
    category : type
    once : bool
        Whether the text is shown once in a process, and not at each line; filters that show or
        raise warnings each time still do.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    line, module = frame.f_lineno, frame.f_globals.get("__name__", "")
    if once and (text, category) in _given and not _is_repeated(text, category, module, line):
        return
    _given.add((text, category))
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(text, category, frame.f_code.co_filename, line, module, registry)


def _is_repeated(text, category, module, line) -> bool:
    """Return whether the filters of Python show, or raise, a warning each time."""
    for action, message, kind, of_module, at in warnings.filters:
        texts = [(message, text), (of_module, module)]
        fits = all(pattern is None or re.match(pattern, given) for pattern, given in texts)
        if fits and issubclass(category, kind) and at in (0, line):
            return action in ("always", "all", "error")
    return False


def renamed_names(package: str, renamed: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package in which functions have new names.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    renamed : mapping of old to new name
    """

    def __getattr__(name: str) -> Any:
        if name in renamed:
            short = package.replace("pymc_hydro", "ph", 1)
            warn_user(f"{short}.{name} is now called {short}.{renamed[name]}", FutureWarning)
            return getattr(sys.modules[package], renamed[name])
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__


def renamed_arguments(**renamed: str) -> Callable[[F], F]:
    """Decorate a function some of whose arguments had other names: old="new".

    The old names work for this version, with a FutureWarning.
    """

    def decorate(function: F) -> F:
        what = function.__name__

        @functools.wraps(function)
        def wrapper(*arguments, **keywords):
            for old in set(renamed) & set(keywords):
                new = renamed[old]
                if new in keywords:
                    raise TypeError(f"{what}: {old} is the former name of {new}; give {new} only")
                warn_user(f"{what}: {old} is now called {new}", FutureWarning)
                keywords[new] = keywords.pop(old)
            return function(*arguments, **keywords)

        return cast(F, wrapper)

    return decorate
