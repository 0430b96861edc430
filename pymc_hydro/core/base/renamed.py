"""Names of earlier versions, which work for one version more and warn."""

import functools
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

__all__ = ["renamed_arguments", "renamed_names"]

F = TypeVar("F", bound=Callable[..., Any])


def renamed_names(
    package: str, renamed: Mapping[str, str], stacklevel: int = 2
) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package in which functions have new names.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    renamed : mapping of old to new name
    stacklevel : int
        Of the warning, as in :func:`warnings.warn`.
    """

    def __getattr__(name: str) -> Any:
        if name in renamed:
            short = package.replace("pymc_hydro", "ph", 1)
            warnings.warn(
                f"{short}.{name} is now called {short}.{renamed[name]}",
                FutureWarning,
                stacklevel=stacklevel,
            )
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
                warnings.warn(f"{what}: {old} is now called {new}", FutureWarning, stacklevel=2)
                keywords[new] = keywords.pop(old)
            return function(*arguments, **keywords)

        return cast(F, wrapper)

    return decorate
