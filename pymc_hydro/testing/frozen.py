"""Run a kernel's text as plain Python, to record its steps and to repeat them.

The text is the text that is compiled, but for its hooks: the statements that choose the length and
the method of a step and that accept the step.
"""

import numpy as np

from pymc_hydro.engine.codegen import SWEEP_ARGUMENTS
from pymc_hydro.engine.codegen.step import NO_HOOKS, REPLAY, Hooks
from pymc_hydro.engine.compile import python_kernel, python_sweep
from pymc_hydro.engine.problem import Problem, Run

__all__ = ["ProblemInPython", "frozen_run", "recorded_run", "run_in_python", "swept", "taped_run"]

RECORD = Hooks(accepted=f"DECIDE({NO_HOOKS.accepted}, level, m)")


def _run(problem, hooks, names, n_column, arrays, *further):
    """Run the text; its columns are for parameters, then for initial contents."""
    initial = n_column == problem.n_columns(True)
    kernel = python_kernel(
        problem.model, problem.outputs, problem.methods, hooks, names, n_column=n_column or None
    )
    outputs = problem.new_outputs(len(arrays[1]), n_column)
    with np.errstate(all="ignore"):
        status = kernel(*arrays, *problem.settings(initial), *outputs, *further)
    return Run(*outputs, status)


def run_in_python(problem, theta, forcing, n_column=0):
    """Return a run of the text as it is compiled, from the model's initial contents."""
    x0 = problem.model.initial_state
    return _run(problem, NO_HOOKS, {}, n_column, (theta, forcing, x0))


def recorded_run(problem, theta, forcing, x0):
    """Return an adaptive run with sensitivities, and (level, method) of its accepted steps."""
    steps = []

    def decide(accepted, level, method):
        if accepted:
            steps.append((level, method))
        return accepted

    run = _run(problem, RECORD, {"DECIDE": decide}, len(theta), (theta, forcing, x0))
    assert run.status == 0
    return run, steps


def frozen_run(problem, theta, forcing, x0, steps, n_column=0):
    """Return a run that takes the recorded steps.

    Its values are NaN if a stage has no solution at a step.
    """
    table = np.array([(0, 0), *steps])
    run = _run(problem, REPLAY, {}, n_column, (theta, forcing, x0), table)
    if run.status:
        run.values[:] = np.nan
    return run


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


class ProblemInPython(Problem):
    """A problem whose run, whose repetition and whose sweep are the texts as plain Python."""

    def taped_run(self, theta, forcing, x0):
        """Return a run and its tape."""
        values, tape = taped_run(self, theta, forcing, x0)
        return Run(values, None, np.empty(0), 0), tape

    def replayed_run(self, theta, forcing, x0, tape):
        """Return values and tape of a run that takes the steps of another one."""
        kernel = python_kernel(
            self.model, self.outputs, self.methods, REPLAY, n_column=0, taped=True
        )
        table = np.array([(0, 0), *tape[:, 1:3].astype(int)])
        outputs = self.new_outputs(len(forcing), 0)
        with np.errstate(all="ignore"):
            tape = kernel(theta, forcing, x0, *self.settings(), *outputs, table)[1]
        return outputs[0], tape

    def sweep(self, theta, forcing, x0, tape, cotangent):
        """Return the cotangents of parameters, forcing and initial contents."""
        return swept(self, theta, forcing, x0, tape, cotangent)
