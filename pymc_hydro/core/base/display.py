"""A model as text and as HTML: its parameter table and a sketch of its stores; consoles."""

import html
from importlib.util import find_spec
from typing import Any

__all__ = ["describe", "describe_html", "parameter_rows", "shows_motion", "sketch"]

HEAD = ("parameter", "lower", "upper", "default", "unit", "meaning")


def parameter_rows(model: Any) -> list[tuple[str, ...]]:
    """Return the cells of the parameter table, without its head."""
    return [
        (p.name, f"{p.lower:g}", f"{p.upper:g}", f"{p.default:g}", p.unit, p.description)
        for p in model.parameters
    ]


def sketch(model: Any) -> list[str]:
    """Return two lines for each store: its description, and its flows."""
    lines = []
    for store in model.stores:
        into = [f for f in model.flows if f.target == store.name]
        out = [f for f in model.flows if f.source == store.name]
        entering = ", ".join(f"{f.flux} from {f.source or 'outside'}" for f in into)
        leaving = ", ".join(f"{f.flux} to {f.target or 'outside'}" for f in out)
        lines.append(f"[{store.name}] {store.description}")
        lines.append(f"    in: {entering or '-'};  out: {leaving or '-'}")
    if model.routing is not None:
        lines.append(f"{model.routing.output}: {model.routing.description}")
    for each in model.hydrographs:
        enters = [f for f in model.flows if f.target == each.output]
        entering = ", ".join(f"{f.flux} from {f.source or 'outside'}" for f in enters)
        leaves = [f for f in model.flows if f.source == each.output]
        leaving = ", ".join(f"{f.flux} to {f.target or 'outside'}" for f in leaves)
        lines += [f"({each.output}) {each.description}", f"    in: {entering};  out: {leaving}"]
    return lines


def describe(model: Any) -> str:
    """Return the table and the sketch as text."""
    options = ", ".join(f"{k}={v!r}" for k, v in model.options.items())
    rows = [HEAD, *parameter_rows(model)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    table = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return "\n".join([f"{type(model).__name__}({options})", "", *table, "", *sketch(model)])


def describe_html(model: Any) -> str:
    """Return the table and the sketch as HTML."""
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in parameter_rows(model)
    )
    title = "".join(f"<th>{cell.capitalize()}</th>" for cell in HEAD)
    return (
        f"<b>{type(model).__name__}</b><table><thead><tr>{title}</tr></thead>"
        f"<tbody>{body}</tbody></table><pre>{html.escape(chr(10).join(sketch(model)))}</pre>"
    )


def shows_motion(console: Any) -> bool:
    """Return whether a line can move in a console of Rich: a notebook needs ipywidgets for it."""
    if console.is_jupyter:
        return find_spec("ipywidgets") is not None
    return console.is_terminal
