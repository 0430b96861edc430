"""Models whose linear states stand before others: several sections, one after another."""

import numpy as np
import pytest

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store
from pymc_hydro.engine.compile import python_kernel
from pymc_hydro.engine.derivation.system import derive
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.integrators import METHODS
from pymc_hydro.testing import backwards
from pymc_hydro.testing.checks import draw_parameters
from pymc_hydro.testing.independent import complex_step_run
from tests.conftest import FORCINGS

pytestmark = pytest.mark.kernels

RAIN = FORCINGS["rain"].isel(time=slice(0, 5))
SECTIONED = [method for method in METHODS if method.takes_sections]


class Steps(AbstractModel):
    """A linear store of rain, two that are not linear, shares to two linear ones, another two."""

    parameters = (
        Parameter("k", 0.1, 5, "1/d", "rate of the canopy and of the last store", default=1.5),
        Parameter("a", 1e-3, 0.1, "1/d", "rate of the soil at 1 mm", default=0.02),
        Parameter("b", 0, 1, "1", "share of the fast store", default=0.4),
        Parameter("c", 1e-3, 0.1, "1/d", "rate of the pond at 1 mm", default=0.03),
    )
    stores = (
        Store("P", "mm", "pond"),
        Store("C", "mm", "canopy"),
        Store("S", "mm", "soil"),
        Store("F", "mm", "fast"),
        Store("G", "mm", "slow"),
        Store("L", "mm", "last"),
    )
    flows = (
        Flow("rain", None, "C"),
        Flow("t", "C", "S"),
        Flow("f", "S", "F"),
        Flow("g", "S", "G"),
        Flow("h", "F", "P"),
        Flow("i", "G", "P"),
        Flow("o", "P", "L"),
        Flow("v", "P", None),
        Flow("q", "L", None),
    )
    outputs = (
        Output("discharge", ("q",), "mm/d", "outflow"),
        Output("loss", ("v",), "mm/d", "what the pond loses where the soil is wet"),
        Output("F", ("F",), "mm", "content of the fast store"),
    )

    def fluxes(self, s, u, p):
        shed = p.a * s.S * s.S
        return {
            "rain": u.precipitation,
            "t": p.k * s.C,
            "f": p.b * shed,
            "g": (1 - p.b) * shed,
            "h": p.k * s.F,
            "i": s.G / 4,
            "o": p.c * s.P * s.P,
            "v": 1e-3 * s.P * s.S * s.F,
            "q": p.k * s.L,
        }


MODEL = Steps()


def test_three_sections():
    sections = derive(MODEL, MODEL.select_outputs(("discharge", "loss"))).sections
    assert [s.head for s in sections] == [(), ("S",), ("P",)]
    assert [set(s.linear) for s in sections] == [
        {"C"},
        {"F", "G"},
        {"L", "amount of discharge", "amount of loss"},
    ]
    assert [s.read for s in sections] == [("C",), ("F", "G"), ()]


@pytest.mark.parametrize("method", SECTIONED, ids=lambda method: method.name)
def test_columns_and_sweep(method, rng):
    """Fixed steps: columns against complex step, the sweep against the columns."""
    theta, weather = draw_parameters(MODEL, rng, 1)[0], RAIN
    kernel = python_kernel(MODEL, ("discharge",), (method,))
    problem = define_problem(MODEL, ("discharge",), 1.0, solver=method, steps=2)
    arrays = theta, forcing_array(MODEL, weather), MODEL.initial_state
    values, jacobian, counts = problem.new_outputs(len(arrays[1]), len(theta))
    assert kernel(*arrays, *problem.settings(), values, jacobian, counts) == 0
    discharge, expected = complex_step_run(MODEL, theta, weather, method, 2)
    np.testing.assert_allclose(values[:, 0], discharge, rtol=1e-11)
    np.testing.assert_allclose(jacobian[:, 0], expected, rtol=1e-10, atol=1e-13)
    for outputs in (("discharge",), ("discharge", "loss", "F")):
        settings = {"outputs": outputs, "solver": method, "steps": 2}
        finding = backwards.sweep_against_columns(MODEL, theta, weather, **settings)
        assert finding.error <= 1, finding
    finding = backwards.forcing_at_fixed_steps(MODEL, theta, weather, method)
    assert finding.error <= 1, finding


def test_no_water_is_lost_between_sections(rng):
    """What leaves linear stores is what arrives in the next section, whatever the tolerance."""
    outputs = ("discharge", "loss", *MODEL.store_names)
    problem = define_problem(MODEL, outputs, 1.0, rtol=1e-2, atol=1e-2)
    kernel = python_kernel(MODEL, outputs, problem.methods)
    forcing, x0 = forcing_array(MODEL, RAIN), MODEL.initial_state
    for theta in draw_parameters(MODEL, rng, 3):
        values, jacobian, counts = problem.new_outputs(len(forcing), 0)
        assert kernel(theta, forcing, x0, *problem.settings(), values, jacobian, counts) == 0
        gone, left = values[:, :2].sum(), values[-1, 2:].sum() - x0.sum()
        rain = RAIN["precipitation"].values.sum()
        assert gone + left == pytest.approx(rain, rel=1e-12)
