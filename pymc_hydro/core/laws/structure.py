"""The base of structures that are declared with the common laws."""

from typing import Any

from pymc_hydro.core.declaration import Output
from pymc_hydro.core.laws import Laws
from pymc_hydro.core.model import AbstractModel

__all__ = ["AbstractStructure", "discharge_from", "evaporation_from"]


def discharge_from(*terms: str) -> Output:
    """Return the output discharge, a sum of fluxes."""
    return Output("discharge", terms, "mm/d", "discharge at the outlet")


def evaporation_from(*terms: str) -> Output:
    """Return the output evaporation, a sum of fluxes."""
    return Output("evaporation", terms, "mm/d", "actual evaporation")


class AbstractStructure(AbstractModel):
    """A structure with exact or smooth kinks; without the snow front end unless it is asked for.

    Parameters
    ----------
    snow : bool or {"degree-day", "refreezing"}, optional
        Whether to put a snow front end before a structure that has no snow of its own, and which
        one; the degree-day front end if True.
    width : float, optional
        Width over which minima, maxima and thresholds are smooth, in mm/d of rates and mm of
        contents and degC of temperatures, such as 0.01; a tenth of it for shares. Zero for exact
        kinks.

    Attributes
    ----------
    number : str
        The structure's number in its collection.
    """

    number: str = ""

    def __init__(self, *, snow: bool | str = False, width: float = 0.0, **options: Any):
        if not 0 <= width < 1:
            raise ValueError(
                f"{type(self).__name__}: width must be at least 0 and below 1 (mm/d, mm or 1), "
                f"found {width!r}"
            )
        self.law = Laws(float(width))
        self.tolerance_factor = self.law.tolerance_factor
        super().__init__(snow=snow, **options)
