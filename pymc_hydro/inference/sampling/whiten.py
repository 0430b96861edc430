"""A twin of a PyMC model whose posterior is nearly round, for any sampler."""

import numpy as np
import pymc as pm
from pytensor.graph.replace import graph_replace

from pymc_hydro.inference.approximation.coordinates import entry_slices
from pymc_hydro.inference.approximation.result import LaplaceApproximation

__all__ = ["WHITENED", "factor_of", "whiten"]

WHITENED = "whitened"
WIDEST = 10.0  # standard deviation where the log-probability has no curvature; the scale is one


def factor_of(approximation: LaplaceApproximation) -> np.ndarray:
    """Return L of the covariance ``L L'``, shape (n, n).

    Where the approximation did not end at a mode, the covariance of a flat direction means
    nothing: no standard deviation is then above `WIDEST`.
    """
    covariance = approximation.covariance.values
    if not approximation.converged:
        precision = np.linalg.inv(covariance) + np.eye(len(covariance)) / WIDEST**2
        covariance = np.linalg.inv(precision)
    return np.linalg.cholesky(covariance)


def whiten(approximation: LaplaceApproximation) -> pm.Model:
    """Return a twin of a model, whose variable is ``z = L^-1 (x - mode)``.

    x is the model's unconstrained vector and ``L L'`` the approximation's covariance. The twin's
    log-probability is the model's (the constant ``log|L|`` is left out); its Deterministics have
    the names and dims of the model's variables. Samplers start around z = 0, the mode, and their
    own jitter, U(-1, 1) each, is about a standard deviation of the posterior.
    """
    model, factor = approximation.model, factor_of(approximation)
    first, slices = model.initial_point(), entry_slices(model)
    shown = {v.name for v in (*model.free_RVs, *model.deterministics)}
    outputs = [v for v in model.unobserved_value_vars if v.name in shown]
    with pm.Model(coords=model.coords, model=None) as twin:  # no part of a model in context
        z = pm.Flat(WHITENED, shape=approximation.mean.size)
        x = approximation.mean + (factor * z).sum(axis=1)
        replaced = {}
        for rv, at in slices.items():
            value = model.rvs_to_values[rv]
            replaced[value] = x[at].reshape(np.shape(first[value.name]))
        graphs = [model.logp(), *(v.copy() for v in outputs)]
        logp, *natural = graph_replace(graphs, replaced, strict=False)
        pm.Potential("log_probability", logp)
        for variable, value in zip(outputs, natural, strict=True):
            pm.Deterministic(variable.name, value, dims=model.named_vars_to_dims.get(variable.name))
    return twin
