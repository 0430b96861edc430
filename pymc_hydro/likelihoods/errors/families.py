"""Families of errors: a distribution with given mean and standard deviation, and its shapes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from pymc_hydro.likelihoods.distributions.classes import (
    SkewExponentialPower,
    SkewGeneralizedT,
    SkewStudentT,
    StableLaplace,
)
from pymc_hydro.likelihoods.distributions.starts import place_at

__all__ = ["Family", "shape_variables"]


@dataclass(frozen=True)
class Family:
    """A distribution of errors.

    Parameters
    ----------
    distribution : type
        A PyMC distribution.
    shapes : tuple of str
        Names of its parameters beside mean and standard deviation.
    parameters : callable
        From mean, standard deviation and shapes to the distribution's own parameters, by name.
    priors : mapping of str to callable, optional
        Places the prior of a shape, such as ``lambda name: pm.HalfNormal(name, 1)``. The
        shapes nu, xi, beta, lam, p and q have priors already.

    Examples
    --------
    >>> import pymc as pm, pymc_hydro as ph
    >>> family = ph.likelihoods.Family(
    ...     pm.Laplace, (), lambda mean, sd: {"mu": mean, "b": sd / 2**0.5}
    ... )
    >>> round(float(pm.logp(family.dist(1.0, 2**0.5), 1.0).exp().eval()), 6)
    0.5
    """

    distribution: type[pm.Distribution]
    shapes: tuple[str, ...]
    parameters: Callable
    priors: Mapping[str, Callable] = field(default_factory=dict, compare=False)

    def dist(self, mean: Any, sd: Any, *shapes: Any, **kwargs: Any) -> TensorVariable:
        """Return an unnamed random variable."""
        return self.distribution.dist(**self.parameters(mean, sd, *shapes), **kwargs)

    def place(self, name: str, mean: Any, sd: Any, *shapes: Any, **kwargs: Any) -> TensorVariable:
        """Place a random variable in the model."""
        return self.distribution(name, **self.parameters(mean, sd, *shapes), **kwargs)


def _direct(*names):
    return lambda *values: dict(zip(("mu", "sigma", *names), values, strict=True))


def _student(mean, sd, nu):
    nu = pt.cast(nu, "float64")  # PyTensor would make 4.0 a float32
    return {"nu": nu, "mu": mean, "sigma": sd * pt.sqrt((nu - 2) / nu)}


NORMAL = Family(pm.Normal, (), _direct())
LAPLACE = Family(StableLaplace, (), lambda mean, sd: {"mu": mean, "b": sd / np.sqrt(2)})
STUDENT = Family(pm.StudentT, ("nu",), _student)
SKEW_STUDENT = Family(SkewStudentT, ("nu", "xi"), _direct("nu", "xi"))
SKEW_POWER = Family(SkewExponentialPower, ("beta", "xi"), _direct("beta", "xi"))
SKEW_GENERALIZED = Family(SkewGeneralizedT, ("lam", "p", "q"), _direct("lam", "p", "q"))


# Where searches and chains start: tails heavier than normal, of moderate weight. With nu near 2
# any storms can be outliers, and each set of outliers is a mode; the variance, which is one, says
# nothing about them.
START_NU = 4.0
LEAST_NU = 3  # of the priors; the densities have a variance above 2


def _above_three(name):
    """Degrees of freedom, with a shifted version of a published prior.

    References
    ----------
    Juarez, M. A., Steel, M. F. J. (2010). J. Bus. Econ. Stat. doi:10.1198/jbes.2009.07145
    """
    prior = pm.Gamma.dist(alpha=2, beta=0.1)
    excess = place_at(START_NU - LEAST_NU, f"{name}_minus_{LEAST_NU}", prior)
    return pm.Deterministic(name, LEAST_NU + excess)


SHAPE_PRIORS: dict[str, Callable] = {
    "nu": _above_three,
    "q": _above_three,
    "xi": lambda name: pm.LogNormal(name, 0, 0.5),
    "beta": lambda name: pm.Uniform(name, -1, 1),
    "lam": lambda name: pm.Uniform(name, -1, 1),
    "p": lambda name: pm.LogNormal(name, np.log(2), 0.3),
}


def shape_variables(name: str, family: Family, given: dict) -> list:
    """Return the shapes of a family: given shapes, and priors for the others.

    Parameters
    ----------
    name : str
        Name of the likelihood, put before the names of the shapes.
    family : Family
    given : dict of str to variable, number or None

    Raises
    ------
    TypeError
        If a shape is not given and has no prior.
    """
    priors: dict[str, Callable] = {**SHAPE_PRIORS, **family.priors}
    missing = [s for s in family.shapes if given.get(s) is None and s not in priors]
    if missing:
        raise TypeError(
            f"{name}: the family has shapes without a prior, {', '.join(missing)}; give a variable "
            f"or a number for each, such as {missing[0]}=pm.LogNormal('{name}_{missing[0]}', 0, 1),"
            f" or Family(..., priors={{{missing[0]!r}: ...}})"
        )
    return [priors[s](f"{name}_{s}") if given.get(s) is None else given[s] for s in family.shapes]
