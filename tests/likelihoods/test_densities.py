"""Densities of unit variance: quadrature, SciPy, independent forms, extremes, derivatives."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import special, stats

from pymc_hydro.likelihoods.distributions import densities
from pymc_hydro.likelihoods.errors import families

pytestmark = pytest.mark.kernels

# Name: log-density, log of the distribution function, shape parameters to try.
CASES = {
    "skew_student": (
        densities.skew_student_logp,
        densities.skew_student_logcdf,
        [(2.1, 1.0), (3.0, 0.5), (7.0, 1.7), (80.0, 4.0)],
    ),
    "skew_exponential_power": (
        densities.skew_exponential_power_logp,
        densities.skew_exponential_power_logcdf,
        [(0.0, 1.0), (1.0, 1.6), (-0.6, 0.7), (0.4, 3.0), (-0.95, 1.2)],
    ),
    "skew_generalized_t": (
        densities.skew_generalized_t_logp,
        densities.skew_generalized_t_logcdf,
        [(0.0, 2.0, 5.0), (0.6, 1.2, 2.3), (-0.8, 4.0, 3.0), (0.3, 0.7, 40.0), (0.5, 60.0, 2.5)],
    ),
}
SHAPES = [(name, shape) for name, (_, _, shapes) in CASES.items() for shape in shapes]
# Distances from the mode: the trapezoidal rule over their logarithm is exact to round-off.
LOG_STEP = 0.005
DISTANCE = np.exp(np.arange(-60, 330, LOG_STEP))


def compiled(function, n):
    """Compile a function of x and n shape parameters."""
    inputs = [pt.dvector("x"), *(pt.dscalar() for _ in range(n))]
    return pytensor.function(inputs, function(*inputs))


@pytest.fixture(scope="module")
def functions():
    return {
        name: [compiled(f, len(shapes[0])) for f in pair] for name, (*pair, shapes) in CASES.items()
    }


def mode(name, shape):
    """Where the two halves of a density meet."""
    if name == "skew_generalized_t":
        return -densities.generalized_t_constants(*map(pt.constant, shape))[1].eval()
    *rest, xi = map(pt.constant, shape)
    student = name == "skew_student"
    moment = densities.student_moment(*rest) if student else densities.power_constants(*rest)[2]
    shift, scale = densities.skew(0.0, xi, moment)
    return -(shift / scale).eval()


def integral(f, at):
    """Integrate f over the real line, with a possible kink at a point."""
    return sum((f(at + s * DISTANCE) * DISTANCE).sum() * LOG_STEP for s in (-1, 1))


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_integral_mean_and_variance(name, shape, functions):
    logp, at = functions[name][0], mode(name, shape)
    with np.errstate(over="ignore"):  # SEP's exponent, where the density is zero anyway
        for power, expected in ((0, 1), (1, 0), (2, 1)):
            found = integral(lambda x, power=power: x**power * np.exp(logp(x, *shape)), at)
            assert found == pytest.approx(expected, abs=1e-8)


def independent(kernel):
    """Standardise an unnormalised density whose halves meet at zero, all by quadrature."""
    with np.errstate(over="ignore", under="ignore"):
        mass = integral(kernel, 0.0)
        mean = integral(lambda z: z * kernel(z), 0.0) / mass
        sd = np.sqrt(integral(lambda z: (z - mean) ** 2 * kernel(z), 0.0) / mass)
    return lambda x: np.log(sd / mass * kernel(mean + sd * x))


def kernel_of(name, shape):
    if name == "skew_generalized_t":
        lam, p, q = shape
        log_odds = lambda z: p * np.log(np.abs(z) / (1 + lam * np.sign(z)))  # noqa: E731
        return lambda z: np.exp(-(q + 1) / p * np.logaddexp(0, log_odds(z)))
    first, xi = shape
    if name == "skew_student":
        return lambda z: stats.t.pdf(z * xi ** -np.sign(z), first)
    return lambda z: stats.gennorm.pdf(z * xi ** -np.sign(z), 2 / (1 + first))


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_log_density_against_an_independent_one(name, shape, functions):
    x = np.array([-2.7, -1.1, -0.3, 0.0, 0.2, 0.9, 1.4, 2.2])
    with np.errstate(divide="ignore", over="ignore"):
        expected = independent(kernel_of(name, shape))(x)
    inside = np.isfinite(expected) & (expected > -600)
    found = functions[name][0](x, *shape)
    assert inside.sum() >= 4
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_distribution_function_is_the_integral_of_the_density(name, shape, functions):
    logp, logcdf = functions[name]
    at = mode(name, shape)
    for x in (at - 2.0, at - 0.1, at + 0.3, at + 1.5):
        # From x to the far end of its side, so that the other side's kink plays no part.
        side = np.sign(x - at)
        with np.errstate(over="ignore"):
            tail = (np.exp(logp(x + side * DISTANCE, *shape)) * DISTANCE).sum() * LOG_STEP
        found = np.exp(logcdf(np.array([x]), *shape)[0])
        assert found == pytest.approx(tail if side < 0 else 1 - tail, abs=1e-9)


def test_symmetric_ones_against_scipy():
    x = np.linspace(-8, 8, 33)
    nu = 4.3
    cases = [
        (densities.normal_logp(x), stats.norm.logpdf(x)),
        (densities.laplace_logp(x), stats.laplace.logpdf(x, scale=np.sqrt(0.5))),
        (densities.student_logp(x, nu), stats.t.logpdf(x, nu, scale=np.sqrt((nu - 2) / nu))),
        (densities.skew_student_logp(x, nu, 1.0), densities.student_logp(x, nu)),
        (densities.skew_exponential_power_logp(x, 0.0, 1.0), stats.norm.logpdf(x)),
        (densities.skew_exponential_power_logp(x, 1.0, 1.0), densities.laplace_logp(x)),
        (densities.skew_generalized_t_logp(x, 0.0, 2.0, nu), densities.student_logp(x, nu)),
    ]
    for found, expected in cases:
        expected = expected.eval() if hasattr(expected, "eval") else expected
        np.testing.assert_allclose(found.eval(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("family", "shapes"),
    [(families.NORMAL, ()), (families.LAPLACE, ()), (families.STUDENT, (4.3,))],
)
def test_pymcs_own_have_the_mean_and_standard_deviation_that_they_are_given(family, shapes):
    value, sd = pt.dvector("value"), pt.constant(3.0, dtype="float64")
    logp = pytensor.function([value], pm.logp(family.dist(2.0, sd, *shapes), value))
    for power, expected in ((0, 1), (1, 0), (2, 9)):
        found = integral(lambda x, power=power: (x - 2) ** power * np.exp(logp(x)), 2.0)
        assert found == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("large", [1e6, 1e10, 1e15])
def test_huge_tail_parameters_give_the_limits(large, functions):
    x = np.linspace(-6, 6, 25)
    limit = 1e-10 + 300 / large  # the true distance is of order x^4 / large
    normal, laplace = stats.norm.logpdf(x), stats.laplace.logpdf(x, scale=np.sqrt(0.5))
    student = functions["skew_student"][0](x, large, 1.0)
    generalized = functions["skew_generalized_t"][0]
    np.testing.assert_allclose(student, normal, atol=limit)
    np.testing.assert_allclose(generalized(x, 0.0, 2.0, large), normal, atol=limit)
    np.testing.assert_allclose(generalized(x, 0.0, 1.0, large), laplace, atol=limit)


def test_log_gamma_ratio_across_the_switch():
    a = np.array([1e-8, 0.3, 5.0, 19.999, 20.0, 20.001, 400.0])
    for d in (0.01, 0.5, 6.0):
        found = densities.log_gamma_ratio(a, d).eval()
        expected = special.gammaln(a + d) - special.gammaln(a)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    # Tricomi and Erdelyi (1951): gamma(a + d) / gamma(a) = a^d (1 + d (d - 1) / (2 a) + ...).
    a, d = 1e10, 0.5
    expected = d * np.log(a) + np.log1p(d * (d - 1) / (2 * a))
    assert densities.log_gamma_ratio(a, d).eval() == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_gradients_against_richardson(name):
    function, _, shapes = CASES[name]
    inputs = [pt.dscalar() for _ in range(1 + len(shapes[0]))]
    value = function(*inputs)
    f = pytensor.function(inputs, [value, *pytensor.grad(value, inputs)])
    for shape in shapes:
        for x in (0.0, mode(name, shape)):
            assert np.isfinite(f(x, *shape)).all()
        for x in (-1.3, 0.4, 1.1):
            point = np.array([x, *shape])
            value, *gradient = f(*point)
            if value < -50:
                continue
            for i, found in enumerate(gradient):
                if (name, i, point[i]) == ("skew_exponential_power", 1, 1.0):
                    continue  # no values beyond beta = 1 to take a difference with
                h = 1e-3 * min(1.0, 1 - abs(point[i])) if i and abs(point[i]) < 1 else 1e-3
                assert found == pytest.approx(richardson(f, point, i, h), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_distribution_functions(name):
    """At the mode too, where an observation of zero flow meets a simulation of zero."""
    logp, logcdf, shapes = CASES[name]
    inputs = [pt.dscalar() for _ in range(1 + len(shapes[0]))]
    value = logcdf(*inputs)
    outputs = [value, *pytensor.grad(value, inputs), logp(*inputs)]
    f, alone = pytensor.function(inputs, outputs), pytensor.function(inputs, [value])
    for shape in shapes:
        at = mode(name, shape)
        for x in (at, at - 1e-13, at + 1e-9, at - 1e-3, -1.3, 0.4, 1.1):
            point = np.array([x, *shape])
            value, slope, *others, log_density = f(*point)
            if value < -50:
                continue
            assert slope == pytest.approx(np.exp(log_density - value), rel=1e-6)
            assert np.isfinite(others).all()
            if abs(x - at) < 0.1:
                continue  # no differences across the mode
            for i, found in enumerate(others, 1):
                if (name, i, point[i]) == ("skew_exponential_power", 1, 1.0):
                    continue  # no values beyond beta = 1 to take a difference with
                h = 1e-3 * min(1.0, 1 - abs(point[i])) if abs(point[i]) < 1 else 1e-3
                assert found == pytest.approx(richardson(alone, point, i, h), rel=1e-6, abs=1e-6)


def richardson(f, point, i, h):
    """Differentiate the first output of f with respect to the argument i."""
    step = np.eye(point.size)[i]
    coarse, fine, finest = (
        (f(*(point + h / k * step))[0] - f(*(point - h / k * step))[0]) / (2 * h / k)
        for k in (1, 2, 4)
    )
    return (16 * (4 * finest - fine) / 3 - (4 * fine - coarse) / 3) / 15
