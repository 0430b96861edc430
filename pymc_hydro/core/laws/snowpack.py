"""Laws of snow and melt at the air temperature `T`, degC."""

from typing import Any

from pymc_hydro.core.laws.kinks import Kinks
from pymc_hydro.core.smoothing import step

__all__ = ["SnowpackLaws"]

SHARP = 0.02  # degC: transition from snow to rain, with exact kinks


class SnowpackLaws(Kinks):
    """Snowfall, melt and refreezing, in mm/d."""

    def snowfall(self, P: Any, T: Any, threshold: Any) -> Any:
        """Return the precipitation that falls as snow below a temperature.

        A logistic transition: over 0.05 degC with exact kinks, of twice the width if that is wider.
        """
        return P * (1 - step(T - threshold, max(SHARP, 2 * self.width)))

    def snowfall_interval(self, P: Any, T: Any, threshold: Any, interval: Any) -> Any:
        """Return snowfall whose share rises linearly over an interval of temperature, degC."""
        return P * self.share((threshold + interval / 2 - T) / interval)

    def warmth(self, T: Any, threshold: Any) -> Any:
        """Return the temperature above a threshold, degC."""
        return self.positive(T - threshold)

    def melt(self, T: Any, threshold: Any, factor: Any, S: Any) -> Any:
        """Return degree-day melt of a pack S, mm."""
        return self.at_most(factor * self.warmth(T, threshold), S)

    def refreezing(self, T: Any, threshold: Any, factor: Any, S: Any) -> Any:
        """Return refreezing of liquid water S, mm, below a temperature."""
        return self.at_most(factor * self.warmth(-T, -threshold), S)
