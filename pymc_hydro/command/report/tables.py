"""The tables of a report."""

import numpy as np
import pandas as pd

import pymc_hydro as ph
from pymc_hydro.command.report.results import INTERVAL, PERIODS, Results
from pymc_hydro.command.source import summary
from pymc_hydro.core.domain import spans_decades

__all__ = ["diagnostics", "parameters", "score_table", "seasonal_mean", "signatures", "water"]

SCORES = ("nse", "nse_log", "kge", "rmse")
# A standard error of that share of the parameter's axis, or more, tells nothing.
UNKNOWN = 0.5


def water(results: Results) -> pd.DataFrame:
    """Return mean, extremes and gaps of each variable of the record."""
    return summary(results.basin)


def seasonal_mean(results: Results) -> np.ndarray:
    """Return the mean observed discharge of each day of the year in the calibration, on `median`.

    The benchmark of a report: who knows nothing but the season expects it.
    """
    known = results.in_period(results.observed, PERIODS[0])
    days = pd.DatetimeIndex(known["time"].values).day_of_year
    mean = pd.Series(known.values).groupby(days).mean().reindex(range(1, 367))
    smooth = pd.concat([mean, mean, mean]).rolling(31, center=True, min_periods=1).mean()
    smooth = smooth.iloc[366:732].fillna(float(np.nanmean(known.values)))
    return smooth.to_numpy()[pd.DatetimeIndex(results.median["time"].values).day_of_year - 1]


def score_table(results: Results) -> pd.DataFrame:
    """Return scores, bias and number of observations of each run in each period."""
    runs = {}
    if results.fit is not None:
        runs["calibrated"] = results.judged["discharge"]
    if results.predicted is not None:
        runs["predictive median"] = results.median
    runs["benchmark: season"] = results.median.copy(data=seasonal_mean(results))
    rows = {}
    for name, run in runs.items():
        for period in PERIODS:
            part = results.in_period(run, period)
            observed = results.basin["discharge"].sel(time=part["time"]).values
            rows[f"{name}, {period}"] = _scores_of(observed, part.values)
    return pd.DataFrame.from_dict(rows, orient="index")


def _scores_of(observed, simulated):
    known = np.isfinite(observed)
    row: dict[str, float] = {}
    for name in SCORES:
        try:
            function, _ = ph.losses.find_loss(name)
            row[name.upper().replace("_", " ")] = float(function(observed, simulated))
        except ValueError:  # such as the logarithm of a dry river
            row[name.upper().replace("_", " ")] = np.nan
    total = observed[known].sum()
    row["bias %"] = 100 * (simulated[known].sum() / total - 1) if total else np.nan
    row["correlation"] = (
        np.corrcoef(observed[known], simulated[known])[0, 1] if known.sum() > 2 else np.nan
    )
    row["observations"] = int(known.sum())
    return row


def parameters(results: Results) -> pd.DataFrame:
    """Return meaning, unit, bounds, prior, estimate and standard error of each parameter."""
    rows: dict[str, dict] = {}
    for p in results.model.parameters:
        attrs = {} if results.fit is None else results.fit[p.name].attrs
        row: dict[str, str | float] = {"meaning": p.description, "unit": p.unit}
        if results.posterior is not None:
            lower, upper = p.prior or (p.lower, p.upper)
            below = "".join(f", below {b}" for a, b in results.model.ordered if a == p.name)
            row["prior"] = f"uniform, {lower:g} to {upper:g}{below}"
        if results.fit is not None:
            lower, upper = attrs["lower"], attrs["upper"]
            row["searched bounds"] = f"{lower:g} to {upper:g}"
            row["calibrated"] = results.theta[p.name]
            row["standard error"], row["remark"] = _uncertainty(
                attrs, lower, upper, row["calibrated"]
            )
        rows[p.name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _uncertainty(attrs, lower, upper, value) -> tuple[float, str]:
    """Return the standard error, and a remark if the parameter is not identified."""
    error = float(attrs.get("standard_error", np.nan))
    range_there = upper - lower
    if spans_decades(lower, upper):  # a step along the whole of the logarithmic axis
        range_there = min(range_there, value * np.log(upper / lower))
    if attrs.get("no_effect"):
        return np.nan, "without effect"
    if attrs.get("at_bound"):
        return np.nan, "at a bound of the search"
    if not np.isfinite(error) or error > UNKNOWN * range_there:
        return np.nan, "not identified"
    return error, ""


def diagnostics(results: Results) -> pd.DataFrame:
    """Return mean, interval, R-hat and effective sample size of all single-number variables."""
    import arviz as az

    draws = results.posterior["posterior"]
    names = [str(n) for n in draws.data_vars if set(draws[n].dims) == {"chain", "draw"}]
    r_hat, ess = az.rhat(results.posterior), az.ess(results.posterior)
    edges = [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2]
    units = {p.name: p.unit for p in results.model.parameters}
    rows: dict[str, dict[str, str | float]] = {}
    for name in names:
        low, high = np.quantile(draws[name].values, edges)
        rows[name] = {"unit": units.get(name, "of the errors")}
        rows[name] |= {"mean": float(draws[name].mean())}
        rows[name] |= {f"{100 * edges[0]:.0f} %": low, f"{100 * edges[1]:.0f} %": high}
        for label, found in (("R-hat", r_hat), ("ESS", ess)):
            rows[name][label] = float((found["posterior"] if "posterior" in found else found)[name])
    return pd.DataFrame.from_dict(rows, orient="index")


def signatures(results: Results) -> pd.DataFrame:
    """Return signatures of the validation period, observed and simulated.

    Raises
    ------
    ValueError
        If too little is observed.
    """
    theta = results.thetas if results.posterior is not None else results.theta
    flow = ph.simulate(results.model, theta, results.basin)["discharge"]
    flow = flow.sel(time=slice(results.split, None))
    table = ph.signatures.compare_signatures(
        results.basin["discharge"], flow, results.basin["precipitation"], prob=INTERVAL
    )
    return table.dropna(axis=1, how="all").rename_axis(None)
