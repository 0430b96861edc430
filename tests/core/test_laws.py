import numpy as np
import pytest
from scipy.stats import gamma

from pymc_hydro.core.base.expression import symbol
from pymc_hydro.core.functions import piecewise
from pymc_hydro.core.laws import Laws, exponential_law, guarded_power, hydrographs
from pymc_hydro.core.smoothing import clamp, lesser, maximum, minimum, overflow, pos, softplus, step

TINY = 1e-40


@pytest.mark.parametrize("a", [-50, -3, -1e-3, -1e-5, 0, 1e-12, 1e-5, 9.99e-4, 1.01e-3, 2, 50.0])
def test_exponential_law_and_its_derivative_against_quadrature(a):
    """F is the integral of exp(-a s) over [0, z] by that over [0, 1]."""
    z = np.linspace(0, 1, 7)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    s, w = (nodes + 1) / 2, weights / 2

    def integral(upper, power=0):
        t = np.multiply.outer(upper, s)
        return upper * ((t**power * np.exp(-a * t)) @ w)

    whole = integral(np.float64(1.0))
    expected = integral(z) / whole
    slope = -integral(z, 1) / whole + expected * integral(np.float64(1.0), 1) / whole
    found = exponential_law(z + 0j, a + 1j * TINY)
    np.testing.assert_allclose(found.real, expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(found.imag / TINY, slope, rtol=1e-10, atol=3e-12)


def test_guarded_power_meets_the_power_and_is_linear_at_zero():
    x = np.linspace(0.1, 1, 10)
    for exponent in (0.1, 1, 3.5):
        np.testing.assert_allclose(guarded_power(x, exponent, 1e-4), x**exponent, rtol=2e-6)
        assert guarded_power(1.0, exponent, 0.3) == 1
        assert guarded_power(0.0, exponent, 1e-2) == 0
    slope = guarded_power(1j * TINY, 0.1, 1e-2).imag / TINY
    assert slope == pytest.approx(1e-2**-0.9, rel=1e-3)
    assert guarded_power(-2.0, 3.5, 1e-6) == pytest.approx(-(2**3.5))


def test_lesser_never_exceeds_and_vanishes_with_either():
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0, 10, (2, 1000))
    m = lesser(a, b, 1e-3)
    assert (m <= np.minimum(a, b)).all()
    assert (np.minimum(a, b) - m).max() < np.sqrt(1e-3 * 10)
    assert lesser(0.0, 3.0, 1e-3) == lesser(3.0, 0.0, 1e-3) == lesser(0.0, 0.0, 1e-3) == 0


def test_overflow_and_step():
    S = np.array([0.0, 0.9, 0.95, 1.0, 100.0]) * 7
    expected = 1 / (1 + np.exp(-(S - 0.95 * 7) / (0.01 * 7)))
    np.testing.assert_allclose(overflow(S, 7.0), expected, atol=1e-15)
    np.testing.assert_allclose(step(np.array([-1, 0, 1.0]), 0.01), [0, 0.5, 1])


def test_piecewise_agrees_for_all_kinds_of_numbers():
    import jax.numpy as jnp
    import pytensor.tensor as pt
    import sympy

    x = sympy.Symbol("x", real=True)
    as_sympy = piecewise(x - 1, x * x, 2 * x - 1, continuity=1)
    for value in (0.5, 1.0, 2.0):
        expected = value * value if value > 1 else 2 * value - 1
        number = np.float64(value)
        assert piecewise(number - 1, number**2, 2 * number - 1, continuity=1) == expected
        assert float(as_sympy.subs(x, value)) == expected
        j, t = jnp.asarray(value), pt.constant(value)
        assert piecewise(j - 1, j * j, 2 * j - 1, continuity=1) == expected
        assert piecewise(t - 1, t * t, 2 * t - 1, continuity=1).eval() == expected
    assert piecewise(symbol("x"), 1.0, symbol("y"), continuity=0).op == "select"


def test_jumps_are_refused():
    with pytest.raises(ValueError, match="for a jump use"):
        piecewise(1.0, 2.0, 3.0, continuity=-1)


@pytest.mark.parametrize("width", [1e-6, 0.1, 3.0])
def test_the_error_at_a_kink_is_half_of_the_width(width):
    assert pos(0.0, width) == width / 2
    assert minimum(4.0, 4.0, width) == 4 - width / 2
    assert maximum(4.0, 4.0, width) == 4 + width / 2
    assert pos(1e9 * width, width) == pytest.approx(1e9 * width, rel=1e-12)
    assert step(width, width) == pytest.approx(1 / (1 + np.exp(-2)), rel=1e-12)
    assert softplus(-2 * width, width) == pytest.approx(width * np.log(1 + np.exp(-2)), rel=1e-12)
    assert clamp(1.0, width) == pytest.approx(1 - width / 2 + (np.hypot(1, width) - 1) / 2)


CURVES = {
    "rising_curve": lambda z: z**2,
    "triangular_curve": lambda z: np.where(z < 0.5, 2 * z**2, 1 - 2 * (1 - z) ** 2),
    "uniform_curve": lambda z: z,
    "half_curve": lambda z: z**2.5,
    "full_curve": lambda z: np.where(z < 1, z**2.5 / 2, 1 - (2 - z) ** 2.5 / 2),
    "exponential_curve": lambda z: 1 - np.exp(-7 * z),
}


@pytest.mark.parametrize("name", CURVES)
def test_curves_of_unit_hydrographs(name):
    """Share that has arrived after the time t of the base 4 d, and all of it after the end."""
    curve, end = getattr(hydrographs, name), 8.0 if name == "full_curve" else 4.0
    times = np.linspace(0.01, end - 0.01, 9)
    found = np.array([curve(t, 4.0) for t in times])
    np.testing.assert_allclose(found, CURVES[name](times / 4), rtol=1e-7)
    assert curve(end + 0.1, 4.0) == pytest.approx(1, abs=1e-12)


def test_the_gamma_curve_and_a_delay():
    for t in (0.3, 2.0, 9.0):
        expected = gamma(2.5, scale=4.0 / 2.5).cdf(t)
        assert hydrographs.gamma_curve(t, 4.0, 2.5) == pytest.approx(expected, rel=1e-9)
    delay = hydrographs.delayed("discharge", lambda p: 2.3, "")
    found = [float(delay.ordinate(j, j + 1, None)) for j in range(6)]
    np.testing.assert_allclose(found, [0, 0, 0.7, 0.3, 0, 0], atol=1e-12)


def test_a_store_that_counts_as_empty():
    """A half at 95 % of the small content, with smooth kinks too; an empty store is all empty."""
    for law, slope in ((Laws(), 0.25 / 1e-4), (Laws(0.01), 0.25 / 1e-3), (Laws(0.5), 0.25 / 1e-3)):
        assert law.empty(0.0095, 0.01) == pytest.approx(0.5)
        assert law.empty(0.0, 0.01) > 0.9999
        change = law.empty(0.0095 + 1j * TINY, 0.01).imag / TINY
        assert change == pytest.approx(-slope)
    assert Laws().tolerance_factor < Laws(0.01).tolerance_factor == 1
