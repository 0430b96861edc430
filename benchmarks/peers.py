"""Value and gradient of the NSE, side by side with other ways to get them.

    python -m benchmarks.peers [--quick]      # what it needs: benchmarks/requirements.txt

First the same equations (Hymod without snow, its flux function evaluated with JAX arrays), forcing
and tolerance: ours; central differences of our values; diffrax with adaptive steps, and a jitted
scan of fixed Heun steps, both in forward and in reverse mode. Errors are against our run at 1e-10.
Next the gradient by all forcings of all days, by our sweep and by the scan in reverse mode.
Then packages with models of the same kind at a fixed step of a day, by their own loss: gradient of
theirs, and of ours, with the error of our daily step against the converged solution (theirs are
maps of a day, with no step to refine). All calls of a table take turns; minima of repeats.
"""

import argparse
import functools
import importlib
import warnings
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytensor
import pytensor.tensor as pt

import pymc_hydro as ph
from benchmarks.integration import ten_years
from benchmarks.timing import in_turns
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.integrators import HEUN, TR_BDF2
from pymc_hydro.losses import nse
from pymc_hydro.ops import SimulatedValues

MODEL = ph.Hymod(snow=False)
REFERENCE = 1e-10
CONVERGED = 1e-8  # tolerance of the solution with which a daily step is compared
SCAN_STEPS = (1, 2, 8)  # Heun steps a day
TWO_STAGES = (HEUN, TR_BDF2)  # the second where the first is unstable
DIFFERENCE = 1e-3  # of a parameter, for central differences at tolerances of that order

NO_SNOW = {"snow_module": "none"}
# Package, ours of the same kind, forcings in its order, options of its loss.
PACKAGES = (
    ("jhbv", ph.HBV(), ("precipitation", "temperature", "potential_evaporation"), {}),
    (
        "jsacsma",
        ph.SacSma(snow=False),
        ("precipitation", "temperature", "potential_evaporation"),
        NO_SNOW,
    ),
    ("jxaj", ph.Xinanjiang(snow=False), ("precipitation", "potential_evaporation"), {}),
)
WITHOUT = {
    "superflexpy": "no gradient",
    "spotpy": "no models and no gradient: samplers and optimisers",
    "sunode": "not on PyPI (conda-forge has it)",
}


def ours(model, basin, **settings):
    """Return a compiled function of the parameters: NSE and its gradient."""
    problem = define_problem(model, ("discharge",), 1.0, **settings)
    theta = pt.dvector()
    q = SimulatedValues(problem)(theta, forcing_array(model, basin), model.initial_state)
    score = nse(basin["discharge"].values, q[:, 0])
    return pytensor.function([theta], [score, pytensor.grad(score, theta)])


def differences(basin, tolerance):
    """Return a function of the parameters: NSE and its gradient by central differences."""
    problem = define_problem(MODEL, ("discharge",), 1.0, rtol=tolerance, atol=tolerance)
    forcing, observed = forcing_array(MODEL, basin), basin["discharge"].values

    def score(theta):
        run = problem.run(theta, forcing, MODEL.initial_state)
        return nse(observed, run.values[:, 0])

    def both(theta):
        h = DIFFERENCE * theta
        ends = ((score(theta + d) - score(theta - d)) for d in np.diag(h))
        return score(theta), np.array(list(ends)) / (2 * h)

    return both


def rates(x, u, theta):
    """Return the rates of the stores and the discharge, with JAX arrays."""
    import jax.numpy as jnp

    named = (MODEL.store_names, x), (MODEL.forcing_names, u), (MODEL.parameter_names, theta)
    fluxes = MODEL.evaluate(*(dict(zip(n, v, strict=False)) for n, v in named))
    change = dict.fromkeys(MODEL.store_names, 0.0)
    for flow in MODEL.flows:
        for store, sign in ((flow.source, -1.0), (flow.target, 1.0)):
            if store is not None:
                change[store] = change[store] + sign * fluxes[flow.flux]
    terms = next(o.terms for o in MODEL.outputs if o.name == "discharge")
    return jnp.stack([*change.values(), sum(fluxes[t] for t in terms)])


def scanned(forcing, steps):
    """Return discharge as a function of the parameters: fixed Heun steps in a scan over days."""
    import jax
    import jax.numpy as jnp

    start = jnp.append(jnp.asarray(MODEL.initial_state), 0.0)
    h = 1.0 / steps

    def discharge(theta):
        def day(x, u):
            x = x.at[-1].set(0.0)
            for _ in range(steps):
                k = rates(x, u, theta)
                x = x + h / 2 * (k + rates(x + h * k, u, theta))
            return x, x[-1]

        return jax.lax.scan(day, start, jnp.asarray(forcing))[1]

    return discharge


def adaptive(forcing, tolerance, adjoint):
    """Return discharge as a function of the parameters: diffrax, steps that end with each day."""
    import diffrax
    import jax.numpy as jnp

    forcing, n_time = jnp.asarray(forcing), len(forcing)
    start, ends = jnp.append(jnp.asarray(MODEL.initial_state), 0.0), jnp.arange(n_time + 1.0)
    solver = diffrax.Bosh3() if tolerance > 1e-5 else diffrax.Tsit5()
    control = diffrax.PIDController(rtol=tolerance, atol=tolerance)
    control = diffrax.ClipStepSizeController(control, jump_ts=ends[1:-1])

    def slope(t, x, theta):
        return rates(x, forcing[jnp.clip(t.astype(int), 0, n_time - 1)], theta)

    def discharge(theta):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(slope),
            solver,
            0.0,
            float(n_time),
            0.1,
            start,
            args=theta,
            saveat=diffrax.SaveAt(ts=ends),
            stepsize_controller=control,
            adjoint=adjoint,
            max_steps=20 * n_time,
        )
        return jnp.diff(solution.ys[:, -1])

    return discharge


def with_jax(discharge, observed, mode):
    """Return a jitted function of the parameters: NSE and its gradient."""
    import jax
    import jax.numpy as jnp

    y = jnp.asarray(observed)

    def score(theta):
        return 1 - ((discharge(theta) - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()

    if mode == "reverse":
        both = jax.jit(jax.value_and_grad(score))
        return lambda theta: jax.block_until_ready(both(theta))
    both = jax.jit(jax.jacfwd(lambda theta: (score(theta),) * 2, has_aux=True))
    return lambda theta: jax.block_until_ready(both(theta))[::-1]


def same_equations(basin, repeats):
    """Print the table of the same equations, forcing and tolerances."""
    forcing, observed = forcing_array(MODEL, basin), basin["discharge"].values
    theta = MODEL.default
    calls, missing = {}, []
    for tolerance in (1e-3, 1e-6):
        settings = {"rtol": tolerance, "atol": tolerance}
        calls["ours", f"{tolerance:g}"] = ours(MODEL, basin, **settings)
        calls["central differences of ours", f"{tolerance:g}"] = differences(basin, tolerance)
        try:
            import diffrax
        except ImportError:
            missing = ["diffrax: not installed"]
            continue
        modes = {"forward": diffrax.ForwardMode(), "reverse": diffrax.RecursiveCheckpointAdjoint()}
        for mode, adjoint in modes.items():
            discharge = adaptive(forcing, tolerance, adjoint)
            calls[f"diffrax, {mode}", f"{tolerance:g}"] = with_jax(discharge, observed, mode)
    for steps in SCAN_STEPS:
        calls["ours", f"{steps} a day"] = ours(MODEL, basin, steps=steps)
        heun = ours(MODEL, basin, steps=steps, solver=TWO_STAGES)
        calls["ours, Heun", f"{steps} a day"] = heun
        for mode in ("forward", "reverse"):
            call = with_jax(scanned(forcing, steps), observed, mode)
            calls[f"JAX scan of Heun steps, {mode}", f"{steps} a day"] = call
    exact = ours(MODEL, basin, rtol=REFERENCE, atol=REFERENCE, solver="esdirk3")(theta)
    calls = {k: functools.partial(call, theta) for k, call in calls.items()}
    best = in_turns(calls, repeats)
    print(f"\nHymod without snow, {len(forcing)} days: NSE and gradient by {theta.size} parameters")
    print(f"{'':35s} {'tolerance or steps':19s} ms     by ours   error of NSE   of gradient")
    for (method, setting), call in calls.items():
        value, gradient = call()
        wrong = np.abs(np.asarray(gradient) / exact[1] - 1).max()
        ratio = best[method, setting] / best["ours", setting]
        print(
            f"{method:35s} {setting:12s} {1e3 * best[method, setting]:9.2f} {ratio:9.1f} "
            f"{abs(float(value) - exact[0]):14.1e} {wrong:13.1e}"
        )
    print(*missing, sep="\n")


def by_the_forcing(basin, repeats):
    """Print the table of gradients by all forcings of all days and by the parameters."""
    import jax
    import jax.numpy as jnp

    forcing, observed = forcing_array(MODEL, basin), basin["discharge"].values
    y, at = jnp.asarray(observed), (MODEL.default, forcing)
    calls = {}
    for steps in SCAN_STEPS:
        for solver in (None, TWO_STAGES):
            problem = define_problem(MODEL, ("discharge",), 1.0, steps=steps, solver=solver)
            inputs = pt.dvector(), pt.dmatrix()
            q = SimulatedValues(problem)(*inputs, MODEL.initial_state)
            score = nse(observed, q[:, 0])
            both = pytensor.function(inputs, [score, *pytensor.grad(score, inputs)])
            calls["ours, Heun" if solver else "ours", steps] = functools.partial(both, *at)

        def score(theta, u, steps=steps):
            q = scanned(u, steps)(theta)
            return 1 - ((q - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()

        both = jax.jit(jax.value_and_grad(score, (0, 1)))
        call = lambda f=both: jax.block_until_ready(f(*at))  # noqa: E731
        calls["JAX scan of Heun steps, reverse", steps] = call
    best = in_turns(calls, repeats)
    print(f"\n{len(forcing)} days: NSE, and gradient by {forcing.shape[1]} forcings and parameters")
    for method, steps in calls:
        print(f"{method:35s} {steps} a day {1e3 * best[method, steps]:9.2f} ms")


def package_gradient(name, basin, forcings, options):
    """Return a function without arguments, and the number of parameters it differentiates by."""
    import jax

    loss = importlib.import_module(f"{name}.losses").nse_loss
    defaults = importlib.import_module(f"{name}.parameters").DEFAULT_PARAMS
    numbers = {k: float(v) for k, v in defaults.items() if isinstance(v, (int, float))}
    arrays = [basin[v].values for v in (*forcings, "discharge")]

    def score(theta):
        return loss(dict(zip(numbers, theta, strict=True)), *arrays, use_jax=True, **options)

    both, theta = jax.jit(jax.value_and_grad(score)), np.array(list(numbers.values()))
    return lambda: jax.block_until_ready(both(theta)), theta.size


def fuse_gradient(basin):
    """Return the same of jfuse, in its configuration after Sacramento."""
    import jax
    from jfuse.fuse import create_fuse_model

    model = create_fuse_model("sacramento")
    names = ("precipitation", "potential_evaporation", "temperature")
    arrays = tuple(jax.numpy.asarray(basin[v].values)[:, None] for v in names)
    y, parameters = jax.numpy.asarray(basin["discharge"].values), model.default_params()

    def score(parameters):
        q = model.simulate(arrays, parameters)[0].ravel()
        return 1 - ((q - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()

    both = jax.jit(jax.value_and_grad(score))
    return lambda: jax.block_until_ready(both(parameters)), len(jax.tree.leaves(parameters))


def step_error(model, basin, solver):
    """Return the error of a daily step's discharge, as a share of the standard deviation."""
    forcing = forcing_array(model, basin)
    settings = {"steps": 1, "solver": solver}, {"rtol": CONVERGED, "atol": CONVERGED}
    daily, exact = (
        define_problem(model, ("discharge",), 1.0, **given)
        .run(model.default, forcing, model.initial_state)
        .values
        for given in settings
    )
    return np.sqrt(np.mean((daily - exact) ** 2)) / exact.std()


def other_packages(basin, repeats):
    """Print the table of packages with models of the same kind."""
    calls, sizes, lines = {}, {}, []
    kinds = [(n, m, functools.partial(package_gradient, n, basin, f, o)) for n, m, f, o in PACKAGES]
    kinds.append(("jfuse", ph.SacSma(), functools.partial(fuse_gradient, basin)))
    for name, model, build in kinds:
        try:
            call, size = build()
            call()
        except Exception as error:  # a package may be missing, or fail in its own way
            lines.append(f"{name}: not available ({type(error).__name__}: {str(error)[:100]})")
            continue
        calls[name], sizes[name] = call, size
        for solver in (None, TWO_STAGES):
            own = ours(model, basin, steps=1, solver=solver)
            calls[name, solver] = functools.partial(own, model.default)
    best = in_turns(calls, repeats)
    print(f"\n{basin.sizes['time']} days, fixed steps of a day: NSE and its gradient")
    print("package, parameters, ms; ours: model, steps, parameters, ms; by ours; error of our step")
    for name, model, _ in kinds:
        for solver in (None, TWO_STAGES) if name in calls else ():
            peer, own = best[name], best[name, solver]
            print(
                f"{name:9s} {sizes[name]:5d} {1e3 * peer:9.2f}   {type(model).__name__:12s} "
                f"{'Heun' if solver else 'default':8s} {len(model.parameters):5d} {1e3 * own:9.2f} "
                f"{peer / own:9.2f} {step_error(model, basin, solver):9.4f}"
            )
    for name, reason in WITHOUT.items():
        try:
            lines.append(f"{name} {version(name)}: not timed, {reason}")
        except PackageNotFoundError:
            lines.append(f"{name}: not installed; {reason}")
    print(*lines, sep="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one year, few repeats")
    quick = parser.parse_args().quick
    try:
        import jax
    except ImportError:
        print("benchmarks.peers: JAX is not installed; pip install -r benchmarks/requirements.txt")
        return
    jax.config.update("jax_enable_x64", True)
    warnings.simplefilter("ignore")  # of packages that call themselves experimental
    basin = ten_years().isel(time=slice(0, 400 if quick else None))
    same_equations(basin, 5 if quick else 20)
    by_the_forcing(basin, 5 if quick else 20)
    other_packages(basin, 5 if quick else 20)


if __name__ == "__main__":
    main()
