"""Our distributions pass PyMC's own checks; draws follow the density."""

import mpmath
import numpy as np
import pymc as pm
import pytest
from pymc.testing import (
    BaseTestDistributionRandom,
    Domain,
    R,
    Rplusbig,
    assert_support_point_is_expected,
    check_logcdf,
    check_logp,
)
from scipy import special, stats

from pymc_hydro.likelihoods.distributions.classes import (
    SkewExponentialPower,
    SkewGeneralizedT,
    SkewStudentT,
)

CASES = [
    (SkewStudentT, {"nu": 3.5, "xi": 1.6}),
    (SkewStudentT, {"nu": 60.0, "xi": 0.5}),
    (SkewExponentialPower, {"beta": 0.7, "xi": 2.5}),
    (SkewExponentialPower, {"beta": -0.9, "xi": 0.8}),
    (SkewGeneralizedT, {"lam": 0.6, "p": 1.3, "q": 4.0}),
    (SkewGeneralizedT, {"lam": -0.4, "p": 5.0, "q": 1e10}),
]
NU = Domain([2, 2.3, 5.0, 40.0, np.inf])
XI = Domain([0, 0.4, 1.0, 2.5, np.inf])
BETA = Domain([-1, -0.5, 0.0, 0.6, 1.1])
# Of the distribution function: the probability of light tails at ten deviations underflows.
NOT_LIGHT = {"beta": Domain([-1, 0.0, 0.3, 0.6, 1.1])}
LAM = Domain([-1, -0.5, 0.0, 0.7, 1])
P = Domain([0, 0.8, 2.0, 6.0, np.inf])


@pytest.mark.parametrize(("distribution", "shape"), CASES)
def test_draws_follow_the_distribution_function(distribution, shape):
    rv = distribution.dist(mu=2.0, sigma=3.0, **shape)
    draws = pm.draw(rv, 20_000, random_seed=20261124)
    x = np.sort(draws)
    cdf = np.exp(pm.logcdf(distribution.dist(mu=2.0, sigma=3.0, **shape), x).eval())
    assert stats.ks_1samp(cdf, stats.uniform.cdf).pvalue > 0.01
    if shape.get("nu", 9) > 9 and shape.get("q", 9) > 9:  # else the sample variance is too wild
        assert draws.mean() == pytest.approx(2.0, abs=0.1)
        assert draws.std() == pytest.approx(3.0, rel=0.05)


def fernandez_steel(logpdf, logsf, moment, value, mu, sigma, xi):
    """Log-density and distribution function as in the paper, from SciPy's symmetric density."""
    scale = np.sqrt((1 - moment**2) * (xi**2 + xi**-2) + 2 * moment**2 - 1)
    z = moment * (xi - 1 / xi) + scale * (value - mu) / sigma
    logp = np.log(2 * scale / (xi + 1 / xi)) + logpdf(z * xi ** -np.sign(z)) - np.log(sigma)
    if z < 0:
        return logp, np.log(2 / (1 + xi**2)) + logsf(-z * xi)
    return logp, np.log1p(-2 * xi**2 / (1 + xi**2) * np.exp(logsf(z / xi)))


def student(value, mu, sigma, nu, xi):
    t = stats.t(nu, scale=np.sqrt((nu - 2) / nu))
    moment = special.gamma((nu - 1) / 2) * np.sqrt((nu - 2) / np.pi) / special.gamma(nu / 2)
    return fernandez_steel(t.logpdf, t.logsf, moment, value, mu, sigma, xi)


def power(value, mu, sigma, beta, xi):
    k = 2 / (1 + beta)
    scale = np.sqrt(special.gamma(1 / k) / special.gamma(3 / k))
    g = stats.gennorm(k, scale=scale)
    moment = scale * special.gamma(2 / k) / special.gamma(1 / k)

    def logsf(x):  # SciPy's underflows
        tail = mpmath.gammainc(1 / float(k), float(x / scale) ** float(k), regularized=True)
        return float(mpmath.log(tail / 2))

    return fernandez_steel(g.logpdf, logsf, moment, value, mu, sigma, xi)


def generalized(value, mu, sigma, lam, p, q):
    b1, b2, b3 = (special.beta(i / p, (q - i + 1) / p) for i in (1, 2, 3))
    kappa = b1 / np.sqrt((1 + 3 * lam**2) * b1 * b3 - 4 * lam**2 * b2**2)
    z = (value - mu) / sigma + 2 * kappa * lam * b2 / b1
    w = (abs(z) / (kappa * (1 + lam * np.sign(z)))) ** p
    logp = np.log(p / (2 * kappa * b1 * sigma)) - (q + 1) / p * np.log1p(w)
    tail = stats.betaprime.sf(w, 1 / p, q / p)
    return logp, np.log((1 - lam) / 2 * tail if z < 0 else 1 - (1 + lam) / 2 * tail)


CHECKS = [
    (SkewStudentT, student, {"nu": NU, "xi": XI}),
    (SkewExponentialPower, power, {"beta": BETA, "xi": XI}),
    (SkewGeneralizedT, generalized, {"lam": LAM, "p": P, "q": NU}),
]


@pytest.mark.parametrize(("distribution", "reference", "domains"), CHECKS)
def test_pymc_checks(distribution, reference, domains):
    domains = {"mu": R, "sigma": Rplusbig, **domains}
    check_logp(distribution, R, domains, lambda **p: reference(**p)[0], n_samples=60)
    domains |= {name: NOT_LIGHT[name] for name in domains if name in NOT_LIGHT}
    check_logcdf(distribution, R, domains, lambda **p: reference(**p)[1], n_samples=40)


@pytest.mark.parametrize(("distribution", "shape"), CASES[::2])
@pytest.mark.parametrize(("size", "expected"), [(None, 1.5), (3, np.full(3, 1.5))])
def test_support_point_is_the_mean(distribution, shape, size, expected):
    with pm.Model() as model:
        distribution("x", mu=1.5, sigma=2.0, **shape, size=size)
    assert_support_point_is_expected(model, expected)


class TestSkewStudentT(BaseTestDistributionRandom):
    pymc_dist = SkewStudentT
    pymc_dist_params = {"mu": 1.0, "sigma": 2.0, "nu": 5.0, "xi": 1.5}
    expected_rv_op_params = pymc_dist_params
    checks_to_run = ["check_pymc_params_match_rv_op", "check_rv_size"]


class TestSkewExponentialPower(BaseTestDistributionRandom):
    pymc_dist = SkewExponentialPower
    pymc_dist_params = {"mu": 1.0, "sigma": 2.0, "beta": 0.5, "xi": 1.5}
    expected_rv_op_params = pymc_dist_params
    checks_to_run = ["check_pymc_params_match_rv_op", "check_rv_size"]


class TestSkewGeneralizedT(BaseTestDistributionRandom):
    pymc_dist = SkewGeneralizedT
    pymc_dist_params = {"mu": 1.0, "sigma": 2.0, "lam": 0.5, "p": 1.5, "q": 5.0}
    expected_rv_op_params = pymc_dist_params
    checks_to_run = ["check_pymc_params_match_rv_op", "check_rv_size"]
