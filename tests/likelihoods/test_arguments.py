import inspect

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
    assert found["scale"].default == "linear" and found["ar"].default == 0
    assert set(found) == {*common, *OF_FAMILY[name].shapes}
    assert all(found[key].default == common[key].default for key in common)
    assert all(found[key].default is None for key in OF_FAMILY[name].shapes)


@pytest.mark.parametrize("likelihood", [*LIKELIHOODS.values(), place_residuals])
def test_every_argument_is_documented(likelihood):
    section = inspect.getdoc(likelihood).partition("Parameters\n")[2].partition("Returns\n")[0]
    entries = [line.partition(" :")[0] for line in section.splitlines() if line[:1].strip()]
    named = {name.strip(" *") for entry in entries for name in entry.split(",")}
    assert set(inspect.signature(likelihood).parameters) <= named
