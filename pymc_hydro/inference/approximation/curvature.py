"""Curvature of a log-probability: Gauss-Newton's part, and differences of the exact gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.pytensorf import join_nonshared_inputs

from pymc_hydro.likelihoods.errors.residuals import Residuals, all_residuals
from pymc_hydro.losses.transforms import variables_of
from pymc_hydro.ops.stepwise import stepwise

try:
    from pytensor.gradient import pushforward
except ImportError:  # PyTensor 2
    from pytensor.gradient import Rop as pushforward

__all__ = [
    "by_differences",
    "by_gauss_newton",
    "compile_curvature",
    "curvature_of_priors",
    "invert",
]

# Standardised errors at which the information of a density is summed up, dense around zero.
ERROR = np.sinh(np.linspace(-12, 12, 8001))
# Steps of differences of the gradient: of unconstrained parameters, whose scale is one, where no
# simulation is involved; where one is, the first of two, and then as a share of the standard
# deviation given the others: the integration's control of its steps leaves the gradient a noise.
OF_PRIORS, FIRST, SHARE = 1e-4, 1e-2, 0.1
SINGULAR = 1e-10  # of a matrix with a diagonal of ones: a curvature that is none


def by_gauss_newton(model: pm.Model) -> dict[str, Residuals]:
    """Return the likelihoods that have a ``J'WJ``, by name.

    They have an error model of this package, with fixed transformation and scalar shapes.
    """
    return {
        name: placed
        for name, placed in all_residuals(model).items()
        if not variables_of(placed.transform)
        and all(pt.as_tensor_variable(shape).ndim == 0 for shape in placed.shapes)
    }


def compile_curvature(
    model: pm.Model, objective: Callable, point: dict
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of the unconstrained vector z: minus the log-probability's curvature.

    It is ``J'WJ`` of the likelihoods of :func:`by_gauss_newton`, and central differences of the
    exact gradient of all else: priors, potentials, other likelihoods. The first part is of the
    variables x in natural units; where their transform bends, it lacks ``-dlogL/dx x''(z)``,
    which is added where it is positive.

    Parameters
    ----------
    model : pm.Model
    objective : callable
        From z to the log-probability and its gradient.
    point : dict
        Values of ``model.value_vars``.

    Returns
    -------
    callable
        From z, shape (n,), to a symmetric matrix, shape (n, n).
    """
    known = by_gauss_newton(model)
    others = [rv for rv in model.observed_RVs if rv.name not in known] + model.potentials
    if not known:
        return lambda z: by_differences(lambda x: objective(x)[1], z, np.zeros((z.size, z.size)))
    rest_gradient = _gradient(model, [*model.free_RVs, *others], point, stepwise=not others)
    bend = _bend(model, point)
    fishers = [_fisher(model, placed, point) for placed in known.values()]

    def curvature(z: np.ndarray) -> np.ndarray:
        total = sum(fisher(z) for fisher in fishers)
        slope = rest_gradient(z) - objective(z)[1]  # minus that of the likelihoods known
        total += np.diag(np.maximum(slope * bend(z), 0))
        if others:
            return by_differences(rest_gradient, z, total)
        return total + _central(rest_gradient, z, np.full(z.size, OF_PRIORS))

    return curvature


def curvature_of_priors(model: pm.Model, z: np.ndarray) -> np.ndarray:
    """Return minus the curvature of the log-prior of an unconstrained vector, shape (n, n)."""
    gradient = _gradient(model, model.free_RVs, model.initial_point(), stepwise=True)
    return _central(gradient, z, np.full(z.size, OF_PRIORS))


def invert(curvature: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the inverse of a curvature, and the direction in which it is not positive.

    Returns
    -------
    tuple of array, shape (n, n), and of array, shape (n,), or None
        Where a direction is not positive, the inverse is that of the absolute values, a matrix
        that a search can use, and no covariance.
    """
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(curvature)), SINGULAR**2))
    values, vectors = np.linalg.eigh(curvature * np.outer(scale, scale))
    usable = np.maximum(np.abs(values), SINGULAR)
    inverse = (vectors / usable) @ vectors.T * np.outer(scale, scale)
    return inverse, None if values[0] > SINGULAR else scale * vectors[:, 0]


def by_differences(gradient: Callable, z: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return a known curvature plus that of a gradient, by steps scaled with the sum of both."""
    rough = known + _central(gradient, z, np.full(z.size, FIRST))
    sd = 1 / np.sqrt(np.maximum(np.abs(np.diag(rough)), 1.0))
    return known + _central(gradient, z, SHARE * sd)


def _central(gradient: Callable, z: np.ndarray, steps: np.ndarray) -> np.ndarray:
    rows = np.array(
        [(gradient(z - step) - gradient(z + step)) / (2 * step.sum()) for step in np.diag(steps)]
    )
    return (rows + rows.T) / 2


def _gradient(model: pm.Model, variables: list, point: dict, stepwise: bool) -> Callable:
    """Return a function of the unconstrained vector: the gradient of some terms' sum."""
    return (_stepwise_gradient if stepwise else _compiled_gradient)(model, variables, point)


def _compiled_gradient(model: pm.Model, variables: list, point: dict) -> Callable:
    [logp], vector = join_nonshared_inputs(point, [model.logp(vars=variables)], model.value_vars)
    return pm.compile([vector], pt.grad(logp, vector))


_stepwise_gradient = stepwise(_compiled_gradient)


@stepwise
def _bend(model: pm.Model, point: dict) -> Callable:
    """Return a function of z: ``x''/x'``, the slope of ``log x'``, of each transform x(z).

    The prior of z has ``log x'`` and that of x has not.
    """
    priors = [model.logp(vars=model.free_RVs, jacobian=j) for j in (True, False)]
    (prior, of_natural), vector = join_nonshared_inputs(point, priors, model.value_vars)
    return pm.compile([vector], pt.grad(prior - of_natural, vector, disconnected_inputs="ignore"))


@stepwise
def _fisher(model: pm.Model, placed: Residuals, point: dict) -> Callable:
    """Return a function of the unconstrained vector: J'WJ of one likelihood."""
    n_shape = len(placed.shapes)
    shapes = [pt.as_tensor_variable(s) for s in placed.shapes]
    outputs = model.replace_rvs_by_values([placed.center, placed.sd, *shapes])
    (center, sd, *shapes), vector = join_nonshared_inputs(point, outputs, model.value_vars)
    direction = pt.dvector("direction")
    # Joined to one vector, in which each output surely depends on the parameters.
    together = pt.concatenate([center, sd, *(pt.atleast_1d(s) for s in shapes)])
    (along,) = _as_list(pushforward(together + 0 * vector.sum(), vector, direction))
    derivative = pm.compile([vector, direction], along)
    values = pm.compile([vector], [sd, *shapes])
    of_density = _density_information(placed.family, n_shape)

    def fisher(z: np.ndarray) -> np.ndarray:
        sd, *shapes = values(z)
        n = sd.size
        columns = np.stack([derivative(z, e) for e in np.eye(z.size)], axis=1)
        blocks = [columns[:n] / sd[:, None], columns[n : 2 * n] / sd[:, None]]
        blocks += [np.broadcast_to(row, (n, z.size)) for row in columns[2 * n :]]
        weights = of_density(*shapes)
        return sum(
            weights[i, j] * blocks[i].T @ blocks[j]
            for i in range(2 + n_shape)
            for j in range(2 + n_shape)
        )

    return fisher


def _density_information(family, n_shape: int) -> Callable:
    """Return a function of the shapes: Fisher information about mean, scale and shapes."""
    mean, sd = pt.dvector("mean"), pt.dvector("sd")
    shapes = [pt.dscalar() for _ in range(n_shape)]
    each = [s * pt.ones_like(mean) for s in shapes]
    logp = pm.logp(family.dist(mean, sd, *each), pt.constant(ERROR))
    scores: Any = pt.grad(logp.sum(), [mean, sd, *each])
    function = pm.compile([mean, sd, *shapes], [logp, *scores])

    def information(*values: np.ndarray) -> np.ndarray:
        logp, *scores = function(np.zeros_like(ERROR), np.ones_like(ERROR), *values)
        weight = np.exp(logp) * np.gradient(ERROR)
        scores = np.where(weight > 0, np.array(scores), 0.0)
        return (scores * weight) @ scores.T

    return information


def _as_list(result):
    return result if isinstance(result, (list, tuple)) else [result]
