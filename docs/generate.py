"""Write the pages that follow from the code: one a model, the public interface, references."""

import inspect
import textwrap
from importlib import import_module
from pathlib import Path

import matplotlib
from gallery import gallery_pages
from references import references_page

import pymc_hydro as ph
from pymc_hydro import plots
from pymc_hydro.core.base import display
from pymc_hydro.core.base.display import HEAD, parameter_rows
from pymc_hydro.engine.derivation.equations import latex_lines
from pymc_hydro.models import fuse

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

# Of the public interface: each with the rooms whose names it has.
GROUPS = {
    "Records of basins": ("data",),
    "Run a model": ("engine", "attribution", "explorer", "integrators"),
    "In a PyMC model": ("inference",),
    "Calibrate": ("calibration",),
    "Regions": ("regionalization",),
    "Models": ("models", "core"),
}

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks" / "README.md"


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
    entries = "\n".join([*names, "gr", "marrmot", "fuse"])
    _write(folder / "models.md", f"# One page a model\n\n```{{toctree}}\n{entries}\n```\n")
    _write(folder / "marrmot.md", _family("Structures of MARRMoT", ph.marrmot))
    _write(folder / "fuse.md", _fuse_page())
    _write(folder / "gr.md", _family("GR models in discrete time", ph.gr, _gr_laws()))
    _write(folder / "api.md", _interface())
    for name in MODULES:
        _write(folder / f"api_{name}.md", _module_page(name))
    measured = BENCHMARKS.read_text(encoding="utf-8")
    _write(folder / "benchmarks.md", measured.replace("](../docs/", "](../"))
    _write(folder / "references.txt", references_page())
    for name, page in gallery_pages().items():
        _write(folder / f"{name}.md", page)


def _family(title, module, common=()):
    """Return the page of a module of models: common laws, and each model with its stores."""
    parts = [f"# {title}\n\n{inspect.getdoc(module)}\n"]
    table = [("number", "name", "parameters", "stores", "processes"), ("---",) * 5]
    for label, row in ph.models().iterrows():
        family, _, name = label.rpartition("/")
        if (family or row["number"]) and name in [kind.__name__ for kind in module.MODELS]:
            size = str(row["parameters"]), str(row["stores"])
            known = row["number"] or f"`{label}`"
            table.append((known, f"[{name}](#{name.lower()})", *size, ", ".join(row.processes)))
    parts.append(_table(table))
    for law in common:
        parts.append(f"```python\n{textwrap.dedent(inspect.getsource(law))}\n```\n")
    mathematics = {kind: _mathematics(kind()) for kind in module.MODELS}
    parts.append(_legend("".join(mathematics.values()), EXACT))
    for kind in module.MODELS:
        sketch = "\n".join(display.sketch(kind()))
        fluxes = textwrap.dedent(inspect.getsource(kind.fluxes))
        parts.append(
            f"## {kind.__name__}\n\n{getattr(kind, 'number', '')}\n\n"
            f"```{{eval-rst}}\n.. autoclass:: {kind.__module__}.{kind.__name__}\n```\n\n"
            f"{_table([HEAD, ('---',) * len(HEAD), *parameter_rows(kind())])}\n\n"
            f"```text\n{sketch}\n```\n\n{mathematics[kind]}\n\n```python\n{fluxes}\n```\n"
        )
    return "\n".join(parts)


# A structure of FUSE that goes with each choice but w2sat; and which fluxes a decision is about.
BASE = {
    "upper": "tension1", "lower": "fixedsiz", "surface": "prms", "percolation": "f2sat",
    "evaporation": "sequential", "interflow": "some", "routing": "gamma",
}  # fmt: skip
ABOUT = {
    "rainfall_error": ("x_p",),
    "upper": ("t_", "o_1", "e_T1", "e_W1"),
    "lower": ("q_W2", "q_F2", "o_W2", "o_F2", "t_F2", "e_2"),
    "surface": ("q_s",),
    "percolation": ("p_W2",),
    "evaporation": ("e_",),
    "interflow": ("q_i",),
}


def _fuse_page():
    """Return the page of FUSE: its decisions with their equations, and the four parents."""
    parts = [
        "# Structures of FUSE\n\n```{eval-rst}\n.. autoclass:: pymc_hydro.FUSE\n```\n",
        f"## Name a structure\n\n{NAMED}\n",
        f"{_table(_parents())}\n",
        f"## Decisions\n\n{DECIDED}\n",
    ]
    found = [(decision, _choices(decision)) for decision in ABOUT]
    parents = {name: ph.FUSE.parent(name) for name in fuse.PARENTS}
    mathematics = {name: _mathematics(model) for name, model in parents.items()}
    shown = [text for _, choices in found for text in choices] + list(mathematics.values())
    parts.append(_legend("".join(shown), EXACT))
    for decision, choices in found:
        parts.append("\n\n".join([f"### {decision}", *choices, ""]))
    parts.append(f"### routing\n\n{ROUTED}\n")
    for name, model in parents.items():
        sketch = "\n".join(display.sketch(model))
        parts.append(
            f"## {name}\n\n{_table([HEAD, ('---',) * len(HEAD), *parameter_rows(model)])}\n\n"
            f"```text\n{sketch}\n```\n\n{mathematics[name]}\n"
        )
    return "\n".join(parts)


NAMED = """By its decisions, by the name of a parent, or by its place among all combinations:

```python
ph.FUSE(upper="tension1", lower="unlimfrc", percolation="f2sat", interflow="some")
ph.FUSE.parent("sacramento", snow=True)
ph.calibrate("fuse/prms", basin)  # so is each function that takes a model
ph.simulate("fuse/385", theta, basin)
ph.models.fuse.combinations()[384]  # the decisions of that structure
```

`pymc-hydro calibrate SOURCE --model fuse/topmodel` names one on the command line. The places are
those of the original enumeration of 1248 structures, counted from one. The parents, which have no
rainfall error:"""
DECIDED = """The names of the original code are in parentheses; both are taken. Below are the
equations that a choice determines, in a structure of one tension store above a store of fixed size
where nothing else is said. `tension2` does not go with `tens2pll`, and `w2sat` needs `onestate`."""
ROUTED = """`gamma` (`rout_gamma`): a gamma distribution of shape 2.5 and mean `timedelay` delays
discharge. Its ordinates up to twelve mean delays are divided by their sum.

`none` (`no_routing`): discharge is not delayed."""


def _parents():
    """Return a table of the decisions of the four parents."""
    head = ("", *fuse.PARENTS)
    rows = [(d, *(p[d] for p in fuse.PARENTS.values())) for d in BASE]
    return [head, ("---",) * len(head), *rows]


def _choices(decision):
    """Return what each choice of a decision determines: fluxes, and balances of its stores."""
    found, further = [], fuse.decisions.FURTHER.get(decision, {})
    for original, choice in (fuse.DECISIONS[decision] | further).items():
        needed = {"upper": "onestate"} if choice == "w2sat" else {}
        model = ph.FUSE(**BASE | {decision: choice} | needed)
        given = ph.equations(model)
        fluxes = {n: e for n, e in given.readable.items() if n.startswith(ABOUT[decision])}
        layer = "1" if decision == "upper" else "2"
        rates = given.right_hand_side if decision in ("upper", "lower") else {}
        rates = {store: rate for store, rate in rates.items() if layer in store}
        lines = latex_lines(fluxes, rates, given.change)
        text = "\n\n".join(f"$${line}$$" for line in lines) or "There is no such flux."
        found.append(f"`{choice}` (`{original}`):\n\n{text}")
    return found


def _gr_laws():
    """Return what the flux functions of the GR models call."""
    base = ph.gr.AbstractGR
    drained = import_module(base.__module__).drained
    return ph.core.CemaNeige.fluxes, base.production, drained, base.routed, base.direct


def _table(rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _model_page(kind):
    model = kind()
    table = _table([HEAD, ("---",) * len(HEAD), *parameter_rows(model)])
    outputs = "\n".join(f"- `{o.name}` ({o.unit}): {o.description}" for o in model.outputs)
    fluxes, mathematics = inspect.getsource(kind.fluxes), _mathematics(model)
    directive = f"```{{eval-rst}}\n.. autoclass:: pymc_hydro.{kind.__name__}\n```"
    return (
        f"# {kind.__name__}\n\n{directive}\n\n"
        f"## Parameters\n\n{table}\n\n"
        f"## Stores and flows\n\n![Stores and flows of {kind.__name__}]({kind.__name__}.png)\n\n"
        f"## Outputs\n\n{outputs}\n\nand every store and flux by its name.\n\n"
        f"## Equations\n\n{_legend(mathematics)}{mathematics}\n\n"
        f"## Fluxes, as declared\n\n```python\n{textwrap.dedent(fluxes)}\n```\n"
    )


EXACT = "they are, unless a model is given a `width`"
SYMBOLS = {
    "E_p": "$E_p$ is potential evaporation",
    r"\gamma": r"$\gamma$ is the lower incomplete gamma function",
    r"\operatorname{overflow}": r"$\operatorname{overflow}(S, C)$ is the "
    "[share that a store sheds](names/pymc_hydro.core.overflow)",
    r"\operatorname{softplus}": r"$\operatorname{softplus}(x)$ is a "
    "[maximum of 0 and $x$ whose tail vanishes](names/pymc_hydro.core.softplus)",
    r"\operatorname{step}": r"$\operatorname{step}(x)$ is 0 below $x = 0$ and 1 above",
    "y_{": "$y_i$ stand for expressions that are long or come back",
}


def _mathematics(model):
    """Return each flux in the symbols of stores, forcings and parameters, and the balances."""
    return "\n\n".join(f"$${line}$$" for line in ph.equations(model).latex())


def _legend(text, kinks="most are smooth over a narrow width, which the fluxes as declared give"):
    """Return what the symbols of equations mean that are no names of the model."""
    used = [meaning for symbol, meaning in SYMBOLS.items() if symbol in text]
    return (
        f"$P$ is precipitation, $T$ temperature, {', '.join(used)}. Maxima, minima and thresholds "
        f"are written as if they were exact; {kinks}.\n\n"
    )


def _interface():
    """Return the page of what `pymc_hydro` itself holds, with links to the pages of its modules."""
    skipped = {m.__name__ for m in ph.MODELS} | {"FUSE", "MODELS", "gr", "marrmot", "models"}
    skipped |= set(MODULES)
    names = [n for n in ph.__all__ if n not in skipped]
    home = {n: getattr(ph, n).__module__.split(".")[1] for n in names}
    pages = "\n".join(f"ph.{name} <api_{name}>" for name in MODULES)
    parts = ["# Public interface\n"]
    for title, rooms in GROUPS.items():
        parts += [f"## {title}\n", _summary("pymc_hydro", [n for n in names if home[n] in rooms])]
    parts.append(f"## Modules\n\n```{{toctree}}\n:maxdepth: 1\n{pages}\n```\n")
    missing = set(home.values()).difference(*GROUPS.values())
    assert not missing, f"no group of the public interface has {missing}"
    return "\n".join(parts)


def _module_page(name):
    """Return the page of a public module: what it is for, its names, and those of inner modules."""
    module = import_module(f"pymc_hydro.{name}")
    public = {n: getattr(module, n) for n in module.__all__}
    inner = {n: thing for n, thing in public.items() if inspect.ismodule(thing)}
    within = [getattr(m, n) for m in inner.values() for n in m.__all__]
    own = [n for n, t in public.items() if callable(t) and not any(t is o for o in within)]
    lent = [n for n in own if _home(public[n]) in MODULES and _home(public[n]) != name]
    own = [n for n in own if n not in lent]
    parts = [f"# ph.{name}\n", f"{inspect.getdoc(module)}\n"]
    parts += [
        f"`{n}` is the one of [ph.{_home(public[n])}](api_{_home(public[n])}).\n" for n in lent
    ]
    parts.append(_summary(f"pymc_hydro.{name}", own))
    for key, owner in inner.items():
        parts.append(f"## {name}.{key}\n\n{inspect.getdoc(owner)}\n")
        paths = {
            n: name if public.get(n) is getattr(owner, n) else f"{name}.{key}"
            for n in owner.__all__
            if callable(getattr(owner, n))  # the others are numbers
        }
        for path in dict.fromkeys(paths.values()):
            shown = [n for n in paths if paths[n] == path]
            parts.append(_summary(f"pymc_hydro.{path}", shown))
    return "\n".join(parts)


def _home(thing):
    """Return the room below the package where a class is defined; of all else, an empty text."""
    return thing.__module__.split(".")[1] if inspect.isclass(thing) else ""


def _summary(module, names):
    """Return a table of names, each with a page of its own."""
    if not names:
        return ""
    rows = "\n".join(f"   {module}.{name}" for name in names)
    return (
        f"```{{eval-rst}}\n.. autosummary::\n   :toctree: names\n   :nosignatures:\n\n{rows}\n```\n"
    )


def _write(path, text):
    """Write a page only if it changed, so that Sphinx reads it again only then."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
