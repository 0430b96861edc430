"""Names that models share: forcings, and values by name with errors that list the known names."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

__all__ = ["FORCINGS", "Names", "as_vector", "check_arguments", "check_keys"]

# The forcings of a basin, in the order of the columns of a forcing array, with units.
FORCINGS = {
    "precipitation": "mm/d",
    "potential_evaporation": "mm/d",
    "temperature": "degC",
    "day_of_year": "d",
}


class Names:
    """Values by attribute or by key; an unknown name says which ones are known."""

    def __init__(self, owner: str, kind: str, values: Mapping[str, Any]):
        self._owner, self._kind, self._values = owner, kind, dict(values)
        self.used: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            raise KeyError(
                f"{self._owner}: unknown {self._kind} {name!r}; known are "
                f"{', '.join(self._values) or 'none'}"
            )
        self.used.add(name)
        return self._values[name]


def check_keys(owner: str, found: Mapping, known: Sequence[Any]) -> None:
    """Raise KeyError unless `found` has exactly the keys `known`."""
    unknown = [k for k in found if k not in known]
    missing = [k for k in known if k not in found]
    if unknown or missing:
        what = f"unknown {unknown}" if unknown else f"missing {missing}"
        raise KeyError(f"{owner}: {what}; expected exactly {', '.join(map(str, known))}")


def check_arguments(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise TypeError if an argument has an unknown name; the message suggests the nearest one.

    Parameters
    ----------
    what : str
        The function or class that was called.
    given : iterable of str
        Names of the arguments that the signature does not list, such as the names in
        ``**settings``.
    known : iterable of str
        Names of all arguments that it takes.
    """
    known = list(known)
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise TypeError(
                f"{what}: unknown argument {name!r}; {meant}known are {', '.join(known) or 'none'}"
            )


def as_vector(what: str, theta: Any, names: tuple[str, ...]) -> np.ndarray:
    """Return parameters as a finite array, the last axis in the order of `names`.

    Parameters
    ----------
    what : str
        The argument, in messages.
    theta : mapping of name to value, or array_like, shape (..., n_parameter)
    names : tuple of str
    """
    if isinstance(theta, Mapping):
        check_keys(what, theta, names)
        values = [np.asarray(theta[n], dtype=float) for n in names]
        array = np.stack(np.broadcast_arrays(*values), axis=-1)
    else:
        array = np.asarray(theta, dtype=float)
    if array.ndim not in (1, 2) or array.shape[-1] != len(names):
        raise ValueError(
            f"{what} must have shape (n_parameter,) or (n_draw, n_parameter) with "
            f"n_parameter = {len(names)} ({', '.join(names)}), found {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{what} has values that are not finite")
    return np.ascontiguousarray(array)
