r"""Stationary autoregression of order 0 to 2 at any spacing of the observations.

Partial autocorrelations :math:`r_1, r_2 \in (-1, 1)` make every combination stationary:
:math:`\phi_2 = r_2`, :math:`\phi_1 = r_1 (1 - r_2)`. With the autocorrelations :math:`\rho` of
that process, an observation whose last two predecessors lie a and b intervals back has, given
them, the mean :math:`w_1 e_{t-a} + w_2 e_{t-b}` and the variance :math:`1 - w_1 \rho_a - w_2
\rho_b`, in units of the process,

.. math::

    w_1 = \frac{\rho_a - \rho_b \rho_{b-a}}{1 - \rho_{b-a}^2}, \quad
    w_2 = \frac{\rho_b - \rho_a \rho_{b-a}}{1 - \rho_{b-a}^2} .

Without gaps these are :math:`\phi_1, \phi_2` and :math:`(1 - r_1^2)(1 - r_2^2)`; at the start they
are the stationary distribution, exact for normal errors; across a gap of g intervals AR(1) has
:math:`\phi^g` and :math:`1 - \phi^{2g}`, exact. For AR(2) the last two observations tell everything
when they are neighbours; where they are not, older ones would add a little, which is left out (a
Vecchia approximation: still a density).

References
----------
Barndorff-Nielsen, O., Schou, G. (1973). J. Multivar. Anal. 3, 408-419.
doi:10.1016/0047-259X(73)90030-4
Vecchia, A. V. (1988). J. R. Stat. Soc. B 50, 297-312.
"""

import numpy as np
import pytensor.tensor as pt

__all__ = ["HORIZON", "coefficients", "condition", "exact_lags", "last_observations"]

DOUBLINGS = 10
HORIZON = 2**DOUBLINGS  # intervals after which an observation is forgotten


def coefficients(partial):
    """Return the coefficients of an autoregression from its partial autocorrelations."""
    phi = []
    for r in partial:  # Levinson's recursion
        phi = [a - r * b for a, b in zip(phi, reversed(phi), strict=True)] + [r]
    return phi


def autocorrelations(phi):
    """Return the autocorrelations at lags 0 to HORIZON - 1, and zero at HORIZON.

    By doubling: the pairs at lags k to 2k - 1 are those at 0 to k - 1 times a power of the
    companion matrix.
    """
    phi1, phi2 = (*phi, 0.0, 0.0)[:2]
    one = pt.ones(1)
    here, before = one, one * (phi1 / (1 - phi2))
    a, b, c, d = phi1, phi2, 1.0, 0.0
    for _ in range(DOUBLINGS):
        later = a * here + b * before, c * here + d * before
        here, before = pt.concatenate([here, later[0]]), pt.concatenate([before, later[1]])
        a, b, c, d = a * a + b * c, b * (a + d), c * (a + d), d * d + b * c
    return pt.concatenate([here, pt.zeros(1)])


def condition(phi, position, previous):
    """Return weights of the predecessors and the standard deviation given them.

    Parameters
    ----------
    phi : sequence of variable, length n_order, 1 or 2
    position : TensorVariable, shape (n_observation,)
        Intervals at which there are observations.
    previous : TensorVariable, shape (n_observation, n_order)
        Places of the predecessors among the observations, the nearest first; -1 for none.

    Returns
    -------
    tuple of TensorVariable, shapes (n_observation, n_order) and (n_observation,)
    """
    rho = autocorrelations(phi)
    where = position[pt.maximum(previous, 0)]
    lag = pt.switch(previous < 0, HORIZON, position[:, None] - where)
    if len(phi) == 1:
        weights = rho[lag]
    else:
        between = pt.switch(previous[:, 1] < 0, HORIZON, where[:, 0] - where[:, 1])
        near, far, of_both = rho[lag[:, 0]], rho[lag[:, 1]], rho[between]
        determinant = 1 - of_both * of_both
        weights = pt.stack(
            [(near - far * of_both) / determinant, (far - near * of_both) / determinant], axis=1
        )
    return weights, pt.sqrt(1 - (weights * rho[lag]).sum(axis=1))


def last_observations(position, usable, order):
    """Return places of the last usable observations before each, -1 for none within HORIZON.

    Parameters
    ----------
    position : array of int, shape (n_observation,)
    usable : array of bool, shape (n_observation,)
    order : int

    Returns
    -------
    array of int, shape (n_observation, order)
    """
    places = np.flatnonzero(usable)
    before = np.cumsum(usable) - usable
    columns = []
    for k in range(1, order + 1):
        count = before - k
        place = places[np.maximum(count, 0)] if places.size else np.zeros_like(count)
        near = position - position[place] < HORIZON
        columns.append(np.where((count >= 0) & near, place, -1))
    return np.stack(columns, axis=1)


def exact_lags(position, usable, order):
    """Return places of the observations exactly 1, 2, ... intervals back, -1 where missing."""
    place_at = {p: i for i, p in enumerate(position) if usable[i]}
    return np.array([[place_at.get(p - k, -1) for k in range(1, order + 1)] for p in position])
