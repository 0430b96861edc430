"""Partial pooling: how `ph.regional` mixes, and the two stages beside the joint posterior.

    python -m benchmarks.pooling DATA {joint,stages} [--basins 10] [--years 5] [--snow] [--ar]
        [--attributes aridity ...] [--forms centered residual metropolis] [--draws 150] [--tune 150]
        [--deepest 10]

DATA is a netCDF file of a Dataset on `basin` and `time` with forcing, discharge, and attributes on
`basin`. Hymod with errors of linear scale by basin; the first year is warm-up. The basins are the
wettest without snow, or with `--snow` the wettest of which 10 to 40 % of the rain is snow.

- joint: NUTS of nutpie, two chains, for each form of `ph.regional`, or DEMetropolisZ of the
  centered one. All chains start at calibrated parameters: from elsewhere chains end in different
  modes. Steps are evaluations, of value and gradient in NUTS, of the value in DEMetropolisZ; ESS is
  that of the bulk; both without tuning.
- stages: the same posterior, centered, beside `ph.pool_posteriors` of posteriors of the basins one
  by one. Differences of means are in units of the joint standard deviation, and standard deviations
  by those of the joint posterior.

Seconds are of processor time, with compilation.
"""

import argparse
import time
import warnings

import arviz as az
import numpy as np
import pymc as pm
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.regionalization.pooling.link import define_link

FORCING = ("precipitation", "potential_evaporation", "temperature", "discharge")
BEGIN, SNOW = "1981-10-01", (0.1, 0.4)
NUMERICS = {"rtol": 1e-3, "atol": 1e-3}
FORMS = {"centered": True, "residual": False, "metropolis": True}


def read(given):
    """Return model, records by name, and the attributes asked for (None if there are none)."""
    every = xr.open_dataset(given.data)
    snow = every["frac_snow"].values
    low, high = SNOW if given.snow else (-1.0, 0.02)
    there = np.flatnonzero((snow >= low) & (snow <= high))
    wettest = there[np.argsort(every["aridity"].values[there])][: given.basins]
    end = str(int(BEGIN[:4]) + given.years) + "-09-30"
    part = every.isel(basin=np.sort(wettest)).sel(time=slice(BEGIN, end)).load()
    model = ph.Hymod(snow=given.snow)
    columns = [n for n in FORCING if n == "discharge" or n in model.forcing_names]
    records = {n: part[columns].sel(basin=n, drop=True) for n in part["basin"].values.tolist()}
    table = part[given.attributes].to_dataframe() if given.attributes else None
    return model, records, table


def place_flow(model, theta, basins, ar):
    """Place flow with errors of linear scale by basin."""
    q = ph.discharge(model, theta, basins, warmup=365, **NUMERICS)
    several = isinstance(basins, dict)
    if several:
        observed = {n: b["discharge"] for n, b in basins.items()}
        index = pm.modelcontext(None)["basin_index"]
        s0, s1 = (pm.HalfNormal(n, w, dims="basin")[index] for n, w in (("s0", 1), ("s1", 0.5)))
    else:
        observed = basins["discharge"]
        s0, s1 = (pm.HalfNormal(n, w) for n, w in (("s0", 1), ("s1", 0.5)))
    ph.likelihoods.Normal("flow", q, observed=observed, s0=s0, s1=s1, ar=int(ar))


def sample(pymc_model, given, start=None, draws=None, tune=None, metropolis=False):
    """Return the result of NUTS or of DEMetropolisZ, and its seconds."""
    begin = time.process_time()
    with pymc_model:
        sampler: dict = {"step": pm.DEMetropolisZ()} if metropolis else {"nuts_sampler": "nutpie"}
        if not metropolis:
            sampler["nuts_sampler_kwargs"] = {"maxdepth": given.deepest}
        idata = pm.sample(
            draws or given.draws, tune=tune or given.tune, chains=2, cores=1, random_seed=1,
            progressbar=False, initvals=start, compute_convergence_checks=False, **sampler,
        )  # fmt: skip
    return idata, time.process_time() - begin


def report(label, pymc_model, idata, seconds):
    hyper = [v.name for v in pymc_model.free_RVs if v.name.startswith("regional_")]
    hyper.remove("regional_z")
    own = [v.name for v in pymc_model.free_RVs if v.name not in hyper]
    posterior = idata.posterior
    found = {}
    for what, names in (("hyper", hyper), ("basins", own)):
        part = xr.Dataset({n: posterior[n] for n in names})
        found[what] = [
            max(float(v.max()) for v in az.rhat(part).data_vars.values()),
            min(float(v.min()) for v in az.ess(part).data_vars.values()),
        ]
    n = sum(np.size(v) for v in pymc_model.initial_point().values())
    stats = idata.sample_stats
    steps = float(stats["n_steps"].mean()) if "n_steps" in stats else 1.0
    diverging = int(stats["diverging"].sum()) if "diverging" in stats else 0
    cost = steps * posterior.sizes["chain"] * posterior.sizes["draw"]
    (r_hyper, ess_hyper), (r_own, ess_own) = found["hyper"], found["basins"]
    print(
        f"| {label} | {n} | {steps:.1f} | {r_hyper:.3f}, {r_own:.3f} | {ess_hyper:.0f}, "
        f"{ess_own:.0f} | {cost / ess_hyper:.0f}, {cost / ess_own:.0f} | {diverging} | "
        f"{seconds:.0f} |",
        flush=True,
    )


def starts(model, basins):
    """Return logits (n_basin, n_parameter) of calibrated parameters, off the bounds."""
    fits = ph.calibrate(
        model, basins, warmup=365, starts=4, hops=1, random_seed=1, progressbar=False, **NUMERICS
    )
    columns = dict(zip(model.parameter_names, fits["parameters"].values.T, strict=True))
    most = np.log(0.98 / 0.02)
    return np.clip(define_link(model).coordinates(columns, model.parameter_names), -most, most)


def joint_model(model, basins, table, given, centered):
    with pm.Model(coords={"basin": list(basins)}) as pymc_model:
        theta = ph.regional(model, table, centered=centered)
        place_flow(model, theta, basins, given.ar)
    return pymc_model


def joint(given):
    model, basins, table = read(given)
    print(
        "| form | dimensions | steps a draw | R-hat hyper, basins | ESS | steps for an effective "
        "draw | divergences | CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    z = starts(model, basins)
    for form in given.forms:
        pymc_model = joint_model(model, basins, table, given, FORMS[form])
        start = {
            "regional_z": z,
            "regional_intercept": z.mean(axis=0),
            "regional_tau": z.std(axis=0),
        }
        if not FORMS[form]:
            start["regional_z"] = (z - z.mean(axis=0)) / z.std(axis=0)
        idata, seconds = sample(pymc_model, given, start, metropolis=form == "metropolis")
        report(form, pymc_model, idata, seconds)


def stages(given):
    model, basins, table = read(given)
    z, begin, fits = starts(model, basins), time.process_time(), {}
    for row, (name, basin) in zip(z, basins.items(), strict=True):
        with pm.Model() as one:
            place_flow(model, ph.priors(model), basin, given.ar)
        by_name = dict(zip(model.parameter_names, row, strict=True))
        start = define_link(model).parameters(by_name, {})
        fits[name], _ = sample(one, given, start)
        worst = max(float(v.max()) for v in az.rhat(fits[name].posterior.to_dataset()).values())
        print(f"basin {name}: R-hat {worst:.3f}", flush=True)
    first = time.process_time() - begin
    pooled = ph.pool_posteriors(model, fits, table)
    idata, second = sample(pooled.model, given, draws=1000, tune=500)
    pymc_model = joint_model(model, basins, table, given, True)
    start = {"regional_z": z, "regional_intercept": z.mean(axis=0), "regional_tau": z.std(axis=0)}
    whole, seconds = sample(pymc_model, given, start)
    report("joint", pymc_model, whole, seconds)
    print(f"stages: {first:.0f} s of single posteriors, {second:.0f} s of the second stage")
    for name in ("regional_intercept", "regional_weights", "regional_tau"):
        if name in whole.posterior:
            compare(name, whole.posterior[name], idata.posterior[name])
    theta = pooled.parameters(idata, random_seed=1)
    link, names = define_link(model), model.parameter_names
    joint_z, z, alone = (
        np.moveaxis(link.coordinates(d, names), -1, 0)
        for d in (whole.posterior, theta, stacked(fits))
    )
    for name, first, second, third in zip(names, joint_z, z, alone, strict=True):
        compare(f"{name}, by basin", first, second)
        compare(f"{name}, one by one", first, third)


def stacked(fits):
    """Return the posteriors of single basins on chain, draw and basin."""
    return xr.concat([f.posterior.to_dataset() for f in fits.values()], "basin").transpose(
        "chain", "draw", "basin"
    )


def compare(label, first, second):
    """Print the largest difference of means and the extreme ratios of standard deviations."""
    first, second = np.asarray(first), np.asarray(second)
    sd = first.std(axis=(0, 1))
    apart = np.abs(second.mean(axis=(0, 1)) - first.mean(axis=(0, 1))) / sd
    ratio = second.std(axis=(0, 1)) / sd
    print(
        f"| {label} | {np.median(apart):.2f} | {apart.max():.2f} | {np.median(ratio):.2f} | "
        f"{ratio.min():.2f} to {ratio.max():.2f} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("what", choices=("joint", "stages"))
    parser.add_argument("--basins", type=int, default=10)
    parser.add_argument("--years", type=int, default=5, help="with the year of warm-up")
    parser.add_argument("--snow", action="store_true")
    parser.add_argument("--ar", action="store_true")
    parser.add_argument("--attributes", nargs="*", default=[])
    parser.add_argument("--forms", nargs="+", default=["centered"], choices=list(FORMS))
    parser.add_argument("--deepest", type=int, default=10, help="tree of NUTS")
    parser.add_argument("--draws", type=int, default=150)
    parser.add_argument("--tune", type=int, default=150)
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    {"joint": joint, "stages": stages}[given.what](given)


if __name__ == "__main__":
    main()
