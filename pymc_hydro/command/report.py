"""One HTML page about a folder of results, with all it needs inside."""

import base64
import html
import io
import json
import warnings
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

import pymc_hydro as ph
from pymc_hydro.command.folder import BASIN, CALIBRATION, PREDICTIONS, Folder
from pymc_hydro.command.settings import UsageError
from pymc_hydro.command.source import summary
from pymc_hydro.command.steps import model_of, scores

__all__ = ["write_report"]

SHOWN = 730  # intervals in the hydrograph, and 365 in the pictures of states
INTERVAL = 0.9
DRAWS = 50  # of the posterior, for signatures
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 0 auto;
  padding: 1rem; max-width: 76rem; }
h1 { margin: 0.2em 0; } h2 { border-bottom: 1px solid #ccc; margin-top: 2em; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr));
  gap: 1rem; align-items: start; }
figure { margin: 0; } figure:focus { overflow-x: auto; outline: none; }
figure:focus img { max-width: none; }
img { max-width: 100%; height: auto; display: block; margin: 0 auto; }
figcaption, .note { color: #555; font-size: 0.85rem; }
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.2rem 0.7rem; text-align: right; border-bottom: 1px solid #ddd;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
pre { overflow-x: auto; background: #f6f6f6; padding: 0.7rem; font-size: 0.8rem; }
.wrap { overflow-wrap: anywhere; }
"""


def write_report(path: Path, described: dict | None = None) -> Path:
    """Write ``report.html`` into a folder of results; returns its path.

    Parameters
    ----------
    path : Path
    described : dict, optional
        Title, author and coordinates, in place of those that the folder was made with.

    Raises
    ------
    UsageError
        If the folder holds neither a calibration nor a posterior, or matplotlib is not installed.
    """
    folder = Folder(path)
    about = folder.about()
    if not (folder.has(CALIBRATION) or folder.has(PREDICTIONS)):
        raise UsageError(f"{path}: holds neither a calibration nor a posterior")
    try:
        import matplotlib
    except ImportError:
        raise UsageError("pictures need matplotlib: pip install 'pymc-hydro[plots]'") from None
    from pymc_hydro import plots

    matplotlib.use("Agg")
    basin, model = folder.load(BASIN), model_of(about)
    predicted = folder.load(PREDICTIONS) if folder.has(PREDICTIONS) else None
    posterior = folder.load_posterior()
    theta = _theta(folder, model, posterior)
    run = ph.simulate(model, theta, basin, _outputs(model), sensitivities=True)
    warmup = about["settings"]["period"]["warmup"]
    shown = run.isel(time=slice(warmup, None)) if predicted is None else predicted
    title = basin.attrs.get("title") or " ".join(
        str(basin.attrs[k]) for k in ("source", "gauge") if k in basin.attrs
    )
    name = type(model).__name__
    head = f"{name}, {title or 'a basin'}"

    sections = [
        _section("Data", _data(basin, about)),
        _section("Scores", _table(_score_table(folder))),
        _section("Hydrograph", _hydrographs(plots, shown, basin)),
        _section(
            "Flow duration and signatures",
            _columns(
                _figure(
                    plots.plot_flow_duration(shown, basin=basin, prob=INTERVAL),
                    "Share of time that a discharge is exceeded.",
                ),
                _signatures(model, theta, posterior, basin, about),
            ),
        ),
        _section("Water balance", _balance(plots, run.isel(time=slice(warmup, None)), basin)),
        _section("Parameters", _parameters(plots, folder, model, theta, posterior)),
        _section("Sensitivity and states", _inner(plots, model, run, theta)),
        _section(
            "Model",
            _columns(
                _figure(plots.plot_structure(model), "Stores, and the flows between them."),
                f"<pre>{html.escape(repr(model))}</pre>",
            ),
        ),
        _section("Settings and versions", _settings(about)),
    ]
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(head)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{html.escape(head)}</h1><p class='note'>pymc_hydro {ph.__version__}, {made}. "
        "A picture that is touched or clicked is shown in its full size.</p>"
        + "\n".join(sections)
        + "</body></html>\n"
    )
    return folder.write_text("report.html", page)


def _theta(folder, model, posterior):
    if folder.has(CALIBRATION):
        return {n: float(v) for n, v in folder.load(CALIBRATION).data_vars.items()}
    draws = posterior["posterior"]
    return {n: float(draws[n].median()) for n in model.parameter_names}


def _outputs(model):
    return ("discharge", "evaporation", *(s.name for s in model.stores))


def _section(title, *parts):
    return f"<section><h2>{title}</h2>{''.join(parts)}</section>"


def _columns(*parts):
    return f"<div class='columns'>{''.join(f'<div>{p}</div>' for p in parts)}</div>"


def _table(frame):
    text = frame.to_html(float_format="{:.4g}".format, na_rep="", border=0)
    return f"<div class='table'>{text}</div>"


def _figure(drawn, caption):
    """Return a picture as part of the page; `drawn` is an axes, or an array of them."""
    import matplotlib.pyplot as plt

    figure = drawn[0].figure if isinstance(drawn, np.ndarray) else drawn.figure
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    plt.close(figure)
    code = base64.b64encode(stream.getvalue()).decode()
    text = html.escape(caption)
    return (
        f"<figure tabindex='0'><img alt='{text}' src='data:image/png;base64,{code}'>"
        f"<figcaption>{text}</figcaption></figure>"
    )


def _data(basin, about):
    time = basin["time"].values
    length = pd.Timedelta(time[1] - time[0])
    shown = slice(10 if length == pd.Timedelta(days=1) else 16)
    hours = length.total_seconds() / 3600
    facts = [f"{str(time[0])[shown]} to {str(time[-1])[shown]}"]
    facts.append(f"{time.size} intervals of {hours:g} hours")
    facts += [
        f"{label} {basin.attrs[key]:.4g}{unit}"
        for key, label, unit in (
            ("area_km2", "area", " km2"),
            ("latitude", "latitude", " degrees"),
            ("elevation", "elevation", " m"),
        )
        if key in basin.attrs
    ]
    lines = [f"<p>{html.escape('; '.join(facts))}.</p>", _table(summary(basin))]
    lines += [f"<p class='note wrap'>Warning: {html.escape(w)}</p>" for w in about["warnings"]]
    lines.append(f"<p class='note wrap'>SHA-256 of dates and values: {about['data_sha256']}</p>")
    return "".join(lines)


def _score_table(folder):
    table = scores(folder)
    table.index = [f"{run}, {period}" for run, period in table.index]
    return table


def _hydrographs(plots, shown, basin):
    window = shown.isel(time=slice(-SHOWN, None))
    return "".join(
        _figure(
            plots.plot_hydrograph(window, basin=basin, prob=INTERVAL, scale=scale),
            f"The last {window.sizes['time']} intervals, {words}.",
        )
        for scale, words in (("linear", "linear"), ("log", "logarithmic, for low flow"))
    )


def _balance(plots, run, basin):
    try:
        drawn = plots.plot_water_balance(run, basin=basin)
    except ValueError as error:
        return f"<p class='note'>No water balance: {html.escape(str(error))}.</p>"
    return _figure(drawn, "Simulated water balance of whole hydrological years.")


def _signatures(model, theta, posterior, basin, about):
    """Compare signatures after the calibration period, or all after the warm-up."""
    note = "Validation period, with the calibrated parameters."
    if posterior is not None:
        draws = posterior["posterior"]
        table = np.stack([draws[n].values.ravel() for n in model.parameter_names], axis=1)
        theta = table[np.linspace(0, len(table) - 1, min(DRAWS, len(table))).astype(int)]
        note = (
            f"Validation period, with the uncertainty of the parameters: {len(theta)} draws of the "
            f"posterior; lower and upper enclose {100 * INTERVAL:.0f} %."
        )
    flow = ph.simulate(model, theta, basin)["discharge"]
    flow = flow.sel(time=slice(about["settings"]["period"]["split"], None))
    try:
        table = ph.signatures.compare_signatures(
            basin["discharge"], flow, basin["precipitation"], prob=INTERVAL
        )
    except ValueError as error:
        return f"<p class='note'>No signatures: {html.escape(str(error))}.</p>"
    table = table.dropna(axis=1, how="all").rename_axis(None)
    return _table(table) + f"<p class='note'>{note}</p>"


def _parameters(plots, folder, model, theta, posterior):
    rows = {}
    for p in model.parameters:
        rows[p.name] = {"unit": p.unit, "lower": p.lower, "upper": p.upper}
    units = {p.name: p.unit for p in model.parameters}
    table = pd.DataFrame.from_dict(rows, orient="index")
    if folder.has(CALIBRATION):
        table["calibrated"] = pd.Series(theta)
        found = folder.load(CALIBRATION)
        at_bound, idle = (
            np.array([bool(found[n].attrs.get(key)) for n in table.index])
            for key in ("at_bound", "no_effect")
        )
        if (at_bound | idle).any():
            bound = np.where(at_bound, "at a bound of the search", "")
            table["remark"] = np.where(idle, "without effect", bound)
    if posterior is None:
        return _table(table)
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = table.reindex([*table.index, *_errors(posterior, model)]).fillna(
            {"unit": "", "remark": ""}
        )
        table = table.join(_diagnostics(posterior, table.index))
        plots.plot_parameters(posterior, var_names=list(units)[:8], units=units)
        figure = _figure(plt.gcf().axes[0], "Posterior of pairs of parameters.")
    return _table(table) + figure


def _errors(posterior, model):
    """Return the names of the error parameters, such as the scale of errors."""
    draws = posterior["posterior"]
    single = [n for n in draws.data_vars if set(draws[n].dims) == {"chain", "draw"}]
    return [n for n in single if n not in model.parameter_names]


def _diagnostics(posterior, names):
    import arviz as az

    draws = posterior["posterior"]
    r_hat, ess = az.rhat(posterior), az.ess(posterior)
    edges = [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2]
    rows = {}
    for name in [n for n in names if n in draws]:
        low, high = np.quantile(draws[name].values, edges)
        rows[name] = {"mean": float(draws[name].mean())}
        rows[name] |= {f"{100 * edges[0]:.0f} %": low, f"{100 * edges[1]:.0f} %": high}
        for label, found in (("R-hat", r_hat), ("ESS", ess)):
            rows[name][label] = float((found["posterior"] if "posterior" in found else found)[name])
    return pd.DataFrame.from_dict(rows, orient="index")


def _inner(plots, model, run, theta):
    scale = {p.name: theta[p.name] if p.lower >= 0 else p.upper - p.lower for p in model.parameters}
    window = run.isel(time=slice(-SHOWN // 2, None))
    series = window[[n for n in window.data_vars if window[n].dims == ("time",)]]
    return _columns(
        _figure(
            plots.plot_sensitivity(window, scale=scale),
            "Change of discharge for each parameter larger by a tenth of its value, or of the "
            "width of its bounds where it may be negative.",
        ),
        _figure(plots.plot_states(series), "Discharge, evaporation and stores."),
    )


def _settings(about):
    text = json.dumps(about["settings"], indent=2, default=str)
    versions = ", ".join(f"{n} {v}" for n, v in about["versions"].items())
    return f"<pre>{html.escape(text)}</pre><p class='note'>{html.escape(versions)}</p>"
