"""Names that models share: forcings, and values by name with errors that say what is known."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["FORCINGS", "Names", "check_keys"]

# What a basin can be driven by, in the order of the columns of a forcing array, with units.
FORCINGS = {"precipitation": "mm/d", "potential_evaporation": "mm/d", "temperature": "degC"}


class Names:
    """Values by attribute or by key; an unknown name says which ones are known."""

    def __init__(self, owner: str, kind: str, values: Mapping[str, Any]):
        self._owner, self._kind, self._values = owner, kind, dict(values)
        self.used: set[str] = set()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name):
        if name not in self._values:
            raise KeyError(
                f"{self._owner}: unknown {self._kind} {name!r}; known are "
                f"{', '.join(self._values) or 'none'}"
            )
        self.used.add(name)
        return self._values[name]


def check_keys(owner: str, found: Mapping, known: Sequence[str]) -> None:
    """Raise KeyError unless `found` has exactly the keys `known`."""
    unknown = [k for k in found if k not in known]
    missing = [k for k in known if k not in found]
    if unknown or missing:
        what = f"unknown {unknown}" if unknown else f"missing {missing}"
        raise KeyError(f"{owner}: {what}; expected exactly {', '.join(known)}")
