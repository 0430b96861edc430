"""An explorer: sliders of parameters, and at once the run, its scores and their slopes."""

from pymc_hydro.explorer.explore import explore

__all__ = ["explore"]
