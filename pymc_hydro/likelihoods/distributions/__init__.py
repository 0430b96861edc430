"""Distributions with given mean and standard deviation that PyMC does not have.

They are ordinary PyMC distributions, for residuals of any kind; the likelihood functions of
:mod:`pymc_hydro.likelihoods` place them on simulated flow.
"""

from pymc_hydro.likelihoods.distributions.classes import (
    SkewExponentialPower,
    SkewGeneralizedT,
    SkewStudentT,
)

__all__ = ["SkewExponentialPower", "SkewGeneralizedT", "SkewStudentT"]
