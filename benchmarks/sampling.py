"""NUTS on Leaf River, and gradient-free samplers on the same posterior.

    python -m benchmarks.sampling {approximation,pymc,nutpie,demetropolisz,dream} [--draws N]
        [--tune N] [--errors {gaussian,sst}] [--output FILE]

Six years daily (one of warm-up), HYMOD without snow, errors of linear scale: Gaussian, with seven
free parameters, or skewed Student's t with AR(1), with ten, whose posterior has several modes: all
chains start from that of `ph.fit_laplace`. Prints the summary and the effective sample size per
second of the worst parameter; the time includes compilation and tuning. `--output` keeps means and
Monte Carlo errors for a comparison: ``--compare A B``.

`approximation` is PyMC's NUTS with the starts and the metric of `ph.fit_laplace`, whose search is
in the time.

`dream` is SPOTPY's DREAM (``pip install spotpy``) in natural units within the priors' bounds, as it
is used; its density is that of the PyMC model without transformations, so that no Jacobian of one
enters and the posterior is the same; Gaussian errors only. Seven chains, the fewest for its three
pairs, in one process.
"""

import argparse
import contextlib
import io
import json
import time
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms

import pymc_hydro as ph
from benchmarks.bayes import ERRORS, numbers

NAMES = ("S_umax", "beta", "alpha", "K_s", "K_f", "flow_s0", "flow_s1")
SAMPLERS = ("approximation", "pymc", "nutpie", "demetropolisz", "dream")
MODEL = ph.Hymod(snow=False)
DREAM_CHAINS = 7
PRIOR_SD = 5.0  # half-normal priors end here for DREAM, which wants bounds: all but 6e-7 of them


def build(errors="gaussian"):
    basin = ph.load_basin("leaf_river").sel(time=slice(None, "1958-09-30"))
    return ph.build_model(MODEL, basin, **ERRORS[errors])


def sample(sampler, draws, tune, seed, errors):
    """Return the posterior, the share of divergences (NUTS only) and the seconds."""
    pymc_model = build(errors)
    start = time.perf_counter()
    if sampler == "dream":
        posterior = dream(pymc_model, draws, tune, seed)
        return posterior, None, time.perf_counter() - start
    kwargs = {"draws": draws, "tune": tune, "chains": 4, "cores": 2, "random_seed": seed}
    with pymc_model:
        if sampler == "approximation":
            kwargs |= ph.fit_laplace(random_seed=seed).nuts(chains=4, random_seed=seed)
        elif sampler == "demetropolisz":
            kwargs["step"] = pm.DEMetropolisZ()
        else:
            kwargs["nuts_sampler"] = sampler
        if "initvals" not in kwargs and errors != "gaussian":  # modes that no chain moves between
            kwargs["initvals"] = ph.fit_laplace(random_seed=seed).mode
        idata = pm.sample(progressbar=False, **kwargs)
    seconds = time.perf_counter() - start
    stats, diverging = idata.sample_stats, None
    if "diverging" in stats:
        diverging = float(stats["diverging"].mean())
    names = [rv.name for rv in pymc_model.free_RVs]
    return xr.Dataset({n: idata.posterior[n] for n in names}), diverging, seconds


def natural_logp(pymc_model):
    """Return the log-density of the parameters in natural units, by NAMES; -inf outside."""
    natural = remove_value_transforms(pymc_model)
    inputs = [natural.rvs_to_values[natural[n]] for n in NAMES]
    logp = natural.compile_fn(natural.logp(), inputs=inputs, point_fn=False)

    def finite(theta):
        value = float(logp(*theta))
        return value if np.isfinite(value) else -np.inf

    return finite


def bounds(pymc_model):
    """Return lower and upper ends of the parameters in natural units."""
    found = {p.name: (p.lower, p.upper) for p in MODEL.parameters}
    for n in NAMES:
        if n.startswith("flow_"):
            sigma = pymc_model[n].owner.op.dist_params(pymc_model[n].owner)[1].eval()
            found[n] = (0.0, PRIOR_SD * float(sigma))
    return [found[n] for n in NAMES]


def dream(pymc_model, draws, tune, seed):
    import spotpy

    logp = natural_logp(pymc_model)

    class Setup:
        def __init__(self):
            limits = zip(NAMES, bounds(pymc_model), strict=True)
            self.params = [spotpy.parameter.Uniform(n, *ends) for n, ends in limits]

        def parameters(self):
            return spotpy.parameter.generate(self.params)

        def simulation(self, theta):
            return [logp(list(theta))]

        def evaluation(self):
            return [0.0]

        def objectivefunction(self, simulation, evaluation):
            return simulation[0]

    class Dream(spotpy.algorithms.dream):
        def get_r_hat(self, parameter_array):
            # It looks at all chains after every step, which takes longer than the model, and ends
            # the run at 1.2.
            return np.full(len(NAMES), np.inf)

    sampler = Dream(Setup(), dbformat="ram", save_sim=False, random_state=seed)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints every two seconds
        # Option 2: the objective is a log-density. The default halves it.
        sampler.sample(
            (draws + tune) * DREAM_CHAINS, nChains=DREAM_CHAINS, acceptance_test_option=2
        )
    chains = sampler.bestpar[:, tune : tune + draws]
    return xr.Dataset({n: (("chain", "draw"), chains[..., i]) for i, n in enumerate(NAMES)})


def report(sampler, posterior, diverging, seconds):
    names = list(posterior.data_vars)
    r_hat, ess = (numbers(f(posterior), names) for f in (az.rhat, az.ess))
    mean = {n: float(posterior[n].mean()) for n in posterior.data_vars}
    sd = {n: float(posterior[n].std()) for n in posterior.data_vars}
    print(f"{sampler}, PyMC {pm.__version__}: {seconds:.1f} s")
    print("parameter             mean        sd   R-hat   bulk ESS")
    for n in ess:
        print(f"{n:16s} {mean[n]:9.4g} {sd[n]:9.3g}   {r_hat[n]:.3f}   {ess[n]:8.0f}")
    if diverging is not None:
        print(f"divergences {100 * diverging:.2f} %")
    print(f"worst ESS per second {min(ess.values()) / seconds:.3g}")
    error = {n: sd[n] / np.sqrt(ess[n]) for n in ess}
    return {"sampler": f"{sampler}, PyMC {pm.__version__}", "mean": mean, "sd": sd, "error": error}


def compare(files):
    """Print the differences of means in units of their Monte Carlo error."""
    results = [json.loads(Path(f).read_text(encoding="utf-8")) for f in files]
    base = results[0]
    for other in results[1:]:
        scores = {
            n: (other["mean"][n] - base["mean"][n]) / np.hypot(other["error"][n], base["error"][n])
            for n in base["mean"]
        }
        text = ", ".join(f"{n} {z:+.1f}" for n, z in scores.items())
        print(f"{other['sampler']} against {base['sampler']}: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sampler", nargs="?", choices=SAMPLERS)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--errors", default="gaussian", choices=list(ERRORS))
    parser.add_argument("--output", type=Path)
    parser.add_argument("--compare", nargs="+", metavar="FILE")
    chosen = parser.parse_args()
    if chosen.compare:
        compare(chosen.compare)
        return
    if chosen.sampler == "dream" and chosen.errors != "gaussian":
        parser.error("dream samples the posterior with Gaussian errors only")
    options = chosen.draws, chosen.tune, chosen.seed, chosen.errors
    result = report(chosen.sampler, *sample(chosen.sampler, *options))
    if chosen.output:
        chosen.output.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
