"""Models in discrete time: value and gradient of the NSE, ten years, beside a scan in JAX.

    python -m benchmarks.maps [--repeats 300]

The scan evaluates the same law (the model's own `fluxes`) with JAX arrays, and unit hydrographs as
shift registers that are just long enough. All calls of a model take turns; minima of repeats. A
kernel alone is measured as well: values, and values with the Jacobian. "by all" is the gradient by
parameters and by the forcing of all days, by reverse mode on both sides.
"""

import argparse
import importlib.util

import numpy as np
import pytensor
import pytensor.tensor as pt

import pymc_hydro as ph
from benchmarks.integration import ten_years
from benchmarks.timing import in_turns
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.losses import nse
from pymc_hydro.ops import SimulatedValues

THETA = {
    "GR4J": (300.0, -0.5, 60.0, 1.7),
    "GR5J": (320.0, -0.8, 70.0, 2.3, 0.35),
    "GR6J": (280.0, 0.6, 50.0, 1.3, 0.25, 6.0),
}


def ours(model, theta, basin):
    """Return calls: the kernel without and with columns; NSE, also with its gradient."""
    problem = define_problem(model, ("discharge",), model.interval)
    forcing, x0, n = forcing_array(model, basin), model.initial_state, len(theta)
    run = problem.integrator()
    arrays = [problem.new_outputs(len(forcing), columns) for columns in (0, n)]
    x, u = pt.dvector(), pt.dmatrix()
    q = SimulatedValues(problem)(x, u, x0)
    score = nse(basin["discharge"].values, q[:, 0])
    slopes = pytensor.grad(score, [x, u])
    given = {"givens": {u: pt.constant(forcing)}}
    value = pytensor.function([x], score, **given)
    both = pytensor.function([x], [score, slopes[0]], **given)
    by_all = pytensor.function([x, u], [score, *slopes])
    return {
        "kernel, values": lambda: run(theta, forcing, x0, *arrays[0]),
        "kernel, Jacobian": lambda: run(theta, forcing, x0, *arrays[1]),
        "NSE": lambda: value(theta),
        "NSE and gradient": lambda: both(theta),
        "by all": lambda: by_all(theta, forcing),
    }, by_all(theta, forcing)[1:]


def scan(model, theta, basin):
    """Return calls of the same by JAX."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    forcing, observed = jnp.asarray(forcing_array(model, basin)), basin["discharge"].values
    p0 = dict(zip(model.parameter_names, theta, strict=True))
    lengths = {h.output: int(h.base(_Namespace(p0))) + 1 for h in model.hydrographs}

    def discharge(x, forcing):
        p = _Namespace(zip(model.parameter_names, x, strict=True))
        shares = {
            h.output: jnp.stack([h.ordinate(j, j + 1, p) for j in range(lengths[h.output])])
            for h in model.hydrographs
        }
        start = {name: jnp.asarray(value, float) for name, value in model.start(dict(p)).items()}

        def update(state, row):
            stores, waiting = state
            u = dict(zip(model.forcing_names, row, strict=True)) | dict.fromkeys(shares, 0.0)
            inflow = model.evaluate(stores, u, dict(p))  # of the hydrographs; the rest is dropped
            moved = {}
            for name, share in shares.items():
                into = sum(inflow[f.flux] for f in model.flows if f.target == name)
                moved[name] = jnp.append(waiting[name][1:], 0.0) + into * share
                u[name] = moved[name][0]
            fluxes = model.evaluate(stores, u, dict(p))
            q = sum(fluxes[t] for t in model.output_table["discharge"].terms)
            return (model.update(stores, fluxes), moved), q

        waiting = {name: jnp.zeros(n) for name, n in lengths.items()}
        return jax.lax.scan(update, (start, waiting), forcing)[1]

    def score(x, forcing=forcing):
        return 1 - jnp.sum((observed - discharge(x, forcing)) ** 2) / spread

    spread = np.sum((observed - observed.mean()) ** 2)
    value, reverse = jax.jit(score), jax.jit(jax.value_and_grad(score))
    forward = jax.jit(lambda x: (score(x), jax.jacfwd(score)(x)))
    by_all = jax.jit(jax.value_and_grad(score, argnums=(0, 1)))
    x = jnp.asarray(theta)
    return {
        "JAX, NSE": lambda: value(x).block_until_ready(),
        "JAX, reverse": lambda: reverse(x)[1].block_until_ready(),
        "JAX, forward": lambda: forward(x)[1].block_until_ready(),
        "JAX, by all": lambda: by_all(x, forcing)[1][1].block_until_ready(),
    }, [np.asarray(slope) for slope in by_all(x, forcing)[1]]


class _Namespace(dict):
    """A mapping whose entries are attributes as well."""

    __getattr__ = dict.__getitem__


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=300)
    repeats = parser.parse_args().repeats
    basin, rows = ten_years(), {}
    for name, values in THETA.items():
        model, theta = getattr(ph.gr, name)(), np.array(values)
        calls, slopes = ours(model, theta, basin)
        if importlib.util.find_spec("jax"):
            others, found = scan(model, theta, basin)
            calls |= others
            differ = [
                np.abs(a - b).max() / np.abs(b).max() for a, b in zip(slopes, found, strict=True)
            ]
            print(f"{name}: gradients differ by", " and ".join(f"{d:.0e}" for d in differ))
        rows[name] = in_turns(calls, repeats)
    columns = list(rows["GR4J"])
    print("| model |", " | ".join(columns), "|")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} |", " | ".join(f"{1000 * row[c]:.2f}" for c in columns), "|")


if __name__ == "__main__":
    main()
