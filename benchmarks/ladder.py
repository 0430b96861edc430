"""The gradient ladder over many parameter vectors: largest errors and shares of failures.

    python -m benchmarks.ladder [--models Hymod GR4J-B ...] [--formulations default reference]
                                [--draws 150] [--corners 50] [--rungs sweep forcing "in time"]

Each vector: J and B against complex step at a random point; the water balance, and the Jacobian at
the default tolerance against 1e-9, in all five weathers; discharge against SciPy's LSODA, the
sensitivities of fixed steps against complex step (TR-BDF2 and Bogacki-Shampine in turn), those of
an adaptive run against differences with frozen steps, the sweep back in time against the columns,
and its gradients by the forcing and by all parameters in time against complex step, by each method
in turn, over six intervals of one weather. `--rungs` takes some of these alone. Errors
are in units of the limits of `ph.testing.check_model`. Failures are integrations that ended in an
`IntegrationError`, also at 1e-9 and at fixed steps, and those that SciPy gave up; they are listed.
"""

import argparse
import warnings

import numpy as np

import pymc_hydro as ph
from pymc_hydro.integrators import BOGACKI_SHAMPINE, METHODS, TR_BDF2
from pymc_hydro.testing import backwards, checks
from pymc_hydro.testing.weather import weathers

SEED, SHORT = 20261124, 6  # intervals
KINDS = {kind.__name__: kind for kind in ph.MODELS}
KINDS["GR4J-B"] = lambda **options: ph.GR4J(form="B", **options)
RUNGS = ("J and B", "balance", "default", "SciPy", "fixed", "frozen", "sweep", "forcing", "in time")


def climb(model, theta, k, rng, basins, rungs):
    """Return the findings by rung, and the messages of integrations that failed."""
    found, failed = {rung: [] for rung in RUNGS}, []
    name = list(basins)[k % len(basins)]
    start = int(rng.integers(0, 24))
    short = basins[name].isel(time=slice(start, start + SHORT))
    method = (TR_BDF2, BOGACKI_SHAMPINE)[k % 2]
    each = METHODS[k % len(METHODS)]

    def stable(check, method):  # the explicit methods are unstable at stiff corners
        finding = check(model, theta, short, method)
        return finding or check(model, theta, short, TR_BDF2)

    tasks = [
        ("J and B", lambda: checks.rates_and_jacobians(model, theta, rng)),
        ("SciPy", lambda: checks.discharge_against_scipy(model, theta, short)),
        ("fixed", lambda: stable(checks.fixed_step_sensitivities, method)),
        ("frozen", lambda: checks.adaptive_sensitivities(model, theta, short)),
        ("sweep", lambda: backwards.sweep_against_columns(model, theta, short)),
        ("forcing", lambda: stable(backwards.forcing_at_fixed_steps, each)),
        ("in time", lambda: stable(backwards.parameters_in_time, each)),
    ]
    for basin in basins.values():
        tasks.append(("balance", lambda b=basin: checks.water_balance(model, theta, b)))
        task = "default", lambda b=basin: checks.jacobian_at_default_tolerance(model, theta, b)
        tasks.append(task)
    for rung, task in tasks:
        if rung not in rungs:
            continue
        try:
            finding = task()
        except RuntimeError as error:
            failed.append(f"{rung}: {error}")
            continue
        if finding is None:
            failed.append(f"{rung}: no solution at {checks.STEPS_TRIED[-1]} steps an interval")
        else:
            found[rung].append(finding)
    return found, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--formulations", nargs="+", default=["default", "reference"])
    parser.add_argument("--draws", type=int, default=150)
    parser.add_argument("--corners", type=int, default=50)
    parser.add_argument("--rungs", nargs="+", default=RUNGS, choices=RUNGS)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)  # of branches that are not taken
    basins = weathers()
    print("model, formulation".ljust(24), *(rung.rjust(9) for rung in chosen.rungs), "  failed")
    for name in chosen.models:
        for formulation in chosen.formulations:
            model, rng = KINDS[name](formulation=formulation), np.random.default_rng(SEED)
            thetas = (
                *checks.draw_parameters(model, rng, chosen.draws),
                *checks.corners(model, rng, chosen.corners),
            )
            largest, failures, beyond = dict.fromkeys(RUNGS, 0.0), [], []
            for k, i in enumerate(rng.permutation(len(thetas))):
                found, failed = climb(model, thetas[i], k, rng, basins, chosen.rungs)
                failures += failed
                for rung, findings in found.items():
                    largest[rung] = max(largest[rung], *(f.error for f in findings), 0.0)
                    beyond += [f"vector {i}: {f}" for f in findings if f.error > 1]
            label = f"{name}, {formulation}".ljust(24)
            errors = (f"{largest[rung]:9.2g}" for rung in chosen.rungs)
            print(label, *errors, f"{len(failures):8d}", flush=True)
            for line in beyond + failures:
                print("   ", line[:200], flush=True)


if __name__ == "__main__":
    main()
