"""The classes of distributions, in PyMC's terms."""

from inspect import signature

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.dist_math import check_parameters
from pymc.distributions.distribution import Continuous, SymbolicRandomVariable
from pymc.distributions.shape_utils import implicit_size_from_params, rv_size_is_none
from pymc.pytensorf import normalize_rng_param
from pytensor.graph.replace import _vectorize_node
from pytensor.tensor.random.basic import LaplaceRV, gamma, t, uniform
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.random.utils import normalize_size_param

from pymc_hydro.likelihoods.distributions import densities
from pymc_hydro.likelihoods.distributions.vectorized import with_leading_axes

__all__ = ["SkewExponentialPower", "SkewGeneralizedT", "SkewStudentT", "StableLaplace"]

# PyTensor 3 hides a random variable's next generator unless it is asked for.
_NEXT = "return_next_rng" in signature(RandomVariable.__call__).parameters


def _draw(rv, *parameters, rng, size, **named):
    """Return the next generator and the draws."""
    if _NEXT:
        return rv(*parameters, **named, rng=rng, size=size, return_next_rng=True)
    return rv(*parameters, **named, rng=rng, size=size).owner.outputs


def _skewed_draws(size_of, rng, size, mu, sigma, xi, moment):
    """Return draws of the skewed density from draws of ``|X|`` under the symmetric density."""
    rng, u = _draw(uniform, 0.0, 1.0, rng=rng, size=size)
    z = pt.switch(u < xi * xi / (1 + xi * xi), size_of * xi, -size_of / xi)
    shift, scale = densities.skew(0.0, xi, moment)
    return rng, mu + sigma * (z - shift) / scale


class _UnitVarianceRV(SymbolicRandomVariable):
    """Location, scale and shapes; a subclass says how to draw, in :meth:`graph`."""

    @classmethod
    def rv_op(cls, *parameters, size=None, rng=None):
        parameters = [pt.cast(pt.as_tensor(p), "float64") for p in parameters]
        rng = normalize_rng_param(rng)
        size = normalize_size_param(size)
        if rv_size_is_none(size):
            size = implicit_size_from_params(*parameters, ndims_params=cls.ndims_params)
        next_rng, draws = cls.graph(rng, size, *parameters)
        inputs = [rng, size, *parameters]
        return cls(inputs=inputs, outputs=[next_rng, draws])(*inputs)


@_vectorize_node.register(_UnitVarianceRV)
def vectorize_unit_variance(op, node, rng, size, *parameters):
    """Return the random variable of parameters with leading axes."""
    size, parameters = with_leading_axes(node, size, parameters)
    return type(op).rv_op(*parameters, size=size, rng=rng).owner


class SkewStudentTRV(_UnitVarianceRV):
    """Random variable of :class:`SkewStudentT`."""

    name = "skew_student_t"
    extended_signature = "[rng],[size],(),(),(),()->[rng],()"
    _print_name = ("SkewStudentT", "\\operatorname{SkewStudentT}")

    @classmethod
    def graph(cls, rng, size, mu, sigma, nu, xi):
        rng, x = _draw(t, nu, 0.0, 1.0, rng=rng, size=size)
        x = pt.abs(x) * pt.sqrt((nu - 2) / nu)
        return _skewed_draws(x, rng, size, mu, sigma, xi, densities.student_moment(nu))


class SkewStudentT(Continuous):
    r"""Student's t distribution skewed after Fernandez and Steel (SST).

    With :math:`x` standardised, and skewed as in
    :mod:`pymc_hydro.likelihoods.distributions.densities`,

    .. math::

        f(x) = \frac{\Gamma(\frac{\nu + 1}{2})}{\Gamma(\frac{\nu}{2}) \sqrt{\pi (\nu - 2)}}
        \Bigl(1 + \frac{x^2}{\nu - 2}\Bigr)^{-(\nu + 1) / 2} .

    ========  ==========================
    Support   :math:`x \in \mathbb{R}`
    Mean      :math:`\mu`
    Variance  :math:`\sigma^2`
    ========  ==========================

    Parameters
    ----------
    mu : tensor_like of float
        Mean.
    sigma : tensor_like of float
        Standard deviation (sigma > 0).
    nu : tensor_like of float
        Degrees of freedom (nu > 2): the smaller, the heavier the tails; normal in the limit.
    xi : tensor_like of float
        Skewness (xi > 0): 1 symmetric, above 1 positively skewed.

    Notes
    -----
    Modelling recommendations: daily flow residuals usually have ``nu`` from 2 to 10 and ``xi``
    near 1; a prior on ``nu - 2`` keeps it off the singular end.

    Implementation details: gamma functions enter as the logarithm of their ratio, exact for
    ``nu`` as large as 1e15.

    References
    ----------
    Fernandez, C., Steel, M. F. J. (1998). J. Am. Stat. Assoc. 93, 359-371. doi:10.2307/2669632
    """

    rv_type = SkewStudentTRV
    rv_op = SkewStudentTRV.rv_op

    @classmethod
    def dist(cls, mu=0.0, sigma=1.0, nu=None, xi=1.0, **kwargs):
        return super().dist([mu, sigma, nu, xi], **kwargs)

    def support_point(rv, size, mu, sigma, nu, xi):
        return _at_mean(size, mu, sigma, nu, xi)

    def logp(value, mu, sigma, nu, xi):
        result = densities.skew_student_logp((value - mu) / sigma, nu, xi) - pt.log(sigma)
        return _checked_student(result, sigma, nu, xi)

    def logcdf(value, mu, sigma, nu, xi):
        result = densities.skew_student_logcdf((value - mu) / sigma, nu, xi)
        return _checked_student(result, sigma, nu, xi)


class SkewExponentialPowerRV(_UnitVarianceRV):
    """Random variable of :class:`SkewExponentialPower`."""

    name = "skew_exponential_power"
    extended_signature = "[rng],[size],(),(),(),()->[rng],()"
    _print_name = ("SkewExponentialPower", "\\operatorname{SkewExponentialPower}")

    @classmethod
    def graph(cls, rng, size, mu, sigma, beta, xi):
        s, r, moment = densities.power_constants(beta)
        rng, g = _draw(gamma, shape=s, scale=1.0, rng=rng, size=size)
        return _skewed_draws(g**s / r, rng, size, mu, sigma, xi, moment)


class SkewExponentialPower(Continuous):
    r"""Exponential power distribution skewed after Fernandez and Steel (SEP).

    With :math:`x` standardised, and skewed as in
    :mod:`pymc_hydro.likelihoods.distributions.densities`,

    .. math::

        f(x) = \frac{r}{2 s \Gamma(s)} \exp\bigl(-(r |x|)^{1 / s}\bigr), \quad
        s = \frac{1 + \beta}{2}, \quad r = \sqrt{\Gamma(3 s) / \Gamma(s)} .

    ========  ==========================
    Support   :math:`x \in \mathbb{R}`
    Mean      :math:`\mu`
    Variance  :math:`\sigma^2`
    ========  ==========================

    Parameters
    ----------
    mu : tensor_like of float
        Mean.
    sigma : tensor_like of float
        Standard deviation (sigma > 0).
    beta : tensor_like of float
        Kurtosis (-1 < beta <= 1): 0 normal, 1 Laplace, uniform towards -1.
    xi : tensor_like of float
        Skewness (xi > 0): 1 symmetric, above 1 positively skewed.

    Notes
    -----
    Modelling recommendations: no heavier tails than Laplace's; :class:`SkewStudentT` has them.

    Implementation details: for ``beta > 0`` the density has an unbounded second derivative at its
    mode, which NUTS does not mind and Newton methods do.

    References
    ----------
    Schoups, G., Vrugt, J. A. (2010). Water Resour. Res. 46, W10531. doi:10.1029/2009WR008933
    """

    rv_type = SkewExponentialPowerRV
    rv_op = SkewExponentialPowerRV.rv_op

    @classmethod
    def dist(cls, mu=0.0, sigma=1.0, beta=0.0, xi=1.0, **kwargs):
        return super().dist([mu, sigma, beta, xi], **kwargs)

    def support_point(rv, size, mu, sigma, beta, xi):
        return _at_mean(size, mu, sigma, beta, xi)

    def logp(value, mu, sigma, beta, xi):
        x = (value - mu) / sigma
        result = densities.skew_exponential_power_logp(x, beta, xi) - pt.log(sigma)
        return _checked_power(result, sigma, beta, xi)

    def logcdf(value, mu, sigma, beta, xi):
        result = densities.skew_exponential_power_logcdf((value - mu) / sigma, beta, xi)
        return _checked_power(result, sigma, beta, xi)


class SkewGeneralizedTRV(_UnitVarianceRV):
    """Random variable of :class:`SkewGeneralizedT`."""

    name = "skew_generalized_t"
    extended_signature = "[rng],[size],(),(),(),(),()->[rng],()"
    _print_name = ("SkewGeneralizedT", "\\operatorname{SkewGeneralizedT}")

    @classmethod
    def graph(cls, rng, size, mu, sigma, lam, p, q):
        kappa, shift, _ = densities.generalized_t_constants(lam, p, q)
        rng, over = _draw(gamma, shape=1 / p, scale=1.0, rng=rng, size=size)
        rng, under = _draw(gamma, shape=q / p, scale=1.0, rng=rng, size=size)
        rng, u = _draw(uniform, 0.0, 1.0, rng=rng, size=size)
        width = kappa * pt.switch(u < (1 + lam) / 2, 1 + lam, lam - 1)
        return rng, mu + sigma * (width * (over / under) ** (1 / p) - shift)


class SkewGeneralizedT(Continuous):
    r"""Skewed generalised t distribution (SGT).

    With :math:`x` standardised, :math:`\mu_x` and :math:`\kappa` for which its mean is zero and its
    variance one, and B the beta function,

    .. math::

        f(x) = \frac{p}{2 \kappa B(\frac{1}{p}, \frac{q}{p})} \Bigl[1 + \Bigl(
        \frac{|x + \mu_x|}{\kappa (1 + \lambda \operatorname{sign}(x + \mu_x))}
        \Bigr)^p\Bigr]^{-(q + 1) / p} .

    ========  ==========================
    Support   :math:`x \in \mathbb{R}`
    Mean      :math:`\mu`
    Variance  :math:`\sigma^2`
    ========  ==========================

    Parameters
    ----------
    mu : tensor_like of float
        Mean.
    sigma : tensor_like of float
        Standard deviation (sigma > 0).
    lam : tensor_like of float
        Skewness (-1 < lam < 1): 0 symmetric.
    p : tensor_like of float
        Peakedness (p > 0): 2 as Student's t, 1 as Laplace's.
    q : tensor_like of float
        Tail (q > 2): power law of exponent q + 1; exponential power in the limit.

    Notes
    -----
    Modelling recommendations: p and q are nearly exchangeable near the normal; give both an
    informative prior.

    Implementation details: beta functions enter as ratios of their logarithms. For ``p < 1`` the
    density has a cusp at its mode, whose derivative is set to zero.

    References
    ----------
    Theodossiou, P. (1998). Manag. Sci. 44, 1650-1661. doi:10.1287/mnsc.44.12.1650
    """

    rv_type = SkewGeneralizedTRV
    rv_op = SkewGeneralizedTRV.rv_op

    @classmethod
    def dist(cls, mu=0.0, sigma=1.0, lam=0.0, p=2.0, q=None, **kwargs):
        return super().dist([mu, sigma, lam, p, q], **kwargs)

    def support_point(rv, size, mu, sigma, lam, p, q):
        return _at_mean(size, mu, sigma, lam, p, q)

    def logp(value, mu, sigma, lam, p, q):
        result = densities.skew_generalized_t_logp((value - mu) / sigma, lam, p, q) - pt.log(sigma)
        return _checked_generalized_t(result, sigma, lam, p, q)

    def logcdf(value, mu, sigma, lam, p, q):
        result = densities.skew_generalized_t_logcdf((value - mu) / sigma, lam, p, q)
        return _checked_generalized_t(result, sigma, lam, p, q)


def _at_mean(size, mu, *others):
    point = pt.broadcast_arrays(mu, *others)[0]
    return point if rv_size_is_none(size) else pt.full(size, mu)


def _checked_student(result, sigma, nu, xi):
    return check_parameters(result, sigma > 0, nu > 2, xi > 0, msg="sigma > 0, nu > 2, xi > 0")


def _checked_power(result, sigma, beta, xi):
    message = "sigma > 0, -1 < beta <= 1, xi > 0"
    return check_parameters(result, sigma > 0, beta > -1, beta <= 1, xi > 0, msg=message)


def _checked_generalized_t(result, sigma, lam, p, q):
    message = "sigma > 0, -1 < lam < 1, p > 0, q > 2"
    return check_parameters(result, sigma > 0, pt.abs(lam) < 1, p > 0, q > 2, msg=message)


class StableLaplaceRV(LaplaceRV):
    """Random variable of :class:`StableLaplace`."""


class StableLaplace(pm.Laplace):
    """Laplace's distribution, whose distribution function has a gradient at any distance.

    That of ``pm.Laplace`` is NaN more than 700 scales below the mean, where the branch that
    ``switch`` does not take overflows.
    """

    rv_op = StableLaplaceRV()

    def logcdf(value, mu, b):
        x = (value - mu) / b
        below = np.log(0.5) + pt.minimum(x, 0.0)
        return pt.switch(x <= 0, below, pt.log1p(-0.5 * pt.exp(-pt.maximum(x, 0.0))))
