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
when they are neighbours; where they are not, older ones would add a little, which is left out, as
are those more than HORIZON intervals back (a Vecchia approximation: still a density).

References
----------
Barndorff-Nielsen, O., Schou, G. (1973). J. Multivar. Anal. 3, 408-419.
doi:10.1016/0047-259X(73)90030-4
Vecchia, A. V. (1988). J. R. Stat. Soc. B 50, 297-312.
"""

import numpy as np
import pytensor.tensor as pt

__all__ = ["HORIZON", "coefficients", "condition", "exact_lags", "last_observations"]

# Intervals back to which AR(2) remembers; AR(1) has no limit.
HORIZON = 10


def coefficients(partial):
    """Return the coefficients of an autoregression from its partial autocorrelations."""
    phi = []
    for r in partial:  # Levinson's recursion
        phi = [a - r * b for a, b in zip(phi, reversed(phi), strict=True)] + [r]
    return phi


def autocorrelation(phi, lag):
    """Return the autocorrelation at positive lags, which for order 2 end at HORIZON."""
    if len(phi) == 1:
        return phi[0] ** lag
    rho = [pt.ones(()), pt.as_tensor_variable(phi[0] / (1 - phi[1]))]
    while len(rho) <= HORIZON:
        rho.append(phi[0] * rho[-1] + phi[1] * rho[-2])
    return pt.stack(rho)[lag]


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
    there = previous >= 0
    where = position[pt.maximum(previous, 0)]
    lag = pt.switch(there, position[:, None] - where, 1)
    rho = pt.switch(there, autocorrelation(phi, lag), 0.0)
    if len(phi) == 1:
        weights = rho
    else:
        between = pt.switch(there[:, 1], where[:, 0] - where[:, 1], 1)
        of_both = pt.switch(there[:, 1], autocorrelation(phi, between), 0.0)
        near, far, determinant = rho[:, 0], rho[:, 1], 1 - of_both * of_both
        weights = pt.stack(
            [(near - far * of_both) / determinant, (far - near * of_both) / determinant], axis=1
        )
    return weights, pt.sqrt(1 - (weights * rho).sum(axis=1))


def last_observations(position, usable, order):
    """Return places of the last usable observations before each, -1 for none.

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
        near = (order == 1) | (position - position[place] <= HORIZON)
        columns.append(np.where((count >= 0) & near, place, -1))
    return np.stack(columns, axis=1)


def exact_lags(position, usable, order):
    """Return places of the observations exactly 1, 2, ... intervals back, -1 where missing."""
    place_at = {p: i for i, p in enumerate(position) if usable[i]}
    return np.array([[place_at.get(p - k, -1) for k in range(1, order + 1)] for p in position])
