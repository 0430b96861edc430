"""Error models by the names that ``ph.build_model(likelihood=...)`` takes."""

from collections.abc import Callable

from pymc_hydro.likelihoods.formal import (
    Laplace,
    Normal,
    SkewExponentialPower,
    SkewGeneralizedT,
    SkewStudentT,
    Student,
)
from pymc_hydro.likelihoods.generalized import GeneralizedLikelihood
from pymc_hydro.likelihoods.whittle import Whittle

LIKELIHOODS = {
    "normal": Normal,
    "laplace": Laplace,
    "student": Student,
    "skew_student": SkewStudentT,
    "sep": SkewExponentialPower,
    "gl": GeneralizedLikelihood,
    "sgt": SkewGeneralizedT,
    "whittle": Whittle,
}


def find_likelihood(likelihood: str | Callable) -> Callable:
    """Return the function that places an error model: one of ``LIKELIHOODS``, or yours itself.

    Raises
    ------
    KeyError
        If there is no such name.
    """
    if callable(likelihood):
        return likelihood
    if likelihood not in LIKELIHOODS:
        known = ", ".join(LIKELIHOODS)
        raise KeyError(
            f"unknown likelihood {likelihood!r}; known are {known}, or give a function of yours"
        )
    return LIKELIHOODS[likelihood]
