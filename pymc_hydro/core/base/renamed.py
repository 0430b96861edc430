"""Names of earlier versions, which work for one version more and warn."""

import functools
import sys
import warnings
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TypeVar, cast

__all__ = ["renamed_argument", "renamed_arguments", "renamed_names"]

F = TypeVar("F", bound=Callable[..., Any])


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
            warnings.warn(
                f"{short}.{name} is now called {short}.{renamed[name]}", FutureWarning, stacklevel=2
            )
            return getattr(sys.modules[package], renamed[name])
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__


def renamed_argument(
    what: str, settings: MutableMapping[str, Any], old: str, new: str, value: Any
) -> Any:
    """Return the value of an argument, given under its new name or its old one.

    Parameters
    ----------
    what : str
        The function, for messages.
    settings : mutable mapping
        The further keywords of the call; the old name is taken out.
    old, new : str
    value
        What was given under the new name, None if nothing was.

    Raises
    ------
    TypeError
        If both are given.
    """
    if old not in settings:
        return value
    if value is not None:
        raise TypeError(f"{what}: {old} is the former name of {new}; give {new} only")
    warnings.warn(f"{what}: {old} is now called {new}", FutureWarning, stacklevel=3)
    return settings.pop(old)


def renamed_arguments(**renamed: str) -> Callable[[F], F]:
    """Decorate a function some of whose arguments had other names: old="new".

    The old names work for this version, with a FutureWarning.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapper(*arguments, **keywords):
            for old in set(renamed) & set(keywords):
                new = renamed[old]
                if new in keywords:
                    raise TypeError(f"{function.__name__}: {old} is now called {new}; give one")
                warnings.warn(
                    f"{function.__name__}: the argument {old} is now called {new}",
                    FutureWarning,
                    stacklevel=2,
                )
                keywords[new] = keywords.pop(old)
            return function(*arguments, **keywords)

        return cast(F, wrapper)

    return decorate
