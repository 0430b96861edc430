"""Simulation-based calibration of the error models, hydrologic parameters included.

    python -m benchmarks.sbc [--likelihoods normal skew_student] [--memory constant flow]
        [--replications 200] [--draws 250] [--rtol 1e-4] [--quick]

Parameters are drawn from the prior, a record of one year from the model with these parameters
(free-running, remembered errors), and the posterior is sampled with nutpie: the rank of each
true value among its thinned draws is uniform if density, draws, gradient and sampler are right
(Talts et al. 2018, arXiv:1804.06788). The model has two stores and no routing. Prints p-values of
a chi-square test of the ranks' histogram. Records and posteriors are of the same tolerance, so that
a loose one is no error here.
"""

import argparse
import time
from itertools import product

import numpy as np
import pymc as pm
import xarray as xr
from scipy import stats

import pymc_hydro as ph
from tests.tiny import Tiny

WARMUP, N_TIME = 60, 425
RANKS, BINS = 99, 10  # ranks 0 to 99 in ten bins


def record(seed):
    """A year of rain after the warm-up, with gaps in the observations."""
    rng = np.random.default_rng(seed)
    time = (np.arange(N_TIME) + np.datetime64("2001-01-01", "D")).astype("datetime64[ns]")
    rain = rng.gamma(0.3, 15, N_TIME)
    forcing = {"precipitation": ("time", rain), "potential_evaporation": ("time", rain * 0 + 1)}
    flow = np.ones(N_TIME) * np.where(np.arange(N_TIME) % 2, 0.5, 1.5)  # sets the prior of s0
    flow[200:210] = flow[300] = np.nan
    return xr.Dataset(forcing | {"discharge": ("time", flow)}, coords={"time": time})


def ranks(
    likelihood, replications, seed, memory="constant", draws=250, tune=250, say=print, **options
):
    """Return the rank of each true value, shape (n_replication,), by parameter."""
    import nutpie

    basin = record(seed)
    model = ph.build_model(Tiny(), basin, likelihood, memory=memory, warmup=WARMUP, **options)
    there = model["flow_position"].get_value()
    with model:
        prior = pm.sample_prior_predictive(replications, random_seed=seed).prior
        drawn = ph.predict(prior, draws=replications, random_seed=seed)["discharge"]
        records = drawn.values[0][:, there]
    compiled = nutpie.compile_pymc_model(model)
    names = [rv.name for rv in model.free_RVs]
    found = {n: [] for n in names}
    for i, flow in enumerate(records):
        tree = nutpie.sample(
            compiled.with_data(flow_observed=flow),
            draws=draws,
            tune=tune,
            chains=1,
            cores=1,
            seed=seed + i,
            progress_bar=False,
        )
        posterior = tree.posterior
        for n in names:
            values = posterior[n].values.ravel()
            kept = values[np.linspace(0, values.size - 1, RANKS).round().astype(int)]
            found[n].append(int((kept < prior[n].values.ravel()[i]).sum()))
        if say and (i + 1) % 20 == 0:
            p = min(p_values({n: np.array(v) for n, v in found.items()}).values())
            say(f"{likelihood}: {i + 1} of {replications}, smallest p {p:.3f}", flush=True)
    return {n: np.array(v) for n, v in found.items()}


def p_values(found):
    """Return the p-value of a uniform histogram by parameter."""
    result = {}
    for name, values in found.items():
        counts = np.histogram(values, bins=BINS, range=(0, RANKS + 1))[0]
        result[name] = float(stats.chisquare(counts).pvalue)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--likelihoods", nargs="+", default=["normal", "skew_student"])
    parser.add_argument("--memory", nargs="+", default=["constant", "flow"])
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=250, help="and steps of tuning")
    parser.add_argument("--rtol", type=float, default=1e-4)
    parser.add_argument("--quick", action="store_true", help="3 replications of 50 draws")
    chosen = parser.parse_args()
    draws = 50 if chosen.quick else chosen.draws
    options = {"draws": draws, "tune": draws, "rtol": chosen.rtol, "atol": chosen.rtol}
    n = 3 if chosen.quick else chosen.replications
    for likelihood, memory in product(chosen.likelihoods, chosen.memory):
        begin = time.process_time()
        found = ranks(likelihood, n, chosen.seed, memory, **options)
        seconds = time.process_time() - begin
        print(f"{likelihood}, memory {memory}, {n} replications, {seconds:.0f} CPU s", flush=True)
        for name, p in p_values(found).items():
            counts = np.histogram(found[name], bins=BINS, range=(0, RANKS + 1))[0]
            print(f"  {name:16s} p = {p:.3f}   {' '.join(f'{c:3d}' for c in counts)}")


if __name__ == "__main__":
    main()
