import numpy as np
import pytest

from pymc_hydro.engine.codegen.propagator import propagator
from pymc_hydro.testing.independent import COMPLEX_STEP, propagators


def compute(A, dA, h):
    n = A.shape[0]
    table = np.zeros((1, 1 + len(dA), 4, n, n))
    propagator(A, dA, h, table, 0)
    return table[0]


def random_system(rng, n):
    """A stable lower triangular system with rates from 1e-5 to 100 per day, two of them equal."""
    A = np.tril(rng.uniform(0, 1, (n, n)))
    rates = 10.0 ** rng.uniform(-5, 2, n)
    rates[1] = rates[0]
    return A * rates - np.diag(np.diag(A) * rates + rates)


@pytest.mark.parametrize("h", [1.0, 0.25, 2.0**-12])
def test_against_scipy(h, rng):
    for n in (1 + 1, 5, 9):
        A = random_system(rng, n)
        found = compute(A, np.zeros((0, n, n)), h)[0]
        for ours, theirs in zip(found, propagators(A, h), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13 * h)


def test_derivatives_against_complex_step(rng):
    A, direction = random_system(rng, 5), np.tril(rng.normal(size=(5, 5)))
    found = compute(A, direction[None], 0.5)[1]
    moved = propagators(A + 1j * COMPLEX_STEP * direction, 0.5)
    for ours, theirs in zip(found, moved, strict=True):
        exact = theirs.imag / COMPLEX_STEP
        np.testing.assert_allclose(ours, exact, rtol=1e-9, atol=1e-11 * np.abs(exact).max())


def test_without_rates_the_input_is_summed():
    E, W0, W1, Wm = compute(np.zeros((1, 1)), np.zeros((0, 1, 1)), 0.3)[0]
    np.testing.assert_allclose([E[0, 0], W0[0, 0], W1[0, 0], Wm[0, 0]], [1, 0, 0, 0.3], atol=1e-16)
