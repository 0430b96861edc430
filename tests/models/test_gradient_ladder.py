"""Every model against solutions that share no code with its kernels."""

import numpy as np
import pytest
from pytensor.gradient import verify_grad

import pymc_hydro as ph
from pymc_hydro.engine.problem import DEFAULT_TOLERANCE, define_problem
from pymc_hydro.engine.simulate import forcing_array, simulate
from pymc_hydro.integrators import BOGACKI_SHAMPINE, METHODS
from pymc_hydro.ops import SimulatedValues
from pymc_hydro.testing import checks
from tests.conftest import FORCINGS, NEWER_STACK

FORMULATIONS = ("default", "reference")
VARIANTS = [
    pytest.param(cls(snow=snow, formulation=formulation), id=f"{cls.__name__}-{snow}-{formulation}")
    for cls in ph.MODELS
    for snow, formulation in ((True, "default"), (False, "default"), (True, "reference"))
]
DEFAULTS = [pytest.param(cls(), id=cls.__name__) for cls in ph.MODELS]
# Kernels take long to compile: benchmarks/ladder.py climbs with all of them. The whole ladder here
# is for HBV (the doctest of `check_model` climbs with Hymod), the rungs of the adaptive kernel,
# which other tests compile as well, are for the others.
WHOLE = [p for p in DEFAULTS if p.id == "HBV"]
OTHERS = [p for p in DEFAULTS if p.id not in ("Hymod", "HBV")]
# Each model in two of the five weathers, each weather with two of the models.
ROTATION = [
    pytest.param(*param.values, FORCINGS[name], id=f"{name}-{param.id}")
    for i, param in enumerate(OTHERS)
    for k, name in enumerate(FORCINGS)
    if (k - i) % len(FORCINGS) in (0, 2)
]
HYMOD = [p for p in DEFAULTS if p.id == "Hymod"]
SMALLEST = sorted(DEFAULTS, key=lambda param: len(param.values[0].parameters))[:2]
FORM_B = [
    pytest.param(ph.GR4J(form="B", formulation=formulation), id=f"GR4J-B-{formulation}")
    for formulation in FORMULATIONS
]


@pytest.mark.kernels
@pytest.mark.parametrize("model", VARIANTS + FORM_B)
def test_rates_and_their_jacobians_against_complex_step(model, rng):
    n = 5 if len(model.stores) > 20 else 50  # 33 stores take long in plain Python
    thetas = (*checks.draw_parameters(model, rng, 3 * n), *checks.corners(model, rng, n))
    for theta in thetas:
        finding = checks.rates_and_jacobians(model, theta, rng)
        assert finding.error <= 1, finding


@pytest.mark.kernels
@pytest.mark.parametrize("model", WHOLE)
def test_the_ladder(model):
    ph.testing.check_model(model, draws=2)


@pytest.mark.kernels
@pytest.mark.parametrize(("model", "weather"), ROTATION)
def test_the_adaptive_rungs(model, weather, rng):
    short = weather.isel(time=slice(0, 20))
    theta, another = checks.draw_parameters(model, rng, 2)
    for finding in (
        checks.jacobian_at_default_tolerance(model, theta, weather),
        checks.jacobian_at_default_tolerance(model, another, weather),
        checks.discharge_against_scipy(model, theta, short),
        checks.adaptive_sensitivities(model, theta, short),
    ):
        assert finding.error <= 1, finding


@pytest.mark.kernels
def test_long_chains_against_complex_step(rng):
    """The other rungs are left out: a kernel of 33 stores takes minutes to compile."""
    model, weather = ph.GR4J(form="B"), FORCINGS["storm"].isel(time=slice(0, 20))
    theta = checks.draw_parameters(model, rng, 1)[0]
    finding = checks.fixed_step_sensitivities(model, theta, weather)
    assert finding.error <= 1, finding


@pytest.mark.kernels
@pytest.mark.parametrize("model", DEFAULTS)
def test_stores_stay_above_zero_within_the_tolerance(model, rng):
    inflow, outflow, stores = checks.balance_terms(model)
    thetas = (*checks.draw_parameters(model, rng, 10), *checks.corners(model, rng, 40))
    for theta in thetas:
        for weather in FORCINGS.values():
            run = simulate(model, theta, weather, (*inflow, *outflow, *stores))
            for store in stores:
                assert run[store].min() >= -DEFAULT_TOLERANCE, (store, theta)


@pytest.mark.kernels
@pytest.mark.parametrize("model", SMALLEST)
def test_heun_against_complex_step(model, rng):
    weather = FORCINGS["cold"].isel(time=slice(0, 20))
    (heun,) = (m for m in METHODS if m.name == "heun")
    finding = checks.fixed_step_sensitivities(model, model.default, weather, heun)
    assert finding.error <= 1, finding


@pytest.mark.kernels
@pytest.mark.parametrize("model", DEFAULTS)
def test_values_with_and_without_sensitivities(model, weather, rng):
    """The same bit by bit, but where the sensitivities are under error control too."""
    same = [{"steps": 1}]
    if any(model is param.values[0] for param in SMALLEST):
        exact = {"rtol": 1e-7, "atol": 1e-7}
        same += [{"solver": "tr_bdf2"}, {"solver": "esdirk3", **exact}]
    for theta in (model.default, *checks.draw_parameters(model, rng, 3)):
        for settings in (*same, {}):
            runs = [
                simulate(model, theta, weather, sensitivities=s, **settings)["discharge"].values
                for s in (False, True)
            ]
            if settings:
                np.testing.assert_array_equal(*runs)
            np.testing.assert_allclose(*runs, rtol=1e-2, atol=2e-2)


@pytest.mark.kernels
@pytest.mark.parametrize("model", SMALLEST)
def test_gradient_with_respect_to_initial_state(model):
    basin = FORCINGS["rain"].isel(time=slice(0, 20))
    forcing = forcing_array(model, basin)
    problem = define_problem(model, ("discharge",), 1.0, solver=BOGACKI_SHAMPINE, steps=256)
    x0 = np.linspace(5, 20, len(model.stores))
    run = problem.run(model.default, forcing, x0, sensitivities=True, initial=True)
    n = len(model.parameters)
    for i in range(x0.size):
        ends = []
        for sign in (1, -1):
            moved = x0.copy()
            moved[i] += sign * 1e-4
            ends.append(problem.run(model.default, forcing, moved).values)
        expected = (ends[0] - ends[1])[:, 0] / 2e-4
        np.testing.assert_allclose(run.jacobian[:, 0, n + i], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("model", DEFAULTS if NEWER_STACK else HYMOD)
def test_verify_grad_and_dot_product(model, rng):
    forcing = forcing_array(model, FORCINGS["rain"].isel(time=slice(0, 40)))
    # So tight that steps that come and go do not show in differences.
    problem = define_problem(model, ("discharge",), 1.0, rtol=1e-10, atol=1e-10)
    op, x0 = SimulatedValues(problem), model.initial_state
    verify_grad(lambda theta: op(theta, forcing, x0), [model.default], rng=rng, eps=1e-5)
    jacobian = problem.run(model.default, forcing, x0, sensitivities=True).jacobian[:, 0]
    v, w = rng.normal(size=jacobian.shape[1]), rng.normal(size=jacobian.shape[0])
    np.testing.assert_allclose((jacobian @ v) @ w, v @ (jacobian.T @ w), rtol=1e-12)
