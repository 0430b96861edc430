"""Laws of runoff generation and infiltration."""

from typing import Any

from pymc_hydro.core.functions import exp, gammainc, log, ndtr, piecewise
from pymc_hydro.core.laws.kinks import Kinks

__all__ = ["RunoffLaws"]

EMPTY = 1e-6  # mm, of a content whose logarithm is needed


class RunoffLaws(Kinks):
    """The division of rain: shares from 0 to 1, and rates in mm/d."""

    def saturated_share(self, z: Any, b: Any) -> Any:
        """Return ``1 - (1 - z)^b``: the share of points whose capacities are filled.

        Moore, R. J. (1985). Hydrol. Sci. J. 30, 273-297; Zhao, R. (1992). J. Hydrol. 135, 371-381.
        """
        return 1 - self.power(self.share(1 - z), b)

    def double_saturated_share(self, z: Any, a: Any, b: Any) -> Any:
        """Return the share of a double Pareto distribution of capacities.

        ``(1/2 - a)^(1-b) z^b`` up to z = 1/2 - a, else ``1 - (1/2 + a)^(1-b) (1 - z)^b``.
        Jayawardena, A. W., Zhou, M. C. (2000). J. Hydrol. 227, 93-113.
        """
        low, high, x = 0.5 - a, 0.5 + a, self.share(z)
        below = low * self.power(x / low, b)
        above = 1 - high * self.power((1 - x) / high, b)
        return piecewise(x - low, above, below, continuity=0)

    def contributing_share(self, S: Any, low: Any, high: Any, a: Any, b: Any) -> Any:
        """Return ``min(1, a ((S - low)/(high - low))^b)`` above the content `low`, mm.

        Sivapalan, M., et al. (1996). Hydrol. Process. 10, 393-411.
        """
        x = self.positive(S - low) / (high - low)
        return self.least(1.0, a * self.power(x, b)) * self.full(S, low)

    def gamma_share(self, D: Any, shape: Any, scale: Any) -> Any:
        """Return the saturated share of a gamma distribution of the topographic index.

        ``Q(shape, shape + D/scale)`` for a mean deficit of D, mm. Sivapalan, M., et al. (1987).
        Water Resour. Res. 23, 2266-2280. The scale is the scale of the index, divided by the decay
        of transmissivity.
        """
        return 1 - gammainc(shape, shape + self.positive(D) / scale)

    def lognormal_share(self, S: Any, median: Any, ratio: Any) -> Any:
        """Return ``Phi(log(S/median)/log(ratio))``, of log-normal capacities.

        The ratio is the median divided by the 16 % quantile. Fukushima, Y. (1988). Hydrol.
        Process. 2, 167-185.
        """
        some = piecewise(S - EMPTY, S, EMPTY, continuity=0)
        return ndtr(log(some / median) / log(ratio))

    def infiltration(self, rain: Any, z: Any, c: Any, q: Any) -> Any:
        """Return ``min(rain, c exp(-q z))``; c is the capacity of a dry soil, mm/d.

        Chiew, F. H. S., Peel, M. C., Western, A. W. (2002) in Singh & Frevert (eds.).
        """
        return self.least(c * exp(-q * z), rain)
