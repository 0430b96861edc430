r"""How long errors are remembered: an autoregression, or a clock that runs with changes of flow.

With ``memory="flow"`` the errors :math:`e_t` in units of their scale are a stationary process of
unit variance in the time K of a clock, which runs with the calendar and with simulated flow q
(c = 0.001 mm/d, :math:`\Delta t` in days):

.. math::

    K_t = K_{t-1} + k_0 \Delta t + k_u \max(\ln \tfrac{q_t + c}{q_{t-1} + c}, 0)
        + k_d \max(\ln \tfrac{q_{t-1} + c}{q_t + c}, 0)

An observation whose last predecessor is at s has, given it, the mean :math:`\rho e_s` and the
variance :math:`1 - \rho^2` with :math:`\rho = \exp(-(K_t - K_s))`: exact across any gap. With
:math:`k_u = k_d = 0` this is AR(1) with :math:`r_1 = \exp(-k_0 \Delta t)`. With :math:`k_u = 1`
and a scale proportional to q the rising limb never enlarges the last error in mm/d, a smooth form
of the restricted autoregression of Li et al.

References
----------
Ammann, L., Fenicia, F., Reichert, P. (2019). Hydrol. Earth Syst. Sci. 23, 2147-2172.
doi:10.5194/hess-23-2147-2019

Li, M., Wang, Q. J., Bennett, J. C., Robertson, D. E. (2015). Hydrol. Earth Syst. Sci. 19, 1-15.
doi:10.5194/hess-19-1-2015
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Constant

from pymc_hydro.likelihoods.distributions.starts import place_at
from pymc_hydro.likelihoods.errors.autoregression import coefficients, condition
from pymc_hydro.losses.axis import (
    BASIN_INDEX,
    TIME,
    Axis,
    axis_of,
    values_at,
)

__all__ = [
    "MEMORIES",
    "AbstractMemory",
    "Autoregression",
    "FlowMemory",
    "UnscaledAutoregression",
    "as_scalar",
    "find_memory",
    "partial_autocorrelations",
]

MEMORIES = ("constant", "flow")
SMALLEST_FLOW = 1e-3  # mm/d, the c of the clock
# Where searches and chains start.
START_R1 = float(np.exp(-0.02))
START_K0, START_KU, START_KD = 0.05, 0.5, 0.2


@dataclass(frozen=True)
class AbstractMemory:
    """A kind of memory, which is part of a graph's node.

    Parameters
    ----------
    order : int
        How many predecessors an error depends on.
    """

    order: int

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that a likelihood takes."""
        return tuple(f"r{k}" for k in range(1, self.order + 1))

    def place(self, name: str, simulated: Any, given: dict) -> list:
        """Return the variables of the memory, with priors for parameters that are not given.

        Parameters
        ----------
        name : str
            Put before the names of the new random variables.
        simulated : TensorVariable, shape (n_time,), in mm/d
        given : mapping of str to variable, number or None

        Returns
        -------
        list of TensorVariable, shapes () or (n_time,)
        """
        return coefficients(partial_autocorrelations(name, [given[n] for n in self.names]))

    def condition(self, values: list, position: Any, lags: Any) -> tuple[Any, Any]:
        """Return weights of the predecessors and the standard deviation given them.

        Parameters
        ----------
        values : list of TensorVariable
            From :meth:`place`.
        position : TensorVariable, shape (n_observation,)
        lags : TensorVariable, shape (n_observation, 1 or 3)
            As of :func:`pymc_hydro.likelihoods.errors.autoregression.last_observations`.

        Returns
        -------
        tuple of TensorVariable, shapes (n_observation, n_order) and (n_observation,)
        """
        return condition(values, lags)

    def follow(
        self, x: np.ndarray, sigma: np.ndarray, values: list, known: np.ndarray | None = None
    ) -> np.ndarray:
        """Return errors that follow from innovations, one interval after the other.

        Parameters
        ----------
        x : array, shape (n_draw, n_time)
            Innovations of unit variance, of one basin.
        sigma : array, shape (n_draw, n_time)
            Scale of the errors.
        values : list of array, shape (n_draw,) or (n_draw, n_time)
            From :meth:`place`.
        known : array, shape (n_draw, n_time), optional
            Known errors, NaN for the others: an unknown error follows from the errors before it.

        Returns
        -------
        array, shape (n_draw, n_time)
            In the units of `sigma`.
        """
        weights, width = self.recursion(values, x.shape)
        known = None if known is None else known / sigma
        return sigma * _follow(x, weights, width, known)

    def recursion(self, values: list, shape: tuple[int, int]) -> tuple[list, np.ndarray]:
        """Return the weight of each predecessor and the width of innovations, of that shape."""
        raise NotImplementedError


class Autoregression(AbstractMemory):
    """A stationary autoregression of errors in units of their scale, of order 0 to 2."""

    def recursion(self, values, shape):
        """Return coefficients; the first errors have the stationary distribution."""
        phi = [np.broadcast_to(v[:, None], shape).copy() for v in values]
        if not phi:
            return [], np.ones(shape)
        partial = [phi[0] / (1 - phi[1]), phi[1]] if self.order == 2 else phi
        width = np.sqrt(np.prod([1 - r**2 for r in partial], axis=0))
        for t in range(min(self.order, shape[1])):
            width[:, t] = np.sqrt(np.prod([1 - r[:, t] ** 2 for r in partial[:t]], axis=0))
            for k in range(self.order):
                phi[k][:, t] = partial[k][:, t] if k == t - 1 else 0.0
        return phi, width


class UnscaledAutoregression(AbstractMemory):
    """An autoregression of errors before they are divided by their scale: the form of 2010."""

    def follow(self, x, sigma, values, known=None):
        """Return errors whose innovations have the scale; errors before the start are zero."""
        weights = [np.broadcast_to(v[:, None], x.shape) for v in values]
        return _follow(x, weights, sigma, known)


class FlowMemory(AbstractMemory):
    """A memory that fades when simulated flow changes."""

    @property
    def names(self):
        """The rates of the clock."""
        return "k0", "ku", "kd"

    def place(self, name, simulated, given):
        """Return how far the clock goes in each interval: by the calendar, and with flow."""
        axis = axis_of(pm.modelcontext(None), simulated)
        priors = {
            "k0": (START_K0, lambda: pm.LogNormal.dist(np.log(0.02), 1.0)),
            "ku": (START_KU, lambda: pm.LogNormal.dist(0.0, 0.5)),
            "kd": (START_KD, lambda: pm.HalfNormal.dist(0.5)),
        }
        k0, ku, kd = (
            place_at(start, f"{name}_{what}", prior())
            if given[what] is None
            else _rate(name, what, given[what], axis)
            for what, (start, prior) in priors.items()
        )
        log_flow = pt.log(pt.maximum(simulated, 0.0) + SMALLEST_FLOW)
        rise = pt.concatenate([pt.zeros((1,)), log_flow[1:] - log_flow[:-1]])
        return [k0 * axis.interval, ku * pt.maximum(rise, 0.0) + kd * pt.maximum(-rise, 0.0)]

    def condition(self, values, position, lags):
        """Return them from the time that passed on the clock since the predecessor."""
        by_calendar, by_flow = values
        lag = lags[:, 0]
        there = lag > 0
        clock = pt.cumsum(by_flow)
        by_calendar = values_at(by_calendar, position) if by_calendar.ndim else by_calendar
        passed = by_calendar * lag + values_at(clock, position) - values_at(clock, position - lag)
        passed = pt.switch(there, passed, 1.0)  # finite with its gradient where there is none
        weight = pt.switch(there, pt.exp(-passed), 0.0)
        return weight[:, None], pt.switch(there, pt.sqrt(-pt.expm1(-2 * passed)), 1.0)

    def recursion(self, values, shape):
        """Return them from the steps of the clock."""
        by_calendar, by_flow = values
        step = by_calendar.reshape(shape[0], -1) + by_flow
        weight, width = np.exp(-step), np.sqrt(-np.expm1(-2 * step))
        weight[:, :1], width[:, :1] = 0.0, 1.0
        return [weight], width


def find_memory(name: str, memory: str | None, ar: int | None) -> AbstractMemory:
    """Return the memory that two arguments of a likelihood ask for.

    Raises
    ------
    ValueError
        If one is unknown, or one contradicts the other.
    """
    if ar is not None and ar not in (0, 1, 2):
        raise ValueError(f"{name}: ar must be 0, 1 or 2, found {ar!r}")
    if memory is None:
        return Autoregression(ar or 0)
    if memory not in MEMORIES:
        raise ValueError(f"{name}: memory must be one of {', '.join(MEMORIES)}, found {memory!r}")
    known = (1,) if memory == "flow" else (1, 2)
    if ar is not None and ar not in known:
        orders = " or ".join(map(str, known))
        raise ValueError(
            f"{name}: memory={memory!r} is of order {orders}, found ar={ar}; leave ar out"
            + (", or leave memory out for errors without memory" if ar == 0 else "")
        )
    return FlowMemory(1) if memory == "flow" else Autoregression(ar or 1)


def partial_autocorrelations(name: str, given: list) -> list:
    """Return partial autocorrelations, uniform between -1 and 1 where not given."""
    return [
        place_at(START_R1 if k == 1 else 0.0, f"{name}_r{k}", pm.Uniform.dist(-1, 1))
        if r is None
        else as_scalar(name, f"r{k}", r)
        for k, r in enumerate(given, 1)
    ]


def as_scalar(name: str, what: str, value: Any) -> Any:
    """Return a parameter of which there is one, as it is.

    Raises
    ------
    ValueError
        If it is a vector.
    """
    variable = pt.as_tensor_variable(value)
    if variable.ndim:
        raise ValueError(
            f"{name}: {what} must be a scalar, found an array of shape {variable.type.shape}; "
            "one memory a basin has memory='flow', whose k0, ku and kd may be on the dimension "
            "basin"
        )
    return value


def _rate(name: str, what: str, value: Any, axis: Axis) -> Any:
    """Return a rate of the clock: a scalar, or one of each interval from one of each basin."""
    rate = pt.as_tensor_variable(value)
    positive = what == "k0"
    if isinstance(rate, Constant) and not np.all(rate.data > 0 if positive else rate.data >= 0):
        needed = "greater than 0" if positive else "0 or more"
        raise ValueError(f"{name}: {what} must be {needed}, found {value!r}")
    rate = pt.cast(rate, "float64")
    if rate.ndim == 0:
        return rate
    n_basin = len(axis.basins or ())
    if axis.dim is None or not n_basin or rate.type.shape not in ((n_basin,), (None,)):
        raise ValueError(
            f"{name}: {what} has shape {rate.type.shape}; expected a scalar, or one value for each "
            f"basin of the model, which has {n_basin or 1}"
        )
    return rate[pm.modelcontext(None)[axis.dim.removesuffix(TIME) + BASIN_INDEX]]


def _follow(x, weights, width, known):
    """Return e_t, the weighted sum of the errors before it plus width times x_t."""
    e = np.empty_like(x)
    for t in range(x.shape[1]):
        past = sum(w[:, t] * e[:, t - k] for k, w in enumerate(weights, 1) if k <= t)
        e[:, t] = past + width[:, t] * x[:, t]
        if known is not None:
            there = np.isfinite(known[:, t])
            e[there, t] = known[there, t]
    return e
