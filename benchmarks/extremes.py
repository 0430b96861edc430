"""Random draws and stiff corners: what fails, what is forced, and how long the slowest run takes.

    python -m benchmarks.extremes [--models Hymod HBV ...] [--draws 10000] [--quick]

Ten years daily, value and Jacobian at the default tolerance; draws logistic-uniform within the
bounds. Times are in units of a run in the middle of the bounds, taken in turns with it at the
corners; of the draws, single runs.
"""

import argparse
import functools
import time

import numpy as np

import pymc_hydro as ph
from benchmarks.integration import ten_years
from benchmarks.timing import in_turns
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.testing.checks import draw_parameters
from tests.engine.test_integrators import STIFF

QUICK = 20


def middle(model):
    return (model.lower + model.upper) / 2


def runner(model):
    """Return a function of the parameters: a run with its Jacobian."""
    problem, forcing = define_problem(model, ("discharge",), 1.0), forcing_array(model, ten_years())
    return lambda theta: problem.run(theta, forcing, model.initial_state, sensitivities=True)


def draws(model, n):
    run = runner(model)
    usual = in_turns({"middle": functools.partial(run, middle(model))}, 5)["middle"]
    seconds, failed, forced, unsolved = np.empty(n), 0, 0, 0
    for i, theta in enumerate(draw_parameters(model, np.random.default_rng(1), n)):
        begin = time.perf_counter()
        result = run(theta)
        seconds[i] = time.perf_counter() - begin
        failed += bool(result.status)
        forced += bool(result.counts[3])
        unsolved += bool(result.counts[4])
    middling, late, slowest = np.quantile(seconds / usual, (0.5, 0.99, 1))
    print(
        f"{type(model).__name__:12s} {n:6d} {failed:7d} {forced:7d} {unsolved:9d} "
        f"{1e3 * usual:10.2f} {middling:8.2f} {late:7.2f} {slowest:8.2f}",
        flush=True,
    )


def corner(name):
    cls, changed = STIFF[name]
    model = cls()
    run = runner(model)
    theta = middle(model)
    for parameter, value in changed.items():
        theta[model.parameter_names.index(parameter)] = value
    places = {"corner": theta, "middle": middle(model)}
    best = in_turns({k: functools.partial(run, place) for k, place in places.items()}, 20)
    counts = run(theta).counts
    print(
        f"{name:36s} {1e3 * best['corner']:7.2f} {1e3 * best['middle']:7.2f} "
        f"{best['corner'] / best['middle']:6.2f} {counts[3]:7d}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[cls.__name__ for cls in ph.MODELS])
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} draws")
    chosen = parser.parse_args()
    print("stiff corner                         ms   middle, ms   ratio  forced steps")
    for name in STIFF:
        corner(name)
    print("\nmodel         draws  failed  forced  unsolved  middle, ms   median    99 %  slowest")
    for name in chosen.models:
        draws(getattr(ph, name)(), QUICK if chosen.quick else chosen.draws)


if __name__ == "__main__":
    main()
