"""The public interface in words; ``python -m tests.public_signatures`` writes signatures.txt.

Every public name with its arguments and their defaults: what changes here changes for users.
"""

import inspect
from pathlib import Path

import pymc_hydro as ph

RECORDED = Path(__file__).parent / "signatures.txt"
MODULES = (
    *("core", "data", "gr", "likelihoods", "losses", "marrmot", "ops", "plots", "signatures"),
    *("testing", "verification"),
)
SIMPLE = (bool, int, float, str, bytes, type(None))


def shown(value):
    """Return a default as text, the same in every version of Python."""
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(shown, value))})"
    return repr(value) if isinstance(value, SIMPLE) else type(value).__name__


def arguments(thing):
    found = []
    for p in inspect.signature(thing).parameters.values():
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**", p.KEYWORD_ONLY: "/"}.get(p.kind, "")
        default = "" if p.default is p.empty else f"={shown(p.default)}"
        found.append(f"{star}{p.name}{default}")
    return f"({', '.join(found)})"


def lines():
    """Return a line for each public function and class; a slash marks names that must be given."""
    places = {"": ph} | {f"{name}.": getattr(ph, name) for name in MODULES}
    found = []
    for place, module in places.items():
        for name in sorted(module.__all__):
            thing = getattr(module, name)
            if isinstance(thing, type) and issubclass(thing, (Exception, tuple)):
                continue
            if callable(thing) and not inspect.ismodule(thing):
                found.append(f"{place}{name}{arguments(thing)}")
    return found


if __name__ == "__main__":
    RECORDED.write_text("\n".join(lines()) + "\n", encoding="utf-8")
