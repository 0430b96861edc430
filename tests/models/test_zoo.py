"""The equations of MARRMoT's structures and of FUSE's parents against values from elsewhere."""

import numpy as np
import pytest

import pymc_hydro as ph
from tests.models import declared, zoo_values

with np.load(zoo_values.DAYS) as data:
    SOLVED = {name: data[name] for name in data.files}
with np.load(zoo_values.RECORDED) as data:
    RECORDED = {name: data[name] for name in data.files}
STRUCTURES = dict(zoo_values.structures())


@pytest.mark.parametrize("name", [n.removesuffix("_theta") for n in SOLVED if "theta" in n])
def test_days_of_independent_solutions(name):
    """Contents after a day, discharge and evaporation, from the equations without any kernel."""
    number, formulation = name.rsplit("_", 1)
    model = ph.marrmot.get(number)(formulation=formulation)
    parts = ("before", "forcing", "after", "Q", "Ea")
    for before, forcing, *expected in zip(*(SOLVED[f"{name}_{p}"] for p in parts), strict=True):
        found = zoo_values.one_day(model, SOLVED[f"{name}_theta"], before, forcing)
        for value, right in zip(found, expected, strict=True):
            if np.isfinite(right).all():  # routed discharge depends on the days before
                np.testing.assert_allclose(value, right, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", STRUCTURES)
def test_fluxes_have_not_changed(name):
    found, expected = zoo_values.fluxes(STRUCTURES[name]), RECORDED[name]
    size = np.abs(expected).max(axis=0)  # of each flux
    assert (np.abs(found - expected) <= 1e-9 * (np.abs(expected) + size)).all()
    assert (size > 0).all()


def test_declarations_have_not_changed():
    """Bounds, defaults, flows, outputs and ordinates of all models; see `declared`."""
    found, recorded = declared.blocks(), declared.read()
    assert list(found) == list(recorded)
    for name, text in found.items():
        assert text.splitlines() == recorded[name].splitlines(), name
