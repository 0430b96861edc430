"""The link of parameters and coordinates: logits of positions between bounds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pymc_hydro.calibration.space import SearchSpace, define_space
from pymc_hydro.core.model import AbstractModel

__all__ = ["Link", "define_link"]

OUTERMOST = 1e-6  # position of a value on a bound, whose logit is infinite


@dataclass(frozen=True)
class Link:
    """Parameters as logits of their positions between bounds, and back.

    An axis is logarithmic where bounds differ by a factor of 100. Where the model declares an order
    of two parameters, the larger one is the upper bound of the smaller.

    Attributes
    ----------
    space : SearchSpace
        Names, bounds and axes of all parameters.
    larger_of : mapping of str to str
        The larger parameter, by the smaller one.
    """

    space: SearchSpace
    larger_of: Mapping[str, str]

    def start(self, model: AbstractModel, free: Sequence[str]) -> np.ndarray:
        """Return the coordinates of the defaults of the parameters that are free."""
        default = np.clip(model.default, self.space.lower, self.space.upper)
        found = self.space.coordinates(self.space.positions(default))
        return found[[self.space.names.index(name) for name in free]]

    def parameters(
        self,
        z: Mapping[str, Any],
        known: Mapping[str, Any],
        math: Any = np,
        named: Callable[[str, Any], Any] = lambda name, value: value,
    ) -> dict[str, Any]:
        """Return parameters by name from their coordinates.

        Parameters
        ----------
        z : mapping of str to array or variable
        known : mapping of str to array or variable
            Values of all other parameters.
        math : module
            ``numpy`` or ``pytensor.tensor``.
        named : callable
            Is given the name and the value of each parameter of `z`; its result takes their place.
        """
        theta = dict(known)
        for name, lower, own_upper, logarithmic in self._from_larger_to_smaller():
            if name in z:
                unit = (1 + math.tanh(z[name] / 2)) / 2
                upper = self._upper(name, own_upper, theta, math)
                if logarithmic:
                    value = lower * (upper / lower) ** unit
                else:
                    value = lower + (upper - lower) * unit
                theta[name] = named(name, value)
        return theta

    def positions(self, theta: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return positions between bounds by name, from 0 to 1; beyond them outside."""
        found = {}
        for name, lower, own_upper, logarithmic in self._from_larger_to_smaller():
            value, upper = np.asarray(theta[name]), self._upper(name, own_upper, theta, np)
            if logarithmic:
                # A value that is not positive is as far outside as there is.
                with np.errstate(divide="ignore"):
                    found[name] = np.log(np.maximum(value, 0) / lower) / np.log(upper / lower)
            else:
                found[name] = (value - lower) / (upper - lower)
        return found

    def coordinates(self, theta: Mapping[str, Any], free: Sequence[str]) -> np.ndarray:
        """Return the coordinates (..., n_free) of parameters; a value on a bound is just inside."""
        found = self.positions(theta)
        unit = np.stack([np.clip(found[n], OUTERMOST, 1 - OUTERMOST) for n in free], axis=-1)
        return np.log(unit / (1 - unit))

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the bounds of a parameter, apart from its order."""
        i = self.space.names.index(name)
        return float(self.space.lower[i]), float(self.space.upper[i])

    def _from_larger_to_smaller(self):
        """Return names, bounds and whether axes are logarithmic, the larger parameters first."""
        space = self.space
        rows = zip(space.names, space.lower, space.upper, space.logarithmic, strict=True)
        return sorted(rows, key=lambda row: row[0] in self.larger_of)

    def _upper(self, name, upper, theta, math):
        larger = self.larger_of.get(name)
        return upper if larger is None else math.minimum(upper, theta[larger])


def define_link(
    model: AbstractModel,
    bounds: Mapping | None = None,
    of_priors: bool = True,
    what: str = "regional",
) -> Link:
    """Return the link of a model.

    Parameters
    ----------
    model : AbstractModel
    bounds : mapping of str to pair of float, optional
        Of some parameters.
    of_priors : bool
        Whether the bounds of all others are those of priors, or those of searches, where a
        parameter declares both.
    what : str
        Name of the caller, for messages.

    Raises
    ------
    KeyError, ValueError
        If a name is unknown, or bounds do not rise or leave the domain.
    """
    own = {p.name: p.prior for p in model.parameters if of_priors and p.prior is not None}
    space = define_space(model, own | dict(bounds or {}), {}, "unconstrained", what)
    # A parameter that changes in time is in the order, but not among the parameters.
    order = {s: g for s, g in model.ordered if {s, g} <= {*space.names}}
    return Link(space, order)
