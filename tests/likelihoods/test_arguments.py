import inspect

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import pymc_hydro as ph
from pymc_hydro.likelihoods import LIKELIHOODS, place_residuals
from pymc_hydro.likelihoods.errors import families

OF_FAMILY = {
    "Normal": families.NORMAL,
    "Laplace": families.LAPLACE,
    "Student": families.STUDENT,
    "SkewStudentT": families.SKEW_STUDENT,
    "SkewExponentialPower": families.SKEW_POWER,
    "SkewGeneralizedT": families.SKEW_GENERALIZED,
}


@pytest.mark.parametrize("name", OF_FAMILY)
def test_signatures_show_the_residual_model_and_the_shapes(name):
    found = inspect.signature(getattr(ph.likelihoods, name)).parameters
    common = dict(inspect.signature(place_residuals).parameters)
    del common["family"], common["shapes"]
    assert found["scale"].default == "linear" and found["ar"].default is None
    assert set(found) == {*common, *OF_FAMILY[name].shapes}
    assert all(found[key].default == common[key].default for key in common)
    assert all(found[key].default is None for key in OF_FAMILY[name].shapes)


@pytest.mark.parametrize("likelihood", [*LIKELIHOODS.values(), place_residuals])
def test_every_argument_is_documented(likelihood):
    section = inspect.getdoc(likelihood).partition("Parameters\n")[2].partition("Returns\n")[0]
    entries = [line.partition(" :")[0] for line in section.splitlines() if line[:1].strip()]
    named = {name.strip(" *") for entry in entries for name in entry.split(",")}
    assert set(inspect.signature(likelihood).parameters) <= named


def test_a_family_brings_the_priors_of_its_own_shapes():
    def parameters(mean, sd, tail):
        return {"mu": mean, "sigma": sd, "nu": tail}

    flow = np.linspace(1.0, 2.0, 12)
    with pm.Model(coords={"time": pd.date_range("2001", periods=flow.size)}) as model:
        simulated = pm.Normal("factor", 1, 0.1) * flow
        family = ph.likelihoods.Family(pm.StudentT, ("tail",), parameters)
        place = {"simulated": simulated, "observed": flow, "scale": "constant"}
        with pytest.raises(TypeError, match=r"without a prior, tail; .* priors=\{'tail': ...\}"):
            place_residuals(family, "without", **place)
        place_residuals(family, "given", tail=4.0, **place)
        priors = {"tail": lambda name: pm.HalfNormal(name, 5)}
        family = ph.likelihoods.Family(pm.StudentT, ("tail",), parameters, priors)
        place_residuals(family, "flow", **place)
    assert "flow_tail" in model.named_vars and "given_tail" not in model.named_vars
    assert np.isfinite(list(model.point_logps().values())).all()
