"""The errors of a forecast as a function of simulated flow."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.replace import clone_replace, graph_replace
from pytensor.graph.traversal import ancestors

from pymc_hydro.inference.predict import Sample, untransformed
from pymc_hydro.likelihoods.errors.residuals import Residuals
from pymc_hydro.losses.axis import Axis, value_of
from pymc_hydro.losses.transforms import variables_of
from pymc_hydro.ops.stepwise import stepwise

__all__ = ["ForecastErrors"]


@dataclass(frozen=True)
class ForecastErrors:
    """The errors of a likelihood as a function of simulated flow.

    Attributes
    ----------
    placed : Residuals
    sample : Sample
    flow, seen : TensorVariable, shape (n,)
        Simulated flow; observations, NaN where there are none.
    outputs : list of TensorVariable
        Simulated flow that is compared, mean, scale, innovations, known errors, the values of
        the memory, and the parameters of the transformation.
    usable, observed : array, shape (n_time,)
        Observations that tell the error, and all observations; NaN where there are none.
    """

    placed: Residuals
    sample: Sample
    flow: Any
    seen: Any
    outputs: list
    usable: np.ndarray
    observed: np.ndarray

    @classmethod
    def of(cls, model, placed: Residuals, axis: Axis, series, sample: Sample) -> "ForecastErrors":
        """Return the errors of a likelihood, given draws of the posterior."""
        flow, seen = pt.dvector("simulated_flow"), pt.dvector("observed_flow")
        error = placed.transform.forward(pt.switch(pt.isnan(seen), 1.0, seen))
        innovations = placed.family.dist(0.0, 1.0, *placed.shapes, size=(flow.shape[0],))
        of_transform = variables_of(placed.transform)
        outputs = [placed.simulated, placed.mean, placed.sigma, innovations, error]
        outputs += [*placed.memory_values, *of_transform.values()]
        outputs = [pt.as_tensor_variable(o).copy() for o in outputs]
        # Nodes are made anew: a series of constants has its length as part of its type.
        outputs = graph_replace(outputs, sample.partly, strict=False)
        inputs = [v.type() for v in sample.inputs]
        known = dict(zip(sample.inputs, inputs, strict=True))
        outputs = clone_replace(outputs, {**known, series: flow}, rebuild_strict=False)
        sample = replace(sample, inputs=inputs, partly={})
        tied = [
            str(v.name)
            for v in ancestors(outputs)
            if v.owner is None and axis.dim in (model.named_vars_to_dims.get(v.name) or ())
        ]
        if tied:
            raise ValueError(
                f"forecast: the errors depend on {', '.join(tied)}, which has values of the "
                "intervals of the record alone; use scale='linear' or 'constant'"
            )
        everything = np.full(axis.known_dates.size, np.nan)
        data = value_of(placed.observed)
        everything[value_of(placed.position.owner.inputs[1])] = data
        usable = np.where(everything > 0, everything, np.nan) if placed.censored else everything
        return cls(placed, sample, flow, seen, outputs, usable, everything)

    def draw(self, q: np.ndarray, observed: np.ndarray, random_seed: int | None) -> np.ndarray:
        """Return simulated flow and draws of flow.

        Parameters
        ----------
        q : array, shape (n_draw, n_origin, n_member, n_time)
        observed : array, shape (n_origin, n_known)
            Of the first intervals.

        Returns
        -------
        array, shape (2, n_draw, n_origin, n_member, n_time)
        """
        n_draw, n_time = q.shape[0], q.shape[-1]
        seen = np.full((*q.shape[1:3], n_time), np.nan)
        seen[:, :, : observed.shape[1]] = observed[:, None]
        values = [
            [*inputs, flow, seen.ravel()]
            for inputs, flow in zip(self.sample.values, q.reshape(n_draw, -1), strict=True)
        ]
        sample = Sample([*self.sample.inputs, self.flow, self.seen], values, {})
        results = sample.evaluate(self.outputs, random_seed)
        simulated, mean, sigma, x, transformed = results[:5]
        n_memory = len(self.placed.memory_values)
        known = np.where(np.isnan(seen.ravel()), np.nan, transformed - mean)
        memory = [
            v.reshape(-1, n_time) if v.ndim == 2 else np.repeat(v, seen.size // n_time)
            for v in results[5 : 5 + n_memory]
        ]
        x, sigma, known = (a.reshape(-1, n_time) for a in (x, sigma, known))
        errors = self.placed.memory.follow(x, sigma, memory, known).reshape(n_draw, -1)
        names = variables_of(self.placed.transform)
        parameters = dict(zip(names, results[5 + n_memory :], strict=True))
        drawn = untransformed(self.placed, mean + errors, parameters)
        return np.stack([simulated.reshape(q.shape), drawn.reshape(q.shape)])

    @stepwise
    def compile_known(self) -> Callable:
        """Return a function of simulated and observed flow, for a least squares of the errors.

        It takes arrays of shapes (n_draw, n_origin, n) and (n_origin, n), and returns the errors
        of transformed flow (NaN where nothing is observed), the derivative of the transformed
        simulated flow, the scale of the errors, and the values of the memory.
        """
        _, mean, sigma, _, error, *others = self.outputs
        memory = others[: len(self.placed.memory_values)]
        outputs = [error - mean, pt.grad(mean.sum(), self.flow), sigma, *memory]
        inputs = [*self.sample.inputs, self.flow, self.seen]
        function = pm.compile(inputs, outputs, on_unused_input="ignore")

        def known(q: np.ndarray, observed: np.ndarray) -> tuple:
            seen = observed.ravel()
            rows = [
                function(*inputs, flow.ravel(), seen)
                for inputs, flow in zip(self.sample.values, q, strict=True)
            ]
            error, slope, sigma, *memory = (np.stack(v) for v in zip(*rows, strict=True))
            error = np.where(np.isnan(seen), np.nan, error)
            arrays = (a.reshape(q.shape) for a in (error, slope, sigma))
            of_memory = [
                m.reshape(-1, q.shape[-1]) if m.ndim == 2 else np.repeat(m, q.shape[1])
                for m in memory
            ]
            return *arrays, of_memory

        return known
