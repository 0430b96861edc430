"""Heavy tails and memory against plain Gaussian errors, judged on years not seen."""

import matplotlib.pyplot as plt
import pymc as pm

import pymc_hydro as ph
from pymc_hydro.plots import plot_hydrograph, plot_reliability, plot_residuals

ERRORS = {
    "Gaussian": {"likelihood": "normal"},
    "skewed t, AR(1)": {"likelihood": "skew_student", "ar": 1},
}

if __name__ == "__main__":
    model = ph.Hymod(snow=False)
    basin = ph.load_basin("leaf_river")
    first = basin.sel(time=slice(None, "1955-09-30"))
    second = basin.sel(time=slice("1954-10-01", "1957-09-30"))  # its first year warms up
    observed = second["discharge"]

    diagram = None
    for label, errors in ERRORS.items():
        with ph.build_model(model, first, preset="log_uniform", **errors) as pymc_model:
            approximation = ph.fit_laplace(random_seed=1)  # from the exact Jacobian, in seconds
            idata = pm.sample(draws=150, tune=100, random_seed=1, **approximation.nuts(chains=2))
            panel = plot_residuals(ph.residuals(idata))
            ph.set_basin(second)
            flow = ph.predict(idata, draws=200, random_seed=1)
        band = plot_hydrograph(flow.isel(time=slice(0, 365)), basin=second, prob=0.95)
        diagram = plot_reliability(observed, flow["discharge"], ax=diagram, label=label)
        coverage = ph.verification.coverage(observed, flow["discharge"], prob=0.95)
        crps = float(ph.verification.crps(observed, flow["discharge"]).mean())
        print(f"{label:16s} coverage of 95 % {coverage:.3f}, CRPS {crps:.3f} mm/d")
        name = errors["likelihood"]
        panel[0, 0].figure.savefig(f"residuals_{name}.png", dpi=100)
        band.figure.savefig(f"hydrograph_{name}.png", dpi=100)
    diagram.figure.savefig("reliability.png", dpi=100)
    plt.close("all")
