"""The incomplete gamma function with its derivatives, for one pair of numbers, and a fast expm1.

Plain Python of plain numbers: kernels compile these functions, flux functions of arrays call them
(but for :func:`expm1`, which NumPy has).
"""

from math import erfc, exp, lgamma, log

__all__ = ["SPECIAL", "expm1", "gammainc", "gammainc_da", "gammainc_dx", "ndtr"]

MOST_TERMS = 10_000
SMALL = 2.3e-16  # of the sum, a term that no longer counts


def expm1(x: float) -> float:
    """Return ``exp(x) - 1``, with a relative error of at most 5e-16.

    Up to 0.25 it is the Taylor series, in an order in which its terms do not wait for each other
    (Estrin's). Three times faster than the function of the C library.
    """
    if x > 0.25 or x < -0.25:
        return exp(x) - 1.0
    y = x * x
    z = y * y
    low = (1 / 2 + x * (1 / 6)) + y * (1 / 24 + x * (1 / 120))
    middle = (1 / 720 + x * (1 / 5040)) + y * (1 / 40320 + x * (1 / 362880))
    high = (1 / 3628800 + x * (1 / 39916800)) + y * (1 / 479001600 + x * (1 / 6227020800))
    return x + y * (low + z * (middle + z * high))


def gammainc(a: float, x: float) -> float:
    """Return P(a, x), the regularised lower incomplete gamma function; zero for x <= 0.

    The series ``x^a e^-x sum_n x^n / Gamma(a + n + 1)`` below x = a + 1, else the continued
    fraction of Lentz (Press et al., 2007, Numerical Recipes, section 6.2).
    """
    if not x > 0.0:
        return 0.0
    if x < a + 1.0:
        term = total = 1.0
        for n in range(1, MOST_TERMS):
            term *= x / (a + n)
            total += term
            if term < SMALL * total:
                break
        return total * exp(a * log(x) - x - lgamma(a + 1.0))
    b = x + 1.0 - a
    c, d = 1e300, 1.0 / b
    fraction = d
    for n in range(1, MOST_TERMS):
        factor = -n * (n - a)
        b += 2.0
        d = 1.0 / (factor * d + b)
        c = b + factor / c
        fraction *= c * d
        if abs(c * d - 1.0) < SMALL:
            break
    return 1.0 - fraction * exp(a * log(x) - x - lgamma(a))


def gammainc_dx(a: float, x: float) -> float:
    """Return the derivative of P(a, x) by x, the density of the gamma distribution."""
    if not x > 0.0:
        return 0.0
    return exp((a - 1.0) * log(x) - x - lgamma(a))


def gammainc_da(a: float, x: float) -> float:
    """Return the derivative of P(a, x) by a: the series and the fraction, differentiated.

    The recurrences of :func:`gammainc` are differentiated term by term, and the digamma function
    is its asymptotic series above 10 (Abramowitz & Stegun, 1972, 6.3.18).
    """
    if not x > 0.0:
        return 0.0
    digamma, y = 0.0, a  # of a + 1 in the end, by psi(y + 1) = psi(y) + 1/y
    while y < 10.0:
        digamma -= 1.0 / y
        y += 1.0
    r = 1.0 / (y * y)
    digamma += log(y) - 0.5 / y
    digamma -= r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132)))))
    if x < a + 1.0:
        term = total = 1.0
        term_a = total_a = 0.0
        for n in range(1, MOST_TERMS):
            term_a = (term_a - term / (a + n)) * x / (a + n)
            term *= x / (a + n)
            total += term
            total_a += term_a
            if term < SMALL * total and abs(term_a) < SMALL * total:
                break
        slope = log(x) - digamma - 1.0 / a
        return (total * slope + total_a) * exp(a * log(x) - x - lgamma(a + 1.0))
    b = x + 1.0 - a
    c, d, c_a = 1e300, 1.0 / b, 0.0
    d_a = d * d
    fraction, fraction_a = d, d_a
    for n in range(1, MOST_TERMS):
        factor = -n * (n - a)
        b += 2.0
        d_a = -((factor * d_a + n * d - 1.0) / (factor * d + b) ** 2)
        d = 1.0 / (factor * d + b)
        c_a = -1.0 + n / c - factor * c_a / c / c
        c = b + factor / c
        change_a = c_a * d + c * d_a
        fraction_a = fraction_a * c * d + fraction * change_a
        fraction *= c * d
        if abs(c * d - 1.0) < SMALL and abs(change_a) < SMALL:
            break
    slope = log(x) - digamma
    return -(fraction * slope + fraction_a) * exp(a * log(x) - x - lgamma(a))


def ndtr(x: float) -> float:
    """Return the distribution function of the standard normal distribution."""
    return 0.5 * erfc(-0.7071067811865476 * x)


# By the name of the operation in a flux function, with the number of arguments.
SPECIAL = {gammainc: 2, gammainc_dx: 2, gammainc_da: 2, ndtr: 1}
