"""Sketch of a model's stores and flows, drawn from its declaration."""

from textwrap import wrap
from typing import Any

from pymc_hydro.models.listing import as_model
from pymc_hydro.plots.series import COLORS, math_name

__all__ = ["plot_structure"]

ACROSS, DOWN = 2.9, 1.75  # between the middles of boxes
WIDTH, HEIGHT = 1.9, 0.9
ARROW = {"arrowstyle": "-|>", "lw": 1.3, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 12}


def plot_structure(model: Any, *, ax: Any = None) -> Any:
    """Draw the stores of a model and the flows between them.

    Water from outside enters from above, flows that make discharge fall to the river below, and
    other losses leave to the upper right.

    Parameters
    ----------
    model : AbstractModel or str
        A name stands for the model with default options.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    import matplotlib.pyplot as plt

    model = as_model(model)
    place = _places(model)
    right = max(x for x, _ in place.values()) + WIDTH
    bottom = min(y for _, y in place.values()) - DOWN
    if ax is None:
        size = (0.62 * (right + 2.2 * WIDTH), 0.62 * (2 - bottom))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    for store in model.stores:
        x, y = place[store.name]
        _box(ax, x, y, store.name, store.description)
    for hydrograph in model.hydrographs:
        x, y = place[hydrograph.output]
        _box(ax, x, y, hydrograph.output, hydrograph.description, linestyle="--")
    outlet = {t for o in model.outputs if o.name == "discharge" for t in o.terms}
    for (source, target), fluxes in _together(model).items():
        river = [f for f in fluxes if f in outlet]
        if target is None and river:
            _fall(ax, place, source, bottom, river)
            fluxes = [f for f in fluxes if f not in outlet]
        if fluxes:
            _arrow(ax, place, source, target, fluxes)
    ax.plot([-WIDTH, right], [bottom, bottom], lw=5, color=COLORS["rain"], solid_capstyle="round")
    text = "discharge"
    if model.routing is not None and model.routing.output == "discharge":
        text += f", {model.routing.description}"
    ax.text((right - WIDTH) / 2, bottom - 0.2, text, ha="center", va="top", color=COLORS["rain"])
    ax.set_xlim(-1.35 * WIDTH, right + 0.8)
    ax.set_ylim(bottom - 0.8, 1.7)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(type(model).__name__)
    return ax


def _together(model):
    """Return the names of the fluxes between each pair of places."""
    found = {}
    for flow in model.flows:
        found.setdefault((flow.source, flow.target), []).append(flow.flux)
    return found


def _places(model):
    """Return a place for each store and hydrograph: below all it is fed by, under the deepest."""
    names = [*(s.name for s in model.stores), *(h.output for h in model.hydrographs)]
    feeds = {n: [] for n in names}
    for flow in model.flows:
        # A flow back up, to a store that feeds its source, has no say.
        if flow.source and flow.target and not _reaches(feeds, flow.source, flow.target):
            feeds[flow.target].append(flow.source)
    depth = {}

    def deep(name):
        if name not in depth:
            depth[name] = 1 + max((deep(n) for n in feeds[name]), default=-1)
        return depth[name]

    column, taken = {}, set()
    for name in sorted(names, key=lambda n: (deep(n), names.index(n))):
        parents = [n for n in feeds[name] if n in column]
        wanted = column[max(parents, key=deep)] if parents else 0
        while (wanted, deep(name)) in taken:
            wanted += 1
        taken.add((wanted, deep(name)))
        column[name] = wanted
    return {n: (ACROSS * column[n], -DOWN * depth[n]) for n in names}


def _reaches(feeds, name, origin):
    """Tell whether the store `name` is fed by `origin`, directly or not."""
    return name == origin or any(_reaches(feeds, n, origin) for n in feeds[name])


def _box(ax, x, y, name, description, linestyle="-"):
    from matplotlib.patches import FancyBboxPatch

    corner = (x - WIDTH / 2, y - HEIGHT / 2)
    style = "round,pad=0,rounding_size=0.12"
    ax.add_patch(
        FancyBboxPatch(
            corner, WIDTH, HEIGHT, boxstyle=style, fc="#EAF4FB", ec=COLORS["rain"], ls=linestyle
        )
    )
    ax.text(x, y + 0.2, math_name(name), ha="center", va="center", fontsize=11)
    words = "\n".join(wrap(description, 22)[:2])
    ax.text(x, y - 0.18, words, ha="center", va="center", fontsize=6, color="0.25")


def _label(ax, x, y, fluxes, **options):
    text = ", ".join(math_name(f) for f in fluxes)
    box = {"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.85}
    ax.text(x, y, text, **{"fontsize": 8, "ha": "center", "va": "center", "bbox": box} | options)


def _arrow(ax, place, source, target, fluxes):
    if source is None and target is None:
        return
    if source is None:
        x, y = place[target]
        above = not any(px == x and py > y for px, py in place.values())
        end = (x, y + HEIGHT / 2) if above else (x - WIDTH / 2, y + 0.2)
        start = (x, y + HEIGHT / 2 + 0.7) if above else (x - WIDTH / 2 - 0.5, y + 0.55)
        _line(ax, start, end, COLORS["rain"])
        _label(ax, start[0] - 0.1 * (not above), start[1] + 0.15, fluxes)
    elif target is None:
        x, y = place[source]
        x += WIDTH / 2
        _line(ax, (x, y + 0.2), (x + 0.6, y + 0.75), COLORS["evaporation"])
        _label(ax, x + 0.68, y + 0.92, fluxes)
    else:
        (x0, y0), (x1, y1) = place[source], place[target]
        steps = round((y0 - y1) / DOWN)
        if steps == 1:
            shift = 0.3 if x1 > x0 else 0.0
            start, end = (x0 + shift, y0 - HEIGHT / 2), (x1, y1 + HEIGHT / 2)
            bend = 0.0
        elif steps > 1 and x1 <= x0:
            start, end = (x0 - WIDTH / 2, y0), (x1 - WIDTH / 2, y1 + 0.1)
            bend = 0.35
        elif steps > 1:  # along the left of its column, together with others like it
            lane, end = x1 - ACROSS / 2, (x1 - WIDTH / 2, y1)
            ax.plot([x0 + WIDTH / 2, lane, lane], [y0, y0, y1], color="0.25", lw=ARROW["lw"])
            _line(ax, (lane, y1), end, "0.25")
            _label(ax, lane + 0.05, y1 + 0.2, fluxes, ha="left")
            return
        else:  # beside it, or back up
            side = 1 if x1 >= x0 else -1
            start, end = (x0 + side * WIDTH / 2, y0), (x1 - side * WIDTH / 2, y1 - 0.1)
            bend = 0.0
            if x0 == x1:
                start, end, bend = (x0 - WIDTH / 2, y0 - 0.2), (x1 - WIDTH / 2, y1), -1.1
        _line(ax, start, end, "0.25", bend)
        (xa, ya), (xb, yb) = start, end
        # The middle of the arc that matplotlib draws: half of `bend` beside the straight line.
        middle = (xa + xb) / 2 + bend / 2 * (yb - ya), (ya + yb) / 2 - bend / 2 * (xb - xa)
        _label(ax, *middle, fluxes)


def _fall(ax, place, source, bottom, fluxes):
    if source is None:
        x = -WIDTH
        _line(ax, (x, bottom + 0.9), (x, bottom + 0.05), COLORS["simulated"])
        _label(ax, x, bottom + 1.05, fluxes)
        return
    x, y = place[source]
    clear = not any(px == x and py < y for px, py in place.values())
    start, end, bend = (x, y - HEIGHT / 2), (x, bottom + 0.05), 0.0
    if not clear:
        start, end, bend = (x + WIDTH / 2, y), (x + 0.7 * WIDTH, bottom + 0.05), -0.2
    _line(ax, start, end, COLORS["simulated"], bend)
    at = (end[0] + 0.1, bottom + 0.55) if not clear else (x, (start[1] + end[1]) / 2)
    _label(ax, *at, fluxes)


def _line(ax, start, end, color, bend=0.0):
    arrow = {**ARROW, "color": color, "connectionstyle": f"arc3,rad={bend}"}
    ax.annotate("", end, start, arrowprops=arrow)
