"""How time grows with the record, the free parameters, the basins, the threads and the draws.

    python -m benchmarks.growth [--quick]

Hymod at the default tolerance; daily data of Leaf River, repeated where more years are needed.
Calls of a table take turns; minima of repeats.
"""

import argparse
import functools
import time

import numpy as np

import pymc_hydro as ph
from benchmarks.integration import ten_years
from benchmarks.timing import in_turns
from pymc_hydro.engine.batch import run_batch
from pymc_hydro.engine.codegen import COUNTS
from pymc_hydro.engine.lanes.runs import run_in_lanes
from pymc_hydro.engine.problem import as_argument, define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.testing.checks import draw_parameters

YEAR = 365


def forcing_of(model, years):
    """Return `years` of forcing, from ten years that are repeated."""
    ten = forcing_array(model, ten_years())
    return np.tile(ten, (-(-years // 10), 1))[: years * YEAR]


def run_of(model, forcing, free=(), sensitivities=True):
    problem = define_problem(model, ("discharge",), 1.0, free=free or None)
    arguments = model.default, forcing, model.initial_state
    return functools.partial(problem.run, *arguments, sensitivities=sensitivities)


def record_length(years, repeats):
    """Table of time against record length: ten years are the unit of the last column."""
    model = ph.Hymod(snow=False)
    calls = {
        (n, kind): run_of(model, forcing_of(model, n), sensitivities=kind)
        for n in years
        for kind in (False, True)
    }
    best = in_turns(calls, repeats)
    print("\nyears   value ms   with Jacobian ms   of the time per year of the longest: both")
    for n in years:
        share = [best[n, k] / n / (best[years[-1], k] / years[-1]) for k in (False, True)]
        times = [1e3 * best[n, k] for k in (False, True)]
        print(f"{n:5d} {times[0]:10.3f} {times[1]:18.3f} {share[0]:20.3f} {share[1]:8.3f}")


def free_parameters(years, repeats):
    """Table of time against the number of parameters with columns of sensitivities."""
    model = ph.Hymod()
    forcing = forcing_of(model, years)
    names = model.parameter_names
    calls = {n: run_of(model, forcing, names[:n]) for n in range(1, len(names) + 1)}
    calls[0] = run_of(model, forcing, sensitivities=False)
    best = in_turns(calls, repeats)
    print(f"\nfree parameters (Hymod with snow, {years} years)   ms   of the run without columns")
    for n in sorted(best):
        print(f"{n:15d} {1e3 * best[n]:38.3f} {best[n] / best[0]:10.2f}")


def basins(counts, years, repeats):
    """Table of time against the number of basins, on one thread and on two."""
    model = ph.Hymod(snow=False)
    problem = define_problem(model, ("discharge",), 1.0)
    rng = np.random.default_rng(1)
    calls = {}
    for n in counts:
        # Ragged: a mean of `years`, the longest twice the shortest.
        lengths = np.linspace(2 / 3, 4 / 3, n) * years * YEAR if n > 1 else [years * YEAR]
        lengths = rng.permutation(np.asarray(lengths, dtype=int))
        source = forcing_of(model, 2 * years)
        forcing = np.concatenate([source[:length] for length in lengths])
        theta = np.broadcast_to(model.default, (1, n, len(model.parameters)))
        x0 = np.broadcast_to(model.initial_state, (1, n, len(model.stores)))
        arguments = problem, theta, forcing, x0, np.cumsum([0, *lengths])
        for threads in (1, 2):
            options = {"sensitivities": True, "threads": threads}
            calls[n, threads] = functools.partial(run_batch, *arguments, **options)
    best = in_turns(calls, repeats)
    unit = best[counts[-1], 1] / counts[-1]
    print(
        f"\nbasins ({years} years on average, with Jacobian)  1 thread ms  2 threads ms  faster by"
    )
    print("        (last column: time per basin by that of the most basins, one thread)")
    for n in counts:
        one, two = best[n, 1], best[n, 2]
        print(f"{n:6d} {1e3 * one:52.2f} {1e3 * two:13.2f} {one / two:10.2f} {one / n / unit:8.3f}")


def lanes(names, n_draw, years, repeats):
    """Table of time a run for many draws on one record, alone and in lanes, on one thread."""
    print(f"\n{n_draw} draws, {years} years, values, ms a run of processor time, one thread")
    print("model        draws         alone   lanes  faster by  left to single runs  difference")
    for name in names:
        model = getattr(ph, name)()
        problem, forcing = define_problem(model, ("discharge",), 1.0), forcing_of(model, years)
        rng = np.random.default_rng(1)
        near = model.default * rng.uniform(0.95, 1.05, (n_draw, len(model.parameters)))
        kinds = {"near defaults": near, "all bounds": draw_parameters(model, rng, n_draw)}
        for kind, draws in kinds.items():
            theta = np.clip(draws, model.lower, model.upper)[:, None]
            x0 = np.broadcast_to(model.initial_state, (n_draw, 1, len(model.stores)))
            arguments = problem, theta, forcing, x0, np.array([0, len(forcing)])
            runs = {k: functools.partial(run_batch, *arguments, threads=1, lanes=k) for k in (0, 1)}
            alone, together = (run().values for run in runs.values())
            best = in_turns(runs, repeats, time.process_time)
            runs = np.column_stack([np.arange(n_draw), np.zeros(n_draw, int)])
            spans, counts = (
                np.array([[0, len(forcing), 0]]),
                np.empty((n_draw, 1, len(COUNTS)), int),
            )
            arrays = map(as_argument, (theta, forcing, x0))
            left = run_in_lanes(problem, *arrays, runs, spans, together, counts)
            difference = np.sqrt(np.mean((together - alone) ** 2))
            print(
                f"{name:12s} {kind:13s} {1e3 * best[0] / n_draw:6.3f} "
                f"{1e3 * best[1] / n_draw:7.3f} {best[0] / best[1]:10.2f} {len(left):20d} "
                f"{difference:11.1e}",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few sizes")
    if parser.parse_args().quick:
        record_length((1, 2, 5), 30)
        free_parameters(1, 30)
        basins((1, 2, 10, 30), 1, 20)
        lanes(("Hymod",), 40, 2, 3)
    else:
        record_length((1, 2, 5, 10, 20, 40, 80), 15)
        free_parameters(10, 15)
        basins((1, 2, 5, 10, 30, 100, 300, 1000), 2, 5)
        lanes([cls.__name__ for cls in ph.MODELS], 100, 10, 3)


if __name__ == "__main__":
    main()
