"""Cost and accuracy of value and Jacobian, against the reference scheme, side by side in one run.

    python -m benchmarks.integration [--models Hymod HBV ...] [--draws 50]

Ten years daily (Leaf River's rain, a sine of temperature, snow), random draws within the bounds.
For each draw and scheme the time at which the error of discharge reaches 1e-3 and 1e-5 mm/d is
interpolated from runs over a ladder of tolerances; times are minima of several repeats.
"""

import argparse
import functools
import time

import numpy as np
import pytensor
import pytensor.tensor as pt

import pymc_hydro as ph
from benchmarks.paper_scheme import run_paper
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.losses import nse
from pymc_hydro.ops import SimulatedValues
from pymc_hydro.testing.checks import draw_parameters

TARGETS = (1e-3, 1e-5)  # mm/d, root mean square error of discharge
LADDER = 10.0 ** np.arange(-1, -7.1, -0.5)
REFERENCE = 1e-10
REPEATS = 5


def ten_years():
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 3650))
    temperature = 10 + 12 * np.sin(2 * np.pi * np.arange(3650) / 365.25)
    return basin.assign(temperature=("time", temperature))


def timed(function, repeats=REPEATS):
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def ours(model, theta, forcing, tolerance, solver=None):
    problem = define_problem(
        model, ("discharge",), 1.0, rtol=tolerance, atol=tolerance, solver=solver
    )
    run = problem.run(theta, forcing, model.initial_state, sensitivities=True)
    return run.values[:, 0], run.jacobian[:, 0], run.counts


def relative(model, theta, J, J_exact):
    """Return the largest relative L2 error of a column; below 1e-3 mm/d a column counts as that."""
    scale = np.array([p.scale or abs(t) for p, t in zip(model.parameters, theta, strict=True)])
    size = np.maximum(np.linalg.norm(J_exact * scale, axis=0), 1e-3 * np.sqrt(len(J)))
    return np.max(np.linalg.norm((J - J_exact) * scale, axis=0) / size)


def at_target(errors, times, jacobians, target):
    """Return time and Jacobian error where the error of discharge falls to `target`.

    The first run on the ladder below which all errors are smaller than the target, with the time
    interpolated between it and the one before (log-log).
    """
    errors, times = np.log(errors), np.log(times)
    target = np.log(target)
    above = np.flatnonzero(errors > target)
    i = above[-1] + 1 if above.size else 0
    if i == 0 or i == errors.size:
        i = min(i, errors.size - 1)
        return np.exp(times[i]), jacobians[i], i == 0
    weight = (errors[i - 1] - target) / (errors[i - 1] - errors[i])
    return np.exp(times[i - 1] + weight * (times[i] - times[i - 1])), jacobians[i], False


SCHEMES = {
    "default": ours,
    "implicit": functools.partial(ours, solver="tr_bdf2"),
    "paper's": run_paper,
}


def compare_schemes(model, n):
    forcing = forcing_array(model, ten_years())
    collected = {(s, t): [] for s in SCHEMES for t in TARGETS}
    for theta in draw_parameters(model, np.random.default_rng(1), n):
        q_exact, J_exact, _ = ours(model, theta, forcing, REFERENCE, solver="esdirk3")
        for name, scheme in SCHEMES.items():
            errors, times, jacobian_errors = [], [], []
            for tolerance in LADDER:
                run = functools.partial(scheme, model, theta, forcing, tolerance)
                cost, (q, J, _) = timed(run, 2)
                errors.append(max(np.sqrt(np.mean((q - q_exact) ** 2)), 1e-300))
                jacobian_errors.append(relative(model, theta, J, J_exact))
                times.append(cost)
                if errors[-1] < min(TARGETS) / 3 or not np.isfinite(errors[-1]) or cost > 1:
                    break
            for target in TARGETS:
                collected[name, target].append(at_target(errors, times, jacobian_errors, target))
    return collected


def report_schemes(model, collected):
    for (name, target), rows in collected.items():
        base = np.array([t for t, _, _ in collected["paper's", target]])
        t, J = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
        print(
            f"{type(model).__name__:10s} {target:7g} {name:9s} {1e3 * np.median(t):9.2f} "
            f"{1e3 * t.max():9.2f} {np.median(base / t):9.1f} {np.min(base / t):6.1f} "
            f"{np.median(J):9.1e} {np.nanmax(J):8.1e}",
            flush=True,
        )


def compiled_nse():
    """Value and gradient of the NSE through a compiled PyTensor function, fixed steps."""
    basin = ten_years()
    observed = basin["discharge"].values
    for model in (ph.Hymod(), ph.HBV(), ph.SacSma()):
        for solver, steps in ((None, 1), (None, 2), ("heun", 2), ("tr_bdf2", 1)):
            problem = define_problem(model, ("discharge",), 1.0, steps=steps, solver=solver)
            theta, forcing = pt.dvector(), forcing_array(model, basin)
            q = SimulatedValues(problem)(theta, forcing, model.initial_state)
            score = nse(observed, q[:, 0])
            f = pytensor.function([theta], [score, pytensor.grad(score, theta)])
            failed = np.isnan(f(model.default)[0])
            cost = timed(functools.partial(f, model.default), 50)[0]
            print(
                f"{type(model).__name__:8s} {solver or 'default':8s} {steps} steps a day "
                + ("unstable" if failed else f"{1e3 * cost:.2f} ms"),
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[cls.__name__ for cls in ph.MODELS])
    parser.add_argument("--draws", type=int, default=50)
    chosen = parser.parse_args()
    print(
        "NSE and gradient, ten years, fixed steps, compiled PyTensor function, default parameters"
    )
    compiled_nse()
    print(
        "\nmodel       target  scheme    median ms  worst ms   faster than paper's: median, least  "
        "Jacobian error: median, worst"
    )
    for name in chosen.models:
        model = getattr(ph, name)()
        report_schemes(model, compare_schemes(model, chosen.draws))


if __name__ == "__main__":
    main()
