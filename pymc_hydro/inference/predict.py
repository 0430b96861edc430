"""Predictions of flow: free-running with remembered errors, or one step ahead."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.graph.replace import graph_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.op import RandomVariable

from pymc_hydro.core.base.warning import renamed_arguments
from pymc_hydro.likelihoods.errors.residuals import Residuals, all_residuals, residuals_of
from pymc_hydro.losses.axis import TIME, UNCOMPILED, Axis, axis_of, check_dims, value_of, values_at
from pymc_hydro.losses.transforms import variables_of
from pymc_hydro.ops.simulation import AbstractSimulation
from pymc_hydro.ops.stepwise import stepwise

__all__ = [
    "Sample",
    "context_of",
    "likelihood_name",
    "predict",
    "residuals",
    "simulated_series",
    "untransformed",
]

UNITS = {"units": "mm/d"}
DEFAULT = "flow"  # the name of a likelihood where none is given


@renamed_arguments(pymc_model="model", seed="random_seed")
def predict(
    idata: Any,
    model: pm.Model | None = None,
    *,
    name: str | None = None,
    free_running: bool = True,
    draws: int = 400,
    random_seed: int | None = None,
) -> xr.Dataset:
    """Draw flow from the posterior predictive distribution.

    After :func:`pymc_hydro.set_basin` the predictions are for the new period, observed or not. A
    variable of the model whose dimension has other labels than in the posterior, such as the
    multipliers of storms that were not seen, is drawn from its prior, given the other variables;
    entries that are independent and have the same label keep their posterior.

    Parameters
    ----------
    idata : DataTree, InferenceData, Dataset or FittedErrors
        Result of ``pm.sample``, or a group with dimensions chain and draw; for a prior predictive
        check, ``pm.sample_prior_predictive(400).prior``; or the result of ``ph.fit_errors``.
    model : pm.Model, optional
        If not given, the model of the result of ``ph.fit_errors``, or else the model in context.
    name : str, optional
        Of the likelihood; not needed where the model has one, or one that is called ``flow``.
    free_running : bool
        Whether errors follow their autoregression from a stationary start through all intervals,
        without looking at observations: a simulation. Otherwise each observation is predicted from
        the observations before it: one step ahead, at the observations only; the same distribution
        as ``pm.sample_posterior_predictive``. A likelihood that is plain PyMC has no memory that
        this function knows: its draws are the same either way.
    draws : int
        At most this many, evenly spaced in each chain of the posterior.
    random_seed : int, optional

    Returns
    -------
    Dataset
        On (chain, draw, time): ``discharge``, the draws with error, and ``simulated``, the draws
        without, in mm/d. With several basins one after another, named by the coordinate ``basin``
        of ``time``.

    Raises
    ------
    KeyError
        If the model has no such likelihood, or the posterior lacks a variable.
    ValueError
        If the likelihood has no predictive draws, such as Whittle's.
    """
    model = context_of(idata, model)
    name = likelihood_name(model, name)
    placed = all_residuals(model.root).get(name)
    if placed is None:
        return _predict_plain(idata, model.root, name, draws, random_seed)
    axis = axis_of(model.root, placed.simulated)
    flow = model.root[name]
    sample = Sample.of(idata, model.root, [placed.sigma, flow], name, draws)
    if not free_running:
        _check_observed(name, placed)
        position = value_of(placed.position.owner.inputs[1])
        outputs = [values_at(placed.simulated, placed.position), flow]
        simulated, drawn = sample.evaluate(outputs, random_seed)
        return sample.dataset(axis, {"discharge": drawn, "simulated": simulated}, position)
    n = placed.simulated.shape[0]
    x = placed.family.dist(0.0, 1.0, *placed.shapes, size=(n,))
    of_transform = variables_of(placed.transform)
    outputs = [placed.simulated, placed.mean, placed.sigma, x, *placed.memory_values]
    outputs += of_transform.values()
    results = sample.evaluate([pt.as_tensor_variable(o) for o in outputs], random_seed)
    (simulated, mean, sigma, x), results = results[:4], results[4:]
    remembered, results = results[: len(placed.memory_values)], results[len(placed.memory_values) :]
    errors = np.empty_like(x)
    for part in (axis.basins or {None: slice(None)}).values():
        of_part = [v if v.ndim == 1 else v[:, part] for v in remembered]
        errors[:, part] = placed.memory.follow(x[:, part], sigma[:, part], of_part)
    parameters = dict(zip(of_transform, results, strict=True))
    drawn = untransformed(placed, mean + errors, parameters)
    return sample.dataset(axis, {"discharge": drawn, "simulated": simulated})


@renamed_arguments(pymc_model="model")
def residuals(
    idata: Any, model: pm.Model | None = None, *, name: str | None = None, draws: int = 400
) -> xr.Dataset:
    """Return the residuals, which a likelihood assumes to be independent draws of its density.

    Parameters
    ----------
    idata, model, name, draws
        As in :func:`predict`.

    Returns
    -------
    Dataset
        On ``time``, posterior means: ``observed``, ``simulated`` and their difference
        ``residual`` in mm/d; ``innovation``, the standardised innovation, in 1, NaN where zero
        flow is censored: its value is not known.

    Raises
    ------
    KeyError
        As :func:`predict`, or if the likelihood has no error model.
    """
    model = context_of(idata, model)
    name = likelihood_name(model, name)
    placed = residuals_of(model.root, name)
    _check_observed(name, placed)
    innovation = (placed.flow - placed.center) / placed.sd
    if placed.censored:  # zero flow tells no more than that the error was at most so high
        innovation = pt.switch(placed.observed > 0, innovation, np.nan)
    outputs = [values_at(placed.simulated, placed.position), innovation]
    sample = Sample.of(idata, model.root, outputs, name, draws)
    simulated, innovation = (a.mean(axis=0) for a in sample.evaluate(outputs, None))
    observed = value_of(placed.observed)
    position = value_of(placed.position.owner.inputs[1])
    variables = {
        "observed": (TIME, observed, UNITS),
        "simulated": (TIME, simulated, UNITS),
        "residual": (TIME, observed - simulated, UNITS),
        "innovation": (TIME, innovation, {"units": "1"}),
    }
    axis = axis_of(model.root, placed.simulated)
    return xr.Dataset(variables, coords=_time(axis, observed.size, position))


def _check_observed(name, placed: Residuals) -> None:
    if not value_of(placed.observed).size:
        raise ValueError(
            f"{name}: the model has no observations in this period, after set_basin with a record "
            "without any; only ph.predict with free_running=True needs none"
        )


def context_of(idata, model) -> pm.Model:
    """Return the model that draws belong to: the one given, their own, or the one in context."""
    own = getattr(idata, "model", None)
    return pm.modelcontext(own if model is None and isinstance(own, pm.Model) else model)


def likelihood_name(model, name) -> str:
    """Return the whole name of a likelihood of a model or of its sub-models."""
    root = model.root
    known = [rv.name for rv in root.observed_RVs]
    if name is None:
        own = [n for n in known if n.startswith(model.name_for("x").removesuffix("x"))]
        preferred = model.name_for(DEFAULT)
        if preferred in own:
            return preferred
        if len(own) == 1:
            return own[0]
        name = DEFAULT
    for whole in (name, model.name_for(name)):
        if whole in known:
            return whole
    if name in [v.name for v in root.potentials]:
        raise ValueError(
            f"{name!r} is a potential: it weighs parameters, and is no distribution to draw flow "
            "from; predict the simulated flow by pm.Deterministic, or place a likelihood"
        )
    raise KeyError(
        f"{name!r} is no likelihood of this model; known are {', '.join(known) or 'none'}; "
        "choose one by name="
    )


def _predict_plain(idata, model, name, draws, random_seed):
    """Return draws of a likelihood that is plain PyMC, and of the simulation below it."""
    flow = model[name]
    simulated = simulated_series(flow)
    axis = axis_of(model, flow)
    check_dims(model, name, axis)
    sample = Sample.of(idata, model, [flow], name, draws)
    outputs = [flow] if simulated is None else [flow, simulated]
    drawn, *others = sample.evaluate(outputs, random_seed)
    n_time = None if axis.dates is None else axis.dates.size
    if drawn.shape[1:] != (n_time or drawn.shape[-1],):
        raise ValueError(
            f"{name}: its draws have shape {drawn.shape[1:]}, but the simulation has {n_time} "
            "intervals; ph.predict needs one value an interval: place the likelihood by "
            "ph.likelihoods.observe, or use pm.sample_posterior_predictive"
        )
    variables = {"discharge": drawn}
    if others and others[0].shape == drawn.shape:
        variables["simulated"] = others[0]
    return sample.dataset(axis, variables)


def simulated_series(flow):
    """Return the only simulated series, after its warm-up, that a variable depends on, or None."""
    nodes = [
        v.owner
        for v in ancestors(flow.owner.inputs)
        if v.owner is not None and isinstance(v.owner.op, AbstractSimulation)
    ]
    series = [
        v
        for v in ancestors(flow.owner.inputs)
        if v.name is not None and v.owner is not None and v.ndim == 1 and _is_series(v, nodes)
    ]
    return series[0] if len(series) == 1 else None


def _is_series(variable, nodes) -> bool:
    """Return whether a variable is nothing but one output of a simulation, after the warm-up."""
    names = {output for node in nodes for output in node.op.problem.outputs}
    return variable.name.rpartition("::")[2].endswith(tuple(names)) and any(
        node.outputs[0] in ancestors([variable], blockers=node.inputs) for node in nodes
    )


@dataclass(frozen=True)
class Sample:
    """Draws of the random variables that a prediction depends on.

    Attributes
    ----------
    inputs : list of TensorVariable
    values : list of list of array
        By draw, then by input.
    coords : dict
        Of ``chain`` and ``draw``.
    partly : dict of TensorVariable to TensorVariable
        By variable that has labels which are not in the posterior: the variable that is drawn from
        the prior there, and given elsewhere.
    """

    inputs: list
    values: list
    coords: dict
    partly: dict = field(default_factory=dict)

    @classmethod
    def of(cls, idata, model, outputs, name, draws) -> "Sample":
        """Return draws evenly spaced in each chain, at most `draws` in all."""
        posterior = getattr(idata, "posterior", idata)
        known = set(ancestors(outputs))
        inputs = [rv for rv in model.free_RVs if rv in known and not _is_new(model, posterior, rv)]
        # A parameter that was observed (``pm.observe``) stays at its value, and is not drawn anew.
        fixed = {
            rv: model.rvs_to_values[rv].eval(mode=UNCOMPILED)
            for rv in model.observed_RVs
            if rv in known and rv.name != name
        }
        missing = [rv.name for rv in inputs if rv.name not in posterior]
        if missing:
            raise KeyError(f"{name}: the posterior has no {', '.join(missing)}")
        if not inputs:
            coords = {"chain": [0], "draw": np.arange(draws)}
            return cls(list(fixed), [list(fixed.values())] * draws, coords)
        first = posterior[inputs[0].name]
        n_chain, n_draw = first.sizes["chain"], first.sizes["draw"]
        n = min(max(draws // n_chain, 1), n_draw)
        chosen = np.unique(np.linspace(0, n_draw - 1, n).round().astype(int))
        cut = [
            posterior[rv.name].isel(draw=chosen).transpose("chain", "draw", ...).values
            for rv in inputs
        ]
        partly = {}
        for rv in model.free_RVs:
            places, seen = _seen(model, posterior, rv) if rv in known else ((), ())
            if len(seen):
                drawn = rv.owner.op.make_node(*rv.owner.inputs).outputs[rv.owner.outputs.index(rv)]
                inputs.append(pt.dvector(f"{rv.name} of the posterior"))
                partly[rv] = pt.set_subtensor(drawn[places], inputs[-1])
                cut.append(posterior[rv.name].isel(draw=chosen)[..., seen].values)
        flat = [v.reshape(n_chain * chosen.size, *v.shape[2:]) for v in cut]
        of_fixed = list(fixed.values())
        values = [[*(v[i] for v in flat), *of_fixed] for i in range(n_chain * chosen.size)]
        coords = {"chain": first["chain"].values, "draw": first["draw"].values[chosen]}
        return cls([*inputs, *fixed], values, coords, partly)

    def evaluate(self, outputs, random_seed) -> list:
        """Return each output for each draw of the inputs, shape (n_sample, ...)."""
        if self.partly:
            outputs = graph_replace(outputs, self.partly, strict=False)
        return _evaluate(self.inputs, outputs, self.values, random_seed)

    def dataset(self, axis: Axis, variables, position=slice(None)) -> xr.Dataset:
        """Return arrays of shape (n_sample, n_time) on (chain, draw, time)."""
        dims = ("chain", "draw", TIME)
        shape = tuple(len(c) for c in self.coords.values())
        n_time = next(iter(variables.values())).shape[1]
        labelled = {k: (dims, v.reshape(*shape, n_time), UNITS) for k, v in variables.items()}
        return xr.Dataset(labelled, coords=self.coords | _time(axis, n_time, position))


def _is_new(model, posterior, rv) -> bool:
    """Return whether a dimension of a variable has other labels than in the posterior."""
    if rv.name not in posterior:
        return False
    for dim in model.named_vars_to_dims.get(rv.name) or ():
        labels = model.coords.get(dim)
        if labels is not None and dim in posterior[rv.name].coords:
            known = posterior[rv.name].coords[dim].values
            if len(known) != len(labels) or not pd.Index(known).equals(pd.Index(labels)):
                return True
    return False


def _seen(model, posterior, rv) -> tuple[Any, Any]:
    """Return where a variable has labels that are in the posterior too, and their places there.

    Empty unless its entries are independent, on one dimension of which some labels are new.
    """
    dims = tuple(model.named_vars_to_dims.get(rv.name) or ())
    independent = isinstance(rv.owner.op, RandomVariable) and rv.owner.op.ndim_supp == 0
    if not (len(dims) == 1 and independent and _is_new(model, posterior, rv)):
        return (), ()
    places = pd.Index(posterior[rv.name].coords[dims[0]].values).get_indexer(
        pd.Index(model.coords[dims[0]])
    )
    return np.flatnonzero(places >= 0), places[places >= 0]


def _time(axis: Axis, n_time, position) -> dict:
    """Return the coordinates of the time dimension."""
    if axis.dates is None:
        return {TIME: np.arange(n_time)}
    return {TIME: axis.dates[position], **axis.labels(position)}


@stepwise
def _evaluate(inputs, outputs, values, seed):
    """Return each output for each draw of the inputs, shape (n_draw, ...)."""
    function = pm.compile(inputs, outputs, random_seed=seed, on_unused_input="ignore")
    results = [[np.array(r) for r in function(*v)] for v in values]
    return [np.stack(column) for column in zip(*results, strict=True)]


@stepwise
def untransformed(model: Residuals, z, parameters):
    """Return flow from transformed flow, shape (n_draw, n_time)."""
    flow = pt.dmatrix("flow")
    columns = {k: pt.dcol(k) for k in parameters}
    inverse = replace(model.transform, **columns).inverse(flow)
    if model.censored:
        inverse = pt.maximum(inverse, 0.0)
    function = pm.compile([flow, *columns.values()], inverse)
    return function(z, *(p[:, None] for p in parameters.values()))
