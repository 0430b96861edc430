"""Cost and accuracy of gradients by columns and by the sweep back in time, in runs of values.

    python -m benchmarks.gradients [--models Hymod GR4J ...] [--draws 5]

Ten years of daily data (Leaf River with a sine of temperature). `columns` gives the gradient by all
parameters, `sweep` by all parameters and by all forcings of all days. The error is that of the
gradient of the sum of squares by the parameters, scaled by them, against the columns at a tolerance
of 1e-8, relative in the L2 norm: the median and the largest of random draws. The steps of a sweep
are those of a run of values, so its sensitivities have no error control.
"""

import argparse

import numpy as np

import pymc_hydro as ph
from benchmarks.timing import in_turns
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.testing.checks import draw_parameters

N_DAY = 3650


def gradients(problem, theta, forcing, x0):
    """Return the gradient of the sum of squares by columns and by the sweep, scaled by theta."""
    run = problem.run(theta, forcing, x0, sensitivities=True)
    taped, tape = problem.taped_run(theta, forcing, x0)
    by_sweep = problem.sweep(theta, forcing, x0, tape, 2 * taped.values)[0]
    return np.einsum("to,top->p", 2 * run.values, run.jacobian) * theta, by_sweep * theta


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["Hymod", "HBV", "GR4J", "SacSma"])
    parser.add_argument("--draws", type=int, default=5)
    chosen = parser.parse_args()
    basin = ph.load_basin("leaf_river").isel(time=slice(0, N_DAY))
    season = 12 + 8 * np.sin(np.arange(basin.sizes["time"]) / 58)
    basin = basin.assign(temperature=("time", season))
    print("model, steps        value ms  columns  sweep  | error: columns          sweep")
    for name in chosen.models:
        model = getattr(ph, name)(snow=name == "HBV")
        forcing, x0 = forcing_array(model, basin), model.initial_state
        draws = draw_parameters(model, np.random.default_rng(20261130), chosen.draws)
        tight = define_problem(model, ("discharge",), 1.0, rtol=1e-8, atol=1e-8)
        for steps in (1, None):
            problem = define_problem(model, ("discharge",), 1.0, steps=steps)
            arrays = model.default, forcing, x0
            run, tape = problem.taped_run(*arrays)
            calls = {
                "value": lambda p=problem, a=arrays: p.run(*a),
                "columns": lambda p=problem, a=arrays: p.run(*a, sensitivities=True),
                "taped": lambda p=problem, a=arrays: p.taped_run(*a),
                "sweep": lambda p=problem, a=arrays, t=tape, r=run: p.sweep(*a, t, r.values),
            }
            times = in_turns(calls, 10)
            value = times["value"]
            ratios = times["columns"] / value, (times["taped"] + times["sweep"]) / value
            text = f"{name}, {steps or 'default'}".ljust(20)
            text += f"{1e3 * value:8.2f} {ratios[0]:8.2f} {ratios[1]:6.2f}  | "
            if steps is None:
                errors = []
                for theta in draws:
                    exact = gradients(tight, theta, forcing, x0)[0]
                    found = gradients(problem, theta, forcing, x0)
                    size = np.linalg.norm(exact)
                    errors.append([np.linalg.norm(g - exact) / size for g in found])
                for column in np.array(errors).T:
                    text += f"{np.median(column):10.1e} ({column.max():.1e})"
            print(text, flush=True)


if __name__ == "__main__":
    main()
