"""Short chains for the code of pages and of examples: that it runs is tested, not what it finds."""

import pymc as pm

FEW = {"draws": 15, "tune": 10, "cores": 1, "progressbar": False, "nuts_sampler": "pymc"}
DEPTH = {"max_treedepth": 3, "early_max_treedepth": 3}


def shorten(monkeypatch=None, few=FEW):
    """Put `pm.sample` with few draws and short trajectories in place of itself."""
    sample = pm.sample

    def short(**options):
        chains = min(options.get("chains", 2), 2)
        options |= few | {"chains": chains}
        if "step" in options:
            for name, value in DEPTH.items():
                setattr(options["step"], name, value)
        else:
            options["nuts"] = DEPTH
        return sample(**options)

    if monkeypatch is None:
        pm.sample = short
    else:
        monkeypatch.setattr(pm, "sample", short)
