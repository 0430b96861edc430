"""Run a kernel's text as plain Python, to record its steps and to repeat them.

The text is the text that is compiled, but for its hooks: the statements that choose the length and
the method of a step and that accept the step.
"""

import numpy as np

from pymc_hydro.engine.codegen import SWEEP_ARGUMENTS
from pymc_hydro.engine.codegen.step import NO_HOOKS, Hooks
from pymc_hydro.engine.compile import python_kernel, python_sweep
from pymc_hydro.engine.problem import Run

__all__ = ["frozen_run", "recorded_run", "swept", "taped_run"]

RECORD = Hooks(accepted=f"DECIDE({NO_HOOKS.accepted}, level, m)")
REPEAT = Hooks(
    begin="level, CHOSEN = next(STEPS)",
    methods="(CHOSEN,)",
    limit="inf",
    accepted="SOLVED(bad)",
)


def _run(problem, hooks, names, n_column, arrays):
    """Run the text; its columns are for parameters, then for initial contents."""
    initial = n_column == problem.n_columns(True)
    kernel = python_kernel(
        problem.model, problem.outputs, problem.methods, hooks, names, n_column=n_column or None
    )
    outputs = problem.new_outputs(len(arrays[1]), n_column)
    with np.errstate(all="ignore"):
        status = kernel(*arrays, *problem.settings(initial), *outputs)
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


def frozen_run(problem, theta, forcing, x0, steps, n_column=0):
    """Return a run that takes the recorded steps.

    Its values are NaN if a stage has no solution at a step.
    """

    def solved(bad):
        if bad:
            raise ArithmeticError
        return True

    names = {"STEPS": iter(steps), "SOLVED": solved}
    try:
        return _run(problem, REPEAT, names, n_column, (theta, forcing, x0))
    except ArithmeticError:
        values, jacobian, counts = problem.new_outputs(len(forcing), n_column)
        values[:], jacobian[:] = np.nan, np.nan
        return Run(values, jacobian, counts, 1)


def taped_run(problem, theta, forcing, x0):
    """Return the values of a run, and its tape."""
    kernel = python_kernel(problem.model, problem.outputs, problem.methods, n_column=0, taped=True)
    values, *others = problem.new_outputs(len(forcing), 0)
    with np.errstate(all="ignore"):
        status, tape = kernel(theta, forcing, x0, *problem.settings(), values, *others)
    assert status == 0
    return values, tape


def swept(problem, theta, forcing, x0, tape, cotangent):
    """Return the cotangents of parameters, forcing and initial contents."""
    results = tuple(np.zeros(a.shape) for a in (theta, forcing, x0))
    settings = problem.settings(arguments=SWEEP_ARGUMENTS)
    sweep = python_sweep(problem.model, problem.outputs, problem.methods)
    with np.errstate(all="ignore"):
        sweep(theta, forcing, x0, *settings, tape, cotangent, *results)
    return results
