"""Whether the results can be used: a few checks, each with its value and its limit."""

from typing import NamedTuple

import numpy as np
import pandas as pd

import pymc_hydro as ph
from pymc_hydro.command.report.results import INTERVAL, PERIODS, Results
from pymc_hydro.command.report.tables import UNKNOWN, diagnostics, score_table
from pymc_hydro.core.domain import near_bound, places

__all__ = ["Check", "checks", "sentence"]

GOOD, DOUBTFUL, BAD = "good", "doubtful", "bad"
# Limits: up to the first a number is good, from the second on it is bad.
BIAS, COVERAGE = (10.0, 25.0), (0.05, 0.15)  # %; share of observations
R_HAT, EFFECTIVE = (1.01, 1.05), (400.0, 100.0)  # Vehtari et al. (2021)
DIVERGENT = 0.01  # share of draws
EDGE = 0.01  # share of the way between the bounds


class Check(NamedTuple):
    """A check: its subject, its status, a value and why it matters."""

    name: str
    status: str
    value: str
    note: str = ""


def checks(results: Results) -> list[Check]:
    """Return the checks, the most important first."""
    found = [*_of_scores(results)]
    if results.predicted is not None:
        found.append(_of_coverage(results))
    if results.posterior is not None:
        found += _of_chains(results)
    found.append(_of_parameters(results))
    warnings = results.about["warnings"]
    note = "; ".join(warnings) if warnings else ""
    n = f"{len(warnings)} warning{'s' * (len(warnings) != 1)}" if warnings else "none"
    found.append(Check("Warnings of the data", DOUBTFUL if warnings else GOOD, n, note))
    return found


def sentence(found: list[Check]) -> tuple[str, str]:
    """Return the status of all checks together, and its meaning."""
    count = {status: sum(c.status == status for c in found) for status in (GOOD, DOUBTFUL, BAD)}
    passed = f"{count[GOOD]} of {len(found)} checks are good"
    if count[BAD]:
        bad = ", ".join(c.name.lower() for c in found if c.status == BAD)
        return BAD, f"Not to be relied on as it is: {passed}. Look at: {bad}."
    if count[DOUBTFUL]:
        doubtful = ", ".join(c.name.lower() for c in found if c.status == DOUBTFUL)
        return DOUBTFUL, f"To be used with care: {passed}. Look at: {doubtful}."
    return GOOD, f"All {len(found)} checks are good."


def _judge(value: float, limits: tuple[float, float]) -> str:
    """Return the status of a value that is good below the first limit and bad above the second."""
    good, bad = limits
    if not np.isfinite(value):
        return DOUBTFUL
    if good > bad:
        value, good, bad = -value, -good, -bad
    return GOOD if value <= good else BAD if value > bad else DOUBTFUL


def _of_scores(results):
    table: pd.DataFrame = score_table(results)
    row = table.loc[f"{results.name}, {PERIODS[1]}"]
    benchmark = table.loc[f"benchmark: season, {PERIODS[1]}"]
    if not row["observations"]:
        yield Check(
            "Validation", DOUBTFUL, "no observation", "nothing was observed after the split"
        )
        return
    better = row["NSE"] - benchmark["NSE"]
    yield Check(
        "Better than the season's mean",
        GOOD if better > 0.1 else DOUBTFUL if better > 0 else BAD,
        f"NSE {row['NSE']:.2f}, benchmark {benchmark['NSE']:.2f}",
        f"{results.name} in the validation, {row['observations']:.0f} observations; the benchmark "
        "is the mean of each day of the year in the calibration",
    )
    status = _judge(abs(row["bias %"]), BIAS)
    yield Check("Water volume", status, f"bias {row['bias %']:+.1f} %", "in the validation")
    drop = table.loc[f"{results.name}, {PERIODS[0]}", "KGE"] - row["KGE"]
    yield Check(
        "Holds after the calibration",
        _judge(drop, (0.1, 0.3)),
        f"KGE {row['KGE']:.2f}, {drop:.2f} lower" if drop >= 0 else f"KGE {row['KGE']:.2f}",
        "KGE in the validation against that in the calibration",
    )


def _of_coverage(results):
    draws = results.in_period(results.predicted["discharge"].transpose("time", ...), PERIODS[1])
    observed = results.in_period(results.observed, PERIODS[1])
    name = f"{100 * INTERVAL:.0f} % interval"
    try:
        share = ph.verification.coverage(observed, draws, INTERVAL)
    except ValueError as error:
        return Check(name, DOUBTFUL, "not known", str(error))
    status = _judge(abs(share - INTERVAL), COVERAGE)
    return Check(
        name, status, f"holds {100 * share:.0f} %", "of the observations in the validation"
    )


def _of_chains(results):
    table = diagnostics(results)
    worst, least = table["R-hat"].max(), table["ESS"].min()
    yield Check(
        "Chains agree", _judge(worst, R_HAT), f"R-hat {worst:.3f}", f"of {table['R-hat'].idxmax()}"
    )
    yield Check(
        "Enough draws",
        _judge(least, EFFECTIVE),
        f"ESS {least:.0f}",
        f"of {table['ESS'].idxmin()}: draws that are worth an independent one",
    )
    statistics = results.posterior["sample_stats"]
    if "diverging" in statistics:
        diverging = statistics["diverging"].values
        share = float(diverging.mean())
        status = GOOD if share == 0 else DOUBTFUL if share < DIVERGENT else BAD
        yield Check("Divergent transitions", status, f"{int(diverging.sum())} of {diverging.size}")
    if verdict := results.posterior["posterior"].attrs.get("verdict"):
        yield Check("Highest mode", _of_text(str(verdict)), "", str(verdict))


def _of_parameters(results):
    bound, unknown = [], []
    for p in results.model.parameters:
        if results.posterior is None:
            attrs = results.fit[p.name].attrs
            at_bound = attrs.get("at_bound")
            wide = attrs.get("no_effect")
        else:
            bounds = p.prior or (p.lower, p.upper)
            draws = results.posterior["posterior"][p.name].values
            low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
            ends = np.array([low, high])
            at_bound = near_bound(middle, *bounds, EDGE)
            share = max((high - low) / (bounds[1] - bounds[0]), np.ptp(places(ends, *bounds)))
            wide = share > 1.5 * UNKNOWN
        bound += [p.name] * bool(at_bound)
        unknown += [p.name] * bool(wide and not at_bound)
    parts = [f"{', '.join(bound)} at a bound"] * bool(bound)
    parts += [f"{', '.join(unknown)} not identified"] * bool(unknown)
    return Check(
        "Parameters",
        DOUBTFUL if parts else GOOD,
        "; ".join(parts) or "inside of their bounds",
        "a bound may stand for water that the model lacks or has too much of" if bound else "",
    )


def _of_text(verdict: str) -> str:
    return GOOD if "Nothing wrong is seen" in verdict else DOUBTFUL
