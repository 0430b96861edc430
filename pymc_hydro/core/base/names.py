"""Names that models share: forcings, and values by name with errors that list the known names."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

__all__ = ["FORCINGS", "Names", "check_arguments", "check_keys"]

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
