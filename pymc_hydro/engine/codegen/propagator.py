"""Exact propagation of the linear part of a model over one step, and its derivatives.

For ``dl/dt = A l + g(t)`` with g the parabola that has start ``g0``, end ``g1`` and mean ``gm``,

    l(h) = E l(0) + W0 g0 + W1 g1 + Wm gm,       E = exp(hA),
    W0 = h (phi1 - 4 phi2 + 6 phi3),  W1 = h (6 phi3 - 2 phi2),  Wm = h (6 phi2 - 12 phi3)

with the phi functions of exponential integrators, ``phi_k(0) = 1/k!`` and
``phi_k(z) = z phi_(k+1)(z) + 1/k!`` (Hochbruck & Ostermann, 2010, Acta Numerica 19, 209-286).
They are summed for an argument of norm below one half, and doubled until the argument is hA. The
product rule gives the derivative of each operation.

Where later sections of a model read linear states at the stages of a step, :func:`at_nodes` gives
the same matrices for the part of the step up to each stage, still for the parabola over all of it.
Where several linear states receive shares of one flux, ``g = C f``, :func:`couple` makes of the
weights of states those of fluxes.
"""

import numpy as np

__all__ = ["at_nodes", "couple", "propagator"]

# Terms of the Taylor series of phi3: at norm 1/2 the first term that is left out is 3e-18.
N_TERMS = 12
SUMMED_NORM = 0.5
MAX_DOUBLINGS = 1100  # reaches any finite norm; an infinite rate gives NaN, not an endless loop


def multiply(a, x, source, target, constant, scratch):
    """Set ``x[:, target]`` to ``a x[:, source] + constant``, at index 0, and its derivatives."""
    n_slice, n = x.shape[0], x.shape[2]
    for d in range(n_slice - 1, -1, -1):  # the value last: derivatives need the old one
        for i in range(n):
            for j in range(n):
                scratch[i, j] = 0.0
            for k in range(n):
                if a[d, i, k] != 0.0:
                    for j in range(n):
                        scratch[i, j] += a[d, i, k] * x[0, source, k, j]
                if d > 0 and a[0, i, k] != 0.0:
                    for j in range(n):
                        scratch[i, j] += a[0, i, k] * x[d, source, k, j]
        for i in range(n):
            for j in range(n):
                x[d, target, i, j] = scratch[i, j]
            if d == 0:
                x[d, target, i, i] += constant


def propagator(A, dA, h, table, level):
    """Fill ``table[level]`` with E, W0, W1, Wm and their derivatives.

    Written in loops over scalars, which compile in a fraction of the time of array operations.

    Parameters
    ----------
    A : array, shape (n, n), in 1/d
    dA : array, shape (n_direction, n, n)
        Derivatives of A with respect to the parameters it depends on.
    h : float
        Step in days.
    table : array, shape (n_level, 1 + n_direction, 4, n, n)
        Index 0 of the second axis is the value, the others its derivatives.
    level : int
        Which entry to fill.
    """
    n, n_slice = A.shape[0], 1 + dA.shape[0]
    norm = 0.0
    for i in range(n):
        row = 0.0
        for j in range(n):
            row += abs(A[i, j]) * h
        norm = max(norm, row)
    doublings = 0
    while norm > SUMMED_NORM and doublings < MAX_DOUBLINGS:
        norm *= 0.5
        doublings += 1
    scale = h * 0.5**doublings

    z = np.zeros((n_slice, n, n))
    phi = np.zeros((n_slice, 4, n, n))  # phi_0 .. phi_3
    keep, scratch = np.zeros((n_slice, n, n)), np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            z[0, i, j] = A[i, j] * scale
            for d in range(1, n_slice):
                z[d, i, j] = dA[d - 1, i, j] * scale
    coefficient = 1.0 / 6.0
    for k in range(1, N_TERMS):
        coefficient /= k + 3.0
    for i in range(n):
        phi[0, 3, i, i] = coefficient
    for k in range(N_TERMS - 1, 0, -1):  # Horner: phi_3 <- z phi_3 + 1/(k+2)!
        coefficient *= k + 3.0
        multiply(z, phi, 3, 3, coefficient, scratch)
    multiply(z, phi, 3, 2, 0.5, scratch)
    multiply(z, phi, 2, 1, 1.0, scratch)
    multiply(z, phi, 1, 0, 1.0, scratch)

    # phi_k(2z) = 2^-k [ phi_0 phi_k + sum_{j=1..k} phi_j / (k-j)! ], phi_0 last: all need it
    for _ in range(doublings):
        for d in range(n_slice):
            for i in range(n):
                for j in range(n):
                    z[d, i, j] = phi[d, 0, i, j]
        for k in (3, 2, 1, 0):
            for d in range(n_slice):
                for i in range(n):
                    for j in range(n):
                        keep[d, i, j] = phi[d, k, i, j]
            multiply(z, phi, k, k, 0.0, scratch)
            for d in range(n_slice):
                for i in range(n):
                    for j in range(n):
                        value = phi[d, k, i, j]
                        if k == 1:
                            value += keep[d, i, j]
                        elif k == 2:
                            value += phi[d, 1, i, j] + keep[d, i, j]
                        elif k == 3:
                            value += 0.5 * phi[d, 1, i, j] + phi[d, 2, i, j] + keep[d, i, j]
                        phi[d, k, i, j] = value * 0.5**k

    for d in range(n_slice):
        for i in range(n):
            for j in range(n):
                phi_1, phi_2, phi_3 = phi[d, 1, i, j], phi[d, 2, i, j], phi[d, 3, i, j]
                table[level, d, 0, i, j] = phi[d, 0, i, j]
                table[level, d, 1, i, j] = h * (phi_1 - 4.0 * phi_2 + 6.0 * phi_3)
                table[level, d, 2, i, j] = h * (6.0 * phi_3 - 2.0 * phi_2)
                table[level, d, 3, i, j] = h * (6.0 * phi_2 - 12.0 * phi_3)


def at_nodes(A, dA, h, method, n_stage, table, n_read):
    """Fill ``table[s]`` with E, W0, W1, Wm and their derivatives, for each stage s but the first.

    The first `n_read` of the n linear states are read by later sections. The last `n_read` rows of
    A accumulate their contents. What a store passes on is a rate times its content, and a
    Runge-Kutta method takes the mean over a step as a weighted sum over the stages: where the exact
    mean differs, the difference is added at all stages between the first one and the last one, so
    that no water is lost. It is of the order of the method.
    """
    n, n_slice, last, n_most = A.shape[0], 1 + dA.shape[0], n_stage - 1, method.shape[1]
    for s in range(1, n_stage):
        c = 0.0
        for q in range(s + 1):
            c += method[s, q]
        propagator(A, dA, c * h, table, s)
        for d in range(n_slice):
            for i in range(n):
                for j in range(n):
                    end, mean = table[s, d, 2, i, j], table[s, d, 3, i, j]  # of the part
                    table[s, d, 1, i, j] += (1.0 - 4.0 * c + 3.0 * c * c) * end
                    table[s, d, 1, i, j] += (1.0 - c) * (1.0 - c) * mean
                    table[s, d, 2, i, j] = (3.0 * c * c - 2.0 * c) * end + (c * c - c) * mean
                    table[s, d, 3, i, j] = 6.0 * (c - c * c) * end + (3.0 * c - 2.0 * c * c) * mean
    between = 0.0
    for s in range(1, last):
        between += method[n_most, s]
    for d in range(n_slice):
        for w in range(4):
            for i in range(n_read):
                for j in range(n):
                    missing = table[last, d, w, n - n_read + i, j] / h
                    for s in range(1, n_stage):
                        missing -= method[n_most, s] * table[s, d, w, i, j]
                    if d == 0 and w == 0 and i == j:
                        missing -= method[n_most, 0]
                    for s in range(1, last):
                        table[s, d, w, i, j] += missing / between


def couple(C, dC, n_direction, table, s):
    """Replace the weights W0, W1, Wm in ``table[s]`` by ``W0 C`` ..., with their derivatives.

    The first `n_direction` of the parameters move A. E does not depend on the others.
    """
    n, n_flux = C.shape
    sums = np.zeros(n_flux)
    for d in range(dC.shape[0], -1, -1):  # the value last: derivatives need the old one
        for w in range(4):
            for i in range(n):
                for g in range(n_flux):
                    sums[g] = 0.0
                    for k in range(n if w > 0 else 0):
                        if d <= n_direction:
                            sums[g] += table[s, d, w, i, k] * C[k, g]
                        if d > 0:
                            sums[g] += table[s, 0, w, i, k] * dC[d - 1, k, g]
                if d > n_direction:
                    for k in range(n):
                        table[s, d, w, i, k] = 0.0
                for g in range(n_flux if w > 0 else 0):
                    table[s, d, w, i, g] = sums[g]
