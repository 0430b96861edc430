r"""Log-densities of zero mean and unit variance, as plain functions of tensors.

Every density has a companion for the logarithm of its distribution function, which censored
observations need. Skewness after Fernandez and Steel: with a symmetric density :math:`f` of unit
variance, :math:`M_1 = E|X|` under it and :math:`\xi > 0`,

.. math::

    f_\xi(x) = \frac{2 \sigma_\xi}{\xi + 1/\xi} f(z\, \xi^{-\operatorname{sign} z}), \quad
    z = \mu_\xi + \sigma_\xi x, \quad \mu_\xi = M_1 (\xi - 1/\xi), \quad
    \sigma_\xi^2 = 1 + (1 - M_1^2)(\xi - 1/\xi)^2 .

The last is the usual expression without its cancellation near :math:`\xi = 1`.

References
----------
Box, G. E. P., Tiao, G. C. (1973). Bayesian Inference in Statistical Analysis. Addison-Wesley.
Fernandez, C., Steel, M. F. J. (1998). J. Am. Stat. Assoc. 93, 359-371. doi:10.2307/2669632
Schoups, G., Vrugt, J. A. (2010). Water Resour. Res. 46, W10531. doi:10.1029/2009WR008933
Scharnagl, B., et al. (2015). Hydrol. Earth Syst. Sci. Discuss. 12, 2155-2199.
doi:10.5194/hessd-12-2155-2015
Theodossiou, P. (1998). Manag. Sci. 44, 1650-1661. doi:10.1287/mnsc.44.12.1650
"""

import numpy as np
import pytensor.tensor as pt

__all__ = [
    "laplace_logp",
    "log_gamma_ratio",
    "normal_logp",
    "skew_exponential_power_logcdf",
    "skew_exponential_power_logp",
    "skew_generalized_t_logcdf",
    "skew_generalized_t_logp",
    "skew_student_logcdf",
    "skew_student_logp",
    "student_logp",
]

STIRLING_FROM = 20.0  # the five terms below are then exact to 1e-16
# Logarithm of the argument below which an incomplete function's second term is under 1e-17.
LINEAR_BELOW = -40.0


def log_gamma_ratio(a, d):
    """Return ``log(gamma(a + d) / gamma(a))`` for positive `a` and `d`, elementwise.

    Without the cancellation of two large numbers: at ``a = 1e10`` their difference would keep five
    digits after the point.
    """
    a, d = _real(a, d)
    small = pt.minimum(a, STIRLING_FROM)
    large = pt.maximum(a, STIRLING_FROM)
    direct = pt.gammaln(small + d) - pt.gammaln(small)
    series = (large - 0.5) * pt.log1p(d / large) + d * (pt.log(large + d) - 1)
    series = series + _stirling_remainder(large + d) - _stirling_remainder(large)
    return pt.switch(a < STIRLING_FROM, direct, series)


def _real(*values):
    """Return double precision variables: PyTensor would make ``0.5`` a float32."""
    return [pt.cast(pt.as_tensor_variable(v), "float64") for v in values]


def _stirling_remainder(z):
    w = 1 / (z * z)
    return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w / 1188)))) / z


def normal_logp(x):
    """Return the log-density of the standard normal distribution."""
    (x,) = _real(x)
    return -0.5 * (x * x + np.log(2 * np.pi))


def laplace_logp(x):
    """Return the log-density of Laplace's distribution with unit variance."""
    (x,) = _real(x)
    return -np.sqrt(2) * pt.abs(x) - 0.5 * np.log(2)


def student_logp(x, nu):
    """Return the log-density of Student's t with unit variance, ``nu > 2``."""
    x, nu = _real(x, nu)
    constant = log_gamma_ratio(nu / 2, 0.5) - 0.5 * pt.log(np.pi * (nu - 2))
    return constant - 0.5 * (nu + 1) * pt.log1p(x * x / (nu - 2))


def student_moment(nu):
    """Return ``E|X|`` of Student's t with unit variance."""
    (nu,) = _real(nu)
    return pt.sqrt((nu - 2) / np.pi) * pt.exp(-log_gamma_ratio((nu - 1) / 2, 0.5))


def skew_student_logp(x, nu, xi):
    """Return the log-density of the skewed Student's t (SST), ``nu > 2``, ``xi > 0``."""
    _, a, log_factor = _unskewed(x, xi, student_moment(nu))
    return log_factor + student_logp(a, nu)


def skew_student_logcdf(x, nu, xi):
    """Return the logarithm of the distribution function of SST."""
    nu, xi = _real(nu, xi)
    z, a, _ = _unskewed(x, xi, student_moment(nu))
    tail = 0.5 * _beta_tail(nu / 2, pt.constant(0.5), _distance(a) / pt.sqrt(nu - 2))
    return _skewed_logcdf(z, xi, tail)


def _distance(z):
    """Return the absolute value, with a derivative at zero too: that of the upper half."""
    return pt.switch(z < 0, -z, z)


def _beta_tail(a, b, distance):
    """Return the incomplete beta function at ``1 / (1 + distance^(1/b))``, precise at both ends.

    Next to zero it is linear, and written so: its chain of derivatives has none in doubles there.
    """
    linear = distance < pt.exp(b * (LINEAR_BELOW - pt.log(pt.maximum(a, 1.0))))
    log_odds = pt.log(pt.switch(linear, 1.0, distance)) / b
    near = 1 - pt.betainc(b, a, pt.sigmoid(pt.minimum(log_odds, 0.0)))
    far = pt.betainc(a, b, pt.sigmoid(-pt.maximum(log_odds, 0.0)))
    slope = pt.exp(log_gamma_ratio(a, b) - pt.gammaln(b + 1))
    return pt.switch(linear, 1 - slope * distance, pt.switch(log_odds < 0, near, far))


def power_constants(beta):
    """Return constants of the exponential power density with unit variance.

    The half width ``s = (1 + beta) / 2``; the factor ``r`` for which ``(r |X|)^(1/s)`` is
    gamma-distributed with shape ``s``; and ``E|X|``.
    """
    (beta,) = _real(beta)
    s = (1 + beta) / 2
    first, third = pt.gammaln(s), pt.gammaln(3 * s)
    r = pt.exp((third - first) / 2)
    moment = pt.exp(pt.gammaln(2 * s) - (third + first) / 2)
    return s, r, moment


def skew_exponential_power_logp(x, beta, xi):
    """Return the log-density of the skewed exponential power density (SEP), ``-1 < beta <= 1``."""
    s, r, moment = power_constants(beta)
    _, a, log_factor = _unskewed(x, xi, moment)
    constant = pt.log(r) - pt.gammaln(s) - pt.log(2 * s)
    return log_factor + constant - (r * pt.abs(a)) ** (1 / s)


def skew_exponential_power_logcdf(x, beta, xi):
    """Return the logarithm of the distribution function of SEP."""
    s, r, moment = power_constants(beta)
    z, a, _ = _unskewed(x, xi, moment)
    distance = r * _distance(a)
    linear = distance < pt.exp(s * LINEAR_BELOW)
    tail = pt.gammaincc(s, pt.switch(linear, 1.0, distance) ** (1 / s))
    tail = pt.switch(linear, 1 - distance * pt.exp(-pt.gammaln(s + 1)), tail)
    return _skewed_logcdf(z, xi, 0.5 * tail)


def generalized_t_constants(lam, p, q):
    r"""Return scale :math:`\kappa`, shift :math:`\mu` and ``log B(1/p, q/p)`` of SGT."""
    lam, p, q = _real(lam, p, q)
    log_beta = pt.gammaln(1 / p) - log_gamma_ratio(q / p, 1 / p)
    second = pt.exp(pt.gammaln(2 / p) - log_gamma_ratio((q - 1) / p, 2 / p) - log_beta)
    third = pt.exp(pt.gammaln(3 / p) - log_gamma_ratio((q - 2) / p, 3 / p) - log_beta)
    kappa = 1 / pt.sqrt((1 + 3 * lam * lam) * third - 4 * lam * lam * second * second)
    return kappa, 2 * kappa * lam * second, log_beta


def skew_generalized_t_logp(x, lam, p, q):
    """Return the log-density of the skewed generalised t (SGT), ``|lam| < 1, p > 0, q > 2``.

    In this parametrisation, where q enters as q / p, the variance is finite for ``q > 2``.
    """
    x, lam, p, q = _real(x, lam, p, q)
    kappa, mu, log_beta = generalized_t_constants(lam, p, q)
    z = x + mu
    # For p < 1 the density has a cusp: its derivative there is left at zero instead of NaN.
    at_cusp = pt.eq(z, 0)
    # The exponential of this may overflow.
    log_odds = p * pt.log(pt.abs(pt.switch(at_cusp, 1.0, z)) / _width(z, lam, kappa))
    decay = pt.switch(at_cusp, 0.0, pt.softplus(log_odds))
    return pt.log(p / (2 * kappa)) - log_beta - (q + 1) / p * decay


def skew_generalized_t_logcdf(x, lam, p, q):
    """Return the logarithm of the distribution function of SGT."""
    x, lam, p, q = _real(x, lam, p, q)
    kappa, mu, _ = generalized_t_constants(lam, p, q)
    z = x + mu
    tail = _beta_tail(q / p, 1 / p, _distance(z) / _width(z, lam, kappa))
    below = z < 0
    low = pt.log((1 - lam) / 2) + pt.log(pt.switch(below, tail, 1.0))
    return pt.switch(below, low, pt.log1p(-(1 + lam) / 2 * pt.switch(below, 0.0, tail)))


def _width(z, lam, kappa):
    """Return the scale of the half of SGT in which z is."""
    return kappa * pt.switch(z < 0, 1 - lam, 1 + lam)


def _unskewed(x, xi, moment):
    """Return z, the argument of the symmetric density, and the log of the factor before it."""
    x, xi = _real(x, xi)
    z, scale = skew(x, xi, moment)
    a = z * pt.switch(z < 0, xi, 1 / xi)
    return z, a, pt.log(2 * scale / (xi + 1 / xi))


def skew(x, xi, moment):
    r"""Return :math:`\mu_\xi + \sigma_\xi x` and :math:`\sigma_\xi`."""
    (xi,) = _real(xi)
    odd = xi - 1 / xi
    scale = pt.sqrt(1 + (1 - moment * moment) * odd * odd)
    return moment * odd + scale * x, scale


def _skewed_logcdf(z, xi, tail):
    """Return the log of the skewed distribution function from the symmetric one's tail at ``|a|``.

    Each branch is fed values at which it is finite, so that the other's gradient stays clean.
    """
    (xi,) = _real(xi)
    below = z < 0
    low = pt.log(2 / (1 + xi * xi)) + pt.log(pt.switch(below, tail, 1.0))
    high = pt.log1p(-2 * xi * xi / (1 + xi * xi) * pt.switch(below, 0.0, tail))
    return pt.switch(below, low, high)
