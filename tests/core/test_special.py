"""Special functions of flux functions, and kinks, against SciPy."""

import numpy as np
import pytest
import scipy.special

from pymc_hydro.core import Laws, Store, functions, gammainc, ndtr, piecewise
from pymc_hydro.core.base.expression import symbol
from pymc_hydro.core.laws import delayed, gamma_curve
from pymc_hydro.core.special import expm1, gammainc_da, gammainc_dx

SHAPES = (0.1, 0.5, 1.0, 1.7, 3.0, 7.5, 10.0)
POINTS = (1e-3, 0.3, 1.0, 2.6, 4.1, 9.0, 40.0)


@pytest.mark.parametrize("a", SHAPES)
def test_incomplete_gamma_function_and_its_derivatives(a):
    h = 1e-3
    weights = ((2, -1), (1, 8), (-1, -8), (-2, 1))  # differences of the fourth order
    for x in POINTS:
        assert gammainc(a, x) == pytest.approx(scipy.special.gammainc(a, x), abs=1e-14)
        by_shape = sum(w * scipy.special.gammainc(a + k * h, x) for k, w in weights) / (12 * h)
        assert gammainc_da(a, x) == pytest.approx(by_shape, abs=1e-6)
        density = np.exp((a - 1) * np.log(x) - x - scipy.special.gammaln(a))
        assert gammainc_dx(a, x) == pytest.approx(density, rel=1e-12)
        moved = gammainc(a + 1e-40j, x), gammainc(a, x + 1e-40j)
        slopes = [m.imag / 1e-40 for m in moved]
        assert slopes == pytest.approx([gammainc_da(a, x), gammainc_dx(a, x)], rel=1e-14)
    assert gammainc(a, 0.0) == gammainc_da(a, 0.0) == gammainc_dx(a, 0.0) == 0


def test_derivative_by_shape_against_quadrature():
    """By an integral of the density's derivative, to ten digits."""
    from scipy.integrate import quad

    for a, x in ((0.7, 0.4), (2.0, 1.5), (3.3, 6.0)):

        def slope(t, a=a):
            density = np.exp((a - 1) * np.log(t) - t - scipy.special.gammaln(a))
            return density * (np.log(t) - scipy.special.digamma(a))

        expected = quad(slope, 0, x, epsabs=1e-13, limit=200)[0]
        assert gammainc_da(a, x) == pytest.approx(expected, abs=1e-10)


def test_normal_distribution_function():
    x = np.linspace(-6, 6, 25)
    np.testing.assert_allclose(ndtr(x), scipy.special.ndtr(x), rtol=1e-13)
    slope = ndtr(x + 1e-40j).imag / 1e-40
    np.testing.assert_allclose(slope, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), rtol=1e-13)


def test_expm1_of_kernels():
    """On both sides of where the series ends, and at the ends of the range."""
    sizes = np.concatenate([np.geomspace(1e-300, 700, 400), np.linspace(0.2, 0.3, 101)])
    for x in (*sizes, *-sizes):
        assert expm1(x) == pytest.approx(np.expm1(x), rel=6e-16, abs=0), x
    assert [expm1(x) for x in (0.0, -np.inf, np.inf)] == [0, -1, np.inf]
    assert np.isnan(expm1(np.nan))


FUNCTIONS = {
    "gammainc": lambda x: functions.gammainc(1.3, x),
    "gammainc by shape": lambda x: functions.gammainc(x, 0.9),
    "ndtr": functions.ndtr,
    "expm1": functions.expm1,
    "log1p": functions.log1p,
    "logistic": functions.logistic,
    "power": lambda x: functions.power(x, 1.7),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_agree_for_all_kinds_of_numbers(name):
    """SymPy, PyTensor, JAX and complex numbers, whose imaginary part holds the derivative."""
    import jax.numpy as jnp
    import pytensor.tensor as pt
    import sympy

    f, at = FUNCTIONS[name], 0.7
    x, expected = sympy.Symbol("x", positive=True), f(np.float64(at))
    as_sympy = f(x)
    assert isinstance(expected, float)
    assert float(as_sympy.subs(x, at)) == pytest.approx(expected, rel=1e-12)
    assert f(pt.constant(at)).eval() == pytest.approx(expected, rel=1e-12)
    assert float(f(jnp.asarray(at))) == pytest.approx(expected, rel=1e-6)
    slope = (f(at + 1e-6) - f(at - 1e-6)) / 2e-6
    assert f(np.array(at + 1e-40j)).imag / 1e-40 == pytest.approx(slope, rel=1e-7)


def test_functions_of_expressions_are_operations():
    a, x = symbol("a"), symbol("x")
    gamma = functions.gammainc(a, x)
    assert (gamma.op, gamma.args) == ("gammainc", (a, x))
    for name in ("cos", "exp", "expm1", "log", "log1p", "logistic", "ndtr", "sin", "sqrt", "tanh"):
        found = getattr(functions, name)(x)
        assert (found.op, found.args) == (name, (x,))
    assert piecewise(a, x, 1.0, continuity=0).args[:2] == (a, x)


def test_piecewise_of_numbers_is_a_number():
    found = piecewise(1.0, 0.5, 2.0, continuity=None)
    assert isinstance(found, float)
    assert found == 0.5


def test_kinks_are_exact_or_smooth():
    exact, smooth = Laws(), Laws(0.01)
    assert exact.least(3.0, 2.0, 5.0) == 2
    assert exact.greatest(3.0, 2.0, 5.0) == 5
    assert [exact.positive(x) for x in (-2.0, 2.0)] == [0, 2]
    assert [exact.share(z) for z in (-1.0, 0.3, 2.0)] == [0, 0.3, 1]
    w = 0.01
    assert smooth.positive(0.0) == pytest.approx(w / 2)
    assert smooth.positive(-0.02) == pytest.approx((np.hypot(0.02, w) - 0.02) / 2)
    assert smooth.greatest(3.0, 3.02) == pytest.approx((6.02 + np.hypot(0.02, w)) / 2)
    m = smooth.least(3.0, 3.02)  # (a - m)(b - m) = w^2 m
    assert m < 3 and (3 - m) * (3.02 - m) == pytest.approx(w * w * m)
    # Contents below zero, with and without an amount of exactly zero beside them.
    assert (
        smooth.least(0.0, -0.5) == smooth.least(-0.5, -0.3, 2.0) == smooth.least(2.0, -0.5) == -0.5
    )
    assert smooth.share(0.0) == pytest.approx(w / 20, rel=1e-3)  # of shares a tenth of the width
    assert smooth.share(1.0) == pytest.approx(1 - w / 20, rel=1e-6)
    assert smooth.share(0.3) == pytest.approx(0.3, abs=1e-5)
    assert smooth.warmth(2.0, 2.0) == pytest.approx(w / 2)
    assert Laws(0.03).snowfall(8.0, 2.06, 2.0) == pytest.approx(8 / (1 + np.exp(2)))
    assert smooth.snowfall(8.0, 2.03, 2.0) == exact.snowfall(8.0, 2.03, 2.0)  # the width is less
    assert exact.snowfall(8.0, 2.02, 2.0) == pytest.approx(8 / (1 + np.exp(2)))
    for C, width in ((30.0, 0.3), (2e-7, 1e-8)):  # narrowest: that of 1e-6 mm
        assert exact.full_to(0.95 * C + width, C, 0.5) == pytest.approx(1 / (1 + np.exp(-1)))
    assert smooth.full_to(0.95 * 0.2 + 0.005, 0.2, 0.5) == pytest.approx(1 / (1 + np.exp(-1)))
    assert smooth.at_most(2.0, 0.0) == exact.at_most(2.0, 0.0) == 0


def test_a_signed_store_may_begin_below_zero():
    assert Store("D", "mm", "minus a deficit", initial=-5, signed=True).initial == -5
    with pytest.raises(ValueError, match="signed=True"):
        Store("D", "mm", "minus a deficit", initial=-5)


def test_delay_and_gamma_hydrograph():
    delay = delayed("H", lambda p: 2.3, "delay")
    shares = [delay.ordinate(float(j), j + 1.0, None) for j in range(5)]
    assert shares == pytest.approx([0, 0, 0.7, 0.3, 0])
    ends = np.array([gamma_curve(float(j), 4.0, 2.5) for j in range(200)])
    mean = np.sum(np.diff(ends) * (np.arange(199) + 0.5))
    assert ends[-1] == pytest.approx(1)
    assert mean == pytest.approx(4, abs=0.01)
