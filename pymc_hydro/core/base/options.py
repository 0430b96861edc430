"""The options of a model class: its signature, its docstring, and the identity of a model."""

import inspect
import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np

__all__ = ["document_options", "freeze", "full_signature", "snapshot"]

# Of a docstring by numpydoc: the section Parameters, and the headings that may follow it.
SECTION = re.compile(r"^Parameters\n-{3,}\n((?:(?!\n\n\S).)*)", re.MULTILINE | re.DOTALL)
FOLLOWING = re.compile(r"^(Raises|See Also|Notes|References|Examples)\n-{3,}$", re.MULTILINE)


def full_signature(cls: type) -> inspect.Signature:
    """Return the signature of a class with the arguments that its ``**options`` stand for.

    An ``__init__`` with ``**options`` passes them on to the ``__init__`` of its base. An argument
    of the base is then an argument of the class too, by keyword.
    """
    found: dict[str, inspect.Parameter] = {}
    own = True
    for owner in cls.__mro__:
        if owner is object or "__init__" not in vars(owner):
            continue
        parameters = list(inspect.signature(vars(owner)["__init__"]).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                kind = parameter.kind if own else parameter.KEYWORD_ONLY
                found.setdefault(parameter.name, parameter.replace(kind=kind))
            elif parameter.kind is not parameter.VAR_KEYWORD:
                found.setdefault(parameter.name, parameter)
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            break
        own = False
    return inspect.Signature(sorted(found.values(), key=lambda parameter: parameter.kind))


def document_options(doc: str, bases: Iterable[str], names: Iterable[str]) -> str:
    """Return the docstring of a class with entries for the options that it inherits.

    Parameters
    ----------
    doc : str
        Its own docstring, by numpydoc.
    bases : iterable of str
        Docstrings of its bases, the nearest first, which describe options in ``Parameters``.
    names : iterable of str
        All arguments of the class.
    """
    inherited: dict[str, str] = {}
    for base in bases:
        inherited = _entries(base) | inherited
    known = _entries(doc)
    added = [inherited[name] for name in names if name in inherited and name not in known]
    if not added:
        return doc
    text = "\n".join(dict.fromkeys(added))
    section = SECTION.search(doc)
    if section:
        return f"{doc[: section.end()].rstrip()}\n{text}{doc[section.end() :]}"
    following = FOLLOWING.search(doc)
    at = following.start() if following else len(doc)
    return f"{doc[:at].rstrip()}\n\nParameters\n----------\n{text}\n\n{doc[at:]}".rstrip()


def _entries(doc: str) -> dict[str, str]:
    """Return the entries of the section Parameters by the name of the argument."""
    section = SECTION.search(doc)
    entries = re.split(r"\n(?=\S)", section[1].rstrip()) if section else []
    names = {entry: entry.partition(" :")[0].split(",") for entry in entries}
    return {name.strip(): entry for entry in entries for name in names[entry]}


def snapshot(value: Any) -> Any:
    """Return a copy of an option that does not change when its owner changes the original."""
    if isinstance(value, Mapping):
        return {k: snapshot(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [snapshot(v) for v in value]
    return value


def freeze(value: Any) -> Hashable:
    """Return an option as a hashable object: equal for equal options, in any order of keys."""
    if isinstance(value, Mapping):
        return frozenset((k, freeze(v)) for k, v in value.items())
    if isinstance(value, np.ndarray):
        return freeze(value.tolist())
    if isinstance(value, (list, tuple)):
        return tuple(freeze(v) for v in value)
    return frozenset(value) if isinstance(value, set) else value
