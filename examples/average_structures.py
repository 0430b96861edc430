"""Two structures in one model, weighed by a mixture: Bayesian model averaging.

Each simulation has its own parameters, kept apart by a prefix; both read the same record.
"""

import numpy as np
import pymc as pm

import pymc_hydro as ph
from pymc_hydro.plots import plot_hydrograph

if __name__ == "__main__":
    record = ph.load_basin("leaf_river").sel(time=slice("1952-10-01", "1955-09-30"))
    observed = record["discharge"].isel(time=slice(365, None)).values
    structures = {"hymod": ph.Hymod(snow=False), "gr4j": ph.GR4J(snow=False)}

    with pm.Model(coords={"structure": list(structures)}):
        weight = pm.Dirichlet("weight", np.ones(len(structures)), dims="structure")
        errors = []
        for name, structure in structures.items():
            q = ph.discharge(structure, ph.priors(structure, prefix=name), record, warmup=365)
            s0, s1 = pm.HalfNormal(f"{name}_s0", 0.5), pm.HalfNormal(f"{name}_s1", 0.5)
            errors.append(pm.Normal.dist(q, s0 + s1 * q))
        pm.Mixture("flow", w=weight, comp_dists=errors, observed=observed, dims="time")
        idata = pm.sample(draws=200, tune=300, chains=2, random_seed=1)

        share = idata.posterior["weight"].mean(("chain", "draw"))
        for name in structures:
            print(f"{name}: weight {float(share.sel(structure=name)):.2f}")
        predicted = ph.predict(idata, draws=100, random_seed=1)["discharge"]

    covered = ph.verification.coverage(record["discharge"], predicted, prob=0.9)
    print(f"covered by 90 %: {covered:.2f}")
    wet = predicted.sel(time=slice("1953-12-01", "1954-05-31"))
    plot_hydrograph(wet.to_dataset(), basin=record).figure.savefig("average_structures.png")
