"""NUTS on Leaf River, and a gradient-free sampler on the same posterior.

    python -m benchmarks.sampling {pymc,nutpie,demetropolisz} [--draws N] [--tune N] [--output FILE]

Six years daily (one of warm-up), HYMOD without snow, Gaussian errors of linear scale: seven free
parameters. Prints the summary and the effective sample size per second of the worst parameter;
the time includes compilation and tuning. `--output` keeps means and Monte Carlo errors for a
comparison: ``--compare A B``.
"""

import argparse
import json
import time
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm

import pymc_hydro as ph

NAMES = ("S_umax", "beta", "alpha", "K_s", "K_f", "flow_s0", "flow_s1")


def sample(sampler, draws, tune, seed):
    basin = ph.load_basin("leaf_river").sel(time=slice(None, "1958-09-30"))
    kwargs = {"draws": draws, "tune": tune, "chains": 4, "cores": 2, "random_seed": seed}
    with ph.build_model(ph.Hymod(snow=False), basin):
        if sampler == "demetropolisz":
            kwargs["step"] = pm.DEMetropolisZ()
        else:
            kwargs["nuts_sampler"] = sampler
        start = time.perf_counter()
        idata = pm.sample(progressbar=False, **kwargs)
        return idata, time.perf_counter() - start


def numbers(result):
    """Return a plain dict of an ArviZ statistic (a Dataset, or a tree of one)."""
    dataset = result["posterior"] if "posterior" in result else result
    return {n: float(dataset[n]) for n in NAMES}


def report(sampler, idata, seconds):
    posterior = idata.posterior
    r_hat, ess = numbers(az.rhat(idata)), numbers(az.ess(idata))
    mean = {n: float(posterior[n].mean()) for n in NAMES}
    sd = {n: float(posterior[n].std()) for n in NAMES}
    print(f"{sampler}, PyMC {pm.__version__}: {seconds:.1f} s")
    print("parameter      mean        sd   R-hat   bulk ESS")
    for n in NAMES:
        print(f"{n:9s} {mean[n]:9.4g} {sd[n]:9.3g}   {r_hat[n]:.3f}   {ess[n]:8.0f}")
    if "diverging" in idata.sample_stats:
        share = float(idata.sample_stats["diverging"].mean())
        print(f"divergences {100 * share:.2f} %")
    print(f"worst ESS per second {min(ess.values()) / seconds:.3g}")
    error = {n: sd[n] / np.sqrt(ess[n]) for n in NAMES}
    return {"sampler": f"{sampler}, PyMC {pm.__version__}", "mean": mean, "sd": sd, "error": error}


def compare(files):
    """Print the differences of means in units of their Monte Carlo error."""
    results = [json.loads(Path(f).read_text(encoding="utf-8")) for f in files]
    base = results[0]
    for other in results[1:]:
        scores = {
            n: (other["mean"][n] - base["mean"][n]) / np.hypot(other["error"][n], base["error"][n])
            for n in NAMES
        }
        text = ", ".join(f"{n} {z:+.1f}" for n, z in scores.items())
        print(f"{other['sampler']} against {base['sampler']}: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sampler", nargs="?", choices=["pymc", "nutpie", "demetropolisz"])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--compare", nargs="+", metavar="FILE")
    chosen = parser.parse_args()
    if chosen.compare:
        compare(chosen.compare)
        return
    idata, seconds = sample(chosen.sampler, chosen.draws, chosen.tune, chosen.seed)
    result = report(chosen.sampler, idata, seconds)
    if chosen.output:
        chosen.output.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
