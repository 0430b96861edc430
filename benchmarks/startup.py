"""What a fresh process waits for: import, first compilation, first gradient with a warm cache.

    python -m benchmarks.startup [--models Hymod CFE GR4J]

CPU seconds of the first log-probability with gradient of each model, from the import of PyMC on,
without any cache and with warm caches, for Gaussian errors and for the skewed t with AR(1). And the
overhead of a PyMC log-probability with gradient over the kernel call inside it.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

from benchmarks.bayes import ERRORS

IMPORT = """
import time
start = time.perf_counter()
import pymc
middle = time.perf_counter()
import pymc_hydro
print(middle - start, time.perf_counter() - middle)
"""

FIRST = """
import time
import pymc_hydro as ph
start = time.perf_counter()
model, basin = ph.Hymod(), ph.load_basin("fulda")
ph.simulate(model, model.default, basin, sensitivities=True)
print(time.perf_counter() - start)
"""

GRADIENT = """
import time
import pymc, pymc_hydro as ph, numpy as np
start = time.perf_counter()
model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
f = ph.build_model(model, basin).logp_dlogp_function(ravel_inputs=True)
f.set_extra_values({})
f(np.zeros(7))
print(time.perf_counter() - start)
"""

FIRST_GRADIENT = """
import sys, time
import pymc, pymc_hydro as ph, numpy as np
from benchmarks.bayes import ERRORS
model, basin = getattr(ph, sys.argv[1])(snow=False), ph.load_basin("leaf_river")
pymc_model = ph.build_model(model, basin, **ERRORS[sys.argv[2]])
f = pymc_model.logp_dlogp_function(ravel_inputs=True)
f.set_extra_values({})
f(np.zeros(len(pymc_model.free_RVs)))
print(time.process_time())
"""


def run(code, environment=None, arguments=()):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **(environment or {})},
    ).stdout


def first_gradient(model, errors):
    """Print the CPU seconds of a first gradient without caches, and with warm ones."""
    with tempfile.TemporaryDirectory() as folder:
        empty = {"PYMC_HYDRO_CACHE": f"{folder}/kernels"}
        empty["PYTENSOR_FLAGS"] = f"base_compiledir={folder}/graphs"
        cold, warm = (float(run(FIRST_GRADIENT, empty, (model, errors))) for _ in range(2))
    print(f"{model}, {errors}: first gradient {cold:.1f} s, with warm caches {warm:.1f} s")


def overhead():
    import time

    import pymc_hydro as ph
    from pymc_hydro.engine.problem import define_problem
    from pymc_hydro.engine.simulate import forcing_array

    model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    f = ph.build_model(model, basin).logp_dlogp_function(ravel_inputs=True)
    f.set_extra_values({})
    theta = np.array([160, 0.26, 0.85, 0.003, 0.82])
    unit = (theta - model.lower) / (model.upper - model.lower)
    point = np.append(np.log(unit / (1 - unit)), [-3, -1])
    # K_s is uniform below K_f, and drawn after it.
    ratio = (theta[3] - model.lower[3]) / (theta[4] - model.lower[3])
    point[[3, 4]] = point[4], np.log(ratio / (1 - ratio))
    problem = define_problem(model, ("discharge",), 1.0)
    forcing, integrate, x0 = forcing_array(model, basin), problem.integrator(), model.initial_state
    outputs = problem.new_outputs(len(forcing), problem.n_columns(initial=False))
    times = {"kernel": [], "logp_dlogp": []}
    calls = {
        "kernel": lambda: integrate(theta, forcing, x0, *outputs),
        "logp_dlogp": lambda: f(point),
    }
    for _ in range(300):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: 1e3 * np.median(t) for name, t in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", default=["Hymod", "CFE", "GR4J"])
    chosen = parser.parse_args()
    for model in chosen.models:
        for errors in ERRORS:
            first_gradient(model, errors)
    imports = np.array([[float(x) for x in run(IMPORT).split()] for _ in range(5)])
    print("import pymc {:.2f} s, pymc_hydro after it {:.3f} s".format(*np.median(imports, axis=0)))
    with tempfile.TemporaryDirectory() as folder:
        empty = {"PYMC_HYDRO_CACHE": folder + "/kernels"}
        print(f"first ever compilation of Hymod and gradient {float(run(FIRST, empty)):.1f} s")
        print(f"the same with a warm cache {float(run(FIRST, empty)):.2f} s")
    run(GRADIENT)
    found = np.median([float(run(GRADIENT)) for _ in range(3)])
    print(f"first logp_dlogp of a PyMC model with a warm cache {found:.2f} s")
    medians = overhead()
    ratio = medians["logp_dlogp"] / medians["kernel"]
    print(
        "kernel {kernel:.3f} ms, logp_dlogp {logp_dlogp:.3f} ms".format(**medians),
        f"ratio {ratio:.3f}",
    )


if __name__ == "__main__":
    main()
