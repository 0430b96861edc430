"""Collect the references of all docstrings into one list."""

import ast
import re
from pathlib import Path

import pymc_hydro
from pymc_hydro.integrators import METHODS

SECTION = re.compile(r"References\n-{3,}\n(.*?)(?=\n\n\w+\n-{3,}|\Z)", re.DOTALL)
START = re.compile(r"(?<=\n)(?=[A-Z][\w'-]+, [A-Z])")  # a line that begins with "Author, A."
IDENTIFIER = re.compile(r"(doi:\S+?|arXiv:\S+?)(?=\.?(?:\s|$))")


def collect() -> dict[str, list[str]]:
    """Return each reference with what cites it: names of functions, classes and methods."""
    cited: dict[str, list[str]] = {}
    for path in sorted(Path(pymc_hydro.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            section = SECTION.search(ast.get_docstring(node) or "")
            for entry in START.split("\n" + section[1]) if section else ():
                if entry.strip():
                    users = cited.setdefault(" ".join(entry.split()), [])
                    users.append(getattr(node, "name", path.stem))
    for method in METHODS:
        cited.setdefault(method.reference, []).append(method.name)
    return dict(sorted(cited.items()))


def separate(app, what, name, obj, options, lines) -> None:
    """Make each reference of a docstring a paragraph of its own (a hook of autodoc)."""
    text = "\n".join(lines)
    section = SECTION.search(text)
    if section:
        entries = "\n".join(START.split("\n" + section[1])).strip("\n")
        lines[:] = (text[: section.start(1)] + entries + text[section.end(1) :]).split("\n")


def references_page() -> str:
    """Return the list in Markdown."""
    lines = []
    for entry, users in collect().items():
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(users))
        lines.append(f"- {IDENTIFIER.sub(_link, entry)} ({names})")
    return "\n".join(lines) + "\n"


def _link(match):
    kind, _, key = match[1].partition(":")
    host = "https://doi.org/" if kind == "doi" else "https://arxiv.org/abs/"
    return f"[{match[1]}]({host}{key})"
