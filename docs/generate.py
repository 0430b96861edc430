"""Write the pages that follow from the code: one a model, the public interface, references."""

import inspect
import textwrap
from importlib import import_module
from pathlib import Path

import matplotlib
from references import references_page

import pymc_hydro as ph
from pymc_hydro import plots
from pymc_hydro.core.base import display
from pymc_hydro.core.base.display import HEAD, parameter_rows

# Public modules, each with a page of its own.
MODULES = (
    "core",
    "data",
    "losses",
    "ops",
    "likelihoods",
    "signatures",
    "verification",
    "plots",
    "testing",
)


def write_pages(folder: Path) -> None:
    """Write Markdown and pictures into `folder`."""
    import matplotlib.pyplot as plt

    matplotlib.use("Agg")
    folder.mkdir(exist_ok=True)
    names = []
    for kind in ph.MODELS:
        name = kind.__name__
        ax = plots.plot_structure(kind())
        ax.figure.savefig(folder / f"{name}.png", dpi=90)
        plt.close(ax.figure)
        _write(folder / f"{name}.md", _model_page(kind))
        names.append(name)
    entries = "\n".join([*names, "marrmot"])
    _write(folder / "models.md", f"# One page a model\n\n```{{toctree}}\n{entries}\n```\n")
    _write(folder / "marrmot.md", _structures())
    _write(folder / "api.md", _interface())
    for name in MODULES:
        _write(folder / f"api_{name}.md", _module_page(name))
    _write(folder / "references.txt", references_page())


def _structures():
    """Return the page of the structures of MARRMoT, by number, each with a sketch of its stores."""
    parts = [f"# Structures of MARRMoT\n\n{inspect.getdoc(ph.marrmot)}\n"]
    table = [("number", "name", "parameters", "stores", "processes"), ("---",) * 5]
    for name, row in ph.models().iterrows():
        if row["number"]:
            size = str(row["parameters"]), str(row["stores"])
            table.append(
                (row["number"], f"[{name}](#{name.lower()})", *size, ", ".join(row.processes))
            )
    parts.append(_table(table))
    for kind in ph.marrmot.MODELS:
        sketch = "\n".join(display.sketch(kind()))
        fluxes = textwrap.dedent(inspect.getsource(kind.fluxes))
        parts.append(
            f"## {kind.__name__}\n\n{kind.number}\n\n"
            f"```{{eval-rst}}\n.. autoclass:: {kind.__module__}.{kind.__name__}\n```\n\n"
            f"{_table([HEAD, ('---',) * len(HEAD), *parameter_rows(kind())])}\n\n"
            f"```text\n{sketch}\n```\n\n```python\n{fluxes}\n```\n"
        )
    return "\n".join(parts)


def _table(rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _model_page(kind):
    model = kind()
    table = _table([HEAD, ("---",) * len(HEAD), *parameter_rows(model)])
    outputs = "\n".join(f"- `{o.name}` ({o.unit}): {o.description}" for o in model.outputs)
    fluxes = inspect.getsource(kind.fluxes)
    directive = f"```{{eval-rst}}\n.. autoclass:: pymc_hydro.{kind.__name__}\n```"
    return (
        f"# {kind.__name__}\n\n{directive}\n\n"
        f"## Parameters\n\n{table}\n\n"
        f"## Stores and flows\n\n![Stores and flows of {kind.__name__}]({kind.__name__}.png)\n\n"
        f"## Outputs\n\n{outputs}\n\nand every store and flux by its name.\n\n"
        f"## Fluxes, as declared\n\n```python\n{textwrap.dedent(fluxes)}\n```\n"
    )


def _interface():
    """Return the page of what `pymc_hydro` itself holds, with links to the pages of its modules."""
    skipped = {m.__name__ for m in ph.MODELS} | {"MODELS", "marrmot", "models", *MODULES}
    pages = "\n".join(f"ph.{name} <api_{name}>" for name in MODULES)
    parts = ["# Public interface\n", f"```{{toctree}}\n:maxdepth: 1\n{pages}\n```\n"]
    parts += [_entry(f"pymc_hydro.{n}", getattr(ph, n)) for n in ph.__all__ if n not in skipped]
    return "\n".join(parts)


def _module_page(name):
    """Return the page of a public module: what it is for, its names, and those of inner modules."""
    module = import_module(f"pymc_hydro.{name}")
    public = {n: getattr(module, n) for n in module.__all__}
    inner = {n: thing for n, thing in public.items() if inspect.ismodule(thing)}
    within = [getattr(m, n) for m in inner.values() for n in m.__all__]
    parts = [f"# ph.{name}\n", f"{inspect.getdoc(module)}\n"]
    for n, thing in public.items():
        if callable(thing) and not any(thing is other for other in within):
            parts.append(_entry(f"pymc_hydro.{name}.{n}", thing))
    for key, owner in inner.items():
        parts.append(f"## {name}.{key}\n\n{inspect.getdoc(owner)}\n")
        for n in owner.__all__:
            thing = getattr(owner, n)
            if not callable(thing):  # a number
                continue
            short = name if public.get(n) is thing else f"{name}.{key}"
            parts.append(_entry(f"pymc_hydro.{short}.{n}", thing))
    return "\n".join(parts)


def _entry(path, thing):
    """Return the directive of a name; a class of another page's module is indexed there only."""
    kind, option = "autofunction", ""
    if inspect.isclass(thing):
        kind, home = "autoclass", thing.__module__.split(".")[1]
        option = "   :no-index:\n" * (home in MODULES and home != path.split(".")[1])
    return f"```{{eval-rst}}\n.. {kind}:: {path}\n{option}```\n"


def _write(path, text):
    """Write a page only if it changed, so that Sphinx reads it again only then."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
