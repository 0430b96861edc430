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
from pymc_hydro.likelihoods.table import LIKELIHOODS, find_likelihood
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
    "find_likelihood",
]
