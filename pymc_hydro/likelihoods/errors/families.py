"""Families of errors: a distribution with given mean and standard deviation, and its shapes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from pymc_hydro.likelihoods.distributions.classes import (
    SkewExponentialPower,
    SkewGeneralizedT,
    SkewStudentT,
)

__all__ = ["Family", "shape_variables"]


@dataclass(frozen=True)
class Family:
    """A distribution of errors.

    Attributes
    ----------
    distribution : type
        A PyMC distribution.
    shapes : tuple of str
        Names of its parameters beside mean and standard deviation.
    parameters : callable
        From mean, standard deviation and shapes to the distribution's own parameters.
    """

    distribution: type
    shapes: tuple[str, ...]
    parameters: Callable

    def dist(self, mean, sd, *shapes, **kwargs):
        """Return an unnamed random variable."""
        return self.distribution.dist(**self.parameters(mean, sd, *shapes), **kwargs)

    def place(self, name, mean, sd, *shapes, **kwargs):
        """Place a random variable in the model."""
        return self.distribution(name, **self.parameters(mean, sd, *shapes), **kwargs)


def _direct(*names):
    return lambda *values: dict(zip(("mu", "sigma", *names), values, strict=True))


def _student(mean, sd, nu):
    nu = pt.cast(nu, "float64")  # PyTensor would make 4.0 a float32
    return {"nu": nu, "mu": mean, "sigma": sd * pt.sqrt((nu - 2) / nu)}


NORMAL = Family(pm.Normal, (), _direct())
LAPLACE = Family(pm.Laplace, (), lambda mean, sd: {"mu": mean, "b": sd / np.sqrt(2)})
STUDENT = Family(pm.StudentT, ("nu",), _student)
SKEW_STUDENT = Family(SkewStudentT, ("nu", "xi"), _direct("nu", "xi"))
SKEW_POWER = Family(SkewExponentialPower, ("beta", "xi"), _direct("beta", "xi"))
SKEW_GENERALIZED = Family(SkewGeneralizedT, ("lam", "p", "q"), _direct("lam", "p", "q"))


def _above_two(name):
    """Degrees of freedom with a finite variance: a shifted version of a published prior.

    References
    ----------
    Juarez, M. A., Steel, M. F. J. (2010). J. Bus. Econ. Stat. doi:10.1198/jbes.2009.07145
    """
    return pm.Deterministic(name, 2 + pm.Gamma(f"{name}_minus_2", alpha=2, beta=0.1))


SHAPE_PRIORS = {
    "nu": _above_two,
    "q": _above_two,
    "xi": lambda name: pm.LogNormal(name, 0, 0.5),
    "beta": lambda name: pm.Uniform(name, -1, 1),
    "lam": lambda name: pm.Uniform(name, -1, 1),
    "p": lambda name: pm.LogNormal(name, np.log(2), 0.3),
}


def shape_variables(name: str, family: Family, given: dict) -> list:
    """Return the shapes of a family: those given, priors for the others.

    Parameters
    ----------
    name : str
        Name of the likelihood, put before theirs.
    family : Family
    given : dict of str to variable, number or None
    """
    return [
        SHAPE_PRIORS[s](f"{name}_{s}") if given.get(s) is None else given[s] for s in family.shapes
    ]
