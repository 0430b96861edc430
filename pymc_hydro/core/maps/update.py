"""The base of models in discrete time."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pymc_hydro.core.model import AbstractModel

__all__ = ["AbstractMap"]

LAST_DIGITS = 1e-9  # of the length of an interval: 1/24 is not a binary number


class AbstractMap(AbstractModel):
    """A model in discrete time: `fluxes` is what flows in one interval, and nothing is integrated.

    The declaration is that of :class:`AbstractModel`. The stores that `fluxes` receives are the
    contents at the start of the interval, and the fluxes it returns are means over the interval in
    mm/d. The content at the end is the content at the start plus what the flows bring and take. So
    a law may use what it has computed: a store after its evaporation, for instance. An equation may
    jump; the sensitivities are then the derivatives on either side of the jump.

    Attributes
    ----------
    interval : float
        Length of the interval that the law is for, in days. Records have intervals of this length.

    Notes
    -----
    The derivatives at a kink are those of the side that `piecewise` takes there: the value and
    the derivatives belong together everywhere.
    """

    interval: float = 1.0
    snow_fronts: Mapping[str, Any] = MappingProxyType({})  # the named ones are laws of rates

    def __init__(self, **options: Any):
        if self.routing is not None:
            raise ValueError(
                f"{type(self).__name__}: a map has no `routing`; put the unit hydrograph among its "
                "`hydrographs`, before the flow to the outlet"
            )
        super().__init__(**options)

    def update(self, stores: Mapping[str, Any], fluxes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content of each store at the end of an interval, from that at its start."""
        rates = self.right_hand_side(fluxes)
        return {name: stores[name] + self.interval * rate for name, rate in rates.items()}

    def fits(self, dt: float) -> bool:
        """Return whether intervals of `dt` days are those of the law."""
        return math.isclose(dt, self.interval, rel_tol=LAST_DIGITS)

    def check_interval(self, dt: float) -> None:
        """Raise ValueError if the intervals of a record are not those of the law."""
        if not self.fits(dt):
            raise ValueError(
                f"{type(self).__name__} is a law for intervals of {24 * self.interval:g} hours, "
                f"but the record has intervals of {24 * dt:g} hours; take the model for this "
                "interval (GR4H for hours, GR4J for days), a model in continuous time, or means of "
                "the record"
            )
