"""A model of your own: three stores and a snow pack, checked, calibrated and sampled."""

import arviz as az
import pymc as pm

import pymc_hydro as ph
from pymc_hydro import core
from pymc_hydro.plots import plot_structure


class ThreeStores(core.AbstractModel):
    """A soil store that sheds water as a power of its content, interflow and groundwater."""

    interflow = core.LinearReservoir("I", "q_i", description="interflow")
    ground = core.LinearReservoir("G", "q_g", description="groundwater")
    parameters = (
        core.Parameter("S_max", 20, 1000, "mm", "capacity of the soil store", default=200),
        core.Parameter("b", 0.2, 8, "1", "exponent of runoff", default=2),
        core.Parameter("share", 0, 1, "1", "share of runoff to groundwater", default=0.3),
        core.Parameter("k_i", 0.05, 10, "1/d", "rate of interflow", default=0.5),
        core.Parameter("k_g", 1e-3, 0.2, "1/d", "rate of groundwater", default=0.02),
    )
    ordered = (("k_g", "k_i"),)
    snow_target = "S"
    stores = (core.Store("S", "mm", "soil", capacity="S_max"), *interflow.stores, *ground.stores)
    flows = (
        core.Flow("E", "S", None),
        core.Flow("r_i", "S", "I"),
        core.Flow("r_g", "S", "G"),
        *interflow.flows,
        *ground.flows,
    )
    outputs = (
        core.Output("discharge", ("q_i", "q_g"), "mm/d", "discharge at the outlet"),
        core.Output("evaporation", ("E",), "mm/d", "actual evaporation"),
    )

    def fluxes(self, s, u, p):
        water = self.snow.fluxes(s, u, p)
        z = core.clamp(s.S / p.S_max, 1e-6)
        r = water.liquid * core.guarded_power(z, p.b, 1e-2)
        own = {"E": u.potential_evaporation * z, "r_i": (1 - p.share) * r, "r_g": p.share * r}
        return {**water, **own, **self.interflow.fluxes(s, p.k_i), **self.ground.fluxes(s, p.k_g)}


if __name__ == "__main__":
    for finding in ph.testing.check_model(ThreeStores, draws=1):
        print(finding)
    model, basin = ThreeStores(), ph.load_basin("fulda").sel(time=slice("1979", "1981"))
    print(model)
    fit = ph.calibrate(model, basin, starts=2, hops=0, random_seed=1)
    print(fit)
    plot_structure(model).figure.savefig("own_model.png", dpi=100)
    with ph.build_model(model, basin, likelihood="normal", scale="linear"):
        nuts = ph.fit_laplace(random_seed=1).nuts(chains=2, random_seed=1)
        idata = pm.sample(draws=200, tune=100, random_seed=1, **nuts)
    print(az.summary(idata, var_names=list(model.parameter_names)))
