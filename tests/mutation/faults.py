"""The faults, as ``faults.txt`` holds them.

A fault is a line with a file of the package and arguments of pytest, then lines that begin with
"-", which stand in the file once, and lines that begin with "+", which take their place.
"""

import shlex
from pathlib import Path
from typing import NamedTuple

__all__ = ["Fault", "read_faults"]


class Fault(NamedTuple):
    """A fault in a file of the package, and the tests that should fail."""

    file: str
    old: str
    new: str
    tests: list[str]

    @property
    def package(self) -> str:
        return self.file.split("/")[0].removesuffix(".py")


def read_faults(path: Path = Path(__file__).parent / "faults.txt") -> list[Fault]:
    found = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        head, *lines = block.split("\n")
        file, tests = head.split(" | ")
        old, new = ("\n".join(s[1:] for s in lines if s[0] == sign) for sign in "-+")
        found.append(Fault(file, old, new, shlex.split(tests)))
    return found
