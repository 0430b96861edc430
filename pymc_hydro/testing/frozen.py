"""Run a kernel's text as plain Python, to record its steps and to repeat them.

The text is the very one that is compiled; two lines are replaced: the one that decides whether a
step is accepted, and the one that sets its length.
"""

import numpy as np

from pymc_hydro.engine.kernels import _namespace, kernel_source
from pymc_hydro.engine.problem import Run

__all__ = ["frozen_run", "recorded_run"]

LENGTH = "h = longest * 0.5**level"
DECISION = "if error <= 1.0 or forced:"


def _execute(problem, sensitivities, replacements, extra, theta, forcing, x0):
    text = kernel_source(
        problem.model, problem.outputs, solver=problem.method, sensitivities=sensitivities
    )
    for old, new in replacements.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    space = _namespace() | extra
    exec(text, space)
    (kernel,) = (v for k, v in space.items() if k.startswith(type(problem.model).__name__.lower()))
    values = np.empty((len(forcing), len(problem.outputs)))
    jacobian = np.empty((*values.shape, len(theta)))
    counts = np.zeros(4, dtype=np.int64)
    settings = (problem.dt, problem.rtol, problem.atol, problem.steps)
    status = kernel(theta, forcing, x0, *settings, values, jacobian, counts)
    assert status == 0
    return Run(values, jacobian, counts, status)


def recorded_run(problem, theta, forcing, x0):
    """Return an adaptive run with sensitivities, and the levels of its accepted steps."""
    levels = []

    def decide(accepted, level):
        if accepted:
            levels.append(level)
        return accepted

    decision = {DECISION: "if DECIDE(error <= 1.0 or forced, level):"}
    run = _execute(problem, True, decision, {"DECIDE": decide}, theta, forcing, x0)
    return run, levels


def frozen_run(problem, theta, forcing, x0, levels):
    """Return the values of a run that takes the recorded steps, shape (n_time, n_output)."""
    steps = iter(levels)
    replacements = {LENGTH: f"level = next(STEPS); {LENGTH}", DECISION: "if True:"}
    return _execute(problem, False, replacements, {"STEPS": steps}, theta, forcing, x0).values
