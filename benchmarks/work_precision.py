"""Error against time for every solver and model: values, and values with their Jacobian.

    python -m benchmarks.work_precision [--models Hymod HBV ...] [--output FOLDER] [--quick]

Ten years daily, default parameters, a ladder of tolerances; errors against a run of ESDIRK3 at
1e-11. Writes a table (`work_precision.csv`) and a picture (`work_precision.png`). The paper's
scheme always integrates its sensitivities, so that it has no values alone. The solvers of a rung
take turns; minima of repeats.
"""

import argparse
import functools
from pathlib import Path

import numpy as np
import pandas as pd

import pymc_hydro as ph
from benchmarks.integration import relative, ten_years
from benchmarks.paper_scheme import run_paper
from benchmarks.timing import in_turns
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.integrators import METHODS

REFERENCE = 1e-11
SOLVERS = (None, *(method.name for method in METHODS))
PAPER = "paper's scheme"
LONGEST = 2.0  # seconds; a solver that took longer at one tolerance is not asked for the next


def run_ours(model, forcing, tolerance, solver, sensitivities):
    problem = define_problem(
        model, ("discharge",), 1.0, rtol=tolerance, atol=tolerance, solver=solver
    )
    arguments = model.default, forcing, model.initial_state
    run = problem.run(*arguments, sensitivities=sensitivities)
    return run.values[:, 0], run.jacobian[:, 0] if sensitivities else None


def measure(model, forcing, ladder, repeats):
    """Yield a row of the table for each solver and tolerance."""
    q_exact, J_exact = run_ours(model, forcing, REFERENCE, "esdirk3", True)
    tired = set()
    for tolerance in ladder:
        calls = {}
        for solver in SOLVERS:
            for kind in (False, True):
                arguments = (model, forcing, tolerance, solver, kind)
                calls[solver or "default", kind] = functools.partial(run_ours, *arguments)
        arguments = (model, model.default, forcing, tolerance)
        calls[PAPER, True] = functools.partial(run_paper, *arguments)
        calls = {k: call for k, call in calls.items() if k not in tired}
        best = in_turns(calls, repeats)
        for (solver, kind), call in calls.items():
            q, J = call()[:2]
            error = np.sqrt(np.mean((q - q_exact) ** 2))
            of_jacobian = relative(model, model.default, J, J_exact) if kind else np.nan
            seconds = best[solver, kind]
            tired |= {(solver, kind)} if seconds > LONGEST else set()
            name = type(model).__name__
            yield name, solver, kind, tolerance, 1e3 * seconds, error, of_jacobian


COLUMNS = ("model", "solver", "with_jacobian", "tolerance", "ms", "error", "jacobian_error")


def draw(table, path):
    """Draw a row of three panels for each model."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    models = list(dict.fromkeys(table["model"]))
    panels = (
        (False, "error", "values: RMSE of discharge, mm/d"),
        (True, "error", "with Jacobian: RMSE of discharge, mm/d"),
        (True, "jacobian_error", "with Jacobian: largest relative error of a column"),
    )
    figure, axes = plt.subplots(
        len(models), 3, figsize=(13, 3.4 * len(models)), squeeze=False, layout="constrained"
    )
    colours = dict(
        zip([*(s or "default" for s in SOLVERS), PAPER], plt.cm.tab10.colors, strict=False)
    )
    for row, model in zip(axes, models, strict=True):
        for ax, (kind, column, title) in zip(row, panels, strict=True):
            chosen = table[(table["model"] == model) & (table["with_jacobian"] == kind)]
            for solver, line in chosen.groupby("solver", sort=False):
                width = 2.2 if solver == "default" else 1.2
                ax.loglog(
                    line["ms"],
                    line[column],
                    "o-",
                    color=colours[solver],
                    ms=3,
                    lw=width,
                    label=solver,
                )
            ax.set_title(f"{model}, {title}", fontsize=9)
            ax.set_xlabel("time, ms")
            ax.grid(alpha=0.3)
    axes[0, 1].legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=None)
    parser.add_argument("--output", type=Path, default=Path())
    parser.add_argument("--quick", action="store_true", help="Hymod, one year, three tolerances")
    chosen = parser.parse_args()
    names = chosen.models or (["Hymod"] if chosen.quick else [cls.__name__ for cls in ph.MODELS])
    ladder = (1e-2, 1e-4, 1e-6) if chosen.quick else 10.0 ** np.arange(-1, -9.1, -1)
    basin = ten_years().isel(time=slice(0, 365 if chosen.quick else None))
    rows = []
    for name in names:
        model = getattr(ph, name)()
        rows += measure(model, forcing_array(model, basin), ladder, 5)
        table = pd.DataFrame(rows, columns=COLUMNS)
        print(table[table["model"] == name].to_string(index=False, float_format="%.3g"), flush=True)
        chosen.output.mkdir(parents=True, exist_ok=True)
        table.to_csv(chosen.output / "work_precision.csv", index=False)
        draw(table, chosen.output / "work_precision.png")


if __name__ == "__main__":
    main()
