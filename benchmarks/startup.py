"""What a fresh process waits for: import, first compilation, first gradient with a warm cache.

    python -m benchmarks.startup

And the overhead of a PyMC log-probability with gradient over the kernel call inside it.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np

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


def run(code, environment=None):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **(environment or {})},
    ).stdout


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
