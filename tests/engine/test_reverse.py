"""The sweep back through the tape of a run: every gradient at once, exactly."""

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.core.blocks import UnitHydrograph
from pymc_hydro.core.declaration import Parameter
from pymc_hydro.engine.codegen import SWEEP_ARGUMENTS
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.integrators import METHODS
from pymc_hydro.models.hbv import base, triangle
from pymc_hydro.testing import backwards
from pymc_hydro.testing.checks import draw_parameters
from pymc_hydro.testing.frozen import swept, taped_run
from pymc_hydro.testing.weather import make_basin
from tests.conftest import FORCINGS
from tests.engine.test_parts import Deficit, Delayed
from tests.tiny import Tiny

pytestmark = pytest.mark.kernels

COLD = FORCINGS["cold"].isel(time=slice(0, 20))


class Routed(Tiny):
    """Its outflow passes a triangle; one store begins at a share of its capacity."""

    routing = UnitHydrograph(
        "discharge", triangle, base, (Parameter("b", 0.5, 25, "d", "base", default=3),)
    )


BANDS = ph.HBV(bands=(-200.0, 100.0, 500.0))
FEATURES = {
    "bands, stores and fluxes": (BANDS, {"outputs": ("discharge", "swe", "evaporation")}),
    "starts from parameters": (ph.GR4J(initial={"S": "estimate", "R": 0.4}), {}),
    "form B, all in chains": (ph.GR4J(form="B", snow=False), {"steps": 1}),
    "block of four stores": (ph.SacSma(), {"solver": "tr_bdf2"}),
    "a hydrograph between stores": (Delayed(), {"outputs": ("discharge", "R", "f"), "steps": 2}),
    "a signed store, a season": (Deficit(), {}),
    "unit hydrograph": (Routed(), {"outputs": ("f", "discharge", "R"), "steps": 2}),
}


@pytest.mark.parametrize(("model", "options"), FEATURES.values(), ids=list(FEATURES))
def test_the_sweep_is_the_product_with_the_columns(model, options, rng):
    theta = draw_parameters(model, rng, 1)[0]
    finding = backwards.sweep_against_columns(model, theta, COLD, **options)
    assert finding.error <= 1, finding


@pytest.mark.parametrize(
    "model",
    [ph.Hymod(), ph.GR4J(snow=False), ph.HBV(), Routed()],
    ids=["Hymod", "GR4J", "HBV", "routed"],
)
def test_second_order_against_complex_step(model):
    basin = COLD.isel(time=slice(0, 5))
    finding = backwards.second_order_at_fixed_steps(model, model.default, basin)
    assert finding.error <= 1, finding


@pytest.mark.parametrize("steps", [None, 3], ids=["adaptive", "fixed"])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_by_every_method(method, steps, rng):
    model = ph.Hymod()
    basin = FORCINGS["cold"].isel(time=slice(0, 6))
    theta = model.default
    finding = backwards.sweep_against_columns(model, theta, basin, solver=method, steps=steps)
    assert finding.error <= 1, finding
    finding = backwards.forcing_at_fixed_steps(model, theta, basin, method)
    assert finding.error <= 1, finding


@pytest.mark.parametrize(
    "model",
    [ph.Xinanjiang(snow=False), Delayed(), Deficit()],
    ids=lambda model: type(model).__name__,
)
def test_forcing_of_an_adaptive_run(model):
    basin = FORCINGS["rain"].isel(time=slice(0, 8))
    finding = backwards.forcing_of_adaptive_run(model, model.default, basin)
    assert finding.error <= 1, finding


def test_a_wrong_gradient_is_found(monkeypatch):
    """Of one interval's rain, by a millionth."""

    def wrong(*arguments):
        by_theta, by_forcing, by_x0 = swept(*arguments)
        by_forcing[3, 0] *= 1 + 1e-6
        by_theta[:1] *= 1 + 1e-6
        return by_theta, by_forcing, by_x0

    model, basin = Tiny(), make_basin(np.full(6, 20.0), 0.0, 10.0)
    monkeypatch.setattr(backwards, "swept", wrong)
    assert backwards.forcing_at_fixed_steps(model, model.default, basin).error > 1
    finding = backwards.parameters_in_time(model, model.default, basin)
    assert finding.error > 1 and finding.where == "precipitation"
    assert backwards.sweep_against_columns(model, model.default, basin).error > 1


class TestCompiled:
    """One kernel for all: compiling takes longest."""

    problem = define_problem(Routed(), ("discharge", "R"), 1.0)
    model = problem.model
    rain = np.where(np.arange(60) % 7 == 2, 90.0, 0.0)
    arrays = model.default, forcing_array(model, make_basin(rain, 0.0, 10.0)), model.initial_state

    def test_run_and_sweep(self):
        """A taped run returns the bits of a run without a tape; the sweep those of its text."""
        run, tape = self.problem.taped_run(*self.arrays)
        np.testing.assert_array_equal(run.values, self.problem.run(*self.arrays).values)
        np.testing.assert_array_equal(run.counts, self.problem.run(*self.arrays).counts)
        assert len(tape) == run.counts[0] > 121  # it became longer on the way
        cotangent = np.random.default_rng(0).normal(size=run.values.shape)
        found = self.problem.sweep(*self.arrays, tape, cotangent)
        _, text_tape = taped_run(self.problem, *self.arrays)
        expected = swept(self.problem, *self.arrays, text_tape, cotangent)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-12)

    @pytest.mark.parametrize(("a", "content"), [(-1.0, 1.0), (0.01, 1e13)])
    def test_a_failed_run_has_no_gradient(self, a, content):
        arrays = np.array([a, 0.5, 3.0]), self.arrays[1], np.array([content, 1.0])
        run, tape = self.problem.taped_run(*arrays)
        assert run.status != 0 and np.isnan(run.values).all() and len(tape) == 0
        assert run.counts.any() == (a > 0)  # outside the domain no step is taken
        results = self.problem.sweep(*arrays, tape, np.ones((60, 2)))
        assert all(np.isnan(result).all() for result in results)

    def test_a_record_of_no_intervals(self):
        arrays = self.arrays[0], np.empty((0, 1)), self.arrays[2]
        run, tape = self.problem.taped_run(*arrays)
        results = self.problem.sweep(*arrays, tape, run.values)
        assert run.status == 0 and not any(result.any() for result in results)

    def test_arguments_of_the_text_are_those_of_the_table(self):
        text = self.problem.sweep_kernel().text
        assert f"({', '.join(a.name for a in SWEEP_ARGUMENTS)}):" in text
