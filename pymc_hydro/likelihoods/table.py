"""Likelihoods by the names that ``ph.build_model(likelihood=...)`` takes."""

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
from pymc_hydro.likelihoods.recommended import Recommended
from pymc_hydro.likelihoods.whittle import Whittle

# The functions by short names.
LIKELIHOODS: dict[str, Callable] = {
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
    """Return the function that places a likelihood, by its name or as it is.

    Parameters
    ----------
    likelihood : str or callable
        The name of one of the functions in ``LIKELIHOODS``, in any case and with or without
        underscores ("SkewStudentT", "skew_student_t"), or a short name ("skew_student", "sep");
        "recommended", the choice of :func:`pymc_hydro.likelihoods.recommend`; or a function of
        yours with the arguments of ``ph.likelihoods.Normal``.

    Raises
    ------
    KeyError, TypeError
        If there is no such name, or `likelihood` is neither.
    """
    if callable(likelihood):
        return likelihood
    if not isinstance(likelihood, str):
        raise TypeError(
            f"likelihood: expected a name or a function such as ph.likelihoods.Normal, found "
            f"{likelihood!r}"
        )
    short = {_plain(name): function for name, function in LIKELIHOODS.items()}
    known = {_plain(function.__name__): function for function in LIKELIHOODS.values()}
    found = (short | known | {"recommended": Recommended}).get(_plain(likelihood))
    if found is None:
        names = ", ".join(function.__name__ for function in LIKELIHOODS.values())
        raise KeyError(
            f"unknown likelihood {likelihood!r}; known are {names}, 'recommended', or give a "
            "function of yours"
        )
    return found


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
