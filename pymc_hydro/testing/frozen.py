"""Run a kernel's text as plain Python, to record its steps and to repeat them.

The text is the very one that is compiled; a few lines are replaced: those that set a step's length
and method, and the one that decides whether it is accepted.
"""

import functools

import numpy as np

from pymc_hydro.engine.codegen.step import N_COUNTS
from pymc_hydro.engine.compile import _MATHEMATICS, _namespace, kernel_source
from pymc_hydro.engine.problem import Run

__all__ = ["frozen_run", "recorded_run"]

LENGTH = "h = longest * 0.5**level"
CHOICE = "for m in range(n_method):"
LIMIT = "limit = method[m, n_most + 2, 1]"
DECISION = "if error <= 1.0 or forced:"


def _execute(problem, sensitivities, replacements, extra, theta, forcing, x0):
    text = kernel_source(problem.model, problem.outputs, methods=problem.methods)
    for old, new in replacements.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    # As compiled: the logarithm of zero is minus infinity, not an exception.
    space = _namespace() | {name: getattr(np, name) for name in _MATHEMATICS} | extra
    exec(_compiled(text), space)
    (kernel,) = (v for k, v in space.items() if k.startswith(type(problem.model).__name__.lower()))
    values = np.empty((len(forcing), len(problem.outputs)))
    jacobian = np.empty((*values.shape, len(theta) if sensitivities else 0))
    counts = np.zeros(N_COUNTS, dtype=np.int64)
    method = problem.coefficients()
    settings = (problem.place(False), method, problem.dt, problem.rtol, problem.atol, problem.steps)
    with np.errstate(all="ignore"):
        status = kernel(theta, forcing, x0, *settings, values, jacobian, counts)
    assert status == 0
    return Run(values, jacobian, counts, status)


@functools.lru_cache(maxsize=8)
def _compiled(text):
    return compile(text, "kernel in Python", "exec")


def recorded_run(problem, theta, forcing, x0):
    """Return an adaptive run with sensitivities, and (level, method) of its accepted steps."""
    steps = []

    def decide(accepted, level, method):
        if accepted:
            steps.append((level, method))
        return accepted

    decision = {DECISION: "if DECIDE(error <= 1.0 or forced, level, m):"}
    run = _execute(problem, True, decision, {"DECIDE": decide}, theta, forcing, x0)
    return run, steps


def frozen_run(problem, theta, forcing, x0, steps):
    """Return the values of a run that takes the recorded steps, shape (n_time, n_output).

    NaN where a stage has no solution at one of these steps.
    """

    def solved(bad):
        if bad:
            raise ArithmeticError
        return True

    replacements = {
        LENGTH: f"level, CHOSEN = next(STEPS); {LENGTH}",
        CHOICE: "for m in (CHOSEN,):",
        LIMIT: "pass",
        DECISION: "if SOLVED(bad):",
    }
    extra = {"STEPS": iter(steps), "SOLVED": solved}
    try:
        return _execute(problem, False, replacements, extra, theta, forcing, x0).values
    except ArithmeticError:
        return np.full((len(forcing), len(problem.outputs)), np.nan)
