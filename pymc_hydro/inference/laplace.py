"""Gauss-Newton approximation of a posterior at its mode, from the exact Jacobian."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.initial_point import make_initial_point_fn
from pymc.pytensorf import join_nonshared_inputs
from pymc.step_methods.hmc.quadpotential import QuadPotentialFullAdapt

from pymc_hydro.likelihoods.errors.residuals import Residuals, all_residuals, residuals_of
from pymc_hydro.losses.transforms import variables_of
from pymc_hydro.ops.stepwise import stepwise

try:
    from pytensor.gradient import pushforward
except ImportError:  # PyTensor 2
    from pytensor.gradient import Rop as pushforward

__all__ = ["LaplaceApproximation", "inside_bounds", "laplace"]

MAX_STEPS, SMALLEST = 30, 1e-6  # of the search, and the smallest share of a step
# Newton decrements, in units of log-probability: where the search ends, and what counts as a mode,
# a hundredth of a standard deviation from it. At the default tolerance of the integration the
# log-probability has jumps of 1e-5, over which no search gets.
FOUND, CONVERGED = 1e-6, 1e-4
# Standardised errors at which the information of a density is summed up, dense around zero.
ERROR = np.sinh(np.linspace(-12, 12, 8001))
# Of the metric's adaptation: draws that the approximation counts for; those of the first window,
# after which only draws count (the next one is twice as long).
FIRST_WEIGHT, FIRST_WINDOW = 10, 50
START_MARGIN = 0.01  # of the width of the bounds, between a start and a bound
DIFFERENCE = 1e-4  # of unconstrained parameters, whose scale is one, for the prior's curvature


@dataclass(frozen=True)
class LaplaceApproximation:
    """A normal distribution of the unconstrained parameters.

    Attributes
    ----------
    mode : dict of str to float
        Parameters in natural units at the mode of the unconstrained density, which is not that of
        the density in natural units (``pm.find_MAP``).
    mean : array, shape (n,)
        The same, unconstrained.
    covariance : DataArray, shape (n, n)
        Inverse of ``J'WJ`` plus the curvature of the priors and of the transforms, unconstrained.
    converged : bool
        Whether the search ended at a mode.
    model : pm.Model
    logp_dlogp : callable
        The log-probability and its gradient, compiled; NUTS takes it over.
    """

    mode: dict
    mean: np.ndarray
    covariance: xr.DataArray
    converged: bool
    model: pm.Model
    logp_dlogp: Callable = field(repr=False, compare=False)

    def sample(self, draws: int = 1000, seed: int | None = None) -> xr.Dataset:
        """Draw parameters in natural units.

        Returns
        -------
        Dataset
            On (chain, draw), for ``ph.predict`` and ArviZ.
        """
        rng = np.random.default_rng(seed)
        z = rng.multivariate_normal(self.mean, self.covariance.values, draws)
        values = _natural(self.model)
        columns = list(zip(*(values(row) for row in z), strict=True))
        names = [v.name for v in self.model.unobserved_value_vars]
        kept = {n: c for n, c in zip(names, columns, strict=True) if not n.endswith("__")}
        return xr.Dataset({n: (("chain", "draw"), [np.array(c)]) for n, c in kept.items()})

    def nuts(self, chains: int = 4, seed: int | None = None, **options) -> dict:
        """Return arguments for ``pm.sample``: PyMC's NUTS with this covariance as first metric.

        The chains start at draws of the approximation, and tuning adapts the whole matrix, so that
        a few hundred steps of it suffice.

        Parameters
        ----------
        chains : int
        seed : int, optional
            For the starts.
        **options
            As of ``pm.NUTS``.

        Returns
        -------
        dict
            ``step``, ``initvals`` and ``chains``.

        Examples
        --------
        >>> import pymc as pm, pymc_hydro as ph
        >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
        >>> with ph.build_model(model, basin) as pymc_model:  # doctest: +SKIP
        ...     idata = pm.sample(tune=200, **ph.laplace().nuts())
        """
        starts = self.sample(chains, seed)
        free = [rv.name for rv in self.model.free_RVs]
        with self.model:
            options = {"logp_dlogp_func": self.logp_dlogp, **options}
            step = pm.NUTS(potential=self._metric(), **options)
        initvals = [{n: float(starts[n][0, i]) for n in free} for i in range(chains)]
        return {"step": step, "initvals": initvals, "chains": chains}

    def _metric(self):
        """Return a dense metric that begins with the covariance and is adapted while tuning."""
        with warnings.catch_warnings():  # that it is experimental
            warnings.simplefilter("ignore", UserWarning)
            return QuadPotentialFullAdapt(
                self.mean.size,
                self.mean,
                self.covariance.values,
                FIRST_WEIGHT,
                adaptation_window=FIRST_WINDOW,
            )


def laplace(
    pymc_model: pm.Model | None = None,
    *,
    start: dict | None = None,
    starts: int = 8,
    seed: int | None = None,
) -> LaplaceApproximation:
    """Approximate the posterior by a normal distribution at its mode.

    With the mean and the standard deviation of each observation, and the shapes of the error
    density, as functions of the unconstrained parameters, J their Jacobian (exact, from the
    sensitivities) and W the Fisher information of the density, the precision is ``J'WJ`` plus the
    curvature of the priors, and that of the transforms where they bend the slope of the
    log-likelihood: without it parameters at a bound would seem to be free. The mode is found by
    steps of Fisher scoring with the same matrix.

    Parameters
    ----------
    pymc_model : pm.Model, optional
        The model in context if not given; its variables are scalars.
    start : mapping of str to float, optional
        Where a single search starts, in natural units; the model's initial point for what is
        missing.
    starts : int
        Without `start`: how many searches, from the initial point and from random points around
        it, of which the highest mode is taken. Error models with memory often have several modes.
    seed : int, optional
        Of the random points.

    Returns
    -------
    LaplaceApproximation

    Raises
    ------
    KeyError
        If the model has no likelihood with an error model, or a start is given for an unknown
        variable.
    ValueError
        If the model has an observed variable or a potential without an error model (such as
        Whittle's likelihood), which has no ``J'WJ``, or parameters of a transformation that are
        random; if the log-probability at the start is not finite.
    """
    from scipy.optimize import minimize  # here: half a second that an import need not take

    pymc_model = pm.modelcontext(pymc_model)
    likelihoods = _error_models(pymc_model)
    _check_names(start or {}, pymc_model)
    by_name = {rv.name: rv for rv in pymc_model.free_RVs}
    overrides = {by_name[k]: v for k, v in (start or {}).items()}
    first = make_initial_point_fn(model=pymc_model, overrides=overrides)(0)
    names = [v.name for v in pymc_model.value_vars]
    z = np.hstack([np.ravel(first[n]) for n in names])
    if z.size != len(names):
        raise ValueError("laplace: the model has a variable that is no scalar")
    objective = _raveled(pymc_model)
    information = _information(pymc_model, likelihoods, first)
    if not np.isfinite(objective(z)[0]):
        raise ValueError("laplace: the log-probability at the start is not finite; give start=")

    def negative(z):
        value, gradient = objective(z)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return np.inf, np.zeros_like(z)
        return -value, -gradient

    around = np.random.default_rng(seed).normal(z, size=(0 if start else starts - 1, z.size))
    found = [
        minimize(negative, point, jac=True, method="BFGS", options={"maxiter": 200})
        for point in (z, *around)
    ]
    z = min(found, key=lambda result: result.fun).x
    converged = False
    for _ in range(MAX_STEPS):
        value, gradient = objective(z)
        covariance = np.linalg.inv(information(z, gradient))
        step = covariance @ gradient
        decrement = abs(gradient @ step)
        converged = decrement < CONVERGED
        if decrement < FOUND:
            break
        share = 1.0
        while share > SMALLEST and not objective(z + share * step)[0] > value:
            share /= 2
        if share <= SMALLEST:
            break
        z = z + share * step
    covariance = np.linalg.inv(information(z, objective(z)[1]))
    natural = dict(
        zip(
            [v.name for v in pymc_model.unobserved_value_vars], _natural(pymc_model)(z), strict=True
        )
    )
    labels = [rv.name for rv in pymc_model.free_RVs]
    dims = ("parameter", "parameter_2")
    return LaplaceApproximation(
        mode={n: float(natural[n]) for n in by_name},
        mean=z,
        covariance=xr.DataArray(covariance, dims=dims, coords=dict.fromkeys(dims, labels)),
        converged=bool(converged),
        model=pymc_model,
        logp_dlogp=objective,
    )


def _error_models(pymc_model) -> list[Residuals]:
    """Return the error model of each likelihood; of all there must be one."""
    names = [rv.name for rv in pymc_model.observed_RVs]
    if not names:
        residuals_of(pymc_model, "flow")  # says that there is none
    known = all_residuals(pymc_model)
    others = [n for n in names if n not in known] + [v.name for v in pymc_model.potentials]
    if others:
        raise ValueError(
            f"laplace: {', '.join(others)} has no error model, and so no J'WJ; the approximation "
            "would leave out what it says"
        )
    random = [n for n, placed in known.items() if variables_of(placed.transform)]
    if random:
        raise ValueError(f"laplace: the transformation of {', '.join(random)} must be fixed")
    return list(known.values())


def _check_names(start, pymc_model):
    known = [rv.name for rv in pymc_model.free_RVs]
    unknown = sorted(set(start) - set(known))
    if unknown:
        raise KeyError(f"laplace: unknown {unknown} in start; known are {', '.join(known)}")


def _raveled(pymc_model):
    """Return a function of the unconstrained vector: log-probability and gradient."""
    function = pymc_model.logp_dlogp_function(ravel_inputs=True)
    function.set_extra_values({})
    return function


@stepwise
def _natural(pymc_model):
    """Return a function of the unconstrained vector: all variables in natural units."""
    outputs = pymc_model.unobserved_value_vars
    point = pymc_model.initial_point()
    outputs, vector = join_nonshared_inputs(point, outputs, pymc_model.value_vars)
    return pm.compile([vector], outputs)


@stepwise
def _information(pymc_model, likelihoods, point):
    """Return a function of the unconstrained vector z and the log-probability's gradient.

    It is J'WJ of all likelihoods plus the curvature of the prior, plus that of the transform x(z)
    of each parameter, ``-dlogL/dx x''(z)``, where it is positive; ``x''/x'`` is the slope of
    ``log x'``, which the prior of z has and that of x has not.
    """
    priors = [pymc_model.logp(vars=pymc_model.free_RVs, jacobian=j) for j in (True, False)]
    (prior, of_natural), vector = join_nonshared_inputs(point, priors, pymc_model.value_vars)
    prior_gradient = pm.compile([vector], pt.grad(prior, vector))
    bend = pm.compile([vector], pt.grad(prior - of_natural, vector, disconnected_inputs="ignore"))
    of_likelihoods = [_fisher(pymc_model, placed, point) for placed in likelihoods]

    def information(z, gradient):
        differences = [
            prior_gradient(z + DIFFERENCE * e) - prior_gradient(z - DIFFERENCE * e)
            for e in np.eye(z.size)
        ]
        curvature = -np.array(differences) / (2 * DIFFERENCE)
        of_transforms = np.maximum((prior_gradient(z) - gradient) * bend(z), 0)
        total = sum(fisher(z) for fisher in of_likelihoods)
        return total + (curvature + curvature.T) / 2 + np.diag(of_transforms)

    return information


def _fisher(pymc_model, placed, point):
    """Return a function of the unconstrained vector: J'WJ of one likelihood."""
    n_shape = len(placed.shapes)
    shapes = [pt.as_tensor_variable(s) for s in placed.shapes]
    outputs = pymc_model.replace_rvs_by_values([placed.center, placed.sd, *shapes])
    (center, sd, *shapes), vector = join_nonshared_inputs(point, outputs, pymc_model.value_vars)
    direction = pt.dvector("direction")
    # Joined to one vector, in which each output surely depends on the parameters.
    together = pt.concatenate([center, sd, *(pt.atleast_1d(s) for s in shapes)])
    (along,) = _as_list(pushforward(together + 0 * vector.sum(), vector, direction))
    derivative = pm.compile([vector, direction], along)
    values = pm.compile([vector], [sd, *shapes])
    of_density = _density_information(placed.family, n_shape)

    def fisher(z):
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


def _density_information(family, n_shape):
    """Return a function of the shapes: Fisher information about mean, scale and shapes."""
    mean, sd = pt.dvector("mean"), pt.dvector("sd")
    shapes = [pt.dscalar() for _ in range(n_shape)]
    each = [s * pt.ones_like(mean) for s in shapes]
    logp = pm.logp(family.dist(mean, sd, *each), pt.constant(ERROR))
    scores = pt.grad(logp.sum(), [mean, sd, *each])
    function = pm.compile([mean, sd, *shapes], [logp, *scores])

    def information(*values):
        logp, *scores = function(np.zeros_like(ERROR), np.ones_like(ERROR), *values)
        weight = np.exp(logp) * np.gradient(ERROR)
        scores = np.where(weight > 0, np.array(scores), 0.0)
        return (scores * weight) @ scores.T

    return information


def _as_list(result):
    return result if isinstance(result, (list, tuple)) else [result]


def inside_bounds(model, theta) -> dict[str, float]:
    """Move parameters off their bounds, where an unconstrained search cannot start."""
    margin = START_MARGIN * (model.upper - model.lower)
    vector = np.clip(model.parameter_vector(theta), model.lower + margin, model.upper - margin)
    start = dict(zip(model.parameter_names, vector.tolist(), strict=True))
    for small, large in model.ordered:
        low = dict(zip(model.parameter_names, model.lower, strict=True))[small]
        start[small] = min(start[small], low + (1 - START_MARGIN) * (start[large] - low))
    return start
