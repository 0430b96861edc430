"""Hindcasts of two basins, leads of 1 to 10 days: skill by lead, with known and resampled weather.

Hymod on Leaf River and HBV on the Fulda; parameters of the first years, by ``ph.fit_laplace``;
an origin every fifth day of the later years. Errors are Laplace's of Box-Cox flow with
``memory="flow"``, or Student's with AR(1).
"""

import argparse
from functools import partial

import numpy as np
import pandas as pd

import pymc_hydro as ph

CASES = {
    "leaf_river": (ph.Hymod(snow=False), "1958-09-30"),
    "fulda": (ph.HBV(), "1985-10-01"),
}
ERRORS = {
    "flow": {
        "likelihood": partial(ph.likelihoods.Laplace, transform="box_cox", memory="flow"),
        "scale": "constant",
    },
    "student": {"likelihood": "student", "ar": 1},
}
HORIZON, EVERY, DRAWS = 10, 5, 100


def hindcasts(
    name: str,
    forcing: str | None,
    errors: str = "flow",
    every: int = EVERY,
    correct: float | None = None,
):
    """Return hindcasts of the later years, and the record."""
    model, split = CASES[name]
    basin = ph.load_basin(name)
    first = basin.sel(time=slice(None, split))
    with ph.build_model(model, first, **ERRORS[errors]):
        posterior = ph.fit_laplace(random_seed=1).sample(DRAWS, random_seed=1)
        ph.set_basin(basin)
        later = pd.DatetimeIndex(basin["time"].sel(time=slice(split, None)).values)[1:-HORIZON]
        found = ph.forecast(
            posterior,
            origin=later[::every],
            horizon=HORIZON,
            forcing=forcing,
            correct=correct,
            draws=DRAWS,
            random_seed=1,
        )
    return found, basin


def tables(
    errors: str = "flow",
    every: int = EVERY,
    correct: float | None = None,
    cases: tuple[str, ...] = tuple(CASES),
) -> pd.DataFrame:
    """Return the scores by basin, weather and lead."""
    rows = {}
    for name in cases:
        for weather in (None, "resampled"):
            found, basin = hindcasts(name, weather, errors, every, correct)
            rows[name, weather or "known"] = ph.verification.table_by_lead(
                found, basin["discharge"]
            )
    return pd.concat(rows, names=["basin", "weather"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=EVERY, help="days from origin to origin")
    parser.add_argument("--errors", choices=ERRORS, default="flow")
    parser.add_argument("--correct", type=float, help="of ph.forecast, such as 0.2")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    table = tables(**vars(parser.parse_args()))
    columns = ["n", "crps", "skill_climatology", "skill_persistence", "covered", "above", "alpha"]
    print(table[columns].round(3).to_string())
    assert np.isfinite(table["crps"]).all()
