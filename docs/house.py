"""Draw the picture of the house: rooms as boxes, imports as arrows that point down."""

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np

ROOT = Path(find_spec("pymc_hydro").origin).parent
TOP = {"__init__.py", "__main__.py"}  # the public names and the command: above every room
# Inches: between boxes, between rows, of an inner room and from one to the next, of a letter.
GAP, RISE, LINE, STEP, LETTER = 0.35, 0.75, 0.34, 0.5, 0.105
ARROW = {"arrowstyle": "-|>", "mutation_scale": 12, "color": "0.3", "lw": 1.1}
Graph = dict[str, set[str]]


def name_of(path: Path) -> str:
    """Return the name of a file below the package."""
    return path.relative_to(ROOT).as_posix()


def room_of(name: str) -> str:
    """Return the room of a file below the package, such as core/base."""
    folder, _, file = name.rpartition("/")
    return folder or (file.removesuffix(".py") if file not in TOP else "")


def imported(path: Path):
    """Yield (file below the package, None) or (None, other package) of each import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = [node.module]
            if node.module.startswith("pymc_hydro"):
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            if module.partition(".")[0] != "pymc_hydro":
                yield None, module.partition(".")[0]
                continue
            parts = module.split(".")[1:]
            while not (ROOT.joinpath(*parts).with_suffix(".py").is_file() if parts else True):
                if (ROOT.joinpath(*parts) / "__init__.py").is_file():
                    break
                parts = parts[:-1]
            file = ROOT.joinpath(*parts)
            found = file.with_suffix(".py") if parts and not file.is_dir() else file / "__init__.py"
            yield name_of(found), None


def rooms() -> Graph:
    """Return each room with the other rooms that it imports."""
    graph: Graph = defaultdict(set)
    for path in sorted(ROOT.rglob("*.py")):
        room = room_of(name_of(path))
        if room:
            found = {room_of(file) for file, _ in imported(path) if file is not None}
            graph[room] |= found - {room, ""}
    return dict(graph)


def packages(graph: Graph) -> Graph:
    """Return each package with those it imports, without arrows that follow from two others."""
    whole: Graph = {room.partition("/")[0]: set() for room in graph}
    for room, others in graph.items():
        package = room.partition("/")[0]
        whole[package] |= {other.partition("/")[0] for other in others} - {package}
    reached: Graph = {}
    for package in TopologicalSorter(whole).static_order():
        reached[package] = whole[package].union(*(reached[p] for p in whole[package]))
    return {p: whole[p] - set().union(*(reached[q] for q in whole[p])) for p in whole}


def levels(graph: Graph) -> dict[str, int]:
    """Return the level of each package: above all that it imports, close below what imports it."""
    order = list(TopologicalSorter(graph).static_order())
    level: dict[str, int] = {}
    for package in order:
        level[package] = 1 + max((level[p] for p in graph[package]), default=-1)
    for package in reversed(order):
        above = [level[p] for p in graph if package in graph[p]]
        level[package] = min(above, default=level[package] + 1) - 1
    return level


def routes(graph: Graph, level: dict[str, int]) -> list[list[tuple[str, int]]]:
    """Return each arrow as the points it passes: one on every level from its start to its end."""
    found = []
    for package in sorted(graph):
        for other in sorted(graph[package]):
            between = range(level[package] - 1, level[other], -1)
            passed = [(f"{package} {other}", row) for row in between]
            found.append([(package, level[package]), *passed, (other, level[other])])
    return found


def places(level, arrows, width) -> dict[tuple[str, int], float]:
    """Return where each point is from left to right: few crossings first, then short arrows."""
    rows: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for point in [*level.items(), *(p for arrow in arrows for p in arrow[1:-1])]:
        rows[point[1]].append(point)
    steps = [pair for arrow in arrows for pair in pairwise(arrow)]

    def packed():
        at = {}
        for row in rows.values():
            sizes = np.array([width.get(point[0], 0.0) + GAP for point in row])
            at |= dict(zip(row, np.cumsum(sizes) - sizes / 2 - sizes.sum() / 2, strict=True))
        return at

    def cost():
        at = packed()
        start, end = np.array([(at[a], at[b]) for a, b in steps]).T
        row = np.array([a[1] for a, _ in steps])
        cross = (np.subtract.outer(start, start) * np.subtract.outer(end, end) < 0) & (
            row[:, None] == row
        )
        return cross.sum() / 2 + 1e-3 * np.abs(start - end).sum()

    best, improved = cost(), True
    while improved:
        improved = False
        for row in rows.values():
            for point in list(row):
                before = list(row)
                for position in range(len(row)):
                    row.remove(point)
                    row.insert(position, point)
                    found = cost()
                    if found < best - 1e-9:
                        best, before, improved = found, list(row), True
                row[:] = before
    return _settle(packed(), rows, steps, width)


def _settle(at, rows, steps, width):
    """Move points towards their neighbours above and below, without changing their order."""
    for _ in range(30):
        for row in rows.values():
            half = [width.get(point[0], 0.0) / 2 for point in row]
            near = [[at[b if a == p else a] for a, b in steps if p in (a, b)] for p in row]
            middle = np.mean(list(at.values()))  # of a package that has no arrow
            wish = [np.mean(n) if n else middle for n in near]
            distance = np.cumsum([0, *(a + b + GAP for a, b in pairwise(half))])
            free = np.array(wish) - distance
            least = np.maximum.accumulate(free)
            most = np.minimum.accumulate(free[::-1])[::-1]
            at |= dict(zip(row, (least + most) / 2 + distance, strict=True))
    return at


def draw_house(graph: Graph | None = None):
    """Draw each package with its inner rooms as boxes, and what it imports as arrows.

    Returns
    -------
    matplotlib.figure.Figure
        The `gid` of each box is the name of its room.
    """
    from matplotlib.figure import Figure

    graph = rooms() if graph is None else graph
    outer = packages(graph)
    order = [*TopologicalSorter(_within(graph)).static_order()][::-1]  # importers first
    inner = {p: [r for r in order if r.startswith(f"{p}/")] for p in outer}
    width = {
        p: LETTER * max(12, *(len(r) - len(p) + 3 for r in inner[p]), len(p) + 4) for p in outer
    }
    level = levels(outer)
    arrows = routes(outer, level)
    at = places(level, arrows, width)
    height = {p: LINE + STEP * len(inner[p]) - (0.08 if inner[p] else 0) for p in outer}
    rows = [
        max(height[p] for p in outer if level[p] == row) for row in range(max(level.values()) + 1)
    ]
    top = np.cumsum(rows) + RISE * np.arange(len(rows))

    left = min(at[p, level[p]] - width[p] / 2 for p in outer)
    right = max(at[p, level[p]] + width[p] / 2 for p in outer)
    figure = Figure(figsize=(right - left + 0.2, top[-1] + 0.2))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(left - 0.1, right + 0.1), ylim=(-0.1, top[-1] + 0.1))
    ax.set_axis_off()
    for package in outer:
        _box(ax, package, inner[package], at[package, level[package]], top[level[package]],
             width[package], height[package], graph)  # fmt: skip
    ends = _ports(arrows, at, width)
    for arrow in arrows:
        _arrow(ax, arrow, ends, top, rows, height)
    return figure


def _within(graph):
    """Return the imports between inner rooms of one package."""
    return {
        room: {o for o in others if "/" in o and o.split("/")[0] == room.split("/")[0]}
        for room, others in graph.items()
        if "/" in room
    }


def _box(ax, package, inner, x, top, width, height, graph):
    """Draw one package, and its inner rooms one below the other."""
    from matplotlib.patches import FancyBboxPatch

    def place(room, y, text, w, h, face):
        corner = (x - w / 2, y - h)
        style = "round,pad=0,rounding_size=0.06"
        ax.add_patch(FancyBboxPatch(corner, w, h, boxstyle=style, fc=face, ec="0.35", gid=room))
        ax.text(x, y - LINE / 2, text, ha="center", va="center", fontsize=10)

    place(package, top, package, width, height, "#e8eef4")
    for k, room in enumerate(inner):
        y = top - LINE - STEP * k
        place(room, y, room.removeprefix(f"{package}/"), width - 0.25, LINE, "white")
        for below in range(k + 1, len(inner)):
            if inner[below] in graph[room]:
                end = top - LINE - STEP * below
                ax.annotate(
                    "", (x, end), (x, y - LINE), arrowprops=ARROW | {"shrinkA": 0, "shrinkB": 0}
                )
                break


def _ports(arrows, at, width):
    """Return where arrows leave and enter boxes: side by side, in the order of their other ends."""
    ends = {}
    for side in (0, -1):
        by_box = defaultdict(list)
        for k, arrow in enumerate(arrows):
            by_box[arrow[side]].append((at[arrow[1 if side == 0 else -2]], k))
        for point, others in by_box.items():
            for place, (_, k) in enumerate(sorted(others)):
                share = (place + 1) / (len(others) + 1) - 0.5
                ends[tuple(arrows[k]), side] = at[point] + 0.8 * share * width[point[0]]
    for arrow in arrows:
        for point in arrow[1:-1]:
            ends[tuple(arrow), point] = at[point]
    return ends


def _arrow(ax, arrow, ends, top, rows, height):
    """Draw an arrow from the bottom of one box to the top of another, straight past others."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    key, (package, row) = tuple(arrow), arrow[0]
    points = [(ends[key, 0], top[row] - height[package])]
    for point in arrow[1:-1]:
        x, row = ends[key, point], point[1]
        points += [(x, top[row]), (x, top[row] - rows[row])]
    points.append((ends[key, -1], top[arrow[-1][1]]))
    path, codes = [points[0]], [Curve.MOVETO]
    for k, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        if k % 2:  # past a row of boxes
            path.append((to_x, to_y))
            codes.append(Curve.LINETO)
        else:
            middle = (y + to_y) / 2
            path += [(x, middle), (to_x, middle), (to_x, to_y)]
            codes += [Curve.CURVE4] * 3
    ax.add_patch(FancyArrowPatch(path=Curve(path, codes), **ARROW))


def write_picture(path: Path) -> None:
    """Write the picture as SVG."""
    figure = draw_house()
    figure.savefig(path, metadata={"Date": None})
