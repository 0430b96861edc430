"""Error models of observed flow: functions that place an observed random variable.

An error model of your own takes its observations with :func:`observe`; a density of your own is a
:class:`Family` for :func:`place_residuals`.
"""

from pymc_hydro.likelihoods import distributions
from pymc_hydro.likelihoods.errors.families import Family
from pymc_hydro.likelihoods.errors.observations import observe
from pymc_hydro.likelihoods.errors.residuals import place_residuals
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
from pymc_hydro.likelihoods.recommended import Recommended, recommend
from pymc_hydro.likelihoods.table import LIKELIHOODS, find_likelihood
from pymc_hydro.likelihoods.whittle import Whittle
from pymc_hydro.losses.curves import BoxCox, LogSinh

__all__ = [
    "LIKELIHOODS",
    "BoxCox",
    "Family",
    "GeneralizedLikelihood",
    "Laplace",
    "LimitsOfAcceptability",
    "LogSinh",
    "Normal",
    "PseudoLikelihood",
    "Recommended",
    "SkewExponentialPower",
    "SkewGeneralizedT",
    "SkewStudentT",
    "Student",
    "Whittle",
    "distributions",
    "find_likelihood",
    "observe",
    "place_residuals",
    "recommend",
]
