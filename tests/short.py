"""Short chains for the code of pages and of examples: that it runs is tested, not what it finds."""

import pymc as pm

import pymc_hydro as ph
from pymc_hydro.inference.approximation import laplace as searches

FEW = {"draws": 15, "tune": 10, "cores": 1, "progressbar": False, "nuts_sampler": "pymc"}
DEPTH = {"max_treedepth": 3, "early_max_treedepth": 3}


def shorten(monkeypatch=None, few=FEW):
    """Few draws and short trajectories for `pm.sample`, one search for `ph.fit_laplace`.

    `ph.fit_errors` fits the errors of few draws.
    """
    sample, laplace, fit_errors = pm.sample, ph.fit_laplace, ph.fit_errors

    def short(**options):
        chains = min(options.get("chains", 2), 2)
        options |= few | {"chains": chains}
        if "step" in options:
            for name, value in DEPTH.items():
                setattr(options["step"], name, value)
        else:
            options["nuts"] = DEPTH
        return sample(**options)

    def one_search(*arguments, **options):
        return laplace(*arguments, **options | {"starts": 1})

    def few_errors(*arguments, **options):
        return fit_errors(*arguments, **options | {"draws": 5})

    if monkeypatch is None:
        pm.sample, ph.fit_laplace, ph.fit_errors = short, one_search, few_errors
        searches.MANY = 1
    else:
        monkeypatch.setattr(searches, "MANY", 1)
        monkeypatch.setattr(pm, "sample", short)
        monkeypatch.setattr(ph, "fit_laplace", one_search)
        monkeypatch.setattr(ph, "fit_errors", few_errors)
