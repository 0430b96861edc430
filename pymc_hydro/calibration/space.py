"""The space that is searched: free parameters, each on an axis from 0 to 1, or without bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from pymc_hydro.core.domain import places, spans_decades
from pymc_hydro.core.model import AbstractModel

__all__ = ["SPACES", "SearchSpace", "define_space", "separated_bounds"]

SPACES = ("unit cube", "unconstrained")
SAMPLERS = ("latin hypercube", "sobol")
FARTHEST = 1e-3  # of an axis: least distance of an unconstrained start from a bound
AT_BOUND = 1e-3  # of an axis: a parameter that is nearer to a bound counts as at the bound
Starts: TypeAlias = int | Mapping | Sequence | np.ndarray | pd.DataFrame


@dataclass(frozen=True)
class SearchSpace:
    """Free and fixed parameters, their bounds, and the coordinates of a search.

    Attributes
    ----------
    names : tuple of str
        Of all parameters.
    lower, upper : array, shape (n_parameter,)
    held : array, shape (n_parameter,)
        Values of fixed parameters, NaN for the free ones.
    kind : {"unit cube", "unconstrained"}
        In the first a coordinate is the position on its axis; in the second its logit.
    """

    names: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    held: np.ndarray
    kind: str

    @property
    def free(self) -> np.ndarray:
        """Positions of the free parameters."""
        return np.flatnonzero(np.isnan(self.held))

    @property
    def logarithmic(self) -> np.ndarray:
        """Which free parameters have a logarithmic axis."""
        return spans_decades(self.lower[self.free], self.upper[self.free])

    def parameters(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return all parameters at the coordinates z, and the slope of each free one there."""
        if self.kind == "unit cube":
            return self.from_unit(z)
        unit = 0.5 + 0.5 * np.tanh(0.5 * z)  # logistic, without overflow
        theta, slope = self.from_unit(unit)
        return theta, slope * unit * (1 - unit)

    def from_unit(self, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return all parameters at positions on the axes, and the slope of each free one there."""
        theta, log = np.tile(self.held, (*unit.shape[:-1], 1)), self.logarithmic
        low, high = self.lower[self.free], self.upper[self.free]
        ratio = np.where(log, high / np.where(log, low, 1.0), 1.0)
        value = np.where(log, low * ratio**unit, low + unit * (high - low))
        theta[..., self.free] = np.clip(value, low, high)  # beyond the bounds by rounding only
        return theta, np.where(log, value * np.log(ratio), high - low)

    def positions(self, theta: np.ndarray) -> np.ndarray:
        """Return the positions of the free parameters on their axes, from 0 to 1."""
        return places(theta[..., self.free], self.lower[self.free], self.upper[self.free])

    def coordinates(self, unit: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Return coordinates of positions, first moved `margin` off the bounds.

        In the unconstrained space the margin is at least 1e-3: the logit of a bound is infinite,
        and so flat near a bound that a search hardly leaves it.
        """
        if self.kind == "unit cube":
            return np.clip(unit, margin, 1 - margin)
        unit = np.clip(unit, max(margin, FARTHEST), 1 - max(margin, FARTHEST))
        return np.log(unit / (1 - unit))

    def axis_slopes(self, theta: np.ndarray) -> np.ndarray:
        """Return the change of each parameter by its position on its axis; zero if it is fixed."""
        slopes = np.zeros(theta.size)
        slopes[self.free] = self.from_unit(self.positions(theta))[1]
        return slopes

    def projected_norm(self, theta: np.ndarray, gradient: np.ndarray) -> float:
        """Return the largest component of a gradient on the axes that does not push at a bound."""
        on_axes = (gradient * self.axis_slopes(theta))[self.free]
        unit = self.positions(theta)
        held = ((unit < AT_BOUND) & (on_axes > 0)) | ((unit > 1 - AT_BOUND) & (on_axes < 0))
        return float(np.abs(np.where(held, 0.0, on_axes)).max())

    def at_bound(self, theta: np.ndarray) -> np.ndarray:
        """Return which parameters are free and at a bound, shape (n_parameter,)."""
        unit, result = self.positions(theta), np.zeros(theta.size, dtype=bool)
        result[self.free] = (unit < AT_BOUND) | (unit > 1 - AT_BOUND)
        return result

    def starts(
        self, starts: Starts, default: np.ndarray, sampler: str, seed: int | None
    ) -> np.ndarray:
        """Return the positions of the starts, shape (n_start, n_free).

        Parameters
        ----------
        starts : int, mapping, sequence of mappings, DataFrame, or array_like
            As in ``ph.calibrate``.
        default : array, shape (n_parameter,)
            The first of a number of starts; the others fill the space.
        sampler : {"latin hypercube", "sobol"}
        seed : int or None

        Raises
        ------
        KeyError, ValueError
            If the sampler is unknown, or a start is outside the bounds.
        """
        given: Any = starts
        if np.ndim(given) == 0 and not isinstance(given, Mapping):
            if not isinstance(given, (int, np.integer)) or given < 1:
                raise ValueError(
                    f"calibrate: starts must be a whole number of at least 1, or the starts "
                    f"themselves; found {given!r}"
                )
            first = self.positions(np.clip(default, self.lower, self.upper))
            return np.vstack([first, _sample(sampler, given - 1, first.size, seed)])
        if isinstance(given, pd.DataFrame):
            given = given.to_dict("records")
        if isinstance(given, Mapping):
            given = [given]
        if len(given) and isinstance(given[0], Mapping):
            given = [self._named(start) for start in given]
        points = np.atleast_2d(np.asarray(given, dtype=float))
        if points.ndim != 2 or points.shape[1] != len(self.names) or not len(points):
            raise ValueError(
                f"calibrate: starts must have shape (n_start, {len(self.names)}), found "
                f"{points.shape}"
            )
        for i in self.free:
            bad = ~((points[:, i] >= self.lower[i]) & (points[:, i] <= self.upper[i]))
            if bad.any():
                raise ValueError(
                    f"calibrate: a start is outside the bounds: {self.names[i]} = "
                    f"{points[bad.argmax(), i]:g}, expected from {self.lower[i]:g} to "
                    f"{self.upper[i]:g}; give bounds={{{self.names[i]!r}: (lower, upper)}}"
                )
        return self.positions(points)

    def _named(self, start: Mapping) -> list[float]:
        """Return the values of a start in the order of the parameters."""
        unknown = [name for name in start if name not in self.names]
        if unknown:
            raise KeyError(
                f"calibrate: the start names {unknown}, which are no parameters; known are "
                f"{', '.join(self.names)}"
            )
        missing = [self.names[i] for i in self.free if self.names[i] not in start]
        if missing:
            raise KeyError(f"calibrate: the start lacks {', '.join(missing)}")
        values = [float(start.get(n, h)) for n, h in zip(self.names, self.held, strict=True)]
        for name, value, held in zip(self.names, values, self.held, strict=True):
            if not np.isnan(held) and value != held:
                raise ValueError(
                    f"calibrate: a start has {name} = {value:g}, which is fixed at {held:g}; leave "
                    "it out of one of them"
                )
        return values


def define_space(
    model: AbstractModel, bounds: Mapping, fixed: Mapping, kind: str, what: str = "calibrate"
) -> SearchSpace:
    """Return the space of a search after checking bounds and fixed parameters.

    Messages begin with `what`, the name of the function that was called.

    Raises
    ------
    KeyError, ValueError
        If a name is unknown, bounds do not rise, or nothing is free.
    """
    if kind not in SPACES:
        raise KeyError(f"{what}: unknown search_space {kind!r}; known are {', '.join(SPACES)}")
    names, lower, upper = model.parameter_names, model.lower, model.upper
    for name, pair in bounds.items():
        i = _index(what, model, name)
        try:
            low, high = (float(b) for b in pair)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{what}: bounds of {name} must be two numbers, lower and upper; found {pair!r}"
            ) from error
        if not np.isfinite([low, high]).all():
            raise ValueError(
                f"{what}: bounds of {name} must be finite, found [{low}, {high}]; every search "
                "space begins within them"
            )
        if not low < high:
            raise ValueError(
                f"{what}: bounds of {name} must rise, found [{low}, {high}]; a parameter is "
                f"fixed by fixed={{{name!r}: value}}"
            )
        _check_limits(what, model, i, low, high)
        lower[i], upper[i] = low, high
    held = np.full(len(names), np.nan)
    for name, value in fixed.items():
        i = _index(what, model, name)
        try:
            value = float(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{what}: fixed {name} must be a number, found {value!r}") from error
        if not lower[i] <= value <= upper[i]:
            raise ValueError(
                f"{what}: fixed {name} = {value} is outside its bounds [{lower[i]}, {upper[i]}]"
            )
        held[i] = value
    if not np.isnan(held).any():
        raise ValueError(f"{what}: all parameters are fixed, nothing is left to search")
    return SearchSpace(names, lower, upper, held, kind)


def _check_limits(what, model, i, low, high):
    """Raise ValueError if bounds reach beyond the domain of parameter i: every run there fails."""
    parameter = model.parameters[i]
    ends = parameter.limits
    for bound, value, beyond in (("lower", low, low < ends[0]), ("upper", high, high > ends[1])):
        if beyond:
            raise ValueError(
                f"{what}: the {bound} bound of {parameter.name}, {value:g}, is outside its "
                f"domain [{ends[0]:g}, {ends[1]:g}], where the equations of "
                f"{type(model).__name__} mean nothing; give bounds inside it"
            )


def _index(what, model, name):
    if name not in model.parameter_names:
        raise KeyError(
            f"{what}: {type(model).__name__} has no parameter {name!r}; known are "
            f"{', '.join(model.parameter_names)}"
        )
    return model.parameter_names.index(name)


def _sample(sampler, n, dimensions, seed):
    if sampler not in SAMPLERS:
        raise KeyError(f"calibrate: unknown sampler {sampler!r}; known are {', '.join(SAMPLERS)}")
    if n == 0:
        return np.empty((0, dimensions))
    from scipy.stats import qmc

    if sampler == "latin hypercube":
        return qmc.LatinHypercube(dimensions, seed=seed).random(n)
    # A power of two keeps the sequence balanced, and SciPy silent.
    return qmc.Sobol(dimensions, seed=seed).random_base2((n - 1).bit_length())[:n]


def separated_bounds(model: AbstractModel) -> dict[str, tuple[float, float]]:
    """Bounds under which an exchangeable pair keeps its order: the smaller ends at the larger.

    Nothing for a pair that begins at the same bound, such as the rates of `HBV`: no single value
    lies between them.
    """
    by_name = {p.name: p for p in model.parameters}
    pairs = [(by_name[small], by_name[large]) for small, large in model.ordered]
    return {
        small.name: (small.lower, min(small.upper, large.lower))
        for small, large in pairs
        if small.lower < large.lower
    }
