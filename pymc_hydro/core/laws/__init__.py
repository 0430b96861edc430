"""Laws that models share, each written once: formula, unit and source are in its docstring.

``Laws(width)`` holds them all, so that one number says for a whole model whether its minima,
maxima and thresholds are exact or smooth.
"""

from dataclasses import dataclass

from pymc_hydro.core.laws.evaporation import EvaporationLaws
from pymc_hydro.core.laws.hydrographs import (
    delayed,
    exponential_curve,
    full_curve,
    gamma_curve,
    half_curve,
    hydrograph,
    rising_curve,
    triangular_curve,
    uniform_curve,
)
from pymc_hydro.core.laws.kinks import TAU, Kinks
from pymc_hydro.core.laws.powers import exponential_law, guarded_power
from pymc_hydro.core.laws.release import ReleaseLaws
from pymc_hydro.core.laws.runoff import RunoffLaws
from pymc_hydro.core.laws.snowpack import SnowpackLaws

__all__ = [
    "TAU",
    "EvaporationLaws",
    "Kinks",
    "Laws",
    "ReleaseLaws",
    "RunoffLaws",
    "SnowpackLaws",
    "delayed",
    "exponential_curve",
    "exponential_law",
    "full_curve",
    "gamma_curve",
    "guarded_power",
    "half_curve",
    "hydrograph",
    "rising_curve",
    "triangular_curve",
    "uniform_curve",
]


@dataclass(frozen=True)
class Laws(EvaporationLaws, RunoffLaws, ReleaseLaws, SnowpackLaws):
    """All laws, with one width for their kinks.

    Parameters
    ----------
    width : float
        In mm/d of rates, mm of contents and degC; of shares a tenth of it. Zero for exact kinks.
    """
