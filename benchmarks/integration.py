"""Cost and accuracy of value and Jacobian, against the reference scheme, side by side in one run.

    python -m benchmarks.integration [--draws 20]

Ten years of daily Hymod with snow (Leaf River's rain, a sine of temperature), random draws within
the bounds. For each draw and scheme the time at which the error of discharge reaches 1e-3 and 1e-5
mm/d is interpolated from runs over a ladder of tolerances; times are minima of several repeats.
"""

import argparse
import functools
import time

import numpy as np
import pytensor
import pytensor.tensor as pt

import pymc_hydro as ph
from benchmarks.paper_scheme import run_paper
from pymc_hydro.engine.problem import DEFAULT_TOLERANCE, define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.losses import nse
from pymc_hydro.ops import SimulatedValues
from pymc_hydro.testing.checks import draw_parameters

MODEL = ph.Hymod()
TARGETS = (1e-3, 1e-5)  # mm/d, root mean square error of discharge
LADDER = 10.0 ** np.arange(-1, -7.1, -0.5)
REFERENCE = 1e-10
REPEATS = 5


def ten_years():
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 3650))
    temperature = 10 + 12 * np.sin(2 * np.pi * np.arange(3650) / 365.25)
    return basin.assign(temperature=("time", temperature))


def draws(n, seed=1):
    return draw_parameters(MODEL, np.random.default_rng(seed), n)


def timed(function, repeats=REPEATS):
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def ours(theta, forcing, tolerance, solver="bogacki_shampine"):
    problem = define_problem(
        MODEL, ("discharge",), 1.0, rtol=tolerance, atol=tolerance, solver=solver
    )
    run = problem.run(theta, forcing, MODEL.initial_state, sensitivities=True)
    return run.values[:, 0], run.jacobian[:, 0], run.counts


def paper(theta, forcing, tolerance):
    return run_paper(MODEL, theta, forcing, tolerance)


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


def compare_schemes(n):
    forcing = forcing_array(MODEL, ten_years())
    schemes = {
        "ours (order 3)": ours,
        "ours (Heun)": lambda *a: ours(*a, solver="heun"),
        "paper's scheme": paper,
    }
    collected = {(s, t): [] for s in schemes for t in TARGETS}
    for theta in draws(n):
        q_exact, J_exact, _ = ours(theta, forcing, REFERENCE)
        size = np.linalg.norm(J_exact, axis=0)
        for name, scheme in schemes.items():
            errors, times, jacobian_errors = [], [], []
            for tolerance in LADDER:
                cost, (q, J, _) = timed(functools.partial(scheme, theta, forcing, tolerance), 3)
                errors.append(max(np.sqrt(np.mean((q - q_exact) ** 2)), 1e-300))
                jacobian_errors.append(np.max(np.linalg.norm(J - J_exact, axis=0) / size))
                times.append(cost)
                if errors[-1] < min(TARGETS) / 3 or not np.isfinite(errors[-1]) or cost > 0.5:
                    break
            for target in TARGETS:
                collected[name, target].append(at_target(errors, times, jacobian_errors, target))
    return collected


def report_schemes(collected):
    for target in TARGETS:
        print(f"\nRMSE of discharge {target:g} mm/d")
        print(
            "scheme           median ms   worst ms   ratio to paper's (median, worst)   "
            "Jacobian error (median, worst)"
        )
        base = np.array([t for t, _, _ in collected["paper's scheme", target]])
        for (name, which), rows in collected.items():
            if which != target:
                continue
            t, J = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
            print(
                f"{name:16s} {1e3 * np.median(t):9.2f} {1e3 * t.max():10.2f}   "
                f"{np.median(t / base):10.3f} {np.max(t / base):10.3f}"
                f"{np.median(J):26.1e} {J.max():10.1e}"
            )


def at_default_tolerance(n):
    """Errors of discharge (RMSE) and of the Jacobian where no tolerance is given."""
    forcing = forcing_array(MODEL, ten_years())
    rows = []
    for theta in draws(n):
        q_exact, J_exact, _ = ours(theta, forcing, REFERENCE)
        q, J, _ = ours(theta, forcing, DEFAULT_TOLERANCE)
        error = np.linalg.norm(J - J_exact, axis=0) / np.linalg.norm(J_exact, axis=0)
        rows.append((np.sqrt(np.mean((q - q_exact) ** 2)), error.max()))
    (q, J), (q_worst, J_worst) = np.median(rows, axis=0), np.max(rows, axis=0)
    print(f"discharge {q:.1e}, {q_worst:.1e} mm/d; Jacobian {J:.1e}, {J_worst:.1e}")


def step_ratio():
    """Cost of a step with sensitivities against one without, equal fixed steps."""
    forcing = forcing_array(MODEL, ten_years())
    for solver in ("bogacki_shampine", "heun"):
        problem = define_problem(MODEL, ("discharge",), 1.0, steps=2, solver=solver)
        costs = {False: [], True: []}
        for _ in range(30):  # in turn, so that a change of the machine's speed meets both
            for with_sensitivities, found in costs.items():
                found.append(
                    timed(
                        lambda s=with_sensitivities, p=problem: p.run(
                            MODEL.default, forcing, MODEL.initial_state, sensitivities=s
                        ),
                        1,
                    )[0]
                )
        a, b = (np.min(costs[k]) for k in (False, True))
        print(f"{solver:17s} {1e9 * a / 7300:6.0f} ns  {1e9 * b / 7300:6.0f} ns   {b / a:.2f}")


def compiled_nse():
    """Value and gradient of the NSE through a compiled PyTensor function, two steps a day."""
    basin = ten_years()
    observed = basin["discharge"].values
    for solver in ("heun", "bogacki_shampine"):
        problem = define_problem(MODEL, ("discharge",), 1.0, steps=2, solver=solver)
        theta = pt.dvector()
        q = SimulatedValues(problem)(theta, forcing_array(MODEL, basin), MODEL.initial_state)
        score = nse(observed, q[:, 0])
        f = pytensor.function([theta], [score, pytensor.grad(score, theta)])
        f(MODEL.default)
        print(f"{solver:17s} {1e3 * timed(lambda f=f: f(MODEL.default), 50)[0]:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=20)
    chosen = parser.parse_args()
    print("Step without, with sensitivities (7 parameters), ratio")
    step_ratio()
    print("\nNSE and gradient, ten years, two fixed steps a day, compiled PyTensor function")
    compiled_nse()
    print(f"\nErrors at the default tolerance {DEFAULT_TOLERANCE:g} (median, worst)")
    at_default_tolerance(chosen.draws)
    report_schemes(compare_schemes(chosen.draws))


if __name__ == "__main__":
    main()
