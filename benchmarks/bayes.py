"""Two error models on three basins: convergence, coverage of unseen years, cross-validation.

    python -m benchmarks.bayes [--cases leaf fulda] [--errors gaussian sst] [--quick]
    python -m benchmarks.bayes --data DATA --cases sitter
    python -m benchmarks.bayes --start [--quick]

Hymod on Leaf River and HBV with snow on the Fulda and, where DATA has CAMELS-CH in `camels_ch`, on
the Sitter at Appenzell: independent Gaussian errors of linear scale against skewed Student's t
errors of linear scale with AR(1). NUTS of PyMC from the Gauss-Newton approximation. For the
validation years: coverage and width of the 95 % predictive interval and CRPS, free-running and one
step ahead. `--start` counts gradient evaluations, tuning included, per effective sample of the
worst parameter: started from the approximation with its metric, and with PyMC's default.
"""

import argparse
import time
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm

import pymc_hydro as ph
from pymc_hydro.data.embedded import BASINS

WARMUP, PROB = 365, 0.95
CASES = {
    # Record, structure, end of calibration, start of validation's warm-up.
    "leaf": ("leaf_river", ph.Hymod(snow=False), "1958-09-30", "1957-10-01"),
    "fulda": ("fulda", ph.HBV(snow=True), "1984-12-31", "1984-01-01"),
    "sitter": ("2112", ph.HBV(snow=True), "2005-06-30", "2004-07-01"),
}
ERRORS = {
    "gaussian": {"likelihood": "normal", "ar": 0},
    "sst": {"likelihood": "skew_student", "ar": 1},
}


def periods(case, data):
    name, model, end, start = CASES[case]
    known = name in BASINS
    basin = ph.load_basin(name) if known else ph.read_camels_ch(data / "camels_ch", name)
    return model, basin.sel(time=slice(None, end)), basin.sel(time=slice(start, None))


def build(case, errors, data):
    model, first, second = periods(case, data)
    fit = ph.calibrate(model, first, starts=4, random_seed=1, warmup=WARMUP)
    pymc_model = ph.build_model(model, first, warmup=WARMUP, **ERRORS[errors])
    return pymc_model, first, second, inside(model, fit.theta)


def inside(model, theta):
    """Move a start off the bounds, and a smaller parameter of a pair below the larger."""
    width = model.upper - model.lower
    found = np.array([float(theta[n]) for n in model.parameter_names])
    found = np.clip(found, model.lower + 0.02 * width, model.upper - 0.02 * width)
    start = dict(zip(model.parameter_names, found.tolist(), strict=True))
    low = dict(zip(model.parameter_names, model.lower, strict=True))
    for small, large in model.ordered:
        start[small] = min(start[small], low[small] + 0.9 * (start[large] - low[small]))
    return start


def numbers(result, names):
    """Return a dict of an ArviZ statistic (a Dataset, or a tree of one)."""
    dataset = result["posterior"] if "posterior" in result else result
    return {n: float(np.asarray(dataset[n])) for n in names}


def assess(case, errors, data, draws, tune):
    pymc_model, first, second, start = build(case, errors, data)
    names = [rv.name for rv in pymc_model.free_RVs]
    with pymc_model:
        approximation = ph.fit_laplace(start=start)
        begin = time.perf_counter()
        idata = pm.sample(
            draws=draws,
            tune=tune,
            cores=2,
            random_seed=1,
            progressbar=False,
            **approximation.nuts(seed=1, target_accept=0.9),
        )
        seconds = time.perf_counter() - begin
        ph.compute_log_likelihood(idata)
        loo = az.loo(idata, pointwise=True)
        ph.set_basin(second)
        predicted = {
            k: ph.predict(idata, random_seed=1, free_running=k == "free") for k in ("free", "one")
        }
        ph.set_basin(first)
    khat = np.asarray(loo.pareto_k)
    print(
        f"{case} {errors}: R-hat {max(numbers(az.rhat(idata), names).values()):.3f}, "
        f"ESS {min(numbers(az.ess(idata), names).values()):.0f} in {seconds:.0f} s, divergences "
        f"{100 * float(idata.sample_stats['diverging'].mean()):.2f} %, elpd "
        f"{float(getattr(loo, 'elpd', getattr(loo, 'elpd_loo', np.nan))):.1f} "
        f"(se {float(loo.se):.1f}), Pareto k above 0.7: {(khat > 0.7).sum()} of {khat.size}",
        flush=True,
    )
    for label, result in predicted.items():
        pair = second["discharge"], result["discharge"]
        covered, width = (
            f(*pair, PROB) for f in (ph.verification.coverage, ph.verification.sharpness)
        )
        score = float(ph.verification.crps(*pair).mean())
        print(
            f"    validation, {label:4s}: coverage {covered:.3f}, width {width:.2f} mm/d, "
            f"CRPS {score:.3f} mm/d",
            flush=True,
        )
    return idata


def count_gradients(case, errors, data, draws, tunes):
    pymc_model, _, _, start = build(case, errors, data)
    names = [rv.name for rv in pymc_model.free_RVs]
    with pymc_model:
        approximation = ph.fit_laplace(start=start)
        common = {"draws": draws, "cores": 2, "random_seed": 1, "progressbar": False}
        common |= {"discard_tuned_samples": False, "nuts_sampler": "pymc"}
        for label, tune in zip(("approximation", "default"), tunes, strict=True):
            if label == "approximation":
                options = approximation.nuts(seed=1)
            else:
                options = {"chains": 4, "initvals": approximation.mode}
            idata = pm.sample(tune=tune, **common, **options)
            steps = int(idata.sample_stats["n_steps"].sum())
            steps += int(idata.warmup_sample_stats["n_steps"].sum())
            ess = min(numbers(az.ess(idata), names).values())
            print(
                f"{case} {errors}, start {label}: {steps} gradients, worst ESS {ess:.0f}, "
                f"{steps / ess:.1f} gradients for one effective draw",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with camels_ch")
    parser.add_argument("--cases", nargs="+", default=["leaf", "fulda"], choices=list(CASES))
    parser.add_argument("--errors", nargs="+", default=list(ERRORS), choices=list(ERRORS))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tune", type=int, default=500)
    parser.add_argument("--start", action="store_true")
    parser.add_argument("--quick", action="store_true", help="20 draws")
    chosen = parser.parse_args()
    if chosen.data is None and "sitter" in chosen.cases:
        parser.error("the Sitter is in CAMELS-CH: --data DATA")
    draws, tune = (20, 20) if chosen.quick else (chosen.draws, chosen.tune)
    for case in chosen.cases:
        for errors in chosen.errors:
            if chosen.start:
                count_gradients(case, errors, chosen.data, draws, (tune // 2, 2 * tune))
            else:
                assess(case, errors, chosen.data, draws, tune)


if __name__ == "__main__":
    main()
