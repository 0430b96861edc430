"""Error models of observed flow: functions that place an observed random variable."""

from pymc_hydro.likelihoods import distributions
from pymc_hydro.likelihoods.formal import (
    Laplace,
    Normal,
    SkewExponentialPower,
    SkewGeneralizedT,
    SkewStudentT,
    Student,
)
from pymc_hydro.likelihoods.generalized import GeneralizedLikelihood
from pymc_hydro.likelihoods.informal import LimitsOfAcceptability, PseudoLikelihood
from pymc_hydro.likelihoods.transforms import BoxCox, LogSinh
from pymc_hydro.likelihoods.whittle import Whittle

__all__ = [
    "LIKELIHOODS",
    "BoxCox",
    "GeneralizedLikelihood",
    "Laplace",
    "LimitsOfAcceptability",
    "LogSinh",
    "Normal",
    "PseudoLikelihood",
    "SkewExponentialPower",
    "SkewGeneralizedT",
    "SkewStudentT",
    "Student",
    "Whittle",
    "distributions",
]

# By the name that `ph.build_model(likelihood=...)` takes.
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
