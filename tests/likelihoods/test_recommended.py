"""The recommended likelihood: which one, for which purpose and river."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import pymc_hydro as ph
from pymc_hydro.likelihoods.errors.families import LAPLACE, NORMAL, SKEW_STUDENT
from pymc_hydro.likelihoods.errors.memory import FlowMemory
from pymc_hydro.likelihoods.errors.residuals import residuals_of
from pymc_hydro.losses.curves import BoxCox, Identity

N = 100
FLOW = 1 + np.random.default_rng(1).lognormal(0, 0.5, N)
TIME = pd.date_range("2001-01-01", periods=N)


def place(zeros, **options):
    observed = FLOW.copy()
    observed[10 : 10 + zeros] = 0.0
    observed[50] = np.nan
    likelihood = ph.likelihoods.find_likelihood("Recommended")
    with pm.Model(coords={"time": TIME}) as model:
        q = pm.Normal("factor", 1, 0.1) * FLOW
        likelihood("flow", q, observed=pd.Series(observed, TIME), **options)
    assert np.isfinite(list(model.point_logps().values())).all()
    return residuals_of(model, "flow")


@pytest.mark.parametrize(
    ("options", "zeros", "family", "transform"),
    [
        ({}, 0, NORMAL, BoxCox),
        ({}, 8, NORMAL, BoxCox),
        ({"memory": "flow", "k0": 0.1}, 0, SKEW_STUDENT, Identity),
        ({"memory": "flow"}, 8, SKEW_STUDENT, Identity),
        ({"memory": "flow", "second_stage": True}, 0, LAPLACE, BoxCox),
        ({"memory": "flow", "second_stage": True}, 1, LAPLACE, BoxCox),
        ({"memory": "flow", "second_stage": True}, 2, SKEW_STUDENT, Identity),
    ],
)
def test_purposes_and_rivers(options, zeros, family, transform):
    placed = place(zeros, **options)
    assert placed.family is family and type(placed.transform) is transform
    assert placed.censored == (zeros > 0)
    assert isinstance(placed.memory, FlowMemory) == ("memory" in options)


def test_refusals():
    with pytest.raises(
        TypeError, match="flow: the recommended likelihood chooses scale, ar itself"
    ):
        place(0, scale="linear", ar=1)
    with pytest.raises(ValueError, match="memory must be 'flow' for forecasts, or None"):
        place(0, memory="constant")
    with pytest.raises(ValueError, match="memory must be 'flow', found None"):
        place(0, second_stage=True)
