"""Error models of observed flow: functions that place an observed random variable."""

from pymc_hydro.likelihoods.normal import Normal

__all__ = ["LIKELIHOODS", "Normal"]

# By the name that `ph.build_model(likelihood=...)` takes.
LIKELIHOODS = {"normal": Normal}
