"""Every model against solutions that share no code with its kernels."""

import numpy as np
import pytest
from pytensor.gradient import verify_grad

import pymc_hydro as ph
from pymc_hydro.data.schema import interval_length
from pymc_hydro.engine.integrators import BOGACKI_SHAMPINE, METHODS
from pymc_hydro.engine.kernels import get_rates
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array, simulate
from pymc_hydro.ops import SimulatedValues
from tests.conftest import FORCINGS, draw_parameters
from tests.frozen import frozen_run, recorded_run
from tests.reference import complex_step_jacobian, fixed_steps, rates, solve_with_scipy

VARIANTS = [
    pytest.param(cls(snow=snow, formulation=formulation), id=f"{cls.__name__}-{snow}-{formulation}")
    for cls in ph.MODELS
    for snow in (True, False)
    for formulation in ("default", "reference")
]
DEFAULTS = [pytest.param(cls(), id=cls.__name__) for cls in ph.MODELS]

# Relative to the largest entry of the column, or to rate by argument where that is larger: what is
# smaller is the round-off of sums of smooth functions that cancel (snow far above the threshold).
RATES_TOLERANCE = 1e-12
FIXED_TOLERANCE = 1e-10  # relative L2 per column: round-off over some hundred steps
FROZEN_TOLERANCE = 1e-6  # Richardson differences: their own error
DISCHARGE_TOLERANCE = 1e-6  # mm/d, at rtol = atol = 1e-9
BALANCE_TOLERANCE = 1e-9  # of the input
TINY_STEP = 1e-40
RELATIVE_STEP = 1e-6  # of differences: states must move by less than the widths of the smoothing


UNRESOLVED = 1e-3  # mm/d root mean square, ten times the default tolerance
ROUND_OFF = 1e-12  # mm/d, of a parameter times its sensitivity: sums that cancel (snow in summer)


def parameter_scale(model, theta):
    return np.array([p.scale or abs(t) for p, t in zip(model.parameters, theta, strict=True)])


def assert_close_jacobian(model, theta, found, expected, rtol, atol):
    """Compare columns in the L2 norm, in units of their parameter (mm/d)."""
    scale = parameter_scale(model, theta)
    error = np.linalg.norm((found - expected) * scale, axis=0)
    allowed = rtol * np.linalg.norm(expected * scale, axis=0) + atol
    assert (error <= allowed).all(), f"{model.parameter_names}: {error} above {allowed}"


@pytest.mark.parametrize("model", VARIANTS)
def test_rates_and_their_jacobians_against_complex_step(model, rng):
    compiled = get_rates(model)[1]
    n_store, n_parameter = len(model.stores), len(model.parameters)
    for theta in draw_parameters(model, rng, 200):
        x = np.append(
            rng.uniform(0, 1.2, n_store) * rng.choice([1e-3, 1, 100, theta[0]], n_store), 0
        )
        u = np.array([rng.choice([0, 5, 300.0]), rng.uniform(0, 8), rng.uniform(-20, 20)])
        u = u[: len(model.forcing_names)]
        dx, J, B = (
            np.zeros(n_store + 1),
            np.zeros((n_store + 1,) * 2),
            np.zeros((n_store + 1, n_parameter)),
        )
        compiled(x, u, theta, dx, J, B)
        forcing = dict(zip(model.forcing_names, u, strict=True))

        def f(x, theta, forcing=forcing):
            p = dict(zip(model.parameter_names, theta, strict=True))
            return np.array(rates(model, ("discharge",), x, forcing, p))

        value = f(x.astype(complex), theta.astype(complex)).real
        np.testing.assert_allclose(dx, value, rtol=0, atol=1e-12 * np.abs(value).max())
        for found, size, which in ((J, x.size, 0), (B, theta.size, 1)):
            for j in range(size):
                arguments = [x.astype(complex), theta.astype(complex)]
                arguments[which][j] += 1j * TINY_STEP
                expected = f(*arguments).imag / TINY_STEP
                unit = max(abs(arguments[which][j].real), 1.0)
                scale = max(np.abs(expected).max(), np.abs(value).max() / unit)
                np.testing.assert_allclose(
                    found[:, j], expected, rtol=0, atol=RATES_TOLERANCE * scale
                )


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
@pytest.mark.parametrize("model", DEFAULTS)
def test_fixed_step_sensitivities_against_complex_step(model, method, weather, rng):
    for theta in draw_parameters(model, rng, 4):
        for steps in (4, 32, 256):
            try:
                run = simulate(
                    model, theta, weather, sensitivities=True, steps=steps, solver=method.name
                )
            except ph.IntegrationError as error:
                assert "stability limit" in str(error)
                continue
            break
        else:
            pytest.fail("unstable at 256 steps a day")
        value = fixed_steps(model, theta, weather, method, steps)[:, 0].real
        np.testing.assert_allclose(run["discharge"], value, rtol=1e-9, atol=1e-12 * value.max())
        expected = complex_step_jacobian(model, theta, weather, method, steps)
        found = run["ddischarge_dparameter"].values
        assert_close_jacobian(model, theta, found, expected, FIXED_TOLERANCE, ROUND_OFF)


@pytest.mark.parametrize("model", DEFAULTS)
def test_adaptive_sensitivities_against_frozen_steps(model, weather, rng):
    weather = weather.isel(time=slice(0, 30))
    forcing, dt = forcing_array(model, weather), interval_length(weather)
    problem = define_problem(model, ("discharge",), dt)
    theta = draw_parameters(model, rng, 1)[0]
    run, levels = recorded_run(problem, theta, forcing, model.initial_state)
    compiled = problem.run(theta, forcing, model.initial_state, sensitivities=True)
    np.testing.assert_allclose(compiled.jacobian, run.jacobian, rtol=1e-12, atol=1e-300)
    columns = []
    for j, p in enumerate(model.parameters):

        def central(h, j=j):
            up, down = theta.copy(), theta.copy()
            up[j] += h
            down[j] -= h
            ends = [
                frozen_run(problem, t, forcing, model.initial_state, levels) for t in (up, down)
            ]
            return (ends[0] - ends[1])[:, 0] / (2 * h)

        h = RELATIVE_STEP * (p.scale or abs(theta[j]))
        columns.append((4 * central(h / 2) - central(h)) / 3)
    expected = np.stack(columns, axis=-1)
    found = run.jacobian[:, 0]
    assert_close_jacobian(
        model, theta, found, expected, FROZEN_TOLERANCE, ROUND_OFF / RELATIVE_STEP
    )


@pytest.mark.parametrize("model", DEFAULTS)
def test_discharge_against_scipy(model, weather, rng):
    weather = weather.isel(time=slice(0, 20))
    for theta in draw_parameters(model, rng, 2):
        run = simulate(model, theta, weather, rtol=1e-9, atol=1e-9)
        expected = solve_with_scipy(model, theta, weather)
        np.testing.assert_allclose(run["discharge"], expected, rtol=0, atol=DISCHARGE_TOLERANCE)


@pytest.mark.parametrize("model", DEFAULTS)
def test_water_balance_closes(model, weather, rng):
    names = ("discharge", "evaporation", *model.store_names)
    for theta in draw_parameters(model, rng, 5):
        run = simulate(model, theta, weather, outputs=names)
        dt = interval_length(weather)
        stored = sum(run[s] for s in model.store_names).values
        change = np.diff(stored, prepend=model.initial_state.sum())
        net = (weather["precipitation"] - run["discharge"] - run["evaporation"]).values * dt
        scale = max(weather["precipitation"].values.sum() * dt, stored.max(), 1.0)
        assert np.abs(np.cumsum(net - change)).max() <= BALANCE_TOLERANCE * scale


@pytest.mark.parametrize("model", DEFAULTS)
@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_values_with_and_without_sensitivities(model, method, weather, rng):
    for theta in draw_parameters(model, rng, 3):
        kwargs = {"solver": method.name, "steps": 64}
        runs = [simulate(model, theta, weather, sensitivities=s, **kwargs) for s in (False, True)]
        np.testing.assert_array_equal(runs[0]["discharge"], runs[1]["discharge"])
        runs = [
            simulate(model, theta, weather, sensitivities=s, solver=method.name)
            for s in (False, True)
        ]
        np.testing.assert_allclose(runs[0]["discharge"], runs[1]["discharge"], rtol=1e-2, atol=2e-2)


@pytest.mark.parametrize("model", DEFAULTS)
def test_jacobian_at_the_default_tolerance(model, weather, rng):
    for theta in [*draw_parameters(model, rng, 20), *corners(model, rng, 20)]:
        kwargs = {"sensitivities": True}
        found = simulate(model, theta, weather, **kwargs)["ddischarge_dparameter"].values
        exact = simulate(model, theta, weather, rtol=1e-8, atol=1e-8, **kwargs)
        exact = exact["ddischarge_dparameter"].values
        assert np.isfinite(found).all()
        days = np.sqrt(len(exact))
        assert_close_jacobian(model, theta, found, exact, 0.05, UNRESOLVED * days)


def corners(model, rng, n):
    return np.where(rng.random((n, len(model.parameters))) < 0.5, model.lower, model.upper)


@pytest.mark.parametrize("model", DEFAULTS)
def test_gradient_with_respect_to_initial_state(model):
    basin = FORCINGS["rain"].isel(time=slice(0, 20))
    forcing = forcing_array(model, basin)
    problem = define_problem(model, ("discharge",), 1.0, solver=BOGACKI_SHAMPINE, steps=8)
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
        np.testing.assert_allclose(run.jacobian[:, 0, n + i], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("model", DEFAULTS)
def test_verify_grad_and_dot_product(model, rng):
    forcing = forcing_array(model, FORCINGS["rain"].isel(time=slice(0, 40)))
    problem = define_problem(model, ("discharge",), 1.0, rtol=1e-8, atol=1e-8)
    op, x0 = SimulatedValues(problem), model.initial_state
    verify_grad(lambda theta: op(theta, forcing, x0), [model.default], rng=rng, eps=1e-5)
    jacobian = problem.run(model.default, forcing, x0, sensitivities=True).jacobian[:, 0]
    v, w = rng.normal(size=jacobian.shape[1]), rng.normal(size=jacobian.shape[0])
    np.testing.assert_allclose((jacobian @ v) @ w, v @ (jacobian.T @ w), rtol=1e-12)
