"""Predictions of flow: free-running with remembered errors, or one step ahead."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.graph.traversal import ancestors

from pymc_hydro.likelihoods.errors.autoregression import autocorrelation
from pymc_hydro.likelihoods.errors.observations import MODEL_TIME, TIME, basin_labels, basin_slices
from pymc_hydro.likelihoods.errors.residuals import Residuals, residuals_of
from pymc_hydro.losses.transforms import variables_of
from pymc_hydro.ops.stepwise import stepwise

__all__ = ["predict", "residuals"]

UNITS = {"units": "mm/d"}


def predict(
    idata,
    pymc_model: pm.Model | None = None,
    *,
    name: str = "flow",
    free_running: bool = True,
    draws: int = 400,
    seed: int | None = None,
) -> xr.Dataset:
    """Draw flow from the posterior predictive distribution.

    After :func:`pymc_hydro.set_basin` the predictions are those of the new period.

    Parameters
    ----------
    idata : DataTree, InferenceData or Dataset
        Result of ``pm.sample``, or a group with dimensions chain and draw; for a prior predictive
        check, ``pm.sample_prior_predictive(400).prior``.
    pymc_model : pm.Model, optional
        The model in context if not given.
    name : str
        Of the likelihood.
    free_running : bool
        Whether errors follow their autoregression from a stationary start through all intervals,
        without looking at observations: a simulation. Otherwise each observation is predicted from
        those before it: one step ahead, at the observations only; the same distribution as
        ``pm.sample_posterior_predictive``.
    draws : int
        At most this many, evenly spaced in the posterior.
    seed : int, optional

    Returns
    -------
    Dataset
        On (draw, time): ``discharge``, the draws with error, and ``simulated``, those without, in
        mm/d. With several basins one after another, named by the coordinate ``basin`` of ``time``.

    Raises
    ------
    KeyError
        If the model has no such likelihood, or the posterior lacks a variable.
    """
    pymc_model = pm.modelcontext(pymc_model)
    model = residuals_of(pymc_model, name)
    inputs, values = _posterior(idata, pymc_model, [model.sigma, pymc_model[name]], name, draws)
    if not free_running:
        outputs = [model.simulated[model.position], pymc_model[name]]
        simulated, flow = _evaluate(inputs, outputs, values, seed)
        time = np.asarray(pymc_model.coords[name + TIME])
        labels = basin_labels(pymc_model, model.position.get_value())
    else:
        n = model.simulated.shape[0]
        x = model.family.dist(0.0, 1.0, *model.shapes, size=(n,))
        start = autocorrelation(model.phi, 1) if model.phi else pt.constant(0.0)
        of_transform = variables_of(model.transform)
        outputs = [model.simulated, model.mean, model.sigma, x, start, *model.phi]
        outputs += of_transform.values()
        results = _evaluate(inputs, [pt.as_tensor_variable(o) for o in outputs], values, seed)
        simulated, mean, sigma, x, start = results[:5]
        phi = results[5 : 5 + len(model.phi)]
        errors = np.empty_like(x)
        for part in (basin_slices(pymc_model) or {None: slice(None)}).values():
            past = (x[:, part], sigma[:, part], start, phi, model.standardized)
            errors[:, part] = _remembered(*past)
        parameters = dict(zip(of_transform, results[5 + len(phi) :], strict=True))
        flow = _untransformed(model, mean + errors, parameters)
        time = np.asarray(pymc_model.coords[MODEL_TIME])
        labels = basin_labels(pymc_model)
    dims = ("draw", "time")
    variables = {"discharge": (dims, flow, UNITS), "simulated": (dims, simulated, UNITS)}
    return xr.Dataset(variables, coords={"time": time, **labels})


def residuals(
    idata, pymc_model: pm.Model | None = None, *, name: str = "flow", draws: int = 400
) -> xr.Dataset:
    """Return what a likelihood assumes to be independent draws of its density.

    Parameters
    ----------
    idata, pymc_model, name, draws
        As in :func:`predict`.

    Returns
    -------
    Dataset
        On ``time``, posterior means: ``observed``, ``simulated`` and their difference
        ``residual`` in mm/d; ``innovation``, the standardised innovation, in 1, NaN where zero
        flow is censored: what it would be is not known.

    Raises
    ------
    KeyError
        As :func:`predict`.
    """
    pymc_model = pm.modelcontext(pymc_model)
    model = residuals_of(pymc_model, name)
    innovation = (model.flow - model.center) / model.sd
    if model.censored:  # of zero flow is only known that the error was that low
        innovation = pt.switch(model.observed > 0, innovation, np.nan)
    outputs = [model.simulated[model.position], innovation]
    inputs, values = _posterior(idata, pymc_model, outputs, name, draws)
    simulated, innovation = (a.mean(axis=0) for a in _evaluate(inputs, outputs, values, None))
    observed = model.observed.get_value()
    time = np.asarray(pymc_model.coords[name + TIME])
    variables = {
        "observed": ("time", observed, UNITS),
        "simulated": ("time", simulated, UNITS),
        "residual": ("time", observed - simulated, UNITS),
        "innovation": ("time", innovation, {"units": "1"}),
    }
    labels = basin_labels(pymc_model, model.position.get_value())
    return xr.Dataset(variables, coords={"time": time, **labels})


def _posterior(idata, pymc_model, outputs, name, draws):
    """Return the random variables that outputs depend on, and their draws."""
    posterior = getattr(idata, "posterior", idata)
    known = set(ancestors(outputs))
    inputs = [rv for rv in pymc_model.free_RVs if rv in known]
    missing = [rv.name for rv in inputs if rv.name not in posterior]
    if missing:
        raise KeyError(f"{name}: the posterior has no {', '.join(missing)}")
    stacked = [
        posterior[rv.name].stack(sample=("chain", "draw")).transpose("sample", ...).values
        for rv in inputs
    ]
    if not inputs:
        return inputs, [() for _ in range(draws)]
    n = stacked[0].shape[0]
    chosen = np.unique(np.linspace(0, n - 1, min(draws, n)).round().astype(int))
    return inputs, [[values[i] for values in stacked] for i in chosen]


@stepwise
def _evaluate(inputs, outputs, values, seed):
    """Return each output for each draw of the inputs, shape (n_draw, ...)."""
    function = pm.compile(inputs, outputs, random_seed=seed, on_unused_input="ignore")
    results = [[np.array(r) for r in function(*v)] for v in values]
    return [np.stack(column) for column in zip(*results, strict=True)]


def _remembered(x, sigma, start, phi, standardized):
    """Return errors in transformed units from standardised innovations, shape (n_draw, n_time)."""
    if not phi:
        return sigma * x
    n_draw, n_time = x.shape
    e = np.empty((n_draw, n_time))
    if not standardized:  # the form of 2010: zero before the start, scale inside
        for t in range(n_time):
            past = sum(p * e[:, t - k] for k, p in enumerate(phi, 1) if k <= t)
            e[:, t] = past + sigma[:, t] * x[:, t]
        return e
    narrower = 1 - start**2
    e[:, 0] = x[:, 0]
    if n_time > 1:
        e[:, 1] = start * e[:, 0] + np.sqrt(narrower) * x[:, 1]
    width = np.sqrt(narrower * (1 - phi[1] ** 2 if len(phi) > 1 else 1))
    for t in range(2, n_time):
        e[:, t] = sum(p * e[:, t - k] for k, p in enumerate(phi, 1)) + width * x[:, t]
    return sigma * e


@stepwise
def _untransformed(model: Residuals, z, parameters):
    """Return flow from transformed flow, shape (n_draw, n_time)."""
    flow = pt.dmatrix("flow")
    columns = {k: pt.dcol(k) for k in parameters}
    inverse = replace(model.transform, **columns).inverse(flow)
    if model.censored:
        inverse = pt.maximum(inverse, 0.0)
    function = pm.compile([flow, *columns.values()], inverse)
    return function(z, *(p[:, None] for p in parameters.values()))
