"""Parameters with a value for each block of a record, such as each year, in a calibration.

The model that is searched has a parameter for each block, ``K_f_0``, ``K_f_1`` ...; the model that
is integrated reads one series, like forcing. The columns of constant parameters are the exact ones.
The column of a block is the central difference of two runs that take the steps of the run itself.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.core.base.dims import PARAMETER, TIME
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.problem import MOVED, Problem, Run
from pymc_hydro.engine.simulate import forcing_array, initial_array, simulate

__all__ = ["Blocked", "BlockedProblem", "define_blocks"]


@dataclass(frozen=True)
class BlockedProblem(Problem):
    """A problem of which some parameters have a value for each block.

    Attributes
    ----------
    varied : Problem
        That of the model which reads these parameters like forcing.
    index : array of int, shape (n_time, n_varying)
        Position among all parameters of the value of each interval.
    """

    varied: Any = None
    index: Any = field(default=None, compare=False)

    def with_tolerances(self, **tolerances: Any) -> "BlockedProblem":
        """Return the same problem with another `rtol` or `atol`."""
        return replace(self, **tolerances, varied=replace(self.varied, **tolerances))

    def run(
        self, theta, forcing, x0, *, sensitivities=False, initial=False, outputs_into=None
    ) -> Run:
        """Integrate as :meth:`Problem.run` does, and twice more for each column of a block.

        The result is in arrays of its own; ``outputs_into`` is not written.
        """
        n = len(self.varied.model.parameters)
        arrays = theta[:n], np.column_stack([forcing, theta[self.index]]), x0
        run = self.varied.run(*arrays, sensitivities=sensitivities)
        if not sensitivities:
            return run
        jacobian = np.full((*run.values.shape, theta.size), np.nan)
        jacobian[..., :n] = run.jacobian
        taped, tape = self.varied.taped_run(*arrays)
        if not (run.status or taped.status):
            for i in (i for i in self.columns if i >= n):
                jacobian[..., i] = self._column(i, theta, forcing, x0, tape)
        return replace(run, jacobian=jacobian[..., list(self.columns)])

    def _column(self, i, theta, forcing, x0, tape) -> np.ndarray:
        """Return the derivative of the values by the value of a block."""
        n, (p,) = len(self.varied.model.parameters), self.model.parameters[i : i + 1]
        moved = theta.copy()
        h = MOVED * (p.scale or abs(theta[i]) or p.upper - p.lower)
        found = []
        for step in (h, -h):
            moved[i] = theta[i] + step
            there = moved[:n], np.column_stack([forcing, moved[self.index]]), x0
            found.append(self.varied.replayed_run(*there, tape)[0])
        return (found[0] - found[1]) / (2 * h)


@dataclass(frozen=True)
class Blocked:
    """A model whose parameters are multiplied, and the model that is integrated.

    Attributes
    ----------
    model : AbstractModel
        With a parameter for each block.
    varied : AbstractModel
    names : dict of str to tuple of str
        The parameters in the place of one.
    index : array of int, shape (n_time, n_varying)
        For the whole record.
    """

    model: AbstractModel
    varied: AbstractModel
    names: dict[str, tuple[str, ...]]
    index: np.ndarray

    def spread(self, given: Mapping | None) -> dict:
        """Return a mapping by parameter: an entry of one holds for each of its blocks."""
        return {name: v for k, v in (given or {}).items() for name in self.names.get(k, (k,))}

    def problem(self, problem: Problem, record: slice) -> BlockedProblem:
        """Return the problem of a part of the record."""
        of_varied = replace(problem, model=self.varied, free=None)
        return BlockedProblem(**vars(problem), varied=of_varied, index=self.index[record])

    def simulate(
        self,
        theta: np.ndarray,
        record: xr.Dataset,
        problem: BlockedProblem,
        outputs: Sequence[str],
        **settings: Any,
    ) -> xr.Dataset:
        """Simulate a part of the record, as ``ph.simulate`` does, with all sensitivities."""
        problem = replace(problem, free=None)
        names = self.varied.varying[-problem.index.shape[1] :]
        series = {n: (TIME, c) for n, c in zip(names, theta[problem.index].T, strict=True)}
        rest = theta[: len(self.varied.parameters)]
        run = simulate(self.varied, rest, record.assign(series), outputs, **settings)
        x0 = initial_array(self.model, settings.get("initial_state"))
        forcing = forcing_array(self.model, record)
        jacobian = problem.run(theta, forcing, x0, sensitivities=True).jacobian
        assert jacobian is not None
        slopes = {f"d{name}_dparameter": i for i, name in enumerate(problem.outputs)}
        columns = {n: ((TIME, PARAMETER), jacobian[:, i], run[n].attrs) for n, i in slopes.items()}
        bare = run.drop_vars([*slopes, PARAMETER])
        return bare.assign(columns).assign_coords({PARAMETER: list(self.model.parameter_names)})


def define_blocks(
    model: AbstractModel, blocks: Mapping[str, Sequence[int]], basin: xr.Dataset, record: slice
) -> Blocked:
    """Return the model with a parameter for each block of the calibrated part of a record.

    Parameters
    ----------
    model : AbstractModel
    blocks : mapping of str to array_like of int, shape (n_time,)
        The block of each interval, from ``ph.blocks`` or ``ph.storms``, by parameter.
    basin : Dataset
    record : slice
        The calibrated part, with its warm-up.

    Raises
    ------
    KeyError, ValueError
        If a name is unknown, or an index is not one whole number for each interval.
    """
    varied = model.vary(*blocks)
    names: dict[str, tuple[str, ...]] = {}
    parameters, columns = list(varied.parameters), []
    for name, given in blocks.items():
        index = np.asarray(given)
        if index.shape != (basin.sizes[TIME],) or index.dtype.kind not in "iu":
            raise ValueError(
                f"calibrate: blocks of {name!r} must be whole numbers, one for each of the "
                f"{basin.sizes[TIME]} intervals of the record, such as ph.blocks(basin, 'YS'); "
                f"found {index.dtype} of shape {index.shape}"
            )
        numbers = np.unique(index[record])
        names[name] = tuple(f"{name}_{k}" for k in numbers)
        own = next(p for p in model.parameters if p.name == name)
        columns.append(len(parameters) + np.searchsorted(numbers, index).clip(max=numbers.size - 1))
        parameters += [replace(own, name=n) for n in names[name]]
    ordered = [pair for pair in model.ordered if not {*pair} & {*blocks}]
    searched = copy.copy(model)
    searched.parameters, searched.ordered = tuple(parameters), tuple(ordered)
    searched._identity = type(model), (model._identity, tuple(sorted(names.items())))
    return Blocked(searched, varied, names, np.column_stack(columns))
