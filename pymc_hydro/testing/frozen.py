"""Run a kernel's text as plain Python, to record its steps and to repeat them.

The text is the text that is compiled, but for its hooks: the statements that choose the length and
the method of a step and that accept the step.
"""

import numpy as np

from pymc_hydro.engine.codegen.step import NO_HOOKS, Hooks
from pymc_hydro.engine.compile import python_kernel
from pymc_hydro.engine.problem import Run

__all__ = ["frozen_run", "recorded_run"]

RECORD = Hooks(accepted=f"DECIDE({NO_HOOKS.accepted}, level, m)")
REPEAT = Hooks(
    begin="level, CHOSEN = next(STEPS)",
    methods="(CHOSEN,)",
    limit="inf",
    accepted="SOLVED(bad)",
)


def _run(problem, hooks, names, n_column, arrays):
    kernel = python_kernel(problem.model, problem.outputs, problem.methods, hooks, names)
    outputs = problem.new_outputs(len(arrays[1]), n_column)
    with np.errstate(all="ignore"):
        status = kernel(*arrays, *problem.settings(), *outputs)
    assert status == 0
    return Run(*outputs, status)


def recorded_run(problem, theta, forcing, x0):
    """Return an adaptive run with sensitivities, and (level, method) of its accepted steps."""
    steps = []

    def decide(accepted, level, method):
        if accepted:
            steps.append((level, method))
        return accepted

    run = _run(problem, RECORD, {"DECIDE": decide}, len(theta), (theta, forcing, x0))
    return run, steps


def frozen_run(problem, theta, forcing, x0, steps):
    """Return the values of a run that takes the recorded steps, shape (n_time, n_output).

    The values are NaN if a stage has no solution at one of these steps.
    """

    def solved(bad):
        if bad:
            raise ArithmeticError
        return True

    names = {"STEPS": iter(steps), "SOLVED": solved}
    try:
        return _run(problem, REPEAT, names, 0, (theta, forcing, x0)).values
    except ArithmeticError:
        return np.full((len(forcing), len(problem.outputs)), np.nan)
