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

__all__ = ["APART", "HORIZON", "coefficients", "condition", "exact_lags", "last_observations"]

# Intervals back to which AR(2) remembers; AR(1) has no limit.
HORIZON = 10
# Intervals between two basins: no error of one is remembered in the next.
APART = 10**9


def coefficients(partial):
    """Return the coefficients of an autoregression from its partial autocorrelations."""
    phi = []
    for r in partial:  # Levinson's recursion
        phi = [a - r * b for a, b in zip(phi, reversed(phi), strict=True)] + [r]
    return phi


def autocorrelation(phi, lag):
    """Return the autocorrelation at lags, which for order 2 end at HORIZON; zero for lag 0.

    Lag 0 stands for no observation here.
    """
    if len(phi) == 1:
        # The power of lag 1 where there is none: the derivative of 0^0 at phi = 0 is no number.
        return pt.switch(pt.eq(lag, 0), 0.0, phi[0] ** pt.maximum(lag, 1))
    rho = [pt.ones(()), pt.as_tensor_variable(phi[0] / (1 - phi[1]))]
    while len(rho) <= HORIZON:
        rho.append(phi[0] * rho[-1] + phi[1] * rho[-2])
    return pt.stack([pt.zeros(()), *rho[1:]])[lag]


def condition(phi, lags):
    """Return weights of the predecessors and the standard deviation given them.

    Parameters
    ----------
    phi : sequence of variable, length n_order, 1 or 2
    lags : TensorVariable of int, shape (n_observation, 1 or 3)
        As of :func:`last_observations`.

    Returns
    -------
    tuple of TensorVariable, shapes (n_observation, n_order) and (n_observation,)
    """
    rho = autocorrelation(phi, lags)
    if len(phi) == 1:
        return rho, pt.sqrt(1 - rho[:, 0] ** 2)
    near, far, of_both = rho[:, 0], rho[:, 1], rho[:, 2]
    first = (near - far * of_both) / (1 - of_both**2)
    second = (far - near * of_both) / (1 - of_both**2)
    return pt.stack([first, second], axis=1), pt.sqrt(1 - first * near - second * far)


def last_observations(position, usable, order):
    """Return places of the last usable observations before each, and how far back they lie.

    Parameters
    ----------
    position : array of int, shape (n_observation,)
    usable : array of bool, shape (n_observation,)
    order : int
        1 or 2.

    Returns
    -------
    array of int, shape (n_observation, 2 or 5)
        Places among the observations, the nearest first; then the lags of these, and for order 2
        the lag between them. Where there is none the lag is 0 and the place is 0.
    """
    places = np.flatnonzero(usable)
    before = np.cumsum(usable) - usable
    found, lags = [], []
    for k in range(1, order + 1):
        place = places[np.maximum(before - k, 0)]
        lag = position - position[place]
        there = (before >= k) & (lag < APART if order == 1 else lag <= HORIZON)
        found.append(np.where(there, place, 0))
        lags.append(np.where(there, lag, 0))
    if order == 2:
        lags.append(np.where(lags[1] > 0, lags[1] - lags[0], 0))
    return np.stack([*found, *lags], axis=1)


def exact_lags(position, usable, order):
    """Return places of the observations exactly 1, 2, ... intervals back, -1 where missing."""
    place_at = {p: i for i, p in enumerate(position) if usable[i]}
    return np.array([[place_at.get(p - k, -1) for k in range(1, order + 1)] for p in position])
