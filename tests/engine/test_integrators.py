"""The methods' coefficients, and what they do where the equations are stiff."""

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.engine.derivation.structure import components, fill_in
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.integrators import AUTOMATIC, BOGACKI_SHAMPINE, METHODS
from pymc_hydro.testing.independent import solve_with_scipy
from tests.conftest import FORCINGS

pytestmark = pytest.mark.kernels

IDS = [method.name for method in METHODS]
ORDERS = {"heun": 2, "bogacki_shampine": 3, "tr_bdf2": 2, "esdirk3": 3}

# Parameters at which rates within the published bounds reach 1e4 per day and more.
STIFF = {
    "quick reservoirs": (ph.Hymod, {"K_f": 100.0}),
    "steep share of saturated area": (ph.Hymod, {"beta": 0.1, "S_umax": 50.0}),
    "percolation": (
        ph.SacSma,
        {
            "U_fm": 5.0,
            "L_pm": 1500.0,
            "L_sm": 500.0,
            "Z": 400.0,
            "R": 1.0,
            "nu_p": 0.5,
            "nu_s": 0.5,
        },
    ),
    "small free store": (ph.Xinanjiang, {"S_tot": 25.0, "f_wm": 0.999}),
}


def tableau(method):
    n = max(method.n_stages, 3)
    table, there = method.coefficients(n), slice(0, method.n_stages)
    return table[:n][there, there], table[n, there], table[n, there] - table[n + 1, there]


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_order_conditions(method):
    a, b, b_embedded = tableau(method)
    c, order = a.sum(axis=1), ORDERS[method.name]
    conditions = [(b.sum(), 1), (b @ c, 1 / 2), (b @ c**2, 1 / 3), (b @ a @ c, 1 / 6)]
    for found, expected in conditions[: 2 if order == 2 else 4]:
        assert found == pytest.approx(expected, abs=1e-14)
    assert b_embedded.sum() == pytest.approx(1, abs=1e-14)
    assert c[0] == 0 and c[-1] == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("method", [m for m in METHODS if m.implicit], ids=lambda m: m.name)
def test_implicit_methods_are_l_stable(method):
    a, b, _ = tableau(method)
    one = np.ones(len(b))

    def amplification(z):
        return 1 + z * b @ np.linalg.solve(np.eye(len(b)) - z * a, one)

    assert abs(amplification(-1e8)) < 1e-6
    for z in (*(-(10.0 ** np.arange(-3, 9))), *(1j * 10.0 ** np.arange(-3, 9))):
        assert abs(amplification(z)) <= 1 + 1e-12


@pytest.mark.parametrize("method", [m for m in METHODS if not m.implicit], ids=lambda m: m.name)
def test_stability_limit_of_explicit_methods(method):
    a, b, _ = tableau(method)
    z = -method.stability_limit * np.array([0.999, 1.01])
    values = [1 + x * b @ np.linalg.solve(np.eye(len(b)) - x * a, np.ones(len(b))) for x in z]
    assert abs(values[0]) <= 1 < abs(values[1])


def test_explicit_error_estimate_vanishes_for_no_decay():
    """As that of the authors' embedded solution does where step times rate is one."""
    a, b, embedded = tableau(BOGACKI_SHAMPINE)
    for z in -np.linspace(0.01, AUTOMATIC[0].stability_limit, 50):
        estimate = z * (b - embedded) @ np.linalg.solve(np.eye(len(b)) - z * a, np.ones(len(b)))
        assert abs(estimate) == pytest.approx(abs(z) ** 3 * (1 - 7 / 3 * z) / 48, rel=1e-9)


def test_explicit_error_estimate_sees_kinks():
    """The rate turns at a time within the step: estimated is 0.31 of the error at least."""
    _, b, embedded = tableau(BOGACKI_SHAMPINE)
    c = np.array(BOGACKI_SHAMPINE.c)
    for kink in np.linspace(0.01, 0.99, 99):
        rate = np.maximum(c - kink, 0)
        error = abs((1 - kink) ** 2 / 2 - b @ rate)
        assert abs((b - embedded) @ rate) > 0.31 * error


def test_blocks_come_after_what_they_depend_on():
    pairs = {("a", "b"), ("b", "c"), ("c", "b"), ("d", "a"), ("b", "b")}
    assert components(["a", "b", "c", "d"], pairs) == (("b", "c"), ("a",), ("d",))


def test_fill_in_holds_all_non_zeros_of_the_factors(rng):
    block = list("abcde")
    pairs = {(i, k) for i in block for k in block if rng.random() < 0.3}
    matrix = np.array(
        [[(i == k) * 9 + ((i, k) in pairs) * rng.random() for k in block] for i in block]
    )
    for n in range(len(block)):
        for i in range(n + 1, len(block)):
            matrix[i, n] /= matrix[n, n]
            matrix[i, n + 1 :] -= matrix[i, n] * matrix[n, n + 1 :]
    found = {
        (i, k)
        for i, row in zip(block, matrix, strict=True)
        for k, v in zip(block, row, strict=True)
        if v
    }
    assert found <= set(fill_in(block, pairs))


@pytest.mark.parametrize("name", STIFF)
def test_stiff_corners(name):
    """Right to the tolerance, no forced step, few more steps than at the default parameters."""
    cls, changed = STIFF[name]
    model, weather = cls(), FORCINGS["storm"].isel(time=slice(0, 20))
    theta = model.default.copy()
    for parameter, value in changed.items():
        theta[model.parameter_names.index(parameter)] = value
    exact = solve_with_scipy(model, theta, weather, rtol=1e-10, atol=1e-10, method="Radau")
    for solver in (None, "esdirk3"):
        run = simulate(model, theta, weather, solver=solver, rtol=1e-6, atol=1e-6)
        assert np.abs(run["discharge"].values - exact).max() < 2e-4, solver
        assert run.attrs["forced_steps"] == 0
    cost, usual = (
        simulate(model, t, weather, sensitivities=True).attrs["steps"]
        for t in (theta, model.default)
    )
    assert cost <= 5 * usual
