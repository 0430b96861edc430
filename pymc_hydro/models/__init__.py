"""The models, one declaration a file."""

from pymc_hydro.models.hymod import Hymod

__all__ = ["MODELS", "Hymod"]

MODELS = (Hymod,)
