"""Cost of a run with its Jacobian against a run without, for every model.

    python -m benchmarks.models [--draws 5]

Ten years daily at tolerance 1e-3: default parameters and random draws within the bounds. The two
kinds of run take turns, so that a change of the machine's speed meets both; minima of repeats.
"""

import argparse
from functools import partial

import numpy as np

import pymc_hydro as ph
from benchmarks.integration import ten_years
from benchmarks.timing import in_turns
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.testing.checks import draw_parameters

TOLERANCE, REPEATS = 1e-3, 7
MODELS = [cls() for cls in ph.MODELS] + [ph.GR4J(form="B")]


def costs(model, problem, theta, forcing):
    """Return the times of both kinds of run in s, the ratio of their steps and the status."""

    def run(sensitivities):
        return problem.run(theta, forcing, model.initial_state, sensitivities=sensitivities)

    plain, full = in_turns({kind: partial(run, kind) for kind in (False, True)}, REPEATS).values()
    steps = {kind: run(kind).counts[[0, 2]].sum() for kind in (False, True)}
    return plain, full, steps[True] / steps[False], run(True).status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=5)
    chosen = parser.parse_args()
    basin = ten_years()
    print("model    form  parameters  values ms  with Jacobian ms  ratio  of steps  | draws: ratio")
    for model in MODELS:
        forcing = forcing_array(model, basin)
        problem = define_problem(model, ("discharge",), 1.0, rtol=TOLERANCE, atol=TOLERANCE)
        plain, full, steps, _ = costs(model, problem, model.default, forcing)
        rng = np.random.default_rng(1)
        drawn = [
            costs(model, problem, t, forcing) for t in draw_parameters(model, rng, chosen.draws)
        ]
        ratios = [b / a for a, b, _, _ in drawn]
        failed = sum(status != 0 for *_, status in drawn)
        print(
            f"{type(model).__name__:10s} {model.options.get('form', ''):2s} "
            f"{len(model.parameters):10d} {1e3 * plain:10.1f} {1e3 * full:17.1f} "
            f"{full / plain:6.2f} {steps:9.2f}  | {np.median(ratios):.2f} "
            f"(worst {max(ratios):.2f}), failed {failed}",
            flush=True,
        )


if __name__ == "__main__":
    main()
