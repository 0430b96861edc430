"""The page of a report: its parts, and the template they fill."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

import pymc_hydro as ph
from pymc_hydro.command.folder import REPORT, Folder
from pymc_hydro.command.report import tables
from pymc_hydro.command.report.results import Results, read_results
from pymc_hydro.command.report.verdict import checks, sentence
from pymc_hydro.command.settings import UsageError
from pymc_hydro.models.listing import name_of_model

__all__ = ["cells_of", "render", "write_report"]

TEMPLATE = "report.html.jinja"


def write_report(path: Path, described: dict | None = None) -> Path:
    """Write ``report.html`` into a folder of results; returns its path.

    Parameters
    ----------
    path : Path
    described : dict, optional
        Title, author and coordinates, in place of the entries in the settings of the folder.

    Raises
    ------
    UsageError
        If the folder holds neither a calibration nor a posterior, or matplotlib or jinja2 is not
        installed.
    DamagedError
        If a file of the folder cannot be read.
    """
    folder = Folder(path)
    results = read_results(folder)
    page = render(TEMPLATE, lambda: contents(results, described or {}))
    return folder.write_text(REPORT, page)


def render(template: str, contents: Callable[[], dict[str, Any]]) -> str:
    """Return a page: a template beside this file, filled with what `contents` returns.

    Raises
    ------
    UsageError
        If matplotlib or jinja2 is not installed.
    """
    try:
        import jinja2
        import matplotlib
    except ImportError as error:
        raise UsageError(f"a report needs {error.name}: pip install 'pymc-hydro[report]'") from None
    matplotlib.use("Agg")
    here = resources.files("pymc_hydro.command.report")
    loader = jinja2.FunctionLoader(lambda name: (here / name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(**contents())


def contents(results: Results, described: dict) -> dict[str, Any]:
    """Return the contents of the template."""
    from pymc_hydro.command.report import figures

    found = checks(results)
    status, words = sentence(found)
    basin, about = results.basin.attrs, results.about
    given = {k: v for k, v in about["settings"].get("about", {}).items() if v} | described
    named = " ".join(str(basin[k]) for k in ("source", "gauge") if k in basin)
    return {
        "title": given.get("title") or basin.get("title") or named or "a basin",
        "model": name_of_model(results.model),
        "facts": _facts(results, given),
        "author": given.get("author"),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": ph.__version__,
        "status": status,
        "sentence": words,
        "checks": found,
        "calibrated": results.fit is not None,
        "data": cells_of(tables.water(results), "data"),
        "warnings": about["warnings"],
        "data_sha256": about["data_sha256"],
        "scores": cells_of(tables.score_table(results), "scores"),
        "hydrographs": list(figures.hydrographs(results)),
        "flows": list(figures.flows(results)),
        "signatures": _or_reason(lambda: cells_of(tables.signatures(results), "signatures")),
        "balance": _or_reason(lambda: list(figures.balance(results))),
        "errors": list(figures.errors(results)),
        "parameters": cells_of(tables.parameters(results), "parameters"),
        "posterior": None
        if results.posterior is None
        else cells_of(tables.diagnostics(results), "posterior"),
        "chains": [*figures.chains(results), *figures.pairs(results)],
        "inside": list(figures.inside(results)),
        "described_model": repr(results.model),
        "settings": json.dumps(about["settings"], indent=2, default=str),
        "versions": ", ".join(f"{n} {v}" for n, v in about["versions"].items()),
    }


def _facts(results, given) -> dict[str, str]:
    """Return the head of the page: the basin and the record."""
    basin, time = results.basin.attrs, results.basin["time"].values
    length = pd.Timedelta(time[1] - time[0])
    shown = slice(10 if length >= pd.Timedelta(days=1) else 16)
    dates = f"{str(time[0])[shown]} to {str(time[-1])[shown]}"
    hours = length.total_seconds() / 3600
    steps = f"{time.size} " + ("days" if hours == 24 else f"intervals of {hours:g} hours")
    facts = {"Record": f"{dates}, {steps}", "Validation": f"from {results.split} on"}
    if "area_km2" in basin:
        facts["Area"] = f"{basin['area_km2']:.4g} km²"
    place = given.get("coordinates")
    if not place and "latitude" in basin:
        place = f"latitude {basin['latitude']:.4g}°"
    if place:
        facts["Place"] = str(place)
    if "elevation" in basin:
        facts["Elevation"] = f"{basin['elevation']:.4g} m"
    return facts


def cells_of(frame: pd.DataFrame, name: str) -> dict[str, Any]:
    """Return a table as its cells, and as a file for download."""
    code = base64.b64encode(frame.to_csv(float_format="%.6g").encode()).decode()
    cells = [[_cell(value) for value in row] for row in frame.to_numpy(object)]
    texts = [any(not c["number"] for c in column) for column in zip(*cells, strict=True)]
    return {
        "name": name,
        "columns": list(zip(map(str, frame.columns), texts, strict=True)),
        "rows": list(zip(map(str, frame.index), cells, strict=True)),
        "csv": f"data:text/csv;base64,{code}",
    }


def _cell(value: Any) -> dict[str, Any]:
    """Return a cell: its text, and whether it is a number."""
    if isinstance(value, str) or value is None:
        return {"text": value or "", "number": False}
    if pd.isna(value):
        return {"text": "", "number": True}
    return {"text": f"{value:.4g}" if abs(value) < 1e5 else f"{value:.0f}", "number": True}


def _or_reason(make: Callable) -> Any:
    """Return the part that is made, or the reason as text if it cannot be made."""
    try:
        return make()
    except ValueError as error:
        return str(error)
